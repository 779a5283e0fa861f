//! What happens at the limits: a full table, and no room in front of the packet. Counted, never lost.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

mod common;

use common::{frame, load, table};
use counters::{DropReason, Event, Layout};
use engine::{Decision, Engine, FlowUse, NoObserver, Observer, Parsed, Verdict};
use flow::{ENTRIES_MIN, FlowTable};
use port::{BURST_MAX, Burst, MemPacket, Packet, Tick};
use service::RealNumber;

const ACK: u8 = 0x10;
const SYN: u8 = 0x02;

fn engine() -> Engine {
    Engine::new(
        0,
        1,
        FlowTable::new(ENTRIES_MIN, [5; 16]).unwrap(),
        Layout { services: 1, reals: 5, rules: 0 },
    )
}

#[derive(Default)]
struct Seen(Vec<(FlowUse, RealNumber)>);

impl Observer<MemPacket> for Seen {
    fn decided(&mut self, _: &MemPacket, _: Option<&Parsed>, decision: &Decision) {
        assert_eq!(decision.verdict, Verdict::Tx);
        self.0.push((decision.flow.unwrap(), decision.real.unwrap()));
    }
}

/// Sends one packet of each of 300 flows.
fn round(engine: &mut Engine, flags: u8) -> Vec<(FlowUse, RealNumber)> {
    let table = table(None);
    let (mut burst, mut gone, mut seen) = (Burst::new(), Burst::new(), Seen::default());
    let frames: Vec<Vec<u8>> = (0..300).map(|flow| frame(flow, flags)).collect();
    for piece in frames.chunks(BURST_MAX) {
        load(&mut burst, piece);
        engine.process(&table.view(), &mut burst, Tick(0), &mut gone, &mut seen);
        burst.drain();
    }
    seen.0
}

#[test]
fn a_table_full_of_established_flows_forwards_new_ones_by_hash_and_counts_them() {
    let mut engine = engine();
    engine.adopt(&table(None).view());
    let first = round(&mut engine, ACK);
    let (inserted, stateless) =
        (engine.ledger().get(Event::FlowInsert), engine.ledger().get(Event::FlowStatelessFull));
    assert_eq!(inserted + stateless, 300);
    assert!(stateless > 200, "{stateless}");
    let second = round(&mut engine, ACK);
    assert_eq!(engine.ledger().get(Event::FlowHit), inserted, "those that were put in are there");
    for ((was, real), (is, again)) in first.iter().zip(&second) {
        assert_eq!(real, again, "with or without an entry, a flow has one real");
        assert_eq!(*was == FlowUse::New, *is == FlowUse::Hit);
    }
}

#[test]
fn embryonic_flows_give_way_and_are_counted() {
    let mut engine = engine();
    engine.adopt(&table(None).view());
    round(&mut engine, SYN);
    let ledger = engine.ledger();
    assert_eq!(ledger.get(Event::FlowInsert), 300);
    assert_eq!(ledger.get(Event::FlowStatelessFull), 0);
    assert_eq!(ledger.get(Event::FlowEvict) + engine.occupancy().0 as u64, 300);
}

#[test]
fn a_packet_without_room_in_front_is_dropped_for_that_reason() {
    let mut engine = engine();
    let table = table(None);
    engine.adopt(&table.view());
    let (mut burst, mut gone) = (Burst::new(), Burst::new());
    let mut packet = MemPacket::with_room(256);
    packet.load(&[0; 60], 0);
    // The headers begin where the buffer does.
    let bytes = frame(1, ACK);
    packet.truncate(0);
    packet.prepend(port::HEADROOM).unwrap();
    packet.data_mut().get_mut(..bytes.len()).unwrap().copy_from_slice(&bytes);
    burst.push(packet).unwrap();
    engine.process(&table.view(), &mut burst, Tick(0), &mut gone, &mut NoObserver);
    assert_eq!((burst.len(), gone.len()), (0, 1));
    assert_eq!(engine.ledger().get(DropReason::NoHeadroom), 1);
    assert_eq!(engine.ledger().balance(), Ok(()));
}
