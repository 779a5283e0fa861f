//! Regions made, taken, and refused.

use std::os::fd::{AsFd, OwnedFd};

use proptest::prelude::{any, proptest};
use rustix::fs::{SealFlags, ftruncate};

use super::{Region, SEALS};
use crate::memfd;
use crate::primitive::Ordering;

const BYTES_MAX: usize = 1 << 24;

fn region() -> Region {
    Region::create(0xb007, 2, 8, 10).expect("some pages")
}

fn handed_over(region: &Region) -> OwnedFd {
    region.as_fd().try_clone_to_owned().expect("a descriptor")
}

fn refusal(fd: OwnedFd) -> String {
    match Region::open(fd, 0xb007, BYTES_MAX) {
        Ok(_) => "not refused".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_side_can_be_taken_once_and_only_of_workers_that_are() {
    let region = region();
    for index in 0..2 {
        assert!(region.worker_side(index).is_some() && region.control_side(index).is_some());
        assert!(region.worker_side(index).is_none() && region.control_side(index).is_none());
    }
    assert!(region.worker_side(2).is_none() && region.control_side(usize::MAX).is_none());
}

#[test]
fn sides_outlive_the_region_and_move_to_threads() {
    let region = region();
    let mut worker = region.worker_side(1).expect("the first to take it");
    let mut control = region.control_side(1).expect("the first to take it");
    drop(region);
    let thread = std::thread::spawn(move || {
        worker.reports.try_send(&[5; 8]).expect("room");
        worker.heartbeat.beat(3);
        worker.counters.publish(&[1, 2])
    });
    assert_eq!(thread.join().expect("no assertion failed"), 2);
    assert_eq!(control.reports.try_recv(), Some([5; 8]));
    assert_eq!((control.heartbeat.last(), control.counters.read(1)), (3, Some(2)));
}

#[test]
fn a_second_mapping_of_the_same_memfd_speaks_with_the_first() {
    let dataplane = region();
    let control_core = Region::open(handed_over(&dataplane), 0xb007, BYTES_MAX).expect("it fits");
    assert_eq!(
        (control_core.workers(), control_core.ring_capacity(), control_core.counter_words()),
        (2, 8, 10)
    );
    for index in 0..2 {
        let mut worker = dataplane.worker_side(index).expect("the first to take it");
        let mut control = control_core.control_side(index).expect("the first to take it");
        let mark = index as u64 + 1;
        control.commands.try_send(&[mark; 8]).expect("room");
        worker.reports.try_send(&[mark + 10; 8]).expect("room");
        worker.counters.publish(&[mark + 20]);
        worker.heartbeat.beat(mark + 30);
        assert_eq!(worker.commands.try_recv(), Some([mark; 8]));
        assert_eq!(control.reports.try_recv(), Some([mark + 10; 8]));
        assert_eq!(control.counters.read(0), Some(mark + 20));
        assert_eq!(control.heartbeat.last(), mark + 30);
    }
}

#[test]
fn no_worker_writes_into_another() {
    let region = Region::create(1, 3, 4, 5).expect("some pages");
    let mut sides: Vec<_> = (0..3)
        .map(|index| {
            (region.worker_side(index).expect("worker"), region.control_side(index).expect("control"))
        })
        .collect();
    for (mark, (worker, control)) in (1..).zip(&mut sides) {
        assert_eq!(worker.reports.send_batch(&[[mark; 8]; 9]), 4);
        assert_eq!(control.commands.send_batch(&[[mark + 100; 8]; 9]), 4);
        worker.counters.publish(&[mark + 200; 9]);
        worker.heartbeat.beat(mark + 300);
    }
    for (mark, (worker, control)) in (1..).zip(&mut sides) {
        let mut records = [[0; 8]; 5];
        assert_eq!(control.reports.recv_batch(&mut records), 4);
        assert_eq!(records[..4], [[mark; 8]; 4]);
        assert_eq!(worker.commands.recv_batch(&mut records), 4);
        assert_eq!(records[..4], [[mark + 100; 8]; 4]);
        let mut counters = [0; 5];
        assert_eq!(control.counters.snapshot(&mut counters), Ok(()));
        assert_eq!((counters, control.heartbeat.last()), ([mark + 200; 5], mark + 300));
    }
}

#[test]
fn its_size_cannot_be_changed_nor_its_seals() {
    let region = region();
    let fd = handed_over(&region);
    assert!(ftruncate(&fd, 0).is_err() && ftruncate(&fd, 1 << 30).is_err());
    assert!(memfd::seal(fd.as_fd(), SealFlags::WRITE).is_err());
}

#[test]
fn each_missing_seal_is_named_and_a_seal_against_writing_refused() {
    let sealed = |seals| {
        let fd = memfd::create("test").expect("a memfd");
        ftruncate(&fd, 4096).expect("one page");
        memfd::seal(fd.as_fd(), seals).expect("seals");
        refusal(fd)
    };
    assert!(sealed(SEALS.difference(SealFlags::SHRINK)).ends_with("not sealed against shrinking"));
    assert!(sealed(SEALS.difference(SealFlags::GROW)).ends_with("not sealed against growing"));
    assert!(sealed(SEALS.difference(SealFlags::SEAL)).ends_with("not sealed against further seals"));
    assert!(sealed(SEALS.union(SealFlags::WRITE)).contains("sealed against writing"));
    assert!(sealed(SEALS).contains("does not begin as one"));
}

#[test]
fn every_word_of_the_header_is_checked() {
    let sentences = [
        (0, 0, "the shared memory is no region: it does not begin as one"),
        (1, 99, "the region has layout version 99, this program has 1"),
        (2, 0, "the region was laid out by other source: hash 0000000000000000,"),
        (3, 1, "the region belongs to boot 0000000000000001 of the dataplane, not to 000000000000b007"),
        (4, 0, "the region's number of workers is 0, it must be 1 to 1024"),
        (4, 3, "bytes long, its shape needs"),
        (5, 7, "the region's ring capacity is 7, it must be a power of two of at most 1048576"),
        (5, 512, "bytes long, its shape needs"),
        (6, u64::MAX, "the region's number of counters is 18446744073709551615, it must be at most 16777216"),
        (6, 100_000, "bytes long, its shape needs"),
    ];
    for (word, value, sentence) in sentences {
        let region = region();
        assert_eq!(refusal(handed_over(&region)), "not refused");
        region.words()[word].store(value, Ordering::Relaxed);
        let found = refusal(handed_over(&region));
        assert!(found.contains(sentence), "{found}");
    }
}

#[test]
fn a_region_longer_than_allowed_is_refused_before_it_is_mapped() {
    let fd = memfd::create("test").expect("a memfd");
    ftruncate(&fd, 1 << 40).expect("holes cost nothing");
    memfd::seal(fd.as_fd(), SEALS).expect("seals");
    assert!(refusal(fd).contains("longer than"));
}

#[test]
fn shapes_out_of_bounds_are_refused() {
    for (workers, capacity, counters) in
        [(0, 8, 1), (1025, 8, 1), (1, 7, 1), (1, 1 << 21, 1), (1, 8, 1 << 25)]
    {
        assert!(Region::create(1, workers, capacity, counters).is_err());
    }
}

proptest! {
    /// A peer that goes on writing the header after it was checked changes nothing.
    #[test]
    fn the_header_is_never_looked_at_again(word in 0_usize..8, value in any::<u64>()) {
        let region = region();
        let opened = Region::open(handed_over(&region), 0xb007, BYTES_MAX).expect("it fits");
        region.words()[word].store(value, Ordering::Relaxed);
        assert_eq!((opened.workers(), opened.ring_capacity(), opened.counter_words()), (2, 8, 10));
        let mut control = opened.control_side(1).expect("the first to take it");
        let mut worker = region.worker_side(1).expect("the first to take it");
        assert_eq!(control.commands.send_batch(&[[1; 8]; 20]), 8);
        assert_eq!(worker.commands.recv_batch(&mut [[0; 8]; 20]), 8);
    }
}
