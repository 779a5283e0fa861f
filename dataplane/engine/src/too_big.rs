//! What does not fit the tunnel is told so: the packet is dropped, and its buffer leaves as the ICMP error that
//! a router would send (RFC 1191 §4, RFC 4443 §3.2), from the VIP.
//!
//! The MTU told is the tunnel's less the outer header, so that a client that heeds it fits.

use flow::Gate;
use port::Packet;
use service::Template;
use wire::ipv4::{self, DONT_FRAGMENT, Ipv4};
use wire::ipv6::{self, Ipv6};
use wire::{Family, FiveTuple, Kind, Parsed, checksum, ethernet, icmp, protocol};

/// Answers a worker gives in a second: enough for every flow that begins on a narrow path, and too few to be
/// of use to a flood under false names (RFC 4443 §2.4 (f)).
pub(crate) const PER_SECOND_MAX: u32 = 1000;

/// The most bytes of an ICMP error, IP header included (RFC 1812 §4.3.2.3).
const V4_BYTES_MAX: usize = 576;
/// The same for ICMPv6: the least MTU of IPv6 (RFC 4443 §2.4 (c)).
const V6_BYTES_MAX: usize = V6_MTU_MIN as usize;
/// No link of IPv6 carries less (RFC 8200 §5), and no sender goes below (RFC 8201 §4).
pub(crate) const V6_MTU_MIN: u16 = 1280;
/// Network control, as routers mark their errors (RFC 1812 §4.3.2.5).
const TOS: u8 = 0xc0;
/// Hop limit of the answer.
const HOP_LIMIT: u8 = 64;

/// What became of a packet that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is the answer to itself now.
    Answered,
    /// There were too many before it.
    Limited,
    /// Nothing helps its sender.
    Nothing,
}

/// Tells the sender of a packet that does not fit, if it helps and `gate` lets it.
pub(crate) fn tell<P: Packet>(packet: &mut P, parsed: &Parsed, template: &Template, gate: &mut Gate) -> Told {
    match mtu(parsed, template) {
        Some(_) if !gate.admit() => Told::Limited,
        Some(mtu) if answer(packet, parsed, mtu) => Told::Answered,
        _ => Told::Nothing,
    }
}

/// What the sender of a packet that is too large for its real is to be told; `None` if nothing helps it: the
/// packet may be fragmented, which we do not do, or is an error itself, or a fragment of IPv4 that is not the first
/// (RFC 1122 §3.2.2), or as small as IPv6 knows.
fn mtu(parsed: &Parsed, template: &Template) -> Option<u16> {
    let mtu = fitting(parsed.tuple.family, template.mtu(), template.outer_len());
    let is_silent = match parsed.kind {
        Kind::IcmpError => true,
        Kind::LaterFragment => parsed.tuple.family == Family::V4,
        _ => false,
    };
    let helps = parsed.dont_fragment && !is_silent && parsed.ip_len > u32::from(mtu);
    helps.then_some(mtu)
}

/// The MTU of what fits a way of `mtu` in so many bytes of headers, as clients of that family are told.
pub(crate) fn fitting(family: Family, mtu: u16, outer_len: usize) -> u16 {
    let mtu = mtu.saturating_sub(u16::try_from(outer_len).unwrap_or(u16::MAX));
    match family {
        Family::V4 => mtu,
        Family::V6 => mtu.max(V6_MTU_MIN),
    }
}

/// Bytes in front of what an answer quotes, and the most that it may have with that.
pub(crate) const fn sizes(family: Family) -> (usize, usize) {
    match family {
        Family::V4 => (ipv4::HEADER_LEN + icmp::HEADER_LEN, V4_BYTES_MAX),
        Family::V6 => (ipv6::HEADER_LEN + icmp::HEADER_LEN, V6_BYTES_MAX),
    }
}

/// What an answer says of the packet that it was made of.
pub mod quote {
    use wire::{Family, Parsed, icmp, ipv4, ipv6};

    /// Bytes of the longest beginning that an answer holds: a link header with tags, and what is quoted.
    pub const BYTES_MAX: usize = super::V6_BYTES_MAX;

