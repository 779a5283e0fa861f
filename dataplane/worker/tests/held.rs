//! Next hops in a worker: packets are held for those that are not known, sent when they are, and dropped when that
//! takes too long; what leaves by a port of its own does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use counters::{Counter, DropReason, Event, Layout, Ledger};
use engine::{Engine, NoObserver};
use flow::FlowTable;
use link::{Command, Report};
use port::{MemPacket, MemPort, MemSink, MemSource, Packet, Tick};
use service::{Aligned, Blueprint, Encap, Generation, Hop, RealNumber, Table, UdpChecksum, UdpTunnel};
use shm::{ControlSide, Region};
use worker::{
    Breath, Client, Handover, Recorder, RoundRobin, TableSender, Tape, Wanted, Worker, tables, tap, taps,
};

const BUFFERS: usize = 256;
const LAYOUT: Layout = Layout { services: 1, reals: 5, rules: 0 };
/// The real of all flows, and where it is.
const REAL: u32 = 2;
const NEAR: [u8; 6] = [2, 0, 0, 0, 9, 9];
const FAR: [u8; 6] = [2, 0, 0, 0, 8, 8];
const OURS: [u8; 6] = [2, 0, 0, 0, 0, 0xaa];

/// What a test lets arrive: so many packets, at a time.
#[derive(Clone, Default)]
struct Tap {
    due: Rc<Cell<u32>>,
    now: Rc<Cell<u64>>,
    at: Rc<Cell<u32>>,
    /// As many flows in turn.
    flows: Rc<Cell<u32>>,
}

impl MemSource for Tap {
    fn next_tick(&mut self) -> Option<Tick> {
        (self.due.get() > 0).then(|| Tick(self.now.get()))
    }

    fn load_next(&mut self, into: &mut MemPacket) {
        self.due.set(self.due.get() - 1);
        let at = self.at.get();
        self.at.set(at + 1);
        into.load(&common::frame(at % self.flows.get(), 0x10), u64::from(at));
    }
}

/// What left: number, destination and source MAC address, outer destination.
type Seen = (u64, [u8; 6], [u8; 6], [u8; 4]);

#[derive(Default)]
struct Kept {
    seen: Vec<Seen>,
    /// The same packets whole.
    whole: Vec<Vec<u8>>,
    refuses: bool,
}

impl MemSink for Kept {
    fn send(&mut self, packet: &MemPacket) -> bool {
        let data = packet.data();
        let part = |at: usize| data[at..at + 6].try_into().unwrap();
        assert!(wire::ipv4::is_intact(&data[14..34]), "the outer header");
        if !self.refuses {
            self.whole.push(data.to_vec());
            self.seen.push((packet.cookie(), part(0), part(6), data[30..34].try_into().unwrap()));
        }
        !self.refuses
    }
}

type Bench = RoundRobin<MemPort<Tap, Kept>>;

struct Held {
    worker: Worker<Bench, Aligned>,
    control: ControlSide,
    sender: TableSender<Aligned>,
    source: Tap,
    recorder: Recorder,
    tape: Arc<Tape>,
    serial: u64,
    _region: Region,
}

/// A table whose flows are all of one real that is followed.
fn followed(change: impl FnOnce(&mut Blueprint)) -> Table<Aligned> {
    named(1, change)
}

fn named(sequence: u64, change: impl FnOnce(&mut Blueprint)) -> Table<Aligned> {
    let mut blueprint = common::blueprint(None);
    blueprint.reals.iter_mut().for_each(|real| real.next_hop = None);
    blueprint.pools[0].members.retain(|member| member.real.get() == REAL);
    change(&mut blueprint);
    let generation = Generation { boot: 1, sequence };
    service::build(&blueprint, generation).unwrap().table().unwrap()
}

fn real() -> RealNumber {
    RealNumber::new(REAL).unwrap()
}

fn hop(destination: [u8; 6], port: Option<u8>) -> Hop {
    Hop { real: real(), port, destination, source: OURS, is_resolved: true }
}

