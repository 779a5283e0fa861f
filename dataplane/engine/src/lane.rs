//! One packet's place in a burst: what its stages leave for those behind.

use counters::{DropReason, PuntReason};
use flow::{Place, Slot, Value};
use wire::Parsed;

use crate::decision::Verdict;
use crate::resolve::Choice;

/// What the stages know of one packet of the burst. Plain fields, each written where it lies: an enum with
/// fields would be put together elsewhere and copied, and a copy that is read in wider pieces than it was
/// written in waits for the stores to drain (measured: 5 ns a packet).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane {
    pub(crate) parsed: Parsed,
    pub(crate) place: Place,
    pub(crate) hint: Slot,
    pub(crate) value: Value,
    pub(crate) choice: Option<Choice>,
    pub(crate) step: Step,
    pub(crate) drop: DropReason,
    pub(crate) punt: PuntReason,
}

/// What is to be done with it next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Find its flow, or whose it is, and send it to its real.
    Resolve,
    /// Its flow is found, and as it stands: send it to its real.
    Settled,
    /// No flow: ask whose it is.
    Classify,
    /// It is of a flow, and a rule drops it.
    Ruled,
    /// It is no IP: answer it, or it is the kernel's.
    NotIp,
    /// It leaves, and the lane's reason says why.
    Drop,
    /// The same, to the kernel.
    Punt,
}

impl Lane {
    pub(crate) const EMPTY: Self = Self {
        parsed: Parsed::EMPTY,
        place: Place::NOWHERE,
        hint: Slot::NOWHERE,
        value: Value::NONE,
        choice: None,
        step: Step::Drop,
        drop: DropReason::Malformed,
        punt: PuntReason::NotIp,
    };

    /// What was read of the packet, if its headers could be taken.
    #[inline(always)]
    pub(crate) fn parsed(&self) -> Option<&Parsed> {
        if matches!(self.step, Step::Drop | Step::NotIp) { None } else { Some(&self.parsed) }
    }

    #[cold]
    pub(crate) fn leave(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Drop(reason) => (self.step, self.drop) = (Step::Drop, reason),
            // All that is parsed no further and not dropped.
            Verdict::Punt(_) | Verdict::Tx | Verdict::Held | Verdict::Handed => self.step = Step::NotIp,
        }
    }
}
