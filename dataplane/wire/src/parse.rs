//! One look at a packet: offsets, five-tuple, and what kind of packet it is.
//!
//! Lengths come from the IP headers, never from the frame: short frames are padded on the wire. What is
//! wrong with a packet is found here before anybody asks whose packet it is.

use crate::ethernet::{self, Ethernet};
use crate::icmp::{self, Message};
use crate::ipv4::{self, Ipv4};
use crate::ipv6::{self, Ipv6, Walk};
use crate::tcp::{self, Flags, Tcp};
use crate::tuple::{Family, FiveTuple, packed_v6_tuple, padded, protocol};
use crate::udp::{self, Udp};

/// The most IPv6 extension headers that are walked.
pub const EXTENSIONS_MAX: usize = 8;
/// The most bytes of them.
pub const EXTENSION_BYTES_MAX: usize = 256;

/// What a packet is, once its headers are known to be sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A TCP segment.
    Tcp,
    /// A UDP datagram.
    Udp,
    /// An ICMP error; the tuple is that of the flow it is about, client to VIP.
    IcmpError,
    /// An ICMP error whose quoted packet does not name a flow of the destination.
    IcmpBadQuote,
    /// An echo request.
    EchoRequest,
    /// IPv6 neighbour discovery.
    NeighbourDiscovery,
    /// Any other ICMP.
    IcmpOther,
    /// Any fragment, the first one too.
    Fragment,
    /// A transport protocol that has no ports for us.
    #[default]
    OtherProtocol,
}

/// Offsets and five-tuple: `Copy`, not a borrow, so that the packet stays free to change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The flow: for ICMP errors the flow they are about. The destination is always the packet's own.
    pub tuple: FiveTuple,
    /// What it is.
    pub kind: Kind,
    /// DSCP and ECN.
    pub tos: u8,
    /// The IPv4 Don't Fragment bit; true for IPv6, whose routers never fragment.
    pub dont_fragment: bool,
    /// TCP flags, zero for all else.
    pub flags: Flags,
    /// Where the IP header begins in the frame.
    pub network_offset: u16,
    /// Where the transport header begins in the frame (the payload, where it has none).
    pub transport_offset: u16,
    /// Bytes of the IP packet, header included.
    pub ip_len: u32,
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
    /// The source address can be nobody's.
    BadSource,
    /// Too many IPv6 extension headers.
    HeaderChain,
}

/// Parses a frame of `frame_len` bytes whose first segment is `frame`. All headers must lie in that
/// segment; what is behind it is counted and not read.
///
/// # Errors
/// [`Unparsed`]: the reason.
#[inline]
pub fn parse(frame: &[u8], frame_len: usize) -> Result<Parsed, Unparsed> {
    let Ok(link) = Ethernet::parse(frame) else { return Err(Unparsed::Truncated) };
    let packet = frame.get(link.len..).ok_or(Unparsed::Truncated)?;
    let room = frame_len.saturating_sub(link.len);
    match link.ethertype {
        ethernet::IPV4 => parse_v4(packet, room, link.len),
        ethernet::IPV6 => parse_v6(packet, room, link.len),
        _ => Err(Unparsed::NotIp),
    }
}

#[inline]
fn parse_v4(packet: &[u8], room: usize, network_offset: usize) -> Result<Parsed, Unparsed> {
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
    // The length of most headers is a constant to the compiler this way, and the sum unrolls.
    let intact = if header_len == ipv4::HEADER_LEN {
        ipv4::is_intact(fixed)
    } else {
        ipv4::is_intact(packet.get(..header_len).ok_or(Unparsed::Truncated)?)
    };
    if !intact {
        return Err(Unparsed::BadChecksum);
    }
    if Ipv4::is_bad_source(ip.source) {
        return Err(Unparsed::BadSource);
    }
    let tuple = FiveTuple {
        source: padded(ip.source),
        destination: padded(ip.destination),
        source_port: 0,
        destination_port: 0,
        protocol: ip.protocol,
        family: Family::V4,
    };
    let network = Network {
        tuple,
        tos: ip.tos,
        dont_fragment: ip.fragment & ipv4::DONT_FRAGMENT != 0,
        network_offset,
        transport_offset: network_offset + header_len,
        ip_len: total_len,
    };
    if ip.is_fragment() {
        return Ok(network.parsed(Kind::Fragment));
    }
    network.transport(packet.get(header_len..).unwrap_or_default(), total_len - header_len)
}

