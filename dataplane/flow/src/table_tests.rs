use std::collections::HashMap;

use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use service::{RealNumber, ServiceNumber, Timeouts};
use wire::{Family, FiveTuple};

use super::{ENTRIES_MIN, FlowTable, Full, Inserted, Probe, SWEEP_TICKS};
use crate::{Epoch, Slot, State, Value};

const TIMEOUTS: Timeouts = Timeouts { syn: 80, established: 7_200, closing: 80, udp: 480 };

fn tuple(index: u32) -> FiveTuple {
    let mut tuple = FiveTuple { destination_port: 443, protocol: 6, ..FiveTuple::default() };
    tuple.source[..4].copy_from_slice(&index.to_be_bytes());
    if index.is_multiple_of(3) {
        tuple.family = Family::V6;
        tuple.source[12..].copy_from_slice(&index.to_le_bytes());
    }
    tuple
}

fn value(real: u32, state: State, now: u64) -> Value {
    Value::new(RealNumber::new(real).unwrap(), ServiceNumber::FIRST, Epoch::FIRST, state, now)
}

fn table(entries: usize) -> FlowTable {
    let mut table = FlowTable::new(entries, [7; 16]).unwrap();
    table.begin_epoch(TIMEOUTS, false);
    table
}

fn found(table: &mut FlowTable, index: u32) -> Option<u32> {
    let place = table.place(&tuple(index));
    match table.probe(place, Slot::NOWHERE) {
        Probe::Hit(_, value) => Some(value.real().get()),
        Probe::Expired | Probe::Miss => None,
    }
}

fn insert(table: &mut FlowTable, index: u32, state: State) -> Result<Inserted, Full> {
    let place = table.place(&tuple(index));
    let now = table.now();
    table.insert(place, &tuple(index), value(index % 1000, state, now))
}

#[test]
fn the_table_takes_nine_tenths_of_its_room_and_finds_every_flow() {
    let mut table = table(1 << 16);
    let count = u32::try_from(table.capacity() * 9 / 10).unwrap();
    for index in 0..count {
        assert_eq!(insert(&mut table, index, State::Established), Ok(Inserted::Free), "flow {index}");
    }
    assert_eq!(table.len(), count as usize);
    for index in 0..count {
        assert_eq!(found(&mut table, index), Some(index % 1000));
    }
    assert_eq!(found(&mut table, count), None);
}

#[test]
fn when_full_of_established_flows_it_refuses_and_loses_none() {
    let mut table = table(ENTRIES_MIN);
    let mut kept = Vec::new();
    for index in 0..1000 {
        match insert(&mut table, index, State::Established) {
            Ok(inserted) => {
                assert_eq!(inserted, Inserted::Free);
                kept.push(index);
            }
            Err(Full) => assert_eq!(found(&mut table, index), None),
        }
    }
    assert!(kept.len() >= ENTRIES_MIN * 9 / 10 && kept.len() <= ENTRIES_MIN, "{}", kept.len());
    assert!(kept.iter().all(|&index| found(&mut table, index) == Some(index % 1000)));
}

#[test]
fn a_flood_of_syns_evicts_syns_and_no_established_flow() {
    let mut table = table(1024);
    for index in 0..700 {
        assert!(insert(&mut table, index, State::Established).is_ok());
    }
    let evicted = (10_000..30_000)
        .filter(|&index| insert(&mut table, index, State::Embryonic) == Ok(Inserted::Evicted))
        .count();
    assert!(evicted > 10_000);
    assert!((0..700).all(|index| found(&mut table, index) == Some(index)));
}

#[test]
fn each_state_expires_after_its_own_silence_and_a_packet_renews_it() {
    let mut table = table(ENTRIES_MIN);
    for (index, state) in
        [(1, State::Embryonic), (2, State::Established), (3, State::Closing), (4, State::Udp)]
    {
        assert!(insert(&mut table, index, state).is_ok());
    }
    let alive = |table: &mut FlowTable, now| {
        table.advance(now);
        [1, 2, 3, 4].map(|index| found(table, index).is_some())
    };
    assert_eq!(alive(&mut table, 80), [true; 4]);
    assert_eq!(alive(&mut table, 81), [false, true, false, true]);
    let place = table.place(&tuple(4));
    let Probe::Hit(slot, old) = table.probe(place, Slot::NOWHERE) else { panic!() };
    table.update(slot, old, value(4, State::Udp, 81));
    assert_eq!(alive(&mut table, 81 + 480), [false, true, false, true]);
    assert_eq!(alive(&mut table, 82 + 480), [false, true, false, false]);
    assert_eq!(alive(&mut table, 7_201), [false; 4]);
    assert_eq!(table.len(), 0);
}

