//! Connections of QUIC across switches of tables: configurations come, go and change places, ids are given to others, reals
//! go and come back, and what anybody may make up moves no flow.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

mod common;
#[path = "common/ids.rs"]
mod ids;

use counters::{Event, Layout};
use engine::{Decision, Engine, FlowUse, Observer, Parsed, Verdict};
use flow::FlowTable;
use ids::{built, ids, quic_blueprint, quic_error, quic_frame, quic_short, tcp_error};
use port::{Burst, MemPacket, Tick};
use service::{Aligned, Blueprint, RealNumber, RealState, Table};

/// Ids of the reals 1 to 4 as servers make them (draft-ietf-quic-load-balancers-21 §5.4.2), computed by `golden/quic.py`:
/// `Ids(rotation, 2, 6, bytes([key] * 16)).make(server_id, bytes(range(1, 7)))`. Rotation 1 under a key of sevens.
const SEVENS: [[u8; 9]; 4] = [
    [0x35, 0x22, 0x70, 0x74, 0xd8, 0xd9, 0xce, 0x6b, 0xe5],
    [0x35, 0x41, 0xc2, 0xb6, 0x62, 0xfe, 0x7c, 0x66, 0x8f],
    [0x35, 0xea, 0x71, 0xfa, 0x95, 0x58, 0x47, 0x27, 0xb0],
    [0x35, 0x79, 0x91, 0x71, 0x80, 0x6c, 0x3b, 0x57, 0x05],
];
/// Rotation 2 under a key of nines.
const NINES: [[u8; 9]; 4] = [
    [0x55, 0xb4, 0xbc, 0x6c, 0x15, 0x09, 0xb0, 0x56, 0xd2],
    [0x55, 0xcb, 0x45, 0x06, 0xe8, 0x0e, 0x81, 0x9f, 0x48],
    [0x55, 0x52, 0xe0, 0x77, 0xf1, 0x5e, 0xe8, 0x35, 0xc7],
    [0x55, 0x80, 0x30, 0xe3, 0x0a, 0x50, 0x60, 0x38, 0xbc],
];

const FLOWS: u32 = 30;

#[derive(Default)]
struct Last(Option<Decision>);

impl Observer<MemPacket> for Last {
    fn decided(&mut self, _: &MemPacket, _: Option<&Parsed>, decision: &Decision) {
        self.0 = Some(*decision);
    }
}

/// An engine and the table in force.
struct Bench {
    engine: Engine,
    table: Table<Aligned>,
}

impl Bench {
    fn new(plan: &Blueprint) -> Self {
        let flows = FlowTable::new(1024, [5; 16]).unwrap();
        let mut engine = Engine::new(0, 1, flows, Layout { services: 1, reals: 5, rules: 0 });
        let table = table(plan);
        engine.adopt(&table.view());
        Self { engine, table }
    }

    fn switch(&mut self, plan: &Blueprint) {
        self.table = table(plan);
        self.engine.adopt(&self.table.view());
    }

    fn send(&mut self, frame: Vec<u8>) -> (u32, FlowUse) {
        let (mut burst, mut gone, mut last) = (Burst::new(), Burst::new(), Last::default());
        common::load(&mut burst, &[frame]);
        self.engine.process(&self.table.view(), &mut burst, Tick(0), &mut gone, &mut last);
        let sent = burst.drain().count() as u64;
        self.engine.ledger_mut().add(Event::Tx, sent);
        let decision = last.0.unwrap();
        assert_eq!(decision.verdict, Verdict::Tx);
        (decision.real.unwrap().get(), decision.flow.unwrap())
    }

    /// The real of a packet with that id.
    fn by_id(&mut self, flow: u32, id: &[u8]) -> u32 {
        self.send(quic_short(flow, id)).0
    }

    /// The real of a packet whose id names nobody.
    fn by_flow(&mut self, flow: u32) -> u32 {
        self.send(quic_frame(flow, (7, 0), true, 0)).0
    }

    /// The real of an error about the flow that quotes that source id.
    fn by_error(&mut self, flow: u32, source: &[u8]) -> u32 {
        self.send(quic_error(flow, source)).0
    }

