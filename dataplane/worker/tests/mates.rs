//! Workers that hand fragments to one another: nothing is lost on the way, what has no room is dropped and counted, and
//! whoever stops waits for what the others still hand over.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use common::{error_about, fragment, udp_table};
use counters::{DropReason, Event, Layout, Ledger};
use engine::{Decision, Engine, NoObserver, Observer, Parsed, Verdict};
use flow::FlowTable;
use link::Command;
use port::{MemPacket, MemPort, MemSink, MemSource, Packet, Shared, Tick};
use service::Aligned;
use shm::{ControlSide, Region};
use worker::{Breath, Handover, STAYING_MAX, TapReader, TapSender, Wanted, Worker, mesh, tables, tap, taps};

const LAYOUT: Layout = Layout { services: 1, reals: 5, rules: 0 };
const BUFFERS: usize = 2048 + STAYING_MAX;

/// Frames on their way, with their numbers.
type Due = Vec<(u64, Vec<u8>)>;

/// What a test lets arrive.
#[derive(Clone, Default)]
struct Source {
    due: Rc<Cell<Due>>,
    now: Rc<Cell<u64>>,
}

impl MemSource for Source {
    fn next_tick(&mut self) -> Option<Tick> {
        let due = self.due.take();
        let is_some = !due.is_empty();
        self.due.set(due);
        is_some.then(|| Tick(self.now.get()))
    }

    fn load_next(&mut self, into: &mut MemPacket) {
        let mut due = self.due.take();
        let (cookie, frame) = due.remove(0);
        into.load(&frame, cookie);
        self.due.set(due);
    }
}

/// Cookie and outer destination of what left.
#[derive(Default)]
struct Sink(Vec<(u64, [u8; 4])>);

impl MemSink for Sink {
    fn send(&mut self, packet: &MemPacket) -> bool {
        self.0.push((packet.cookie(), packet.data()[30..34].try_into().unwrap()));
        true
    }
}

#[derive(Default)]
struct Seen(Vec<(u64, Verdict)>);

impl Observer<MemPacket> for Seen {
    fn decided(&mut self, packet: &MemPacket, _: Option<&Parsed>, decision: &Decision) {
        self.0.push((packet.cookie(), decision.verdict));
    }
}

type Mate = Worker<MemPort<Source, Sink>, Aligned>;

/// Some workers side by side, in one thread: they breathe when a test says so.
struct Crew {
    workers: Vec<Mate>,
    controls: Vec<ControlSide>,
    sources: Vec<Source>,
    taps: Vec<(TapReader, TapSender)>,
    shared: Shared,
    cookie: u64,
    _region: Region,
}

impl Crew {
    fn new(count: u16) -> Self {
        let region = Region::create(1, usize::from(count), 64, LAYOUT.words()).unwrap();
        let table = Arc::new(udp_table());
        let shared = Shared::new(BUFFERS * usize::from(count));
        let flows: Vec<FlowTable> = (0..count).map(|_| FlowTable::new(1024, [5; 16]).unwrap()).collect();
        let readers: Vec<_> = flows.iter().map(FlowTable::reader).collect();
        let mut crew = Self {
            workers: vec![],
            controls: vec![],
            sources: vec![],
            taps: vec![],
            shared: shared.clone(),
            cookie: 0,
            _region: region,
        };
        for ((number, flows), end) in (0..count).zip(flows).zip(mesh(count)) {
            let index = usize::from(number);
            let source = Source::default();
            let port = MemPort::new(BUFFERS, 256, source.clone(), Sink::default()).sharing(shared.clone());
            let engine = Engine::new(number, count, flows, LAYOUT);
            let (_, receiver) = tables(4);
            let others = readers.iter().enumerate().filter(|(at, _)| *at != index);
            let mates = others.map(|(_, reader)| reader.clone()).collect();
            let table = Handover::new(Arc::clone(&table), &[]);
            let (first, reader) = tap(Wanted::default(), 4096, 128);
            let (mut sender, ends) = taps();
            sender.hand_over(first).unwrap();
            crew.taps.push((reader, sender));
            let worker = Worker::new(port, engine, table, receiver, crew._region.worker_side(index).unwrap());
            crew.workers.push(worker.with_mates(end, mates).with_taps(ends));
            crew.controls.push(crew._region.control_side(index).unwrap());
            crew.sources.push(source);
        }
        crew
    }

    /// Lets frames arrive at a worker.
    fn arrive(&mut self, worker: usize, frames: impl IntoIterator<Item = Vec<u8>>) {
        let source = &self.sources[worker];
        let mut due = source.due.take();
        for frame in frames {
            due.push((self.cookie, frame));
            self.cookie += 1;
        }
        source.due.set(due);
    }

    /// A worker breathes until it has nothing to do.
    fn breathe(&mut self, worker: usize, observer: &mut impl Observer<MemPacket>) -> Breath {
        loop {
            let breath = self.workers[worker].breathe(observer);
            assert_eq!(self.workers[worker].ledger().balance(), Ok(()));
            if !matches!(breath, Breath::Packets(_)) {
                return breath;
            }
        }
    }

    fn settle(&mut self) {
        for worker in (0..self.workers.len()).cycle().take(4 * self.workers.len()) {
            self.breathe(worker, &mut NoObserver);
        }
    }

    fn tell(&mut self, command: Command) {
        for control in &mut self.controls {
            control.commands.try_send(&command.to_record()).unwrap();
        }
    }

