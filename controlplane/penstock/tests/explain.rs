//! `penstock explain`, as a person sees it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

mod common;

use common::{Bench, mixture, tcp};

const HTTP: [u8; 4] = [198, 51, 100, 10];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_packet_is_walked_from_its_headers_to_its_real() {
    let bench = Bench::new();
    let said = bench.good(&format!("explain --config site.toml --packet {}", hex(&tcp(1, HTTP, 80, 2, 0))));
    let steps: Vec<&str> = said.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        steps,
        ["frame", "headers", "screen", "flow", "service", "real", "way", "ready", "verdict", "table"],
        "{said}"
    );
    assert!(said.contains("service   \"http\" (number 1): 198.51.100.0/24 tcp 80\n"), "{said}");
    assert!(said.contains("verdict   tx to real \"web-"), "{said}");
    assert!(said.contains("flow      none in the table\n"), "{said}");
}

#[test]
fn a_drop_says_its_reason_and_what_it_means() {
    let bench = Bench::new();
    let said = bench.good(&format!("explain --config site.toml --packet {}", hex(&tcp(1, HTTP, 81, 2, 0))));
    assert!(
        said.contains("verdict   drop: no_service. The address is a VIP, but no service there"),
        "{said}"
    );
    let said =
        bench.good(&format!("explain --config site.toml --packet {}", hex(&tcp(1, [9, 9, 9, 9], 80, 2, 0))));
    assert!(said.contains("verdict   punt: not_vip. The destination is no VIP."), "{said}");
    let said = bench.good("explain --config site.toml --packet 0200");
    assert!(said.contains("verdict   drop: truncated."), "{said}");
}

/// Every packet of a capture ends in `explain` as the trace of its replay says.
#[test]
fn a_packet_of_a_capture_is_explained_as_its_replay_decided() {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(60), 1_000_000);
    bench.good("replay --config site.toml --in in.pcap --backend memory --trace trace.ndjson");
    let trace = String::from_utf8(bench.read("trace.ndjson")).unwrap();
    for (index, line) in trace.lines().enumerate() {
        let traced: serde_json::Value = serde_json::from_str(line).unwrap();
        let said = bench.good(&format!("explain --config site.toml --pcap in.pcap:{index} --json"));
        let told: serde_json::Value = serde_json::from_str(&said).unwrap();
        for key in ["verdict", "reason", "service", "real"] {
            assert_eq!(told[key], traced[key], "packet {index}: {key}");
        }
        assert_eq!(told["leaves"] != "", traced["verdict"] == "tx");
        let mut steps = told["steps"].as_array().unwrap().iter();
        let flow = steps.find(|step| step["step"] == "flow").map_or(&traced["none"], |step| &step["text"]);
        let is_known = flow.as_str().is_some_and(|text| text != "none in the table");
        assert_eq!(is_known, traced["flow"] == "hit", "packet {index}");
    }
}

#[test]
fn what_cannot_be_explained_is_refused_in_a_sentence() {
    let bench = Bench::new();
    bench.capture("in.pcap", &[tcp(1, HTTP, 80, 2, 0)], 1);
    for (line, words) in [
        ("--packet 0z", "'z' at 1 is no hexadecimal digit"),
        ("--packet 012", "one is missing"),
        ("--pcap in.pcap", "give FILE:INDEX"),
        ("--pcap in.pcap:1", "there is no packet 1; the capture has 1"),
        ("--pcap none.pcap:0", "none.pcap: cannot be read"),
    ] {
        let told = bench.bad(&format!("explain --config site.toml {line}"), 1);
        assert!(told.contains(words) && told.lines().count() == 1, "{told}");
    }
    assert!(bench.bad("explain --config site.toml", 2).contains("--packet"));
}

#[test]
fn without_a_configuration_a_running_box_is_asked() {
    let bench = Bench::new();
    let packet = hex(&tcp(1, HTTP, 80, 2, 0));
    let told = bench.sentence(&format!("explain --packet {packet} --socket none.sock"));
    assert!(told.contains("none.sock"), "{told}");
    let told = bench.bad(&format!("explain --packet {packet} --socket none.sock --config site.toml"), 2);
    assert!(told.contains("cannot be used with"), "{told}");
    assert!(bench.good("explain --help").contains("[default: /run/penstock/control.sock]"));
}
