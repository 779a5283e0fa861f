//! The 64 bits beside a tag: what was decided for a flow, and when it was last heard of.
//!
//! ```text
//! 63       50 49 48 47        32 31          16 15        0
//! |   epoch  |state|   tick     |   service    |   real   |
//! ```
//!
//! The epoch says under which table the decision was made or last confirmed. As long as it is the current
//! one, a hit needs no classification and no look at the real's state; after a table switch each flow is
//! looked at once more.

use service::{REALS_MAX, RealNumber, SERVICES_MAX, ServiceNumber, Timeouts};

use crate::{Silences, State};

const _: () = assert!(REALS_MAX <= 1 << 16 && SERVICES_MAX <= 1 << 16, "numbers fit their fields");

/// Sixteen bits of tick tell ages below this; a larger difference is a packet from after `now`.
pub(crate) const AGES: u16 = 48_000;
const _: () = assert!(AGES > Timeouts::MAX);

const SERVICE: u32 = 16;
const TICK: u32 = 32;
const STATE: u32 = 48;
const EPOCH: u32 = 50;

/// Names the table that a decision was made under: 14 bits, of which the first value and the last are never current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u16);

impl Epoch {
    /// Epochs are 1 to this, then 1 again.
    const LAST: u16 = (1 << (64 - EPOCH)) - 2;

    /// The first one.
    pub const FIRST: Self = Self(1);
    /// No table's: what it stands beside has to be confirmed.
    pub const STALE: Self = Self(0);
    /// No table's either: what it stands beside was said by a connection id, and no packet without one has relied on it.
    pub const LED: Self = Self(Self::LAST + 1);

    /// The one after.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 < Self::LAST { Self(self.0 + 1) } else { Self::FIRST }
    }

    /// Whether it is a table's.
    pub(crate) const fn is_of_a_table(self) -> bool {
        self.0 != Self::STALE.0 && self.0 != Self::LED.0
    }

    /// Whether `earlier` lies so far back that its number may come again before the flow is met.
    pub(crate) const fn is_far_from(self, earlier: Self) -> bool {
        let distance = if self.0 >= earlier.0 { self.0 - earlier.0 } else { Self::LAST - earlier.0 + self.0 };
        distance > Self::LAST / 4
    }
}

/// The upper half of a value: epoch, state and tick together, to be compared at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Met(u32);

impl Met {
    #[allow(clippy::cast_possible_truncation, reason = "the low 16 bits of a tick are what is kept")]
    pub(crate) const fn new(epoch: Epoch, state: State, now: u64) -> Self {
        Self(now as u16 as u32 | (state as u32) << (STATE - TICK) | (epoch.0 as u32) << (EPOCH - TICK))
    }
}

/// What a flow's entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value(u64);

impl Value {
    /// No decision.
    pub const NONE: Self = Self(0);

