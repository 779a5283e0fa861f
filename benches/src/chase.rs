//! The memory floor of this machine, measured in the same run: a dependent chase over 1 GiB.

use mem::Pages;

/// Nanoseconds of one dependent access over `bytes` of memory on huge pages where there are any.
///
/// # Errors
/// The system gave no memory.
pub fn latency_nanos(bytes: usize, steps: u32) -> std::io::Result<f64> {
    let lines = bytes / 64;
    let mut memory: Pages<[u64; 8]> = Pages::new(lines)?;
    // A full-period linear congruence visits every line once, in an order no prefetcher follows.
    let mask = (lines.next_power_of_two() / 2 - 1) as u64;
    let follow =
        |at: u64| (at.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F)) & mask;
    for at in 0..=mask {
        if let Some([next, ..]) = usize::try_from(at).ok().and_then(|line| memory.get_mut(line)) {
            *next = follow(at);
        }
    }
    let mut at = 0;
    let begin = mem::thread_cpu_nanos();
    for _ in 0..steps {
        at = usize::try_from(at).ok().and_then(|line| memory.get(line)).map_or(0, |[next, ..]| *next);
    }
    let nanos = mem::thread_cpu_nanos() - begin;
    std::hint::black_box(at);
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok(nanos as f64 / f64::from(steps))
}
