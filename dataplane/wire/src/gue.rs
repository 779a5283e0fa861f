//! GUE (draft-ietf-intarea-gue-09 §3), behind a UDP header, as its end reads it.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | 0 |C|   Hlen  |  Proto/ctype  |             Flags             |  variant 0
//! |                  Hlen words of extensions                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 1 0 0| an IPv4 packet    or    |0 1 1 0| an IPv6 packet         variant 1
//! ```

/// Bytes of a header of variant 0 without extensions.
pub const HEADER_LEN: usize = 4;

/// What stands behind the UDP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gue {
    /// Variant 0.
    Headed {
        /// The IP protocol of what is carried; of a control message its type.
        protocol: u8,
        /// Whether it is a control message.
        is_control: bool,
        /// Whether there are flags, or extensions.
        has_more: bool,
        /// Bytes of the header.
        len: usize,
    },
    /// Variant 1: the packet itself.
    Direct,
}

/// Why it is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoGue {
    /// The bytes end inside the header.
    Cut,
    /// Variant 2 or 3.
    Variant,
}

impl Gue {
    /// Reads a header.
    ///
    /// # Errors
    /// [`NoGue`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoGue> {
        let &[first, ..] = bytes.first_chunk::<1>().ok_or(NoGue::Cut)?;
        match first >> 6 {
            0 => {}
            1 => return Ok(Self::Direct),
            _ => return Err(NoGue::Variant),
        }
        let &[_, protocol, f0, f1] = bytes.first_chunk().ok_or(NoGue::Cut)?;
        let words = usize::from(first & 0x1f);
        let len = HEADER_LEN + words * 4;
        if bytes.len() < len {
            return Err(NoGue::Cut);
        }
        let has_more = words > 0 || [f0, f1] != [0, 0];
        Ok(Self::Headed { protocol, is_control: first & 0x20 != 0, has_more, len })
    }
}

#[cfg(test)]
mod tests {
    use super::{Gue, NoGue};
    use proptest::prelude::{any, proptest};

    #[test]
    fn each_field_stands_where_the_draft_puts_it() {
        let headed = |is_control, has_more, len| Ok(Gue::Headed { protocol: 4, is_control, has_more, len });
        assert_eq!(Gue::parse(&[0, 4, 0, 0]), headed(false, false, 4));
        assert_eq!(Gue::parse(&[0x20, 4, 0, 0]), headed(true, false, 4));
        assert_eq!(Gue::parse(&[0, 4, 0, 1]), headed(false, true, 4));
        assert_eq!(Gue::parse(&[1, 4, 0, 0, 9, 9, 9, 9]), headed(false, true, 8));
        assert_eq!(Gue::parse(&[1, 4, 0, 0, 9, 9, 9]), Err(NoGue::Cut));
        assert_eq!(Gue::parse(&[0x45]), Ok(Gue::Direct));
        assert_eq!(Gue::parse(&[0x80, 4, 0, 0]), Err(NoGue::Variant));
        assert_eq!(Gue::parse(&[]), Err(NoGue::Cut));
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_header_within_them_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..140)) {
            if let Ok(Gue::Headed { len, .. }) = Gue::parse(&bytes) {
                assert!(len <= bytes.len());
            }
        }
    }
}
