//! How many packets the kernel takes, as the engine knows it while it decides.
//!
//! What makes a link work (ARP, neighbour discovery, whatever is no IP) may use all of the room; packets for other
//! addresses leave the last eighth of it free, so that a flood of them does not cut the link, and responses on their
//! way through leave half, so that SSH and routing daemons live beside them.

use counters::{DropReason, PuntReason};
use port::BURST_MAX;

use crate::decision::Verdict;

/// The part that packets for other addresses leave free: one in so many.
const FREE_OF_OTHERS: usize = 8;
/// The part that responses leave free.
const FREE_OF_RESPONSES: usize = 2;

/// Room for packets on their way to the kernel. It counts down over one burst.
#[derive(Clone, Copy, Debug)]
pub struct KernelRoom {
    left: usize,
    capacity: usize,
    /// Whatever a burst holds finds room, so nothing need be counted down.
    is_ample: bool,
}

impl KernelRoom {
    /// There is no kernel, and nothing is handed over: a punt is only counted.
    pub const NONE: Self = Self { left: usize::MAX, capacity: 0, is_ample: true };

    /// `left` places of `capacity` are free.
    #[must_use]
    pub const fn new(left: usize, capacity: usize) -> Self {
        Self { left, capacity, is_ample: left >= capacity / FREE_OF_RESPONSES + BURST_MAX }
    }

    /// Whether it takes one more.
    #[inline(always)]
    pub(crate) const fn takes(&mut self, reason: PuntReason) -> bool {
        self.is_ample || self.takes_one_of_few(reason)
    }

    #[cold]
    const fn takes_one_of_few(&mut self, reason: PuntReason) -> bool {
        let kept = match reason {
            PuntReason::Return => self.capacity / FREE_OF_RESPONSES,
            PuntReason::NotVip => self.capacity / FREE_OF_OTHERS,
            PuntReason::NotIp | PuntReason::NeighbourDiscovery => 0,
        };
        let takes = self.left > kept;
        self.left -= takes as usize;
        takes
    }

    /// How a packet for the kernel leaves.
    #[inline]
    pub(crate) const fn admit(&mut self, reason: PuntReason) -> Verdict {
        if self.takes(reason) { Verdict::Punt(reason) } else { Verdict::Drop(DropReason::PuntFull) }
    }
}

#[cfg(test)]
mod tests {
    use super::KernelRoom;
    use crate::decision::Verdict;
    use counters::{DropReason, PuntReason};

    #[test]
    fn responses_leave_half_and_the_last_eighth_is_the_links() {
        let mut room = KernelRoom::new(16, 16);
        let full = Verdict::Drop(DropReason::PuntFull);
        let admitted = |room: &mut KernelRoom, reason| (0..32).filter(|_| room.admit(reason) != full).count();
        assert_eq!(admitted(&mut room, PuntReason::Return), 8);
        assert_eq!(admitted(&mut room, PuntReason::NotVip), 6);
        assert_eq!(admitted(&mut room, PuntReason::NotIp), 2);
        assert_eq!(admitted(&mut room, PuntReason::NeighbourDiscovery), 0);
        let mut none = KernelRoom::NONE;
        assert_eq!(admitted(&mut none, PuntReason::NotVip), 32);
    }
}
