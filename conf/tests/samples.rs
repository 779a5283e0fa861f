//! The shipped samples load, and the reference says the truth about defaults and keys.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot read its files fails there and then"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use conf::keys::{KEYS, LISTED_TABLES};

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn text_of(name: &str) -> String {
    std::fs::read_to_string(samples().join(name)).unwrap()
}

#[test]
fn every_sample_loads() {
    let mut loaded = BTreeSet::new();
    for entry in std::fs::read_dir(samples()).unwrap() {
        let path = entry.unwrap().path();
        let config = conf::load(&path).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(!config.services.is_empty());
        loaded.insert(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    for name in ["smallest.toml", "site.toml", "ipv6.toml", "reference.toml"] {
        assert!(loaded.contains(name), "{name}");
    }
}

#[test]
fn the_numbers_file_is_beside_the_configuration() {
    let config = conf::load(&samples().join("site.toml")).unwrap();
    assert_eq!(config.node.numbers, Some(samples().join("site.numbers.toml")));
}

/// The reference without the lines whose key has a default, and the keys that were left out.
fn without_defaults(reference: &str) -> (String, BTreeSet<String>) {
    let mut table = String::new();
    let mut kept = String::new();
    let mut left_out = BTreeSet::new();
    for line in reference.lines() {
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_matches(['[', ']']).to_owned();
        }
        let key = line.split_once(" = ").map_or("", |(key, _)| key);
        let default =
            KEYS.iter().find(|entry| entry.table == table && entry.key == key).is_some_and(|entry| {
                entry.absent == entry.example.trim_matches('"')
                    || entry.absent.contains('.')
                    || entry.absent == "32 zeros"
            });
        // A next hop's default is another key, and the reference gives it an address of its own.
        if default && (table.as_str(), key) != ("real", "next_hop") {
            left_out.insert(format!("{table}.{key}"));
        } else {
            kept.push_str(&line.replace(", weight = 100", ""));
            kept.push('\n');
        }
    }
    (kept, left_out)
}

#[test]
fn defaults_shown_in_the_reference_are_the_real_ones() {
    let reference = text_of("reference.toml");
    let (stripped, left_out) = without_defaults(&reference);
    let keys = [
        "node.control",
        "node.return_path",
        "tunnel.hop_limit",
        "tunnel.passes_max",
        "tunnel.dont_fragment",
        "tunnel.mtu",
        "select.seed",
        "select.slots",
        "pool.policy",
        "flow.entries",
        "flow.syn_timeout_s",
        "flow.established_timeout_s",
        "flow.closing_timeout_s",
        "flow.udp_timeout_s",
        "dataplane.workers",
        "dataplane.huge_pages",
        "dataplane.memory_mb",
        "dataplane.packets",
        "port.kernel",
        "real.udp_checksum",
        "real.state",
        "pool.slots",
        "quic.lengths",
        "rule.priority",
        "mark.dscp_on",
        "limit.colour_aware",
        "pool.panic_percent",
        "pool.slow_start_s",
        "service.key",
    ];
    assert_eq!(left_out, keys.into_iter().map(str::to_owned).collect());
    assert!(reference.contains(", weight = 100") && !stripped.contains("weight = 100"));
    assert_eq!(conf::parse("r.toml", &reference).unwrap(), conf::parse("r.toml", &stripped).unwrap());
}

#[test]
fn every_key_is_in_the_reference() {
    let reference = text_of("reference.toml");
    let document: toml::Table = reference.parse().unwrap();
    for key in KEYS {
        let path = key.table.split('.').chain([key.key]);
        let mut value = &toml::Value::Table(document.clone());
        for step in path {
            let table = match value {
                toml::Value::Array(list) => list.iter().find(|table| table.get(step).is_some()).unwrap(),
                other => other,
            };
            value = table.get(step).unwrap_or_else(|| panic!("{}.{}", key.table, key.key));
        }
        if !key.table.contains('.') {
            assert!(reference.contains(&format!("\n{} = ", key.key)), "{}.{}", key.table, key.key);
        }
    }
    assert!(LISTED_TABLES.iter().all(|table| reference.contains(&format!("\n[[{table}]]\n"))));
}

#[test]
fn the_example_of_every_key_is_accepted() {
    let reference = text_of("reference.toml");
    for key in KEYS.iter().filter(|key| !key.table.contains('.')) {
        let mut table = String::new();
        let mut changed = String::new();
        // A table may stand again, and is another one then.
        let mut is_done = false;
        for line in reference.lines() {
            if let Some(name) = line.strip_prefix('[') {
                table = name.trim_matches(['[', ']']).to_owned();
            }
            let here = !is_done && table == key.table && line.starts_with(&format!("{} = ", key.key));
            is_done |= here;
            let line = if here { format!("{} = {}", key.key, key.example) } else { line.to_owned() };
            changed.push_str(&line);
            changed.push('\n');
        }
        conf::parse("r.toml", &changed)
            .unwrap_or_else(|faults| panic!("{}.{}: {faults}", key.table, key.key));
    }
}

#[test]
fn the_readme_has_the_key_table() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let mut table = String::from("| key | takes | if absent | meaning |\n|---|---|---|---|\n");
    for key in KEYS {
        let takes = key.takes.replace('|', "\\|");
        table.push_str(&format!(
            "| `{}.{}` | {takes}, such as `{}` | {} | {} |\n",
            key.table, key.key, key.example, key.absent, key.means
        ));
    }
    assert!(readme.contains(&table), "the table in README.md should be:\n{table}");
}
