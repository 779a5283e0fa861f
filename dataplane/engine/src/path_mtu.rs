//! What ways to reals were found to be narrower than configured: learnt from errors, forgotten after ten minutes (RFC 1191
//! §6.3), and put into this worker's own templates between two bursts.
//!
//! Errors can be made up by whoever guesses the outer header. What they can do is bounded: to the least MTU of the family,
//! for that time, for so many reals at once.

use port::Tick;
use service::RealNumber;

use crate::burst::Engine;

/// Reals whose way is remembered.
const REALS_MAX: usize = 1024;

/// For so long, in ticks: ten minutes.
const TICKS_MAX: u64 = 600 * Tick::PER_SECOND;

#[derive(Clone, Copy, Debug)]
struct Learnt {
    real: RealNumber,
    mtu: u16,
    until: u64,
    is_put: bool,
}

impl Engine {
    /// What errors told of the ways to reals.
    #[inline]
    pub const fn path_mtus(&mut self) -> &mut PathMtus {
        &mut self.asides.path_mtus
    }
}

/// All that one worker knows.
#[derive(Debug)]
pub struct PathMtus {
    list: Vec<Learnt>,
}

impl PathMtus {
    pub(crate) fn new() -> Self {
        Self { list: Vec::with_capacity(REALS_MAX) }
    }

    /// Whether there are any.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Remembers; an MTU that is not less than what is known keeps that one alive. Gives whether that is new: where there
    /// is no room, or the MTU is known, nothing is.
    pub(crate) fn learn(&mut self, real: RealNumber, mtu: u16, now: Tick) -> bool {
        let until = now.0 + TICKS_MAX;
        if let Some(known) = self.list.iter_mut().find(|known| known.real == real) {
            let is_less = mtu < known.mtu;
            *known = Learnt { mtu: mtu.min(known.mtu), until, is_put: known.is_put && !is_less, ..*known };
            return is_less;
        }
        let has_room = self.list.len() < REALS_MAX;
        if has_room {
            self.list.push(Learnt { real, mtu, until, is_put: false });
        }
        has_room
    }

    /// Says what changes now: a real's MTU, or that its configured one holds again.
    pub fn settle(&mut self, now: Tick, mut put: impl FnMut(RealNumber, Option<u16>)) {
        self.list.retain_mut(|known| {
            if known.until <= now.0 {
                put(known.real, None);
                return false;
            }
            if !known.is_put {
                put(known.real, Some(known.mtu));
                known.is_put = true;
            }
            true
        });
    }

    /// There are other templates now: all of it is to be said again.
    pub fn again(&mut self) {
        self.list.iter_mut().for_each(|known| known.is_put = false);
    }
}

#[cfg(test)]
mod tests {
    use super::{PathMtus, REALS_MAX, TICKS_MAX};
    use port::Tick;
    use service::RealNumber;

    fn said(mtus: &mut PathMtus, now: u64) -> Vec<(u32, Option<u16>)> {
        let mut said = Vec::new();
        mtus.settle(Tick(now), |real, mtu| said.push((real.get(), mtu)));
        said
    }

    #[test]
    fn what_was_learnt_is_said_once_and_taken_back_when_it_is_old() {
        let (mut mtus, real) = (PathMtus::new(), RealNumber::new(7).unwrap());
        assert!(mtus.is_empty() && mtus.learn(real, 1400, Tick(1)));
        assert_eq!(said(&mut mtus, 1), [(7, Some(1400))]);
        assert_eq!(said(&mut mtus, 2), []);
        assert!(!mtus.learn(real, 1450, Tick(3)), "more than is known");
        assert_eq!(said(&mut mtus, 3), []);
        assert!(mtus.learn(real, 1300, Tick(4)));
        assert_eq!(said(&mut mtus, 4), [(7, Some(1300))]);
        mtus.again();
        assert_eq!(said(&mut mtus, 5), [(7, Some(1300))]);
        assert_eq!(said(&mut mtus, 4 + TICKS_MAX - 1), []);
        assert_eq!(said(&mut mtus, 4 + TICKS_MAX), [(7, None)]);
        assert!(mtus.is_empty());
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let mut mtus = PathMtus::new();
        let real = |number| RealNumber::new(number).unwrap();
        let most = u32::try_from(REALS_MAX).unwrap();
        assert!((0..most).all(|number| mtus.learn(real(number), 1400, Tick(0))));
        assert!(!mtus.learn(real(most), 1400, Tick(0)) && mtus.learn(real(0), 1300, Tick(0)));
    }
}
