//! What stands in front of every packet to one real, prepared once per generation.

use core::mem::{align_of, size_of};
use std::net::IpAddr;

use wire::{packed, unpacked};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::blueprint::{DontFragment, Encap, Outer, RealSpec, RealState};
use crate::hop::{Hop, Way};
use crate::tail::Form;

/// Bytes of an Ethernet header without VLAN tags.
pub const ETHERNET_BYTES: usize = 14;
/// Bytes of an outer IPv4 header (RFC 791 §3.1, no options).
pub const OUTER_V4_BYTES: usize = 20;
/// Bytes of an outer IPv6 header (RFC 8200 §3).
pub const OUTER_V6_BYTES: usize = 40;
/// Bytes of the longest prepared header.
pub const HEADER_BYTES: usize = ETHERNET_BYTES + OUTER_V6_BYTES;

/// Values of a template's byte 62.
const PLAIN: u8 = 1;
const PLAIN_BY_PORT: u8 = 2;
/// Of byte 57: the bits of entropy, and that services are to be asked.
const ENTROPY: u8 = 0x1f;
const ASKS: u8 = 0x20;

/// Bits of byte 56 that are Don't Fragment's; those above are the tail's form.
const DONT_FRAGMENT_BITS: u32 = 2;

/// How packets travel to a real, with the family of the outer header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TunnelKind {
    /// An outer IPv4 header.
    Ipip4 = 1,
    /// An outer IPv6 header.
    Ipip6 = 2,
    /// Only the Ethernet header is new.
    Mac = 3,
    /// An outer IPv4 header, and a tail behind it.
    Tail4 = 4,
    /// An outer IPv6 header, and a tail behind it.
    Tail6 = 5,
}

/// One real's prepared header and what is needed to finish it: one cache line.
///
/// | bytes | content |
/// |---|---|
/// | 0..6 | destination MAC: the real's next hop |
/// | 6..12 | source MAC: ours |
/// | 12..14 | ethertype of the outer header; 0 for [`TunnelKind::Mac`], where the packet's own stays |
/// | 14..34 | outer IPv4: version, IHL, TTL, source, destination filled in; TOS, total length, identification, flags, protocol and checksum are 0, and the source's entropy bits |
/// | 14..54 | or outer IPv6: version, hop limit, source, destination filled in; traffic class, flow label, payload length and next header are 0, and the source's entropy bits |
/// | 54 | kind: 0 no such real, 1 IPv4, 2 IPv6, 3 MAC rewrite, 4 IPv4 and a tail, 5 IPv6 and a tail |
/// | 55 | state: 0 up, 1 drain, 2 down, 3 failed |
/// | 56 | bits 0 and 1: outer Don't Fragment: 0 inherit, 1 set, 2 clear; bits 2 to 4: the [`Form`] of the tail |
/// | 57 | bits 0 to 4: low bits of the outer source that the flow's entropy fills, 0 to 16; bit 5: a service whose flows come here asks for more than a real |
/// | 58..60 | sum of the IPv4 header's ten big-endian words as prepared, folded to 16 bits, not complemented (RFC 1071) |
/// | 60..62 | most bytes of the IP packet on the wire, outer header included |
/// | 62 | 1 if the outer header of a packet with Don't Fragment differs from packet to packet in TOS and length alone (IPv4, fixed source, Don't Fragment not cleared), the next hop is known and no service is to be asked; 2 if it then leaves by a port of its own; 0 else |
/// | 63 | bits 0 to 5: the port by which packets leave, 63 as they came; bit 6: the next hop is followed; bit 7: it is not known. 0 if there is no such real |
///
/// Bytes past the header of a kind are 0. Integers of more than one byte from 58 on are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub struct Template {
    header: [u8; HEADER_BYTES],
    kind: u8,
    state: u8,
    outer_bits: u8,
    entropy_bits: u8,
    partial_checksum: u16,
    mtu: u16,
    plain: u8,
    way: u8,
}

const _: () = assert!(size_of::<Template>() == 64 && align_of::<Template>() == 64);

