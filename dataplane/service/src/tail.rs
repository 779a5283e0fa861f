//! What stands between the outer IP header and the packet that travels in it: nothing in IP in IP, GRE, or UDP with
//! what rides on it.

use core::mem::size_of;

use wire::{gre, gue, udp, vxlan};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::blueprint::{Encap, UdpChecksum};
use crate::door::Door;

/// Which headers a tail has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Form {
    /// None: IP in IP, or no tunnel.
    #[default]
    Bare = 0,
    /// GRE (RFC 2784).
    Gre = 1,
    /// GRE with a key (RFC 2890).
    GreKey = 2,
    /// UDP alone (Linux's FOU, bit for bit variant 1 of GUE).
    Fou = 3,
    /// UDP, and GUE variant 0 without options (draft-ietf-intarea-gue).
    Gue = 4,
    /// UDP, VXLAN, and an inner Ethernet header (RFC 7348 §5).
    Vxlan = 5,
}

impl Form {
    /// What a checked image wrote.
    #[inline]
    pub(crate) const fn of_code(code: u8) -> Self {
        match code {
            1 => Self::Gre,
            2 => Self::GreKey,
            3 => Self::Fou,
            4 => Self::Gue,
            5 => Self::Vxlan,
            _ => Self::Bare,
        }
    }

    /// Of an encapsulation.
    pub(crate) const fn of(encap: Encap) -> Self {
        match encap {
            Encap::Ipip | Encap::Mac => Self::Bare,
            Encap::Gre { key: None } => Self::Gre,
            Encap::Gre { key: Some(_) } => Self::GreKey,
            Encap::Fou(_) => Self::Fou,
            Encap::Gue(_) => Self::Gue,
            Encap::Vxlan { .. } => Self::Vxlan,
        }
    }

    /// As configurations write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bare => "ipip",
            Self::Gre | Self::GreKey => "gre",
            Self::Fou => "fou",
            Self::Gue => "gue",
            Self::Vxlan => "vxlan",
        }
    }

    /// How many bytes stand between the outer IP header and the packet. Even, so that a checksum may be put together
    /// from both.
    #[inline]
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Bare => 0,
            Self::Gre => gre::HEADER_LEN,
            Self::GreKey => gre::HEADER_LEN + gre::KEY_LEN,
            Self::Fou => udp::HEADER_LEN,
            Self::Gue => udp::HEADER_LEN + gue::HEADER_LEN,
            Self::Vxlan => udp::HEADER_LEN + vxlan::HEADERS_LEN,
        }
    }

    const fn is_udp(self) -> bool {
        matches!(self, Self::Fou | Self::Gue | Self::Vxlan)
    }
}

/// What a real's tail says; which headers it has, its template knows. Zero where its form has no such field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Tail {
    key: u32,
    port: u16,
    mac: [u8; 6],
    is_summed: u8,
    spare: [u8; 3],
}

const _: () = assert!(size_of::<Tail>() == 16);

impl Tail {
    /// The largest VXLAN network identifier: it has 24 bits.
    pub const VNI_MAX: u32 = 0x00ff_ffff;

    /// The tail of a real that is reached over the family; `None` if a value is none that the headers can hold.
    pub(crate) fn new(encap: Encap, is_v6: bool) -> Option<Self> {
        let is_summed = match encap {
            Encap::Ipip | Encap::Mac | Encap::Gre { .. } => false,
            Encap::Fou(udp) | Encap::Gue(udp) | Encap::Vxlan { udp, .. } => match udp.checksum {
                UdpChecksum::Auto => is_v6,
                UdpChecksum::Zero => false,
                UdpChecksum::Full => true,
            },
        };
        let made = Self { is_summed: u8::from(is_summed), ..Self::at(&Door::of(encap)) };
        Some(made).filter(|made| made.is_sound(Form::of(encap)))
    }

    /// One that leads to a door.
    pub(crate) fn at(door: &Door) -> Self {
        Self { key: door.key, port: door.port, mac: door.mac, ..Self::default() }
    }

    /// The key of GRE or the network identifier of VXLAN.
    #[inline]
    #[must_use]
    pub const fn key(&self) -> u32 {
        self.key
    }

    /// The UDP port that the tunnel's end listens on.
    #[inline]
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The destination of the inner Ethernet header.
    #[inline]
    #[must_use]
    pub const fn mac(&self) -> [u8; 6] {
        self.mac
    }

    /// Whether the UDP checksum is computed; else it is 0.
    #[inline]
    #[must_use]
    pub const fn is_summed(&self) -> bool {
        self.is_summed != 0
    }

    /// Whether headers of that form hold such a port and key, of which those that it lacks are 0.
    pub(crate) const fn may_end(form: Form, port: u16, key: u32) -> bool {
        let is_key = match form {
            Form::GreKey => true,
            Form::Vxlan => key <= Self::VNI_MAX,
            _ => key == 0,
        };
        is_key && (port != 0) == form.is_udp()
    }

    /// Whether an image may say so of a real whose tail has that form.
    pub(crate) fn is_sound(&self, form: Form) -> bool {
        let udp = Self::may_end(form, self.port, self.key) && (form.is_udp() || self.is_summed == 0);
        let [first, ..] = self.mac;
        let mac = if form == Form::Vxlan { self.mac != [0; 6] && first & 1 == 0 } else { self.mac == [0; 6] };
        udp && mac && self.is_summed <= 1 && self.spare == [0; 3]
    }
}
