//! Every interleaving of a publication and a snapshot of two counters.

use super::{CounterReader, CounterWriter, HeartbeatReader, HeartbeatWriter, page_words};
use crate::primitive::Arc;
use crate::view::Store;

#[test]
fn a_snapshot_is_of_one_publication() {
    loom::model(|| {
        let store = Arc::new(Store::zeroed(page_words(2)));
        let mut writer = CounterWriter::new(&store, 0, 2).expect("that many words");
        let reader = CounterReader::new(&store, 0, 2).expect("that many words");
        let thread = loom::thread::spawn(move || {
            assert_eq!(writer.publish(&[1, 10]), 2);
            assert_eq!(writer.publish(&[2, 20]), 2);
        });
        let mut pair = [0; 2];
        if reader.snapshot(&mut pair).is_ok() {
            assert_eq!(pair[1], pair[0] * 10);
        }
        thread.join().expect("no assertion failed");
        assert_eq!(reader.snapshot(&mut pair), Ok(()));
        assert_eq!(pair, [2, 20]);
    });
}

#[test]
fn who_sees_the_beat_sees_what_was_published_before_it() {
    loom::model(|| {
        let store = Arc::new(Store::zeroed(page_words(1) + 1));
        let mut counters = CounterWriter::new(&store, 0, 1).expect("that many words");
        let mut heartbeat = HeartbeatWriter::new(&store, page_words(1)).expect("that many words");
        let reader = CounterReader::new(&store, 0, 1).expect("that many words");
        let last = HeartbeatReader::new(&store, page_words(1)).expect("that many words");
        let thread = loom::thread::spawn(move || {
            counters.publish(&[7]);
            heartbeat.beat(1);
        });
        if last.last() == 1 {
            assert_eq!(reader.read(0), Some(7));
        }
        thread.join().expect("no assertion failed");
        assert_eq!(last.last(), 1);
    });
}
