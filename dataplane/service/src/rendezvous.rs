//! Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights by the logarithmic method, Schindelhauer and
//! Schomaker 2005): which real each slot of a pool has. What a change moves is what it must move and nothing else; shares
//! are as even as chance, not as even as Maglev's.
//!
//! The exact rule, for whoever writes it again. All arithmetic is on unsigned integers.
//!
//! 1. *Eligible* members and their order are as in [`crate::maglev`]; `(a, _) = PRF(select_seed, tuple)` as there. With
//!    none, every slot is empty.
//! 2. For slot `s` and member `m`: `w` is the first 64-bit word (little-endian) of AES-128 under `select_seed` of the block
//!    that holds `a` and then `s`, 64 bits each, little-endian; 1 if it is 0.
//! 3. `cost = -log2(w / 2^64)` in units of 2^-32: with `z` leading zero bits of `w`, `n = w << z`, `i` the 8 bits of `n`
//!    below its highest and `f` the 24 bits below those, `cost = (z + 1) * 2^32 - (L[i] + ((L[i + 1] - L[i]) * f >> 24))`,
//!    where `L[i]` is the integer part of `2^32 * log2(1 + i / 256)`.
//! 4. The slot is that of the member with the least `cost / weight` (compared crosswise: `cost * weight` of the other),
//!    the first in order among equals.

use mem::Prf;

use crate::maglev::{Candidate, EMPTY};

/// Logarithms of 1 to 2 in steps of 1/256, in units of 2^-32.
#[rustfmt::skip]
const LOGARITHMS: [u32; 256] = [
    0x00000000, 0x01709c46, 0x02dfca16, 0x044d8c45, 0x05b9e5a1, 0x0724d8ee, 0x088e68ea, 0x09f6984a,
    0x0b5d69ba, 0x0cc2dfe1, 0x0e26fd5c, 0x0f89c4c1, 0x10eb389f, 0x124b5b7e, 0x13aa2fdd, 0x1507b836,
    0x1663f6fa, 0x17beee96, 0x1918a16e, 0x1a7111df, 0x1bc84240, 0x1d1e34e3, 0x1e72ec11, 0x1fc66a0f,
    0x2118b119, 0x2269c369, 0x23b9a32e, 0x25085296, 0x2655d3c4, 0x27a228db, 0x28ed53f3, 0x2a375720,
    0x2b803473, 0x2cc7edf5, 0x2e0e85a9, 0x2f53fd8f, 0x309857a0, 0x31db95d0, 0x331dba0e, 0x345ec646,
    0x359ebc5b, 0x36dd9e2e, 0x381b6d9b, 0x39582c78, 0x3a93dc98, 0x3bce7fc7, 0x3d0817ce, 0x3e40a672,
    0x3f782d72, 0x40aeae89, 0x41e42b6e, 0x4318a5d5, 0x444c1f6b, 0x457e99da, 0x46b016ca, 0x47e097db,
    0x49101eac, 0x4a3eacd6, 0x4b6c43f1, 0x4c98e58d, 0x4dc4933a, 0x4eef4e82, 0x501918ec, 0x5141f3fb,
    0x5269e12f, 0x5390e203, 0x54b6f7f1, 0x55dc246c, 0x570068e7, 0x5823c6d0, 0x59463f91, 0x5a67d492,
    0x5b888736, 0x5ca858df, 0x5dc74ae9, 0x5ee55eb1, 0x6002958c, 0x611ef0cf, 0x623a71cb, 0x635519ce,
    0x646eea24, 0x6587e414, 0x66a008e4, 0x67b759d6, 0x68cdd829, 0x69e3851b, 0x6af861e5, 0x6c0c6fbf,
    0x6d1fafdc, 0x6e32236f, 0x6f43cba7, 0x7054a9b0, 0x7164beb4, 0x72740bdb, 0x73829248, 0x74905320,
    0x759d4f80, 0x76a98888, 0x77b4ff51, 0x78bfb4f4, 0x79c9aa87, 0x7ad2e11f, 0x7bdb59cc, 0x7ce3159e,
    0x7dea15a3, 0x7ef05ae4, 0x7ff5e66a, 0x80fab93b, 0x81fed45c, 0x830238cf, 0x8404e793, 0x8506e1a7,
    0x86082806, 0x8708bbaa, 0x88089d8a, 0x8907ce9c, 0x8a064fd5, 0x8b042224, 0x8c01467b, 0x8cfdbdc7,
    0x8df988f4, 0x8ef4a8ec, 0x8fef1e98, 0x90e8eadd, 0x91e20ea1, 0x92da8ac5, 0x93d2602c, 0x94c98fb3,
    0x95c01a39, 0x96b6009a, 0x97ab43af, 0x989fe450, 0x9993e355, 0x9a874192, 0x9b79ffdb, 0x9c6c1f01,
    0x9d5d9fd5, 0x9e4e8324, 0x9f3ec9bc, 0xa02e7469, 0xa11d83f4, 0xa20bf926, 0xa2f9d4c5, 0xa3e71796,
    0xa4d3c25e, 0xa5bfd5df, 0xa6ab52d9, 0xa7963a0d, 0xa8808c38, 0xa96a4a17, 0xaa537465, 0xab3c0bdc,
    0xac241134, 0xad0b8525, 0xadf26865, 0xaed8bba8, 0xafbe7fa0, 0xb0a3b501, 0xb1885c7a, 0xb26c76bb,
    0xb3500472, 0xb433064b, 0xb5157cf2, 0xb5f76912, 0xb6d8cb53, 0xb7b9a45e, 0xb899f4d8, 0xb979bd68,
    0xba58feb2, 0xbb37b959, 0xbc15edfe, 0xbcf39d44, 0xbdd0c7c9, 0xbead6e2d, 0xbf89910c, 0xc0653103,
    0xc1404ead, 0xc21aeaa6, 0xc2f50585, 0xc3ce9fe3, 0xc4a7ba58, 0xc5805578, 0xc65871da, 0xc7301011,
    0xc80730b0, 0xc8ddd448, 0xc9b3fb6d, 0xca89a6ac, 0xcb5ed695, 0xcc338bb6, 0xcd07c69d, 0xcddb87d5,
    0xceaecfea, 0xcf819f66, 0xd053f6d2, 0xd125d6b7, 0xd1f73f9c, 0xd2c83208, 0xd398ae81, 0xd468b58b,
    0xd53847ac, 0xd6076564, 0xd6d60f38, 0xd7a445a8, 0xd8720935, 0xd93f5a5f, 0xda0c39a5, 0xdad8a784,
    0xdba4a47a, 0xdc703104, 0xdd3b4d9c, 0xde05fabf, 0xded038e6, 0xdf9a088a, 0xe0636a23, 0xe12c5e2b,
    0xe1f4e517, 0xe2bcff5d, 0xe384ad74, 0xe44befd0, 0xe512c6e5, 0xe5d93326, 0xe69f3506, 0xe764ccf6,
    0xe829fb69, 0xe8eec0cd, 0xe9b31d93, 0xea77122b, 0xeb3a9f01, 0xebfdc484, 0xecc08321, 0xed82db45,
    0xee44cd59, 0xef0659cb, 0xefc78104, 0xf088436d, 0xf148a170, 0xf2089b75, 0xf2c831e4, 0xf3876523,
    0xf446359b, 0xf504a3af, 0xf5c2afc6, 0xf6805a44, 0xf73da38d, 0xf7fa8c05, 0xf8b7140e, 0xf9733c0b,
    0xfa2f045e, 0xfaea6d67, 0xfba57787, 0xfc60231e, 0xfd1a708b, 0xfdd4602e, 0xfe8df263, 0xff47278a,
];
/// The last one, of 2.
const WHOLE: u64 = 1 << 32;

