//! `penstock import`, as a person uses it.
#![allow(clippy::unwrap_used, reason = "test code, which may stop where it is wrong")]

mod common;

use std::io::Write;
use std::process::Stdio;

use common::{Bench, text};

const RULES: &str = include_str!("../../import/tests/samples/ipvs.rules");

#[test]
fn each_format_becomes_a_configuration_that_check_accepts_and_replay_runs() {
    let bench = Bench::new();
    let samples = [
        ("ipvs", RULES),
        ("keepalived", include_str!("../../import/tests/samples/keepalived.conf")),
        ("katran", include_str!("../../import/tests/samples/katran.json")),
        ("glb", include_str!("../../import/tests/samples/glb.json")),
    ];
    bench.capture("in.pcap", &[common::tcp(1, [198, 51, 100, 10], 80, 0x02, 0)], 1000);
    for (format, sample) in samples {
        std::fs::write(bench.path("old"), sample).unwrap();
        let output = bench.run(&format!("import {format} old --out new.toml"));
        assert!(output.status.success(), "{format}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("\"no counterpart\""), "{format}");
        assert!(bench.good("check --config new.toml").contains("Sound: "), "{format}");
        bench.good("replay --backend memory --config new.toml --in in.pcap --out out.pcap");
        assert_eq!(bench.frames("out.pcap").len(), 1, "{format}: a SYN to the VIP is tunnelled");
    }
}

#[test]
fn stdin_and_stdout_do_as_well_and_say_the_same() {
    let bench = Bench::new();
    std::fs::write(bench.path("old"), RULES).unwrap();
    let of_file = bench.good("import ipvs old");
    let mut command = bench.command("import ipvs -");
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(RULES.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), of_file);
}

#[test]
fn what_cannot_be_imported_is_one_sentence_with_its_place_and_leaves_no_file() {
    let bench = Bench::new();
    std::fs::write(bench.path("old"), "-A -t 198.51.100.10:80 -s rr\n-a -t 198.51.100.10:80 -r web-1:80\n")
        .unwrap();
    let told = bench.sentence("import ipvs old --out new.toml");
    assert!(told.starts_with("old:2: \"web-1\" is not an IP address."), "{told}");
    assert_eq!(bench.files(), ["old", "site.toml"]);
    let told = bench.sentence("import glb none.json");
    assert!(told.starts_with("none.json: the file cannot be read"), "{told}");
    std::fs::write(bench.path("old"), "").unwrap();
    let told = bench.sentence("import ipvs old");
    assert!(told.starts_with("old: there is no service"), "{told}");
    std::fs::write(bench.path("old"), [0xff, 0xfe]).unwrap();
    assert!(bench.sentence("import katran old").contains("not UTF-8"));
    bench.bad("import haproxy old", 2);
}
