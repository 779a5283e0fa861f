//! The five-tuple, in one shape for both families, and the number that spreads it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::ethernet;

/// Which Internet Protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Family {
    /// RFC 791.
    #[default]
    V4 = 4,
    /// RFC 8200.
    V6 = 6,
}

impl Family {
    /// Of what begins like an IP packet.
    #[must_use]
    pub fn of(packet: &[u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => Some(Self::V4),
            6 => Some(Self::V6),
            _ => None,
        }
    }

    /// The ethertype of its packets.
    #[must_use]
    pub const fn ethertype(self) -> u16 {
        match self {
            Self::V4 => ethernet::IPV4,
            Self::V6 => ethernet::IPV6,
        }
    }

    /// Where a packet that begins with its header goes (RFC 791 §3.1, RFC 8200 §3).
    #[must_use]
    pub fn destination(self, packet: &[u8]) -> Option<[u8; 16]> {
        match self {
            Self::V4 => packet.get(16..)?.first_chunk().copied().map(padded),
            Self::V6 => packet.get(24..)?.first_chunk().copied(),
        }
    }
}

/// IANA protocol numbers that we know by name.
pub mod protocol {
    /// RFC 792.
    pub const ICMP: u8 = 1;
    /// IPv4 inside IP, RFC 2003.
    pub const IPIP: u8 = 4;
    /// RFC 9293.
    pub const TCP: u8 = 6;
    /// RFC 768.
    pub const UDP: u8 = 17;
    /// Generic routing encapsulation.
    pub const GRE: u8 = 47;
    /// IPv6 inside IP, RFC 2473.
    pub const IPV6: u8 = 41;
    /// RFC 4303.
    pub const ESP: u8 = 50;
    /// RFC 4302.
    pub const AH: u8 = 51;
    /// RFC 4443.
    pub const ICMPV6: u8 = 58;
    /// RFC 9260.
    pub const SCTP: u8 = 132;
    /// Reserved by IANA: no packet's. It stands for any protocol, and for none.
    pub const RESERVED: u8 = 255;
}

/// Source, destination, ports and protocol: what one flow is. Ports are in host order. An IPv4 address
/// fills the first four of the sixteen bytes and the rest are zero, so that two tuples are equal exactly
/// when their bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiveTuple {
    /// The client's address.
    pub source: [u8; 16],
    /// The VIP.
    pub destination: [u8; 16],
    /// The client's port. Of ESP and AH both ports together are the SPI, of other protocols without ports they are 0.
    pub source_port: u16,
    /// The service's port.
    pub destination_port: u16,
    /// The transport protocol.
    pub protocol: u8,
    /// The family of both addresses.
    pub family: Family,
}

/// An IPv4 address as it stands in a [`FiveTuple`].
#[must_use]
pub const fn padded(address: [u8; 4]) -> [u8; 16] {
    let [a, b, c, d] = address;
    [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// An address as it stands in a [`FiveTuple`].
#[must_use]
pub const fn packed(address: IpAddr) -> ([u8; 16], Family) {
    match address {
        IpAddr::V4(v4) => (padded(v4.octets()), Family::V4),
        IpAddr::V6(v6) => (v6.octets(), Family::V6),
    }
}

/// The address that stands in sixteen bytes of that family.
#[must_use]
pub const fn unpacked(bytes: [u8; 16], family: Family) -> IpAddr {
    match family {
        Family::V4 => {
            let [a, b, c, d, ..] = bytes;
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        Family::V6 => IpAddr::V6(Ipv6Addr::from_octets(bytes)),
    }
}

impl FiveTuple {
    /// The client's address.
    #[must_use]
    pub const fn source_ip(&self) -> IpAddr {
        unpacked(self.source, self.family)
    }

    /// The VIP.
    #[must_use]
    pub const fn destination_ip(&self) -> IpAddr {
        unpacked(self.destination, self.family)
    }

    /// The same flow seen from the other side.
    #[must_use]
    pub const fn reversed(&self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            protocol: self.protocol,
            family: self.family,
        }
    }

    /// Ports, protocol and family as the keyed hash takes them: eight bytes, `source_port(2)
    /// destination_port(2) protocol(1) family(1) 0 0` with big-endian ports, as a little-endian word.
    #[inline]
    #[must_use]
    pub const fn tail(&self) -> u64 {
        self.source_port.to_be() as u64
            | (self.destination_port.to_be() as u64) << 16
            | (self.protocol as u64) << 32
            | (self.family as u64) << 40
    }

    /// Sixteen bits (in the low half) that differ between flows, for the real's receive-side scaling:
    /// an outer source address or a flow label carries them. Unkeyed on purpose, so that every router
    /// gives a flow the same outer header; it is no protection against anything.
    ///
    /// `x` is the XOR of the addresses' 32-bit words and of `source_port << 16 | destination_port`;
    /// the entropy is the upper half of `x * 0x9E37_79B1` modulo 2³².
    #[inline]
    #[must_use]
    pub fn entropy(&self) -> u32 {
        #[allow(clippy::cast_possible_truncation, reason = "folding keeps every bit by XOR")]
        let fold = |bytes: &[u8; 16]| {
            let wide = u128::from_be_bytes(*bytes);
            let half = (wide >> 64) as u64 ^ wide as u64;
            (half >> 32) as u32 ^ half as u32
        };
        let ports = u32::from(self.source_port) << 16 | u32::from(self.destination_port);
        let x = fold(&self.source) ^ fold(&self.destination) ^ ports;
        x.wrapping_mul(0x9E37_79B1) >> 16
    }
}

/// The tuple of an IPv6 packet whose upper-layer protocol and ports are known.
#[inline]
pub(crate) fn packed_v6_tuple(ip: &crate::ipv6::Ipv6, protocol: u8, ports: (u16, u16)) -> FiveTuple {
    FiveTuple {
        source: ip.source,
        destination: ip.destination,
        source_port: ports.0,
        destination_port: ports.1,
        protocol,
        family: Family::V6,
    }
}
