//! `penstock run` and the commands that talk to it: shown, changed, refused, without a packet lost or a flow
//! moved that need not be. The port is a capture that comes again and again without end.
#![cfg(feature = "dpdk")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use common::running::Running;
use common::text;

fn config(reals: &str, members: &str, more: &str) -> String {
    format!(
        r#"
[node]
numbers = "n.toml"
control = "c.sock"
mac = "02:00:00:00:00:01"
[tunnel]
source_v4 = "192.0.2.1"
next_hop = "02:00:00:00:00:fe"
[flow]
entries = 4096
[[port]]
name = "lan0"
device = "net_pcap0,rx_pcap=in.pcap,infinite_rx=1"
{reals}
[[pool]]
name = "web"
slots = 1021
members = [{members}]
[[service]]
name = "http"
vip = "198.51.100.1"
protocol = "tcp"
ports = 80
pool = "web"
{more}"#
    )
}

fn site(reals: u8, but: &[u8], drained: &[u8], weights: &BTreeMap<u8, u32>) -> String {
    let there = || (0..reals).filter(|number| !but.contains(number));
    let real = |number: u8| {
        let state = if drained.contains(&number) { "drain" } else { "up" };
        format!("[[real]]\nname = \"web-{number}\"\naddress = \"10.0.1.{number}\"\nstate = \"{state}\"\n")
    };
    let member = |number: u8| {
        let weight = weights.get(&number).copied().unwrap_or(100);
        format!("{{ real = \"web-{number}\", weight = {weight} }}")
    };
    config(&there().map(real).collect::<String>(), &there().map(member).collect::<Vec<_>>().join(", "), "")
}

/// A service of QUIC beside the other.
const WITH_IDS: &str = r#"
[[quic]]
name = "hidden"
config = 3
server_id_bytes = 2
nonce_bytes = 14
key = "8f95f09245765f80256934e50c66207f"
servers = [{ real = "web-1", id = "0001" }]
[[service]]
name = "quic"
vip = "198.51.100.1"
protocol = "udp"
ports = 443
pool = "web"
quic = ["hidden"]
"#;

fn weights(pairs: &[(u8, u32)]) -> BTreeMap<u8, u32> {
    pairs.iter().copied().collect()
}

#[test]
fn every_view_is_shown_and_what_is_not_there_is_said() {
    let mut running = Running::start(&format!("{}{WITH_IDS}", site(3, &[], &[], &weights(&[]))));
    assert!(running.say("show counters").lines().any(|line| line.starts_with("rx ")));
    let sum = running.show("services")[0]["packets"].as_u64().unwrap();
    assert!(sum > 0 && running.count("rx") >= sum);
    assert_eq!(running.show("reals").as_array().unwrap().len(), 3);
    let worker = running.show("workers")[0].clone();
    let busy = running.until("workers", |rows| rows[0]["busy"].as_f64() > Some(0.0))[0]["busy"].as_f64();
    assert!(busy <= Some(1.0));
    assert_eq!((worker["flows"].as_u64(), worker["flows_max"].as_u64()), (Some(200), Some(4096)));
    assert!(worker["silent_ms"].as_u64() < Some(60_000));
    let port = running.until("ports", |rows| rows[0]["rx_packets"].as_u64() > Some(0))[0].clone();
    assert_eq!((&port["name"], &port["rx_missed"]), (&"lan0".into(), &0.into()));
    let table = running.say("show table");
    for line in [
        "pool web: 1021 slots, maglev: web-0 100 (up), web-1 100 (up), web-2 100 (up)",
        "connection ids hidden: config 3, encrypted, 2 bytes of server id and 14 of nonce, server ids: 1",
        "service http: 198.51.100.1 tcp 80 to pool web",
        "service quic: 198.51.100.1 udp 443 to pool web, led by connection ids hidden",
    ] {
        assert!(table.lines().any(|said| said == line), "{line}: {table}");
    }
    assert!(!table.contains("8f95f092"), "{table}");
    assert_eq!(running.show("generation")["sequence"], 1);
    let some = running.say("show flows --limit 7");
    assert!(some.lines().count() == 9 && some.contains("and more") && some.contains("established"), "{some}");
    let of_one = running.say("show flows --real web-1");
    assert!(of_one.lines().skip(1).all(|line| line.contains("web-1")) && of_one.lines().count() > 20);
    let told = running.bench.sentence("show reals --real web-7 --socket c.sock");
    assert!(told.contains("no real is named \"web-7\""), "{told}");
    let told = running.bench.sentence("show workers --real web-1 --socket c.sock");
    assert!(told.contains("not kept by service or real"), "{told}");
    let told = running.bench.sentence("show reals --socket nowhere.sock");
    assert!(told.contains("no `penstock run` answers there"), "{told}");
    // A second one on the same socket is refused.
    let told = running.bench.bad("run --config site.toml", 1);
    assert!(told.contains("another process answers on this control socket"), "{told}");
    running.end();
    assert!(!running.bench.path("c.sock").exists());
}

