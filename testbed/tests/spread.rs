//! The same traffic through one worker, two and three: the same real for every flow, each packet decided alike, the same
//! bytes out, and the same counters, but for what only several workers do. (Identifications are each worker's own, so
//! those of IPv4, and the header checksum with them, are not compared.) Packets meet workers as a NIC spreads them: fragments by their
//! addresses, errors about flows by a router's.
//!
//! A flow that begins with fragments has an entry at the worker that they were handed to, and one more at the worker that
//! its whole packets meet: there they are a new flow's, to the same real. So entries and hits are held together. A client
//! whose flows meet several workers has an entry at each, made when one of them looks for it: only reals are compared.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test fail as the test does"
)]

use std::path::{Path, PathBuf};

use capture::{Resolution, Writer};
use serde_json::Value;
use testbed::cases::{self, Case, each};
use testbed::ledger::Moved;
use testbed::pcap::{Frames, frames, same_packets};
use testbed::penstock::{replay, run};
use testbed::root;
use wire::ethernet::{self, Ethernet};
use wire::mpls::Stack;

const WORKERS: [&str; 3] = ["1", "2", "3"];

/// Keys of cases about what each worker has for itself: more workers have more of it, or its share.
const EACH_ITS_OWN: [&str; 3] = ["entries = 64", "new_flows_per_second_max", "[[limit]]"];
/// The counter of cases about what each worker learns for itself: the MTUs of ways to reals.
const LEARNT: &str = "path_mtu.learnt";
/// The case about how many fragments wait at one worker.
const SHELF: &str = "of-all-datagrams-512-fragments-wait";

/// What a replay says of each packet, what it sent, and what it counted.
struct Told {
    trace: Vec<Value>,
    out: Frames,
    moved: Moved,
}

fn told(config: &Path, input: &Path, arguments: &[&str]) -> Result<Told, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = |name| folder.path().join(name);
    let (report, trace, out) = (file("report.json"), file("trace.ndjson"), file("out.pcap"));
    let mut command = replay(config, input)?;
    command.args(arguments).arg("--report").arg(&report).arg("--trace").arg(&trace).arg("--out").arg(&out);
    run(&mut command)?.require_success()?;
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let parse = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("{text}: {error}"));
    let moved = Moved::from_report(&parse(&read(&report)?)?)?;
    moved.balance()?;
    let handed = (moved.get("hand.out"), moved.get("hand.in"));
    if handed.0 != handed.1 {
        return Err(format!("hand.out and hand.in are {handed:?}"));
    }
    let out = frames(&out)?.into_iter().map(|(time, frame)| (time, masked(frame))).collect();
    Ok(Told { trace: read(&trace)?.lines().map(parse).collect::<Result<_, _>>()?, out, moved })
}

/// A frame without the identification and the checksum of its outermost IPv4 header.
fn masked(mut frame: Vec<u8>) -> Vec<u8> {
    let Ok(link) = Ethernet::parse(&frame) else { return frame };
    let labels = match link.ethertype {
        ethernet::MPLS => Stack::parse(&frame[link.len..]).map_or(0, |stack| stack.len),
        _ => 0,
    };
    if let Some(header) =
        frame.get_mut(link.len + labels..).filter(|header| header.len() >= 20 && header[0] >> 4 == 4)
    {
        header[4..6].fill(0);
        header[10..12].fill(0);
    }
    frame
}

/// A line of the trace but for what the flow table had to do with it.
fn decision(line: &Value) -> Value {
    let mut line = line.clone();
    line["flow"] = (line["flow"] == "stateless").into();
    line
}

