//! Fragments in any order, in bursts of any size: the same packets leave, the same is counted, and each datagram goes to
//! one real.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of a test fail as the test does"
)]

mod common;

use std::collections::BTreeMap;

use common::{fragment, load, udp_table};
use counters::{DropReason, Event, Layout, Ledger};
use engine::{Decision, Engine, Following, Observer, Parsed, Release, Sent, Stay, Step, Verdict};
use flow::FlowTable;
use port::{Burst, MemPacket, Packet, Tick};
use proptest::prelude::{Just, Strategy, any, prop, proptest};
use service::{Aligned, Table};

/// What is decided of a packet in the end.
#[derive(Default)]
struct Last(BTreeMap<u64, (Decision, Vec<u8>)>);

impl Observer<MemPacket> for Last {
    fn decided(&mut self, packet: &MemPacket, _: Option<&Parsed>, decision: &Decision) {
        self.0.insert(packet.cookie(), (*decision, packet.data().to_vec()));
    }
}

/// An engine with a shelf, as a worker has one.
struct Line {
    engine: Engine,
    table: Table<Aligned>,
    shelf: BTreeMap<u16, MemPacket>,
    last: Last,
    cookie: u64,
    now: Tick,
}

impl Line {
    fn new() -> Self {
        let table = udp_table();
        let flows = FlowTable::new(2048, [5; 16]).unwrap();
        let mut engine = Engine::new(0, 1, flows, Layout { services: 1, reals: 5, rules: 0 });
        engine.adopt(&table.view());
        Self { engine, table, shelf: BTreeMap::new(), last: Last::default(), cookie: 0, now: Tick(0) }
    }

    /// Lets one burst through, and whatever waited for it.
    fn send(&mut self, frames: &[Vec<u8>]) {
        let (mut burst, mut gone) = (Burst::new(), Burst::new());
        for bytes in frames {
            let mut packet = MemPacket::with_room(256);
            packet.load(bytes, self.cookie);
            self.cookie += 1;
            burst.push(packet).unwrap();
        }
        let sent = self.engine.process(&self.table.view(), &mut burst, self.now, &mut gone, &mut self.last);
        self.leave(sent, &mut burst, &mut gone);
        self.release();
    }

    fn leave(&mut self, sent: Sent, burst: &mut Burst<MemPacket>, gone: &mut Burst<MemPacket>) {
        let bytes: usize = burst.as_slice().iter().map(Packet::total_len).sum();
        assert_eq!(sent.bytes, bytes as u64);
        self.engine.ledger_mut().add(Event::Tx, burst.drain().count() as u64);
        let mut held = Burst::new();
        gone.move_marked(sent.held, &mut held);
        for (packet, held) in held.drain().zip(self.engine.held()) {
            let Stay::Shelf(place) = held.stay else { panic!("{held:?}") };
            assert!(self.shelf.insert(place, packet).is_none(), "a place is one packet's");
        }
        gone.drain();
    }

    fn release(&mut self) {
        while let Some(mut release) = self.engine.next_release() {
            let (mut burst, mut gone) = (Burst::new(), Burst::new());
            for place in release.places() {
                burst.push(self.shelf.remove(place).unwrap()).unwrap();
            }
            let release: &mut Release = &mut release;
            let leaving = (&mut gone, &mut self.last);
            let sent = self.engine.release(&self.table.view(), release, &mut burst, self.now, leaving);
            self.leave(sent, &mut burst, &mut gone);
        }
    }

    /// No more comes.
    fn end(mut self) -> (Ledger, BTreeMap<u64, (Decision, Vec<u8>)>) {
        self.engine.give_up_fragments();
        self.release();
        assert!(self.shelf.is_empty(), "nobody is forgotten");
        assert_eq!((self.engine.ledger().balance(), self.engine.ledger().held()), (Ok(()), 0));
        (self.engine.ledger().clone(), self.last.0)
    }
}

/// Fragments of a few datagrams, some twice, some cut otherwise, some never, at some times.
fn traffic() -> impl Strategy<Value = Vec<(u64, Vec<u8>)>> {
    let piece = (0u32..3, 0u16..4, 0u16..5, any::<bool>(), 0u64..12);
    prop::collection::vec(piece, 1..150).prop_map(|list| {
        let mut now = 0;
        let one = |(flow, identification, at, is_odd, pause): (u32, u16, u16, bool, u64)| {
            now += if pause == 11 { 6 } else { pause / 10 };
            // The last of five ends the datagram; an odd one begins eight bytes early.
            let offset = (at * 24).saturating_sub(if is_odd && at == 3 { 8 } else { 0 });
            (now, fragment(flow, identification, (offset, 24, at < 4)))
        };
        list.into_iter().map(one).collect()
    })
}

