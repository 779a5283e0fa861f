//! What the page says, as the reference parser of OpenMetrics reads it (Debian's python3-prometheus-client).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use counters::Counter;
use ctl::{Generation, NextHops, Port, Real, Responses, Rule, Service, Snapshot, Twin, Worker};
use metrics::exposition;
use proptest::prelude::*;

/// A sample as the parser read it.
#[derive(Debug)]
struct Sample {
    kind: String,
    help: String,
    name: String,
    labels: serde_json::Map<String, serde_json::Value>,
    value: f64,
}

fn parse(page: &str) -> Vec<Sample> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parse.py");
    let mut child = Command::new("/usr/bin/python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = page.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "python3-prometheus-client refuses this: {told}\n{page}");
    let sample = |line: &str| {
        let fields: Vec<serde_json::Value> = serde_json::from_str(line).unwrap();
        let text = |place: usize| fields[place].as_str().unwrap().to_owned();
        let labels = fields[4].as_object().unwrap().clone();
        Sample { kind: text(1), help: text(2), name: text(3), labels, value: fields[5].as_f64().unwrap() }
    };
    String::from_utf8(output.stdout).unwrap().lines().map(sample).collect()
}

fn snapshot() -> Snapshot {
    let counters: ctl::Counts =
        Counter::all().zip(1..).map(|(counter, n)| (counter.name().to_owned(), n * 1000)).collect();
    let half = counters.iter().map(|(name, count)| (name.clone(), count / 2)).collect::<ctl::Counts>();
    let worker = |number| Worker {
        number,
        busy: 0.625,
        busy_seconds: 61.25,
        flows: 7,
        flows_max: 1024,
        silent_ms: 250,
        counters: half.clone(),
    };
    Snapshot {
        at_ms: 61_500,
        version: "0.1.0".into(),
        generation: Generation {
            sequence: 12,
            digest: "f5758177".into(),
            age_ms: 1_000,
            return_path: "via-slr".into(),
            next_hops: Some(Box::new(NextHops {
                followed: 5,
                known: 3,
                changes: 9,
                last_us: 1_250,
                max_us: 2_500_000,
            })),
        },
        counters,
        panics: Vec::new(),
        services: vec![Service {
            name: "web".into(),
            vip: "198.51.100.10".into(),
            protocol: "tcp".into(),
            ports: "80".into(),
            pool: "web".into(),
            packets: 1 << 60,
            responses: Some(Responses { packets: 1 << 61, bytes: 77 }),
            ..Service::default()
        }],
        reals: vec![Real {
            name: "web-1".into(),
            state: "drain".into(),
            weights: [("web".to_owned(), 100), ("dns".to_owned(), 50)].into(),
            ..Real::default()
        }],
        rules: vec![
            Rule { name: "bad".into(), packets: 3, bytes: 120, ..Rule::default() },
            Rule { name: "idle".into(), ..Rule::default() },
        ],
        workers: vec![worker(0), worker(1)],
        ports: vec![Port {
            name: "lan0".into(),
            device: "net_null0,x=\"a\\b\"".into(),
            rx_missed: 9,
            twin: Some(Twin { taken: 7, written: 5, refused: 2, read: 3, lost: 1 }),
            ..Port::default()
        }],
    }
}

/// The one sample of that name with these labels.
fn one<'s>(samples: &'s [Sample], name: &str, labels: &[(&str, &str)]) -> &'s Sample {
    let has = |sample: &&Sample| {
        sample.name == name
            && sample.labels.len() == labels.len()
            && labels.iter().all(|(label, text)| sample.labels.get(*label).is_some_and(|found| found == text))
    };
    let found: Vec<&Sample> = samples.iter().filter(has).collect();
    assert_eq!(found.len(), 1, "{name} {labels:?}");
    found[0]
}

#[test]
fn every_counter_is_there_by_its_mechanical_name_with_its_own_help() {
    let samples = parse(&exposition(&snapshot()));
    for (counter, number) in Counter::all().zip(1..) {
        let value = f64::from(number) * 1000.0;
        let (name, reason) = match counter.name().split_once('.') {
            Some((first @ ("drop" | "punt"), reason)) => (first.to_owned(), Some(reason)),
            _ => (counter.name().replace('.', "_"), None),
        };
        let labels: Vec<(&str, &str)> = reason.iter().map(|&reason| ("reason", reason)).collect();
        let sample = one(&samples, &format!("penstock_{name}_total"), &labels);
        assert_eq!((sample.value, sample.kind.as_str()), (value, "counter"), "{}", counter.name());
        match reason {
            None => assert_eq!(sample.help, counter.help().trim()),
            Some(reason) => {
                let meaning = format!(" {reason}: {}", counter.help().trim());
                assert!(sample.help.contains(&meaning), "{}: {}", counter.name(), sample.help);
            }
        }
        for worker in ["0", "1"] {
            let labels: Vec<(&str, &str)> =
                [("worker", worker)].into_iter().chain(labels.iter().copied()).collect();
            assert_eq!(one(&samples, &format!("penstock_worker_{name}_total"), &labels).value, value / 2.0);
        }
    }
    assert_eq!(one(&samples, "penstock_drop_total", &[("reason", "truncated")]).kind, "counter");
}

