//! Forwarding tables to measure with: one VIP, or ten thousand with prefixes and ranges among them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use quic::ServerId;
use service::{
    Aligned, Attributes, Blueprint, DontFragment, Encap, Excess, Generation, Key, LabelMark, Limit, Mark,
    Member, Outer, OuterSource, Policy, PoolSpec, QuicKey, QuicSpec, RealNumber, RealSpec, RealState,
    RuleSpec, ServiceNumber, ServiceSpec, Table, Timeouts, VlanMark,
};

use crate::packets::Asks;

/// The IPv4 VIP of the single-service table.
pub const VIP4: [u8; 4] = [198, 51, 100, 10];
/// Its IPv6 VIP.
pub const VIP6: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10];
/// The IPv4 VIP of QUIC's table.
pub const QUIC_VIP4: [u8; 4] = [198, 51, 100, 11];
/// The VIP of services that are keyed by source.
pub const KEYED_VIP4: [u8; 4] = [198, 51, 100, 12];
/// Reals in the pool.
const REALS: u8 = 16;

/// The VIP of service `index` of the many; its kind cycles: address with one port, with a range, with any
/// port, and a /30 prefix.
#[must_use]
pub fn many_vip(index: u32) -> (Ipv4Addr, u8, u16, u16) {
    let address = Ipv4Addr::from_bits(0x6440_0000 + index * 4);
    match index % 4 {
        0 => (address, 32, 80, 80),
        1 => (address, 32, 8, 8000),
        2 => (address, 32, 0, 65_535),
        _ => (address, 30, 80, 80),
    }
}

fn service(number: u32, vip: IpAddr, prefix_len: u8, ports: (u16, u16)) -> Option<ServiceSpec> {
    let number = ServiceNumber::new(number).ok()?;
    let (port_first, port_last) = ports;
    Some(ServiceSpec {
        number,
        vip,
        prefix_len,
        protocol: 6,
        port_first,
        port_last,
        pool: 0,
        quic: [None; 7],
        attributes: Attributes::default(),
        key: Key::Flow,
        mss: 0,
    })
}

/// A table with two services that keep each client's flows together: TCP, and ESP.
#[must_use]
pub fn keyed_table() -> Option<Table<Aligned>> {
    let vip = Ipv4Addr::from(KEYED_VIP4).into();
    let tcp = ServiceSpec { key: Key::Source(32), ..service(0, vip, 32, (80, 80))? };
    let esp = ServiceSpec { protocol: 50, key: Key::Source(32), ..service(1, vip, 32, (0, 65_535))? };
    built(vec![tcp, esp], Vec::new())
}

/// A table with one service of QUIC, whose configurations are [`crate::packets::Ids`] in their order.
#[must_use]
pub fn quic_table() -> Option<Table<Aligned>> {
    let real = RealNumber::new(1).ok()?;
    let spec = |rotation: u8, (server_id_bytes, nonce_bytes): (u8, u8)| {
        let id: Vec<u8> = (1..server_id_bytes).map(|_| 0).chain([1]).collect();
        let servers = ServerId::new(&id).map(|id| (id, real)).into_iter().collect();
        let key = (rotation > 0).then_some(QuicKey([7; 16]));
        QuicSpec { rotation, server_id_bytes, nonce_bytes, key, tells_length: false, servers }
    };
    let quic =
        (0..).zip([(2, 6), (2, 8), (9, 8), (2, 14)]).map(|(rotation, lengths)| spec(rotation, lengths));
    let places = [Some(0), Some(1), Some(2), Some(3), None, None, None];
    let service = service(0, Ipv4Addr::from(QUIC_VIP4).into(), 32, (443, 443))?;
    built(vec![ServiceSpec { protocol: 17, quic: places, ..service }], quic.collect())
}

