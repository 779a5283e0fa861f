//! The way to the real: a header in front (RFC 2003, 2473, 4213), with a tail behind it or not, or a new Ethernet
//! header.
//!
//! Here the inner packet is never changed, nor its TTL (a stated departure from RFC 2003 §3.1: what enters
//! the tunnel is what the client sent). The link header keeps the VLAN tags the packet came with.

use counters::DropReason;
use port::Packet;
use service::{DontFragment, ETHERNET_BYTES, OUTER_V4_BYTES, OUTER_V6_BYTES, Template, TunnelKind};
use wire::checksum::folded;
use wire::ipv4::DONT_FRAGMENT;
use wire::{Family, Parsed, protocol};

use crate::aside::Aside;

/// Identification of outer IPv4 headers that may be fragmented: a counter of this worker, interleaved with
/// those of the others (the stride divides 65,536), so that no two packets in flight to a real share one for
/// as long as 16 bits allow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identifications {
    next: u16,
    stride: u16,
}

impl Identifications {
    pub(crate) const fn new(worker: u16, workers: u16) -> Self {
        Self { next: worker, stride: workers.next_power_of_two() }
    }

    /// So many are used up elsewhere.
    #[allow(clippy::cast_possible_truncation, reason = "they come round at 65,536")]
    pub(crate) const fn skip(&mut self, count: usize) {
        self.next = self.next.wrapping_add(self.stride.wrapping_mul(count as u16));
    }

    #[inline]
    fn take(&mut self) -> u16 {
        let taken = self.next;
        self.next = taken.wrapping_add(self.stride);
        taken
    }
}

/// Whether a packet goes the usual way.
#[inline(always)]
pub(crate) const fn is_usual(parsed: &Parsed, template: &Template) -> bool {
    template.is_plain() && parsed.is_plain
}

/// Sends a packet on its way to a real, whatever way that is.
///
/// # Errors
/// Why it does not simply leave. If it cannot go it is unchanged but for its padding.
pub(crate) fn encap<P: Packet>(
    packet: &mut P,
    parsed: &Parsed,
    template: &Template,
    identifications: &mut Identifications,
) -> Result<(), Aside> {
    if is_usual(parsed, template) {
        return Ok(encap_usual(packet, parsed, template)?);
    }
    encap_other(packet, parsed, template, identifications)
}

/// The usual way.
///
/// # Errors
/// Why it cannot go; it is unchanged then.
#[inline(always)]
pub(crate) fn encap_usual<P: Packet>(
    packet: &mut P,
    parsed: &Parsed,
    template: &Template,
) -> Result<(), DropReason> {
    require_fit(parsed, template, OUTER_V4_BYTES)?;
    push_plain(packet, parsed, template)
}

/// Every other way.
///
/// # Errors
/// As for [`encap`].
pub(crate) fn encap_other<P: Packet>(
    packet: &mut P,
    parsed: &Parsed,
    template: &Template,
    identifications: &mut Identifications,
) -> Result<(), Aside> {
    let frame_len = usize::from(parsed.network_offset) + parsed.ip_len as usize;
    if packet.total_len() != frame_len {
        packet.truncate(frame_len);
    }
    encap_any(packet, parsed, template, identifications)
}

/// The usual way: an untagged packet that is not to be fragmented, into IPv4 with a fixed source. All but
/// TOS, length, protocol and checksum stands in the template, and everything has a fixed place.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the MTU bounds the length; folds leave 16 bits")]
fn push_plain<P: Packet>(packet: &mut P, parsed: &Parsed, template: &Template) -> Result<(), DropReason> {
    const FRAGMENT: u64 = DONT_FRAGMENT.to_be() as u64;
    let frame = packet.prepend(OUTER_V4_BYTES).map_err(|_| DropReason::NoHeadroom)?;
    let head = frame.first_chunk_mut::<{ ETHERNET_BYTES + OUTER_V4_BYTES }>().ok_or(DropReason::Truncated)?;
    let tos = u64::from(parsed.tos) << 8;
    let protocol = u64::from(inner_protocol(parsed.tuple.family)) << 8;
    let total_len = u64::from((parsed.ip_len as u16).wrapping_add(OUTER_V4_BYTES as u16).to_be());
    let sum = u64::from(template.partial_checksum().to_be()) + FRAGMENT + protocol + tos + total_len;
    let checksum = u64::from(!folded(sum as u32));
    let [first, second, third] = template.outer_v4_words();
    let (link, outer) = head.split_at_mut(ETHERNET_BYTES);
    link.copy_from_slice(template.link());
    let (pairs, last) = outer.as_chunks_mut::<8>();
    if let [one, two] = pairs {
        *one = (first | tos | total_len << 16 | FRAGMENT << 48).to_le_bytes();
        *two = (second | protocol | checksum << 16).to_le_bytes();
    }
    if let Some(bytes) = last.first_chunk_mut::<4>() {
        *bytes = (third as u32).to_le_bytes();
    }
    Ok(())
}

