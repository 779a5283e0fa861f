//! Services that are keyed by source: one client, one real, whatever becomes of the pool.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

mod common;

use common::{frame, keyed_blueprint, load, portless_frame};
use counters::{DropReason, Event, Layout};
use engine::{Decision, Engine, Observer, Parsed};
use flow::FlowTable;
use port::{Burst, MemPacket, Tick};
use service::{Aligned, Blueprint, Generation, RealState, Table};

/// The real of each packet.
#[derive(Default)]
struct Reals(Vec<Option<u32>>);

impl Observer<MemPacket> for Reals {
    fn decided(&mut self, _: &MemPacket, _: Option<&Parsed>, decision: &Decision) {
        self.0.push(decision.real.map(|real| real.get()));
    }
}

struct Lab {
    engine: Engine,
    table: Table<Aligned>,
    plan: Blueprint,
    now: u64,
}

impl Lab {
    fn new(new_flows_rate_max: Option<u32>) -> Self {
        let plan = keyed_blueprint(new_flows_rate_max);
        let layout = Layout { services: 4, reals: 5, rules: 0 };
        let engine = Engine::new(0, 1, FlowTable::new(2048, [5; 16]).unwrap(), layout);
        let mut lab = Self { engine, table: made(&plan), plan, now: 0 };
        lab.switch(|_| {});
        lab
    }

    /// Another table comes into force.
    fn switch(&mut self, change: impl Fn(&mut Blueprint)) {
        change(&mut self.plan);
        self.table = made(&self.plan);
        self.engine.adopt(&self.table.view());
    }

    fn send(&mut self, frames: &[Vec<u8>]) -> Vec<Option<u32>> {
        let (mut burst, mut gone, mut reals) = (Burst::new(), Burst::new(), Reals::default());
        load(&mut burst, frames);
        self.engine.process(&self.table.view(), &mut burst, Tick(self.now), &mut gone, &mut reals);
        reals.0
    }

    fn one(&mut self, frame: Vec<u8>) -> u32 {
        self.send(&[frame])[0].unwrap()
    }

    fn count(&self, event: Event) -> u64 {
        self.engine.ledger().get(event)
    }
}

fn made(plan: &Blueprint) -> Table<Aligned> {
    service::build(plan, Generation::default()).unwrap().table().unwrap()
}

fn esp(client: u8, spi: u8) -> Vec<u8> {
    portless_frame(client, 50, [0, 0, 1, spi, 0, 0, 0, 1])
}

/// IKE: from one port to the other, with no data.
fn udp(client: u8, port: u16) -> Vec<u8> {
    let [a, b] = port.to_be_bytes();
    portless_frame(client, 17, [a, b, a, b, 0, 8, 0, 0])
}

/// The pool chooses the other way around: all but one real weigh nothing.
fn only(real: usize) -> impl Fn(&mut Blueprint) {
    move |plan| {
        for (place, member) in plan.pools[0].members.iter_mut().enumerate() {
            member.weight = u32::from(place == real) * 100;
        }
    }
}

#[test]
fn what_one_client_does_stays_on_one_real_when_the_pool_changes() {
    let mut lab = Lab::new(None);
    // The same network of 28 bits: 10.0.0.16 to 10.0.0.31.
    let first = lab.one(udp(17, 500));
    for frame in [esp(17, 1), esp(30, 2), udp(31, 4500), portless_frame(16, 132, [0; 8]), frame(20, 0x10)] {
        assert_eq!(lab.one(frame), first);
    }
    assert_eq!(
        (lab.count(Event::FlowInsert), lab.count(Event::FlowAffinity)),
        (6, 0),
        "no second packet yet"
    );
    lab.one(udp(17, 500));
    assert_eq!(lab.count(Event::FlowInsert), 7, "the client too");
    // No table chooses the client's real any more, and neither another association nor another protocol moves.
    let other = (first as usize) % 4;
    lab.switch(only(other));
    for frame in [esp(17, 9), udp(25, 4500), portless_frame(18, 47, [0; 8]), frame(21, 0x02)] {
        assert_eq!(lab.one(frame), first);
    }
    assert_eq!(lab.count(Event::FlowAffinity), 4);
    let stranger = lab.one(esp(32, 1));
    assert_eq!(stranger as usize, other + 1, "the next network is another client");
}

#[test]
fn a_client_is_kept_as_long_as_one_of_its_flows_speaks() {
    let mut lab = Lab::new(None);
    let first = lab.one(esp(1, 1));
    lab.one(esp(1, 1));
    lab.switch(only(first as usize % 4));
    // For far longer than the sixty seconds that an established flow may be silent here.
    for _ in 0..200 {
        lab.now += 60;
        assert_eq!(lab.one(esp(1, 1)), first);
    }
    assert_eq!(lab.one(udp(1, 500)), first);
    lab.now += 481;
    assert_ne!(lab.one(udp(1, 500)), first, "forgotten");
}

#[test]
fn a_client_leaves_a_real_that_is_down_or_failed_for_good_and_stays_with_one_that_drains() {
    for (state, stays) in [(RealState::Down, false), (RealState::Failed, false), (RealState::Drain, true)] {
        let mut lab = Lab::new(None);
        let first = lab.one(esp(1, 1));
        lab.one(esp(1, 1));
        lab.switch(|plan| plan.reals[first as usize - 1].state = state);
        let then = lab.one(udp(1, 500));
        assert_eq!(then == first, stays, "{state:?}");
        assert_eq!(lab.one(esp(1, 1)), then);
        assert_eq!(lab.count(Event::FlowMoved), u64::from(!stays));
        // It comes back, and what was moved stays where it went.
        lab.switch(|plan| plan.reals[first as usize - 1].state = RealState::Up);
        lab.switch(only(first as usize - 1));
        assert_eq!((lab.one(esp(1, 2)), lab.one(esp(1, 1))), (then, then));
    }
}

#[test]
fn a_flood_of_first_packets_enters_no_client() {
    let mut lab = Lab::new(None);
    for client in 0..200 {
        lab.send(&[frame(client << 8, 0x02), frame(client << 8, 0x02)]);
    }
    assert_eq!(lab.count(Event::FlowInsert), 200, "flows, and nothing beside them");
}

#[test]
fn what_no_service_takes_is_dropped_as_before() {
    let mut lab = Lab::new(None);
    lab.switch(|plan| plan.services.retain(|service| service.protocol == 50));
    assert_eq!(lab.send(&[portless_frame(1, 132, [0; 8]), udp(1, 500), esp(1, 1)])[..2], [None, None]);
    let ledger = lab.engine.ledger();
    assert_eq!((ledger.get(DropReason::Protocol), ledger.get(DropReason::NoService)), (1, 1));
}

#[test]
fn bursts_of_one_and_of_many_end_alike() {
    let frames: Vec<Vec<u8>> = (0..60)
        .map(|at: u8| match at % 5 {
            0 => udp(at % 7 * 16, 500),
            1 => esp(at % 7 * 16 + 1, at % 3),
            2 => portless_frame(at % 7 * 16 + 2, 47, [0; 8]),
            3 => frame(u32::from(at % 7) * 16, 0x10),
            _ => udp(at % 7 * 16 + 3, 4500),
        })
        .collect();
    let (mut together, mut alone) = (Lab::new(Some(40)), Lab::new(Some(40)));
    let apart: Vec<_> = frames.iter().flat_map(|frame| alone.send(std::slice::from_ref(frame))).collect();
    assert_eq!(together.send(&frames), apart);
    assert_eq!(together.engine.ledger(), alone.engine.ledger());
}
