//! How workers hand packets to one another: a wait-free ring from each to each, and a bell at each door, so that nobody
//! polls rings that nothing is in. What a ring has no room for stays with its worker, which drops and counts it.
//!
//! A worker that is going to end lets go of its ends of the rings to the others: that is how they know that no more will
//! come. One that broke off has let go as well.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::Came;
use port::{Burst, Tick};
use rtrb::{Consumer, Producer, RingBuffer};
use shm::Bell;

/// Packets on their way to one worker, from all others together, for as many workers as this is divided by.
const PARCELS_MAX: usize = 4096;
/// The least and the most room of one ring.
const RING_MIN: usize = 32;
const RING_MAX: usize = 1024;

/// A packet on its way to another worker.
#[derive(Debug)]
pub struct Parcel<P> {
    /// It, as it came.
    pub packet: P,
    /// The port that it came by.
    pub port: u8,
    /// When.
    pub now: Tick,
    /// What was around it when it came.
    pub came: Came,
}

/// What others may see of one worker, on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Door {
    /// There is something in a ring to it.
    bell: Bell,
    /// How many it has handed over, and how many that came to it have left it. Each written by it alone.
    out: AtomicU64,
    left: AtomicU64,
}

/// One worker's ends.
#[derive(Debug)]
pub struct MeshEnd<P> {
    worker: u16,
    workers: u16,
    /// By worker; none to itself, and to nobody once it is silent.
    to: Vec<Option<Producer<Parcel<P>>>>,
    from: Vec<Consumer<Parcel<P>>>,
    /// The ring to look into first.
    next: usize,
    doors: Arc<[Door]>,
    is_silent: bool,
}

/// Sees from outside whether anything is on its way.
#[derive(Clone, Debug)]
pub struct MeshWatch {
    doors: Arc<[Door]>,
}

/// The ends of all workers, in their order.
#[must_use]
pub fn mesh<P>(workers: u16) -> Vec<MeshEnd<P>> {
    let count = usize::from(workers.max(1));
    let doors: Arc<[Door]> = (0..count).map(|_| Door::default()).collect();
    let end = |worker| MeshEnd {
        worker,
        workers,
        to: Vec::with_capacity(count),
        from: Vec::with_capacity(count),
        next: 0,
        doors: Arc::clone(&doors),
        is_silent: false,
    };
    let mut ends: Vec<MeshEnd<P>> = (0..workers.max(1)).map(end).collect();
    let room = (PARCELS_MAX / count).clamp(RING_MIN, RING_MAX);
    for from in 0..count {
        for to in 0..count {
            let (producer, consumer) = if from == to { (None, None) } else { pair(room) };
            if let Some(end) = ends.get_mut(from) {
                end.to.push(producer);
            }
            if let Some(end) = ends.get_mut(to) {
                end.from.extend(consumer);
            }
        }
    }
    ends
}

type Ends<P> = (Option<Producer<Parcel<P>>>, Option<Consumer<Parcel<P>>>);

fn pair<P>(room: usize) -> Ends<P> {
    let (producer, consumer) = RingBuffer::new(room);
    (Some(producer), Some(consumer))
}

impl<P> MeshEnd<P> {
    /// The number of the worker whose ends these are.
    #[must_use]
    pub const fn worker(&self) -> u16 {
        self.worker
    }

    /// How many workers there are.
    #[must_use]
    pub const fn workers(&self) -> u16 {
        self.workers
    }

    /// To see whether anything is on its way.
    #[must_use]
    pub fn watch(&self) -> MeshWatch {
        MeshWatch { doors: Arc::clone(&self.doors) }
    }

    fn door(&self, worker: u16) -> Option<&Door> {
        self.doors.get(usize::from(worker))
    }

