//! Answers to packets that do not fit the tunnel: how many a second, and what becomes of the rest.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step is a failed test")]

mod common;

use counters::{DropReason, Event, Layout};
use engine::{Engine, NoObserver};
use flow::FlowTable;
use port::{Burst, MemPacket, Packet, Tick};

fn too_big() -> MemPacket {
    let mut packet = MemPacket::with_room(2048);
    packet.load(&common::too_big(1), 0);
    packet
}

#[test]
fn a_flood_of_them_gets_a_thousand_answers_a_second_and_the_rest_are_counted() {
    let table = common::table(None);
    let view = table.view();
    let mut engine = Engine::new(0, 1, FlowTable::new(64, [1; 16]).unwrap(), Layout::default());
    engine.adopt(&view);
    let mut answers = |now: u64| {
        let (mut burst, mut gone) = (Burst::new(), Burst::new());
        let mut sent = 0;
        for _ in 0..2000 {
            burst.push(too_big()).unwrap();
            let told = engine.process(&view, &mut burst, Tick(now), &mut gone, &mut NoObserver);
            let bytes: usize = burst.as_slice().iter().map(Packet::total_len).sum();
            assert_eq!(told.bytes, bytes as u64);
            assert_eq!(burst.len() + gone.len(), 1);
            sent += burst.len() as u64;
            engine.ledger_mut().add(Event::Tx, burst.len() as u64);
            burst.drain();
            gone.drain();
        }
        sent
    };
    assert_eq!(answers(8), 1000);
    assert_eq!(answers(8), 0);
    assert_eq!(answers(9), 125);
    let ledger = engine.ledger();
    assert_eq!(ledger.get(DropReason::TunnelMtu), 6000);
    assert_eq!((ledger.get(Event::Made), ledger.get(Event::TooBigAnswered)), (1125, 1125));
    assert_eq!(ledger.get(Event::TooBigLimited), 6000 - 1125);
    assert_eq!(ledger.balance(), Ok(()));
}
