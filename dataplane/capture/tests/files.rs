//! Files that scapy and editcap wrote (`tests/data/generate.py`), read through the file system.

use capture::{Capture, FaultKind, Format, LinkType, Problem, Resolution};
use std::path::PathBuf;

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn summary(capture: &Capture) -> Vec<(u64, usize, u32)> {
    capture.packets().map(|packet| (packet.time_nanos, packet.data.len(), packet.original_len)).collect()
}

const T0: u64 = 1_700_000_000_000_000_000;

#[test]
fn the_same_packets_come_out_of_every_format() {
    for (name, format, resolution) in [
        ("micro-little.pcap", Format::Pcap, Resolution::Micro),
        ("nano-little.pcap", Format::Pcap, Resolution::Nano),
        ("nano-big.pcap", Format::Pcap, Resolution::Nano),
        ("modified.pcap", Format::PcapModified, Resolution::Micro),
        ("micro.pcapng", Format::PcapNg, Resolution::Micro),
    ] {
        let capture = Capture::open(data(name)).unwrap().require_packets().unwrap();
        assert_eq!((capture.format(), capture.resolution()), (format, resolution), "{name}");
        let expected = [(T0, 42, 42), (T0 + 250_000_000, 52, 52), (T0 + 500_000_000, 62, 62)];
        assert_eq!(summary(&capture), expected, "{name}");
        assert_eq!(capture.faults(), []);
        assert_eq!(capture.duration_nanos(), 500_000_000);
        assert_eq!(capture.interfaces()[0].link_type, LinkType::ETHERNET);
        let last = capture.packet(2).unwrap();
        assert_eq!(last.data[..6], [2, 0, 0, 0, 0, 2]);
        assert_eq!(last.data[42..], (0..20).collect::<Vec<u8>>());
    }
}

#[test]
fn packets_cut_by_the_snap_length_are_faults_with_their_index() {
    let capture = Capture::open(data("cut-by-snaplen.pcap")).unwrap();
    let kinds: Vec<_> = capture.faults().iter().map(|fault| (fault.index, fault.kind)).collect();
    let cut = |original| FaultKind::CutBySnaplen { captured: 48, original };
    assert_eq!(kinds, [(1, cut(52)), (2, cut(62))]);
}

#[test]
fn a_truncated_file_keeps_what_is_whole() {
    let capture = Capture::open(data("truncated.pcap")).unwrap();
    assert_eq!(summary(&capture), [(T0, 42, 42), (T0 + 250_000_000, 52, 52)]);
    let fault = capture.end_fault().unwrap();
    assert_eq!((fault.index, fault.kind), (2, FaultKind::Truncated { missing: 7 }));
}

#[test]
fn a_capture_of_any_interface_is_refused_with_its_name() {
    let error = Capture::open(data("linux-sll.pcap")).unwrap_err();
    assert_eq!(error.problem, Problem::LinkType { link_type: LinkType(113), packet: None });
    assert!(error.to_string().contains("linux-sll.pcap: link type 113 (LINUX_SLL)"), "{error}");
}
