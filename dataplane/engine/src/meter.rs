//! Meters: how much of a service's or a rule's traffic is within its limit (RFC 2697, RFC 2698).
//!
//! Every worker keeps the pots of all limits. They are filled by ticks, so the same capture always meets the same pots;
//! a pot's share of the rate is one worker's. Whole numbers are kept in parts of a byte so small that any rate fills
//! exactly: an eighth for the tick, and one part more for each worker.

use port::Tick;
use service::{DSCP_MAX, Excess, LIMITS_MAX, Limit, LimitEntry, TableView};

/// What a meter says of a packet (RFC 2697 §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Colour {
    /// Within the committed rate.
    Green,
    /// Above it, and within what is allowed beside it.
    Yellow,
    /// Above both.
    Red,
}

impl Colour {
    /// The colour that a packet came with: the drop precedence of assured forwarding (RFC 2597 §6), which is 1 to 3 in
    /// four classes. What is of no such class is not coloured yet, and counts as green.
    const fn of_dscp(dscp: u8) -> Self {
        match (dscp >> 3, dscp & 7) {
            (1..=4, 4) => Self::Yellow,
            (1..=4, 6) => Self::Red,
            _ => Self::Green,
        }
    }
}

/// The pots of one limit.
#[derive(Clone, Copy, Debug)]
struct Pots {
    of: LimitEntry,
    /// What is in the pot of the committed burst, and in the other: T_c and T_e, or T_c and T_p.
    committed: u64,
    other: u64,
    /// When they were filled.
    at: u64,
}

/// All of a worker's.
#[derive(Debug)]
pub(crate) struct Meters {
    pots: Vec<Pots>,
    /// Those of the table before, while the next one's are made.
    before: Vec<Pots>,
    /// Parts of a byte.
    parts: u64,
}

impl Meters {
    /// None yet, for one of so many workers; room for as many as a table may have, so that none is made when a table
    /// comes.
    pub(crate) fn none(workers: u16) -> Self {
        let (pots, before) = (Vec::with_capacity(LIMITS_MAX), Vec::with_capacity(LIMITS_MAX));
        Self { pots, before, parts: Tick::PER_SECOND * u64::from(workers.max(1)) }
    }

    /// Those of a table. A limit whose figures stay keeps its pots; others begin full (RFC 2697 §3).
    pub(crate) fn take(&mut self, table: &TableView<'_>, now: Tick) {
        std::mem::swap(&mut self.pots, &mut self.before);
        self.pots.clear();
        // Both lists are by owner.
        let mut before = self.before.iter().peekable();
        for of in table.limits() {
            while before.next_if(|pots| pots.of.owner() < of.owner()).is_some() {}
            let kept = before.peek().filter(|pots| pots.of == *of);
            self.pots.push(kept.map_or_else(|| Pots::full(*of, self.parts, now), |pots| **pots));
        }
    }

    /// The colour of a packet of so many bytes with that code point, under the limit of that place; what it uses is gone.
    #[inline(never)]
    pub(crate) fn colour(&mut self, place: u16, (bytes, dscp): (u32, u8), now: Tick) -> Colour {
        let Some(pots) = self.pots.get_mut(usize::from(place)) else { return Colour::Green };
        pots.colour(u64::from(bytes) * self.parts, dscp, self.parts, now)
    }

    /// The same, and nothing is used.
    pub(crate) fn look(&self, place: u16, (bytes, dscp): (u32, u8), now: Tick) -> Colour {
        let Some(mut pots) = self.pots.get(usize::from(place)).copied() else { return Colour::Green };
        pots.colour(u64::from(bytes) * self.parts, dscp, self.parts, now)
    }
}

impl Pots {
    fn full(of: LimitEntry, parts: u64, now: Tick) -> Self {
        let Limit { cbs, excess: Excess::Burst(other) | Excess::Peak(_, other), .. } = of.limit();
        Self { of, committed: u64::from(cbs) * parts, other: u64::from(other) * parts, at: now.0 }
    }

    /// Fills them: T_e takes what T_c has no room for (RFC 2697 §3), T_p has a rate of its own (RFC 2698 §3).
    fn fill(&mut self, limit: &Limit, parts: u64, now: Tick) {
        let ticks = now.0.saturating_sub(self.at);
        self.at = now.0.max(self.at);
        let come = limit.cir.saturating_mul(ticks);
        let room = u64::from(limit.cbs) * parts - self.committed;
        self.committed += come.min(room);
        let (come, most) = match limit.excess {
            Excess::Burst(bytes) => (come.saturating_sub(room), bytes),
            Excess::Peak(rate, bytes) => (rate.saturating_mul(ticks), bytes),
        };
        self.other = self.other.saturating_add(come).min(u64::from(most) * parts);
    }

    fn colour(&mut self, size: u64, dscp: u8, parts: u64, now: Tick) -> Colour {
        let limit = self.of.limit();
        self.fill(&limit, parts, now);
        let came = if limit.is_aware { Colour::of_dscp(dscp & DSCP_MAX) } else { Colour::Green };
        let (is_committed, is_other) = (size <= self.committed, size <= self.other);
        let colour = match limit.excess {
            Excess::Burst(_) if came == Colour::Green && is_committed => Colour::Green,
            Excess::Burst(_) | Excess::Peak(..) if came == Colour::Red || !is_other => Colour::Red,
            Excess::Peak(..) if came == Colour::Green && is_committed => Colour::Green,
            Excess::Burst(_) | Excess::Peak(..) => Colour::Yellow,
        };
        let has_peak = matches!(limit.excess, Excess::Peak(..));
        if colour == Colour::Green {
            self.committed -= size;
        }
        // A peak is of all traffic, an excess of what is above the committed burst.
        if colour == Colour::Yellow || colour == Colour::Green && has_peak {
            self.other -= size;
        }
        colour
    }
}

#[cfg(test)]
mod tests {
    use super::Colour;

    #[test]
    fn drop_precedence_is_colour() {
        // AF11 to AF43 of RFC 2597 §6.
        for (class, first) in [10, 18, 26, 34].into_iter().enumerate() {
            let colours = [first, first + 2, first + 4].map(Colour::of_dscp);
            assert_eq!(colours, [Colour::Green, Colour::Yellow, Colour::Red], "class {class}");
        }
        for other in [0, 4, 6, 8, 12 + 32, 14 + 32, 46, 63] {
            assert_eq!(Colour::of_dscp(other), Colour::Green, "{other}");
        }
    }
}
