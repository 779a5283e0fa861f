//! Next hops: which way a real is reached on the link, apart from what the operator wrote.
//!
//! A table's image says that a next hop is *followed*, never where it leads: its bytes do not depend on the
//! kernel's neighbours. Each worker has templates of its own, and a hop is put into them as it is learnt.

use crate::blueprint::RealSpec;
use crate::limits::PORTS_MAX;
use crate::numbers::RealNumber;

/// Where frames to one real go, as it was learnt last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The real.
    pub real: RealNumber,
    /// Place of the port that leads there; `None` is the port that a packet came by. A port that the
    /// configuration names for the real stands above it.
    pub port: Option<u8>,
    /// The destination MAC address.
    pub destination: [u8; 6],
    /// The source MAC address: ours on that port.
    pub source: [u8; 6],
    /// Whether the destination is known.
    pub is_resolved: bool,
}

/// One byte: the port by which packets leave, whether the next hop is followed, and whether it is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way(pub(crate) u8);

impl Way {
    const PORT: u8 = PORTS_MAX;
    const FOLLOWED: u8 = 1 << 6;
    const UNRESOLVED: u8 = 1 << 7;
    /// Of no real.
    pub(crate) const NONE: Self = Self(0);

    /// As it stands in an image; `None` if there can be no such port.
    pub(crate) const fn of(real: &RealSpec) -> Option<Self> {
        let port = match real.port {
            None => Self::PORT,
            Some(port) if port < PORTS_MAX => port,
            Some(_) => return None,
        };
        let hop = if real.next_hop.is_none() { Self::FOLLOWED | Self::UNRESOLVED } else { 0 };
        Some(Self(port | hop))
    }

    /// The port by which packets leave; `None` is the one they came by.
    #[inline]
    pub(crate) const fn port(self) -> Option<u8> {
        match self.0 & Self::PORT {
            Self::PORT => None,
            port => Some(port),
        }
    }

    #[inline]
    pub(crate) const fn is_followed(self) -> bool {
        self.0 & Self::FOLLOWED != 0
    }

    #[inline]
    pub(crate) const fn is_resolved(self) -> bool {
        self.0 & Self::UNRESOLVED == 0
    }

    /// With what was learnt; a port that is there stays.
    pub(crate) const fn with(self, hop: &Hop) -> Self {
        let port = match (self.port(), hop.port) {
            (Some(port), _) => port,
            (None, Some(port)) if port < PORTS_MAX => port,
            (None, _) => Self::PORT,
        };
        Self(port | Self::FOLLOWED | if hop.is_resolved { 0 } else { Self::UNRESOLVED })
    }

    /// Whether an image may say so: what is followed is not known there, and nothing else is unknown.
    pub(crate) const fn is_sound(self) -> bool {
        self.is_followed() != self.is_resolved()
    }
}

const _: () = assert!(PORTS_MAX == (1 << 6) - 1, "six bits hold a port, and one value for none");
