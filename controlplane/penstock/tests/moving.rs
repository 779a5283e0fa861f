//! `penstock import`, `doctor`, `pages`, `--log json` and the unit, as a person and a package use them.
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
        // What the sample includes is at the place of another machine.
        std::fs::write(bench.path("old"), sample.replace("/etc/keepalived/conf.d", ".")).unwrap();
        let output = bench.run(&format!("import {format} old --out new.toml"));
        assert!(output.status.success(), "{format}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("\"no counterpart\""), "{format}");
        assert!(bench.good("check --config new.toml").contains("Sound: "), "{format}");
        // A replay has no kernel to ask for next hops; the file says what it needs instead.
        let written = text(&bench.read("new.toml"));
        std::fs::write(bench.path("new.toml"), written.replace("\n# next_hop = ", "\nnext_hop = ")).unwrap();
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
fn what_a_keepalived_conf_includes_is_found_beside_it() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("conf.d")).unwrap();
    let server = |vip: u8| {
        format!(
            "virtual_server 198.51.100.{vip} 80 {{\n lb_kind TUN\n real_server 10.0.0.{vip} 80 {{ }}\n}}\n"
        )
    };
    std::fs::write(bench.path("keepalived.conf"), "include conf.d/*.conf\n").unwrap();
    std::fs::write(bench.path("conf.d/a.conf"), server(1) + "include more\n").unwrap();
    std::fs::write(bench.path("conf.d/more"), server(2)).unwrap();
    std::fs::write(bench.path("conf.d/b.conf"), server(3)).unwrap();
    std::fs::write(bench.path("conf.d/b.conf~"), "}").unwrap();
    bench.good("import keepalived keepalived.conf --out new.toml");
    let said = bench.good("check --config new.toml");
    assert!(said.contains("3 VIPs"), "{said}");
    std::fs::write(bench.path("conf.d/more"), "\nvirtual_server x 80 { }").unwrap();
    let told = bench.sentence("import keepalived keepalived.conf");
    assert!(told.starts_with("conf.d/more:2: \"x\" is not an IP address"), "{told}");
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

#[test]
fn the_doctor_says_what_is_there_in_words_and_as_json() {
    let bench = Bench::new();
    let missing = format!(
        "{}\n[[port]]\nname = \"lan0\"\ndevice = \"net_af_packet0,iface=nowhere0\"\n",
        common::CONFIG
    );
    std::fs::write(bench.path("site.toml"), missing).unwrap();
    let output = bench.run("doctor --config site.toml");
    assert_eq!(output.status.code(), Some(1), "an interface that is not there is wrong");
    let said = text(&output.stdout);
    assert!(
        said.contains("there is no interface \"nowhere0\"") && said.contains("$ ip -brief link"),
        "{said}"
    );
    assert!(text(&output.stderr).starts_with("penstock: "), "one sentence more");
    let json = bench.run("doctor --config site.toml --json");
    let findings: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let wrong =
        |finding: &&serde_json::Value| finding["about"] == "interface" && finding["severity"] == "wrong";
    assert_eq!(findings.as_array().unwrap().iter().filter(wrong).count(), 1, "{findings}");
    let told = bench.bad("doctor --config none.toml", 1);
    assert!(told.starts_with("none.toml: "), "{told}");
}

#[test]
fn the_log_is_json_on_demand_and_a_failure_is_in_it() {
    let bench = Bench::new();
    bench.capture("in.pcap", &[common::tcp(1, [198, 51, 100, 10], 80, 0x02, 0)], 1000);
    for line in [
        "--log json replay --backend memory --config none.toml --in in.pcap",
        "check --config none.toml --log json",
    ] {
        let told = bench.bad(line, 1);
        assert!(told.lines().count() >= 1, "{line}");
        for entry in told.lines() {
            let entry: serde_json::Value = serde_json::from_str(entry).unwrap();
            assert!(entry["timestamp"].is_string() && entry["level"].is_string(), "{entry}");
        }
        let last: serde_json::Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
        assert!(last["message"].as_str().unwrap().contains("none.toml"), "{last}");
        assert_eq!(last["status"], 1);
    }
}

