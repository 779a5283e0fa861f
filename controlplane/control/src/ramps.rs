//! Slow start: a real that has come up takes its share of new flows by and by.
//!
//! In a pool with `slow_start_s` a member that was not up, or was no member, begins with an eighth of its weight and
//! gets one eighth more each eighth of that time. Each step is a table like any other change. What counts is what this
//! process has seen: at a start nobody is new. An operator's weight is meant as it is said.
//!
//! Architecture invariant: no clock; the time is given, and the same inputs give the same steps.

use std::collections::BTreeMap;

use conf::{Config, EIGHTHS, Name, Pool};
use service::RealState;

use crate::limits::RAMP_RETRY_MS;
use crate::overrides::Overrides;

/// Members that have not their whole weight yet: when each began, by pool and real.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ramps {
    began_ms: BTreeMap<(Name, Name), u64>,
    /// No step is tried before.
    not_before_ms: u64,
}

impl Ramps {
    /// Those under `new`, where `old` is in force: who is new begins at `now_ms`, and who is up no more, or has its
    /// weight by an operator's word, has none.
    pub(crate) fn next(&self, old: &Config, new: &Config, words: &Overrides, now_ms: u64) -> Self {
        let mut next = Self { not_before_ms: self.not_before_ms, ..Self::default() };
        // Where a pool panics the few that are up are the last to spare, and none of those that take flows is new.
        let starts = |pool: &&Pool| pool.slow_start_s > 0 && !pool.panics(&new.reals);
        for pool in new.pools.iter().filter(starts) {
            let before = old.pools.iter().find(|known| known.name == pool.name);
            for real in
                taking(new, pool).filter(|real| !words.pools_weighted(real).any(|of| *of == pool.name))
            {
                let key = (pool.name.clone(), real.clone());
                let was_taking = before.is_some_and(|before| taking(old, before).any(|known| known == real));
                let began = match self.began_ms.get(&key) {
                    Some(began) if was_taking => *began,
                    None if was_taking => continue,
                    _ => now_ms,
                };
                if eighths(pool.slow_start_s, began, now_ms) < EIGHTHS {
                    next.began_ms.insert(key, began);
                }
            }
        }
        next
    }

    /// `config` as it is at `now_ms`.
    pub(crate) fn over(&self, mut config: Config, now_ms: u64) -> Config {
        if self.began_ms.is_empty() {
            return config;
        }
        let names: Vec<Name> = config.reals.iter().map(|real| real.name.clone()).collect();
        for pool in &mut config.pools {
            let (name, seconds) = (pool.name.clone(), pool.slow_start_s);
            for member in &mut pool.members {
                let began =
                    names.get(member.real).and_then(|real| self.began_ms.get(&(name.clone(), real.clone())));
                member.eighths = began.map_or(EIGHTHS, |began| eighths(seconds, *began, now_ms));
            }
        }
        config
    }

    /// Whether a step of `in_force` is due.
    pub(crate) fn is_due(&self, in_force: &Config, now_ms: u64) -> bool {
        if self.began_ms.is_empty() || now_ms < self.not_before_ms {
            return false;
        }
        let is_behind = |pool: &Pool| {
            pool.members.iter().any(|member| {
                let real = in_force.reals.get(member.real);
                let began = real.and_then(|real| self.began_ms.get(&(pool.name.clone(), real.name.clone())));
                began.is_some_and(|began| eighths(pool.slow_start_s, *began, now_ms) > member.eighths)
            })
        };
        in_force.pools.iter().any(is_behind)
    }

    /// A step could not be made: the next one is tried a while later.
    pub(crate) const fn pause(&mut self, now_ms: u64) {
        self.not_before_ms = now_ms.saturating_add(RAMP_RETRY_MS);
    }
}

/// The members of a pool that take new flows.
fn taking<'c>(config: &'c Config, pool: &'c Pool) -> impl Iterator<Item = &'c Name> {
    let panics = pool.panics(&config.reals);
    pool.members.iter().filter(|member| member.weight > 0).filter_map(move |member| {
        let real = config.reals.get(member.real)?;
        let takes = real.state == RealState::Up || panics && real.state == RealState::Failed;
        takes.then_some(&real.name)
    })
}

