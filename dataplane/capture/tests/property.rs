//! Any bytes give a capture or a reason, and what was written is read back.
#![allow(clippy::unwrap_used, reason = "a generator's own numbers fit; the lint exempts only test functions")]

mod build;

use build::{ORDERS, Order};
use capture::{Capture, Resolution, Writer, file_header, record_header};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::{Index, select};

/// What must hold of a capture whatever the bytes were.
fn visit(bytes: &[u8]) {
    let capture = match Capture::scan(bytes) {
        Ok(capture) => capture,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let mut total = 0;
    for packet in capture.packets() {
        assert_eq!(capture.packet(packet.index), Some(packet));
        total += packet.data.len() as u64;
        // The packet lies in the file, behind a header.
        let record = capture.records().get(packet.index).copied();
        let data = record
            .and_then(|record| bytes.get(record.offset as usize..)?.get(..record.captured_len as usize));
        assert_eq!(data, Some(packet.data));
    }
    assert_eq!(total, capture.captured_bytes());
    assert_eq!(capture.packet(capture.len()), None);
    let by_interface: u64 = capture.interfaces().iter().map(|interface| interface.packets).sum();
    assert_eq!(by_interface, capture.len() as u64);
    for fault in capture.faults() {
        assert!(fault.index <= capture.len() && fault.offset <= bytes.len() as u64);
        assert_eq!(fault.kind.ends_the_capture(), Some(*fault) == capture.end_fault());
    }
    let _ = capture.require_packets();
}

fn order() -> impl Strategy<Value = Order> {
    select(&ORDERS[..])
}

fn packets() -> impl Strategy<Value = Vec<(u64, Vec<u8>)>> {
    vec((0..4_294_967_296_000_000_000_u64, vec(any::<u8>(), 0..80)), 0..20)
}

/// Valid files of every kind.
fn valid() -> impl Strategy<Value = Vec<u8>> {
    let classic = (order(), select(vec![0xa1b2_c3d4_u32, 0xa1b2_3c4d]), packets()).prop_map(
        |(order, magic, packets)| {
            let records = packets.iter().flat_map(|(time, data)| {
                order.record(
                    u32::try_from(time / 1_000_000_000).unwrap(),
                    u32::try_from(time % 1_000_000).unwrap(),
                    data,
                )
            });
            order.pcap(magic, 1).into_iter().chain(records).collect()
        },
    );
    let ng = (order(), any::<u8>(), vec((0..4_u8, any::<u64>(), vec(any::<u8>(), 0..80)), 0..20));
    let ng = ng.prop_map(|(order, resolution, blocks)| {
        let mut bytes = [order.section(), order.interface(1, 0, &[(9, &[resolution])])].concat();
        for (kind, time, data) in blocks {
            let len = u32::try_from(data.len()).unwrap();
            bytes.extend(match kind {
                0 => order.enhanced(0, time, len, &data),
                1 => order.simple(len, &data),
                2 => order.obsolete(0, u32::try_from(time >> 32).unwrap(), &data),
                _ => order.block(77, &data),
            });
        }
        bytes
    });
    prop_oneof![classic, ng]
}

proptest! {
    #[test]
    fn any_bytes_give_a_capture_or_a_reason(bytes in vec(any::<u8>(), 0..300)) {
        visit(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_good_header_give_a_capture(order in order(), rest in vec(any::<u8>(), 0..300)) {
        for mut bytes in [order.pcap(0xa1b2_c3d4, 1), order.pcap(0xa1b2_cd34, 1), order.section()] {
            bytes.extend(&rest);
            visit(&bytes);
        }
    }

    #[test]
    fn valid_captures_are_read_whole(bytes in valid()) {
        let capture = Capture::scan(&bytes[..]).unwrap();
        prop_assert_eq!(capture.end_fault(), None);
        visit(&bytes);
    }

    #[test]
    fn mutated_captures_give_a_capture_or_a_reason(
        bytes in valid(), changes in vec((any::<Index>(), any::<u8>()), 1..6), cut in any::<Index>(),
    ) {
        let mut bytes = bytes;
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        visit(&bytes);
        visit(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn a_cut_capture_is_a_prefix_of_the_whole(bytes in valid(), cut in any::<Index>()) {
        let whole = Capture::scan(&bytes[..]).unwrap();
        if let Ok(part) = Capture::scan(&bytes[..cut.index(bytes.len())]) {
            prop_assert!(part.len() <= whole.len());
            prop_assert_eq!(part.records(), &whole.records()[..part.len()]);
        }
    }

    #[test]
    fn what_was_written_is_read_back(packets in packets(), nano in any::<bool>()) {
        let resolution = if nano { Resolution::Nano } else { Resolution::Micro };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.pcap");
        let mut writer = Writer::create(&path, resolution).unwrap();
        let mut bytes = file_header(resolution).to_vec();
        for (time, data) in &packets {
            writer.write(*time, data).unwrap();
            bytes.extend(record_header(resolution, *time, u32::try_from(data.len()).unwrap()).unwrap());
            bytes.extend(data);
        }
        writer.finish().unwrap();
        let capture = Capture::open(&path).unwrap();
        prop_assert_eq!(capture.resolution(), resolution);
        let read: Vec<_> = capture.packets().map(|packet| (packet.time_nanos, packet.data.to_vec())).collect();
        let unit = if nano { 1 } else { 1_000 };
        let expected: Vec<_> = packets.into_iter().map(|(time, data)| (time / unit * unit, data)).collect();
        prop_assert_eq!(read, expected);
        prop_assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}
