//! The two protocols of IPsec, as far as a balancer reads them: whose security association a packet is of.
//!
//! ESP (RFC 4303 §2):
//!
//! ```text
//! |               Security Parameters Index (SPI)                 |
//! |                      Sequence Number                          |
//! |      payload, padding, next header, integrity check value     |
//! ```
//!
//! AH (RFC 4302 §2):
//!
//! ```text
//! | Next Header   |  Payload Len  |          RESERVED             |
//! |               Security Parameters Index (SPI)                 |
//! |                      Sequence Number                          |
//! |      integrity check value, then what the packet carries      |
//! ```

/// An ESP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Esp {
    /// Which security association of the receiver; 0 is never on the wire.
    pub spi: u32,
    /// Counts the packets of the association.
    pub sequence: u32,
}

impl Esp {
    /// Bytes of it.
    pub const LEN: usize = 8;

    /// The value of eight bytes.
    #[must_use]
    pub const fn parse(bytes: &[u8; Self::LEN]) -> Self {
        let &[a, b, c, d, e, f, g, h] = bytes;
        Self { spi: u32::from_be_bytes([a, b, c, d]), sequence: u32::from_be_bytes([e, f, g, h]) }
    }

    /// The eight bytes of this value.
    #[must_use]
    pub const fn emit(&self) -> [u8; Self::LEN] {
        let ([a, b, c, d], [e, f, g, h]) = (self.spi.to_be_bytes(), self.sequence.to_be_bytes());
        [a, b, c, d, e, f, g, h]
    }

    /// Whether a receiver may take it: an SPI of 0 must not be on the wire (RFC 4303 §2.1).
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.spi != 0
    }
}

/// The fixed part of an AH header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ah {
    /// What it protects.
    pub next_header: u8,
    /// Its length in words of four bytes, less 2.
    pub payload_len: u8,
    /// Sent as zero, and not looked at.
    pub reserved: [u8; 2],
    /// As in [`Esp`].
    pub spi: u32,
    /// As in [`Esp`].
    pub sequence: u32,
}

impl Ah {
    /// Bytes of it.
    pub const LEN: usize = 12;

    /// The value of twelve bytes.
    #[must_use]
    pub const fn parse(bytes: &[u8; Self::LEN]) -> Self {
        let &[next_header, payload_len, r0, r1, a, b, c, d, e, f, g, h] = bytes;
        Self {
            next_header,
            payload_len,
            reserved: [r0, r1],
            spi: u32::from_be_bytes([a, b, c, d]),
            sequence: u32::from_be_bytes([e, f, g, h]),
        }
    }

    /// The twelve bytes of this value.
    #[must_use]
    pub const fn emit(&self) -> [u8; Self::LEN] {
        let ([a, b, c, d], [e, f, g, h]) = (self.spi.to_be_bytes(), self.sequence.to_be_bytes());
        let [r0, r1] = self.reserved;
        [self.next_header, self.payload_len, r0, r1, a, b, c, d, e, f, g, h]
    }

    /// Bytes of the whole header, the integrity check value included.
    #[must_use]
    pub const fn header_len(&self) -> usize {
        (self.payload_len as usize + 2) * 4
    }

    /// Whether a receiver may take it at the head of `room` bytes: as long as its fixed part, not longer than the
    /// packet, and of an association (RFC 4302 §2.2 and §2.4).
    #[must_use]
    pub const fn is_sound(&self, room: usize) -> bool {
        self.spi != 0 && self.header_len() >= Self::LEN && self.header_len() <= room
    }
}

/// An SPI where a five-tuple has its ports: the upper half in the source's place.
#[must_use]
pub const fn as_ports(spi: u32) -> (u16, u16) {
    let [a, b, c, d] = spi.to_be_bytes();
    (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

/// The SPI that stands in the places of two ports.
#[must_use]
pub const fn of_ports(source: u16, destination: u16) -> u32 {
    (source as u32) << 16 | destination as u32
}

#[cfg(test)]
mod tests {
    use super::{Ah, Esp, as_ports, of_ports};
    use proptest::prelude::{any, proptest};

    proptest! {
        #[test]
        fn emit_gives_back_what_parse_took(esp in any::<[u8; 8]>(), ah in any::<[u8; 12]>(), spi in any::<u32>()) {
            assert_eq!(Esp::parse(&esp).emit(), esp);
            assert_eq!(Ah::parse(&ah).emit(), ah);
            let (source, destination) = as_ports(spi);
            assert_eq!(of_ports(source, destination), spi);
        }
    }

    #[test]
    fn a_header_of_no_association_or_of_a_wrong_length_is_not_sound() {
        assert!(Esp { spi: 1, sequence: 0 }.is_sound() && !Esp { spi: 0, sequence: 1 }.is_sound());
        let ah = |payload_len, spi| Ah { next_header: 6, payload_len, reserved: [0; 2], spi, sequence: 1 };
        assert!(ah(1, 9).is_sound(12) && ah(4, 9).is_sound(24));
        assert!(!ah(0, 9).is_sound(12) && !ah(4, 9).is_sound(23) && !ah(1, 0).is_sound(12));
    }
}
