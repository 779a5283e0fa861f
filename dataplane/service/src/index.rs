//! The index of VIPs: one perfect hash per family for prefixes of every length.
//!
//! A lookup reads, in order:
//!
//! 1. one word of the *screen*, chosen by the address's first 24 (IPv4) or 48 bits (IPv6): a bit for each
//!    prefix length in use, longest first, that may hold such an address. Packets for no VIP mostly stop
//!    here, and lengths that cannot match are not tried.
//! 2. for each length left, the *pilot* of the key's bucket (16 bits, four keys to a bucket), and
//! 3. the one *entry* that key can be in. There is no second probe: the pilots were chosen when the table
//!    was built so that no two keys meet. (Pilots and buckets: Pibiri and Trani, PTHash, SIGIR 2021.)
//!
//! Lengths beyond the 63rd in use share the last bit of the screen.
//! The hash has a seed, but only so that the build may try another: VIPs are the operator's.

use wire::Family;

use crate::layout::{Entry4, Entry6, LENGTH_EMPTY};
use crate::limits::INDEX_SEEDS_MAX;

const MIX_1: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX_2: u64 = 0xd6e8_feb8_6659_fd93;

/// Words of a screen are at most this many.
const SCREEN_BITS_MAX: u32 = 12;
/// And at least this many.
const SCREEN_BITS_MIN: u32 = 6;
/// The last bit of a screen's word.
const RANK_SHARED: u32 = 63;

/// An address as a number.
pub(crate) trait Key: Copy + Eq + Ord {
    /// Whose address it is.
    const FAMILY: Family;
    /// Bits of it.
    const BITS: u8;
    /// Bits of it that choose a word of the screen.
    const SCREEN: u8;
    /// The address as it stands in a five-tuple.
    fn of(packed: &[u8; 16]) -> Self;
    /// The network of that length.
    fn network(self, length: u8) -> Self;
    /// Its hash as a network of that length.
    fn hash(self, length: u8, seed: u64) -> u64;
    /// Its first [`Self::SCREEN`] bits.
    fn top(self) -> u64;
    /// The address whose first bits are those.
    fn from_top(top: u64) -> Self;
}

impl Key for u32 {
    const FAMILY: Family = Family::V4;
    const BITS: u8 = 32;
    const SCREEN: u8 = 24;

    #[inline]
    fn of(packed: &[u8; 16]) -> Self {
        let [a, b, c, d, ..] = *packed;
        Self::from_be_bytes([a, b, c, d])
    }

    #[inline]
    fn network(self, length: u8) -> Self {
        self & Self::MAX.checked_shl(32_u32.saturating_sub(u32::from(length))).unwrap_or(0)
    }

    #[inline]
    fn hash(self, length: u8, seed: u64) -> u64 {
        folded((u64::from(self) | u64::from(length) << 32) ^ seed, MIX_1)
    }

    #[inline]
    fn top(self) -> u64 {
        u64::from(self >> 8)
    }

    fn from_top(top: u64) -> Self {
        u32::try_from(top).unwrap_or_default() << 8
    }
}

impl Key for u128 {
    const FAMILY: Family = Family::V6;
    const BITS: u8 = 128;
    const SCREEN: u8 = 48;

    #[inline]
    fn of(packed: &[u8; 16]) -> Self {
        Self::from_be_bytes(*packed)
    }

    #[inline]
    fn network(self, length: u8) -> Self {
        self & Self::MAX.checked_shl(128_u32.saturating_sub(u32::from(length))).unwrap_or(0)
    }

    #[inline]
    fn hash(self, length: u8, seed: u64) -> u64 {
        let (high, low) = halves(self);
        folded(folded(high ^ seed, MIX_1) ^ low.rotate_left(32) ^ u64::from(length), MIX_2)
    }

    #[inline]
    fn top(self) -> u64 {
        halves(self).0 >> 16
    }

    fn from_top(top: u64) -> Self {
        Self::from(top) << 80
    }
}

/// An entry of an index.
pub(crate) trait Entry: Copy + PartialEq {
    /// The family's address.
    type Key: Key;
    /// Holds nothing.
    const EMPTY: Self;
    /// Holds a network.
    fn new(key: Self::Key, cell: u64, run: u32) -> Self;
    /// The network.
    fn key(&self) -> Self::Key;
    /// Its first interval of ports, and the prefix length in the top byte.
    fn cell(&self) -> u64;
    /// Place of its run, or 0.
    fn run(&self) -> u32;
    /// Its prefix length, or [`LENGTH_EMPTY`].
    #[inline]
    fn length(&self) -> u8 {
        (self.cell() >> 56) as u8
    }
}

