//! A worker's own words: updated in the loop, copied to a shared page once per tick.
//!
//! The copy exists because a page that others read would bounce its cache lines between cores on every
//! packet; the private one stays in the worker's first-level cache.

use crate::names::{COUNTERS, Counter, DropReason, Event, PuntReason};

/// Packets and bytes of one service, one real or one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Bytes of the packets as they arrived at the IP layer (the inner packet's own length).
    pub bytes: u64,
}

/// Where things stand on a counter page: all counters by index, then packets and bytes of each service
/// by number, then of each real, then of each service's responses, then of each rule. The room is fixed when the page is
/// made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Numbers of services below this are counted.
    pub services: usize,
    /// Numbers of reals below this are counted.
    pub reals: usize,
    /// Numbers of rules below this are counted.
    pub rules: usize,
}

impl Layout {
    /// A layout with room for the numbers in use and for those that may come: whole steps of 1,024, and of 256 rules.
    #[must_use]
    pub const fn with_room_for(services: usize, reals: usize, rules: usize) -> Self {
        const STEP: usize = 1024;
        Self {
            services: (services + 1).next_multiple_of(STEP),
            reals: (reals + 1).next_multiple_of(STEP),
            rules: (rules + 1).next_multiple_of(STEP / 4),
        }
    }

    /// Words of a page.
    #[must_use]
    pub const fn words(&self) -> usize {
        COUNTERS + 2 * (self.services + self.reals + self.services + self.rules)
    }
}

/// All counters of one worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    words: [u64; COUNTERS],
    services: Vec<[u64; 2]>,
    reals: Vec<[u64; 2]>,
    responses: Vec<[u64; 2]>,
    rules: Vec<[u64; 2]>,
}

impl Ledger {
    /// All zero.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        Self {
            words: [0; COUNTERS],
            services: vec![[0; 2]; layout.services],
            reals: vec![[0; 2]; layout.reals],
            responses: vec![[0; 2]; layout.services],
            rules: vec![[0; 2]; layout.rules],
        }
    }

    /// The ledger that stands on a page of that layout; words that are missing are zero.
    #[must_use]
    pub fn from_words(layout: Layout, words: &[u64]) -> Self {
        let mut ledger = Self::new(layout);
        let slots = ledger.words.iter_mut().chain(ledger.services.as_flattened_mut());
        let slots = slots.chain(ledger.reals.as_flattened_mut());
        let slots = slots.chain(ledger.responses.as_flattened_mut());
        for (slot, word) in slots.chain(ledger.rules.as_flattened_mut()).zip(words) {
            *slot = *word;
        }
        ledger
    }

    /// The same as the pieces of a page, in order.
    #[must_use]
    pub fn parts(&self) -> [&[u64]; 5] {
        let [services, reals, responses, rules] =
            [&self.services, &self.reals, &self.responses, &self.rules].map(|tallies| tallies.as_flattened());
        [&self.words, services, reals, responses, rules]
    }

    /// Adds `by` to a counter.
    #[inline]
    pub fn add(&mut self, counter: impl Into<Counter>, by: u64) {
        if let Some(word) = self.words.get_mut(counter.into().index()) {
            *word += by;
        }
    }

    /// Counts one forwarded packet of `bytes` for a service and a real. A number beyond the page's room is
    /// not counted by itself; it is in the sums all the same.
    #[inline]
    pub fn account(&mut self, service: usize, real: usize, bytes: u64) {
        for tally in [self.services.get_mut(service), self.reals.get_mut(real)].into_iter().flatten() {
            count(tally, bytes);
        }
    }

    /// Counts one response of `bytes` on its way from a service to a client, as [`Self::account`] does.
    pub fn respond(&mut self, service: usize, bytes: u64) {
        if let Some(tally) = self.responses.get_mut(service) {
            count(tally, bytes);
        }
    }

    /// Counts one packet of `bytes` that a rule decided about, as [`Self::account`] does.
    pub fn rule(&mut self, rule: usize, bytes: u64) {
        if let Some(tally) = self.rules.get_mut(rule) {
            count(tally, bytes);
        }
    }

    /// What a counter stands at.
    #[must_use]
    pub fn get(&self, counter: impl Into<Counter>) -> u64 {
        self.words.get(counter.into().index()).copied().unwrap_or(0)
    }

    /// Of one service, by number.
    #[must_use]
    pub fn service(&self, number: usize) -> Tally {
        tally(&self.services, number)
    }

    /// Responses of one service, by number.
    #[must_use]
    pub fn responses(&self, number: usize) -> Tally {
        tally(&self.responses, number)
    }

    /// Of one real, by number.
    #[must_use]
    pub fn real(&self, number: usize) -> Tally {
        tally(&self.reals, number)
    }

    /// Of one rule, by number.
    #[must_use]
    pub fn ruled(&self, number: usize) -> Tally {
        tally(&self.rules, number)
    }

    /// Adds another worker's ledger of the same layout to this one.
    pub fn merge(&mut self, other: &Self) {
        let [words, services, reals, responses, rules] = other.parts();
        add(&mut self.words, words);
        add(self.services.as_flattened_mut(), services);
        add(self.reals.as_flattened_mut(), reals);
        add(self.responses.as_flattened_mut(), responses);
        add(self.rules.as_flattened_mut(), rules);
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

    /// How many packets wait now.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.get(Event::Held).saturating_sub(self.get(Event::Released))
    }

    /// The sum law: `rx + made + kernel.rx + hand.in = tx + Σ drop + Σ punt + held + hand.out`, where held is what waits
    /// now. The error is the sentence that says which side is off.
    ///
    /// # Errors
    /// The two sums, in words.
    pub fn balance(&self) -> Result<(), String> {
        let (rx, made, tx) = (self.get(Event::Rx), self.get(Event::Made), self.get(Event::Tx));
        let (kernel, drops, punts) = (self.get(Event::KernelRx), self.drops(), self.punts());
        let (held, came, went) = (self.held(), self.get(Event::HandIn), self.get(Event::HandOut));
        if rx + made + kernel + came == tx + drops + punts + held + went {
            return Ok(());
        }
        Err(format!(
            "rx {rx} + made {made} + kernel.rx {kernel} + hand.in {came} is not \
             tx {tx} + drops {drops} + punts {punts} + held {held} + hand.out {went}"
        ))
    }
}

