//! GRE (RFC 2784 §2.1, RFC 2890 §2), and how its end reads it.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |C| |K|S| Reserved0       | Ver |         Protocol Type         |
//! |      Checksum, if C           |       Reserved1, if C         |
//! |                         Key, if K                             |
//! |                   Sequence number, if S                       |
//! ```

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gre {
    /// The ethertype of what is carried.
    pub ethertype: u16,
    /// The key.
    pub key: Option<u32>,
    /// Whether there is a checksum, over header and payload.
    pub has_checksum: bool,
    /// Bytes of the header.
    pub len: usize,
}

/// Why a header is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoGre {
    /// The bytes end inside.
    Cut,
    /// Another version, or bits that a receiver has to refuse (RFC 2784 §2.2: bits 1, 4 and 5).
    Refused,
}

/// Bytes of a header without options.
pub const HEADER_LEN: usize = 4;
/// Bytes of a key.
pub const KEY_LEN: usize = 4;
/// Of the first byte: a key follows.
pub const KEY: u8 = 0x20;
const CHECKSUM: u8 = 0x80;
const SEQUENCE: u8 = 0x10;
/// Routing, strict source route, and the first bit of recursion control of RFC 1701.
const REFUSED: u8 = 0x40 | 0x08 | 0x04;
const VERSION: u8 = 0x07;

impl Gre {
    /// Reads a header. Reserved bits 6 to 12 are nobody's (RFC 2784 §2.2); a sequence number is passed over: what
    /// arrives out of order goes on so.
    ///
    /// # Errors
    /// [`NoGre`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoGre> {
        let &[bits, version, t0, t1] = bytes.first_chunk().ok_or(NoGre::Cut)?;
        if bits & REFUSED != 0 || version & VERSION != 0 {
            return Err(NoGre::Refused);
        }
        let word = |bit: u8| if bits & bit != 0 { 4 } else { 0 };
        let key_at = HEADER_LEN + word(CHECKSUM);
        let len = key_at + word(KEY) + word(SEQUENCE);
        if bytes.len() < len {
            return Err(NoGre::Cut);
        }
        let key = bytes.get(key_at..).and_then(|rest| rest.first_chunk()).filter(|_| bits & KEY != 0);
        Ok(Self {
            ethertype: u16::from_be_bytes([t0, t1]),
            key: key.map(|key| u32::from_be_bytes(*key)),
            has_checksum: bits & CHECKSUM != 0,
            len,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Gre, NoGre};
    use proptest::prelude::{any, proptest};

    #[test]
    fn each_field_stands_where_the_standards_put_it() {
        let bare = Gre { ethertype: 0x0800, key: None, has_checksum: false, len: 4 };
        assert_eq!(Gre::parse(&[0, 0, 8, 0]), Ok(bare));
        let all = [0xb0, 0, 0x86, 0xdd, 1, 2, 0, 0, 0, 0, 0, 42, 0, 0, 0, 1];
        let read = Gre { ethertype: 0x86dd, key: Some(42), has_checksum: true, len: 16 };
        assert_eq!(Gre::parse(&all), Ok(read));
        assert_eq!(Gre::parse(&all[..15]), Err(NoGre::Cut));
        for bits in [[0x40, 0], [0x08, 0], [0x04, 0], [0, 1]] {
            assert_eq!(Gre::parse(&[bits[0], bits[1], 8, 0]), Err(NoGre::Refused));
        }
        assert_eq!(Gre::parse(&[3, 0xf8, 8, 0]), Ok(bare), "reserved bits that are ignored");
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_header_within_them_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            if let Ok(gre) = Gre::parse(&bytes) {
                assert!(gre.len <= bytes.len());
            }
        }
    }
}