impl Entry for Entry4 {
    type Key = u32;
    const EMPTY: Self = Self { key: 0, run: 0, cell: (LENGTH_EMPTY as u64) << 56 };

    fn new(key: u32, cell: u64, run: u32) -> Self {
        Self { key, run, cell }
    }

    #[inline]
    fn key(&self) -> u32 {
        self.key
    }

    #[inline]
    fn cell(&self) -> u64 {
        self.cell
    }

    #[inline]
    fn run(&self) -> u32 {
        self.run
    }
}

impl Entry for Entry6 {
    type Key = u128;
    const EMPTY: Self = Self { key: [0; 2], cell: (LENGTH_EMPTY as u64) << 56, run: 0, spare: 0 };

    fn new(key: u128, cell: u64, run: u32) -> Self {
        let (high, low) = halves(key);
        Self { key: [high, low], cell, run, spare: 0 }
    }

    #[inline]
    fn key(&self) -> u128 {
        let [high, low] = self.key;
        u128::from(high) << 64 | u128::from(low)
    }

    #[inline]
    fn cell(&self) -> u64 {
        self.cell
    }

    #[inline]
    fn run(&self) -> u32 {
        self.run
    }
}

/// One family's index, in place.
#[derive(Clone, Copy)]
pub(crate) struct Index<'t, E> {
    pub(crate) seed: u64,
    pub(crate) lengths: &'t [u8],
    pub(crate) screen: &'t [u64],
    pub(crate) pilots: &'t [u16],
    pub(crate) entries: &'t [E],
}

impl<'t, E: Entry> Index<'t, E> {
    /// Whether any prefix may hold the address.
    #[inline]
    pub(crate) fn may_hold(&self, address: E::Key) -> bool {
        self.screen.get(screen_place(address, self.screen.len())).is_some_and(|ranks| *ranks != 0)
    }

    /// The longest prefix that holds the address.
    #[inline]
    pub(crate) fn find(&self, address: E::Key) -> Option<&'t E> {
        let mut ranks = *self.screen.get(screen_place(address, self.screen.len()))?;
        while ranks != 0 {
            let rank = ranks.trailing_zeros();
            if rank == RANK_SHARED {
                return self.find_among_many(address);
            }
            if let Some(found) = self.find_length(address, *self.lengths.get(rank as usize)?) {
                return Some(found);
            }
            ranks &= ranks - 1;
        }
        None
    }

    #[cold]
    fn find_among_many(&self, address: E::Key) -> Option<&'t E> {
        let lengths = self.lengths.get(RANK_SHARED as usize..)?;
        lengths.iter().find_map(|length| self.find_length(address, *length))
    }

    /// The prefix of that length that holds the address.
    #[inline]
    pub(crate) fn find_length(&self, address: E::Key, length: u8) -> Option<&'t E> {
        let network = address.network(length);
        let hash = network.hash(length, self.seed);
        let pilot = *self.pilots.get(bucket(hash, self.pilots.len()))?;
        let entry = self.entries.get(place(hash, pilot, self.entries.len()))?;
        (entry.key() == network && entry.length() == length).then_some(entry)
    }
}

/// An index as it is built.
pub(crate) struct BuiltIndex<E> {
    pub(crate) keys: u64,
    pub(crate) seed: u64,
    pub(crate) lengths: Vec<u8>,
    pub(crate) screen: Vec<u64>,
    pub(crate) pilots: Vec<u16>,
    pub(crate) entries: Vec<E>,
}

impl<E: Entry> BuiltIndex<E> {
    /// The index of entries whose networks are all different; `None` if no seed will do.
    pub(crate) fn new(content: &[E]) -> Option<Self> {
        let mut lengths: Vec<u8> = content.iter().map(Entry::length).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        lengths.dedup();
        let screen = screen(content, &lengths);
        (0..INDEX_SEEDS_MAX).find_map(|seed| {
            let seed = seed.wrapping_add(1).wrapping_mul(MIX_2);
            let (pilots, entries) = placed(content, seed)?;
            Some(Self {
                keys: content.len() as u64,
                seed,
                lengths: lengths.clone(),
                screen: screen.clone(),
                pilots,
                entries,
            })
        })
    }
}