fn run(traffic: &[(u64, Vec<u8>)], burst_max: usize) -> (Ledger, BTreeMap<u64, (Decision, Vec<u8>)>) {
    let mut line = Line::new();
    for same in traffic.chunk_by(|one, two| one.0 == two.0) {
        line.now = Tick(same[0].0);
        for burst in same.chunks(burst_max) {
            let frames: Vec<Vec<u8>> = burst.iter().map(|(_, frame)| frame.clone()).collect();
            line.send(&frames);
        }
    }
    line.end()
}

proptest! {
    #[test]
    fn bursts_of_any_size_give_the_same_packets_and_counters(traffic in traffic()) {
        let one = run(&traffic, 1);
        assert_eq!(one.1.len(), traffic.len());
        for burst_max in [2, 7, 64] {
            let other = run(&traffic, burst_max);
            assert_eq!(other.0, one.0, "bursts of {burst_max}");
            // How a flow's first packet is told depends on nothing, so decisions and bytes are the same.
            assert_eq!(other.1, one.1, "bursts of {burst_max}");
        }
    }

    /// A datagram whole in any order: all of it goes to one real, and nothing waits.
    #[test]
    fn in_any_order_a_datagram_goes_to_one_real(
        orders in prop::collection::vec(Just([0_u16, 1, 2, 3, 4]).prop_shuffle(), 1..20), burst_max in 1usize..65,
    ) {
        let datagrams = orders.iter().zip(0_u16..);
        let traffic: Vec<(u64, Vec<u8>)> = datagrams
            .flat_map(|(order, id)| order.map(|at| (0, fragment(u32::from(id) % 7, id, (at * 24, 24, at < 4)))))
            .collect();
        let (ledger, last) = run(&traffic, burst_max);
        assert_eq!(ledger.get(Event::Tx), traffic.len() as u64);
        assert_eq!(ledger.get(Event::FragmentFollowed), traffic.len() as u64 / 5 * 4);
        let reals: Vec<_> = last.values().map(|(decision, _)| decision.real.unwrap()).collect();
        assert!(reals.chunks(5).all(|reals| reals.iter().all(|real| *real == reals[0])));
    }

    /// The walk tells of each fragment what the path then does with it.
    #[test]
    fn the_walk_ends_as_the_path_does(traffic in traffic()) {
        let mut line = Line::new();
        for (now, frame) in traffic {
            line.now = Tick(now);
            line.engine.advance(line.now);
            line.release();
            let mut walked = MemPacket::with_room(256);
            walked.load(&frame, 0);
            let told = line.engine.explain(&line.table.view(), &mut walked, line.now, |_| {});
            let at = line.cookie;
            let (mut burst, mut gone) = (Burst::new(), Burst::new());
            load(&mut burst, std::slice::from_ref(&frame));
            let mut first = Last::default();
            let sent = line.engine.process(&line.table.view(), &mut burst, line.now, &mut gone, &mut first);
            line.leave(sent, &mut burst, &mut gone);
            line.release();
            line.cookie = at + 1;
            let (decision, left) = &first.0[&0];
            assert_eq!((&told, walked.data()), (decision, left.as_slice()));
        }
    }
}

#[test]
fn who_waits_is_told_so_and_where_it_went_in_the_end() {
    let mut line = Line::new();
    let mut steps = Vec::new();
    let later = fragment(1, 9, (24, 24, false));
    let mut walked = MemPacket::with_room(256);
    walked.load(&later, 0);
    line.engine.explain(&line.table.view(), &mut walked, line.now, |step| steps.push(step));
    assert!(matches!(steps[3], Step::Fragment(Following::Waits)), "{steps:?}");
    line.send(&[later]);
    assert_eq!(line.last.0[&0].0.verdict, Verdict::Held);
    line.send(&[fragment(1, 9, (0, 24, true))]);
    assert_eq!(line.last.0[&0].0.verdict, Verdict::Tx);
    assert_eq!(line.last.0[&0].0.real, line.last.0[&1].0.real);
}

#[test]
fn what_comes_before_its_first_when_the_shelf_is_full_is_refused() {
    let mut line = Line::new();
    let mut full = 0;
    for id in 0..600_u16 {
        line.send(&[fragment(2, id, (24, 24, false))]);
        full = line.engine.ledger().get(DropReason::FragmentFull);
    }
    assert_eq!(full, 600 - 512);
    line.now = Tick(8);
    line.send(&[]);
    line.engine.advance(line.now);
    line.release();
    assert_eq!(line.engine.ledger().get(DropReason::FragmentTimeout), 512);
    line.end();
}
