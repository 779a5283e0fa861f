//! Whether this CPU can run this build.
//!
//! The build names features (x86-64-v3 and AES) and the compiler then uses them without asking. A CPU that
//! lacks one would end the process by an illegal instruction; `penstock` asks here first and says it in
//! words. `is_x86_feature_detected!` cannot be asked: it answers "yes" at compile time for whatever the
//! build names. So CPUID is read.

use core::fmt;

/// The build needs a feature that this CPU, or the operating system on it, does not offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingFeature {
    /// The feature's name as rustc spells it.
    pub feature: &'static str,
}

impl fmt::Display for MissingFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this CPU has no {}, which this build uses: run on a newer CPU, or build from source for this one",
            self.feature
        )
    }
}

impl std::error::Error for MissingFeature {}

/// Checks that the CPU has every feature that this binary was compiled with, as far as rustc's names are
/// known here. Call it first thing in `main`.
///
/// # Errors
/// The first feature that is missing.
pub fn cpu_supports_build() -> Result<(), MissingFeature> {
    imp::check()
}

#[cfg(target_arch = "x86_64")]
mod imp {
    use core::arch::x86_64::{__cpuid, __cpuid_count};

    use super::MissingFeature;

    /// The CPUID words that hold the features named below (Intel SDM vol. 2A, CPUID; AMD APM vol. 3 app. D).
    #[derive(Clone, Copy, Debug, Default)]
    pub(super) struct Leaves {
        pub(super) leaf1_ecx: u32,
        pub(super) leaf7_ebx: u32,
        pub(super) leaf7_ecx: u32,
        pub(super) extended_ecx: u32,
        /// XCR0: which registers the operating system saves.
        pub(super) xcr0: u64,
    }

    #[derive(Clone, Copy)]
    pub(super) enum Word {
        Leaf1Ecx,
        Leaf7Ebx,
        Leaf7Ecx,
        ExtendedEcx,
    }

