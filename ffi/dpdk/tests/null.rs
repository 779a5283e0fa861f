//! `net_null`: what is received, sent and freed adds up with what the driver counted, and nothing is
//! left out of the pool.

mod common;

use dpdk::{EthPort, PortConfig};
use port::{Burst, Packet, Port};

#[test]
fn counts_of_a_null_port_add_up_and_all_mbufs_come_home() {
    let eal = common::start(&["net_null0,size=60"]);
    let pool = common::pool(&eal, 1024);
    let (port, mut queues) = EthPort::open(&eal, "net_null0", &PortConfig::new(&[pool])).unwrap();
    let mut queue = queues.pop().unwrap();
    assert!(queues.is_empty());
    assert_eq!(port.driver(), "net_null");
    let _lcore = dpdk::register_thread().unwrap();

    let (mut received, mut sent, mut freed) = (0_u64, 0_u64, 0_u64);
    let mut burst = Burst::new();
    for round in 0..1000 {
        let tick = queue.rx_burst(&mut burst);
        assert!(tick.0 < 60 * port::Tick::PER_SECOND, "ticks count from the start");
        received += burst.len() as u64;
        assert_eq!(burst.len(), port::BURST_MAX);
        assert!(burst.as_slice().iter().all(|packet| packet.total_len() == 60 && packet.data().len() == 60));
        if round % 3 == 0 {
            freed += burst.len() as u64;
            queue.free_burst(&mut burst);
        } else {
            let before = burst.len();
            queue.tx_burst(&mut burst);
            sent += (before - burst.len()) as u64;
            freed += burst.len() as u64;
            queue.free_burst(&mut burst);
        }
        assert!(burst.is_empty());
    }
    let stats = port.stats();
    assert_eq!((stats.rx_packets, stats.tx_packets), (received, sent));
    assert_eq!(received, sent + freed);
    assert_eq!(queue.lost(), 0);
    drop((queue, port, burst));
    assert_eq!(eal.mbufs_in_use(), 0);
    common::assert_whole(&pool, 1024);
}
