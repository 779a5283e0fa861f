//! The other workers' flows, for what may have met another worker than its flow: an error about a flow, whose own
//! addresses a NIC spreads by, a first fragment, which goes to the worker that its datagram names, and a client, whose flows
//! are spread over all.
//!
//! Their tables are read without locks, and nothing is asked of their owners, so nothing can be full and nothing waits.
//! A look is a few cache lines of another core's; a gate keeps a flood from reading all day. An entry that is moved
//! between its buckets at that instant is missed, and the packet goes by hash: to the same real, unless pools changed.

use counters::Event;
use flow::{Epoch, FlowReader, Inserted, Place, Silences, Value};
use port::Tick;
use service::Timeouts;
use wire::{FiveTuple, Kind, Parsed};

use crate::burst::Engine;
use crate::resolve::{Choice, Refusal, Resolver, Seen, Target, may_keep};

/// Looks at all other workers' tables in a second, of one worker.
pub(crate) const LOOKS_PER_SECOND_MAX: u32 = 20_000;

impl Engine {
    /// This is worker `worker` of `workers`, whose flow tables have the same key: `mates` are the others'. Fragments are
    /// handed over from now on, and strays looked for.
    pub fn beside(&mut self, worker: u16, workers: u16, mates: Vec<FlowReader>) {
        self.mates = mates;
        self.fragments.beside(worker, workers);
    }
}

/// What the others know of a flow. Where several do it is the one that met it last.
pub(crate) fn find(
    mates: &[FlowReader],
    (hash, tuple): ((u64, u64), &FiveTuple),
    (timeouts, now): (Timeouts, Tick),
) -> Option<Value> {
    let silences = Silences::from(timeouts);
    let found = mates.iter().filter_map(|mate| mate.find_hashed(hash, tuple)).map(|flow| flow.value);
    found.filter(|value| !value.is_expired(now.0, &silences)).min_by_key(|value| value.age(now.0))
}

impl Resolver<'_, '_> {
    /// What the other workers, if there are any, know of a flow or of a client.
    #[cold]
    pub(crate) fn look_around(&mut self, tuple: &FiveTuple) -> Option<Value> {
        if self.mates.is_empty() {
            return None;
        }
        if !self.looks.admit() {
            self.ledger.add(Event::LookLimited, 1);
            return None;
        }
        self.ledger.add(Event::LookAround, 1);
        find(self.mates, (self.flows.hash(tuple), tuple), (self.table.timeouts(), self.now))
    }

    /// What is known of a flow whose packets do not come here, or not only: by this worker, or by the others.
    pub(crate) fn known_anywhere(&mut self, tuple: &FiveTuple) -> Option<Value> {
        let silences = Silences::from(self.table.timeouts());
        let own = self.flows.reader().find(tuple).map(|flow| flow.value);
        own.filter(|value| !value.is_expired(self.now.0, &silences)).or_else(|| self.look_around(tuple))
    }

    /// The packet goes where its flow goes that another worker has. Under which table that was is not known here, so its
    /// service is asked for again. If it shows that the flow is alive it is entered here too, so that it ages with use
    /// whichever worker its datagrams fall to.
    #[cold]
    pub(crate) fn follow_mate(
        &mut self,
        (frame, parsed): Seen<'_>,
        place: Place,
        choice: Choice,
        value: Value,
    ) -> Result<Target, Refusal> {
        let may_keep = may_keep(self.table, value, parsed);
        let is_error = parsed.kind == Kind::IcmpError;
        let named = if may_keep && is_error { None } else { self.named(frame, parsed, choice) };
        let real = match named {
            Some(real) => real,
            None if may_keep => value.real(),
            None => self.choose(parsed, choice)?,
        };
        self.hits += 1;
        self.misses -= 1;
        if !may_keep && !value.state().reopens(parsed.flags) {
            self.ledger.add(Event::FlowMoved, 1);
        }
        if !is_error {
            let state = value.state().next(parsed.flags);
            let is_led = value.epoch() == Epoch::LED;
            // As where it is confirmed: an id does not move a flow that goes by more than ids.
            let own = if named.is_some() && !is_led && may_keep { value.real() } else { real };
            let epoch = self.epoch_of(choice, own, named.filter(|_| is_led));
            let copy = Value::new(own, choice.service, epoch, state, self.now.0);
            self.copy(parsed, place, copy);
        }
        let asks = self.table.service(choice.at).asks();
        Ok(Target::hit((choice.service, real), asks))
    }

    /// Without room the next datagram looks around again.
    fn copy(&mut self, parsed: &Parsed, place: Place, value: Value) {
        let Ok(inserted) = self.flows.insert(place, &parsed.tuple, value) else { return };
        self.ledger.add(Event::LookCopied, 1);
        match inserted {
            Inserted::Free => {}
            Inserted::Expired => self.ledger.add(Event::FlowExpire, 1),
            Inserted::Evicted => self.ledger.add(Event::FlowEvict, 1),
        }
    }
}
