//! What a table must be.

mod attributes;
mod classification;
mod doors;
mod ends;
mod faults;
mod hashes;
mod hops;
mod hostile;
mod images;
mod keys;
mod maglev;
mod quic;
mod rules;
mod tails;
mod templates;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::{FiveTuple, packed, protocol};

use crate::{
    Aligned, Blueprint, DontFragment, Encap, Generation, Member, Outer, OuterSource, Policy, PoolSpec,
    RealNumber, RealSpec, RealState, ServiceNumber, ServiceSpec, Table, Timeouts, build,
};

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn real_number(number: u32) -> RealNumber {
    RealNumber::new(number).unwrap()
}

pub(crate) fn real(number: u32, address: IpAddr) -> RealSpec {
    RealSpec {
        number: real_number(number),
        address,
        next_hop: Some([2, 0, 0, 0, 0, 0x11]),
        port: None,
        encap: Encap::Ipip,
        state: RealState::Up,
    }
}

/// Reals 10.0.0.1 and up.
pub(crate) fn reals(count: u32) -> Vec<RealSpec> {
    (0..count).map(|i| real(i, Ipv4Addr::from_bits(0x0a00_0001 + i).into())).collect()
}

pub(crate) fn pool(weights: &[u32], slots: u32) -> PoolSpec {
    let members = (0..).zip(weights).map(|(i, weight)| Member { real: real_number(i), weight: *weight });
    PoolSpec { members: members.collect(), slots, policy: Policy::Maglev, panics: false }
}

pub(crate) fn service(number: u32, vip: &str, protocol: u8, ports: (u16, u16), pool: usize) -> ServiceSpec {
    let (vip, prefix_len) = match vip.split_once('/') {
        Some((vip, length)) => (ip(vip), length.parse().unwrap()),
        None => (ip(vip), if ip(vip).is_ipv4() { 32 } else { 128 }),
    };
    ServiceSpec {
        number: ServiceNumber::new(number).unwrap(),
        vip,
        prefix_len,
        protocol,
        port_first: ports.0,
        port_last: ports.1,
        pool,
        quic: [None; 7],
        attributes: crate::Attributes::default(),
        key: crate::Key::Flow,
        mss: 0,
    }
}

/// One service on 198.51.100.10:80/tcp with a pool of reals of those weights.
pub(crate) fn blueprint(weights: &[u32], slots: u32) -> Blueprint {
    Blueprint {
        select_seed: *b"a seed of 16 b.\0",
        outer: Outer {
            mac: [2, 0, 0, 0, 0, 1],
            source_v4: Some(OuterSource { address: Ipv4Addr::new(192, 0, 2, 1), prefix_len: 32 }),
            source_v6: Some(OuterSource {
                address: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
                prefix_len: 128,
            }),
            hop_limit: 64,
            passes_max: 4,
            dont_fragment: DontFragment::Inherit,
            mtu: 1500,
        },
        timeouts: Timeouts { syn: 80, established: 7200, closing: 80, udp: 480 },
        return_path: crate::ReturnPath::Direct,
        new_flows_rate_max: None,
        quic: Vec::new(),
        ends: Vec::new(),
        reals: reals(weights.len().try_into().unwrap()),
        pools: vec![pool(weights, slots)],
        services: vec![service(0, "198.51.100.10", protocol::TCP, (80, 80), 0)],
        rules: Vec::new(),
    }
}

pub(crate) fn table(blueprint: &Blueprint) -> Table<Aligned> {
    build(blueprint, Generation::default()).unwrap().table().unwrap()
}

pub(crate) fn to(vip: IpAddr, protocol: u8, port: u16) -> FiveTuple {
    let (destination, family) = packed(vip);
    FiveTuple { destination, family, protocol, destination_port: port, ..FiveTuple::default() }
}
