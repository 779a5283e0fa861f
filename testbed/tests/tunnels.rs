//! The tunnels as an independent decoder, tshark, sees them. What the golden cases expect is what we send, byte for
//! byte (`cases.rs`); here each packet that leaves in GRE, GUE, FOU or VXLAN, of every case that has such a real, is taken
//! apart down to the client's own, and every checksum on the way is looked at.
//!
//! GUE is read by a dozen lines of Lua (`common/gue.lua`), written from the draft for this test: tshark 4.0 and scapy
//! 2.5 know no GUE, and the kernel that these tests run on has no `fou` to end it. So its four bytes have been read by
//! nobody but us; what is behind them tshark reads by itself.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use testbed::cases::{self, Case};
use testbed::{root, tshark};

/// What leaves of each case, as [`told`] says it, with how many of each.
const SENT: &[(&str, &[(usize, &str)])] = &[
    (
        "a-syn-offers-what-the-narrowest-tunnel-of-its-service-has-room-for",
        &[(2, "10.0.0.11: ip ip tcp"), (1, "10.0.0.11: ip ipv6 tcp"), (3, "198.51.100.10: ip tcp")],
    ),
    (
        "errors-from-inside-of-every-tunnel-are-read",
        &[
            (1, "10.0.0.11: ip gre ip tcp, key 0x00000007"),
            (1, "2001:db8:a::11: ipv6 udp vxlan eth ip tcp, vni 42 at 02:00:00:00:01:11 port 4789 sum good"),
            (2, "203.0.113.7: ip icmp ip tcp"),
        ],
    ),
    (
        "a-gre-key-stands-behind-the-gre-header",
        &[
            (1, "10.0.0.11: ip gre ip tcp, key 0xdeadbeef"),
            (1, "2001:db8:a::11: ipv6 gre ipv6 tcp, key 0x00000000"),
        ],
    ),
    (
        "a-packet-goes-from-tunnel-to-tunnel-of-other-kinds",
        &[(1, "2001:db8:a::11: ipv6 udp gue ip tcp, port 6080 sum good")],
    ),
    (
        "a-packet-in-a-tunnel-with-a-tail-is-marked-and-limited-too",
        &[
            (1, "10.0.0.11: ip udp gue ipv6 tcp, port 6080 sum good"),
            (1, "10.0.0.11: vlan mpls ip udp gue ip tcp, port 6080 sum good"),
            (1, "2001:db8:a::11: ipv6 udp vxlan eth ipv6 tcp, vni 7 at 02:00:00:00:00:77 port 4789 sum good"),
            (
                2,
                "2001:db8:a::11: vlan mpls ipv6 udp vxlan eth ip tcp, vni 7 at 02:00:00:00:00:77 port 4789 sum good",
            ),
        ],
    ),
    (
        "a-packet-that-fills-the-mtu-in-fou-passes-and-one-byte-more-is-answered",
        &[(1, "10.0.0.11: ip udp ip tcp, port 5555 sum none"), ANSWER],
    ),
    (
        "a-packet-that-fills-the-mtu-in-gre-passes-and-one-byte-more-is-answered",
        &[(1, "2001:db8:a::11: ipv6 gre ip tcp"), ANSWER],
    ),
    (
        "a-packet-that-fills-the-mtu-in-gre-with-a-key-passes-and-one-byte-more-is-answered",
        &[(1, "10.0.0.11: ip gre ip tcp, key 0x00000001"), ANSWER],
    ),
    (
        "a-packet-that-fills-the-mtu-in-gue-passes-and-one-byte-more-is-answered",
        &[(1, "10.0.0.11: ip udp gue ip tcp, port 6080 sum none"), ANSWER],
    ),
    (
        "a-packet-that-fills-the-mtu-in-vxlan-over-ipv6-passes-and-one-byte-more-is-answered",
        &[
            (
                1,
                "2001:db8:a::11: ipv6 udp vxlan eth ip tcp, vni 16777215 at 02:00:00:00:01:11 port 4789 sum good",
            ),
            ANSWER,
        ],
    ),
    (
        "a-packet-that-fills-the-mtu-in-vxlan-passes-and-one-byte-more-is-answered",
        &[
            (1, "10.0.0.11: ip udp vxlan eth ip tcp, vni 16777215 at 02:00:00:00:01:11 port 4789 sum none"),
            ANSWER,
        ],
    ),
    ("a-tunnel-that-may-be-fragmented-counts-its-identification", &[(3, "10.0.0.11: ip gre ip tcp")]),
    (
        "a-tunnels-port-may-be-another",
        &[
            (1, "10.0.0.11: ip udp vxlan eth ip tcp, vni 16777215 at 02:00:00:00:01:11 port 8472 sum none"),
            (1, "10.0.0.11: ip udp vxlan eth ipv6 tcp, vni 16777215 at 02:00:00:00:01:11 port 8472 sum none"),
        ],
    ),
    (
        "a-udp-checksum-is-full-over-ipv4-where-the-real-says-so",
        &[
            (1, "10.0.0.11: ip udp ipv6 tcp, port 5555 sum good"),
            (6, "10.0.0.11: ip udp ip tcp, port 5555 sum good"),
        ],
    ),
    (
        // tshark grades it as RFC 8200 §8.1 does, which knows of no tunnel.
        "a-udp-checksum-is-zero-over-ipv6-where-the-real-says-so",
        &[
            (1, "2001:db8:a::11: ipv6 udp gue ip tcp, port 6080 sum illegal"),
            (1, "2001:db8:a::11: ipv6 udp gue ipv6 tcp, port 6080 sum illegal"),
        ],
    ),
    (
        // The client's own sum is one that was looked for, so that the outer one comes to zero.
        "a-udp-checksum-over-ipv6-that-comes-to-zero-is-sent-as-ones",
        &[(1, "2001:db8:a::11: ipv6 udp gue ip tcp, port 6080 sum good, tcp sum bad")],
    ),
    (
        "an-icmp-error-travels-in-a-tunnel-by-the-port-of-its-flow",
        &[
            (1, "10.0.0.11: ip udp gue ip icmp ip tcp, port 6080 sum none"),
            (1, "10.0.0.11: ip udp gue ip tcp, port 6080 sum none"),
        ],
    ),
    (
        "one-pool-may-mix-all-tunnels",
        &[
            (6, "10.0.0.11: ip gre ip tcp"),
            (8, "10.0.0.12: ip udp gue ip tcp, port 6080 sum none"),
            (4, "10.0.0.13: ip udp ip tcp, port 7000 sum none"),
            (7, "10.0.0.14: ip udp vxlan eth ip tcp, vni 7 at 02:00:00:00:01:11 port 4789 sum none"),
            (5, "10.0.0.15: ip ip tcp"),
        ],
    ),
    (
        "packets-of-both-families-travel-in-fou-over-ipv4",
        &[
            (1, "10.0.0.11: ip udp ip tcp, port 5555 sum none"),
            (1, "10.0.0.11: ip udp ipv6 tcp, port 5555 sum none"),
        ],
    ),
    (
        "packets-of-both-families-travel-in-fou-over-ipv6",
        &[
            (1, "2001:db8:a::11: ipv6 udp ip tcp, port 5555 sum good"),
            (1, "2001:db8:a::11: ipv6 udp ipv6 tcp, port 5555 sum good"),
        ],
    ),
    (
        "packets-of-both-families-travel-in-gre-over-ipv4",
        &[(1, "10.0.0.11: ip gre ip tcp"), (1, "10.0.0.11: ip gre ipv6 tcp")],
    ),
    (
        "packets-of-both-families-travel-in-gre-over-ipv6",
        &[(1, "2001:db8:a::11: ipv6 gre ip tcp"), (1, "2001:db8:a::11: ipv6 gre ipv6 tcp")],
    ),
    (
        "packets-of-both-families-travel-in-gue-over-ipv4",
        &[
            (1, "10.0.0.11: ip udp gue ip tcp, port 6080 sum none"),
            (1, "10.0.0.11: ip udp gue ipv6 tcp, port 6080 sum none"),
        ],
    ),
    (
        "packets-of-both-families-travel-in-gue-over-ipv6",
        &[
            (1, "2001:db8:a::11: ipv6 udp gue ip tcp, port 6080 sum good"),
            (1, "2001:db8:a::11: ipv6 udp gue ipv6 tcp, port 6080 sum good"),
        ],
    ),
    (
        "packets-of-both-families-travel-in-vxlan-over-ipv4",
        &[
            (1, "10.0.0.11: ip udp vxlan eth ip tcp, vni 16777215 at 02:00:00:00:01:11 port 4789 sum none"),
            (1, "10.0.0.11: ip udp vxlan eth ipv6 tcp, vni 16777215 at 02:00:00:00:01:11 port 4789 sum none"),
        ],
    ),
    (
        "packets-of-both-families-travel-in-vxlan-over-ipv6",
        &[
            (
                1,
                "2001:db8:a::11: ipv6 udp vxlan eth ip tcp, vni 16777215 at 02:00:00:00:01:11 port 4789 sum good",
            ),
            (
                1,
                "2001:db8:a::11: ipv6 udp vxlan eth ipv6 tcp, vni 16777215 at 02:00:00:00:01:11 port 4789 sum good",
            ),
        ],
    ),
    (
        "reals-at-one-address-are-told-apart-by-their-tunnels",
        &[
            (12, "10.0.0.11: ip ip tcp"),
            (8, "10.0.0.11: ip udp vxlan eth ip tcp, vni 7 at 02:00:00:00:01:11 port 4789 sum none"),
            (18, "10.0.0.11: ip udp vxlan eth ip tcp, vni 7 at 02:00:00:00:01:12 port 4789 sum none"),
            (8, "10.0.0.11: ip udp vxlan eth ip tcp, vni 8 at 02:00:00:00:01:11 port 4789 sum none"),
            (16, "2001:db8:a::11: ipv6 gre ip tcp"),
            (12, "2001:db8:a::11: ipv6 gre ip tcp, key 0x00000000"),
            (8, "2001:db8:a::11: ipv6 udp gue ip tcp, port 6080 sum good"),
            (18, "2001:db8:a::11: ipv6 udp gue ip tcp, port 6081 sum good"),
        ],
    ),
    (
        "the-udp-source-port-of-a-tunnel-is-the-flows-own",
        &[(4, "10.0.0.11: ip udp gue ip tcp, port 6080 sum none")],
    ),
    (
        "the-vlan-tags-of-a-packet-stay-outside-of-vxlan",
        &[(
            1,
            "10.0.0.11: ieee8021ad vlan ip udp vxlan eth ip tcp, vni 16777215 at 02:00:00:00:01:11 port 4789 sum none",
        )],
    ),
];