#[test]
fn services_reals_workers_and_ports_are_there_by_name() {
    let samples = parse(&exposition(&snapshot()));
    let value = |name: &str, labels: &[(&str, &str)]| one(&samples, name, labels).value;
    assert_eq!(value("penstock_service_packets_total", &[("service", "web")]), (1_u64 << 60) as f64);
    assert_eq!(value("penstock_service_response_packets_total", &[("service", "web")]), (1_u64 << 61) as f64);
    assert_eq!(value("penstock_service_response_bytes_total", &[("service", "web")]), 77.0);
    let rule = |name: &str, unit: &str| value(&format!("penstock_rule_{unit}_total"), &[("rule", name)]);
    assert_eq!((rule("bad", "packets"), rule("bad", "bytes"), rule("idle", "packets")), (3.0, 120.0, 0.0));
    assert_eq!(value("penstock_table_info", &[("digest", "f5758177"), ("return_path", "via-slr")]), 1.0);
    assert_eq!(value("penstock_real_state", &[("real", "web-1"), ("penstock_real_state", "drain")]), 1.0);
    assert_eq!(value("penstock_real_state", &[("real", "web-1"), ("penstock_real_state", "up")]), 0.0);
    assert_eq!(value("penstock_real_weight", &[("real", "web-1"), ("pool", "dns")]), 50.0);
    assert_eq!(value("penstock_real_next_hop_known", &[("real", "web-1")]), 0.0);
    assert_eq!(value("penstock_worker_busy_ratio", &[("worker", "1")]), 0.625);
    let busy = one(&samples, "penstock_worker_busy_seconds_total", &[("worker", "1")]);
    assert_eq!((busy.value, busy.kind.as_str()), (61.25, "counter"));
    assert_eq!(value("penstock_worker_silent_seconds", &[("worker", "0")]), 0.25);
    assert_eq!(value("penstock_port_rx_missed_total", &[("port", "lan0")]), 9.0);
    for (name, count) in [("taken", 7.0), ("written", 5.0), ("refused", 2.0), ("read", 3.0), ("lost", 1.0)] {
        assert_eq!(value(&format!("penstock_twin_{name}_total"), &[("port", "lan0")]), count);
    }
    assert_eq!(value("penstock_port_info", &[("port", "lan0"), ("device", "net_null0,x=\"a\\b\"")]), 1.0);
    assert_eq!(value("penstock_generation", &[]), 12.0);
    assert_eq!(value("penstock_uptime_seconds", &[]), 61.5);
}

#[test]
fn what_waits_and_how_fast_next_hops_are_stands_there_in_packets_and_seconds() {
    let mut snapshot = snapshot();
    for (counters, held, released) in [(0, 164, 100), (1, 90, 85), (2, 74, 15)] {
        let counters = match counters {
            0 => &mut snapshot.counters,
            worker => &mut snapshot.workers[worker - 1].counters,
        };
        counters.extend([("held".to_owned(), held), ("released".to_owned(), released)]);
    }
    let samples = parse(&exposition(&snapshot));
    let gauge = |name: &str, labels: &[(&str, &str)]| {
        let sample = one(&samples, name, labels);
        assert_eq!(sample.kind, "gauge", "{name}");
        sample.value
    };
    assert_eq!(gauge("penstock_held_packets", &[]), 64.0);
    assert_eq!(gauge("penstock_worker_held_packets", &[("worker", "0")]), 5.0);
    assert_eq!(gauge("penstock_worker_held_packets", &[("worker", "1")]), 59.0);
    assert_eq!(
        (gauge("penstock_next_hops_followed", &[]), gauge("penstock_next_hops_known", &[])),
        (5.0, 3.0)
    );
    assert_eq!(gauge("penstock_next_hop_last_seconds", &[]), 0.00125);
    assert_eq!(gauge("penstock_next_hop_max_seconds", &[]), 2.5);
    assert_eq!(one(&samples, "penstock_next_hop_changes_total", &[]).value, 9.0);

    // Before the first change there is no time to tell.
    snapshot.generation.next_hops = Some(Box::new(NextHops { followed: 5, ..NextHops::default() }));
    let samples = parse(&exposition(&snapshot));
    assert_eq!(one(&samples, "penstock_next_hops_followed", &[]).value, 5.0);
    assert!(
        samples.iter().all(|sample| !sample.name.ends_with("_seconds") || !sample.name.contains("next_hop"))
    );
}

#[test]
fn an_empty_box_has_a_page_too() {
    let samples = parse(&exposition(&Snapshot::default()));
    assert!(samples.iter().all(|sample| !sample.name.contains("next_hop")));
    assert_eq!(one(&samples, "penstock_held_packets", &[]).value, 0.0);
    assert_eq!(one(&samples, "penstock_rx_total", &[]).value, 0.0);
    assert!(samples.iter().all(|sample| !sample.name.starts_with("penstock_worker_")));
}

/// Many boxes on one page of Python's patience: names that no configuration allows, for nothing here knows that.
#[test]
fn any_text_comes_back_from_the_parser_as_it_went_in() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(12));
    let names = proptest::collection::btree_set("\\PC{0,12}|[\\\\\"\n,={} ]{1,9}", 1..40);
    runner
        .run(&(names, any::<u64>()), |(names, packets)| {
            let service = |name: &String| Service { name: name.clone(), packets, ..Service::default() };
            let snapshot = Snapshot { services: names.iter().map(service).collect(), ..Snapshot::default() };
            let samples = parse(&exposition(&snapshot));
            for name in &names {
                prop_assert_eq!(
                    one(&samples, "penstock_service_packets_total", &[("service", name)]).value,
                    packets as f64
                );
            }
            Ok(())
        })
        .unwrap();
}
