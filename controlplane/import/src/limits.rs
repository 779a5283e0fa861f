//! The limits of an import, and how they relate.

use conf::limits::CONFIG_BYTES_MAX;

/// Bytes of the text that is imported.
pub const INPUT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of the configuration that comes out: what `conf` takes.
pub const OUTPUT_BYTES_MAX: u64 = CONFIG_BYTES_MAX;

/// Addresses that the ranges of keepalived's groups become, of the whole file.
pub const RANGE_ADDRESSES_MAX: usize = 4096;

/// Blocks in blocks of a keepalived.conf.
pub const DEPTH_MAX: usize = 16;

/// Files that a keepalived.conf includes, those of included ones counted too.
pub const INCLUDED_FILES_MAX: usize = 1024;

/// Characters of foreign text that a comment repeats.
pub const QUOTE_CHARS_MAX: usize = 100;

/// Pools from which on a table is sized by its members and no longer 65,537 slots: ten thousand of those
/// would take more than a gigabyte.
pub const LARGE_TABLES_MAX: usize = 256;

/// Slots for each member of a pool, at least.
pub const SLOTS_PER_MEMBER: usize = 100;

/// Table sizes, primes, in order.
pub(crate) const SLOT_SIZES: [u32; 6] = [1_009, 4_093, 16_381, 65_537, 655_373, service::SLOTS_MAX];

const _: () = assert!(INPUT_BYTES_MAX as u64 <= OUTPUT_BYTES_MAX);
const _: () = assert!(service::POOL_REALS_MAX * SLOTS_PER_MEMBER <= service::SLOTS_MAX as usize);