/// What the sender of a packet that does not fit is told.
const ANSWER: (usize, &str) = (1, "203.0.113.7: ip icmp ip tcp");

const FIELDS: [&str; 13] = [
    "frame.protocols",
    "ip.dst",
    "ipv6.dst",
    "gre.key",
    "vxlan.vni",
    "udp.dstport",
    "udp.checksum.status",
    "udp.srcport",
    "ip.checksum.status",
    "tcp.checksum.status",
    "icmp.checksum.status",
    "_ws.malformed",
    "eth.dst",
];

/// The reals of a case that are reached by more than an IP header: how, and by which UDP port if one is written.
fn tunnels(case: &Case) -> Vec<(String, Option<i64>)> {
    let text = std::fs::read_to_string(case.file("config.toml")).unwrap();
    let config: toml::Table = text.parse().unwrap();
    let reals = config["real"].as_array().unwrap().iter();
    let tunnel = |real: &toml::Value| {
        let encap = real.get("encap")?.as_str().filter(|encap| *encap != "ipip" && *encap != "mac")?;
        Some((encap.to_owned(), real.get("tunnel_port").and_then(toml::Value::as_integer)))
    };
    reals.filter_map(tunnel).collect()
}

/// Which dissector reads which port, where tshark does not know by itself.
fn dissectors(tunnels: &[(String, Option<i64>)]) -> BTreeSet<String> {
    let dissector = |(encap, port): &(String, Option<i64>)| match (encap.as_str(), *port) {
        ("fou", port) => Some(format!("udp.port=={},ip", port.unwrap_or(5555))),
        ("gue" | "vxlan", Some(port)) => Some(format!("udp.port=={port},{encap}")),
        _ => None,
    };
    tunnels.iter().filter_map(dissector).collect()
}

