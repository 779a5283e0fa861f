//! Which bytes of a datagram have come, without the bytes: a few spans, in units of eight bytes, as fragments' offsets
//! are.

use wire::fragment::Piece;

/// Spans that may stand apart, and so one more than the gaps between them.
const SPANS_MAX: usize = 8;

/// Why a fragment is not one more of its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// It is the last one taken over again: a network may deliver twice (RFC 8200 §4.5).
    Repeat,
    /// It covers what another covered (RFC 5722 §3).
    Overlap,
    /// It stands apart from as many others as are told apart.
    Scattered,
    /// It contradicts where the datagram ends.
    End,
}

/// What has come of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pieces {
    /// First unit and the one behind the last, of each span.
    spans: [(u16, u16); SPANS_MAX],
    used: u8,
    /// Units up to the furthest end.
    reach: u16,
    /// Bytes of the whole, once its last fragment has come.
    total: Option<u16>,
    /// The last one taken: its offset and end in bytes, and whether others follow it.
    last: (u16, u16, bool),
}

impl Pieces {
    /// Nothing.
    pub(crate) const NONE: Self =
        Self { spans: [(0, 0); SPANS_MAX], used: 0, reach: 0, total: None, last: (0, 0, false) };

    /// Takes one more, which is sound.
    ///
    /// # Errors
    /// [`Misfit`]; nothing has changed.
    pub(crate) fn put(&mut self, piece: &Piece) -> Result<(), Misfit> {
        let narrow = |bytes: u32| u16::try_from(bytes).map_err(|_| Misfit::End);
        let (offset, end) = (narrow(piece.offset)?, narrow(piece.end())?);
        let taken = (offset, end, piece.has_more);
        if self.used > 0 && self.last == taken {
            return Err(Misfit::Repeat);
        }
        let span = (offset / 8, end.div_ceil(8));
        if self.spans().iter().any(|other| other.0 < span.1 && span.0 < other.1) {
            return Err(Misfit::Overlap);
        }
        let is_beyond = self.total.is_some_and(|total| !piece.has_more || end > total);
        let is_early_end = !piece.has_more && self.reach > span.1;
        if is_beyond || is_early_end {
            return Err(Misfit::End);
        }
        self.insert(span)?;
        self.reach = self.reach.max(span.1);
        self.last = taken;
        if !piece.has_more {
            self.total = Some(end);
        }
        Ok(())
    }

    /// Whether nothing is missing.
    pub(crate) fn are_whole(&self) -> bool {
        self.total.is_some_and(|total| self.spans() == [(0, total.div_ceil(8))])
    }

    fn spans(&self) -> &[(u16, u16)] {
        self.spans.get(..usize::from(self.used)).unwrap_or_default()
    }

