//! pcapng, block by block, out of literal bytes.

mod build;

use build::{ORDERS, Order};
use capture::{Capture, FaultKind, Format, LinkType, Problem, Resolution};

fn file(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn a_literal_section_interface_and_packet_are_read() {
    let bytes = [
        0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, // section header
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28, 0, 0, 0, //
        1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 20, 0, 0, 0, // interface description
        6, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, // enhanced packet
        3, 0, 0, 0, 3, 0, 0, 0, 0xaa, 0xbb, 0xcc, 0, 36, 0, 0, 0,
    ];
    let capture = Capture::scan(bytes).unwrap();
    assert_eq!((capture.format(), capture.resolution()), (Format::PcapNg, Resolution::Micro));
    let packet = capture.packet(0).unwrap();
    assert_eq!(packet.time_nanos, ((1 << 32) + 2) * 1_000);
    assert_eq!((packet.original_len, packet.data), (3, &[0xaa, 0xbb, 0xcc][..]));
    assert_eq!((capture.len(), capture.faults().len()), (1, 0));
}

#[test]
fn both_byte_orders_and_every_packet_block_are_read() {
    for order in ORDERS {
        let capture = Capture::scan(file(&[
            order.section(),
            order.interface(1, 6, &[(2, b"eth0"), (3, b"a comment")]),
            order.block(0x0bad_cafe, b"an unknown block"),
            order.enhanced(0, 7_000_000, 5, b"first"),
            order.block(5, &[0; 16]),
            order.simple(9, b"second.."),
            order.obsolete(0, 8_000_000, b"third"),
        ]))
        .unwrap();
        let read: Vec<_> =
            capture.packets().map(|packet| (packet.time_nanos, packet.original_len, packet.data)).collect();
        assert_eq!(
            read,
            [
                (7_000_000_000, 5, &b"first"[..]),
                // The snap length of 6 cuts it; without a time it stands beside its predecessor.
                (7_000_000_000, 9, b"second"),
                (8_000_000_000, 5, b"third"),
            ]
        );
        let kinds: Vec<_> = capture.faults().iter().map(|fault| (fault.index, fault.kind)).collect();
        assert_eq!(
            kinds,
            [(1, FaultKind::NoTime), (1, FaultKind::CutBySnaplen { captured: 6, original: 9 })]
        );
    }
}

#[test]
fn sections_of_both_byte_orders_in_one_file_count_their_interfaces_separately() {
    let (little, big) = (Order::Little, Order::Big);
    let capture = Capture::scan(file(&[
        little.section(),
        little.interface(1, 0, &[]),
        little.interface(1, 0, &[(9, &[9])]),
        little.enhanced(1, 3_000_000_001, 1, b"a"),
        big.section(),
        big.interface(1, 0, &[]),
        big.enhanced(0, 4_000_000, 1, b"b"),
    ]))
    .unwrap();
    let interfaces: Vec<_> = capture.interfaces().iter().map(|interface| interface.packets).collect();
    assert_eq!(interfaces, [0, 1, 1]);
    let records: Vec<_> =
        capture.records().iter().map(|record| (record.interface, record.time_nanos)).collect();
    assert_eq!(records, [(1, 3_000_000_001), (2, 4_000_000_000)]);
    assert_eq!(capture.resolution(), Resolution::Nano);
}

#[test]
fn times_follow_their_interfaces_resolution_and_offset() {
    let order = Order::Big;
    let time = |options: &[(u16, &[u8])], units: u64| {
        let capture = Capture::scan(file(&[
            order.section(),
            order.interface(1, 0, options),
            order.enhanced(0, units, 1, b"x"),
        ]))
        .unwrap();
        (capture.packet(0).unwrap().time_nanos, capture.resolution())
    };
    let (micro, nano) = (Resolution::Micro, Resolution::Nano);
    assert_eq!(time(&[], 5), (5_000, micro));
    assert_eq!(time(&[(9, &[0])], 5), (5_000_000_000, micro));
    assert_eq!(time(&[(9, &[3])], 5), (5_000_000, micro));
    assert_eq!(time(&[(9, &[6])], 5), (5_000, micro));
    assert_eq!(time(&[(9, &[9])], 5), (5, nano));
    assert_eq!(time(&[(9, &[12])], 5_999), (5, nano));
    assert_eq!(time(&[(9, &[0x80 | 10])], 1_536), (1_500_000_000, nano));
    assert_eq!(time(&[(9, &[0x80 | 32])], (7 << 32) | (1 << 31)), (7_500_000_000, nano));
    let hour = 3_600_i64.to_be_bytes();
    assert_eq!(time(&[(14, &hour)], 5), (3_600_000_005_000, micro));
    let back = (-1_i64).to_be_bytes();
    assert_eq!(time(&[(14, &back)], 1_500_000), (500_000_000, micro));
    assert_eq!(time(&[(14, &back)], 5), (0, micro), "before 1970");
    // Absurd ones are clamped: no overflow, whatever the file says.
    assert_eq!(time(&[(9, &[0]), (14, &i64::MAX.to_be_bytes())], u64::MAX), (u64::MAX, micro));
    assert_eq!(time(&[(9, &[127])], u64::MAX), (0, nano));
    assert_eq!(time(&[(9, &[0x80 | 127])], u64::MAX), (0, nano));
    assert_eq!(time(&[(9, &[0x80])], u64::MAX), (u64::MAX, micro));
    assert_eq!(time(&[(14, &i64::MIN.to_be_bytes())], u64::MAX), (0, micro));
}

#[test]
fn only_an_interface_that_packets_came_in_on_must_be_ethernet() {
    let order = Order::Little;
    let head = [order.section(), order.interface(113, 0, &[]), order.interface(1, 0, &[])].concat();
    let good = file(&[head.clone(), order.enhanced(1, 1, 1, b"x")]);
    let at = good.len();
    assert_eq!(Capture::scan(good.clone()).unwrap().len(), 1);
    let error = Capture::scan(file(&[good, order.enhanced(0, 1, 1, b"x")])).unwrap_err();
    let packet = Some((1, at as u64));
    assert_eq!(error.problem, Problem::LinkType { link_type: LinkType(113), packet });
    let text = error.to_string();
    assert!(text.contains("link type 113 (LINUX_SLL) of packet index 1 at byte"), "{text}");

    let idle = Capture::scan(file(&[order.section(), order.interface(113, 0, &[])])).unwrap_err();
    assert_eq!(idle.problem, Problem::LinkType { link_type: LinkType(113), packet: None });
    assert!(Capture::scan(order.section()).unwrap().is_empty());
}

#[test]
fn a_file_cut_anywhere_keeps_the_packets_before_the_cut() {
    let order = Order::Little;
    let head = file(&[order.section(), order.interface(1, 0, &[]), order.enhanced(0, 1, 5, b"first")]);
    let whole = file(&[head.clone(), order.enhanced(0, 2, 6, b"second")]);
    for end in head.len() + 1..whole.len() {
        let capture = Capture::scan(&whole[..end]).unwrap();
        assert_eq!(capture.len(), 1, "{end}");
        let fault = capture.end_fault().unwrap();
        assert_eq!((fault.index, fault.offset), (1, head.len() as u64));
        assert!(matches!(fault.kind, FaultKind::Truncated { .. }), "{fault}");
    }
    for end in 4..28 {
        let error = Capture::scan(&whole[..end]).unwrap_err();
        assert_eq!(error.problem, Problem::HeaderCut { bytes: end as u64 });
    }
}

#[test]
fn a_block_that_contradicts_itself_ends_the_reading_and_says_how() {
    let order = Order::Little;
    let head = file(&[order.section(), order.interface(1, 0, &[]), order.enhanced(0, 1, 4, b"good")]);
    let good = order.enhanced(0, 1, 4, b"next");
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut block = good.clone();
        change(&mut block);
        let capture = Capture::scan(file(&[head.clone(), block, good.clone()])).unwrap();
        assert_eq!(capture.len(), 1);
        let fault = capture.end_fault().unwrap();
        assert_eq!((fault.index, fault.offset), (1, head.len() as u64));
        fault.to_string()
    };
    assert!(with(&|block| block[4] = 11).contains("length of its block is impossible"));
    assert!(with(&|block| block[4] += 1).contains("length of its block is impossible"));
    assert!(with(&|block| *block.last_mut().unwrap() = 1).contains("two lengths of its block differ"));
    assert!(with(&|block| block[8] = 3).contains("its interface was never described"));
    assert!(with(&|block| block[20] = 200).contains("more bytes than its block holds"));
    assert!(with(&|block| block[23] = 200).contains("more than 262144"));
    assert!(with(&|block| *block = order.block(6, &[0; 16])).contains("packet block is too short"));
    assert!(with(&|block| *block = order.block(1, &[0; 4])).contains("interface description is too short"));
}