/// A table with one IPv4 service that asks for more than a real.
#[must_use]
pub fn asking_table(asks: Asks) -> Option<Table<Aligned>> {
    let none = Mark::default();
    let attributes = match asks {
        Asks::Dscp => Attributes { mark: Some(Mark { dscp: Some(46), ..none }), limit: None },
        Asks::Link => {
            let (vlan, labels) = (VlanMark::Insert(7), LabelMark::Push([16, 17]));
            Attributes { mark: Some(Mark { vlan, labels, ..none }), limit: None }
        }
        Asks::Limit => {
            let cir = Limit::RATE_MAX >> 8;
            let excess = Excess::Burst(0);
            let limit = Limit { cir, cbs: u32::MAX, excess, is_aware: false, yellow: None, red: None };
            Attributes { mark: None, limit: Some(limit) }
        }
    };
    let service = service(0, Ipv4Addr::from(VIP4).into(), 32, (80, 80))?;
    built(vec![ServiceSpec { attributes, ..service }], Vec::new())
}

/// A table with one IPv4 and one IPv6 service, or with `vips` IPv4 services.
#[must_use]
pub fn table(vips: Option<u32>) -> Option<Table<Aligned>> {
    let services: Option<Vec<ServiceSpec>> = match vips {
        None => Some(vec![
            service(0, Ipv4Addr::from(VIP4).into(), 32, (80, 80))?,
            service(1, Ipv6Addr::from(VIP6).into(), 128, (80, 80))?,
        ]),
        Some(count) => (0..count)
            .map(|index| {
                let (vip, prefix_len, first, last) = many_vip(index);
                service(index, vip.into(), prefix_len, (first, last))
            })
            .collect(),
    };
    built(services?, Vec::new())
}

/// What the single-service table with such rules is built from.
#[must_use]
pub fn with_rules(rules: Vec<RuleSpec>) -> Option<Blueprint> {
    let service = service(0, Ipv4Addr::from(VIP4).into(), 32, (80, 80))?;
    Some(Blueprint { rules, ..blueprint(vec![service], Vec::new())? })
}

/// The images of a table.
#[must_use]
pub fn build(blueprint: &Blueprint) -> Option<service::Built> {
    service::build(blueprint, Generation { boot: 1, sequence: 1 }).ok()
}

fn built(services: Vec<ServiceSpec>, quic: Vec<QuicSpec>) -> Option<Table<Aligned>> {
    build(&blueprint(services, quic)?)?.table().ok()
}

fn blueprint(services: Vec<ServiceSpec>, quic: Vec<QuicSpec>) -> Option<Blueprint> {
    let reals: Option<Vec<RealSpec>> = (0..REALS)
        .map(|index| {
            Some(RealSpec {
                number: RealNumber::new(u32::from(index)).ok()?,
                address: Ipv4Addr::new(10, 0, 0, index + 1).into(),
                next_hop: Some([2, 0, 0, 0, 0, index]),
                port: None,
                encap: Encap::Ipip,
                state: RealState::Up,
            })
        })
        .collect();
    let reals = reals?;
    let members = reals.iter().map(|real| Member { real: real.number, weight: 100 }).collect();
    Some(Blueprint {
        select_seed: [7; 16],
        outer: Outer {
            mac: [2, 0, 0, 0, 0, 0xee],
            source_v4: Some(OuterSource { address: Ipv4Addr::new(192, 0, 2, 1), prefix_len: 32 }),
            source_v6: None,
            hop_limit: 64,
            passes_max: 4,
            dont_fragment: DontFragment::Inherit,
            mtu: 1500,
        },
        timeouts: Timeouts { syn: 28_800, established: 28_800, closing: 28_800, udp: 28_800 },
        return_path: service::ReturnPath::Direct,
        new_flows_rate_max: None,
        quic,
        ends: Vec::new(),
        reals,
        pools: vec![PoolSpec { members, slots: 65_537, policy: Policy::Maglev, panics: false }],
        services,
        rules: Vec::new(),
    })
}
