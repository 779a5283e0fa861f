//! Where a flow may be, and what a look there finds or an insertion displaces.

use crate::bucket::EMPTY;
use crate::value::Value;

/// Where a tuple's flow would be: its tag and its first bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub(crate) tag: u64,
    pub(crate) first: u32,
}

impl Place {
    /// No tuple's place.
    pub const NOWHERE: Self = Self { tag: EMPTY, first: 0 };

    /// Where the hash of a tuple, tag and spread, puts it in a table of so many buckets. No flow has the tag of
    /// an empty entry.
    #[inline]
    pub(crate) fn of((tag, spread): (u64, u64), buckets: u32) -> Self {
        Self { tag: if tag == EMPTY { 1 } else { tag }, first: scale(spread, buckets) }
    }
}

/// Where a flow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub(crate) bucket: u32,
    pub(crate) entry: u32,
}

impl Slot {
    /// No flow's: a look there finds that the tag is another.
    pub const NOWHERE: Self = Self { bucket: 0, entry: 0 };

    #[inline]
    pub(crate) const fn new(bucket: u32, entry: u32) -> Self {
        Self { bucket, entry }
    }
}

/// A 64-bit number as one of so many buckets (Lemire, "Fast random integer generation in an interval").
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the product's upper half is below the bucket count")]
const fn scale(hash: u64, buckets: u32) -> u32 {
    ((hash as u128 * buckets as u128) >> 64) as u32
}

/// The other bucket of a tag. It is its own inverse: the two add up to a number that the tag alone gives, so
/// an entry can be moved without knowing its tuple.
#[inline]
pub(crate) const fn other(bucket: u32, tag: u64, buckets: u32) -> u32 {
    let sum = scale(tag.wrapping_mul(0x9E37_79B9_7F4A_7C15), buckets);
    if sum >= bucket { sum - bucket } else { sum + (buckets - bucket) }
}

/// What a look at the first bucket of a place found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peek {
    /// The flow, met in this tick, with this value.
    Settled(Value, Slot),
    /// The flow, for [`probe`](FlowTable::probe) to look at first.
    Here(Slot),
    /// Not the flow. What the resolution will need has been asked for: the second bucket, and the cold entry
    /// that an insertion would write.
    Elsewhere,
}

/// What a look at a place found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The flow is there.
    Hit(Slot, Value),
    /// It was there, and silent for too long; it has been removed.
    Expired,
    /// It is not there.
    Miss,
}

/// What an insertion displaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// Nothing.
    Free,
    /// A flow that had been silent for too long.
    Expired,
    /// An embryonic flow that was still alive.
    Evicted,
}

/// Both buckets are full of established flows, and so are those their flows could move to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;
