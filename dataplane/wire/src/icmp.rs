//! ICMP (RFC 792) and ICMPv6 (RFC 4443), as far as a balancer reads them, the answer to an echo, and the
//! word that a packet is too big.
//!
//! ```text
//! |     Type      |     Code      |          Checksum             |
//! |      rest of header: unused, MTU, or identifier and sequence  |
//! |      errors: the packet they are about, as much as there is   |
//! ```

use crate::checksum::{Sum, changed};
use crate::fragment::{self, Part};
use crate::tuple::{Family, FiveTuple, packed_v6_tuple, padded, protocol};
use crate::{ipv4::Ipv4, ipv6};

/// Bytes before the quoted packet or the echoed data.
pub const HEADER_LEN: usize = 8;

/// What a message is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// About a packet that was sent from the destination.
    Error,
    /// To be answered.
    EchoRequest,
    /// RFC 4861: the kernel's.
    NeighbourDiscovery,
    /// Anything else.
    Other,
}

/// Sorts a message by family and type.
#[inline]
#[must_use]
pub const fn message(family: Family, kind: u8) -> Message {
    match (family, kind) {
        (Family::V4, 3 | 11 | 12) | (Family::V6, 1..=4) => Message::Error,
        (Family::V4, 8) | (Family::V6, 128) => Message::EchoRequest,
        (Family::V6, 133..=137) => Message::NeighbourDiscovery,
        _ => Message::Other,
    }
}

/// The five-tuple of the packet that an error quotes, as it was sent: from the VIP to the client.
/// `None`: cut before the ports (or the SPI), a later fragment, or ICMP.
#[must_use]
pub fn quoted(family: Family, quote: &[u8]) -> Option<FiveTuple> {
    match family {
        Family::V4 => quoted_v4(quote),
        Family::V6 => quoted_v6(quote),
    }
}

/// What follows the UDP header of the packet that an error quotes; `None` if it quotes no UDP as far as that.
#[must_use]
pub fn quoted_data(family: Family, quote: &[u8]) -> Option<&[u8]> {
    let (upper, rest) = match family {
        Family::V4 => upper_v4(quote).map(|(ip, rest)| (ip.protocol, rest))?,
        Family::V6 => upper_v6(quote).map(|(_, upper, rest)| (upper, rest))?,
    };
    if upper == protocol::UDP { rest.get(crate::udp::HEADER_LEN..) } else { None }
}

/// The quoted header, and what is quoted behind it, of the first or only fragment.
fn upper_v4(quote: &[u8]) -> Option<(Ipv4, &[u8])> {
    let ip = Ipv4::parse(quote.first_chunk()?);
    if ip.version() != 4
        || ip.header_len() < crate::ipv4::HEADER_LEN
        || ip.fragment & crate::ipv4::OFFSET != 0
    {
        return None;
    }
    Some((ip, quote.get(ip.header_len()..)?))
}

/// The quoted header, what it carries behind its extension headers, and as much of that as is quoted.
fn upper_v6(quote: &[u8]) -> Option<(ipv6::Ipv6, u8, &[u8])> {
    let (head, payload) = quote.split_first_chunk()?;
    let ip = ipv6::Ipv6::parse(head);
    if ip.version() != 6 {
        return None;
    }
    let way = fragment::upper(payload, ip.next_header).ok()?;
    let rest = payload.get(way.offset..)?;
    matches!(way.part, Part::Whole | Part::First).then_some((ip, way.protocol, rest))
}

fn quoted_v4(quote: &[u8]) -> Option<FiveTuple> {
    let (ip, rest) = upper_v4(quote)?;
    let (source_port, destination_port) = ports(ip.protocol, rest)?;
    Some(FiveTuple {
        source: padded(ip.source),
        destination: padded(ip.destination),
        source_port,
        destination_port,
        protocol: ip.protocol,
        family: Family::V4,
    })
}

fn quoted_v6(quote: &[u8]) -> Option<FiveTuple> {
    let (ip, upper, rest) = upper_v6(quote)?;
    Some(packed_v6_tuple(&ip, upper, ports(upper, rest)?))
}

/// Source and destination port: four bytes of TCP or UDP suffice. Those of an SPI are the server's association, not
/// the client's: they lead to no flow, but its protocol and addresses do to the client's other ones.
fn ports(upper: u8, bytes: &[u8]) -> Option<(u16, u16)> {
    let at = match upper {
        protocol::TCP | protocol::UDP | protocol::ESP => 0,
        protocol::AH => 4,
        protocol::ICMP | protocol::ICMPV6 => return None,
        _ => return Some((0, 0)),
    };
    let &[s0, s1, d0, d1] = bytes.get(at..)?.first_chunk()?;
    Some((u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])))
}

