//! What a flow is doing, and how long it may be silent.

use service::Timeouts;
use wire::{Kind, tcp::Flags};

/// The state of a flow, and so which timeout holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// TCP, nothing but SYNs seen: evicted before any other.
    Embryonic = 0,
    /// TCP beyond its first SYN.
    Established = 1,
    /// TCP after FIN or RST.
    Closing = 2,
    /// UDP.
    Udp = 3,
}

impl State {
    /// The state that a flow's first packet gives it.
    #[inline]
    #[must_use]
    pub const fn first(kind: Kind, flags: Flags) -> Self {
        match kind {
            Kind::Tcp if flags.closes() => Self::Closing,
            Kind::Tcp if flags.opens() => Self::Embryonic,
            Kind::Tcp => Self::Established,
            _ => Self::Udp,
        }
    }

    /// The state after one more packet. A SYN reopens a closing flow (the client reuses its port), but
    /// does not make an established one evictable: anybody can forge a SYN.
    #[inline]
    #[must_use]
    pub fn next(self, flags: Flags) -> Self {
        use State::{Closing, Embryonic, Established, Udp};
        // By what the packet does: goes on, opens, closes.
        const NEXT: [[State; 3]; 4] = [
            [Established, Embryonic, Closing],
            [Established, Established, Closing],
            [Closing, Embryonic, Closing],
            [Udp, Udp, Udp],
        ];
        let does = usize::from(flags.opens()) + 2 * usize::from(flags.closes());
        NEXT.get(self as usize).and_then(|row| row.get(does)).copied().unwrap_or(self)
    }

    /// Whether the packet begins another connection on the ports of one that is closing.
    #[inline]
    #[must_use]
    pub const fn reopens(self, flags: Flags) -> bool {
        matches!(self, Self::Closing) && flags.opens()
    }

    #[inline]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        match bits & 3 {
            0 => Self::Embryonic,
            1 => Self::Established,
            2 => Self::Closing,
            _ => Self::Udp,
        }
    }
}

/// How many ticks a flow may be silent, by state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silences([u16; 4]);

impl From<Timeouts> for Silences {
    fn from(timeouts: Timeouts) -> Self {
        Self([timeouts.syn, timeouts.established, timeouts.closing, timeouts.udp])
    }
}

impl Silences {
    /// That of one state.
    #[inline]
    #[must_use]
    pub fn of(&self, state: State) -> u16 {
        self.0.get(state as usize).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::State::{Closing, Embryonic, Established, Udp};
    use super::{Flags, Kind, State};

    const SYN: Flags = Flags(Flags::SYN);
    const ACK: Flags = Flags(Flags::ACK);
    const FIN: Flags = Flags(Flags::FIN | Flags::ACK);
    const RST: Flags = Flags(Flags::RST);

    #[test]
    fn a_connection_opens_lives_closes_and_may_open_again() {
        let mut state = State::first(Kind::Tcp, SYN);
        for (flags, after) in [
            (SYN, Embryonic),
            (ACK, Established),
            (SYN, Established),
            (FIN, Closing),
            (ACK, Closing),
            (SYN, Embryonic),
            (RST, Closing),
        ] {
            state = state.next(flags);
            assert_eq!(state, after);
        }
    }

    #[test]
    fn a_flow_first_seen_in_the_middle_is_established_at_once() {
        assert_eq!(State::first(Kind::Tcp, ACK), Established);
        assert_eq!(State::first(Kind::Tcp, RST), Closing);
        assert_eq!(State::first(Kind::Udp, Flags::default()), Udp);
        assert_eq!(Udp.next(RST), Udp);
    }
}
