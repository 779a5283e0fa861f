//! A tap: packets are copied out of a worker while it works, with what was decided about each.
//!
//! Made on the control side with all its memory, it is handed over and comes back through wait-free rings, as
//! tables do. A worker without a tap takes one branch a breath for it. With one, every packet that is wanted is
//! copied into a slot that the reader has emptied; if there is none, it is counted as lost and goes on
//! unhindered: captures are lost before traffic is delayed. The cycle counter is read once in a burst of which
//! something is caught.
//!
//! Packets are caught as they came, before the engine changes them. Where only drops are wanted, they are copied
//! once they are known to be dropped, so that the others cost nothing but a look at their verdict. A packet that became
//! our answer to its sender is then put together again from what the answer quotes of it: its first 500 bytes or so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use counters::DropReason;
use engine::{Answer, Decision, Held, Observer, Release, Sent, Verdict, quote};
use filter::Program;
use port::{BURST_MAX, Packet, Port};
use rtrb::{Consumer, Producer, RingBuffer};

use wire::Parsed;

use crate::Worker;

/// Taps that may be on their way to a worker and back.
const TAPS_MAX: usize = 2;

/// What is wanted of a worker's packets.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Packets that it matches; without one, all.
    pub filter: Option<Program>,
    /// Only those that are dropped.
    pub drops_only: bool,
    /// At most so many; then the tap goes back by itself.
    pub count_max: Option<u64>,
}

/// One packet that was caught.
#[derive(Clone, Debug)]
pub struct Shot {
    /// Its first bytes, as many as fit in the slot and lie in its first segment.
    pub bytes: Vec<u8>,
    /// All its bytes.
    pub len: u32,
    /// Its cookie, for whoever knows its time by that.
    pub cookie: u64,
    /// The cycle counter when its burst was looked at.
    pub cycles: u64,
    /// Which port it came by.
    pub ingress: u8,
    /// The sequence of the table that decided.
    pub generation: u64,
    /// What was decided.
    pub decision: Decision,
}

/// What tap and reader tell each other beside the packets.
#[derive(Debug, Default)]
struct State {
    wanted: AtomicU64,
    lost: AtomicU64,
    is_over: AtomicBool,
}

/// The worker's end of a capture.
#[derive(Debug)]
pub struct Tap {
    wanted: Wanted,
    left: u64,
    empty: Consumer<Box<Shot>>,
    caught: Producer<Box<Shot>>,
    /// By place in the burst: what was copied and waits for its decision. The last is that of a packet which is shown
    /// apart from its burst.
    staged: Vec<Option<Box<Shot>>>,
    /// Slots of packets that were handed over, and are caught there.
    #[allow(clippy::vec_box, reason = "slots travel in their boxes, from ring to ring")]
    spare: Vec<Box<Shot>>,
    /// The beginning of a packet that became our answer.
    again: Vec<u8>,
    cycles: Option<u64>,
    seen: u64,
    lost: u64,
    state: Arc<State>,
}

/// The reader's end. Dropped, it ends the capture.
#[derive(Debug)]
pub struct TapReader {
    empty: Producer<Box<Shot>>,
    caught: Consumer<Box<Shot>>,
    state: Arc<State>,
}

/// A tap and its reader, with `slots` slots of `snaplen` bytes between them.
#[must_use]
pub fn tap(wanted: Wanted, slots: usize, snaplen: usize) -> (Box<Tap>, TapReader) {
    let (mut fill, empty) = RingBuffer::new(slots.max(1));
    let (caught, read) = RingBuffer::new(slots.max(1));
    let decision = Decision::PENDING;
    for _ in 0..slots.max(1) {
        let bytes = Vec::with_capacity(snaplen);
        let shot = Shot { bytes, len: 0, cookie: 0, cycles: 0, ingress: 0, generation: 0, decision };
        // The ring was made for them.
        let _ = fill.push(Box::new(shot));
    }
    let state = Arc::new(State::default());
    let tap = Tap {
        left: wanted.count_max.unwrap_or(u64::MAX),
        wanted,
        empty,
        caught,
        staged: (0..=BURST_MAX).map(|_| None).collect(),
        spare: Vec::with_capacity(BURST_MAX),
        again: Vec::with_capacity(quote::BYTES_MAX),
        cycles: None,
        seen: 0,
        lost: 0,
        state: Arc::clone(&state),
    };
    (Box::new(tap), TapReader { empty: fill, caught: read, state })
}

impl TapReader {
    /// Shows every packet that was caught since, in order, and gives their slots back.
    pub fn drain(&mut self, mut show: impl FnMut(&Shot)) {
        while let Ok(shot) = self.caught.pop() {
            show(&shot);
            // There are no more slots than places in the ring.
            let _ = self.empty.push(shot);
        }
    }