/// Whether the checksum of a message is right; ICMPv6 covers a pseudo-header (RFC 4443 §2.3).
#[must_use]
pub fn is_intact(tuple: &FiveTuple, message: &[u8]) -> bool {
    pseudo(tuple, message.len()).add_bytes(message).is_intact()
}

/// Turns an echo request whose data are not all at hand into its reply, in place: the checksum is
/// corrected by the change of the type (RFC 1624 §3, equation 3).
pub fn answer_partial_echo(family: Family, message: &mut [u8]) {
    if let Some([kind, code, c0, c1]) = message.first_chunk_mut::<4>() {
        let was = [*kind, *code];
        *kind = reply_kind(family);
        [*c0, *c1] = changed([*c0, *c1], was, [*kind, *code]);
    }
}

const fn reply_kind(family: Family) -> u8 {
    match family {
        Family::V4 => 0,
        Family::V6 => 129,
    }
}

/// Turns an echo request into its reply, in place: type and checksum change, code, identifier, sequence
/// and data stay (RFC 792 p. 14, RFC 4443 §4.2). `tuple` is the reply's.
pub fn answer_echo(tuple: &FiveTuple, message: &mut [u8]) {
    if let Some(kind) = message.first_mut() {
        *kind = reply_kind(tuple.family);
    }
    finish(tuple, message);
}

/// The eight bytes in front of a quoted packet that say that it exceeds `mtu`: fragmentation needed (RFC 1191
/// §4), packet too big (RFC 4443 §3.2). The checksum is not there yet.
#[must_use]
pub const fn too_big(family: Family, mtu: u16) -> [u8; HEADER_LEN] {
    let [m0, m1] = mtu.to_be_bytes();
    match family {
        Family::V4 => [3, 4, 0, 0, 0, 0, m0, m1],
        Family::V6 => [2, 0, 0, 0, 0, 0, m0, m1],
    }
}

/// The eight bytes in front of a quoted packet that say that its destination is not reached: host unreachable (RFC 792),
/// address unreachable (RFC 4443 §3.1). The checksum is not there yet.
#[must_use]
pub const fn unreachable(family: Family) -> [u8; HEADER_LEN] {
    match family {
        Family::V4 => [3, 1, 0, 0, 0, 0, 0, 0],
        Family::V6 => [1, 3, 0, 0, 0, 0, 0, 0],
    }
}

/// Puts the right checksum into a message; `tuple` is the message's own.
pub fn finish(tuple: &FiveTuple, message: &mut [u8]) {
    if let Some([_, _, c0, c1]) = message.first_chunk_mut::<4>() {
        (*c0, *c1) = (0, 0);
    }
    let [sum0, sum1] = pseudo(tuple, message.len()).add_bytes(message).finish();
    if let Some([_, _, c0, c1]) = message.first_chunk_mut::<4>() {
        (*c0, *c1) = (sum0, sum1);
    }
}

fn pseudo(tuple: &FiveTuple, len: usize) -> Sum {
    match tuple.family {
        Family::V4 => Sum::default(),
        Family::V6 => Sum::default()
            .add_bytes(&tuple.source)
            .add_bytes(&tuple.destination)
            .add_u32(u32::try_from(len).unwrap_or(u32::MAX))
            .add_u32(u32::from(protocol::ICMPV6)),
    }
}

#[cfg(test)]
mod tests {
    use super::{answer_echo, is_intact, quoted, quoted_data};
    use crate::tuple::{Family, FiveTuple, protocol};
    use proptest::prelude::{any, proptest};

    const UDP: [u8; 8] = [1, 187, 0x9c, 0x40, 0, 12, 0, 0];

    /// An IPv4 header of so many words, options among them, to a fragment at that offset, and UDP with its data.
    fn quote_v4(first: u8, words: u8, offset: u8) -> Vec<u8> {
        let mut quote = vec![first << 4 | words, 0, 0, 60, 0, 0, 0, offset, 64, 17, 0, 0];
        quote.extend([198, 51, 100, 10, 203, 0, 113, 7]);
        quote.extend([1, 1, 1, 1].repeat(usize::from(words).saturating_sub(5)));
        quote.extend(UDP);
        quote.extend(*b"data");
        quote
    }

    /// An IPv6 header and what follows it.
    fn quote_v6(first: u8, next: u8, rest: &[&[u8]]) -> Vec<u8> {
        let mut quote = vec![first, 0, 0, 0, 0, 60, next, 64];
        quote.extend([0x20; 32]);
        quote.extend(rest.concat());
        quote
    }

