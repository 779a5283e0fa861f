//! Tables are swapped under traffic: no packet is lost, no flow moves whose real is still there, and the
//! worker allocates nothing.
//!
//! One thread is the worker, another the control core; between them are the same rings, counter page and
//! sealed images as between the two processes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of a test fail as the test does, and its numbers are small"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use control::{Image, Publisher};
use counters::{Event, Layout, Ledger};
use engine::{Decision, Engine, FlowUse, NoObserver, Observer, Verdict};
use flow::FlowTable;
use link::{Command, Report};
use mem::CountingAllocator;
use port::{BURST_MAX, MemPacket, MemPort, MemSink, MemSource, Packet, Tick};
use service::{
    Blueprint, DontFragment, Encap, Member, Outer, OuterSource, PoolSpec, RealNumber, RealSpec, RealState,
    ServiceNumber, ServiceSpec, Table, Timeouts,
};
use shm::{ControlSide, Region};
use worker::{Breath, TableReceiver, TableSender, Worker, tables};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const SWAPS: usize = 1_000;
const REALS: usize = 100;
/// Flows when traffic begins, and how many more each new table meets.
const FLOWS_FIRST: u64 = 4_000;
const FLOWS_PER_SWAP: u64 = 8;
const FLOWS_MAX: usize = FLOWS_FIRST as usize + FLOWS_PER_SWAP as usize * (SWAPS + 1);
/// Packets that every table forwards before the next one comes.
const PACKETS_PER_TABLE: u64 = 512;
/// Packets of the last table, after which the traffic ends.
const PACKETS_LAST: u64 = 100_000;
const NO_REAL: u8 = u8::MAX;

/// Numbers that look random and are the same every time (`SplitMix64`).
struct Dice(u64);

impl Dice {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// What one generation says of one real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It takes new flows.
    Takes,
    /// It keeps its flows: it drains, or weighs nothing.
    Keeps,
    /// It is down, or not there at all.
    Gone,
}

type Plan = [Standing; REALS];

#[derive(Clone, Copy)]
struct Member100 {
    is_there: bool,
    state: RealState,
    weight: u32,
}

/// A walk of random changes through configurations of a hundred reals.
fn walk() -> (Vec<Blueprint>, Vec<Plan>) {
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
            dont_fragment: DontFragment::Inherit,
            mtu: 1500,
        },
        timeouts: Timeouts { syn: 28_800, established: 28_800, closing: 28_800, udp: 28_800 },
        new_flows_rate_max: None,
        reals: present
            .clone()
            .map(|(index, member)| RealSpec {
                number: number(index),
                address: [10, 0, 0, index + 1].into(),
                next_hop: [2, 0, 0, 0, 1, index],
                encap: Encap::Ipip,
                state: member.state,
            })
            .collect(),
        pools: vec![PoolSpec {
            members: present
                .map(|(index, member)| Member { real: number(index), weight: member.weight })
                .collect(),
            slots: 10_007,
        }],
        services: vec![ServiceSpec {
            number: ServiceNumber::new(0).unwrap(),
            vip: [198, 51, 100, 10].into(),
            prefix_len: 32,
            protocol: 6,
            port_first: 80,
            port_last: 80,
            pool: 0,
        }],
    }
}

/// Packets of flows in random order, for ever; each new table brings some flows that were never seen.
struct Traffic {
    dice: Dice,
    frame: Vec<u8>,
    flows: u64,
    ticks: u64,
    sent: u64,
    is_open: bool,
}

impl Traffic {
    fn new() -> Self {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        frame.extend([0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 203, 0, 113, 7, 198, 51, 100, 10]);
        frame.extend([0, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0]);
        let sum: u32 =
            frame[14..34].chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
        frame[24..26].copy_from_slice(&checksum.to_be_bytes());
        Self { dice: Dice(2), frame, flows: FLOWS_FIRST, ticks: 8, sent: 0, is_open: true }
    }
}

impl MemSource for Traffic {
    fn next_tick(&mut self) -> Option<Tick> {
        self.is_open.then_some(Tick(self.ticks))
    }

    fn load_next(&mut self, into: &mut MemPacket) {
        let flow = self.dice.below(self.flows);
        self.frame[34..36].copy_from_slice(&(1024 + flow as u16).to_be_bytes());
        into.load(&self.frame, flow);
        self.sent += 1;
        // Time goes on by a tick now and then, so that the sweep and the counter page have their turn.
        self.ticks += u64::from(self.sent.is_multiple_of(1_000));
    }
}

