//! How packets get to the kernel and back: two wait-free rings to a ferry, a thread that owns the kernel's ends
//! of the ports. A worker makes no system call for it; what the rings have no room for is dropped and counted.
//!
//! A ring's room is asked for before the burst is decided, and can only grow until the packets are sent, so that
//! what was decided holds.

use engine::KernelRoom;
use port::{Burst, Packet};
use rtrb::{Consumer, Producer, RingBuffer};

/// Frames of the kernel that are sent in one breath, so that the wire's own wait no longer for them.
const FROM_KERNEL_MAX: usize = 32;

/// A packet on its way to the kernel or from it.
#[derive(Debug)]
pub struct Crossing<P> {
    /// It.
    pub packet: P,
    /// The port that it came by, or leaves by.
    pub port: u8,
}

/// The worker's end.
#[derive(Debug)]
pub struct KernelEnd<P> {
    to: Producer<Crossing<P>>,
    from: Consumer<Crossing<P>>,
}

/// The ferry's end.
#[derive(Debug)]
pub struct FerryEnd<P> {
    from: Consumer<Crossing<P>>,
    to: Producer<Crossing<P>>,
}

/// Both ends, with room for `capacity` packets each way.
#[must_use]
pub fn kernel_rings<P>(capacity: usize) -> (KernelEnd<P>, FerryEnd<P>) {
    let (to, punted) = RingBuffer::new(capacity);
    let (sent, from) = RingBuffer::new(capacity);
    (KernelEnd { to, from }, FerryEnd { from: punted, to: sent })
}

impl<P: Packet> KernelEnd<P> {
    /// The room for punted packets.
    #[inline]
    pub(crate) fn room(&self) -> KernelRoom {
        KernelRoom::new(self.to.slots(), self.to.buffer().capacity())
    }

    /// Sends punted packets that came by `port`; what has no room stays, and there is none if the room was asked
    /// for.
    pub fn send(&mut self, punted: &mut Burst<P>, port: u8) {
        let count = punted.len().min(self.to.slots());
        if let Ok(chunk) = self.to.write_chunk_uninit(count) {
            chunk.fill_from_iter(punted.drain_front(count).map(|packet| Crossing { packet, port }));
        }
    }

    /// Takes what the kernel sends by one port: packets in a row, at most 32.
    pub fn recv(&mut self, into: &mut Burst<P>) -> u8 {
        let Ok(&Crossing { port, .. }) = self.from.peek() else { return 0 };
        while into.len() < FROM_KERNEL_MAX && self.from.peek().is_ok_and(|next| next.port == port) {
            let Ok(next) = self.from.pop() else { break };
            if into.push(next.packet).is_err() {
                break;
            }
        }
        port
    }
}

impl<P> FerryEnd<P> {
    /// Takes at most `most` punted packets.
    pub fn recv(&mut self, most: usize) -> impl Iterator<Item = Crossing<P>> + '_ {
        std::iter::from_fn(|| self.from.pop().ok()).take(most)
    }

    /// Sends what the kernel gave.
    ///
    /// # Errors
    /// The packet, when the worker takes no more.
    pub fn send(&mut self, crossing: Crossing<P>) -> Result<(), Crossing<P>> {
        self.to.push(crossing).map_err(|rtrb::PushError::Full(crossing)| crossing)
    }
}
