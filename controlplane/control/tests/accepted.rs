//! Whatever configuration is accepted makes a table: validation knows all that the builder demands.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a property that does not hold fails there and then"
)]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use control::{Numbers, blueprint, plan};
use proptest::prelude::{Strategy, any, prop};
use proptest::test_runner::{Config, TestRunner};
use service::{Generation, build};

fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf/samples").join(name);
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Values worth trying for any key; those of the samples are tried too.
const VALUES: [&str; 24] = [
    "1",
    "2",
    "3",
    "64",
    "80",
    "97",
    "443",
    "576",
    "1280",
    "65535",
    "0.125",
    "3600",
    "\"mac\"",
    "\"down\"",
    "\"drain\"",
    "\"set\"",
    "\"any\"",
    "\"1-65535\"",
    "\"udp\"",
    "\"0.0.0.0/0\"",
    "\"::/0\"",
    "\"10.0.0.11\"",
    "\"2001:db8::/127\"",
    "\"172.16.0.0/31\"",
];

/// Values of some lines become the values of other lines with the same key, or of [`VALUES`].
fn changed(text: &str, changes: &[(prop::sample::Index, prop::sample::Index)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let samples = ["smallest.toml", "site.toml", "ipv6.toml", "reference.toml"].map(sample).concat();
    for (place, choice) in changes {
        let place = place.index(lines.len());
        if let Some((key, _)) = lines[place].clone().split_once(" = ") {
            let same = samples.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            let values: Vec<&str> = same.chain(VALUES).collect();
            lines[place] = format!("{key} = {}", choice.get(&values));
        }
    }
    lines.join("\n")
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, prop::sample::Index)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..8)
}

#[test]
fn what_is_accepted_makes_a_table() {
    let accepted = AtomicUsize::new(0);
    let names = prop::sample::select(vec!["smallest.toml", "site.toml", "ipv6.toml"]);
    let run = TestRunner::new(Config { cases: 600, failure_persistence: None, ..Config::default() }).run(
        &(names, changes()),
        |(name, changes)| {
            let text = small(name);
            if let Ok(new) = conf::parse("new.toml", &changed(&text, &changes)) {
                accepted.fetch_add(1, Ordering::Relaxed);
                makes_a_table(&conf::parse("old.toml", &text).unwrap(), &new);
            }
            Ok(())
        },
    );
    run.unwrap_or_else(|fault| panic!("{fault}"));
    let accepted = accepted.load(Ordering::Relaxed);
    assert!(accepted >= 30, "only {accepted} of 600 were accepted: nothing was tried");
}

/// A sample with small tables: the point is what is accepted, not how long it takes.
fn small(name: &str) -> String {
    let text = sample(name);
    if text.contains("[select]") {
        text.replace("[select]", "[select]\nslots = 1021")
    } else {
        text.replace("[tunnel]", "[select]\nslots = 1021\n[tunnel]")
    }
}

fn makes_a_table(old: &conf::Config, new: &conf::Config) {
    let before = Numbers::default().assign(old, 0).unwrap();
    let after = before.assign(new, 1).unwrap();
    let blueprint = blueprint(new, &after).unwrap();
    let built = build(&blueprint, Generation::default()).unwrap_or_else(|fault| panic!("{fault}"));
    assert!(built.table().is_ok());
    let plan = plan(Some((old, &before)), (new, &after)).unwrap();
    assert_eq!(plan.is_empty(), plan.to_string() == "Nothing changes.");
}
