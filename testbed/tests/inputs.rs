//! Bad inputs, each through the real binary: another status than 0, one sentence that a person can act on,
//! and nothing half-written left behind.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test fail as the test does"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use testbed::ledger::Moved;
use testbed::penstock::{Ended, Running, binary, command, replay, run};
use testbed::{lab, pcap, root};

const BACKENDS: [&str; 2] = ["memory", "dpdk"];

/// A sound configuration, of which the tests below spoil one thing each.
const SOUND: &str = r#"
[tunnel]
source_v4 = "192.0.2.1"
next_hop = "02:00:00:00:00:fe"

[[real]]
name = "web-1"
address = "10.0.0.11"

[[real]]
name = "web-2"
address = "10.0.0.12"

[[pool]]
name = "web"
members = [{ real = "web-1" }, { real = "web-2" }]

[[service]]
name = "web"
vip = "198.51.100.10"
protocol = "tcp"
ports = 80
pool = "web"
"#;

/// A folder with a sound configuration and a sound capture.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        bench.write("config.toml", SOUND);
        fs::copy(sample_capture(), bench.path("in.pcap")).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn replay(&self, backend: &str) -> Command {
        let mut command = replay(&self.path("config.toml"), &self.path("in.pcap")).unwrap();
        command.args(["--backend", backend]);
        command
    }

    /// All names in the folder but those of the inputs.
    fn made(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| !["config.toml", "in.pcap"].contains(&name.as_str()));
        names.sort();
        names
    }

    /// The replay is refused with status 1 and a sentence that holds the words; no file is made.
    fn refuses(&self, mut command: Command, words: &[&str]) {
        command.arg("--out").arg(self.path("out.pcap"));
        let what = format!("{command:?}");
        let ended = run(&mut command).unwrap();
        require_sentence(&what, &ended, 1, words);
        assert_eq!(self.made(), Vec::<String>::new(), "{what} left something");
    }
}

/// Three packets of a flow, real ones.
fn sample_capture() -> PathBuf {
    root().join("testbed/cases/flows-that-interleave-in-a-burst-are-told-apart/send.pcap")
}

/// It ended with that status and, whatever the log said before, with one sentence that holds the words.
fn require_sentence(what: &str, ended: &Ended, status: i32, words: &[&str]) {
    let told = format!("{what}: {}\nstdout: {}\nstderr: {}", ended.status, ended.stdout, ended.stderr);
    assert_eq!(ended.status.code(), Some(status), "{told}");
    let sentences: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("penstock: ")).collect();
    assert_eq!(sentences.len(), 1, "not one sentence: {told}");
    assert!(ended.stderr.trim_end().ends_with(sentences[0]), "the sentence comes last: {told}");
    assert!(!ended.stderr.contains("panicked"), "{told}");
    for word in words {
        assert!(sentences[0].contains(word), "the sentence does not say {word:?}: {told}");
    }
}

fn report_of(path: &Path) -> Moved {
    let report: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    Moved::from_report(&report).unwrap()
}

/// Classic pcap, little-endian, microseconds.
fn capture_of(link_type: u32, packets: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0];
    bytes.extend(link_type.to_le_bytes());
    for packet in packets {
        let len = u32::try_from(packet.len()).unwrap().to_le_bytes();
        bytes.extend([[1, 0, 0, 0], [0, 0, 0, 0], len, len].concat());
        bytes.extend(*packet);
    }
    bytes
}

#[test]
fn a_truncated_capture_gives_the_packets_before_the_cut_and_says_so() {
    let whole = fs::read(sample_capture()).unwrap();
    let packets = pcap::frames(&sample_capture()).unwrap().len();
    for backend in BACKENDS {
        let bench = Bench::new();
        bench.write("in.pcap", &whole[..whole.len() - 5]);
        let (out, report) = (bench.path("out.pcap"), bench.path("report.json"));
        let ended = run(bench.replay(backend).arg("--out").arg(&out).arg("--report").arg(&report)).unwrap();
        assert!(ended.status.success(), "{}", ended.stderr);
        let told: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("in.pcap")).collect();
        assert_eq!(told.len(), 1, "{}", ended.stderr);
        assert!(told[0].contains(&format!("{}", packets - 1)), "the cut packet's index: {}", told[0]);
        assert_eq!(report_of(&report).get("rx"), packets as u64 - 1);
        assert!(pcap::frames(&out).is_ok());
    }
}

