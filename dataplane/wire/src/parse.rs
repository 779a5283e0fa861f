//! One look at a packet: offsets, five-tuple, and what kind of packet it is.
//!
//! Lengths come from the IP headers, never from the frame: short frames are padded on the wire. What is
//! wrong with a packet is found here before anybody asks whose packet it is.

use crate::ethernet::{self, Ethernet};
use crate::fragment::{self, Part};
use crate::icmp::{self, Message};
use crate::ipsec::{self, Ah, Esp};
use crate::ipv4::{self, Ipv4};
use crate::ipv6::{self, Ipv6};
use crate::tcp::{self, Flags, Tcp};
use crate::tuple::{Family, FiveTuple, padded, protocol};
use crate::udp::{self, Udp};
use crate::usual::{self, UNTAGGED};

/// The most IPv6 extension headers that are walked.
pub const EXTENSIONS_MAX: usize = 8;
/// The most bytes of them.
pub const EXTENSION_BYTES_MAX: usize = 256;

/// What a packet is, once its headers are known to be sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A TCP segment.
    Tcp,
    /// A UDP datagram.
    Udp,
    /// An ICMP error; the tuple is that of the flow it is about, client to VIP.
    IcmpError,
    /// An ICMP error whose quoted packet does not name a flow of the destination.
    IcmpBadQuote,
    /// IPv6 neighbour discovery.
    NeighbourDiscovery,
    /// An echo request.
    EchoRequest,
    /// Any other ICMP.
    IcmpOther,
    /// The first fragment of a datagram, with its whole transport header; the tuple is the datagram's flow, without
    /// ports where the protocol has none for us.
    FirstFragment,
    /// Any other fragment of it; the tuple has no ports.
    LaterFragment,
    /// A first fragment that ends before its transport header does (RFC 7112 §5, RFC 1858 §3).
    ShortFragment,
    /// A fragment of what is never forwarded whole: of an ICMP message, or of a fragment.
    Fragment,
    /// An ESP packet; its tuple has the SPI for ports.
    Esp,
    /// The same of AH, whatever it protects.
    Ah,
    /// A transport protocol that has no ports for us.
    OtherProtocol,
}

impl Kind {
    /// Whether such a packet may be for us though its destination is no VIP: neighbour discovery asks groups, and errors
    /// come to where tunnels come from.
    #[inline]
    #[must_use]
    pub const fn may_ask(self) -> bool {
        matches!(self, Self::IcmpError | Self::IcmpBadQuote | Self::NeighbourDiscovery)
    }
}

/// Whether a packet is from one to one. One byte, so that the usual answer is one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends(u8);

impl Ends {
    /// From somebody to one of us.
    pub const TWO: Self = Self(0);
    const TO_MANY: u8 = 1;
    const BAD_SOURCE: u8 = 2;

    const fn to_many(is_so: bool) -> Self {
        Self(if is_so { Self::TO_MANY } else { 0 })
    }

    const fn set_bad_source(&mut self, is_so: bool) {
        let bad = if is_so { Self::BAD_SOURCE } else { 0 };
        self.0 = self.0 & Self::TO_MANY | bad;
    }

    /// From somebody to one of us.
    #[inline]
    #[must_use]
    pub const fn are_two(self) -> bool {
        self.0 == 0
    }

    /// The frame is for many at the link layer: broadcast or multicast. One of us may not answer for all.
    #[inline]
    #[must_use]
    pub const fn is_to_many(self) -> bool {
        self.0 & Self::TO_MANY != 0
    }

    /// The source address can be nobody's (RFC 1812 §5.3.7, RFC 4291 §2.5–2.7). Only a packet for a VIP is
    /// refused for it: neighbour discovery and DHCP begin from no address.
    #[inline]
    #[must_use]
    pub const fn is_bad_source(self) -> bool {
        self.0 & Self::BAD_SOURCE != 0
    }
}

