//! A port that can be shut: packets come only while its valve is open. So workers get none before all
//! have acknowledged their table, and run dry when the program ends.

use std::sync::atomic::{AtomicU8, Ordering};

use port::{Burst, Port, Tick};

/// Not yet opened.
const NEW: u8 = 0;
const OPEN: u8 = 1;
const SHUT: u8 = 2;

/// Not open at first, then open, then shut for good.
#[derive(Debug)]
pub(crate) struct Valve(AtomicU8);

impl Default for Valve {
    fn default() -> Self {
        Self(AtomicU8::new(NEW))
    }
}

impl Valve {
    /// Lets packets through.
    pub(crate) fn open(&self) {
        self.0.store(OPEN, Ordering::Release);
    }

    /// Lets no more through.
    pub(crate) fn shut(&self) {
        self.0.store(SHUT, Ordering::Release);
    }
}

/// A port behind a valve.
#[derive(Debug)]
pub(crate) struct Valved<'v, P> {
    port: P,
    valve: &'v Valve,
    now: Tick,
    /// What time it is once the valve is shut.
    end: Tick,
}

impl<'v, P> Valved<'v, P> {
    /// A port whose clock goes on to `end` when the valve is shut: so all workers of a replay end at the
    /// same time, however early their last packet came.
    pub(crate) const fn new(port: P, valve: &'v Valve, end: Tick) -> Self {
        Self { port, valve, now: Tick(0), end }
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
        match self.valve.0.load(Ordering::Acquire) {
            OPEN => self.now = self.port.rx_burst(into),
            SHUT => self.now = self.now.max(self.end),
            _ => {}
        }
        self.now
    }

    #[inline]
    fn tx_burst(&mut self, from: &mut Burst<P::Packet>) {
        self.port.tx_burst(from);
    }

    #[inline]
    fn ingress(&self) -> u8 {
        self.port.ingress()
    }

    #[inline]
    fn leave_by(&mut self, port: u8) {
        self.port.leave_by(port);
    }

    #[inline]
    fn free_burst(&mut self, from: &mut Burst<P::Packet>) {
        self.port.free_burst(from);
    }
}
