//! Tables are swapped under traffic: no packet is lost, no flow moves whose real is still there, and the
//! workers allocate nothing.
//!
//! One thread is a worker, another the control core; between them are the same rings, counter pages and
//! sealed images as between the two processes. The port is the one in memory; `swap_mbufs.rs` does the
//! same over DPDK's.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

#[path = "common/swaps.rs"]
mod swaps;

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64};

use counters::Event;
use engine::NoObserver;
use mem::CountingAllocator;
use port::{BURST_MAX, MemPacket, MemPort, MemSink, MemSource, Packet, Tick};
use service::{Attributes, Blueprint, Prefix, RuleAction, RuleNumber, RuleSpec, ServiceNumber, ServiceSpec};
use swaps::{Core, Demand, Ending, FLOWS_FIRST, Flows, Plan, Witness, live, walk};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Packets of flows in random order, for ever; each new table brings some flows that were never seen.
struct Traffic {
    packets: Flows,
    demand: Demand,
    ticks: u64,
    sent: u64,
}

impl Traffic {
    fn new(worker: u8) -> Self {
        let demand = Demand { flows: FLOWS_FIRST, is_open: true };
        Self { packets: Flows::new(worker), demand, ticks: 8, sent: 0 }
    }
}

impl MemSource for Traffic {
    fn next_tick(&mut self) -> Option<Tick> {
        self.demand.is_open.then_some(Tick(self.ticks))
    }

    fn load_next(&mut self, into: &mut MemPacket) {
        let (flow, frame) = self.packets.next(self.demand.flows);
        into.load(frame, flow);
        self.sent += 1;
        // Time goes on by a tick now and then, so that the sweep and the counter page have their turn.
        self.ticks += u64::from(self.sent.is_multiple_of(1_000));
    }
}

/// Counts the packets that are the one which came in, behind an outer header.
struct Counting {
    packets: Flows,
    whole: u64,
}

impl MemSink for Counting {
    fn send(&mut self, packet: &MemPacket) -> bool {
        self.whole += u64::from(packet.data().ends_with(&self.packets.of(packet.cookie())[14..]));
        true
    }
}

type Memory = MemPort<Traffic, Counting>;

fn port(worker: u8) -> Memory {
    let sink = Counting { packets: Flows::new(worker), whole: 0 };
    MemPort::new(2 * BURST_MAX, 256, Traffic::new(worker), sink)
}

/// Gives how many packets rules sent their way, of all workers.
fn swap_under_traffic_of(
    workers: u8,
    (blueprints, plans): (Vec<Blueprint>, Vec<Plan>),
    leads: fn(usize, usize) -> bool,
) -> u64 {
    let (mut core, seats) = Core::new(&blueprints[0], usize::from(workers));
    let packets: Vec<AtomicU64> = seats.iter().map(|_| AtomicU64::new(0)).collect();
    let is_over = &AtomicBool::new(false);

    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let ending = Ending(is_over);
        let mut threads = Vec::new();
        for ((number, seat), packets) in (0..workers).zip(seats).zip(&packets) {
            let worker = seat.worker(port(number), u16::from(number), u16::from(workers));
            let witness = Witness::new(plans.clone()).with_rules(leads);
            let steer = |port: &mut Memory, demand| port.ends().0.demand = demand;
            threads.push(scope.spawn(move || live(worker, witness, packets, is_over, steer)));
        }
        let has_ended = || threads.iter().any(|thread| thread.is_finished());
        let swapped = core.swap_all(&blueprints[1..], &packets, &has_ended);
        // They go on until nothing comes any more, and one may be done before the other.
        let all_ended = || threads.iter().all(|thread| thread.is_finished());
        let ended = swapped.and_then(|()| core.stop_all(&all_ended));
        drop(ending);
        // A worker that broke off has said why; joining it passes that on.
        let outcomes = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ended, Some(()), "nothing moves any more");
        outcomes
    });

    let routed = outcomes.iter().map(|outcome| outcome.ledger.get(Event::RuleRouted)).sum();
    for (number, mut outcome) in outcomes.into_iter().enumerate() {
        assert_eq!(outcome.port.free_buffers(), 2 * BURST_MAX, "a packet is left in a hand");
        let (traffic, sink) = outcome.port.ends();
        let (came, whole) = (traffic.sent, sink.whole);
        assert_eq!(came, whole, "packets lost or changed");
        outcome.require(came);
        assert_eq!(core.page(number), outcome.ledger, "the shared page is the worker's ledger");
    }
    routed
}

