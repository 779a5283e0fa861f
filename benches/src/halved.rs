//! A port whose bursts are given on in smaller pieces, to measure the engine with bursts of 32: the driver
//! still hands out as many as fit a [`Burst`].

use port::{Burst, Port, Tick};

/// Gives at most `burst_max` packets of the port at a time.
#[derive(Debug)]
pub struct Halved<P: Port> {
    port: P,
    burst_max: usize,
    waiting: Burst<P::Packet>,
    now: Tick,
}

impl<P: Port> Halved<P> {
    /// `burst_max` as large as a burst changes nothing.
    #[must_use]
    pub fn new(port: P, burst_max: usize) -> Self {
        Self { port, burst_max, waiting: Burst::new(), now: Tick::default() }
    }

    /// The port, and what it had received but not given on.
    pub fn into_parts(self) -> (P, Burst<P::Packet>) {
        (self.port, self.waiting)
    }
}

impl<P: Port> Port for Halved<P> {
    type Packet = P::Packet;

    #[inline]
    fn rx_burst(&mut self, into: &mut Burst<P::Packet>) -> Tick {
        if self.burst_max >= port::BURST_MAX {
            return self.port.rx_burst(into);
        }
        if self.waiting.is_empty() {
            self.now = self.port.rx_burst(&mut self.waiting);
        }
        into.extend(self.waiting.drain_front(self.burst_max));
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
