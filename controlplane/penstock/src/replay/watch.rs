//! The replay seen from outside while it goes on: a progress bar on a terminal, and samples over time.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use counters::Event;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::crew::Crew;

/// Between two samples at first.
const STEP: Duration = Duration::from_millis(10);

/// Samples that are kept; when there are more, every other goes and the step doubles.
const SAMPLES_MAX: usize = 240;

/// Watches the counter pages.
pub(crate) struct Watch {
    bar: Option<ProgressBar>,
    start: Option<Instant>,
    step: Duration,
    /// Packets received and transmitted at the end of each step.
    samples: Vec<(u64, u64)>,
}

impl Watch {
    /// Of `packets` in all.
    pub(crate) fn new(packets: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(packets);
            let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} packets, {rate}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.with_style(style.with_key("rate", |state: &ProgressState, to: &mut dyn std::fmt::Write| {
                // A display that cannot be written to shows nothing; the replay goes on.
                let _ = write!(to, "{:.0}/s", state.per_sec());
            }))
        });
        Self { bar, start: None, step: STEP, samples: Vec::with_capacity(SAMPLES_MAX) }
    }

    /// Looks once; cheap enough to be called all the time.
    pub(crate) fn look(&mut self, crew: &Crew) {
        let passed = self.start.get_or_insert_with(Instant::now).elapsed();
        let due = self.step.saturating_mul(u32::try_from(self.samples.len() + 1).unwrap_or(u32::MAX));
        if passed < due {
            return;
        }
        let (rx, tx) = (crew.count(Event::Rx), crew.count(Event::Tx));
        self.sample(rx, tx);
        if let Some(bar) = &self.bar {
            bar.set_position(rx);
        }
    }

    fn sample(&mut self, rx: u64, tx: u64) {
        self.samples.push((rx, tx));
        if self.samples.len() == SAMPLES_MAX {
            let mut number = 0;
            self.samples.retain(|_| {
                number += 1;
                number % 2 == 0
            });
            self.step = self.step.saturating_mul(2);
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Packets over the time of the replay; the last step is up to the end, where `rx` and `tx` were
    /// reached.
    pub(crate) fn rate(&self, rx: u64, tx: u64) -> report::Rate {
        let mut rate = report::Rate {
            clock: report::Clock::Wall,
            step_seconds: self.step.as_secs_f64(),
            ..report::Rate::default()
        };
        let mut before = (0, 0);
        for &(received, sent) in self.samples.iter().chain(std::iter::once(&(rx, tx))) {
            rate.received.push(received.saturating_sub(before.0));
            rate.forwarded.push(sent.saturating_sub(before.1));
            before = (received.max(before.0), sent.max(before.1));
        }
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::{SAMPLES_MAX, Watch};

    #[test]
    fn samples_stay_few_and_add_up() {
        let mut watch = Watch::new(100_000);
        for number in 1..=10_000 {
            watch.sample(number * 10, number * 9);
        }
        let rate = watch.rate(100_007, 90_001);
        assert!(rate.received.len() <= SAMPLES_MAX);
        assert_eq!(rate.received.iter().sum::<u64>(), 100_007);
        assert_eq!(rate.forwarded.iter().sum::<u64>(), 90_001);
    }
}
