//! What a port refuses to send is counted as a drop with that reason, freed, and not as sent.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use std::sync::Arc;

use counters::{DropReason, Event, Layout};
use engine::{Engine, NoObserver};
use flow::FlowTable;
use port::{MemPacket, MemPort, MemSink, MemSource, Tick};
use shm::Region;
use worker::{Breath, Handover, Worker, tables};

const PACKETS: u32 = 100;
const BUFFERS: usize = 128;

struct Flows(u32);

impl MemSource for Flows {
    fn next_tick(&mut self) -> Option<Tick> {
        (self.0 < PACKETS).then_some(Tick(1))
    }

    fn load_next(&mut self, into: &mut MemPacket) {
        into.load(&common::frame(self.0, 0x10), 0);
        self.0 += 1;
    }
}

/// Takes so many, then no more.
struct Room(u64);

impl MemSink for Room {
    fn send(&mut self, _: &MemPacket) -> bool {
        let takes = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        takes
    }
}

#[test]
fn a_refused_transmission_is_a_counted_drop() {
    let layout = Layout { services: 1, reals: 5, rules: 0 };
    let region = Region::create(1, 1, 16, layout.words()).unwrap();
    let engine = Engine::new(0, 1, FlowTable::new(1024, [5; 16]).unwrap(), layout);
    let port = MemPort::new(BUFFERS, 256, Flows(0), Room(70));
    let (_sender, receiver) = tables(1);
    let table = Arc::new(common::table(None));
    let mut worker =
        Worker::new(port, engine, Handover::new(table, &[]), receiver, region.worker_side(0).unwrap());
    while worker.breathe(&mut NoObserver) != Breath::Idle {}
    let ledger = worker.ledger();
    assert_eq!((ledger.get(Event::Rx), ledger.get(Event::Tx)), (100, 70));
    assert_eq!(ledger.get(DropReason::TxRefused), 30);
    assert_eq!(ledger.get(Event::TxBytes), 70 * 74, "54 bytes and an outer header of 20");
    assert_eq!(ledger.balance(), Ok(()));
    assert_eq!(worker.port().free_buffers(), BUFFERS, "no packet is left in a hand");
}
