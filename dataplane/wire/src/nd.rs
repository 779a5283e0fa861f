//! IPv6 neighbour discovery (RFC 4861), as far as an address is asked for and told.
//!
//! ```text
//! |     Type      |     Code      |          Checksum             |
//! |  flags (advertisement) or reserved                            |
//! |  target address (16)                                          |
//! |  options: type, length in units of 8 bytes, content           |
//! ```

use crate::icmp;
use crate::ipv6::{self, Ipv6};
use crate::tuple::{Family, FiveTuple, protocol};

/// Type of a neighbour solicitation (§4.3).
pub const SOLICITATION: u8 = 135;
/// Type of a neighbour advertisement (§4.4).
pub const ADVERTISEMENT: u8 = 136;
/// Bytes of an advertisement with the link address as its option.
pub const ADVERTISEMENT_LEN: usize = 32;
/// The hop limit of every message, by which it is known to come from the same link (§7.1.1).
pub const HOP_LIMIT: u8 = 255;
/// All nodes of the link (RFC 4291 §2.7.1).
pub const ALL_NODES: [u8; 16] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// Bytes before the options.
const FIXED_LEN: usize = 24;
/// The sender's link address, as an option.
const SOURCE_LINK: u8 = 1;
/// The target's.
const TARGET_LINK: u8 = 2;
/// It was asked for.
const SOLICITED: u8 = 0x40;
/// It replaces what is known.
const OVERRIDE: u8 = 0x20;

/// What a valid solicitation asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Solicitation {
    /// Whose link address is wanted.
    pub target: [u8; 16],
    /// Who asks; all zero for one who only wants to know whether the address is free (RFC 4862 §5.4.2).
    pub source: [u8; 16],
    /// The asker's own link address, where it says so.
    pub link: Option<[u8; 6]>,
}

impl Solicitation {
    /// The solicitation of an IPv6 packet without extension headers, given whole; `None`: it is none, or not
    /// valid by §7.1.1.
    #[must_use]
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let (head, message) = packet.split_first_chunk::<{ ipv6::HEADER_LEN }>()?;
        let ip = Ipv6::parse(head);
        let (&[kind, code, _, _, _, _, _, _, ref target @ ..], options) =
            message.split_first_chunk::<FIXED_LEN>()?;
        let tuple = FiveTuple {
            source: ip.source,
            destination: ip.destination,
            family: Family::V6,
            ..FiveTuple::default()
        };
        let is_sound = ip.next_header == protocol::ICMPV6
            && usize::from(ip.payload_len) == message.len()
            && ip.hop_limit == HOP_LIMIT
            && (kind, code) == (SOLICITATION, 0)
            && target.first() != Some(&0xff)
            && icmp::is_intact(&tuple, message);
        let link = source_link(options)?;
        is_sound.then_some(Self { target: *target, source: ip.source, link })
    }
}

/// The source link address among the options, if it is there; outer `None`: an option has no length.
fn source_link(mut options: &[u8]) -> Option<Option<[u8; 6]>> {
    let mut found = None;
    while let &[kind, units, ..] = options {
        let (option, rest) = options.split_at_checked(usize::from(units) * 8).filter(|_| units > 0)?;
        if let (SOURCE_LINK, Some(&[_, _, a, b, c, d, e, f])) = (kind, option.first_chunk::<8>()) {
            found = Some([a, b, c, d, e, f]);
        }
        options = rest;
    }
    options.is_empty().then_some(found)
}

/// The IPv6 packet by which `target` tells `destination` that it is at `mac` (§7.2.4), and that this was asked
/// for; to all nodes if nobody asked (§7.2.6).
#[must_use]
pub fn advertisement(
    target: [u8; 16],
    destination: Option<[u8; 16]>,
    mac: [u8; 6],
) -> [u8; ipv6::HEADER_LEN + ADVERTISEMENT_LEN] {
    let mut packet = [0; ipv6::HEADER_LEN + ADVERTISEMENT_LEN];
    let ip = Ipv6 {
        version_class_label: 6 << 28,
        payload_len: 32,
        next_header: protocol::ICMPV6,
        hop_limit: HOP_LIMIT,
        source: target,
        destination: destination.unwrap_or(ALL_NODES),
    };
    let flags = if destination.is_some() { SOLICITED | OVERRIDE } else { OVERRIDE };
    let head = [ADVERTISEMENT, 0, 0, 0, flags, 0, 0, 0];
    let fields: [&[u8]; 5] = [&ip.emit(), &head, &target, &[TARGET_LINK, 1], &mac];
    for (to, from) in packet.iter_mut().zip(fields.into_iter().flatten()) {
        *to = *from;
    }
    let (_, message) = packet.split_at_mut(ipv6::HEADER_LEN);
    icmp::finish(
        &FiveTuple {
            source: ip.source,
            destination: ip.destination,
            family: Family::V6,
            ..FiveTuple::default()
        },
        message,
    );
    packet
}

