//! From flow to real: the table's entry, or a choice by hash and a new entry.

use counters::{DropReason, Event, Ledger};
use flow::{FlowTable, Gate, Inserted, Place, Probe, Slot, State, Value};
use mem::Prf;
use port::Tick;
use service::{RealNumber, RealState, ServiceSlot, TableView, Timeouts, tuple_hash};
use wire::{Kind, Parsed};

use crate::decision::FlowUse;

/// What resolving works with, apart from the packet.
pub(crate) struct Resolver<'e, 't> {
    pub(crate) flows: &'e mut FlowTable,
    pub(crate) gate: &'e mut Gate,
    pub(crate) ledger: &'e mut Ledger,
    pub(crate) select: &'e Prf,
    pub(crate) table: TableView<'t>,
    pub(crate) timeouts: Timeouts,
    pub(crate) now: Tick,
    pub(crate) hits: u64,
}

impl Resolver<'_, '_> {
    /// The real of a packet, and how it was found.
    ///
    /// # Errors
    /// [`DropReason::NoReal`].
    #[inline]
    pub(crate) fn real(
        &mut self,
        parsed: &Parsed,
        place: Place,
        service: ServiceSlot,
    ) -> Result<(RealNumber, FlowUse), DropReason> {
        match self.flows.probe(place, &self.timeouts) {
            Probe::Hit(slot, value) => self.hit(parsed, service, slot, value),
            Probe::Expired => {
                self.ledger.add(Event::FlowExpire, 1);
                self.miss(parsed, place, service)
            }
            Probe::Miss => self.miss(parsed, place, service),
        }
    }

    #[inline]
    fn hit(
        &mut self,
        parsed: &Parsed,
        service: ServiceSlot,
        slot: Slot,
        value: Value,
    ) -> Result<(RealNumber, FlowUse), DropReason> {
        let mut real = value.real;
        if !self.may_keep(real) {
            real = self.choose(parsed, service)?;
            self.ledger.add(Event::FlowMoved, 1);
        }
        self.hits += 1;
        let new = match parsed.kind {
            // What a router says about a flow does not show that its ends are alive.
            Kind::IcmpError => Value { real, ..value },
            _ => Value::new(real, value.state.next(parsed.flags), self.now.0),
        };
        self.flows.update(slot, value, new);
        Ok((real, FlowUse::Hit))
    }

    /// An established flow keeps its real until it ends, or the real is down or gone.
    #[inline]
    fn may_keep(&self, real: RealNumber) -> bool {
        self.table.template(real).is_some_and(|template| template.state() != RealState::Down)
    }

    fn miss(
        &mut self,
        parsed: &Parsed,
        place: Place,
        service: ServiceSlot,
    ) -> Result<(RealNumber, FlowUse), DropReason> {
        let real = self.choose(parsed, service)?;
        if parsed.kind == Kind::IcmpError {
            return Ok((real, FlowUse::Stateless));
        }
        if !self.gate.admit() {
            self.ledger.add(Event::FlowStatelessGate, 1);
            return Ok((real, FlowUse::Stateless));
        }
        let value = Value::new(real, State::first(parsed.kind, parsed.flags), self.now.0);
        let Ok(inserted) = self.flows.insert(place, &parsed.tuple, value, &self.timeouts) else {
            self.ledger.add(Event::FlowStatelessFull, 1);
            return Ok((real, FlowUse::Stateless));
        };
        self.ledger.add(Event::FlowInsert, 1);
        match inserted {
            Inserted::Free => {}
            Inserted::Expired => self.ledger.add(Event::FlowExpire, 1),
            Inserted::Evicted => self.ledger.add(Event::FlowEvict, 1),
        }
        Ok((real, FlowUse::New))
    }

    #[inline]
    fn choose(&self, parsed: &Parsed, service: ServiceSlot) -> Result<RealNumber, DropReason> {
        let (hash, _) = tuple_hash(self.select, &parsed.tuple);
        self.table.select(service, hash).ok_or(DropReason::NoReal)
    }
}
