//! `penstock capture` and `show recorder` on a running box: what is captured, what is refused, and that the box
//! forwards on as if nobody looked. The port is a capture that comes again and again without end.
#![cfg(feature = "dpdk")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

mod common;

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use common::running::{Running, signal};
use common::{CONFIG, tcp, text, udp};

const PATIENCE: Duration = Duration::from_secs(60);
const HTTP: [u8; 4] = [198, 51, 100, 1];

fn frames() -> Vec<Vec<u8>> {
    let frame = |number: u16| match number % 4 {
        0 => tcp(number, HTTP, 81, 0x10, 9),
        1 => udp(number, [203, 0, 113, 53], 53, 20),
        _ => tcp(number, HTTP, 80, 0x10, 9),
    };
    (0..100).map(frame).collect()
}

/// The box, which plays [`frames`].
fn start(options: &str) -> Running {
    let head = "[node]\ncontrol = \"c.sock\"\nmac = \"02:00:00:00:00:01\"\n";
    let port = "[[port]]\nname = \"lan0\"\ndevice = \"net_pcap0,rx_pcap=in.pcap,infinite_rx=1\"\n";
    let flows = frames().len() * 3 / 4;
    Running::playing(&frames(), flows, &format!("{head}{CONFIG}{port}"), options)
}

fn capture(running: &Running, words: &[&str]) -> Command {
    let mut command = running.bench.command("capture --socket c.sock");
    command.args(words);
    command
}

