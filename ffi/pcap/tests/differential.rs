//! Our machine against libpcap's: the same instructions and the same packet give the same answer.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of a test fail as the test does"
)]

use filter::{Insn, Program};
use pcap::{compile, reference};
use proptest::prelude::{Strategy, any, proptest};
use proptest::sample::select;

/// Expressions that people write, and those whose code is odd: arithmetic, lengths, tags.
const EXPRESSIONS: [&str; 23] = [
    "",
    "ip",
    "ip6",
    "arp",
    "tcp port 80",
    "udp and dst port 53",
    "host 198.51.100.10 and not port 22",
    "net 198.51.100.0/24",
    "src net 2001:db8::/32",
    "ip6 host 2001:db8::1 and tcp",
    "icmp[icmptype] == icmp-echo",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "tcp[tcpflags] == tcp-syn and greater 60",
    "ether host 02:00:00:00:00:01",
    "ether multicast",
    "vlan 7 and tcp",
    "portrange 1000-2000",
    "len > 100",
    "ip[2:2] - ((ip[0] & 0xf) << 2) > 40",
    "(tcp or udp) and (port 80 or port 443 or port 53) and not net 10.0.0.0/8",
    "ip[8] % 7 == 1 or ip[8] / 3 = 21",
    "ip[6:2] & 0x1fff != 0",
    "sctp or proto 89",
];

fn code() -> impl Strategy<Value = u16> {
    let loads = [0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x00, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1, 2, 3];
    let sums = [0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x6c, 0x74];
    let more = [0x7c, 0x84, 0x94, 0x9c, 0xa4, 0xac, 0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d];
    let rest = [6, 0x16, 7, 0x87];
    select([&loads[..], &sums, &more, &rest].concat())
}

fn insn() -> impl Strategy<Value = Insn> {
    (code(), 0u8..6, 0u8..6, 0u32..40, any::<u32>(), any::<bool>()).prop_map(
        |(code, yes, no, small, wide, is_wide)| {
            // Wide constants belong to values, not to places, jumps and shifts.
            let takes_any =
                code & 7 == 4 && !matches!(code & 0xf0, 0x60 | 0x70) || code & 7 == 5 && code & 0xf0 != 0;
            let shift = code & 7 == 4 && matches!(code & 0xf0, 0x60 | 0x70);
            let k = if takes_any && is_wide {
                wide
            } else if shift {
                small % 32
            } else {
                small
            };
            Insn { code, jump_true: yes, jump_false: no, k }
        },
    )
}

/// Memory is zeroed first: libpcap leaves it as it was.
fn program(body: Vec<Insn>) -> Vec<Insn> {
    let store = |k| Insn { code: 2, k, ..Insn::default() };
    let mut insns: Vec<Insn> = (0..16).map(store).collect();
    insns.extend(body);
    insns.push(Insn { code: 0x16, ..Insn::default() });
    insns
}

/// A frame that begins like one of the kinds that the expressions tell apart.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let kinds: Vec<(&[u8], u8)> = vec![
        (&[8, 0, 0x45], 6),
        (&[8, 0, 0x46], 17),
        (&[8, 0, 0x45], 1),
        (&[0x86, 0xdd, 0x60], 6),
        (&[0x86, 0xdd, 0x60], 17),
        (&[0x81, 0, 0, 7, 8, 0, 0x45], 6),
        (&[8, 6, 0], 0),
    ];
    (select(kinds), proptest::collection::vec(any::<u8>(), 0..120), any::<bool>()).prop_map(
        |((head, protocol), bytes, is_vip)| {
            let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
            frame.extend(head);
            frame.extend(bytes);
            let at = if head[0] == 8 { 23 } else { 20 };
            if let Some(byte) = frame.get_mut(at) {
                *byte = protocol;
            }
            if is_vip && frame.len() > 40 {
                frame[30..34].copy_from_slice(&[198, 51, 100, 10]);
                frame[36..38].copy_from_slice(&80_u16.to_be_bytes());
            }
            frame
        },
    )
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4000))]

    #[test]
    fn any_program_that_ours_accepts_answers_as_libpcaps_does(
        body in proptest::collection::vec(insn(), 0..30), packet in proptest::collection::vec(any::<u8>(), 0..60), more in 0u32..2000,
    ) {
        let insns = program(body);
        let wire_len = u32::try_from(packet.len()).unwrap() + more;
        if let Ok(ours) = Program::check(&insns) {
            let theirs = reference(&insns, &packet, wire_len);
            assert_eq!(Some(ours.run(&packet, wire_len)), theirs, "{insns:x?}");
        }
    }

    #[test]
    fn what_libpcap_compiles_takes_the_same_packets(expression in select(&EXPRESSIONS[..]), frame in frame()) {
        let insns = compile(expression).unwrap();
        let len = u32::try_from(frame.len()).unwrap();
        let ours = Program::check(&insns).unwrap_or_else(|refused| panic!("{expression}: {refused}"));
        assert_eq!(Some(ours.run(&frame, len)), reference(&insns, &frame, len), "{expression}");
    }
}

#[test]
fn an_expression_takes_what_it_says() {
    let mut frame = vec![0; 60];
    (frame[12], frame[14], frame[23]) = (8, 0x45, 6);
    frame[36..38].copy_from_slice(&80_u16.to_be_bytes());
    let takes = |expression: &str, frame: &[u8]| {
        Program::check(&compile(expression).unwrap()).unwrap().matches(frame, 60)
    };
    assert!(takes("tcp port 80", &frame) && !takes("tcp port 81", &frame) && !takes("udp", &frame));
    assert!(takes("", &frame), "no expression takes everything");
}

#[test]
fn what_is_no_expression_is_refused_in_libpcaps_words() {
    let told = compile("tcp port").unwrap_err().to_string();
    assert!(told.contains("\"tcp port\"") && told.contains("syntax error"), "{told}");
    assert!(compile("tcp\0").unwrap_err().to_string().contains("zero byte"));
    assert!(compile(&"x".repeat(9000)).unwrap_err().to_string().contains("longer than"));
}

#[test]
fn a_loop_is_not_run() {
    let told = Program::check(&compile("ip6 protochain 6").unwrap()).unwrap_err().to_string();
    assert!(told.contains("loops, as of protochain, are not run"), "{told}");
}
