//! What is noted of each decision, in memory that was taken before: eight bytes a packet where the
//! trace or the rate over time is asked for, and what each real got of each service. A packet that waited, or could not
//! be handed over, is told again when it leaves, and its last decision counts.

use std::collections::BTreeMap;

use counters::{Counter, DropReason, Event, PuntReason, Tally};
use engine::{Answer, Decision, FlowUse, Observer, Parsed, Verdict};
use port::Packet;
use service::{RealNumber, ServiceNumber};

use crate::limits::PAIRS_MAX;
use crate::replay::script::{Script, Turn};
use crate::site::{Directory, Site};
use crate::summary::{share, takers, words};

/// One packet's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    service: u16,
    real: u16,
    counter: u8,
    flow: u8,
    known: u8,
}

const HAS_SERVICE: u8 = 1;
const HAS_REAL: u8 = 2;
/// It was dropped, and an answer to it transmitted.
const HAS_ANSWER: u8 = 4;

/// How a packet left, as the trace tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Transmitted; as our answer, perhaps, and then what counted that.
    Tx(Option<Event>),
    /// Dropped.
    Drop(DropReason),
    /// Punted.
    Punt(PuntReason),
    /// Held for a next hop.
    Held,
}

impl Record {
    /// No decision.
    const BLANK: Self = Self { service: u16::MAX, real: u16::MAX, counter: u8::MAX, flow: 0, known: 0 };

    fn of(decision: &Decision) -> Self {
        let counter: Counter = match decision.verdict {
            Verdict::Tx => decision.answered.map_or(Event::Tx, Answer::event).into(),
            Verdict::Drop(reason) => reason.into(),
            Verdict::Punt(reason) => reason.into(),
            Verdict::Held => Event::Held.into(),
            Verdict::Handed => Event::HandOut.into(),
        };
        // Numbers have 16 bits, and there are far fewer counters than 256.
        let narrow = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
        Self {
            service: decision.service.map_or(0, |number| narrow(number.get())),
            real: decision.real.map_or(0, |number| narrow(number.get())),
            counter: u8::try_from(counter.index()).unwrap_or(u8::MAX),
            flow: match decision.flow {
                None => 0,
                Some(FlowUse::Hit) => 1,
                Some(FlowUse::New) => 2,
                Some(FlowUse::Stateless) => 3,
                Some(FlowUse::Led) => 4,
            },
            known: if decision.service.is_some() { HAS_SERVICE } else { 0 }
                | if decision.real.is_some() { HAS_REAL } else { 0 }
                | if decision.answered.is_some() { HAS_ANSWER } else { 0 },
        }
    }

    /// How the packet left.
    pub(crate) fn left(&self) -> Left {
        match Counter::all().nth(usize::from(self.counter)) {
            Some(Counter::Drop(reason)) => Left::Drop(reason),
            Some(Counter::Punt(reason)) => Left::Punt(reason),
            Some(Counter::Event(Event::Held)) => Left::Held,
            Some(Counter::Event(event)) => Left::Tx((event != Event::Tx).then_some(event)),
            None => Left::Tx(None),
        }
    }

    /// Whether it, or an answer to it, was transmitted.
    pub(crate) fn is_tx(&self) -> bool {
        self.known & HAS_ANSWER != 0 || matches!(self.left(), Left::Tx(_))
    }

    pub(crate) fn service(&self) -> Option<ServiceNumber> {
        (self.known & HAS_SERVICE != 0).then(|| ServiceNumber::from_bits(self.service))
    }

    pub(crate) fn real(&self) -> Option<RealNumber> {
        (self.known & HAS_REAL != 0).then(|| RealNumber::from_bits(self.real))
    }

    pub(crate) const fn flow(&self) -> Option<&'static str> {
        match self.flow {
            1 => Some("hit"),
            2 => Some("new"),
            3 => Some("stateless"),
            4 => Some("led"),
            _ => None,
        }
    }
}

/// What a real got of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) flows: u64,
}

/// What each real got of each service: for each service a row, which is its takers.
#[derive(Clone, Debug)]
pub(crate) struct Shares {
    /// By service number: its list of takers, and where its row begins.
    rows: Vec<Option<(usize, usize)>>,
    /// By list and real number: the place in a row.
    places: Vec<u32>,
    /// How many numbers of reals each list has places for.
    reals: usize,
    got: Vec<Got>,
}

