//! `penstock explain`, as a person sees it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

mod common;

use common::{Bench, mixture, tcp};

const HTTP: [u8; 4] = [198, 51, 100, 10];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_packet_is_walked_from_its_headers_to_its_real() {
    let bench = Bench::new();
    let said = bench.good(&format!("explain --config site.toml --packet {}", hex(&tcp(1, HTTP, 80, 2, 0))));
    let steps: Vec<&str> = said.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        steps,
        ["frame", "headers", "screen", "flow", "service", "real", "way", "ready", "verdict", "table"],
        "{said}"
    );
    assert!(said.contains("service   \"http\" (number 1): 198.51.100.0/24 tcp 80\n"), "{said}");
    assert!(said.contains("verdict   tx to real \"web-"), "{said}");
    assert!(said.contains("flow      none in the table\n"), "{said}");
}

#[test]
fn a_drop_says_its_reason_and_what_it_means() {
    let bench = Bench::new();
    let said = bench.good(&format!("explain --config site.toml --packet {}", hex(&tcp(1, HTTP, 81, 2, 0))));
    assert!(
        said.contains("verdict   drop: no_service. The address is a VIP, but no service there"),
        "{said}"
    );
    let said =
        bench.good(&format!("explain --config site.toml --packet {}", hex(&tcp(1, [9, 9, 9, 9], 80, 2, 0))));
    assert!(said.contains("verdict   punt: not_vip. The destination is no VIP."), "{said}");
    let said = bench.good("explain --config site.toml --packet 0200");
    assert!(said.contains("verdict   drop: truncated."), "{said}");
}

#[test]
fn the_way_to_a_real_is_told_with_all_that_tells_its_tunnel_from_others() {
    let bench = Bench::new();
    let vxlan = "encap = \"vxlan\"\ntunnel_key = 4097\ninner_mac = \"02:00:00:00:01:11\"";
    let tunnels = [
        ("encap = \"ipip\"", "in IPv4 to 10.0.0.31, next"),
        ("encap = \"gre\"", "in IPv4 and GRE to 10.0.0.31, next"),
        ("encap = \"gre\"\ntunnel_key = 7", "in IPv4 and GRE with key 7 to 10.0.0.31, next"),
        ("encap = \"fou\"", "in IPv4 and FOU on UDP port 5555 to 10.0.0.31, UDP checksum zero, next"),
        (
            "encap = \"gue\"\ntunnel_port = 6081\nudp_checksum = \"full\"",
            "in IPv4 and GUE on UDP port 6081 to 10.0.0.31, UDP checksum full, next",
        ),
        (
            vxlan,
            "in IPv4 and VXLAN 4097 on UDP port 4789 to 10.0.0.31, UDP checksum zero, inside to 02:00:00:00:01:11, next",
        ),
    ];
    let packet = hex(&common::udp(1, [203, 0, 113, 53], 53, 9));
    for (encap, way) in tunnels {
        let real = "address = \"10.0.0.31\"";
        let config = common::CONFIG.replace(real, &format!("{real}\n{encap}"));
        std::fs::write(bench.path("site.toml"), config).unwrap();
        let said = bench.good(&format!("explain --config site.toml --packet {packet}"));
        assert!(said.contains(&format!("way       {way} hop ")), "{encap}: {said}");
    }
}

#[test]
fn a_tunnel_that_ends_here_is_told_with_its_port_and_key() {
    let bench = Bench::new();
    let end = |name: &str, more: &str| {
        let from = "address = \"192.0.2.9\"\nfrom = [\"192.0.2.0/24\"]";
        format!("[[tunnel_end]]\nname = \"{name}\"\nencap = \"{name}\"\n{from}\n{more}\n")
    };
    let ends =
        [end("ipip", ""), end("gre", "tunnel_key = 7"), end("gue", ""), end("vxlan", "tunnel_key = 4097")];
    std::fs::write(bench.path("site.toml"), format!("{}{}", common::CONFIG, ends.concat())).unwrap();
    let inside = &tcp(1, HTTP, 80, 2, 0)[14..];
    let udp = |port: u16, rest: &[u8]| {
        let len = u16::try_from(8 + rest.len() + inside.len()).unwrap();
        [&[200, 0], &port.to_be_bytes()[..], &len.to_be_bytes(), &[0, 0], rest].concat()
    };
    let ethernet = [2, 0, 0, 0, 1, 17, 2, 0, 0, 0, 0, 1, 8, 0];
    let vxlan = [&[8, 0, 0, 0, 0, 16, 1, 0], &ethernet[..]].concat();
    for (protocol, head, told) in [
        (4, vec![], "IP in IP"),
        (47, vec![0x20, 0, 8, 0, 0, 0, 0, 7], "GRE with key 7"),
        (17, udp(6080, &[0, 4, 0, 0]), "GUE on UDP port 6080"),
        (17, udp(4789, &vxlan), "VXLAN 4097 on UDP port 4789"),
    ] {
        let frame = common::ipv4([192, 0, 2, 7], [192, 0, 2, 9], protocol, &[&head[..], inside].concat());
        let said = bench.good(&format!("explain --config site.toml --packet {}", hex(&frame)));
        let line = format!("tunnel    it came in {told} from 192.0.2.7 to 192.0.2.9, which ends here, ");
        assert!(said.contains(&line) && said.contains("verdict   tx to real \"web-"), "{told}: {said}");
    }
}