/// Any packet to any real.
#[inline(never)]
fn encap_any<P: Packet>(
    packet: &mut P,
    parsed: &Parsed,
    template: &Template,
    identifications: &mut Identifications,
) -> Result<(), Aside> {
    match template.kind() {
        _ if template.is_plain_by_port() && parsed.is_plain => {
            require_fit(parsed, template, OUTER_V4_BYTES)?;
            push_plain(packet, parsed, template)?;
        }
        TunnelKind::Ipip4 => {
            require_fit(parsed, template, OUTER_V4_BYTES)?;
            let (outer, _) = push_header(packet, parsed, template, 0)?;
            fill_v4(outer, parsed, Load::inner(parsed), template, identifications);
        }
        TunnelKind::Ipip6 => {
            require_fit(parsed, template, OUTER_V6_BYTES)?;
            let (outer, _) = push_header(packet, parsed, template, 0)?;
            fill_v6(outer, parsed, Load::inner(parsed), template);
        }
        TunnelKind::Tail4 | TunnelKind::Tail6 => return Err(Aside::Tail),
        TunnelKind::Mac => {
            require_fit(parsed, template, 0)?;
            if let Some(macs) = packet.data_mut().first_chunk_mut::<12>() {
                *macs = *template.macs();
            }
        }
    }
    Aside::of_ready(template)
}

#[inline]
pub(crate) fn require_fit(parsed: &Parsed, template: &Template, outer_len: usize) -> Result<(), DropReason> {
    let fits = parsed.ip_len as usize + outer_len <= usize::from(template.mtu());
    if fits { Ok(()) } else { Err(DropReason::TunnelMtu) }
}

#[inline]
pub(crate) const fn inner_protocol(family: Family) -> u8 {
    match family {
        Family::V4 => protocol::IPIP,
        Family::V6 => protocol::IPV6,
    }
}

/// What an outer IP header carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Its protocol.
    pub(crate) protocol: u8,
    /// Its bytes, which the MTU bounds.
    pub(crate) len: u16,
}

impl Load {
    /// The packet itself.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the MTU bounds the length")]
    const fn inner(parsed: &Parsed) -> Self {
        Self { protocol: inner_protocol(parsed.tuple.family), len: parsed.ip_len as u16 }
    }
}

/// The outer IPv4 header: DSCP and ECN copied (RFC 6040 §4.1, normal mode), identification 0 where the
/// packet cannot be fragmented (RFC 6864 §4.1).
///
/// Fields are put together as they lie in memory, eight bytes at a time, and so is the checksum, which is
/// the same in either byte order (RFC 1071 §2 (B)): only lengths and numbers are turned around. They go
/// straight to the packet: a header put together elsewhere and copied costs 4 ns, because the copy reads
/// sixteen bytes where eight were written.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the MTU bounds the length; folds leave 16 bits")]
pub(crate) fn fill_v4(
    outer: &mut [u8; OUTER_V4_BYTES],
    parsed: &Parsed,
    load: Load,
    template: &Template,
    identifications: &mut Identifications,
) {
    let dont_fragment = match template.dont_fragment() {
        DontFragment::Inherit => parsed.dont_fragment,
        DontFragment::Set => true,
        DontFragment::Clear => false,
    };
    let (fragment, identification) =
        if dont_fragment { (DONT_FRAGMENT, 0) } else { (0, identifications.take()) };
    let entropy = match template.entropy_mask() {
        0 => 0,
        mask => parsed.tuple.entropy() as u16 & mask,
    };
    let total_len = load.len.wrapping_add(OUTER_V4_BYTES as u16);
    let tos = u64::from(parsed.tos) << 8;
    let total_len = u64::from(total_len.to_be());
    let identification = u64::from(identification.to_be());
    let fragment = u64::from(fragment.to_be());
    let protocol = u64::from(load.protocol) << 8;
    let entropy = u64::from(entropy.to_be());
    let constant = u64::from(template.partial_checksum().to_be());
    let sum = constant + tos + total_len + identification + fragment + protocol + entropy;
    let checksum = u64::from(!folded(sum as u32));
    let [first, second, third] = template.outer_v4_words();
    let (pairs, last) = outer.as_chunks_mut::<8>();
    if let [one, two] = pairs {
        *one = (first | tos | total_len << 16 | identification << 32 | fragment << 48).to_le_bytes();
        *two = (second | protocol | checksum << 16 | entropy << 48).to_le_bytes();
    }
    if let Some(bytes) = last.first_chunk_mut::<4>() {
        *bytes = (third as u32).to_le_bytes();
    }
}

