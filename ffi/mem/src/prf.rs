//! The keyed hash of five-tuples: it places flows (tag and bucket index, under the table's key) and chooses
//! Maglev slots (under the configured seed). Whoever does not know the key can neither aim flows at one
//! bucket nor at one real.
//!
//! What it computes, under a key K of 16 bytes, to 16 bytes:
//! * `short(b)` = AES128_K(b): the tuple fits a block (IPv4).
//! * `long(a, b, c)` = AES128_K(E4_1(a) ⊕ E4_2(b) ⊕ c): two addresses of a block each, and the rest (IPv6).
//!   E4_i is four AES rounds under five round keys of its own. The ten are AES128_K(1), …, AES128_K(10), the
//!   numbers as big-endian blocks: the first five for E4_1, the others for E4_2.
//!
//! Why this is a pseudo-random function. AES is taken for a pseudo-random permutation; used as a function it
//! is told from a random one by q queries with probability at most q²/2^129. So `short` is one, and the ten
//! round keys are as good as independent random blocks. Four AES rounds under independent round keys map two
//! different blocks to a given difference with probability at most ε ≈ 2^-113 over the keys (Keliher and Sui,
//! IET Information Security 2007, tightening Park et al., FSE 2003): they are an ε-almost-XOR-universal hash.
//! That such a hash under a full AES is a PRF or MAC, with two fifths of the rounds saved, is Minematsu and
//! Tsunoo's argument (FSE 2006, "Provably Secure MACs from Differentially-Uniform Permutations and AES-Based
//! Implementations"); Daemen and Rijmen's Pelican and ALRED rest on the same four rounds. Here: two different
//! inputs of `long` meet before the last AES with probability at most ε. If a or b differs, that is the
//! property of E4_1 or E4_2 with everything else held fixed, as the two have independent keys; if only c
//! differs, they cannot meet. So q queries are told from random with probability at most about q²·2^-114:
//! after 2^40 flows, below 2^-33.
//!
//! Both forms and the key derivation share K. The input of the last AES in `long` is masked by a secret round
//! key, so it hits one of the ten numbers, or a block given to `short`, with probability 2^-128 each. `short`
//! itself must not be given one of the ten numbers: a five-tuple's block ends in a zero, so it is none.
//!
//! The outputs are pinned by vectors below: two SLRs of different versions must agree on every slot.

#[cfg(all(target_arch = "x86_64", target_feature = "aes"))]
mod instructions;
#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "aes"))))]
mod portable;

#[cfg(all(target_arch = "x86_64", target_feature = "aes"))]
use instructions::Schedule;
#[cfg(not(all(target_arch = "x86_64", target_feature = "aes")))]
use portable::Schedule;

/// The hash under one key. 336 bytes of round keys: keep one, and pass it by reference.
#[derive(Clone)]
pub struct Prf(Schedule);

impl Prf {
    /// Expands the key.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Self(Schedule::new(key))
    }

    /// AES128_K(block): bytes 0..8 and 8..16 of the result, little-endian. The block must not be one of the
    /// numbers 1 to 10 in big-endian, which derive round keys.
    #[inline(always)]
    #[must_use]
    pub fn short(&self, block: [u8; 16]) -> (u64, u64) {
        self.0.short(block)
    }

    /// AES128_K(E4_1(first) ⊕ E4_2(second) ⊕ last): bytes 0..8 and 8..16 of the result, little-endian.
    #[inline(always)]
    #[must_use]
    pub fn long(&self, first: [u8; 16], second: [u8; 16], last: [u8; 16]) -> (u64, u64) {
        self.0.long(first, second, last)
    }
}

/// Never prints the key.
impl core::fmt::Debug for Prf {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Prf(key withheld)")
    }
}

/// The blocks whose encryptions are the round keys of the hash that begins at `first`: 1 for E4_1, 6 for E4_2.
fn key_blocks(first: u128) -> [[u8; 16]; 5] {
    [first, first + 1, first + 2, first + 3, first + 4].map(u128::to_be_bytes)
}

/// The two little-endian words of a block.
#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "aes"))))]
fn words(block: [u8; 16]) -> (u64, u64) {
    let [low, high]: [[u8; 8]; 2] = zerocopy::transmute!(block);
    (u64::from_le_bytes(low), u64::from_le_bytes(high))
}

#[cfg(test)]
mod tests;