#[test]
fn the_sweep_covers_the_table_once_a_minute() {
    let mut table = table(4096);
    for index in 0..2000 {
        assert!(insert(&mut table, index, State::Embryonic).is_ok());
    }
    let removed: u64 = (1..=81 + SWEEP_TICKS).map(|now| table.advance(now)).sum();
    assert_eq!((removed, table.len()), (2000, 0));
}

#[test]
fn no_flow_outlives_its_silence_until_sixteen_bits_of_tick_come_around() {
    for step in [1, 7, 500, 20_000] {
        let mut table = table(4096);
        for index in 0..2000 {
            assert!(insert(&mut table, index, State::Established).is_ok());
        }
        let mut now = 0;
        while now < 1 << 16 {
            now += step;
            table.advance(now);
        }
        assert_eq!(table.len(), 0, "in steps of {step}");
    }
}

#[test]
fn after_a_silence_longer_than_any_timeout_nothing_is_remembered() {
    let mut table = table(ENTRIES_MIN);
    assert!(insert(&mut table, 1, State::Established).is_ok());
    assert_eq!(table.advance(1 << 16), 1, "16 bits of tick say no time has passed");
    assert_eq!(found(&mut table, 1), None);
}

#[test]
fn a_shortened_tag_matches_wrongly_and_the_whole_one_does_not() {
    let wrong = |found: usize, looked: u32| found as f64 / f64::from(looked);
    let mut short = FlowTable::<4>::new(1 << 12, [7; 16]).unwrap();
    let mut whole = table(1 << 12);
    for index in 0..2048 {
        let place = short.place(&tuple(index));
        if short.probe(place, Slot::NOWHERE) == Probe::Miss {
            let _ = short.insert(place, &tuple(index), value(1, State::Established, 0));
        }
        assert!(insert(&mut whole, index, State::Established).is_ok());
    }
    let strangers = 100_000..200_000u32;
    let matched = strangers.clone().filter(|&index| {
        let place = short.place(&tuple(index));
        matches!(short.probe(place, Slot::NOWHERE), Probe::Hit(..))
    });
    // About two flows in each of two buckets, each with a tag equal once in fifteen.
    let rate = wrong(matched.count(), 100_000);
    assert!((0.05..0.5).contains(&rate), "{rate}");
    assert_eq!(strangers.filter(|&index| found(&mut whole, index).is_some()).count(), 0);
}

#[test]
fn a_reader_on_another_thread_sees_only_flows_that_were_put_in() {
    let mut table = table(1 << 12);
    for index in 0..1000 {
        assert!(insert(&mut table, index, State::Established).is_ok());
    }
    let reader = table.reader();
    let walker = std::thread::spawn(move || {
        for _ in 0..20 {
            for flow in reader.flows() {
                let index = u32::from_be_bytes(*flow.tuple.source.first_chunk().unwrap());
                assert_eq!((flow.tuple, flow.value.real().get()), (tuple(index), index % 1000));
            }
        }
        reader.flows().filter(|flow| flow.value.state() == State::Established).count()
    });
    for index in 10_000..200_000 {
        let _ = insert(&mut table, index, State::Embryonic);
    }
    assert_eq!(walker.join().unwrap(), 1000);
}

#[test]
fn a_decision_of_many_tables_ago_is_marked_before_its_epoch_comes_again() {
    let mut table = table(ENTRIES_MIN);
    assert!(insert(&mut table, 1, State::Established).is_ok());
    let epoch = |table: &FlowTable| table.reader().flows().next().unwrap().value.epoch();
    for turn in 0..40_000u64 {
        table.begin_epoch(TIMEOUTS, false);
        assert!(turn == 0 || epoch(&table) != table.epoch(), "after {turn} tables");
        if turn % 4000 == 0 {
            table.advance(table.now() + SWEEP_TICKS / 2);
        }
    }
    assert_eq!(epoch(&table), Epoch::STALE);
}

