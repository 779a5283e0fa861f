//! Any file gives a capture or a reason, and the packets of a capture survive being written and read again.
#![no_main]

use capture::{Capture, PACKET_BYTES_MAX, file_header, record_header};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let capture = match Capture::scan(bytes) {
        Ok(capture) => capture,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "a refusal says why");
            return;
        }
    };
    assert_eq!(capture.packets().count(), capture.len());
    let mut written = file_header(capture.resolution()).to_vec();
    let mut kept = Vec::new();
    for packet in capture.packets() {
        assert_eq!(capture.packet(packet.index), Some(packet));
        let len = u32::try_from(packet.data.len()).expect("no packet is longer than a file");
        assert!(len <= PACKET_BYTES_MAX);
        // Times that pcap's 32-bit seconds cannot hold are refused by the writer.
        if let Some(header) = record_header(capture.resolution(), packet.time_nanos, len) {
            written.extend(header);
            written.extend(packet.data);
            kept.push(packet);
        }
    }
    for fault in capture.faults() {
        assert!(!fault.to_string().is_empty());
    }
    let again = Capture::scan(written).expect("what we write we read");
    assert_eq!(again.len(), kept.len());
    assert_eq!(again.end_fault(), None, "what we write has a whole last packet");
    for (packet, kept) in again.packets().zip(kept) {
        assert_eq!((packet.time_nanos, packet.data), (kept.time_nanos, kept.data));
    }
});
