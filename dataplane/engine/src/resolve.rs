//! From flow to real: the table's entry, or a choice by hash and a new entry.

use counters::{DropReason, Event, Ledger, PuntReason};
use flow::{Epoch, FlowReader, FlowTable, Gate, Place, Probe, Slot, State, Value};
use mem::Prf;
use port::{BURST_MAX, Packet, Tick};
use service::{
    Class, Effect, RealNumber, RealState, RuleAction, RuleNumber, Ruling, ServiceEntry, ServiceNumber,
    ServiceSlot, TableView, Template, session_hash, tuple_hash_with,
};
use wire::{FiveTuple, Kind, Parsed, protocol};

use crate::aside::Asides;
use crate::burst::Engine;
use crate::decision::{FlowUse, Verdict};
use crate::encap::Identifications;
use crate::fragments::Fragments;
use crate::kernel::KernelRoom;
use crate::lane::Lane;
use crate::meter::Meters;
use crate::quic::Ciphers;
use crate::rules;

/// What resolving works with, apart from the packet.
pub(crate) struct Resolver<'e, 't> {
    pub(crate) flows: &'e mut FlowTable,
    pub(crate) gate: &'e mut Gate,
    pub(crate) ledger: &'e mut Ledger,
    pub(crate) select: &'e Prf,
    pub(crate) quic: &'e Ciphers,
    pub(crate) meters: &'e mut Meters,
    pub(crate) table: &'e TableView<'t>,
    /// Packets of this burst that do not simply leave.
    pub(crate) asides: &'e mut Asides,
    /// What the kernel still has room for.
    pub(crate) kernel: KernelRoom,
    /// Our MAC address where the burst came from.
    pub(crate) mac: [u8; 6],
    pub(crate) now: Tick,
    pub(crate) hits: u64,
    /// Packets whose flow was not there.
    pub(crate) misses: u64,
    /// The lanes of this burst hold their own choices; else what they hold is of another.
    pub(crate) are_chosen: bool,
    pub(crate) fragments: &'e mut Fragments,
    /// The other workers' flows.
    pub(crate) mates: &'e [FlowReader],
    /// Lets looks at them through.
    pub(crate) looks: &'e mut Gate,
    /// The packet may have met another worker than its flow.
    pub(crate) may_be_mates: bool,
}

impl Engine {
    /// What the stages work with beside the packets: the resolver, the identifications, and the lanes.
    #[inline(always)]
    pub(crate) fn split<'e, 't>(
        &'e mut self,
        table: &'e TableView<'t>,
        now: Tick,
    ) -> (Resolver<'e, 't>, &'e mut Identifications, &'e [Lane; BURST_MAX]) {
        let mac = self.mac(table);
        let resolver = Resolver {
            flows: &mut self.flows,
            gate: &mut self.gate,
            ledger: &mut self.ledger,
            select: &self.select,
            quic: &self.quic,
            meters: &mut self.meters,
            asides: &mut self.asides,
            table,
            mac,
            kernel: self.kernel,
            now,
            hits: 0,
            misses: 0,
            are_chosen: self.expects_new,
            fragments: &mut self.fragments,
            mates: &self.mates,
            looks: &mut self.looks,
            may_be_mates: false,
        };
        (resolver, &mut self.identifications, &self.lanes)
    }
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) real: RealNumber,
    pub(crate) service: ServiceNumber,
    pub(crate) used: FlowUse,
    /// Its service asks for more than a real, as far as it was looked at: of a hit the real's template says it.
    pub(crate) asks: bool,
    /// What a rule asks for, and of all fragments of a datagram the first one's.
    pub(crate) effect: Effect,
}

impl Target {
    /// Where a packet goes whose flow is known, unless a rule asks for more.
    #[inline(always)]
    pub(crate) const fn hit((service, real): (ServiceNumber, RealNumber), asks: bool) -> Self {
        Self { real, service, used: FlowUse::Hit, asks, effect: Effect::NONE }
    }
}

/// What a new flow's real is chosen by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) at: ServiceSlot,
    pub(crate) service: ServiceNumber,
    pub(crate) hash: u64,
    /// The rule that gave the service, and what it gave too.
    pub(crate) ruled: Option<Ruled>,
}

