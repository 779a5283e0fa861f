//! The limits of a configuration file, and how they relate.

use service::{REALS_MAX, SERVICES_MAX};

/// Bytes of a configuration file: ten thousand services take about one megabyte.
pub const CONFIG_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// Syntax faults are all told up to this size; of a longer file only the first is, since every broken
/// byte could be a fault of its own.
pub const RECOVERY_BYTES_MAX: usize = 1024 * 1024;

/// Faults that are told; the rest is counted.
pub const FAULTS_MAX: usize = 100;

/// Bytes of a name.
pub const NAME_BYTES_MAX: usize = 63;

/// Bytes of a device string.
pub const DEVICE_BYTES_MAX: usize = 255;

/// Characters of a value that a message repeats.
pub const QUOTE_CHARS_MAX: usize = 40;

/// Longest name for which a nearest name is looked for, and most candidates that are compared.
pub const NEAREST_CANDIDATES_MAX: usize = 1024;

/// Worker lcores.
pub const WORKERS_MAX: u16 = 128;

/// Seconds that a client of a service keyed by source is known for at least: two rounds of the sweep.
pub const CLIENT_SECONDS_MIN: u16 = 120;

/// Ports of the machine.
pub const PORTS_MAX: usize = service::PORTS_MAX as usize;

/// The smallest MTU towards a real with an IPv4 address: what every host must reassemble (RFC 791 §3.2).
pub const MTU_V4_MIN: u16 = 576;

/// The smallest MTU towards a real with an IPv6 address (RFC 8200 §5).
pub const MTU_V6_MIN: u16 = 1280;

/// The smallest segment size that is worth offering: what is meant where none is offered (RFC 9293 §3.7.1).
pub const MSS_MIN: u16 = 536;

/// The largest MTU: the usual jumbo frame with room to spare.
pub const MTU_MAX: u16 = 9600;

/// The shortest prefix of an outer source: 16 bits of entropy.
pub const SOURCE_V4_PREFIX_MIN: u8 = 16;

/// The same for IPv6.
pub const SOURCE_V6_PREFIX_MIN: u8 = 112;

/// The longest name of an interface of Linux (`IFNAMSIZ` less the zero).
pub const INTERFACE_BYTES_MAX: usize = 15;

/// Prefixes in one list of a rule.
pub const RULE_PREFIXES_MAX: usize = 64;

/// Masked values that one rule asks for.
pub const RULE_BYTES_MAX: usize = 4;

/// Flows per worker, at least.
pub const FLOW_ENTRIES_MIN: u32 = 64;

/// Flows per worker, at most.
pub const FLOW_ENTRIES_MAX: u32 = 1 << 30;

/// Memory without huge pages, at least, in megabytes.
pub const MEMORY_MB_MIN: u32 = 32;

/// Memory without huge pages, at most, in megabytes.
pub const MEMORY_MB_MAX: u32 = 1024 * 1024;

/// mbufs per worker, at least: for the port's queues, and twice as many as may wait with a worker (fragments for their
/// first, packets for a next hop).
pub const PACKETS_MIN: u32 = 2048;

/// mbufs per worker, at most.
pub const PACKETS_MAX: u32 = 8 * 1024 * 1024;

/// Rates of limits, in thousands of bits a second: a terabit.
pub const RATE_KBIT_MAX: u64 = 1_000_000_000;

/// The longest IP header we put around a packet (IPv6, RFC 8200 §3).
const OUTER_BYTES_MAX: u16 = 40;

// Any accepted MTU leaves room for the outer header and a useful inner packet.
const _: () = assert!(MTU_V4_MIN > OUTER_BYTES_MAX + 68);
const _: () = assert!(MTU_V4_MIN < MTU_V6_MIN && MTU_V6_MIN < MTU_MAX);
const _: () = assert!(RECOVERY_BYTES_MAX as u64 <= CONFIG_BYTES_MAX);
// Ports are bits of one 64-bit mask.
const _: () = assert!(PORTS_MAX <= 64);
const _: () = assert!(INTERFACE_BYTES_MAX < NAME_BYTES_MAX);
const _: () = assert!(QUOTE_CHARS_MAX < NAME_BYTES_MAX && NAME_BYTES_MAX < DEVICE_BYTES_MAX);
const _: () = assert!(RATE_KBIT_MAX * 125 <= service::Limit::RATE_MAX);
const _: () = assert!(REALS_MAX >= 1 && SERVICES_MAX >= 1);