/// Offsets and five-tuple: `Copy`, not a borrow, so that the packet stays free to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The flow: for ICMP errors the flow they are about. The destination is always the packet's own.
    pub tuple: FiveTuple,
    /// The tuple's [`tail`](FiveTuple::tail).
    pub tail: u64,
    /// What it is.
    pub kind: Kind,
    /// DSCP and ECN.
    pub tos: u8,
    /// The IPv4 Don't Fragment bit; true for IPv6, whose routers never fragment.
    pub dont_fragment: bool,
    /// What keeps it from being of a flow, whatever its kind.
    pub ends: Ends,
    /// Untagged, unpadded, and not to be fragmented: what most packets are, said once for those that take a
    /// shorter way for it.
    pub is_plain: bool,
    /// TCP flags, zero for all else.
    pub flags: Flags,
    /// Where the IP header begins in the frame.
    pub network_offset: u16,
    /// Where the transport header begins in the frame (the payload, where it has none).
    pub transport_offset: u16,
    /// Bytes of the IP packet, header included.
    pub ip_len: u32,
}

impl Parsed {
    /// Whether the tuple names a flow that a client may have: of any protocol, or by an error about one.
    #[inline]
    #[must_use]
    pub const fn has_flow(&self) -> bool {
        let of_one = matches!(self.kind, Kind::Tcp | Kind::Udp | Kind::IcmpError) || self.is_portless();
        of_one && self.ends.are_two()
    }

    /// Whether its protocol has no ports, and is not ICMP.
    #[inline]
    #[must_use]
    pub const fn is_portless(&self) -> bool {
        matches!(self.kind, Kind::Esp | Kind::Ah | Kind::OtherProtocol)
    }

    /// Whether it is of TCP or UDP, whose flows are found at once: no error about one.
    #[inline]
    #[must_use]
    pub const fn is_of_flow(&self) -> bool {
        matches!(self.kind, Kind::Tcp | Kind::Udp) && self.ends.are_two()
    }

    /// A fragment of what may be somebody's flow.
    #[inline]
    #[must_use]
    pub const fn is_piece(&self) -> bool {
        matches!(self.kind, Kind::FirstFragment | Kind::LaterFragment | Kind::ShortFragment)
            && self.ends.are_two()
    }

    /// All zero: what a packet is parsed into.
    pub const EMPTY: Self = Self {
        tuple: FiveTuple {
            source: [0; 16],
            destination: [0; 16],
            source_port: 0,
            destination_port: 0,
            protocol: 0,
            family: Family::V4,
        },
        tail: 0,
        kind: Kind::OtherProtocol,
        tos: 0,
        dont_fragment: false,
        ends: Ends::TWO,
        is_plain: false,
        flags: Flags(0),
        network_offset: 0,
        transport_offset: 0,
        ip_len: 0,
    };
}

/// Why a frame is not taken further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unparsed {
    /// No IP, or more VLAN tags than two: the kernel's.
    NotIp,
    /// The frame ends before the header that its own lengths promise.
    Truncated,
    /// A header contradicts itself.
    Malformed,
    /// The IPv4 header checksum is wrong.
    BadChecksum,
    /// Too many IPv6 extension headers.
    HeaderChain,
}

/// Parses a frame of `frame_len` bytes whose first segment is `frame`, into `parsed`. All headers must lie
/// in that segment; what is behind it is counted and not read.
///
/// The result is written in place, field by field: built as a value and moved, it would be read back in
/// wider pieces than it was written in, and each such read waits for the stores to drain.
///
/// # Errors
/// [`Unparsed`]: the reason; `parsed` is then worth nothing.
#[inline(always)]
pub fn parse(frame: &[u8], frame_len: usize, parsed: &mut Parsed) -> Result<(), Unparsed> {
    if usual::parse_v4(frame, frame_len, parsed) || usual::parse_v6(frame, frame_len, parsed) {
        return Ok(());
    }
    parse_any(frame, frame_len, parsed)
}