    fn moved(&self) -> u64 {
        assert_eq!(self.engine.ledger().balance(), Ok(()));
        self.engine.ledger().get(Event::FlowMoved)
    }
}

fn table(plan: &Blueprint) -> Table<Aligned> {
    built(&Blueprint { new_flows_rate_max: None, ..plan.clone() })
}

/// The plan with that real in another state.
fn with(plan: &Blueprint, real: u32, state: RealState) -> Blueprint {
    let mut plan = plan.clone();
    let number = RealNumber::new(real).unwrap();
    plan.reals.iter_mut().filter(|real| real.number == number).for_each(|real| real.state = state);
    plan
}

/// The clear id of a real.
const fn clear(real: u8) -> [u8; 9] {
    [0, 0, real, 1, 2, 3, 4, 5, 6]
}

#[test]
fn keys_change_while_connections_go_on() {
    let (old, new) = (ids(1, Some(7)), ids(2, Some(9)));
    // Each time the configurations have other places, and so other ciphers stand there.
    let plans = [
        quic_blueprint(std::slice::from_ref(&old)),
        quic_blueprint(&[ids(0, None), old.clone(), new.clone()]),
        quic_blueprint(&[old, new.clone()]),
        quic_blueprint(&[new]),
    ];
    let mut bench = Bench::new(&plans[0]);
    let homes: Vec<u32> = (0..FLOWS).map(|flow| bench.by_flow(flow)).collect();
    assert!((1..=4).all(|real| homes.contains(&real)), "{homes:?}");
    for (plan, knows_old, knows_new) in
        [(0, true, false), (1, true, true), (2, true, true), (3, false, true), (1, true, true)]
    {
        bench.switch(&plans[plan]);
        for (flow, home) in (0..FLOWS).zip(&homes) {
            for (real, at) in (1..).zip(0..4) {
                let expected = |is_known| if is_known { real } else { *home };
                assert_eq!(bench.by_id(flow, &SEVENS[at]), expected(knows_old), "table {plan}, flow {flow}");
                assert_eq!(bench.by_id(flow, &NINES[at]), expected(knows_new), "table {plan}, flow {flow}");
            }
            assert_eq!(bench.by_flow(flow), *home, "table {plan}");
        }
    }
    assert_eq!(bench.moved(), 0);
}

#[test]
fn an_id_that_is_given_to_another_real_leads_there_from_the_next_table_on() {
    let plan = quic_blueprint(&[ids(0, None)]);
    let mut given = ids(0, None);
    given.servers[0].1 = RealNumber::new(2).unwrap();
    let mut bench = Bench::new(&plan);
    let homes: Vec<u32> = (0..FLOWS).map(|flow| bench.by_flow(flow)).collect();
    // These have never sent but by an id.
    let led = FLOWS..2 * FLOWS;
    assert!(led.clone().all(|flow| bench.by_id(flow, &clear(1)) == 1 && bench.by_error(flow, &[]) == 1));
    bench.switch(&quic_blueprint(&[given]));
    for flow in led {
        assert_eq!(bench.by_error(flow, &clear(1)), 1, "until the next packet says otherwise");
        assert_eq!(bench.by_id(flow, &clear(1)), 2);
        assert_eq!(bench.by_error(flow, &[]), 2, "what only ids have led follows them");
    }
    for (flow, home) in (0..FLOWS).zip(homes) {
        assert_eq!(bench.by_id(flow, &clear(1)), 2);
        assert_eq!((bench.by_flow(flow), bench.by_error(flow, &clear(1))), (home, home));
    }
    assert_eq!(bench.moved(), 0);
}