/// How many words the screen of so many keys has.
pub(crate) fn screen_len(keys: usize) -> usize {
    match keys {
        0 => 0,
        keys => keys.saturating_mul(4).next_power_of_two().clamp(1 << SCREEN_BITS_MIN, 1 << SCREEN_BITS_MAX),
    }
}

/// How many entries the index of so many keys has: four fifths are used.
pub(crate) fn entries_len(keys: usize) -> usize {
    keys.saturating_add(keys.div_ceil(4))
}

/// How many pilots the index of so many keys has.
pub(crate) fn pilots_len(keys: usize) -> usize {
    keys.div_ceil(4)
}

/// The ranks' bits as every key's network needs them.
pub(crate) fn screen<E: Entry>(content: &[E], lengths: &[u8]) -> Vec<u64> {
    let mut words = vec![0_u64; screen_len(content.len())];
    for entry in content {
        let rank = lengths.iter().position(|length| *length == entry.length()).unwrap_or_default();
        let bit = 1_u64 << rank.min(RANK_SHARED as usize);
        let open = u32::from(E::Key::SCREEN.saturating_sub(entry.length()));
        if open >= SCREEN_BITS_MAX || 1 << open >= words.len() {
            words.iter_mut().for_each(|word| *word |= bit);
            continue;
        }
        for top in (0..1_u64 << open).map(|below| entry.key().top() | below) {
            let place = screen_place(E::Key::from_top(top), words.len());
            if let Some(word) = words.get_mut(place) {
                *word |= bit;
            }
        }
    }
    words
}

/// Pilots, largest bucket first, each the smallest that puts all its keys on free places.
fn placed<E: Entry>(content: &[E], seed: u64) -> Option<(Vec<u16>, Vec<E>)> {
    let mut pilots = vec![0_u16; pilots_len(content.len())];
    let mut entries = vec![E::EMPTY; entries_len(content.len())];
    let mut keys: Vec<(usize, u64, &E)> = content
        .iter()
        .map(|entry| (entry.key().hash(entry.length(), seed), entry))
        .map(|(hash, entry)| (bucket(hash, pilots.len()), hash, entry))
        .collect();
    keys.sort_unstable_by_key(|(bucket, hash, _)| (*bucket, *hash));
    let mut buckets: Vec<_> = keys.chunk_by(|(a, ..), (b, ..)| a == b).collect();
    buckets.sort_by_key(|bucket| core::cmp::Reverse(bucket.len()));
    let mut places = Vec::new();
    for keys in buckets {
        let pilot = (0..=u16::MAX).find(|pilot| {
            places.clear();
            places.extend(keys.iter().map(|(_, hash, _)| place(*hash, *pilot, entries.len())));
            let free = places.iter().all(|at| entries.get(*at).is_some_and(|e| e.length() == LENGTH_EMPTY));
            places.sort_unstable();
            free && places.windows(2).all(|pair| pair.first() != pair.last())
        })?;
        for (bucket, hash, entry) in keys {
            *pilots.get_mut(*bucket)? = pilot;
            *entries.get_mut(place(*hash, pilot, entries_len(content.len())))? = **entry;
        }
    }
    Some((pilots, entries))
}

#[inline]
fn screen_place<K: Key>(address: K, words: usize) -> usize {
    // The number of words is a power of two; the upper bits of a product are its best mixed.
    (address.top().wrapping_mul(MIX_1) >> 32) as usize & words.wrapping_sub(1)
}

#[inline]
fn bucket(hash: u64, buckets: usize) -> usize {
    (((hash & 0xffff_ffff) * buckets as u64) >> 32) as usize
}

#[inline]
fn place(hash: u64, pilot: u16, places: usize) -> usize {
    let mixed = (hash ^ u64::from(pilot).wrapping_mul(MIX_1)).wrapping_mul(MIX_2) >> 32;
    ((mixed * places as u64) >> 32) as usize
}

/// Both halves of the product, folded.
#[inline]
fn folded(a: u64, b: u64) -> u64 {
    let (high, low) = halves(u128::from(a) * u128::from(b));
    high ^ low
}

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "both halves are taken")]
const fn halves(wide: u128) -> (u64, u64) {
    ((wide >> 64) as u64, wide as u64)
}
