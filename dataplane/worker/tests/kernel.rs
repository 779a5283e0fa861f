//! A worker beside the kernel: what is punted crosses, what the kernel sends leaves, and what has no room is a
//! counted drop.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use std::sync::Arc;

use counters::{DropReason, Event, Layout, PuntReason};
use engine::{Engine, NoObserver};
use flow::FlowTable;
use port::{MemPacket, MemPort, MemSink, MemSource, Packet, Tick};
use shm::Region;
use worker::{Breath, Crossing, FerryEnd, Handover, Worker, kernel_rings, tables};

const BUFFERS: usize = 128;
const ROOM: usize = 16;

/// Frames for the VIP, for others, and of no IP, in turn.
struct Mixed {
    at: u32,
    end: u32,
}

impl MemSource for Mixed {
    fn next_tick(&mut self) -> Option<Tick> {
        (self.at < self.end).then_some(Tick(1))
    }

    fn load_next(&mut self, into: &mut MemPacket) {
        let mut frame = common::frame(self.at, 0x10);
        match self.at % 3 {
            0 => {}
            1 => {
                frame[30..34].copy_from_slice(&[192, 0, 2, 9]);
                frame[24..26].fill(0);
                let sum = wire::checksum::of(&frame[14..34]);
                frame[24..26].copy_from_slice(&sum);
            }
            _ => frame[12] = 0x88,
        }
        into.load(&frame, u64::from(self.at));
        self.at += 1;
    }
}

/// Takes so many, and remembers their cookies.
struct Taken {
    room: usize,
    cookies: Vec<u64>,
}

impl MemSink for Taken {
    fn send(&mut self, packet: &MemPacket) -> bool {
        if self.cookies.len() < self.room {
            self.cookies.push(packet.cookie());
            return true;
        }
        false
    }
}

type Made = (Worker<MemPort<Mixed, Taken>, service::Aligned>, FerryEnd<MemPacket>);

fn worker(frames: u32, room: usize) -> Made {
    let layout = Layout { services: 1, reals: 5, rules: 0 };
    let region = Region::create(1, 1, 16, layout.words()).unwrap();
    let engine = Engine::new(0, 1, FlowTable::new(1024, [5; 16]).unwrap(), layout);
    let taken = Taken { room, cookies: Vec::new() };
    let port = MemPort::new(BUFFERS, 256, Mixed { at: 0, end: frames }, taken);
    let (_sender, receiver) = tables(1);
    let table = Arc::new(common::table(None));
    let (end, ferry) = kernel_rings(ROOM);
    let worker =
        Worker::new(port, engine, Handover::new(table, &[]), receiver, region.worker_side(0).unwrap());
    (worker.with_kernel(end), ferry)
}

#[test]
fn what_is_punted_crosses_in_order_and_what_is_sent_does_not() {
    let (mut worker, mut ferry) = worker(12, usize::MAX);
    while worker.breathe(&mut NoObserver) != Breath::Idle {}
    let crossed: Vec<(u64, u8)> = ferry.recv(64).map(|one| (one.packet.cookie(), one.port)).collect();
    assert_eq!(crossed, [1, 2, 4, 5, 7, 8, 10, 11].map(|cookie| (cookie, 0)));
    assert_eq!(worker.port().ends().1.cookies, [0, 3, 6, 9]);
    let ledger = worker.ledger();
    assert_eq!((ledger.get(PuntReason::NotVip), ledger.get(PuntReason::NotIp)), (4, 4));
    assert_eq!((ledger.get(DropReason::PuntFull), ledger.balance()), (0, Ok(())));
    assert_eq!(worker.port().free_buffers(), BUFFERS - 8);
}

#[test]
fn what_the_kernel_has_no_room_for_is_dropped_and_counted_and_the_link_goes_first() {
    let (mut worker, mut ferry) = worker(60, usize::MAX);
    while worker.breathe(&mut NoObserver) != Breath::Idle {}
    assert_eq!(ferry.recv(64).count(), ROOM);
    let ledger = worker.ledger();
    let (others, link) = (ledger.get(PuntReason::NotVip), ledger.get(PuntReason::NotIp));
    // In turn, until two places are left, which are the link's.
    assert_eq!((others, link), (7, 9));
    assert_eq!(ledger.get(DropReason::PuntFull), 40 - 16);
    assert_eq!(ledger.balance(), Ok(()));
    assert_eq!(worker.port().free_buffers(), BUFFERS - ROOM, "what was dropped is free again");
}

#[test]
fn what_the_kernel_sends_leaves_and_what_the_port_refuses_of_it_is_a_drop() {
    let (mut worker, mut ferry) = worker(0, 3);
    for cookie in 0..5 {
        let mut packet = MemPacket::with_room(64);
        packet.load(&[7; 60], cookie);
        ferry.send(Crossing { packet, port: 0 }).unwrap();
    }
    assert_eq!(worker.breathe(&mut NoObserver), Breath::Idle);
    assert_eq!(worker.port().ends().1.cookies, [0, 1, 2]);
    let ledger = worker.ledger();
    assert_eq!((ledger.get(Event::KernelRx), ledger.get(Event::Tx)), (5, 3));
    assert_eq!((ledger.get(DropReason::TxRefused), ledger.get(Event::TxBytes)), (2, 180));
    assert_eq!((ledger.get(Event::Rx), ledger.balance()), (0, Ok(())));
}

#[test]
fn a_full_ring_gives_the_packet_back() {
    let (_worker, mut ferry) = worker(0, 0);
    let crossing = || Crossing { packet: MemPacket::with_room(64), port: 0 };
    assert!((0..ROOM).all(|_| ferry.send(crossing()).is_ok()));
    assert!(ferry.send(crossing()).is_err());
}
