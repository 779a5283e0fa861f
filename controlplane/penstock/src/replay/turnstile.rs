//! With several workers, packets that may be of interest to another worker than their own come one at a time: fragments,
//! which are handed to the worker that knows of their datagram, errors about flows, which are looked for at all workers,
//! and whatever goes to services that keep clients, of whom all workers know. Such a packet comes when all before it have left all workers and nothing is on its way between them, and
//! none after it comes before it has. So a capture gives the same decisions with any number of workers, each time.
//!
//! A capture that has none of them goes through as fast as ever.

use std::sync::atomic::{AtomicU64, Ordering};

use worker::MeshWatch;

use crate::replay::script::{Script, Turn};

/// How many of its own packets have left a worker, on a cache line of its own, written by it alone.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Progress(AtomicU64);

impl Progress {
    /// That of each worker.
    pub(crate) fn of(workers: usize) -> Vec<Self> {
        (0..workers).map(|_| Self::default()).collect()
    }

    /// So many have left.
    #[inline]
    pub(crate) fn tell(&self, packets: u64) {
        self.0.store(packets, Ordering::Release);
    }

    /// How many have left.
    pub(crate) fn told(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Lets packets through in their order, where that matters.
#[derive(Debug)]
pub(crate) struct Turnstile<'s> {
    script: &'s Script,
    progress: &'s [Progress],
    mesh: MeshWatch,
    /// How many of those that cross have passed and are through, in all loops.
    passed: AtomicU64,
}

impl<'s> Turnstile<'s> {
    /// For a script of which something crosses; else there is none.
    pub(crate) fn new(script: &'s Script, progress: &'s [Progress], mesh: Option<MeshWatch>) -> Option<Self> {
        let mesh = mesh.filter(|_| !script.crossing().is_empty())?;
        Some(Self { script, progress, mesh, passed: AtomicU64::new(0) })
    }

    /// Whether a packet may come.
    pub(crate) fn is_due(&self, turn: Turn) -> bool {
        let crossing = self.script.crossing();
        let in_loop = crossing.partition_point(|&packet| packet < turn.packet);
        let before = turn.round * crossing.len() as u64 + in_loop as u64;
        let mut passed = self.passed.load(Ordering::Acquire);
        while passed < before {
            if !self.is_through(passed) {
                return false;
            }
            passed += 1;
            self.passed.fetch_max(passed, Ordering::AcqRel);
        }
        crossing.get(in_loop) != Some(&turn.packet) || self.is_all_through(turn)
    }

    /// Whether that one of those that cross is through, and all that came of it. None after it has come.
    fn is_through(&self, number: u64) -> bool {
        let crossing = self.script.crossing();
        let len = crossing.len() as u64;
        let at = usize::try_from(number % len).ok().and_then(|at| crossing.get(at));
        let Some(&packet) = at else { return true };
        let worker = self.script.worker(packet);
        let own = self.script.own(worker).len() as u64;
        let needed = number / len * own + u64::from(self.script.place(packet)) + 1;
        self.has_told(worker, needed) && self.mesh.is_quiet()
    }

    /// Whether all before it are through.
    fn is_all_through(&self, turn: Turn) -> bool {
        let mut workers = 0..self.progress.len();
        let is_told = workers.all(|worker| {
            let own = self.script.own(worker);
            let in_loop = own.partition_point(|&packet| packet < turn.packet);
            self.has_told(worker, turn.round * own.len() as u64 + in_loop as u64)
        });
        is_told && self.mesh.is_quiet()
    }

    fn has_told(&self, worker: usize, packets: u64) -> bool {
        self.progress.get(worker).is_none_or(|progress| progress.told() >= packets)
    }
}

#[cfg(test)]
mod tests {
    use worker::mesh;

    use super::{Progress, Turnstile};
    use crate::replay::script::{Script, Turn, tests::capture};

    /// A frame of IPv4 and UDP; a fragment if `fragment` says so.
    fn frame(port: u8, fragment: u16) -> Vec<u8> {
        let mut ip = vec![0x45, 0, 0, 36, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7];
        ip[6..8].copy_from_slice(&fragment.to_be_bytes());
        let sum = wire::checksum::of(&ip);
        ip[10..12].copy_from_slice(&sum);
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        frame.extend(ip);
        frame.extend([0, port, 0, 53, 0, 16, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        frame
    }

    #[test]
    fn who_crosses_comes_alone_and_nobody_passes_it() {
        let frames: Vec<Vec<u8>> = (0..8).map(|at| frame(at, if at == 4 { 0x2000 } else { 0 })).collect();
        let packets: Vec<(u64, &[u8])> = frames.iter().map(|frame| (0, frame.as_slice())).collect();
        let script = Script::new(capture(&packets), (2, 2), |_| false);
        assert_eq!(script.crossing(), [4]);
        let progress = Progress::of(2);
        let mut ends = mesh::<u32>(2);
        let stile = Turnstile::new(&script, &progress, ends.first().map(worker::MeshEnd::watch)).unwrap();
        let is_due = |round, packet| stile.is_due(Turn { round, packet });
        assert!((0..4).all(|packet| is_due(0, packet)), "what comes before is free");
        assert!((4..8).all(|packet| !is_due(0, packet)));
        let own = |worker: usize, below: u32| {
            script.own(worker).iter().filter(|&&packet| packet < below).count() as u64
        };
        (0..2).for_each(|worker| progress[worker].tell(own(worker, 4)));
        assert!(is_due(0, 4) && !is_due(0, 5), "it is alone");
        let parcel = worker::Parcel { packet: 7, port: 0, now: port::Tick(0), came: engine::Came::default() };
        assert_eq!(ends[0].hand(1, parcel), None);
        (0..2).for_each(|worker| progress[worker].tell(own(worker, 5)));
        assert!(!is_due(0, 5), "it is on its way to the other");
        let mut burst = port::Burst::new();
        assert!(ends[1].take((&mut burst, &mut Vec::new()), 64).is_some());
        ends[1].have_left(1);
        assert!((5..8).all(|packet| is_due(0, packet)) && (0..4).all(|packet| is_due(1, packet)));
        assert!(!is_due(1, 4) && !is_due(1, 5), "in the next loop it is the same");
        let nothing = Script::new(capture(&packets[..4]), (2, 1), |_| false);
        assert!(Turnstile::new(&nothing, &progress, Some(ends[0].watch())).is_none());
    }
}
