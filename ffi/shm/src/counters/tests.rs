//! Counter pages and heartbeats in real shared memory.

use super::Busy;
use crate::primitive::Ordering;
use crate::region::{ControlSide, Region, WorkerSide};

fn sides(counters: usize) -> (Region, WorkerSide, ControlSide) {
    let region = Region::create(1, 1, 1, counters).expect("some pages");
    let worker = region.worker_side(0).expect("the first to take it");
    let control = region.control_side(0).expect("the first to take it");
    (region, worker, control)
}

#[test]
fn what_is_published_is_read_one_by_one_and_together() {
    let (_region, mut worker, control) = sides(3);
    let mut all = [9; 3];
    assert_eq!(control.counters.snapshot(&mut all), Ok(()));
    assert_eq!(all, [0; 3]);
    assert_eq!(worker.counters.publish(&[1, 2, 3]), 3);
    assert_eq!(control.counters.snapshot(&mut all), Ok(()));
    assert_eq!(all, [1, 2, 3]);
    assert_eq!([0, 2, 3].map(|index| control.counters.read(index)), [Some(1), Some(3), None]);
}

#[test]
fn parts_stand_one_behind_the_other() {
    let (_region, mut worker, control) = sides(5);
    assert_eq!(worker.counters.publish_parts(&[&[1], &[], &[2, 3]]), 3);
    let mut all = [9; 6];
    assert_eq!(control.counters.snapshot(&mut all), Ok(()));
    assert_eq!(all, [1, 2, 3, 0, 0, 0]);
}

#[test]
fn what_does_not_fit_is_told() {
    let (_region, mut worker, control) = sides(2);
    assert_eq!(worker.counters.publish(&[1, 2, 3]), 2);
    assert_eq!((worker.counters.len(), control.counters.len()), (2, 2));
    assert!(!worker.counters.is_empty() && !control.counters.is_empty());
}

#[test]
fn a_reader_gives_up_on_a_writer_that_never_ends() {
    let (region, mut worker, control) = sides(1);
    let at = region.shape().block(0).expect("a worker").counters;
    worker.counters.publish(&[5]);
    region.words()[at].store(7, Ordering::Relaxed);
    assert_eq!(control.counters.snapshot(&mut [0]), Err(Busy));
    assert_eq!(control.counters.read(0), Some(5));
    assert_eq!(worker.counters.publish(&[6]), 1);
    assert_eq!(control.counters.snapshot(&mut [0]), Ok(()));
}

#[test]
fn a_writer_that_takes_over_from_one_that_died_while_writing_makes_it_readable() {
    let region = Region::create(1, 1, 1, 1).expect("some pages");
    let at = region.shape().block(0).expect("a worker").counters;
    region.words()[at].store(5, Ordering::Relaxed);
    let mut worker = region.worker_side(0).expect("the first to take it");
    let control = region.control_side(0).expect("the first to take it");
    assert_eq!(control.counters.snapshot(&mut [0]), Err(Busy));
    worker.counters.publish(&[1]);
    let mut one = [0];
    assert_eq!(control.counters.snapshot(&mut one), Ok(()));
    assert_eq!(one, [1]);
}

#[test]
fn snapshots_taken_while_a_thread_publishes_are_each_of_one_publication() {
    const LAST: u64 = 200_000;
    let (_region, mut worker, control) = sides(40);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for number in 1..=LAST {
                worker.counters.publish(&[number; 40]);
            }
        });
        let mut all = [0; 40];
        let mut seen = 0;
        while seen < LAST {
            if control.counters.snapshot(&mut all).is_ok() {
                assert!(all.iter().all(|&value| value == all[0]), "{all:?}");
                assert!(all[0] >= seen);
                seen = all[0];
            }
        }
    });
}

#[test]
fn a_heartbeat_is_the_last_value_left() {
    let (_region, mut worker, control) = sides(0);
    assert_eq!(control.heartbeat.last(), 0);
    worker.heartbeat.beat(7);
    worker.heartbeat.beat(8);
    assert_eq!(control.heartbeat.last(), 8);
}