/// The outer IPv6 header: traffic class as above, flow label from the flow (RFC 6438 §3).
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the MTU bounds the length; entropy has 16 bits")]
pub(crate) fn fill_v6(outer: &mut [u8; OUTER_V6_BYTES], parsed: &Parsed, load: Load, template: &Template) {
    let entropy = parsed.tuple.entropy();
    let first = 6 << 28 | u32::from(parsed.tos) << 20 | entropy;
    let prepared = template.outer_v6();
    *outer = *prepared;
    let (head, source) = outer.split_at_mut(8);
    if let [a, b, c, d, e, f, next_header, _] = head {
        [*a, *b, *c, *d] = first.to_be_bytes();
        [*e, *f] = load.len.to_be_bytes();
        *next_header = load.protocol;
    }
    let mask = template.entropy_mask();
    let [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, s0, s1, ..] = *prepared;
    if let Some([.., d0, d1]) = source.first_chunk_mut::<16>() {
        [*d0, *d1] = (u16::from_be_bytes([s0, s1]) | entropy as u16 & mask).to_be_bytes();
    }
}

/// Makes room, writes the link header, and gives the room for the outer one and for the tail behind it.
#[inline]
pub(crate) fn push_header<'p, P: Packet, const LEN: usize>(
    packet: &'p mut P,
    parsed: &Parsed,
    template: &Template,
    tail_len: usize,
) -> Result<(&'p mut [u8; LEN], &'p mut [u8]), DropReason> {
    let len = LEN + tail_len;
    let frame = packet.prepend(len).map_err(|_| DropReason::NoHeadroom)?;
    let link_len = usize::from(parsed.network_offset);
    if link_len != ETHERNET_BYTES {
        move_tags(frame, link_len, len);
    }
    let (link, rest) = frame.split_at_mut_checked(link_len).ok_or(DropReason::Truncated)?;
    let [macs @ .., type0, type1] = *template.link();
    *link.first_chunk_mut::<12>().ok_or(DropReason::Truncated)? = macs;
    *link.last_chunk_mut::<2>().ok_or(DropReason::Truncated)? = [type0, type1];
    let (outer, rest) = rest.split_first_chunk_mut::<LEN>().ok_or(DropReason::Truncated)?;
    Ok((outer, rest.get_mut(..tail_len).ok_or(DropReason::Truncated)?))
}

/// The packet's VLAN tags move to the front with the link header, so that what they say stays.
#[cold]
fn move_tags(frame: &mut [u8], link_len: usize, len: usize) {
    if frame.len() >= len + link_len && link_len > ETHERNET_BYTES {
        frame.copy_within(len + 12..len + link_len - 2, 12);
    }
}

#[cfg(test)]
mod tests {
    use super::{Identifications, encap_any, push_plain};
    use port::{MemPacket, Packet};
    use proptest::prelude::{any, proptest};
    use service::{
        Aligned, Blueprint, DontFragment, Encap, Generation, Outer, OuterSource, RealNumber, RealSpec,
        RealState, Table, Timeouts,
    };
    use std::net::Ipv4Addr;
    use wire::{Family, Kind, Parsed};

    fn table() -> Table<Aligned> {
        let blueprint = Blueprint {
            select_seed: [0; 16],
            outer: Outer {
                mac: [2, 0, 0, 0, 0, 1],
                source_v4: Some(OuterSource { address: Ipv4Addr::new(192, 0, 2, 1), prefix_len: 32 }),
                source_v6: None,
                hop_limit: 64,
                passes_max: 4,
                dont_fragment: DontFragment::Inherit,
                mtu: 9600,
            },
            timeouts: Timeouts { syn: 80, established: 80, closing: 80, udp: 80 },
            return_path: service::ReturnPath::Direct,
            new_flows_rate_max: None,
            quic: Vec::new(),
            ends: Vec::new(),
            reals: vec![RealSpec {
                number: RealNumber::FIRST,
                address: Ipv4Addr::new(10, 0, 0, 1).into(),
                next_hop: Some([2, 0, 0, 0, 0, 2]),
                port: None,
                encap: Encap::Ipip,
                state: RealState::Up,
            }],
            pools: vec![],
            services: vec![],
            rules: vec![],
        };
        service::build(&blueprint, Generation::default()).unwrap().table().unwrap()
    }

    proptest! {
        /// The usual way writes what the way for any packet writes.
        #[test]
        fn the_plain_way_is_no_other_way(six in any::<bool>(), tos in any::<u8>(), ip_len in 20u16..1500, frame in proptest::collection::vec(any::<u8>(), 1514)) {
            let table = table();
            let template = *table.view().template(RealNumber::FIRST).unwrap();
            assert!(template.is_plain());
            let mut parsed = Parsed {
                kind: Kind::Udp, tos, dont_fragment: true, is_plain: true, network_offset: 14, ip_len: u32::from(ip_len), ..Parsed::EMPTY
            };
            parsed.tuple.family = if six { Family::V6 } else { Family::V4 };
            let load = || {
                let mut packet = MemPacket::with_room(2048);
                packet.load(&frame[..14 + usize::from(ip_len)], 0);
                packet
            };
            let (mut plain, mut any) = (load(), load());
            assert_eq!(push_plain(&mut plain, &parsed, &template), Ok(()));
            assert_eq!(encap_any(&mut any, &parsed, &template, &mut Identifications::new(0, 1)), Ok(()));
            assert_eq!(plain.data(), any.data());
            assert!(wire::ipv4::is_intact(&plain.data()[14..34]));
        }
    }
}