/// Parses any frame.
#[inline(never)]
pub(crate) fn parse_any(frame: &[u8], frame_len: usize, parsed: &mut Parsed) -> Result<(), Unparsed> {
    let Ok(link) = Ethernet::parse(frame) else { return Err(Unparsed::Truncated) };
    parsed.ends = Ends::to_many(frame.first().is_some_and(|first| first & 1 == 1));
    let packet = frame.get(link.len..).ok_or(Unparsed::Truncated)?;
    let room = frame_len.saturating_sub(link.len);
    match link.ethertype {
        ethernet::IPV4 => parse_v4(packet, room, link.len, parsed)?,
        ethernet::IPV6 => parse_v6(packet, room, link.len, parsed)?,
        _ => return Err(Unparsed::NotIp),
    }
    parsed.tail = parsed.tuple.tail();
    let is_padded = parsed.ip_len as usize != room;
    parsed.is_plain = parsed.dont_fragment && link.len == UNTAGGED && !is_padded;
    Ok(())
}

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "offsets are at most 22 + 60, a length at most 65,535")]
fn parse_v4(packet: &[u8], room: usize, network_offset: usize, parsed: &mut Parsed) -> Result<(), Unparsed> {
    let fixed = packet.first_chunk().ok_or(Unparsed::Truncated)?;
    let ip = Ipv4::parse(fixed);
    let header_len = ip.header_len();
    if ip.version() != 4 || header_len < ipv4::HEADER_LEN {
        return Err(Unparsed::Malformed);
    }
    let total_len = usize::from(ip.total_len);
    if total_len < header_len {
        return Err(Unparsed::Malformed);
    }
    if total_len > room {
        return Err(Unparsed::Truncated);
    }
    let packet = packet.get(..total_len).unwrap_or(packet);
    if !ipv4::is_intact(packet.get(..header_len).ok_or(Unparsed::Truncated)?) {
        return Err(Unparsed::BadChecksum);
    }
    parsed.ends.set_bad_source(Ipv4::is_bad_source(ip.source));
    parsed.tuple.source = padded(ip.source);
    parsed.tuple.destination = padded(ip.destination);
    parsed.tuple.family = Family::V4;
    parsed.tos = ip.tos;
    parsed.dont_fragment = ip.fragment & ipv4::DONT_FRAGMENT != 0;
    parsed.network_offset = network_offset as u16;
    parsed.transport_offset = (network_offset + header_len) as u16;
    parsed.ip_len = total_len as u32;
    let payload = packet.get(header_len..).unwrap_or_default();
    if ip.is_fragment() {
        let is_first = ip.fragment & ipv4::OFFSET == 0;
        return piece(is_first, (payload, total_len - header_len), ip.protocol, parsed);
    }
    transport(payload, total_len - header_len, ip.protocol, parsed)
}

#[inline]
#[allow(
    clippy::cast_possible_truncation,
    reason = "offsets are at most 22 + 40 + 256, a length at most 65,575"
)]
fn parse_v6(packet: &[u8], room: usize, network_offset: usize, parsed: &mut Parsed) -> Result<(), Unparsed> {
    let (fixed, payload) = packet.split_first_chunk().ok_or(Unparsed::Truncated)?;
    let ip = Ipv6::parse(fixed);
    if ip.version() != 6 {
        return Err(Unparsed::Malformed);
    }
    let payload_len = usize::from(ip.payload_len);
    if ipv6::HEADER_LEN + payload_len > room {
        return Err(Unparsed::Truncated);
    }
    let payload = payload.get(..payload_len).unwrap_or(payload);
    parsed.ends.set_bad_source(Ipv6::is_bad_source(&ip.source));
    let way = fragment::upper(payload, ip.next_header)?;
    parsed.tuple.source = ip.source;
    parsed.tuple.destination = ip.destination;
    parsed.tuple.family = Family::V6;
    parsed.tos = ip.traffic_class();
    parsed.dont_fragment = true;
    parsed.network_offset = network_offset as u16;
    parsed.transport_offset = (network_offset + ipv6::HEADER_LEN + way.offset) as u16;
    parsed.ip_len = (ipv6::HEADER_LEN + payload_len) as u32;
    let (rest, rest_len) = (payload.get(way.offset..).unwrap_or_default(), payload_len - way.offset);
    match way.part {
        Part::Whole => transport(rest, rest_len, way.protocol, parsed),
        Part::First => piece(true, (rest, rest_len), way.protocol, parsed),
        Part::Later => piece(false, (rest, rest_len), way.protocol, parsed),
        Part::Short => portless(parsed, way.protocol, Kind::ShortFragment),
        Part::Nested => portless(parsed, way.protocol, Kind::Fragment),
    }
}

