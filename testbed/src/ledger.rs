//! What moved: every counter, and packets and bytes of reals, services and rules by name.

use std::collections::{BTreeMap, BTreeSet};

use counters::Counter;
use serde_json::Value;

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Bytes of the inner IP packets.
    pub bytes: u64,
}

/// What moved in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Counters by name; one that is missing stands at 0.
    pub counters: BTreeMap<String, u64>,
    /// Reals by name.
    pub reals: BTreeMap<String, Tally>,
    /// Services by name.
    pub services: BTreeMap<String, Tally>,
    /// Responses of services, by their names.
    pub responses: BTreeMap<String, Tally>,
    /// Rules by name; one that is missing decided about nothing.
    pub rules: BTreeMap<String, Tally>,
}

fn count(value: &toml::Value) -> Option<u64> {
    u64::try_from(value.as_integer()?).ok()
}

fn tally(value: &toml::Value) -> Option<Tally> {
    let table = value.as_table()?;
    let field = |name| table.get(name).map_or(Some(0), count);
    table.keys().all(|key| key == "packets" || key == "bytes").then_some(())?;
    Some(Tally { packets: field("packets")?, bytes: field("bytes")? })
}

impl Moved {
    /// From a `counters.toml`: counters by name, and tables `[real.NAME]`, `[service.NAME]`,
    /// `[responses.NAME]` (of the service of that name) and `[rule.NAME]`, which may be written as `"real.NAME" = { ... }` too.
    ///
    /// # Errors
    /// A name that is no counter's, or a value that is none.
    pub fn from_toml(table: &toml::Table) -> Result<Self, String> {
        let mut moved = Self::default();
        for (key, value) in table {
            let told = || format!("{key} = {value} says nothing a ledger knows");
            match (key.split_once('.'), value.as_table()) {
                (None, Some(tallies)) => {
                    for (name, value) in tallies {
                        *moved.place(key, name).ok_or_else(told)? = tally(value).ok_or_else(told)?;
                    }
                }
                (Some((kind, name)), Some(_)) => {
                    *moved.place(kind, name).ok_or_else(told)? = tally(value).ok_or_else(told)?;
                }
                _ => {
                    Counter::by_name(key).ok_or_else(told)?;
                    moved.counters.insert(key.clone(), count(value).ok_or_else(told)?);
                }
            }
        }
        Ok(moved)
    }

    fn place(&mut self, kind: &str, name: &str) -> Option<&mut Tally> {
        match kind {
            "real" => Some(self.reals.entry(name.to_owned()).or_default()),
            "service" => Some(self.services.entry(name.to_owned()).or_default()),
            "responses" => Some(self.responses.entry(name.to_owned()).or_default()),
            "rule" => Some(self.rules.entry(name.to_owned()).or_default()),
            _ => None,
        }
    }

    /// From a report of `penstock replay` or `penstock run`.
    ///
    /// # Errors
    /// A report without a ledger.
    pub fn from_report(report: &Value) -> Result<Self, String> {
        let counters =
            report.get("counters").and_then(Value::as_object).ok_or("the report has no counters")?;
        let mut moved = Self::default();
        for (name, value) in counters {
            Counter::by_name(name)
                .ok_or_else(|| format!("the report has a counter {name} that nobody knows"))?;
            moved.counters.insert(name.clone(), value.as_u64().ok_or("a counter that is no number")?);
        }
        for counter in Counter::all() {
            if !moved.counters.contains_key(counter.name()) {
                return Err(format!("the report does not tell {}", counter.name()));
            }
        }
        moved.reals = tallies(report, "reals")?;
        moved.services = tallies(report, "services")?;
        moved.responses = responses(report);
        moved.rules = tallies(report, "rules")?;
        Ok(moved)
    }

