//! One worker's counters and heartbeat, written by it alone and read by anybody.
//!
//! A single counter may be read at any time. Counters that must agree with each other (`rx = tx + Σ drop +
//! Σ punt`) are read as a snapshot, by a sequence word that is odd while the worker writes. The worker never
//! waits; a reader that is unlucky, or whose writer died while writing, gives up after a few attempts.
//!
//! Orderings after Boehm, "Can seqlocks get along with programming language memory models?" (MSPC 2012).

use crate::primitive::{Arc, AtomicU64, Ordering, fence, yield_now};
use crate::view::{Store, View};

/// How often a snapshot is tried. Writing takes microseconds and happens some times a second, so a second
/// attempt is rare and a third should not be.
const SNAPSHOT_ATTEMPTS: usize = if cfg!(loom) { 2 } else { 16 };

/// The sequence word has a pair of cache lines to itself; the counters come after it.
pub(crate) const COUNTERS_WORD: usize = 16;

/// How many words a page of that many counters takes.
pub(crate) const fn page_words(counters: usize) -> usize {
    COUNTERS_WORD + counters
}

/// No consistent snapshot could be had now: the worker was writing at every attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl core::fmt::Display for Busy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the counters were being written at every attempt to read them together")
    }
}

impl core::error::Error for Busy {}

struct Page {
    sequence: View<AtomicU64>,
    counters: View<[AtomicU64]>,
}

impl Page {
    fn new(store: &Arc<Store>, at: usize, counters: usize) -> Option<Self> {
        Some(Self {
            sequence: View::new(store, |words| words.get(at))?,
            counters: View::new(store, |words| words.get(at..)?.get(COUNTERS_WORD..)?.get(..counters))?,
        })
    }
}

/// The worker's end of its counter page.
pub struct CounterWriter {
    page: Page,
    /// Even: how often something was published, twice.
    sequence: u64,
}

impl CounterWriter {
    pub(crate) fn new(store: &Arc<Store>, at: usize, counters: usize) -> Option<Self> {
        let page = Page::new(store, at, counters)?;
        // Odd if an earlier owner died while writing; the next publication makes it even.
        let sequence = page.sequence.load(Ordering::Relaxed) & !1;
        Some(Self { page, sequence })
    }

    /// Replaces the first counters of the page by these. Returns how many were written: all, unless the page
    /// is shorter.
    pub fn publish(&mut self, counters: &[u64]) -> usize {
        self.publish_parts(&[counters])
    }

    /// As [`CounterWriter::publish`] with the parts one behind the other, as one publication.
    pub fn publish_parts(&mut self, parts: &[&[u64]]) -> usize {
        self.page.sequence.store(self.sequence.wrapping_add(1), Ordering::Relaxed);
        // Whoever reads one of the values below with the matching fence behind it also sees the odd number.
        fence(Ordering::Release);
        let mut written = 0;
        let values = parts.iter().copied().flatten();
        for (word, value) in self.page.counters.iter().zip(values) {
            word.store(*value, Ordering::Relaxed);
            written += 1;
        }
        self.sequence = self.sequence.wrapping_add(2);
        self.page.sequence.store(self.sequence, Ordering::Release);
        written
    }

    /// How many counters the page has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.page.counters.len()
    }

    /// Whether the page has no counter at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The other end of a worker's counter page.
pub struct CounterReader(Page);

impl CounterReader {
    pub(crate) fn new(store: &Arc<Store>, at: usize, counters: usize) -> Option<Self> {
        Page::new(store, at, counters).map(Self)
    }

    /// One counter as last published, or `None` past the page's end.
    #[must_use]
    pub fn read(&self, index: usize) -> Option<u64> {
        self.0.counters.get(index).map(|word| word.load(Ordering::Relaxed))
    }

    /// Fills `into` from the first counter on, all of one publication. Counters past the page's end are zero.
    ///
    /// # Errors
    /// [`Busy`] after some attempts; what is in `into` then means nothing.
    pub fn snapshot(&self, into: &mut [u64]) -> Result<(), Busy> {
        for attempt in 0..SNAPSHOT_ATTEMPTS {
            if attempt > 0 {
                yield_now();
            }
            let before = self.0.sequence.load(Ordering::Acquire);
            if before % 2 == 1 {
                continue;
            }
            into.fill(0);
            for (value, word) in into.iter_mut().zip(self.0.counters.iter()) {
                *value = word.load(Ordering::Relaxed);
            }
            fence(Ordering::Acquire);
            if self.0.sequence.load(Ordering::Relaxed) == before {
                return Ok(());
            }
        }
        Err(Busy)
    }

    /// How many counters the page has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.counters.len()
    }

    /// Whether the page has no counter at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The worker's end of its heartbeat.
pub struct HeartbeatWriter(View<AtomicU64>);

impl HeartbeatWriter {
    pub(crate) fn new(store: &Arc<Store>, at: usize) -> Option<Self> {
        View::new(store, |words| words.get(at)).map(Self)
    }

    /// Leaves a value that differs from the last one, such as the tick.
    pub fn beat(&mut self, value: u64) {
        self.0.store(value, Ordering::Release);
    }
}

/// The other end of a worker's heartbeat.
pub struct HeartbeatReader(View<AtomicU64>);

impl HeartbeatReader {
    pub(crate) fn new(store: &Arc<Store>, at: usize) -> Option<Self> {
        View::new(store, |words| words.get(at)).map(Self)
    }

    /// What the worker last left; 0 before its first beat.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

#[cfg(test)]
#[cfg(loom)]
mod loom_tests;
#[cfg(test)]
#[cfg(not(loom))]
mod tests;