/// A fragment; `payload` is what the first segment holds of so many bytes.
#[cold]
fn piece(
    is_first: bool,
    (payload, payload_len): (&[u8], usize),
    protocol: u8,
    parsed: &mut Parsed,
) -> Result<(), Unparsed> {
    let header_len = match (protocol, parsed.tuple.family) {
        // Echo requests and errors are asked whole, and so is what a VIP's neighbours say.
        (protocol::ICMP, Family::V4) | (protocol::ICMPV6, Family::V6) => {
            return portless(parsed, protocol, Kind::Fragment);
        }
        _ if !is_first => return portless(parsed, protocol, Kind::LaterFragment),
        (protocol::TCP, _) => tcp::HEADER_LEN,
        (protocol::UDP, _) => udp::HEADER_LEN,
        _ => return portless(parsed, protocol, Kind::FirstFragment),
    };
    if payload_len < header_len {
        return portless(parsed, protocol, Kind::ShortFragment);
    }
    // The datagram is longer than this part of it, so a length may say more than there is.
    transport(payload, usize::from(u16::MAX), protocol, parsed)?;
    let header_len = match parsed.kind {
        Kind::Tcp => payload.get(12).map_or(0, |words| usize::from(words >> 4) * 4),
        _ => header_len,
    };
    parsed.kind = if header_len <= payload_len { Kind::FirstFragment } else { Kind::ShortFragment };
    if parsed.kind == Kind::ShortFragment { portless(parsed, protocol, Kind::ShortFragment) } else { Ok(()) }
}

/// A packet without ports for us.
#[inline]
fn portless(parsed: &mut Parsed, protocol: u8, kind: Kind) -> Result<(), Unparsed> {
    parsed.tuple.protocol = protocol;
    (parsed.tuple.source_port, parsed.tuple.destination_port) = (0, 0);
    parsed.kind = kind;
    parsed.flags = Flags::default();
    Ok(())
}

/// `payload` is what the first segment holds of `payload_len` bytes.
#[inline]
fn transport(payload: &[u8], payload_len: usize, protocol: u8, parsed: &mut Parsed) -> Result<(), Unparsed> {
    match (protocol, parsed.tuple.family) {
        (protocol::TCP, _) => {
            let tcp = Tcp::parse(payload.first_chunk().ok_or(Unparsed::Truncated)?);
            if tcp.header_len < tcp::HEADER_LEN || tcp.header_len > payload_len {
                return Err(Unparsed::Malformed);
            }
            parsed.tuple.protocol = protocol;
            parsed.tuple.source_port = tcp.source_port;
            parsed.tuple.destination_port = tcp.destination_port;
            parsed.kind = Kind::Tcp;
            parsed.flags = tcp.flags;
            Ok(())
        }
        (protocol::UDP, _) => {
            let udp = Udp::parse(payload.first_chunk().ok_or(Unparsed::Truncated)?);
            if usize::from(udp.len) < udp::HEADER_LEN || usize::from(udp.len) > payload_len {
                return Err(Unparsed::Malformed);
            }
            parsed.tuple.protocol = protocol;
            parsed.tuple.source_port = udp.source_port;
            parsed.tuple.destination_port = udp.destination_port;
            parsed.kind = Kind::Udp;
            parsed.flags = Flags::default();
            Ok(())
        }
        (protocol::ICMP, Family::V4) | (protocol::ICMPV6, Family::V6) => icmp(payload, protocol, parsed),
        (protocol::ESP | protocol::AH, _) => association(payload, payload_len, protocol, parsed),
        _ => portless(parsed, protocol, Kind::OtherProtocol),
    }
}

