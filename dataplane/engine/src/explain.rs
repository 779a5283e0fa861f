//! One packet walked through every decision, for people.
//!
//! The walk asks the same leaves as the burst does (parser, screen, classification, selection, templates,
//! encapsulation) in the same order, tells each answer as a [`Step`], and changes nothing but the packet it was
//! given. Its last step is the decision that [`Engine::process`] would take with the same packet now; a test
//! holds the two together over all golden cases and damaged packets.

use counters::{DropReason, PuntReason};
use flow::{Epoch, FlowRecord, Gate, Value};
use mem::Prf;
use port::{Packet, Tick};
use service::{Effect, RealNumber, ReturnPath, RuleAction, ServiceNumber, TableView, Template};
use wire::mpls::Entry;
use wire::{Family, FiveTuple, Kind, Parsed, Unparsed};

use crate::aside::Aside;
use crate::attributes::{self, Done};
use crate::burst::Engine;
use crate::client::may_stay;
use crate::decision::{Answer, Decision, FlowUse, Verdict, unparsed};
use crate::encap::{Identifications, encap};
use crate::fragments::{self, Course, Fragment, Fragments};
use crate::from_inside::Inside;
use crate::labels;
use crate::mates;
use crate::meter::{Colour, Meters};
use crate::mss;
use crate::open;
use crate::portless::{answer_no_ip, answer_portless};
use crate::quic::Ciphers;
use crate::refused;
use crate::resolve::{Choice, Refusal, Target, asked_of_few, may_keep};
use crate::rules;
use crate::step::{Following, Known, Step};
use crate::tail;
use crate::too_big::{self, Told};

impl Engine {
    /// Walks `packet`, which comes at `now`, through every decision and tells them. Afterwards the packet is as it
    /// would leave; nothing else has changed. Whether a new flow would find room in the table is not tried.
    pub fn explain<P: Packet>(
        &self,
        table: &TableView<'_>,
        packet: &mut P,
        now: Tick,
        tell: impl FnMut(Step),
    ) -> Decision {
        let mut gate = self.gate;
        gate.refill(now.0.saturating_sub(self.flows.now()));
        let mut answers = self.asides.answers;
        answers.refill(now.0.saturating_sub(self.flows.now()));
        let (reader, epoch) = (self.flows.reader(), self.flows.epoch());
        let known = |tuple: &FiveTuple, is_stray: bool| {
            let own = Known::of(reader.find(tuple), now, table.timeouts(), epoch);
            let is_found = !matches!(own, Known::Nothing | Known::Silent(_));
            let mates = if is_stray && !is_found { self.mates.as_slice() } else { &[] };
            let found = mates::find(mates, (self.flows.hash(tuple), tuple), (table.timeouts(), now));
            found.map_or(own, Known::Earlier)
        };
        let select = &self.select;
        let (mac, identifications) = (self.mac(table), self.identifications);
        let can_hold = self.asides.room > 0;
        let (quic, fragments, meters) = (&self.quic, &self.fragments, Some((&self.meters, now)));
        let label = None;
        let hash = |name: &FiveTuple| self.flows.hash(name);
        let mut walk = Walk {
            table,
            select,
            quic,
            meters,
            label,
            gate,
            answers,
            can_hold,
            ttl: None,
            effect: Effect::NONE,
            mac,
            identifications,
            fragments,
            now,
            hash,
            known,
            tell,
        };
        let decision = walk.packet(packet);
        (walk.tell)(Step::Leaves(decision));
        decision
    }
}