fn lost() -> Hop {
    Hop { is_resolved: false, ..hop([0; 6], None) }
}

impl Held {
    /// Two ports, of which only the first brings packets.
    fn new(table: Table<Aligned>) -> Self {
        let region = Region::create(1, 1, 1024, LAYOUT.words()).unwrap();
        let engine = Engine::new(0, 1, FlowTable::new(1024, [5; 16]).unwrap(), LAYOUT);
        let source = Tap::default();
        source.flows.set(7);
        let port = |source| MemPort::new(BUFFERS, 256, source, Kept::default());
        let ports = RoundRobin::new(vec![port(source.clone()), port(Tap::default())]);
        let (sender, receiver) = tables(4);
        let table = Handover::new(Arc::new(table), &[[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]]);
        let worker = Worker::new(ports, engine, table, receiver, region.worker_side(0).unwrap());
        let recorder = Recorder::default();
        let tape = recorder.tape();
        let control = region.control_side(0).unwrap();
        Self { worker, control, sender, source, recorder, tape, serial: 0, _region: region }
    }

    /// So many packets arrive, and all that can be done is done.
    fn arrive(&mut self, packets: u32) {
        self.source.due.set(self.source.due.get() + packets);
        let mut idle = 0;
        while idle < 3 {
            let breath = self.worker.breathe(&mut self.recorder);
            assert_ne!(breath, Breath::Stopped);
            assert_eq!(self.worker.ledger().balance(), Ok(()));
            idle = if breath == Breath::Idle { idle + 1 } else { 0 };
        }
    }

    fn tell(&mut self, hop: Hop) {
        self.serial += 1;
        let record = Command::Hop { hop, serial: self.serial }.to_record();
        self.control.commands.try_send(&record).unwrap();
    }

    fn reports(&mut self) -> Vec<Report> {
        let records = std::iter::from_fn(|| self.control.reports.try_recv());
        records.map(|record| Report::from_record(&record).unwrap()).collect()
    }

    fn seen(&mut self, port: usize) -> Vec<Seen> {
        std::mem::take(&mut self.worker.port().ports()[port].ends().1.seen)
    }

    fn whole(&mut self, port: usize) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.worker.port().ports()[port].ends().1.whole)
    }

    fn free(&mut self) -> usize {
        self.worker.port().ports().iter().map(MemPort::free_buffers).sum()
    }

    fn count(&self, counter: impl Into<Counter>) -> u64 {
        self.worker.ledger().get(counter)
    }

    fn counters(&self) -> [u64; 5] {
        let ledger: &Ledger = self.worker.ledger();
        let drops = ledger.get(DropReason::NoNextHop);
        [
            ledger.get(Event::Rx),
            ledger.get(Event::Tx),
            ledger.get(Event::Held),
            ledger.get(Event::Released),
            drops,
        ]
    }
}

fn cookies(seen: &[Seen]) -> Vec<u64> {
    seen.iter().map(|packet| packet.0).collect()
}

#[test]
fn what_has_no_next_hop_is_held_and_sent_in_order_when_it_has_one() {
    let mut held = Held::new(followed(|_| {}));
    held.arrive(10);
    assert_eq!(held.counters(), [10, 0, 10, 0, 0]);
    assert_eq!((held.worker.ledger().held(), held.free()), (10, 2 * BUFFERS - 10));
    assert_eq!(held.worker.ledger().real(REAL as usize).packets, 0, "nothing has got there yet");
    held.tell(hop(NEAR, None));
    held.arrive(3);
    assert_eq!(held.reports().last(), Some(&Report::HopsAt(1)));
    let seen = held.seen(0);
    assert_eq!(cookies(&seen), (0..13).collect::<Vec<u64>>(), "those that waited go first");
    assert!(seen.iter().all(|&(_, to, from, end)| (to, from, end) == (NEAR, OURS, [10, 0, 0, 2])));
    assert_eq!(held.counters(), [13, 13, 10, 10, 0]);
    let tally = held.worker.ledger().real(REAL as usize);
    assert_eq!((tally.packets, tally.bytes), (13, 13 * 40));
    assert_eq!(held.count(Event::TxBytes), 13 * 74);
    assert_eq!(held.free(), 2 * BUFFERS);
    let records = held.tape.records();
    let told = |counter: Counter| records.iter().filter(|record| record.counter == counter).count();
    assert_eq!((told(Event::Held.into()), told(Event::Tx.into()), records.len()), (10, 13, 23));
    assert!(records.iter().all(|record| record.real == Some(real()) && record.client != Client::Unknown));
}

