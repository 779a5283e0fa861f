//! Classic pcap, header by header, out of literal bytes.

mod build;

use build::{ORDERS, Order};
use capture::{Capture, FaultKind, Format, LinkType, Problem, Resolution};

const MICRO: u32 = 0xa1b2_c3d4;
const NANO: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;

#[test]
fn a_literal_little_endian_microsecond_file_is_read() {
    let bytes = [
        0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0,
        0, // file
        2, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0xaa, 0xbb, // one record
    ];
    let capture = Capture::scan(bytes).unwrap();
    assert_eq!(capture.format(), Format::Pcap);
    assert_eq!(capture.resolution(), Resolution::Micro);
    assert_eq!(capture.len(), 1);
    let packet = capture.packet(0).unwrap();
    assert_eq!((packet.index, packet.time_nanos, packet.original_len), (0, 2_000_003_000, 2));
    assert_eq!(packet.data, [0xaa, 0xbb]);
    assert_eq!(capture.packet(1), None);
    assert_eq!(capture.faults(), []);
}

#[test]
fn both_byte_orders_and_all_three_magics_give_the_same_packets() {
    for order in ORDERS {
        for (magic, resolution, nanos) in [
            (MICRO, Resolution::Micro, 5_000),
            (NANO, Resolution::Nano, 5),
            (MODIFIED, Resolution::Micro, 5_000),
        ] {
            let mut bytes = order.pcap(magic, 1);
            for data in [&b"first"[..], &b"second packet"[..]] {
                let record = order.record(9, 5, data);
                let (header, data) = record.split_at(16);
                bytes.extend(header);
                if magic == MODIFIED {
                    bytes.extend([0xee; 8]);
                }
                bytes.extend(data);
            }
            let capture = Capture::scan(bytes).unwrap();
            assert_eq!(capture.resolution(), resolution);
            assert_eq!(capture.interfaces()[0].packets, 2);
            let read: Vec<_> = capture.packets().map(|packet| (packet.time_nanos, packet.data)).collect();
            assert_eq!(
                read,
                [(9_000_000_000 + nanos, &b"first"[..]), (9_000_000_000 + nanos, b"second packet")]
            );
            assert_eq!(capture.captured_bytes(), 18);
        }
    }
}

#[test]
fn each_odd_record_is_a_fault_with_its_index_and_offset_and_stays_a_packet() {
    let order = Order::Little;
    let mut bytes = order.pcap(MICRO, 1);
    bytes.extend(order.words(&[10, 0, 4, 60]));
    bytes.extend([1; 4]);
    bytes.extend(order.words(&[10, 0, 0, 0]));
    bytes.extend(order.words(&[10, 0, 4, 2]));
    bytes.extend([1; 4]);
    bytes.extend(order.record(9, 999_999, &[1; 4]));
    let capture = Capture::scan(bytes).unwrap();
    let faults: Vec<_> =
        capture.faults().iter().map(|fault| (fault.index, fault.offset, fault.kind)).collect();
    assert_eq!(
        faults,
        [
            (0, 24, FaultKind::CutBySnaplen { captured: 4, original: 60 }),
            (1, 44, FaultKind::ZeroLength),
            (2, 60, FaultKind::LongerThanOriginal { captured: 4, original: 2 }),
            (3, 80, FaultKind::TimeBackwards { by_nanos: 1_000 }),
        ]
    );
    assert_eq!(capture.len(), 4);
    assert_eq!(capture.fault_counts(), &[1, 1, 1, 1, 0, 0, 0]);
    assert_eq!(capture.end_fault(), None);
    assert_eq!(capture.span_nanos(), Some((9_999_999_000, 10_000_000_000)));
    assert_eq!(
        capture.faults()[0].to_string(),
        "packet index 0 at byte 24: only 4 of 60 bytes were captured (snap length)"
    );
}

#[test]
fn a_file_cut_anywhere_in_its_last_record_keeps_the_packets_before_it() {
    let order = Order::Big;
    let mut whole = order.pcap(NANO, 1);
    whole.extend(order.record(1, 0, b"whole"));
    let last_at = whole.len();
    whole.extend(order.record(2, 0, b"cut!"));
    for end in last_at + 1..whole.len() {
        let capture = Capture::scan(&whole[..end]).unwrap();
        assert_eq!(capture.len(), 1, "{end}");
        let fault = capture.end_fault().unwrap();
        assert_eq!((fault.index, fault.offset), (1, last_at as u64));
        // Inside the header nothing is known of the packet yet.
        let missing = if end < last_at + 16 { last_at + 16 - end } else { whole.len() - end };
        assert_eq!(fault.kind, FaultKind::Truncated { missing: missing as u64 });
        assert_eq!(capture.faults(), [fault]);
    }
}