#[test]
fn a_watch_ends_when_nobody_reads_it_any_more() {
    let mut running = Running::start(&site(2, &[], &[], &weights(&[])));
    for line in ["show reals --watch 0.1 --socket c.sock", "show reals --json --watch 0.1 --socket c.sock"] {
        let mut watch = running.bench.command(line).spawn().unwrap();
        let mut out = BufReader::new(watch.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        drop(out);
        let start = Instant::now();
        let status = loop {
            if let Some(status) = watch.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > Duration::from_secs(60) {
                watch.kill().unwrap();
                panic!("{line} goes on for nobody");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "{line}: {status}");
    }
    running.end();
}

#[test]
fn whoever_drains_the_last_real_is_told_what_becomes_of_new_flows() {
    let mut running = Running::start(&site(1, &[], &[], &weights(&[])));
    let told = running.say("drain web-0");
    assert!(
        told.contains("1 real drains, no real takes new flows: they are dropped (drop.no_real)"),
        "{told}"
    );
    let told = running.bench.bad("weight web-0 -3 --socket c.sock", 2);
    assert!(told.contains("give a weight from 0 to 65535, or file"), "{told}");
    running.end();
}

#[test]
fn a_reload_tells_its_plan_and_moves_no_flow_of_a_real_that_stays() {
    let mut running = Running::start(&site(4, &[], &[], &weights(&[])));
    let before = running.reals();
    running.write(&site(4, &[], &[2], &weights(&[(1, 5)])));
    let dry = running.say("reload --dry-run");
    assert!(dry.contains("real \"web-2\" drains") && dry.contains("table 1 stays in force"), "{dry}");
    assert!(dry.contains("weight of \"web-1\" from 100 to 5") && dry.contains("of slots move"), "{dry}");
    assert_eq!(running.show("generation")["sequence"], 1);
    let done = running.say("reload");
    assert!(done.ends_with("Table 2 is in force.\n"), "{done}");
    running.settle();
    assert_eq!((running.reals(), running.count("flow.moved")), (before.clone(), 0));

    // SIGHUP does the same, and a real that goes takes its own flows with it, no other's.
    running.write(&site(4, &[3], &[], &weights(&[])));
    let own = before.values().filter(|real| *real == "web-3").count();
    let dry = running.say("reload --dry-run");
    assert!(
        dry.contains(&format!("service \"http\": {own} flows get another real, {} stay", 200 - own)),
        "{dry}"
    );
    running.signal("HUP");
    running.until("generation", |generation| generation["sequence"] == 3);
    running.settle();
    let moved = before.iter().filter(|(client, real)| running.reals()[*client] != **real).count();
    assert_eq!((moved, running.count("flow.moved")), (own, own as u64));
    let said = running.end();
    let (told, done) =
        (said.find("real \"web-3\" goes").unwrap(), said.find("generation 3 is in force").unwrap());
    assert!(said.contains("SIGHUP:\n") && told < done, "{said}");
}

#[test]
fn a_service_manager_is_told_when_it_forwards_which_table_is_in_force_and_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let heard = || {
        let mut bytes = [0; 200];
        let length = manager.recv(&mut bytes).unwrap();
        text(&bytes[..length])
    };
    let mut running = Running::start_under(Some(path), &site(2, &[], &[], &weights(&[])));
    assert_eq!(heard(), "READY=1\nSTATUS=Table 1 is in force.");
    running.say("drain web-1");
    assert_eq!(heard(), "STATUS=Table 2 is in force.");
    running.end();
    assert_eq!(heard(), "STOPPING=1");
}

#[test]
fn a_bad_file_changes_nothing_and_says_why() {
    let mut running = Running::start(&site(2, &[], &[], &weights(&[])));
    running.write(&site(2, &[], &[], &weights(&[])).replace("slots = 1021", "slots = 1020"));
    let told = running.bench.bad("reload --socket c.sock", 1);
    assert!(
        told.contains("site.toml:") && told.contains("not a prime") && told.contains("nothing was changed")
    );
    running.signal("HUP");
    running.write(&site(2, &[], &[], &weights(&[])).replace("entries = 4096", "entries = 8192"));
    let told = running.bench.sentence("reload --socket c.sock");
    assert!(told.contains("only a restart can change flow.entries: nothing was changed"), "{told}");
    running.write(&site(2, &[], &[], &weights(&[])).replace("next_hop = \"02:00:00:00:00:fe\"\n", ""));
    let told = running.bench.bad("reload --socket c.sock", 1);
    assert!(told.contains("has no next_hop, and no port has an interface of the kernel"), "{told}");
    running.write(&site(2, &[], &[], &weights(&[])));
    std::fs::write(running.bench.path("other.toml"), site(2, &[], &[1], &weights(&[]))).unwrap();
    assert!(running.say("reload --config other.toml --dry-run").contains("real \"web-1\" drains"));
    let told = running.bench.bad("reload --config none.toml --socket c.sock", 1);
    assert!(told.contains("none.toml: the file cannot be read"), "{told}");
    assert_eq!(running.show("generation")["sequence"], 1);
    running.end();
}

#[test]
fn an_operators_word_stands_over_reloads_and_restarts_until_the_file_says_otherwise() {
    let mut running = Running::start(&site(3, &[], &[], &weights(&[])));
    let by = |running: &Running, real: usize| {
        let row = running.show("reals")[real].clone();
        format!(
            "{} {} {}",
            row["state"].as_str().unwrap(),
            row["by"].as_str().unwrap(),
            row["weights"]["web"]
        )
    };
    let before = running.reals();
    running.say("drain web-1");
    running.say("weight web-2 7");
    running.settle();
    assert_eq!((by(&running, 1), by(&running, 2)), ("drain operator 100".into(), "up file 7".into()));
    assert_eq!(running.reals(), before, "a drain and a weight move no flow");
    let marked: Vec<_> = running
        .show("reals")
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["weights_by_operator"].clone())
        .collect();
    assert_eq!(marked, [serde_json::Value::Null, serde_json::Value::Null, serde_json::json!(["web"])]);
    assert!(running.say("show reals").contains("web 7 (operator)"));
    // The file changes something else of the same real: the word stands.
    running.write(&site(3, &[], &[0], &weights(&[(1, 50)])));
    let plan = running.say("reload");
    assert!(plan.contains("kept: real \"web-1\" drains by the operator's word"), "{plan}");
    assert_eq!((by(&running, 1), by(&running, 2)), ("drain operator 50".into(), "up file 7".into()));
    // Over a restart too.
    running.end();
    running.spawn();
    assert_eq!((by(&running, 1), by(&running, 2)), ("drain operator 50".into(), "up file 7".into()));
    // Until the file changes that key.
    running.write(&site(3, &[], &[0], &weights(&[(1, 50), (2, 60)])));
    assert!(running.say("reload").contains("the operator's weight 7 of \"web-2\""));
    assert_eq!(by(&running, 2), "up file 60");
    // Taken back.
    running.say("undrain web-1");
    assert_eq!(by(&running, 1), "up file 50");
    let told = running.bench.sentence("undrain web-1 --socket c.sock");
    assert!(told.contains("nothing to take back"), "{told}");
    let told = running.bench.sentence("down web-9 --socket c.sock");
    assert!(told.contains("no real is named \"web-9\""), "{told}");
    // Down is the one that moves flows.
    let own = running.reals().values().filter(|real| *real == "web-2").count() as u64;
    assert!(running.say("down web-2").contains("get another real"));
    running.settle();
    assert!(
        own > 0 && running.count("flow.moved") == own && !running.reals().values().any(|it| it == "web-2")
    );
    running.say("up web-2");
    assert_eq!(by(&running, 2), "up operator 60");
    running.end();
}