#[test]
fn what_waits_leaves_with_its_tail() {
    let full = UdpTunnel { port: 6080, checksum: UdpChecksum::Full };
    let inner_mac = [2, 0, 0, 0, 1, 0x11];
    for (encap, protocol, behind) in [
        (Encap::Gre { key: Some(7) }, 47, &[0x20, 0, 8, 0, 0, 0, 0, 7][..]),
        (Encap::Fou(full), 17, &[]),
        (Encap::Gue(full), 17, &[0, 4, 0, 0]),
        (Encap::Vxlan { udp: full, vni: 42, inner_mac }, 17, &[8, 0, 0, 0, 0, 0, 42, 0, 2, 0, 0, 0, 1, 0x11]),
    ] {
        let tails = |plan: &mut Blueprint| plan.reals.iter_mut().for_each(|real| real.encap = encap);
        let mut held = Held::new(followed(tails));
        held.arrive(7);
        assert_eq!(held.counters(), [7, 0, 7, 0, 0]);
        held.tell(hop(NEAR, Some(1)));
        // The same flows once more: what did not wait looks the same but for its identification.
        held.arrive(7);
        assert_eq!(held.counters(), [14, 14, 7, 7, 0]);
        let seen = held.seen(1);
        assert!(seen.iter().all(|&(_, to, from, end)| (to, from, end) == (NEAR, OURS, [10, 0, 0, 2])));
        let whole = held.whole(1);
        let (waited, later) = whole.split_at(7);
        let udp = if protocol == 17 { 8 } else { 0 };
        for ((flow, waited), later) in (0_u32..).zip(waited).zip(later) {
            assert_eq!((waited[23], &waited[34 + udp..][..behind.len()]), (protocol, behind), "{encap:?}");
            assert!(waited.ends_with(&common::frame(flow, 0x10)[14..]), "{encap:?}: the packet was changed");
            assert_eq!(waited.len(), 14 + encap.outer_len(false) + 40);
            assert_eq!(waited[34..], later[34..], "{encap:?}");
        }
        assert_eq!(held.free(), 2 * BUFFERS);
    }
}

#[test]
fn what_waits_for_a_second_is_dropped_and_the_flows_keep_their_real() {
    let mut held = Held::new(followed(|_| {}));
    held.arrive(7);
    assert_eq!(held.count(Event::FlowInsert), 7);
    held.source.now.set(7);
    held.arrive(1);
    assert_eq!(held.counters(), [8, 0, 8, 0, 0], "not yet");
    held.source.now.set(8);
    held.arrive(1);
    assert_eq!(held.counters(), [9, 0, 9, 7, 7], "the first seven have waited for eight ticks");
    held.tell(hop(NEAR, None));
    held.arrive(0);
    assert_eq!(held.counters(), [9, 2, 9, 9, 7]);
    assert_eq!(cookies(&held.seen(0)), [7, 8]);
    assert_eq!(
        (held.count(Event::FlowInsert), held.count(Event::FlowHit)),
        (7, 2),
        "later packets find their flow"
    );
    assert_eq!(held.free(), 2 * BUFFERS);
}

