//! Fragments, errors and whole datagrams between two workers at full speed, on threads of their own, with the same table
//! all the time and with one that changes. The port is the one in memory; `unpaced_mbufs.rs` does the same over DPDK's.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

#[path = "common/pieces.rs"]
mod pieces;
#[path = "common/swaps.rs"]
mod swaps;
#[path = "common/unpaced.rs"]
mod unpaced;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pieces::dns;
use port::{BURST_MAX, MemPacket, MemPort, MemSink, MemSource, Shared, Tick};
use service::{Blueprint, Policy, RealState};
use swaps::{Core, Ending, wait};
use unpaced::{Mix, WORKERS, live, require};
use worker::mesh;

/// How many packets one worker may be before the other: rings and shelves are for hundreds, and threads may wait long
/// for a core.
const AHEAD_MAX: u64 = 512;
const BUFFERS: usize = 16 * BURST_MAX;

/// One worker's packets of the mix.
struct Traffic {
    worker: usize,
    mix: Mix,
    next: Option<(u64, Vec<u8>)>,
    sent: u64,
    progress: Arc<[AtomicU64; WORKERS]>,
}

impl Traffic {
    fn new(worker: usize, progress: &Arc<[AtomicU64; WORKERS]>) -> Self {
        let mut traffic =
            Self { worker, mix: Mix::new(), next: None, sent: 0, progress: Arc::clone(progress) };
        traffic.look();
        traffic
    }

    fn look(&mut self) {
        let own = self.mix.find(|(worker, ..)| *worker == self.worker);
        self.next = own.map(|(_, cookie, frame)| (cookie, frame));
        let done = if self.next.is_some() { self.sent } else { u64::MAX };
        self.progress[self.worker].store(done, Ordering::Release);
    }
}

impl MemSource for Traffic {
    fn next_tick(&mut self) -> Option<Tick> {
        let other = self.progress[1 - self.worker].load(Ordering::Acquire);
        let may_go = self.next.is_some() && self.sent < other.saturating_add(AHEAD_MAX);
        may_go.then_some(Tick(8 + self.sent / 500))
    }

    fn load_next(&mut self, into: &mut MemPacket) {
        let (cookie, frame) = self.next.take().unwrap();
        into.load(&frame, cookie);
        self.sent += 1;
        self.look();
    }
}

struct Gone;

impl MemSink for Gone {
    fn send(&mut self, _: &MemPacket) -> bool {
        true
    }
}

/// The mix through two workers, under these tables one after the other, again and again.
fn run(blueprints: &[Blueprint]) {
    let (mut core, seats) = Core::new(&blueprints[0], WORKERS);
    let progress: Arc<[AtomicU64; WORKERS]> = Arc::default();
    let shared = Shared::new(WORKERS * BUFFERS);
    let port =
        |worker| MemPort::new(BUFFERS, 256, Traffic::new(worker, &progress), Gone).sharing(shared.clone());
    let workers: Vec<_> =
        (0..).zip(seats).map(|(number, seat)| seat.worker(port(usize::from(number)), number, 2)).collect();
    let readers: Vec<_> = workers.iter().map(|worker| worker.engine().flows()).collect();
    let (received, is_over) = ([const { AtomicU64::new(0) }; WORKERS], &AtomicBool::new(false));
    let outcomes = std::thread::scope(|scope| {
        let ending = Ending(is_over);
        let mut threads = Vec::new();
        for ((worker, end), received) in workers.into_iter().zip(mesh(2)).zip(&received) {
            let other = readers[1 - usize::from(end.worker())].clone();
            let worker = worker.with_mates(end, vec![other]);
            threads.push(scope.spawn(move || live(worker, received, is_over)));
        }
        let has_ended = || threads.iter().any(|thread| thread.is_finished());
        let is_done = || progress.iter().all(|done| done.load(Ordering::Acquire) == u64::MAX);
        let mut next = blueprints.iter().cycle().skip(1);
        let mut swapped = Some(());
        while blueprints.len() > 1 && !is_done() && swapped.is_some() {
            swapped = core.swap(next.next().unwrap(), &has_ended);
        }
        let done = swapped.and_then(|()| wait(&has_ended, || is_done().then_some(())));
        let all_ended = || threads.iter().all(|thread| thread.is_finished());
        let ended = done.and_then(|()| core.stop_all(&all_ended));
        drop(ending);
        // A worker that broke off has said why; joining it passes that on.
        let outcomes: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ended, Some(()), "nothing moves any more");
        outcomes
    });
    let switches: u64 = outcomes.iter().map(|outcome| outcome.switches()).sum();
    assert_eq!(switches > 20, blueprints.len() > 1, "{switches} switches");
    require(&outcomes, Mix::new().count() as u64, blueprints.len() == 1);
    let home: usize = outcomes.iter().map(|outcome| outcome.port.free_buffers()).sum();
    assert_eq!(home + shared.lying(), WORKERS * BUFFERS, "buffers are left in hands");
}

#[test]
fn two_workers_at_full_speed_lose_no_fragment_and_send_each_datagram_and_each_flow_to_one_real() {
    run(&[dns()]);
}

#[test]
fn two_workers_at_full_speed_send_each_datagram_to_one_real_while_their_tables_change() {
    let mut next = dns();
    next.pools[0].policy = Policy::Rendezvous;
    next.reals.iter_mut().step_by(3).for_each(|real| real.state = RealState::Drain);
    run(&[dns(), next]);
}
