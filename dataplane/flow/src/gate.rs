//! The rate gate: how many new flows a worker may insert, refilled by ticks and by nothing else, so that
//! the same capture meets the same gate.

/// A token bucket of new flows, one second deep.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    rate_max: Option<u32>,
    /// Eighths of a flow, so that any rate refills exactly.
    eighths: u64,
}

impl Gate {
    const TICKS_PER_SECOND: u64 = 8;

    /// A full gate; `None` lets everything in.
    #[must_use]
    pub const fn new(flows_per_second_max: Option<u32>) -> Self {
        let mut gate = Self { rate_max: flows_per_second_max, eighths: 0 };
        gate.eighths = gate.depth();
        gate
    }

    /// The rate it was made with.
    #[must_use]
    pub const fn rate_max(&self) -> Option<u32> {
        self.rate_max
    }

    const fn depth(&self) -> u64 {
        match self.rate_max {
            Some(rate) => rate as u64 * Self::TICKS_PER_SECOND,
            None => 0,
        }
    }

    /// `ticks` have passed.
    pub fn refill(&mut self, ticks: u64) {
        if let Some(rate) = self.rate_max {
            let more = ticks.min(Self::TICKS_PER_SECOND) * u64::from(rate);
            self.eighths = (self.eighths + more).min(self.depth());
        }
    }

    /// Whether one more new flow may be inserted; counts it if so.
    #[inline]
    pub fn admit(&mut self) -> bool {
        if self.rate_max.is_none() {
            return true;
        }
        match self.eighths.checked_sub(Self::TICKS_PER_SECOND) {
            Some(left) => {
                self.eighths = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;

    #[test]
    fn a_gate_lets_in_its_rate_and_refills_by_ticks() {
        let mut gate = Gate::new(Some(12));
        let admitted = |gate: &mut Gate| (0..100).filter(|_| gate.admit()).count();
        assert_eq!(admitted(&mut gate), 12, "a second's worth at first");
        gate.refill(1);
        assert_eq!(admitted(&mut gate), 1, "an eighth of twelve, and half a flow kept");
        gate.refill(1);
        assert_eq!(admitted(&mut gate), 2);
        gate.refill(1000);
        assert_eq!(admitted(&mut gate), 12, "never more than a second's worth");
    }

    #[test]
    fn no_rate_is_no_gate_and_zero_is_shut() {
        assert!((0..100).all(|_| Gate::new(None).admit()));
        let mut shut = Gate::new(Some(0));
        shut.refill(8);
        assert!(!shut.admit());
    }
}
