//! The limits of a forwarding table, and how they relate.

/// Numbers of reals are below this. A table keeps one cache line per number.
pub const REALS_MAX: u32 = 65_536;

/// Numbers of services are below this.
pub const SERVICES_MAX: u32 = 65_536;

/// Reals in one pool: a slot of a Maglev table is 16 bits, one value is kept for "no real".
pub const POOL_REALS_MAX: usize = 65_535;

/// Pools in one table.
pub const POOLS_MAX: usize = 65_535;

/// Slots of one Maglev table.
pub const SLOTS_MAX: u32 = 16_777_213;

/// The largest weight of a real in a pool.
pub const WEIGHT_MAX: u32 = 65_535;

const _: () = assert!(POOL_REALS_MAX < REALS_MAX as usize);
const _: () = assert!(POOL_REALS_MAX <= u16::MAX as usize);
const _: () = assert!(POOLS_MAX <= u16::MAX as usize);
