//! Where everything stands in a region.
//!
//! ```text
//! header, one page: magic | layout version | layout hash | boot id | workers | ring capacity | counter words
//! per worker, from a page boundary on:
//!     command ring   control core -> worker
//!     report ring    worker -> control core
//!     heartbeat      one word with a pair of cache lines to itself
//!     counter page   sequence word, counters
//! ```
//! All words are 64 bits in the machine's order. The numbers in the header are read once, checked, and kept
//! in memory of our own; the shared copy is never looked at again.

use crate::counters::{COUNTERS_WORD, page_words};
use crate::error::Error;
use crate::primitive::{AtomicU64, Ordering};
use crate::ring::{HEAD_WORD, PAD_WORDS, RECORD_WORDS, SLOTS_WORD, TAIL_WORD, ring_words};

/// The version of this layout. Another one is refused.
pub const LAYOUT_VERSION: u64 = 1;

/// Workers in a region.
pub const WORKERS_MAX: usize = 1024;

/// Records in a ring.
pub const RING_CAPACITY_MAX: usize = 1 << 20;

/// Counters on a page.
pub const COUNTER_WORDS_MAX: usize = 1 << 24;

/// "PENSTOCK" as its bytes stand in memory.
const MAGIC: u64 = u64::from_ne_bytes(*b"PENSTOCK");

const PAGE_WORDS: usize = 4096 / size_of::<u64>();
const HEADER_WORDS: usize = PAGE_WORDS;

// The largest region's length in bytes is far from overflowing.
const _: () = assert!(size_of::<usize>() == 8);
const _: () = assert!(WORKERS_MAX * (2 * ring_words(RING_CAPACITY_MAX) + COUNTER_WORDS_MAX) < 1 << 40);

/// A fingerprint of the constants that say where things stand: FNV-1a over them. It differs where somebody
/// changed one and forgot the version.
const LAYOUT_HASH: u64 = {
    let constants = [
        LAYOUT_VERSION,
        HEADER_WORDS as u64,
        PAGE_WORDS as u64,
        PAD_WORDS as u64,
        RECORD_WORDS as u64,
        TAIL_WORD as u64,
        HEAD_WORD as u64,
        SLOTS_WORD as u64,
        COUNTERS_WORD as u64,
    ];
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut rest: &[u64] = &constants;
    while let [constant, after @ ..] = rest {
        hash = (hash ^ *constant).wrapping_mul(0x0100_0000_01b3);
        rest = after;
    }
    hash
};

/// How many of everything a region has, within the bounds above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) workers: usize,
    pub(crate) ring_capacity: usize,
    pub(crate) counter_words: usize,
}

/// Where the parts of one worker begin, in words from the region's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) commands: usize,
    pub(crate) reports: usize,
    pub(crate) heartbeat: usize,
    pub(crate) counters: usize,
    end: usize,
}

impl Shape {
    /// Checks the three numbers, wherever they come from.
    pub(crate) fn new(workers: u64, ring_capacity: u64, counter_words: u64) -> Result<Self, Error> {
        let bounded = |what, found: u64, min: usize, max: usize, must_be| {
            let value = usize::try_from(found).ok().filter(|value| (min..=max).contains(value));
            value.ok_or(Error::Shape { what, found, must_be })
        };
        let ring = "a power of two of at most 1048576";
        let shape = Self {
            workers: bounded("number of workers", workers, 1, WORKERS_MAX, "1 to 1024")?,
            ring_capacity: bounded("ring capacity", ring_capacity, 1, RING_CAPACITY_MAX, ring)?,
            counter_words: bounded(
                "number of counters",
                counter_words,
                0,
                COUNTER_WORDS_MAX,
                "at most 16777216",
            )?,
        };
        if !shape.ring_capacity.is_power_of_two() {
            return Err(Error::Shape { what: "ring capacity", found: ring_capacity, must_be: ring });
        }
        Ok(shape)
    }

    /// Where worker `index` has its parts, or `None` if there is no such worker.
    pub(crate) fn block(&self, index: usize) -> Option<Block> {
        (index < self.workers).then(|| self.block_at(HEADER_WORDS + index * self.block_words()))
    }

    fn block_at(&self, at: usize) -> Block {
        let commands = at;
        let reports = commands + ring_words(self.ring_capacity).next_multiple_of(PAD_WORDS);
        let heartbeat = reports + ring_words(self.ring_capacity).next_multiple_of(PAD_WORDS);
        let counters = heartbeat + PAD_WORDS;
        let end = counters + page_words(self.counter_words);
        Block { commands, reports, heartbeat, counters, end }
    }

