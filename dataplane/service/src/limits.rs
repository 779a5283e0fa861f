//! The limits of a forwarding table, and how they relate.

/// Numbers of reals are below this. A table keeps one cache line per number.
pub const REALS_MAX: u32 = 65_536;

/// Numbers of services are below this.
pub const SERVICES_MAX: u32 = 65_536;

/// Reals in one pool: a slot of its table is 16 bits, one value is kept for "no real".
pub const POOL_REALS_MAX: usize = 65_535;

/// Pools in one table.
pub const POOLS_MAX: usize = 65_535;

/// Slots of one pool's table.
pub const SLOTS_MAX: u32 = 16_777_213;

/// Slots times members of all distinct pools that are filled by rendezvous hashing: every member is asked about every
/// slot, so many in some four seconds.
pub const RENDEZVOUS_COSTS_MAX: u64 = 1 << 30;

/// The largest weight of a real in a pool.
pub const WEIGHT_MAX: u32 = 65_535;

/// Places of ports are below this: six bits hold them, and one value says that there is none.
pub const PORTS_MAX: u8 = 63;

/// Configurations of QUIC's connection ids in one table. A service names them in a byte, of which one value is none.
pub const QUIC_CONFIGS_MAX: u8 = 64;

/// Server ids in one table.
pub const SERVER_IDS_MAX: usize = 65_536;

/// Tunnels that may end here.
pub const ENDS_MAX: usize = 64;

/// Prefixes that they take packets from, together.
pub const END_SOURCES_MAX: usize = 4096;

/// Patterns that the rules of one table make, and so rules.
pub const RULE_PATTERNS_MAX: usize = 65_536;

/// Numbers of rules are below this: all of a table may have new names while the numbers of those before rest.
pub const RULES_MAX: u32 = 131_072;

/// Lists that a table's rules of one family are parted into. A packet is looked for in each, so this bounds what asking
/// costs.
pub const RULE_LISTS_MAX: usize = 128;

/// Places and masks that the rules of one table ask for, TCP flags among them.
pub const RULE_WORDS_MAX: usize = 16;

/// How far behind the network or the transport header a rule may ask for bytes.
pub const RULE_OFFSET_MAX: u16 = 128;

/// Different marks in one table: services and rules name one in 16 bits, of which 0 is none.
pub const MARKS_MAX: usize = 4096;

/// Limits in one table, each one service's or one rule's own; every worker keeps the pots of all.
pub const LIMITS_MAX: usize = 4096;

const _: () = assert!(MARKS_MAX < u16::MAX as usize);
const _: () = assert!(LIMITS_MAX < u16::MAX as usize);
const _: () = assert!(QUIC_CONFIGS_MAX < u8::MAX);
const _: () = assert!(RULES_MAX as usize >= 2 * RULE_PATTERNS_MAX);
const _: () = assert!(POOL_REALS_MAX < REALS_MAX as usize);
const _: () = assert!(POOL_REALS_MAX <= u16::MAX as usize);
const _: () = assert!(POOLS_MAX <= u16::MAX as usize);

/// Cells of port intervals in one table, of 8 bytes each. VIPs with more than one port interval have
/// one cell per interval and one more; a covering prefix's intervals are repeated in each longer prefix.
pub const CELLS_MAX: usize = 1 << 22;

/// Names of one table's classification index that may be tried before the build gives up. One attempt
/// fails with a chance far below one in a thousand.
pub(crate) const INDEX_SEEDS_MAX: u64 = 64;

const _: () = assert!(SERVICES_MAX as usize <= u16::MAX as usize + 1, "a service's slot is 16 bits");
const _: () = assert!(SLOTS_MAX < 1 << 31, "a position plus a skip must fit 32 bits");
const _: () = assert!(WEIGHT_MAX < 1 << 30, "a credit plus a weight must fit 32 bits");