#[test]
fn no_more_than_64_wait_and_the_others_are_dropped_at_once() {
    let mut held = Held::new(followed(|_| {}));
    held.arrive(100);
    assert_eq!(held.counters(), [100, 0, 64, 0, 36]);
    held.tell(hop(NEAR, None));
    held.arrive(1);
    assert_eq!(held.counters(), [101, 65, 64, 64, 36]);
    assert_eq!(cookies(&held.seen(0)), (0..64).chain([100]).collect::<Vec<u64>>());
    held.tell(lost());
    held.arrive(64);
    assert_eq!(held.counters(), [165, 65, 128, 64, 36], "there is room for as many again");
}

#[test]
fn a_hop_that_changes_is_followed_and_one_that_is_lost_holds() {
    let mut held = Held::new(followed(|_| {}));
    held.tell(hop(NEAR, None));
    held.arrive(5);
    held.tell(hop(FAR, None));
    held.arrive(5);
    let seen = held.seen(0);
    assert!(
        seen[..5].iter().all(|packet| packet.1 == NEAR) && seen[5..].iter().all(|packet| packet.1 == FAR)
    );
    held.tell(lost());
    held.arrive(2);
    assert_eq!((held.worker.ledger().held(), held.seen(0).len()), (2, 0));
    held.tell(hop(NEAR, None));
    held.arrive(0);
    assert!(held.seen(0).iter().all(|packet| packet.1 == NEAR));
    assert_eq!(held.reports(), [1, 2, 3, 4].map(Report::HopsAt));
}

#[test]
fn many_hops_are_acknowledged_by_the_newest_and_64_are_obeyed_in_a_breath() {
    let mut held = Held::new(followed(|_| {}));
    for _ in 0..100 {
        held.tell(hop(NEAR, None));
    }
    let _ = held.worker.breathe(&mut NoObserver);
    assert_eq!(held.reports(), [Report::HopsAt(64)]);
    let _ = held.worker.breathe(&mut NoObserver);
    assert_eq!(held.reports(), [Report::HopsAt(100)]);
}

#[test]
fn a_hop_of_a_real_that_is_written_changes_nothing() {
    let mut held = Held::new(followed(|blueprint| {
        blueprint.reals.iter_mut().for_each(|real| real.next_hop = Some(FAR));
    }));
    held.tell(hop(NEAR, Some(1)));
    held.tell(lost());
    held.arrive(3);
    assert!(held.seen(0).iter().all(|packet| packet.1 == FAR));
    assert_eq!((held.count(Event::Tx), held.count(Event::Held)), (3, 0));
}

#[test]
fn what_leads_to_another_port_leaves_by_it() {
    let mut held = Held::new(followed(|_| {}));
    held.arrive(4);
    held.tell(hop(NEAR, Some(1)));
    held.arrive(4);
    assert_eq!(held.seen(0), []);
    let seen = held.seen(1);
    assert_eq!(cookies(&seen), (0..8).collect::<Vec<u64>>());
    assert!(seen.iter().all(|packet| (packet.1, packet.2) == (NEAR, OURS)));
    assert_eq!((held.count(Event::Tx), held.count(Event::TxBytes)), (8, 8 * 74));
    held.tell(hop(NEAR, Some(0)));
    held.arrive(2);
    assert_eq!((cookies(&held.seen(0)), held.seen(1).len()), (vec![8, 9], 0));
    assert_eq!(held.free(), 2 * BUFFERS);
}

