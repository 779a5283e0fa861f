//! `penstock replay`: the same OUT whatever the path, and a trace and a report that agree with it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

mod common;

use common::{Bench, exists, mixture, tcp, udp};

const MS: u64 = 1_000_000;

fn counters(bench: &Bench, report: &str) -> serde_json::Value {
    bench.json(report)["counters"].clone()
}

#[test]
fn out_and_counters_are_the_same_for_every_burst_and_back_end() {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(3000), 3 * MS);
    let run = |extra: &str| {
        bench.good(&format!("replay --config site.toml --in in.pcap --out o.pcap --report r.json {extra}"));
        (bench.read("o.pcap"), counters(&bench, "r.json"))
    };
    let expected = run("--backend memory");
    assert!(expected.1["tx"].as_u64().unwrap() > 1000 && expected.1["flow.hit"].as_u64().unwrap() > 100);
    for burst in [1, 2, 7, 32] {
        assert!(run(&format!("--backend memory --burst {burst}")) == expected, "burst {burst}");
    }
    if cfg!(feature = "dpdk") {
        assert!(run("--backend dpdk") == expected, "dpdk");
        assert!(run("--backend dpdk --burst 3") == expected, "dpdk in bursts of 3");
    }
}

#[test]
fn out_is_the_same_for_any_number_of_workers_and_at_any_rate() {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(2000), MS / 10);
    let run = |extra: &str| {
        bench.good(&format!("replay --config site.toml --in in.pcap --out o.pcap {extra}"));
        bench.read("o.pcap")
    };
    let expected = run("--backend memory");
    assert!(run("--backend memory --workers 2") == expected);
    assert!(run("--backend memory --workers 5") == expected);
    assert!(run("--backend memory --rate recorded") == expected);
    assert!(run("--backend memory --rate 20000") == expected);
    if cfg!(feature = "dpdk") {
        assert!(run("--backend dpdk --workers 2") == expected);
        assert!(run("--backend dpdk --workers 3 --rate recorded") == expected);
    }
}

#[test]
fn frames_up_to_jumbo_and_beyond_come_out_alike() {
    let bench = Bench::new();
    let config = String::from_utf8(bench.read("site.toml")).unwrap();
    std::fs::write(bench.path("site.toml"), config.replace("[tunnel]", "[tunnel]\nmtu = 9600")).unwrap();
    let vip = [198, 51, 100, 7];
    let mut frames: Vec<Vec<u8>> = [0, 1, 1900, 1994, 1995, 2048, 4000, 8900, 9540, 9541, 20_000, 65_000]
        .map(|len| tcp(1, vip, 80, 0x10, len))
        .into();
    frames.extend([100, 1460, 2006, 2007, 9000].map(|len| common::echo(vip, len)));
    // Longer on the wire than its IP packet says, as padding is.
    frames.push([tcp(2, vip, 80, 0x10, 1), vec![0; 5000]].concat());
    bench.capture("in.pcap", &frames, MS);
    bench.good("replay --config site.toml --in in.pcap --out m.pcap --backend memory --report m.json");
    let sent = bench.frames("m.pcap");
    assert_eq!(sent.len(), 9 + 5 + 1 + 3);
    let counted = counters(&bench, "m.json");
    assert_eq!((&counted["drop.tunnel_mtu"], &counted["made"]), (&3.into(), &3.into()), "they are told so");
    assert_eq!(sent.last().unwrap().1.len(), 14 + 20 + 20 + 20 + 1, "the padding is gone");
    if cfg!(feature = "dpdk") {
        bench.good("replay --config site.toml --in in.pcap --out d.pcap --backend dpdk --report d.json");
        let (memory, dpdk) = (bench.frames("m.pcap"), bench.frames("d.pcap"));
        for (number, (one, two)) in memory.iter().zip(&dpdk).enumerate() {
            assert!(one == two, "frame {number} of {} bytes", one.1.len());
        }
        assert_eq!((memory.len(), counters(&bench, "m.json")), (dpdk.len(), counters(&bench, "d.json")));
    }
}

#[test]
fn loops_come_later_by_the_captures_length_and_find_their_flows() {
    let bench = Bench::new();
    bench.capture("in.pcap", &[tcp(1, [198, 51, 100, 1], 80, 0x10, 3), vec![0; 60]], 300 * MS);
    bench.good("replay --config site.toml --in in.pcap --out o.pcap --loops 3 --backend memory --trace t");
    let times: Vec<u64> = bench.frames("o.pcap").iter().map(|frame| frame.0).collect();
    let start = 1_700_000_000_000_000_000;
    assert_eq!(times, [start, start + 375 * MS, start + 750 * MS]);
    let trace = String::from_utf8(bench.read("t")).unwrap();
    let flows: Vec<serde_json::Value> = trace
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["flow"].clone())
        .collect();
    assert_eq!(serde_json::json!(flows), serde_json::json!(["new", null, "hit", null, "hit", null]));
}

