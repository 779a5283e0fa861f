//! Packets that wait for a next hop, on DPDK's mbufs over two `net_ring` ports: as many as may wait are kept and sent
//! in order when the hop comes, by the port it names; they are dropped when their time is over, and when the worker
//! ends. Each mbuf is counted at every step. A test program of its own, because a process can start DPDK once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

#[path = "common/swaps.rs"]
mod swaps;

use control::Image;
use counters::{DropReason, Event};
use dpdk::{Eal, EalConfig, EthPort, EthQueue, Feeder, Mbuf, MemoryMode, Mempool, PoolConfig, RingPort};
use engine::NoObserver;
use link::{Command, Report};
use port::{Burst, Packet};
use service::{Hop, RealNumber};
use swaps::{Core, Flows, followed, wait};
use worker::{Breath, RoundRobin, Worker};

/// Packets that wait at one time, as the README says.
const HELD_MAX: u64 = 64;
const RING_PACKETS: u32 = 512;
const MBUFS: u32 = 2 * 1024;
const NEAR: [u8; 6] = [2, 0, 0, 0, 9, 9];
const FAR: [u8; 6] = [2, 0, 0, 0, 8, 8];
const OURS: [u8; 6] = [2, 0, 0, 0, 0, 0xaa];

fn hop(destination: [u8; 6], port: u8) -> Hop {
    let real = RealNumber::new(0).unwrap();
    Hop { real, port: Some(port), destination, source: OURS, is_resolved: true }
}

fn lost() -> Hop {
    Hop { port: None, is_resolved: false, ..hop([0; 6], 0) }
}

/// A worker with two ports, its far ends, and the control core.
struct Bench<'e> {
    eal: &'e Eal,
    worker: Worker<RoundRobin<EthQueue>, Image>,
    core: Core,
    feeders: Vec<Feeder>,
    pool: Mempool,
    packets: Flows,
    /// Packets that came so far, each of a flow of its own. A packet's number is its cookie.
    came: u64,
    serial: u64,
}

impl<'e> Bench<'e> {
    fn new(eal: &'e Eal) -> (Self, Vec<EthPort>) {
        let pool = Mempool::new(eal, &PoolConfig { cache: 64, ..PoolConfig::new("held", MBUFS) }).unwrap();
        let (mut ports, mut queues, mut feeders) = (Vec::new(), Vec::new(), Vec::new());
        for name in ["net_ring_held0", "net_ring_held1"] {
            let mut made = RingPort::new(eal, name, 1, RING_PACKETS, pool).unwrap();
            ports.push(made.port);
            queues.append(&mut made.queues);
            feeders.append(&mut made.feeders);
        }
        let (core, mut seats) = Core::new(&followed(), 1);
        let worker = seats.remove(0).worker(RoundRobin::new(queues), 0, 1);
        let packets = Flows::new(0);
        (Self { eal, worker, core, feeders, pool, packets, came: 0, serial: 0 }, ports)
    }

    /// So many packets come by the first port and are decided.
    fn arrive(&mut self, packets: u64) {
        let mut ready = Burst::new();
        for flow in self.came..self.came + packets {
            let mut packet = Mbuf::from_bytes(&self.pool, self.packets.of(flow)).unwrap();
            packet.set_cookie(flow);
            ready.push(packet).unwrap();
            if ready.room() == 0 {
                self.feeders[0].push(&mut ready);
            }
        }
        self.feeders[0].push(&mut ready);
        assert!(ready.is_empty(), "the ring takes all that a test feeds");
        self.came += packets;
        self.breathe_until(|bench| bench.count(Event::Rx) == bench.came);
    }

    fn breathe_until(&mut self, is_so: impl Fn(&Self) -> bool) {
        let so = wait(&|| false, || {
            assert_ne!(self.worker.breathe(&mut NoObserver), Breath::Stopped);
            assert_eq!(self.worker.ledger().balance(), Ok(()));
            is_so(self).then_some(())
        });
        assert_eq!(so, Some(()), "nothing moves any more");
    }

    /// A next hop is told, and in force.
    fn tell(&mut self, hop: Hop) {
        self.serial += 1;
        self.core.tell(Command::Hop { hop, serial: self.serial });
        let _ = self.worker.breathe(&mut NoObserver);
        assert_eq!(self.core.hear(&|| true), Some(Report::HopsAt(self.serial)));
    }

