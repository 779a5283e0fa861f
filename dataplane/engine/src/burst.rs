//! The burst through its stages.

use counters::{DropReason, Event, Layout, Ledger, PuntReason};
use flow::{FlowReader, FlowTable, Gate, Peek, Slot};
use mem::Prf;
use port::{BURST_MAX, Burst, Packet, Tick};
use service::{RealNumber, ReturnPath, ServiceNumber, TableView};
use wire::{FiveTuple, Kind, Parsed};

use crate::aside::{Aside, Asides, Held, Sent, part};
use crate::attributes::{send_asking, send_other};
use crate::decision::{Decision, Observer, Verdict, unparsed};
use crate::encap::{Identifications, encap_usual, is_usual};
use crate::fragments::{self, Fragments};
use crate::kernel::KernelRoom;
use crate::lane::{Lane, Step};
use crate::marks::among;
use crate::mates::LOOKS_PER_SECOND_MAX;
use crate::meter::Meters;
use crate::open::{self, Came};
use crate::portless::{answer_no_ip, answer_portless};
use crate::quic::Ciphers;
use crate::refused::refused;
use crate::resolve::{Choice, Refusal, Resolver, Target};
use crate::rules;

/// How many packets ahead of the one being parsed are fetched.
const PREFETCH_AHEAD: usize = 4;

/// What becomes of a packet for which the kernel has no room.
const FULL: Refusal = (Verdict::Drop(DropReason::PuntFull), None);

/// One worker's engine: its flows, its counters, its keys.
#[derive(Debug)]
pub struct Engine {
    pub(crate) flows: FlowTable,
    pub(crate) gate: Gate,
    pub(crate) ledger: Ledger,
    pub(crate) select: Prf,
    select_seed: [u8; 16],
    pub(crate) quic: Ciphers,
    pub(crate) meters: Meters,
    pub(crate) identifications: Identifications,
    /// Our MAC address on each port; where there is none, the table's.
    macs: Vec<[u8; 6]>,
    /// What the kernel has room for.
    pub(crate) kernel: KernelRoom,
    pub(crate) asides: Asides,
    pub(crate) fragments: Fragments,
    /// The other workers' flows, and what lets looks at them through.
    pub(crate) mates: Vec<FlowReader>,
    pub(crate) looks: Gate,
    pub(crate) lanes: Box<[Lane; BURST_MAX]>,
    /// Most packets of the last burst had no flow yet, so those of the next will have none either: what an
    /// insertion reads is fetched at once. It changes when memory is read, and nothing else.
    pub(crate) expects_new: bool,
}

impl Engine {
    /// The engine of worker `worker` of `workers`, with its flow table and counters for the numbers of
    /// `layout`.
    #[must_use]
    pub fn new(worker: u16, workers: u16, flows: FlowTable, layout: Layout) -> Self {
        Self {
            flows,
            gate: Gate::new(None),
            ledger: Ledger::new(layout),
            select: Prf::new([0; 16]),
            select_seed: [0; 16],
            quic: Ciphers::none(),
            meters: Meters::none(workers),
            identifications: Identifications::new(worker, workers.max(1)),
            macs: Vec::new(),
            kernel: KernelRoom::NONE,
            asides: Asides::default(),
            fragments: Fragments::new(),
            mates: Vec::new(),
            looks: Gate::new(Some(LOOKS_PER_SECOND_MAX)),
            lanes: Box::new([Lane::EMPTY; BURST_MAX]),
            expects_new: false,
        }
    }

    /// What this worker's ports answer by, each in its place: their MAC addresses. Without, answers come from
    /// the table's.
    pub fn answer_by(&mut self, macs: Vec<[u8; 6]>) {
        self.macs = macs;
    }

    /// Our MAC address on the port that the last burst came by.
    #[inline]
    pub(crate) fn mac(&self, table: &TableView<'_>) -> [u8; 6] {
        self.macs.get(usize::from(self.asides.ingress)).copied().unwrap_or_else(|| table.mac())
    }

