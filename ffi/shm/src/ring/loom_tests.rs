//! Every interleaving of a sender and a receiver over a ring of one or two records.
//!
//! What loom cannot show: that the head needs Release and Acquire. They keep the receiver's loads of a slot
//! before the sender's later stores to it, and loom never lets a load see a store that has not run yet.

use super::{Receiver, Record, Sender, ring_words};
use crate::primitive::{Arc, Ordering};
use crate::view::Store;

fn record(number: u64) -> Record {
    [number; 8]
}

fn ends(capacity: usize) -> (Sender, Receiver, Arc<Store>) {
    let store = Arc::new(Store::zeroed(ring_words(capacity)));
    let sender = Sender::new(&store, 0, capacity).expect("that many words");
    let receiver = Receiver::new(&store, 0, capacity).expect("that many words");
    (sender, receiver, store)
}

/// The receiver sees a prefix of what was sent, each record whole, for that many attempts on each side.
fn records_arrive_whole_and_in_order(capacity: usize, attempts: u64) {
    loom::model(move || {
        let (mut sender, mut receiver, _store) = ends(capacity);
        let thread = loom::thread::spawn(move || {
            let mut sent = 0;
            for _ in 0..attempts {
                if sender.try_send(&record(sent + 1)).is_ok() {
                    sent += 1;
                }
            }
            (sent, sender.jumps())
        });
        let mut received = 0;
        for _ in 0..attempts {
            if let Some(found) = receiver.try_recv() {
                received += 1;
                assert_eq!(found, record(received));
            }
        }
        let (sent, sender_jumps) = thread.join().expect("no assertion failed");
        while let Some(found) = receiver.try_recv() {
            received += 1;
            assert_eq!(found, record(received));
        }
        assert_eq!(received, sent);
        assert!(sent >= (capacity as u64).min(attempts));
        assert_eq!((sender_jumps, receiver.jumps()), (0, 0));
    });
}

#[test]
fn one_record() {
    records_arrive_whole_and_in_order(1, 2);
}

#[test]
fn two_records() {
    records_arrive_whole_and_in_order(2, 3);
}

#[test]
fn batches() {
    loom::model(|| {
        let (mut sender, mut receiver, _store) = ends(2);
        let thread = loom::thread::spawn(move || {
            let records = [record(1), record(2), record(3)];
            let sent = sender.send_batch(&records);
            sent + sender.send_batch(&records[sent..])
        });
        let mut records = [[0; 8]; 2];
        let mut received = 0;
        let mut take = || {
            let count = receiver.recv_batch(&mut records);
            for found in &records[..count] {
                received += 1;
                assert_eq!(*found, record(received));
            }
            received
        };
        take();
        let sent = thread.join().expect("no assertion failed");
        take();
        assert_eq!(take(), sent as u64);
    });
}

#[test]
fn a_cursor_written_over_at_any_moment_is_survived() {
    loom::model(|| {
        let (mut sender, mut receiver, store) = ends(1);
        let hostile =
            loom::thread::spawn(move || store.words()[super::TAIL_WORD].store(99, Ordering::Relaxed));
        let _ = sender.try_send(&record(1));
        let _ = receiver.try_recv();
        hostile.join().expect("one store");
        // Both look at each other until the cursors meet again.
        for _ in 0..3 {
            let _ = sender.try_send(&record(2));
            let _ = receiver.try_recv();
            let _ = receiver.try_recv();
        }
        assert_eq!(sender.try_send(&record(3)), Ok(()));
        assert_eq!(receiver.try_recv(), Some(record(3)));
    });
}