    /// Whether nothing more will come: the count is reached, or the worker is gone. Ask before the last
    /// [`drain`](Self::drain).
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state.is_over.load(Ordering::Acquire) || self.caught.is_abandoned()
    }

    /// Packets that were wanted, and how many of them found no slot.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.state.wanted.load(Ordering::Relaxed), self.state.lost.load(Ordering::Relaxed))
    }
}

impl Tap {
    fn is_over(&self) -> bool {
        self.left == 0 || self.caught.is_abandoned()
    }

    fn wants(&self, data: &[u8], len: u32) -> bool {
        self.wanted.filter.as_ref().is_none_or(|filter| filter.matches(data, len))
    }

    /// A copy of a packet that is wanted; `None` if there is no slot, which is counted.
    fn copy(&mut self, data: &[u8], len: u32, cookie: u64, from: (u8, u64)) -> Option<Box<Shot>> {
        self.seen += 1;
        let Some(mut shot) = self.spare.pop().or_else(|| self.empty.pop().ok()) else {
            self.lost += 1;
            return None;
        };
        self.left = self.left.saturating_sub(1);
        let kept = data.len().min(shot.bytes.capacity());
        shot.bytes.clear();
        shot.bytes.extend_from_slice(data.get(..kept).unwrap_or_default());
        (shot.len, shot.cookie) = (len, cookie);
        shot.cycles = *self.cycles.get_or_insert_with(mem::cycles);
        (shot.ingress, shot.generation) = from;
        Some(shot)
    }

    /// The same, if the filter wants it and the count is not reached.
    fn copy_wanted(&mut self, data: &[u8], len: u32, cookie: u64, from: (u8, u64)) -> Option<Box<Shot>> {
        let is_wanted = self.left > 0 && self.wants(data, len);
        if is_wanted { self.copy(data, len, cookie, from) } else { None }
    }

    /// Before the engine: what is wanted, as it came.
    fn stage<P: Packet>(&mut self, packets: &[P], from: (u8, u64)) {
        self.cycles = None;
        if self.wanted.drops_only {
            return;
        }
        for (at, packet) in packets.iter().enumerate() {
            let shot = self.copy_wanted(packet.data(), wire_len(packet), packet.cookie(), from);
            if let Some(place) = self.staged.get_mut(at) {
                *place = shot;
            }
        }
    }

    fn decided<P: Packet>(
        &mut self,
        at: usize,
        packet: &P,
        (parsed, decision): (Option<&Parsed>, &Decision),
        from: (u8, u64),
    ) {
        let shot = match (self.wanted.drops_only, decision.verdict, decision.answered, parsed) {
            (false, ..) => self.staged.get_mut(at).and_then(Option::take),
            (true, Verdict::Drop(_), Some(Answer::TooBig), Some(parsed)) => {
                let mut again = std::mem::take(&mut self.again);
                let len = quote::original(packet.data(), parsed, &mut again);
                let shot = self.copy_wanted(&again, len, packet.cookie(), from);
                self.again = again;
                shot
            }
            (true, Verdict::Drop(_), ..) => {
                self.copy_wanted(packet.data(), wire_len(packet), packet.cookie(), from)
            }
            (true, ..) => None,
        };
        if let Some(mut shot) = shot {
            if decision.verdict == Verdict::Handed {
                (self.seen, self.left) = (self.seen - 1, self.left.saturating_add(1));
                self.spare.push(shot);
                return;
            }
            shot.decision = *decision;
            // There are no more slots than places in the ring.
            let _ = self.caught.push(shot);
        }
    }

    fn tell(&self) {
        self.state.wanted.store(self.seen, Ordering::Relaxed);
        self.state.lost.store(self.lost, Ordering::Relaxed);
    }
}

/// All bytes of a packet.
fn wire_len<P: Packet>(packet: &P) -> u32 {
    u32::try_from(packet.total_len()).unwrap_or(u32::MAX)
}

/// Sees what the worker's own observer sees, for the tap.
struct Tapped<'w, O> {
    tap: &'w mut Tap,
    observer: &'w mut O,
    at: usize,
    from: (u8, u64),
}

impl<P: Packet, O: Observer<P>> Observer<P> for Tapped<'_, O> {
    fn decided(&mut self, packet: &P, parsed: Option<&Parsed>, decision: &Decision) {
        self.observer.decided(packet, parsed, decision);
        self.tap.decided(self.at, packet, (parsed, decision), self.from);
        self.at += 1;
    }

    fn burst(&mut self) {
        self.observer.burst();
    }
}

/// The control side's end of the way to a worker.
#[derive(Debug)]
pub struct TapSender {
    to: Producer<Box<Tap>>,
    back: Consumer<Box<Tap>>,
    out: usize,
}

/// The worker's end.
#[derive(Debug)]
pub struct TapReceiver {
    from: Consumer<Box<Tap>>,
    back: Producer<Box<Tap>>,
}