    /// A counter.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or(0)
    }

    /// The same without what only several workers do: hand fragments over, and look for strays' flows. Hits and entries
    /// stand together: what one worker knows of, another may have to enter.
    #[must_use]
    pub fn of_any_number_of_workers(mut self) -> Self {
        let flows = self.get("flow.hit") + self.get("flow.insert");
        self.counters.retain(|name, _| !name.starts_with("hand.") && !name.starts_with("look."));
        self.counters.insert("flow.hit".to_owned(), flows);
        self.counters.remove("flow.insert");
        self
    }

    /// The same without what tells how a flow's real was found.
    #[must_use]
    pub fn without_flows(mut self) -> Self {
        self.counters.retain(|name, _| !name.starts_with("flow."));
        self
    }

    /// Every counter and every rule is as `self` says, and what `self` does not list stands at 0; reals and services only
    /// where they are listed.
    ///
    /// # Errors
    /// Every counter that is off, and the sum law where it is broken.
    pub fn require(&self, got: &Self) -> Result<(), String> {
        let mut off = Vec::new();
        let names: BTreeSet<&String> = self.counters.keys().chain(got.counters.keys()).collect();
        for name in names {
            if self.get(name) != got.get(name) {
                off.push(format!("{name} is {}, expected {}", got.get(name), self.get(name)));
            }
        }
        for (kind, expected, got) in [
            ("real", &self.reals, &got.reals),
            ("service", &self.services, &got.services),
            ("responses of service", &self.responses, &got.responses),
        ] {
            for (name, expected) in expected {
                let got = got.get(name).copied().unwrap_or_default();
                if got != *expected {
                    off.push(format!("{kind} {name} has {got:?}, expected {expected:?}"));
                }
            }
        }
        let rules: BTreeSet<&String> = self.rules.keys().chain(got.rules.keys()).collect();
        for name in rules {
            let of = |moved: &Self| moved.rules.get(name).copied().unwrap_or_default();
            if of(self) != of(got) {
                off.push(format!("rule {name} has {:?}, expected {:?}", of(got), of(self)));
            }
        }
        off.extend(got.balance().err());
        if off.is_empty() { Ok(()) } else { Err(off.join("; ")) }
    }

    /// The sum law: rx + made + kernel.rx + hand.in = tx + drops + punts + held + hand.out, where held is what waits at
    /// the end.
    ///
    /// # Errors
    /// Both sides.
    pub fn balance(&self) -> Result<(), String> {
        let sum = |prefix: &str| -> u64 {
            self.counters.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, count)| count).sum()
        };
        let (rx, made, tx) = (self.get("rx"), self.get("made"), self.get("tx"));
        let (kernel, drops, punts) = (self.get("kernel.rx"), sum("drop."), sum("punt."));
        let held = self.get("held").saturating_sub(self.get("released"));
        let (came, went) = (self.get("hand.in"), self.get("hand.out"));
        if rx + made + kernel + came == tx + drops + punts + held + went {
            return Ok(());
        }
        Err(format!(
            "rx {rx} + made {made} + kernel.rx {kernel} + hand.in {came} is not tx {tx} + drops {drops} + \
             punts {punts} + held {held} + hand.out {went}"
        ))
    }
}

fn tallies(report: &Value, key: &str) -> Result<BTreeMap<String, Tally>, String> {
    let told = || format!("the report does not tell {key}");
    let list = report.get(key).and_then(Value::as_array).ok_or_else(told)?;
    let one = |entry: &Value| {
        let field = |name: &str| entry.get(name).and_then(Value::as_u64);
        let name = entry.get("name")?.as_str()?.to_owned();
        Some((name, Tally { packets: field("packets")?, bytes: field("bytes")? }))
    };
    list.iter().map(|entry| one(entry).ok_or_else(told)).collect()
}

/// Of the services whose responses are counted.
fn responses(report: &Value) -> BTreeMap<String, Tally> {
    let one = |service: &Value| {
        let field = |name: &str| service.get("responses")?.get(name)?.as_u64();
        let name = service.get("name")?.as_str()?.to_owned();
        Some((name, Tally { packets: field("packets")?, bytes: field("bytes")? }))
    };
    report.get("services").and_then(Value::as_array).into_iter().flatten().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{Moved, Tally};

    fn moved(text: &str) -> Result<Moved, String> {
        Moved::from_toml(&text.parse().unwrap())
    }

    #[test]
    fn what_is_not_listed_stands_at_zero() {
        let expected = moved("rx = 2\ntx = 1\n\"drop.truncated\" = 1").unwrap();
        assert_eq!(expected.require(&expected), Ok(()));
        let other = moved("rx = 2\ntx = 1\n\"drop.malformed\" = 1").unwrap();
        let told = expected.require(&other).unwrap_err();
        assert!(told.contains("drop.malformed is 1, expected 0"), "{told}");
        assert!(told.contains("drop.truncated is 0, expected 1"), "{told}");
    }

    #[test]
    fn the_sum_law_is_held_even_where_the_expectation_breaks_it() {
        let broken = moved("rx = 2\ntx = 1").unwrap();
        assert!(
            broken
                .require(&broken)
                .unwrap_err()
                .contains("rx 2 + made 0 + kernel.rx 0 + hand.in 0 is not tx 1")
        );
    }

    #[test]
    fn reals_are_compared_where_they_are_listed_and_strange_names_are_refused() {
        let expected = moved("[real.web-1]\npackets = 1\nbytes = 40").unwrap();
        assert_eq!(expected.reals["web-1"], Tally { packets: 1, bytes: 40 });
        assert!(expected.require(&Moved::default()).unwrap_err().contains("real web-1"));
        assert_eq!(moved("\"service.web\" = { packets = 1, bytes = 2 }").unwrap().services["web"].bytes, 2);
        assert!(
            moved("rxx = 1").is_err() && moved("rx = -1").is_err() && moved("[pool.a]\npackets = 1").is_err()
        );
    }
}
