//! A flight recorder: the last verdicts of a worker, in memory that outlives it.
//!
//! Three plain words a packet, so that any thread may read them while the worker goes on, and after it has broken
//! off:
//!
//! ```text
//! 63      48 47      32 31      16 15     8 7      0
//! |    0     |   real   |  service | known  | counter|
//! |    0     | family, protocol    |  port   |its port|
//! |                client's address                  |
//! ```
//!
//! The client of IPv4 stands there whole; of IPv6 it is the XOR of the address's halves. The second word is the
//! tuple's tail. Nothing is put together for a record that nobody may ever read: sixteen bytes a packet would do,
//! and took twice the instructions to fill. A record is written while its packet is decided, and told once a burst.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use counters::{Counter, Event};
use engine::{Decision, FlowUse, Observer, Verdict};
use port::{BURST_MAX, Packet};
use service::{RealNumber, ServiceNumber};
use wire::{Family, Parsed};

/// Verdicts that are kept.
pub const RECORDS: usize = 1024;
/// Those, and the burst in the making, which overwrites older ones.
const SLOTS: usize = RECORDS + BURST_MAX;

/// The worker's end.
#[derive(Debug)]
pub struct Recorder {
    /// Where the next record goes, and where this burst began.
    at: usize,
    begin: usize,
    tape: Arc<Tape>,
}

/// The records, readable from any thread.
#[derive(Debug)]
pub struct Tape {
    records: [[AtomicU64; WORDS]; SLOTS],
    /// How many were written in all, whole bursts.
    next: AtomicU64,
}

/// One packet's verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// What counted it: `tx`, a drop or a punt; or `held`, and then another record says how it left.
    pub counter: Counter,
    /// The service, where there was one.
    pub service: Option<ServiceNumber>,
    /// The real, where one was chosen.
    pub real: Option<RealNumber>,
    /// What the flow table did.
    pub flow: Option<FlowUse>,
    /// Who sent it.
    pub client: Client,
    /// From which port.
    pub client_port: u16,
    /// To which port.
    pub port: u16,
}

/// Who sent a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Its headers could not be read.
    Unknown,
    /// This address.
    V4(Ipv4Addr),
    /// An address of IPv6 whose halves come to these by XOR.
    V6([u8; 8]),
}

const HAS_SERVICE: u64 = 1 << 8;
const HAS_REAL: u64 = 1 << 9;
const FLOW: u32 = 10;
const SERVICE: u32 = 16;
const REAL: u32 = 32;
/// Where the family is in the tail.
const FAMILY: u32 = 40;
const WORDS: usize = 3;
impl Default for Recorder {
    fn default() -> Self {
        let empty = || std::array::from_fn(|_| AtomicU64::new(0));
        let tape = Tape { records: std::array::from_fn(|_| empty()), next: AtomicU64::new(0) };
        Self { at: 0, begin: 0, tape: Arc::new(tape) }
    }
}

impl Recorder {
    /// What it writes, to be read from anywhere.
    #[must_use]
    pub fn tape(&self) -> Arc<Tape> {
        Arc::clone(&self.tape)
    }

    /// Tells what was recorded since it told last.
    #[inline(always)]
    fn told(&mut self) {
        // A burst is shorter than the ring, so no round is missed.
        let count = if self.at < self.begin { self.at + SLOTS - self.begin } else { self.at - self.begin };
        self.begin = self.at;
        let next = &self.tape.next;
        next.store(next.load(Ordering::Relaxed) + count as u64, Ordering::Release);
    }
}

/// A worker that breaks off in the middle of a burst leaves what it decided of it: that is what one wants to see.
impl Drop for Recorder {
    fn drop(&mut self) {
        self.told();
    }
}