/// Every packet of a capture: its bytes, and what is said about it.
fn shots(running: &Running, name: &str) -> Vec<(Vec<u8>, String)> {
    let output = Command::new("tshark")
        .arg("-r")
        .arg(running.bench.path(name))
        .args(["-T", "fields", "-e", "frame.comment", "-e", "frame.interface_name"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let lines = said.lines().map(|line| line.strip_suffix("\tlan0").unwrap().to_owned());
    let bytes = running.bench.frames(name).into_iter().map(|(_, bytes)| bytes);
    bytes.zip(lines).collect()
}

fn good(output: Output) -> String {
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn a_running_box_is_captured_with_its_reasons_and_forwards_on() {
    let mut running = start("");
    let said =
        good(capture(&running, &["tcp", "port", "80", "--count", "150", "-o", "a.pcapng"]).output().unwrap());
    assert!(said.contains("150 packets, "), "{said}");
    let caught = shots(&running, "a.pcapng");
    let sent = frames();
    assert_eq!(caught.len(), 150);
    for (bytes, comment) in &caught {
        assert!(sent.contains(bytes) && bytes[37] == 80, "as it came: {bytes:02x?}");
        let is_right = comment.starts_with("tx service=http real=web-")
            && comment.ends_with(" flow=hit generation=1 worker=0");
        assert!(is_right, "{comment}");
    }
    let times: Vec<u64> = running.bench.frames("a.pcapng").into_iter().map(|(time, _)| time).collect();
    assert!(times.is_sorted());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let age = now.saturating_sub(Duration::from_nanos(times[0]));
    assert!(age < PATIENCE, "by the clock on the wall: {age:?}");

    good(capture(&running, &["--drops", "--count", "20", "-o", "b.pcapng"]).output().unwrap());
    let caught = shots(&running, "b.pcapng");
    assert_eq!(caught.len(), 20);
    let drop = "drop.no_service service=- real=- flow=- generation=1 worker=0";
    assert!(caught.iter().all(|(bytes, comment)| bytes[37] == 81 && comment == drop), "{caught:?}");
    running.stop();
}

#[test]
fn a_dash_is_standard_output_and_no_file() {
    let mut running = start("");
    let output = capture(&running, &["--count", "2", "-o", "-"]).output().unwrap();
    assert_eq!(output.stdout.get(..4), Some(&[0x0a, 0x0d, 0x0d, 0x0a][..]), "a section of pcapng begins so");
    assert!(good(output).contains("2 packets, ") && !running.bench.files().contains(&"-".to_owned()));
    running.stop();
}

#[test]
fn ctrl_c_ends_a_capture_with_a_whole_file_and_there_is_one_at_a_time() {
    let mut running = start("");
    let first = capture(&running, &["-o", "a.pcapng"]).spawn().unwrap();
    let start = Instant::now();
    // It has begun when its unfinished file has something in it.
    let part = format!("a.pcapng.{}.part", first.id());
    while std::fs::metadata(running.bench.path(&part)).map_or(0, |file| file.len()) == 0 {
        assert!(start.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(10));
    }
    let told = running.bench.sentence("capture --count 1 -o b.pcapng --socket c.sock");
    assert_eq!(told, "a capture is going on already: end it, or wait for its end");
    signal("INT", &first);
    let said = good(first.wait_with_output().unwrap());
    assert!(said.contains(" more were lost"), "{said}");
    assert!(!shots(&running, "a.pcapng").is_empty());
    // And the next one may begin, as soon as the worker has given the tap back.
    while !capture(&running, &["--count", "1", "-o", "c.pcapng"]).output().unwrap().status.success() {
        assert!(start.elapsed() < PATIENCE);
    }
    assert_eq!(shots(&running, "c.pcapng").len(), 1);
    running.stop();
}

#[test]
fn the_recorder_holds_the_last_verdicts() {
    let mut running = start("");
    let rows = running.bench.good("show recorder --json --socket c.sock");
    let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
    let rows = rows["recorder"].as_array().unwrap();
    // What the worker overwrites meanwhile is left out.
    assert!(rows.len() <= 1024 && !rows.is_empty(), "{}", rows.len());
    for row in rows {
        let expected = match row["port"].as_u64() {
            Some(81) => ("drop.no_service", "-", "-"),
            Some(80) => ("tx", "http", "hit"),
            _ => ("tx", "dns", "hit"),
        };
        let got = ["left", "service", "flow"].map(|key| row[key].as_str().unwrap());
        assert_eq!((got[0], got[1], got[2]), expected, "{row}");
        assert!(row["client"].as_str().unwrap().starts_with("192.0.2.7"), "{row}");
    }
    let shown = running.bench.good("show recorder --limit 3 --socket c.sock");
    assert!(shown.starts_with("worker  left") && shown.lines().count() <= 4, "{shown}");
    running.stop();
}

#[test]
fn a_running_box_explains_a_packet_by_its_own_flows() {
    let mut running = start("");
    let hex = |frame: &[u8]| frame.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let explain = |frame: &[u8]| {
        let said = running.bench.good(&format!("explain --socket c.sock --packet {} --json", hex(frame)));
        serde_json::from_str::<serde_json::Value>(&said).unwrap()
    };
    let step = |told: &serde_json::Value, name: &str| {
        let steps = told["steps"].as_array().unwrap();
        steps.iter().find(|step| step["step"] == name).map(|step| step["text"].as_str().unwrap().to_owned())
    };
    let told = explain(&frames()[2]);
    assert!(step(&told, "flow").unwrap().starts_with("established to real \"web-"), "{told}");
    // The real that the box itself says the flow has.
    let flows = running.bench.good("show flows --json --socket c.sock");
    let flows: serde_json::Value = serde_json::from_str(&flows).unwrap();
    let rows = flows["flows"]["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["client"] == "192.0.2.77:1026").unwrap();
    assert_eq!(
        (&told["real"], &told["service"], &told["verdict"]),
        (&row["real"], &"http".into(), &"tx".into())
    );
    assert_eq!(told["generation"]["sequence"], 1);
    let other = explain(&tcp(5000, HTTP, 80, 0x02, 0));
    assert_eq!(step(&other, "flow").as_deref(), Some("none in the table"), "{other}");
    assert_eq!(explain(&frames()[0])["reason"], "no_service");
    let said = running.bench.good(&format!("explain --socket c.sock --packet {}", hex(&frames()[0])));
    assert!(
        said.contains("\nverdict   drop: no_service.") && said.contains("\ntable     generation 1 ("),
        "{said}"
    );
    running.stop();
}

#[test]
fn what_cannot_be_captured_or_shown_is_told_in_a_sentence() {
    let mut running = start("--no-recorder");
    let told = running.bench.sentence("show recorder --socket c.sock");
    assert!(told.contains("started with --no-recorder"), "{told}");
    let told = running.bench.sentence("capture tcp port -o a.pcapng --socket c.sock");
    assert!(told.contains("\"tcp port\"") && told.contains("pcap-filter(7)"), "{told}");
    let told = running.bench.sentence("capture ip6 protochain 6 -o a.pcapng --socket c.sock");
    assert!(told.contains("loops, as of protochain, are not run"), "{told}");
    let told = running.bench.sentence("capture -o no/such/a.pcapng --socket c.sock");
    assert!(told.contains("no/such/a.pcapng: the output cannot be created"), "{told}");
    let told = running.bench.sentence("capture -o a.pcapng --socket none.sock");
    assert!(told.contains("none.sock: no `penstock run` answers there"), "{told}");
    assert!(!running.bench.files().iter().any(|name| name.contains("a.pcapng")));
    running.stop();
}
