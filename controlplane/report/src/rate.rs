//! Counting packets per step of time.

use crate::limits::STEPS_MAX;
use crate::model::{Clock, Rate};

impl Rate {
    /// Counts packets by their time, given in nanoseconds with whether the packet was forwarded, in any
    /// order. The step is the shortest of 1, 2 or 5 times a power of ten nanoseconds that needs at most
    /// 250 of them for the span from the first to the last nanosecond, or a second where there is no span; a
    /// packet outside the span counts in
    /// the nearest step.
    #[must_use]
    pub fn over(clock: Clock, span: (u64, u64), packets: impl IntoIterator<Item = (u64, bool)>) -> Self {
        let (first, last) = span;
        let step = step_nanos(last.saturating_sub(first));
        let steps = usize::try_from(last.saturating_sub(first).div_ceil(step)).unwrap_or(1).max(1);
        let (mut received, mut forwarded) = (vec![0; steps], vec![0; steps]);
        for (nanos, sent) in packets {
            let at = usize::try_from(nanos.saturating_sub(first) / step).unwrap_or(usize::MAX).min(steps - 1);
            let count = |counts: &mut Vec<u64>, by: u64| {
                if let Some(count) = counts.get_mut(at) {
                    *count += by;
                }
            };
            count(&mut received, 1);
            count(&mut forwarded, u64::from(sent));
        }
        Self { clock, step_seconds: step as f64 / 1e9, received, forwarded }
    }
}

/// The shortest round step that covers the span in [`STEPS_MAX`] steps.
fn step_nanos(span: u64) -> u64 {
    if span == 0 {
        return 1_000_000_000;
    }
    let powers = (0..19).map(|power| 10_u64.pow(power));
    let mut rounds = powers.flat_map(|power| [1, 2, 5].map(|by| by * power));
    rounds.find(|step| span.div_ceil(*step) <= STEPS_MAX).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::step_nanos;
    use crate::{Clock, Rate};

    #[test]
    fn every_packet_is_counted_once_whatever_its_time() {
        let times = [100, 5, 7, 5_000_000_000, u64::MAX, 0];
        let rate = Rate::over(Clock::Capture, (5, 2_500_000_005), times.map(|time| (time, time > 6)));
        assert_eq!(rate.received.iter().sum::<u64>(), 6);
        assert_eq!(rate.forwarded.iter().sum::<u64>(), 4);
        assert_eq!((rate.received.len(), rate.step_seconds), (250, 0.01));
        assert_eq!((rate.received[0], rate.received[249]), (4, 2));
    }

    #[test]
    fn steps_are_round_and_few() {
        for span in [0, 1, 249, 250, 251, 1_000_000_007, u64::MAX] {
            let step = step_nanos(span);
            assert!(span.div_ceil(step) <= 250, "{span}");
            assert!(step.to_string().trim_end_matches('0').len() == 1, "{step}");
        }
        assert_eq!((step_nanos(1), step_nanos(250), step_nanos(251)), (1, 1, 2));
    }

    #[test]
    fn one_packet_alone_is_one_step() {
        let rate = Rate::over(Clock::Wall, (9, 9), [(9, true)]);
        assert_eq!((rate.step_seconds, rate.received, rate.forwarded), (1.0, vec![1], vec![1]));
    }
}
