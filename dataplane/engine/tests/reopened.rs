//! Another connection on the ports of one that is closing: it is the same entry of the flow table, and a new flow to
//! whoever drains a real.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step is a failed test")]

mod common;

use counters::{Event, Layout};
use engine::{Decision, Engine, Observer, Parsed};
use flow::FlowTable;
use port::{Burst, MemPacket, Tick};
use service::{Generation, RealNumber, RealState};

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const FIN: u8 = 0x11;
const FLOWS: u32 = 200;

struct Reals(Vec<RealNumber>);

impl Observer<MemPacket> for Reals {
    fn decided(&mut self, _: &MemPacket, _: Option<&Parsed>, decision: &Decision) {
        self.0.extend(decision.real);
    }
}

struct Bench(Engine);

impl Bench {
    fn new() -> Self {
        Self(Engine::new(
            0,
            1,
            FlowTable::new(1024, [5; 16]).unwrap(),
            Layout { services: 1, reals: 5, rules: 0 },
        ))
    }

    /// Each flow sends one such packet, and the reals they go to.
    fn send(&mut self, table: &service::Table<service::Aligned>, flags: u8, now: u64) -> Vec<RealNumber> {
        let (mut burst, mut gone, mut reals) = (Burst::new(), Burst::new(), Reals(Vec::new()));
        for flow in 0..FLOWS {
            common::load(&mut burst, &[common::frame(flow, flags)]);
            self.0.process(&table.view(), &mut burst, Tick(now), &mut gone, &mut reals);
            self.0.ledger_mut().add(Event::Tx, burst.drain().count() as u64);
        }
        reals.0
    }
}

#[test]
fn a_draining_real_gets_no_other_connection_of_an_old_client() {
    let drained = RealNumber::new(2).unwrap();
    let mut changed = common::blueprint(None);
    let real = changed.reals.iter_mut().find(|real| real.number == drained).unwrap();
    real.state = RealState::Drain;
    let before = common::table(None);
    let after = service::build(&changed, Generation::default()).unwrap().table().unwrap();
    // The connection ends before the drain, after it, or does not end.
    for (closes_at, is_closed) in [(1, true), (3, true), (9, false)] {
        let mut bench = Bench::new();
        bench.0.adopt(&before.view());
        let reals = bench.send(&before, ACK, 0);
        let own = reals.iter().filter(|real| **real == drained).count();
        assert!(own > 10);
        if closes_at == 1 {
            bench.send(&before, FIN, 1);
        }
        bench.0.adopt(&after.view());
        let still = bench.send(&after, ACK, 2);
        assert_eq!(still, reals, "a drain moves no flow");
        if closes_at == 3 {
            assert_eq!(bench.send(&after, FIN, 3), reals, "nor does its end");
        }
        let again = bench.send(&after, SYN, 4);
        let moved = reals.iter().zip(&again).filter(|(old, new)| old != new);
        assert!(moved.clone().all(|(old, new)| *old == drained && *new != drained));
        assert_eq!(moved.count(), if is_closed { own } else { 0 });
        // It is there that the new connection stays.
        assert_eq!(bench.send(&after, ACK, 5), again);
        let ledger = bench.0.ledger();
        assert_eq!((ledger.get(Event::FlowInsert), ledger.get(Event::FlowMoved)), (u64::from(FLOWS), 0));
        assert_eq!(ledger.balance(), Ok(()));
    }
}

#[test]
fn a_real_that_takes_new_flows_keeps_its_old_client() {
    let table = common::table(None);
    let mut bench = Bench::new();
    bench.0.adopt(&table.view());
    let reals = bench.send(&table, ACK, 0);
    bench.send(&table, FIN, 1);
    assert_eq!(bench.send(&table, SYN, 2), reals);
}
