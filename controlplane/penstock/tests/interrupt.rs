//! Ctrl-C: a sentence, the status that shells know, and no half files.
#![allow(clippy::unwrap_used, reason = "test code, which may stop where it is wrong")]

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::{Bench, mixture, text};

fn interrupted(backend: &str) {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(50), 1_000_000_000);
    // At the capture's own pace it would take 50 seconds.
    let line = format!(
        "replay --config site.toml --in in.pcap --rate recorded --out o.pcap --trace t --report r --html h --backend {backend}"
    );
    let child = bench.command(&line).spawn().unwrap();
    // The unfinished files are there once the work has begun, and signals are watched by then.
    let start = Instant::now();
    while bench.files().len() < 6 {
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", bench.files());
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(told.ends_with("penstock: interrupted; nothing was written\n"), "{told}");
    assert!(output.stdout.is_empty());
    assert_eq!(bench.files(), ["in.pcap", "site.toml"]);
}

#[test]
fn a_replay_in_memory_ends_at_once_and_leaves_nothing() {
    interrupted("memory");
}

#[cfg(feature = "dpdk")]
#[test]
fn a_replay_through_dpdk_ends_at_once_and_leaves_nothing() {
    interrupted("dpdk");
}
