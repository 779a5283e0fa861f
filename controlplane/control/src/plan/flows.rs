//! What a change does to the flows that are in the tables now.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use conf::{Config, Name};

use super::many;
use crate::numbers::Numbers;

/// How many flows of each service each real has, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowCount {
    counts: BTreeMap<(u32, u32), u64>,
}

impl FlowCount {
    /// One flow more of that service on that real.
    pub fn add(&mut self, service: u32, real: u32) {
        let count = self.counts.entry((service, real)).or_default();
        *count = count.saturating_add(1);
    }
}

/// What happens to the flows of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// Which service.
    pub service: Name,
    /// Flows that keep their real.
    pub kept: u64,
    /// Flows whose real goes down or away: they get another one.
    pub moved: u64,
    /// The service goes: these end.
    pub ended: u64,
}

/// What a change from `old` to `new` does to the flows: by name, those services only of which flows move or
/// end. An established flow keeps its real unless that is down or gone, whatever becomes of the slots; where connection
/// ids lead, the plan says what becomes of them.
#[must_use]
pub fn affected(old: (&Config, &Numbers), new: (&Config, &Numbers), flows: &FlowCount) -> Vec<Affected> {
    let services: BTreeSet<u32> =
        new.0.services.iter().filter_map(|it| Some(new.1.service(&it.name)?.get())).collect();
    let alive = new.0.reals.iter().enumerate().filter(|(place, _)| new.0.keeps_flows(*place));
    let reals: BTreeSet<u32> = alive.filter_map(|(_, real)| Some(new.1.real(&real.name)?.get())).collect();
    let mut list: Vec<Affected> = Vec::new();
    for service in &old.0.services {
        let Some(number) = old.1.service(&service.name).map(|number| number.get()) else { continue };
        let mut one = Affected { service: service.name.clone(), kept: 0, moved: 0, ended: 0 };
        for ((_, real), count) in flows.counts.range((number, 0)..=(number, u32::MAX)) {
            let sum = match (services.contains(&number), reals.contains(real)) {
                (false, _) => &mut one.ended,
                (true, false) => &mut one.moved,
                (true, true) => &mut one.kept,
            };
            *sum = sum.saturating_add(*count);
        }
        if one.moved > 0 || one.ended > 0 {
            list.push(one);
        }
    }
    list.sort_by(|a, b| a.service.cmp(&b.service));
    list
}

impl fmt::Display for Affected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flows = |count: u64| many(usize::try_from(count).unwrap_or(usize::MAX), "flow");
        if self.ended > 0 {
            return write!(f, "service \"{}\": its {} end", self.service, flows(self.ended));
        }
        let gets = if self.moved == 1 { "gets" } else { "get" };
        write!(
            f,
            "service \"{}\": {} {gets} another real, {} stay",
            self.service,
            flows(self.moved),
            self.kept
        )
    }
}