/// All four reals in turn: two leave by ports of their own, one as it came, one is held.
#[test]
fn one_burst_is_parted_by_port_and_each_flow_keeps_its_order() {
    let mut held = Held::new(followed(|blueprint| {
        blueprint.pools[0].members = common::blueprint(None).pools[0].members.clone();
        for real in &mut blueprint.reals {
            let number = u8::try_from(real.number.get()).unwrap();
            real.next_hop = (number != 4).then_some([2, 0, 0, 0, 0, number]);
            real.port = [None, None, Some(1), Some(0), None][usize::from(number)];
        }
    }));
    held.source.flows.set(31);
    held.arrive(62);
    let (first, second) = (held.seen(0), held.seen(1));
    let waits = held.worker.ledger().held();
    assert_eq!((first.len() + second.len()) as u64 + waits, 62);
    assert!(!second.is_empty() && waits > 0);
    assert!(second.iter().all(|packet| packet.2 == [2, 0, 0, 0, 0, 2] && packet.3 == [10, 0, 0, 2]));
    let ours = |packet: &&Seen| {
        packet.2 == if packet.3[3] == 3 { [2, 0, 0, 0, 0, 1] } else { [2, 0, 0, 0, 0, 0xee] }
    };
    assert_eq!(first.iter().filter(ours).count(), first.len());
    for flow in 0..31 {
        let of = |seen: &[Seen]| {
            seen.iter().map(|packet| packet.0).filter(|at| at % 31 == flow).collect::<Vec<_>>()
        };
        assert!(of(&first).is_sorted() && of(&second).is_sorted());
        assert!(of(&first).is_empty() || of(&second).is_empty(), "a flow has one way");
    }
}

#[test]
fn what_another_port_refuses_is_counted_and_freed() {
    let mut held = Held::new(followed(|_| {}));
    held.worker.port().ports()[1].ends().1.refuses = true;
    held.arrive(3);
    held.tell(hop(NEAR, Some(1)));
    held.arrive(5);
    assert_eq!((held.count(DropReason::TxRefused), held.count(Event::Tx)), (8, 0));
    assert_eq!((held.count(Event::TxBytes), held.free()), (0, 2 * BUFFERS));
    held.tell(hop(NEAR, Some(40)));
    held.arrive(1);
    assert_eq!(held.count(DropReason::TxRefused), 9, "there is no such port");
}

#[test]
fn a_worker_that_ends_drops_what_it_holds() {
    let mut held = Held::new(followed(|_| {}));
    held.arrive(20);
    held.control.commands.try_send(&Command::Stop.to_record()).unwrap();
    while held.worker.breathe(&mut held.recorder) != Breath::Stopped {}
    assert_eq!(held.counters(), [20, 0, 20, 20, 20]);
    assert_eq!((held.worker.ledger().balance(), held.free()), (Ok(()), 2 * BUFFERS));
}

#[test]
fn a_switch_sends_what_waited_by_the_new_tables_hop_and_drops_what_lost_its_real() {
    for (has_real, counters) in [(true, [5, 5, 5, 5, 0]), (false, [5, 0, 5, 5, 5])] {
        let mut held = Held::new(followed(|_| {}));
        held.arrive(5);
        let table = named(2, |blueprint| {
            if !has_real {
                blueprint.reals.retain(|real| real.number.get() != REAL);
                blueprint.pools[0].members = common::blueprint(None).pools[0].members.clone();
                blueprint.pools[0].members.retain(|member| member.real.get() != REAL);
            }
        });
        let generation = Generation { boot: 1, sequence: 2 };
        let mut table = Handover::new(Arc::new(table), &[]);
        table.put(&hop(NEAR, None));
        held.sender.hand_over(table).unwrap();
        held.control.commands.try_send(&Command::Switch(generation).to_record()).unwrap();
        held.arrive(0);
        assert_eq!(held.counters(), counters);
    }
}

#[test]
fn a_capture_of_drops_shows_what_waited_in_vain() {
    let mut held = Held::new(followed(|_| {}));
    let (mut sender, ends) = taps();
    held.worker = held.worker.with_taps(ends);
    let (tap, mut reader) = tap(Wanted { drops_only: true, ..Wanted::default() }, 16, 256);
    sender.hand_over(tap).unwrap();
    held.arrive(3);
    held.source.now.set(9);
    held.arrive(1);
    let mut shots = Vec::new();
    reader.drain(|shot| shots.push((shot.cookie, shot.decision.verdict, shot.decision.real)));
    let dropped = |cookie| (cookie, engine::Verdict::Drop(DropReason::NoNextHop), Some(real()));
    assert_eq!(shots, [0, 1, 2].map(dropped));
    assert_eq!(reader.counts(), (3, 0));
}
