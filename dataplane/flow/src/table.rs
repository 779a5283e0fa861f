//! The owner's side: find, insert, expire.

use std::sync::Arc;

use mem::{PageKind, Pages, Prf};
use service::{Timeouts, tuple_hash_with};
use wire::FiveTuple;
use wire::tcp::Flags;

use crate::bucket::{Bucket, Cold, EMPTY, ENTRIES_PER_BUCKET, Entry, to_words};
use crate::place::{self, Full, Inserted, Peek, Place, Probe, Slot};
use crate::reader::FlowReader;
use crate::value::{AGES, Epoch, Met, Value};
use crate::{Silences, State};

/// The fewest flows a table is made for.
pub const ENTRIES_MIN: usize = 64;
/// The most.
pub const ENTRIES_MAX: usize = 1 << 30;
/// The sweep covers the table once in so many ticks: one minute.
pub const SWEEP_TICKS: u64 = 480;
/// Cold bytes of one entry.
pub const COLD_BYTES_PER_ENTRY: usize = size_of::<Cold>();

/// A silence after which every flow is forgotten, whatever its state: the longest timeout there is.
const SILENCE_TICKS_MAX: u64 = Timeouts::MAX as u64;
/// Sixteen bits of tick tell an entry's age as long as it is swept within the rest of their range.
const _: () = assert!(SILENCE_TICKS_MAX + 2 * SWEEP_TICKS < AGES as u64);

/// What holds until the first table says otherwise.
const FORGET_NEVER: Timeouts =
    Timeouts { syn: Timeouts::MAX, established: Timeouts::MAX, closing: Timeouts::MAX, udp: Timeouts::MAX };

const MAGIC: u64 = u64::from_le_bytes(*b"PNSTFLOW");
const LAYOUT_VERSION: u64 = 1;

/// Why a table could not be made.
#[derive(Debug)]
pub enum TableError {
    /// The number of entries is below [`ENTRIES_MIN`] or above [`ENTRIES_MAX`].
    Entries(usize),
    /// The system gave no memory.
    Memory(std::io::Error),
}

impl std::fmt::Display for TableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Entries(entries) => {
                write!(f, "a flow table of {entries} entries: give {ENTRIES_MIN} to {ENTRIES_MAX}")
            }
            Self::Memory(error) => write!(f, "no memory for the flow table: {error}; give it fewer entries"),
        }
    }
}

impl std::error::Error for TableError {}

/// The memory that owner and readers share. Bucket 0 is the header; flows begin at 1.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) hot: Pages<Bucket>,
    pub(crate) cold: Pages<Cold>,
}

impl Memory {
    #[inline]
    pub(crate) fn bucket(&self, index: u32) -> Option<&Bucket> {
        self.hot.get(index as usize + 1)
    }

    #[inline]
    pub(crate) fn cold(&self, slot: Slot) -> Option<&Cold> {
        self.cold.get(slot.bucket as usize * ENTRIES_PER_BUCKET + slot.entry as usize)
    }

    #[inline]
    pub(crate) fn entry(&self, slot: Slot) -> Option<Entry<'_>> {
        Some(self.bucket(slot.bucket)?.entry(slot.entry))
    }

    /// What a reader looks at.
    pub(crate) fn shared(&self, slot: Slot) -> Option<(Entry<'_>, &Cold)> {
        Some((self.entry(slot)?, self.cold(slot)?))
    }
}

/// One worker's flow table. `TAG_BITS` is 64 but in tests that force wrong matches.
#[derive(Debug)]
pub struct FlowTable<const TAG_BITS: u32 = 64> {
    pub(crate) memory: Arc<Memory>,
    prf: Prf,
    pub(crate) buckets: u32,
    pub(crate) len: usize,
    pub(crate) now: u64,
    epoch: Epoch,
    /// Each flow is to be confirmed whenever the sweep has come by.
    asks_again: bool,
    /// What stands beside real and service of an established flow that was met in this tick.
    met_now: Met,
    pub(crate) silences: Silences,
    /// The bucket that the sweep looks at next.
    sweep_next: u32,
}