    /// The bursts that follow came by the port in that place; `are_handed`: to another worker, which handed them over.
    #[inline]
    pub const fn arrive_by(&mut self, port: u8, are_handed: bool) {
        self.asides.ingress = port;
        self.fragments.are_handed = are_handed;
    }

    /// The packets that are taken next were taken out of tunnels and from behind labels before they were handed over or
    /// held: this was around them.
    pub fn came_with(&mut self, came: impl Iterator<Item = Came>) {
        self.asides.opened.were(came);
    }

    /// So many more packets may be held for a next hop; at first none, and those are dropped.
    pub const fn may_hold(&mut self, packets: usize) {
        self.asides.room = packets;
    }

    /// Of those packets that [`Sent::away`] marks, taken out of the burst: by which port the first leaves, and which
    /// do the same (bit 0 is the first). To be asked until there are none left, each time without those before.
    pub fn next_away(&mut self) -> Option<(u8, u64)> {
        self.asides.next_away()
    }

    /// What is known of those packets that [`Sent::held`] marks, in their order.
    #[must_use]
    pub fn held(&self) -> &[Held] {
        &self.asides.held
    }

    /// Takes what a new table generation says beside the packets: call it once, between two bursts,
    /// before the first packet meets the new table.
    pub fn adopt(&mut self, table: &TableView<'_>) {
        if table.select_seed() != self.select_seed {
            self.select_seed = table.select_seed();
            self.select = Prf::new(self.select_seed);
        }
        if table.new_flows_rate_max() != self.gate.rate_max() {
            self.gate = Gate::new(table.new_flows_rate_max());
        }
        self.quic.take(table);
        self.meters.take(table, Tick(self.flows.now()));
        self.asides.effects.clear();
        self.fragments.forget_effects();
        self.flows.begin_epoch(table.timeouts(), table.keeps_clients());
    }

    /// The kernel takes so many packets of the next burst; without this call it takes none and none is dropped for it.
    #[inline]
    pub const fn kernel_has(&mut self, room: KernelRoom) {
        self.kernel = room;
    }

    /// What this worker has counted.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// To count what happens outside the engine (refused transmissions).
    pub const fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// Flows in the table, and room for them.
    #[must_use]
    pub const fn occupancy(&self) -> (usize, usize) {
        (self.flows.len(), self.flows.capacity())
    }

    /// The flow table, to be read from any thread.
    #[must_use]
    pub fn flows(&self) -> FlowReader {
        self.flows.reader()
    }

    /// Time goes on, with or without packets.
    pub fn advance(&mut self, now: Tick) {
        let passed = now.0.saturating_sub(self.flows.now());
        if passed > 0 {
            self.gate.refill(passed);
            self.asides.answers.refill(passed);
            self.looks.refill(passed);
            self.fragments.advance(now.0);
            let expired = self.flows.advance(now.0);
            self.ledger.add(Event::FlowExpire, expired);
        }
    }

    /// Takes a burst through all stages. Afterwards `burst` holds the packets to transmit and `gone`
    /// those that were dropped or punted, both in the order they came; `gone` has to be empty before.
    #[inline]
    pub fn process<P: Packet>(
        &mut self,
        table: &TableView<'_>,
        burst: &mut Burst<P>,
        now: Tick,
        gone: &mut Burst<P>,
        observer: &mut impl Observer<P>,
    ) -> Sent {
        if burst.is_empty() {
            return Sent::default();
        }
        self.advance(now);
        // What came in tunnels or with labels before, of whichever table, is done with too.
        let may_open = table.opens() || self.asides.opened.are_any();
        if may_open && !self.fragments.are_handed {
            self.asides.opened.open(table, burst.as_mut_slice(), &mut self.ledger);
        }
        if self.parse(table, burst) {
            self.place(table, burst.as_slice());
        }
        if may_open {
            self.part_opened();
        }
        if table.has_packet_rules() {
            self.asides.effects.ask_all(table, burst.as_slice(), &mut *self.lanes, &mut self.ledger);
        }
        if table.clamps_mss() {
            self.clamp_all(table, burst.as_mut_slice(), now);
        }
        self.finish(table, burst, now, gone, observer)
    }