#[test]
fn a_capture_that_cannot_be_used_is_refused_with_its_remedy() {
    let frame: &[u8] = &[0; 60];
    for (bytes, words) in [
        (Vec::new(), ["is empty (0 bytes)", "capture again"]),
        (capture_of(1, &[]), ["holds no packets", "capture again"]),
        (capture_of(1, &[])[..17].to_vec(), ["inside its header", "again"]),
        (capture_of(113, &[frame]), ["link type", "is not Ethernet"]),
        (capture_of(147, &[frame]), ["link type 147", "is not Ethernet"]),
        (
            b"#!/bin/sh\necho hello world, no capture\n".to_vec(),
            ["not a capture", "give a pcap or pcapng file"],
        ),
        (
            vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            ["compressed", "gunzip"],
        ),
    ] {
        let bench = Bench::new();
        bench.write("in.pcap", bytes);
        bench.refuses(bench.replay("memory"), &[&words[..], &["in.pcap"]].concat());
    }
    let bench = Bench::new();
    fs::remove_file(bench.path("in.pcap")).unwrap();
    bench.refuses(bench.replay("memory"), &["in.pcap", "cannot be read", "No such file"]);
    fs::create_dir(bench.path("in.pcap")).unwrap();
    bench.refuses(bench.replay("memory"), &["in.pcap", "cannot be read", "directory"]);
}

#[test]
fn records_of_no_bytes_and_frames_as_long_as_ip_allows_are_counted_like_any_other() {
    let sound = pcap::frames(&sample_capture()).unwrap();
    // IPv4 with the greatest total length there is.
    let mut jumbo = sound[0].1.clone();
    jumbo[16..18].fill(0xff);
    jumbo[24..26].fill(0);
    let sum: u32 = jumbo[14..34].chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let folded = !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
    jumbo[24..26].copy_from_slice(&folded.to_be_bytes());
    jumbo.resize(14 + 65_535, 7);
    let mut outs = Vec::new();
    for backend in BACKENDS {
        let bench = Bench::new();
        let packets: [&[u8]; 5] = [&sound[0].1, &[], &jumbo, &[], &sound[1].1];
        bench.write("in.pcap", capture_of(1, &packets));
        let (out, report) = (bench.path("out.pcap"), bench.path("report.json"));
        let ended = run(bench.replay(backend).arg("--out").arg(&out).arg("--report").arg(&report)).unwrap();
        assert!(ended.status.success(), "{backend}: {}", ended.stderr);
        let moved = report_of(&report);
        let counts = ["rx", "tx", "drop.truncated", "drop.tunnel_mtu"].map(|name| moved.get(name));
        assert_eq!(counts, [5, 3, 2, 1], "{backend}: the jumbo packet is answered");
        assert_eq!(moved.balance(), Ok(()));
        outs.push(fs::read(out).unwrap());
    }
    assert_eq!(outs[0], outs[1]);
}

