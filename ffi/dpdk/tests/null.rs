//! `net_null` with two queues on two threads and one pool: what is received, sent and freed adds up with
//! what the driver counted, and every mbuf is home at the end, once.
#![allow(clippy::unwrap_used, reason = "test code, which may stop where it is wrong")]

mod common;

use dpdk::{EthPort, EthQueue, PortConfig, Takes};
use port::{Burst, Packet, Port};

/// What one worker did: packets received, sent and freed.
type Done = (u64, u64, u64);

fn work(mut queue: EthQueue, register: bool) -> Done {
    let lcore = register.then(|| dpdk::register_thread().unwrap());
    let (mut received, mut sent, mut freed) = (0_u64, 0_u64, 0_u64);
    let mut burst = Burst::new();
    for round in 0..1000 {
        let tick = queue.rx_burst(&mut burst);
        assert!(tick.0 < 600 * port::Tick::PER_SECOND, "ticks count from the start");
        assert_eq!(burst.len(), port::BURST_MAX);
        assert!(burst.as_slice().iter().all(|packet| packet.total_len() == 60 && packet.data().len() == 60));
        received += burst.len() as u64;
        if round % 3 != 0 {
            queue.tx_burst(&mut burst);
            sent += (port::BURST_MAX - burst.len()) as u64;
        }
        freed += burst.len() as u64;
        queue.free_burst(&mut burst);
        assert!(burst.is_empty());
    }
    drop(lcore);
    (received, sent, freed)
}

#[test]
fn counts_of_a_null_port_add_up_and_all_mbufs_come_home() {
    let eal = common::start(&["net_null0,size=60"]);
    let pool = common::pool(&eal, 1024);
    let pools = [pool];
    let config = PortConfig { queues: 2, ..PortConfig::new(&pools) };
    let (port, queues) = EthPort::open(&eal, "net_null0", &config).unwrap();
    assert_eq!(port.driver(), "net_null");
    assert_eq!(queues.iter().map(EthQueue::number).collect::<Vec<u16>>(), [0, 1]);

    // One thread is an lcore and keeps mbufs at hand, the other is not: slower, and as right.
    let done = std::thread::scope(|scope| {
        let workers: Vec<_> = queues
            .into_iter()
            .map(|queue| {
                scope.spawn(move || {
                    let register = queue.number() == 0;
                    work(queue, register)
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Vec<Done>>()
    });
    let received: u64 = done.iter().map(|done| done.0).sum();
    let sent: u64 = done.iter().map(|done| done.1).sum();
    let freed: u64 = done.iter().map(|done| done.2).sum();
    assert_eq!(received, sent + freed);
    assert_eq!((port.stats().rx_packets, port.stats().tx_packets), (received, sent));
    // An address that is not its own becomes its own.
    let mac = [2, 0, 0, 0, 0, 0x77];
    assert_ne!(port.mac(), mac);
    assert_eq!((port.take_address(mac), port.mac()), (Takes::Set, mac));
    assert_eq!(port.take_address(mac), Takes::Own);
    assert!(
        matches!(port.take_address([1, 0, 0, 0, 0, 1]), Takes::All | Takes::Neither(_)),
        "no group's address"
    );
    assert_eq!(port.mac(), mac);
    drop(port);
    assert_eq!(eal.mbufs_in_use(), 0);
    common::assert_whole(&pool, 1024);
}
