//! What is encoded as pcapng is read back by our own reader and, with its comments and losses, by tshark.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

use std::process::Command;

use capture::ng_encode::{self, NgPacket};
use capture::{Capture, Fault, FaultKind, Format, Resolution};
use proptest::prelude::{any, proptest};

fn file(packets: &[(u32, u64, Vec<u8>, String)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ng_encode::section(&mut bytes, "penstock test");
    ng_encode::interface(&mut bytes, "lan0", 2048);
    ng_encode::interface(&mut bytes, "wan-1", 96);
    for (interface, time_nanos, data, comment) in packets {
        let original_len = u32::try_from(data.len()).unwrap() + 7;
        let (interface, time_nanos) = (*interface, *time_nanos);
        ng_encode::packet(&mut bytes, &NgPacket { interface, time_nanos, original_len, data, comment });
    }
    ng_encode::statistics(&mut bytes, 1, 9, 12, 3);
    bytes
}

proptest! {
    #[test]
    fn our_reader_gives_back_what_went_in(
        packets in proptest::collection::vec((0u32..2, any::<u64>(), proptest::collection::vec(any::<u8>(), 1..90), ".{0,40}"), 0..12)
    ) {
        let capture = Capture::scan(file(&packets)).unwrap();
        assert_eq!((capture.format(), capture.resolution()), (Format::PcapNg, Resolution::Nano));
        // The packets say that they are cut, and their times are in no order: nothing else may be odd.
        let is_ours = |fault: &Fault| {
            matches!(fault.kind, FaultKind::CutBySnaplen { .. } | FaultKind::TimeBackwards { .. })
        };
        assert!(capture.faults().iter().all(is_ours), "{:?}", capture.faults());
        assert_eq!(capture.len(), packets.len());
        for ((packet, record), (interface, time, data, _)) in capture.packets().zip(capture.records()).zip(&packets) {
            assert_eq!((packet.data, packet.time_nanos, record.interface), (data.as_slice(), *time, *interface));
            assert_eq!(packet.original_len as usize, data.len() + 7);
        }
    }
}

#[test]
fn tshark_shows_the_comments_the_interfaces_and_the_losses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcapng");
    let mut frame = vec![0; 60];
    frame[12] = 8;
    let packets = [
        (
            0,
            1_700_000_000_000_000_001,
            frame.clone(),
            "drop.no_real service=web real=- generation=7".to_owned(),
        ),
        (1, 1_700_000_000_000_000_002, frame, "tx service=dns-\u{e9}".to_owned()),
    ];
    std::fs::write(&path, file(&packets)).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let fields =
        ["-T", "fields", "-e", "frame.comment", "-e", "frame.interface_name", "-e", "frame.time_epoch", "-r"];
    assert_eq!(
        run("tshark", &fields),
        "drop.no_real service=web real=- generation=7\tlan0\t1700000000.000000001\n\
         tx service=dns-\u{e9}\twan-1\t1700000000.000000002\n"
    );
    let about = run("capinfos", &[]);
    assert!(about.contains("Capture application: penstock test"), "{about}");
}
