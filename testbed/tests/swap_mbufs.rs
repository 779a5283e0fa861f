//! The same swaps of tables over DPDK: two workers poll the two queues of a `net_ring` port, a third thread
//! feeds mbufs into them and takes back what was sent, and the control core swaps a thousand tables. A test
//! program of its own, because a process can start DPDK once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

#[path = "common/swaps.rs"]
mod swaps;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dpdk::{Eal, EalConfig, EthQueue, Feeder, Mbuf, MemoryMode, Mempool, PoolConfig, RingPort};
use mem::CountingAllocator;
use port::{Burst, Packet};
use swaps::{Core, Demand, Ending, FLOWS_FIRST, Flows, Witness, live, wait, walk};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const WORKERS: u8 = 2;
/// Packets that a ring takes. Never more are on their way, so that no transmission is refused.
const RING_PACKETS: u64 = 512;
const MBUFS: u32 = 8 * 1024;

/// What a worker lets its feeding side know.
struct Wish {
    flows: AtomicU64,
    is_open: AtomicBool,
}

/// The far end of one worker's queue.
struct Lane<'w> {
    feeder: Feeder,
    pool: Mempool,
    packets: Flows,
    wish: &'w Wish,
    ready: Burst<Mbuf>,
    back: Burst<Mbuf>,
    made: u64,
    taken_back: u64,
    whole: u64,
}

impl Lane<'_> {
    fn is_through(&self) -> bool {
        !self.wish.is_open.load(Ordering::Acquire) && self.made == self.taken_back
    }

    /// Feeds as much as may be on its way, and takes back what has been sent.
    fn step(&mut self) {
        let is_open = self.wish.is_open.load(Ordering::Acquire);
        let flows = self.wish.flows.load(Ordering::Acquire);
        while is_open && self.made - self.taken_back < RING_PACKETS && self.ready.room() > 0 {
            let (flow, frame) = self.packets.next(flows);
            let Some(mut packet) = Mbuf::from_bytes(&self.pool, frame) else { break };
            packet.set_cookie(flow);
            self.ready.push(packet).unwrap();
            self.made += 1;
        }
        self.feeder.push(&mut self.ready);
        self.feeder.pull(&mut self.back);
        self.taken_back += self.back.len() as u64;
        for packet in self.back.drain() {
            self.whole += u64::from(packet.data().ends_with(&self.packets.of(packet.cookie())[14..]));
        }
    }
}

/// Feeds all lanes until all has come back, or somebody says that it is over. Gives what was made, and what of
/// it came back whole.
fn feed(mut lanes: Vec<Lane<'_>>, is_over: &AtomicBool) -> Vec<(u64, u64)> {
    let _lcore = dpdk::register_thread().unwrap();
    while !is_over.load(Ordering::Acquire) && !lanes.iter().all(Lane::is_through) {
        lanes.iter_mut().for_each(Lane::step);
        std::thread::yield_now();
    }
    lanes.into_iter().map(|lane| (lane.made, lane.whole)).collect()
}

/// A port of so many queues, and the lanes at its far end.
fn port<'w>(eal: &Eal, wishes: &'w [Wish]) -> (dpdk::EthPort, Vec<EthQueue>, Vec<Lane<'w>>) {
    let pool = Mempool::new(eal, &PoolConfig { cache: 64, ..PoolConfig::new("swap", MBUFS) }).unwrap();
    let size = u32::try_from(RING_PACKETS).unwrap();
    let RingPort { port, queues, feeders } =
        RingPort::new(eal, "net_ring_swap", u16::from(WORKERS), size, pool).unwrap();
    let lane = |((worker, feeder), wish)| Lane {
        feeder,
        pool,
        packets: Flows::new(worker),
        wish,
        ready: Burst::new(),
        back: Burst::new(),
        made: 0,
        taken_back: 0,
        whole: 0,
    };
    let lanes = (0..WORKERS).zip(feeders).zip(wishes).map(lane).collect();
    (port, queues, lanes)
}

#[test]
fn two_workers_on_mbufs_switch_a_thousand_tables_and_lose_no_packet_and_move_no_flow_without_need() {
    let config = EalConfig { memory: MemoryMode::Off, memory_mb: 64, ..EalConfig::default() };
    let eal = Eal::start(&config).unwrap();
    let wishes: Vec<Wish> = (0..WORKERS)
        .map(|_| Wish { flows: AtomicU64::new(FLOWS_FIRST), is_open: AtomicBool::new(true) })
        .collect();
    let (port, queues, lanes) = port(&eal, &wishes);
    let (blueprints, plans) = walk();
    let (mut core, seats) = Core::new(&blueprints[0], usize::from(WORKERS));
    let packets: Vec<AtomicU64> = seats.iter().map(|_| AtomicU64::new(0)).collect();
    let is_over = &AtomicBool::new(false);

    let (outcomes, fed) = std::thread::scope(|scope| {
        let ending = Ending(is_over);
        let mut threads = Vec::new();
        let seats = (0..WORKERS).zip(seats).zip(queues);
        for ((((number, seat), queue), packets), wish) in seats.zip(&packets).zip(&wishes) {
            let worker = seat.worker(queue, u16::from(number), u16::from(WORKERS));
            let witness = Witness::new(plans.clone());
            let steer = |_: &mut EthQueue, demand: Demand| {
                wish.flows.store(demand.flows, Ordering::Release);
                wish.is_open.store(demand.is_open, Ordering::Release);
            };
            threads.push(scope.spawn(move || {
                let _lcore = dpdk::register_thread().unwrap();
                live(worker, witness, packets, is_over, steer)
            }));
        }
        let feeding = scope.spawn(|| feed(lanes, is_over));
        let has_ended = || threads.iter().any(|thread| thread.is_finished());
        let swapped = core.swap_all(&blueprints[1..], &packets, &has_ended);
        let fed = swapped.and_then(|()| wait(&has_ended, || feeding.is_finished().then_some(())));
        let all_ended = || threads.iter().all(|thread| thread.is_finished());
        let ended = fed.and_then(|()| core.stop_all(&all_ended));
        drop(ending);
        let fed = feeding.join().unwrap();
        // A worker that broke off has said why; joining it passes that on.
        let outcomes: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ended, Some(()), "nothing moves any more");
        (outcomes, fed)
    });

    for ((number, outcome), (made, whole)) in outcomes.iter().enumerate().zip(fed) {
        assert_eq!(made, whole, "packets lost or changed");
        outcome.require(made);
        assert_eq!(core.page(number), outcome.ledger, "the shared page is the worker's ledger");
    }
    drop((outcomes, port));
    assert_eq!(eal.mbufs_in_use(), 0);
}