struct Counting(u64);

impl MemSink for Counting {
    fn send(&mut self, _: &MemPacket) -> bool {
        self.0 += 1;
        true
    }
}

/// What one breath decided, kept until it is known under which table.
struct Notes {
    decided: Vec<(u64, u8, Option<FlowUse>, Verdict)>,
}

impl Observer<MemPacket> for Notes {
    fn decided(&mut self, packet: &MemPacket, decision: &Decision) {
        let real = decision.real.map_or(NO_REAL, |real| real.index() as u8);
        self.decided.push((packet.cookie(), real, decision.flow, decision.verdict));
    }
}

/// Where every flow is, and what went wrong.
struct Witness {
    plans: Vec<Plan>,
    real_of: Vec<u8>,
    moves: u64,
    faults: Vec<String>,
}

impl Witness {
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

/// What the worker's thread gives back.
struct Outcome {
    ledger: Ledger,
    allocations: u64,
    idle_tables: usize,
    sent: (u64, u64),
    free: usize,
    lost: (u64, u64),
    witness: Witness,
}

type Forwarder = Worker<MemPort<Traffic, Counting>, Image>;

fn breathe_until_stopped(mut worker: Forwarder, mut witness: Witness, packets: &AtomicU64) -> Outcome {
    let mut notes = Notes { decided: Vec::with_capacity(BURST_MAX) };
    let mut seen = vec![0; SWAPS + 1];
    let mut forwarded = 0;
    let first = worker.ledger().get(Event::TableSwitch);
    let before = mem::thread_allocations();
    loop {
        let breath = worker.breathe(&mut notes);
        let generation = (worker.ledger().get(Event::TableSwitch) - first) as usize;
        match breath {
            Breath::Packets(count) => {
                witness.look(generation, &mut notes);
                forwarded += count as u64;
                packets.store(forwarded, Ordering::Release);
                seen[generation] += count as u64;
                let (traffic, _) = worker.port().ends();
                traffic.flows = FLOWS_FIRST + FLOWS_PER_SWAP * generation as u64;
                // A worker that was told to stop goes on until nothing comes any more.
                traffic.is_open = seen[SWAPS] < PACKETS_LAST;
            }
            Breath::Idle => {}
            Breath::Stopped => break,
        }
    }
    let allocations = mem::thread_allocations() - before;
    let ledger = worker.ledger().clone();
    let lost = worker.lost();
    let mut port = worker.into_port();
    let free = port.free_buffers();
    let (traffic, sink) = port.ends();
    let sent = (traffic.sent, sink.0);
    let idle_tables = seen.iter().filter(|packets| **packets < PACKETS_PER_TABLE / 2).count();
    Outcome { ledger, allocations, idle_tables, sent, free, lost, witness }
}

/// Waits until `is_there` gives something; gives nothing once the worker has broken off.
fn wait<T>(has_ended: &impl Fn() -> bool, mut is_there: impl FnMut() -> Option<T>) -> Option<T> {
    loop {
        let has_ended = has_ended();
        match is_there() {
            None if !has_ended => std::thread::yield_now(),
            answer => return answer,
        }
    }
}

/// Each table in turn, acknowledged, then the end. Nothing where the worker broke off.
fn swap_all(
    publisher: &mut Publisher,
    blueprints: &[Blueprint],
    sender: &mut TableSender<Image>,
    control: &mut ControlSide,
    packets: &AtomicU64,
    has_ended: &impl Fn() -> bool,
) -> Option<()> {
    for blueprint in blueprints {
        let at = packets.load(Ordering::Acquire);
        wait(has_ended, || (packets.load(Ordering::Acquire) >= at + PACKETS_PER_TABLE).then_some(()))?;
        let publication = publisher.publish(blueprint).unwrap();
        let table = Arc::new(publication.table().unwrap());
        let generation = table.generation();
        sender.hand_over(table).unwrap();
        control.commands.try_send(&Command::Switch(generation).to_record()).unwrap();
        let answer = wait(has_ended, || control.reports.try_recv())?;
        assert_eq!(Report::from_record(&answer), Ok(Report::Switched(generation)));
    }
    control.commands.try_send(&Command::Stop.to_record()).unwrap();
    let answer = wait(has_ended, || control.reports.try_recv())?;
    assert_eq!(Report::from_record(&answer), Ok(Report::Stopped));
    Some(())
}

fn worker_on(
    table: Table<Image>,
    receiver: TableReceiver<Image>,
    region: &Region,
    layout: Layout,
) -> Forwarder {
    let flows = FlowTable::new(2 * FLOWS_MAX, [9; 16]).unwrap();
    let engine = Engine::new(0, 1, flows, layout);
    let port = MemPort::new(2 * BURST_MAX, 256, Traffic::new(), Counting(0));
    Worker::new(port, engine, Arc::new(table), receiver, region.worker_side(0).unwrap())
}

#[test]
fn a_thousand_tables_are_swapped_under_traffic_and_no_packet_is_lost_and_no_flow_moves_without_need() {
    let (blueprints, plans) = walk();
    let layout = Layout::with_room_for(1, REALS);
    let region = Region::create(7, 1, 8, layout.words()).unwrap();
    let mut control = region.control_side(0).unwrap();
    let (mut sender, receiver) = tables(4);
    let mut publisher = Publisher::new(7);
    let first = publisher.publish(&blueprints[0]).unwrap().table().unwrap();
    let worker = worker_on(first, receiver, &region, layout);
    let witness =
        Witness { plans, real_of: vec![NO_REAL; FLOWS_MAX], moves: 0, faults: Vec::with_capacity(20) };
    let packets = AtomicU64::new(0);

    let outcome = std::thread::scope(|scope| {
        let worker = scope.spawn(|| breathe_until_stopped(worker, witness, &packets));
        let has_ended = || worker.is_finished();
        let swapped =
            swap_all(&mut publisher, &blueprints[1..], &mut sender, &mut control, &packets, &has_ended);
        // A worker that broke off has said why; joining it passes that on.
        let outcome = worker.join().unwrap();
        assert_eq!(swapped, Some(()));
        outcome
    });

    assert_eq!(outcome.witness.faults, Vec::<String>::new());
    assert_eq!(outcome.idle_tables, 0, "tables that hardly forwarded a packet");
    let (came, left) = outcome.sent;
    assert_eq!(came, left, "packets lost");
    assert_eq!((outcome.free, outcome.lost), (2 * BURST_MAX, (0, 0)));
    let ledger = outcome.ledger;
    assert_eq!(ledger.balance(), Ok(()));
    assert_eq!((ledger.get(Event::Rx), ledger.get(Event::Tx)), (came, came));
    assert_eq!(ledger.get(Event::FlowMoved), outcome.witness.moves);
    assert!(outcome.witness.moves > 0, "no real of a flow ever went: the walk shows nothing");
    let flows = outcome.witness.real_of.iter().filter(|real| **real != NO_REAL).count();
    assert_eq!(ledger.get(Event::FlowInsert), flows as u64, "every flow was put in once");
    let mut words = vec![0; layout.words()];
    control.counters.snapshot(&mut words).unwrap();
    assert_eq!(Ledger::from_words(layout, &words), ledger, "the shared page is the worker's ledger");
    assert_eq!(outcome.allocations, 0, "the worker allocated");
}

#[test]
fn the_count_of_allocations_sees_one() {
    let before = mem::thread_allocations();
    drop(std::hint::black_box(Box::new(1_u64)));
    assert_eq!(mem::thread_allocations() - before, 1);
}

#[test]
fn a_worker_that_meets_only_new_flows_allocates_nothing_either() {
    let (blueprints, _) = walk();
    let layout = Layout::with_room_for(1, REALS);
    let region = Region::create(7, 1, 8, layout.words()).unwrap();
    let (_sender, receiver) = tables(1);
    let table = Publisher::new(7).publish(&blueprints[0]).unwrap().table().unwrap();
    let mut worker = worker_on(table, receiver, &region, layout);
    let (traffic, _) = worker.port().ends();
    traffic.flows = 60_000;
    let before = mem::thread_allocations();
    while worker.ledger().get(Event::Rx) < 200_000 {
        worker.breathe(&mut NoObserver);
    }
    assert_eq!(mem::thread_allocations() - before, 0);
    // Far more flows than the table holds: it fills, and says so.
    assert!(worker.ledger().get(Event::FlowStatelessFull) > 0);
    assert_eq!(worker.ledger().balance(), Ok(()));
}
