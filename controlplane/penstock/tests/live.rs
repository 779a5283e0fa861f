//! `penstock run`: live ports, played by files and by a port that gives packets without end.
#![cfg(feature = "dpdk")]
#![allow(clippy::unwrap_used, reason = "test code, which may stop where it is wrong")]

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::{Bench, CONFIG, mixture, text};

fn configure(bench: &Bench, workers: u16, ports: &str) {
    let head = format!(
        "[node]\nnumbers = \"n.toml\"\ncontrol = \"c.sock\"\nmac = \"02:00:00:00:00:01\"\n[dataplane]\nworkers = {workers}\n"
    );
    std::fs::write(bench.path("site.toml"), format!("{head}{CONFIG}{ports}")).unwrap();
}

#[test]
fn two_ports_of_files_give_what_a_replay_gives() {
    let bench = Bench::new();
    let frames = mixture(1000);
    bench.capture("one.pcap", &frames, 1000);
    bench.capture("two.pcap", &mixture(300), 1000);
    let port = |number: u8, name: &str| {
        let (input, output) = (bench.path(&format!("{name}.pcap")), bench.path(&format!("{name}-out.pcap")));
        let (input, output) = (input.display(), output.display());
        format!(
            "[[port]]\nname = \"{name}\"\ndevice = \"net_pcap{number},rx_pcap={input},tx_pcap={output}\"\n"
        )
    };
    configure(&bench, 1, &(port(0, "one") + &port(1, "two")));
    let said = bench.good("run --config site.toml --packets 1300 --report r.json");
    let counters = &bench.json("r.json")["counters"];
    assert_eq!((&counters["rx"], counters["table.switch"].as_u64().unwrap() <= 1), (&1300.into(), true));
    assert!(said.lines().any(|line| line.split_whitespace().eq(["rx", "1300"])), "{said}");
    assert!(bench.files().contains(&"n.toml".to_owned()), "the numbers are on disk");

    bench.good("replay --config site.toml --in one.pcap --out expect.pcap --backend memory");
    let bytes = |name: &str| bench.frames(name).into_iter().map(|frame| frame.1).collect::<Vec<_>>();
    assert!(bytes("one-out.pcap") == bytes("expect.pcap"));
}

#[test]
fn it_forwards_until_a_signal_comes_and_accounts_for_everything() {
    let bench = Bench::new();
    configure(&bench, 2, "[[port]]\nname = \"lan0\"\ndevice = \"net_null0\"\n");
    let child = bench.command("run --config site.toml --report r.json").spawn().unwrap();
    let start = Instant::now();
    // The numbers are written just before the workers start.
    while !bench.path("n.toml").exists() {
        assert!(start.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = bench.json("r.json");
    assert_eq!((&report["mbufs_leaked"], &report["allocations_after_start"]), (&0.into(), &0.into()));
    assert_eq!(report["counters"]["rx"], report["counters"]["punt.not_ip"]);
}

#[test]
fn it_ends_when_its_time_is_over() {
    let bench = Bench::new();
    configure(&bench, 1, "[[port]]\nname = \"lan0\"\ndevice = \"net_null0\"\n");
    let said = bench.good("run --config site.toml --duration 0.3");
    assert!(said.contains("flows live"), "{said}");
}
