//! The real captures, replayed on both back ends with one worker and with two: the sum law, the same
//! output everywhere, every flow on one real, and each output packet as an independent decoder, tshark, sees
//! it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test fail as the test does"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use testbed::cases::each;
use testbed::ledger::Moved;
use testbed::pcap::{Frames, frames};
use testbed::penstock::{replay, run};
use testbed::{pcap, root};

const BACKENDS: [&str; 2] = ["memory", "dpdk"];
const WORKERS: [&str; 2] = ["1", "2"];

/// One capture and what must come out of it.
struct Capture {
    name: String,
    out_sha256: String,
    moved: Moved,
}

impl Capture {
    fn path(&self) -> PathBuf {
        folder().join(&self.name)
    }
}

fn folder() -> PathBuf {
    root().join("testbed/captures")
}

fn captures() -> Vec<Capture> {
    let table: toml::Table = std::fs::read_to_string(folder().join("expect.toml")).unwrap().parse().unwrap();
    let captures: Vec<Capture> = table
        .into_iter()
        .map(|(name, expected)| Capture {
            name,
            out_sha256: expected["out_sha256"].as_str().unwrap().to_owned(),
            moved: Moved::from_toml(expected["counters"].as_table().unwrap()).unwrap(),
        })
        .collect();
    assert!(captures.len() >= 5, "{} captures", captures.len());
    captures
}

/// What a replay wrote.
struct Replayed {
    _folder: TempDir,
    out: PathBuf,
    moved: Moved,
    report: Value,
    trace: Vec<Value>,
}

fn replayed(capture: &Capture, backend: &str, workers: &str) -> Result<Replayed, String> {
    let made = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = |name| made.path().join(name);
    let (out, report, trace) = (file("out.pcap"), file("report.json"), file("trace.ndjson"));
    let mut command = replay(&folder().join("quickstart.toml"), &capture.path())?;
    command.args(["--backend", backend, "--workers", workers]);
    command.arg("--out").arg(&out).arg("--report").arg(&report).arg("--trace").arg(&trace);
    run(&mut command)?.require_success()?;
    let read =
        |path: &Path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let parse = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("{text}: {error}"));
    let report = parse(&read(&report)?)?;
    let trace = read(&trace)?.lines().map(parse).collect::<Result<_, _>>()?;
    Ok(Replayed { _folder: made, out, moved: Moved::from_report(&report)?, report, trace })
}

fn check_all(work: impl Fn(&Capture) -> Result<(), String> + Sync) {
    let captures = captures();
    let failures = each(&captures, |capture| capture.name.clone(), work);
    assert!(failures.is_empty(), "{} captures:\n{}", failures.len(), failures.join("\n"));
}

fn require(is_so: bool, told: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(told()) }
}

#[test]
fn every_capture_gives_what_the_plain_model_says_on_both_back_ends() {
    check_all(|capture| {
        for backend in BACKENDS {
            let replayed = replayed(capture, backend, "1")?;
            capture.moved.require(&replayed.moved).map_err(|told| format!("{backend}: {told}"))?;
            let digest = sha256(&replayed.out)?;
            require(digest == capture.out_sha256, || format!("{backend}: the output's SHA-256 is {digest}"))?;
            for (key, expected) in
                [("allocations_after_start", Some(0)), ("mbufs_leaked", (backend == "dpdk").then_some(0))]
            {
                let got = replayed.report[key].as_u64();
                require(got == expected, || format!("{backend}: {key} is {got:?}, expected {expected:?}"))?;
            }
        }
        Ok(())
    });
}

#[test]
fn two_workers_give_the_same_output_on_both_back_ends_and_move_the_same_counters_as_one() {
    check_all(|capture| {
        let [memory, dpdk] = BACKENDS.map(|backend| replayed(capture, backend, "2"));
        let (memory, dpdk) = (memory?, dpdk?);
        for replayed in [&memory, &dpdk] {
            let expected = capture.moved.clone().of_any_number_of_workers();
            expected.require(&replayed.moved.clone().of_any_number_of_workers())?;
        }
        pcap::same_file(&memory.out, &dpdk.out).map_err(|told| format!("memory and dpdk: {told}"))?;
        // One worker's output is the same but for what each worker counts by itself.
        let one = replayed(capture, "memory", "1")?;
        pcap::same_packets(&without_identification(&one.out)?, &without_identification(&memory.out)?)
            .map_err(|told| format!("one worker and two: {told}"))
    });
}

/// The packets of an output with identification and checksum of the outer IPv4 header at zero.
fn without_identification(path: &Path) -> Result<Frames, String> {
    let mut frames = frames(path)?;
    for (_, frame) in &mut frames {
        let is_tunnelled_v4 = frame[12..14] == [8, 0] && [4, 41].contains(&frame[23]);
        if is_tunnelled_v4 {
            frame[18..20].fill(0);
            frame[24..26].fill(0);
        }
    }
    Ok(frames)
}

