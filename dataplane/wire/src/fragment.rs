//! Fragments: which part of which datagram a packet is (RFC 791 §3.2, RFC 8200 §4.5).
//!
//! ```text
//! |  Next Header  |   Reserved    |      Fragment Offset    |Res|M|
//! |                         Identification                        |
//! ```
//!
//! An IPv6 packet with a fragment header that is the first and the last of its datagram is a whole packet
//! (RFC 6946, RFC 8200 §4.5).

use crate::ipv4::{self, Ipv4};
use crate::ipv6::{self, FRAGMENT_LEN, Ipv6, Walk};
use crate::parse::{EXTENSION_BYTES_MAX, EXTENSIONS_MAX, Parsed, Unparsed};
use crate::tuple::Family;

/// The most bytes that a reassembled packet's length field can say.
const LEN_MAX: u32 = u16::MAX as u32;

/// The fragment header of IPv6, as the wire has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the datagram's first fragment begins with.
    pub next_header: u8,
    /// Kept, not judged.
    pub reserved: u8,
    /// Offset in units of 8 bytes in the upper thirteen bits, two reserved bits, and More Fragments.
    pub fragment: u16,
    /// Names the fragments of one packet.
    pub identification: u32,
}

impl Header {
    /// The value of eight bytes.
    #[must_use]
    pub const fn parse(bytes: &[u8; FRAGMENT_LEN]) -> Self {
        let &[next_header, reserved, f0, f1, i0, i1, i2, i3] = bytes;
        Self {
            next_header,
            reserved,
            fragment: u16::from_be_bytes([f0, f1]),
            identification: u32::from_be_bytes([i0, i1, i2, i3]),
        }
    }

    /// The eight bytes of this value.
    #[must_use]
    pub const fn emit(&self) -> [u8; FRAGMENT_LEN] {
        let [f0, f1] = self.fragment.to_be_bytes();
        let [i0, i1, i2, i3] = self.identification.to_be_bytes();
        [self.next_header, self.reserved, f0, f1, i0, i1, i2, i3]
    }

    /// Where the fragment stands in its datagram, in units of 8 bytes.
    #[must_use]
    pub const fn offset(&self) -> u16 {
        self.fragment >> 3
    }

    /// Whether others follow.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        self.fragment & 1 == 1
    }
}

/// How much of a datagram an IPv6 packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// The first fragment.
    First,
    /// Another.
    Later,
    /// The first, but its headers go on in the next (RFC 7112 §5).
    Short,
    /// A fragment of a fragment.
    Nested,
}

/// Where the transport header of an IPv6 packet begins, or what a later fragment carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) part: Part,
    pub(crate) protocol: u8,
    /// In the payload.
    pub(crate) offset: usize,
}

/// Walks the extension headers of an IPv6 packet with this payload, a fragment header among them.
#[inline]
pub(crate) fn upper(payload: &[u8], next_header: u8) -> Result<Way, Unparsed> {
    match ipv6::walk(payload, next_header, EXTENSIONS_MAX, EXTENSION_BYTES_MAX) {
        Walk::Upper(protocol, offset) => Ok(Way { part: Part::Whole, protocol, offset }),
        Walk::Fragment(at, headers) => behind(payload, at, headers),
        Walk::Cut => Err(Unparsed::Truncated),
        Walk::TooLong => Err(Unparsed::HeaderChain),
    }
}

/// The same from the fragment header on.
#[cold]
fn behind(payload: &[u8], at: usize, headers: usize) -> Result<Way, Unparsed> {
    let header =
        Header::parse(payload.get(at..).and_then(|rest| rest.first_chunk()).ok_or(Unparsed::Truncated)?);
    let offset = at + FRAGMENT_LEN;
    let part = match (header.offset(), header.has_more()) {
        (0, false) => Part::Whole,
        (0, true) => Part::First,
        _ => return Ok(Way { part: Part::Later, protocol: header.next_header, offset }),
    };
    let rest = payload.get(offset..).unwrap_or_default();
    let (headers_max, bytes_max) = (EXTENSIONS_MAX - headers - 1, EXTENSION_BYTES_MAX - offset);
    match ipv6::walk(rest, header.next_header, headers_max, bytes_max) {
        Walk::Upper(protocol, more) => Ok(Way { part, protocol, offset: offset + more }),
        Walk::Fragment(..) => Ok(Way { part: Part::Nested, protocol: ipv6::extension::FRAGMENT, offset }),
        Walk::Cut if part == Part::First => {
            Ok(Way { part: Part::Short, protocol: header.next_header, offset })
        }
        Walk::Cut => Err(Unparsed::Truncated),
        Walk::TooLong => Err(Unparsed::HeaderChain),
    }
}

