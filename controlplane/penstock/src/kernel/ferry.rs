//! The ferry: what workers punt is written to the twins, and what the kernel writes there goes to the workers.
//!
//! It owns the kernel's ends of all ports, so that no worker makes a system call. It never waits for one side: what
//! the kernel refuses and what a worker has no room for is freed and counted. It takes at most a burst of each side
//! in a turn, so that neither starves the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use port::{BURST_MAX, Burst, Port};
use worker::{Crossing, FerryEnd};

/// What was carried for one port, in packets: counted by the ferry, read by whoever asks. Between two turns what
/// was taken is what was written and refused.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Carried {
    /// From the workers.
    taken: AtomicU64,
    /// Of these, what the kernel took.
    written: AtomicU64,
    /// Of these, what it refused; all, where the port has no twin.
    refused: AtomicU64,
    /// From the kernel: handed to a worker.
    read: AtomicU64,
    /// From the kernel: the worker had no room.
    lost: AtomicU64,
}

impl Carried {
    /// As it is told.
    pub(crate) fn twin(&self) -> ctl::Twin {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ctl::Twin {
            taken: count(&self.taken),
            written: count(&self.written),
            refused: count(&self.refused),
            read: count(&self.read),
            lost: count(&self.lost),
        }
    }
}

fn add(counter: &AtomicU64, packets: usize) {
    counter.fetch_add(packets as u64, Ordering::Relaxed);
}

/// Twins, in the order of the ports, and the workers' rings.
pub(crate) struct Ferry<P: Port> {
    twins: Vec<Option<P>>,
    ends: Vec<FerryEnd<P::Packet>>,
    burst: Burst<P::Packet>,
    /// By port.
    carried: Arc<[Carried]>,
}

impl<P: Port> Ferry<P> {
    pub(crate) fn new(twins: Vec<Option<P>>, ends: Vec<FerryEnd<P::Packet>>) -> Self {
        let carried = twins.iter().map(|_| Carried::default()).collect();
        Self { twins, ends, burst: Burst::new(), carried }
    }

    /// What is carried, by port; it goes on counting.
    pub(crate) fn carried(&self) -> Arc<[Carried]> {
        Arc::clone(&self.carried)
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
                    write(&mut self.twins, port, &mut self.burst, &self.carried);
                    port = crossing.port;
                }
                moved += 1;
                // It was empty, and a burst is what is taken.
                let _ = self.burst.push(crossing.packet);
            }
            write(&mut self.twins, port, &mut self.burst, &self.carried);
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
                hand_over(&mut self.ends, Crossing { packet, port }, &self.carried);
            }
        }
        moved
    }

    /// Sends a frame by a port as if the kernel had.
    pub(crate) fn inject(&mut self, port: u8, packet: P::Packet) {
        hand_over(&mut self.ends, Crossing { packet, port }, &self.carried);
    }
}

/// Writes a burst to the twin of a port.
fn write<P: Port>(twins: &mut [Option<P>], port: u8, burst: &mut Burst<P::Packet>, carried: &[Carried]) {
    if burst.is_empty() {
        return;
    }
    let taken = burst.len();
    if let Some(Some(twin)) = twins.get_mut(usize::from(port)) {
        twin.tx_burst(burst);
    }
    let refused = burst.len();
    burst.drain();
    if let Some(carried) = carried.get(usize::from(port)) {
        add(&carried.taken, taken);
        add(&carried.written, taken - refused);
        add(&carried.refused, refused);
    }
}

/// Gives a packet to the worker that sends for its port: always the same one, so that order holds.
fn hand_over<P>(ends: &mut [FerryEnd<P>], crossing: Crossing<P>, carried: &[Carried]) {
    let port = usize::from(crossing.port);
    let worker = port.checked_rem(ends.len()).and_then(|worker| ends.get_mut(worker));
    // What comes back is freed here.
    let is_sent = worker.is_some_and(|end| end.send(crossing).is_ok());
    if let Some(carried) = carried.get(port) {
        add(if is_sent { &carried.read } else { &carried.lost }, 1);
    }
}

#[cfg(test)]
mod tests {
    use port::{Burst, MemPacket, MemPort, MemSink, MemSource, Tick};
    use proptest::prelude::{any, prop, proptest};
    use worker::{KernelEnd, kernel_rings};

    use super::Ferry;

    /// What the kernel has to send by one twin.
    struct Waiting(usize);

    impl MemSource for Waiting {
        fn next_tick(&mut self) -> Option<Tick> {
            (self.0 > 0).then_some(Tick(0))
        }

        fn load_next(&mut self, into: &mut MemPacket) {
            self.0 -= 1;
            into.load(&[0x5a; 60], 0);
        }
    }

    /// A kernel that takes so many packets, and no more.
    struct Room(usize);

    impl MemSink for Room {
        fn send(&mut self, _: &MemPacket) -> bool {
            let takes = self.0 > 0;
            self.0 -= usize::from(takes);
            takes
        }
    }

    const RING: usize = 16;

    fn punt(end: &mut KernelEnd<MemPacket>, port: u8, packets: usize) {
        let mut burst = Burst::new();
        for _ in 0..packets {
            assert!(burst.push(MemPacket::with_room(60)).is_ok());
        }
        end.send(&mut burst, port);
        assert!(burst.is_empty(), "a ring of {RING} has room for {packets}");
    }

    proptest! {
        /// Whatever comes from either side, in whatever order: nothing is carried uncounted.
        #[test]
        fn what_was_taken_was_written_or_refused_and_what_the_kernel_sent_was_read_or_lost(
            punts in prop::collection::vec((0_u8..3, 0..RING, any::<bool>()), 0..24),
            room in (0_usize..40, 0_usize..40),
            waiting in (0_usize..60, 0_usize..60),
        ) {
            // The third port has no twin.
            let twin = |waiting, room| MemPort::new(64, 60, Waiting(waiting), Room(room));
            let twins = vec![Some(twin(waiting.0, room.0)), Some(twin(waiting.1, room.1)), None];
            let (mut worker, end) = kernel_rings(RING);
            let mut ferry = Ferry::new(twins, vec![end]);
            let carried = ferry.carried();
            let (mut punted, mut got, mut into) = ([0_u64; 3], 0, Burst::new());
            for (port, packets, reads) in punts {
                punt(&mut worker, port, packets);
                punted[usize::from(port)] += packets as u64;
                ferry.step();
                if reads {
                    worker.recv(&mut into);
                    got += into.drain().count() as u64;
                }
                for one in carried.iter().map(super::Carried::twin) {
                    assert_eq!(one.taken, one.written + one.refused);
                }
            }
            while ferry.step() > 0 {}
            while { worker.recv(&mut into); !into.is_empty() } {
                got += into.drain().count() as u64;
            }
            let told: Vec<ctl::Twin> = carried.iter().map(super::Carried::twin).collect();
            assert_eq!(told.iter().map(|one| one.taken).collect::<Vec<_>>(), punted);
            let written = [room.0 as u64, room.1 as u64, 0];
            for ((one, punted), room) in told.iter().zip(punted).zip(written) {
                assert_eq!((one.written, one.refused), (punted.min(room), punted.saturating_sub(room)));
            }
            assert_eq!([told[0].read + told[0].lost, told[1].read + told[1].lost], [waiting.0 as u64, waiting.1 as u64]);
            assert_eq!(told.iter().map(|one| one.read).sum::<u64>(), got);
        }
    }
}
