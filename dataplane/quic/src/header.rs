//! The connection ids of a QUIC packet, in every version (RFC 8999).
//!
//! ```text
//! |1|  any  |      Version (32)      | DCID length (8) | DCID … | SCID length (8) | SCID … |
//! |0|  any  |  DCID, whose length the receiver knows …
//! ```

/// Bit 7 of the first byte: a long header (RFC 8999 §5.1).
const LONG: u8 = 0x80;

/// What a packet says of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids<'p> {
    /// A long header, both ids whole.
    Long {
        /// The version; 0 is version negotiation.
        version: u32,
        /// Whom it is for.
        destination: &'p [u8],
        /// Who sends it.
        source: &'p [u8],
    },
    /// A short header: the destination's id begins here, and where it ends only who issued it knows.
    Short {
        /// The id and all that follows it.
        from: &'p [u8],
    },
}

/// The ids of the first packet in a datagram's data; `None` where a long header is cut short.
#[inline]
#[must_use]
pub fn ids(data: &[u8]) -> Option<Ids<'_>> {
    let (first, rest) = data.split_first()?;
    if first & LONG == 0 {
        return Some(Ids::Short { from: rest });
    }
    let (version, rest) = rest.split_first_chunk::<4>()?;
    let (destination, rest) = counted(rest)?;
    let (source, _) = counted(rest)?;
    Some(Ids::Long { version: u32::from_be_bytes(*version), destination, source })
}

/// As many bytes as the first one says, and what follows them.
#[inline]
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*len))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

    use super::{Ids, ids};
    use proptest::prelude::{any, prop, proptest};

    /// The places of RFC 8999 §5.1 and §5.2, by counting; `None` is where one of them lies behind the end.
    fn check(data: &[u8]) {
        let is_long = data.first().is_some_and(|first| *first >= 0x80);
        let len_at = |at: usize| data.get(at).map(|len| usize::from(*len));
        let second = len_at(5).map(|len| 6 + len);
        let end = second.and_then(|at| Some(at + 1 + len_at(at)?)).filter(|end| *end <= data.len());
        match ids(data) {
            None => assert!(data.is_empty() || is_long && end.is_none(), "{data:02x?}"),
            Some(Ids::Short { from }) => assert!(!is_long && from == &data[1..], "{data:02x?}"),
            Some(Ids::Long { version, destination, source }) => {
                let (second, end) = (second.unwrap(), end.unwrap());
                assert!(is_long);
                assert_eq!(version.to_be_bytes(), data[1..5]);
                assert_eq!((destination, source), (&data[6..second], &data[second + 1..end]));
            }
        }
    }

    #[test]
    fn a_long_header_has_both_ids() {
        // RFC 9001 A.2: the client's first Initial, as its unprotected header says.
        let header = [0xc3, 0, 0, 0, 1, 8, 0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08, 0, 0, 0x44, 0x9e];
        let destination = &[0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08][..];
        assert_eq!(ids(&header), Some(Ids::Long { version: 1, destination, source: &[] }));
        assert_eq!(ids(&header[..14]), None, "the source's length is missing");
        assert_eq!(ids(&header[..13]), None, "the id is cut");
        assert_eq!(ids(&header[1..]), Some(Ids::Short { from: &header[2..] }));
        assert_eq!(ids(&[]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_give_ids_that_lie_within_them(data in prop::collection::vec(any::<u8>(), 0..64)) {
            check(&data);
        }

        /// Ids so short that most are whole.
        #[test]
        fn long_headers_give_their_ids_or_are_cut_short(mut data in prop::collection::vec(any::<u8>(), 1..64), lens in (0_u8..24, 0_u8..24)) {
            data[0] |= 0x80;
            let destination = 6 + usize::from(lens.0);
            data.get_mut(5).into_iter().for_each(|len| *len = lens.0);
            data.get_mut(destination).into_iter().for_each(|len| *len = lens.1);
            check(&data);
        }
    }
}
