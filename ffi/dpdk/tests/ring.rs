//! `net_ring`: bytes and cookies go through DPDK's driver and back unchanged, in order, from one
//! thread to another, small ones and jumbo chains; a full ring refuses, and an abandoned one frees.

mod common;

use dpdk::{EthError, Mbuf, RingPort};
use port::{Burst, Packet, Port};

const FRAMES: usize = 5000;

fn length(number: usize) -> usize {
    if number.is_multiple_of(50) { 9000 } else { 60 + number % 1400 }
}

#[test]
fn frames_come_back_in_order_and_byte_for_byte() {
    let eal = common::start(&[]);
    let pool = common::pool(&eal, 2048);
    let RingPort { port, mut queues, mut feeders } = RingPort::new(&eal, "loop", 2, 128, pool).unwrap();
    assert_eq!((queues.len(), feeders.len()), (2, 2));
    let second = queues.pop().unwrap();
    let mut queue = queues.pop().unwrap();
    let mut idle = feeders.pop().unwrap();
    let mut feeder = feeders.pop().unwrap();

    std::thread::scope(|scope| {
        scope.spawn(move || {
            let _lcore = dpdk::register_thread().unwrap();
            let (mut seen, mut burst) = (0, Burst::new());
            while seen < FRAMES {
                queue.rx_burst(&mut burst);
                seen += burst.len();
                while !burst.is_empty() {
                    queue.tx_burst(&mut burst);
                    std::thread::yield_now();
                }
            }
        });
        let (mut made, mut back) = (0, 0);
        let (mut out, mut into, mut bytes) = (Burst::new(), Burst::new(), Vec::new());
        while back < FRAMES {
            while made < FRAMES && out.room() > 0 {
                let Some(mut packet) = Mbuf::from_bytes(&pool, &common::frame(made, length(made))) else {
                    break;
                };
                packet.set_cookie(made as u64);
                out.push(packet).unwrap();
                made += 1;
            }
            feeder.push(&mut out);
            feeder.pull(&mut into);
            for packet in into.drain() {
                assert_eq!(packet.cookie(), back as u64);
                assert_eq!(packet.segment_count() > 1, length(back) > 2048);
                bytes.clear();
                packet.copy_out(&mut bytes);
                assert_eq!(bytes, common::frame(back, length(back)));
                assert_eq!(packet.total_len(), bytes.len());
                back += 1;
            }
            std::thread::yield_now();
        }
    });
    assert_eq!(port.stats().rx_packets, FRAMES as u64);

    // A ring of 128 takes exactly 128, and what lies in it when all owners go is freed.
    let mut burst = Burst::new();
    let mut taken = 0;
    loop {
        while burst.room() > 0 {
            burst.push(Mbuf::from_bytes(&pool, &[7; 60]).unwrap()).unwrap();
        }
        let before = burst.len();
        idle.push(&mut burst);
        taken += before - burst.len();
        if !burst.is_empty() {
            break;
        }
    }
    assert_eq!(taken, 128);
    drop(burst);
    assert_eq!(eal.mbufs_in_use(), 128);
    drop((idle, second, port, feeder));
    assert_eq!(eal.mbufs_in_use(), 0);
    // DPDK keeps the name of a closed port's device: one name, one port, once in a process.
    assert!(matches!(RingPort::new(&eal, "loop", 1, 64, pool), Err(EthError::Refused { .. })));
    RingPort::new(&eal, "again", 1, 64, pool).unwrap();
}
