//! Several ports as one: polled in turn, and what came in by one leaves by the same.

use port::{Burst, Port, Tick};

/// The queues of several ports that belong to one worker.
#[derive(Debug)]
pub struct RoundRobin<P> {
    ports: Vec<P>,
    at: usize,
    /// Where packets leave by.
    out: usize,
    now: Tick,
}

impl<P: Port> RoundRobin<P> {
    /// All of `ports`, beginning with the first.
    #[must_use]
    pub const fn new(ports: Vec<P>) -> Self {
        Self { ports, at: 0, out: 0, now: Tick(0) }
    }

    /// The ports, in their places.
    pub fn ports(&mut self) -> &mut [P] {
        &mut self.ports
    }
}

impl<P: Port> Port for RoundRobin<P> {
    type Packet = P::Packet;

    #[inline]
    fn rx_burst(&mut self, into: &mut Burst<P::Packet>) -> Tick {
        self.at = if self.at + 1 < self.ports.len() { self.at + 1 } else { 0 };
        self.out = self.at;
        if let Some(port) = self.ports.get_mut(self.at) {
            self.now = self.now.max(port.rx_burst(into));
        }
        self.now
    }

    #[inline]
    fn tx_burst(&mut self, from: &mut Burst<P::Packet>) {
        if let Some(port) = self.ports.get_mut(self.out) {
            port.tx_burst(from);
        }
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "a node has at most 64 ports")]
    fn ingress(&self) -> u8 {
        self.at as u8
    }

    #[inline]
    fn leave_by(&mut self, port: u8) {
        self.out = usize::from(port);
    }

    #[inline]
    fn free_burst(&mut self, from: &mut Burst<P::Packet>) {
        if let Some(port) = self.ports.get_mut(self.at) {
            port.free_burst(from);
        }
    }
}
