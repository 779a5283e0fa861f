//! IPv4 (RFC 791 §3.1).
//!
//! ```text
//!  0                   1                   2                   3
//! |Version|  IHL  |Type of Service|          Total Length         |
//! |         Identification        |Flags|      Fragment Offset    |
//! |  Time to Live |    Protocol   |         Header Checksum       |
//! |                       Source Address                          |
//! |                    Destination Address                        |
//! ```

use crate::checksum::Sum;

/// Bytes of a header without options.
pub const HEADER_LEN: usize = 20;

/// The fixed part of a header, as the wire has it. The checksum is kept, not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4 {
    /// Version in the upper half, header length in 32-bit words in the lower.
    pub version_ihl: u8,
    /// DSCP and ECN.
    pub tos: u8,
    /// Header and payload, bytes.
    pub total_len: u16,
    /// Names the fragments of one packet.
    pub identification: u16,
    /// Flags in the upper three bits, offset in units of 8 bytes below.
    pub fragment: u16,
    /// Time to live.
    pub ttl: u8,
    /// What follows.
    pub protocol: u8,
    /// Header checksum, as the two bytes on the wire.
    pub checksum: [u8; 2],
    /// Source address.
    pub source: [u8; 4],
    /// Destination address.
    pub destination: [u8; 4],
}

/// Don't Fragment, in [`Ipv4::fragment`].
pub const DONT_FRAGMENT: u16 = 0x4000;
/// More Fragments.
pub const MORE_FRAGMENTS: u16 = 0x2000;
/// The offset's bits.
pub const OFFSET: u16 = 0x1fff;

impl Ipv4 {
    /// The value of twenty bytes.
    #[inline]
    #[must_use]
    pub const fn parse(bytes: &[u8; HEADER_LEN]) -> Self {
        let &[
            version_ihl,
            tos,
            l0,
            l1,
            i0,
            i1,
            f0,
            f1,
            ttl,
            protocol,
            c0,
            c1,
            s0,
            s1,
            s2,
            s3,
            d0,
            d1,
            d2,
            d3,
        ] = bytes;
        Self {
            version_ihl,
            tos,
            total_len: u16::from_be_bytes([l0, l1]),
            identification: u16::from_be_bytes([i0, i1]),
            fragment: u16::from_be_bytes([f0, f1]),
            ttl,
            protocol,
            checksum: [c0, c1],
            source: [s0, s1, s2, s3],
            destination: [d0, d1, d2, d3],
        }
    }

    /// The twenty bytes of this value.
    #[must_use]
    pub const fn emit(&self) -> [u8; HEADER_LEN] {
        let [l0, l1] = self.total_len.to_be_bytes();
        let [i0, i1] = self.identification.to_be_bytes();
        let [f0, f1] = self.fragment.to_be_bytes();
        let [c0, c1] = self.checksum;
        let [s0, s1, s2, s3] = self.source;
        let [d0, d1, d2, d3] = self.destination;
        [
            self.version_ihl,
            self.tos,
            l0,
            l1,
            i0,
            i1,
            f0,
            f1,
            self.ttl,
            self.protocol,
            c0,
            c1,
            s0,
            s1,
            s2,
            s3,
            d0,
            d1,
            d2,
            d3,
        ]
    }

    /// Bytes of header, options included; fewer than 20 is malformed.
    #[inline]
    #[must_use]
    pub const fn header_len(&self) -> usize {
        (self.version_ihl & 0x0f) as usize * 4
    }

    /// The version field.
    #[inline]
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version_ihl >> 4
    }

    /// Whether this is any fragment but the whole packet.
    #[inline]
    #[must_use]
    pub const fn is_fragment(&self) -> bool {
        self.fragment & (MORE_FRAGMENTS | OFFSET) != 0
    }

    /// Whether such an address can be nobody's source (RFC 1812 §5.3.7): 0.0.0.0/8, 127.0.0.0/8,
    /// multicast, limited broadcast.
    #[inline]
    #[must_use]
    pub const fn is_bad_source(address: [u8; 4]) -> bool {
        let [first, ..] = address;
        // One bit per first octet that needs a second look; most need none.
        let is_suspect = matches!(first, 0 | 127 | 224..=239 | 255);
        is_suspect && (first != 255 || u32::from_be_bytes(address) == u32::MAX)
    }
}

/// Whether a header, options included, has the right checksum.
#[inline]
#[must_use]
pub fn is_intact(header: &[u8]) -> bool {
    Sum::default().add_bytes(header).is_intact()
}

#[cfg(test)]
mod tests {
    use super::Ipv4;
    use proptest::prelude::{any, proptest};

    proptest! {
        #[test]
        fn emit_gives_back_what_parse_took(bytes in any::<[u8; 20]>()) {
            assert_eq!(Ipv4::parse(&bytes).emit(), bytes);
        }
    }

    #[test]
    fn nobody_sends_from_these() {
        for address in [[0, 1, 2, 3], [127, 0, 0, 1], [224, 0, 0, 1], [239, 255, 0, 1], [255, 255, 255, 255]]
        {
            assert!(Ipv4::is_bad_source(address), "{address:?}");
        }
        for address in [[1, 0, 0, 0], [10, 0, 0, 1], [223, 255, 255, 255], [126, 0, 0, 1]] {
            assert!(!Ipv4::is_bad_source(address), "{address:?}");
        }
    }
}