/// Both ends.
#[must_use]
pub fn taps() -> (TapSender, TapReceiver) {
    let (to, from) = RingBuffer::new(TAPS_MAX);
    let (back_to, back) = RingBuffer::new(TAPS_MAX);
    (TapSender { to, back, out: 0 }, TapReceiver { from, back: back_to })
}

impl TapSender {
    /// Hands a tap over. Those that came back are let go of here.
    ///
    /// # Errors
    /// The tap itself: the worker still has another.
    pub fn hand_over(&mut self, tap: Box<Tap>) -> Result<(), Box<Tap>> {
        if self.is_out() {
            return Err(tap);
        }
        self.to.push(tap).map_err(|rtrb::PushError::Full(tap)| tap)?;
        self.out += 1;
        Ok(())
    }

    /// Whether the worker has a tap.
    pub fn is_out(&mut self) -> bool {
        while let Ok(tap) = self.back.pop() {
            drop(tap);
            self.out -= 1;
        }
        self.out > 0
    }
}

/// What a worker has of all this.
#[derive(Debug, Default)]
pub(crate) struct Tapping {
    ends: Option<TapReceiver>,
    tap: Option<Box<Tap>>,
}

impl Tapping {
    pub(crate) const fn new(ends: TapReceiver) -> Self {
        Self { ends: Some(ends), tap: None }
    }

    /// Whether there is a tap; between two breaths, one that is over goes back and one that has come is taken.
    #[inline]
    pub(crate) fn is_on(&mut self) -> bool {
        match &self.ends {
            Some(ends) if self.tap.is_some() || !ends.from.is_empty() => self.change(),
            _ => false,
        }
    }

    /// Shows a packet again, that was held and leaves now, or that could not be handed over, to the tap. Where all are
    /// wanted it was caught as it came, unless it was to be caught by whom it was handed to; where only drops are, it
    /// is caught here, as it waited.
    pub(crate) fn show<P: Packet>(&mut self, packet: &P, held: &Held, from: (u8, u64)) {
        let Some(tap) = self.tap.as_deref_mut() else { return };
        tap.cycles = None;
        if held.decision.verdict == Verdict::Drop(DropReason::HandFull) && !tap.wanted.drops_only {
            let shot = tap.copy_wanted(packet.data(), wire_len(packet), packet.cookie(), from);
            if let Some(place) = tap.staged.get_mut(BURST_MAX) {
                *place = shot;
            }
        }
        tap.decided(BURST_MAX, packet, (Some(&held.parsed), &held.decision), from);
        tap.tell();
    }

    #[cold]
    fn change(&mut self) -> bool {
        let Some(ends) = &mut self.ends else { return false };
        if let Some(tap) = self.tap.take_if(|tap| tap.is_over()) {
            tap.state.is_over.store(true, Ordering::Release);
            // The ring back has room for all that can be on their way.
            let _ = ends.back.push(tap);
        }
        if self.tap.is_none() {
            self.tap = ends.from.pop().ok();
        }
        self.tap.is_some()
    }
}

impl<P: Port, B: AsRef<[u8]>> Worker<P, B> {
    /// Has the worker take taps that come this way.
    #[must_use]
    pub fn with_taps(mut self, ends: TapReceiver) -> Self {
        self.tapping = Tapping::new(ends);
        self
    }

    /// Takes what is in the burst through the engine, with the tap beside it.
    #[cold]
    #[inline(never)]
    pub(crate) fn process_tapped(&mut self, observer: &mut impl Observer<P::Packet>) -> Sent {
        let from = (self.ingress, self.table.generation().sequence);
        let table = self.table.view();
        let Some(tap) = self.tapping.tap.as_deref_mut() else {
            return self.engine.process(&table, &mut self.burst, self.now, &mut self.gone, observer);
        };
        tap.stage(self.burst.as_slice(), from);
        let mut tapped = Tapped { tap, observer, at: 0, from };
        let sent = self.engine.process(&table, &mut self.burst, self.now, &mut self.gone, &mut tapped);
        tapped.tap.tell();
        sent
    }

    /// The same for fragments that wait no more: they were caught as they came, or are caught here if they are dropped.
    #[cold]
    #[inline(never)]
    pub(crate) fn release_tapped(
        &mut self,
        release: &mut Release,
        observer: &mut impl Observer<P::Packet>,
    ) -> Sent {
        let from = (self.ingress, self.table.generation().sequence);
        let table = self.table.view();
        let Some(tap) = self.tapping.tap.as_deref_mut() else {
            return self.engine.release(
                &table,
                release,
                &mut self.burst,
                self.now,
                (&mut self.gone, observer),
            );
        };
        tap.cycles = None;
        let mut tapped = Tapped { tap, observer, at: BURST_MAX, from };
        let sent =
            self.engine.release(&table, release, &mut self.burst, self.now, (&mut self.gone, &mut tapped));
        tapped.tap.tell();
        sent
    }
}
