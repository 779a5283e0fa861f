//! Marks of packets in a burst, a bit each, when the burst is parted.

/// Bits of `marks` at the places that are set in `places`, side by side: bit 0 is that of the lowest place. `marks`
/// has no bit elsewhere.
#[inline]
pub(crate) fn among(marks: u64, mut places: u64) -> u64 {
    if marks == places {
        return u64::MAX.checked_shr(64 - places.count_ones()).unwrap_or(0);
    }
    let mut among = 0;
    for to in 0..places.count_ones() {
        among |= (marks >> places.trailing_zeros() & 1) << to;
        places &= places - 1;
    }
    among
}

#[cfg(test)]
mod tests {
    use super::among;
    use proptest::prelude::{any, proptest};

    #[test]
    fn marks_at_every_place_are_as_many_as_places() {
        assert_eq!(among(0, 0), 0);
        assert_eq!(among(0b1010_0000, 0b1010_0000), 0b11);
        assert_eq!(among(u64::MAX, u64::MAX), u64::MAX);
    }

    proptest! {
        #[test]
        fn each_mark_stands_where_its_place_is_among_the_places(marks in any::<u64>(), places in any::<u64>()) {
            let marks = marks & places;
            let list: Vec<u32> = (0..64).filter(|place| places >> place & 1 == 1).collect();
            let expected = list.iter().enumerate().map(|(to, place)| (marks >> place & 1) << to).sum::<u64>();
            assert_eq!(among(marks, places), expected);
        }
    }
}