/// How many eighths of its weight a member has that began then.
fn eighths(slow_start_s: u16, began_ms: u64, now_ms: u64) -> u8 {
    let whole_ms = u64::from(slow_start_s).saturating_mul(1000).max(1);
    let passed = now_ms.saturating_sub(began_ms).saturating_mul(u64::from(EIGHTHS)) / whole_ms;
    u8::try_from(passed).unwrap_or(EIGHTHS).saturating_add(1).min(EIGHTHS)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use conf::{Config, EIGHTHS};
    use service::RealState::{self, Down, Drain, Failed, Up};

    use super::Ramps;
    use crate::overrides::{Overrides, Word};

    fn site(states: [RealState; 3]) -> Config {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/steps/site.toml");
        let mut config = conf::load(&path).unwrap();
        config.reals.iter_mut().zip(states).for_each(|(real, state)| real.state = state);
        config.pools.iter_mut().for_each(|pool| pool.slow_start_s = 80);
        config
    }

    fn steps(ramps: &Ramps, config: &Config, now_ms: u64) -> Vec<u8> {
        let over = ramps.over(config.clone(), now_ms);
        over.pools.iter().flat_map(|pool| &pool.members).map(|member| member.eighths).collect()
    }

    #[test]
    fn who_comes_up_begins_with_an_eighth_and_has_all_after_the_time() {
        let said = Overrides::default();
        for before in [Down, Drain, Failed] {
            let (old, new) = (site([Up, before, Up]), site([Up, Up, Up]));
            let ramps = Ramps::default().next(&old, &new, &said, 1_000);
            let second = |now: u64| steps(&ramps, &new, now)[1];
            assert_eq!(steps(&ramps, &new, 1_000), [EIGHTHS, 1, EIGHTHS]);
            assert_eq!((second(10_999), second(11_000), second(70_999)), (1, 2, 7));
            assert_eq!((second(71_000), second(u64::MAX)), (EIGHTHS, EIGHTHS));
            let in_force = ramps.over(new.clone(), 1_000);
            assert!(!ramps.is_due(&in_force, 10_999) && ramps.is_due(&in_force, 11_000));
            // Another change goes on with it, the last step ends it.
            assert_eq!(ramps.next(&in_force, &new, &said, 30_000), ramps);
            assert_eq!(ramps.next(&in_force, &new, &said, 71_000), Ramps::default());
            // Down again, it begins anew.
            let gone = ramps.next(&in_force, &old, &said, 20_000);
            assert_eq!(gone, Ramps::default());
            assert_eq!(steps(&gone.next(&old, &new, &said, 40_000), &new, 40_000)[1], 1);
        }
    }

    #[test]
    fn nobody_starts_slowly_where_a_pool_panics_nor_who_took_flows_there() {
        let said = Overrides::default();
        let of = |states| {
            let mut config = site(states);
            config.pools.iter_mut().for_each(|pool| pool.panic_percent = 50);
            config
        };
        let (out, one, two) = (of([Failed; 3]), of([Up, Failed, Failed]), of([Up, Up, Failed]));
        assert_eq!(Ramps::default().next(&out, &one, &said, 0), Ramps::default(), "it panics still");
        assert_eq!(
            Ramps::default().next(&one, &two, &said, 0),
            Ramps::default(),
            "web-2 had its share before"
        );
        let ramps = Ramps::default().next(&two, &of([Up, Up, Up]), &said, 0);
        assert_eq!(steps(&ramps, &two, 0), [EIGHTHS, EIGHTHS, 1], "web-3 had failed, and the pool was calm");
    }

    #[test]
    fn at_a_start_and_without_the_key_nobody_is_new() {
        let (said, up) = (Overrides::default(), site([Up, Up, Up]));
        assert_eq!(Ramps::default().next(&up, &up, &said, 0), Ramps::default());
        let mut never = up.clone();
        never.pools.iter_mut().for_each(|pool| pool.slow_start_s = 0);
        assert_eq!(Ramps::default().next(&site([Up, Down, Up]), &never, &said, 0), Ramps::default());
    }

    #[test]
    fn a_new_member_is_new_and_an_operators_weight_is_what_was_said() {
        let (mut old, new) = (site([Up, Up, Up]), site([Up, Up, Up]));
        old.pools[0].members.retain(|member| member.real != 2);
        let ramps = Ramps::default().next(&old, &new, &Overrides::default(), 0);
        assert_eq!(steps(&ramps, &new, 0), [EIGHTHS, EIGHTHS, 1]);
        let word = Word::Weight { weight: Some(7), pool: None };
        let said = Overrides::default().say(&new, "web-3", &word, 0).unwrap();
        assert_eq!(ramps.next(&new, &new, &said, 0), Ramps::default());
    }

    #[test]
    fn a_step_that_failed_is_tried_later() {
        let (old, new) = (site([Up, Down, Up]), site([Up, Up, Up]));
        let mut ramps = Ramps::default().next(&old, &new, &Overrides::default(), 0);
        let in_force = ramps.over(new, 0);
        assert!(ramps.is_due(&in_force, 10_000));
        ramps.pause(10_000);
        assert!(!ramps.is_due(&in_force, 10_999) && ramps.is_due(&in_force, 11_000));
    }
}