/// A rule that gave a service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ruled {
    /// Its number; none of a rule that is counted with every packet.
    by: Option<RuleNumber>,
    /// The real that it gave too.
    pub(crate) real: Option<RealNumber>,
}

/// Why no service was chosen, and the rule that dropped the packet.
pub(crate) type Unchosen = (Refusal, Option<RuleNumber>);

impl Choice {
    /// The choice that a packet's flow would have if it is new; an error says whose it is else.
    #[inline]
    pub(crate) fn of(
        table: &TableView<'_>,
        select: &Prf,
        frame: &[u8],
        parsed: &Parsed,
    ) -> Result<Self, Unchosen> {
        let class = table.classify(&parsed.tuple);
        if class == Class::NotVip {
            return Err(((Verdict::Punt(PuntReason::NotVip), None), None));
        }
        let ruled = match rules::ruling(table, frame, parsed) {
            None => None,
            Some(Ruling { action, number, effect, .. }) => {
                let by = if effect.is_any() { None } else { Some(number) };
                match action {
                    RuleAction::Usual => None,
                    RuleAction::Drop => return Err(((rules::DROPPED, None), Some(number))),
                    RuleAction::Service(service) => Some((service, Ruled { by, real: None })),
                    RuleAction::Real(service, real) => Some((service, Ruled { by, real: Some(real) })),
                }
            }
        };
        let at = match (ruled.and_then(|(service, _)| table.slot_of(service)), class) {
            (Some(at), _) | (None, Class::Service(at)) => at,
            (None, _) if parsed.is_portless() => {
                return Err(((Verdict::Drop(DropReason::Protocol), None), None));
            }
            (None, _) => return Err(((Verdict::Drop(DropReason::NoService), None), None)),
        };
        Ok(Self { ruled: ruled.map(|(_, ruled)| ruled), ..Self::in_service(table, select, parsed, at) })
    }

    /// The same for a packet of a flow that is there. In a table with rules it stays with its service as it stays with
    /// its real, as long as there is such a service: the rule that gave it may have gone by what differs between the
    /// flow's packets. What a rule drops is dropped still, what is for no VIP is not ours, and another connection on the
    /// flow's ports is a new flow.
    pub(crate) fn of_flow(
        table: &TableView<'_>,
        select: &Prf,
        (frame, parsed): Seen<'_>,
        flow: Value,
    ) -> Result<Self, Unchosen> {
        let asked = Self::of(table, select, frame, parsed);
        let is_final = match asked {
            Ok(choice) => choice.service == flow.service(),
            Err(((verdict, _), _)) => matches!(verdict, rules::DROPPED | Verdict::Punt(PuntReason::NotVip)),
        };
        if is_final || !table.has_rules() || flow.state().reopens(parsed.flags) {
            return asked;
        }
        table.slot_of(flow.service()).map_or(asked, |at| Ok(Self::in_service(table, select, parsed, at)))
    }

    /// The choice that a service makes, without a rule.
    #[inline]
    fn in_service(table: &TableView<'_>, select: &Prf, parsed: &Parsed, at: ServiceSlot) -> Self {
        let service = table.service(at);
        let hash = if service.is_by_flow() && matches!(parsed.kind, Kind::Esp | Kind::Ah) {
            session_hash(select, &parsed.tuple)
        } else if service.is_by_flow() {
            tuple_hash_with(select, &parsed.tuple, parsed.tail).0
        } else {
            service.keyed_hash(select, &parsed.tuple)
        };
        Self { at, service: service.number(), hash, ruled: None }
    }

    /// The real that a rule gives a new flow: while that takes any.
    #[inline]
    pub(crate) fn given(&self, table: &TableView<'_>) -> Option<RealNumber> {
        let is_up = |real: &RealNumber| table.template(*real).map(Template::state) == Some(RealState::Up);
        self.ruled.and_then(|ruled| ruled.real).filter(is_up)
    }

    /// Fetches what [`Resolver::choose`] will read.
    #[inline]
    pub(crate) fn prefetch(&self, table: &TableView<'_>) {
        table.prefetch_selection(self.at, self.hash);
    }
}

