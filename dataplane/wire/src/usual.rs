//! The usual packet: untagged, no options or extension headers, whole, sound, TCP or UDP.
//!
//! All its fields have fixed places, so one length check serves all. The tests hold that what is said here is
//! what [`parse`](crate::parse()) would say of any packet.

use crate::checksum;
use crate::ethernet;
use crate::ipv4;
use crate::ipv6::{self, Ipv6};
use crate::parse::{Ends, Kind, Parsed};
use crate::tcp::{self, Flags};
use crate::tuple::{Family, padded, protocol};
use crate::udp;

/// Where the network header of an untagged frame begins.
pub(crate) const UNTAGGED: usize = ethernet::HEADER_LEN;
/// Where the transport header begins behind it, without options.
const BEHIND_V4: usize = UNTAGGED + ipv4::HEADER_LEN;
/// The same behind IPv6.
const BEHIND_V6: usize = UNTAGGED + ipv6::HEADER_LEN;
/// Bytes of Ethernet, IPv4 and TCP without options.
const HEAD_V4: usize = BEHIND_V4 + tcp::HEADER_LEN;
/// The same with IPv6.
const HEAD_V6: usize = BEHIND_V6 + tcp::HEADER_LEN;

/// Some of the bytes that are there.
#[inline(always)]
fn at<const AT: usize, const LEN: usize, const ALL: usize>(head: &[u8; ALL]) -> [u8; LEN] {
    const { assert!(AT + LEN <= ALL) };
    head.get(AT..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; LEN])
}

/// Parses a usual IPv4 packet, if it is one. `false` says nothing about the packet.
///
/// The header is read as two words of eight bytes and one of four, as they lie in memory, and its fields are
/// taken out of these: what a packet costs here is mostly the number of instructions. So it is part of each loop that
/// parses: as a function of its own, which it becomes as soon as two places parse, it costs eight more (counted).
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "fields are taken out of their bits")]
pub(crate) fn parse_v4(frame: &[u8], frame_len: usize, parsed: &mut Parsed) -> bool {
    /// Anything but Don't Fragment.
    const FRAGMENT: u16 = !ipv4::DONT_FRAGMENT.to_be();
    let Some(head) = frame.first_chunk::<HEAD_V4>() else { return false };
    let [link, ..] = *head;
    let ethertype = u16::from_le_bytes(at::<12, 2, _>(head));
    // Version and length, TOS, total length, identification, flags and offset.
    let first = u64::from_le_bytes(at::<UNTAGGED, 8, _>(head));
    // TTL, protocol, checksum, source.
    let second = u64::from_le_bytes(at::<{ UNTAGGED + 8 }, 8, _>(head));
    let destination = u32::from_le_bytes(at::<{ UNTAGGED + 16 }, 4, _>(head));
    let total_len = usize::from(u16::from_be((first >> 16) as u16));
    let fragment = (first >> 48) as u16;
    let source = (second >> 32) as u32;
    let is_usual = link & 1 == 0
        && ethertype == ethernet::IPV4.to_be()
        && first as u8 == 0x45
        && fragment & FRAGMENT == 0
        && total_len + UNTAGGED <= frame_len
        && checksum::is_intact_header([first, second], destination)
        // Sources that take a second look: 0/8, 127/8, 224/4, and the rest up to broadcast.
        && (source as u8).wrapping_sub(1) < 223
        && source as u8 != 127;
    if !is_usual {
        return false;
    }
    parsed.tuple.source = padded(source.to_le_bytes());
    parsed.tuple.destination = padded(destination.to_le_bytes());
    parsed.tuple.family = Family::V4;
    parsed.tos = (first >> 8) as u8;
    parsed.dont_fragment = fragment != 0;
    parsed.is_plain = fragment != 0 && total_len + UNTAGGED == frame_len;
    parsed.ends = Ends::TWO;
    parsed.network_offset = UNTAGGED as u16;
    parsed.transport_offset = BEHIND_V4 as u16;
    parsed.ip_len = total_len as u32;
    is_usual_transport(
        &at::<BEHIND_V4, { tcp::HEADER_LEN }, _>(head),
        ipv4::HEADER_LEN,
        total_len,
        (second >> 8) as u8,
        parsed,
    )
}

