//! What a forwarding table is built from: validated, numbered, and free of names and files.
//!
//! A table is a pure function of a blueprint; the order of the lists inside does not matter.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::attributes::Attributes;
use crate::ends::EndSpec;
use crate::key::Key;
use crate::numbers::{RealNumber, ServiceNumber};
use crate::quic::{QuicPlaces, QuicSpec};
use crate::rules::RuleSpec;
use crate::tail::Form;
use crate::template::{OUTER_V4_BYTES, OUTER_V6_BYTES};

/// Everything a table is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blueprint {
    /// Chooses slots; equal on all routers of a cluster.
    pub select_seed: [u8; 16],
    /// How outer headers are made.
    pub outer: Outer,
    /// Which way responses take.
    pub return_path: ReturnPath,
    /// Idle times after which a flow is forgotten.
    pub timeouts: Timeouts,
    /// New flows that one worker inserts per second; above it new flows are forwarded by hash alone.
    /// `None` is no gate.
    pub new_flows_rate_max: Option<u32>,
    /// All reals.
    pub reals: Vec<RealSpec>,
    /// All pools. A service names its pool by its place in this list.
    pub pools: Vec<PoolSpec>,
    /// How QUIC's connection ids are made. A service names those it knows by their places in this list.
    pub quic: Vec<QuicSpec>,
    /// Tunnels that end here.
    pub ends: Vec<EndSpec>,
    /// All services.
    pub services: Vec<ServiceSpec>,
    /// All rules.
    pub rules: Vec<RuleSpec>,
}

/// Which way responses take from the servers to the clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReturnPath {
    /// Past us: the servers have another way out (direct server return).
    #[default]
    Direct,
    /// Through us: we are the servers' gateway, and our kernel forwards.
    ViaSlr,
}

impl ReturnPath {
    /// How images write it.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Direct => 0,
            Self::ViaSlr => 1,
        }
    }

    /// What a checked image wrote.
    #[inline]
    pub(crate) const fn of_code(code: u8) -> Self {
        if code == 0 { Self::Direct } else { Self::ViaSlr }
    }

    /// As configurations write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::ViaSlr => "via-slr",
        }
    }
}

/// How outer headers are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outer {
    /// Our own MAC address, the source of every frame we send.
    pub mac: [u8; 6],
    /// Outer source for reals with IPv4 addresses; needed if there are any behind a tunnel.
    pub source_v4: Option<OuterSource<Ipv4Addr>>,
    /// The same for IPv6.
    pub source_v6: Option<OuterSource<Ipv6Addr>>,
    /// Outer TTL or hop limit, 1 or more.
    pub hop_limit: u8,
    /// How many of us a packet may pass on its way to a real, 1 or more.
    pub passes_max: u8,
    /// Outer Don't Fragment.
    pub dont_fragment: DontFragment,
    /// The most bytes an IP packet (outer header included) may have on the way to a real.
    pub mtu: u16,
}

/// Where the outer source address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OuterSource<A> {
    /// The address; with entropy, its bits below `prefix_len` are replaced.
    pub address: A,
    /// The full length of the family is a fixed address; at most 16 bits below it are filled with the
    /// flow's entropy (the low bits of the address).
    pub prefix_len: u8,
}

/// The outer Don't Fragment bit (IPv4 only).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DontFragment {
    /// As the inner packet has it; set when that is IPv6 (RFC 2003 §3.1, RFC 4213 §3.2).
    Inherit,
    /// Always.
    Set,
    /// Never.
    Clear,
}

impl DontFragment {
    /// How images write it.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Inherit => 0,
            Self::Set => 1,
            Self::Clear => 2,
        }
    }

    /// What a checked image wrote.
    #[inline]
    pub(crate) const fn of_code(code: u8) -> Self {
        match code {
            0 => Self::Inherit,
            1 => Self::Set,
            _ => Self::Clear,
        }
    }
}

/// Idle times, in ticks (eighths of a second), 1 to [`crate::Timeouts::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP before the handshake has finished.
    pub syn: u16,
    /// TCP after it.
    pub established: u16,
    /// TCP after FIN or RST.
    pub closing: u16,
    /// UDP.
    pub udp: u16,
}

impl Timeouts {
    /// One hour: entries keep 16 bits of tick, and half their range must tell old from new.
    pub const MAX: u16 = 28_800;
}

/// One real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RealSpec {
    /// Its number.
    pub number: RealNumber,
    /// Where its tunnel ends (or what answers to its MAC address).
    pub address: IpAddr,
    /// The destination MAC address of frames on their way to it; `None` is *followed*: a [`crate::Hop`] tells it,
    /// again and again.
    pub next_hop: Option<[u8; 6]>,
    /// Place of the port by which packets leave to it, below [`crate::PORTS_MAX`]; `None` is the one they came by.
    pub port: Option<u8>,
    /// How packets travel to it.
    pub encap: Encap,
    /// Whether it may be chosen.
    pub state: RealState,
}