#[test]
fn every_packet_of_a_flow_goes_to_the_same_real() {
    check_all(|capture| {
        for (backend, workers) in
            BACKENDS.iter().flat_map(|backend| WORKERS.map(|workers| (*backend, workers)))
        {
            let replayed = replayed(capture, backend, workers)?;
            let place = format!("{backend}, {workers} workers");
            let tuples = tshark(&capture.path(), &TUPLE)?;
            require(tuples.len() == replayed.trace.len(), || format!("{place}: a line for every packet"))?;
            let mut real_of = BTreeMap::new();
            for (line, tuple) in replayed.trace.iter().zip(&tuples) {
                let Some(real) = line["real"].as_str() else { continue };
                // An ICMP error has its own addresses and the quoted ones: it follows another packet's flow.
                if tuple[0].contains("icmp") {
                    continue;
                }
                let first = real_of.entry(tuple[1..].to_vec()).or_insert_with(|| real.to_owned());
                require(first == real, || format!("{place}: flow {tuple:?} went to {first} and to {real}"))?;
            }
            let inserted = usize::try_from(replayed.moved.get("flow.insert")).unwrap_or(usize::MAX);
            require(real_of.len() == inserted, || {
                format!("{place}: tshark sees {} flows, {inserted} were put in", real_of.len())
            })?;
        }
        Ok(())
    });
}

const TUPLE: [&str; 9] = [
    "frame.protocols",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
];

const LENGTHS: [&str; 3] = ["frame.protocols", "ip.len", "ipv6.plen"];

const HEADERS: [&str; 11] = [
    "frame.protocols",
    "ip.len",
    "ipv6.plen",
    "ip.checksum.status",
    "tcp.checksum.status",
    "udp.checksum.status",
    "icmp.checksum.status",
    "icmpv6.checksum.status",
    "_ws.malformed",
    "ip.dst",
    "ipv6.dst",
];

#[test]
fn tshark_sees_sound_tunnel_packets_around_the_packets_that_came_in() {
    check_all(|capture| {
        let replayed = replayed(capture, "dpdk", "1")?;
        let (sent, out) = (frames(&capture.path())?, frames(&replayed.out)?);
        let (came, went) = (tshark(&capture.path(), &LENGTHS)?, tshark(&replayed.out, &HEADERS)?);
        require(came.len() == sent.len() && went.len() == out.len(), || {
            "tshark counts otherwise".to_owned()
        })?;
        let mut seen = 0;
        for (line, (sent, came)) in replayed.trace.iter().zip(sent.iter().zip(&came)) {
            let Some(at) = line["out_index"].as_u64().and_then(|at| usize::try_from(at).ok()) else {
                continue;
            };
            require(at == seen, || format!("out_index {at} after {seen} packets"))?;
            seen += 1;
            let told = |told: String| format!("packet {} in, {at} out: {told}", line["index"]);
            sound(&went[at]).map_err(told)?;
            if line["real"].is_null() {
                continue;
            }
            tunnelled(&went[at], &came[0]).map_err(told)?;
            let inner = &sent.1[14..14 + ip_len(came)];
            require(out[at].1.ends_with(inner), || told("the inner packet was changed".to_owned()))?;
            let outer = out[at].1.len() - 14 - inner.len();
            require([20, 40].contains(&outer), || told(format!("an outer header of {outer} bytes")))?;
        }
        require(seen == out.len(), || format!("{seen} packets traced, {} written", out.len()))
    });
}

/// No checksum that tshark finds wrong, nothing it cannot decode.
fn sound(fields: &[String]) -> Result<(), String> {
    // 1 is good; 2 is not checked, as where an IPv4 UDP checksum is absent or an ICMP error quotes a header.
    let is_bad = |status: &str| status.split(',').any(|status| status == "0");
    let statuses = &fields[3..8];
    require(!statuses.iter().any(|status| is_bad(status)), || format!("a bad checksum: {fields:?}"))?;
    require(fields[8].is_empty(), || format!("malformed: {fields:?}"))
}

/// One more IP header than came in, in front. What stands behind the transport is tshark's guess at an
/// application, which one direction of a conversation alone may not allow.
fn tunnelled(went: &[String], came: &str) -> Result<(), String> {
    let layers = |text: &str| text.split(':').skip(2).map(str::to_owned).collect::<Vec<_>>();
    let (outer, inner) = (layers(&went[0]), layers(came));
    let is_ip = outer.first().is_some_and(|outer| ["ip", "ipv6"].contains(&outer.as_str()));
    let fits = is_ip && outer.iter().skip(1).take(2).eq(inner.iter().take(2));
    require(fits, || format!("{} left for {came}", went[0]))
}

/// Bytes of a frame's first IP packet, by tshark.
fn ip_len(fields: &[String]) -> usize {
    let first = |text: &str| text.split(',').next().unwrap().parse::<usize>().unwrap();
    if fields[0].starts_with("eth:ethertype:ipv6") { first(&fields[2]) + 40 } else { first(&fields[1]) }
}

/// These fields of every packet, every occurrence of each.
fn tshark(path: &Path, fields: &[&str]) -> Result<Vec<Vec<String>>, String> {
    let packets = testbed::tshark::read(path, &[], fields)?;
    Ok(packets.into_iter().map(|fields| fields.iter().map(|all| all.join(",")).collect()).collect())
}

fn sha256(path: &Path) -> Result<String, String> {
    let told = run(Command::new("sha256sum").arg(path))?.require_success()?.stdout;
    Ok(told.split_whitespace().next().unwrap_or_default().to_owned())
}
