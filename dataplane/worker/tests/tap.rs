//! A tap catches what is wanted as it came, loses captures and never packets, and goes back when it is over.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use std::sync::Arc;

use counters::{DropReason, Event, Layout};
use engine::{Engine, NoObserver, Verdict};
use filter::{Insn, Program};
use flow::FlowTable;
use port::{MemPacket, MemPort, MemSink, MemSource, Packet, Tick};
use service::Aligned;
use shm::Region;
use worker::{Breath, Handover, Shot, TapSender, Wanted, Worker, tables, tap, taps};

#[global_allocator]
static ALLOCATOR: mem::CountingAllocator = mem::CountingAllocator;

/// Sends so many packets; every third is for a port that no service has.
struct Flows {
    sent: u32,
    /// Made before, for a worker's source allocates nothing either.
    frames: Vec<Vec<u8>>,
}

fn sent(number: u32) -> Vec<u8> {
    let mut frame = common::frame(number, 0x10);
    if number % 3 == 2 {
        frame[37] = 81;
    }
    frame
}

impl MemSource for Flows {
    fn next_tick(&mut self) -> Option<Tick> {
        ((self.sent as usize) < self.frames.len()).then_some(Tick(1))
    }

    fn load_next(&mut self, into: &mut MemPacket) {
        into.load(&self.frames[self.sent as usize], u64::from(self.sent));
        self.sent += 1;
    }
}

/// Takes everything, and keeps its bytes if it is to.
struct Kept(Option<Vec<Vec<u8>>>);

impl MemSink for Kept {
    fn send(&mut self, packet: &MemPacket) -> bool {
        if let Some(kept) = &mut self.0 {
            kept.push(packet.data().to_vec());
        }
        true
    }
}

struct Bench {
    worker: Worker<MemPort<Flows, Kept>, Aligned>,
    sender: TapSender,
}

impl Bench {
    fn new(packets: u32, keeps: bool) -> Self {
        Self::of((0..packets).map(sent).collect(), keeps)
    }

    fn of(frames: Vec<Vec<u8>>, keeps: bool) -> Self {
        let layout = Layout { services: 1, reals: 5, rules: 0 };
        let region = Region::create(1, 1, 16, layout.words()).unwrap();
        let engine = Engine::new(0, 1, FlowTable::new(1024, [5; 16]).unwrap(), layout);
        let source = Flows { sent: 0, frames };
        let port = MemPort::new(128, 2048, source, Kept(keeps.then(Vec::new)));
        let (_, receiver) = tables(1);
        let (sender, ends) = taps();
        let table = Arc::new(common::table(None));
        let worker =
            Worker::new(port, engine, Handover::new(table, &[]), receiver, region.worker_side(0).unwrap())
                .with_taps(ends);
        Self { worker, sender }
    }

    /// Lets all packets through, and gives what left.
    fn run(mut self) -> (Vec<Vec<u8>>, TapSender) {
        while self.worker.breathe(&mut NoObserver) != Breath::Idle {}
        assert_eq!(self.worker.breathe(&mut NoObserver), Breath::Idle);
        assert_eq!(self.worker.ledger().balance(), Ok(()));
        let (_, kept) = self.worker.into_port().into_ends();
        (kept.0.unwrap_or_default(), self.sender)
    }
}

/// Everything that would be sent without a tap.
fn undisturbed(packets: u32) -> Vec<Vec<u8>> {
    Bench::new(packets, true).run().0
}

#[test]
fn packets_are_caught_as_they_came_with_their_decisions() {
    let mut bench = Bench::new(300, true);
    let (tap, mut reader) = tap(Wanted::default(), 512, 2048);
    bench.sender.hand_over(tap).unwrap();
    let (left, _) = bench.run();
    assert_eq!(left, undisturbed(300), "the traffic is what it is without a tap");
    let mut shots: Vec<Shot> = Vec::new();
    reader.drain(|shot| shots.push(shot.clone()));
    assert_eq!((shots.len(), reader.counts()), (300, (300, 0)));
    for (number, shot) in (0_u32..).zip(&shots) {
        assert_eq!((shot.bytes.clone(), shot.cookie), (sent(number), u64::from(number)));
        let dropped = Verdict::Drop(DropReason::NoService);
        assert_eq!(shot.decision.verdict, if number % 3 == 2 { dropped } else { Verdict::Tx });
        assert_eq!(shot.decision.real.is_some(), number % 3 != 2);
    }
}