/// Every packet of a capture ends in `explain` as the trace of its replay says.
#[test]
fn a_packet_of_a_capture_is_explained_as_its_replay_decided() {
    let bench = Bench::new();
    bench.capture("in.pcap", &mixture(60), 1_000_000);
    bench.good("replay --config site.toml --in in.pcap --backend memory --trace trace.ndjson");
    let trace = String::from_utf8(bench.read("trace.ndjson")).unwrap();
    for (index, line) in trace.lines().enumerate() {
        let traced: serde_json::Value = serde_json::from_str(line).unwrap();
        let said = bench.good(&format!("explain --config site.toml --pcap in.pcap:{index} --json"));
        let told: serde_json::Value = serde_json::from_str(&said).unwrap();
        for key in ["verdict", "reason", "service", "real"] {
            assert_eq!(told[key], traced[key], "packet {index}: {key}");
        }
        assert_eq!(told["leaves"] != "", traced["verdict"] == "tx");
        let mut steps = told["steps"].as_array().unwrap().iter();
        let flow = steps.find(|step| step["step"] == "flow").map_or(&traced["none"], |step| &step["text"]);
        let is_known = flow.as_str().is_some_and(|text| text != "none in the table");
        assert_eq!(is_known, traced["flow"] == "hit", "packet {index}");
    }
}

#[test]
fn what_cannot_be_explained_is_refused_in_a_sentence() {
    let bench = Bench::new();
    bench.capture("in.pcap", &[tcp(1, HTTP, 80, 2, 0)], 1);
    for (line, words) in [
        ("--packet 0z", "'z' at 1 is no hexadecimal digit"),
        ("--packet 012", "one is missing"),
        ("--pcap in.pcap", "give FILE:INDEX"),
        ("--pcap in.pcap:1", "there is no packet 1; the capture has 1"),
        ("--pcap none.pcap:0", "none.pcap: cannot be read"),
    ] {
        let told = bench.bad(&format!("explain --config site.toml {line}"), 1);
        assert!(told.contains(words) && told.lines().count() == 1, "{told}");
    }
    assert!(bench.bad("explain --config site.toml", 2).contains("--packet"));
}

#[test]
fn without_a_configuration_a_running_box_is_asked() {
    let bench = Bench::new();
    let packet = hex(&tcp(1, HTTP, 80, 2, 0));
    let told = bench.sentence(&format!("explain --packet {packet} --socket none.sock"));
    assert!(told.contains("none.sock"), "{told}");
    let told = bench.bad(&format!("explain --packet {packet} --socket none.sock --config site.toml"), 2);
    assert!(told.contains("cannot be used with"), "{told}");
    assert!(bench.good("explain --help").contains("[default: /run/penstock/control.sock]"));
}

/// Ids of the draft's Appendix B.2 (draft-ietf-quic-load-balancers-21), under its key: of the server `ed793a`.
const ID: [u8; 8] = [0x07, 0x20, 0xb1, 0xd0, 0x7b, 0x35, 0x9d, 0x3c];

#[test]
fn what_a_connection_id_names_is_told_and_so_is_why_it_names_nobody() {
    let bench = Bench::new();
    let more = r#"
[[quic]]
name = "hidden"
config = 0
server_id_bytes = 3
nonce_bytes = 4
key = "8f95f09245765f80256934e50c66207f"
lengths = true
servers = [{ real = "dns-1", id = "ed793a" }]
[[service]]
name = "quic"
vip = "203.0.113.99"
protocol = "udp"
ports = 443
pool = "web"
quic = ["hidden"]
"#;
    std::fs::write(bench.path("site.toml"), format!("{}{more}", common::CONFIG)).unwrap();
    let vip = [203, 0, 113, 99];
    let datagram = |data: &[u8]| {
        let mut frame = common::udp(1, vip, 443, data.len());
        frame[42..].copy_from_slice(data);
        frame
    };
    let told = |frame: &[u8]| {
        let said = bench.good(&format!("explain --config site.toml --packet {}", hex(frame)));
        assert!(!said.contains("8f95f092"), "{said}");
        let id = said.lines().find(|line| line.starts_with("id ")).unwrap_or_default().to_owned();
        (id, said)
    };
    let (id, said) = told(&datagram(&[&[0x41], &ID[..], &[0; 20]].concat()));
    assert!(id.contains("\"dns-1\"") && said.contains("verdict   tx to real \"dns-1\""), "{said}");
    // A router's word about what the server sent to that client, whose long header has the server's own id.
    let quoted = [&[0xc0, 0, 0, 0, 1, 0, 8], &ID[..]].concat();
    let mut quote =
        common::ipv4(vip, [192, 0, 2, 78], 17, &[&[1, 187, 4, 1, 4, 0, 0, 0], &quoted[..]].concat());
    let error = |quote: &[u8]| {
        let mut message = [&[3, 4, 0, 0, 0, 0, 5, 0], quote].concat();
        let sum = common::checksum(&message);
        message[2..4].copy_from_slice(&sum);
        common::ipv4([192, 0, 2, 1], vip, 1, &message)
    };
    let (id, said) = told(&error(&quote.split_off(14)));
    assert!(id.contains("\"dns-1\"") && said.contains("verdict   tx to real \"dns-1\""), "{said}");
    let mut whys = std::collections::BTreeSet::new();
    for data in [
        &[0xc3, 0, 0, 0][..],
        &[0x41, 0xe7, 1, 2, 3, 4, 5, 6, 7],
        &[0x41, 0x06, 1, 2, 3, 4, 5, 6, 7],
        &[0x41, 0x07, 1, 2, 3, 4, 5, 6, 7],
    ] {
        let (id, said) = told(&datagram(data));
        assert!(said.contains("verdict   tx to real \"web-"), "{said}");
        whys.insert(id);
    }
    assert_eq!(whys.len(), 4, "{whys:?}");
}
