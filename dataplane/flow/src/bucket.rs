//! One cache line of four flows, the cold tuples beside it, and the protocol between the one writer and
//! the readers on other cores.

use wire::{Family, FiveTuple};

use crate::sync::{AtomicU64, Ordering, fence};

/// Flows in one cache line.
pub const ENTRIES_PER_BUCKET: usize = 4;

/// Hot bytes of one entry, full or empty.
pub const HOT_BYTES_PER_ENTRY: usize = size_of::<Bucket>() / ENTRIES_PER_BUCKET;

/// A tag that no flow has: the entry is empty.
pub(crate) const EMPTY: u64 = 0;

/// Four entries: their tags, then their values.
#[derive(Debug)]
#[cfg_attr(not(loom), derive(zerocopy::FromZeros))]
#[cfg_attr(not(loom), repr(C, align(64)))]
pub(crate) struct Bucket {
    tags: [AtomicU64; ENTRIES_PER_BUCKET],
    values: [AtomicU64; ENTRIES_PER_BUCKET],
}

/// One entry of a bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'b> {
    tag: &'b AtomicU64,
    value: &'b AtomicU64,
}

impl Bucket {
    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        let words = || std::array::from_fn(|_| AtomicU64::new(0));
        Self { tags: words(), values: words() }
    }

    /// One of the four; the number is taken modulo four.
    #[inline]
    pub(crate) fn entry(&self, at: u32) -> Entry<'_> {
        let at = at as usize % ENTRIES_PER_BUCKET;
        let [tag, ..] = &self.tags;
        let [value, ..] = &self.values;
        // Never out of range, and the compiler knows it.
        Entry { tag: self.tags.get(at).unwrap_or(tag), value: self.values.get(at).unwrap_or(value) }
    }

    /// All four, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.tags.iter().zip(&self.values).map(|(tag, value)| Entry { tag, value })
    }

    /// One bit per entry with that tag.
    #[inline]
    #[cfg(not(loom))]
    pub(crate) fn matches(&self, tag: u64) -> u32 {
        mem::equal_lanes(&self.tags, tag)
    }
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Bucket>() == 64);

/// The exact tuple of the entry at the same index, in five words.
#[derive(Debug)]
#[cfg_attr(not(loom), derive(zerocopy::FromZeros))]
#[repr(C)]
pub(crate) struct Cold {
    words: [AtomicU64; COLD_WORDS],
}

pub(crate) const COLD_WORDS: usize = 5;

/// What a reader found in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Empty,
    /// The writer was busy with it; a walker comes by again.
    Changing,
    Flow {
        value: u64,
        tuple: [u64; COLD_WORDS],
    },
}

impl Entry<'_> {
    /// The tag, for its writer.
    #[inline]
    pub(crate) fn tag(&self) -> u64 {
        self.tag.load(Ordering::Relaxed)
    }

    /// The value, for its writer.
    #[inline]
    pub(crate) fn value(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }

    /// Changes the value of a flow that stays: one word, so a reader sees the old or the new.
    #[inline]
    pub(crate) fn set_value(&self, value: u64) {
        self.value.store(value, Ordering::Relaxed);
    }

    /// Empties the entry.
    #[inline]
    pub(crate) fn clear(&self) {
        self.tag.store(EMPTY, Ordering::Release);
    }

    /// Puts a flow in: tag cleared, tuple and value written, tag published. A reader that saw any of the
    /// new words sees the cleared or the new tag in its second look, by the two fences.
    #[inline]
    pub(crate) fn publish(&self, cold: &Cold, tag: u64, value: u64, tuple: &[u64]) {
        self.tag.store(EMPTY, Ordering::Relaxed);
        fence(Ordering::Release);
        for (word, bits) in cold.words.iter().zip(tuple) {
            word.store(*bits, Ordering::Relaxed);
        }
        self.value.store(value, Ordering::Relaxed);
        self.tag.store(tag, Ordering::Release);
    }

    /// A reader's look from any core.
    pub(crate) fn look(&self, cold: &Cold) -> Seen {
        let before = self.tag.load(Ordering::Acquire);
        if before == EMPTY {
            return Seen::Empty;
        }
        let value = self.value.load(Ordering::Relaxed);
        let tuple = cold.load();
        fence(Ordering::Acquire);
        if self.tag.load(Ordering::Relaxed) == before { Seen::Flow { value, tuple } } else { Seen::Changing }
    }
}

