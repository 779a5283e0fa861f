//! Room for a new flow: an empty or expired entry, an embryonic flow's, or one that is freed by moving
//! flows to their other buckets.

use crate::State;
use crate::bucket::EMPTY;
use crate::place::{Full, Inserted, Place, Slot};
use crate::table::{FlowTable, lowest};
use crate::value::Value;

/// Buckets that an insertion looks at before it says the table is full: two, and three levels of their
/// neighbours (2 + 8 + 32 + 128). Below nine tenths hardly any insertion looks at more than ten.
const SEARCH_BUCKETS_MAX: usize = 170;

impl<const TAG_BITS: u32> FlowTable<TAG_BITS> {
    /// A slot for a new flow: empty or expired in its first bucket, then in its second. Then, as long as
    /// the table is not crowded, flows are moved to their other buckets; in a crowded one an embryonic
    /// flow gives way first, because a flood is what crowds tables and its insertions must stay cheap.
    #[inline]
    pub(crate) fn make_room(&mut self, place: Place) -> Result<(Slot, Inserted), Full> {
        let second = self.other(place.first, place.tag);
        for bucket in [place.first, second] {
            if let Some(found) = self.free_in(bucket) {
                return Ok(found);
            }
        }
        self.make_room_by_force([place.first, second])
    }

    #[inline(never)]
    fn make_room_by_force(&mut self, full: [u32; 2]) -> Result<(Slot, Inserted), Full> {
        let is_crowded = self.len > self.capacity() / 8 * 7;
        if !is_crowded && let Some(found) = self.move_flows(full) {
            return Ok(found);
        }
        if let Some(slot) = full.into_iter().find_map(|bucket| self.oldest_embryonic(bucket)) {
            return Ok((slot, Inserted::Evicted));
        }
        self.move_flows(full).ok_or(Full)
    }

    #[inline]
    fn free_in(&self, index: u32) -> Option<(Slot, Inserted)> {
        let bucket = self.memory.bucket(index)?;
        let free = bucket.matches(EMPTY);
        if free != 0 {
            return Some((Slot::new(index, lowest(free)), Inserted::Free));
        }
        let mut gone = 0;
        for (at, entry) in bucket.entries().enumerate() {
            let expired = Value::from_bits(entry.value()).is_expired(self.now, &self.silences);
            gone |= u32::from(expired) << at;
        }
        (gone != 0).then(|| (Slot::new(index, lowest(gone)), Inserted::Expired))
    }

    /// The embryonic flow of a bucket that has been silent the longest.
    #[inline]
    pub(crate) fn oldest_embryonic(&self, bucket: u32) -> Option<Slot> {
        let mut oldest: Option<(u16, u32)> = None;
        for (entry, at) in self.memory.bucket(bucket)?.entries().zip(0u32..) {
            let value = Value::from_bits(entry.value());
            let age = value.age(self.now);
            if value.state() == State::Embryonic && oldest.is_none_or(|(most, _)| age > most) {
                oldest = Some((age, at));
            }
        }
        oldest.map(|(_, at)| Slot::new(bucket, at))
    }

    /// Frees a slot in one of two full buckets by moving flows along the shortest path to a bucket with
    /// room (cuckoo hashing, breadth first). A bucket is fetched when it is queued and looked at when its
    /// turn comes, so that the misses of one level overlap.
    fn move_flows(&mut self, full: [u32; 2]) -> Option<(Slot, Inserted)> {
        let mut path = [Step::default(); SEARCH_BUCKETS_MAX];
        let mut queued = 0;
        for (step, bucket) in path.iter_mut().zip(full) {
            step.bucket = bucket;
            queued += 1;
        }
        let mut at = 0;
        while at < queued {
            let Step { bucket, .. } = *path.get(at)?;
            if at >= full.len()
                && let Some((to, inserted)) = self.free_in(bucket)
            {
                return Some((self.shift(&path, at, to)?, inserted));
            }
            for (entry, from) in self.memory.bucket(bucket)?.entries().zip(0u32..) {
                let other = self.other(bucket, entry.tag());
                if let Some(step) = path.get_mut(queued)
                    && other != bucket
                {
                    mem::prefetch(self.memory.bucket(other)?);
                    *step = Step { bucket: other, parent: at, from };
                    queued += 1;
                }
            }
            at += 1;
        }
        None
    }

    /// Moves flows one step each along a path, from its end, where `to` is free; gives the slot that is
    /// free in the end. A path may meet itself; then a flow no longer is where the search saw it, and the
    /// shift ends with every flow in one of its two buckets and no slot gained.
    fn shift(&mut self, path: &[Step; SEARCH_BUCKETS_MAX], end: usize, to: Slot) -> Option<Slot> {
        let mut to = to;
        let mut step = *path.get(end)?;
        loop {
            let parent = *path.get(step.parent)?;
            let from = Slot::new(parent.bucket, step.from);
            let (entry, cold) = self.memory.shared(from)?;
            if self.other(from.bucket, entry.tag()) != to.bucket {
                return None;
            }
            self.memory.entry(to)?.publish(self.memory.cold(to)?, entry.tag(), entry.value(), &cold.load());
            entry.clear();
            to = from;
            if step.parent < 2 {
                return Some(to);
            }
            step = parent;
        }
    }
}

/// One bucket of a search: reached from the bucket `parent` by moving its entry `from`.
#[derive(Clone, Copy, Default)]
struct Step {
    bucket: u32,
    parent: usize,
    from: u32,
}
