//! The connection ids of a QUIC packet, in every version (RFC 8999).
//!
//! ```text
//! |1|  any  |      Version (32)      | DCID length (8) | DCID … | SCID length (8) | SCID … |
//! |0|  any  |  DCID, whose length the receiver knows …
//! ```

/// Bytes of the longest connection id in versions 1 and 2 (RFC 9000 §17.2).
pub const CONNECTION_ID_BYTES_MAX: usize = 20;

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
    use super::{Ids, ids};
    use proptest::prelude::{any, prop, proptest};

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
            match ids(&data) {
                Some(Ids::Long { destination, source, .. }) => {
                    assert!(7 + destination.len() + source.len() <= data.len());
                }
                Some(Ids::Short { from }) => assert_eq!(from.len() + 1, data.len()),
                None => assert!(data.len() < 7 + 255 + 255),
            }
        }
    }
}
