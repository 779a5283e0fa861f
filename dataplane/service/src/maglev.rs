//! Maglev with weights (Eisenbud et al., NSDI 2016, §3.4): which real each slot of a pool has.
//!
//! The exact rule, for whoever writes it again. `M` is the number of slots, a prime. All arithmetic is on
//! unsigned integers.
//!
//! 1. *Eligible* members are those whose real is up and whose weight is above 0. Sort them by address:
//!    IPv4 before IPv6, then by the address bytes ascending; those at one address by their tunnels' form, port, key and
//!    inner MAC address. With none, every slot is empty.
//! 2. For each, `(a, b) = PRF(select_seed, tuple)` where the tuple has the real's address as source, its
//!    family, and zero elsewhere, or says what its tunnel is (see [`crate::real_hash`]). `position = (a * M) >> 64` and
//!    `skip = 1 + ((b * (M - 1)) >> 64)`, on 128-bit products.
//! 3. Let `W` be the smallest power of two that is not below the largest eligible weight. Every eligible
//!    member starts with `credit = W / 2` (rounded down).
//! 4. Go round after round over the eligible members in their order. In each round, for each member:
//!    `credit += weight`; if `credit >= W` then `credit -= W` and the member takes one turn.
//! 5. A turn: while the slot at `position` is taken, `position = (position + skip) mod M`. The member takes
//!    that slot, and `position = (position + skip) mod M`. When `M` slots are taken, stop at once.
//!
//! After `r` rounds a member has had `r * weight / W` turns, rounded to nearest, so shares follow weights
//! to within a slot or two. A round's length depends on no single weight, unless the largest crosses a
//! power of two, so that a changed weight leaves the others' order of turns alone.
//!
//! A turn costs on average `ln M` looks at the bitmap of taken slots; there is no division in the loop.

/// A slot without a real.
pub(crate) const EMPTY: u16 = u16::MAX;

/// One eligible member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// What is written into its slots.
    pub(crate) member: u16,
    /// Above 0.
    pub(crate) weight: u32,
    /// Hash of its address.
    pub(crate) hash: (u64, u64),
}

struct Walker {
    position: u32,
    skip: u32,
    credit: u32,
    weight: u32,
    member: u16,
}

/// Fills a table of `slots` (a prime) for candidates in the order of their addresses.
pub(crate) fn fill(candidates: &[Candidate], slots: u32) -> Vec<u16> {
    let mut table = vec![EMPTY; slots as usize];
    let heaviest = candidates.iter().map(|candidate| candidate.weight).max().unwrap_or_default();
    if heaviest == 0 {
        return table;
    }
    let round = heaviest.next_power_of_two();
    let mut walkers: Vec<Walker> = candidates.iter().map(|one| Walker::new(one, slots, round)).collect();
    let mut taken = vec![0_u64; slots.div_ceil(64) as usize];
    let mut left = slots;
    loop {
        for walker in &mut walkers {
            walker.credit += walker.weight;
            if walker.credit < round {
                continue;
            }
            walker.credit -= round;
            let slot = walker.turn(&mut taken, slots);
            if let Some(slot) = table.get_mut(slot as usize) {
                *slot = walker.member;
            }
            left -= 1;
            if left == 0 {
                return table;
            }
        }
    }
}

impl Walker {
    fn new(candidate: &Candidate, slots: u32, round: u32) -> Self {
        Self {
            position: scaled(candidate.hash.0, slots),
            skip: 1 + scaled(candidate.hash.1, slots - 1),
            credit: round / 2,
            weight: candidate.weight,
            member: candidate.member,
        }
    }

    /// Takes the next free slot of its permutation; there must be one.
    #[inline]
    fn turn(&mut self, taken: &mut [u64], slots: u32) -> u32 {
        let (mut position, skip, back) = (self.position, self.skip, slots - self.skip);
        loop {
            let here = position;
            // Forward by the skip or back by the rest of the table, whichever stays inside it: the other
            // is beyond the end, or wraps to a huge number. Neither waits for the other.
            position = (position + skip).min(position.wrapping_sub(back));
            let Some(word) = taken.get_mut((here >> 6) as usize) else { continue };
            let bit = 1_u64 << (here & 63);
            if *word & bit == 0 {
                *word |= bit;
                self.position = position;
                return here;
            }
        }
    }
}

/// `hash * below / 2^64`, evenly below `below`.
#[inline]
pub(crate) fn scaled(hash: u64, below: u32) -> u32 {
    let wide = (u128::from(hash) * u128::from(below)) >> 64;
    u32::try_from(wide).unwrap_or_default()
}

/// Whether a number is a prime, by trial division; instant below 2²⁴.
pub(crate) fn is_prime(number: u32) -> bool {
    let roots = (2_u32..).take_while(|factor| factor * factor <= number);
    number >= 2 && roots.into_iter().all(|factor| !number.is_multiple_of(factor))
}
