//! One measure over time: its rate now, and the rates before.

use std::collections::VecDeque;

use crate::limits::{CALM, HISTORY};

/// A rate or a level, and its history, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    count: Option<u64>,
    values: VecDeque<f64>,
}

impl Series {
    /// Takes a count that only goes up, `seconds` after the one before. One that went back has begun anew, and so
    /// does its history.
    pub(crate) fn count(&mut self, count: u64, seconds: Option<f64>) {
        let before = self.count.replace(count);
        match before.map(|before| count.checked_sub(before)) {
            Some(Some(more)) => {
                if let Some(seconds) = seconds {
                    self.level(more as f64 / seconds);
                }
            }
            Some(None) => self.values.clear(),
            None => {}
        }
    }

    /// Takes a level as it is.
    pub(crate) fn level(&mut self, value: f64) {
        if self.values.len() == HISTORY {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    /// The last value; `None` until there are two counts to take it from.
    pub(crate) fn now(&self) -> Option<f64> {
        self.values.back().copied()
    }

    /// The same, or nothing.
    pub(crate) fn rate(&self) -> f64 {
        self.now().unwrap_or(0.0)
    }

    /// The mean of the last few values.
    pub(crate) fn calm(&self) -> f64 {
        let last = self.values.len().min(CALM);
        let sum: f64 = self.values.iter().rev().take(last).sum();
        if last == 0 { 0.0 } else { sum / last as f64 }
    }

    /// The last `width` values as bars, newest on the right, scaled to `top` or else to the largest of them.
    /// Nothing known is blank, zero is the lowest bar, and anything above zero stands out from it.
    pub(crate) fn trend(&self, width: usize, top: Option<f64>) -> String {
        const BARS: [char; 7] = ['▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let known = self.values.len().min(width);
        let shown = || self.values.iter().skip(self.values.len() - known);
        let top = top.unwrap_or_else(|| shown().copied().fold(0.0, f64::max));
        let bar = |value: f64| {
            let height = (value / top).clamp(0.0, 1.0) * BARS.len() as f64;
            let place = (1..=BARS.len()).find(|&place| height <= place as f64).unwrap_or(BARS.len());
            if value <= 0.0 || top <= 0.0 { '▁' } else { BARS.get(place - 1).copied().unwrap_or('█') }
        };
        let blank = std::iter::repeat_n(' ', width - known);
        blank.chain(shown().map(|&value| bar(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Series;
    use crate::limits::HISTORY;

    #[test]
    fn a_rate_needs_two_counts_and_a_count_that_goes_back_begins_anew() {
        let mut series = Series::default();
        series.count(100, None);
        assert_eq!(series.now(), None);
        series.count(150, Some(0.5));
        assert_eq!(series.now(), Some(100.0));
        series.count(10, Some(1.0));
        assert_eq!(series.now(), None);
        series.count(12, Some(1.0));
        assert_eq!(series.now(), Some(2.0));
    }

    #[test]
    fn unknown_zero_little_and_much_look_different() {
        let mut series = Series::default();
        for value in [0.0, 1.0, 350.0, 700.0] {
            series.level(value);
        }
        assert_eq!(series.trend(6, None), "  ▁▂▅█");
        assert_eq!(series.trend(2, None), "▅█");
        assert_eq!(series.trend(2, Some(1400.0)), "▃▅");
        assert_eq!(series.trend(0, None), "");
    }

    proptest! {
        #[test]
        fn any_history_is_bounded_and_any_trend_as_wide_as_asked(
            counts in proptest::collection::vec(any::<u64>(), 0..300), width in 0_usize..200,
        ) {
            let mut series = Series::default();
            for count in counts {
                series.count(count, Some(1.0));
            }
            prop_assert!(series.values.len() <= HISTORY);
            prop_assert_eq!(series.trend(width, None).chars().count(), width);
        }
    }
}