    /// What left by a port since: the numbers. Each packet is whole, and went to that MAC address.
    fn left(&mut self, port: usize, to: [u8; 6]) -> Vec<u64> {
        let (mut numbers, mut back) = (Vec::new(), Burst::<Mbuf>::new());
        loop {
            self.feeders[port].pull(&mut back);
            if back.is_empty() {
                return numbers;
            }
            for packet in back.drain() {
                let (number, data) = (packet.cookie(), packet.data());
                assert_eq!((&data[..6], &data[6..12]), (&to[..], &OURS[..]), "packet {number}");
                assert_eq!(data[30..34], [10, 0, 0, 1], "packet {number}: the outer destination");
                assert!(data.ends_with(&self.packets.of(number)[14..]), "packet {number} was changed");
                numbers.push(number);
            }
        }
    }

    fn count(&self, event: Event) -> u64 {
        self.worker.ledger().get(event)
    }

    /// Received, transmitted, held ever, held no more, dropped for want of a next hop; and the mbufs in use, which are
    /// those that wait and no others.
    fn require(&self, [rx, tx, held, released, dropped]: [u64; 5]) {
        let ledger = self.worker.ledger();
        let counted = [Event::Rx, Event::Tx, Event::Held, Event::Released].map(|event| ledger.get(event));
        assert_eq!((counted, ledger.drops()), ([rx, tx, held, released], dropped));
        assert_eq!(ledger.get(DropReason::NoNextHop), dropped);
        assert_eq!((ledger.balance(), self.eal.mbufs_in_use()), (Ok(()), held - released));
    }
}

fn numbers(range: std::ops::Range<u64>) -> Vec<u64> {
    range.collect()
}

#[test]
fn packets_wait_on_mbufs_until_their_hop_comes_or_their_time_is_over_or_the_worker_ends_and_none_leaks() {
    let config = EalConfig { memory: MemoryMode::Off, memory_mb: 64, ..EalConfig::default() };
    let eal = Eal::start(&config).unwrap();
    let (mut bench, ports) = Bench::new(&eal);

    // As many as may wait do, the others are dropped at once; the hop sends them before what comes later.
    bench.arrive(100);
    bench.require([100, 0, HELD_MAX, 0, 36]);
    bench.tell(hop(NEAR, 0));
    bench.arrive(10);
    assert_eq!(bench.left(0, NEAR), [numbers(0..64), numbers(100..110)].concat());
    bench.require([110, 74, 64, 64, 36]);

    // The hop is lost, and comes again on the other port.
    bench.tell(lost());
    bench.arrive(30);
    bench.require([140, 74, 94, 64, 36]);
    bench.tell(hop(FAR, 1));
    bench.arrive(5);
    assert_eq!((bench.left(0, NEAR), bench.left(1, FAR)), (vec![], numbers(110..145)));
    bench.require([145, 109, 94, 94, 36]);

    // It does not come in time.
    bench.tell(lost());
    bench.arrive(20);
    bench.require([165, 109, 114, 94, 36]);
    bench.breathe_until(|bench| bench.count(Event::Released) == 114);
    bench.require([165, 109, 114, 114, 56]);
    bench.tell(hop(NEAR, 0));
    bench.arrive(1);
    assert_eq!(bench.left(0, NEAR), [165], "what was dropped is not sent");

    // The worker ends.
    bench.tell(lost());
    bench.arrive(40);
    bench.require([206, 110, 154, 114, 56]);
    bench.core.tell(Command::Stop);
    let stopped = || (bench.worker.breathe(&mut NoObserver) == Breath::Stopped).then_some(());
    assert_eq!(wait(&|| false, stopped), Some(()));
    bench.require([206, 110, 154, 154, 96]);
    assert_eq!(bench.core.hear(&|| true), Some(Report::Stopped));
    assert_eq!(bench.core.page(0), *bench.worker.ledger(), "the shared page is the worker's ledger");
    assert_eq!((bench.left(0, NEAR), bench.left(1, FAR), bench.worker.lost()), (vec![], vec![], (0, 0)));
    drop((bench, ports));
    assert_eq!(eal.mbufs_in_use(), 0);
}