#[inline]
fn parse_v6(packet: &[u8], room: usize, network_offset: usize) -> Result<Parsed, Unparsed> {
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
    if Ipv6::is_bad_source(&ip.source) {
        return Err(Unparsed::BadSource);
    }
    let walk = ipv6::walk(payload, ip.next_header, EXTENSIONS_MAX, EXTENSION_BYTES_MAX);
    let (upper, offset) = match walk {
        Walk::Upper(upper, offset) => (upper, offset),
        Walk::Fragment => (ipv6::extension::FRAGMENT, 0),
        Walk::Cut => return Err(Unparsed::Truncated),
        Walk::TooLong => return Err(Unparsed::HeaderChain),
    };
    let network = Network {
        tuple: packed_v6_tuple(&ip, upper, (0, 0)),
        tos: ip.traffic_class(),
        dont_fragment: true,
        network_offset,
        transport_offset: network_offset + ipv6::HEADER_LEN + offset,
        ip_len: ipv6::HEADER_LEN + payload_len,
    };
    if walk == Walk::Fragment {
        return Ok(network.parsed(Kind::Fragment));
    }
    network.transport(payload.get(offset..).unwrap_or_default(), payload_len - offset)
}

/// What is known once the IP header is read; ports are still zero.
struct Network {
    tuple: FiveTuple,
    tos: u8,
    dont_fragment: bool,
    network_offset: usize,
    transport_offset: usize,
    ip_len: usize,
}

impl Network {
    #[inline]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "offsets are at most 22 + 60 or 22 + 40 + 256, an IP packet at most 65,575 bytes"
    )]
    fn parsed(self, kind: Kind) -> Parsed {
        Parsed {
            tuple: self.tuple,
            kind,
            tos: self.tos,
            dont_fragment: self.dont_fragment,
            flags: Flags::default(),
            network_offset: self.network_offset as u16,
            transport_offset: self.transport_offset as u16,
            ip_len: self.ip_len as u32,
        }
    }

    /// `payload` is what the first segment holds of `payload_len` bytes.
    #[inline]
    fn transport(self, payload: &[u8], payload_len: usize) -> Result<Parsed, Unparsed> {
        match (self.tuple.protocol, self.tuple.family) {
            (protocol::TCP, _) => self.tcp(payload, payload_len),
            (protocol::UDP, _) => self.udp(payload, payload_len),
            (protocol::ICMP, Family::V4) | (protocol::ICMPV6, Family::V6) => self.icmp(payload),
            _ => Ok(self.parsed(Kind::OtherProtocol)),
        }
    }

    #[inline]
    fn tcp(mut self, payload: &[u8], payload_len: usize) -> Result<Parsed, Unparsed> {
        let tcp = Tcp::parse(payload.first_chunk().ok_or(Unparsed::Truncated)?);
        if tcp.header_len < tcp::HEADER_LEN || tcp.header_len > payload_len {
            return Err(Unparsed::Malformed);
        }
        self.tuple.source_port = tcp.source_port;
        self.tuple.destination_port = tcp.destination_port;
        let mut parsed = self.parsed(Kind::Tcp);
        parsed.flags = tcp.flags;
        Ok(parsed)
    }

    #[inline]
    fn udp(mut self, payload: &[u8], payload_len: usize) -> Result<Parsed, Unparsed> {
        let udp = Udp::parse(payload.first_chunk().ok_or(Unparsed::Truncated)?);
        if usize::from(udp.len) < udp::HEADER_LEN || usize::from(udp.len) > payload_len {
            return Err(Unparsed::Malformed);
        }
        self.tuple.source_port = udp.source_port;
        self.tuple.destination_port = udp.destination_port;
        Ok(self.parsed(Kind::Udp))
    }

    #[inline(never)]
    fn icmp(mut self, payload: &[u8]) -> Result<Parsed, Unparsed> {
        let (head, quote) = payload.split_first_chunk::<{ icmp::HEADER_LEN }>().ok_or(Unparsed::Truncated)?;
        let [kind, ..] = *head;
        let kind = match icmp::message(self.tuple.family, kind) {
            Message::EchoRequest => Kind::EchoRequest,
            Message::NeighbourDiscovery => Kind::NeighbourDiscovery,
            Message::Other => Kind::IcmpOther,
            Message::Error => match icmp::quoted(self.tuple.family, quote) {
                Some(sent) if sent.source == self.tuple.destination => {
                    self.tuple = sent.reversed();
                    Kind::IcmpError
                }
                _ => Kind::IcmpBadQuote,
            },
        };
        Ok(self.parsed(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Unparsed, parse};
    use crate::tuple::Family;
    use proptest::prelude::{any, proptest};

    fn udp_frame() -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        let mut ip = vec![0x45, 0x2e, 0, 29, 0, 1, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7];
        let sum = crate::checksum::of(&ip);
        ip[10..12].copy_from_slice(&sum);
        frame.extend(ip);
        frame.extend([0x1f, 0x90, 0, 53, 0, 9, 0, 0, b'q']);
        frame.resize(60, 0);
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

    proptest! {
        #[test]
        fn any_bytes_give_a_value_or_a_reason(frame in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&frame, frame.len());
        }

        /// Random bytes seldom get past the ethertype; damaged good packets do.
        #[test]
        fn damaged_packets_stay_in_their_bounds(at in 0usize..60, bits in any::<u8>(), cut in 0usize..60, kind in 0u8..4) {
            let mut frame = udp_frame();
            match kind {
                0 => frame[23] = 6,
                1 => frame[23] = 1,
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
