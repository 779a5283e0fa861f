//! What an operator said about reals while the box runs: one rule, and the configuration that follows from it.
//!
//! An operator's word stands until it is taken back, until the file changes that same key of that real, or
//! until the real goes. So beside each word stands what the file said then: a file that says so still, read
//! again or after a restart, leaves the word in force.

mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use conf::{Config, Name};
use service::RealState;

/// The largest weight, as in the configuration.
const WEIGHT_MAX: u32 = 65_535;

/// What an operator says about one real.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// It is in this state.
    State(RealState),
    /// It is in the state that the file says.
    FileState,
    /// Its share, in one pool or in all that it is a member of; `None` is the file's.
    Weight {
        /// 0 to 65535.
        weight: Option<u32>,
        /// The pool's name.
        pool: Option<String>,
    },
}

/// A word that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// No real has this name.
    NoReal(String),
    /// No pool has this name.
    NoPool(String),
    /// The real is no member of that pool, or of any.
    NoMember(Name, Option<String>),
    /// There is nothing to take back; the file says this.
    NothingSaid(Name, &'static str),
    /// A weight out of range.
    Weight(u32),
}

impl fmt::Display for Unsaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReal(name) => {
                write!(f, "no real is named \"{}\": `penstock show reals` lists them", name.escape_debug())
            }
            Self::NoPool(name) => {
                write!(f, "no pool is named \"{}\": `penstock show table` lists them", name.escape_debug())
            }
            Self::NoMember(real, Some(pool)) => {
                write!(f, "the real \"{real}\" is no member of the pool \"{pool}\"")
            }
            Self::NoMember(real, None) => write!(f, "the real \"{real}\" is no member of any pool"),
            Self::NothingSaid(real, what) => {
                write!(
                    f,
                    "the real \"{real}\" already has the {what} that the file says: there is nothing to take back"
                )
            }
            Self::Weight(weight) => write!(f, "the weight {weight} is out of range: give 0 to {WEIGHT_MAX}"),
        }
    }
}

impl std::error::Error for Unsaid {}

/// One word, what the file said when it was said, and when that was, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said<T> {
    to: T,
    file: T,
    since_s: u64,
}

/// All words in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    states: BTreeMap<Name, Said<RealState>>,
    /// By real and pool.
    weights: BTreeMap<(Name, Name), Said<u32>>,
}

impl Overrides {
    /// These words and one more, said at `now_s` over what `file` says.
    ///
    /// # Errors
    /// [`Unsaid`].
    pub fn say(&self, file: &Config, real: &str, word: &Word, now_s: u64) -> Result<Self, Unsaid> {
        let named = file.reals.iter().find(|known| known.name.as_str() == real);
        let real = named.ok_or_else(|| Unsaid::NoReal(real.to_owned()))?;
        let mut next = self.clone();
        match word {
            Word::State(state) => {
                next.states.insert(real.name.clone(), Said { to: *state, file: real.state, since_s: now_s });
            }
            Word::FileState => {
                let said = next.states.remove(&real.name);
                said.ok_or_else(|| Unsaid::NothingSaid(real.name.clone(), "state"))?;
            }
            Word::Weight { weight: Some(weight), .. } if *weight > WEIGHT_MAX => {
                return Err(Unsaid::Weight(*weight));
            }
            Word::Weight { weight, pool } => next.weigh(file, &real.name, *weight, pool.as_deref(), now_s)?,
        }
        Ok(next)
    }

    fn weigh(
        &mut self,
        file: &Config,
        real: &Name,
        weight: Option<u32>,
        pool: Option<&str>,
        now_s: u64,
    ) -> Result<(), Unsaid> {
        let is_pool = |name: &str| file.pools.iter().any(|known| known.name.as_str() == name);
        if let Some(pool) = pool.filter(|pool| !is_pool(pool)) {
            return Err(Unsaid::NoPool(pool.to_owned()));
        }
        let wanted = |name: &Name| pool.is_none_or(|pool| name.as_str() == pool);
        let (mut seen, mut done) = (false, false);
        for (name, at) in memberships(file, real).filter(|(name, _)| wanted(name)) {
            seen = true;
            let key = (real.clone(), name.clone());
            done |= match weight {
                Some(to) => {
                    self.weights.insert(key, Said { to, file: at, since_s: now_s });
                    true
                }
                None => self.weights.remove(&key).is_some(),
            };
        }
        match (seen, done) {
            (false, _) => Err(Unsaid::NoMember(real.clone(), pool.map(str::to_owned))),
            (true, false) => Err(Unsaid::NothingSaid(real.clone(), "weight")),
            (true, true) => Ok(()),
        }
    }

