//! The in-memory port: buffers that circulate between a source, the worker and a sink. Tests and replay
//! run on it without DPDK, and it is cheap enough (one copy of the frame) to measure the path alone.

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use crate::{Burst, NoHeadroom, Packet, Port, Tick};

/// Room in front of every received packet, as DPDK keeps by default.
pub const HEADROOM: usize = 128;

/// Room for a frame in a buffer of the usual size, headroom not counted.
pub const ROOM: usize = 2048;

/// One packet in a buffer of its own. The buffer goes back to its port by
/// [`free_burst`](Port::free_burst) or [`tx_burst`](Port::tx_burst).
#[derive(Debug)]
pub struct MemPacket(Box<Inside>);

/// Behind a pointer, so that bursts move eight bytes a packet, as they do with DPDK's.
#[derive(Debug)]
struct Inside {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    cookie: u64,
}

impl MemPacket {
    /// An empty packet with room for `room` bytes.
    #[must_use]
    pub fn with_room(room: usize) -> Self {
        let buffer = vec![0; HEADROOM + room].into_boxed_slice();
        Self(Box::new(Inside { buffer, start: HEADROOM, end: HEADROOM, cookie: 0 }))
    }

    /// Makes this packet a copy of a frame; what does not fit in the buffer is cut off.
    #[inline]
    pub fn load(&mut self, frame: &[u8], cookie: u64) {
        let inside = &mut *self.0;
        let room = inside.buffer.get_mut(HEADROOM..).unwrap_or_default();
        // The usual frame fits, and then its length is a constant to the compiler where it is to the caller.
        let len = if frame.len() <= room.len() { frame.len() } else { room.len() };
        (inside.start, inside.end, inside.cookie) = (HEADROOM, HEADROOM + len, cookie);
        if let Some(into) = room.get_mut(..frame.len()) {
            into.copy_from_slice(frame);
        } else if let Some(from) = frame.get(..len) {
            room.copy_from_slice(from);
        }
    }
}

impl Packet for MemPacket {
    #[inline]
    fn data(&self) -> &[u8] {
        self.0.buffer.get(self.0.start..self.0.end).unwrap_or_default()
    }

    #[inline]
    fn data_mut(&mut self) -> &mut [u8] {
        let inside = &mut *self.0;
        inside.buffer.get_mut(inside.start..inside.end).unwrap_or_default()
    }

    #[inline]
    fn total_len(&self) -> usize {
        self.0.end - self.0.start
    }

    #[inline]
    fn prepend(&mut self, len: usize) -> Result<&mut [u8], NoHeadroom> {
        self.0.start = self.0.start.checked_sub(len).ok_or(NoHeadroom)?;
        Ok(self.data_mut())
    }

    #[inline]
    fn trim_front(&mut self, len: usize) {
        self.0.start = (self.0.start + len).min(self.0.end);
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        self.0.end = self.0.end.min(self.0.start + len);
    }

    #[inline]
    fn prefetch(&self) {
        mem::prefetch_index(&self.0.buffer, self.0.start);
    }

    #[inline]
    fn cookie(&self) -> u64 {
        self.0.cookie
    }
}

/// Where the packets of a [`MemPort`] come from.
pub trait MemSource {
    /// The worker asks for packets: those before have left it.
    #[inline]
    fn begin(&mut self) {}
    /// The time of the next packet, or `None` when there is none now.
    fn next_tick(&mut self) -> Option<Tick>;
    /// Loads the next packet. Called only after `next_tick` gave a time.
    fn load_next(&mut self, into: &mut MemPacket);
}

/// Where they go.
pub trait MemSink {
    /// Sees a packet leave. `false` refuses it: it stays with the worker.
    fn send(&mut self, packet: &MemPacket) -> bool;
}

/// Buffers that several ports share, where workers hand packets to one another: what came by one port goes back to
/// whichever sends or frees it, and there would pile up.
#[derive(Clone, Debug)]
pub struct Shared(Arc<ArrayQueue<MemPacket>>);

impl Shared {
    /// With room for so many buffers: all that there are.
    #[must_use]
    pub fn new(buffers: usize) -> Self {
        Self(Arc::new(ArrayQueue::new(buffers.max(1))))
    }

    /// How many lie there, and are nobody's.
    #[must_use]
    pub fn lying(&self) -> usize {
        self.0.len()
    }
}

/// One queue pair in memory.
#[derive(Debug)]
pub struct MemPort<S, K> {
    free: Vec<MemPacket>,
    /// More than these are given away.
    own: usize,
    shared: Option<Shared>,
    source: S,
    sink: K,
    now: Tick,
}

impl<S: MemSource, K: MemSink> MemPort<S, K> {
    /// A port with `buffers` packets of `room` bytes that circulate.
    #[must_use]
    pub fn new(buffers: usize, room: usize, source: S, sink: K) -> Self {
        let mut free = Vec::with_capacity(buffers + crate::BURST_MAX);
        free.extend((0..buffers).map(|_| MemPacket::with_room(room)));
        Self { free, own: buffers, shared: None, source, sink, now: Tick::default() }
    }

    /// Gives away the buffers that it has more than at first, and takes some when it has none.
    #[must_use]
    pub fn sharing(mut self, shared: Shared) -> Self {
        self.shared = Some(shared);
        self
    }