/// One fragment's place in its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Names the datagram, beside its addresses and, of IPv4, its protocol.
    pub identification: u32,
    /// Bytes of the datagram before it: a multiple of 8.
    pub offset: u32,
    /// Bytes of the datagram in it.
    pub len: u32,
    /// Whether others follow.
    pub has_more: bool,
    /// Bytes that the reassembled packet's length would count beside the datagram: the header of IPv4, the extension
    /// headers before the fragment header of IPv6.
    pub beside: u32,
}

impl Piece {
    /// Bytes of the datagram up to its end.
    #[must_use]
    pub const fn end(&self) -> u32 {
        self.offset + self.len
    }

    /// Whether it can be part of any datagram: there is something in it, in eights of bytes where others follow, and
    /// the whole is no longer than a packet may be (RFC 791 §3.2, RFC 8200 §4.5).
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.len > 0 && (!self.has_more || self.len.is_multiple_of(8)) && self.beside + self.end() <= LEN_MAX
    }
}

/// The place of a fragment; `parsed` is what was read of `frame`. `None` if it is none.
#[must_use]
#[cold]
pub fn of(frame: &[u8], parsed: &Parsed) -> Option<Piece> {
    let packet = frame.get(usize::from(parsed.network_offset)..)?;
    match parsed.tuple.family {
        Family::V4 => {
            let ip = Ipv4::parse(packet.first_chunk()?);
            let beside = u32::try_from(ip.header_len()).ok()?;
            ip.is_fragment().then_some(Piece {
                identification: u32::from(ip.identification),
                offset: u32::from(ip.fragment & ipv4::OFFSET) * 8,
                len: parsed.ip_len.saturating_sub(beside),
                has_more: ip.fragment & ipv4::MORE_FRAGMENTS != 0,
                beside,
            })
        }
        Family::V6 => {
            let (head, payload) = packet.split_first_chunk()?;
            let next = Ipv6::parse(head).next_header;
            let Walk::Fragment(at, _) = ipv6::walk(payload, next, EXTENSIONS_MAX, EXTENSION_BYTES_MAX) else {
                return None;
            };
            let header = Header::parse(payload.get(at..)?.first_chunk()?);
            let before = u32::try_from(ipv6::HEADER_LEN + at + FRAGMENT_LEN).ok()?;
            let is_whole = header.offset() == 0 && !header.has_more();
            (!is_whole).then_some(Piece {
                identification: header.identification,
                offset: u32::from(header.offset()) * 8,
                len: parsed.ip_len.saturating_sub(before),
                has_more: header.has_more(),
                beside: u32::try_from(at).ok()?,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Header, Piece, of};
    use crate::parse::tests::{udp_frame, udp6_frame};
    use crate::parse::{Kind, Parsed, Unparsed, parse};
    use proptest::prelude::{any, proptest};

    fn read(frame: &[u8]) -> Result<Parsed, Unparsed> {
        let mut parsed = Parsed::EMPTY;
        parse(frame, frame.len(), &mut parsed).map(|()| parsed)
    }

    /// An IPv4 packet of `protocol`, with these flags and this offset in units, in front of `payload`.
    fn v4(protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
        let mut frame = udp_frame()[..34].to_vec();
        frame[16..18].copy_from_slice(&u16::try_from(20 + payload.len()).unwrap().to_be_bytes());
        frame[18..20].copy_from_slice(&[7, 9]);
        frame[20..22].copy_from_slice(&fragment.to_be_bytes());
        frame[23] = protocol;
        frame[24..26].fill(0);
        let sum = crate::checksum::of(&frame[14..34]);
        frame[24..26].copy_from_slice(&sum);
        frame.extend_from_slice(payload);
        frame
    }

    /// An IPv6 packet whose fragment header says so.
    fn v6(next_header: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
        let header = Header { next_header, reserved: 0, fragment, identification: 0x0102_0304 };
        let mut frame = udp6_frame()[..54].to_vec();
        frame[18..20].copy_from_slice(&u16::try_from(8 + payload.len()).unwrap().to_be_bytes());
        frame[20] = 44;
        frame.extend(header.emit());
        frame.extend_from_slice(payload);
        frame
    }

    const UDP: [u8; 16] = [0x1f, 0x90, 0, 53, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    #[test]
    fn a_first_fragment_has_its_flow_and_a_later_one_has_none() {
        let first = read(&v4(17, 0x2000, &UDP)).unwrap();
        assert_eq!(
            (first.kind, first.tuple.source_port, first.tuple.destination_port),
            (Kind::FirstFragment, 8080, 53)
        );
        let later = read(&v4(17, 0x0002, &UDP)).unwrap();
        assert_eq!(
            (later.kind, later.tuple.source_port, later.tuple.destination_port),
            (Kind::LaterFragment, 0, 0)
        );
        let first = read(&v6(17, 1, &UDP)).unwrap();
        assert_eq!(
            (first.kind, first.tuple.source_port, first.transport_offset),
            (Kind::FirstFragment, 8080, 62)
        );
        let later = read(&v6(17, 8 | 1, &UDP)).unwrap();
        assert_eq!(
            (later.kind, later.tuple.source_port, later.transport_offset),
            (Kind::LaterFragment, 0, 62)
        );
        let atomic = read(&v6(17, 0, &[0x1f, 0x90, 0, 53, 0, 16, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])).unwrap();
        assert_eq!((atomic.kind, atomic.tuple.destination_port), (Kind::Udp, 53));
        assert_eq!(of(&v6(17, 0, &UDP), &atomic), None);
    }

    #[test]
    fn a_first_fragment_needs_its_whole_transport_header() {
        let mut tcp = [0_u8; 40];
        tcp[12] = 0x50;
        assert_eq!(read(&v4(6, 0x2000, &tcp[..24])).unwrap().kind, Kind::FirstFragment);
        assert_eq!(read(&v4(6, 0x2000, &tcp[..16])).unwrap().kind, Kind::ShortFragment);
        tcp[12] = 0x80;
        assert_eq!(read(&v4(6, 0x2000, &tcp[..24])).unwrap().kind, Kind::ShortFragment);
        assert_eq!(read(&v4(6, 0x2000, &tcp[..32])).unwrap().kind, Kind::FirstFragment);
        tcp[12] = 0x40;
        assert_eq!(read(&v4(6, 0x2000, &tcp[..32])), Err(Unparsed::Malformed));
        assert_eq!(
            read(&v6(60, 1, &[17, 1, 0, 0, 0, 0, 0, 0])).unwrap().kind,
            Kind::ShortFragment,
            "its options go on"
        );
        assert_eq!(read(&v6(44, 1, &[0; 16])).unwrap().kind, Kind::Fragment, "a fragment of a fragment");
        assert_eq!(read(&v4(1, 0x2000, &tcp)).unwrap().kind, Kind::Fragment, "an echo request, perhaps");
        assert_eq!(read(&v6(58, 8, &tcp)).unwrap().kind, Kind::Fragment);
    }

    #[test]
    fn a_piece_says_where_it_stands() {
        let frame = v4(17, 0x2003, &UDP);
        let piece = of(&frame, &read(&frame).unwrap()).unwrap();
        let expected = Piece { identification: 0x0709, offset: 24, len: 16, has_more: true, beside: 20 };
        assert_eq!(piece, expected);
        assert!(piece.is_sound());
        assert!(!Piece { len: 15, ..piece }.is_sound() && !Piece { len: 0, ..piece }.is_sound());
        assert!(Piece { len: 15, has_more: false, ..piece }.is_sound());
        assert!(Piece { offset: 65_496, len: 19, has_more: false, ..piece }.is_sound());
        assert!(!Piece { offset: 65_496, len: 20, has_more: false, ..piece }.is_sound(), "beyond any packet");
        let frame = v6(17, 5 << 3, &UDP);
        let piece = of(&frame, &read(&frame).unwrap()).unwrap();
        let expected = Piece { identification: 0x0102_0304, offset: 40, len: 16, has_more: false, beside: 0 };
        assert_eq!(piece, expected);
    }

    proptest! {
        #[test]
        fn emit_gives_back_what_parse_took(bytes in any::<[u8; 8]>()) {
            assert_eq!(Header::parse(&bytes).emit(), bytes);
        }

        /// Whatever the bytes are: who is said to be a piece has a place, within its packet, and nobody else has.
        #[test]
        fn every_fragment_and_no_other_packet_has_a_place(
            six in any::<bool>(), next in any::<u8>(), fragment in any::<u16>(), payload in proptest::collection::vec(any::<u8>(), 0..90),
        ) {
            let frame = if six { v6(next, fragment, &payload) } else { v4(next, fragment & 0x3fff, &payload) };
            let Ok(parsed) = read(&frame) else { return Ok(()) };
            let is_fragment = matches!(
                parsed.kind, Kind::FirstFragment | Kind::LaterFragment | Kind::ShortFragment | Kind::Fragment
            );
            let piece = of(&frame, &parsed);
            assert!(!is_fragment || piece.is_some() || parsed.kind == Kind::Fragment);
            assert!(piece.is_none() || is_fragment);
            if let Some(piece) = piece {
                assert!(piece.len as usize == payload.len());
                assert_eq!(parsed.kind == Kind::LaterFragment, piece.offset > 0 && parsed.kind != Kind::Fragment);
            }
        }
    }
}