/// Spoils the sound configuration; the fault must name the file, its line and what to do.
fn spoilt(from: &str, to: &str, words: &[&str]) {
    let text = SOUND.replace(from, to);
    assert_ne!(text, SOUND, "{from} is not in the sound configuration");
    let bench = Bench::new();
    bench.write("config.toml", &text);
    for mut command in [bench.replay("memory"), check(&bench.path("config.toml"))] {
        let ended = run(&mut command).unwrap();
        let told = format!("{from} → {to}: {}\n{}", ended.status, ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{told}");
        assert!(!ended.stderr.contains("panicked"), "{told}");
        assert!(ended.stderr.contains("config.toml:"), "no file and line: {told}");
        for word in words {
            assert!(ended.stderr.contains(word), "does not say {word:?}: {told}");
        }
    }
}

fn check(config: &Path) -> Command {
    let mut command = command(["check", "--config"]).unwrap();
    command.arg(config);
    command
}

#[test]
fn a_configuration_that_cannot_work_is_refused_with_file_line_and_key() {
    let service = &SOUND[SOUND.find("[[service]]").unwrap()..];
    let twice = format!("{service}{}", service.replace("name = \"web\"", "name = \"again\""));
    let members = r#"{ real = "web-1" }, { real = "web-2" }"#;
    spoilt(service, "", &["service"]);
    spoilt(members, "", &["members"]);
    spoilt(service, &twice, &["line 20", "198.51.100.10"]);
    spoilt(members, r#"{ real = "web-1", weight = 0 }, { real = "web-2", weight = 0 }"#, &["weight"]);
    spoilt("[tunnel]", "[tunnel]\nmtu = 20", &["mtu"]);
    spoilt("10.0.0.12", "10.0.0.11", &["real[1].address", "10.0.0.11", "web-1"]);
    spoilt("ports = 80", "port = 80", &["port"]);
    spoilt("[tunnel]", "[tunnel", &["config.toml:2"]);
}

#[test]
fn all_faults_of_a_configuration_are_told_at_once() {
    let bench = Bench::new();
    let text = SOUND.replace("10.0.0.12", "10.0.0.11").replace("ports = 80", "ports = \"x\"");
    bench.write("config.toml", text.replace("next_hop = \"02", "next_hop = \"zz"));
    let ended = run(&mut bench.replay("memory")).unwrap();
    assert_eq!(ended.status.code(), Some(1));
    for line in ["config.toml:4", "config.toml:12", "config.toml:22"] {
        assert!(ended.stderr.contains(line), "{line} is not told:\n{}", ended.stderr);
    }
}

#[test]
fn a_configuration_of_more_than_10_mib_is_refused_and_one_of_that_size_is_read() {
    const MIB_10: usize = 10 << 20;
    let bench = Bench::new();
    let mut text = SOUND.to_owned();
    text.extend(std::iter::repeat_n("# a comment that goes on for long\n", (MIB_10 - SOUND.len()) / 34));
    bench.write("config.toml", &text);
    assert!(run(&mut bench.replay("memory")).unwrap().status.success());
    bench.write("config.toml", text + &"#".repeat(100));
    let ended = run(&mut bench.replay("memory")).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("config.toml") && ended.stderr.contains("10"), "{}", ended.stderr);
    assert!(ended.stderr.len() < 1_000, "a short refusal: {} bytes", ended.stderr.len());
}

#[test]
fn an_output_that_cannot_be_made_is_told_before_the_work() {
    for option in ["--out", "--trace", "--report", "--html"] {
        let bench = Bench::new();
        fs::create_dir(bench.path("folder")).unwrap();
        for (path, word) in [
            (bench.path("folder"), "directory"),
            (bench.path("nowhere/out"), "No such file"),
            (PathBuf::from("/proc/version"), "cannot be"),
        ] {
            let mut command = bench.replay("memory");
            command.arg(option).arg(&path);
            let ended = run(&mut command).unwrap();
            require_sentence(&format!("{command:?}"), &ended, 1, &[path.to_str().unwrap(), word]);
            assert_eq!(bench.made(), ["folder"]);
        }
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_no_half_file() {
    for option in ["--out", "--trace", "--report", "--html"] {
        let bench = Bench::new();
        let ended = run(bench.replay("memory").args([option, "/dev/full"])).unwrap();
        require_sentence(option, &ended, 1, &["/dev/full", "No space left"]);
        assert_eq!(bench.made(), Vec::<String>::new());
    }
    lab::require_root().unwrap();
    let bench = Bench::new();
    fs::create_dir(bench.path("disk")).unwrap();
    fs::copy(root().join("testbed/captures/quickstart.pcap"), bench.path("in.pcap")).unwrap();
    fs::copy(root().join("testbed/captures/quickstart.toml"), bench.path("config.toml")).unwrap();
    // A disk of 64 kB, in a mount namespace that ends with the shell.
    let script = "mount -t tmpfs -o size=64k none disk && \
                  { \"$PENSTOCK\" replay --config config.toml --in in.pcap --backend memory --out disk/out.pcap; \
                    echo status $?; ls -A disk; }";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).current_dir(bench.folder.path());
    command.env("PENSTOCK", binary().unwrap());
    let ended = run(&mut command).unwrap();
    let last: Vec<&str> = ended.stdout.lines().rev().take(1).collect();
    assert_eq!(last, ["status 1"], "nothing is left on the disk: {ended:?}");
    assert!(ended.stderr.contains("disk/out.pcap") && ended.stderr.contains("No space left"), "{ended:?}");
}

#[test]
fn one_file_under_two_options_is_refused_and_stays_as_it_was() {
    let bench = Bench::new();
    let before = fs::read(bench.path("in.pcap")).unwrap();
    let ended = run(bench.replay("memory").arg("--out").arg(bench.path("in.pcap"))).unwrap();
    require_sentence("--out IN", &ended, 1, &["--out", "--in", "same file"]);
    let again = bench.path(".").join("in.pcap");
    let ended = run(bench.replay("memory").arg("--report").arg(again)).unwrap();
    require_sentence("--report IN", &ended, 1, &["--report", "--in", "same file"]);
    let mut command = bench.replay("memory");
    command.arg("--trace").arg(bench.path("x")).arg("--html").arg(bench.path("x"));
    require_sentence("--trace X --html X", &run(&mut command).unwrap(), 1, &["--trace", "--html"]);
    assert_eq!(fs::read(bench.path("in.pcap")).unwrap(), before);
    assert_eq!(bench.made(), Vec::<String>::new());
}

#[test]
fn a_wrong_command_line_is_status_2_with_the_way_out() {
    let bench = Bench::new();
    let config = bench.path("config.toml");
    let config = config.to_str().unwrap();
    for arguments in [
        &[][..],
        &["repaly"],
        &["replay", "--config", config],
        &["replay", "--config", config, "--in", "x", "--bakend", "memory"],
        &["replay", "--config", config, "--in", "x", "--backend", "kernel"],
        &["replay", "--config", config, "--in", "x", "--workers", "0"],
        &["replay", "--config", config, "--in", "x", "--loops", "0"],
        &["replay", "--config", config, "--in", "x", "--rate", "fast"],
        &["replay", "--config", config, "--in", "x", "--burst", "65"],
    ] {
        let ended = run(&mut command(arguments.iter().copied()).unwrap()).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {ended:?}");
        assert!(
            ended.stderr.contains("--help") || ended.stderr.contains("Usage"),
            "{arguments:?}: {ended:?}"
        );
        assert_eq!(ended.stdout, "");
    }
    let ended = run(&mut check(Path::new("/nowhere/site.toml"))).unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended.stderr.contains("/nowhere/site.toml") && ended.stderr.contains("No such file"),
        "{ended:?}"
    );
}

#[test]
fn an_interrupted_replay_leaves_no_half_file_and_an_earlier_one_as_it_was() {
    for backend in BACKENDS {
        let bench = Bench::new();
        bench.write("out.pcap", "an earlier one");
        let mut command = bench.replay(backend);
        command.args(["--rate", "100", "--loops", "100000"]);
        command.arg("--out").arg(bench.path("out.pcap")).arg("--report").arg(bench.path("report.json"));
        let mut running = Running::start(&mut command).unwrap();
        // Outputs are opened under other names before the first packet.
        while running.is_running() && bench.made().len() < 3 {
            std::thread::yield_now();
        }
        let told = run(Command::new("kill").args(["-INT", &running.id().to_string()])).unwrap();
        assert!(told.status.success(), "{backend}: it had ended already: {:?}", running.wait());
        let ended = running.wait().unwrap();
        require_sentence(backend, &ended, 130, &["interrupted"]);
        assert_eq!(bench.made(), ["out.pcap"], "{backend}");
        assert_eq!(fs::read(bench.path("out.pcap")).unwrap(), b"an earlier one");
    }
}

#[test]
fn two_replays_at_once_do_not_meet() {
    for backend in BACKENDS {
        let bench = Bench::new();
        fs::copy(root().join("testbed/captures/quickstart.pcap"), bench.path("in.pcap")).unwrap();
        fs::copy(root().join("testbed/captures/quickstart.toml"), bench.path("config.toml")).unwrap();
        let outs = ["one.pcap", "two.pcap"].map(|name| bench.path(name));
        let running = outs.each_ref().map(|out| {
            Running::start(bench.replay(backend).args(["--loops", "3"]).arg("--out").arg(out)).unwrap()
        });
        for running in running {
            running.wait().unwrap().require_success().unwrap();
        }
        let [one, two] = outs.map(|out| fs::read(out).unwrap());
        assert!(one == two && !one.is_empty(), "{backend}: two replays differ");
    }
}

/// The binary and the inputs where anybody may read them, and a folder that is nobody's.
fn public_bench() -> Bench {
    let bench = Bench::new();
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    // Not by this process: were the copy open for writing here, a child that another test starts at that moment
    // would hold it open as well, and the kernel runs no file that somebody may write ("text file busy").
    let copied = Command::new("cp").arg(binary().unwrap()).arg(bench.path("penstock")).status().unwrap();
    assert!(copied.success());
    fs::create_dir(bench.path("own")).unwrap();
    open(bench.folder.path(), 0o755);
    for (name, mode) in [("penstock", 0o755), ("config.toml", 0o644), ("in.pcap", 0o644), ("own", 0o777)] {
        open(&bench.path(name), mode);
    }
    bench
}

/// The binary as the user nobody, without any capability.
fn as_nobody(bench: &Bench, arguments: &[&str]) -> Ended {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]);
    command
        .arg(bench.path("penstock"))
        .args(arguments)
        .current_dir(bench.folder.path())
        .env("HOME", "/nonexistent");
    run(&mut command).unwrap()
}

