//! The limits of the program, and how they relate.

use port::BURST_MAX;

/// Worker lcores.
pub(crate) const WORKERS_MAX: u16 = conf::limits::WORKERS_MAX;

/// How often a capture can be sent through.
pub(crate) const LOOPS_MAX: u64 = 1 << 31;

/// Bytes that may be held for OUT until they are written: 4 GiB.
pub(crate) const KEPT_BYTES_MAX: u64 = 1 << 32;

/// Packets whose decisions can be held for TRACE, 8 bytes each: 2 GiB.
pub(crate) const RECORDS_MAX: u64 = 1 << 28;

/// Packets whose decisions are held for the report's rate over time; beyond, the rate is sampled.
pub(crate) const RATE_RECORDS_MAX: u64 = 1 << 26;

/// Pairs of a service and a real whose packets are counted one by one.
pub(crate) const PAIRS_MAX: usize = 1 << 22;

/// Records in a command or report ring: next hops may change by the hundred, when a router does.
pub(crate) const RING_RECORDS: usize = 1024;

/// Next hops on their way to a worker: half a ring, so that a command always finds room, and so do the reports.
#[cfg(feature = "dpdk")]
pub(crate) const HOPS_SENT_MAX: usize = RING_RECORDS / 2;

/// Tables on their way to a worker.
pub(crate) const TABLES_MAX: usize = 4;

/// Faults of a capture that are told with their place; all are counted.
pub(crate) const FAULTS_TOLD_MAX: usize = 5;

/// Bytes of a frame that is explained: the longest IP packet, and what may stand in front of it.
pub(crate) const EXPLAINED_BYTES_MAX: usize = 65_535 + 22;

/// Packets of one worker that wait to be taken off its tap, and bytes of each.
#[cfg(feature = "dpdk")]
pub(crate) const TAP_SLOTS: usize = 4096;
#[cfg(feature = "dpdk")]
pub(crate) const TAP_BYTES: usize = 2048;

/// Packets of one worker that wait to be taken off its tap in a replay.
pub(crate) const REPLAY_SLOTS_MAX: usize = 1 << 16;

/// Bytes that one worker's tap may take in a replay: 256 MiB.
pub(crate) const REPLAY_TAP_BYTES_MAX: usize = 1 << 28;

/// Packets that wait in one ring of the DPDK back end, and so the most that are on their way there.
#[cfg(feature = "dpdk")]
pub(crate) const RING_PACKETS: u32 = 1024;

/// Packets on their way to the kernel, and as many back, for each worker.
#[cfg(feature = "dpdk")]
pub(crate) const KERNEL_RING_PACKETS: usize = 1024;

/// Buffers for what the kernel sends.
#[cfg(feature = "dpdk")]
pub(crate) const FERRY_PACKETS: u32 = 4096;

const _: () = assert!(RATE_RECORDS_MAX <= RECORDS_MAX);
// A worker's number is kept in a byte.
const _: () = assert!(WORKERS_MAX <= 256);
const _: () = assert!(RING_RECORDS.is_power_of_two());
// What a configuration may ask for, the flow table gives.
const _: () = assert!(conf::limits::FLOW_ENTRIES_MIN as usize == flow::ENTRIES_MIN);
const _: () = assert!(conf::limits::FLOW_ENTRIES_MAX as usize == flow::ENTRIES_MAX);
#[cfg(feature = "dpdk")]
const _: () = assert!(RING_PACKETS as usize >= 2 * BURST_MAX);
#[cfg(feature = "dpdk")]
const _: () =
    assert!(KERNEL_RING_PACKETS >= 8 * BURST_MAX && FERRY_PACKETS as usize >= 2 * KERNEL_RING_PACKETS);
const _: () = assert!(BURST_MAX == 64, "the help of --burst says so");