/// The same for whoever has a table and no engine, such as the control side of a running box: `found` is what the
/// workers' flow tables hold of a flow. Which table a flow was last met under is not known there, so each counts as met
/// under an earlier one, which comes to the same; gates count as open and limits as full, and answers come from the
/// table's address. Nothing is known of the datagrams whose fragments come.
pub fn explain<P: Packet>(
    table: &TableView<'_>,
    found: impl Fn(&FiveTuple) -> Option<FlowRecord>,
    packet: &mut P,
    now: Tick,
    tell: impl FnMut(Step),
) -> Decision {
    let select = Prf::new(table.select_seed());
    let open = Gate::new(None);
    let mut walk = Walk {
        table,
        select: &select,
        quic: &Ciphers::of(table),
        meters: None,
        label: None,
        gate: open,
        answers: open,
        can_hold: true,
        ttl: None,
        effect: Effect::NONE,
        mac: table.mac(),
        identifications: Identifications::new(0, 1),
        fragments: &Fragments::new(),
        now,
        hash: |_: &FiveTuple| (1, 1),
        known: |tuple: &FiveTuple, _| Known::of(found(tuple), now, table.timeouts(), Epoch::STALE),
        tell,
    };
    let decision = walk.packet(packet);
    (walk.tell)(Step::Leaves(decision));
    decision
}

