//! Every case, run by the real binary: on the in-memory port in bursts of several sizes, on DPDK's mbufs,
//! live on `net_pcap`, and some of them over a cable between two network namespaces.
//!
//! A mode tells all the cases that fail, not just the first. `CASE=words` runs those whose names hold the
//! words.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail as the test does")]

use std::path::{Path, PathBuf};

use counters::Counter;
use testbed::cases::{Case, each};
use testbed::lab::{Cable, require_root};
use testbed::ledger::Moved;
use testbed::penstock::{command, replay, run};
use testbed::{cases, pcap, penstock, root};

const BURSTS: [&str; 4] = ["1", "2", "7", "32"];
/// What a frame leaves with where a case's configuration does not say.
const NODE_MAC: &str = "02:00:00:00:00:01";
/// Over the cable: one of each kind, since a run takes a second. None has fragments: the kernel puts those
/// together before `net_af_packet` sees them (it asks for that, `PACKET_FANOUT_FLAG_DEFRAG`).
const CABLED: [&str; 15] = [
    "a-tcp-packet-to-a-v4-vip-is-tunnelled-to-its-real",
    "a-udp-packet-to-a-v4-vip-is-tunnelled-to-its-real",
    "a-v4-packet-to-a-v6-real-travels-in-an-ipv6-header",
    "a-v6-packet-to-a-v4-real-travels-in-an-ipv4-header",
    "a-v6-packet-to-a-v6-real-travels-in-an-ipv6-header",
    "a-real-on-the-lan-gets-the-packet-with-only-its-mac-addresses-changed",
    "a-vlan-tag-is-kept",
    "an-echo-request-to-a-vip-is-answered",
    "an-arp-request-for-a-vip-is-answered",
    "arp-that-asks-for-no-vip-is-punted",
    "a-neighbour-solicitation-for-a-vip-is-answered",
    "a-packet-that-fills-the-tunnel-mtu-passes-and-one-byte-more-is-dropped",
    "flows-that-interleave-in-a-burst-are-told-apart",
    "a-vip-without-a-service-for-the-port-drops-the-packet",
    "icmp-errors-follow-the-flow-they-quote",
];
/// What no case moves: the counter, where it is shown instead, the words that show it there, and why no case can.
const BEYOND_CASES: [(&str, &str, &str, &str); 14] = [
    (
        "drop.no_headroom",
        "dataplane/engine/tests/limits.rs",
        "DropReason::NoHeadroom",
        "every back end leaves 128 bytes in front, the longest outer header takes 40",
    ),
    (
        "drop.tx_refused",
        "dataplane/worker/tests/refused.rs",
        "DropReason::TxRefused",
        "a capture's back ends take all that is sent",
    ),
    (
        "drop.punt_full",
        "dataplane/worker/tests/kernel.rs",
        "DropReason::PuntFull",
        "in a replay there is no kernel, and a case's ports have no twin",
    ),
    (
        "drop.no_next_hop",
        "dataplane/worker/tests/held.rs",
        "DropReason::NoNextHop",
        "in a replay every next hop is written",
    ),
    ("hand.out", "testbed/tests/spread.rs", "\"hand.out\"", "a case has one worker"),
    ("hand.in", "testbed/tests/spread.rs", "\"hand.in\"", "a case has one worker"),
    ("look.around", "testbed/tests/spread.rs", "\"look.around\"", "a case has one worker"),
    ("look.copied", "testbed/tests/spread.rs", "\"look.copied\"", "a case has one worker"),
    ("look.limited", "dataplane/engine/tests/mates.rs", "Event::LookLimited", "a case has one worker"),
    ("drop.hand_full", "dataplane/worker/tests/mates.rs", "DropReason::HandFull", "a case has one worker"),
    (
        "kernel.rx",
        "dataplane/worker/tests/kernel.rs",
        "Event::KernelRx",
        "in a replay there is no kernel, and a case's ports have no twin",
    ),
    (
        "too_big.limited",
        "dataplane/engine/tests/too_big.rs",
        "Event::TooBigLimited",
        "a thousand packets larger than a tunnel are more than a case is worth",
    ),
    (
        "flow.moved",
        "testbed/tests/common/swaps.rs",
        "Event::FlowMoved",
        "a case has one configuration, and a flow moves when the next one takes its real away",
    ),
    (
        "table.switch",
        "testbed/tests/common/swaps.rs",
        "Event::TableSwitch",
        "a case has one configuration, with which its workers begin",
    ),
];
/// Fewer would mean that the specification has been cut.
const CASES_MIN: usize = 60;

fn wanted() -> Vec<Case> {
    let (cases, _) = cases::all().unwrap();
    assert!(cases.len() >= CASES_MIN, "{} cases", cases.len());
    match std::env::var("CASE") {
        Ok(words) => cases.into_iter().filter(|case| case.name.contains(&words)).collect(),
        Err(_) => cases,
    }
}

