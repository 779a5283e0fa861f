//! The ring against a queue that cannot be wrong, between threads, and under a peer that writes anything.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::{Full, HEAD_WORD, Receiver, Record, RecvError, Sender, TAIL_WORD, ring_words};
use crate::primitive::{AtomicU64, Ordering};
use crate::region::Region;

/// A ring in real shared memory, with both ends and the words as a hostile peer has them.
struct Bench {
    region: Region,
    at: usize,
    sender: Sender,
    receiver: Receiver,
}

impl Bench {
    fn new(capacity: usize) -> Self {
        Self::from_cursor(capacity, 0)
    }

    /// A ring that has already carried `cursor` records.
    fn from_cursor(capacity: usize, cursor: u64) -> Self {
        let region = Region::create(1, 1, capacity, 0).expect("some pages");
        let at = region.shape().block(0).expect("a worker").commands;
        for word in [TAIL_WORD, HEAD_WORD] {
            region.words()[at + word].store(cursor, Ordering::Relaxed);
        }
        let sender = region.control_side(0).expect("the first to take it").commands;
        let receiver = region.worker_side(0).expect("the first to take it").commands;
        Self { region, at, sender, receiver }
    }

    fn words(&self) -> &[AtomicU64] {
        &self.region.words()[self.at..self.at + ring_words(self.receiver.capacity())]
    }

    fn scribble(&self, word: usize, value: u64) {
        self.words()[word].store(value, Ordering::Relaxed);
    }
}

fn record(number: u64) -> Record {
    [number, 1, 2, 3, 4, 5, 6, !number]
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    SendBatch(usize),
    Recv,
    RecvBatch(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Send),
        (0_usize..20).prop_map(Step::SendBatch),
        Just(Step::Recv),
        (0_usize..20).prop_map(Step::RecvBatch),
    ]
}

proptest! {
    #[test]
    fn a_ring_is_a_bounded_queue(log in 0_u32..5, start: u64, steps in vec(step(), 0..200)) {
        let capacity = 1 << log;
        let mut bench = Bench::from_cursor(capacity, start);
        let mut oracle = VecDeque::new();
        let mut next = 0;
        for step in steps {
            match step {
                Step::Send => {
                    let expected = if oracle.len() < capacity { Ok(()) } else { Err(Full) };
                    assert_eq!(bench.sender.try_send(&record(next)), expected);
                    if expected.is_ok() {
                        oracle.push_back(record(next));
                        next += 1;
                    }
                }
                Step::SendBatch(count) => {
                    let records: Vec<Record> = (next..next + count as u64).map(record).collect();
                    let sent = bench.sender.send_batch(&records);
                    assert_eq!(sent, count.min(capacity - oracle.len()));
                    oracle.extend(&records[..sent]);
                    next += sent as u64;
                }
                Step::Recv => assert_eq!(bench.receiver.try_recv(), oracle.pop_front()),
                Step::RecvBatch(count) => {
                    let mut records = vec![[0; 8]; count];
                    let received = bench.receiver.recv_batch(&mut records);
                    assert_eq!(received, count.min(oracle.len()));
                    assert!(oracle.drain(..received).eq(records[..received].iter().copied()));
                }
            }
        }
        assert_eq!((bench.sender.jumps(), bench.receiver.jumps()), (0, 0));
    }

    /// Whatever is written over the shared words between any two calls, every call returns, a batch never
    /// yields more than the ring holds, and once the scribbling ends the ring carries records in order.
    #[test]
    fn a_scribbled_ring_never_hangs_and_heals(
        log in 0_u32..4,
        scribbles in vec((any::<usize>(), prop_oneof![any::<u64>(), 0_u64..40], step()), 0..100),
    ) {
        let capacity = 1 << log;
        let mut bench = Bench::new(capacity);
        for (word, value, step) in scribbles {
            // Mostly the cursors: there is little to break in the slots.
            let word = match word % 4 {
                0 | 1 => TAIL_WORD,
                2 => HEAD_WORD,
                _ => word % bench.words().len(),
            };
            bench.scribble(word, value);
            match step {
                Step::Send => drop(bench.sender.try_send(&record(7))),
                Step::SendBatch(count) => assert!(bench.sender.send_batch(&vec![record(8); count]) <= capacity),
                Step::Recv => drop(bench.receiver.recv()),
                Step::RecvBatch(count) => {
                    assert!(bench.receiver.recv_batch(&mut vec![[0; 8]; count]) <= capacity);
                }
            }
        }
        // A few rounds in which each side looks at the other find the cursors together again.
        for _ in 0..4 {
            let _ = bench.sender.try_send(&record(9));
            for _ in 0..=capacity {
                let _ = bench.receiver.recv();
            }
        }
        for number in 0..3 * capacity as u64 {
            assert_eq!(bench.sender.try_send(&record(number)), Ok(()));
            assert_eq!(bench.receiver.try_recv(), Some(record(number)));
        }
    }
}

