//! VXLAN (RFC 7348 §5), behind a UDP header, and the Ethernet header inside of it, as its end reads them.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |R|R|R|R|I|R|R|R|            Reserved                           |
//! |                VXLAN Network Identifier (VNI) |   Reserved    |
//! |              Inner destination, source, ethertype (14 bytes)  |
//! ```

use crate::ethernet;

/// Bytes of VXLAN's own.
pub const HEADER_LEN: usize = 8;
/// Bytes of both headers.
pub const HEADERS_LEN: usize = HEADER_LEN + ethernet::HEADER_LEN;
/// Of the first byte: the network identifier is valid.
pub const HAS_VNI: u8 = 0x08;

/// What they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vxlan {
    /// The network identifier.
    pub vni: u32,
    /// Whether the inner frame is for many.
    pub is_to_many: bool,
    /// The inner ethertype.
    pub ethertype: u16,
}

/// Why they are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoVxlan {
    /// The bytes end inside.
    Cut,
    /// The identifier is not marked as valid.
    NoVni,
}

impl Vxlan {
    /// Reads both. Reserved bits are ignored (RFC 7348 §5).
    ///
    /// # Errors
    /// [`NoVxlan`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoVxlan> {
        let &[flags, _, _, _, v0, v1, v2, _, to, .., t0, t1] =
            bytes.first_chunk::<HEADERS_LEN>().ok_or(NoVxlan::Cut)?;
        if flags & HAS_VNI == 0 {
            return Err(NoVxlan::NoVni);
        }
        Ok(Self {
            vni: u32::from_be_bytes([0, v0, v1, v2]),
            is_to_many: to & 1 == 1,
            ethertype: u16::from_be_bytes([t0, t1]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{HEADERS_LEN, NoVxlan, Vxlan};
    use proptest::prelude::{any, proptest};

    #[test]
    fn each_field_stands_where_the_standard_puts_it() {
        let mut bytes = [0xff; HEADERS_LEN];
        bytes[..9].copy_from_slice(&[0x08, 0, 0, 0, 1, 2, 3, 0, 2]);
        bytes[20..].copy_from_slice(&[8, 0]);
        let read = Vxlan { vni: 0x0001_0203, is_to_many: false, ethertype: 0x0800 };
        assert_eq!(Vxlan::parse(&bytes), Ok(read));
        bytes[8] = 3;
        assert_eq!(Vxlan::parse(&bytes), Ok(Vxlan { is_to_many: true, ..read }));
        bytes[0] = 0xf7;
        assert_eq!(Vxlan::parse(&bytes), Err(NoVxlan::NoVni));
        assert_eq!(Vxlan::parse(&bytes[..HEADERS_LEN - 1]), Err(NoVxlan::Cut));
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_value_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..30)) {
            if let Ok(vxlan) = Vxlan::parse(&bytes) {
                assert!(vxlan.vni < 1 << 24);
            }
        }
    }
}
