//! Signals that ask the program to end, as a flag that is looked at between two steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::failure::Failure;

/// Set once a signal has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Watches for the signals that end a program in order, and for a terminal that closes.
    pub(crate) fn watch() -> Result<Self, Failure> {
        Self::on(&[SIGINT, SIGTERM, SIGHUP, SIGQUIT])
    }

    /// The same but for a terminal that closes, which ends the program at once: for a screen, which has nothing to
    /// put in order when its terminal is gone, and whose library would read from what is gone for ever.
    pub(crate) fn watch_but_hangup() -> Result<Self, Failure> {
        Self::on(&[SIGINT, SIGTERM, SIGQUIT])
    }

    fn on(signals: &[i32]) -> Result<Self, Failure> {
        let interrupt = Self::default();
        for &signal in signals {
            signal_hook::flag::register(signal, Arc::clone(&interrupt.0))
                .map_err(|error| Failure::new(format!("signals cannot be watched: {error}")))?;
        }
        Ok(interrupt)
    }

    /// Whether one has come.
    pub(crate) fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Fails once one has come; for work that leaves nothing behind when it is given up.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.has_come() {
            return Err(Failure::interrupted("interrupted; nothing was written"));
        }
        Ok(())
    }
}
