//! `net_pcap`: what a capture holds comes out of another, byte for byte, jumbo chains among it; a
//! capture that is not there stops the plug with one sentence.

mod common;

use dpdk::{EalError, EthError, EthPort, PortConfig};
use port::{Burst, Packet, Port};

#[test]
fn a_capture_in_is_a_capture_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let sent: Vec<Vec<u8>> = (0..1000)
        .map(|number| common::frame(number, if number % 100 == 7 { 8900 } else { 60 + number }))
        .collect();
    std::fs::write(path("in.pcap"), common::pcap(&sent)).unwrap();

    let device = format!("net_pcap0,rx_pcap={},tx_pcap={}", path("in.pcap"), path("out.pcap"));
    let eal = common::start(&[&device]);
    let pool = common::pool(&eal, 1024);
    let (port, mut queues) = EthPort::open(&eal, &device, &PortConfig::new(&[pool])).unwrap();
    let mut queue = queues.pop().unwrap();
    let again = EthPort::open(&eal, "net_pcap0", &PortConfig::new(&[pool]));
    assert_eq!(again.unwrap_err(), EthError::Open("net_pcap0".to_owned()));

    let (mut burst, mut count, mut chains) = (Burst::new(), 0, 0);
    loop {
        queue.rx_burst(&mut burst);
        if burst.is_empty() {
            break;
        }
        count += burst.len();
        chains += burst.as_slice().iter().filter(|packet| packet.segment_count() > 1).count();
        assert!(burst.as_slice().iter().all(|packet| packet.data().len() <= 2048));
        queue.tx_burst(&mut burst);
        assert!(burst.is_empty());
    }
    assert_eq!((count, chains), (1000, 10));
    assert_eq!(port.stats().tx_packets, 1000);
    drop((port, queue));
    assert_eq!(eal.mbufs_in_use(), 0);
    common::assert_whole(&pool, 1024);
    let got = common::frames(&std::fs::read(path("out.pcap")).unwrap());
    assert_eq!(got, sent);

    let missing = eal.plug(&format!("net_pcap1,rx_pcap={},tx_pcap=/dev/null", path("none.pcap")));
    let EalError::Device(name, reason) = missing.unwrap_err() else { panic!("of another kind") };
    assert_eq!(name, "net_pcap1");
    assert!(reason.contains("none.pcap"), "the reason names the file: {reason}");
}