/// The same decision for each packet, and the same counters, with each number of workers; gives what they told.
fn same(config: &Path, input: &Path, backend: &str) -> Result<Vec<Told>, String> {
    let mut all: Vec<Told> = Vec::new();
    let text = std::fs::read_to_string(config).map_err(|error| error.to_string())?;
    let keeps_clients = text.contains("key = \"source");
    let told_of = |moved: &Moved| {
        let moved = moved.clone().of_any_number_of_workers();
        if keeps_clients { moved.without_flows() } else { moved }
    };
    for workers in WORKERS {
        let place = |told: String| format!("{workers} workers on {backend}: {told}");
        let one = told(config, input, &["--backend", backend, "--workers", workers]).map_err(place)?;
        if let Some(first) = all.first() {
            for (at, (expected, got)) in first.trace.iter().zip(&one.trace).enumerate() {
                if decision(expected) != decision(got) {
                    return Err(place(format!("packet {at}: {got}, and with one worker {expected}")));
                }
            }
            told_of(&first.moved).require(&told_of(&one.moved)).map_err(place)?;
            same_packets(&first.out, &one.out).map_err(place)?;
        }
        all.push(one);
    }
    Ok(all)
}

fn wanted() -> Vec<Case> {
    let (cases, _) = cases::all().unwrap();
    let is_shared = |case: &Case| {
        let read = |name| std::fs::read_to_string(case.file(name)).unwrap();
        let config = read("config.toml");
        case.name != SHELF
            && !read("counters.toml").contains(LEARNT)
            && !EACH_ITS_OWN.iter().any(|key| config.contains(key))
    };
    let cases: Vec<Case> = cases.into_iter().filter(is_shared).collect();
    assert!(cases.len() > 200, "{} cases", cases.len());
    cases
}

#[test]
fn every_case_is_decided_alike_by_one_two_and_three_workers() {
    let failures = each(
        &wanted(),
        |case| case.name.clone(),
        |case| same(&case.file("config.toml"), &case.file("send.pcap"), "memory").map(drop),
    );
    assert!(failures.is_empty(), "{} cases:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_capture_is_decided_alike_by_one_two_and_three_workers() {
    let folder = root().join("testbed/captures");
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let is_capture = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "pcap" || kind == "pcapng");
    let captures: Vec<PathBuf> = entries.filter(is_capture).collect();
    let name = |path: &PathBuf| path.display().to_string();
    let failures =
        each(&captures, name, |capture| same(&folder.join("quickstart.toml"), capture, "memory").map(drop));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

const CONFIG: &str = r#"
[tunnel]
source_v4 = "192.0.2.1"
next_hop = "02:00:00:00:00:fe"

[[real]]
name = "one"
address = "10.0.0.11"

[[real]]
name = "two"
address = "10.0.0.12"

[[real]]
name = "three"
address = "10.0.0.13"

[[pool]]
name = "all"
members = [{ real = "one" }, { real = "two" }, { real = "three" }]

[[service]]
name = "udp"
vip = "198.51.100.10"
protocol = "udp"
ports = 53
pool = "all"
"#;

/// Numbers that look like chance, and are always the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// A frame of IPv4 with that protocol, these flags and offset, and this payload.
fn frame(source: [u8; 4], (id, fragment, protocol): (u16, u16, u8), payload: &[u8]) -> Vec<u8> {
    let mut ip = vec![0x45, 0];
    ip.extend(u16::try_from(20 + payload.len()).unwrap().to_be_bytes());
    ip.extend(id.to_be_bytes());
    ip.extend(fragment.to_be_bytes());
    ip.extend([64, protocol, 0, 0]);
    ip.extend(source);
    ip.extend([198, 51, 100, 10]);
    let sum = wire::checksum::of(&ip);
    ip.splice(10..12, sum);
    let link = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0xc1, 8, 0];
    [&link[..], &ip, payload].concat()
}

/// A UDP datagram from that port, with so many bytes of data.
fn datagram(port: u16, data: usize) -> Vec<u8> {
    let mut bytes = port.to_be_bytes().to_vec();
    bytes.extend(53_u16.to_be_bytes());
    bytes.extend(u16::try_from(8 + data).unwrap().to_be_bytes());
    bytes.extend([0, 0]);
    bytes.resize(8 + data, 0x5a);
    bytes
}

