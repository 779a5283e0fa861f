//! How many packets are taken together changes nothing that is counted: not under eviction, not while the
//! sweep works, not in a table that is crowded. (A sweep paid per burst once lagged by their number.)

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

mod common;

use common::{frame, load, table};
use counters::{Counter, Event, Layout, Ledger};
use engine::{Engine, NoObserver};
use flow::FlowTable;
use port::{Burst, Tick};

fn counted(burst_max: usize) -> Ledger {
    let table = table(Some(450));
    let mut engine =
        Engine::new(0, 1, FlowTable::new(2048, [5; 16]).unwrap(), Layout { services: 1, reals: 5, rules: 0 });
    engine.adopt(&table.view());
    let (mut burst, mut gone) = (Burst::new(), Burst::new());
    let mut flow = 0_u32;
    for tick in 0..600 {
        let packets: Vec<Vec<u8>> = (0..97)
            .map(|at| {
                flow += u32::from(at % 3 != 0);
                frame(flow % 9000, if flow.is_multiple_of(5) { 0x10 } else { 0x02 })
            })
            .collect();
        for piece in packets.chunks(burst_max) {
            load(&mut burst, piece);
            engine.process(&table.view(), &mut burst, Tick(tick), &mut gone, &mut NoObserver);
            let sent = burst.drain().count() as u64;
            engine.ledger_mut().add(Event::Tx, sent);
            gone.drain();
        }
    }
    engine.ledger().balance().unwrap();
    engine.ledger().clone()
}

/// Few flows that open, close and reopen all the time, several packets of one in a burst: the counters, and what
/// the table holds in the end.
fn closed_and_reopened(burst_max: usize) -> (Ledger, Vec<String>) {
    const FLAGS: [u8; 7] = [0x10, 0x10, 0x18, 0x11, 0x04, 0x02, 0x12];
    let table = table(None);
    let mut engine =
        Engine::new(0, 1, FlowTable::new(2048, [5; 16]).unwrap(), Layout { services: 1, reals: 5, rules: 0 });
    engine.adopt(&table.view());
    let (mut burst, mut gone) = (Burst::new(), Burst::new());
    let mut random = 1_u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    for tick in 0..800 {
        let packets: Vec<Vec<u8>> = (0..64)
            .map(|_| {
                let flags = *FLAGS.get(usize::try_from(next(7)).unwrap()).unwrap();
                frame(u32::try_from(next(40) + tick / 40 * 8).unwrap(), flags)
            })
            .collect();
        for piece in packets.chunks(burst_max) {
            load(&mut burst, piece);
            engine.process(&table.view(), &mut burst, Tick(tick), &mut gone, &mut NoObserver);
            let sent = burst.drain().count() as u64;
            engine.ledger_mut().add(Event::Tx, sent);
        }
    }
    engine.ledger().balance().unwrap();
    let mut flows: Vec<String> = engine.flows().flows().map(|flow| format!("{flow:?}")).collect();
    flows.sort();
    (engine.ledger().clone(), flows)
}

#[test]
fn flows_that_close_and_reopen_within_a_burst_end_as_they_do_one_by_one() {
    let one = closed_and_reopened(1);
    assert!(one.0.get(Event::FlowExpire) > 0 && one.1.len() > 20);
    for burst_max in [2, 7, 32, 64] {
        assert_eq!(closed_and_reopened(burst_max), one, "bursts of {burst_max}");
    }
}

#[test]
fn bursts_of_1_2_7_32_and_64_count_the_same() {
    let one = counted(1);
    for counter in
        [Event::FlowHit, Event::FlowInsert, Event::FlowExpire, Event::FlowEvict, Event::FlowStatelessGate]
    {
        assert!(one.get(counter) > 0, "the traffic does not move {}", Counter::from(counter).name());
    }
    for burst_max in [2, 7, 32, 64] {
        assert_eq!(counted(burst_max), one, "bursts of {burst_max}");
    }
}
