//! What new flows of a service are kept together by.
//!
//! A real is chosen by the hash of a tuple. A service's *key* says which part of the flow's tuple that is; the rest
//! is zero. All flows with the same key then get the same real, as long as the pool's table stays as it is. For
//! that to hold when the table changes, the *clients* of services that are keyed by source are entered in the flow
//! table, beside their flows: see [`ServiceEntry::client`].

use core::fmt;

use mem::Prf;
use wire::{FiveTuple, protocol};

use crate::hash::tuple_hash;
use crate::layout::ServiceEntry;

/// Which part of a flow's tuple chooses its real.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// All of it.
    #[default]
    Flow,
    /// So many first bits of the source address, 1 to those of its family. One client, or one network of clients, is
    /// at one real with all that it does.
    Source(u8),
    /// The destination port, in both families alike.
    Port,
}

/// How images write [`Key::Source`].
const SOURCE: u8 = 1;
/// How images write [`Key::Port`].
const PORT: u8 = 2;

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flow => f.write_str("flow"),
            Self::Source(bits) => write!(f, "source/{bits}"),
            Self::Port => f.write_str("port"),
        }
    }
}

impl Key {
    /// How images write it: kind, and bits of the source.
    pub(crate) const fn code(self) -> (u8, u8) {
        match self {
            Self::Flow => (0, 0),
            Self::Source(bits) => (SOURCE, bits),
            Self::Port => (PORT, 0),
        }
    }

    /// Whether a service of that protocol and of addresses with so many bits may have it.
    pub(crate) const fn fits(self, protocol: u8, address_bits: u8) -> bool {
        match self {
            Self::Flow => true,
            Self::Source(bits) => bits >= 1 && bits <= address_bits,
            Self::Port => matches!(protocol, protocol::TCP | protocol::UDP),
        }
    }
}

/// Whether services of that protocol can be: all but ICMP, whose messages are ours to answer or of other flows.
/// [`protocol::RESERVED`] is any protocol that no other service of the VIP has.
pub(crate) const fn is_served(protocol: u8) -> bool {
    !matches!(protocol, protocol::ICMP | protocol::ICMPV6)
}

/// Whether it has no ports: then a service has them all.
pub(crate) const fn is_portless(protocol: u8) -> bool {
    !matches!(protocol, protocol::TCP | protocol::UDP)
}

/// Of a run's cells of protocols without ports: the protocol's own, or that of any, which is the last. A protocol that
/// no packet may have is nobody's.
pub(crate) fn cell_of(cells: &[u64], protocol: u8) -> Option<u64> {
    let of = |cell: &&u64| (*cell >> 48).to_le_bytes().first().copied();
    let any = cells.last().filter(|cell| of(cell) == Some(protocol::RESERVED));
    let found = cells.iter().find(|cell| of(cell) == Some(protocol)).or(any).copied();
    found.filter(|_| is_served(protocol) && protocol != protocol::RESERVED)
}

/// What chooses the real of a flow that has a security parameters index for its ports, where nothing else is said: an
/// index changes in the middle of a session, and the real is not to.
#[must_use]
pub fn session_hash(prf: &Prf, tuple: &FiveTuple) -> u64 {
    tuple_hash(prf, &FiveTuple { source_port: 0, destination_port: 0, ..*tuple }).0
}

impl ServiceEntry {
    /// What chooses a new flow's real, of a service that is not keyed by flow: the first word of the hash of the
    /// part of its tuple that the key takes.
    #[cold]
    #[must_use]
    pub fn keyed_hash(&self, prf: &Prf, tuple: &FiveTuple) -> u64 {
        let part = if self.key == PORT {
            FiveTuple { destination_port: tuple.destination_port, ..FiveTuple::default() }
        } else {
            FiveTuple { source: self.masked(tuple), family: tuple.family, ..FiveTuple::default() }
        };
        tuple_hash(prf, &part).0
    }

    /// Whether the whole flow chooses its real.
    #[inline]
    #[must_use]
    pub const fn is_by_flow(&self) -> bool {
        self.key == 0
    }

    /// What the client of a flow is entered as, where a service is keyed by source: its masked address, the VIP, a
    /// protocol that no packet has, and in the destination port's place the number of the services' group. Services
    /// with one VIP, pool and key are one group, so that they know each other's clients.
    #[must_use]
    pub fn client(&self, tuple: &FiveTuple) -> Option<FiveTuple> {
        let client = FiveTuple {
            source: self.masked(tuple),
            destination: self.address,
            source_port: 0,
            destination_port: self.group,
            protocol: protocol::RESERVED,
            family: tuple.family,
        };
        (self.key == SOURCE).then_some(client)
    }

    /// Whether it is keyed by source.
    #[inline]
    #[must_use]
    pub const fn keeps_clients(&self) -> bool {
        self.key == SOURCE
    }

    /// The first bits of the source; IPv4 addresses stand in the first four bytes. The bits are of the VIP's family:
    /// clients of the other one, whom only a rule brings, count by their whole address.
    fn masked(&self, tuple: &FiveTuple) -> [u8; 16] {
        let is_ours = tuple.family as u8 == self.family;
        let bits = if is_ours { u32::from(self.key_bits) } else { 128 };
        let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
        (u128::from_be_bytes(tuple.source) & mask).to_be_bytes()
    }

    /// The key that stands in it, if it is one.
    #[must_use]
    pub const fn key(&self) -> Option<Key> {
        match (self.key, self.key_bits) {
            (0, 0) => Some(Key::Flow),
            (SOURCE, bits) => Some(Key::Source(bits)),
            (PORT, 0) => Some(Key::Port),
            _ => None,
        }
    }

    /// Whether its key is in order, and its group that of the first among `all`, which are by ascending number.
    pub(crate) fn is_key_sound(&self, all: &[Self], address_bits: u8) -> bool {
        let Some(key) = self.key() else { return false };
        let is_group = match all.binary_search_by_key(&u32::from(self.group), |other| other.number) {
            _ if !self.keeps_clients() => self.group == 0,
            Err(_) => false,
            Ok(place) => all.get(place).is_some_and(|first| {
                let what =
                    |one: &Self| (one.address, one.prefix_len, one.family, one.pool, one.key, one.key_bits);
                first.number <= self.number && first.group == self.group && what(first) == what(self)
            }),
        };
        key.fits(self.protocol, address_bits) && is_group
    }
}