/// A packet of IPsec: its security association stands where others have ports.
#[inline(never)]
fn association(
    payload: &[u8],
    payload_len: usize,
    protocol: u8,
    parsed: &mut Parsed,
) -> Result<(), Unparsed> {
    let (kind, least) = if protocol == protocol::ESP { (Kind::Esp, Esp::LEN) } else { (Kind::Ah, Ah::LEN) };
    if payload_len < least {
        return Err(Unparsed::Malformed);
    }
    let (spi, is_sound) = if kind == Kind::Esp {
        let esp = Esp::parse(payload.first_chunk().ok_or(Unparsed::Truncated)?);
        (esp.spi, esp.is_sound())
    } else {
        let ah = Ah::parse(payload.first_chunk().ok_or(Unparsed::Truncated)?);
        (ah.spi, ah.is_sound(payload_len))
    };
    if !is_sound {
        return Err(Unparsed::Malformed);
    }
    portless(parsed, protocol, kind)?;
    (parsed.tuple.source_port, parsed.tuple.destination_port) = ipsec::as_ports(spi);
    Ok(())
}

#[inline(never)]
fn icmp(payload: &[u8], protocol: u8, parsed: &mut Parsed) -> Result<(), Unparsed> {
    let (head, quote) = payload.split_first_chunk::<{ icmp::HEADER_LEN }>().ok_or(Unparsed::Truncated)?;
    let [kind, ..] = *head;
    let family = parsed.tuple.family;
    let kind = match icmp::message(family, kind) {
        Message::EchoRequest => Kind::EchoRequest,
        Message::NeighbourDiscovery => Kind::NeighbourDiscovery,
        Message::Other => Kind::IcmpOther,
        Message::Error => match icmp::quoted(family, quote) {
            Some(sent) if sent.source == parsed.tuple.destination => {
                parsed.tuple = sent.reversed();
                parsed.kind = Kind::IcmpError;
                parsed.flags = Flags::default();
                return Ok(());
            }
            _ => Kind::IcmpBadQuote,
        },
    };
    portless(parsed, protocol, kind)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Kind, Parsed, Unparsed};
    use crate::tuple::Family;
    use proptest::prelude::{any, proptest};

    fn parse(frame: &[u8], frame_len: usize) -> Result<Parsed, Unparsed> {
        let mut parsed = Parsed::EMPTY;
        super::parse(frame, frame_len, &mut parsed).map(|()| parsed)
    }

    pub(crate) fn udp_frame() -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        let mut ip = vec![0x45, 0x2e, 0, 29, 0, 1, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7];
        let sum = crate::checksum::of(&ip);
        ip[10..12].copy_from_slice(&sum);
        frame.extend(ip);
        frame.extend([0x1f, 0x90, 0, 53, 0, 9, 0, 0, b'q']);
        frame.resize(60, 0);
        frame
    }

    pub(crate) fn udp6_frame() -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x62, 0xe0, 0, 0, 0, 20, 17, 64];
        frame.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        frame.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        frame.extend([0x1f, 0x90, 0, 53, 0, 20, 0, 0, 1, 2, 3, 4, 0x50, 2, 7, 8, 9, 10, 11, 12]);
        frame
    }

    #[test]
    fn a_padded_udp_packet_is_as_long_as_its_ip_header_says() {
        let parsed = parse(&udp_frame(), 60).unwrap();
        assert_eq!(parsed.kind, Kind::Udp);
        assert_eq!((parsed.network_offset, parsed.transport_offset, parsed.ip_len), (14, 34, 29));
        assert_eq!((parsed.tos, parsed.dont_fragment), (0x2e, true));
        assert_eq!(parsed.tuple.source_ip().to_string(), "192.0.2.1");
        assert_eq!(parsed.tuple.destination_ip().to_string(), "198.51.100.7");
        assert_eq!((parsed.tuple.source_port, parsed.tuple.destination_port), (8080, 53));
        assert_eq!(parsed.tuple.family, Family::V4);
    }

    #[test]
    fn every_cut_of_a_good_frame_is_truncated() {
        let frame = udp_frame();
        for len in 0..43 {
            assert_eq!(parse(&frame[..len], len), Err(Unparsed::Truncated), "at {len}");
        }
        assert!(parse(&frame[..43], 43).is_ok());
        assert!(parse(&frame[..42], 43).is_ok(), "a byte of payload in the next segment");
        assert_eq!(parse(&frame[..41], 43), Err(Unparsed::Truncated), "a header in two segments");
    }

    #[test]
    fn an_association_stands_where_ports_do_and_what_is_none_is_malformed() {
        let of = |protocol: u8, payload: &[u8], len: usize| {
            let mut frame = udp_frame()[..34].to_vec();
            frame[17] = u8::try_from(20 + payload.len()).unwrap();
            (frame[23], frame[24], frame[25]) = (protocol, 0, 0);
            let sum = crate::checksum::of(&frame[14..34]);
            frame[24..26].copy_from_slice(&sum);
            frame.extend(payload);
            parse(&frame[..len.min(frame.len())], frame.len())
        };
        let esp = of(50, &[0, 1, 0, 2, 0, 0, 0, 1, 7], 99).unwrap();
        assert_eq!((esp.kind, esp.tuple.protocol), (Kind::Esp, 50));
        assert_eq!((esp.tuple.source_port, esp.tuple.destination_port), (1, 2));
        assert_eq!(esp.tail, esp.tuple.tail());
        assert!(esp.has_flow() && esp.is_portless() && !esp.is_of_flow());
        let ah = of(51, &[6, 1, 0, 0, 9, 8, 7, 6, 0, 0, 0, 1], 99).unwrap();
        assert_eq!((ah.kind, ah.tuple.source_port, ah.tuple.destination_port), (Kind::Ah, 0x0908, 0x0706));
        for (protocol, payload) in [
            (50, &[0, 0, 0, 0, 0, 0, 0, 1][..]),
            (50, &[0, 0, 0, 1, 0, 0, 0]),
            (51, &[6, 2, 0, 0, 9, 8, 7, 6, 0, 0, 0, 1]),
            (51, &[6, 0, 0, 0, 9, 8, 7, 6, 0, 0, 0, 1]),
            (51, &[6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            (51, &[6, 1, 0, 0, 9, 8, 7, 6]),
        ] {
            assert_eq!(of(protocol, payload, 99), Err(Unparsed::Malformed), "{protocol} {payload:?}");
        }
        assert_eq!(of(50, &[0, 1, 0, 2, 0, 0, 0, 1, 7], 41), Err(Unparsed::Truncated));
        assert_eq!(of(132, &[0; 3], 99).unwrap().kind, Kind::OtherProtocol);
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_value_or_a_reason(frame in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&frame, frame.len());
        }

        /// Random bytes seldom get past the ethertype; damaged good packets do.
        #[test]
        fn damaged_packets_stay_in_their_bounds(at in 0usize..60, bits in any::<u8>(), cut in 0usize..60, kind in 0u8..6) {
            let mut frame = udp_frame();
            match kind {
                0 => frame[23] = 6,
                1 => frame[23] = 1,
                4 => frame[23] = 50,
                5 => frame[23] = 51,
                2 => { frame[12] = 0x86; frame[13] = 0xdd; frame[14] = 0x60; }
                _ => {}
            }
            frame[at] ^= bits;
            frame[24] = 0;
            frame[25] = 0;
            let sum = crate::checksum::of(&frame[14..34]);
            frame[24..26].copy_from_slice(&sum);
            frame.truncate(cut);
            if let Ok(parsed) = parse(&frame, frame.len()) {
                let end = usize::from(parsed.network_offset) + parsed.ip_len as usize;
                assert!(end <= frame.len());
                assert!(usize::from(parsed.transport_offset) <= end);
            }
        }
    }
}