impl<const TAG_BITS: u32> FlowTable<TAG_BITS> {
    /// A table with room for `entries` flows, rounded up to whole buckets, placed by `key`, which is 128
    /// secret random bits (fixed in replay).
    ///
    /// # Errors
    /// [`TableError`].
    pub fn new(entries: usize, key: [u8; 16]) -> Result<Self, TableError> {
        Self::with_pages(entries, key, PageKind::Huge)
    }

    /// The same on pages of a given kind, for measurements.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn with_pages(entries: usize, key: [u8; 16], kind: PageKind) -> Result<Self, TableError> {
        if !(ENTRIES_MIN..=ENTRIES_MAX).contains(&entries) {
            return Err(TableError::Entries(entries));
        }
        let buckets = entries.div_ceil(ENTRIES_PER_BUCKET);
        let memory = match kind {
            PageKind::Huge => (Pages::new(buckets + 1), Pages::new(buckets * ENTRIES_PER_BUCKET)),
            PageKind::Small => {
                (Pages::with_small_pages(buckets + 1), Pages::with_small_pages(buckets * ENTRIES_PER_BUCKET))
            }
        };
        let memory = Memory {
            hot: memory.0.map_err(TableError::Memory)?,
            cold: memory.1.map_err(TableError::Memory)?,
        };
        let table = Self {
            memory: Arc::new(memory),
            prf: Prf::new(key),
            buckets: u32::try_from(buckets).map_err(|_| TableError::Entries(entries))?,
            len: 0,
            now: 0,
            epoch: Epoch::FIRST,
            asks_again: false,
            met_now: Met::new(Epoch::FIRST, State::Established, 0),
            silences: Silences::from(FORGET_NEVER),
            sweep_next: 0,
        };
        table.write_header(key);
        Ok(table)
    }

    /// The key stands in the table's own memory, so that a table which outlives its process still opens.
    fn write_header(&self, key: [u8; 16]) {
        let [low, high] = [key.first_chunk::<8>(), key.last_chunk::<8>()]
            .map(|half| half.map_or(0, |h| u64::from_le_bytes(*h)));
        let words = [(MAGIC, LAYOUT_VERSION), (u64::from(self.buckets), u64::from(TAG_BITS)), (low, high)];
        if let (Some(header), Some(cold)) = (self.memory.hot.first(), self.memory.cold.first()) {
            for (entry, (tag, value)) in header.entries().zip(words) {
                entry.publish(cold, tag, value, &[]);
            }
        }
    }

    /// A handle that reads this table from any thread.
    #[must_use]
    pub fn reader(&self) -> FlowReader {
        FlowReader::new(Arc::clone(&self.memory), self.buckets)
    }

    /// Flows in the table, those that are silent for too long but not yet removed among them.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The tick that [`advance`](Self::advance) was last told.
    #[must_use]
    pub const fn now(&self) -> u64 {
        self.now
    }

    /// The epoch of the table that decides now.
    #[inline]
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Another table decides from now on, with these timeouts: every flow has to be confirmed when it is
    /// next met; and, if that table `asks_again`, once in each minute.
    pub fn begin_epoch(&mut self, timeouts: Timeouts, asks_again: bool) {
        self.asks_again = asks_again;
        self.epoch = self.epoch.next();
        self.met_now = Met::new(self.epoch, State::Established, self.now);
        self.silences = Silences::from(timeouts);
    }

    /// Room for flows.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.buckets as usize * ENTRIES_PER_BUCKET
    }

    /// What kind of pages the hot part is on.
    #[must_use]
    pub fn page_kind(&self) -> PageKind {
        self.memory.hot.kind()
    }

    /// Where a tuple's flow would be.
    #[inline]
    #[must_use]
    pub fn place(&self, tuple: &FiveTuple) -> Place {
        self.place_with(tuple, tuple.tail())
    }

    /// The same for whoever has the tuple's [`tail`](FiveTuple::tail) already.
    #[inline]
    #[must_use]
    pub fn place_with(&self, tuple: &FiveTuple, tail: u64) -> Place {
        let (tag, spread) = tuple_hash_with(&self.prf, tuple, tail);
        let tag = if TAG_BITS == 64 { tag } else { tag & ((1 << TAG_BITS) - 1) };
        Place::of((tag, spread), self.buckets)
    }

    /// The words that place a tuple here, and in every table with the same key.
    #[must_use]
    pub fn hash(&self, tuple: &FiveTuple) -> (u64, u64) {
        tuple_hash_with(&self.prf, tuple, tuple.tail())
    }

    /// Fetches the first bucket of a place.
    #[inline]
    pub fn prefetch(&self, place: Place) {
        if let Some(bucket) = self.memory.bucket(place.first) {
            mem::prefetch(bucket);
        }
    }

    /// Fetches the second bucket as well, for flows that are likely new.
    #[inline]
    pub fn prefetch_second(&self, place: Place) {
        if let Some(bucket) = self.memory.bucket(self.other(place.first, place.tag)) {
            mem::prefetch(bucket);
        }
    }

    /// Looks at the first bucket, which [`prefetch`](Self::prefetch) has fetched. If the flow is there, and
    /// one more packet of it that does not close it would change nothing, gives its value.
    ///
    /// Such a value holds until the flow is closed: what was met in this tick and is no embryonic flow is
    /// neither forgotten nor evicted, and where it is moved to does not matter to whoever has the value.
    #[inline]
    pub fn peek(&self, place: Place) -> Peek {
        let Some(bucket) = self.memory.bucket(place.first) else { return Peek::Elsewhere };
        let found = bucket.matches(place.tag);
        if found == 0 {
            self.fetch_for_insertion(place, bucket);
            return Peek::Elsewhere;
        }
        let at = lowest(found);
        let value = Value::from_bits(bucket.entry(at).value());
        let slot = Slot::new(place.first, at);
        if value.is_settled(self.met_now) { Peek::Settled(value, slot) } else { Peek::Here(slot) }
    }

    #[inline]
    fn fetch_for_insertion(&self, place: Place, bucket: &Bucket) {
        let likely = match bucket.matches(EMPTY) {
            0 => self.oldest_embryonic(place.first),
            free => Some(Slot::new(place.first, lowest(free))),
        };
        if let Some(cold) = likely.and_then(|slot| self.memory.cold(slot)) {
            cold.prefetch_write();
        }
        self.prefetch_second(place);
    }

    /// The usual packet: its flow is at `hint`, alive, and was decided under the current table. Counts as
    /// one more packet of the flow (`flags` of TCP, zero for all else).
    /// `None` says nothing about the flow; [`probe`](Self::probe) does.
    #[inline]
    pub fn hit(&mut self, place: Place, hint: Slot, flags: Flags) -> Option<Value> {
        let entry = self.memory.entry(hint)?;
        if entry.tag() != place.tag {
            return None;
        }
        let value = Value::from_bits(entry.value());
        // A flow that was met in this tick stays as it is: no age to look at, and no store, which would make
        // the line dirty.
        if value.is_settled(self.met_now) && !flags.closes() {
            return Some(value);
        }
        let is_usual = value.epoch() == self.epoch && !value.state().reopens(flags);
        if !is_usual || value.is_expired(self.now, &self.silences) {
            return None;
        }
        let touched = value.touched(value.state().next(flags), self.now);
        if touched != value {
            entry.set_value(touched.to_bits());
        }
        Some(value)
    }

    /// Looks a flow up, at `hint` first; one that was silent for too long is removed here.
    #[inline]
    pub fn probe(&mut self, place: Place, hint: Slot) -> Probe {
        let hinted = self.memory.entry(hint).filter(|entry| entry.tag() == place.tag);
        let (slot, entry) = match hinted {
            Some(entry) => (hint, entry),
            None => match self.find(place) {
                Some(found) => found,
                None => return Probe::Miss,
            },
        };
        let value = Value::from_bits(entry.value());
        if value.is_expired(self.now, &self.silences) {
            entry.clear();
            self.len -= 1;
            return Probe::Expired;
        }
        Probe::Hit(slot, value)
    }

    /// Writes the value of a flow that was just found, if it changed.
    #[inline]
    pub fn update(&mut self, slot: Slot, old: Value, new: Value) {
        if old != new
            && let Some(entry) = self.memory.entry(slot)
        {
            entry.set_value(new.to_bits());
        }
    }

    /// Puts a flow in that [`probe`](Self::probe) did not find.
    ///
    /// # Errors
    /// [`Full`]: the table degrades to choosing by hash alone.
    #[inline]
    pub fn insert(&mut self, place: Place, tuple: &FiveTuple, value: Value) -> Result<Inserted, Full> {
        let (slot, inserted) = self.make_room(place)?;
        if let (Some(entry), Some(cold)) = (self.memory.entry(slot), self.memory.cold(slot)) {
            let (words, len) = to_words(tuple);
            entry.publish(cold, place.tag, value.to_bits(), words.get(..len).unwrap_or(&words));
        }
        self.len += usize::from(inserted == Inserted::Free);
        Ok(inserted)
    }

    /// Time goes on to `now`, and the sweep looks at its share of the table for the ticks that passed: a
    /// 480th of the table for each, at most once around. Gives the number of flows forgotten.
    ///
    /// The share is paid at once, at the tick, so that what a packet meets depends on the packets and ticks
    /// before it and on nothing else. It is read in order, some 10 µs a million flows of room.
    pub fn advance(&mut self, now: u64) -> u64 {
        let passed = now.saturating_sub(self.now);
        self.now = self.now.max(now);
        self.met_now = Met::new(self.epoch, State::Established, self.now);
        if passed > SILENCE_TICKS_MAX {
            return self.forget_all();
        }
        let share = u64::from(self.buckets).div_ceil(SWEEP_TICKS);
        self.sweep((passed * share).min(u64::from(self.buckets)))
    }

    fn sweep(&mut self, buckets: u64) -> u64 {
        let mut removed = 0;
        for _ in 0..buckets {
            if let Some(bucket) = self.memory.bucket(self.sweep_next) {
                for entry in bucket.entries() {
                    removed +=
                        u64::from(is_gone(entry, self.now, (self.epoch, self.asks_again), &self.silences));
                }
            }
            self.sweep_next = if self.sweep_next + 1 < self.buckets { self.sweep_next + 1 } else { 0 };
        }
        self.len -= usize::try_from(removed).unwrap_or(self.len).min(self.len);
        removed
    }

    fn forget_all(&mut self) -> u64 {
        for bucket in self.memory.hot.iter().skip(1) {
            for entry in bucket.entries() {
                entry.clear();
            }
        }
        std::mem::take(&mut self.len) as u64
    }

    #[inline]
    pub(crate) fn other(&self, bucket: u32, tag: u64) -> u32 {
        place::other(bucket, tag, self.buckets)
    }

    #[inline]
    fn find(&self, place: Place) -> Option<(Slot, Entry<'_>)> {
        let found = self.memory.bucket(place.first)?.matches(place.tag);
        let slot = if found != 0 {
            Slot::new(place.first, lowest(found))
        } else {
            let second = self.other(place.first, place.tag);
            match self.memory.bucket(second)?.matches(place.tag) {
                0 => return None,
                found => Slot::new(second, lowest(found)),
            }
        };
        Some((slot, self.memory.entry(slot)?))
    }
}

#[inline]
pub(crate) const fn lowest(bits: u32) -> u32 {
    bits.trailing_zeros()
}

/// Removes an entry that was silent for too long; one that was decided many tables ago is marked, before
/// its epoch's number comes again, and any is where each is to be asked for again.
fn is_gone(entry: Entry<'_>, now: u64, (epoch, asks_again): (Epoch, bool), silences: &Silences) -> bool {
    if entry.tag() == EMPTY {
        return false;
    }
    let value = Value::from_bits(entry.value());
    if value.is_expired(now, silences) {
        entry.clear();
        return true;
    }
    if value.epoch().is_of_a_table() && (asks_again || epoch.is_far_from(value.epoch())) {
        entry.set_value(value.stale().to_bits());
    }
    false
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