    /// Adds a span that overlaps none; those that touch it become one with it.
    fn insert(&mut self, span: (u16, u16)) -> Result<(), Misfit> {
        let mut merged = span;
        let mut kept = [(0, 0); SPANS_MAX];
        let mut used = 0;
        for &other in self.spans() {
            if other.1 == merged.0 || other.0 == merged.1 {
                merged = (merged.0.min(other.0), merged.1.max(other.1));
            } else if let Some(place) = kept.get_mut(used) {
                *place = other;
                used += 1;
            }
        }
        *kept.get_mut(used).ok_or(Misfit::Scattered)? = merged;
        self.spans = kept;
        self.used = u8::try_from(used + 1).unwrap_or(0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Misfit, Pieces};
    use proptest::prelude::{Just, Strategy, any, prop, proptest};
    use wire::fragment::Piece;

    const fn piece(offset: u32, len: u32, has_more: bool) -> Piece {
        Piece { identification: 1, offset, len, has_more, beside: 20 }
    }

    #[test]
    fn a_datagram_in_any_order_is_whole_when_its_last_piece_has_come() {
        let mut pieces = Pieces::NONE;
        for (offset, len, has_more) in [(1480, 1480, true), (2960, 7, false)] {
            assert_eq!(pieces.put(&piece(offset, len, has_more)), Ok(()));
            assert!(!pieces.are_whole());
        }
        assert_eq!(pieces.put(&piece(0, 1480, true)), Ok(()));
        assert!(pieces.are_whole());
    }

    #[test]
    fn what_does_not_fit_is_told_apart() {
        let mut pieces = Pieces::NONE;
        pieces.put(&piece(800, 80, true)).unwrap();
        assert_eq!(pieces.put(&piece(800, 80, true)), Err(Misfit::Repeat));
        assert_eq!(pieces.put(&piece(800, 80, false)), Err(Misfit::Overlap));
        assert_eq!(pieces.put(&piece(872, 80, true)), Err(Misfit::Overlap), "by one unit");
        assert_eq!(pieces.put(&piece(0, 808, true)), Err(Misfit::Overlap));
        assert_eq!(pieces.put(&piece(400, 9, false)), Err(Misfit::End), "more has come from behind");
        pieces.put(&piece(960, 3, false)).unwrap();
        assert_eq!(pieces.put(&piece(968, 3, false)), Err(Misfit::End), "another end");
        assert_eq!(pieces.put(&piece(968, 8, true)), Err(Misfit::End), "beyond the end");
        assert_eq!(pieces.put(&piece(880, 80, true)), Ok(()));
    }

    #[test]
    fn eight_spans_are_told_apart_and_a_ninth_is_not() {
        let mut pieces = Pieces::NONE;
        for at in 0..8 {
            pieces.put(&piece(at * 16, 8, true)).unwrap();
        }
        assert_eq!(pieces.put(&piece(8 * 16, 8, true)), Err(Misfit::Scattered));
        assert_eq!(pieces.put(&piece(8, 8, true)), Ok(()), "it joins two");
        assert_eq!(pieces.put(&piece(8 * 16, 8, true)), Ok(()));
    }

    /// A datagram cut at some units, and an order to take its pieces in.
    fn cut() -> impl Strategy<Value = (Vec<Piece>, usize)> {
        let cuts = prop::collection::btree_set(1u32..300, 0..8);
        (cuts, 1u32..9).prop_flat_map(|(cuts, tail)| {
            let starts: Vec<u32> = std::iter::once(0).chain(cuts).collect();
            let all = starts.iter().enumerate().map(|(at, &start)| {
                let next = starts.get(at + 1);
                piece(start * 8, next.map_or(tail, |next| (next - start) * 8), next.is_some())
            });
            let all: Vec<Piece> = all.collect();
            let count = all.len();
            (Just(all).prop_shuffle(), 0..count)
        })
    }

    proptest! {
        /// Eight pieces or fewer, in any order, one of them twice at once: each is taken once, and the datagram is
        /// whole with the last, and not before.
        #[test]
        fn the_order_and_a_repeat_change_nothing((order, twice) in cut()) {
            let mut pieces = Pieces::NONE;
            for (at, piece) in order.iter().enumerate() {
                assert!(!pieces.are_whole());
                assert_eq!(pieces.put(piece), Ok(()));
                if at == twice {
                    assert_eq!(pieces.put(piece), Err(Misfit::Repeat));
                }
            }
            assert!(pieces.are_whole());
        }

        /// Against a bitmap: what is taken covers no unit twice, and what is refused as overlapping would have.
        #[test]
        fn spans_are_what_a_bitmap_says(list in prop::collection::vec((0u32..40, 1u32..9, any::<bool>()), 0..40)) {
            let (mut pieces, mut map) = (Pieces::NONE, [false; 64]);
            for (start, units, has_more) in list {
                let before = pieces;
                let covered = (start..start + units).any(|unit| map[unit as usize]);
                match pieces.put(&piece(start * 8, units * 8, has_more)) {
                    Ok(()) => {
                        assert!(!covered);
                        (start..start + units).for_each(|unit| map[unit as usize] = true);
                    }
                    Err(Misfit::Overlap | Misfit::Repeat) => assert!(covered && pieces == before),
                    Err(Misfit::Scattered | Misfit::End) => assert!(!covered && pieces == before),
                }
                let reach = map.iter().rposition(|&is_set| is_set).map_or(0, |at| at + 1);
                let is_whole = pieces.total == u16::try_from(reach * 8).ok() && map[..reach].iter().all(|&is_set| is_set);
                assert_eq!(pieces.are_whole(), is_whole && reach > 0);
            }
        }
    }
}