impl Cold {
    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self { words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Fetches what an IPv4 flow's insertion writes.
    #[inline]
    #[cfg(not(loom))]
    pub(crate) fn prefetch_write(&self) {
        let [first, second, ..] = &self.words;
        mem::prefetch_write(first);
        mem::prefetch_write(second);
    }

    pub(crate) fn load(&self) -> [u64; COLD_WORDS] {
        let mut tuple = [0; COLD_WORDS];
        for (into, word) in tuple.iter_mut().zip(&self.words) {
            *into = word.load(Ordering::Relaxed);
        }
        tuple
    }
}

/// Words that say all of an IPv4 tuple; the rest is IPv6's. An IPv4 flow's insertion thus writes 16 bytes,
/// which seldom lie in two lines.
const COLD_WORDS_V4: usize = 2;

/// A tuple as five words, and how many of them say it.
///
/// ```text
/// IPv4: source | destination << 32, rest
/// IPv6: source (low half), rest, source (high), destination (low, high)
/// rest: source port | destination port << 16 | protocol << 32 | family << 40
/// ```
#[inline]
pub(crate) fn to_words(tuple: &FiveTuple) -> ([u64; COLD_WORDS], usize) {
    let rest = u64::from(tuple.source_port)
        | u64::from(tuple.destination_port) << 16
        | u64::from(tuple.protocol) << 32
        | (tuple.family as u64) << 40;
    match tuple.family {
        Family::V4 => {
            let [a, b, c, d, ..] = tuple.source;
            let [e, f, g, h, ..] = tuple.destination;
            ([u64::from_le_bytes([a, b, c, d, e, f, g, h]), rest, 0, 0, 0], COLD_WORDS_V4)
        }
        Family::V6 => {
            let [source_low, source_high] = halves(u128::from_le_bytes(tuple.source));
            let [low, high] = halves(u128::from_le_bytes(tuple.destination));
            ([source_low, rest, source_high, low, high], COLD_WORDS)
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a half is taken")]
const fn halves(wide: u128) -> [u64; 2] {
    [wide as u64, (wide >> 64) as u64]
}

/// And back.
#[allow(clippy::cast_possible_truncation, reason = "fields are taken out of their bits")]
pub(crate) fn from_words(words: [u64; COLD_WORDS]) -> FiveTuple {
    let [first, rest, source_high, low, high] = words;
    let join = |low: u64, high: u64| (u128::from(high) << 64 | u128::from(low)).to_le_bytes();
    let (source, destination, family) = if (rest >> 40) as u8 == Family::V6 as u8 {
        (join(first, source_high), join(low, high), Family::V6)
    } else {
        (join(first & 0xffff_ffff, 0), join(first >> 32, 0), Family::V4)
    };
    FiveTuple {
        source,
        destination,
        source_port: rest as u16,
        destination_port: (rest >> 16) as u16,
        protocol: (rest >> 32) as u8,
        family,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{from_words, to_words};
    use proptest::prelude::{any, proptest};
    use wire::{Family, FiveTuple};

    proptest! {
        #[test]
        fn a_tuple_comes_back_from_its_words(source in any::<[u8; 16]>(), destination in any::<[u8; 16]>(), ports in any::<(u16, u16)>(), protocol in any::<u8>(), six in any::<bool>()) {
            let mut tuple = FiveTuple {
                source, destination, protocol,
                source_port: ports.0, destination_port: ports.1,
                family: if six { Family::V6 } else { Family::V4 },
            };
            if !six {
                tuple.source[4..].fill(0);
                tuple.destination[4..].fill(0);
            }
            let (mut words, len) = to_words(&tuple);
            words[len..].fill(u64::MAX);
            assert_eq!(from_words(words), tuple);
        }
    }
}

/// Every interleaving of a writer that replaces a flow and a reader that looks at it:
/// `RUSTFLAGS="--cfg loom" cargo test -p flow --release`.
#[cfg(all(test, loom))]
mod loom_tests {
    use super::{Bucket, COLD_WORDS, Cold, Seen};
    use loom::sync::Arc;

    #[test]
    fn a_reader_never_sees_one_flow_with_the_other_s_tuple_or_real() {
        loom::model(|| {
            let shared = Arc::new((Bucket::new(), Cold::new()));
            shared.0.entry(0).publish(&shared.1, 1, 10, &[100; COLD_WORDS]);
            let writer = {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || shared.0.entry(0).publish(&shared.1, 2, 20, &[200; COLD_WORDS]))
            };
            match shared.0.entry(0).look(&shared.1) {
                Seen::Empty | Seen::Changing => {}
                Seen::Flow { value: 10, tuple } => assert_eq!(tuple, [100; COLD_WORDS]),
                Seen::Flow { value: 20, tuple } => assert_eq!(tuple, [200; COLD_WORDS]),
                other => panic!("{other:?}"),
            }
            writer.join().unwrap();
        });
    }

    #[test]
    fn a_value_that_changes_in_place_is_seen_whole() {
        loom::model(|| {
            let shared = Arc::new((Bucket::new(), Cold::new()));
            shared.0.entry(0).publish(&shared.1, 1, 10, &[100; COLD_WORDS]);
            let writer = {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || {
                    shared.0.entry(0).set_value(11);
                    shared.0.entry(0).clear();
                })
            };
            match shared.0.entry(0).look(&shared.1) {
                Seen::Empty | Seen::Changing => {}
                Seen::Flow { value, tuple } => {
                    assert!(value == 10 || value == 11);
                    assert_eq!(tuple, [100; COLD_WORDS]);
                }
            }
            writer.join().unwrap();
        });
    }
}
