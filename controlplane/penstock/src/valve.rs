//! A port that can be shut: packets come only while its valve is open. So workers get none before all
//! have acknowledged their table, and run dry when the program ends.

use std::sync::atomic::{AtomicBool, Ordering};

use port::{Burst, Port, Tick};

/// Shut at first.
#[derive(Debug, Default)]
pub(crate) struct Valve(AtomicBool);

impl Valve {
    /// Lets packets through.
    pub(crate) fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Lets no more through.
    pub(crate) fn shut(&self) {
        self.0.store(false, Ordering::Release);
    }
}

/// A port behind a valve.
#[derive(Debug)]
pub(crate) struct Valved<'v, P> {
    port: P,
    valve: &'v Valve,
    now: Tick,
}

impl<'v, P> Valved<'v, P> {
    pub(crate) const fn new(port: P, valve: &'v Valve) -> Self {
        Self { port, valve, now: Tick(0) }
    }

    /// The port behind it.
    pub(crate) fn into_inner(self) -> P {
        self.port
    }
}

impl<P: Port> Port for Valved<'_, P> {
    type Packet = P::Packet;

    #[inline]
    fn rx_burst(&mut self, into: &mut Burst<P::Packet>) -> Tick {
        if self.valve.0.load(Ordering::Acquire) {
            self.now = self.port.rx_burst(into);
        }
        self.now
    }

    #[inline]
    fn tx_burst(&mut self, from: &mut Burst<P::Packet>) {
        self.port.tx_burst(from);
    }

    #[inline]
    fn free_burst(&mut self, from: &mut Burst<P::Packet>) {
        self.port.free_burst(from);
    }
}