    /// A decision as of `now`.
    #[inline]
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "the low 16 bits of a tick are what is kept")]
    pub const fn new(real: RealNumber, service: ServiceNumber, epoch: Epoch, state: State, now: u64) -> Self {
        let fields = real.get() as u64 | (service.get() as u64) << SERVICE;
        Self(fields | (now as u16 as u64) << TICK | (state as u64) << STATE | (epoch.0 as u64) << EPOCH)
    }

    /// The real it was given.
    #[inline]
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "a field is taken out of its bits")]
    pub const fn real(self) -> RealNumber {
        RealNumber::from_bits(self.0 as u16)
    }

    /// The service it belongs to.
    #[inline]
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "a field is taken out of its bits")]
    pub const fn service(self) -> ServiceNumber {
        ServiceNumber::from_bits((self.0 >> SERVICE) as u16)
    }

    /// Low 16 bits of the tick of its last packet.
    #[inline]
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "a field is taken out of its bits")]
    pub const fn tick(self) -> u16 {
        (self.0 >> TICK) as u16
    }

    /// What it is doing.
    #[inline]
    #[must_use]
    pub const fn state(self) -> State {
        State::from_bits(self.0 >> STATE)
    }

    /// The table it was decided or confirmed under.
    #[inline]
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "a field is taken out of its bits")]
    pub const fn epoch(self) -> Epoch {
        Epoch((self.0 >> EPOCH) as u16)
    }

    /// Whether it is an established flow's (or of UDP, which has one state) with that epoch and tick.
    #[inline]
    pub(crate) const fn is_settled(self, met: Met) -> bool {
        const LASTING: u32 = State::Established as u32 | State::Udp as u32;
        const { assert!(State::Embryonic as u32 & 1 == 0 && State::Closing as u32 & 1 == 0 && LASTING == 3) };
        (self.0 >> TICK) as u32 & !(2 << (STATE - TICK)) == met.0
    }

    /// The same flow after one more packet.
    #[inline]
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "the low 16 bits of a tick are what is kept")]
    pub const fn touched(self, state: State, now: u64) -> Self {
        const KEPT: u64 = !(0xffff << TICK | 3 << STATE);
        Self(self.0 & KEPT | (now as u16 as u64) << TICK | (state as u64) << STATE)
    }

    /// The same flow, to be confirmed when it is next met.
    pub(crate) const fn stale(self) -> Self {
        Self(self.0 & ((1 << EPOCH) - 1))
    }

    /// Ticks from its last packet to `now`; 0 if that is earlier.
    #[inline]
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "ages are told apart by 16 bits")]
    pub const fn age(self, now: u64) -> u16 {
        let age = (now as u16).wrapping_sub(self.tick());
        if age < AGES { age } else { 0 }
    }

    /// Whether it had been silent for longer than its state allows at `now`.
    #[inline]
    #[must_use]
    pub fn is_expired(self, now: u64, silences: &Silences) -> bool {
        self.age(now) > silences.of(self.state())
    }

    #[inline]
    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::{Epoch, Silences, State, Timeouts, Value};
    use proptest::prelude::{any, proptest};
    use service::{RealNumber, ServiceNumber};

    fn value(epoch: Epoch, state: State, now: u64) -> Value {
        Value::new(RealNumber::new(0xfedc).unwrap(), ServiceNumber::new(0xba98).unwrap(), epoch, state, now)
    }

    proptest! {
        #[test]
        fn every_field_comes_back_and_a_touch_changes_two(tick in any::<u64>(), later in any::<u64>(), state in 0u64..4, turns in 0usize..40_000) {
            let epoch = (0..turns).fold(Epoch::FIRST, |epoch, _| epoch.next());
            let (old, new) = (State::from_bits(state), State::from_bits(state + 1));
            let made = value(epoch, old, tick);
            let fields = |value: Value| (value.real().get(), value.service().get(), value.epoch(), value.state(), value.tick());
            assert_eq!(fields(made), (0xfedc, 0xba98, epoch, old, (tick & 0xffff) as u16));
            assert_eq!(fields(made.touched(new, later)), (0xfedc, 0xba98, epoch, new, (later & 0xffff) as u16));
            assert_eq!(made.stale().epoch(), Epoch::STALE);
            assert_ne!(epoch, Epoch::STALE);
        }

        #[test]
        fn age_is_right_over_the_wrap_for_an_hour(start in any::<u32>(), age in 0u64..=28_800) {
            let value = value(Epoch::FIRST, State::Udp, u64::from(start));
            let timeouts = Timeouts { syn: 1, established: 2, closing: 3, udp: 28_799 };
            let now = u64::from(start) + age;
            assert_eq!(u64::from(value.age(now)), age);
            assert_eq!(value.is_expired(now, &Silences::from(timeouts)), age > 28_799);
            assert_eq!(value.age(u64::from(start).saturating_sub(1 + age / 2)), 0, "seen from before");
        }
    }

    #[test]
    fn epochs_go_round_without_those_of_no_table_and_far_is_seen_over_the_turn() {
        assert!(!Epoch::STALE.is_of_a_table() && !Epoch::LED.is_of_a_table() && Epoch::LED != Epoch::STALE);
        assert_eq!(value(Epoch::LED, State::Udp, 7).epoch(), Epoch::LED, "it fits its bits");
        let mut epoch = Epoch::FIRST;
        for _ in 0..Epoch::LAST {
            assert!(epoch.is_of_a_table());
            epoch = epoch.next();
        }
        assert_eq!(epoch, Epoch::FIRST);
        let at = |steps| (0..steps).fold(Epoch::FIRST, |epoch: Epoch, _| epoch.next());
        assert!(!at(4000).is_far_from(at(1)));
        assert!(at(5000).is_far_from(at(1)));
        assert!(!at(u32::from(Epoch::LAST) + 2).is_far_from(at(u32::from(Epoch::LAST) - 2)));
    }
}
