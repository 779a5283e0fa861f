//! The burst through its stages.

use counters::{DropReason, Event, Ledger, PuntReason};
use flow::{FlowReader, FlowTable, Gate, Place, TableError};
use mem::Prf;
use port::{BURST_MAX, Burst, Packet, Tick};
use service::{Class, RealNumber, ServiceNumber, ServiceSlot, TableView};
use wire::{Kind, Parsed};

use crate::decision::{Decision, FlowUse, Observer, Verdict, unparsed};
use crate::echo;
use crate::encap::{Identifications, encap};
use crate::resolve::Resolver;

/// How many packets ahead of the one being parsed are fetched.
const PREFETCH_AHEAD: usize = 4;

/// Buckets that the sweep may look at for each burst: at 10 million flows and a million bursts a second
/// the share of one tick is a thirtieth of what this allows.
const SWEEP_BUCKETS_PER_BURST: u64 = 8;

/// Why an engine could not be made.
#[derive(Debug)]
pub enum EngineError {
    /// Its flow table.
    Flows(TableError),
}

impl std::fmt::Display for EngineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flows(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EngineError {}

/// What the stages know of one packet of the burst.
#[derive(Clone, Copy, Debug)]
struct Lane {
    parsed: Parsed,
    place: Place,
    step: Step,
}

/// What is to be done with it next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Find its real.
    Resolve(ServiceSlot),
    /// Send it there.
    Forward(ServiceSlot, RealNumber, FlowUse),
    /// Answer it.
    Answer,
    /// Nothing: it leaves. The service is named where it is known.
    Exit(Verdict, Option<ServiceSlot>),
}

impl Step {
    const fn exit(verdict: Verdict) -> Self {
        Self::Exit(verdict, None)
    }
}

/// One worker's engine: its flows, its counters, its keys.
#[derive(Debug)]
pub struct Engine {
    flows: FlowTable,
    gate: Gate,
    ledger: Ledger,
    select: Prf,
    select_seed: [u8; 16],
    identifications: Identifications,
    lanes: Box<[Option<Lane>; BURST_MAX]>,
}