    /// Hands a packet over; gives it back if there is no room, or nobody there.
    pub fn hand(&mut self, to: u16, parcel: Parcel<P>) -> Option<P> {
        let producer = self.to.get_mut(usize::from(to)).and_then(Option::as_mut);
        let Some(producer) = producer.filter(|producer| !producer.is_abandoned()) else {
            return Some(parcel.packet);
        };
        if let Err(rtrb::PushError::Full(parcel)) = producer.push(parcel) {
            return Some(parcel.packet);
        }
        if let Some(own) = self.door(self.worker) {
            own.out.store(own.out.load(Ordering::Relaxed) + 1, Ordering::Release);
        }
        // After the packet is there: whoever hears the bell finds it.
        if let Some(door) = self.door(to) {
            door.bell.ring();
        }
        None
    }

    /// Whether the bell was rung.
    #[inline]
    pub(crate) fn is_rung(&self) -> bool {
        self.door(self.worker).is_some_and(|own| own.bell.is_rung())
    }

    /// Takes packets in a row, with what was around them, that came from one worker, by one port and at one time; gives these. The bell goes on
    /// ringing until nothing is found.
    pub fn take(
        &mut self,
        (into, around): (&mut Burst<P>, &mut Vec<Came>),
        most: usize,
    ) -> Option<(u8, Tick)> {
        // Before the rings are looked into: what comes after rings again.
        if let Some(own) = self.door(self.worker) {
            own.bell.still();
        }
        let count = self.from.len();
        let mut at = self.next;
        for _ in 0..count {
            at = if at + 1 < count { at + 1 } else { 0 };
            let Some(ring) = self.from.get_mut(at) else { continue };
            let Ok(&Parcel { port, now, .. }) = ring.peek() else { continue };
            while into.len() < most && ring.peek().is_ok_and(|next| (next.port, next.now) == (port, now)) {
                let Ok(parcel) = ring.pop() else { break };
                around.push(parcel.came);
                // There is room: a burst holds no fewer than are asked for.
                let pushed = into.push(parcel.packet);
                debug_assert!(pushed.is_ok());
            }
            self.next = at;
            if let Some(own) = self.door(self.worker) {
                own.bell.ring();
            }
            return Some((port, now));
        }
        None
    }

    /// So many that were taken have left: they were sent or dropped, or wait.
    pub fn have_left(&self, count: usize) {
        if let Some(own) = self.door(self.worker) {
            own.left.store(own.left.load(Ordering::Relaxed) + count as u64, Ordering::Release);
        }
    }

    /// Hands nothing over any more, and lets the others know.
    pub fn fall_silent(&mut self) {
        self.is_silent = true;
        self.to.clear();
    }

    /// Whether it hands nothing over any more.
    #[inline]
    pub(crate) const fn is_silent(&self) -> bool {
        self.is_silent
    }

    /// Whether nothing is in the rings to it, and nothing more will come.
    #[must_use]
    pub fn are_silent(&self) -> bool {
        // In this order: what was handed over before the silence is seen.
        self.from.iter().all(|ring| ring.is_abandoned() && ring.is_empty())
    }
}