/// The same for IPv6.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "offsets are constants below 100")]
pub(crate) fn parse_v6(frame: &[u8], frame_len: usize, parsed: &mut Parsed) -> bool {
    let Some(head) = frame.first_chunk::<HEAD_V6>() else { return false };
    let [link, ..] = *head;
    let ip = Ipv6::parse(&at::<UNTAGGED, { ipv6::HEADER_LEN }, HEAD_V6>(head));
    let total_len = ipv6::HEADER_LEN + usize::from(ip.payload_len);
    let is_usual = link & 1 == 0
        && at::<12, 2, _>(head) == [0x86, 0xdd]
        && ip.version() == 6
        && total_len + UNTAGGED <= frame_len
        && !Ipv6::is_bad_source(&ip.source);
    if !is_usual {
        return false;
    }
    parsed.tuple.source = ip.source;
    parsed.tuple.destination = ip.destination;
    parsed.tuple.family = Family::V6;
    parsed.tos = ip.traffic_class();
    parsed.dont_fragment = true;
    parsed.is_plain = total_len + UNTAGGED == frame_len;
    parsed.ends = Ends::TWO;
    parsed.network_offset = UNTAGGED as u16;
    parsed.transport_offset = BEHIND_V6 as u16;
    parsed.ip_len = total_len as u32;
    is_usual_transport(
        &at::<BEHIND_V6, { tcp::HEADER_LEN }, _>(head),
        ipv6::HEADER_LEN,
        total_len,
        ip.next_header,
        parsed,
    )
}

/// Ports, and whether the lengths of transport and network header agree.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "each port is taken out of the word of both")]
fn is_usual_transport(
    header: &[u8; tcp::HEADER_LEN],
    network_len: usize,
    total_len: usize,
    protocol: u8,
    parsed: &mut Parsed,
) -> bool {
    let ports = u32::from_le_bytes(at::<0, 4, _>(header));
    parsed.tuple.source_port = u16::from_be(ports as u16);
    parsed.tuple.destination_port = u16::from_be((ports >> 16) as u16);
    parsed.tuple.protocol = protocol;
    parsed.tail = u64::from(ports) | u64::from(protocol) << 32 | (parsed.tuple.family as u64) << 40;
    if protocol == protocol::TCP {
        let [offset, flags] = at::<12, 2, _>(header);
        let header_len = usize::from(offset >> 4) * 4;
        parsed.kind = Kind::Tcp;
        parsed.flags = Flags(flags);
        return header_len >= tcp::HEADER_LEN && network_len + header_len <= total_len;
    }
    let udp_len = usize::from(u16::from_be_bytes(at::<4, 2, _>(header)));
    parsed.kind = Kind::Udp;
    parsed.flags = Flags(0);
    protocol == protocol::UDP && udp_len >= udp::HEADER_LEN && network_len + udp_len <= total_len
}

#[cfg(test)]
mod tests {
    use super::{parse_v4, parse_v6};
    use crate::parse::tests::{udp_frame, udp6_frame};
    use crate::parse::{Kind, Parsed, parse_any};
    use proptest::prelude::{any, proptest};

    #[test]
    fn the_usual_ways_are_taken() {
        let mut parsed = Parsed::EMPTY;
        assert!(parse_v4(&udp_frame(), 60, &mut parsed));
        assert!(!parsed.is_plain, "it is padded");
        assert!(parse_v6(&udp6_frame(), 74, &mut parsed));
        assert!(parsed.is_plain);
        assert_eq!((parsed.tos, parsed.ip_len, parsed.kind), (0x2e, 60, Kind::Udp));
    }

    proptest! {
        /// The short way decides nothing that the long way would not decide the same.
        #[test]
        fn a_usual_packet_is_parsed_as_any_packet_would_be(
            at in 12usize..60, bits in any::<u8>(), again in 12usize..60, others in any::<u8>(), tcp in any::<bool>(), len in 0usize..80,
        ) {
            for mut frame in [udp_frame(), udp6_frame()] {
                if tcp {
                    let protocol = if frame[12] == 8 { 23 } else { 20 };
                    frame[protocol] = 6;
                }
                frame[at] ^= bits;
                frame[again] ^= others;
                if frame[12] == 8 {
                    frame[24..26].fill(0);
                    let sum = crate::checksum::of(&frame[14..34]);
                    frame[24..26].copy_from_slice(&sum);
                }
                let frame = &frame[..len.min(frame.len())];
                for frame_len in [frame.len(), frame.len() + 9] {
                    let (mut short, mut long) = (Parsed::EMPTY, Parsed::EMPTY);
                    let is_usual = parse_v4(frame, frame_len, &mut short) || parse_v6(frame, frame_len, &mut short);
                    if is_usual {
                        assert_eq!(parse_any(frame, frame_len, &mut long), Ok(()));
                        assert_eq!(short, long);
                    }
                }
            }
        }
    }
}
