//! Those that wait no more leave.

use counters::Event;
use port::{Burst, Packet, Tick};
use service::TableView;
use wire::Parsed;

use crate::aside::Sent;
use crate::burst::Engine;
use crate::decision::{Decision, Observer, Verdict};
use crate::fragments::{Release, follow};
use crate::marks::among;
use crate::refused::refused;

impl Engine {
    /// Whether there are fragments that wait no more: to be asked after each burst and each tick.
    #[inline]
    #[must_use]
    pub fn has_releases(&self) -> bool {
        self.fragments.has_releases()
    }

    /// The next that wait no more, all of one datagram. Take them off the shelf before the next burst, and let them go
    /// by [`release`](Self::release).
    pub fn next_release(&mut self) -> Option<Release> {
        self.fragments.next_release()
    }

    /// No fragment waits any more.
    pub fn give_up_fragments(&mut self) {
        self.fragments.end();
    }

    /// Lets fragments go, as they came, in the order they came: as [`process`](Self::process) does.
    pub fn release<P: Packet>(
        &mut self,
        table: &TableView<'_>,
        release: &mut Release,
        burst: &mut Burst<P>,
        now: Tick,
        (gone, observer): (&mut Burst<P>, &mut impl Observer<P>),
    ) -> Sent {
        let (mut resolver, ..) = self.split(table, now);
        let Release { fate, identifications, .. } = release;
        let (mut exits, mut punts, mut bytes) = (0_u64, 0_u64, 0_u64);
        for (packet, at) in burst.as_mut_slice().iter_mut().zip(0_u32..) {
            let mut parsed = Parsed::EMPTY;
            let is_sound = wire::parse(packet.data(), packet.total_len(), &mut parsed).is_ok();
            debug_assert!(is_sound, "it was, when it came");
            resolver.ledger.add(Event::Released, 1);
            let decision = match fate {
                Ok(target) => follow(&mut resolver, identifications, packet, (&parsed, at), *target),
                Err(reason) => refused(&mut resolver, (Verdict::Drop(*reason), None), &parsed),
            };
            if decision.verdict == Verdict::Tx || decision.answered.is_some() {
                bytes += packet.total_len() as u64;
            } else {
                punts |= u64::from(is_punt(&decision)) << at;
                exits |= 1 << at;
            }
            observer.decided(packet, Some(&parsed), &decision);
        }
        observer.burst();
        if exits != 0 {
            burst.move_marked(exits, gone);
            punts = among(punts, exits);
        }
        self.asides.settle(exits, Sent { bytes, punts, away: 0, held: 0 })
    }
}

const fn is_punt(decision: &Decision) -> bool {
    matches!(decision.verdict, Verdict::Punt(_))
}
