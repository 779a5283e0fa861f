//! Fragments, errors and whole datagrams between two workers at full speed, on DPDK's mbufs over two queues of a
//! `net_ring` port: a third thread feeds them and takes back what was sent. Not one mbuf is lost on the way from worker
//! to worker. A test program of its own, because a process can start DPDK once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

#[path = "common/pieces.rs"]
mod pieces;
#[path = "common/swaps.rs"]
mod swaps;
#[path = "common/unpaced.rs"]
mod unpaced;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dpdk::{Eal, EalConfig, Feeder, Mbuf, MemoryMode, Mempool, PoolConfig, RingPort};
use pieces::dns;
use port::Burst;
use swaps::{Core, Ending, wait};
use unpaced::{Mix, WORKERS, live, require};
use worker::mesh;

/// Packets that a ring takes.
const RING_PACKETS: u64 = 512;
const MBUFS: u32 = 8 * 1024;
/// How many packets of each worker may be on their way to it, so that neither is far before the other.
const AHEAD_MAX: u64 = 256;

/// Feeds the mix, in its order, until all is taken and `is_over`; gives how many packets it was.
fn feed(pool: Mempool, feeders: &mut [Feeder], received: &[AtomicU64], is_over: &AtomicBool) -> u64 {
    let _lcore = dpdk::register_thread().unwrap();
    let mut made = [0; WORKERS];
    let mut back = Burst::new();
    let mut take_back = |feeders: &mut [Feeder]| {
        for feeder in feeders {
            feeder.pull(&mut back);
            back.drain().for_each(drop);
        }
    };
    for (worker, cookie, frame) in Mix::new() {
        let mut ready = Burst::new();
        let mut packet = loop {
            let is_near = made[worker] - received[worker].load(Ordering::Acquire) < AHEAD_MAX;
            match Mbuf::from_bytes(&pool, &frame).filter(|_| is_near) {
                Some(packet) => break packet,
                None if is_over.load(Ordering::Acquire) => return made.iter().sum(),
                None => std::thread::yield_now(),
            }
            take_back(feeders);
        };
        packet.set_cookie(cookie);
        ready.push(packet).unwrap();
        feeders[worker].push(&mut ready);
        assert!(ready.is_empty(), "a ring takes more than may be on their way");
        made[worker] += 1;
        take_back(feeders);
    }
    while !is_over.load(Ordering::Acquire) {
        take_back(feeders);
        std::thread::yield_now();
    }
    take_back(feeders);
    made.iter().sum()
}

#[test]
fn two_workers_on_mbufs_at_full_speed_lose_no_fragment_and_send_each_datagram_to_one_real() {
    let config = EalConfig { memory: MemoryMode::Off, memory_mb: 64, ..EalConfig::default() };
    let eal = Eal::start(&config).unwrap();
    let pool = Mempool::new(&eal, &PoolConfig { cache: 64, ..PoolConfig::new("unpaced", MBUFS) }).unwrap();
    let size = u32::try_from(RING_PACKETS).unwrap();
    let RingPort { port, queues, mut feeders } =
        RingPort::new(&eal, "net_ring_unpaced", 2, size, pool).unwrap();
    let (mut core, seats) = Core::new(&dns(), WORKERS);
    let workers: Vec<_> = (0..)
        .zip(seats.into_iter().zip(queues))
        .map(|(number, (seat, queue))| seat.worker(queue, number, 2))
        .collect();
    let readers: Vec<_> = workers.iter().map(|worker| worker.engine().flows()).collect();
    let received = [const { AtomicU64::new(0) }; WORKERS];
    let (is_over, is_fed) = (&AtomicBool::new(false), &AtomicBool::new(false));
    let came = Mix::new().count() as u64;
    let (outcomes, fed) = std::thread::scope(|scope| {
        let ending = Ending(is_over);
        let fed = Ending(is_fed);
        let mut threads = Vec::new();
        for ((worker, end), received) in workers.into_iter().zip(mesh(2)).zip(&received) {
            let other = readers[1 - usize::from(end.worker())].clone();
            let worker = worker.with_mates(end, vec![other]);
            threads.push(scope.spawn(move || {
                let _lcore = dpdk::register_thread().unwrap();
                live(worker, received, is_over)
            }));
        }
        let feeding = scope.spawn(|| feed(pool, &mut feeders, &received, is_fed));
        let has_ended = || threads.iter().any(|thread| thread.is_finished());
        let all = || received.iter().map(|received| received.load(Ordering::Acquire)).sum::<u64>();
        let done = wait(&has_ended, || (all() == came).then_some(()));
        let all_ended = || threads.iter().all(|thread| thread.is_finished());
        let ended = done.and_then(|()| core.stop_all(&all_ended));
        drop(ending);
        // A worker that broke off has said why; joining it passes that on.
        let outcomes: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        drop(fed);
        assert_eq!(ended, Some(()), "nothing moves any more");
        (outcomes, feeding.join().unwrap())
    });
    assert_eq!(fed, came);
    require(&outcomes, came, true);
    drop((outcomes, feeders, port));
    assert_eq!(eal.mbufs_in_use(), 0);
}