#[test]
fn a_broken_section_header_is_refused_at_the_front_and_a_fault_later() {
    let order = Order::Big;
    let mut broken = order.section();
    broken[8] = 0;
    let error = Capture::scan(broken.clone()).unwrap_err();
    assert!(error.to_string().contains("byte-order magic"), "{error}");
    let capture = Capture::scan(file(&[
        order.section(),
        order.interface(1, 0, &[]),
        order.enhanced(0, 1, 4, b"good"),
        broken,
    ]))
    .unwrap();
    assert_eq!(capture.len(), 1);
    assert!(capture.end_fault().unwrap().to_string().contains("byte-order magic"));
    let mut newer = order.section();
    newer[13] = 2;
    assert!(Capture::scan(newer).unwrap_err().to_string().contains("pcapng version 2.0 is not known"));
}

#[test]
fn options_that_break_off_cost_no_packet() {
    let order = Order::Little;
    let mut body = vec![1, 0, 0, 0, 0, 0, 0, 0];
    body.extend(order.half(9));
    body.extend(order.half(60_000));
    let bytes = file(&[order.section(), order.block(1, &body), order.enhanced(0, 1, 1, b"x")]);
    assert_eq!(Capture::scan(bytes).unwrap().len(), 1);
}

#[test]
fn interfaces_without_end_are_refused() {
    let order = Order::Little;
    let mut bytes = order.section();
    for _ in 0..=capture::INTERFACES_MAX {
        bytes.extend(order.interface(1, 0, &[]));
    }
    let capture = Capture::scan(bytes).unwrap();
    assert_eq!(capture.interfaces().len(), capture::INTERFACES_MAX);
    assert!(capture.end_fault().unwrap().to_string().contains("more than 4096 interfaces"));
}