    fn total(&self) -> Ledger {
        let mut total = Ledger::new(LAYOUT);
        self.workers.iter().for_each(|worker| total.merge(worker.ledger()));
        total
    }

    /// What left all of them.
    fn sent(&mut self) -> Vec<(u64, [u8; 4])> {
        let mut sent: Vec<_> =
            self.workers.iter_mut().flat_map(|worker| worker.port().ends().1.0.clone()).collect();
        sent.sort_unstable();
        sent
    }

    /// Buffers that no worker has.
    fn free(&mut self) -> usize {
        let free: usize = self.workers.iter_mut().map(|worker| worker.port().free_buffers()).sum();
        free + self.shared.lying()
    }
}

/// Both fragments of a datagram, the last first.
fn datagram(flow: u32, id: u16) -> [Vec<u8>; 2] {
    [fragment(flow, id, (24, 10, false)), fragment(flow, id, (0, 24, true))]
}

#[test]
fn datagrams_that_meet_several_workers_go_to_one_real_each() {
    for count in 1..=3_u16 {
        let mut crew = Crew::new(count);
        for id in 0..300 {
            let [last, first] = datagram(u32::from(id) % 5, id);
            crew.arrive(usize::from(id % count), [last]);
            crew.settle();
            crew.arrive(usize::from((id + 1) % count), [first]);
            crew.settle();
        }
        let total = crew.total();
        assert_eq!((total.get(Event::Rx), total.get(Event::Tx)), (600, 600));
        assert_eq!(total.get(Event::HandOut), total.get(Event::HandIn));
        assert_eq!(total.get(Event::HandOut) > 0, count > 1);
        assert_eq!((total.get(Event::Held), total.get(Event::Released)), (300, 300));
        assert_eq!(total.get(Event::FlowInsert), 5, "a flow is one flow, whoever meets it");
        let sent = crew.sent();
        // Of each flow all datagrams, too.
        let mut reals = std::collections::BTreeMap::new();
        for (cookie, real) in sent {
            let first: &mut [u8; 4] = reals.entry(cookie / 2 % 5).or_insert(real);
            assert_eq!(*first, real, "packet {cookie} with {count} workers");
        }
        // Each packet is caught once, where it was decided.
        let mut caught = Vec::new();
        crew.taps.iter_mut().for_each(|(reader, _)| reader.drain(|shot| caught.push(shot.cookie)));
        caught.sort_unstable();
        assert_eq!(caught, (0..600).collect::<Vec<u64>>());
    }
}

#[test]
fn what_a_mate_has_no_room_for_is_dropped_and_counted_and_nothing_else() {
    let mut crew = Crew::new(2);
    let mut seen = Seen::default();
    // The other does not breathe meanwhile.
    crew.arrive(0, (0..4000).map(|id| fragment(1, id, (0, 24, true))));
    crew.breathe(0, &mut seen);
    let first = crew.workers[0].ledger().clone();
    let full = first.get(DropReason::HandFull);
    assert_eq!((first.get(Event::HandOut), full > 500), (1024, true), "{full}");
    let dropped = seen.0.iter().filter(|(_, verdict)| *verdict == Verdict::Drop(DropReason::HandFull));
    assert_eq!(dropped.count() as u64, full);
    crew.settle();
    let total = crew.total();
    assert_eq!(total.get(Event::Rx), 4000);
    assert_eq!(total.get(Event::Tx) + full, 4000);
    assert_eq!((total.get(Event::HandIn), total.balance()), (1024, Ok(())));
    // Buffers went from one to the other, and come back.
    crew.arrive(0, (0..4000).map(|_| error_about(1)));
    crew.settle();
    assert_eq!(crew.total().get(Event::IcmpFollowed), 4000);
}

#[test]
fn who_stops_waits_for_what_the_others_hand_over_and_lets_nothing_wait() {
    let mut crew = Crew::new(2);
    // Firsts that are missing, and datagrams of the other.
    crew.arrive(0, (0..100).map(|id| fragment(1, id, (24, 10, false))));
    crew.tell(Command::Stop);
    assert_eq!(crew.breathe(1, &mut NoObserver), Breath::Idle, "the other may hand something over");
    assert_eq!(crew.breathe(0, &mut NoObserver), Breath::Stopped, "nobody hands anything over to it");
    assert_eq!(crew.breathe(1, &mut NoObserver), Breath::Stopped);
    let total = crew.total();
    assert!(total.get(Event::HandIn) > 20 && total.get(Event::HandIn) == total.get(Event::HandOut));
    assert_eq!((total.get(DropReason::FragmentTimeout), total.held()), (100, 0));
    assert_eq!(crew.free(), 2 * BUFFERS, "what stayed is back");
}

#[test]
fn what_waits_ends_with_the_tick_of_the_worker_that_has_it() {
    let mut crew = Crew::new(2);
    crew.arrive(0, (0..100).map(|id| fragment(1, id, (24, 10, false))));
    crew.settle();
    assert_eq!(crew.total().held(), 100);
    // A fragment brings its time along.
    crew.sources.iter().for_each(|source| source.now.set(8));
    crew.arrive(0, (200..220).map(|id| fragment(1, id, (0, 24, true))));
    crew.settle();
    let total = crew.total();
    assert_eq!((total.get(DropReason::FragmentTimeout), total.held()), (100, 0));
    assert_eq!(total.get(Event::Tx), 20);
}
