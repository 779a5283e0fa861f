//! What a valid configuration is: typed, complete, every default filled in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use quic::ServerId;
use service::{
    DontFragment, Encap, EndSpec, Key, OuterSource, Policy, QuicKey, QuicPlaces, RealState, ReturnPath,
    Timeouts,
};
use wire::protocol;

use crate::mss::Mss;
use crate::rule::Rule;

pub use crate::named::{Device, Mac, MacError, Name, NameError};

/// A valid configuration. Places in `reals` and `pools` that stand inside it are in range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `[node]`.
    pub node: Node,
    /// `[tunnel]`.
    pub tunnel: Tunnel,
    /// `[select]`.
    pub select: Select,
    /// `[flow]`.
    pub flow: Flow,
    /// `[dataplane]`.
    pub dataplane: Dataplane,
    /// `[metrics]`.
    pub metrics: Metrics,
    /// `[[port]]`, in the order of the file.
    pub ports: Vec<Port>,
    /// `[[tunnel_end]]`, in the order of the file.
    pub ends: Vec<TunnelEnd>,
    /// `[[real]]`, in the order of the file.
    pub reals: Vec<Real>,
    /// `[[pool]]`, in the order of the file.
    pub pools: Vec<Pool>,
    /// `[[quic]]`, in the order of the file.
    pub quic: Vec<Quic>,
    /// `[[mark]]`, in the order of the file.
    pub marks: Vec<Mark>,
    /// `[[limit]]`, in the order of the file.
    pub limits: Vec<Limit>,
    /// `[[service]]`, in the order of the file; at least one.
    pub services: Vec<Service>,
    /// `[[rule]]`, in the order in which they are asked: the first that matches a packet decides.
    pub rules: Vec<Rule>,
}

impl Config {
    /// Whether the real in that place keeps its flows: it is up or drains, or has failed in a pool that panics
    /// and that a service uses.
    #[must_use]
    pub fn keeps_flows(&self, real: usize) -> bool {
        let panics =
            |pool: &Pool| pool.members.iter().any(|member| member.real == real) && pool.panics(&self.reals);
        let used = |place: &usize| self.services.iter().any(|service| service.pool == *place);
        match self.reals.get(real).map(|real| real.state) {
            Some(RealState::Up | RealState::Drain) => true,
            Some(RealState::Failed) => {
                self.pools.iter().enumerate().any(|(place, pool)| panics(pool) && used(&place))
            }
            Some(RealState::Down) | None => false,
        }
    }
}

/// This machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Source of every frame we send; `None` leaves it to the caller.
    pub mac: Option<Mac>,
    /// The file that keeps the numbers of reals and services, already joined to the folder of the
    /// configuration file.
    pub numbers: Option<PathBuf>,
    /// The control socket of `penstock run`, joined likewise.
    pub control: PathBuf,
    /// Which way responses take.
    pub return_path: ReturnPath,
}

impl Node {
    /// Whether responses come back through us.
    #[must_use]
    pub fn is_gateway(&self) -> bool {
        self.return_path == ReturnPath::ViaSlr
    }
}

/// How outer headers are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// Outer source towards IPv4 reals; there if any is tunnelled to.
    pub source_v4: Option<OuterSource<Ipv4Addr>>,
    /// Outer source towards IPv6 reals; there if any is tunnelled to.
    pub source_v6: Option<OuterSource<Ipv6Addr>>,
    /// Outer TTL or hop limit, 1 or more.
    pub hop_limit: u8,
    /// How many of us a packet may pass, 1 to `hop_limit`.
    pub passes_max: u8,
    /// Outer Don't Fragment.
    pub dont_fragment: DontFragment,
    /// Bytes of the outer IP packet.
    pub mtu: u16,
    /// Destination of frames to reals that name none; already filled into [`Real::next_hop`].
    pub next_hop: Option<Mac>,
}

/// How reals are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// Chooses slots of tables.
    pub seed: [u8; 16],
    /// Table size of pools that name none; already filled into [`Pool::slots`].
    pub slots: u32,
}

/// The flow table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Flows per worker.
    pub entries: u32,
    /// Fixes the table key.
    pub key: Option<[u8; 16]>,
    /// Idle times, in ticks.
    pub timeouts: Timeouts,
    /// Gate for new flows, per worker.
    pub new_flows_per_second_max: Option<u32>,
}

