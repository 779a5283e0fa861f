//! What may have met another worker than its flow looks for it at the others: errors about flows, and first fragments.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

mod common;

use common::{error_about, fragment, load, udp_table};
use counters::{Event, Layout};
use engine::{Decision, Engine, FlowUse, Observer, Parsed, Stay, Verdict};
use flow::FlowTable;
use port::{Burst, MemPacket, Tick};
use service::{Aligned, Blueprint, Generation, RealState, Table};

#[derive(Default)]
struct Seen(Vec<Decision>);

impl Observer<MemPacket> for Seen {
    fn decided(&mut self, _: &MemPacket, _: Option<&Parsed>, decision: &Decision) {
        self.0.push(*decision);
    }
}

/// Two workers beside one another.
struct Pair {
    engines: [Engine; 2],
    table: Table<Aligned>,
}

fn table(change: impl FnOnce(&mut Blueprint)) -> Table<Aligned> {
    let mut plan = common::blueprint(None);
    plan.services[0].protocol = 17;
    change(&mut plan);
    service::build(&plan, Generation::default()).unwrap().table().unwrap()
}

impl Pair {
    fn new() -> Self {
        let layout = Layout { services: 1, reals: 5, rules: 0 };
        let mut engines =
            [0, 1].map(|worker| Engine::new(worker, 2, FlowTable::new(2048, [5; 16]).unwrap(), layout));
        let readers = [engines[0].flows(), engines[1].flows()];
        let [first, second] = readers;
        engines[0].beside(0, 2, vec![second]);
        engines[1].beside(1, 2, vec![first]);
        let mut pair = Self { engines, table: udp_table() };
        pair.switch(udp_table());
        pair
    }

    fn switch(&mut self, table: Table<Aligned>) {
        self.table = table;
        self.engines.iter_mut().for_each(|engine| engine.adopt(&self.table.view()));
    }

    /// One packet at a worker; gives what was decided there.
    fn send(&mut self, worker: usize, frame: &[u8], now: u64) -> Decision {
        let (mut burst, mut gone, mut seen) = (Burst::new(), Burst::new(), Seen::default());
        load(&mut burst, &[frame.to_vec()]);
        let view = self.table.view();
        self.engines[worker].process(&view, &mut burst, Tick(now), &mut gone, &mut seen);
        seen.0[0]
    }

    fn count(&self, worker: usize, event: Event) -> u64 {
        self.engines[worker].ledger().get(event)
    }

    /// A datagram of that flow that the worker knows of itself.
    fn own(&mut self, worker: usize, flow: u32) -> Vec<u8> {
        let own = (0..64).map(|id| fragment(flow, id, (0, 24, true)));
        let mut own = own.filter(|frame| {
            let mut packet = MemPacket::with_room(256);
            packet.load(frame, 0);
            let view = self.table.view();
            self.engines[worker].explain(&view, &mut packet, Tick(0), |_| {}).verdict == Verdict::Tx
        });
        own.next().unwrap()
    }
}

#[test]
fn an_error_goes_where_the_flow_of_another_worker_goes() {
    let mut pair = Pair::new();
    let first = pair.own(0, 3);
    let sent = pair.send(0, &first, 0);
    assert_eq!((sent.verdict, sent.flow), (Verdict::Tx, Some(FlowUse::New)));
    // The pool is another now, so that its hash may lead elsewhere.
    let real = sent.real.unwrap();
    pair.switch(table(|plan| plan.pools[0].members.retain(|member| member.real != real)));
    let error = pair.send(1, &error_about(3), 1);
    assert_eq!((error.real, error.flow), (Some(real), Some(FlowUse::Hit)));
    assert_eq!((pair.count(1, Event::LookAround), pair.count(1, Event::LookCopied)), (1, 0));
    assert_eq!((pair.count(1, Event::FlowHit), pair.count(1, Event::IcmpFollowed)), (1, 1));
    // Of no flow it goes by hash, and none is made.
    let stray = pair.send(1, &error_about(4), 1);
    assert_eq!((stray.verdict, stray.flow), (Verdict::Tx, Some(FlowUse::Stateless)));
}

#[test]
fn a_first_fragment_finds_its_flow_and_leaves_a_copy() {
    let mut pair = Pair::new();
    let (here, there) = (pair.own(0, 3), pair.own(1, 3));
    let real = pair.send(0, &here, 0).real;
    pair.switch(table(|plan| plan.pools[0].members.retain(|member| Some(member.real) != real)));
    let second = pair.send(1, &there, 1);
    assert_eq!((second.real, second.flow), (real, Some(FlowUse::Hit)));
    assert_eq!((pair.count(1, Event::LookCopied), pair.count(1, Event::FlowInsert)), (1, 0));
    assert_eq!(pair.engines[1].occupancy().0, 1);
    // The next one asks nobody.
    let again = pair.send(1, &there, 20);
    assert_eq!((again.real, pair.count(1, Event::LookAround)), (real, 1));
}

#[test]
fn a_flow_whose_real_is_down_moves_wherever_it_is_met() {
    let mut pair = Pair::new();
    let (here, there) = (pair.own(0, 3), pair.own(1, 3));
    let real = pair.send(0, &here, 0).real.unwrap();
    pair.switch(table(|plan| {
        plan.reals
            .iter_mut()
            .filter(|spec| spec.number == real)
            .for_each(|spec| spec.state = RealState::Down);
    }));
    let moved = pair.send(1, &there, 1);
    assert!(moved.verdict == Verdict::Tx && moved.real != Some(real));
    assert_eq!((pair.count(1, Event::FlowMoved), pair.count(1, Event::LookCopied)), (1, 1));
}

#[test]
fn a_fragment_of_anothers_datagram_is_handed_over_and_never_on() {
    let mut pair = Pair::new();
    let frame = pair.own(1, 3);
    let decision = pair.send(0, &frame, 0);
    assert_eq!(decision.verdict, Verdict::Handed);
    assert_eq!(pair.engines[0].held()[0].stay, Stay::Mate(1));
    // Whoever it was handed to keeps it, whatever the datagram says.
    let mine = pair.own(0, 5);
    pair.engines[1].arrive_by(0, true);
    assert_eq!(pair.send(1, &mine, 0).verdict, Verdict::Tx);
    assert_eq!((pair.count(1, Event::HandIn), pair.count(1, Event::Rx)), (1, 0));
}

#[test]
fn looks_are_limited() {
    let mut pair = Pair::new();
    for flow in 0..20_100_u32 {
        pair.send(0, &error_about(flow % 20_000), 0);
    }
    assert_eq!((pair.count(0, Event::LookAround), pair.count(0, Event::LookLimited)), (20_000, 100));
    pair.send(0, &error_about(1), 8);
    assert_eq!(pair.count(0, Event::LookAround), 20_001, "a second later it is open");
}
