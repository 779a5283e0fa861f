//! What a running box and its views say again and again: `show --watch`, and the lines of `run --log json`.
#![cfg(feature = "dpdk")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

mod common;

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;

use common::running::{FLOWS, Running, signal};
use common::{tcp, text};
use serde_json::Value;

/// SIGINT.
const INTERRUPT: i32 = 2;

fn site(weight: u32) -> String {
    let head = "[node]\ncontrol = \"c.sock\"\nmac = \"02:00:00:00:00:01\"\n[flow]\nentries = 4096\n[tunnel]\nsource_v4 = \
                \"192.0.2.1\"\nnext_hop = \"02:00:00:00:00:fe\"\n[[port]]\nname = \"lan0\"\ndevice = \
                \"net_pcap0,rx_pcap=in.pcap,infinite_rx=1\"\n";
    let real = |name: &str| format!("[[real]]\nname = \"{name}\"\naddress = \"10.0.1.{}\"\n", name.len());
    format!(
        "{head}{}{}[[pool]]\nname = \"web\"\nslots = 1021\nmembers = [{{ real = \"one\" }}, {{ real = \"other\", \
         weight = {weight} }}]\n[[service]]\nname = \"http\"\nvip = \"198.51.100.1\"\nprotocol = \"tcp\"\nports = \
         80\npool = \"web\"\n",
        real("one"),
        real("other")
    )
}

fn running(options: &str) -> Running {
    let frames: Vec<_> = (0..FLOWS).map(|client| tcp(client, [198, 51, 100, 1], 80, 0x10, 9)).collect();
    Running::playing(&frames, usize::from(FLOWS), &site(100), options)
}

/// Reads what a view says until `is_enough` of its lines, then interrupts it, which ends it.
fn watched(running: &Running, view: &str, mut is_enough: impl FnMut(&str) -> bool) {
    let line = format!("show {view} --watch 0.2 --socket c.sock");
    let mut child = running.bench.command(&line).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The pipe stays open: a view that has nobody to tell ends by itself, perhaps before the signal.
    let found = lines.by_ref().map_while(Result::ok).any(|line| is_enough(&line));
    signal("INT", &child);
    let output = child.wait_with_output().unwrap();
    assert!(found, "{view}: {}", text(&output.stderr));
    assert_eq!(output.status.signal(), Some(INTERRUPT), "{view}");
    assert_eq!(text(&output.stderr), "", "{view}");
}

#[test]
fn a_view_is_shown_again_and_again_until_ctrl_c() {
    let mut running = running("");
    let (mut rounds, mut before) = (0, 0);
    watched(&running, "counters --json", |line| {
        let value: Value = serde_json::from_str(line).unwrap();
        let rx = value["counters"]["rx"].as_u64().unwrap();
        assert!(rx >= before);
        // Later rounds are not the first one's figures again.
        rounds += 1;
        let grows = rounds > 1 && rx > before;
        before = rx;
        grows
    });
    let (mut heads, mut gaps) = (0, 0);
    watched(&running, "reals", |line| {
        heads += u32::from(line.contains("address"));
        gaps += u32::from(line.is_empty());
        heads == 3
    });
    assert_eq!(gaps, 2, "an empty line between two rounds");
    running.end();
}

#[test]
fn each_line_of_a_runs_json_log_is_an_object_with_its_time_level_and_message() {
    let mut running = running("--log json");
    running.write(&site(50));
    running.signal("HUP");
    running.until("generation", |generation| generation["sequence"] == 2);
    running.write("[node");
    running.signal("HUP");
    running.settle();
    let told = running.end();
    let lines: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}")))
        .collect();
    for line in &lines {
        let word = |key: &str| line[key].as_str().unwrap_or_else(|| panic!("no {key}: {line}"));
        let (day, time) = word("timestamp").split_once('T').unwrap();
        assert!(day.split('-').count() == 3 && time.ends_with('Z'), "{line}");
        assert!(["INFO", "WARN", "ERROR"].contains(&word("level")), "{line}");
        assert!(!word("message").is_empty(), "{line}");
    }
    let said = |level: &str, words: &[&str]| {
        lines.iter().any(|line| {
            let message = line["message"].as_str().unwrap();
            line["level"] == level && words.iter().all(|words| message.contains(words))
        })
    };
    assert!(said("INFO", &["generation 2 is in force"]), "{told}");
    // A plan of several lines stays one object.
    assert!(said("INFO", &["SIGHUP", "from 100 to 50"]), "{told}");
    assert!(said("ERROR", &["SIGHUP", "nothing was changed", "site.toml:1"]), "{told}");
}
