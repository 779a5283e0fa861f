//! Coarse time for live ports: one clock for the process, read once per burst.

use std::sync::OnceLock;

use port::Tick;

/// When the EAL started, by the same clock.
static START_NANOS: OnceLock<u64> = OnceLock::new();

/// Starts the process's ticks, the first time that it is called.
pub(crate) fn start() {
    START_NANOS.get_or_init(monotonic_nanos);
}

/// The tick that it is now. All queues share one start, so that their ticks can be compared.
#[inline]
pub(crate) fn now() -> Tick {
    let start = START_NANOS.get_or_init(monotonic_nanos);
    Tick::from_nanos(monotonic_nanos().saturating_sub(*start))
}

/// The coarse monotonic clock: some 5 ns a reading, right to a timer interrupt (1 to 4 ms), which is
/// fine for ticks of 125 ms.
#[inline]
fn monotonic_nanos() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // JUSTIFICATION: std's Instant reads the fine clock, five times as dear, once for every burst.
    // SAFETY: `time` is a valid timespec to write to. A failure leaves it zero.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}
