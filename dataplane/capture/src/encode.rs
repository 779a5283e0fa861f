//! The bytes of a pcap file: little-endian, link type 1, snap length 262,144
//! (draft-ietf-opsawg-pcap §4 and §5).

use crate::limits::PACKET_BYTES_MAX;
use crate::link_type::LinkType;
use crate::scan::Resolution;

pub(crate) const MAGIC_MICRO: u32 = 0xa1b2_c3d4;
pub(crate) const MAGIC_NANO: u32 = 0xa1b2_3c4d;

/// The 24 bytes in front of the first record.
#[must_use]
pub const fn file_header(resolution: Resolution) -> [u8; 24] {
    let magic = match resolution {
        Resolution::Micro => MAGIC_MICRO,
        Resolution::Nano => MAGIC_NANO,
    };
    let [m0, m1, m2, m3] = magic.to_le_bytes();
    let [s0, s1, s2, s3] = PACKET_BYTES_MAX.to_le_bytes();
    let [l0, l1, l2, l3] = LinkType::ETHERNET.0.to_le_bytes();
    [m0, m1, m2, m3, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, s0, s1, s2, s3, l0, l1, l2, l3]
}

/// The 16 bytes in front of a packet of `len` bytes; nothing where the time, in nanoseconds since 1970,
/// does not fit into 32-bit seconds. With [`Resolution::Micro`] the nanoseconds are cut off, not rounded.
#[must_use]
pub fn record_header(resolution: Resolution, time_nanos: u64, len: u32) -> Option<[u8; 16]> {
    let seconds = u32::try_from(time_nanos / 1_000_000_000).ok()?;
    let nanos = u32::try_from(time_nanos % 1_000_000_000).ok()?;
    let fraction = match resolution {
        Resolution::Micro => nanos / 1_000,
        Resolution::Nano => nanos,
    };
    let mut header = [0; 16];
    let (slots, _) = header.as_chunks_mut::<4>();
    for (slot, word) in slots.iter_mut().zip([seconds, fraction, len, len]) {
        *slot = word.to_le_bytes();
    }
    Some(header)
}