    /// The words that still stand over `file`, and a sentence for each that ends.
    #[must_use]
    pub fn settle(&self, file: &Config) -> (Self, Vec<String>) {
        let (mut kept, mut ended) = (Self::default(), Vec::new());
        for (name, said) in &self.states {
            match file.reals.iter().find(|real| real.name == *name) {
                Some(real) if real.state == said.file => {
                    kept.states.insert(name.clone(), *said);
                }
                Some(real) => ended.push(format!(
                    "the operator's word that real \"{name}\" {} ends: the file now says {}",
                    does(said.to),
                    real.state.word()
                )),
                None => ended.push(format!("the operator's word about real \"{name}\" ends: it is gone")),
            }
        }
        for ((real, pool), said) in &self.weights {
            match memberships(file, real).find(|(name, _)| *name == pool) {
                Some((_, weight)) if weight == said.file => {
                    kept.weights.insert((real.clone(), pool.clone()), *said);
                }
                Some((_, weight)) => ended.push(format!(
                    "the operator's weight {} of \"{real}\" in pool \"{pool}\" ends: the file now says {weight}",
                    said.to
                )),
                None => ended.push(format!(
                    "the operator's weight of \"{real}\" in pool \"{pool}\" ends: it is no member any more"
                )),
            }
        }
        (kept, ended)
    }

    /// What `file` says with these words over it.
    #[must_use]
    pub fn over(&self, file: &Config) -> Config {
        let mut config = file.clone();
        for real in &mut config.reals {
            if let Some(said) = self.states.get(&real.name) {
                real.state = said.to;
            }
        }
        for pool in &mut config.pools {
            for member in &mut pool.members {
                let real = config.reals.get(member.real).map(|real| real.name.clone());
                let said = real.and_then(|real| self.weights.get(&(real, pool.name.clone())));
                member.weight = said.map_or(member.weight, |said| said.to);
            }
        }
        config
    }

    /// A sentence for each word.
    pub fn sentences(&self) -> impl Iterator<Item = String> + '_ {
        let states = self
            .states
            .iter()
            .map(|(name, said)| format!("kept: real \"{name}\" {} by the operator's word", does(said.to)));
        let weights = self.weights.iter().map(|((real, pool), said)| {
            format!("kept: \"{real}\" has weight {} in pool \"{pool}\" by the operator's word", said.to)
        });
        states.chain(weights)
    }

    /// Whether the state of that real is an operator's word.
    #[must_use]
    pub fn has_state_of(&self, real: &Name) -> bool {
        self.states.contains_key(real)
    }

    /// The pools in which the weight of that real is an operator's word.
    pub fn pools_weighted(&self, real: &Name) -> impl Iterator<Item = &Name> {
        self.weights.keys().filter(move |(known, _)| known == real).map(|(_, pool)| pool)
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty() && self.weights.is_empty()
    }
}

/// The pools a real is a member of, and its weight there.
fn memberships<'c>(config: &'c Config, real: &'c Name) -> impl Iterator<Item = (&'c Name, u32)> + use<'c> {
    config.pools.iter().flat_map(move |pool| {
        let ours = pool
            .members
            .iter()
            .filter(|member| config.reals.get(member.real).is_some_and(|known| known.name == *real));
        ours.map(|member| (&pool.name, member.weight))
    })
}

const fn does(state: RealState) -> &'static str {
    match state {
        RealState::Up => "is up",
        RealState::Drain => "drains",
        RealState::Down => "is down",
        RealState::Failed => "has failed",
    }
}
