//! A ring of 64-byte records from one sender to one receiver, in shared memory.
//!
//! Two cursors count the records sent (`tail`, written by the sender) and received (`head`, written by the
//! receiver); they run on for ever and wrap at 2^64. A record goes to slot `cursor mod capacity`. The sender
//! writes the words of a slot and then the tail with Release; the receiver reads the tail with Acquire, then
//! the words, then writes the head with Release, which the sender reads with Acquire before it uses the slot
//! again. Each side keeps its own cursor and the capacity to itself and the other's last seen cursor in a
//! cache, so that a line changes hands only when the cache runs out. Every call ends after a bounded number
//! of steps, whatever the other side does.
//!
//! A hostile peer can write both cursors and every slot. Its cursor is believed only as far as it keeps to
//! the one rule, `head <= tail <= head + capacity`; a cursor outside is a *jump*, which is counted. The
//! receiver then gives up what is in the ring and goes on from the tail it found; the sender, which must not
//! write where a receiver may be reading, takes the ring for full. Either writes its own cursor again where
//! it was written over, so a ring that was scribbled on once works again. A jump within the rule cannot be told
//! from sending, and yields records of nonsense: so every record is checked by who reads it.

use crate::primitive::{Arc, AtomicU64, Ordering};
use crate::view::{Store, View};

/// 64 bytes, one cache line.
pub const RECORD_WORDS: usize = 8;

/// What travels in a ring: eight words whose meaning is the sender's and the receiver's.
pub type Record = [u64; RECORD_WORDS];

/// The cursors stand 128 bytes apart from each other and from the slots, because CPUs fetch lines in pairs.
pub(crate) const PAD_WORDS: usize = 16;

/// Where the cursors stand, and where the slots begin, in words.
pub(crate) const TAIL_WORD: usize = 0;
pub(crate) const HEAD_WORD: usize = PAD_WORDS;
pub(crate) const SLOTS_WORD: usize = 2 * PAD_WORDS;

/// How many words a ring of that many records takes. A capacity of at most 2^20 cannot overflow it.
pub(crate) const fn ring_words(capacity: usize) -> usize {
    SLOTS_WORD + capacity * RECORD_WORDS
}

/// The ring had no room; the record is still the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl core::fmt::Display for Full {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the ring is full")
    }
}

impl core::error::Error for Full {}

/// Why there was no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvError {
    /// Nothing was sent since.
    Empty,
    /// The sender's cursor broke the rule. What was in the ring is lost and the next call starts from there.
    CursorJump,
}

impl core::fmt::Display for RecvError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Empty => f.write_str("the ring is empty"),
            Self::CursorJump => f.write_str("the sender's cursor jumped; what was in the ring is lost"),
        }
    }
}

impl core::error::Error for RecvError {}

/// The shared words of one ring, found and bounded once.
struct Ring {
    tail: View<AtomicU64>,
    head: View<AtomicU64>,
    slots: View<[[AtomicU64; RECORD_WORDS]]>,
    capacity: u64,
}

impl Ring {
    /// The ring of `capacity` records (a power of two) that begins at word `at` of the store.
    fn new(store: &Arc<Store>, at: usize, capacity: usize) -> Option<Self> {
        let cursor = |word| View::new(store, |words| words.get(at..)?.get(word));
        let slots = View::new(store, |words| {
            let bytes = words.get(at..)?.get(SLOTS_WORD..)?;
            bytes.as_chunks::<RECORD_WORDS>().0.get(..capacity)
        })?;
        let capacity = u64::try_from(capacity).ok().filter(|capacity| capacity.is_power_of_two())?;
        Some(Self { tail: cursor(TAIL_WORD)?, head: cursor(HEAD_WORD)?, slots, capacity })
    }

    /// The slot of that cursor. There are `capacity` of them, a power of two, so it is never `None`.
    #[inline(always)]
    fn slot(&self, cursor: u64) -> Option<&[AtomicU64; RECORD_WORDS]> {
        self.slots.get(usize::try_from(cursor & (self.capacity - 1)).unwrap_or(usize::MAX))
    }
}

/// Writes our own cursor again where somebody else has written over it: or a sender that finds no room and a
/// receiver that finds no record, each looking at a wrong cursor, would leave it at that for ever. Only
/// looked at when there is nothing to do, in a line that is mostly our own.
#[inline]
fn restore(shared: &AtomicU64, own: u64) {
    if shared.load(Ordering::Relaxed) != own {
        shared.store(own, Ordering::Release);
    }
}

/// The end that sends. There is one of it; it can move to another thread.
pub struct Sender {
    ring: Ring,
    /// How many were sent: our own truth, of which the shared word is a copy.
    tail: u64,
    /// The receiver's cursor when last looked at; never above `tail`, never further below than the capacity.
    head_seen: u64,
    jumps: u64,
}

impl Sender {
    pub(crate) fn new(store: &Arc<Store>, at: usize, capacity: usize) -> Option<Self> {
        let ring = Ring::new(store, at, capacity)?;
        let tail = ring.tail.load(Ordering::Acquire);
        // As if full: so the first record looks at the true head.
        let head_seen = tail.wrapping_sub(ring.capacity);
        Some(Self { ring, tail, head_seen, jumps: 0 })
    }