#[test]
fn a_real_that_goes_down_and_comes_back_is_named_again_and_its_flows_have_moved_once() {
    let plan = quic_blueprint(&[ids(0, None)]);
    let mut bench = Bench::new(&plan);
    let homes: Vec<u32> = (0..FLOWS).map(|flow| bench.by_flow(flow)).collect();
    let led = FLOWS..2 * FLOWS;
    led.clone().for_each(|flow| assert_eq!(bench.by_id(flow, &clear(3)), 3));
    bench.switch(&with(&plan, 3, RealState::Down));
    let after: Vec<u32> = (0..2 * FLOWS).map(|flow| bench.by_id(flow, &clear(3))).collect();
    assert!(after.iter().all(|real| *real != 3));
    for (home, after) in homes.iter().zip(&after).filter(|(home, _)| **home != 3) {
        assert_eq!(home, after, "an id of a real that is down leaves the packet to its flow");
    }
    let moved = homes.iter().filter(|home| **home == 3).count() as u64 + u64::from(FLOWS);
    assert_eq!(bench.moved(), moved);
    bench.switch(&plan);
    for (flow, after) in (0..2 * FLOWS).zip(&after) {
        assert_eq!(bench.by_id(flow, &clear(3)), 3, "it is named again");
        assert_eq!(bench.by_flow(flow), *after, "and its flows stay where they are");
    }
    bench.switch(&with(&plan, 3, RealState::Drain));
    assert!((0..2 * FLOWS).all(|flow| bench.by_id(flow, &clear(3)) == 3), "what drains is named");
    assert_eq!(bench.moved(), moved);
}

#[test]
fn ids_are_read_from_one_table_on_and_no_more_from_another() {
    let (with_ids, without) = (quic_blueprint(&[ids(0, None)]), quic_blueprint(&[]));
    let mut bench = Bench::new(&without);
    let homes: Vec<u32> = (0..FLOWS).map(|flow| bench.by_id(flow, &clear(3))).collect();
    assert!(homes.iter().any(|home| *home != 3), "nobody looks at ids");
    bench.switch(&with_ids);
    let led = FLOWS..2 * FLOWS;
    led.clone().for_each(|flow| assert_eq!(bench.by_id(flow, &clear(2)), 2));
    for (flow, home) in (0..FLOWS).zip(&homes) {
        assert_eq!((bench.by_id(flow, &clear(3)), bench.by_flow(flow)), (3, *home));
    }
    bench.switch(&without);
    for flow in led {
        assert_eq!(bench.send(quic_short(flow, &clear(1))), (2, FlowUse::Hit), "where its ids had led it");
    }
    for (flow, home) in (0..FLOWS).zip(&homes) {
        assert_eq!(bench.by_id(flow, &clear(3)), *home);
    }
    assert_eq!(bench.moved(), 0);
}

#[test]
fn an_error_that_comes_first_after_a_switch_moves_nothing() {
    let plan = quic_blueprint(&[ids(0, None)]);
    let mut bench = Bench::new(&plan);
    let homes: Vec<u32> = (0..FLOWS).map(|flow| bench.by_flow(flow)).collect();
    bench.switch(&with(&plan, 3, RealState::Down));
    let orphans: Vec<u32> = (0..FLOWS).filter(|flow| homes[*flow as usize] == 3).collect();
    assert!(orphans.len() > 2);
    for flow in orphans.iter().copied() {
        // Whoever forges one chooses where it goes, and nothing else.
        assert_eq!((bench.by_error(flow, &clear(1)), bench.by_error(flow, &clear(2))), (1, 2));
        let next = bench.by_error(flow, &[]);
        assert_eq!(bench.by_flow(flow), next, "the hash chooses, as without the errors");
        assert_eq!(bench.by_error(flow, &clear(1)), next, "and from now on it is the flow's");
    }
    assert_eq!(bench.moved(), orphans.len() as u64);
}

#[test]
fn an_error_about_a_tcp_flow_whose_real_is_down_is_sent_on_and_moves_nothing() {
    let plan = common::blueprint(None);
    let mut bench = Bench::new(&plan);
    let orphan = (0..FLOWS).find(|flow| bench.send(common::frame(*flow, 0x10)).0 == 3).unwrap();
    bench.switch(&with(&plan, 3, RealState::Down));
    let next = bench.send(tcp_error(orphan)).0;
    assert_eq!((next == 3, bench.moved()), (false, 0));
    assert_eq!((bench.send(common::frame(orphan, 0x10)).0, bench.moved()), (next, 1));
    // As if it had never gone: its next packet is not asked for again.
    bench.switch(&plan);
    assert_eq!((bench.send(tcp_error(orphan)).0, bench.moved()), (next, 1));
}
