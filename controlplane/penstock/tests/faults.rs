//! Bad input: one sentence that says what and where, a status that is not 0, and nothing left behind.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

mod common;

use common::{Bench, CONFIG, mixture, text};

const REPLAY: &str = "replay --config site.toml --backend memory";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(50), 1_000_000);
    bench
}

#[test]
fn captures_that_cannot_be_replayed_are_refused_in_one_sentence() {
    let bench = bench();
    let sound = bench.read("in.pcap");
    let mut sll = sound[..24].to_vec();
    sll[20] = 113;
    let files: [(&str, &[u8], &str); 5] = [
        ("none.pcap", b"", "the file is empty"),
        ("empty.pcap", &sound[..24], "the capture holds no packets"),
        ("cut.pcap", &sound[..30], "no whole packet"),
        ("sll.pcap", &sll, "link type 113 (LINUX_SLL)"),
        ("text.pcap", b"hello, this is text", "not a capture"),
    ];
    for (name, bytes, about) in files {
        std::fs::write(bench.path(name), bytes).unwrap();
        let told = bench.sentence(&format!("{REPLAY} --in {name} --out o.pcap"));
        assert!(told.starts_with(&format!("{name}: ")) && told.contains(about), "{told}");
    }
    assert!(bench.sentence(&format!("{REPLAY} --in missing.pcap")).contains("missing.pcap: cannot be read"));
    assert!(bench.sentence(&format!("{REPLAY} --in .")).contains("cannot be read"));
    assert!(!bench.path("o.pcap").exists());
}

#[test]
fn a_damaged_capture_is_replayed_up_to_the_damage_and_warned_of() {
    let bench = bench();
    let sound = bench.read("in.pcap");
    let mut odd = sound[..sound.len() - 3].to_vec();
    // A record without a byte, in front.
    odd.splice(24..24, sound[24..32].iter().copied().chain([0; 8]));
    std::fs::write(bench.path("odd.pcap"), odd).unwrap();
    let output = bench.run(&format!("{REPLAY} --in odd.pcap --out o.pcap --report r.json"));
    let told = text(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("packet index 0 at byte 24: the record holds no byte"), "{told}");
    assert!(told.contains("the file ends inside the record"), "{told}");
    let report = bench.json("r.json");
    assert_eq!(
        (&report["packets"], report["counters"]["drop.truncated"].as_u64().unwrap() > 0),
        (&50.into(), true)
    );
    assert_eq!(report["capture"]["first_faults"].as_array().unwrap().len(), 2);
}

#[test]
fn outputs_that_cannot_be_written_are_told_and_nothing_is_left() {
    let bench = bench();
    for (option, path) in [("--out", "."), ("--trace", "."), ("--report", "no/such"), ("--html", "/proc/x")] {
        let told = bench.sentence(&format!("{REPLAY} --in in.pcap {option} {path}"));
        assert!(told.contains("cannot be created"), "{told}");
    }
    for option in ["--out", "--trace", "--report", "--html"] {
        let told = bench.sentence(&format!("{REPLAY} --in in.pcap {option} /dev/full"));
        assert!(told.contains("No space left"), "{option}: {told}");
    }
    assert_eq!(bench.files(), ["in.pcap", "site.toml"]);
}

#[test]
fn stdout_on_a_full_disk_is_a_failure_too() {
    let bench = bench();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = bench.command(&format!("{REPLAY} --in in.pcap")).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("stdout cannot be written"));
}

#[test]
fn one_file_for_two_purposes_is_refused() {
    let bench = bench();
    for extra in [
        "--out in.pcap",
        "--out ./in.pcap",
        "--trace site.toml",
        "--out x --trace x",
        "--report x --html ./x",
    ] {
        let told = bench.sentence(&format!("{REPLAY} --in in.pcap {extra}"));
        assert!(told.contains("are the same file"), "{extra}: {told}");
    }
    assert_eq!(bench.frames("in.pcap").len(), 50);
}