/// Cores and memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataplane {
    /// Worker lcores.
    pub workers: u16,
    /// Whether huge pages are used.
    pub huge_pages: HugePages,
    /// DPDK memory without huge pages, in megabytes.
    pub memory_mb: u32,
    /// mbufs in the pool, per worker.
    pub packets: u32,
}

/// Whether huge pages are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HugePages {
    /// When there.
    Auto,
    /// No start without them.
    Require,
    /// Never.
    Off,
}

/// Figures for Prometheus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Where they are served by HTTP; `None`: nowhere.
    pub listen: Option<SocketAddr>,
}

/// A port of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: Name,
    /// What DPDK is told.
    pub device: Device,
    /// Whether it has a twin in the kernel.
    pub kernel: Kernel,
}

impl Port {
    /// Whether it has a twin in the kernel.
    #[must_use]
    pub fn has_twin(&self) -> bool {
        /// The virtual devices that lead to a network.
        const NETWORKS: [&str; 5] =
            ["net_af_packet", "net_af_xdp", "net_memif", "net_virtio_user", "virtio_user"];
        match self.kernel {
            Kernel::Twin => true,
            Kernel::None => false,
            Kernel::Auto => {
                let device = self.device.as_str();
                NETWORKS.iter().any(|name| device.starts_with(name)) || self.device.is_pci()
            }
        }
    }
}

/// Whether a port has a twin: a tap interface of its name, by which the kernel gets what is not for a VIP and
/// sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Where the port leads to a network: a NIC, or an interface of the kernel.
    Auto,
    /// In any case.
    Twin,
    /// Never: what is not for a VIP is counted and goes no further.
    None,
}

/// A tunnel that ends here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelEnd {
    /// Its name.
    pub name: Name,
    /// Where it ends, in which headers, and from where.
    pub spec: EndSpec,
}

/// A real.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Real {
    /// Its name.
    pub name: Name,
    /// Its address; no two reals share one.
    pub address: IpAddr,
    /// Destination of frames on their way to it, its own or the default; without either it is *followed*: learnt
    /// from the kernel's routes and neighbours.
    pub next_hop: Option<Mac>,
    /// Place in [`Config::ports`] of the port that packets to it leave by; without, the one they came by.
    pub port: Option<usize>,
    /// How packets travel to it.
    pub encap: Encap,
    /// Whether it may be chosen.
    pub state: RealState,
}

impl Real {
    /// Whether its next hop is learnt from the kernel.
    #[must_use]
    pub const fn is_followed(&self) -> bool {
        self.next_hop.is_none()
    }
}

/// A pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: Name,
    /// Size of its table, a prime, at least the number of members.
    pub slots: u32,
    /// How the table is filled.
    pub policy: Policy,
    /// At least one, and one weight at least above 0; no real twice.
    pub members: Vec<Member>,
    /// Where less than so many percent of the weight is up, what has failed counts as up too. 0 is never.
    pub panic_percent: u8,
    /// Seconds in which a member that has come up gets its whole weight, 8 to 3600; 0 is at once.
    pub slow_start_s: u16,
}

impl Pool {
    /// How many percent of its weight are up; `reals` are [`Config::reals`]. What somebody wants down or drained is no
    /// part of it; `None` if nothing is left.
    #[must_use]
    pub fn percent_up(&self, reals: &[Real]) -> Option<u8> {
        let weight = |wanted: RealState| -> u64 {
            let of = |member: &&Member| reals.get(member.real).is_some_and(|real| real.state == wanted);
            self.members.iter().filter(of).map(|member| u64::from(member.weight)).sum()
        };
        let (up, failed) = (weight(RealState::Up), weight(RealState::Failed));
        u8::try_from(up.saturating_mul(100).checked_div(up.saturating_add(failed))?).ok()
    }

    /// Whether so little of it is up that what has failed counts as up too.
    #[must_use]
    pub fn panics(&self, reals: &[Real]) -> bool {
        self.percent_up(reals).is_some_and(|percent| percent < self.panic_percent)
    }
}

/// A member of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Place in [`Config::reals`].
    pub real: usize,
    /// Its share of new flows.
    pub weight: u32,
    /// How many eighths of it are in force: all, unless it starts slowly. No file says it.
    pub eighths: u8,
}

/// All of a member's weight.
pub const EIGHTHS: u8 = 8;

