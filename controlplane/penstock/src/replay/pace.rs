//! When a packet may come. It decides nothing else: decisions follow the capture's clock.

use std::sync::OnceLock;

use crate::cli::Rate;
use crate::replay::script::{Script, Turn};

/// When the first packet came, by the cycle counter; one for all workers.
#[derive(Debug, Default)]
pub(crate) struct Start(OnceLock<u64>);

/// A rate, in the units of the cycle counter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace<'s> {
    rate: Rate,
    cycles_per_second: f64,
    start: &'s Start,
}

impl<'s> Pace<'s> {
    pub(crate) fn new(rate: Rate, start: &'s Start) -> Self {
        Self { rate, cycles_per_second: mem::cycles_per_second(), start }
    }

    /// Whether it is time for a packet. At full speed no clock is read.
    #[inline]
    pub(crate) fn is_due(&self, script: &Script, turn: Turn) -> bool {
        match self.rate {
            Rate::Max => true,
            Rate::Recorded | Rate::PerSecond(_) => self.is_due_by(script, turn, mem::cycles()),
        }
    }

    fn is_due_by(&self, script: &Script, turn: Turn, now: u64) -> bool {
        let start = *self.start.0.get_or_init(|| now);
        let passed = now.saturating_sub(start) as f64 / self.cycles_per_second;
        passed >= self.seconds(script, turn)
    }

    /// How long after the first packet it comes.
    fn seconds(&self, script: &Script, turn: Turn) -> f64 {
        match self.rate {
            Rate::Max => 0.0,
            Rate::Recorded => {
                let first = script.time_nanos(Turn { round: 0, packet: 0 });
                script.time_nanos(turn).saturating_sub(first) as f64 / 1e9
            }
            Rate::PerSecond(rate) => {
                (turn.round as f64 * script.capture.len() as f64 + f64::from(turn.packet)) / rate
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, Start};
    use crate::cli::Rate;
    use crate::replay::script::{Script, Turn, tests::capture};

    #[test]
    fn packets_are_due_in_their_order_and_at_their_times() {
        let second = 1_000_000_000;
        let script = Script::new(capture(&[(5 * second, b"a"), (6 * second, b"b")]), (1, 2), |_| false);
        let start = Start::default();
        let of = |round, packet| Turn { round, packet };
        let recorded = Pace { rate: Rate::Recorded, cycles_per_second: 1000.0, start: &start };
        assert!(recorded.is_due_by(&script, of(0, 0), 70_000), "the first at once");
        assert!(!recorded.is_due_by(&script, of(0, 1), 70_999));
        assert!(recorded.is_due_by(&script, of(0, 1), 71_000));
        assert!(!recorded.is_due_by(&script, of(1, 0), 71_100), "a loop comes a tick later");
        assert!(recorded.is_due_by(&script, of(1, 0), 71_125));
        let even = Pace { rate: Rate::PerSecond(4.0), ..recorded };
        assert!(!even.is_due_by(&script, of(1, 1), 70_749) && even.is_due_by(&script, of(1, 1), 70_750));
    }
}
