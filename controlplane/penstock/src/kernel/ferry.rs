//! The ferry: what workers punt is written to the twins, and what the kernel writes there goes to the workers.
//!
//! It owns the kernel's ends of all ports, so that no worker makes a system call. It never waits for one side: what
//! the kernel refuses and what a worker has no room for is freed and counted. It takes at most a burst of each side
//! in a turn, so that neither starves the other.

use port::{BURST_MAX, Burst, Port};
use worker::{Crossing, FerryEnd};

/// What was carried, in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    /// To the kernel: taken by it.
    pub(crate) written: u64,
    /// Refused by it, or of a port without a twin.
    pub(crate) refused: u64,
    /// From the kernel: handed to a worker.
    pub(crate) read: u64,
    /// No worker had room.
    pub(crate) lost: u64,
}

/// Twins, in the order of the ports, and the workers' rings.
pub(crate) struct Ferry<P: Port> {
    twins: Vec<Option<P>>,
    ends: Vec<FerryEnd<P::Packet>>,
    burst: Burst<P::Packet>,
    carried: Carried,
}

impl<P: Port> Ferry<P> {
    pub(crate) fn new(twins: Vec<Option<P>>, ends: Vec<FerryEnd<P::Packet>>) -> Self {
        Self { twins, ends, burst: Burst::new(), carried: Carried::default() }
    }

    /// What was carried so far.
    pub(crate) const fn carried(&self) -> Carried {
        self.carried
    }

    /// One turn. Gives how many packets moved.
    pub(crate) fn step(&mut self) -> usize {
        self.carry_out() + self.carry_in()
    }

    /// Writes all that waits, when no more will come.
    pub(crate) fn drain(&mut self) {
        while self.carry_out() > 0 {}
    }

    fn carry_out(&mut self) -> usize {
        let mut moved = 0;
        for end in &mut self.ends {
            let mut port = 0;
            for crossing in end.recv(BURST_MAX) {
                if crossing.port != port {
                    write(&mut self.twins, port, &mut self.burst, &mut self.carried);
                    port = crossing.port;
                }
                moved += 1;
                // It was empty, and a burst is what is taken.
                let _ = self.burst.push(crossing.packet);
            }
            write(&mut self.twins, port, &mut self.burst, &mut self.carried);
        }
        moved
    }

    fn carry_in(&mut self) -> usize {
        let mut moved = 0;
        for (port, twin) in (0_u8..).zip(&mut self.twins) {
            let Some(twin) = twin else { continue };
            twin.rx_burst(&mut self.burst);
            moved += self.burst.len();
            for packet in self.burst.drain() {
                hand_over(&mut self.ends, Crossing { packet, port }, &mut self.carried);
            }
        }
        moved
    }

    /// Sends a frame by a port as if the kernel had.
    pub(crate) fn inject(&mut self, port: u8, packet: P::Packet) {
        hand_over(&mut self.ends, Crossing { packet, port }, &mut self.carried);
    }
}

/// Writes a burst to the twin of a port.
fn write<P: Port>(twins: &mut [Option<P>], port: u8, burst: &mut Burst<P::Packet>, carried: &mut Carried) {
    if burst.is_empty() {
        return;
    }
    let before = burst.len() as u64;
    if let Some(Some(twin)) = twins.get_mut(usize::from(port)) {
        twin.tx_burst(burst);
    }
    let refused = burst.len() as u64;
    carried.written += before - refused;
    carried.refused += refused;
    burst.drain();
}

/// Gives a packet to the worker that sends for its port: always the same one, so that order holds.
fn hand_over<P>(ends: &mut [FerryEnd<P>], crossing: Crossing<P>, carried: &mut Carried) {
    let worker = usize::from(crossing.port).checked_rem(ends.len());
    match worker.and_then(|worker| ends.get_mut(worker)).map(|end| end.send(crossing)) {
        Some(Ok(())) => carried.read += 1,
        // What comes back is freed here.
        Some(Err(_)) | None => carried.lost += 1,
    }
}