/// What a router on the way back says of that flow.
fn error(client: [u8; 4], port: u16, router: u8) -> Vec<u8> {
    let mut quote = vec![0x45, 0, 0, 60, 0, 1, 0x40, 0, 64, 17, 0, 0, 198, 51, 100, 10];
    quote.extend(client);
    quote.extend([0, 53]);
    quote.extend(port.to_be_bytes());
    quote.extend([0, 40, 0, 0]);
    let mut message = vec![3, 4, 0, 0, 0, 0, 5, 0xb4];
    message.extend(quote);
    let sum = wire::checksum::of(&message);
    message.splice(2..4, sum);
    frame([192, 0, 2, router], (1, 0, 1), &message)
}

/// Forty flows: whole datagrams, fragments in any order with some lost, some twice and some that overlap, errors from
/// many routers, mixed.
fn mix() -> Vec<Vec<u8>> {
    let mut chance = Chance(7);
    let mut waiting: Vec<Vec<u8>> = Vec::new();
    let mut sent = Vec::new();
    for number in 0..1500_u16 {
        let flow = u8::try_from(chance.below(40)).unwrap();
        let (client, port) = ([203, 0, 113, flow / 4], 40_000 + u16::from(flow));
        match chance.below(4) {
            0 => waiting.push(frame(client, (number, 0x4000, 17), &datagram(port, 20))),
            1 => waiting.push(error(client, port, u8::try_from(chance.below(200)).unwrap())),
            _ => {
                let whole = datagram(port, 300);
                let parts: Vec<&[u8]> = whole.chunks(104).collect();
                for (at, part) in (0_u16..).zip(&parts) {
                    let more = if usize::from(at) + 1 < parts.len() { 0x2000 } else { 0 };
                    let early = u16::from(at == 2 && chance.below(9) == 0);
                    let piece = frame(client, (number, (at * 13 - early) | more, 17), part);
                    match chance.below(12) {
                        0 => {}
                        1 => waiting.extend([piece.clone(), piece]),
                        _ => waiting.push(piece),
                    }
                }
            }
        }
        while waiting.len() > 12 {
            sent.push(waiting.swap_remove(chance.below(12)));
        }
    }
    sent.append(&mut waiting);
    sent
}

#[test]
fn a_mix_of_fragments_errors_and_whole_packets_is_decided_alike_by_one_two_and_three_workers() {
    let folder = tempfile::tempdir().unwrap();
    let (config, input) = (folder.path().join("config.toml"), folder.path().join("mix.pcap"));
    std::fs::write(&config, CONFIG).unwrap();
    let mut writer = Writer::create(&input, Resolution::Nano).unwrap();
    for (at, frame) in (0_u64..).zip(mix()) {
        writer.write(1_700_000_000_000_000_000 + at * 2_000_000, &frame).unwrap();
    }
    writer.finish().unwrap();
    for backend in ["memory", "dpdk"] {
        let told = same(&config, &input, backend).unwrap();
        for one in &told {
            let verdicts = |verdict: &str| one.trace.iter().filter(|line| line["verdict"] == verdict).count();
            assert!(
                verdicts("tx") > 2000 && verdicts("drop") > 200,
                "{} {}",
                verdicts("tx"),
                verdicts("drop")
            );
            assert_eq!(verdicts("held") + verdicts("handed"), 0, "each is decided in the end");
            for name in
                ["drop.fragment_overlap", "drop.fragment_timeout", "fragment.followed", "icmp.followed"]
            {
                assert!(one.moved.get(name) > 20, "{name}");
            }
        }
        for name in ["hand.out", "hand.in", "look.around", "look.copied"] {
            let counts: Vec<u64> = told.iter().map(|one| one.moved.get(name)).collect();
            assert!(counts[0] == 0 && counts[1] > 10 && counts[2] > 10, "{name}: {counts:?}");
        }
        // Two runs are the same, too.
        let again = self::told(&config, &input, &["--backend", backend, "--workers", "2"]).unwrap();
        assert!(told[1].trace == again.trace && told[1].moved == again.moved, "{backend}");
    }
}
