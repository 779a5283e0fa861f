//! The capture that testpmd and we are both given: one 60-byte TCP segment (64 with its FCS) of each flow,
//! all to the one VIP, with checksums that are right.

use std::path::Path;

use capture::{Resolution, WriteError, Writer};
use wire::checksum::Sum;

use crate::tables::VIP4;

/// Flows, and packets, of the capture. They and their headers stay in the cache; testpmd's do, too.
pub const FLOWS: u16 = 4096;
/// Bytes of each frame.
pub const FRAME_BYTES: usize = 60;

const ETHERNET: [u8; 14] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
const TCP: u8 = 6;
/// From the start of the TCP header to the end of the frame.
const SEGMENT_BYTES: usize = FRAME_BYTES - 34;

/// Writes the capture.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path) -> Result<(), WriteError> {
    let mut writer = Writer::create(path, Resolution::Micro)?;
    for flow in 0..FLOWS {
        writer.write(u64::from(flow) * 1000, &frame(flow))?;
    }
    writer.finish()
}

/// The packet of one flow: from 10.0.0.0/16, one address a flow.
#[must_use]
pub fn frame(flow: u16) -> Vec<u8> {
    let [high, low] = flow.to_be_bytes();
    let addresses = [[10, 0, high, low], VIP4].concat();
    let sum = |bytes: &[u8]| Sum::default().add_bytes(bytes);

    let mut ip = vec![0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, TCP, 0, 0];
    ip.extend(&addresses);
    let ip_sum = sum(&ip).finish();
    ip.splice(10..12, ip_sum);

    let mut segment = vec![4, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0];
    segment.resize(SEGMENT_BYTES, 0);
    let pseudo = sum(&addresses).add_u16(u16::from(TCP)).add_u16(u16::try_from(SEGMENT_BYTES).unwrap_or(0));
    let tcp_sum = pseudo.add_bytes(&segment).finish();
    segment.splice(16..18, tcp_sum);

    [ETHERNET.as_slice(), &ip, &segment].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use wire::checksum::Sum;

    use super::{FLOWS, FRAME_BYTES, frame, write};

    #[test]
    fn every_frame_is_a_flow_of_its_own_with_right_checksums() {
        let mut tuples = HashSet::new();
        for flow in 0..FLOWS {
            let bytes = frame(flow);
            assert_eq!(bytes.len(), FRAME_BYTES);
            assert!(Sum::default().add_bytes(&bytes[14..34]).is_intact());
            let segment = Sum::default().add_bytes(&bytes[26..34]).add_u16(6).add_u16(26);
            assert!(segment.add_bytes(&bytes[34..]).is_intact());
            let mut parsed = wire::Parsed::EMPTY;
            assert_eq!(wire::parse(&bytes, bytes.len(), &mut parsed), Ok(()));
            assert!(tuples.insert(bytes[26..38].to_vec()));
        }
    }

    #[test]
    fn the_file_holds_a_header_and_every_frame() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flows.pcap");
        write(&path).unwrap();
        let expected = 24 + usize::from(FLOWS) * (16 + FRAME_BYTES);
        assert_eq!(std::fs::read(path).unwrap().len(), expected);
    }
}
