//! The layout of a tuple's blocks, against blocks laid out by hand.

use std::collections::BTreeSet;

use mem::Prf;
use wire::{Family, FiveTuple, packed};

use super::ip;
use crate::{Door, Encap, UdpChecksum, UdpTunnel, real_hash, tuple_hash};

fn tuple(source: &str, destination: &str) -> FiveTuple {
    let (source, family) = packed(ip(source));
    let (destination, _) = packed(ip(destination));
    FiveTuple { source, destination, source_port: 40_000, destination_port: 443, protocol: 6, family }
}

#[test]
fn an_ipv4_tuple_is_one_block() {
    let key = core::array::from_fn(|i| u8::try_from(i).unwrap());
    let prf = Prf::new(key);
    let block = [203, 0, 113, 7, 198, 51, 100, 10, 0x9c, 0x40, 0x01, 0xbb, 6, 4, 0, 0];
    let hash = tuple_hash(&prf, &tuple("203.0.113.7", "198.51.100.10"));
    assert_eq!(hash, prf.short(block));
    // The same by another program's AES.
    assert_eq!(hash, (0x8e3f_d813_699c_2a52, 0x9d8d_5d04_a443_7e60));
}

#[test]
fn an_ipv6_tuple_is_three_blocks() {
    let prf = Prf::new([9; 16]);
    let tuple = tuple("2001:db8::1", "2001:db8::2");
    let last = [0, 0, 0, 0, 0, 0, 0, 0, 0x9c, 0x40, 0x01, 0xbb, 6, 6, 0, 0];
    assert_eq!(tuple_hash(&prf, &tuple), prf.long(tuple.source, tuple.destination, last));
}

#[test]
fn a_real_is_a_tuple_with_nothing_but_a_source() {
    let prf = Prf::new([9; 16]);
    let (v4, _) = packed(ip("10.0.0.1"));
    let block = [10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0];
    assert_eq!(real_hash(&prf, v4, Family::V4, &Door::default()), prf.short(block));
    let (v6, _) = packed(ip("2001:db8::7"));
    let last = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0];
    assert_eq!(real_hash(&prf, v6, Family::V6, &Door::default()), prf.long(v6, [0; 16], last));
}

#[test]
fn a_real_behind_a_door_has_it_as_destination() {
    let prf = Prf::new([9; 16]);
    let udp = UdpTunnel { port: 4789, checksum: UdpChecksum::Auto };
    let door = Door::of(Encap::Vxlan { udp, vni: 0x0001_0203, inner_mac: [2, 0, 0, 0, 1, 0x11] });
    let block = [0, 1, 2, 3, 0x12, 0xb5, 2, 0, 0, 0, 1, 0x11, 5, 0, 0, 0];
    for (address, version) in [("10.0.0.1", 4), ("2001:db8::7", 6)] {
        let (source, family) = packed(ip(address));
        let last = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, version, 6, 0, 0];
        assert_eq!(real_hash(&prf, source, family, &door), prf.long(source, block, last));
    }
}

#[test]
fn every_field_of_a_door_counts_and_the_checksum_is_none() {
    let udp = |port, checksum| UdpTunnel { port, checksum };
    let vxlan = |udp, vni, last| Encap::Vxlan { udp, vni, inner_mac: [2, 0, 0, 0, 0, last] };
    let auto = udp(6080, UdpChecksum::Auto);
    let ways = [
        Encap::Ipip,
        Encap::Gre { key: None },
        Encap::Gre { key: Some(0) },
        Encap::Gre { key: Some(7) },
        Encap::Fou(auto),
        Encap::Gue(auto),
        Encap::Gue(udp(6081, UdpChecksum::Auto)),
        vxlan(auto, 7, 1),
        vxlan(auto, 8, 1),
        vxlan(auto, 7, 2),
    ];
    let prf = Prf::new([9; 16]);
    let (address, family) = packed(ip("10.0.0.1"));
    let hashes: BTreeSet<_> =
        ways.iter().map(|encap| real_hash(&prf, address, family, &Door::of(*encap))).collect();
    let doors: BTreeSet<_> = ways.iter().map(|encap| Door::of(*encap)).collect();
    assert_eq!((hashes.len(), doors.len()), (ways.len(), ways.len()));
    assert_eq!(Door::of(Encap::Mac), Door::of(Encap::Ipip), "both lead to the address itself");
    assert_eq!(Door::of(Encap::Gue(udp(6080, UdpChecksum::Full))), Door::of(Encap::Gue(auto)));
}

#[test]
fn every_field_of_a_tuple_counts() {
    let prf = Prf::new([9; 16]);
    for base in [tuple("203.0.113.7", "198.51.100.10"), tuple("2001:db8::1", "2001:db8::2")] {
        let mut changed = [base; 5];
        changed[0].source[3] ^= 1;
        changed[1].destination[0] ^= 1;
        changed[2].source_port ^= 256;
        changed[3].destination_port ^= 1;
        changed[4].protocol = 17;
        assert!(changed.iter().all(|other| tuple_hash(&prf, other) != tuple_hash(&prf, &base)));
    }
}
