//! Port intervals of one VIP and protocol, made disjoint.
//!
//! Within one prefix the narrowest range wins; what is left open is filled by the nearest covering
//! prefix, whose intervals are disjoint already. Working down from short prefixes to long ones, the first
//! match at lookup is therefore final.

use std::collections::BTreeMap;

/// Ports that have one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Interval {
    pub(crate) first: u16,
    pub(crate) last: u16,
    /// Slot of the service.
    pub(crate) slot: u16,
}

impl Interval {
    pub(crate) const fn width(&self) -> u16 {
        self.last.saturating_sub(self.first)
    }
}

/// Two ranges of which neither is narrower but which share ports; duplicates are such a pair.
pub(crate) fn conflict(ranges: &[Interval]) -> Option<(Interval, Interval)> {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable_by_key(|range| (range.width(), range.first, range.slot));
    let pairs = sorted.iter().zip(sorted.iter().skip(1));
    let mut overlapping = pairs.filter(|(a, b)| a.width() == b.width() && b.first <= a.last);
    overlapping.next().map(|(a, b)| (*a, *b))
}

/// Ports that are taken, and who took which.
#[derive(Default)]
struct Painted {
    /// Taken stretches, first port to last, merged when they touch: a wide range passes over each once.
    taken: BTreeMap<u16, u16>,
    parts: Vec<Interval>,
}

impl Painted {
    /// Gives the range what is still free of it.
    fn paint(&mut self, range: Interval) {
        let before = self.taken.range(..=range.first).next_back().map(|(a, b)| (*a, *b));
        let mut merged = (range.first, range.last);
        let mut free = u32::from(range.first);
        if let Some((first, last)) = before
            && u32::from(last) + 1 >= u32::from(range.first)
        {
            merged = (first, merged.1.max(last));
            free = free.max(u32::from(last) + 1);
        }
        let met: Vec<_> = self.taken.range(range.first..=range.last).map(|(a, b)| (*a, *b)).collect();
        for (first, last) in met {
            self.part(free, u32::from(first), range.slot);
            free = free.max(u32::from(last) + 1);
            merged.1 = merged.1.max(last);
            self.taken.remove(&first);
        }
        self.part(free, u32::from(range.last) + 1, range.slot);
        self.taken.insert(merged.0, merged.1);
    }

    /// Notes ports from `start` up to before `end`, if any.
    fn part(&mut self, start: u32, end: u32, slot: u16) {
        if start < end
            && let (Ok(first), Ok(last)) = (u16::try_from(start), u16::try_from(end - 1))
        {
            self.parts.push(Interval { first, last, slot });
        }
    }
}

/// Disjoint intervals in order: `own` ranges, narrowest first, then `covering` (disjoint) where ports are
/// left.
pub(crate) fn flatten(own: &[Interval], covering: &[Interval]) -> Vec<Interval> {
    let mut sorted = own.to_vec();
    sorted.sort_unstable_by_key(|range| (range.width(), range.first));
    let mut painted = Painted::default();
    for range in sorted.into_iter().chain(covering.iter().copied()) {
        painted.paint(range);
    }
    painted.parts.sort_unstable();
    let mut joined: Vec<Interval> = Vec::with_capacity(painted.parts.len());
    for part in painted.parts {
        match joined.last_mut() {
            Some(last) if last.slot == part.slot && u32::from(last.last) + 1 == u32::from(part.first) => {
                last.last = part.last;
            }
            _ => joined.push(part),
        }
    }
    joined
}