#[test]
fn the_trace_has_every_packet_in_order_whatever_the_workers() {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(1100), MS);
    let run = |extra: &str| {
        bench.good(&format!(
            "replay --config site.toml --in in.pcap --out o.pcap --trace t.ndjson --report r.json {extra}"
        ));
        String::from_utf8(bench.read("t.ndjson")).unwrap()
    };
    let trace = run("--backend memory");
    assert_eq!(run("--backend memory --workers 3"), trace);
    if cfg!(feature = "dpdk") {
        assert_eq!(run("--backend dpdk --workers 2"), trace);
    }
    let counters = counters(&bench, "r.json");
    let mut transmitted = 0;
    for (number, line) in trace.lines().enumerate() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["index"], number);
        if line["verdict"] == "tx" {
            assert_eq!(line["out_index"], transmitted);
            transmitted += 1;
        } else {
            assert!(line["out_index"].is_null() && line["reason"].is_string());
        }
    }
    assert_eq!((trace.lines().count(), counters["tx"].as_u64()), (1100, Some(transmitted)));
    assert_eq!(
        trace.lines().filter(|line| line.contains("\"verdict\":\"drop\",\"reason\":\"truncated\"")).count()
            as u64,
        counters["drop.truncated"].as_u64().unwrap()
    );
}

#[test]
fn each_kind_of_line_of_the_trace_reads_as_it_should() {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(8), MS);
    bench.good("replay --config site.toml --in in.pcap --trace t --backend memory");
    let trace = String::from_utf8(bench.read("t")).unwrap();
    let dns = "\"service\":\"dns\",\"vip\":\"203.0.113.53\",\"real\":\"dns-1\"";
    let none = "\"flow\":null,\"out_index\":null";
    let expected = [
        (1, format!("{{\"index\":1,\"verdict\":\"tx\",\"reason\":null,{dns},\"flow\":\"new\",\"out_index\":1}}")),
        (2, "{\"index\":2,\"verdict\":\"tx\",\"reason\":\"echo.answered\",\"service\":null,\"vip\":\"203.0.113.53\",\"real\":null,\"flow\":null,\"out_index\":2}".to_owned()),
        (3, format!("{{\"index\":3,\"verdict\":\"drop\",\"reason\":\"no_service\",\"service\":null,\"vip\":\"198.51.100.0/24\",\"real\":null,{none}}}")),
        (4, format!("{{\"index\":4,\"verdict\":\"punt\",\"reason\":\"not_vip\",\"service\":null,\"vip\":null,\"real\":null,{none}}}")),
        (6, format!("{{\"index\":6,\"verdict\":\"drop\",\"reason\":\"truncated\",\"service\":null,\"vip\":null,\"real\":null,{none}}}")),
    ];
    for (number, line) in expected {
        assert_eq!(trace.lines().nth(number).unwrap(), line);
    }
}

#[test]
fn the_report_agrees_with_itself_and_with_out() {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(2200), MS);
    let said = bench.good(
        "replay --config site.toml --in in.pcap --out o.pcap --workers 2 --backend memory --report r.json --html r.html",
    );
    assert!(said.starts_with("capture    in.pcap\n") && said.contains("\nhtml       r.html\n"), "{said}");
    let report = bench.json("r.json");
    let read: report::Report = serde_json::from_value(report.clone()).unwrap();
    assert!(read.balanced() && read.packets == 2200);
    assert_eq!((read.backend.as_str(), read.workers, read.allocations_after_start), ("memory", 2, Some(0)));
    assert_eq!(bench.frames("o.pcap").len() as u64, report["counters"]["tx"].as_u64().unwrap());
    let forwarded: u64 = read.services.iter().map(|service| service.packets).sum();
    assert_eq!(
        forwarded + report["counters"]["echo.answered"].as_u64().unwrap(),
        report["counters"]["tx"].as_u64().unwrap()
    );
    let flows: u64 = read.services.iter().map(|service| service.flows().unwrap()).sum();
    assert_eq!((flows, read.flows.live), (read.flows.inserted, read.flows.inserted));
    assert_eq!(read.latency.iter().map(|bucket| bucket.packets).sum::<u64>(), 2200);
    assert_eq!(read.rate.received.iter().sum::<u64>(), 2200);
    assert_eq!(Some(read.rate.forwarded.iter().sum::<u64>()), report["counters"]["tx"].as_u64());
    assert_eq!((read.generation.sequence, read.generation.digest.len()), (1, 64));
    assert!(read.command_line.iter().any(|word| word == "--html"));
    let html = String::from_utf8(bench.read("r.html")).unwrap();
    assert!(html.contains("web-1") && html.contains("</html>"));
}