#[test]
fn numbers_out_of_range_are_usage() {
    let bench = bench();
    for extra in [
        "--workers 0",
        "--workers 129",
        "--rate 0",
        "--rate fast",
        "--loops 0",
        "--burst 0",
        "--burst 65",
        "--backend smoke",
    ] {
        let told = bench.bad(&format!("{REPLAY} --in in.pcap {extra}"), 2);
        assert!(told.contains("error:"), "{told}");
    }
}

#[test]
fn what_would_not_fit_into_memory_is_refused_before_it_is_taken() {
    let bench = bench();
    assert!(
        bench.sentence(&format!("{REPLAY} --in in.pcap --out o.pcap --loops 2000000")).contains("--loops")
    );
    assert!(
        bench.sentence(&format!("{REPLAY} --in in.pcap --trace t --loops 2000000000")).contains("--loops")
    );
    let huge = CONFIG.replace("entries = 4096", "entries = 1073741824");
    std::fs::write(bench.path("site.toml"), huge).unwrap();
    assert!(bench.sentence(&format!("{REPLAY} --in in.pcap --workers 128")).contains("lower flow.entries"));
}

#[test]
fn a_bad_configuration_or_numbers_file_stops_the_replay() {
    let bench = bench();
    std::fs::write(bench.path("bad.toml"), CONFIG.replace("10.0.0.11", "10.0.0.12")).unwrap();
    let told = bench.bad("replay --config bad.toml --in in.pcap --backend memory", 1);
    assert!(told.starts_with("bad.toml:"), "{told}");
    std::fs::write(bench.path("numbered.toml"), format!("[node]\nnumbers = \"n.toml\"\n{CONFIG}")).unwrap();
    std::fs::write(bench.path("n.toml"), "version = 9\n").unwrap();
    let told = bench.bad("replay --config numbered.toml --in in.pcap --backend memory", 1);
    assert!(told.contains("n.toml:1:"), "{told}");
}

#[cfg(feature = "dpdk")]
#[test]
fn dpdk_refuses_in_one_sentence_what_it_cannot_do() {
    let bench = bench();
    let told = bench.sentence("run --config site.toml --packets 1");
    assert!(told.contains("no port is configured"), "{told}");
    let followed = CONFIG.replace("next_hop = \"02:00:00:00:00:fe\"\n", "");
    let followed = format!("{followed}\n[[port]]\nname = \"lan0\"\ndevice = \"net_null0\"\n");
    std::fs::write(bench.path("site.toml"), followed).unwrap();
    let told = bench.sentence("run --config site.toml --packets 1");
    assert!(told.contains("has no next_hop, and no port has an interface of the kernel"), "{told}");
    let told = bench.sentence("replay --config site.toml --in in.pcap --out out.pcap");
    assert!(told.contains("has no next_hop, and a replay has no kernel to learn it from"), "{told}");
    let small = CONFIG.replace("[flow]", "[dataplane]\nmemory_mb = 32\n[flow]");
    std::fs::write(bench.path("site.toml"), small).unwrap();
    let told = bench.sentence("replay --config site.toml --in in.pcap --backend dpdk");
    assert!(told.contains("raise dataplane.memory_mb"), "{told}");
    let wrong = format!("{CONFIG}\n[[port]]\nname = \"lan0\"\ndevice = \"net_nothing0\"\n");
    std::fs::write(bench.path("site.toml"), wrong).unwrap();
    assert!(bench.bad("run --config site.toml --packets 1", 1).contains("net_nothing0"));
}

#[cfg(not(feature = "dpdk"))]
#[test]
fn a_build_without_dpdk_says_so() {
    let bench = bench();
    assert!(bench.sentence("run --config site.toml").contains("this build has no DPDK"));
    assert!(bench.sentence("replay --config site.toml --in in.pcap --backend dpdk").contains("no DPDK"));
}
