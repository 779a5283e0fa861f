//! Two workers on threads of their own, at full speed, with one traffic between them: whole datagrams, fragments in any
//! order and errors, each at whichever worker a NIC would have it meet. What every order of events has to keep is looked
//! at: a verdict for each packet, the sums, one real for each datagram.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers fail as their test does, no test needs all, and the numbers are small"
)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use control::Image;
use counters::{Event, Ledger};
use engine::{Decision, Observer, Parsed, Verdict};
use port::{Packet, Port};
use worker::{Breath, Worker};

use crate::pieces::{PIECES, error, piece, whole};
use crate::swaps::Dice;

pub(crate) const WORKERS: usize = 2;
/// Datagrams in fragments of one run: fewer than there are identifications.
const DATAGRAMS: u64 = 30_000;
const FLOWS: u64 = 400;
/// Packets among which the next is chosen.
const WAITING: usize = 12;
const NO_REAL: u8 = u8::MAX;

/// Packets and what each is of, in an order of chance that is always the same. Each has a worker that it meets.
pub(crate) struct Mix {
    dice: Dice,
    waiting: Vec<(usize, u64, Vec<u8>)>,
    datagrams: u64,
}

/// A packet's name: its flow, and one more than the datagram that it is a fragment of.
const fn cookie(flow: u64, datagram: Option<u64>) -> u64 {
    let datagram = match datagram {
        None => 0,
        Some(datagram) => datagram + 1,
    };
    flow << 32 | datagram
}

impl Mix {
    pub(crate) const fn new() -> Self {
        Self { dice: Dice::new(11), waiting: Vec::new(), datagrams: 0 }
    }

    fn more(&mut self) {
        let flow = self.dice.below(FLOWS);
        match self.dice.below(6) {
            0 => self.waiting.push(((flow % 2) as usize, cookie(flow, None), whole(flow))),
            1 => {
                let router = self.dice.below(200);
                let frame = error(flow, router as u8);
                self.waiting.push(((router % 2) as usize, cookie(flow, None), frame));
            }
            _ => {
                let datagram = self.datagrams;
                self.datagrams += 1;
                for at in 0..PIECES {
                    // One in thirty is lost, and one comes twice.
                    let times = match self.dice.below(30) {
                        0 => 0,
                        1 => 2,
                        _ => 1,
                    };
                    for _ in 0..times {
                        let worker = self.dice.below(2) as usize;
                        let frame = piece(flow, datagram as u16, at);
                        self.waiting.push((worker, cookie(flow, Some(datagram)), frame));
                    }
                }
            }
        }
    }
}

impl Iterator for Mix {
    type Item = (usize, u64, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.waiting.len() < WAITING && self.datagrams < DATAGRAMS {
            self.more();
        }
        if self.waiting.is_empty() {
            return None;
        }
        let at = self.dice.below(self.waiting.len() as u64) as usize;
        Some(self.waiting.swap_remove(at))
    }
}

/// What one worker sent, and how many packets it decided.
#[derive(Default)]
pub(crate) struct Seen {
    /// What each was of, and its real.
    sent: Vec<(u64, u8)>,
    last: u64,
}

impl<P: Packet> Observer<P> for Seen {
    fn decided(&mut self, packet: &P, _: Option<&Parsed>, decision: &Decision) {
        if decision.verdict == Verdict::Tx {
            // Real n is 10.0.0.n+1, and the outer header is the first behind Ethernet's.
            self.sent.push((packet.cookie(), packet.data()[33] - 1));
        }
        self.last += u64::from(!matches!(decision.verdict, Verdict::Held | Verdict::Handed));
    }
}

/// What a worker's thread gives back.
pub(crate) struct Outcome<P> {
    pub(crate) port: P,
    ledger: Ledger,
    seen: Seen,
}

impl<P> Outcome<P> {
    /// How often it took another table.
    pub(crate) fn switches(&self) -> u64 {
        self.ledger.get(Event::TableSwitch)
    }
}

/// A worker's life, until it has stopped. It tells how many packets it has received.
pub(crate) fn live<P: Port>(
    mut worker: Worker<P, Image>,
    received: &AtomicU64,
    is_over: &AtomicBool,
) -> Outcome<P> {
    let mut seen = Seen::default();
    while !is_over.load(Ordering::Acquire) {
        match worker.breathe(&mut seen) {
            Breath::Packets(_) => received.store(worker.ledger().get(Event::Rx), Ordering::Release),
            // There are fewer cores than threads.
            Breath::Idle => std::thread::yield_now(),
            Breath::Stopped => break,
        }
    }
    let ledger = worker.ledger().clone();
    Outcome { port: worker.into_port(), ledger, seen }
}

/// What holds in whatever order things happened. `came` packets did; `are_tables_same` says that a flow has one real,
/// whichever worker it meets.
pub(crate) fn require<P>(outcomes: &[Outcome<P>], came: u64, are_tables_same: bool) {
    let sum = |event| outcomes.iter().map(|outcome| outcome.ledger.get(event)).sum::<u64>();
    for outcome in outcomes {
        assert_eq!(outcome.ledger.balance(), Ok(()));
        assert_eq!(outcome.ledger.held(), 0);
    }
    assert_eq!(sum(Event::Rx), came);
    assert_eq!(outcomes.iter().map(|outcome| outcome.seen.last).sum::<u64>(), came, "each has one verdict");
    assert_eq!(sum(Event::HandOut), sum(Event::HandIn));
    let drops: u64 = outcomes.iter().map(|outcome| outcome.ledger.drops()).sum();
    assert_eq!(sum(Event::Tx) + drops, came, "sent or dropped, and nothing is the kernel's");
    println!(
        "{came} packets, {drops} of them dropped; {} handed over, {} waited",
        sum(Event::HandOut),
        sum(Event::Held)
    );
    assert!(
        sum(Event::HandOut) > 1000 && sum(Event::Held) > 100,
        "the workers had little to do with each other"
    );
    assert!(sum(Event::Tx) > came / 2, "{drops} of {came} were dropped");

    let mut of_flow = vec![NO_REAL; FLOWS as usize];
    let mut of_datagram = vec![NO_REAL; DATAGRAMS as usize];
    for &(cookie, real) in outcomes.iter().flat_map(|outcome| &outcome.seen.sent) {
        let (flow, datagram) = ((cookie >> 32) as usize, cookie & u64::from(u32::MAX));
        let is_same = |known: &mut u8| std::mem::replace(known, real) == real;
        if let Some(datagram) = datagram.checked_sub(1) {
            let known = &mut of_datagram[datagram as usize];
            assert!(*known == NO_REAL || is_same(known), "datagram {datagram} went to {real} too");
            *known = real;
        }
        if are_tables_same {
            let known = &mut of_flow[flow];
            assert!(*known == NO_REAL || is_same(known), "flow {flow} went to {real} too");
            *known = real;
        }
    }
}
