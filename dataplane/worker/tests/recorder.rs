//! The last verdicts of a worker stand in its recorder, also after it broke off, and while it works.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of a test fail as the test does"
)]

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use std::collections::HashMap;

use counters::{Counter, DropReason, Event, Layout, PuntReason};
use engine::{Engine, FlowUse, Observer};
use flow::FlowTable;
use port::{BURST_MAX, Burst, MemPacket, Tick};
use service::{RealNumber, ServiceNumber};
use wire::{Family, FiveTuple, Parsed};
use worker::{Client, RECORDS, Recorder};

/// Takes frames through an engine and records them.
fn record(recorder: &mut Recorder, frames: &[Vec<u8>]) {
    let table = common::table(None);
    let flows = FlowTable::new(4096, [5; 16]).unwrap();
    let mut engine = Engine::new(0, 1, flows, Layout { services: 1, reals: 5, rules: 0 });
    engine.adopt(&table.view());
    let (mut burst, mut gone) = (Burst::new(), Burst::new());
    for piece in frames.chunks(BURST_MAX) {
        common::load(&mut burst, piece);
        engine.process(&table.view(), &mut burst, Tick(0), &mut gone, recorder);
        burst.drain();
        gone.drain();
    }
}

#[test]
fn each_packet_leaves_its_verdict_and_who_sent_it() {
    let mut recorder = Recorder::default();
    let mut wrong_port = common::frame(7, 0x10);
    wrong_port[37] = 81;
    let arp = [&[0xff; 6][..], &[2, 0, 0, 0, 0, 9, 8, 6], &[0; 46]].concat();
    let frames =
        [common::frame(0x01_02_03, 0x10), common::frame(0x01_02_03, 0x10), wrong_port, arp, vec![2; 9]];
    record(&mut recorder, &frames);
    let records = recorder.tape().records();
    let counters: Vec<Counter> = records.iter().map(|record| record.counter).collect();
    let tx = Counter::from(Event::Tx);
    let drops = [DropReason::NoService, DropReason::Truncated].map(Counter::from);
    assert_eq!(counters, [tx, tx, drops[0], PuntReason::NotIp.into(), drops[1]]);
    let flows: Vec<Option<FlowUse>> = records.iter().map(|record| record.flow).collect();
    assert_eq!(flows, [Some(FlowUse::New), Some(FlowUse::Hit), None, None, None]);
    let first = records[0];
    assert_eq!(first.client, Client::V4([10, 1, 2, 3].into()));
    assert_eq!((first.client_port, first.port), (1024, 80));
    assert_eq!((first.service, first.real.is_some()), (Some(ServiceNumber::FIRST), true));
    assert_eq!((records[2].service, records[2].real, records[2].port), (None, None, 81));
    assert_eq!(records[3].client, Client::Unknown, "what stood there before was another packet's");
    assert_eq!(records[4].client, Client::Unknown);
}

#[test]
fn the_last_ones_stay_and_the_tape_outlives_the_worker() {
    let mut recorder = Recorder::default();
    let tape = recorder.tape();
    assert!(tape.records().is_empty());
    let frames: Vec<Vec<u8>> = (0..3000).map(|flow| common::frame(flow, 0x10)).collect();
    record(&mut recorder, &frames);
    drop(recorder);
    let clients: Vec<Client> = tape.records().iter().map(|record| record.client).collect();
    let expected =
        (3000 - u32::try_from(RECORDS).unwrap()..3000).map(|flow| Client::V4((0x0a00_0000 | flow).into()));
    assert_eq!(clients, expected.collect::<Vec<_>>());
}

#[test]
fn an_ipv6_client_is_told_from_every_ipv4_client() {
    let mut recorder = Recorder::default();
    let mut source = [0; 16];
    (source[0], source[15]) = (0x20, 0x07);
    let tuple = FiveTuple { source, family: Family::V6, source_port: 9, ..FiveTuple::default() };
    let decision = engine::Decision { real: Some(RealNumber::FIRST), ..engine::Decision::PENDING };
    let parsed = Parsed { tuple, tail: tuple.tail(), ..Parsed::EMPTY };
    recorder.decided(&MemPacket::with_room(10), Some(&parsed), &decision);
    Observer::<MemPacket>::burst(&mut recorder);
    let records = recorder.tape().records();
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].client, records[0].client_port), (Client::V6([0x20, 0, 0, 0, 0, 0, 0, 7]), 9));
}

/// What is read while another thread writes is of packets that were sent: both words are of one.
#[test]
fn a_reader_sees_whole_records() {
    let frames: Vec<Vec<u8>> = (0..1000).map(|flow| common::frame(flow, 0x10)).collect();
    let mut recorder = Recorder::default();
    let tape = recorder.tape();
    record(&mut recorder, &frames);
    let reals: HashMap<String, RealNumber> =
        tape.records().iter().map(|record| (format!("{:?}", record.client), record.real.unwrap())).collect();
    assert_eq!(reals.len(), 1000);
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for _ in 0..40 {
                record(&mut recorder, &frames);
            }
        });
        let mut seen = 0;
        while !writer.is_finished() || seen == 0 {
            for record in tape.records() {
                assert_eq!(record.counter, Event::Tx.into());
                assert_eq!(
                    record.real,
                    reals.get(&format!("{:?}", record.client)).copied(),
                    "of two packets"
                );
                seen += 1;
            }
        }
    });
}
