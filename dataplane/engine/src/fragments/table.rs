//! The datagrams whose fragments come: a table of a fixed size, in buckets of four.

use counters::DropReason;
use service::Effect;

use crate::fragments::pieces::Pieces;
use crate::fragments::{ANEW_TICKS, DATAGRAMS_MAX, IDLE_TICKS, WAITING_MAX};
use crate::resolve::Target;

/// Datagrams that share a bucket.
const WAYS: usize = 4;
const BUCKETS: usize = DATAGRAMS_MAX / WAYS;
const _: () = assert!(BUCKETS.is_power_of_two() && BUCKETS * WAYS == DATAGRAMS_MAX);

/// A datagram's name: two words of the keyed hash of its addresses, protocol and identification. As of a flow, a wrong
/// match has the chance of one in 2⁶⁴ for each that is looked at.
pub(crate) type Key = (u64, u64);

/// What becomes of its fragments.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// The first has not come.
    Waits,
    /// The first went there.
    Known(Target),
    /// None goes anywhere.
    Refused(DropReason),
}

/// Places on the shelf.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Places {
    list: [u16; WAITING_MAX],
    count: u8,
}

impl Places {
    pub(crate) fn as_slice(&self) -> &[u16] {
        self.list.get(..usize::from(self.count)).unwrap_or_default()
    }

    pub(crate) const fn are_all_taken(&self) -> bool {
        self.count as usize == WAITING_MAX
    }

    pub(crate) fn push(&mut self, place: u16) {
        if let Some(at) = self.list.get_mut(usize::from(self.count)) {
            *at = place;
            self.count += 1;
        }
    }
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Datagram {
    /// 0 of an entry that holds none.
    tag: u64,
    /// The tick of its last fragment that was taken, or for which it was refused. What is dropped by itself makes it no
    /// younger: else whoever sends on under that identification would never be heard again.
    pub(crate) met: u64,
    /// That of its first to come.
    pub(crate) since: u64,
    pub(crate) fate: Fate,
    pub(crate) pieces: Pieces,
    /// Where those wait that came before the first.
    pub(crate) places: Places,
}

impl Datagram {
    const EMPTY: Self = Self {
        tag: 0,
        met: 0,
        since: 0,
        fate: Fate::Waits,
        pieces: Pieces::NONE,
        places: Places { list: [0; WAITING_MAX], count: 0 },
    };

    const fn new(tag: u64, now: u64) -> Self {
        Self { tag, met: now, since: now, ..Self::EMPTY }
    }

    const fn waits(&self) -> bool {
        self.tag != 0 && matches!(self.fate, Fate::Waits)
    }

    const fn idle(&self, now: u64) -> u64 {
        now.saturating_sub(self.met)
    }

