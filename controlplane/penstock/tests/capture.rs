//! `penstock replay --capture`: packets as they came, with what was decided about each, as tshark shows it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

mod common;

use std::process::Command;

use common::{Bench, mixture, text};

const PACKETS: u16 = 440;

/// Frame number, interface and comment of every packet, as tshark decodes the file.
fn decoded(bench: &Bench, name: &str, filter: &str) -> Vec<Vec<String>> {
    let fields = ["-T", "fields", "-e", "frame.len", "-e", "frame.interface_name", "-e", "frame.comment"];
    let output = Command::new("tshark")
        .arg("-r")
        .arg(bench.path(name))
        .args(fields)
        .arg("-Y")
        .arg(filter)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// What the trace of the same replay says of every packet, as the comments say it.
fn traced(bench: &Bench) -> Vec<String> {
    let trace = text(&bench.read("trace.ndjson"));
    let word = |line: &serde_json::Value, key: &str| line[key].as_str().unwrap_or("-").to_owned();
    let comment = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let left = match (word(&line, "verdict").as_str(), word(&line, "reason")) {
            ("tx", reason) => {
                if reason == "-" {
                    "tx".to_owned()
                } else {
                    reason
                }
            }
            (verdict, reason) => format!("{verdict}.{reason}"),
        };
        let (service, real, flow) = (word(&line, "service"), word(&line, "real"), word(&line, "flow"));
        format!("{left} service={service} real={real} flow={flow} generation=1")
    };
    trace.lines().map(comment).collect()
}

#[test]
fn every_packet_is_captured_as_it_came_and_says_why_it_left() {
    let bench = Bench::new();
    let frames = mixture(PACKETS);
    bench.capture("in.pcap", &frames, 1_000_000);
    let runs = [("memory", "1"), ("memory", "2"), ("dpdk", "2")];
    for (backend, workers) in
        runs.into_iter().filter(|(backend, _)| cfg!(feature = "dpdk") || *backend != "dpdk")
    {
        let line = "replay --config site.toml --in in.pcap --trace trace.ndjson --capture why.pcapng";
        bench.good(&format!("{line} --backend {backend} --workers {workers}"));
        assert_eq!(bench.frames("why.pcapng"), bench.frames("in.pcap"), "{backend}: bytes and times");
        let decoded = decoded(&bench, "why.pcapng", "frame");
        let comments = decoded.iter().map(|fields| fields[2].rsplit_once(" worker=").unwrap());
        let comments: Vec<(&str, &str)> = comments.collect();
        assert_eq!(comments.iter().map(|(said, _)| (*said).to_owned()).collect::<Vec<_>>(), traced(&bench));
        let others = comments.iter().filter(|(_, worker)| *worker != "0").count();
        assert_eq!(others > 0, workers == "2", "{others} packets of another worker");
        assert!(decoded.iter().all(|fields| fields[1] == "in.pcap"), "{:?}", decoded[0]);
    }
}

#[test]
fn only_drops_or_only_what_a_filter_takes() {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(PACKETS), 1_000_000);
    let line =
        "replay --config site.toml --in in.pcap --backend memory --trace trace.ndjson --capture why.pcapng";
    bench.good(&format!("{line} --capture-drops"));
    let drops: Vec<String> = traced(&bench).into_iter().filter(|said| said.starts_with("drop.")).collect();
    let comments = |filter: &str| -> Vec<String> {
        let fields = decoded(&bench, "why.pcapng", filter);
        fields.iter().map(|fields| fields[2].rsplit_once(" worker=").unwrap().0.to_owned()).collect()
    };
    assert!(drops.len() > 50);
    assert_eq!(comments("frame"), drops);
    bench.good("replay --config site.toml --in in.pcap --backend memory --capture all.pcapng");
    let wanted = decoded(&bench, "all.pcapng", "udp.dstport == 53").len();
    if !cfg!(feature = "pcap") {
        return;
    }
    let mut filtered = bench.command(line);
    let output = filtered.arg("--capture-filter").arg("udp dst port 53").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(wanted > 20);
    assert_eq!((comments("frame").len(), comments("udp.dstport == 53").len()), (wanted, wanted));
}

#[test]
fn what_cannot_be_captured_is_refused_in_a_sentence_and_leaves_no_file() {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(11), 1);
    let line = "replay --config site.toml --in in.pcap --backend memory";
    let told = bench.sentence(&format!("{line} --capture why.pcapng --capture-filter tcp-port"));
    let why = if cfg!(feature = "pcap") { "pcap-filter(7)" } else { "feature `pcap`" };
    assert!(told.contains("\"tcp-port\"") && told.contains(why), "{told}");
    assert!(bench.sentence(&format!("{line} --capture in.pcap")).contains("are the same file"));
    assert!(bench.bad(&format!("{line} --capture-drops"), 2).contains("--capture"));
    assert!(!bench.files().iter().any(|name| name.contains("why")));
}
