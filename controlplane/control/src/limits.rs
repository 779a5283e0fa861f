//! The limits of the control core, and how they relate.

use service::{REALS_MAX, SERVICES_MAX, Timeouts};

/// Seconds a released number rests before another name may have it: the longest idle time of a flow, and
/// five minutes for the sweep that clears the flow table and for clocks that are set.
pub const REST_S: u64 = 3600 + 300;

/// Changes that wait while one is in hand.
pub const WISHES_MAX: usize = 16;

/// Milliseconds from one switch of tables to the next, at least: a hundred tables a second. A flow's entry
/// names its table by 14 bits, and a sweep comes by once a minute and marks those that lie far back: with
/// fewer than 12,000 tables between two visits none is taken for the present one.
pub const SWITCH_APART_MS_MIN: u64 = 10;

const _: () = assert!(60_000 / SWITCH_APART_MS_MIN < 12_000);

/// Milliseconds in which a table is planned, saved and made. Ten million flows are counted and 65,000 reals placed in
/// some seconds; a disk may take longer.
pub const BUILD_MS_MAX: u64 = 30_000;

/// Milliseconds from a step of a slow start that could not be made to the next attempt.
pub const RAMP_RETRY_MS: u64 = 1_000;

/// Milliseconds that a worker has to acknowledge a table.
pub const ACKNOWLEDGE_MS_MAX: u64 = 30_000;

/// Milliseconds from a change of routes until ways are asked for again: changes come in bursts.
pub const ROUTES_PAUSE_MS: u64 = 1;

/// Ways that are asked for, and neighbours that are looked for, in one turn. A question takes some microseconds.
pub const HOPS_A_TURN_MAX: usize = 512;

/// Milliseconds until a neighbour that answers is looked for again. Kernels before 5.16 would let it go stale.
pub const LOOK_KNOWN_MS: u64 = 10_000;

/// Milliseconds until one that does not answer is looked for again.
pub const LOOK_UNKNOWN_MS: u64 = 1_000;

/// Bytes of a numbers file.
pub const NUMBERS_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Bytes one entry of a numbers file takes at most: a released one with its longest name.
const ENTRY_BYTES_MAX: u64 = 160;

const _: () = assert!(REST_S * 8 > Timeouts::MAX as u64);
const _: () = assert!((REALS_MAX as u64 + SERVICES_MAX as u64) * ENTRY_BYTES_MAX <= NUMBERS_BYTES_MAX);
