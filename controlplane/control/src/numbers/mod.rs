//! Numbers that names keep: the assignment, and what it promises.
//!
//! A number has at most one holder. A name keeps its number whatever else is added or removed. A released
//! number rests for [`REST_S`] seconds before another name may have it, so that no flow entry can outlive
//! its meaning; if its own name returns while it rests, it gets it back. New names are served in their
//! order, each with the lowest free number, so that the same history always gives the same numbers.

mod file;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use conf::{Config, Name};
use service::{REALS_MAX, RULES_MAX, RealNumber, RuleNumber, SERVICES_MAX, ServiceNumber};

use crate::limits::REST_S;

/// What has a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A real.
    Real,
    /// A service.
    Service,
    /// A rule.
    Rule,
}

impl Kind {
    /// All of them, in the order of the file.
    const ALL: [Self; 3] = [Self::Real, Self::Service, Self::Rule];

    /// Its numbers are below this.
    const fn max(self) -> u32 {
        match self {
            Self::Real => REALS_MAX,
            Self::Service => SERVICES_MAX,
            Self::Rule => RULES_MAX,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Real => "real",
            Self::Service => "service",
            Self::Rule => "rule",
        })
    }
}

/// All numbers are held or resting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// Of which kind.
    pub kind: Kind,
    /// The first name that gets none.
    pub name: Name,
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no number is free for the {} \"{}\": all are held, or were released less than {REST_S} seconds ago",
            self.kind, self.name
        )
    }
}

impl std::error::Error for Exhausted {}

/// A released number.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Resting {
    /// Who held it.
    name: Name,
    /// When it was released, in seconds since 1970.
    since_s: u64,
}

/// The numbers of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ledger {
    held: BTreeMap<Name, u32>,
    resting: BTreeMap<u32, Resting>,
}

/// The numbers of all reals, services and rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    reals: Ledger,
    services: Ledger,
    rules: Ledger,
}

impl Numbers {
    /// The numbers after `config` has been taken over at `now_s` (seconds since 1970).
    ///
    /// # Errors
    /// [`Exhausted`].
    pub fn assign(&self, config: &Config, now_s: u64) -> Result<Self, Exhausted> {
        // TOML has no larger number.
        let now_s = now_s.min(i64::MAX.unsigned_abs());
        let assigned = |kind: Kind, names: BTreeSet<&Name>| {
            self.ledger(kind).assign(&names, kind.max(), now_s).map_err(|name| Exhausted { kind, name })
        };
        Ok(Self {
            reals: assigned(Kind::Real, config.reals.iter().map(|real| &real.name).collect())?,
            services: assigned(Kind::Service, config.services.iter().map(|it| &it.name).collect())?,
            rules: assigned(Kind::Rule, config.rules.iter().map(|rule| &rule.name).collect())?,
        })
    }

    /// The number of a real.
    #[must_use]
    pub fn real(&self, name: &Name) -> Option<RealNumber> {
        RealNumber::new(*self.reals.held.get(name)?).ok()
    }

    /// The number of a service.
    #[must_use]
    pub fn service(&self, name: &Name) -> Option<ServiceNumber> {
        ServiceNumber::new(*self.services.held.get(name)?).ok()
    }

    /// The number of a rule.
    #[must_use]
    pub fn rule(&self, name: &Name) -> Option<RuleNumber> {
        RuleNumber::new(*self.rules.held.get(name)?).ok()
    }

    /// All reals that hold a number, by name.
    pub fn reals(&self) -> impl Iterator<Item = (&Name, RealNumber)> {
        self.reals.held.iter().filter_map(|(name, number)| Some((name, RealNumber::new(*number).ok()?)))
    }

    /// All services that hold a number, by name.
    pub fn services(&self) -> impl Iterator<Item = (&Name, ServiceNumber)> {
        self.services.held.iter().filter_map(|(name, number)| Some((name, ServiceNumber::new(*number).ok()?)))
    }

    const fn ledger(&self, kind: Kind) -> &Ledger {
        match kind {
            Kind::Real => &self.reals,
            Kind::Service => &self.services,
            Kind::Rule => &self.rules,
        }
    }

    const fn ledger_mut(&mut self, kind: Kind) -> &mut Ledger {
        match kind {
            Kind::Real => &mut self.reals,
            Kind::Service => &mut self.services,
            Kind::Rule => &mut self.rules,
        }
    }
}

impl Ledger {
    /// The first name without a free number is the error.
    fn assign(&self, wanted: &BTreeSet<&Name>, max: u32, now_s: u64) -> Result<Self, Name> {
        let mut next = self.clone();
        next.resting.retain(|_, resting| {
            // A clock that was set back must not make a number rest for ever.
            resting.since_s = resting.since_s.min(now_s);
            now_s.saturating_sub(resting.since_s) < REST_S
        });
        for (name, number) in &self.held {
            if !wanted.contains(name) {
                next.held.remove(name);
                next.resting.insert(*number, Resting { name: name.clone(), since_s: now_s });
            }
        }
        let resting: BTreeMap<Name, u32> =
            next.resting.iter().map(|(number, resting)| (resting.name.clone(), *number)).collect();
        // Those that return come first: a number that rests for its own name is no other's.
        for (name, number) in wanted.iter().filter_map(|name| Some((*name, *resting.get(*name)?))) {
            if !next.held.contains_key(name) {
                next.resting.remove(&number);
                next.held.insert(name.clone(), number);
            }
        }
        let mut taken: BTreeSet<u32> = next.held.values().copied().collect();
        taken.extend(next.resting.keys());
        let mut free = (0..max).filter(|number| !taken.contains(number));
        for name in wanted {
            if !next.held.contains_key(*name) {
                let number = free.next().ok_or_else(|| (*name).clone())?;
                next.held.insert((*name).clone(), number);
            }
        }
        Ok(next)
    }
}