#[test]
fn where_flows_are_asked_for_again_the_sweep_marks_each_and_a_client_is_no_flow() {
    let mut table = table(ENTRIES_MIN);
    assert!(insert(&mut table, 1, State::Established).is_ok());
    let client = FiveTuple { protocol: wire::protocol::RESERVED, ..tuple(2) };
    assert!(table.insert(table.place(&client), &client, value(3, State::Established, 0)).is_ok());
    let epochs =
        |table: &FlowTable| table.reader().flows().map(|flow| flow.value.epoch()).collect::<Vec<_>>();
    table.advance(table.now() + SWEEP_TICKS);
    assert_eq!(epochs(&table), [Epoch::FIRST]);
    table.begin_epoch(TIMEOUTS, true);
    table.advance(table.now() + SWEEP_TICKS);
    assert_eq!(epochs(&table), [Epoch::STALE]);
    assert_eq!((table.len(), table.reader().find(&client).is_some()), (2, true));
}

#[test]
fn the_key_stands_in_the_tables_own_memory() {
    let table = FlowTable::<64>::new(ENTRIES_MIN, *b"0123456789abcdef").unwrap();
    let header: Vec<_> = table.memory.hot[0].entries().collect();
    assert_eq!(header[0].tag().to_le_bytes(), *b"PNSTFLOW");
    assert_eq!(header[1].tag(), (ENTRIES_MIN / 4) as u64);
    assert_eq!(header[2].tag().to_le_bytes(), *b"01234567");
    assert_eq!(header[2].value().to_le_bytes(), *b"89abcdef");
}

#[test]
fn sizes_out_of_range_are_refused_with_the_range() {
    let error = FlowTable::<64>::new(3, [0; 16]).unwrap_err();
    assert_eq!(error.to_string(), "a flow table of 3 entries: give 64 to 1073741824");
}

#[derive(Clone, Debug)]
enum Step {
    Packet(u32, bool),
    Wait(u64),
}

proptest! {
    /// Against a map that never forgets anything too early: what the model says is alive and the table
    /// took, the table finds with the same real; what is expired, it does not.
    #[test]
    fn agrees_with_a_model(steps in proptest::collection::vec(prop_oneof![
        6 => (0u32..200, any::<bool>()).prop_map(|(index, udp)| Step::Packet(index, udp)),
        2 => (1u64..300).prop_map(Step::Wait),
    ], 1..300)) {
        let mut table = table(512);
        let mut model: HashMap<u32, Value> = HashMap::new();
        let mut serial = 0;
        for step in steps {
            match step {
                Step::Wait(ticks) => { let now = table.now() + ticks; table.advance(now); }
                Step::Packet(index, udp) => {
                    let now = table.now();
                    model.retain(|_, value| !value.is_expired(now, &TIMEOUTS.into()));
                    let place = table.place(&tuple(index));
                    let state = if udp { State::Udp } else { State::Established };
                    match table.probe(place, Slot::NOWHERE) {
                        Probe::Hit(slot, old) => {
                            assert_eq!(model.get(&index), Some(&old));
                            let new = old.touched(old.state(), now);
                            table.update(slot, old, new);
                            model.insert(index, new);
                        }
                        Probe::Expired | Probe::Miss => {
                            assert_eq!(model.get(&index), None);
                            serial += 1;
                            let new = value(serial, state, now);
                            if table.insert(place, &tuple(index), new).is_ok() {
                                model.insert(index, new);
                            }
                        }
                    }
                }
            }
        }
        let now = table.now();
        let alive = model.values().filter(|value| !value.is_expired(now, &TIMEOUTS.into())).count();
        let seen = table.reader().flows().filter(|flow| !flow.value.is_expired(now, &TIMEOUTS.into())).count();
        assert_eq!(seen, alive);
    }
}
