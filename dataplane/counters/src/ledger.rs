//! A worker's own words: updated in the loop, copied to a shared page once per tick.
//!
//! The copy exists because a page that others read would bounce its cache lines between cores on every
//! packet; the private one stays in the worker's first-level cache.

use crate::names::{COUNTERS, Counter, DropReason, Event, PuntReason};

/// Packets and bytes of one service or one real.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Bytes of the packets as they arrived at the IP layer (the inner packet's own length).
    pub bytes: u64,
}

/// All counters of one worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    words: [u64; COUNTERS],
    services: Vec<Tally>,
    reals: Vec<Tally>,
}

impl Ledger {
    /// All zero, with room for services and reals with numbers below these.
    #[must_use]
    pub fn new(services: usize, reals: usize) -> Self {
        Self {
            words: [0; COUNTERS],
            services: vec![Tally::default(); services],
            reals: vec![Tally::default(); reals],
        }
    }

    /// Adds `by` to a counter.
    #[inline]
    pub fn add(&mut self, counter: impl Into<Counter>, by: u64) {
        if let Some(word) = self.words.get_mut(counter.into().index()) {
            *word += by;
        }
    }

    /// Counts one forwarded packet of `bytes` for a service and a real. A number that is out of range
    /// is not counted; the table that gave it is sized like this ledger, so there is none.
    #[inline]
    pub fn account(&mut self, service: usize, real: usize, bytes: u64) {
        if let Some(tally) = self.services.get_mut(service) {
            tally.packets += 1;
            tally.bytes += bytes;
        }
        if let Some(tally) = self.reals.get_mut(real) {
            tally.packets += 1;
            tally.bytes += bytes;
        }
    }

    /// What a counter stands at.
    #[must_use]
    pub fn get(&self, counter: impl Into<Counter>) -> u64 {
        self.words.get(counter.into().index()).copied().unwrap_or(0)
    }

    /// All words, by index.
    #[must_use]
    pub const fn words(&self) -> &[u64; COUNTERS] {
        &self.words
    }

    /// Per service, by number.
    #[must_use]
    pub fn services(&self) -> &[Tally] {
        &self.services
    }

    /// Per real, by number.
    #[must_use]
    pub fn reals(&self) -> &[Tally] {
        &self.reals
    }

    /// Adds another worker's ledger to this one.
    pub fn merge(&mut self, other: &Self) {
        for (into, from) in self.words.iter_mut().zip(other.words.iter()) {
            *into += from;
        }
        merge_tallies(&mut self.services, &other.services);
        merge_tallies(&mut self.reals, &other.reals);
    }

    /// Σ drop.
    #[must_use]
    pub fn drops(&self) -> u64 {
        DropReason::ALL.iter().map(|&reason| self.get(reason)).sum()
    }

    /// Σ punt.
    #[must_use]
    pub fn punts(&self) -> u64 {
        PuntReason::ALL.iter().map(|&reason| self.get(reason)).sum()
    }

    /// The sum law: `rx = tx + Σ drop + Σ punt`. The error is the sentence that says which side is off.
    ///
    /// # Errors
    /// The two sums, in words.
    pub fn balance(&self) -> Result<(), String> {
        let (rx, tx, drops, punts) = (self.get(Event::Rx), self.get(Event::Tx), self.drops(), self.punts());
        if rx == tx + drops + punts {
            return Ok(());
        }
        Err(format!("rx {rx} is not tx {tx} + drops {drops} + punts {punts}"))
    }
}

fn merge_tallies(into: &mut Vec<Tally>, from: &[Tally]) {
    if into.len() < from.len() {
        into.resize(from.len(), Tally::default());
    }
    for (into, from) in into.iter_mut().zip(from) {
        into.packets += from.packets;
        into.bytes += from.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, Tally};
    use crate::{Counter, DropReason, Event, PuntReason};

    #[test]
    fn every_counter_has_its_own_index_and_its_own_name() {
        let mut names = std::collections::BTreeSet::new();
        for (index, counter) in Counter::all().enumerate() {
            assert_eq!(counter.index(), index);
            assert!(names.insert(counter.name()), "{} twice", counter.name());
            assert_eq!(Counter::by_name(counter.name()), Some(counter));
            assert!(!counter.help().trim().is_empty());
        }
        assert_eq!(names.len(), crate::COUNTERS);
    }

    #[test]
    fn the_sum_law_names_both_sides_when_it_fails() {
        let mut ledger = Ledger::new(0, 0);
        ledger.add(Event::Rx, 3);
        ledger.add(Event::Tx, 1);
        ledger.add(DropReason::Truncated, 1);
        assert_eq!(ledger.balance(), Err("rx 3 is not tx 1 + drops 1 + punts 0".into()));
        ledger.add(PuntReason::NotIp, 1);
        assert_eq!(ledger.balance(), Ok(()));
    }

    #[test]
    fn merging_adds_word_by_word_and_grows_to_the_larger() {
        let mut one = Ledger::new(1, 1);
        let mut two = Ledger::new(2, 3);
        one.account(0, 0, 10);
        two.account(1, 2, 20);
        two.add(Event::Rx, 1);
        one.merge(&two);
        assert_eq!(one.services(), &[Tally { packets: 1, bytes: 10 }, Tally { packets: 1, bytes: 20 }]);
        assert_eq!(one.reals().len(), 3);
        assert_eq!(one.get(Event::Rx), 1);
    }
}
