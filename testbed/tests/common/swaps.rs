//! What the swaps of tables under traffic share, whatever the port: a walk of random changes, packets of
//! flows, a worker's life, the control core's, and a witness who knows where every flow has to be.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers fail as their test does, no test needs all, and the numbers are small"
)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use control::{Image, Publisher};
use counters::{Event, Layout, Ledger};
use engine::{Decision, Engine, FlowUse, Observer, Parsed, Verdict};
use flow::FlowTable;
use link::{Command, Report};
use port::{BURST_MAX, Packet, Port};
use service::{
    Blueprint, DontFragment, Encap, Hop, Member, Outer, OuterSource, PoolSpec, RealNumber, RealSpec,
    RealState, ServiceNumber, ServiceSpec, Table, Timeouts,
};
use shm::{ControlSide, Region};
use worker::{Breath, Handover, TableReceiver, TableSender, Worker, tables};

pub(crate) const SWAPS: usize = 1_000;
pub(crate) const REALS: usize = 100;
/// Flows of a worker when traffic begins, and how many more each new table meets.
pub(crate) const FLOWS_FIRST: u64 = 4_000;
const FLOWS_PER_SWAP: u64 = 8;
pub(crate) const FLOWS_MAX: usize = FLOWS_FIRST as usize + FLOWS_PER_SWAP as usize * (SWAPS + 1);
/// Packets that every table forwards on every worker before the next one comes.
const PACKETS_PER_TABLE: u64 = 512;
/// Packets of the last table on every worker, after which the traffic ends.
const PACKETS_LAST: u64 = 100_000;
/// Tables on their way to a worker at a time.
const TABLES_MAX: usize = 4;
const NO_REAL: u8 = u8::MAX;
/// Whoever waits longer for the other side waits for ever: packets are lost, or a thread is gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says that all is over when it goes, so that a test which fails in one thread ends in all.
pub(crate) struct Ending<'o>(pub(crate) &'o AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Numbers that look random and are the same every time (`SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// What one generation says of one real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It takes new flows.
    Takes,
    /// It keeps its flows: it drains, or weighs nothing.
    Keeps,
    /// It is down, or not there at all.
    Gone,
}

pub(crate) type Plan = [Standing; REALS];

#[derive(Clone, Copy)]
struct Member100 {
    is_there: bool,
    state: RealState,
    weight: u32,
}

/// A walk of random changes through configurations of a hundred reals.
pub(crate) fn walk() -> (Vec<Blueprint>, Vec<Plan>) {
    let mut dice = Dice(1);
    let mut members = [Member100 { is_there: true, state: RealState::Up, weight: 100 }; REALS];
    let mut blueprints = vec![blueprint(&members)];
    let mut plans = vec![plan(&members)];
    for _ in 0..SWAPS {
        for _ in 0..1 + dice.below(4) {
            // The first real never changes, so that there is always one to go to.
            let member = &mut members[1 + dice.below(REALS as u64 - 1) as usize];
            match dice.below(8) {
                0 => member.is_there = !member.is_there,
                1 => member.state = RealState::Drain,
                2 => member.state = RealState::Down,
                3 => member.weight = 0,
                4 => member.weight = dice.below(1_000) as u32 + 1,
                _ => *member = Member100 { is_there: true, state: RealState::Up, weight: 100 },
            }
        }
        blueprints.push(blueprint(&members));
        plans.push(plan(&members));
    }
    (blueprints, plans)
}

/// A table whose flows are all of the first real, whose next hop is not written.
pub(crate) fn followed() -> Blueprint {
    let mut blueprint = blueprint(&[Member100 { is_there: true, state: RealState::Up, weight: 100 }; REALS]);
    blueprint.reals.iter_mut().for_each(|real| real.next_hop = None);
    blueprint.pools[0].members.truncate(1);
    blueprint
}

fn plan(members: &[Member100; REALS]) -> Plan {
    members.map(|member| match (member.is_there, member.state) {
        (false, _) | (_, RealState::Down) => Standing::Gone,
        (_, RealState::Up) if member.weight > 0 => Standing::Takes,
        _ => Standing::Keeps,
    })
}

fn blueprint(members: &[Member100; REALS]) -> Blueprint {
    let present = (0_u8..).zip(members).filter(|(_, member)| member.is_there);
    let number = |index: u8| RealNumber::new(u32::from(index)).unwrap();
    Blueprint {
        select_seed: [7; 16],
        outer: Outer {
            mac: [2, 0, 0, 0, 0, 1],
            source_v4: Some(OuterSource { address: [192, 0, 2, 1].into(), prefix_len: 32 }),
            source_v6: None,
            hop_limit: 64,
            passes_max: 4,
            dont_fragment: DontFragment::Inherit,
            mtu: 1500,
        },
        timeouts: Timeouts { syn: 28_800, established: 28_800, closing: 28_800, udp: 28_800 },
        return_path: service::ReturnPath::Direct,
        new_flows_rate_max: None,
        quic: Vec::new(),
        ends: Vec::new(),
        rules: Vec::new(),
        reals: present
            .clone()
            .map(|(index, member)| RealSpec {
                number: number(index),
                address: [10, 0, 0, index + 1].into(),
                next_hop: Some([2, 0, 0, 0, 1, index]),
                port: None,
                encap: Encap::Ipip,
                state: member.state,
            })
            .collect(),
        pools: vec![PoolSpec {
            members: present
                .map(|(index, member)| Member { real: number(index), weight: member.weight })
                .collect(),
            slots: 10_007,
            policy: service::Policy::Maglev,
            panics: false,
        }],
        services: vec![ServiceSpec {
            number: ServiceNumber::new(0).unwrap(),
            vip: [198, 51, 100, 10].into(),
            prefix_len: 32,
            protocol: 6,
            port_first: 80,
            port_last: 80,
            pool: 0,
            quic: [None; 7],
            attributes: service::Attributes::default(),
            key: service::Key::Flow,
            mss: 0,
        }],
    }
}

/// One worker's packets: TCP segments of flows in random order, for ever.
pub(crate) struct Flows {
    dice: Dice,
    frame: Vec<u8>,
}

impl Flows {
    /// The flows of worker `worker`, which no other worker meets.
    pub(crate) fn new(worker: u8) -> Self {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        frame.extend([0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 203, 0, 113, 7 + worker, 198, 51, 100, 10]);
        frame.extend([0, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0]);
        let sum: u32 =
            frame[14..34].chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
        frame[24..26].copy_from_slice(&checksum.to_be_bytes());
        Self { dice: Dice::new(2 + u64::from(worker)), frame }
    }

    /// A packet of one of the first `flows` flows, and which.
    pub(crate) fn next(&mut self, flows: u64) -> (u64, &[u8]) {
        let flow = self.dice.below(flows);
        (flow, self.of(flow))
    }

    /// A packet of that flow.
    pub(crate) fn of(&mut self, flow: u64) -> &[u8] {
        self.frame[34..36].copy_from_slice(&(1024 + flow as u16).to_be_bytes());
        &self.frame
    }
}

/// What a worker's traffic has to be, now that it is so far.
#[derive(Clone, Copy)]
pub(crate) struct Demand {
    pub(crate) flows: u64,
    pub(crate) is_open: bool,
}

/// What one breath decided, kept until it is known under which table.
struct Notes {
    decided: Vec<(u64, u8, Option<FlowUse>, Verdict)>,
}

impl<P: Packet> Observer<P> for Notes {
    fn decided(&mut self, packet: &P, _: Option<&Parsed>, decision: &Decision) {
        let real = decision.real.map_or(NO_REAL, |real| real.index() as u8);
        self.decided.push((packet.cookie(), real, decision.flow, decision.verdict));
    }
}

/// Where every flow is, and what went wrong.
pub(crate) struct Witness {
    plans: Vec<Plan>,
    real_of: Vec<u8>,
    moves: u64,
    faults: Vec<String>,
}

impl Witness {
    pub(crate) fn new(plans: Vec<Plan>) -> Self {
        Self { plans, real_of: vec![NO_REAL; FLOWS_MAX], moves: 0, faults: Vec::with_capacity(20) }
    }

    /// How many tables follow the first.
    const fn swaps(&self) -> usize {
        self.plans.len() - 1
    }

    fn look(&mut self, generation: usize, notes: &mut Notes) {
        for (flow, real, flow_use, verdict) in notes.decided.drain(..) {
            let plan = &self.plans[generation];
            let before = std::mem::replace(&mut self.real_of[flow as usize], real);
            let is_known = before != NO_REAL;
            let fine = verdict == Verdict::Tx
                && flow_use == Some(if is_known { FlowUse::Hit } else { FlowUse::New })
                && match before {
                    known if is_known && plan[usize::from(known)] != Standing::Gone => known == real,
                    _ => plan.get(usize::from(real)) == Some(&Standing::Takes),
                };
            self.moves += u64::from(is_known && before != real);
            if !fine && self.faults.len() < 20 {
                self.faults.push(format!(
                    "table {generation}: flow {flow} went from {before} to {real}: {verdict:?}, {flow_use:?}"
                ));
            }
        }
    }
}

/// What a worker's thread gives back.
pub(crate) struct Outcome<P> {
    pub(crate) port: P,
    pub(crate) ledger: Ledger,
    allocations: u64,
    idle_tables: usize,
    lost: (u64, u64),
    witness: Witness,
}

impl<P> Outcome<P> {
    /// `came` packets were given to the worker, and all of it is accounted for.
    pub(crate) fn require(&self, came: u64) {
        assert_eq!(self.witness.faults, Vec::<String>::new());
        assert_eq!(self.idle_tables, 0, "tables that hardly forwarded a packet");
        assert_eq!(self.lost, (0, 0));
        let ledger = &self.ledger;
        assert_eq!(ledger.balance(), Ok(()));
        assert_eq!((ledger.get(Event::Rx), ledger.get(Event::Tx)), (came, came));
        assert_eq!(ledger.get(Event::TableSwitch), self.witness.swaps() as u64);
        assert_eq!(ledger.get(Event::FlowMoved), self.witness.moves);
        assert!(self.witness.moves > 0, "no real of a flow ever went: the walk shows nothing");
        let flows = self.witness.real_of.iter().filter(|real| **real != NO_REAL).count();
        assert_eq!(ledger.get(Event::FlowInsert), flows as u64, "every flow was put in once");
        assert_eq!(self.allocations, 0, "the worker allocated");
    }
}

/// A worker's life: it breathes until it is told to stop and nothing comes any more, or all is over.
pub(crate) fn live<P: Port>(
    mut worker: Worker<P, Image>,
    mut witness: Witness,
    packets: &AtomicU64,
    is_over: &AtomicBool,
    mut steer: impl FnMut(&mut P, Demand),
) -> Outcome<P> {
    let mut notes = Notes { decided: Vec::with_capacity(BURST_MAX) };
    let swaps = witness.swaps();
    let mut seen = vec![0; swaps + 1];
    let mut forwarded = 0;
    let before = mem::thread_allocations();
    while !is_over.load(Ordering::Acquire) {
        let breath = worker.breathe(&mut notes);
        let generation = worker.ledger().get(Event::TableSwitch) as usize;
        match breath {
            Breath::Packets(count) => {
                witness.look(generation, &mut notes);
                forwarded += count as u64;
                packets.store(forwarded, Ordering::Release);
                seen[generation] += count as u64;
                let flows = FLOWS_FIRST + FLOWS_PER_SWAP * generation as u64;
                steer(worker.port(), Demand { flows, is_open: seen[swaps] < PACKETS_LAST });
            }
            Breath::Idle => {}
            Breath::Stopped => break,
        }
        // There are more threads than cores, and each spins.
        std::thread::yield_now();
    }
    let allocations = mem::thread_allocations() - before;
    let ledger = worker.ledger().clone();
    let lost = worker.lost();
    let idle_tables = seen.iter().filter(|packets| **packets < PACKETS_PER_TABLE / 2).count();
    Outcome { port: worker.into_port(), ledger, allocations, idle_tables, lost, witness }
}

/// Waits until `is_there` gives something; gives nothing once a worker has broken off, or nothing moves.
pub(crate) fn wait<T>(has_ended: &impl Fn() -> bool, mut is_there: impl FnMut() -> Option<T>) -> Option<T> {
    let begin = Instant::now();
    loop {
        let is_hopeless = has_ended() || begin.elapsed() > PATIENCE;
        match is_there() {
            None if !is_hopeless => std::thread::yield_now(),
            answer => return answer,
        }
    }
}

/// The control core's hold on one worker.
pub(crate) struct Rein {
    sender: TableSender<Image>,
    control: ControlSide,
}

/// What one worker begins with: its table, and the ends of what goes between it and the control core.
pub(crate) struct Seat {
    table: Arc<Table<Image>>,
    receiver: TableReceiver<Image>,
    side: shm::WorkerSide,
}

impl Seat {
    /// A worker on that port.
    pub(crate) fn worker<P: Port>(self, port: P, number: u16, workers: u16) -> Worker<P, Image> {
        let flows = FlowTable::new(2 * FLOWS_MAX, [9; 16]).unwrap();
        let engine = Engine::new(number, workers, flows, layout());
        Worker::new(port, engine, Handover::new(self.table, &[]), self.receiver, self.side)
    }
}

fn layout() -> Layout {
    Layout::with_room_for(1, REALS, 0)
}

/// The control core: who publishes, and what it holds of each worker.
pub(crate) struct Core {
    publisher: Publisher,
    reins: Vec<Rein>,
    tables: Vec<Weak<Table<Image>>>,
    _region: Region,
}

impl Core {
    /// A control core whose first table all of `workers` begin with.
    pub(crate) fn new(first: &Blueprint, workers: usize) -> (Self, Vec<Seat>) {
        let region = Region::create(7, workers, 8, layout().words()).unwrap();
        let mut publisher = Publisher::new(7);
        let table = Arc::new(publisher.publish(first).unwrap().table().unwrap());
        let (mut reins, mut seats) = (Vec::new(), Vec::new());
        for worker in 0..workers {
            let (sender, receiver) = tables(TABLES_MAX);
            reins.push(Rein { sender, control: region.control_side(worker).unwrap() });
            let side = region.worker_side(worker).unwrap();
            seats.push(Seat { table: Arc::clone(&table), receiver, side });
        }
        let tables = vec![Arc::downgrade(&table)];
        (Self { publisher, reins, tables, _region: region }, seats)
    }

    /// Each table in turn, acknowledged by every worker. Nothing where a worker broke off or nothing moves.
    pub(crate) fn swap_all(
        &mut self,
        blueprints: &[Blueprint],
        packets: &[AtomicU64],
        has_ended: &impl Fn() -> bool,
    ) -> Option<()> {
        for blueprint in blueprints {
            for packets in packets {
                let at = packets.load(Ordering::Acquire);
                wait(has_ended, || {
                    (packets.load(Ordering::Acquire) >= at + PACKETS_PER_TABLE).then_some(())
                })?;
            }
            let table = Arc::new(self.publisher.publish(blueprint).unwrap().table().unwrap());
            let generation = table.generation();
            self.tables.push(Arc::downgrade(&table));
            for rein in &mut self.reins {
                rein.sender.hand_over(Handover::new(Arc::clone(&table), &[])).unwrap();
                rein.control.commands.try_send(&Command::Switch(generation).to_record()).unwrap();
            }
            drop(table);
            self.await_all(Report::Switched(generation), has_ended)?;
            // The one in use, and the one before it, which is on its way back.
            let alive = self.tables.iter().filter(|table| table.strong_count() > 0).count();
            assert_eq!(alive, 2, "tables that are still there");
            self.tables.retain(|table| table.strong_count() > 0);
        }
        Some(())
    }

    /// Makes the next table, hands it to the first worker with these next hops, and tells it to switch.
    pub(crate) fn begin_switch(&mut self, blueprint: &Blueprint, hops: &[Hop]) -> Report {
        let table = Arc::new(self.publisher.publish(blueprint).unwrap().table().unwrap());
        let generation = table.generation();
        self.tables.push(Arc::downgrade(&table));
        let mut table = Handover::new(table, &[]);
        hops.iter().for_each(|hop| table.put(hop));
        self.reins[0].sender.hand_over(table).unwrap();
        self.tell(Command::Switch(generation));
        Report::Switched(generation)
    }

    /// Tells the first worker something.
    pub(crate) fn tell(&mut self, command: Command) {
        self.reins[0].control.commands.try_send(&command.to_record()).unwrap();
    }

    /// Lets go of what came back; how many tables are still there.
    pub(crate) fn tables_there(&mut self) -> usize {
        self.reins.iter_mut().for_each(|rein| rein.sender.let_go());
        self.tables.iter().filter(|table| table.strong_count() > 0).count()
    }

    /// Waits for what the first worker says next.
    pub(crate) fn hear(&mut self, has_ended: &impl Fn() -> bool) -> Option<Report> {
        let record = wait(has_ended, || self.reins[0].control.reports.try_recv())?;
        Report::from_record(&record).ok()
    }

    /// Tells all to stop, and waits until they have.
    pub(crate) fn stop_all(&mut self, has_ended: &impl Fn() -> bool) -> Option<()> {
        for rein in &mut self.reins {
            rein.control.commands.try_send(&Command::Stop.to_record()).unwrap();
        }
        self.await_all(Report::Stopped, has_ended)
    }

    fn await_all(&mut self, report: Report, has_ended: &impl Fn() -> bool) -> Option<()> {
        for rein in &mut self.reins {
            let answer = wait(has_ended, || rein.control.reports.try_recv())?;
            assert_eq!(Report::from_record(&answer), Ok(report));
        }
        Some(())
    }

    /// What stands on the page of a worker.
    pub(crate) fn page(&self, worker: usize) -> Ledger {
        let mut words = vec![0; layout().words()];
        self.reins[worker].control.counters.snapshot(&mut words).unwrap();
        Ledger::from_words(layout(), &words)
    }
}
