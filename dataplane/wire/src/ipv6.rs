//! IPv6 (RFC 8200 §3) and a bounded walk over its extension headers (§4).
//!
//! ```text
//! |Version| Traffic Class |           Flow Label                  |
//! |         Payload Length        |  Next Header  |   Hop Limit   |
//! |                       Source Address (16)                     |
//! |                    Destination Address (16)                   |
//! ```

/// Bytes of the fixed header.
pub const HEADER_LEN: usize = 40;

/// Extension headers that are walked.
pub mod extension {
    /// Hop-by-hop options.
    pub const HOP_BY_HOP: u8 = 0;
    /// Routing.
    pub const ROUTING: u8 = 43;
    /// Fragment.
    pub const FRAGMENT: u8 = 44;
    /// Destination options.
    pub const DESTINATION: u8 = 60;
}

/// Bytes of a fragment header.
pub const FRAGMENT_LEN: usize = 8;

/// The fixed header, as the wire has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv6 {
    /// Version, traffic class and flow label together.
    pub version_class_label: u32,
    /// Everything behind this header, bytes.
    pub payload_len: u16,
    /// What follows.
    pub next_header: u8,
    /// Hop limit.
    pub hop_limit: u8,
    /// Source address.
    pub source: [u8; 16],
    /// Destination address.
    pub destination: [u8; 16],
}

impl Ipv6 {
    /// The value of forty bytes.
    #[inline]
    #[must_use]
    pub fn parse(bytes: &[u8; HEADER_LEN]) -> Self {
        let &[a, b, c, d, l0, l1, next_header, hop_limit, ref addresses @ ..] = bytes;
        let mut source = [0; 16];
        let mut destination = [0; 16];
        let (first, second) = addresses.split_at(16);
        source.copy_from_slice(first);
        destination.copy_from_slice(second);
        Self {
            version_class_label: u32::from_be_bytes([a, b, c, d]),
            payload_len: u16::from_be_bytes([l0, l1]),
            next_header,
            hop_limit,
            source,
            destination,
        }
    }

    /// The forty bytes of this value.
    #[must_use]
    pub fn emit(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let (head, addresses) = bytes.split_at_mut(8);
        let [a, b, c, d] = self.version_class_label.to_be_bytes();
        let [l0, l1] = self.payload_len.to_be_bytes();
        head.copy_from_slice(&[a, b, c, d, l0, l1, self.next_header, self.hop_limit]);
        let (source, destination) = addresses.split_at_mut(16);
        source.copy_from_slice(&self.source);
        destination.copy_from_slice(&self.destination);
        bytes
    }

    /// The version field.
    #[inline]
    #[must_use]
    pub const fn version(&self) -> u8 {
        (self.version_class_label >> 28) as u8
    }

    /// DSCP and ECN.
    #[inline]
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "eight bits are taken on purpose")]
    pub const fn traffic_class(&self) -> u8 {
        (self.version_class_label >> 20) as u8
    }

    /// Whether such an address can be nobody's source: ::, ::1, multicast (RFC 4291 §2.5–2.7).
    #[inline]
    #[must_use]
    pub const fn is_bad_source(address: &[u8; 16]) -> bool {
        let [first, ..] = *address;
        first == 0xff || u128::from_be_bytes(*address) <= 1
    }
}

/// Where the walk over extension headers ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// At a header that is not walked: its protocol and its offset in the payload.
    Upper(u8, usize),
    /// At a fragment header, which is there: its offset in the payload, and how many headers stand before it.
    Fragment(usize, usize),
    /// The payload ends inside a header.
    Cut,
    /// More headers, or more bytes of them, than the limits allow.
    TooLong,
}

/// Walks the extension headers in `payload`, at most `headers_max` of them and `bytes_max` bytes.
#[inline]
#[must_use]
pub fn walk(payload: &[u8], next_header: u8, headers_max: usize, bytes_max: usize) -> Walk {
    let mut next = next_header;
    let mut offset = 0;
    for headers in 0..=headers_max {
        match next {
            extension::FRAGMENT if headers == headers_max || offset + FRAGMENT_LEN > bytes_max => {
                return Walk::TooLong;
            }
            extension::FRAGMENT if offset + FRAGMENT_LEN > payload.len() => return Walk::Cut,
            extension::FRAGMENT => return Walk::Fragment(offset, headers),
            extension::HOP_BY_HOP | extension::ROUTING | extension::DESTINATION => {}
            upper => return Walk::Upper(upper, offset),
        }
        let Some(&[following, words, ..]) = payload.get(offset..).and_then(|rest| rest.first_chunk::<8>())
        else {
            return Walk::Cut;
        };
        offset += (usize::from(words) + 1) * 8;
        if offset > bytes_max {
            return Walk::TooLong;
        }
        if offset > payload.len() {
            return Walk::Cut;
        }
        next = following;
    }
    Walk::TooLong
}

#[cfg(test)]
mod tests {
    use super::{Ipv6, Walk, walk};
    use proptest::prelude::{any, proptest};

    proptest! {
        #[test]
        fn emit_gives_back_what_parse_took(bytes in proptest::array::uniform32(any::<u8>()), tail in any::<[u8; 8]>()) {
            let mut all = [0; 40];
            all[..32].copy_from_slice(&bytes);
            all[32..].copy_from_slice(&tail);
            assert_eq!(Ipv6::parse(&all).emit(), all);
        }

        #[test]
        fn the_walk_ends_whatever_the_bytes_are(payload in proptest::collection::vec(any::<u8>(), 0..400), next in any::<u8>()) {
            match walk(&payload, next, 8, 256) {
                Walk::Upper(_, offset) => assert!(offset <= payload.len() && offset <= 256),
                Walk::Fragment(offset, headers) => assert!(offset + 8 <= payload.len().min(256) && headers < 8),
                Walk::Cut | Walk::TooLong => {}
            }
        }
    }

    #[test]
    fn the_walk_is_bounded_in_headers_and_in_bytes() {
        let chain = |count: usize| {
            let mut bytes = Vec::new();
            for index in 0..count {
                bytes.extend_from_slice(&[if index + 1 == count { 6 } else { 60 }, 0, 0, 0, 0, 0, 0, 0]);
            }
            bytes
        };
        assert_eq!(walk(&chain(8), 60, 8, 256), Walk::Upper(6, 64));
        assert_eq!(walk(&chain(9), 60, 8, 256), Walk::TooLong);
        let mut long = vec![0u8; 264];
        long[0] = 6;
        long[1] = 31;
        assert_eq!(walk(&long, 60, 8, 256), Walk::Upper(6, 256));
        long[1] = 32;
        assert_eq!(walk(&long, 60, 8, 256), Walk::TooLong);
        assert_eq!(walk(&chain(2)[..15], 60, 8, 256), Walk::Cut);
    }
}
