//! Numbers that outlive positions: flow entries, counters and records hold these, never an index that a
//! reload may shift.

use crate::limits::{REALS_MAX, RULES_MAX, SERVICES_MAX};

/// A number at or above the limit of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberOutOfRange(pub u32);

/// Declares a kind of number: a type of its own, so that one is never taken for another.
macro_rules! numbers {
    ($(#[doc = $what:literal] $name:ident < $limit:ident;)+) => {$(
        #[doc = $what]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// The first number, for memory that holds numbers and has none yet.
            pub const FIRST: Self = Self(0);

            #[doc = concat!("A number below [`", stringify!($limit), "`].")]
            ///
            /// # Errors
            /// [`NumberOutOfRange`].
            pub const fn new(number: u32) -> Result<Self, NumberOutOfRange> {
                if number < $limit { Ok(Self(number)) } else { Err(NumberOutOfRange(number)) }
            }

            /// The number in sixteen bits, all of which are below the limit.
            #[inline]
            #[must_use]
            pub const fn from_bits(bits: u16) -> Self {
                const { assert!($limit > u16::MAX as u32) };
                Self(bits as u32)
            }

            /// The number.
            #[inline]
            #[must_use]
            pub const fn get(self) -> u32 {
                self.0
            }

            /// The number as an index into an array by number.
            #[inline]
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )+};
}

numbers! {
    /// The number of a real, stable by its name.
    RealNumber < REALS_MAX;
    /// The number of a service, stable by its name.
    ServiceNumber < SERVICES_MAX;
    /// The number of a rule, stable by its name.
    RuleNumber < RULES_MAX;
}
