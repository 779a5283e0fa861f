//! Workers that breathe when they are told to, all on the test's own thread: so what comes to one of them, while it or
//! another is between two tables, is no matter of chance.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers fail as their test does, no test needs all, and the numbers are small"
)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use control::Image;
use counters::Ledger;
use engine::{Decision, Observer, Parsed, SwitchPoint, Verdict};
use port::{BURST_MAX, MemPacket, MemPort, MemSink, MemSource, Packet, Shared, Tick};
use worker::{Breath, MeshEnd, Worker, mesh};

use crate::swaps::Seat;

/// Cookies and frames.
type Queue = VecDeque<(u64, Vec<u8>)>;

/// What comes to a worker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox(Rc<RefCell<Queue>>);

impl Inbox {
    pub(crate) fn put(&self, cookie: u64, frame: &[u8]) {
        self.0.borrow_mut().push_back((cookie, frame.to_vec()));
    }

    fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

impl MemSource for Inbox {
    fn next_tick(&mut self) -> Option<Tick> {
        (!self.is_empty()).then_some(Tick(8))
    }

    fn load_next(&mut self, into: &mut MemPacket) {
        let (cookie, frame) = self.0.borrow_mut().pop_front().unwrap();
        into.load(&frame, cookie);
    }
}

/// Counts what leaves.
#[derive(Debug, Default)]
pub(crate) struct Left(pub(crate) u64);

impl MemSink for Left {
    fn send(&mut self, _: &MemPacket) -> bool {
        self.0 += 1;
        true
    }
}

/// What was told of a packet, and after how many switches of its worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    pub(crate) worker: u16,
    pub(crate) table: usize,
    pub(crate) cookie: u64,
    pub(crate) verdict: Verdict,
    pub(crate) real: Option<usize>,
    pub(crate) service: Option<u32>,
}

impl Note {
    /// Whether the packet is decided with it.
    pub(crate) fn is_last(&self) -> bool {
        !matches!(self.verdict, Verdict::Held | Verdict::Handed)
    }
}

pub(crate) type Notes = Rc<RefCell<Vec<Note>>>;

struct Watch<'w> {
    worker: u16,
    table: &'w mut usize,
    notes: Notes,
    at: &'w mut dyn FnMut(SwitchPoint),
}

impl Observer<MemPacket> for Watch<'_> {
    fn decided(&mut self, packet: &MemPacket, _: Option<&Parsed>, decision: &Decision) {
        let real = decision.real.map(|real| real.index());
        if let (Verdict::Tx, Some(real)) = (decision.verdict, real) {
            // Real n is 10.0.0.n+1, and the outer header is the first behind Ethernet's.
            assert_eq!(packet.data()[30..34], [10, 0, 0, real as u8 + 1], "it leaves as it was decided");
        }
        let (worker, table) = (self.worker, *self.table);
        let service = decision.service.map(|service| service.index() as u32);
        let note = Note { worker, table, cookie: packet.cookie(), verdict: decision.verdict, real, service };
        self.notes.borrow_mut().push(note);
    }

    fn switching(&mut self, at: SwitchPoint) {
        (self.at)(at);
        *self.table += usize::from(at == SwitchPoint::Acknowledged);
    }
}

/// A worker, what comes to it, and how often it has switched.
pub(crate) struct Stand {
    worker: Worker<MemPort<Inbox, Left>, Image>,
    number: u16,
    table: usize,
    pub(crate) inbox: Inbox,
    notes: Notes,
}

impl Stand {
    /// One breath; `at` is called at each point of a switch.
    pub(crate) fn breathe(&mut self, at: &mut dyn FnMut(SwitchPoint)) -> Breath {
        let (worker, notes) = (self.number, Rc::clone(&self.notes));
        self.worker.breathe(&mut Watch { worker, table: &mut self.table, notes, at })
    }

    /// Breathes until nothing arrives.
    pub(crate) fn work(&mut self) {
        while matches!(self.breathe(&mut |_| {}), Breath::Packets(_)) {}
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        self.worker.ledger()
    }

    pub(crate) fn flows(&self) -> flow::FlowReader {
        self.worker.engine().flows()
    }

    /// Buffers at home, and packets that left.
    pub(crate) fn end(&mut self) -> (usize, u64) {
        (self.worker.port().free_buffers(), self.worker.port().ends().1.0)
    }
}

/// Buffers of a worker.
pub(crate) const BUFFERS: usize = 8 * BURST_MAX;

/// A worker for each seat, and what all of them note. Several hand fragments to one another.
pub(crate) fn stands(seats: Vec<Seat>) -> (Vec<Stand>, Notes, Shared) {
    let notes = Notes::default();
    let workers = seats.len() as u16;
    let shared = Shared::new(BUFFERS * seats.len());
    let make = |(number, seat): (u16, Seat)| {
        let inbox = Inbox::default();
        let port = MemPort::new(BUFFERS, 256, inbox.clone(), Left::default()).sharing(shared.clone());
        let worker = seat.worker(port, number, workers);
        Stand { worker, number, table: 0, inbox, notes: Rc::clone(&notes) }
    };
    let mut stands: Vec<Stand> = (0..workers).zip(seats).map(make).collect();
    if workers > 1 {
        let readers: Vec<_> = stands.iter().map(Stand::flows).collect();
        let join = |(stand, end): (Stand, MeshEnd<MemPacket>)| {
            let own = usize::from(end.worker());
            let others = readers.iter().enumerate().filter(|(at, _)| *at != own);
            let others = others.map(|(_, reader)| reader.clone()).collect();
            Stand { worker: stand.worker.with_mates(end, others), ..stand }
        };
        stands = stands.into_iter().zip(mesh(workers)).map(join).collect();
    }
    (stands, notes, shared)
}