/// Fills a table of `slots` for candidates in the order of their addresses.
pub(crate) fn fill(candidates: &[Candidate], slots: u32, prf: &Prf) -> Vec<u16> {
    let holder = |slot: u32| {
        let mut best: Option<(u64, &Candidate)> = None;
        for candidate in candidates {
            let cost = cost(prf, slot, candidate.hash.0);
            // A cost has 39 bits and a weight 16.
            let is_less = best.is_none_or(|(least, holder)| {
                cost * u64::from(holder.weight) < least * u64::from(candidate.weight)
            });
            if is_less {
                best = Some((cost, candidate));
            }
        }
        best.map_or(EMPTY, |(_, candidate)| candidate.member)
    };
    (0..slots).map(holder).collect()
}

/// How dear a slot is to the member of that hash.
fn cost(prf: &Prf, slot: u32, hash: u64) -> u64 {
    let block = u128::from(slot) << 64 | u128::from(hash);
    let (word, _) = prf.short(block.to_le_bytes());
    minus_log2(word.max(1))
}

/// `-log2(word / 2^64)` in units of 2^-32; `word` is not 0.
fn minus_log2(word: u64) -> u64 {
    let zeros = u64::from(word.leading_zeros());
    // Without its highest bit, which is 1.
    let normal = word << zeros << 1;
    let (index, fraction) = (normal >> 56, normal >> 32 & 0xff_ffff);
    let of = |index: u64| {
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        LOGARITHMS.get(place).map_or(WHOLE, |&logarithm| u64::from(logarithm))
    };
    let (low, high) = (of(index), of(index + 1));
    let between = ((high - low) * fraction) >> 24;
    (zeros + 1) * WHOLE - (low + between)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a failed step is a failed test")]

    use super::{fill, minus_log2};
    use crate::maglev::{Candidate, EMPTY};
    use mem::Prf;
    use proptest::prelude::proptest;

    const SLOTS: u32 = 65_537;

    fn candidates(weights: &[u32]) -> Vec<Candidate> {
        let hash = |at: u64| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15), 0);
        (0_u16..)
            .zip(weights)
            .map(|(member, weight)| Candidate { member, weight: *weight, hash: hash(u64::from(member) + 1) })
            .collect()
    }

    fn shares(table: &[u16], members: u16) -> Vec<f64> {
        (0..members)
            .map(|member| {
                table.iter().filter(|holder| **holder == member).count() as f64 / table.len() as f64
            })
            .collect()
    }

    proptest! {
        #[test]
        fn logarithms_are_right_to_a_few_parts_in_a_million(word in 1_u64..) {
            let exact = -((word as f64).log2() - 64.0);
            let ours = minus_log2(word) as f64 / 2_f64.powi(32);
            assert!((ours - exact).abs() < 4e-6, "{word}: {ours} {exact}");
        }

        #[test]
        fn a_larger_word_is_never_dearer(word in 1_u64.., bits in 0..64) {
            assert!(minus_log2(word.saturating_add(1_u64 << bits)) <= minus_log2(word));
        }
    }

    /// At each entry of the table, and a step of the fraction below it: the word before the first is of the octave below.
    #[test]
    fn logarithms_are_right_at_the_edges_of_their_table() {
        for index in 256..512_u64 {
            let word = index << 55;
            let exact = (64.0 - (word as f64).log2()) * 2_f64.powi(32);
            let ours = minus_log2(word);
            assert!((ours as f64 - exact).abs() <= 1.0, "{index}: {ours} {exact}");
            let before = minus_log2(word - 1);
            assert!((ours..=ours + 3).contains(&before), "{index}: {before} {ours}");
        }
        assert_eq!(minus_log2(1), 64 << 32);
        assert_eq!(minus_log2(1 << 63), 1 << 32);
        // 2^32 - L[255] = 12_114_038, of which all but a 2^24th part is between.
        assert_eq!(minus_log2(u64::MAX), 1);
    }

    #[test]
    fn among_equals_the_first_has_the_slot() {
        let prf = Prf::new([3; 16]);
        let of = |members: &[(u16, u32)]| -> Vec<Candidate> {
            members.iter().map(|&(member, weight)| Candidate { member, weight, hash: (7, 0) }).collect()
        };
        // One hash, so one cost a slot: weight alone parts them, and then their order.
        assert_eq!(fill(&of(&[(4, 10), (2, 10), (9, 10)]), 251, &prf), [4; 251]);
        assert_eq!(fill(&of(&[(9, 10), (2, 10), (4, 10)]), 251, &prf), [9; 251]);
        assert_eq!(fill(&of(&[(9, 10), (2, 11), (4, 11)]), 251, &prf), [2; 251]);
    }

    #[test]
    fn shares_follow_weights_as_chance_does() {
        let weights = [100, 200, 50, 1, 65_535];
        let table = fill(&candidates(&weights), SLOTS, &Prf::new([3; 16]));
        let all: u32 = weights.iter().sum();
        for (share, weight) in shares(&table, 5).iter().zip(weights) {
            let expected = f64::from(weight) / f64::from(all);
            let deviation = (expected * (1.0 - expected) / f64::from(SLOTS)).sqrt();
            assert!((share - expected).abs() < 5.0 * deviation, "{share} for {expected}");
        }
        assert_eq!(fill(&[], 5, &Prf::new([3; 16])), [EMPTY; 5]);
    }

    #[test]
    fn a_change_moves_what_it_must_and_nothing_else() {
        let prf = Prf::new([3; 16]);
        let before = fill(&candidates(&[100; 50]), SLOTS, &prf);
        // One member goes: its slots move, no other.
        let without: Vec<Candidate> =
            candidates(&[100; 50]).into_iter().filter(|one| one.member != 7).collect();
        let gone = fill(&without, SLOTS, &prf);
        assert!(before.iter().zip(&gone).all(|(was, is)| was == is || *was == 7));
        assert!(!gone.contains(&7));
        // One weighs less: it gives slots up, and nobody else does.
        let mut weights = [100; 50];
        weights.iter_mut().skip(7).take(1).for_each(|weight| *weight = 90);
        let lighter = fill(&candidates(&weights), SLOTS, &prf);
        let moved = before.iter().zip(&lighter).filter(|(was, is)| was != is);
        assert!(moved.clone().all(|(was, _)| *was == 7) && moved.count() > 50);
    }
}