/// One packet in words: where it goes, its layers, and what the tunnel's headers say.
fn told(fields: &tshark::Fields) -> String {
    let [protocols, v4, v6, key, vni, port, udp, source, ip, tcp, icmp, malformed, ethernet] =
        fields.as_slice().first_chunk().unwrap();
    // FOU has no header that says what it carries: IPv4's dissector hands IPv6 on.
    let layers = protocols[0].replace("udp:ip:ipv6", "udp:ipv6").replace("udp:gue:ip:ipv6", "udp:gue:ipv6");
    let is_header = |layer: &&str| !["ethertype", "data", "http"].contains(layer);
    let layers: Vec<&str> = layers.split(':').skip(1).filter(is_header).collect();
    let network = layers.iter().find(|layer| layer.starts_with("ip")).unwrap();
    let to = if *network == "ip" { &v4[0] } else { &v6[0] };
    let mut words = Vec::new();
    words.extend(key.iter().map(|key| format!("key {key}")));
    // The first Ethernet header is the outer one.
    words.extend(vni.iter().zip(&ethernet[1..]).map(|(vni, mac)| format!("vni {vni} at {mac}")));
    if layers.contains(&"udp") {
        let sum = match udp[0].as_str() {
            "1" => "good",
            "3" => "none",
            "4" => "illegal",
            _ => "bad",
        };
        words.push(format!("port {} sum {sum}", port[0]));
        assert!(
            source[0].parse::<u16>().unwrap() >= 49_152,
            "a source port that may be somebody's: {fields:?}"
        );
    }
    let mut text = format!("{to}: {}", layers.join(" "));
    if !words.is_empty() {
        text = format!("{text}, {}", words.join(" "));
    }
    // What is quoted in an error has only the beginning of its segment.
    if icmp.is_empty() && tcp.iter().any(|status| status != "1") {
        text.push_str(", tcp sum bad");
    }
    assert!(ip.iter().chain(icmp).all(|status| status == "1"), "a checksum: {fields:?}");
    assert!(malformed.is_empty(), "malformed: {fields:?}");
    text
}

