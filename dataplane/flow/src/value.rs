//! The 64 bits beside a tag: real number, tick of the last packet, state.
//!
//! ```text
//! 63      50 49 48 47          32 31                    0
//! | spare   |state|  tick (16)   |   real number (32)    |
//! ```

use port_tick::Tick16;
use service::{RealNumber, Timeouts};

use crate::State;

pub(crate) mod port_tick {
    //! Sixteen bits of a tick: enough to tell ages up to an hour apart, as long as no entry is left
    //! standing for two hours, which the sweep sees to.

    /// The low 16 bits of a tick.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Tick16(pub(crate) u16);

    impl Tick16 {
        #[allow(clippy::cast_possible_truncation, reason = "the low bits are what is kept")]
        pub(crate) const fn of(tick: u64) -> Self {
            Self(tick as u16)
        }

        /// Ticks since `then`.
        pub(crate) const fn since(self, then: Self) -> u16 {
            self.0.wrapping_sub(then.0)
        }
    }
}

/// What a flow's entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// The real it was given.
    pub real: RealNumber,
    /// What it is doing.
    pub state: State,
    /// Low 16 bits of the tick of its last packet.
    pub tick: u16,
}

impl Value {
    /// A value as of `now`.
    #[inline]
    #[must_use]
    pub const fn new(real: RealNumber, state: State, now: u64) -> Self {
        Self { real, state, tick: Tick16::of(now).0 }
    }

    /// Ticks since its last packet.
    #[inline]
    #[must_use]
    pub const fn age(self, now: u64) -> u16 {
        Tick16::of(now).since(Tick16(self.tick))
    }

    /// Whether it was silent for longer than its state allows.
    #[inline]
    #[must_use]
    pub const fn is_expired(self, now: u64, timeouts: &Timeouts) -> bool {
        self.age(now) > self.state.timeout(timeouts)
    }

    #[inline]
    pub(crate) const fn to_bits(self) -> u64 {
        self.real.get() as u64 | (self.tick as u64) << 32 | (self.state as u64) << 48
    }

    /// `None` only for a real number out of range, which the writer never stores.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "fields are taken out of their bits")]
    pub(crate) const fn from_bits(bits: u64) -> Option<Self> {
        let Ok(real) = RealNumber::new(bits as u32) else { return None };
        Some(Self { real, state: State::from_bits(bits >> 48), tick: (bits >> 32) as u16 })
    }
}

#[cfg(test)]
mod tests {
    use super::{State, Timeouts, Value};
    use proptest::prelude::{any, proptest};
    use service::RealNumber;

    proptest! {
        #[test]
        fn bits_and_back(real in 0u32..65_536, tick in any::<u64>(), state in 0u64..4) {
            let value = Value::new(RealNumber::new(real).unwrap(), State::from_bits(state), tick);
            assert_eq!(Value::from_bits(value.to_bits()), Some(value));
        }

        #[test]
        fn age_is_right_over_the_wrap_for_an_hour(start in any::<u32>(), age in 0u64..=28_800) {
            let value = Value::new(RealNumber::new(1).unwrap(), State::Udp, u64::from(start));
            let timeouts = Timeouts { syn: 1, established: 2, closing: 3, udp: 28_799 };
            let now = u64::from(start) + age;
            assert_eq!(u64::from(value.age(now)), age);
            assert_eq!(value.is_expired(now, &timeouts), age > 28_799);
        }
    }
}
