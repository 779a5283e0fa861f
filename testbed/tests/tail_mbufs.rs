//! Jumbo packets in chains of mbufs, through tunnels whose headers stand behind the outer IP header: the whole chain is
//! carried, and a full UDP checksum is over all of it. A test program of its own, because a process can start DPDK once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test fail as the test does"
)]

#[path = "../../dataplane/engine/tests/common/mod.rs"]
mod common;

use counters::Layout;
use dpdk::{Eal, EalConfig, Mbuf, MemoryMode, Mempool, PoolConfig};
use engine::{Engine, NoObserver};
use flow::FlowTable;
use port::{Burst, Packet, Tick};
use service::{Aligned, Encap, Generation, OuterSource, Table, UdpChecksum, UdpTunnel};

/// The outer header and what stands behind it, over IPv4 and over IPv6.
const OUTER: [usize; 2] = [20, 40];

fn udp(checksum: UdpChecksum) -> UdpTunnel {
    UdpTunnel { port: 6080, checksum }
}

/// A table whose reals are all reached in that way.
fn table(encap: Encap, is_v6: bool) -> Table<Aligned> {
    let mut plan = common::blueprint(None);
    plan.outer.mtu = 9600;
    plan.outer.source_v6 = Some(OuterSource { address: "2001:db8::1".parse().unwrap(), prefix_len: 128 });
    for (place, real) in (1_u16..).zip(&mut plan.reals) {
        real.encap = encap;
        if is_v6 {
            real.address = std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, place).into();
        }
    }
    service::build(&plan, Generation::default()).unwrap().table().unwrap()
}

/// A TCP segment in an IPv4 packet of that many bytes.
fn packet(bytes: usize) -> Vec<u8> {
    let mut frame = common::frame(7, 0x10);
    let filling = (0..).map(|at: usize| u8::try_from(at * 31 % 251).unwrap());
    frame.extend(filling.take(14 + bytes - frame.len()));
    frame[16..18].copy_from_slice(&u16::try_from(bytes).unwrap().to_be_bytes());
    frame[24..26].fill(0);
    let sum = wire::checksum::of(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum);
    frame
}

/// RFC 1071, by sixteen bits at a time.
fn folded(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
    let mut sum: u64 = bytes.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap()
}

/// What leaves.
fn sent(pool: &Mempool, table: &Table<Aligned>, frame: &[u8]) -> Vec<u8> {
    let flows = FlowTable::new(1024, [5; 16]).unwrap();
    let mut engine = Engine::new(0, 1, flows, Layout { services: 1, reals: 5, rules: 0 });
    engine.adopt(&table.view());
    let (mut burst, mut gone) = (Burst::new(), Burst::<Mbuf>::new());
    let packet = Mbuf::from_bytes(pool, frame).unwrap();
    let room = packet.data().len();
    assert_eq!(usize::from(packet.segment_count()), frame.len().div_ceil(room), "segments of one size");
    burst.push(packet).unwrap();
    let _ = engine.process(&table.view(), &mut burst, Tick(0), &mut gone, &mut NoObserver);
    assert!(gone.is_empty());
    let [packet] = &burst.drain().collect::<Vec<_>>()[..] else { panic!("one packet leaves") };
    let mut out = Vec::new();
    packet.copy_out(&mut out);
    assert_eq!(out.len(), packet.total_len());
    out
}

/// Outer header, tail and packet of what left, held to one another.
fn require(out: &[u8], frame: &[u8], (encap, is_v6): (Encap, bool)) {
    let outer = OUTER[usize::from(is_v6)];
    let behind = encap.outer_len(is_v6) - outer;
    let (head, inner) = out.split_at(14 + outer + behind);
    assert_eq!(inner, &frame[14..], "{encap:?}: the packet was changed");
    let (ip, tail) = head[14..].split_at(outer);
    let length = |at: usize, bytes: &[u8]| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    let (told, protocol) = if is_v6 { (40 + length(4, ip), ip[6]) } else { (length(2, ip), ip[9]) };
    assert_eq!(told, outer + behind + inner.len(), "{encap:?}");
    let udp = match encap {
        Encap::Gre { .. } => return assert_eq!(protocol, 47),
        Encap::Fou(udp) | Encap::Gue(udp) | Encap::Vxlan { udp, .. } => udp,
        Encap::Ipip | Encap::Mac => panic!("{encap:?} has no tail"),
    };
    assert_eq!((protocol, length(4, tail)), (17, behind + inner.len()), "{encap:?}");
    if udp.checksum == UdpChecksum::Zero {
        return assert_eq!(tail[6..8], [0, 0], "{encap:?}");
    }
    // RFC 768: addresses, protocol and length, then header and data; all of it sums to ones.
    let addresses = if is_v6 { &ip[8..40] } else { &ip[12..20] };
    let pseudo = [addresses, &[0, 17], &tail[4..6], tail, inner].concat();
    assert_eq!(
        folded(&pseudo),
        0xffff,
        "{encap:?} over {}: {} bytes",
        if is_v6 { 6 } else { 4 },
        inner.len()
    );
}

#[test]
fn a_jumbo_packet_in_several_mbufs_travels_whole_and_its_checksum_is_over_all_of_it() {
    let config = EalConfig { memory: MemoryMode::Off, memory_mb: 64, ..EalConfig::default() };
    let eal = Eal::start(&config).unwrap();
    let pool = Mempool::new(&eal, &PoolConfig { cache: 64, ..PoolConfig::new("tails", 512) }).unwrap();
    let mac = [2, 0, 0, 0, 1, 0x11];
    let ways = [
        Encap::Gre { key: None },
        Encap::Gre { key: Some(7) },
        Encap::Fou(udp(UdpChecksum::Full)),
        Encap::Gue(udp(UdpChecksum::Full)),
        Encap::Gue(udp(UdpChecksum::Zero)),
        Encap::Vxlan { udp: udp(UdpChecksum::Full), vni: 42, inner_mac: mac },
    ];
    for (encap, is_v6) in ways.into_iter().flat_map(|encap| [(encap, false), (encap, true)]) {
        let table = table(encap, is_v6);
        // In one mbuf, at the border to the second, of odd length, and of five.
        for bytes in [40, 1500, 2033, 2034, 2035, 4001, 9000, 8999] {
            let frame = packet(bytes);
            require(&sent(&pool, &table, &frame), &frame, (encap, is_v6));
        }
        assert_eq!(eal.mbufs_in_use(), 0);
    }
}