#[test]
fn a_plan_is_told_before_its_change() {
    let mut running = Running::start(&site(3, &[], &[], &weights(&[])));
    running.say("drain web-1");
    // What is to be saved cannot be.
    let words = running.bench.path("n.overrides.toml");
    let before = std::fs::read(&words).unwrap();
    std::fs::remove_file(&words).unwrap();
    std::fs::create_dir(&words).unwrap();
    running.write(&site(3, &[], &[2], &weights(&[])));
    let output = running.bench.run("reload --socket c.sock");
    let (plan, told) = (text(&output.stdout), text(&output.stderr));
    assert!(!output.status.success() && plan.contains("real \"web-2\" drains"), "{plan}");
    assert!(told.contains("nothing was changed") && told.contains("n.overrides.toml"), "{told}");
    assert_eq!(running.show("generation")["sequence"], 2);
    std::fs::remove_dir(&words).unwrap();
    std::fs::write(&words, before).unwrap();
    running.end();
}

#[test]
fn a_word_that_ended_at_a_start_does_not_rise_at_the_next() {
    let mut running = Running::start(&site(3, &[], &[], &weights(&[])));
    let state = |running: &Running| running.show("reals")[1]["state"].as_str().unwrap().to_owned();
    running.say("down web-1");
    running.end();
    // While the box is away the file changes that same key: the word ends.
    running.write(&site(3, &[], &[1], &weights(&[])));
    running.spawn();
    assert_eq!(state(&running), "drain");
    running.end();
    running.write(&site(3, &[], &[], &weights(&[])));
    running.spawn();
    assert_eq!(state(&running), "up");
    running.end();
}