    /// Packets that came in tunnels: those that are refused leave, and the others do not go the usual way.
    #[cold]
    fn part_opened(&mut self) {
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            if let Some(reason) = self.asides.opened.refusal(at) {
                (lane.step, lane.drop) = (Step::Drop, reason);
            } else if self.asides.opened.opened >> at & 1 == 1 && lane.step == Step::Settled {
                lane.step = Step::Resolve;
            }
        }
    }

    /// Parse, and ask whether it can be ours. Gives whether any packet may have a flow.
    #[inline]
    fn parse<P: Packet>(&mut self, table: &TableView<'_>, burst: &Burst<P>) -> bool {
        let packets = burst.as_slice();
        let mut ahead = packets.get(PREFETCH_AHEAD..).unwrap_or_default().iter();
        let (mut bytes, mut of_none) = (0, 0);
        let responses_pass = table.return_path() == ReturnPath::ViaSlr;
        for (packet, lane) in packets.iter().zip(self.lanes.iter_mut()) {
            if let Some(ahead) = ahead.next() {
                ahead.prefetch();
            }
            let len = packet.total_len();
            bytes += len as u64;
            match wire::parse(packet.data(), len, &mut lane.parsed) {
                Err(reason) => lane.leave(unparsed(reason)),
                Ok(()) if !table.may_be_vip(&lane.parsed.tuple.destination, lane.parsed.tuple.family) => {
                    // Who asks for a VIP's link address asks a group (RFC 4291 §2.7.1), and errors may be of our tunnels.
                    let FiveTuple { source, family, .. } = &lane.parsed.tuple;
                    let asks =
                        lane.parsed.kind.may_ask() || responses_pass && table.may_be_vip(source, *family);
                    let step = if asks { Step::Classify } else { Step::Punt };
                    (lane.step, lane.punt, of_none) = (step, PuntReason::NotVip, of_none + 1);
                }
                Ok(()) if lane.parsed.is_of_flow() => lane.step = Step::Resolve,
                // Errors about flows and protocols without ports are few, and go their own way.
                Ok(()) => (lane.step, of_none) = (Step::Classify, of_none + 1),
            }
        }
        let have_flow = of_none < packets.len();
        if self.fragments.are_handed {
            self.ledger.add(Event::HandIn, packets.len() as u64);
            return have_flow;
        }
        self.ledger.add(Event::Rx, packets.len() as u64);
        self.ledger.add(Event::RxBytes, bytes);
        have_flow
    }

    /// Hash every flow and fetch its bucket; for those that will be new, fetch the other bucket and choose a
    /// real's slot meanwhile; then look at the buckets and fetch what they lack. In loops of their own: the
    /// hash is a long chain of short steps, so several packets' chains run side by side, and it reads the
    /// tuple in other pieces than the parser just wrote it in, which would have to wait.
    #[inline]
    fn place<P: Packet>(&mut self, table: &TableView<'_>, packets: &[P]) {
        let len = packets.len();
        for lane in self.lanes.iter_mut().take(len) {
            if lane.step == Step::Resolve {
                lane.place = self.flows.place_with(&lane.parsed.tuple, lane.parsed.tail);
                self.flows.prefetch(lane.place);
            }
        }
        if self.expects_new {
            for (packet, lane) in packets.iter().zip(self.lanes.iter_mut()) {
                if lane.step == Step::Resolve {
                    self.flows.prefetch_second(lane.place);
                    lane.choice = Choice::of(table, &self.select, packet.data(), &lane.parsed).ok();
                    if let Some(choice) = lane.choice {
                        choice.prefetch(table);
                    }
                }
            }
        }
        // What is settled holds until a packet of this burst closes a flow (see `FlowTable::peek`).
        let mut closes = false;
        for lane in self.lanes.iter_mut().take(len) {
            if lane.step == Step::Resolve {
                closes |= lane.parsed.flags.closes();
                match self.flows.peek(lane.place) {
                    Peek::Settled(value, slot) => {
                        (lane.value, lane.hint) = (value, slot);
                        if !closes {
                            lane.step = Step::Settled;
                        }
                    }
                    Peek::Here(slot) => lane.hint = slot,
                    Peek::Elsewhere => lane.hint = Slot::NOWHERE,
                }
            }
        }
    }

    /// Look up or select, encapsulate, count: in order, so that what one packet inserts, the next finds.
    /// Then part those that go on from those that do not.
    #[inline]
    fn finish<P: Packet>(
        &mut self,
        table: &TableView<'_>,
        burst: &mut Burst<P>,
        now: Tick,
        gone: &mut Burst<P>,
        observer: &mut impl Observer<P>,
    ) -> Sent {
        let (mut resolver, identifications, lanes) = self.split(table, now);
        let (mut exits, mut punts, mut bytes) = (0_u64, 0_u64, 0_u64);
        let mut note = |at: u32, packet: &P, parsed: Option<&Parsed>, decision: &Decision| {
            match decision.verdict {
                Verdict::Tx => bytes += packet.total_len() as u64,
                _ if decision.answered.is_some() => bytes += packet.total_len() as u64,
                _ => {
                    let is_punt = matches!(decision.verdict, Verdict::Punt(_));
                    punts |= u64::from(is_punt) << at;
                    exits |= 1 << at;
                }
            }
            observer.decided(packet, parsed, decision);
        };
        for ((packet, lane), at) in burst.as_mut_slice().iter_mut().zip(lanes.iter()).zip(0_u32..) {
            // Noted in each arm, and apart from what went wrong: the usual decisions are constants in registers.
            match lane.step {
                Step::Settled => {
                    resolver.hits += 1;
                    let to = (lane.value.service(), lane.value.real());
                    match send(&mut resolver, identifications, packet, (&lane.parsed, at), to) {
                        Ok(()) => {
                            note(at, packet, Some(&lane.parsed), &Decision::sent(Target::hit(to, false)))
                        }
                        Err(aside) => {
                            let (ids, seen) = (&mut *identifications, (&lane.parsed, at));
                            let decision =
                                part(&mut resolver, ids, packet, seen, Target::hit(to, false), aside);
                            note(at, packet, Some(&lane.parsed), &decision);
                        }
                    }
                }
                Step::Punt if resolver.kernel.takes(lane.punt) => {
                    resolver.ledger.add(lane.punt, 1);
                    let decision = Decision::left(Verdict::Punt(lane.punt), None);
                    note(at, packet, Some(&lane.parsed), &decision);
                }
                Step::Resolve => {
                    let decision = forward(&mut resolver, identifications, packet, (lane, at));
                    note(at, packet, Some(&lane.parsed), &decision);
                }
                Step::Classify | Step::Ruled | Step::NotIp | Step::Drop | Step::Punt => {
                    let decision = leave(&mut resolver, identifications, packet, (lane, at));
                    note(at, packet, lane.parsed(), &decision);
                }
            }
        }
        let Resolver { hits, misses, .. } = resolver;
        observer.burst();
        self.ledger.add(Event::FlowHit, hits);
        self.expects_new = misses > burst.len() as u64 / 2;
        if exits != 0 {
            burst.move_marked(exits, gone);
            punts = among(punts, exits);
        }
        self.asides.settle(exits, Sent { bytes, punts, away: 0, held: 0 })
    }
}