#[test]
fn replay_needs_no_root_and_says_what_it_may_not_write() {
    lab::require_root().unwrap();
    let bench = public_bench();
    let replay = ["replay", "--config", "config.toml", "--in", "in.pcap", "--backend"];
    for backend in BACKENDS {
        let ended = as_nobody(&bench, &[&replay[..], &[backend, "--out", "own/out.pcap"]].concat());
        assert!(ended.status.success(), "{backend}: {ended:?}");
        assert!(!pcap::frames(&bench.path("own/out.pcap")).unwrap().is_empty());
        let ended = as_nobody(&bench, &[&replay[..], &[backend, "--out", "out.pcap"]].concat());
        require_sentence(backend, &ended, 1, &["out.pcap", "Permission denied"]);
    }
}

/// The sound configuration with a live port.
fn live(bench: &Bench, device: &str) {
    let port =
        format!("\n[dataplane]\nmemory_mb = 128\n\n[[port]]\nname = \"lan0\"\ndevice = \"{device}\"\n");
    bench.write("config.toml", SOUND.to_owned() + &port);
}

#[test]
fn live_ports_that_cannot_be_used_are_one_sentence() {
    lab::require_root().unwrap();
    let bench = public_bench();
    let go = ["run", "--duration", "5", "--config"];
    let run_as_root = |bench: &Bench| {
        let mut command = command(go).unwrap();
        command.arg(bench.path("config.toml"));
        run(&mut command).unwrap()
    };
    require_sentence("no port", &run_as_root(&bench), 1, &["port"]);
    live(&bench, "net_af_packet0,iface=nonesuch0");
    require_sentence("no interface", &run_as_root(&bench), 1, &["net_af_packet0"]);
    live(&bench, "net_pcap0,rx_pcap=/nowhere/in.pcap,tx_pcap=/dev/null");
    require_sentence("no file", &run_as_root(&bench), 1, &["net_pcap0"]);
    live(&bench, "0000:ff:1f.7");
    require_sentence("no such device", &run_as_root(&bench), 1, &["0000:ff:1f.7"]);
    live(&bench, "net_af_packet0,iface=lo");
    let ended = as_nobody(&bench, &[&go[..], &["config.toml"]].concat());
    require_sentence("not root", &ended, 1, &["net_af_packet0"]);
}

#[test]
fn a_stopped_run_tells_its_counters_and_ends_well() {
    let bench = Bench::new();
    live(&bench, "net_null0,no-rx=1");
    let mut command = command(["run", "--config"]).unwrap();
    command.arg(bench.path("config.toml")).arg("--report").arg(bench.path("report.json"));
    for signal in ["-INT", "-TERM"] {
        let mut running = Running::start(&mut command).unwrap();
        while running.is_running() && bench.made().is_empty() {
            std::thread::yield_now();
        }
        assert!(
            run(Command::new("kill").args([signal, &running.id().to_string()])).unwrap().status.success()
        );
        let ended = running.wait().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(report_of(&bench.path("report.json")).balance(), Ok(()));
        fs::remove_file(bench.path("report.json")).unwrap();
    }
}
