//! The seam for back ends: what the engine sees of a packet, and what a worker sees of a port.
//!
//! Architecture invariants: a packet is in exactly one burst at a time; `rx_burst` gives at most
//! [`BURST_MAX`] packets; `tx_burst` never waits, what it could not take stays in the burst and the
//! caller counts and frees it. Dispatch is static: one monomorphised worker loop per back end.
#![forbid(unsafe_code)]

mod memory;

pub use memory::{HEADROOM, MemPacket, MemPort, MemSink, MemSource, ROOM, Shared};

/// The most packets that travel together. Two NIC bursts of 32 merged: one pass over the flow table
/// for 64 packets costs about 30 % less than two passes for 32.
pub const BURST_MAX: usize = 64;

/// Coarse time, given and never read: eighths of a second since some start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u64);

impl Tick {
    /// Ticks in one second.
    pub const PER_SECOND: u64 = 8;

    /// The tick that a time in nanoseconds falls into.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos / (1_000_000_000 / Self::PER_SECOND))
    }
}

/// There is not enough room in front of the packet for the header that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoHeadroom;

/// One packet, as the engine sees it. Headers lie in the first segment; the rest of a chain is carried
/// and not read.
pub trait Packet {
    /// The bytes of the first segment.
    fn data(&self) -> &[u8];
    /// The same, to be changed.
    fn data_mut(&mut self) -> &mut [u8];
    /// The bytes of all segments together.
    fn total_len(&self) -> usize;
    /// Makes `len` bytes of room in front and gives the whole first segment, room included; what the
    /// new bytes hold is unspecified.
    ///
    /// # Errors
    /// [`NoHeadroom`], and the packet is unchanged.
    fn prepend(&mut self, len: usize) -> Result<&mut [u8], NoHeadroom>;
    /// Takes `len` bytes off the front; more than there are takes all of the first segment.
    fn trim_front(&mut self, len: usize);
    /// Takes bytes off the end until `len` are left in total (link-layer padding goes this way).
    fn truncate(&mut self, len: usize);
    /// Hands over the bytes of all segments, one after the other.
    fn each_segment(&self, mut take: impl FnMut(&[u8])) {
        take(self.data());
    }
    /// Fetches the first bytes into the cache, for a look at them soon.
    #[inline]
    fn prefetch(&self) {
        mem::prefetch(self.data());
    }
    /// A number that the back end gave the packet when it came in (replay: its index in the capture).
    fn cookie(&self) -> u64;
}

/// Packets on their way together. The capacity is reserved once and reused for ever.
#[derive(Debug)]
pub struct Burst<P> {
    packets: Vec<P>,
}

impl<P> Default for Burst<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> Burst<P> {
    /// An empty burst with room for [`BURST_MAX`] packets.
    #[must_use]
    pub fn new() -> Self {
        Self { packets: Vec::with_capacity(BURST_MAX) }
    }

    /// How many packets are in it.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether there are none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// How many more fit.
    #[inline]
    #[must_use]
    pub fn room(&self) -> usize {
        BURST_MAX - self.packets.len().min(BURST_MAX)
    }

    /// Adds a packet, or hands it back when the burst is full.
    ///
    /// # Errors
    /// The packet itself.
    #[inline]
    pub fn push(&mut self, packet: P) -> Result<(), P> {
        if self.packets.len() < BURST_MAX {
            self.packets.push(packet);
            Ok(())
        } else {
            Err(packet)
        }
    }

    /// Adds packets as far as there is room, which is checked once; what does not fit is dropped.
    #[inline]
    pub fn extend(&mut self, packets: impl Iterator<Item = P>) {
        self.packets.extend(packets.take(self.room()));
    }

    /// Takes the last packet out.
    #[inline]
    pub fn pop(&mut self) -> Option<P> {
        self.packets.pop()
    }

    /// Takes all packets out, in order.
    #[inline]
    pub fn drain(&mut self) -> std::vec::Drain<'_, P> {
        self.packets.drain(..)
    }

    /// Takes the first `count` packets out, in order.
    #[inline]
    pub fn drain_front(&mut self, count: usize) -> std::vec::Drain<'_, P> {
        let count = count.min(self.packets.len());
        self.packets.drain(..count)
    }

    /// Moves the packets whose bit is set in `marked` (bit 0 is the first packet) to the end of `to`, as
    /// far as it has room; both bursts keep their order.
    pub fn move_marked(&mut self, marked: u64, to: &mut Self) {
        // Traffic that is all for others comes in whole bursts.
        if to.is_empty() && marked.count_ones() as usize == self.len() {
            std::mem::swap(self, to);
            return;
        }
        let mut at = 0_u32;
        let room = to.room();
        let mut moved = 0;
        let take = self.packets.extract_if(.., |_| {
            let is_marked = marked.checked_shr(at).is_some_and(|bits| bits & 1 == 1);
            at += 1;
            let takes = is_marked && moved < room;
            moved += usize::from(takes);
            takes
        });
        to.packets.extend(take);
    }

    /// The packets.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[P] {
        &self.packets
    }

    /// The packets, to be changed.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [P] {
        &mut self.packets
    }
}

/// One queue pair of one port, owned by one worker.
pub trait Port {
    /// What its packets are.
    type Packet: Packet;

    /// Appends what has arrived to `into`, at most up to [`BURST_MAX`] packets in all, and says what
    /// time it is for them. All packets of one call share one tick: a live port reads a coarse clock
    /// once, a replaying port ends the burst where the capture's clock moves on.
    fn rx_burst(&mut self, into: &mut Burst<Self::Packet>) -> Tick;

    /// Sends from the front of the burst; what stays in `from` was refused, the caller counts and
    /// frees it. Never waits.
    fn tx_burst(&mut self, from: &mut Burst<Self::Packet>);

    /// Which of the ports behind this one the last burst came by.
    #[inline]
    fn ingress(&self) -> u8 {
        0
    }

    /// Until the next burst is received, what is sent leaves by the port in that place.
    #[inline]
    fn leave_by(&mut self, _port: u8) {}

    /// Gives packets back to where they came from.
    fn free_burst(&mut self, from: &mut Burst<Self::Packet>);
}

#[cfg(test)]
mod tests {
    use super::Burst;

    #[test]
    fn marked_packets_move_and_both_bursts_keep_their_order() {
        let mut from = Burst::new();
        let mut to = Burst::new();
        for packet in 0..8 {
            assert_eq!(from.push(packet), Ok(()));
        }
        from.move_marked(0b1010_0110, &mut to);
        assert_eq!(from.as_slice(), [0, 3, 4, 6]);
        assert_eq!(to.as_slice(), [1, 2, 5, 7]);
        let mut all = Burst::new();
        to.move_marked(0b1111, &mut all);
        assert!(to.is_empty());
        assert_eq!(all.as_slice(), [1, 2, 5, 7]);
    }
}