const _: () = assert!(ADVERTISEMENT_LEN == FIXED_LEN + 8);

#[cfg(test)]
mod tests {
    use super::{ADVERTISEMENT, ALL_NODES, HOP_LIMIT, SOLICITATION, Solicitation, advertisement};
    use crate::icmp;
    use crate::ipv6::Ipv6;
    use crate::tuple::{Family, FiveTuple};
    use proptest::prelude::{any, proptest};

    const TARGET: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];

    fn solicitation(options: &[u8]) -> Vec<u8> {
        let message = [&[SOLICITATION, 0, 0, 0, 0, 0, 0, 0], &TARGET[..], options].concat();
        let ip = Ipv6 {
            version_class_label: 6 << 28,
            payload_len: u16::try_from(message.len()).unwrap(),
            next_header: 58,
            hop_limit: HOP_LIMIT,
            source: [9; 16],
            destination: TARGET,
        };
        with_sum([&ip.emit()[..], &message].concat())
    }

    fn with_sum(mut packet: Vec<u8>) -> Vec<u8> {
        let ip = Ipv6::parse(packet.first_chunk().unwrap());
        let tuple = FiveTuple {
            source: ip.source,
            destination: ip.destination,
            family: Family::V6,
            ..FiveTuple::default()
        };
        icmp::finish(&tuple, &mut packet[40..]);
        packet
    }

    #[test]
    fn a_solicitation_says_who_asks_for_whom() {
        let asked = Solicitation { target: TARGET, source: [9; 16], link: None };
        assert_eq!(Solicitation::parse(&solicitation(&[])), Some(asked));
        let link = Some([2, 0, 0, 0, 0, 5]);
        let two = [14, 1, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 5];
        assert_eq!(Solicitation::parse(&solicitation(&two)), Some(Solicitation { link, ..asked }));
    }

    #[test]
    fn what_is_not_valid_is_no_solicitation() {
        let good = solicitation(&[1, 1, 2, 0, 0, 0, 0, 5]);
        assert!(Solicitation::parse(&good).is_some());
        // Hop limit, type, code, checksum, a multicast target, the length of an option.
        for (at, value) in [(7, 254), (40, 136), (41, 1), (43, 1), (48, 0xff), (65, 0), (65, 2)] {
            let mut bad = good.clone();
            bad[at] = value;
            let bad = if at == 43 { bad } else { with_sum(bad) };
            assert_eq!(Solicitation::parse(&bad), None, "byte {at}");
        }
        for len in 0..good.len() {
            assert_eq!(Solicitation::parse(&good[..len]), None, "cut at {len}");
        }
    }

    #[test]
    fn an_advertisement_overrides_and_says_whether_it_was_asked_for() {
        let packet = advertisement(TARGET, Some([9; 16]), [2, 0, 0, 0, 0, 1]);
        assert_eq!((packet[40], packet[44]), (ADVERTISEMENT, 0x60));
        assert_eq!(packet[64..], [2, 1, 2, 0, 0, 0, 0, 1]);
        assert_eq!(with_sum(packet.to_vec()), packet);
        let told = advertisement(TARGET, None, [2, 0, 0, 0, 0, 1]);
        assert_eq!((told[44], &told[24..40]), (0x20, &ALL_NODES[..]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_solicitation_or_none(
            bytes in proptest::collection::vec(any::<u8>(), 0..120), at in 0usize..80, value in any::<u8>(),
        ) {
            let _ = Solicitation::parse(&bytes);
            let mut damaged = solicitation(&bytes);
            if let Some(byte) = damaged.get_mut(at) {
                *byte = value;
            }
            if let Some(asked) = Solicitation::parse(&with_sum(damaged)) {
                assert_ne!(asked.target[0], 0xff);
            }
        }
    }
}