impl Template {
    /// No such real.
    pub(crate) const ABSENT: Self = Self {
        header: [0; HEADER_BYTES],
        kind: 0,
        state: 0,
        outer_bits: 0,
        entropy_bits: 0,
        partial_checksum: 0,
        mtu: 0,
        plain: 0,
        way: Way::NONE.0,
    };

    /// The template of a real; `None` if the outer source of its family is missing.
    pub(crate) fn new(real: &RealSpec, outer: &Outer, way: Way) -> Option<Self> {
        let mut made = Self { state: real.state.code(), mtu: outer.mtu, way: way.0, ..Self::ABSENT };
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend(real.next_hop.unwrap_or_default());
        header.extend(outer.mac);
        let form = Form::of(real.encap);
        made.outer_bits = outer.dont_fragment.code() | (form as u8) << DONT_FRAGMENT_BITS;
        let has_tail = form != Form::Bare;
        match (real.encap, real.address) {
            (Encap::Mac, _) => made.kind = TunnelKind::Mac as u8,
            (_, IpAddr::V4(address)) => {
                let source = outer.source_v4?;
                made.kind = if has_tail { TunnelKind::Tail4 } else { TunnelKind::Ipip4 } as u8;
                made.entropy_bits = 32_u8.saturating_sub(source.prefix_len);
                let fixed = source.address.to_bits() & !low_bits_32(made.entropy_bits);
                header.extend([0x08, 0x00, 0x45, 0, 0, 0, 0, 0, 0, 0, outer.hop_limit, 0, 0, 0]);
                header.extend(fixed.to_be_bytes());
                header.extend(address.octets());
                made.partial_checksum = folded_sum(header.get(ETHERNET_BYTES..).unwrap_or_default());
            }
            (_, IpAddr::V6(address)) => {
                let source = outer.source_v6?;
                made.kind = if has_tail { TunnelKind::Tail6 } else { TunnelKind::Ipip6 } as u8;
                made.entropy_bits = 128_u8.saturating_sub(source.prefix_len);
                let fixed = source.address.to_bits() & !u128::from(low_bits_32(made.entropy_bits));
                header.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 0, outer.hop_limit]);
                header.extend(fixed.to_be_bytes());
                header.extend(address.octets());
            }
        }
        for (to, from) in made.header.iter_mut().zip(header) {
            *to = from;
        }
        made.plain = made.plainness();
        Some(made)
    }

    /// The same of a real to which flows of a service come that asks for more than a real.
    #[must_use]
    pub(crate) const fn asking(mut self) -> Self {
        self.entropy_bits |= ASKS;
        self.plain = self.plainness();
        self
    }

    /// Whether the service of a packet may ask for more than a real. It may too where this says no, of a flow that was
    /// there before its real left the service's pool: such flows are to be confirmed with each packet.
    #[inline]
    #[must_use]
    pub const fn asks(&self) -> bool {
        self.entropy_bits & ASKS != 0
    }

    /// The whole prepared header; only the first [`Self::header_len`] bytes mean something.
    #[inline]
    #[must_use]
    pub const fn header(&self) -> &[u8; HEADER_BYTES] {
        &self.header
    }

    /// Bytes of Ethernet and outer IP together: 34, 54, or 14 for MAC rewrite.
    #[inline]
    #[must_use]
    pub const fn header_len(&self) -> usize {
        ETHERNET_BYTES + self.outer_ip_len()
    }

    /// Bytes that a packet to it grows by: the outer IP header and the tail; 0 for MAC rewrite.
    #[inline]
    #[must_use]
    pub const fn outer_len(&self) -> usize {
        self.outer_ip_len() + self.form().bytes()
    }

    const fn outer_ip_len(&self) -> usize {
        match self.kind() {
            TunnelKind::Ipip4 | TunnelKind::Tail4 => OUTER_V4_BYTES,
            TunnelKind::Ipip6 | TunnelKind::Tail6 => OUTER_V6_BYTES,
            TunnelKind::Mac => 0,
        }
    }

    /// Which headers stand between the outer IP header and the packet.
    #[inline]
    #[must_use]
    pub const fn form(&self) -> Form {
        Form::of_code(self.outer_bits >> DONT_FRAGMENT_BITS)
    }

    /// Destination and source MAC address, as on the wire.
    #[inline]
    #[must_use]
    pub fn macs(&self) -> &[u8; 12] {
        self.header.first_chunk().unwrap_or(&[0; 12])
    }

    /// The Ethernet header, as on the wire.
    #[inline]
    #[must_use]
    pub fn link(&self) -> &[u8; ETHERNET_BYTES] {
        self.header.first_chunk().unwrap_or(&[0; ETHERNET_BYTES])
    }

    /// The outer IPv4 header as prepared, in words as they lie in memory (little-endian); the last one has
    /// four bytes. Meaningless over IPv6 and for MAC rewrite.
    #[inline]
    #[must_use]
    pub fn outer_v4_words(&self) -> [u64; 3] {
        let &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = self.outer_v4();
        [
            u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            u64::from_le_bytes([i, j, k, l, m, n, o, p]),
            u64::from(u32::from_le_bytes([q, r, s, t])),
        ]
    }

    /// The outer IPv4 header as prepared; meaningless over IPv6 and for MAC rewrite.
    #[inline]
    #[must_use]
    pub fn outer_v4(&self) -> &[u8; OUTER_V4_BYTES] {
        self.header.get(ETHERNET_BYTES..).and_then(|rest| rest.first_chunk()).unwrap_or(&[0; OUTER_V4_BYTES])
    }

    /// The outer IPv6 header as prepared; meaningless over IPv4 and for MAC rewrite.
    #[inline]
    #[must_use]
    pub fn outer_v6(&self) -> &[u8; OUTER_V6_BYTES] {
        self.header.last_chunk().unwrap_or(&[0; OUTER_V6_BYTES])
    }

    /// How packets travel to it.
    #[inline]
    #[must_use]
    pub const fn kind(&self) -> TunnelKind {
        match self.kind {
            1 => TunnelKind::Ipip4,
            2 => TunnelKind::Ipip6,
            4 => TunnelKind::Tail4,
            5 => TunnelKind::Tail6,
            _ => TunnelKind::Mac,
        }
    }

    /// Whether it may be chosen.
    #[inline]
    #[must_use]
    pub const fn state(&self) -> RealState {
        RealState::of_code(self.state)
    }

    /// The outer Don't Fragment bit.
    #[inline]
    #[must_use]
    pub const fn dont_fragment(&self) -> DontFragment {
        DontFragment::of_code(self.outer_bits & ((1 << DONT_FRAGMENT_BITS) - 1))
    }

    /// Low bits of the outer source address that take the flow's entropy, 0 to 16.
    #[inline]
    #[must_use]
    pub const fn entropy_bits(&self) -> u32 {
        (self.entropy_bits & ENTROPY) as u32
    }

    /// Ones for the bits that take the flow's entropy.
    #[inline]
    #[must_use]
    pub const fn entropy_mask(&self) -> u16 {
        ((1_u32 << (self.entropy_bits & ENTROPY)).wrapping_sub(1) & 0xffff) as u16
    }

    /// Sum of the prepared IPv4 header's words, folded, not complemented: add the words that are filled
    /// in, fold and complement (RFC 1071).
    #[inline]
    #[must_use]
    pub const fn partial_checksum(&self) -> u16 {
        self.partial_checksum
    }

    /// Most bytes of an IP packet to this real, outer header included.
    #[inline]
    #[must_use]
    pub const fn mtu(&self) -> u16 {
        self.mtu
    }

    /// Where the real's tunnel ends; `None` for MAC rewrite.
    #[must_use]
    pub fn destination(&self) -> Option<IpAddr> {
        let destination = match self.kind() {
            TunnelKind::Ipip4 | TunnelKind::Tail4 => {
                packed(IpAddr::from(*self.outer_v4().last_chunk::<4>()?))
            }
            TunnelKind::Ipip6 | TunnelKind::Tail6 => {
                packed(IpAddr::from(*self.outer_v6().last_chunk::<16>()?))
            }
            TunnelKind::Mac => return None,
        };
        Some(unpacked(destination.0, destination.1))
    }

    /// This template with what was learnt of the real's next hop. It is taken as the image has it, so that one
    /// hop leaves no trace in the next. Where the next hop is not followed nothing changes.
    #[must_use]
    pub const fn with_hop(mut self, hop: &Hop) -> Self {
        if !self.is_followed() {
            return self;
        }
        self.way = self.way().with(hop).0;
        if hop.is_resolved {
            self.set_macs(hop.destination, hop.source);
        }
        self.plain = self.plainness();
        self
    }

    /// This template with room for packets of `mtu` bytes and no more. A template that is absent, or for whose headers
    /// there would be no room, stays as it is.
    #[must_use]
    pub const fn with_mtu(mut self, mtu: u16) -> Self {
        if self.is_present() && mtu as usize > self.outer_len() {
            self.mtu = mtu;
        }
        self
    }

    /// This template with another source MAC address: ours on the port that packets leave by.
    #[must_use]
    pub const fn with_source(mut self, source: [u8; 6]) -> Self {
        let [a, b, c, d, e, f, ..] = self.header;
        self.set_macs([a, b, c, d, e, f], source);
        self
    }

    const fn set_macs(&mut self, destination: [u8; 6], source: [u8; 6]) {
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, ..] = &mut self.header;
        [*d0, *d1, *d2, *d3, *d4, *d5] = destination;
        [*s0, *s1, *s2, *s3, *s4, *s5] = source;
    }

    const fn way(&self) -> Way {
        Way(self.way)
    }

    /// Place of the port by which packets leave; `None` is the one they came by.
    #[inline]
    #[must_use]
    pub const fn port(&self) -> Option<u8> {
        self.way().port()
    }

    /// Whether its next hop is learnt and not written.
    #[inline]
    #[must_use]
    pub const fn is_followed(&self) -> bool {
        self.way().is_followed()
    }

    /// Whether its next hop is known.
    #[inline]
    #[must_use]
    pub const fn is_resolved(&self) -> bool {
        self.way().is_resolved()
    }

    const fn plainness(&self) -> u8 {
        let fills_nothing = self.entropy_bits == 0 && !matches!(self.dont_fragment(), DontFragment::Clear);
        let is_plain = self.kind == TunnelKind::Ipip4 as u8 && fills_nothing;
        match self.port() {
            _ if !is_plain || !self.is_resolved() => 0,
            None => PLAIN,
            Some(_) => PLAIN_BY_PORT,
        }
    }

    /// Whether the outer header of a packet with Don't Fragment takes nothing but TOS and length, and the packet
    /// can leave by the port it came by.
    #[inline]
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.plain == PLAIN
    }

    /// The same of a packet that leaves by a port of its own.
    #[inline]
    #[must_use]
    pub const fn is_plain_by_port(&self) -> bool {
        self.plain == PLAIN_BY_PORT
    }

    /// Whether there is such a real.
    #[inline]
    pub(crate) const fn is_present(&self) -> bool {
        self.kind != 0
    }

    /// Whether every field holds one of the values that an image may hold.
    pub(crate) fn is_sound(&self) -> bool {
        let entropy = self.entropy_bits & ENTROPY <= 16 && self.entropy_bits & !(ENTROPY | ASKS) == 0;
        let known = self.kind <= 5 && self.state <= RealState::CODE_MAX && entropy;
        let bits = self.dont_fragment().code() | (self.form() as u8) << DONT_FRAGMENT_BITS;
        let form = self.outer_bits == bits && (self.form() != Form::Bare) == (self.kind >= 4);
        let outer_fits = usize::from(self.mtu) > self.outer_len();
        let plain = self.plain == self.plainness();
        let way = if self.is_present() { self.way().is_sound() } else { self.way == Way::NONE.0 };
        known && form && plain && way && (outer_fits || !self.is_present())
    }
}

const fn low_bits_32(bits: u8) -> u32 {
    match 1_u32.checked_shl(bits as u32) {
        Some(power) => power - 1,
        None => u32::MAX,
    }
}

fn folded_sum(header: &[u8]) -> u16 {
    let words = header.as_chunks::<2>().0;
    let mut sum: u32 = words.iter().map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    u16::try_from(sum).unwrap_or_default()
}