impl Shares {
    /// All zero; nothing where there would be too many pairs.
    pub(crate) fn new(site: &Site) -> Option<Self> {
        let config = &site.config;
        let (services, reals, _) = site.directory().bounds();
        let mut rows = vec![None; services];
        let mut places = Vec::new();
        let mut end = 0_usize;
        // Services share pools, connection ids and rules: which list, by whom it holds.
        let mut lists: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        for service in &config.services {
            let next = lists.len();
            let takers: Vec<usize> = takers(config, service).iter().map(|member| member.real).collect();
            let len = takers.len();
            let list = *lists.entry(takers).or_insert_with_key(|takers| {
                places.resize((next + 1).saturating_mul(reals).min(PAIRS_MAX), u32::MAX);
                for (real, place) in takers.iter().zip(0_u32..) {
                    let number = config.reals.get(*real).and_then(|real| site.numbers.real(&real.name));
                    let cell = number.and_then(|number| places.get_mut(next * reals + number.index()));
                    if let Some(cell) = cell {
                        *cell = place;
                    }
                }
                next
            });
            let number = site.numbers.service(&service.name)?;
            *rows.get_mut(number.index())? = Some((list, end));
            end = end.checked_add(len).filter(|end| *end <= PAIRS_MAX)?;
        }
        let fits = lists.len().checked_mul(reals).is_some_and(|cells| cells <= PAIRS_MAX);
        fits.then(|| Self { rows, places, reals, got: vec![Got::default(); end] })
    }

    #[inline]
    fn at(&self, service: ServiceNumber, real: RealNumber) -> Option<usize> {
        let (list, start) = (*self.rows.get(service.index())?)?;
        let place = *self.places.get(list * self.reals + real.index())?;
        (place != u32::MAX).then(|| start + place as usize)
    }

    #[inline]
    fn add(&mut self, service: ServiceNumber, real: RealNumber, bytes: u32, is_new: bool) {
        if let Some(got) = self.at(service, real).and_then(|at| self.got.get_mut(at)) {
            got.packets += 1;
            got.bytes += u64::from(bytes);
            got.flows += u64::from(is_new);
        }
    }

    /// What one real got of one service.
    pub(crate) fn got(&self, service: ServiceNumber, real: RealNumber) -> Got {
        self.at(service, real).and_then(|at| self.got.get(at)).copied().unwrap_or_default()
    }

    /// Adds another worker's.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (one, two) in self.got.iter_mut().zip(&other.got) {
            one.packets += two.packets;
            one.bytes += two.bytes;
            one.flows += two.flows;
        }
    }
}

/// What one worker notes.
#[derive(Debug)]
pub(crate) struct Notes<'s> {
    script: &'s Script,
    worker: usize,
    /// Of its own packets, by their places in all loops.
    records: Option<Vec<Record>>,
    /// Of what other workers handed over, by cookie.
    handed: Vec<(u64, Record)>,
    pub(crate) shares: Option<Shares>,
}

impl<'s> Notes<'s> {
    /// Room for all that worker `worker` will note; its pages are touched now, not by the first packet.
    pub(crate) fn new(script: &'s Script, worker: usize, has_records: bool, shares: Option<Shares>) -> Self {
        let packets = script.own(worker).len().saturating_mul(usize::try_from(script.loops).unwrap_or(0));
        let records = has_records.then(|| vec![Record::BLANK; packets]);
        // One that waits is told twice.
        let handed = Vec::with_capacity(if has_records { script.crossings().saturating_mul(2) } else { 0 });
        Self { script, worker, records, handed, shares }
    }

    #[inline]
    fn note(&mut self, turn: Turn, decision: &Decision) {
        let Some(records) = &mut self.records else { return };
        if self.script.worker(turn.packet) == self.worker {
            let round = usize::try_from(turn.round).unwrap_or(usize::MAX);
            let at = round * self.script.own(self.worker).len() + self.script.place(turn.packet) as usize;
            if let Some(record) = records.get_mut(at) {
                *record = Record::of(decision);
            }
        } else if self.handed.len() < self.handed.capacity() {
            self.handed.push((turn.cookie(), Record::of(decision)));
        }
    }
}

/// What all workers have noted of each packet.
#[derive(Debug)]
pub(crate) struct Records<'n> {
    own: Vec<&'n [Record]>,
    handed: BTreeMap<u64, Record>,
}

impl<'n> Records<'n> {
    pub(crate) fn of<'s: 'n>(notes: impl Iterator<Item = &'n Notes<'s>> + Clone) -> Self {
        let own = notes.clone().map(|notes| notes.records.as_deref().unwrap_or_default()).collect();
        Self { own, handed: notes.flat_map(|notes| notes.handed.iter().copied()).collect() }
    }