    #[test]
    fn data_stand_behind_options() {
        for words in 5..=15 {
            assert_eq!(quoted_data(Family::V4, &quote_v4(4, words, 0)), Some(&b"data"[..]), "{words} words");
        }
        // RFC 791 §3.1: a header has five words at least.
        for words in 0..5 {
            assert_eq!(quoted_data(Family::V4, &quote_v4(4, words, 0)), None, "{words} words");
        }
        assert_eq!(quoted_data(Family::V4, &quote_v4(6, 5, 0)), None, "of another version");
        assert_eq!(quoted_data(Family::V4, &quote_v4(4, 5, 1)), None, "a later fragment has no ports");
        assert_eq!(quoted_data(Family::V4, &quote_v4(4, 5, 0)[..27]), None, "cut in UDP's header");
        let tcp = [&quote_v4(4, 5, 0)[..9], &[6], &quote_v4(4, 5, 0)[10..]].concat();
        assert_eq!(quoted_data(Family::V4, &tcp), None);
    }

    #[test]
    fn data_stand_behind_extension_headers() {
        let of = |first, next, rest: &[&[u8]]| {
            let quote = quote_v6(first, next, rest);
            quoted_data(Family::V6, &quote).map(<[u8]>::to_vec)
        };
        let data = Some(b"data".to_vec());
        assert_eq!(of(0x60, 17, &[&UDP, b"data"]), data);
        let (hop, destination) =
            (&[60, 0, 1, 4, 0, 0, 0, 0], &[17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(of(0x60, 0, &[hop, destination, &UDP, b"data"]), data);
        let fragment = |offset| [17, 0, 0, offset, 0, 0, 0, 1];
        assert_eq!(of(0x60, 44, &[&fragment(8), &UDP, b"data"]), None, "a later fragment has no ports");
        assert_eq!(of(0x40, 17, &[&UDP, b"data"]), None, "of another version");
        assert_eq!(of(0x60, 6, &[&UDP, b"data"]), None, "TCP");
        assert_eq!(of(0x60, 0, &[hop]), None, "cut behind an extension header");
        assert_eq!(of(0x60, 17, &[&UDP[..7]]), None, "cut in UDP's header");
    }

    proptest! {
        #[test]
        fn any_quote_gives_a_tuple_or_none(quote in proptest::collection::vec(any::<u8>(), 0..120), six in any::<bool>()) {
            let family = if six { Family::V6 } else { Family::V4 };
            if let Some(tuple) = quoted(family, &quote) {
                assert_eq!(tuple.family, family);
            }
            if let Some(data) = quoted_data(family, &quote) {
                let before = if six { 48 } else { 28 };
                assert!(quote.ends_with(data) && data.len() + before <= quote.len());
            }
        }

        /// The first bytes are often right, so that more of them are read.
        #[test]
        fn data_are_quoted_only_where_a_tuple_is(
            mut quote in proptest::collection::vec(any::<u8>(), 40..120),
            first in 0x40_u8..0x70,
            next in proptest::sample::select(vec![0_u8, 6, 17, 43, 44, 60]),
        ) {
            let family = if first < 0x60 { Family::V4 } else { Family::V6 };
            quote[0] = first;
            quote[if first < 0x60 { 9 } else { 6 }] = next;
            if quoted_data(family, &quote).is_some() {
                assert_eq!(quoted(family, &quote).map(|tuple| tuple.protocol), Some(protocol::UDP));
            }
        }

        #[test]
        fn an_answered_echo_is_intact(mut message in proptest::collection::vec(any::<u8>(), 8..100), six in any::<bool>()) {
            let tuple = FiveTuple {
                source: [7; 16],
                destination: [9; 16],
                family: if six { Family::V6 } else { Family::V4 },
                ..FiveTuple::default()
            };
            message[0] = if six { 128 } else { 8 };
            message[2..4].fill(0);
            let sum = super::pseudo(&tuple, message.len()).add_bytes(&message).finish();
            message[2..4].copy_from_slice(&sum);
            let mut partial = message.clone();
            super::answer_partial_echo(tuple.family, &mut partial);
            assert!(is_intact(&tuple, &partial));
            let before = message.clone();
            answer_echo(&tuple, &mut message);
            assert!(is_intact(&tuple, &message));
            assert_eq!(message[4..], before[4..]);
            message[5] ^= 1;
            assert!(!is_intact(&tuple, &message));
        }
    }
}