impl<P: Packet> Observer<P> for Recorder {
    #[inline(always)]
    fn decided(&mut self, _: &P, parsed: Option<&Parsed>, decision: &Decision) {
        let counter = match decision.verdict {
            Verdict::Tx => const { Counter::Event(Event::Tx).index() as u64 },
            Verdict::Drop(reason) => Counter::Drop(reason).index() as u64,
            Verdict::Punt(reason) => Counter::Punt(reason).index() as u64,
            Verdict::Held => const { Counter::Event(Event::Held).index() as u64 },
            Verdict::Handed => const { Counter::Event(Event::HandOut).index() as u64 },
        };
        let service = decision.service.map_or(0, |number| u64::from(number.get()) << SERVICE | HAS_SERVICE);
        let real = decision.real.map_or(0, |number| u64::from(number.get()) << REAL | HAS_REAL);
        let flow = match decision.flow {
            None => 0,
            Some(FlowUse::Hit) => 1 << FLOW,
            Some(FlowUse::New) => 2 << FLOW,
            Some(FlowUse::Stateless) => 3 << FLOW,
            Some(FlowUse::Led) => 4 << FLOW,
        };
        let (tail, client) = parsed.map_or((0, 0), |parsed| (parsed.tail, halved(&parsed.tuple.source)));
        if let Some([first, second, third]) = self.tape.records.get(self.at) {
            first.store(counter | service | real | flow, Ordering::Relaxed);
            second.store(tail, Ordering::Relaxed);
            third.store(client, Ordering::Relaxed);
        }
        self.at = if self.at + 1 < SLOTS { self.at + 1 } else { 0 };
    }

    #[inline(always)]
    fn burst(&mut self) {
        self.told();
        // Whoever sees what the next burst overwrites sees that this one was told.
        fence(Ordering::Release);
    }
}

/// Sixteen bytes as eight: of IPv4 the second half is zero.
#[inline(always)]
fn halved(address: &[u8; 16]) -> u64 {
    let half = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    half(address.first_chunk()) ^ half(address.last_chunk())
}

impl Tape {
    /// The last verdicts, the oldest first. What the worker overwrites meanwhile is left out.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let end = self.next.load(Ordering::Acquire);
        let begin = end.saturating_sub(RECORDS as u64);
        let read: Vec<Option<Record>> = (begin..end).map(|number| self.record(number)).collect();
        fence(Ordering::Acquire);
        let overwritten = self.next.load(Ordering::Relaxed).saturating_sub(RECORDS as u64);
        let gone = usize::try_from(overwritten.saturating_sub(begin)).unwrap_or(usize::MAX);
        read.into_iter().skip(gone).flatten().collect()
    }

    fn record(&self, number: u64) -> Option<Record> {
        let at = usize::try_from(number % SLOTS as u64).ok()?;
        Record::of(self.records.get(at)?.each_ref().map(|word| word.load(Ordering::Relaxed)))
    }
}

impl Record {
    #[allow(clippy::cast_possible_truncation, reason = "fields are taken out of their bits")]
    fn of([first, tail, client]: [u64; WORDS]) -> Option<Self> {
        let counter = Counter::all().nth((first & 0xff) as usize)?;
        let service = ServiceNumber::from_bits((first >> SERVICE) as u16);
        let real = RealNumber::from_bits((first >> REAL) as u16);
        let client = client.to_le_bytes();
        let [a, b, c, d, ..] = client;
        let client = match tail >> FAMILY {
            family if family == Family::V4 as u64 => Client::V4([a, b, c, d].into()),
            family if family == Family::V6 as u64 => Client::V6(client),
            _ => Client::Unknown,
        };
        Some(Self {
            counter,
            service: (first & HAS_SERVICE != 0).then_some(service),
            real: (first & HAS_REAL != 0).then_some(real),
            flow: match first >> FLOW & 7 {
                1 => Some(FlowUse::Hit),
                2 => Some(FlowUse::New),
                3 => Some(FlowUse::Stateless),
                4 => Some(FlowUse::Led),
                _ => None,
            },
            client,
            client_port: (tail as u16).swap_bytes(),
            port: ((tail >> 16) as u16).swap_bytes(),
        })
    }
}
