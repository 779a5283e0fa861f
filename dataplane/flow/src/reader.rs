//! The other cores' side: walk the table without locks while its owner works.

use std::sync::Arc;

use mem::Prf;
use service::tuple_hash;
use wire::{FiveTuple, protocol};

use crate::bucket::{ENTRIES_PER_BUCKET, Seen, from_words};
use crate::place::{self, Place, Slot};
use crate::table::Memory;
use crate::value::Value;

/// One flow, as a walker saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowRecord {
    /// The flow.
    pub tuple: FiveTuple,
    /// What was decided for it.
    pub value: Value,
}

/// Reads a worker's table from any thread. A flow that is moved between its buckets during a walk may be
/// seen twice or not at all; one that stands still is seen exactly once.
#[derive(Clone, Debug)]
pub struct FlowReader {
    memory: Arc<Memory>,
    buckets: u32,
}

impl FlowReader {
    pub(crate) const fn new(memory: Arc<Memory>, buckets: u32) -> Self {
        Self { memory, buckets }
    }

    /// Walks over all flows; the entries of clients are none. An entry that the owner is changing is looked at a second time, then left
    /// out: a reader never waits for the writer.
    pub fn flows(&self) -> impl Iterator<Item = FlowRecord> + '_ {
        let is_flow = |record: &FlowRecord| record.tuple.protocol != protocol::RESERVED;
        self.slots().filter_map(|slot| self.flow(slot)).filter(is_flow)
    }

    /// The flow of that tuple, if the table holds it; the tuple is compared whole. One that is moved between its
    /// buckets at that moment may be missed.
    #[must_use]
    pub fn find(&self, tuple: &FiveTuple) -> Option<FlowRecord> {
        self.find_hashed(tuple_hash(&self.prf()?, tuple), tuple)
    }

    /// The same for whoever has a table with the same key, and so the tuple's [`hash`](crate::FlowTable::hash): no key
    /// is made ready for it.
    #[must_use]
    pub fn find_hashed(&self, hash: (u64, u64), tuple: &FiveTuple) -> Option<FlowRecord> {
        let Place { tag, first } = Place::of(hash, self.buckets);
        let slots = [first, place::other(first, tag, self.buckets)].into_iter().flat_map(slots_of);
        slots.filter_map(|slot| self.flow(slot)).find(|flow| flow.tuple == *tuple)
    }

    /// What places flows: its key stands in the table's memory.
    fn prf(&self) -> Option<Prf> {
        let key = self.memory.hot.first()?.entry(2);
        Some(Prf::new((u128::from(key.value()) << 64 | u128::from(key.tag())).to_le_bytes()))
    }

    /// How many flows are in their first bucket, where a hit reads one cache line, and how many there are.
    /// It hashes every flow's tuple again, under the key that stands in the table's memory.
    #[must_use]
    pub fn in_first_bucket(&self) -> (usize, usize) {
        let Some(prf) = self.prf() else { return (0, 0) };
        let (mut in_first, mut all) = (0, 0);
        for (bucket, flow) in self.slots().filter_map(|slot| Some((slot.bucket, self.flow(slot)?))) {
            in_first += usize::from(Place::of(tuple_hash(&prf, &flow.tuple), self.buckets).first == bucket);
            all += 1;
        }
        (in_first, all)
    }

    fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (0..self.buckets).flat_map(slots_of)
    }

    fn flow(&self, slot: Slot) -> Option<FlowRecord> {
        let (entry, cold) = self.memory.shared(slot)?;
        let seen = match entry.look(cold) {
            Seen::Changing => entry.look(cold),
            seen => seen,
        };
        let Seen::Flow { value, tuple } = seen else { return None };
        Some(FlowRecord { tuple: from_words(tuple), value: Value::from_bits(value) })
    }
}

fn slots_of(bucket: u32) -> impl Iterator<Item = Slot> {
    (0u32..).take(ENTRIES_PER_BUCKET).map(move |entry| Slot::new(bucket, entry))
}

#[cfg(test)]
mod tests {
    use service::{RealNumber, ServiceNumber};
    use wire::{Family, FiveTuple};

    use crate::{Epoch, FlowTable, State, Value};

    fn tuple(index: u32) -> FiveTuple {
        let family = if index.is_multiple_of(2) { Family::V6 } else { Family::V4 };
        let mut tuple = FiveTuple { destination_port: 443, protocol: 6, family, ..FiveTuple::default() };
        tuple.source[..4].copy_from_slice(&index.to_be_bytes());
        tuple
    }

    fn fill(table: &mut FlowTable, flows: std::ops::Range<u32>) {
        for index in flows {
            let place = table.place(&tuple(index));
            let real = RealNumber::new(1).unwrap();
            let value = Value::new(real, ServiceNumber::FIRST, Epoch::FIRST, State::Established, 0);
            assert!(table.insert(place, &tuple(index), value).is_ok());
        }
    }

    #[test]
    fn who_is_in_the_first_bucket_is_told_as_the_owner_places_them() {
        let mut table = FlowTable::new(4096, *b"0123456789abcdef").unwrap();
        let reader = table.reader();
        assert_eq!(reader.in_first_bucket(), (0, 0));
        fill(&mut table, 0..100);
        assert_eq!(reader.in_first_bucket(), (100, 100), "in an empty table all are");
        fill(&mut table, 100..3686);
        let places =
            reader.slots().filter_map(|slot| Some((slot.bucket, table.place(&reader.flow(slot)?.tuple))));
        let in_first = places.filter(|(bucket, place)| *bucket == place.first).count();
        assert_eq!(reader.in_first_bucket(), (in_first, 3686));
        assert!((3686 / 2..3686).contains(&in_first), "at nine tenths most are, and not all: {in_first}");
    }

    #[test]
    fn every_flow_is_found_by_its_tuple_and_no_other_is() {
        let mut table = FlowTable::new(4096, *b"0123456789abcdef").unwrap();
        let reader = table.reader();
        fill(&mut table, 0..3686);
        for index in 0..3686 {
            assert_eq!(reader.find(&tuple(index)).map(|flow| flow.tuple), Some(tuple(index)));
            let by_hash = reader.find_hashed(table.hash(&tuple(index)), &tuple(index));
            assert_eq!(by_hash.map(|flow| flow.tuple), Some(tuple(index)));
        }
        assert!((3686..9000).all(|index| reader.find(&tuple(index)).is_none()));
    }
}