/// Finds a packet's flow, or makes one, and sends it to its real. Not part of the loop: what the usual packet
/// takes stays short, and this way costs less by itself too (measured).
#[inline(never)]
fn forward<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    identifications: &mut Identifications,
    packet: &mut P,
    (lane, at): (&Lane, u32),
) -> Decision {
    let parsed = &lane.parsed;
    let target = match parsed.kind {
        Kind::Tcp | Kind::Udp => {
            let target = resolver.target(packet, parsed, (lane.place, lane.hint), lane.choice);
            target.map(|target| Target { effect: resolver.asides.effects.at(at), ..target })
        }
        _ => resolver.target_of_few(packet, parsed),
    };
    let target = match target {
        Ok(target) => target,
        Err(refusal) => return refused(resolver, refusal, parsed),
    };
    let decision = go_on(resolver, identifications, packet, (parsed, at), target);
    if parsed.kind == Kind::IcmpError && decision.verdict == Verdict::Tx {
        resolver.ledger.add(Event::IcmpFollowed, 1);
    }
    decision
}

/// Sends a packet on that did not go the usual way, with what is left of its budget if it came in a tunnel.
pub(crate) fn go_on<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    identifications: &mut Identifications,
    packet: &mut P,
    (parsed, at): (&Parsed, u32),
    target: Target,
) -> Decision {
    let left = match resolver.asides.opened.ttl(at).map(|ttl| open::budget(resolver.table, ttl)).transpose() {
        Ok(left) => left,
        Err(reason) => return refused(resolver, (Verdict::Drop(reason), Some(target.service)), parsed),
    };
    let to = (target.service, target.real);
    let sent = if target.asks || target.effect.is_any() {
        let sent = send_asking(resolver, identifications, packet, (parsed, at), to, target.effect);
        sent.inspect(|()| account(resolver, parsed, to))
    } else {
        send(resolver, identifications, packet, (parsed, at), to)
    };
    let decision = match sent {
        Ok(()) => Decision::sent(target),
        Err(aside) => part(resolver, identifications, packet, (parsed, at), target, aside),
    };
    if let (Some(left), Verdict::Tx | Verdict::Held) = (left, decision.verdict) {
        open::spend(packet, parsed, resolver.table.template(target.real), left);
    }
    decision
}