impl MeshWatch {
    /// Whether all that was handed over has left the worker it went to. Sure where nobody hands anything over
    /// meanwhile.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let sum = |of: fn(&Door) -> &AtomicU64| {
            self.doors.iter().map(|door| of(door).load(Ordering::Acquire)).sum::<u64>()
        };
        let left = sum(|door| &door.left);
        left == sum(|door| &door.out)
    }

    /// How many a worker has handed over, and how many that came to it have left it.
    #[must_use]
    pub fn handed(&self, worker: usize) -> (u64, u64) {
        let counts = |door: &Door| (door.out.load(Ordering::Acquire), door.left.load(Ordering::Acquire));
        self.doors.get(worker).map_or((0, 0), counts)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails so")]
mod tests {
    use super::{MeshEnd, Parcel, mesh};
    use engine::Came;
    use port::{Burst, Tick};

    const fn parcel(packet: u32, port: u8, now: u64) -> Parcel<u32> {
        Parcel { packet, port, now: Tick(now), came: Came { ttl: None, label: None } }
    }

    fn taken(end: &mut MeshEnd<u32>, most: usize) -> Vec<u32> {
        let mut burst = Burst::new();
        let _ = end.take((&mut burst, &mut Vec::new()), most);
        end.have_left(burst.len());
        burst.as_slice().to_vec()
    }

    #[test]
    fn what_is_handed_over_comes_in_order_in_runs_of_one_port_and_time() {
        let mut ends = mesh::<u32>(3);
        let watch = ends[0].watch();
        assert!(!ends[1].is_rung() && watch.is_quiet());
        for (packet, port, now) in [(1, 0, 5), (2, 0, 5), (3, 1, 5), (4, 1, 6)] {
            assert_eq!(ends[0].hand(1, parcel(packet, port, now)), None);
        }
        assert_eq!(ends[2].hand(1, parcel(9, 0, 0)), None);
        assert!(ends[1].is_rung() && !ends[0].is_rung() && !watch.is_quiet());
        let mut all: Vec<Vec<u32>> = (0..5).map(|_| taken(&mut ends[1], 64)).collect();
        assert!(taken(&mut ends[1], 64).is_empty() && !ends[1].is_rung() && watch.is_quiet());
        all.sort();
        assert_eq!(all, [vec![], vec![1, 2], vec![3], vec![4], vec![9]]);
    }

    #[test]
    fn a_full_ring_gives_the_packet_back_and_nobody_hands_to_itself_or_to_one_who_is_gone() {
        let mut ends = mesh::<u32>(2);
        let room = (0..).take_while(|&packet| ends[0].hand(1, parcel(packet, 0, 0)).is_none()).count();
        assert_eq!(room, 1024);
        assert_eq!(ends[0].hand(1, parcel(7, 0, 0)), Some(7));
        assert_eq!(taken(&mut ends[1], 3), [0, 1, 2]);
        assert_eq!(ends[0].hand(0, parcel(8, 0, 0)), Some(8));
        assert_eq!(ends[0].hand(1, parcel(7, 0, 0)), None);
        let mut first = ends.remove(0);
        drop(ends);
        assert_eq!(first.hand(1, parcel(9, 0, 0)), Some(9));
    }

    #[test]
    fn silence_is_heard_after_all_that_was_handed_over_before_it() {
        let mut ends = mesh::<u32>(2);
        assert_eq!(ends[0].hand(1, parcel(1, 0, 0)), None);
        ends[0].fall_silent();
        assert!(ends[0].is_silent() && !ends[1].are_silent());
        assert_eq!(ends[0].hand(1, parcel(2, 0, 0)), Some(2), "it has nothing more to say");
        assert_eq!(taken(&mut ends[1], 64), [1]);
        assert!(ends[1].are_silent() && !ends[0].are_silent());
    }

    #[test]
    fn two_threads_hand_everything_over_and_hear_every_bell() {
        const EACH: u32 = 20_000;
        let ends = mesh::<u32>(2);
        let watch = ends[0].watch();
        let life = |mut end: MeshEnd<u32>| {
            let (mate, mut sent, mut got) = (1 - end.worker(), 0, Vec::new());
            while !end.is_silent() || !end.are_silent() {
                if sent < EACH {
                    sent += u32::from(end.hand(mate, parcel(sent, 0, 0)).is_none());
                } else {
                    end.fall_silent();
                }
                if end.is_rung() {
                    got.extend(taken(&mut end, 64));
                } else {
                    std::thread::yield_now();
                }
            }
            got
        };
        let got: Vec<Vec<u32>> = std::thread::scope(|scope| {
            let threads: Vec<_> = ends.into_iter().map(|end| scope.spawn(move || life(end))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(got.iter().all(|got| got.iter().copied().eq(0..EACH)));
        assert!(watch.is_quiet());
    }
}