#[test]
fn a_record_that_claims_too_much_ends_the_reading_as_damaged() {
    let order = Order::Little;
    let mut bytes = order.pcap(MICRO, 1);
    bytes.extend(order.record(1, 0, b"good"));
    bytes.extend(order.words(&[1, 0, 262_145, 262_145]));
    bytes.resize(400_000, 0);
    let capture = Capture::scan(bytes).unwrap();
    assert_eq!(capture.len(), 1);
    assert_eq!(
        capture.end_fault().unwrap().to_string(),
        "packet index 1 at byte 44: the record is damaged: it claims more than 262144 captured bytes"
    );
}

#[test]
fn a_long_list_of_small_faults_does_not_hide_the_last_one() {
    let order = Order::Little;
    let mut bytes = order.pcap(MICRO, 1);
    for _ in 0..5_000 {
        bytes.extend(order.words(&[1, 0, 0, 0]));
    }
    bytes.push(0);
    let capture = Capture::scan(bytes).unwrap();
    assert_eq!(capture.len(), 5_000);
    assert_eq!(capture.faults().len(), capture::FAULTS_MAX);
    assert_eq!(capture.fault_counts()[FaultKind::ZeroLength.ordinal()], 5_000);
    assert_eq!(capture.end_fault().unwrap().index, 5_000);
}

#[test]
fn a_header_alone_is_a_capture_of_no_packets() {
    let capture = Capture::scan(Order::Little.pcap(MICRO, 1)).unwrap();
    assert!(capture.is_empty());
    assert_eq!(capture.duration_nanos(), 0);
    assert_eq!(
        capture.require_packets().unwrap_err().to_string(),
        "the capture: the capture holds no packets; capture again while there is traffic"
    );
}

#[test]
fn frame_check_sequence_bits_in_the_link_type_are_not_part_of_it() {
    let capture = Capture::scan(Order::Little.pcap(MICRO, 0x4400_0001)).unwrap();
    assert_eq!(capture.interfaces()[0].link_type, LinkType::ETHERNET);
}

#[test]
fn a_link_type_that_is_not_ethernet_is_refused_by_name_with_the_remedy() {
    for order in ORDERS {
        let error = Capture::scan_named("any.pcap", order.pcap(MICRO, 113)).unwrap_err();
        assert_eq!(error.problem, Problem::LinkType { link_type: LinkType(113), packet: None });
        assert_eq!(
            error.to_string(),
            "any.pcap: link type 113 (LINUX_SLL) is not Ethernet: it was taken on all interfaces at once; \
             capture again with -i on one Ethernet interface"
        );
    }
    let error = Capture::scan(Order::Little.pcap(MICRO, 101)).unwrap_err().to_string();
    assert!(error.contains("101 (RAW)") && error.contains("tcprewrite"), "{error}");
    let error = Capture::scan(Order::Little.pcap(MICRO, 9_999)).unwrap_err().to_string();
    assert!(error.contains("link type 9999 is not Ethernet"), "{error}");
}

#[test]
fn what_is_no_capture_is_told_apart() {
    let text = |bytes: &[u8]| Capture::scan_named("f", bytes).unwrap_err().to_string();
    assert_eq!(
        text(b""),
        "f: the file is empty (0 bytes); capture again, and let the capture end before reading it"
    );
    assert_eq!(text(b"\x1f\x8b\x08\0rest"), "f: the file is compressed; decompress it first with gunzip");
    assert_eq!(text(b"\x28\xb5\x2f\xfdrest"), "f: the file is compressed; decompress it first with unzstd");
    assert!(text(b"snoop\0\0\0\0\0\0\x02").contains("snoop format; convert it with editcap"));
    assert_eq!(
        text(b"{\"a\":1}"),
        "f: not a capture (it begins with 7b 22 61 22); give a pcap or pcapng file"
    );
    assert!(text(b"abc").contains("ends after 3 bytes"));
    assert!(text(&Order::Little.pcap(MICRO, 1)[..23]).contains("ends after 23 bytes, inside its header"));
    let mut old = Order::Little.pcap(MICRO, 1);
    old[6] = 3;
    assert!(text(&old).contains("pcap version 2.3 is not known"));
}

#[test]
fn open_names_the_file_and_says_what_the_system_said() {
    let error = Capture::open("/nonexistent/x.pcap").unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/x.pcap: cannot be read: "), "{error}");
    let error = Capture::open("/tmp").unwrap_err();
    assert!(matches!(error.problem, Problem::Io(_)), "{error}");
}

#[test]
fn a_file_larger_than_the_limit_is_refused_before_it_is_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(capture::FILE_BYTES_MAX + 1).unwrap();
    let error = Capture::open(file.path()).unwrap_err();
    assert_eq!(error.problem, Problem::TooLarge { bytes: capture::FILE_BYTES_MAX + 1 });
    assert!(error.to_string().contains("editcap -c"), "{error}");
}
