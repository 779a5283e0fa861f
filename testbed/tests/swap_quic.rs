//! Tables with other connection ids are swapped under QUIC: configurations come, go and change places, reals go and come
//! back, and some packets have an id that names a real. No packet is lost, each such packet goes where its id says, and no
//! flow that a hash made moves for it, nor without need.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of a test fail as the test does, and the numbers are small"
)]

#[path = "common/ids.rs"]
mod ids;
#[path = "common/swaps.rs"]
mod swaps;

use std::sync::atomic::{AtomicBool, AtomicU64};

use counters::Event;
use ids::{FRAME_BYTES, ids, lead, quic_frame};
use mem::CountingAllocator;
use port::{BURST_MAX, MemPacket, MemPort, MemSink, MemSource, Packet, Tick};
use service::Blueprint;
use swaps::{Core, Demand, Dice, Ending, FLOWS_FIRST, FLOWS_MAX, Flows, REALS, Witness, live, walk};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// The rotation bits of the ids that packets have; what else stands beside them lies before or behind.
const ROTATION: u8 = 3;

/// UDP to port 443, and the ids of the reals that are there: clear ones, of which the last byte is the real's number, and
/// at times others whose place is before them, or behind.
fn with_ids(blueprint: &mut Blueprint, dice: &mut Dice) {
    let numbers: Vec<_> = blueprint.reals.iter().map(|real| real.number).collect();
    let servers = || numbers.iter().map(|real| (real.get() as u8, *real));
    let others =
        [0, 1, 5].map(|rotation| (dice.below(2) == 0).then(|| ids(rotation, Some(rotation + 1), servers())));
    lead(blueprint, others.into_iter().flatten().chain([ids(ROTATION, None, servers())]).collect());
}

/// A packet's cookie: its flow, and above it one more than the real that its connection id names, if it has one.
const fn named(flow: u64, real: Option<u8>) -> u64 {
    match real {
        None => flow,
        Some(real) => flow | (real as u64 + 1) << 32,
    }
}

/// Packets of flows in random order, for ever. A flow's first one is the client's own; later ones may have an id.
struct Traffic {
    packets: Flows,
    dice: Dice,
    is_known: Vec<bool>,
    demand: Demand,
    ticks: u64,
    sent: u64,
}

impl MemSource for Traffic {
    fn next_tick(&mut self) -> Option<Tick> {
        self.demand.is_open.then_some(Tick(self.ticks))
    }

    fn load_next(&mut self, into: &mut MemPacket) {
        let (flow, bytes) = self.packets.next(self.demand.flows);
        let is_known = std::mem::replace(&mut self.is_known[flow as usize], true);
        let real = (is_known && self.dice.below(4) == 0).then(|| self.dice.below(REALS as u64) as u8);
        into.load(&quic_frame(bytes, real.map(|real| (ROTATION, real))), named(flow, real));
        self.sent += 1;
        self.ticks += u64::from(self.sent.is_multiple_of(1_000));
    }
}

/// Counts what leaves.
struct Counting(u64);

impl MemSink for Counting {
    fn send(&mut self, packet: &MemPacket) -> bool {
        self.0 += u64::from(packet.data().len() == FRAME_BYTES + 20);
        true
    }
}

type Memory = MemPort<Traffic, Counting>;

#[test]
fn two_hundred_tables_with_other_connection_ids_lose_no_packet_and_move_no_flow_without_need() {
    const TABLES: usize = 201;
    let (mut blueprints, mut plans) = walk();
    blueprints.truncate(TABLES);
    plans.truncate(TABLES);
    let mut dice = Dice::new(9);
    blueprints.iter_mut().for_each(|blueprint| with_ids(blueprint, &mut dice));
    let (mut core, mut seats) = Core::new(&blueprints[0], 1);
    let traffic = Traffic {
        packets: Flows::new(0),
        dice,
        is_known: vec![false; FLOWS_MAX],
        demand: Demand { flows: FLOWS_FIRST, is_open: true },
        ticks: 8,
        sent: 0,
    };
    let worker = seats.remove(0).worker(MemPort::new(2 * BURST_MAX, 256, traffic, Counting(0)), 0, 1);
    let (packets, is_over) = ([AtomicU64::new(0)], AtomicBool::new(false));
    let steer = |port: &mut Memory, demand| port.ends().0.demand = demand;
    let mut outcome = std::thread::scope(|scope| {
        let ending = Ending(&is_over);
        let thread = scope.spawn(|| live(worker, Witness::new(plans), &packets[0], &is_over, steer));
        let has_ended = || thread.is_finished();
        let swapped = core.swap_all(&blueprints[1..], &packets, &has_ended);
        let ended = swapped.and_then(|()| core.stop_all(&has_ended));
        drop(ending);
        let outcome = thread.join().unwrap();
        assert_eq!(ended, Some(()), "nothing moves any more");
        outcome
    });
    let (traffic, sink) = outcome.port.ends();
    let came = traffic.sent;
    assert_eq!(came, sink.0, "packets lost or changed");
    outcome.require(came);
    let ledger = &outcome.ledger;
    let (routed, unroutable) = (ledger.get(Event::QuicRouted), ledger.get(Event::QuicUnroutable));
    assert_eq!(routed + unroutable, came);
    assert!(routed > came / 8, "ids led too few packets to show anything: {routed} of {came}");
}