/// Whether a flow that is looked at again keeps its real: that must not be down or gone, and must take new flows if
/// this is another connection on the flow's ports.
pub(crate) fn may_keep(table: &TableView<'_>, value: Value, parsed: &Parsed) -> bool {
    match table.template(value.real()).map(Template::state) {
        Some(RealState::Up) => true,
        Some(RealState::Drain) => !value.state().reopens(parsed.flags),
        Some(RealState::Down | RealState::Failed) | None => false,
    }
}

/// What a packet rule asks for of what may be of a flow but is not met beside those of TCP and UDP. It is refused if that
/// drops it, and if it is of the protocol that stands for clients in the flow table.
pub(crate) fn asked_of_few(table: &TableView<'_>, frame: &[u8], parsed: &Parsed) -> Result<Effect, Unchosen> {
    let FiveTuple { destination, family, protocol, .. } = &parsed.tuple;
    if *protocol == protocol::RESERVED && table.classify_address(destination, *family) {
        return Err(((Verdict::Drop(DropReason::Protocol), None), None));
    }
    match rules::at_once(table, frame, parsed) {
        Some(Ruling { action: RuleAction::Drop, number, .. }) => Err(((rules::DROPPED, None), Some(number))),
        ruling => Ok(ruling.map(|ruling| ruling.effect).unwrap_or_default()),
    }
}

/// The first segment of a packet, and what was read of it.
pub(crate) type Seen<'p> = (&'p [u8], &'p Parsed);

/// Why it goes nowhere, and the service where one is known.
pub(crate) type Refusal = (Verdict, Option<ServiceNumber>);

impl Resolver<'_, '_> {
    /// Where a packet goes; `choice` is its own, if it was made already.
    ///
    /// # Errors
    /// It is for no service, or its service has no real.
    #[inline]
    pub(crate) fn target<P: Packet>(
        &mut self,
        packet: &P,
        parsed: &Parsed,
        (place, hint): (Place, Slot),
        choice: Option<Choice>,
    ) -> Result<Target, Refusal> {
        match self.flows.hit(place, hint, parsed.flags) {
            Some(value) => {
                self.hits += 1;
                Ok(Target::hit((value.service(), value.real()), false))
            }
            None => self.unusual((packet.data(), parsed), place, hint, choice),
        }
    }

    /// The same for packets of protocols without ports, and for errors about a flow: what a router says does not show
    /// that the flow's ends are alive, so its age stays. And for the first fragment of a datagram, and so for the
    /// others: a NIC spreads fragments otherwise than whole packets, and we hand them on by their datagram; `parsed` is
    /// then that of a packet of the flow.
    ///
    /// # Errors
    /// As for [`target`](Self::target), or a rule drops it.
    pub(crate) fn target_of_few<P: Packet>(
        &mut self,
        packet: &P,
        parsed: &Parsed,
    ) -> Result<Target, Refusal> {
        let asked = asked_of_few(self.table, packet.data(), parsed);
        let effect = asked.map_err(|unchosen| self.unchosen(parsed, unchosen))?;
        let place = self.flows.place_with(&parsed.tuple, parsed.tail);
        self.may_be_mates = true;
        let target = self.unusual((packet.data(), parsed), place, Slot::NOWHERE, None);
        self.may_be_mates = false;
        Ok(Target { effect, ..target? })
    }

    /// Not where it was expected: in its other bucket, of an older table, silent for too long, or new.
    #[inline(never)]
    fn unusual(
        &mut self,
        (frame, parsed): Seen<'_>,
        place: Place,
        hint: Slot,
        choice: Option<Choice>,
    ) -> Result<Target, Refusal> {
        match self.flows.probe(place, hint) {
            Probe::Hit(slot, value)
                if value.epoch() == self.flows.epoch() && !value.state().reopens(parsed.flags) =>
            {
                self.hits += 1;
                self.touch(parsed, slot, value, value);
                Ok(Target::hit((value.service(), value.real()), false))
            }
            Probe::Hit(slot, value) => self.confirm((frame, parsed), slot, value),
            Probe::Expired => {
                self.ledger.add(Event::FlowExpire, 1);
                self.miss((frame, parsed), place, choice)
            }
            Probe::Miss => self.miss((frame, parsed), place, choice),
        }
    }

