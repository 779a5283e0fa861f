//! The other cores' side: walk the table without locks while its owner works.

use std::sync::Arc;

use wire::FiveTuple;

use crate::bucket::{ENTRIES_PER_BUCKET, Seen, from_words};
use crate::table::{Memory, Slot};
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

    /// Walks over all flows. An entry that the owner is changing is looked at a second time, then left
    /// out: a reader never waits for the writer.
    pub fn flows(&self) -> impl Iterator<Item = FlowRecord> + '_ {
        let slots = (0..self.buckets)
            .flat_map(|bucket| (0u32..).take(ENTRIES_PER_BUCKET).map(move |entry| Slot::new(bucket, entry)));
        slots.filter_map(|slot| self.flow(slot))
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
