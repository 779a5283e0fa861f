//! Four words compared with one at once: which of a cache line's tags is the one looked for.

use core::sync::atomic::AtomicU64;
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
use core::sync::atomic::Ordering;

/// One bit per word that equals `wanted`, the first word's lowest. Each word is read once, relaxed.
#[inline(always)]
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
pub fn equal_lanes(words: &[AtomicU64; 4], wanted: u64) -> u32 {
    let mask: u32;
    // JUSTIFICATION: the portable form takes 20 instructions, this one 4, and every packet asks twice; a
    // vector load of atomics cannot be written otherwise.
    // SAFETY: the operand is a live reference to 32 readable bytes and nothing is written. Each aligned
    // 8-byte word of a vector load is read whole on every CPU with AVX2, as a relaxed load would.
    unsafe {
        core::arch::asm!(
            "vmovq {x:x}, {wanted}",
            "vpbroadcastq {x:y}, {x:x}",
            "vpcmpeqq {x:y}, {x:y}, [{words}]",
            "vmovmskpd {mask:e}, {x:y}",
            x = out(ymm_reg) _,
            wanted = in(reg) wanted,
            words = in(reg) words,
            mask = lateout(reg) mask,
            options(nostack, preserves_flags, readonly, pure)
        );
    }
    mask
}

/// One bit per word that equals `wanted`, the first word's lowest. Each word is read once, relaxed.
#[inline(always)]
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
pub fn equal_lanes(words: &[AtomicU64; 4], wanted: u64) -> u32 {
    let [a, b, c, d] = words;
    let hit = |word: &AtomicU64| u32::from(word.load(Ordering::Relaxed) == wanted);
    hit(a) | hit(b) << 1 | hit(c) << 2 | hit(d) << 3
}

#[cfg(test)]
mod tests {
    use super::equal_lanes;
    use core::sync::atomic::AtomicU64;

    #[test]
    fn each_word_has_its_own_bit_and_all_of_it_is_compared() {
        let words = |values: [u64; 4]| values.map(AtomicU64::new);
        for at in 0..4 {
            let mut values = [9, 9 << 32, u64::MAX, 0];
            values[at] = 0x0123_4567_89ab_cdef;
            assert_eq!(equal_lanes(&words(values), 0x0123_4567_89ab_cdef), 1 << at);
            values[at] ^= 1 << 63;
            assert_eq!(equal_lanes(&words(values), 0x0123_4567_89ab_cdef), 0);
            values[at] ^= 1 << 63 | 1;
            assert_eq!(equal_lanes(&words(values), 0x0123_4567_89ab_cdef), 0);
        }
        assert_eq!(equal_lanes(&words([7; 4]), 7), 0b1111);
    }
}