    /// Writes the beginning of the packet, as it came, that became the answer in `frame`; gives how many bytes the
    /// whole packet had.
    pub fn original(frame: &[u8], parsed: &Parsed, into: &mut Vec<u8>) -> u32 {
        let network = usize::from(parsed.network_offset);
        let header = match parsed.tuple.family {
            Family::V4 => ipv4::HEADER_LEN,
            Family::V6 => ipv6::HEADER_LEN,
        };
        into.clear();
        into.extend(frame.iter().take(network));
        if let [to, from, ..] = into.as_chunks_mut::<6>().0 {
            std::mem::swap(to, from);
        }
        into.extend(frame.iter().skip(network + header + icmp::HEADER_LEN));
        u32::from(parsed.network_offset) + parsed.ip_len
    }
}

/// Turns the packet into the answer. Gives whether there was room, and else leaves the packet as it is but for
/// its end.
fn answer<P: Packet>(packet: &mut P, parsed: &Parsed, mtu: u16) -> bool {
    let network = usize::from(parsed.network_offset);
    let (header, most) = sizes(parsed.tuple.family);
    // Of a packet in segments the first is quoted; back ends cut them longer than this.
    packet.truncate((network + (most - header).min(parsed.ip_len as usize)).min(packet.data().len()));
    let Ok(frame) = packet.prepend(header) else { return false };
    if frame.len() < header + network {
        return false;
    }
    frame.copy_within(header..header + network, 0);
    write(frame, network, &parsed.tuple, icmp::too_big(parsed.tuple.family, mtu))
}

/// Writes an answer about a packet of that tuple around what it quotes: it goes back by the link that it came by, and
/// `head` is the beginning of its message. Gives whether there was room.
pub(crate) fn write(
    frame: &mut [u8],
    network: usize,
    tuple: &FiveTuple,
    head: [u8; icmp::HEADER_LEN],
) -> bool {
    let Some((link, ip)) = frame.split_at_mut_checked(network) else { return false };
    if let [to, from, ..] = link.as_chunks_mut::<6>().0 {
        std::mem::swap(to, from);
    }
    let ethertype = match tuple.family {
        Family::V4 => ethernet::IPV4,
        Family::V6 => ethernet::IPV6,
    };
    if let Some(field) = link.last_chunk_mut() {
        *field = ethertype.to_be_bytes();
    }
    match tuple.family {
        Family::V4 => write_v4(ip, tuple, head),
        Family::V6 => write_v6(ip, tuple, head),
    }
    true
}

fn write_v4(packet: &mut [u8], tuple: &FiveTuple, icmp: [u8; icmp::HEADER_LEN]) {
    let total_len = u16::try_from(packet.len()).unwrap_or(u16::MAX);
    let Some((head, message)) = packet.split_first_chunk_mut::<{ ipv4::HEADER_LEN }>() else { return };
    let ip = Ipv4 {
        version_ihl: 0x45,
        tos: TOS,
        total_len,
        identification: 0,
        fragment: DONT_FRAGMENT,
        ttl: HOP_LIMIT,
        protocol: protocol::ICMP,
        checksum: [0; 2],
        source: address(&tuple.destination),
        destination: address(&tuple.source),
    };
    *head = Ipv4 { checksum: checksum::of(&ip.emit()), ..ip }.emit();
    write_message(message, tuple, icmp);
}

fn write_v6(packet: &mut [u8], tuple: &FiveTuple, icmp: [u8; icmp::HEADER_LEN]) {
    let Some((head, message)) = packet.split_first_chunk_mut::<{ ipv6::HEADER_LEN }>() else { return };
    let ip = Ipv6 {
        version_class_label: 6 << 28,
        payload_len: u16::try_from(message.len()).unwrap_or(u16::MAX),
        next_header: protocol::ICMPV6,
        hop_limit: HOP_LIMIT,
        source: tuple.destination,
        destination: tuple.source,
    };
    *head = ip.emit();
    write_message(message, tuple, icmp);
}

fn write_message(message: &mut [u8], tuple: &FiveTuple, icmp: [u8; icmp::HEADER_LEN]) {
    if let Some(head) = message.first_chunk_mut() {
        *head = icmp;
    }
    icmp::finish(&tuple.reversed(), message);
}

/// An IPv4 address as it stands on the wire.
const fn address(padded: &[u8; 16]) -> [u8; 4] {
    let &[a, b, c, d, ..] = padded;
    [a, b, c, d]
}
