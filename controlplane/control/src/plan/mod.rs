//! What a new configuration changes, in words and as values, before anything is changed.
//!
//! Things are compared by name. Displayed, a plan is one sentence per line: first what is written
//! differently, then what that does to each service, with the share of its slots that move: of new flows,
//! that is, for established ones keep their real unless it is down or gone. Of these, the slots that the changed
//! reals give up or get are their own; Maglev, filled anew, moves some further ones between the others.

mod attributes;
mod compare;
mod flows;
mod ids;
#[cfg(test)]
mod tests;

use std::fmt;

use conf::{Config, Name};
use service::{BuildError, Generation, Movement, ServiceNumber, build, movement};

use crate::blueprint::{NoNumber, blueprint};
use crate::numbers::Numbers;

pub use flows::{Affected, FlowCount, affected};
pub use ids::{Fate, Led};

/// What changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// There is nothing to compare with.
    pub first: bool,
    /// What is written differently: settings, reals, pools, connection ids, services, rules, each by name.
    pub changes: Vec<Change>,
    /// What that does to each service of both configurations, by name; those it does nothing to are left out.
    pub effects: Vec<Effect>,
    /// What becomes of connections that their ids lead, by service.
    pub led: Vec<Led>,
}

/// One thing that is written differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which thing.
    pub subject: Subject,
    /// What of it.
    pub what: What,
}

/// What a change is about. Their order is the order of a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A key of a table that stands once.
    Setting,
    /// A port.
    Port(Name),
    /// A tunnel that ends here.
    TunnelEnd(Name),
    /// A real.
    Real(Name),
    /// A pool.
    Pool(Name),
    /// A way to make connection ids.
    Quic(Name),
    /// A `[[mark]]`.
    Mark(Name),
    /// A `[[limit]]`.
    Limit(Name),
    /// A service.
    Service(Name),
    /// A rule.
    Rule(Name),
}

/// How something changes. Values are as they are written in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is new, with these properties.
    Added(String),
    /// It goes.
    Removed,
    /// One of its keys has another value.
    Changed {
        /// The key, such as `weight of "web-1"`.
        key: String,
        /// The value so far.
        from: String,
        /// The value from now on.
        to: String,
    },
    /// A real is made to drain.
    Drains,
    /// A real is taken out.
    GoesDown,
    /// A real is taken out, by the word of its health.
    Fails,
    /// So little of a pool is up, in percent of its weight, that what has failed counts as up.
    Panics(u8),
    /// A real that came up has so many eighths of its weight in a pool.
    Starts {
        /// Which.
        real: Name,
        /// 1 to 8.
        eighths: u8,
    },
    /// That is over: what has failed is out again.
    Calms,
    /// A real takes new flows again.
    ComesUp,
    /// A real becomes a member of a pool.
    Joins {
        /// Which.
        real: Name,
        /// Its share.
        weight: u32,
    },
    /// A real is no member of a pool any more.
    Leaves {
        /// Which.
        real: Name,
    },
}

/// What the changes do to one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Its name.
    pub service: Name,
    /// Its number.
    pub number: ServiceNumber,
    /// Reals that begin to drain.
    pub drain: usize,
    /// Reals that go down, or whose number goes.
    pub leave: usize,
    /// Reals that join, or come up.
    pub join: usize,
    /// Reals with another weight.
    pub reweighted: usize,
    /// The share of its slots that get another real, 0 to 1.
    pub moved: f64,
    /// The part of it that these reals give up or get; the rest moves between others.
    pub own: f64,
    /// Nobody takes new flows afterwards.
    pub dry: bool,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// The numbers were assigned for another configuration.
    NoNumber(NoNumber),
    /// No table can be built.
    Build(BuildError),
    /// What was built is no table: a fault of the builder.
    Image(service::ImageError),
}

impl From<NoNumber> for PlanError {
    fn from(fault: NoNumber) -> Self {
        Self::NoNumber(fault)
    }
}

impl From<BuildError> for PlanError {
    fn from(fault: BuildError) -> Self {
        Self::Build(fault)
    }
}

impl From<service::ImageError> for PlanError {
    fn from(fault: service::ImageError) -> Self {
        Self::Image(fault)
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumber(fault) => write!(f, "{fault}"),
            Self::Build(fault) => write!(f, "no table can be built: {fault}"),
            Self::Image(fault) => write!(f, "the table that was built is not sound: {fault}"),
        }
    }
}

impl std::error::Error for PlanError {}

/// What `new` changes, compared with `old`. Each side's numbers were assigned for it, and the new ones from
/// the old ones. Both tables are built, so a configuration that makes none is told here.
///
/// # Errors
/// [`PlanError`].
pub fn plan(old: Option<(&Config, &Numbers)>, new: (&Config, &Numbers)) -> Result<Plan, PlanError> {
    let after = table(new)?;
    let changes = compare::changes(old.map(|(config, _)| config), new.0);
    let Some(old) = old else {
        return Ok(Plan { first: true, changes, effects: Vec::new(), led: Vec::new() });
    };
    let moves: Vec<Movement> = movement(&table(old)?, &after);
    let effects = compare::effects(old.0, new.0, |service| {
        let number = new.1.service(service)?;
        // The list is by ascending number.
        let place = moves.binary_search_by_key(&number, |entry| entry.service).ok()?;
        moves.get(place).copied()
    });
    Ok(Plan { first: false, changes, effects, led: ids::led(old.0, new.0) })
}

