//! The tunnels as an independent decoder, tshark, sees them. What the golden cases expect is what we send, byte for
//! byte (`cases.rs`); here each of those packets is taken apart down to the client's own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail as the test does")]

use std::path::Path;
use std::process::Command;

use testbed::root;

/// How many packets of a capture a filter finds.
fn seen(capture: &Path, filter: &str) -> usize {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(capture).args(["-d", "udp.port==5555,ip", "-Y", filter]);
    for layer in ["ip", "tcp", "udp"] {
        command.args(["-o", &format!("{layer}.check_checksum:TRUE")]);
    }
    let told = command.output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8_lossy(&told.stdout).lines().count()
}

/// Whether tshark finds that both packets of a case travel as they should.
fn decodes(case: &str, outer: &str) {
    let capture = root().join("testbed/cases").join(case).join("expect.pcap");
    let inner = "tcp.dstport == 80 && tcp.checksum.status == 1 && !_ws.malformed";
    assert_eq!(seen(&capture, ""), 2, "{case}");
    assert_eq!(seen(&capture, &format!("{outer} && {inner}")), 2, "{case}: {outer}");
    for client in ["ip.dst == 198.51.100.10", "ipv6.dst == 2001:db8:100::10"] {
        assert_eq!(seen(&capture, &format!("{outer} && {inner} && {client}")), 1, "{case}: {client}");
    }
}

#[test]
fn tshark_decodes_gre() {
    decodes("packets-of-both-families-travel-in-gre-over-ipv4", "ip.src == 192.0.2.1 && gre");
    decodes("packets-of-both-families-travel-in-gre-over-ipv6", "ipv6.src == 2001:db8::1 && gre");
    decodes("a-gre-key-stands-behind-the-gre-header", "gre.key in {0xdeadbeef, 0}");
}

#[test]
fn tshark_decodes_vxlan() {
    let outer = "vxlan.vni == 16777215 && eth.dst == 02:00:00:00:01:11";
    let v4 = format!("{outer} && ip.src == 192.0.2.1 && udp.checksum == 0");
    decodes("packets-of-both-families-travel-in-vxlan-over-ipv4", &v4);
    let v6 = format!("{outer} && ipv6.src == 2001:db8::1 && udp.checksum.status == 1");
    decodes("packets-of-both-families-travel-in-vxlan-over-ipv6", &v6);
}

#[test]
fn tshark_decodes_fou() {
    let outer = "udp.dstport == 5555 && udp.srcport >= 49152";
    let v4 = format!("{outer} && ip.src == 192.0.2.1 && udp.checksum == 0");
    decodes("packets-of-both-families-travel-in-fou-over-ipv4", &v4);
    let v6 = format!("{outer} && ipv6.src == 2001:db8::1 && udp.checksum.status == 1");
    decodes("packets-of-both-families-travel-in-fou-over-ipv6", &v6);
}