#[test]
fn a_tail_that_jumps_is_reported_once_and_the_next_record_arrives() {
    for jump in [5, 1 << 40, u64::MAX, u64::MAX / 2] {
        let mut bench = Bench::new(4);
        bench.sender.try_send(&record(1)).expect("room");
        assert_eq!(bench.receiver.recv(), Ok(record(1)));
        bench.scribble(TAIL_WORD, 1_u64.wrapping_add(jump));
        assert_eq!(bench.receiver.recv(), Err(RecvError::CursorJump), "{jump}");
        assert_eq!(bench.receiver.recv(), Err(RecvError::Empty));
        assert_eq!(bench.receiver.jumps(), 1);
    }
}

#[test]
fn a_head_that_jumps_makes_the_ring_full_and_no_slot_is_overwritten() {
    let mut bench = Bench::new(2);
    for number in 0..2 {
        bench.sender.try_send(&record(number)).expect("room");
    }
    // Ahead of what was sent, as if it had received records that do not exist.
    bench.scribble(HEAD_WORD, 3);
    assert_eq!(bench.sender.try_send(&record(2)), Err(Full));
    assert_eq!(bench.sender.jumps(), 1);
    assert_eq!(bench.receiver.try_recv(), Some(record(0)));
    assert_eq!(bench.receiver.try_recv(), Some(record(1)));
    assert_eq!(bench.sender.try_send(&record(2)), Ok(()));
    assert_eq!(bench.receiver.try_recv(), Some(record(2)));
}

#[test]
fn an_end_taken_anew_goes_on_where_the_last_one_stopped() {
    let mut bench = Bench::new(4);
    for number in 0..3 {
        bench.sender.try_send(&record(number)).expect("room");
    }
    assert_eq!(bench.receiver.try_recv(), Some(record(0)));
    let fd = std::os::fd::AsFd::as_fd(&bench.region).try_clone_to_owned().expect("a descriptor");
    let again = Region::open(fd, 1, 1 << 20).expect("our own region");
    let mut receiver = again.worker_side(0).expect("the first in this mapping").commands;
    let mut sender = again.control_side(0).expect("the first in this mapping").commands;
    assert_eq!(sender.send_batch(&[record(3), record(4), record(5)]), 2);
    for number in 1..5 {
        assert_eq!(receiver.try_recv(), Some(record(number)));
    }
    assert_eq!((receiver.try_recv(), sender.jumps(), receiver.jumps()), (None, 0, 0));
}

#[test]
fn a_million_records_cross_between_threads_whole_and_in_order() {
    const RECORDS: u64 = 1_000_000;
    let Bench { region: _region, mut sender, mut receiver, .. } = Bench::new(64);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut next = 0;
            while next < RECORDS {
                let batch: [Record; 7] = std::array::from_fn(|offset| record(next + offset as u64));
                let wanted = batch.len().min(usize::try_from(RECORDS - next).expect("small"));
                let sent = sender.send_batch(&batch[..wanted]);
                next += sent as u64;
                if sent == 0 {
                    std::thread::yield_now();
                }
            }
        });
        let mut expected = 0;
        let mut records = [[0; 8]; 32];
        while expected < RECORDS {
            let received = receiver.recv_batch(&mut records);
            for found in &records[..received] {
                assert_eq!(*found, record(expected));
                expected += 1;
            }
            if received == 0 {
                std::thread::yield_now();
            }
        }
        assert_eq!((receiver.recv(), receiver.jumps()), (Err(RecvError::Empty), 0));
    });
}