/// Sends a packet to its real; or says why it does not simply leave.
#[inline(always)]
fn send<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    identifications: &mut Identifications,
    packet: &mut P,
    (parsed, at): (&Parsed, u32),
    (service, real): (ServiceNumber, RealNumber),
) -> Result<(), Aside> {
    let template = resolver.table.template(real).ok_or(Aside::Drop(DropReason::NoReal))?;
    if is_usual(parsed, template) {
        encap_usual(packet, parsed, template)?;
    } else {
        send_other(resolver, identifications, packet, (parsed, at), template, (service, real))?;
    }
    account(resolver, parsed, (service, real));
    Ok(())
}

#[inline(always)]
fn account(resolver: &mut Resolver<'_, '_>, parsed: &Parsed, (service, real): (ServiceNumber, RealNumber)) {
    resolver.ledger.account(service.index(), real.index(), u64::from(parsed.ip_len));
}

/// A packet of no flow: it is answered, or it leaves. Or it is of a flow that few have, of a protocol without ports,
/// or an error about one, and goes where that goes.
#[inline(never)]
fn leave<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    identifications: &mut Identifications,
    packet: &mut P,
    (lane, at): (&Lane, u32),
) -> Decision {
    let (table, mac) = (resolver.table, resolver.mac);
    if lane.step == Step::Classify
        && let Some(decision) = crate::from_inside::answer(resolver, packet, &lane.parsed)
    {
        return decision;
    }
    let answer = match lane.step {
        Step::Drop => Err(Verdict::Drop(lane.drop)),
        Step::Punt => return refused(resolver, FULL, &lane.parsed),
        Step::Ruled => Err(rules::DROPPED),
        Step::NotIp => answer_no_ip(table, mac, packet),
        _ if lane.parsed.has_flow() && !lane.parsed.is_of_flow() => {
            return forward(resolver, identifications, packet, (lane, at));
        }
        _ if resolver.is_dropped_portless(packet.data(), &lane.parsed) => Err(rules::DROPPED),
        _ if lane.parsed.is_piece() => {
            return fragments::meet(resolver, identifications, packet, (&lane.parsed, at));
        }
        _ => answer_portless(table, mac, packet, &lane.parsed),
    };
    match answer {
        Ok(answer) => {
            resolver.ledger.add(answer.event(), 1);
            Decision::answered(answer)
        }
        Err(verdict) => refused(resolver, (verdict, None), &lane.parsed),
    }
}
