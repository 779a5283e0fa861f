//! One kind of work, measured in rounds that alternate with those of the others.

use counters::{Counter, Event, Layout};
use engine::{Engine, NoObserver};
use flow::FlowTable;
use mem::PageKind;
use port::{BURST_MAX, Burst, MemPort, Port};
use service::{Aligned, Table};
use worker::Recorder;

use crate::packets::{Permutation, Shape, Swallow};

/// What a scenario measures, and what its counters must say afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The port alone: packets are made, and freed.
    Port,
    /// Every packet finds its flow.
    Established,
    /// Every packet inserts its flow.
    New,
    /// Every packet is for no VIP.
    NotVip,
}

/// A table, an engine and packets.
pub struct Scenario<'t> {
    /// Its name in the results.
    pub name: &'static str,
    work: Work,
    /// Each packet's connection id has to lead.
    is_quic: bool,
    table: &'t Table<Aligned>,
    engine: Engine,
    port: MemPort<Permutation, Swallow>,
    recorder: Option<Recorder>,
    burst: Burst<port::MemPacket>,
    gone: Burst<port::MemPacket>,
    /// Nanoseconds per packet, one figure a round.
    pub rounds: Vec<f64>,
}

/// How a scenario is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Its name in the results.
    pub name: &'static str,
    /// What it measures.
    pub work: Work,
    /// What its packets are.
    pub shape: Shape,
    /// Flows of the packets.
    pub flows: u64,
    /// Room in the flow table.
    pub entries: usize,
    /// Flows that are put in before, for work that inserts: embryonic ones.
    pub filled: u64,
    /// Pages of the flow table.
    pub pages: PageKind,
    /// With the flight recorder, as live ports have it.
    pub is_recorded: bool,
}

impl<'t> Scenario<'t> {
    /// Makes a scenario and warms it up: established flows are put in, new ones are not.
    ///
    /// # Errors
    /// In words.
    pub fn new(setup: Setup, table: &'t Table<Aligned>) -> Result<Self, String> {
        let flows =
            FlowTable::with_pages(setup.entries, [9; 16], setup.pages).map_err(|error| error.to_string())?;
        let mut engine = Engine::new(0, 1, flows, Layout::with_room_for(16_384, 1024, 0));
        engine.adopt(&table.view());
        let source = Permutation::new(setup.shape, setup.flows, setup.work == Work::New);
        let port = MemPort::new(2 * BURST_MAX, 256, source, Swallow);
        let mut scenario = Self {
            name: setup.name,
            work: setup.work,
            is_quic: matches!(setup.shape, Shape::Quic(_)),
            table,
            engine,
            port,
            recorder: setup.is_recorded.then(Recorder::default),
            burst: Burst::new(),
            gone: Burst::new(),
            rounds: Vec::new(),
        };
        match setup.work {
            Work::Established => scenario.forward(2 * setup.flows),
            Work::New => scenario.forward(setup.filled),
            Work::Port | Work::NotVip => scenario.forward(10_000),
        }
        Ok(scenario)
    }

    /// Room and use of the flow table.
    #[must_use]
    pub const fn occupancy(&self) -> (usize, usize) {
        self.engine.occupancy()
    }

    /// How many flows are in their first bucket, where a hit reads one cache line; a walk over all of them.
    ///
    /// # Errors
    /// The walk did not see every flow.
    pub fn in_first_bucket(&self) -> Result<usize, String> {
        let (in_first, seen) = self.engine.flows().in_first_bucket();
        match self.occupancy() {
            (flows, _) if flows == seen => Ok(in_first),
            (flows, _) => Err(format!("{}: {seen} of {flows} flows seen", self.name)),
        }
    }

    /// What it measures.
    #[must_use]
    pub const fn work(&self) -> Work {
        self.work
    }

    /// Measures one round.
    ///
    /// # Errors
    /// The counters do not say that the work was done.
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub fn round(&mut self, packets: u64) -> Result<(), String> {
        let before = self.counts();
        let begin = mem::thread_cpu_nanos();
        self.forward(packets);
        let nanos = mem::thread_cpu_nanos() - begin;
        self.rounds.push(nanos as f64 / packets as f64);
        self.check(before, packets)
    }

    fn forward(&mut self, packets: u64) {
        self.port.ends().0.refill(packets);
        let view = self.table.view();
        loop {
            let now = self.port.rx_burst(&mut self.burst);
            if self.burst.is_empty() {
                return;
            }
            if self.work != Work::Port {
                let (burst, gone) = (&mut self.burst, &mut self.gone);
                let sent = match &mut self.recorder {
                    None => self.engine.process(&view, burst, now, gone, &mut NoObserver),
                    Some(recorder) => self.engine.process(&view, burst, now, gone, recorder),
                };
                let packets = self.burst.len() as u64;
                self.engine.ledger_mut().add(Event::Tx, packets);
                self.engine.ledger_mut().add(Event::TxBytes, sent.bytes);
                self.port.free_burst(&mut self.gone);
            }
            self.port.tx_burst(&mut self.burst);
        }
    }

    fn counts(&self) -> Vec<u64> {
        Counter::all().map(|counter| self.engine.ledger().get(counter)).collect()
    }

    fn check(&self, before: Vec<u64>, packets: u64) -> Result<(), String> {
        let mut counters = vec![match self.work {
            Work::Port => return Ok(()),
            Work::Established => Counter::Event(Event::FlowHit),
            Work::New => Counter::Event(Event::FlowInsert),
            Work::NotVip => Counter::Punt(counters::PuntReason::NotVip),
        }];
        counters.extend(self.is_quic.then_some(Counter::Event(Event::QuicRouted)));
        self.engine.ledger().balance()?;
        for counter in counters {
            let was = before.get(counter.index()).copied().unwrap_or(0);
            let moved = self.engine.ledger().get(counter) - was;
            if moved != packets {
                return Err(format!(
                    "{}: {} moved by {moved} for {packets} packets",
                    self.name,
                    counter.name()
                ));
            }
        }
        let sent = Counter::Event(Event::Tx);
        let moved = self.engine.ledger().get(sent) - before.get(sent.index()).copied().unwrap_or(0);
        if self.work != Work::NotVip && moved != packets {
            return Err(format!("{}: {moved} of {packets} packets were sent", self.name));
        }
        Ok(())
    }
}

/// Smallest, median and largest of some figures.
#[must_use]
pub fn spread(figures: &[f64]) -> [f64; 3] {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    [at(0), at(sorted.len() / 2), at(sorted.len().saturating_sub(1))]
}