/// How packets travel to a real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encap {
    /// IP in IP, in all four family pairs (RFC 2003, 2473, 4213).
    Ipip,
    /// The destination MAC address is rewritten; the real is on the same LAN.
    Mac,
    /// GRE (RFC 2784), with a key if one is given (RFC 2890).
    Gre {
        /// The key.
        key: Option<u32>,
    },
    /// UDP alone: Linux's FOU.
    Fou(UdpTunnel),
    /// GUE, variant 0 without options.
    Gue(UdpTunnel),
    /// VXLAN (RFC 7348).
    Vxlan {
        /// The UDP header.
        udp: UdpTunnel,
        /// The network identifier, at most [`crate::Tail::VNI_MAX`].
        vni: u32,
        /// The destination of the inner Ethernet header: what the tunnel's end on the real answers to.
        inner_mac: [u8; 6],
    },
}

/// The UDP header of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UdpTunnel {
    /// The port that the tunnel's end listens on, above 0.
    pub port: u16,
    /// What its checksum is.
    pub checksum: UdpChecksum,
}

/// What the UDP checksum of a tunnel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UdpChecksum {
    /// Zero over IPv4 (RFC 768), full over IPv6 (RFC 8200 §8.1): a receiver drops zero there unless it was told to take
    /// it (RFC 6936 §4).
    Auto,
    /// Zero over both; over IPv6 only for a tunnel's end that takes it (RFC 6935 §5).
    Zero,
    /// Over header and packet, in both.
    Full,
}

impl UdpChecksum {
    /// As configurations write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Zero => "zero",
            Self::Full => "full",
        }
    }
}

impl Encap {
    /// As configurations write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ipip => "ipip",
            Self::Mac => "mac",
            Self::Gre { .. } => "gre",
            Self::Fou(_) => "fou",
            Self::Gue(_) => "gue",
            Self::Vxlan { .. } => "vxlan",
        }
    }

    /// Bytes that a packet grows by on its way to an address of that family: the outer IP header and what stands behind
    /// it. 0 for MAC rewrite.
    #[must_use]
    pub const fn outer_len(self, is_v6: bool) -> usize {
        match self {
            Self::Mac => 0,
            _ if is_v6 => OUTER_V6_BYTES + Form::of(self).bytes(),
            _ => OUTER_V4_BYTES + Form::of(self).bytes(),
        }
    }
}

/// Whether a real may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RealState {
    /// Takes new flows.
    Up,
    /// Keeps its flows, takes no new ones.
    Drain,
    /// Takes nothing; its flows are given another real.
    Down,
    /// The same, by the word of its health and not by anybody's wish: where too few others are left, it counts as up
    /// all the same ([`PoolSpec::panics`]).
    Failed,
}

impl RealState {
    /// How images write it.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Up => 0,
            Self::Drain => 1,
            Self::Down => 2,
            Self::Failed => 3,
        }
    }

    /// The largest of those.
    pub(crate) const CODE_MAX: u8 = 3;

    /// What a checked image wrote.
    #[inline]
    pub(crate) const fn of_code(code: u8) -> Self {
        match code {
            0 => Self::Up,
            1 => Self::Drain,
            2 => Self::Down,
            _ => Self::Failed,
        }
    }

    /// Its word in a configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Drain => "drain",
            Self::Down => "down",
            Self::Failed => "failed",
        }
    }

    /// All of them.
    pub const ALL: [Self; 4] = [Self::Up, Self::Drain, Self::Down, Self::Failed];

    /// Whether it takes new flows, in a pool that panics or not.
    #[must_use]
    pub const fn takes(self, panics: bool) -> bool {
        matches!(self, Self::Up) || panics && matches!(self, Self::Failed)
    }
}

/// How the slots of a pool are given to its members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// Maglev: shares are even to a slot or two, and a change moves a little more than it must.
    #[default]
    Maglev,
    /// Weighted rendezvous hashing: a change moves what it must and no more, and shares are as even as chance.
    Rendezvous,
}

impl Policy {
    /// Its word in a configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Maglev => "maglev",
            Self::Rendezvous => "rendezvous",
        }
    }
}

/// A set of weighted reals with one table of slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolSpec {
    /// Members; only those that take new flows and have a weight above 0 get slots.
    pub members: Vec<Member>,
    /// Size of the table, a prime.
    pub slots: u32,
    /// How it is filled.
    pub policy: Policy,
    /// So few of its members are up that those that have failed take new flows as well, and keep theirs.
    pub panics: bool,
}

/// One member of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which real.
    pub real: RealNumber,
    /// Its share of new flows, 0 to [`crate::WEIGHT_MAX`].
    pub weight: u32,
}

/// One service: VIP, protocol and ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceSpec {
    /// Its number.
    pub number: ServiceNumber,
    /// The VIP: an address or a prefix of addresses.
    pub vip: IpAddr,
    /// Its prefix length: 32 or 128 for a single address.
    pub prefix_len: u8,
    /// Its protocol: any but ICMP. [`wire::protocol::RESERVED`] is every one that no other service of the VIP has.
    pub protocol: u8,
    /// First port.
    pub port_first: u16,
    /// Last port; 0..=65535 is "any", and what protocols without ports have.
    pub port_last: u16,
    /// Place of its pool in [`Blueprint::pools`].
    pub pool: usize,
    /// Of UDP: the places in [`Blueprint::quic`] of the configurations it knows, by their rotation bits.
    pub quic: QuicPlaces,
    /// What it asks for beside a real.
    pub attributes: Attributes,
    /// What its flows are kept together by; of QUIC their own connection ids do it, and this is [`Key::Flow`].
    pub key: Key,
    /// Of TCP: the largest segment size that a SYN may offer (RFC 9293 §3.7.1), or 0 for any.
    pub mss: u16,
}
