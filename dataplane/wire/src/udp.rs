//! UDP (RFC 768).
//!
//! ```text
//! |          Source Port          |       Destination Port        |
//! |            Length             |           Checksum            |
//! ```

/// Bytes of a header.
pub const HEADER_LEN: usize = 8;

/// The header, as the wire has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Header and data, bytes; fewer than 8 is malformed.
    pub len: u16,
    /// Checksum, as the two bytes on the wire.
    pub checksum: [u8; 2],
}

impl Udp {
    /// The value of eight bytes.
    #[inline]
    #[must_use]
    pub const fn parse(bytes: &[u8; HEADER_LEN]) -> Self {
        let &[s0, s1, d0, d1, l0, l1, c0, c1] = bytes;
        Self {
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
            len: u16::from_be_bytes([l0, l1]),
            checksum: [c0, c1],
        }
    }

    /// The eight bytes of this value.
    #[must_use]
    pub const fn emit(&self) -> [u8; HEADER_LEN] {
        let [s0, s1] = self.source_port.to_be_bytes();
        let [d0, d1] = self.destination_port.to_be_bytes();
        let [l0, l1] = self.len.to_be_bytes();
        let [c0, c1] = self.checksum;
        [s0, s1, d0, d1, l0, l1, c0, c1]
    }
}

#[cfg(test)]
mod tests {
    use super::Udp;
    use proptest::prelude::{any, proptest};

    proptest! {
        #[test]
        fn emit_gives_back_what_parse_took(bytes in any::<[u8; 8]>()) {
            assert_eq!(Udp::parse(&bytes).emit(), bytes);
        }
    }
}