/// What a walk goes by.
struct Walk<'w, 't, H, K, T> {
    table: &'w TableView<'t>,
    select: &'w Prf,
    quic: &'w Ciphers,
    /// Where they can be seen, and when.
    meters: Option<(&'w Meters, Tick)>,
    /// The outermost label that was taken off.
    label: Option<Entry>,
    gate: Gate,
    answers: Gate,
    /// Whether one more packet may be held.
    can_hold: bool,
    /// The TTL of the tunnels that it came in.
    ttl: Option<u8>,
    /// What a rule asks for beside a real; none before the rules of packets were asked.
    effect: Effect,
    mac: [u8; 6],
    identifications: Identifications,
    fragments: &'w Fragments,
    now: Tick,
    hash: H,
    /// What is known of a flow; of a stray's, by other workers too.
    known: K,
    tell: T,
}

impl<H, K, T> Walk<'_, '_, H, K, T>
where
    H: Fn(&FiveTuple) -> (u64, u64),
    K: Fn(&FiveTuple, bool) -> Known,
    T: FnMut(Step),
{
    fn packet<P: Packet>(&mut self, packet: &mut P) -> Decision {
        if let Err(reason) = self.open(packet) {
            (self.tell)(Step::Refused(reason));
            return Decision::left(Verdict::Drop(reason), None);
        }
        let mut parsed = Parsed::EMPTY;
        if let Err(reason) = wire::parse(packet.data(), packet.total_len(), &mut parsed) {
            (self.tell)(Step::Unparsed(reason));
            return match reason {
                Unparsed::NotIp => {
                    let answer = answer_no_ip(self.table, self.mac, packet);
                    self.answered(packet, answer)
                }
                reason => Decision::left(unparsed(reason), None),
            };
        }
        (self.tell)(Step::Parsed(parsed));
        if self.table.clamps_mss() {
            let known = |tuple: &FiveTuple| (self.known)(tuple, true).alive();
            if mss::clamp(self.table, self.select, packet, &parsed, known) {
                (self.tell)(Step::Clamped);
            }
        }
        let (destination, family) = (&parsed.tuple.destination, parsed.tuple.family);
        let may_be_vip = self.table.may_be_vip(destination, family);
        (self.tell)(Step::Screened(may_be_vip));
        if let Some(decision) = self.inside(packet, &parsed) {
            return decision;
        }
        if !may_be_vip && !parsed.kind.may_ask() {
            return self.left((Verdict::Punt(PuntReason::NotVip), None), &parsed);
        }
        if parsed.is_piece() {
            return self.piece(packet, &parsed);
        }
        if !parsed.has_flow() {
            return self.portless(packet, &parsed);
        }
        match self.resolve(packet.data(), &parsed, parsed.kind == Kind::IcmpError) {
            Ok((real, service, used)) => self.send(packet, &parsed, (real, service, used)),
            Err(refusal) => self.left(refusal, &parsed),
        }
    }

    /// Takes off what is to be off before a packet is read.
    fn open<P: Packet>(&mut self, packet: &mut P) -> Result<(), DropReason> {
        if self.table.takes_labels()
            && let Some((top, bytes)) = labels::pop(self.table, packet)?
        {
            self.label = Some(top);
            (self.tell)(Step::Popped(top, bytes));
        }
        if self.table.has_ends() {
            self.ttl = open::open(&self.table.ends(), packet, |shell| (self.tell)(Step::Opened(*shell)))?;
        }
        Ok(())
    }

    /// A fragment.
    fn piece<P: Packet>(&mut self, packet: &mut P, parsed: &Parsed) -> Decision {
        let (destination, family) = (&parsed.tuple.destination, parsed.tuple.family);
        (self.tell)(Step::Address(self.table.classify_address(destination, family)));
        if let Some(ruling) = rules::dropped_portless(self.table, packet.data(), parsed) {
            (self.tell)(Step::Rule(ruling));
            return self.left((rules::DROPPED, None), parsed);
        }
        if let Err(verdict) = fragments::is_carried(self.table, self.select, (packet.data(), parsed)) {
            return self.left((verdict, None), parsed);
        }
        let Some(fragment) = Fragment::of(&self.hash, packet.data(), parsed) else {
            return Decision::left(Verdict::Drop(DropReason::Malformed), None);
        };
        let (following, verdict) = match self.fragments.mate(fragment.key) {
            Some(mate) => (Following::Mate(mate), Verdict::Handed),
            None => match self.fragments.judge(&fragment, self.now.0).course {
                Course::Ask => return self.first(packet, parsed),
                Course::Send(target) => return self.follow(packet, parsed, target),
                Course::Wait => (Following::Waits, Verdict::Held),
                Course::Drop(reason) | Course::Refuse(reason) => {
                    (Following::Refused(reason), Verdict::Drop(reason))
                }
            },
        };
        (self.tell)(Step::Fragment(following));
        Decision::left(verdict, None)
    }

    fn first<P: Packet>(&mut self, packet: &mut P, parsed: &Parsed) -> Decision {
        (self.tell)(Step::Fragment(Following::First));
        match self.resolve(packet.data(), &fragments::whole(parsed), true) {
            Ok((real, service, used)) => self.send(packet, &fragments::bare(parsed), (real, service, used)),
            Err(refusal) => self.left(fragments::portless(refusal, parsed), parsed),
        }
    }

    fn follow<P: Packet>(&mut self, packet: &mut P, parsed: &Parsed, target: Target) -> Decision {
        let Target { real, service, used, effect, .. } = target;
        self.effect = effect;
        (self.tell)(Step::Fragment(Following::Follows(real)));
        if !fragments::is_there(self.table, target) {
            return Decision::left(Verdict::Drop(DropReason::NoReal), Some(service));
        }
        self.send(packet, &fragments::bare(parsed), (real, service, used))
    }

    /// An error from inside of a tunnel, if it is one that a client is to be told.
    fn inside<P: Packet>(&mut self, packet: &mut P, parsed: &Parsed) -> Option<Decision> {
        let inside = Inside::of(self.table, packet.data(), parsed)?;
        (self.tell)(Step::Inside(inside));
        let (template, way) = (self.table.template(inside.real)?, self.table.return_path());
        let known = |tuple: &FiveTuple| (self.known)(tuple, true).alive();
        let service = inside.service(self.table, known)?;
        if !inside.helps() || !self.answers.admit() || !inside.translate(packet, parsed, (template, way)) {
            return None;
        }
        (self.tell)(Step::Ready(packet.total_len()));
        Some(match way {
            ReturnPath::Direct => Decision::answered(Answer::Translated),
            ReturnPath::ViaSlr => Decision::left(Verdict::Punt(PuntReason::Return), Some(service)),
        })
    }

    /// A packet without a flow: it is answered, or it leaves.
    fn portless<P: Packet>(&mut self, packet: &mut P, parsed: &Parsed) -> Decision {
        let (destination, family): (_, Family) = (&parsed.tuple.destination, parsed.tuple.family);
        (self.tell)(Step::Address(self.table.classify_address(destination, family)));
        if let Some(ruling) = rules::dropped_portless(self.table, packet.data(), parsed) {
            (self.tell)(Step::Rule(ruling));
            return self.left((rules::DROPPED, None), parsed);
        }
        match answer_portless(self.table, self.mac, packet, parsed) {
            Err(verdict) => self.left((verdict, None), parsed),
            answer => self.answered(packet, answer),
        }
    }

    /// A packet that goes to no real: what is for no VIP may be a response.
    fn left(&mut self, (mut verdict, mut service): Refusal, parsed: &Parsed) -> Decision {
        if verdict == Verdict::Punt(PuntReason::NotVip) {
            let (reason, of) = refused::not_vip(self.table, parsed);
            if reason == PuntReason::Return {
                (self.tell)(Step::Response(of));
            }
            (verdict, service) = (Verdict::Punt(reason), of);
        }
        Decision::left(verdict, service)
    }

    fn answered<P: Packet>(&mut self, packet: &P, answer: Result<Answer, Verdict>) -> Decision {
        match answer {
            Ok(answer) => {
                (self.tell)(Step::Ready(packet.total_len()));
                Decision::answered(answer)
            }
            Err(verdict) => Decision::left(verdict, None),
        }
    }

    fn resolve(
        &mut self,
        frame: &[u8],
        parsed: &Parsed,
        is_stray: bool,
    ) -> Result<(RealNumber, ServiceNumber, FlowUse), Refusal> {
        if let Some(ruling) = rules::at_once(self.table, frame, parsed) {
            (self.tell)(Step::Rule(ruling));
            if ruling.action == RuleAction::Drop {
                return Err((rules::DROPPED, None));
            }
            self.effect = ruling.effect;
        }
        if !parsed.is_of_flow() {
            asked_of_few(self.table, frame, parsed).map_err(|(refusal, _)| refusal)?;
        }
        let known = (self.known)(&parsed.tuple, is_stray);
        (self.tell)(Step::Flow(known));
        match known {
            Known::Current(value) if !value.state().reopens(parsed.flags) => {
                (self.tell)(Step::Kept(value.real()));
                Ok((value.real(), value.service(), FlowUse::Hit))
            }
            Known::Current(value) | Known::Earlier(value) => {
                let choice = self.choice(frame, parsed, Some(value))?;
                let real = value.real();
                let keeps = may_keep(self.table, value, parsed);
                let names = if keeps && parsed.kind == Kind::IcmpError {
                    None
                } else {
                    self.named(frame, parsed, choice)
                };
                if let Some(named) = names {
                    return Ok((named, choice.service, FlowUse::Hit));
                }
                if keeps {
                    (self.tell)(Step::Kept(real));
                    return Ok((real, choice.service, FlowUse::Hit));
                }
                (self.tell)(Step::Lost(real));
                Ok((self.choose(parsed, choice)?, choice.service, FlowUse::Hit))
            }
            Known::Nothing | Known::Silent(_) => {
                let choice = self.choice(frame, parsed, None)?;
                let named = self.named(frame, parsed, choice);
                let real = named.map_or_else(|| self.choose(parsed, choice), Ok)?;
                let is_entered = parsed.kind != Kind::IcmpError && self.gate.admit();
                let entered = if named.is_some() { FlowUse::Led } else { FlowUse::New };
                Ok((real, choice.service, if is_entered { entered } else { FlowUse::Stateless }))
            }
        }
    }

    /// The choice of a new flow, or of one that is there.
    fn choice(&mut self, frame: &[u8], parsed: &Parsed, flow: Option<Value>) -> Result<Choice, Refusal> {
        let choice = match flow {
            None => Choice::of(self.table, self.select, frame, parsed),
            Some(flow) => Choice::of_flow(self.table, self.select, (frame, parsed), flow),
        };
        let choice = choice.map_err(|(refusal, _)| refusal);
        let is_vip = self.table.classify_address(&parsed.tuple.destination, parsed.tuple.family);
        if let Some(ruling) = rules::ruling(self.table, frame, parsed).filter(|_| is_vip) {
            // Of one with an effect it was told.
            if !ruling.effect.is_any() {
                (self.tell)(Step::Rule(ruling));
            }
            if ruling.action == RuleAction::Drop {
                return choice;
            }
        }
        (self.tell)(match choice {
            Ok(choice) => Step::Service(choice.service),
            Err((verdict, _)) => Step::NoService(matches!(verdict, Verdict::Drop(_))),
        });
        choice
    }

    fn named(&mut self, frame: &[u8], parsed: &Parsed, choice: Choice) -> Option<RealNumber> {
        let service = self.table.service(choice.at);
        if !service.is_quic() || !matches!(parsed.kind, Kind::Udp | Kind::IcmpError) {
            return None;
        }
        let named = self.quic.named(self.table, service, frame, parsed);
        (self.tell)(Step::ConnectionId(named));
        named.ok()
    }

    fn choose(&mut self, parsed: &Parsed, choice: Choice) -> Result<RealNumber, Refusal> {
        if let Some(real) = choice.ruled.and_then(|ruled| ruled.real) {
            let given = choice.given(self.table);
            (self.tell)(Step::Given(real, given.is_some()));
            if let Some(real) = given {
                return Ok(real);
            }
        }
        if let Some(client) = self.table.service(choice.at).client(&parsed.tuple) {
            let real = (self.known)(&client, true)
                .alive()
                .map(Value::real)
                .filter(|real| may_stay(self.table, *real));
            (self.tell)(Step::Client(client, real));
            if let Some(real) = real {
                return Ok(real);
            }
        }
        let real = self.table.select(choice.at, choice.hash);
        (self.tell)(Step::Chosen { hash: choice.hash, real });
        real.ok_or((Verdict::Drop(DropReason::NoReal), Some(choice.service)))
    }

    fn send_to<P: Packet>(
        &mut self,
        packet: &mut P,
        parsed: &Parsed,
        template: &Template,
        (service, real): (ServiceNumber, RealNumber),
    ) -> Result<(), Aside> {
        let Some(asked) = self.table.asked(service, self.effect) else {
            return match encap(packet, parsed, template, &mut self.identifications) {
                Err(Aside::Tail) => tail::encap(packet, parsed, self.table, real, &mut self.identifications),
                sent => sent,
            };
        };
        let meters = self.meters;
        let look = |place, size| meters.map_or(Colour::Green, |(meters, now)| meters.look(place, size, now));
        let with = (self.label, &mut self.identifications);
        let Done { colour, result } =
            attributes::send(self.table, packet, parsed, (&asked, real), with, look);
        if let Some(colour) = colour {
            (self.tell)(Step::Metered(colour));
        }
        if let Some(mark) = asked.mark {
            (self.tell)(Step::Marked(mark));
        }
        result
    }

    fn send<P: Packet>(
        &mut self,
        packet: &mut P,
        parsed: &Parsed,
        (real, service, used): (RealNumber, ServiceNumber, FlowUse),
    ) -> Decision {
        let left = match self.ttl.map(|ttl| open::budget(self.table, ttl)).transpose() {
            Ok(left) => left,
            Err(reason) => {
                (self.tell)(Step::Refused(reason));
                return Decision::left(Verdict::Drop(reason), Some(service));
            }
        };
        let template = self.table.template(real);
        (self.tell)(Step::Template(template.map(|template| (*template, self.table.tail(real)))));
        let sent = match template {
            Some(template) => self.send_to(packet, parsed, template, (service, real)),
            None => Err(Aside::Drop(DropReason::NoReal)),
        };
        let verdict = match sent {
            Ok(()) | Err(Aside::ByPort) => Verdict::Tx,
            Err(Aside::Wait | Aside::Tail) if self.can_hold => Verdict::Held,
            Err(Aside::Wait | Aside::Tail) => Verdict::Drop(DropReason::NoNextHop),
            Err(Aside::Drop(reason)) => Verdict::Drop(reason),
        };
        if let (Some(left), Verdict::Tx | Verdict::Held) = (left, verdict) {
            open::spend(packet, parsed, template, left);
        }
        (self.tell)(match sent {
            Err(Aside::Drop(reason)) => Step::Refused(reason),
            _ => Step::Ready(packet.total_len()),
        });
        let mut answered = None;
        if let (Err(Aside::Drop(DropReason::TunnelMtu)), Some(template)) = (sent, template)
            && too_big::tell(packet, parsed, template, &mut self.answers) == Told::Answered
        {
            (self.tell)(Step::Ready(packet.total_len()));
            answered = Some(Answer::TooBig);
        }
        Decision { verdict, service: Some(service), real: Some(real), flow: Some(used), answered }
    }
}
