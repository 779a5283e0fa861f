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
        Engine::new(0, 1, FlowTable::new(2048, [5; 16]).unwrap(), Layout { services: 1, reals: 5 });
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
