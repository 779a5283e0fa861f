//! Clients, where a service is keyed by source: all that one of them does goes to one real.
//!
//! Its flows' reals are chosen by the hash of its address, so they agree as long as the pool's table does not change.
//! That they agree when it does is what a client's own entry is for, beside its flows in the same table: a new flow
//! goes where the entry says. It is looked for when a flow is not found, and by no other packet.
//!
//! A flow's second packet enters its client: a flood of first packets, which anybody can send under any name, leaves
//! none. So a flow of such a service is entered as one that has to be confirmed. Later each of its flows brings the
//! client up to date when it is confirmed again: after a table switch, and once a minute when the sweep comes by. A
//! client that is silent for longer than established flows may be is forgotten.

use counters::Event;
use flow::{Inserted, Probe, Slot, State, Value};
use service::{RealNumber, RealState, TableView, Template};
use wire::{FiveTuple, Kind, Parsed};

use crate::resolve::{Choice, Resolver};

/// Whether a client may stay with its real: that must not be down or gone. One that drains keeps the clients it has.
pub(crate) fn may_stay(table: &TableView<'_>, real: RealNumber) -> bool {
    matches!(table.template(real).map(Template::state), Some(RealState::Up | RealState::Drain))
}

impl Resolver<'_, '_> {
    /// The real of a flow's client, if the service keeps clients and knows this one.
    #[inline(never)]
    pub(crate) fn real_of_client(&mut self, parsed: &Parsed, choice: Choice) -> Option<RealNumber> {
        let client = self.table.service(choice.at).client(&parsed.tuple)?;
        let own = self.client(&client).map(|(_, value)| value);
        // Its other flows may have met other workers.
        let value = own.or_else(|| self.look_around(&client))?;
        let real = Some(value.real()).filter(|real| may_stay(self.table, *real))?;
        self.ledger.add(Event::FlowAffinity, 1);
        Some(real)
    }

    /// A flow that was there before is on `real`: its client is too, unless it is known to be elsewhere.
    #[inline(never)]
    pub(crate) fn keep_client(&mut self, parsed: &Parsed, choice: Choice, real: RealNumber) {
        // What opens a connection may be forged, and an error is not the client's.
        if parsed.flags.opens() || parsed.kind == Kind::IcmpError {
            return;
        }
        let Some(client) = self.table.service(choice.at).client(&parsed.tuple) else { return };
        let value = Value::new(real, choice.service, self.flows.epoch(), State::Established, self.now.0);
        match self.client(&client) {
            Some((slot, known)) => {
                if known.real() == real || !may_stay(self.table, known.real()) {
                    self.flows.update(slot, known, value);
                }
            }
            // Without room the client goes by hash, like a flow.
            None => {
                let elsewhere = self.look_around(&client).map(|known| known.real());
                let real = elsewhere.filter(|real| may_stay(self.table, *real)).unwrap_or(real);
                let value =
                    Value::new(real, choice.service, self.flows.epoch(), State::Established, self.now.0);
                if let Ok(inserted) = self.flows.insert(self.flows.place(&client), &client, value) {
                    self.inserted(inserted);
                }
            }
        }
    }

    /// A client's entry, if there is one and it was not silent for too long.
    fn client(&mut self, client: &FiveTuple) -> Option<(Slot, Value)> {
        match self.flows.probe(self.flows.place(client), Slot::NOWHERE) {
            Probe::Hit(slot, value) => Some((slot, value)),
            Probe::Expired => {
                self.ledger.add(Event::FlowExpire, 1);
                None
            }
            Probe::Miss => None,
        }
    }

    /// Counts an entry that was put in.
    pub(crate) fn inserted(&mut self, inserted: Inserted) {
        self.ledger.add(Event::FlowInsert, 1);
        match inserted {
            Inserted::Free => {}
            Inserted::Expired => self.ledger.add(Event::FlowExpire, 1),
            Inserted::Evicted => self.ledger.add(Event::FlowEvict, 1),
        }
    }
}