    #[cold]
    fn give_away(&mut self) {
        let Some(Shared(shared)) = &self.shared else { return };
        while self.free.len() > self.own
            && let Some(packet) = self.free.pop()
        {
            if let Err(packet) = shared.push(packet) {
                self.free.push(packet);
                return;
            }
        }
    }

    #[cold]
    fn take_shared(&mut self) {
        if let Some(Shared(shared)) = &self.shared {
            while self.free.len() < crate::BURST_MAX
                && let Some(packet) = shared.pop()
            {
                self.free.push(packet);
            }
        }
    }

    /// How many buffers are at home.
    #[must_use]
    pub fn free_buffers(&self) -> usize {
        self.free.len()
    }

    /// The source, the sink.
    pub fn ends(&mut self) -> (&mut S, &mut K) {
        (&mut self.source, &mut self.sink)
    }

    /// Gives source and sink back.
    pub fn into_ends(self) -> (S, K) {
        (self.source, self.sink)
    }
}

impl<S: MemSource, K: MemSink> Port for MemPort<S, K> {
    type Packet = MemPacket;

    #[inline]
    fn rx_burst(&mut self, into: &mut Burst<MemPacket>) -> Tick {
        self.source.begin();
        if self.free.is_empty() {
            self.take_shared();
        }
        let Some(tick) = self.source.next_tick() else { return self.now };
        self.now = self.now.max(tick);
        while into.room() > 0 && self.source.next_tick() == Some(tick) {
            let Some(mut packet) = self.free.pop() else { break };
            self.source.load_next(&mut packet);
            if let Err(packet) = into.push(packet) {
                self.free.push(packet);
            }
        }
        self.now
    }

    #[inline]
    fn tx_burst(&mut self, from: &mut Burst<MemPacket>) {
        let taken = from.as_slice().iter().take_while(|packet| self.sink.send(packet)).count();
        self.free.extend(from.drain_front(taken));
        if self.free.len() > self.own {
            self.give_away();
        }
    }

    #[inline]
    fn free_burst(&mut self, from: &mut Burst<MemPacket>) {
        self.free.extend(from.drain());
        if self.free.len() > self.own {
            self.give_away();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HEADROOM, MemPacket, MemPort, MemSink, MemSource, Shared};
    use crate::{Burst, NoHeadroom, Packet, Port, Tick};

    struct Ticks(Vec<u64>);
    impl MemSource for Ticks {
        fn next_tick(&mut self) -> Option<Tick> {
            self.0.last().map(|&tick| Tick(tick))
        }
        fn load_next(&mut self, into: &mut MemPacket) {
            let tick = self.0.pop().unwrap();
            into.load(&tick.to_be_bytes(), tick);
        }
    }

    struct Refusing(usize);
    impl MemSink for Refusing {
        fn send(&mut self, _: &MemPacket) -> bool {
            self.0 = self.0.saturating_sub(1);
            self.0 > 0
        }
    }

    #[test]
    fn a_burst_ends_where_the_clock_moves_on_and_refused_packets_stay() {
        let mut port = MemPort::new(4, 64, Ticks(vec![9, 9, 8, 8, 8]), Refusing(3));
        let mut burst = Burst::new();
        assert_eq!(port.rx_burst(&mut burst), Tick(8));
        assert_eq!(burst.len(), 3);
        port.tx_burst(&mut burst);
        assert_eq!(burst.len(), 1, "the third was refused");
        assert_eq!(burst.as_slice()[0].cookie(), 8);
        port.free_burst(&mut burst);
        assert_eq!(port.rx_burst(&mut burst), Tick(9));
        assert_eq!((burst.len(), port.free_buffers()), (2, 2));
        port.free_burst(&mut burst);
        assert_eq!((port.rx_burst(&mut burst), port.free_buffers()), (Tick(9), 4));
    }

    #[test]
    fn buffers_that_come_from_elsewhere_are_given_away_and_taken_by_whoever_has_none() {
        let shared = Shared::new(8);
        let port = |ticks| MemPort::new(2, 64, Ticks(ticks), Refusing(9)).sharing(shared.clone());
        let (mut one, mut two) = (port(vec![1, 1, 1]), port(vec![]));
        let mut burst = Burst::new();
        assert_eq!(one.rx_burst(&mut burst), Tick(1));
        two.free_burst(&mut burst);
        assert_eq!((one.free_buffers(), two.free_buffers()), (0, 2));
        assert_eq!(one.rx_burst(&mut burst), Tick(1));
        assert_eq!((burst.len(), one.free_buffers()), (1, 1));
    }

    #[test]
    fn headroom_is_bounded_and_a_failed_prepend_changes_nothing() {
        let mut packet = MemPacket::with_room(8);
        packet.load(b"12345678 too long", 1);
        assert_eq!(packet.data(), b"12345678");
        packet.trim_front(2);
        packet.truncate(4);
        assert_eq!(packet.data(), b"3456");
        assert!(packet.prepend(HEADROOM + 3).is_err_and(|error| error == NoHeadroom));
        assert_eq!(packet.data(), b"3456");
        assert_eq!(packet.prepend(HEADROOM + 2).map(|bytes| bytes.len()), Ok(HEADROOM + 6));
        packet.trim_front(9999);
        assert_eq!(packet.total_len(), 0);
    }
}