#[test]
fn every_command_that_help_shows_has_a_page_and_a_completion() {
    let bench = Bench::new();
    bench.good("pages --to pages");
    let help = bench.good("--help");
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .filter(|&name| name != "help")
        .collect();
    assert!(commands.contains(&"import") && commands.contains(&"doctor"), "{commands:?}");
    let completion = text(&bench.read("pages/completions/penstock.bash"));
    for command in commands {
        let page = text(&bench.read(&format!("pages/man1/penstock-{command}.1")));
        assert!(page.contains(".TH") && page.contains("SYNOPSIS"), "{command}: {page}");
        assert!(completion.contains(command), "{command}");
    }
    assert!(text(&bench.read("pages/man1/penstock.1")).contains("penstock\\-import(1)"));
    assert!(common::exists(&bench.path("pages/completions/_penstock")));
    assert!(common::exists(&bench.path("pages/completions/penstock.fish")));
    std::fs::write(bench.path("file"), "").unwrap();
    assert!(bench.sentence("pages --to file").starts_with("file: the pages cannot be written"));
}

#[test]
fn the_unit_is_one_that_systemd_takes_and_calls_well_confined() {
    let bench = Bench::new();
    let unit = include_str!("../../../conf/systemd/penstock.service");
    assert!(unit.contains("ExecStart=/usr/bin/penstock "), "where the package puts it");
    std::fs::write(
        bench.path("penstock.service"),
        unit.replace("/usr/bin/penstock", env!("CARGO_BIN_EXE_penstock")),
    )
    .unwrap();
    let dropin = include_str!("../../../conf/systemd/penstock.service.d/pci.conf");
    for pci in [false, true] {
        if pci {
            std::fs::create_dir(bench.path("penstock.service.d")).unwrap();
            std::fs::write(bench.path("penstock.service.d/pci.conf"), dropin).unwrap();
        }
        // Pages of a package that is not installed here are not looked for. Exposure is told in tenths.
        for words in [&["verify", "--man=no"][..], &["security", "--offline=true", "--threshold=50"]] {
            let mut command = std::process::Command::new("systemd-analyze");
            command.args(words).arg(bench.path("penstock.service")).env("NO_COLOR", "1");
            let output = command.output().unwrap();
            let told = text(&output.stdout) + &text(&output.stderr);
            assert!(output.status.success(), "{words:?}: {told}");
            assert!(!told.contains("Unknown") && !told.contains("ignoring"), "{words:?}: {told}");
        }
    }
}

#[test]
fn the_gate_is_a_unit_that_shuts_an_interface_as_the_doctor_says() {
    let bench = Bench::new();
    let unit = include_str!("../../../conf/systemd/penstock-gate@.service");
    std::fs::write(bench.path("penstock-gate@.service"), unit).unwrap();
    for (words, name) in [
        (&["verify", "--man=no"][..], "penstock-gate@eth1.service"),
        (&["security", "--offline=true", "--threshold=50"], "penstock-gate@.service"),
    ] {
        // An instance is looked for by its template's name.
        std::fs::copy(bench.path("penstock-gate@.service"), bench.path("penstock-gate@eth1.service"))
            .unwrap();
        let mut command = std::process::Command::new("systemd-analyze");
        command.args(words).arg(bench.path(name)).env("NO_COLOR", "1");
        let output = command.output().unwrap();
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{words:?}: {told}");
        assert!(!told.contains("Unknown") && !told.contains("ignoring"), "{words:?}: {told}");
    }
    let doctor = include_str!("../../doctor/src/kernel.rs");
    for command in ["tc qdisc add dev % clsact", "tc filter add dev % ingress bpf da bytecode '1,6 0 0 2'"] {
        assert!(unit.contains(&format!("ExecStart={}\n", command.replace('%', "%I"))), "{command}");
        assert!(doctor.contains(&command.replace('%', "{interface}")), "{command}");
    }
}

#[cfg(feature = "dpdk")]
#[test]
fn the_commands_of_the_unit_are_commands() {
    let bench = Bench::new();
    let unit = include_str!("../../../conf/systemd/penstock.service");
    let lines: Vec<&str> = unit.lines().filter(|line| line.starts_with("Exec")).collect();
    assert!(lines.len() >= 3, "{lines:?}");
    for line in lines {
        let words = line.split_once("/usr/bin/penstock ").unwrap().1;
        // It gets as far as the configuration, or the box, which is not there: the words are right.
        let (words, told_of) = match words {
            "reload" => ("reload --socket none.sock".to_owned(), "none.sock"),
            words => {
                (words.replace("/etc/penstock/site.toml", "none.toml"), "none.toml: the file cannot be read")
            }
        };
        let told = bench.bad(&words, 1);
        assert!(told.contains(told_of), "{line}: {told}");
    }
}
