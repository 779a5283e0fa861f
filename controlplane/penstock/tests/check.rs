//! `penstock check`, as a person sees it.
#![allow(clippy::unwrap_used, reason = "test code, which may stop where it is wrong")]

mod common;

use common::{Bench, CONFIG, text};

#[test]
fn a_sound_configuration_is_told_in_words_with_its_digest() {
    let bench = Bench::new();
    let said = bench.good("check --config site.toml");
    assert!(said.starts_with("The first table: 2 services, 2 pools, 3 reals."), "{said}");
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("Sound: 2 VIPs, 2 services, 2 pools, 3 reals; a table of "), "{last}");
    assert_eq!(bench.good("check --config site.toml"), said, "the same table, the same digest");
}

#[test]
fn every_fault_is_told_on_a_line_of_its_own() {
    let bench = Bench::new();
    let broken = CONFIG.replace("pool = \"dns\"", "pool = \"dsn\"").replace("10.0.0.12", "10.0.0.300");
    std::fs::write(bench.path("site.toml"), broken).unwrap();
    let told = bench.bad("check --config site.toml", 1);
    assert!(told.lines().count() >= 2, "{told}");
    assert!(told.lines().all(|line| line.starts_with("site.toml:")), "{told}");
    assert!(told.contains("10.0.0.300") && told.contains("Did you mean \"dns\"?"), "{told}");
    assert!(bench.run("check --config site.toml").stdout.is_empty());
}

#[test]
fn a_change_is_told_with_the_share_of_slots_that_move() {
    let bench = Bench::new();
    std::fs::write(
        bench.path("new.toml"),
        CONFIG.replace("real = \"web-2\" }", "real = \"web-2\", weight = 50 }"),
    )
    .unwrap();
    let said = bench.good("check --config new.toml --against site.toml");
    assert!(said.contains("changes its weight of \"web-2\" from 100 to 50"), "{said}");
    assert!(said.contains("service \"http\": 1 real changes its weight, "), "{said}");
    assert!(said.contains("% of slots move"), "{said}");
    let same = bench.good("check --config site.toml --against site.toml");
    assert!(same.starts_with("Nothing changes."), "{same}");
}

#[test]
fn a_check_writes_nothing_and_a_file_that_is_not_there_is_told() {
    let bench = Bench::new();
    std::fs::write(bench.path("site.toml"), format!("[node]\nnumbers = \"numbers.toml\"\n{CONFIG}")).unwrap();
    bench.good("check --config site.toml");
    assert_eq!(bench.files(), ["site.toml"]);
    let told = bench.bad("check --config none.toml", 1);
    assert!(told.starts_with("none.toml: the file cannot be read"), "{told}");
}

#[test]
fn usage_is_status_2_and_the_version_is_told() {
    let bench = Bench::new();
    bench.bad("check", 2);
    bench.bad("frobnicate", 2);
    assert_eq!(bench.good("--version"), format!("penstock {}\n", env!("CARGO_PKG_VERSION")));
    let help = text(&bench.run("replay -h").stdout);
    assert!(!help.contains("--burst"), "hidden from the short help");
    assert!(text(&bench.run("replay --help").stdout).contains("--burst"));
}