    /// One more packet of a flow. An error is none: anybody may make one up, so it changes nothing.
    fn touch(&mut self, parsed: &Parsed, slot: Slot, old: Value, new: Value) {
        if parsed.kind != Kind::IcmpError {
            let new = new.touched(old.state().next(parsed.flags), self.now.0);
            self.flows.update(slot, old, new);
        }
    }

    /// The first packet of a flow after a table switch, or of another connection on its ports: its service is asked
    /// for again, and it keeps its real if it may. And every packet of a flow of a service with connection ids: what
    /// they name is where the packet goes, and the flow too if nothing but ids gave it its real.
    fn confirm(&mut self, (frame, parsed): Seen<'_>, slot: Slot, value: Value) -> Result<Target, Refusal> {
        let choice = self.choice_of_flow((frame, parsed), value)?;
        let service = choice.service;
        // What goes on as it was is not sent anywhere by a rule.
        if value.state().reopens(parsed.flags) || self.table.service(choice.at).is_quic() {
            self.count_ruled(choice, parsed);
        }
        let may_keep = may_keep(self.table, value, parsed);
        // An error tells less than the flow: it quotes what anybody may have made up.
        let keeps = may_keep && parsed.kind == Kind::IcmpError;
        let named = if keeps { None } else { self.named(frame, parsed, choice) };
        let real = match named {
            Some(real) => real,
            None if may_keep => value.real(),
            None => self.choose(parsed, choice)?,
        };
        self.hits += 1;
        let is_led = value.epoch() == Epoch::LED;
        // Whoever knows an id may send it from any address, so it does not move a flow that goes by more than ids.
        let is_elsewhere = named.is_some_and(|named| named != value.real()) && !is_led;
        if parsed.kind != Kind::IcmpError && !is_elsewhere {
            // Another connection has nothing to lose.
            if !may_keep && !value.state().reopens(parsed.flags) {
                self.ledger.add(Event::FlowMoved, 1);
            }
            let led = named.filter(|_| is_led);
            // Its client is entered by a packet that opens nothing.
            let is_first = parsed.flags.opens();
            let epoch = if is_first {
                self.epoch_of_first(choice, real, led)
            } else {
                self.epoch_of(choice, real, led)
            };
            let confirmed = Value::new(real, service, epoch, value.state(), u64::from(value.tick()));
            self.touch(parsed, slot, value, confirmed);
            // A service that took the flow over has not chosen the real that this keeps.
            let is_its_own = service == value.service() || !may_keep;
            if is_its_own && self.table.service(choice.at).keeps_clients() {
                self.keep_client(parsed, choice, real);
            }
        }
        Ok(Target::hit((service, real), self.table.service(choice.at).asks()))
    }

    fn miss(
        &mut self,
        (frame, parsed): Seen<'_>,
        place: Place,
        choice: Option<Choice>,
    ) -> Result<Target, Refusal> {
        self.misses += 1;
        if self.may_be_mates
            && let Some(value) = self.look_around(&parsed.tuple)
        {
            let choice = self.choice_of_flow((frame, parsed), value)?;
            return self.follow_mate((frame, parsed), place, choice, value);
        }
        let choice = choice.filter(|_| self.are_chosen).map_or_else(|| self.choice(frame, parsed), Ok)?;
        self.count_ruled(choice, parsed);
        let named = self.named(frame, parsed, choice);
        let (real, service) = (named.map_or_else(|| self.choose(parsed, choice), Ok)?, choice.service);
        let used = if parsed.kind == Kind::IcmpError {
            FlowUse::Stateless
        } else if self.gate.admit() {
            self.insert(parsed, place, real, (choice, named))
        } else {
            self.ledger.add(Event::FlowStatelessGate, 1);
            FlowUse::Stateless
        };
        Ok(Target { used, ..Target::hit((service, real), self.table.service(choice.at).asks()) })
    }

    #[inline]
    fn insert(
        &mut self,
        parsed: &Parsed,
        place: Place,
        real: RealNumber,
        (choice, named): (Choice, Option<RealNumber>),
    ) -> FlowUse {
        let state = State::first(parsed.kind, parsed.flags);
        let epoch = self.epoch_of_first(choice, real, named);
        let value = Value::new(real, choice.service, epoch, state, self.now.0);
        let Ok(inserted) = self.flows.insert(place, &parsed.tuple, value) else {
            self.ledger.add(Event::FlowStatelessFull, 1);
            return FlowUse::Stateless;
        };
        self.inserted(inserted);
        if named.is_some() { FlowUse::Led } else { FlowUse::New }
    }

