//! Clocks for measuring, never for deciding: the engine is given its tick.

use std::sync::OnceLock;
use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// How long the cycle counter is watched for its rate. Both ends are known to some tens of nanoseconds, so
/// 20 ms leave an error of a few parts in a million.
const CALIBRATION: Duration = Duration::from_millis(20);

/// The CPU's cycle counter: RDTSC on x86-64, CNTVCT on aarch64, nanoseconds elsewhere. It counts at one rate
/// whatever the core's clock does and is not ordered against the instructions around it (a fence would cost
/// three times the reading), so it fits spans of a burst, not of an instruction.
#[inline(always)]
#[must_use]
pub fn cycles() -> u64 {
    counter()
}

/// How fast [`cycles`] counts, in counts per second of CLOCK_MONOTONIC. The first call takes 20 ms, later
/// ones nothing.
#[must_use]
pub fn cycles_per_second() -> f64 {
    static RATE: OnceLock<f64> = OnceLock::new();
    *RATE.get_or_init(|| {
        let (cycles_before, nanos_before) = simultaneous();
        std::thread::sleep(CALIBRATION);
        let (cycles_after, nanos_after) = simultaneous();
        let cycles = cycles_after.wrapping_sub(cycles_before) as f64;
        let nanos = nanos_after.saturating_sub(nanos_before).max(1) as f64;
        cycles / nanos * NANOS_PER_SECOND as f64
    })
}

/// The CPU time of the calling thread in nanoseconds (CLOCK_THREAD_CPUTIME_ID): what it really ran, without
/// what the scheduler took away. A system call; some hundred nanoseconds.
#[must_use]
pub fn thread_cpu_nanos() -> u64 {
    nanos(clock_gettime(ClockId::ThreadCPUTime))
}

/// One moment on both clocks: of some readings of CLOCK_MONOTONIC between two of the counter, the one whose
/// brackets lie closest, for an interrupt may fall between any two.
fn simultaneous() -> (u64, u64) {
    let mut best = (u64::MAX, 0, 0);
    for _ in 0..16 {
        let before = counter();
        let nanos = nanos(clock_gettime(ClockId::Monotonic));
        let width = counter().wrapping_sub(before);
        if width < best.0 {
            best = (width, before.wrapping_add(width / 2), nanos);
        }
    }
    (best.1, best.2)
}

/// Neither clock read here is ever negative, so a negative field counts as zero.
fn nanos(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let fraction = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(fraction)
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn counter() -> u64 {
    // JUSTIFICATION: the intrinsic is declared unsafe; a system clock costs twice as much.
    // SAFETY: RDTSC exists on every x86-64 CPU and only reads; Linux lets user space execute it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn counter() -> u64 {
    let count: u64;
    // JUSTIFICATION: there is no stable intrinsic for the virtual counter.
    // SAFETY: CNTVCT_EL0 is readable from user space under Linux and reading it changes nothing.
    unsafe {
        core::arch::asm!("mrs {}, cntvct_el0", out(reg) count, options(nomem, nostack, preserves_flags))
    };
    count
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline(always)]
fn counter() -> u64 {
    nanos(clock_gettime(ClockId::Monotonic))
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::{cycles, cycles_per_second, thread_cpu_nanos};

    #[test]
    fn the_rate_is_that_of_a_real_counter_and_measured_once() {
        let rate = cycles_per_second();
        assert!(rate > 1e6 && rate < 1e11, "{rate}");
        assert_eq!(rate.to_bits(), cycles_per_second().to_bits());
    }

    #[test]
    fn both_clocks_advance_over_work_and_never_go_back() {
        let (cycles_before, nanos_before) = (cycles(), thread_cpu_nanos());
        let mut sum = 0_u64;
        for value in 0..1_000_000 {
            sum = black_box(sum.wrapping_add(value));
        }
        assert!(cycles() > cycles_before);
        assert!(thread_cpu_nanos() > nanos_before, "a million additions took no time: {sum}");
    }
}
