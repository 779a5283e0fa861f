//! The way to the real: a header in front (RFC 2003, 2473, 4213), or a new Ethernet header.
//!
//! The inner packet is never changed, nor its TTL (a stated departure from RFC 2003 §3.1: what enters
//! the tunnel is what the client sent). The link header keeps the VLAN tags the packet came with.

use counters::DropReason;
use port::Packet;
use service::{DontFragment, ETHERNET_BYTES, OUTER_V4_BYTES, OUTER_V6_BYTES, Template, TunnelKind};
use wire::ipv4::DONT_FRAGMENT;
use wire::{Family, Parsed, ethernet, protocol};

/// Identification of outer IPv4 headers that may be fragmented: a counter of this worker, interleaved with
/// those of the others, so that no two packets in flight to a real share one for as long as 16 bits allow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identifications {
    next: u16,
    stride: u16,
}

impl Identifications {
    pub(crate) const fn new(worker: u16, workers: u16) -> Self {
        Self { next: worker, stride: workers }
    }

    #[inline]
    fn take(&mut self) -> u16 {
        let taken = self.next;
        self.next = taken.wrapping_add(self.stride);
        taken
    }
}

/// Sends a packet on its way to a real.
///
/// # Errors
/// The reason why it cannot go, and then the packet is unchanged but for its padding.
#[inline]
pub(crate) fn encap<P: Packet>(
    packet: &mut P,
    parsed: &Parsed,
    template: &Template,
    identifications: &mut Identifications,
) -> Result<(), DropReason> {
    if parsed.ip_len as usize + template.outer_len() > usize::from(template.mtu()) {
        return Err(DropReason::TunnelMtu);
    }
    let frame_len = usize::from(parsed.network_offset) + parsed.ip_len as usize;
    if packet.total_len() != frame_len {
        packet.truncate(frame_len);
    }
    match template.kind() {
        TunnelKind::Ipip4 => {
            let outer = outer_v4(parsed, template, identifications);
            push_header(packet, parsed, template, ethernet::IPV4, outer)
        }
        TunnelKind::Ipip6 => {
            let outer = outer_v6(parsed, template);
            push_header(packet, parsed, template, ethernet::IPV6, outer)
        }
        TunnelKind::Mac => {
            if let Some(macs) = packet.data_mut().first_chunk_mut::<12>() {
                *macs = *template.macs();
            }
            Ok(())
        }
    }
}

const fn inner_protocol(family: Family) -> u8 {
    match family {
        Family::V4 => protocol::IPIP,
        Family::V6 => protocol::IPV6,
    }
}

/// The outer IPv4 header: DSCP and ECN copied (RFC 6040 §4.1, normal mode), identification 0 where the
/// packet cannot be fragmented (RFC 6864 §4.1).
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the MTU bounds the length; folds leave 16 bits")]
fn outer_v4(
    parsed: &Parsed,
    template: &Template,
    identifications: &mut Identifications,
) -> [u8; OUTER_V4_BYTES] {
    let dont_fragment = match template.dont_fragment() {
        DontFragment::Inherit => parsed.dont_fragment,
        DontFragment::Set => true,
        DontFragment::Clear => false,
    };
    let (fragment, identification) =
        if dont_fragment { (DONT_FRAGMENT, 0) } else { (0, identifications.take()) };
    let total_len = (parsed.ip_len as usize + OUTER_V4_BYTES) as u16;
    let protocol = inner_protocol(parsed.tuple.family);
    let entropy = match template.entropy_mask() {
        0 => 0,
        mask => parsed.tuple.entropy() as u16 & mask,
    };
    let mut sum = u32::from(template.partial_checksum())
        + u32::from(parsed.tos)
        + u32::from(total_len)
        + u32::from(identification)
        + u32::from(fragment)
        + u32::from(protocol)
        + u32::from(entropy);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    let words = template.outer_v4().as_chunks::<4>().0;
    let word = |at: usize| words.get(at).map_or(0, |bytes| u32::from_be_bytes(*bytes));
    let mut outer = [0; OUTER_V4_BYTES];
    let filled = [
        word(0) | u32::from(parsed.tos) << 16 | u32::from(total_len),
        u32::from(identification) << 16 | u32::from(fragment),
        word(2) | u32::from(protocol) << 16 | u32::from(!(sum as u16)),
        word(3) | u32::from(entropy),
        word(4),
    ];
    for (bytes, word) in outer.as_chunks_mut::<4>().0.iter_mut().zip(filled) {
        *bytes = word.to_be_bytes();
    }
    outer
}

/// The outer IPv6 header: traffic class as above, flow label from the flow (RFC 6438 §3).
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the MTU bounds the length; entropy has 16 bits")]
fn outer_v6(parsed: &Parsed, template: &Template) -> [u8; OUTER_V6_BYTES] {
    let entropy = parsed.tuple.entropy();
    let first = 6 << 28 | u32::from(parsed.tos) << 20 | entropy;
    let [len0, len1] = (parsed.ip_len as u16).to_be_bytes();
    let [entropy0, entropy1] = (entropy as u16 & template.entropy_mask()).to_be_bytes();
    let [f0, f1, f2, f3] = first.to_be_bytes();
    let mut outer = *template.outer_v6();
    let [a, b, c, d, e, f, next_header, _, source @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
        &mut outer;
    (*a, *b, *c, *d, *e, *f) = (f0, f1, f2, f3, len0, len1);
    *next_header = inner_protocol(parsed.tuple.family);
    let [.., s0, s1] = source;
    *s0 |= entropy0;
    *s1 |= entropy1;
    outer
}

/// Makes room and writes the link header and `outer` into it.
#[inline]
fn push_header<P: Packet, const LEN: usize>(
    packet: &mut P,
    parsed: &Parsed,
    template: &Template,
    ethertype: u16,
    outer: [u8; LEN],
) -> Result<(), DropReason> {
    let frame = packet.prepend(LEN).map_err(|_| DropReason::NoHeadroom)?;
    let link_len = usize::from(parsed.network_offset);
    if link_len != ETHERNET_BYTES {
        move_tags(frame, link_len, LEN);
    }
    let Some((link, rest)) = frame.split_at_mut_checked(link_len) else { return Ok(()) };
    if let (Some(macs), Some(last)) = (link.first_chunk_mut::<12>(), rest.first_chunk_mut::<LEN>()) {
        *macs = *template.macs();
        *last = outer;
    }
    if let Some(bytes) = link.last_chunk_mut::<2>() {
        *bytes = ethertype.to_be_bytes();
    }
    Ok(())
}

/// The packet's VLAN tags move to the front with the link header, so that what they say stays.
#[cold]
fn move_tags(frame: &mut [u8], link_len: usize, len: usize) {
    if frame.len() >= len + link_len && link_len > ETHERNET_BYTES {
        frame.copy_within(len + 12..len + link_len - 2, 12);
    }
}