    /// Whether the entry is to be had: it holds none, or one that is over. One that waits is ended elsewhere.
    const fn is_free(&self, now: u64) -> bool {
        self.tag == 0 || !self.waits() && self.idle(now) >= IDLE_TICKS
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Datagrams(Box<[Datagram]>);

impl Datagrams {
    pub(crate) fn new() -> Self {
        Self(vec![Datagram::EMPTY; DATAGRAMS_MAX].into_boxed_slice())
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Datagram> {
        self.0.get(at)
    }

    /// The datagram of that name as it stands, or a new one, and its place; `None` if there is no room.
    pub(crate) fn open(&self, key: Key, is_first: bool, now: u64) -> Option<(usize, Datagram)> {
        let tag = tag(key);
        let start = bucket(key) * WAYS;
        let ways = self.0.get(start..start + WAYS)?;
        let found = ways.iter().position(|way| way.tag == tag && !way.is_free(now));
        if let Some((at, way)) = found.and_then(|at| Some((at, ways.get(at)?))) {
            // Identifications come again (RFC 4963), and then with a first fragment sooner or later.
            let begins_anew = is_first && !way.waits() && way.idle(now) >= ANEW_TICKS;
            let datagram = if begins_anew { Datagram::new(tag, now) } else { *way };
            return Some((start + at, datagram));
        }
        let free = ways.iter().position(|way| way.is_free(now));
        let at = free.or_else(|| {
            let over = ways.iter().enumerate().filter(|(_, way)| !way.waits());
            over.max_by_key(|(_, way)| way.idle(now)).map(|(at, _)| at)
        })?;
        Some((start + at, Datagram::new(tag, now)))
    }

    /// A rule's mark and limit have other places in another table.
    pub(crate) fn forget_effects(&mut self) {
        for datagram in &mut self.0 {
            if let Fate::Known(target) = &mut datagram.fate {
                target.effect = Effect::NONE;
            }
        }
    }

    /// Puts it back; one that is all sent is forgotten, because its identification may come again.
    pub(crate) fn put(&mut self, at: usize, datagram: Datagram) {
        let is_over = matches!(datagram.fate, Fate::Known(_)) && datagram.pieces.are_whole();
        if let Some(entry) = self.0.get_mut(at) {
            *entry = if is_over { Datagram::EMPTY } else { datagram };
        }
    }
}

const fn tag((tag, _): Key) -> u64 {
    if tag == 0 { 1 } else { tag }
}

#[allow(clippy::cast_possible_truncation, reason = "a bucket's number is what is left")]
const fn bucket((_, spread): Key) -> usize {
    spread as usize % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::{Datagrams, Fate, Places};
    use crate::fragments::{ANEW_TICKS, IDLE_TICKS, WAITING_MAX};
    use counters::DropReason;

    /// Puts a datagram of that tag into bucket 5, with that fate; a fragment of it is taken now.
    fn put(table: &mut Datagrams, tag: u64, fate: Fate, now: u64) -> Option<usize> {
        let (at, mut datagram) = table.open((tag, 5), false, now)?;
        (datagram.fate, datagram.met) = (fate, now);
        table.put(at, datagram);
        Some(at)
    }

    const OVER: Fate = Fate::Refused(DropReason::FragmentShort);

    #[test]
    fn a_full_bucket_forgets_the_one_that_is_over_the_longest_and_never_one_that_waits() {
        let mut table = Datagrams::new();
        let places: Vec<_> = (1..=4).map(|tag| put(&mut table, tag, OVER, tag).unwrap()).collect();
        assert_eq!(places, [20, 21, 22, 23]);
        assert_eq!(put(&mut table, 1, OVER, 5), Some(20), "it is met again");
        assert_eq!(put(&mut table, 9, Fate::Waits, 6), Some(21), "the second was met first");
        for tag in 10..13 {
            put(&mut table, tag, Fate::Waits, 7).unwrap();
        }
        assert_eq!(put(&mut table, 99, OVER, 8), None);
        assert_eq!(put(&mut table, 99, OVER, 8000), None, "whoever waits is ended elsewhere");
        assert_eq!(put(&mut table, 11, OVER, 8), Some(23));
    }

    #[test]
    fn what_is_over_is_forgotten_and_a_first_fragment_begins_anew_before() {
        let mut table = Datagrams::new();
        let at = put(&mut table, 1, OVER, 0).unwrap();
        let is_new = |is_first, now| matches!(table.open((1, 5), is_first, now), Some((_, new)) if matches!(new.fate, Fate::Waits));
        assert!(!is_new(true, ANEW_TICKS - 1) && is_new(true, ANEW_TICKS) && !is_new(false, ANEW_TICKS));
        assert!(!is_new(false, IDLE_TICKS - 1) && is_new(false, IDLE_TICKS));
        assert!(table.get(at).is_some() && table.get(1 << 20).is_none());
    }

    #[test]
    fn places_are_few() {
        let mut places = Places::default();
        for place in 0..20 {
            assert_eq!(places.are_all_taken(), usize::from(place) >= WAITING_MAX);
            places.push(place);
        }
        assert_eq!(places.as_slice(), [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
