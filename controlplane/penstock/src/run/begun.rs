//! What the counters stood at when a name got its number. A number that rested long enough goes to another name, and
//! its counters go on: what they had counted before is not the new name's.

use std::collections::BTreeMap;

use counters::{Ledger, Tally};

use crate::site::Site;

/// Figures by number, where they are not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Begun {
    services: BTreeMap<usize, [Tally; 2]>,
    reals: BTreeMap<usize, Tally>,
    rules: BTreeMap<usize, Tally>,
}

impl Begun {
    /// Those of `new`, which follows `old`: who keeps its number keeps its beginning, and for the others it is `total`.
    pub(crate) fn after(&self, old: &Site, new: &Site, total: &Ledger) -> Self {
        let services = new.config.services.iter().filter_map(|service| {
            let number = new.numbers.service(&service.name)?;
            Some((number.index(), old.numbers.service(&service.name) == Some(number)))
        });
        let reals = new.config.reals.iter().filter_map(|real| {
            let number = new.numbers.real(&real.name)?;
            Some((number.index(), old.numbers.real(&real.name) == Some(number)))
        });
        let rules = new.config.rules.iter().filter_map(|rule| {
            let number = new.numbers.rule(&rule.name)?;
            Some((number.index(), old.numbers.rule(&rule.name) == Some(number)))
        });
        Self {
            services: begun(services, &self.services, |at| [total.service(at), total.responses(at)]),
            reals: begun(reals, &self.reals, |at| total.real(at)),
            rules: begun(rules, &self.rules, |at| total.ruled(at)),
        }
    }

    /// A service's packets, and its responses, since it has its number.
    pub(crate) fn service(&self, total: &Ledger, number: usize) -> [Tally; 2] {
        let [begun, responses] = self.services.get(&number).copied().unwrap_or_default();
        [since(total.service(number), begun), since(total.responses(number), responses)]
    }

    /// The same of a real.
    pub(crate) fn real(&self, total: &Ledger, number: usize) -> Tally {
        since(total.real(number), self.reals.get(&number).copied().unwrap_or_default())
    }

    /// The same of a rule.
    pub(crate) fn rule(&self, total: &Ledger, number: usize) -> Tally {
        since(total.ruled(number), self.rules.get(&number).copied().unwrap_or_default())
    }
}

/// Numbers with what they begin at: what they began at before, if the name kept its number, or else what stands there
/// now.
fn begun<T: Copy + Default + PartialEq>(
    numbers: impl Iterator<Item = (usize, bool)>,
    before: &BTreeMap<usize, T>,
    now: impl Fn(usize) -> T,
) -> BTreeMap<usize, T> {
    let begin = |(at, is_kept)| {
        let begin = if is_kept { before.get(&at).copied().unwrap_or_default() } else { now(at) };
        (begin != T::default()).then_some((at, begin))
    };
    numbers.filter_map(begin).collect()
}

const fn since(now: Tally, begun: Tally) -> Tally {
    Tally { packets: now.packets.saturating_sub(begun.packets), bytes: now.bytes.saturating_sub(begun.bytes) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::Begun;
    use crate::site::Site;
    use control::Numbers;
    use counters::{Layout, Ledger, Tally};

    /// Longer than a number rests.
    const LATER_S: u64 = 24 * 3600;

    fn site(real: &str, numbers: &Numbers, now_s: u64) -> Site {
        let text = format!(
            r#"
[tunnel]
source_v4 = "192.0.2.1"
next_hop = "02:00:00:00:00:fe"
[[real]]
name = "{real}"
address = "10.0.0.11"
[[real]]
name = "stays"
address = "10.0.0.12"
[[pool]]
name = "web"
slots = 251
members = [{{ real = "{real}" }}, {{ real = "stays" }}]
[[service]]
name = "{real}"
vip = "198.51.100.1"
protocol = "tcp"
ports = 80
pool = "web"
[[rule]]
name = "{real}"
drop = true
"#
        );
        let config = conf::parse("site.toml", &text).unwrap();
        let numbers = numbers.assign(&config, now_s).unwrap();
        Site { config, numbers }
    }

    #[test]
    fn a_number_that_another_name_had_begins_at_zero_and_the_others_go_on() {
        let old = site("old", &Numbers::default(), 0);
        let number = |site: &Site, name: &str| site.numbers.real(&name.parse().unwrap()).unwrap().index();
        let (first, stays) = (number(&old, "old"), number(&old, "stays"));
        let mut total = Ledger::new(Layout { services: 4, reals: 4, rules: 4 });
        (0..3).for_each(|_| total.account(0, first, 100));
        total.account(0, stays, 10);
        total.rule(0, 9);
        // It rests, then another has it.
        let gone = site("another", &old.numbers, 1);
        let begun = Begun::default().after(&old, &gone, &total);
        assert_ne!(number(&gone, "another"), first);
        let new = site("late", &gone.numbers, LATER_S);
        assert_eq!(number(&new, "late"), first, "the lowest that is free");
        let begun = begun.after(&gone, &new, &total);
        assert_eq!(begun.real(&total, first), Tally::default());
        assert_eq!(begun.rule(&total, 0), Tally::default());
        assert_eq!(begun.service(&total, 0), [Tally::default(); 2]);
        assert_eq!(begun.real(&total, stays), Tally { packets: 1, bytes: 10 });
        total.account(0, first, 7);
        assert_eq!(begun.real(&total, first), Tally { packets: 1, bytes: 7 });
        assert_eq!(begun.service(&total, 0)[0], Tally { packets: 1, bytes: 7 });
        // A table later it is the same name's still.
        let begun = begun.after(&new, &new, &total);
        assert_eq!(begun.real(&total, first), Tally { packets: 1, bytes: 7 });
    }
}
