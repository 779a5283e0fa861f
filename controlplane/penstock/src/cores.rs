//! Which core a worker runs on.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Ties the calling thread to the `number`-th of the cores that this process may run on, beginning again
/// where they end. A system that does not allow it is told about and left to choose.
pub(crate) fn pin(number: usize) {
    let pinned = sched_getaffinity(None).and_then(|allowed| match core(&allowed, number) {
        Some(core) => {
            let mut one = CpuSet::new();
            one.set(core);
            sched_setaffinity(None, &one)
        }
        None => Ok(()),
    });
    if let Err(error) = pinned {
        tracing::warn!("a worker cannot be tied to a core: {error}");
    }
}

/// The `number`-th core of a set, counted round and round.
fn core(allowed: &CpuSet, number: usize) -> Option<usize> {
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)).collect();
    let place = number.checked_rem(cores.len())?;
    cores.get(place).copied()
}

#[cfg(test)]
mod tests {
    use rustix::thread::CpuSet;

    use super::core;

    #[test]
    fn workers_go_round_the_allowed_cores() {
        let mut allowed = CpuSet::new();
        assert_eq!(core(&allowed, 1), None);
        for number in [2, 5] {
            allowed.set(number);
        }
        assert_eq!([0, 1, 2, 3].map(|number| core(&allowed, number)), [Some(2), Some(5), Some(2), Some(5)]);
    }
}