fn sent(case: &Case, lua: &Path, ports: &BTreeSet<String>) -> BTreeMap<String, usize> {
    let script = format!("lua_script:{}", lua.display());
    let mut arguments = vec!["-X", &script];
    arguments.extend(ports.iter().flat_map(|port| ["-d", port]));
    let mut sent = BTreeMap::new();
    for packet in tshark::read(&case.file("expect.pcap"), &arguments, &FIELDS).unwrap() {
        *sent.entry(told(&packet)).or_default() += 1;
    }
    sent
}

#[test]
fn tshark_takes_apart_all_that_leaves_in_tunnels() {
    let (cases, faults) = cases::all().unwrap();
    assert_eq!(faults, Vec::<String>::new());
    let lua = root().join("testbed/tests/common/gue.lua");
    let mut expected: BTreeMap<&str, &[(usize, &str)]> = SENT.iter().copied().collect();
    let mut wrong = Vec::new();
    for case in &cases {
        let tunnels = tunnels(case);
        if tunnels.is_empty() {
            continue;
        }
        let sent = sent(case, &lua, &dissectors(&tunnels));
        let expected = expected.remove(case.name.as_str()).unwrap_or_default();
        if sent != expected.iter().map(|(count, told)| ((*told).to_owned(), *count)).collect() {
            wrong.push(format!("{}: {sent:#?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(expected.is_empty(), "no such case with a tunnel: {:?}", expected.keys());
}