#[inline]
const fn count([packets_so_far, bytes_so_far]: &mut [u64; 2], bytes: u64) {
    *packets_so_far += 1;
    *bytes_so_far += bytes;
}

fn tally(tallies: &[[u64; 2]], number: usize) -> Tally {
    let [packets, bytes] = tallies.get(number).copied().unwrap_or_default();
    Tally { packets, bytes }
}

fn add(into: &mut [u64], from: &[u64]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into += from;
    }
}

#[cfg(test)]
mod tests {
    use super::{Layout, Ledger, Tally};
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
        let mut ledger = Ledger::new(Layout::default());
        ledger.add(Event::Rx, 3);
        ledger.add(Event::Tx, 1);
        ledger.add(DropReason::Truncated, 1);
        assert_eq!(
            ledger.balance(),
            Err("rx 3 + made 0 + kernel.rx 0 + hand.in 0 is not tx 1 + drops 1 + punts 0 + held 0 + hand.out 0".into())
        );
        ledger.add(PuntReason::NotIp, 1);
        assert_eq!(ledger.balance(), Ok(()));
        ledger.add(Event::Tx, 1);
        assert!(ledger.balance().is_err());
        ledger.add(Event::Made, 1);
        assert_eq!(ledger.balance(), Ok(()));
        ledger.add(Event::Rx, 1);
        ledger.add(Event::Held, 1);
        assert_eq!((ledger.held(), ledger.balance()), (1, Ok(())));
        ledger.add(Event::Released, 1);
        ledger.add(DropReason::NoNextHop, 1);
        assert_eq!((ledger.held(), ledger.balance()), (0, Ok(())));
        ledger.add(Event::HandIn, 2);
        assert!(ledger.balance().is_err());
        ledger.add(Event::Tx, 1);
        ledger.add(Event::HandOut, 1);
        assert_eq!(ledger.balance(), Ok(()));
    }

    #[test]
    fn merging_adds_word_by_word() {
        let layout = Layout { services: 2, reals: 3, rules: 1 };
        let mut one = Ledger::new(layout);
        let mut two = Ledger::new(layout);
        one.account(0, 0, 10);
        two.account(0, 2, 20);
        one.respond(1, 5);
        two.respond(1, 6);
        one.rule(0, 7);
        two.rule(0, 8);
        two.add(Event::Rx, 1);
        one.merge(&two);
        assert_eq!(one.service(0), Tally { packets: 2, bytes: 30 });
        assert_eq!((one.ruled(0), one.ruled(1)), (Tally { packets: 2, bytes: 15 }, Tally::default()));
        assert_eq!((one.responses(0), one.responses(1)), (Tally::default(), Tally { packets: 2, bytes: 11 }));
        assert_eq!((one.real(0).bytes, one.real(1).bytes, one.real(2).bytes), (10, 0, 20));
        assert_eq!(one.get(Event::Rx), 1);
    }

    #[test]
    fn a_ledger_comes_back_from_its_page() {
        let layout = Layout { services: 2, reals: 3, rules: 4 };
        let mut ledger = Ledger::new(layout);
        ledger.account(1, 2, 77);
        ledger.account(9, 9, 77);
        ledger.respond(1, 40);
        ledger.respond(9, 40);
        ledger.rule(3, 60);
        ledger.rule(4, 60);
        ledger.add(DropReason::NoReal, 5);
        let page = ledger.parts().concat();
        assert_eq!(page.len(), layout.words());
        assert_eq!(Ledger::from_words(layout, &page), ledger);
    }
}
