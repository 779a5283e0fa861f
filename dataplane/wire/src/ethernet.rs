//! Ethernet II (IEEE 802.3 clause 3) with up to two VLAN tags (IEEE 802.1Q clause 9).
//!
//! ```text
//!  0           6          12    14          12    14    16    18
//! | destination | source   | type |  or     | 8100 | tag  | type |
//! ```

/// Bytes of an untagged header.
pub const HEADER_LEN: usize = 14;
/// Bytes of one VLAN tag.
pub const TAG_LEN: usize = 4;
/// The most tags that are read.
pub const TAGS_MAX: usize = 2;

/// IPv4 (RFC 894).
pub const IPV4: u16 = 0x0800;
/// ARP (RFC 826).
pub const ARP: u16 = 0x0806;
/// IPv6 (RFC 2464).
pub const IPV6: u16 = 0x86dd;
/// A customer VLAN tag.
pub const VLAN: u16 = 0x8100;
/// A service VLAN tag (802.1ad).
pub const SERVICE_VLAN: u16 = 0x88a8;
/// MPLS to one receiver (RFC 5332 §3).
pub const MPLS: u16 = 0x8847;

/// A VLAN tag (IEEE 802.1Q §9.6).
///
/// ```text
/// | ethertype (16) | priority (3) | drop eligible (1) | VLAN id (12) |
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// [`VLAN`] or [`SERVICE_VLAN`].
    pub ethertype: u16,
    /// Priority code point, three bits.
    pub priority: u8,
    /// May be dropped before others.
    pub is_drop_eligible: bool,
    /// Twelve bits; 0 is no VLAN, and the tag is there for its priority.
    pub id: u16,
}

impl Tag {
    /// Reads one.
    #[must_use]
    pub const fn parse([a, b, c, d]: [u8; TAG_LEN]) -> Self {
        Self {
            ethertype: u16::from_be_bytes([a, b]),
            priority: c >> 5,
            is_drop_eligible: c & 0x10 != 0,
            id: u16::from_be_bytes([c & 0x0f, d]),
        }
    }

    /// Writes it; bits that there are not are left out.
    #[must_use]
    pub const fn emit(self) -> [u8; TAG_LEN] {
        let [a, b] = self.ethertype.to_be_bytes();
        let [high, low] = self.id.to_be_bytes();
        [a, b, (self.priority & 7) << 5 | (self.is_drop_eligible as u8) << 4 | high & 0x0f, low]
    }
}

/// Where the network header begins, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ethernet {
    /// The ethertype behind the tags.
    pub ethertype: u16,
    /// Bytes of header, tags included.
    pub len: usize,
}

/// The frame ends inside the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut;

impl Ethernet {
    /// Reads the header and at most [`TAGS_MAX`] tags; a third tag's ethertype is given as it stands.
    ///
    /// # Errors
    /// [`Cut`].
    #[inline]
    pub fn parse(frame: &[u8]) -> Result<Self, Cut> {
        let [.., a, b] = *frame.first_chunk::<HEADER_LEN>().ok_or(Cut)?;
        let mut ethertype = u16::from_be_bytes([a, b]);
        let mut len = HEADER_LEN;
        while matches!(ethertype, VLAN | SERVICE_VLAN) && len < HEADER_LEN + TAGS_MAX * TAG_LEN {
            let tag = frame.get(len..).and_then(|rest| rest.first_chunk::<TAG_LEN>()).ok_or(Cut)?;
            let [_, _, a, b] = *tag;
            ethertype = u16::from_be_bytes([a, b]);
            len += TAG_LEN;
        }
        Ok(Self { ethertype, len })
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, Ethernet, IPV4, Tag, VLAN};
    use proptest::prelude::{any, proptest};

    fn frame(types: &[u8]) -> Vec<u8> {
        [&[0u8; 12], types].concat()
    }

    #[test]
    fn tags_are_skipped_up_to_two() {
        let parse = |types: &[u8]| Ethernet::parse(&frame(types));
        assert_eq!(parse(&[8, 0]), Ok(Ethernet { ethertype: IPV4, len: 14 }));
        assert_eq!(parse(&[0x81, 0, 0, 5, 8, 0]), Ok(Ethernet { ethertype: IPV4, len: 18 }));
        let two = [0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0];
        assert_eq!(parse(&two), Ok(Ethernet { ethertype: IPV4, len: 22 }));
        let three = [0x81, 0, 0, 5, 0x81, 0, 0, 6, 0x81, 0, 0, 7, 8, 0];
        assert_eq!(parse(&three), Ok(Ethernet { ethertype: 0x8100, len: 22 }));
    }

    #[test]
    fn a_tag_is_a_type_three_bits_one_bit_and_twelve() {
        let tag = Tag { ethertype: VLAN, priority: 5, is_drop_eligible: true, id: 0xabc };
        assert_eq!(tag.emit(), [0x81, 0x00, 0xba, 0xbc]);
        assert_eq!(
            Tag { priority: 9, is_drop_eligible: false, id: 0x1001, ..tag }.emit(),
            [0x81, 0, 0x20, 1]
        );
    }

    proptest! {
        #[test]
        fn a_tag_that_is_read_is_written_again(bytes in any::<[u8; 4]>()) {
            assert_eq!(Tag::parse(bytes).emit(), bytes);
        }
    }

    #[test]
    fn a_cut_header_or_tag_is_said_to_be_cut() {
        assert_eq!(Ethernet::parse(&[0; 13]), Err(Cut));
        assert_eq!(Ethernet::parse(&frame(&[0x81, 0, 0, 5, 8])), Err(Cut));
    }
}
