//! Mbufs against a model, a vector of bytes: any sequence of prepend, trim and truncate leaves the same
//! bytes, in one segment or in many, and every segment cut off goes home.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

mod common;

use dpdk::{Mbuf, Mempool};
use port::{Packet, Port};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[derive(Clone, Debug)]
enum Step {
    Prepend(usize),
    TrimFront(usize),
    Truncate(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_usize..200).prop_map(Step::Prepend),
        (0_usize..3000).prop_map(Step::TrimFront),
        (0_usize..10_000).prop_map(Step::Truncate),
        Just(Step::Prepend(usize::MAX)),
        Just(Step::TrimFront(usize::MAX)),
        Just(Step::Truncate(usize::MAX)),
    ];
    proptest::collection::vec(step, 0..12)
}

/// The packet's bytes, and the checks that hold for every packet.
fn bytes_of(packet: &Mbuf) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.copy_out(&mut bytes);
    assert_eq!(bytes.len(), packet.total_len());
    assert!(bytes.starts_with(packet.data()));
    assert_eq!(packet.segments().count(), usize::from(packet.segment_count()));
    bytes
}

fn apply(packet: &mut Mbuf, model: &mut Vec<u8>, step: &Step) {
    match *step {
        Step::Prepend(len) => {
            let before = packet.data().len();
            match packet.prepend(len) {
                Ok(room) => {
                    assert_eq!(room.len(), before + len);
                    room[..len].fill(0xee);
                    model.splice(0..0, std::iter::repeat_n(0xee, len));
                }
                Err(port::NoHeadroom) => assert_eq!(packet.data().len(), before),
            }
        }
        Step::TrimFront(len) => {
            let gone = len.min(packet.data().len());
            packet.trim_front(len);
            model.drain(..gone);
        }
        Step::Truncate(len) => {
            packet.truncate(len);
            model.truncate(len);
        }
    }
}

fn run(pool: &Mempool, length: usize, steps: &[Step]) {
    let mut model = common::frame(length, length);
    let mut packet = Mbuf::from_bytes(pool, &model).unwrap();
    packet.set_cookie(u64::MAX - 3);
    assert_eq!(bytes_of(&packet), model);
    for step in steps {
        apply(&mut packet, &mut model, step);
        assert_eq!(bytes_of(&packet), model, "after {step:?}");
        assert_eq!(pool.in_use(), u32::from(packet.segment_count()));
    }
    assert_eq!(packet.cookie(), u64::MAX - 3);
    packet.data_mut().fill(1);
    assert!(packet.data().iter().all(|&byte| byte == 1));
}

#[test]
fn any_changes_leave_the_bytes_of_the_model() {
    let eal = common::start(&["net_null0"]);
    let pool = common::pool(&eal, 256);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let lengths = prop_oneof![0_usize..200, 1900_usize..2300, 0_usize..10_000];
    runner
        .run(&(lengths, steps()), |(length, steps)| {
            run(&pool, length, &steps);
            Ok(())
        })
        .unwrap();
    assert_eq!(pool.in_use(), 0, "every segment went home");

    // What is refused leaves the packet whole: the headroom is 128 bytes, once.
    let mut packet = Mbuf::from_bytes(&pool, &[5; 60]).unwrap();
    assert!(packet.prepend(129).is_err());
    assert_eq!(bytes_of(&packet), [5; 60]);
    assert_eq!(packet.prepend(128).map(|room| room.len()), Ok(188));
    assert!(packet.prepend(1).is_err());
    drop(packet);

    // A packet outlives every name of its pool and of its port, and is freed as ever.
    let (port, mut queues) = dpdk::EthPort::open(&eal, "net_null0", &dpdk::PortConfig::new(&[pool])).unwrap();
    let mut burst = port::Burst::new();
    queues[0].rx_burst(&mut burst);
    drop((port, queues));
    assert_eq!(pool.in_use(), 64);
    assert!(burst.as_slice().iter().all(|packet| packet.data().len() == packet.total_len()));
    drop(burst);
    assert_eq!(eal.mbufs_in_use(), 0);
    common::assert_whole(&pool, 256);
}