impl Member {
    /// What of its weight is in force: at least 1 of one that has any.
    #[must_use]
    pub fn share(&self) -> u32 {
        let part = self.weight.saturating_mul(u32::from(self.eighths)) / u32::from(EIGHTHS);
        part.max(self.weight.min(1))
    }
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: Name,
    /// The address or prefix the world sees.
    pub vip: Vip,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its ports; of a protocol without ports, any.
    pub ports: PortRange,
    /// Place in [`Config::pools`].
    pub pool: usize,
    /// The largest segment size that a SYN may offer; of TCP alone.
    pub mss: Option<Mss>,
    /// Places in [`Config::quic`] by rotation bits; none of TCP.
    pub quic: QuicPlaces,
    /// Place in [`Config::marks`].
    pub mark: Option<usize>,
    /// Place in [`Config::limits`].
    pub limit: Option<usize>,
    /// What keeps its flows together.
    pub key: Key,
}

impl Service {
    /// Its ports in words; a protocol without ports has none.
    #[must_use]
    pub fn ports_text(&self) -> String {
        if self.protocol.has_ports() { self.ports.to_string() } else { "-".to_owned() }
    }
}

/// Marks on packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its name.
    pub name: Name,
    /// What it says.
    pub mark: service::Mark,
}

/// A limit. Every service and every rule that names it has it for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name.
    pub name: Name,
    /// What it says.
    pub limit: service::Limit,
}

/// How QUIC's connection ids are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quic {
    /// Its name.
    pub name: Name,
    /// The rotation bits, 0 to 6.
    pub rotation: u8,
    /// Bytes of a server id.
    pub server_id_bytes: u8,
    /// Bytes of a nonce.
    pub nonce_bytes: u8,
    /// What ids are encrypted by; `None` is clear.
    pub key: Option<QuicKey>,
    /// Whether the first octet tells the length.
    pub tells_length: bool,
    /// At least one; each id once.
    pub servers: Vec<Server>,
}

/// A server id and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// Place in [`Config::reals`].
    pub real: usize,
    /// The id.
    pub id: ServerId,
}

/// A VIP: an address or a prefix of addresses, host bits zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vip {
    /// Address, or first address of the prefix.
    pub address: IpAddr,
    /// 32 or 128 for one address.
    pub prefix_len: u8,
}

impl fmt::Display for Vip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let full = if self.address.is_ipv4() { 32 } else { 128 };
        if self.prefix_len == full {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.prefix_len)
        }
    }
}

/// The protocol of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// RFC 9293.
    Tcp,
    /// RFC 768.
    Udp,
    /// One without ports, by its number, which is none of theirs and not ICMP's.
    Other(u8),
    /// Every one that no other service of the VIP takes.
    Any,
}

/// Protocols that have a name.
const PROTOCOLS: [(&str, Protocol); 7] = [
    ("tcp", Protocol::Tcp),
    ("udp", Protocol::Udp),
    ("esp", Protocol::Other(protocol::ESP)),
    ("ah", Protocol::Other(protocol::AH)),
    ("gre", Protocol::Other(protocol::GRE)),
    ("sctp", Protocol::Other(protocol::SCTP)),
    ("any", Protocol::Any),
];

impl Protocol {
    /// Those that have a name, by it.
    #[must_use]
    pub const fn named() -> &'static [(&'static str, Self)] {
        &PROTOCOLS
    }

    /// The protocol of that IANA number; `None` if it is ICMP's, or no packet's.
    #[must_use]
    pub const fn of_number(number: u8) -> Option<Self> {
        match number {
            protocol::TCP => Some(Self::Tcp),
            protocol::UDP => Some(Self::Udp),
            protocol::ICMP | protocol::ICMPV6 | protocol::RESERVED => None,
            other => Some(Self::Other(other)),
        }
    }

    /// Whether services of it have ports.
    #[must_use]
    pub const fn has_ports(self) -> bool {
        matches!(self, Self::Tcp | Self::Udp)
    }

    /// Its IANA number; 255 is any.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => protocol::TCP,
            Self::Udp => protocol::UDP,
            Self::Other(number) => number,
            Self::Any => protocol::RESERVED,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (PROTOCOLS.iter().find(|(_, protocol)| protocol == self), self) {
            (Some((name, _)), _) => f.write_str(name),
            (None, other) => write!(f, "{}", other.number()),
        }
    }
}

/// The ports of a service, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    /// First port.
    pub first: u16,
    /// Last port, not below the first.
    pub last: u16,
}

impl PortRange {
    /// Every port, 0 too.
    pub const ANY: Self = Self { first: 0, last: u16::MAX };
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ANY => f.write_str("any"),
            Self { first, last } if first == last => write!(f, "{first}"),
            Self { first, last } => write!(f, "{first}-{last}"),
        }
    }
}