fn check_all(cases: &[Case], work: impl Fn(&Case) -> Result<(), String> + Sync) {
    if let Err(told) = penstock::binary() {
        panic!("{told}");
    }
    let failures = each(cases, |case| case.name.clone(), work);
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn every_case_says_what_moves_in_names_that_counters_have() {
    let (_, faults) = cases::all().unwrap();
    assert!(faults.is_empty(), "{} cases:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_counter_is_moved_by_a_case_or_shown_where_no_case_can() {
    let (cases, _) = cases::all().unwrap();
    let mut faults = Vec::new();
    for counter in Counter::all().map(Counter::name) {
        let is_moved = cases.iter().any(|case| case.moved.get(counter) > 0);
        let listed = BEYOND_CASES.iter().find(|(name, ..)| *name == counter);
        match (is_moved, listed) {
            (true, None) => {}
            (true, Some(_)) => faults.push(format!("{counter} is moved by a case: take it off the list")),
            (false, None) => faults.push(format!("{counter} is moved by no case")),
            (false, Some((_, path, words, why))) => {
                let text = std::fs::read_to_string(root().join(path)).unwrap_or_default();
                if !text.contains(words) || why.is_empty() {
                    faults.push(format!("{counter}: {path} does not show {words}"));
                }
            }
        }
    }
    let unknown = BEYOND_CASES.iter().filter(|(name, ..)| Counter::by_name(name).is_none());
    faults.extend(unknown.map(|(name, ..)| format!("{name} is no counter")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Reads a report and holds it against what has to move.
fn require_report(case: &Case, path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let report = serde_json::from_str(&text).map_err(|error| format!("the report: {error}"))?;
    case.moved.require(&Moved::from_report(&report)?)
}

fn replayed(case: &Case, arguments: &[&str]) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (out, report) = (folder.path().join("out.pcap"), folder.path().join("report.json"));
    let mut command = replay(&case.file("config.toml"), &case.file("send.pcap"))?;
    command.arg("--out").arg(&out).arg("--report").arg(&report).args(arguments);
    run(&mut command)?.require_success()?;
    let same = pcap::same_file(&case.file("expect.pcap"), &out);
    let moved = require_report(case, &report);
    let told: Vec<String> = [same, moved].into_iter().filter_map(Result::err).collect();
    if told.is_empty() { Ok(()) } else { Err(format!("{arguments:?}: {}", told.join("\n"))) }
}

#[test]
fn every_case_holds_in_memory_with_bursts_of_1_2_7_and_32() {
    check_all(&wanted(), |case| {
        let runs = BURSTS.map(|burst| replayed(case, &["--backend", "memory", "--burst", burst]));
        let told: Vec<String> = runs.into_iter().filter_map(Result::err).collect();
        if told.is_empty() { Ok(()) } else { Err(told.join("\n")) }
    });
}

#[test]
fn every_case_holds_on_dpdk() {
    check_all(&wanted(), |case| replayed(case, &["--backend", "dpdk"]));
}

/// The case's configuration with a live port, written into `folder`.
fn live_config(case: &Case, device: &str, folder: &Path) -> Result<PathBuf, String> {
    let text = std::fs::read_to_string(case.file("config.toml")).map_err(|error| error.to_string())?;
    let mut config: toml::Table = text.parse().map_err(|error| format!("{error}"))?;
    let mut set = |table: &str, key: &str, value: toml::Value| {
        let table = config.entry(table).or_insert_with(|| toml::Table::new().into());
        if let Some(table) = table.as_table_mut() {
            table.entry(key).or_insert(value);
        }
    };
    set("node", "mac", NODE_MAC.into());
    // Memory for a few packets: two runs share a small machine.
    set("dataplane", "huge_pages", "off".into());
    set("dataplane", "memory_mb", 128.into());
    set("dataplane", "packets", 4096.into());
    let port = toml::Table::from_iter(
        [("name", "port"), ("device", device), ("kernel", "none")].map(|(k, v)| (k.into(), v.into())),
    );
    config.insert("port".into(), vec![toml::Value::Table(port)].into());
    let path = folder.join("config.toml");
    let text = toml::to_string(&config).map_err(|error| error.to_string())?;
    std::fs::write(&path, text).map_err(|error| error.to_string())?;
    Ok(path)
}

#[test]
fn every_case_holds_live_on_net_pcap_unless_it_is_about_the_captures_clock() {
    let cases: Vec<Case> = wanted().into_iter().filter(|case| !case.is_of_the_clock).collect();
    check_all(&cases, |case| {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (out, report) = (folder.path().join("out.pcap"), folder.path().join("report.json"));
        let device =
            format!("net_pcap0,rx_pcap={},tx_pcap={}", case.file("send.pcap").display(), out.display());
        let config = live_config(case, &device, folder.path())?;
        let sent = pcap::frames(&case.file("send.pcap"))?.len().to_string();
        let mut command = command(["run", "--packets", &sent, "--duration", "30", "--config"])?;
        command.arg(config).arg("--report").arg(&report);
        run(&mut command)?.require_success()?;
        let expected = pcap::frames(&case.file("expect.pcap"))?;
        pcap::same_packets(&expected, &pcap::frames(&out)?)?;
        require_report(case, &report)
    });
}

#[test]
fn chosen_cases_hold_over_a_cable_on_net_af_packet() {
    if let Err(told) = require_root() {
        panic!("{told}");
    }
    let cases: Vec<Case> = wanted().into_iter().filter(|case| CABLED.contains(&case.name.as_str())).collect();
    assert!(std::env::var_os("CASE").is_some() || cases.len() == CABLED.len(), "a chosen case is gone");
    check_all(&cases, |case| {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let report = folder.path().join("report.json");
        let config = live_config(case, "net_af_packet0,iface=box0", folder.path())?;
        let (sent, expected) =
            (pcap::frames(&case.file("send.pcap"))?, pcap::frames(&case.file("expect.pcap"))?);
        let cable = Cable::lay(NODE_MAC)?;
        let mut command = command(["run", "--duration", "30", "--packets", &sent.len().to_string()])?;
        command.arg("--config").arg(config).arg("--report").arg(&report);
        let running = cable.start(&command)?;
        let got = cable.exchange(&sent, expected.len(), folder.path())?;
        let ended = running.wait()?.require_success()?;
        let told = [pcap::same_packets(&expected, &got), require_report(case, &report)];
        let told: Vec<String> = told.into_iter().filter_map(Result::err).collect();
        if told.is_empty() { Ok(()) } else { Err(format!("{}\n{}", told.join("\n"), ended.stderr)) }
    });
}