    /// What a new flow's decision stands beside: where its second packet enters its client, that is to be asked.
    #[inline]
    fn epoch_of_first(&self, choice: Choice, real: RealNumber, led: Option<RealNumber>) -> Epoch {
        let keeps_clients = self.table.service(choice.at).keeps_clients();
        if keeps_clients { Epoch::STALE } else { self.epoch_of(choice, real, led) }
    }

    /// What a decision stands beside: where connection ids lead, each packet is to be asked; `led` is the real that
    /// nothing but ids gave the flow. And so is each where a service asks for more than a real, and the real's template
    /// does not know of it.
    #[inline]
    pub(crate) fn epoch_of(&self, choice: Choice, real: RealNumber, led: Option<RealNumber>) -> Epoch {
        let service = self.table.service(choice.at);
        let is_told = || self.table.template(real).is_some_and(Template::asks);
        match led {
            Some(_) => Epoch::LED,
            None if service.is_quic() || service.asks() && !is_told() => Epoch::STALE,
            None => self.flows.epoch(),
        }
    }

    /// The real that a connection id names, if the service has any.
    #[inline]
    pub(crate) fn named(&mut self, frame: &[u8], parsed: &Parsed, choice: Choice) -> Option<RealNumber> {
        let service = self.table.service(choice.at);
        // A rule may send others than UDP to the service.
        let may_be_quic = service.is_quic() && matches!(parsed.kind, Kind::Udp | Kind::IcmpError);
        if may_be_quic { self.named_by_id(service, frame, parsed) } else { None }
    }

    #[inline(never)]
    fn named_by_id(&mut self, service: &ServiceEntry, frame: &[u8], parsed: &Parsed) -> Option<RealNumber> {
        let named = self.quic.named(self.table, service, frame, parsed).ok();
        if parsed.kind != Kind::IcmpError {
            self.ledger.add(if named.is_some() { Event::QuicRouted } else { Event::QuicUnroutable }, 1);
        }
        named
    }

    #[inline]
    fn choice(&mut self, frame: &[u8], parsed: &Parsed) -> Result<Choice, Refusal> {
        let choice = Choice::of(self.table, self.select, frame, parsed);
        choice.map_err(|unchosen| self.unchosen(parsed, unchosen))
    }

    /// Counts the rule that dropped a packet, if one did.
    #[cold]
    fn unchosen(&mut self, parsed: &Parsed, (refusal, rule): Unchosen) -> Refusal {
        if let Some(rule) = rule {
            self.ledger.rule(rule.index(), u64::from(parsed.ip_len));
        }
        refusal
    }

    fn choice_of_flow(&mut self, seen: Seen<'_>, value: Value) -> Result<Choice, Refusal> {
        let choice = Choice::of_flow(self.table, self.select, seen, value);
        choice.map_err(|unchosen| self.unchosen(seen.1, unchosen))
    }

    #[inline]
    fn count_ruled(&mut self, choice: Choice, parsed: &Parsed) {
        if let Some(Ruled { by, .. }) = choice.ruled.filter(|_| parsed.kind != Kind::IcmpError) {
            self.ledger.add(Event::RuleRouted, 1);
            if let Some(rule) = by {
                self.ledger.rule(rule.index(), u64::from(parsed.ip_len));
            }
        }
    }

    #[inline]
    pub(crate) fn choose(&mut self, parsed: &Parsed, choice: Choice) -> Result<RealNumber, Refusal> {
        let given = if choice.ruled.is_some() { choice.given(self.table) } else { None };
        let keeps_clients = self.table.service(choice.at).keeps_clients();
        let of_client =
            if given.is_none() && keeps_clients { self.real_of_client(parsed, choice) } else { None };
        let real = given.or(of_client).or_else(|| self.table.select(choice.at, choice.hash));
        real.ok_or((Verdict::Drop(DropReason::NoReal), Some(choice.service)))
    }
}