/// Whether a real is of the services that rules lead to: of the second in every other table, of the third in the others.
/// The first, which is what the traffic asks for, has all.
const fn is_led_to(real: usize, table: usize) -> bool {
    if table.is_multiple_of(2) { real.is_multiple_of(2) } else { real.is_multiple_of(3) }
}

/// Ten thousand rules: of clients who are not there, each dropped, and one for those who are, which leads their new flows
/// to another service than the table before. In every other table one asks for a DSCP that nobody has, so that all are
/// asked about every packet.
fn ten_thousand(table: u32) -> Vec<RuleSpec> {
    let rule = |rank| RuleSpec {
        rank,
        number: RuleNumber::new(rank).unwrap_or_default(),
        sources: Vec::new(),
        destinations: Vec::new(),
        protocol: Some(6),
        source_ports: None,
        ports: Some((80, 80)),
        spi: None,
        dscp: None,
        vlan: None,
        masked: Vec::new(),
        action: RuleAction::Drop,
        attributes: Attributes::default(),
    };
    let client =
        |i: u32| Prefix { address: Ipv4Addr::from_bits(0x0a00_0000 + ((i + table) << 8)).into(), len: 24 };
    let mut rules: Vec<RuleSpec> =
        (0..9_998).map(|i| RuleSpec { sources: vec![client(i)], ..rule(i) }).collect();
    let ours = Prefix { address: Ipv4Addr::new(203, 0, 113, 0).into(), len: 24 };
    let action = RuleAction::Service(ServiceNumber::new(1 + table % 2).unwrap());
    rules.push(RuleSpec { sources: vec![ours], action, ..rule(9_998) });
    let dscp = if table.is_multiple_of(2) { Some((46, 46)) } else { None };
    rules.push(RuleSpec { dscp, ports: Some((81, 81)), ..rule(9_999) });
    rules
}

/// Two services beside the first, and rules that lead to one of them.
fn ruled(blueprint: &mut Blueprint, table: u32) {
    for (number, port) in [(1, 81), (2, 82)] {
        let mut pool = blueprint.pools[0].clone();
        pool.members.retain(|member| is_led_to(member.real.index(), number as usize - 1));
        blueprint.pools.push(pool);
        let number = ServiceNumber::new(number).unwrap();
        let (pool, first) = (blueprint.pools.len() - 1, blueprint.services[0]);
        blueprint.services.push(ServiceSpec { number, pool, port_first: port, port_last: port, ..first });
    }
    blueprint.rules = ten_thousand(table);
}

#[test]
fn a_thousand_tables_are_swapped_under_traffic_and_no_packet_is_lost_and_no_flow_moves_without_need() {
    swap_under_traffic_of(1, walk(), |_, _| true);
}

#[test]
fn two_workers_switch_each_in_its_own_time_and_lose_no_packet_and_move_no_flow_without_need() {
    swap_under_traffic_of(2, walk(), |_, _| true);
}

#[test]
fn tables_of_ten_thousand_rules_are_swapped_under_traffic_and_the_worker_goes_on_meanwhile() {
    const TABLES: usize = 21;
    let (mut blueprints, mut plans) = walk();
    blueprints.truncate(TABLES);
    plans.truncate(TABLES);
    blueprints.iter_mut().zip(0..).for_each(|(blueprint, table)| ruled(blueprint, table));
    // Every flow is asked about when it is new, at least.
    assert!(swap_under_traffic_of(1, (blueprints, plans), is_led_to) > FLOWS_FIRST);
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
    let (_core, mut seats) = Core::new(&blueprints[0], 1);
    let mut worker = seats.remove(0).worker(port(0), 0, 1);
    worker.port().ends().0.demand.flows = 60_000;
    let before = mem::thread_allocations();
    while worker.ledger().get(Event::Rx) < 200_000 {
        worker.breathe(&mut NoObserver);
    }
    assert_eq!(mem::thread_allocations() - before, 0);
    // Far more flows than the table holds: it fills, and says so.
    assert!(worker.ledger().get(Event::FlowStatelessFull) > 0);
    assert_eq!(worker.ledger().balance(), Ok(()));
}
