//! Prefetch: ask for a cache line now that will be needed some tens of nanoseconds later.
//!
//! A prefetch changes nothing that a program can see but its speed, so it is safe for every address; taking
//! a reference only keeps callers honest about what they mean. The hint is for all cache levels (T0): what
//! the packet path prefetches, it uses within the same burst.

/// Asks for the first cache line of `at`, to be read.
#[inline(always)]
pub fn prefetch<T: ?Sized>(at: &T) {
    line_for_reading(core::ptr::from_ref(at).cast());
}

/// Asks for the first cache line of `at`, to be written: the line comes exclusive, so that the store does
/// not wait for another core to give it up. CPUs without PREFETCHW take it as no instruction at all.
#[inline(always)]
pub fn prefetch_write<T: ?Sized>(at: &T) {
    line_for_writing(core::ptr::from_ref(at).cast());
}

/// Asks for the first cache line of `slice[index]`, to be read. An index beyond the slice asks for nothing,
/// so a look-ahead loop needs no tail.
#[inline(always)]
pub fn prefetch_index<T>(slice: &[T], index: usize) {
    if let Some(at) = slice.get(index) {
        prefetch(at);
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn line_for_reading(at: *const i8) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // JUSTIFICATION: the intrinsic takes a raw pointer, and nothing in the language says "soon".
    // SAFETY: PREFETCHT0 never faults and never writes, whatever the address (Intel SDM vol. 2B).
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at) }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn line_for_writing(at: *const i8) {
    // JUSTIFICATION: the intrinsic falls back to PREFETCHT0 unless the build names `prfchw`, which
    // x86-64-v3 does not; then the line would come shared and the store would wait after all.
    // SAFETY: PREFETCHW never faults and changes no register, flag or memory content. It has been a
    // defined no-operation on 64-bit CPUs that lack it since the first of them (AMD APM vol. 3).
    unsafe { core::arch::asm!("prefetchw [{}]", in(reg) at, options(nostack, preserves_flags, readonly)) }
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn line_for_reading(at: *const i8) {
    // JUSTIFICATION: the intrinsic is not stable.
    // SAFETY: PRFM is a hint; it never faults and changes no register, flag or memory content.
    unsafe {
        core::arch::asm!("prfm pldl1keep, [{}]", in(reg) at, options(nostack, preserves_flags, readonly))
    }
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn line_for_writing(at: *const i8) {
    // JUSTIFICATION: the intrinsic is not stable.
    // SAFETY: PRFM is a hint; it never faults and changes no register, flag or memory content.
    unsafe {
        core::arch::asm!("prfm pstl1keep, [{}]", in(reg) at, options(nostack, preserves_flags, readonly))
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline(always)]
fn line_for_reading(_at: *const i8) {}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline(always)]
fn line_for_writing(_at: *const i8) {}

#[cfg(test)]
mod tests {
    use super::{prefetch, prefetch_index, prefetch_write};

    #[test]
    fn a_prefetch_leaves_what_it_touches_as_it_was() {
        let values = [1_u64, 2, 3];
        prefetch(&values);
        prefetch(values.as_slice());
        prefetch::<[u64]>(&[]);
        prefetch_write(&values);
        for index in 0..10 {
            prefetch_index(&values, index);
        }
        assert_eq!(values, [1, 2, 3]);
    }
}