    /// Sends one record.
    ///
    /// # Errors
    /// [`Full`] when the receiver has not kept up (or its cursor makes no sense). Count it and go on.
    #[inline]
    pub fn try_send(&mut self, record: &Record) -> Result<(), Full> {
        match self.send_batch(core::slice::from_ref(record)) {
            0 => Err(Full),
            _ => Ok(()),
        }
    }

    /// Sends as many of the records as there is room for, in order and published at once. Returns how many.
    #[inline]
    #[must_use]
    pub fn send_batch(&mut self, records: &[Record]) -> usize {
        let wanted = u64::try_from(records.len()).unwrap_or(u64::MAX);
        if self.room() < wanted {
            self.look_at_head();
        }
        let room = usize::try_from(self.room()).unwrap_or(usize::MAX);
        let mut sent = 0;
        let mut cursor = self.tail;
        for record in records.iter().take(room) {
            let Some(slot) = self.ring.slot(cursor) else { break };
            for (word, value) in slot.iter().zip(record) {
                word.store(*value, Ordering::Relaxed);
            }
            cursor = cursor.wrapping_add(1);
            sent += 1;
        }
        if sent > 0 {
            self.tail = cursor;
            self.ring.tail.store(cursor, Ordering::Release);
        } else {
            restore(&self.ring.tail, self.tail);
        }
        sent
    }

    /// How many records fit before the receiver is looked at again.
    #[inline(always)]
    fn room(&self) -> u64 {
        self.ring.capacity - self.tail.wrapping_sub(self.head_seen)
    }

    #[inline]
    fn look_at_head(&mut self) {
        let head = self.ring.head.load(Ordering::Acquire);
        if self.tail.wrapping_sub(head) <= self.ring.capacity {
            self.head_seen = head;
        } else {
            self.jumps = self.jumps.saturating_add(1);
        }
    }

    /// How many records the ring holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.slots.len()
    }

    /// How often the receiver's cursor was found to make no sense.
    #[must_use]
    pub fn jumps(&self) -> u64 {
        self.jumps
    }
}

/// The end that receives. There is one of it; it can move to another thread.
pub struct Receiver {
    ring: Ring,
    /// How many were received: our own truth, of which the shared word is a copy.
    head: u64,
    /// The sender's cursor when last looked at; never below `head`, never further above than the capacity.
    tail_seen: u64,
    jumps: u64,
}

impl Receiver {
    pub(crate) fn new(store: &Arc<Store>, at: usize, capacity: usize) -> Option<Self> {
        let ring = Ring::new(store, at, capacity)?;
        let head = ring.head.load(Ordering::Acquire);
        Some(Self { ring, head, tail_seen: head, jumps: 0 })
    }

    /// The next record, or `None` when there is none now. A jump counts as none.
    #[inline]
    pub fn try_recv(&mut self) -> Option<Record> {
        self.recv().ok()
    }

    /// The next record, or why there is none now.
    ///
    /// # Errors
    /// [`RecvError::Empty`], or [`RecvError::CursorJump`] once for each jump.
    #[inline]
    pub fn recv(&mut self) -> Result<Record, RecvError> {
        if self.tail_seen == self.head {
            self.look_at_tail()?;
        }
        let record = self.read(self.head).ok_or(RecvError::Empty)?;
        self.head = self.head.wrapping_add(1);
        self.ring.head.store(self.head, Ordering::Release);
        Ok(record)
    }

    /// Fills `records` from its start with what is in the ring, and frees all their slots at once. Returns
    /// how many.
    #[inline]
    #[must_use]
    pub fn recv_batch(&mut self, records: &mut [Record]) -> usize {
        let wanted = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let available = self.tail_seen.wrapping_sub(self.head);
        if available < wanted && self.look_at_tail() == Err(RecvError::CursorJump) {
            return 0;
        }
        let available = usize::try_from(self.tail_seen.wrapping_sub(self.head)).unwrap_or(usize::MAX);
        let mut received = 0;
        let mut cursor = self.head;
        for record in records.iter_mut().take(available) {
            let Some(found) = self.read(cursor) else { break };
            *record = found;
            cursor = cursor.wrapping_add(1);
            received += 1;
        }
        if received > 0 {
            self.head = cursor;
            self.ring.head.store(cursor, Ordering::Release);
        }
        received
    }

    #[inline(always)]
    fn read(&self, cursor: u64) -> Option<Record> {
        self.ring.slot(cursor).map(|slot| slot.each_ref().map(|word| word.load(Ordering::Relaxed)))
    }

    #[inline]
    fn look_at_tail(&mut self) -> Result<(), RecvError> {
        let tail = self.ring.tail.load(Ordering::Acquire);
        let available = tail.wrapping_sub(self.head);
        if available > self.ring.capacity {
            self.jumps = self.jumps.saturating_add(1);
            self.head = tail;
            self.tail_seen = tail;
            self.ring.head.store(tail, Ordering::Release);
            return Err(RecvError::CursorJump);
        }
        self.tail_seen = tail;
        if available == 0 {
            restore(&self.ring.head, self.head);
            return Err(RecvError::Empty);
        }
        Ok(())
    }

    /// How many records the ring holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.slots.len()
    }

    /// How often the sender's cursor was found to make no sense.
    #[must_use]
    pub fn jumps(&self) -> u64 {
        self.jumps
    }
}

#[cfg(test)]
#[cfg(loom)]
mod loom_tests;
#[cfg(test)]
#[cfg(not(loom))]
mod tests;
