//! The arrows between crates, as the design draws them. A new arrow is an architecture decision: it is
//! added here, in a commit of its own that says why.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::collections::BTreeMap;

/// Who may import whom, tests apart. `penstock`, `testbed` and `benches` are below.
const ALLOWED: &[(&str, &[&str])] = &[
    ("mem", &[]),
    ("net", &[]),
    ("shm", &[]),
    ("dpdk-sys", &[]),
    ("dpdk", &["dpdk-sys", "port"]),
    ("wire", &[]),
    ("quic", &[]),
    ("port", &["mem"]),
    ("counters", &[]),
    ("capture", &[]),
    ("filter", &[]),
    // It gives the instructions that `filter` checks.
    ("pcap", &["filter"]),
    ("service", &["wire", "mem", "quic"]),
    ("flow", &["wire", "service", "mem"]),
    ("engine", &["wire", "service", "flow", "counters", "port", "mem", "quic"]),
    // A worker owns an engine and a table, so it names the service's types; it decides nothing with them.
    ("worker", &["engine", "port", "link", "counters", "shm", "service", "mem", "filter", "wire"]),
    ("link", &["service"]),
    ("conf", &["wire", "service", "quic"]),
    ("control", &["conf", "service", "link", "counters", "shm"]),
    ("report", &[]),
    ("ctl", &[]),
    // What it writes has to pass `conf`, so limits and types stand once, there.
    ("import", &["conf", "service"]),
    ("doctor", &["conf"]),
    ("kernel", &[]),
    // Names and help of a metric are the counter's own.
    ("metrics", &["ctl", "counters"]),
    // The screen explains a reason in the words of the counter's own definition.
    ("top", &["ctl", "counters"]),
];

/// The crates that compose the others: anything but the raw bindings.
const COMPOSERS: &[&str] = &["penstock", "testbed", "benches"];

fn arrows() -> BTreeMap<String, Vec<String>> {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec().unwrap();
    let ours: Vec<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let imports = |package: &cargo_metadata::Package| {
        let normal = |kind| kind == cargo_metadata::DependencyKind::Normal;
        let names = package.dependencies.iter().filter(|dependency| normal(dependency.kind));
        names.map(|dependency| dependency.name.clone()).filter(|name| ours.contains(name)).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), imports(package))).collect()
}

#[test]
fn crates_import_only_what_the_design_allows() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    for (from, imports) in arrows() {
        for to in imports {
            let fine = match allowed.get(from.as_str()) {
                Some(list) => list.contains(&to.as_str()),
                None => COMPOSERS.contains(&from.as_str()) && to != "dpdk-sys",
            };
            assert!(fine, "{from} imports {to}: no such arrow is drawn");
        }
    }
}

#[test]
fn every_crate_is_drawn_and_every_drawn_crate_exists() {
    let drawn = ALLOWED.iter().map(|(name, _)| *name).chain(COMPOSERS.iter().copied());
    let mut drawn: Vec<String> = drawn.map(str::to_owned).collect();
    drawn.sort();
    assert_eq!(arrows().into_keys().collect::<Vec<_>>(), drawn);
}
