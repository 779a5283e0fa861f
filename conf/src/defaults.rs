//! Every default, once. `samples/reference.toml` shows each of them, and a test compares the two.

use service::{DontFragment, Encap, RealState, ReturnPath, Timeouts, UdpChecksum};

use crate::config::{HugePages, Kernel, Mac};

/// `node.mac` where the caller has no port of its own (replay): locally administered.
pub const NODE_MAC: Mac = Mac([0x02, 0, 0, 0, 0, 0x01]);

/// `node.control`.
pub const CONTROL: &str = "/run/penstock/control.sock";

/// `node.return_path`: responses do not pass us.
pub const RETURN_PATH: ReturnPath = ReturnPath::Direct;

/// `tunnel.hop_limit`: what IANA recommends for IP (RFC 1700).
pub const HOP_LIMIT: u8 = 64;

/// `tunnel.dont_fragment`: the inner packet's wish is kept.
pub const DONT_FRAGMENT: DontFragment = DontFragment::Inherit;

/// `tunnel.mtu`: Ethernet without jumbo frames.
pub const MTU: u16 = 1500;

/// `select.seed`.
pub const SELECT_SEED: [u8; 16] = [0; 16];

/// `select.slots`: for up to some 650 reals within one per cent of their share (Maglev, NSDI 2016, §5.3).
pub const SLOTS: u32 = 65_537;

/// `flow.entries`: flows per worker.
pub const FLOW_ENTRIES: u32 = 1_048_576;

/// Eighths of a second.
const SECOND: u16 = 8;

/// `flow.*_timeout_s`, in ticks: half-open 10 s, established 15 min, closing 10 s, UDP 1 min.
pub const TIMEOUTS: Timeouts =
    Timeouts { syn: 10 * SECOND, established: 900 * SECOND, closing: 10 * SECOND, udp: 60 * SECOND };

/// `tunnel.passes_max`: network, system and site, and one to spare.
pub const PASSES_MAX: u8 = 4;

/// `dataplane.workers`.
pub const WORKERS: u16 = 1;

/// `dataplane.huge_pages`: taken when there.
pub const HUGE_PAGES: HugePages = HugePages::Auto;

/// `dataplane.memory_mb`.
pub const MEMORY_MB: u32 = 512;

/// `dataplane.packets`.
pub const PACKETS: u32 = 16_384;

/// `port.kernel`: a twin where the port leads to a network.
pub const KERNEL: Kernel = Kernel::Auto;

/// `real.encap`.
pub const ENCAP: Encap = Encap::Ipip;

/// `real.tunnel_port` of GUE.
pub const GUE_PORT: u16 = 6080;

/// `real.tunnel_port` of FOU.
pub const FOU_PORT: u16 = 5555;

/// `real.tunnel_port` of VXLAN.
pub const VXLAN_PORT: u16 = 4789;

/// `real.udp_checksum`.
pub const UDP_CHECKSUM: UdpChecksum = UdpChecksum::Auto;

/// `real.state`.
pub const STATE: RealState = RealState::Up;

/// `pool.panic_percent`: never.
pub const PANIC_PERCENT: u8 = 0;

/// `pool.slow_start_s`: at once.
pub const SLOW_START_S: u16 = 0;

/// `pool.members.weight`.
pub const WEIGHT: u32 = 100;

/// `rule.priority`.
pub const PRIORITY: u16 = 100;