    /// A feature: its name, whether the build uses it, where its bit stands, and the registers that the
    /// operating system must save for it (bits of XCR0).
    pub(super) type Row = (&'static str, bool, Word, u32, u64);

    const NONE: u64 = 0;
    const YMM: u64 = 0b110;
    const ZMM: u64 = 0b1110_0110;

    macro_rules! rows {
        ($($name:literal $word:ident $bit:literal $registers:ident;)*) => {
            [$(($name, cfg!(target_feature = $name), Word::$word, $bit, $registers)),*]
        };
    }

    pub(super) const ROWS: [Row; 29] = rows! {
        "sse3" Leaf1Ecx 0 NONE;
        "pclmulqdq" Leaf1Ecx 1 NONE;
        "ssse3" Leaf1Ecx 9 NONE;
        "fma" Leaf1Ecx 12 YMM;
        "cmpxchg16b" Leaf1Ecx 13 NONE;
        "sse4.1" Leaf1Ecx 19 NONE;
        "sse4.2" Leaf1Ecx 20 NONE;
        "movbe" Leaf1Ecx 22 NONE;
        "popcnt" Leaf1Ecx 23 NONE;
        "aes" Leaf1Ecx 25 NONE;
        "xsave" Leaf1Ecx 26 NONE;
        "avx" Leaf1Ecx 28 YMM;
        "f16c" Leaf1Ecx 29 YMM;
        "rdrand" Leaf1Ecx 30 NONE;
        "bmi1" Leaf7Ebx 3 NONE;
        "avx2" Leaf7Ebx 5 YMM;
        "bmi2" Leaf7Ebx 8 NONE;
        "avx512f" Leaf7Ebx 16 ZMM;
        "avx512dq" Leaf7Ebx 17 ZMM;
        "rdseed" Leaf7Ebx 18 NONE;
        "adx" Leaf7Ebx 19 NONE;
        "avx512cd" Leaf7Ebx 28 ZMM;
        "sha" Leaf7Ebx 29 NONE;
        "avx512bw" Leaf7Ebx 30 ZMM;
        "avx512vl" Leaf7Ebx 31 ZMM;
        "gfni" Leaf7Ecx 8 NONE;
        "vaes" Leaf7Ecx 9 YMM;
        "vpclmulqdq" Leaf7Ecx 10 YMM;
        "lzcnt" ExtendedEcx 5 NONE;
    };

    pub(super) fn check() -> Result<(), MissingFeature> {
        missing(&read(), &ROWS)
    }

    pub(super) fn missing(leaves: &Leaves, rows: &[Row]) -> Result<(), MissingFeature> {
        for &(feature, used, word, bit, registers) in rows {
            let word = match word {
                Word::Leaf1Ecx => leaves.leaf1_ecx,
                Word::Leaf7Ebx => leaves.leaf7_ebx,
                Word::Leaf7Ecx => leaves.leaf7_ecx,
                Word::ExtendedEcx => leaves.extended_ecx,
            };
            let offered = word >> bit & 1 == 1 && leaves.xcr0 & registers == registers;
            if used && !offered {
                return Err(MissingFeature { feature });
            }
        }
        Ok(())
    }

    pub(super) fn read() -> Leaves {
        const OSXSAVE: u32 = 1 << 27;
        let highest = __cpuid(0).eax;
        let highest_extended = __cpuid(0x8000_0000).eax;
        let mut leaves = Leaves::default();
        if highest >= 1 {
            leaves.leaf1_ecx = __cpuid(1).ecx;
        }
        if highest >= 7 {
            let seven = __cpuid_count(7, 0);
            leaves.leaf7_ebx = seven.ebx;
            leaves.leaf7_ecx = seven.ecx;
        }
        if highest_extended >= 0x8000_0001 {
            leaves.extended_ecx = __cpuid(0x8000_0001).ecx;
        }
        if leaves.leaf1_ecx & OSXSAVE != 0 {
            leaves.xcr0 = xcr0();
        }
        leaves
    }

    /// XCR0. Called only where CPUID says OSXSAVE.
    fn xcr0() -> u64 {
        let (low, high): (u32, u32);
        // JUSTIFICATION: the intrinsic may be called only where the build names `xsave`, and this code
        // serves builds that do not.
        // SAFETY: OSXSAVE says that the operating system has enabled XGETBV; register 0 always exists, and
        // reading it changes nothing but the two registers named.
        unsafe {
            core::arch::asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high,
                options(nomem, nostack, preserves_flags));
        }
        u64::from(high) << 32 | u64::from(low)
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod imp {
    /// Elsewhere the build asks for nothing beyond its target's baseline.
    pub(super) fn check() -> Result<(), super::MissingFeature> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::cpu_supports_build;

    #[test]
    fn the_cpu_that_runs_this_test_can_run_it() {
        assert_eq!(cpu_supports_build(), Ok(()));
    }

    #[cfg(target_arch = "x86_64")]
    mod x86 {
        use super::super::imp::{Leaves, ROWS, Row, missing};

        const ALL: Leaves = Leaves {
            leaf1_ecx: u32::MAX,
            leaf7_ebx: u32::MAX,
            leaf7_ecx: u32::MAX,
            extended_ecx: u32::MAX,
            xcr0: u64::MAX,
        };

        fn used() -> Vec<Row> {
            ROWS.iter().map(|&(name, _, word, bit, registers)| (name, true, word, bit, registers)).collect()
        }

        #[test]
        fn a_cpu_without_a_feature_is_refused_by_that_features_name() {
            for row in used() {
                let refused = missing(&Leaves { xcr0: u64::MAX, ..Leaves::default() }, &[row]);
                assert_eq!(refused.map_err(|missing| missing.feature), Err(row.0));
                assert_eq!(missing(&ALL, &[row]), Ok(()));
            }
        }

        #[test]
        fn avx_needs_the_operating_system_too() {
            let old_kernel = Leaves { xcr0: 0b11, ..ALL };
            let refused: Vec<_> = used()
                .into_iter()
                .filter(|row| missing(&old_kernel, &[*row]).is_err())
                .map(|row| row.0)
                .collect();
            assert!(refused.contains(&"avx2") && refused.contains(&"avx512f"), "{refused:?}");
            assert!(!refused.contains(&"aes") && !refused.contains(&"bmi2"), "{refused:?}");
        }

        #[test]
        fn what_the_build_does_not_use_is_not_asked_for() {
            let unused: Vec<Row> =
                used().into_iter().map(|row| (row.0, false, row.2, row.3, row.4)).collect();
            assert_eq!(missing(&Leaves::default(), &unused), Ok(()));
        }

        #[test]
        fn the_table_agrees_with_the_standard_librarys_detection() {
            // Those that this build does not name are really detected; the others are true on both sides.
            assert_eq!(
                std::arch::is_x86_feature_detected!("avx512f"),
                super::super::imp::check().is_ok() && offered("avx512f")
            );
            assert_eq!(std::arch::is_x86_feature_detected!("vaes"), offered("vaes"));
            assert_eq!(std::arch::is_x86_feature_detected!("sha"), offered("sha"));
            assert_eq!(std::arch::is_x86_feature_detected!("adx"), offered("adx"));
            assert_eq!(std::arch::is_x86_feature_detected!("rdseed"), offered("rdseed"));
            assert_eq!(std::arch::is_x86_feature_detected!("gfni"), offered("gfni"));
        }

        fn offered(name: &str) -> bool {
            let rows: Vec<Row> = used().into_iter().filter(|row| row.0 == name).collect();
            assert_eq!(rows.len(), 1, "{name}");
            missing(&super::super::imp::read(), &rows).is_ok()
        }
    }
}