impl Engine {
    /// The engine of worker `worker` of `workers`, with room for `flows` flows placed by `table_key`.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn new(worker: u16, workers: u16, flows: usize, table_key: [u8; 16]) -> Result<Self, EngineError> {
        let flows = FlowTable::new(flows, table_key).map_err(EngineError::Flows)?;
        Ok(Self::with_flows(worker, workers, flows))
    }

    /// The same with a flow table made elsewhere.
    #[must_use]
    pub fn with_flows(worker: u16, workers: u16, flows: FlowTable) -> Self {
        Self {
            flows,
            gate: Gate::new(None),
            ledger: Ledger::new(0, 0),
            select: Prf::new([0; 16]),
            select_seed: [0; 16],
            identifications: Identifications::new(worker, workers.max(1)),
            lanes: Box::new([None; BURST_MAX]),
        }
    }

    /// Takes what a new table generation says beside the packets: call it once, between two bursts,
    /// before the first packet meets the new table. Allocates only if there are more numbers than ever.
    pub fn adopt(&mut self, table: &TableView<'_>) {
        if table.select_seed() != self.select_seed {
            self.select_seed = table.select_seed();
            self.select = Prf::new(self.select_seed);
        }
        if table.new_flows_rate_max() != self.gate.rate_max() {
            self.gate = Gate::new(table.new_flows_rate_max());
        }
        self.ledger.merge(&Ledger::new(table.services_len(), table.reals_len()));
        self.ledger.add(Event::TableSwitch, 1);
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

    /// Time goes on, with or without packets; `sweep_buckets_max` bounds the sweep's work now.
    pub fn advance(&mut self, table: &TableView<'_>, now: Tick, sweep_buckets_max: u64) {
        let timeouts = table.timeouts();
        let passed = now.0.saturating_sub(self.flows.now());
        if passed > 0 {
            self.gate.refill(passed);
            let expired = self.flows.advance(now.0, &timeouts);
            self.ledger.add(Event::FlowExpire, expired);
        }
        let expired = self.flows.sweep(sweep_buckets_max, &timeouts);
        self.ledger.add(Event::FlowExpire, expired);
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
    ) {
        if burst.is_empty() {
            return;
        }
        self.advance(table, now, SWEEP_BUCKETS_PER_BURST);
        self.classify(table, burst);
        for lane in self.lanes.iter().take(burst.len()).flatten() {
            if matches!(lane.step, Step::Resolve(_)) {
                self.flows.prefetch_rest(lane.place);
            }
        }
        self.resolve(table, burst.len(), now);
        self.finish(table, burst, gone, observer);
    }

    /// Parse, classify, and fetch the flow's bucket.
    #[inline]
    fn classify<P: Packet>(&mut self, table: &TableView<'_>, burst: &Burst<P>) {
        let packets = burst.as_slice();
        let mut bytes = 0;
        for ((at, packet), lane) in packets.iter().enumerate().zip(self.lanes.iter_mut()) {
            if let Some(ahead) = packets.get(at + PREFETCH_AHEAD) {
                mem::prefetch(ahead.data());
            }
            let len = packet.total_len();
            bytes += len as u64;
            *lane = match wire::parse(packet.data(), len) {
                Ok(parsed) => Some(Self::sort(table, &self.flows, parsed)),
                Err(reason) => Some(Lane::gone(unparsed(reason))),
            };
        }
        self.ledger.add(Event::Rx, packets.len() as u64);
        self.ledger.add(Event::RxBytes, bytes);
    }

    /// Whose packet is it, and what has to be done with it?
    #[inline]
    fn sort(table: &TableView<'_>, flows: &FlowTable, parsed: Parsed) -> Lane {
        let mut place = Place::default();
        let step = match parsed.kind {
            Kind::Tcp | Kind::Udp | Kind::IcmpError => match table.classify(&parsed.tuple) {
                Class::Service(service) => {
                    place = flows.place(&parsed.tuple);
                    flows.prefetch(place);
                    Step::Resolve(service)
                }
                Class::VipOnly => Step::exit(Verdict::Drop(DropReason::NoService)),
                Class::NotVip => Step::exit(Verdict::Punt(PuntReason::NotVip)),
            },
            other => Self::sort_rest(table, &parsed, other),
        };
        Lane { parsed, place, step }
    }

    #[inline(never)]
    fn sort_rest(table: &TableView<'_>, parsed: &Parsed, kind: Kind) -> Step {
        if !table.classify_address(&parsed.tuple.destination, parsed.tuple.family) {
            return Step::exit(Verdict::Punt(PuntReason::NotVip));
        }
        Step::exit(match kind {
            Kind::EchoRequest => return Step::Answer,
            Kind::NeighbourDiscovery => Verdict::Punt(PuntReason::NeighbourDiscovery),
            Kind::IcmpBadQuote => Verdict::Drop(DropReason::IcmpQuote),
            Kind::IcmpOther => Verdict::Drop(DropReason::IcmpType),
            Kind::Fragment => Verdict::Drop(DropReason::Fragment),
            Kind::Tcp | Kind::Udp | Kind::IcmpError | Kind::OtherProtocol => {
                Verdict::Drop(DropReason::Protocol)
            }
        })
    }

    /// Look up or select, in order: what one packet inserts, the next one finds.
    #[inline]
    fn resolve(&mut self, table: &TableView<'_>, len: usize, now: Tick) {
        let mut resolver = Resolver {
            flows: &mut self.flows,
            gate: &mut self.gate,
            ledger: &mut self.ledger,
            select: &self.select,
            table: *table,
            timeouts: table.timeouts(),
            now,
            hits: 0,
        };
        for lane in self.lanes.iter_mut().take(len).flatten() {
            if let Step::Resolve(service) = lane.step {
                lane.step = match resolver.real(&lane.parsed, lane.place, service) {
                    Ok((real, used)) => Step::Forward(service, real, used),
                    Err(reason) => Step::Exit(Verdict::Drop(reason), Some(service)),
                };
            }
        }
        let hits = resolver.hits;
        self.ledger.add(Event::FlowHit, hits);
    }

    /// Encapsulate, count, and part those that go on from those that do not.
    #[inline]
    fn finish<P: Packet>(
        &mut self,
        table: &TableView<'_>,
        burst: &mut Burst<P>,
        gone: &mut Burst<P>,
        observer: &mut impl Observer<P>,
    ) {
        let mut exits = 0_u64;
        for ((packet, lane), at) in burst.as_mut_slice().iter_mut().zip(self.lanes.iter()).zip(0_u32..) {
            let Some(lane) = lane else { continue };
            let decision = Self::leave(table, &mut self.ledger, &mut self.identifications, packet, lane);
            exits |= u64::from(decision.verdict != Verdict::Tx) << at;
            observer.decided(packet, &decision);
        }
        if exits != 0 {
            part(burst, gone, exits);
        }
    }

    #[inline]
    fn leave<P: Packet>(
        table: &TableView<'_>,
        ledger: &mut Ledger,
        identifications: &mut Identifications,
        packet: &mut P,
        lane: &Lane,
    ) -> Decision {
        let mut decision =
            Decision { verdict: Verdict::Tx, service: None, real: None, flow: None, answered: false };
        let outcome = match lane.step {
            Step::Forward(service, real, used) => {
                let service = table.service(service).number();
                (decision.service, decision.real, decision.flow) = (Some(service), Some(real), Some(used));
                forward(table, ledger, identifications, packet, &lane.parsed, (service, real))
            }
            Step::Answer => {
                decision.answered = true;
                echo::answer(packet, &lane.parsed).map(|()| ledger.add(Event::EchoAnswered, 1))
            }
            Step::Exit(verdict, service) => {
                decision.verdict = verdict;
                decision.service = service.map(|service| table.service(service).number());
                Ok(())
            }
            // Every lane was resolved; were one not, its packet would be dropped and counted, not lost.
            Step::Resolve(_) => Err(DropReason::NoReal),
        };
        if let Err(reason) = outcome {
            decision.verdict = Verdict::Drop(reason);
        }
        match decision.verdict {
            Verdict::Tx => {}
            Verdict::Drop(reason) => ledger.add(reason, 1),
            Verdict::Punt(reason) => ledger.add(reason, 1),
        }
        decision
    }
}

#[inline]
fn forward<P: Packet>(
    table: &TableView<'_>,
    ledger: &mut Ledger,
    identifications: &mut Identifications,
    packet: &mut P,
    parsed: &Parsed,
    (service, real): (ServiceNumber, RealNumber),
) -> Result<(), DropReason> {
    let template = table.template(real).ok_or(DropReason::NoReal)?;
    encap(packet, parsed, template, identifications)?;
    if parsed.kind == Kind::IcmpError {
        ledger.add(Event::IcmpFollowed, 1);
    }
    ledger.account(service.index(), real.index(), u64::from(parsed.ip_len));
    Ok(())
}

/// Moves the packets whose bit is set to `gone`; both keep their order.
#[cold]
#[inline(never)]
fn part<P>(burst: &mut Burst<P>, gone: &mut Burst<P>, exits: u64) {
    burst.move_marked(exits, gone);
}

impl Lane {
    #[inline]
    fn gone(verdict: Verdict) -> Self {
        Self { parsed: Parsed::default(), place: Place::default(), step: Step::exit(verdict) }
    }
}