fn table((config, numbers): (&Config, &Numbers)) -> Result<service::Table<service::Aligned>, PlanError> {
    Ok(build(&blueprint(config, numbers)?, Generation::default())?.table()?)
}

impl Plan {
    /// Whether everything stays as it is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.first && self.changes.is_empty() && self.effects.is_empty() && self.led.is_empty()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("Nothing changes.");
        }
        let count =
            |kind: fn(&Subject) -> bool| self.changes.iter().filter(|change| kind(&change.subject)).count();
        if self.first {
            let services = many(count(|subject| matches!(subject, Subject::Service(_))), "service");
            let pools = many(count(|subject| matches!(subject, Subject::Pool(_))), "pool");
            let reals = many(count(|subject| matches!(subject, Subject::Real(_))), "real");
            write!(f, "The first table: {services}, {pools}, {reals}.")?;
        }
        let mut between = if self.first { "\n" } else { "" };
        for change in &self.changes {
            write!(f, "{between}{change}")?;
            between = "\n";
        }
        for effect in &self.effects {
            write!(f, "{between}{effect}")?;
            between = "\n";
        }
        for led in &self.led {
            write!(f, "{between}{led}")?;
            between = "\n";
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.subject, &self.what) {
            (Subject::Setting, What::Changed { key, from, to }) => {
                write!(f, "{key}: {from} becomes {to}")
            }
            (subject, what) => write!(f, "{subject} {what}"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting => f.write_str("setting"),
            Self::Port(name) => write!(f, "port \"{name}\""),
            Self::TunnelEnd(name) => write!(f, "tunnel end \"{name}\""),
            Self::Real(name) => write!(f, "real \"{name}\""),
            Self::Pool(name) => write!(f, "pool \"{name}\""),
            Self::Quic(name) => write!(f, "connection ids \"{name}\""),
            Self::Mark(name) => write!(f, "mark \"{name}\""),
            Self::Limit(name) => write!(f, "limit \"{name}\""),
            Self::Service(name) => write!(f, "service \"{name}\""),
            Self::Rule(name) => write!(f, "rule \"{name}\""),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(properties) => write!(f, "is new: {properties}"),
            Self::Removed => f.write_str("goes"),
            Self::Changed { key, from, to } => write!(f, "changes its {key} from {from} to {to}"),
            Self::Drains => f.write_str("drains: it keeps its flows and gets no new ones"),
            Self::GoesDown => f.write_str("goes down: its flows get another real"),
            Self::Fails => f.write_str("fails: its flows get another real, unless its pool panics"),
            Self::Panics(percent) => write!(
                f,
                "panics: {percent} % of its weight is up, so reals that have failed take flows, and keep theirs"
            ),
            Self::Starts { real, eighths: conf::EIGHTHS } => write!(f, "gives \"{real}\" its whole weight"),
            Self::Starts { real, eighths } => {
                write!(f, "gives \"{real}\" {eighths}/8 of its weight: it starts slowly")
            }
            Self::Calms => f.write_str("panics no more: reals that have failed take nothing"),
            Self::ComesUp => f.write_str("comes up"),
            Self::Joins { real, weight } => write!(f, "gets \"{real}\" with weight {weight}"),
            Self::Leaves { real } => write!(f, "loses \"{real}\""),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "service \"{}\": ", self.service)?;
        let parts = [
            (self.drain, "drains", "drain"),
            (self.leave, "leaves", "leave"),
            (self.join, "joins", "join"),
            (self.reweighted, "changes its weight", "change their weights"),
        ];
        for (count, one, several) in parts.into_iter().filter(|&(count, ..)| count > 0) {
            write!(f, "{} {}, ", many(count, "real"), if count == 1 { one } else { several })?;
        }
        if self.dry {
            return f.write_str("no real takes new flows: they are dropped (drop.no_real)");
        }
        if self.leave > 0 && self.moved <= 0.0 {
            return write!(f, "which had no slots: none move");
        }
        write!(f, "{} move", share(self.moved))?;
        let changed = self.drain + self.leave + self.join + self.reweighted;
        let further = self.moved - self.own;
        match changed {
            0 => Ok(()),
            _ if self.moved <= 0.0 => Ok(()),
            1 if further <= 0.0 => f.write_str(", all its own"),
            _ if further <= 0.0 => f.write_str(", all their own"),
            1 => write!(f, ": {} its own, {} further", percent(self.own), percent(further)),
            _ => write!(f, ": {} their own, {} further", percent(self.own), percent(further)),
        }
    }
}

/// `1 real`, `2 reals`.
fn many(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}

/// `0.7 % of slots`; a share too small to print is not called nothing, nor one too large everything.
fn share(moved: f64) -> String {
    if moved <= 0.0 {
        "no slots".to_owned()
    } else if moved >= 1.0 {
        "all slots".to_owned()
    } else {
        format!("{} of slots", percent(moved))
    }
}

/// `0.7 %` of a share.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.1 {
        "less than 0.1 %".to_owned()
    } else if share < 1.0 {
        format!("{:.1} %", percent.min(99.9))
    } else {
        "100 %".to_owned()
    }
}