#[test]
fn a_change_that_cannot_be_published_leaves_no_word_behind() {
    let mut running = Running::start(&site(3, &[], &[], &weights(&[])));
    running.say("drain web-1");
    let words = std::fs::read(running.bench.path("n.overrides.toml")).unwrap();
    // The asker's connection and one file more, where a table takes several.
    let pid = running.pid();
    let open = || -> Vec<usize> {
        let numbers = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        numbers.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect()
    };
    // The table before, and the connections of those who asked, go a moment later.
    let mut open_now = open();
    let begin = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let later = open();
        if later == open_now || begin.elapsed() > Duration::from_secs(30) {
            break;
        }
        open_now = later;
    }
    let free = (0..).filter(|number| !open_now.contains(number)).nth(2).unwrap();
    let limit = |files: usize| {
        let files = format!("--nofile={files}:");
        assert!(
            Command::new("prlimit").args(["--pid", &pid.to_string(), &files]).status().unwrap().success()
        );
    };
    limit(free);
    let told = running.bench.sentence("down web-2 --socket c.sock");
    assert!(told.contains("nothing was changed"), "{told}");
    assert_eq!(std::fs::read(running.bench.path("n.overrides.toml")).unwrap(), words);
    limit(1024);
    running.say("down web-2");
    assert_ne!(std::fs::read(running.bench.path("n.overrides.toml")).unwrap(), words);
    running.end();
}