#[test]
fn without_a_slot_the_capture_is_lost_and_the_packet_is_not() {
    let mut bench = Bench::new(300, true);
    let (tap, mut reader) = tap(Wanted::default(), 100, 20);
    bench.sender.hand_over(tap).unwrap();
    let (left, _) = bench.run();
    assert_eq!(left, undisturbed(300));
    let mut count = 0;
    reader.drain(|shot| {
        assert_eq!((shot.bytes.len(), shot.len), (20, 54), "cut to the slot");
        count += 1;
    });
    assert_eq!((count, reader.counts()), (100, (300, 200)));
}

#[test]
fn drops_a_filter_and_a_count_are_applied_in_the_worker() {
    let filter = Program::check(&[
        // The last byte of the source address is not below 100.
        Insn { code: 0x30, k: 29, ..Insn::default() },
        Insn { code: 0x35, jump_true: 1, jump_false: 0, k: 100 },
        Insn { code: 6, ..Insn::default() },
        Insn { code: 6, k: 1, ..Insn::default() },
    ])
    .unwrap();
    let mut bench = Bench::new(256, true);
    let wanted = Wanted { filter: Some(filter), drops_only: true, count_max: Some(5) };
    let (tap, mut reader) = tap(wanted, 64, 2048);
    bench.sender.hand_over(tap).unwrap();
    let (left, mut sender) = bench.run();
    assert_eq!(left, undisturbed(256));
    assert!(reader.is_over());
    let mut numbers = Vec::new();
    reader.drain(|shot| numbers.push(shot.cookie));
    assert_eq!(numbers, [101, 104, 107, 110, 113]);
    assert!(!sender.is_out(), "it came back by itself");
}

#[test]
fn a_packet_that_became_our_answer_is_caught_as_it_came() {
    let frames = vec![sent(0), common::too_big(1), common::too_big(2), sent(2)];
    let mut bench = Bench::of(frames.clone(), true);
    // To port 80, as the packet was, and longer than any answer.
    let filter = Program::check(&[
        Insn { code: 0x30, k: 37, ..Insn::default() },
        Insn { code: 0x15, jump_false: 3, k: 80, ..Insn::default() },
        Insn { code: 0x80, ..Insn::default() },
        Insn { code: 0x35, jump_false: 1, k: 1495, ..Insn::default() },
        Insn { code: 6, k: 1, ..Insn::default() },
        Insn { code: 6, ..Insn::default() },
    ])
    .unwrap();
    let wanted = Wanted { filter: Some(filter), drops_only: true, count_max: None };
    let (tap, mut reader) = tap(wanted, 64, 2048);
    bench.sender.hand_over(tap).unwrap();
    let (left, _) = bench.run();
    assert_eq!(left.len(), 3, "one is sent, and two are answered");
    let mut caught = Vec::new();
    reader.drain(|shot| {
        assert_eq!(shot.decision.verdict, Verdict::Drop(DropReason::TunnelMtu));
        assert_eq!(shot.bytes, frames[1 + caught.len()][..14 + 548], "what the answer quotes");
        caught.push((shot.cookie, shot.len));
    });
    assert_eq!(caught, [(1, 1495), (2, 1495)]);
    assert_eq!(reader.counts(), (2, 0));
}

#[test]
fn a_reader_that_goes_ends_the_capture_and_another_may_begin() {
    let mut bench = Bench::new(1000, true);
    let (first, reader) = tap(Wanted::default(), 64, 64);
    bench.sender.hand_over(first).unwrap();
    bench.worker.breathe(&mut NoObserver);
    let (second, _unread) = tap(Wanted::default(), 64, 64);
    let second = bench.sender.hand_over(second).unwrap_err();
    assert!(!reader.is_over());
    drop(reader);
    bench.worker.breathe(&mut NoObserver);
    assert!(!bench.sender.is_out());
    bench.sender.hand_over(second).unwrap();
    let (left, _) = bench.run();
    assert_eq!(left, undisturbed(1000));
}

#[test]
fn a_tapped_worker_allocates_nothing() {
    let mut bench = Bench::new(3000, false);
    let (tap, mut reader) = tap(Wanted::default(), 256, 2048);
    bench.sender.hand_over(tap).unwrap();
    let before = mem::thread_allocations();
    assert!(before > 0, "nobody counts");
    for _ in 0..4 {
        bench.worker.breathe(&mut NoObserver);
    }
    assert_eq!(mem::thread_allocations(), before);
    assert_eq!(bench.worker.ledger().get(Event::Rx), 256);
    let mut count = 0;
    reader.drain(|_| count += 1);
    assert_eq!(count, 256);
}