#[test]
fn a_replay_without_outputs_writes_nothing() {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(50), MS);
    std::fs::write(bench.path("site.toml"), format!("[node]\nnumbers = \"n.toml\"\n{}", common::CONFIG))
        .unwrap();
    let said = bench.good("replay --config site.toml --in in.pcap --backend memory");
    assert!(said.contains("tx ") && said.contains("memory, 1 worker"), "{said}");
    assert_eq!(bench.files(), ["in.pcap", "site.toml"], "the numbers file is not replay's to write");
}

#[test]
fn a_finished_out_replaces_the_old_one() {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(50), MS);
    std::fs::write(bench.path("o.pcap"), "old").unwrap();
    bench.good("replay --config site.toml --in in.pcap --out o.pcap --backend memory");
    assert!(bench.frames("o.pcap").len() > 10 && exists(&bench.path("o.pcap")));
    assert_eq!(bench.files(), ["in.pcap", "o.pcap", "site.toml"]);
}

#[test]
fn progress_is_shown_on_a_terminal_and_not_in_a_pipe() {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(400), MS);
    // Slow enough for the bar to be drawn.
    let replay = "replay --config site.toml --in in.pcap --backend memory --rate 1000";
    let piped = bench.run(replay);
    assert!(piped.status.success());
    assert!(!common::text(&piped.stderr).contains("of 400 packets"));
    // script(1), of every Debian, runs a command on a terminal of its own.
    let line = format!("{} {replay}", env!("CARGO_BIN_EXE_penstock"));
    let shown = std::process::Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        // Without a name, or with that of a dumb one, a terminal is not drawn on.
        .env("TERM", "xterm")
        .current_dir(bench.path("."))
        .output()
        .unwrap();
    assert!(shown.status.success(), "{}", common::text(&shown.stdout));
    assert!(common::text(&shown.stdout).contains("of 400 packets"), "{}", common::text(&shown.stdout));
}

#[test]
fn what_connection_ids_lead_stands_in_the_report_and_not_in_its_evenness() {
    let bench = Bench::new();
    let more = r#"
[[quic]]
name = "ids"
config = 0
server_id_bytes = 1
nonce_bytes = 4
servers = [{ real = "web-1", id = "01" }, { real = "dns-1", id = "03" }]
[[service]]
name = "quic"
vip = "203.0.113.99"
protocol = "udp"
ports = 443
pool = "web"
quic = ["ids"]
"#;
    std::fs::write(bench.path("site.toml"), format!("{}{more}", common::CONFIG)).unwrap();
    let vip = [203, 0, 113, 99];
    let led = |client| {
        let mut frame = udp(client, vip, 443, 20);
        // A short header, and a clear id of the third server, who is in no pool of this service.
        frame[42..49].copy_from_slice(&[0x40, 0, 3, 9, 9, 9, 9]);
        frame
    };
    let frames = (0..40).map(|client| udp(client, vip, 443, 20)).chain((100..130).map(led));
    bench.capture("in.pcap", &frames.collect::<Vec<_>>(), MS);
    bench.good("replay --config site.toml --in in.pcap --backend memory --report r.json --trace t.ndjson");
    let report = bench.json("r.json");
    let find = |list: &serde_json::Value, name: &str| {
        let mut list = list.as_array().unwrap().iter();
        list.find(|row| row["name"] == name).unwrap().clone()
    };
    let service = find(&report["services"], "quic");
    let of = |name| find(&service["reals"], name);
    let outside = of("dns-1");
    assert_eq!(
        (&outside["packets"], &outside["flows"], &outside["weight"]),
        (&30.into(), &0.into(), &0.into())
    );
    assert_eq!(service["packets"], 70);
    let chosen = of("web-1")["flows"].as_u64().unwrap() + of("web-2")["flows"].as_u64().unwrap();
    assert_eq!(chosen, 40);
    let by_chance = service["flows_evenness"]["by_chance"].as_f64().unwrap();
    assert!((by_chance - (1.0_f64 / 40.0).sqrt()).abs() < 1e-9, "of the chosen ones alone: {by_chance}");
    assert_eq!(find(&report["reals"], "dns-1")["packets"], 30);
    let trace = common::text(&bench.read("t.ndjson"));
    assert_eq!(trace.matches("\"flow\":\"led\"").count(), 30);
}