    fn block_words(&self) -> usize {
        self.block_at(0).end.next_multiple_of(PAGE_WORDS)
    }

    /// The whole region's length in bytes: whole pages.
    pub(crate) fn bytes(&self) -> usize {
        (HEADER_WORDS + self.workers * self.block_words()) * size_of::<u64>()
    }

    /// Writes the header of a new region.
    pub(crate) fn write(&self, words: &[AtomicU64], boot_id: u64) {
        let header = [
            MAGIC,
            LAYOUT_VERSION,
            LAYOUT_HASH,
            boot_id,
            self.workers as u64,
            self.ring_capacity as u64,
            self.counter_words as u64,
        ];
        for (word, value) in words.iter().zip(header) {
            word.store(value, Ordering::Release);
        }
    }

    /// Reads and checks the header of somebody else's region.
    pub(crate) fn read(words: &[AtomicU64], boot_id: u64) -> Result<Self, Error> {
        let header = words.first_chunk::<7>().ok_or(Error::NotARegion)?;
        let [magic, version, hash, boot, workers, ring_capacity, counter_words] =
            header.each_ref().map(|word| word.load(Ordering::Acquire));
        if magic != MAGIC {
            return Err(Error::NotARegion);
        }
        if version != LAYOUT_VERSION {
            return Err(Error::LayoutVersion { found: version, expected: LAYOUT_VERSION });
        }
        if hash != LAYOUT_HASH {
            return Err(Error::LayoutHash { found: hash, expected: LAYOUT_HASH });
        }
        if boot != boot_id {
            return Err(Error::BootId { found: boot, expected: boot_id });
        }
        let shape = Self::new(workers, ring_capacity, counter_words)?;
        let found = size_of_val(words);
        if found != shape.bytes() {
            return Err(Error::Length { found, expected: shape.bytes() });
        }
        Ok(shape)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::{COUNTER_WORDS_MAX, PAD_WORDS, RING_CAPACITY_MAX, Shape, WORKERS_MAX};
    use crate::counters::page_words;
    use crate::ring::ring_words;

    proptest! {
        #[test]
        fn parts_follow_one_another_and_stay_in_the_region(workers in 1_u64..20, log in 0_u32..8, counters in 0_u64..3000) {
            let shape = Shape::new(workers, 1 << log, counters).expect("within bounds");
            let mut free = 512;
            for index in 0..shape.workers {
                let block = shape.block(index).expect("a worker");
                assert!(block.commands >= free && block.commands.is_multiple_of(512));
                assert!(block.reports >= block.commands + ring_words(shape.ring_capacity));
                assert!(block.heartbeat >= block.reports + ring_words(shape.ring_capacity));
                assert!(block.counters >= block.heartbeat + PAD_WORDS);
                free = block.counters + page_words(shape.counter_words);
                assert!([block.reports, block.heartbeat, block.counters].iter().all(|at| at.is_multiple_of(PAD_WORDS)));
            }
            assert!(free * 8 <= shape.bytes() && shape.bytes().is_multiple_of(4096));
            assert_eq!(shape.block(shape.workers), None);
        }

        #[test]
        fn any_three_numbers_are_a_shape_or_a_refusal(workers: u64, capacity: u64, counters: u64) {
            if let Ok(shape) = Shape::new(workers, capacity, counters) {
                assert!(shape.workers <= WORKERS_MAX && shape.bytes() < 1 << 43);
            }
        }
    }

    #[test]
    fn bounds_are_where_they_are_said_to_be() {
        let (workers, capacity, counters) =
            (WORKERS_MAX as u64, RING_CAPACITY_MAX as u64, COUNTER_WORDS_MAX as u64);
        assert!(Shape::new(workers, capacity, counters).is_ok());
        assert!(Shape::new(1, 1, 0).is_ok());
        for wrong in [
            (0, 1, 1),
            (workers + 1, 1, 1),
            (1, 0, 1),
            (1, 3, 1),
            (1, capacity * 2, 1),
            (1, 1, counters + 1),
            (u64::MAX, u64::MAX, u64::MAX),
        ] {
            assert!(Shape::new(wrong.0, wrong.1, wrong.2).is_err(), "{wrong:?}");
        }
    }
}