    /// What became of a packet in the end.
    pub(crate) fn get(&self, script: &Script, turn: Turn) -> Option<&Record> {
        let worker = script.worker(turn.packet);
        let round = usize::try_from(turn.round).ok()?;
        let at = round * script.own(worker).len() + script.place(turn.packet) as usize;
        let own = self.own.get(worker)?.get(at).filter(|record| **record != Record::BLANK);
        own.or_else(|| self.handed.get(&turn.cookie()))
    }
}

impl<P: Packet> Observer<P> for Notes<'_> {
    #[inline]
    fn decided(&mut self, packet: &P, _: Option<&Parsed>, decision: &Decision) {
        if decision.verdict != Verdict::Handed {
            self.note(Turn::of(packet.cookie()), decision);
        }
        if let (Some(shares), Verdict::Tx) = (&mut self.shares, decision.verdict)
            && let (Some(service), Some(real)) = (decision.service, decision.real)
        {
            let bytes = self.script.ip_len(Turn::of(packet.cookie()).packet);
            shares.add(service, real, bytes, decision.flow == Some(FlowUse::New));
        }
    }
}

/// The rows of the report: every service with what its takers got.
pub(crate) fn services(site: &Site, shares: &Shares) -> Vec<report::Service> {
    let config = &site.config;
    let row = |service: &conf::Service| {
        let number = site.numbers.service(&service.name)?;
        let takers = takers(config, service);
        let of = |member: &conf::Member| {
            let got = |real| {
                let Got { packets, bytes, flows } = shares.got(number, real);
                (Tally { packets, bytes }, Some(flows))
            };
            share(site, member, got)
        };
        let reals = takers.iter().filter_map(of).collect();
        Some(report::Service::new(number.get(), service.name.as_str(), words(service), reals))
    };
    let mut rows: Vec<report::Service> = config.services.iter().filter_map(row).collect();
    rows.sort_by_key(|row| row.number);
    rows
}

/// Who a record is about.
pub(crate) fn names<'c>(
    site: &'c Site,
    directory: &Directory,
    record: &Record,
) -> (Option<&'c conf::Service>, Option<&'c conf::Real>) {
    let service = record.service().and_then(|number| directory.service(&site.config, number));
    let real = record.real().and_then(|number| directory.real(&site.config, number));
    (service, real)
}

#[cfg(test)]
mod tests {
    use super::{Left, Record};
    use counters::{DropReason, Event, PuntReason};
    use engine::{Answer, Decision, FlowUse, Verdict};
    use service::{RealNumber, ServiceNumber};

    #[test]
    fn a_record_holds_all_of_a_decision() {
        let blank = Decision { verdict: Verdict::Tx, service: None, real: None, flow: None, answered: None };
        for &reason in DropReason::ALL {
            let record = Record::of(&Decision { verdict: Verdict::Drop(reason), ..blank });
            assert_eq!((record.left(), record.service(), record.real()), (Left::Drop(reason), None, None));
        }
        for &reason in PuntReason::ALL {
            assert_eq!(
                Record::of(&Decision { verdict: Verdict::Punt(reason), ..blank }).left(),
                Left::Punt(reason)
            );
        }
        let answered = Record::of(&Decision { answered: Some(Answer::Arp), ..blank });
        assert_eq!((answered.left(), answered.flow()), (Left::Tx(Some(Event::ArpAnswered)), None));
        let too_big = Decision {
            verdict: Verdict::Drop(DropReason::TunnelMtu),
            answered: Some(Answer::TooBig),
            ..blank
        };
        let record = Record::of(&too_big);
        assert_eq!((record.left(), record.is_tx()), (Left::Drop(DropReason::TunnelMtu), true));
        let uses = [FlowUse::Hit, FlowUse::New, FlowUse::Led, FlowUse::Stateless];
        for (flow, name) in uses.into_iter().zip(["hit", "new", "led", "stateless"]) {
            let (service, real) = (ServiceNumber::from_bits(u16::MAX), RealNumber::from_bits(0));
            let decision = Decision { service: Some(service), real: Some(real), flow: Some(flow), ..blank };
            let record = Record::of(&decision);
            assert_eq!((record.service(), record.real()), (Some(service), Some(real)));
            assert_eq!((record.flow(), record.left()), (Some(name), Left::Tx(None)));
        }
        assert!(size_of::<Record>() <= 8);
    }
}
