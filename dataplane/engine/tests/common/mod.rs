//! A small table, and TCP segments to its VIP.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers fail as their test does, and no test needs all"
)]

use std::net::Ipv4Addr;

use port::{Burst, MemPacket};
use quic::ServerId;
use service::{
    Aligned, Blueprint, DontFragment, Encap, Generation, Member, Outer, OuterSource, PoolSpec, QuicKey,
    QuicSpec, RealNumber, RealSpec, RealState, ServiceNumber, ServiceSpec, Table, Timeouts,
};

/// One service on port 80 of 198.51.100.10 with four reals, and a gate for new flows.
pub(crate) fn table(new_flows_rate_max: Option<u32>) -> Table<Aligned> {
    service::build(&blueprint(new_flows_rate_max), Generation::default()).unwrap().table().unwrap()
}

/// What it is made of.
pub(crate) fn blueprint(new_flows_rate_max: Option<u32>) -> Blueprint {
    let real = |index: u8| RealSpec {
        number: RealNumber::new(u32::from(index)).unwrap(),
        address: Ipv4Addr::new(10, 0, 0, index).into(),
        next_hop: Some([2, 0, 0, 0, 0, index]),
        port: None,
        encap: Encap::Ipip,
        state: RealState::Up,
    };
    let reals: Vec<RealSpec> = (1..=4).map(real).collect();
    let members = reals.iter().map(|real| Member { real: real.number, weight: 100 }).collect();
    Blueprint {
        select_seed: [3; 16],
        outer: Outer {
            mac: [2, 0, 0, 0, 0, 0xee],
            source_v4: Some(OuterSource { address: Ipv4Addr::new(192, 0, 2, 1), prefix_len: 32 }),
            source_v6: None,
            hop_limit: 64,
            passes_max: 4,
            dont_fragment: DontFragment::Clear,
            mtu: 1500,
        },
        timeouts: Timeouts { syn: 24, established: 480, closing: 16, udp: 100 },
        return_path: service::ReturnPath::Direct,
        new_flows_rate_max,
        quic: Vec::new(),
        ends: Vec::new(),
        reals,
        pools: vec![PoolSpec { members, slots: 251, policy: service::Policy::Maglev }],
        services: vec![ServiceSpec {
            number: ServiceNumber::FIRST,
            vip: Ipv4Addr::new(198, 51, 100, 10).into(),
            prefix_len: 32,
            protocol: 6,
            port_first: 80,
            port_last: 80,
            pool: 0,
            quic: [None; 7],
        }],
    }
}

/// A TCP segment of flow `flow`: the first of most flows opens, of some it is a later one.
pub(crate) fn frame(flow: u32, flags: u8) -> Vec<u8> {
    let [_, a, b, c] = flow.to_be_bytes();
    let mut ip = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, a, b, c, 198, 51, 100, 10];
    let sum = wire::checksum::of(&ip);
    ip[10..12].copy_from_slice(&sum);
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend(ip);
    frame.extend([4, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    frame
}

/// One that does not fit the tunnel's 1500 bytes, and may not be fragmented.
pub(crate) fn too_big(flow: u32) -> Vec<u8> {
    let mut frame = frame(flow, 0x10);
    frame.resize(14 + 1481, 0);
    frame[16..18].copy_from_slice(&1481_u16.to_be_bytes());
    frame[20] = 0x40;
    frame[24..26].fill(0);
    let sum = wire::checksum::of(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum);
    frame
}

/// A burst of frames.
pub(crate) fn load(burst: &mut Burst<MemPacket>, frames: &[Vec<u8>]) {
    for bytes in frames {
        let mut packet = MemPacket::with_room(256);
        packet.load(bytes, 0);
        burst.push(packet).unwrap();
    }
}

/// The same VIP with QUIC on port 443: a clear configuration of ids, and one under a key. The fourth real is down.
pub(crate) fn quic_table() -> Table<Aligned> {
    let mut plan = quic_blueprint(&[ids(0, None), ids(1, Some(7))]);
    plan.reals[3].state = RealState::Down;
    built(&plan)
}

/// The same with these configurations, and all reals up.
pub(crate) fn quic_blueprint(configs: &[QuicSpec]) -> Blueprint {
    let mut plan = blueprint(Some(40));
    plan.quic = configs.to_vec();
    let service = &mut plan.services[0];
    *service = ServiceSpec { protocol: 17, port_first: 443, port_last: 443, ..*service };
    for (config, place) in configs.iter().zip(0..) {
        service.quic[usize::from(config.rotation)] = Some(place);
    }
    plan
}

pub(crate) fn built(plan: &Blueprint) -> Table<Aligned> {
    service::build(plan, Generation::default()).unwrap().table().unwrap()
}

/// A configuration by its rotation bits: server ids of two bytes, of which the last is the real's number; the first is 1
/// under a key.
pub(crate) fn ids(rotation: u8, key: Option<u8>) -> QuicSpec {
    let id = |real| ServerId::new(&[u8::from(key.is_some()), real]).unwrap();
    QuicSpec {
        rotation,
        server_id_bytes: 2,
        nonce_bytes: 6,
        key: key.map(|byte| QuicKey([byte; 16])),
        tells_length: false,
        servers: (1..=4).map(|real| (id(real), RealNumber::new(u32::from(real)).unwrap())).collect(),
    }
}

/// A QUIC packet to it, whose id has these first bits and, if it is clear, this server; its last `cut` bytes are gone.
pub(crate) fn quic_frame(flow: u32, (rotation, server): (u8, u8), is_long: bool, cut: usize) -> Vec<u8> {
    let mut data = if is_long { vec![0xc0, 0, 0, 0, 1, 9] } else { vec![0x40] };
    data.extend([rotation << 5, 0, server, 1, 2, 3, 4, 5, 6]);
    data.extend([0; 12]);
    data.truncate(data.len().saturating_sub(cut));
    quic_packet(flow, &data)
}

/// A QUIC packet to it whose short header begins with that id.
pub(crate) fn quic_short(flow: u32, id: &[u8]) -> Vec<u8> {
    quic_packet(flow, &[&[0x40], id, &[0; 12]].concat())
}

fn quic_packet(flow: u32, data: &[u8]) -> Vec<u8> {
    let udp_len = u16::try_from(8 + data.len()).unwrap();
    let ports = [frame_port(flow), 443_u16.to_be_bytes()].concat();
    ip_packet(
        frame(flow, 0)[..34].to_vec(),
        17,
        &[&ports, &udp_len.to_be_bytes()[..], &[0, 0], data].concat(),
    )
}

/// A router's word that what the VIP sent to that flow's client, a long header with that source id, was too big.
pub(crate) fn quic_error(flow: u32, source: &[u8]) -> Vec<u8> {
    let ports = [443_u16.to_be_bytes(), frame_port(flow)].concat();
    let len = u8::try_from(source.len()).unwrap();
    error(flow, 17, &[&ports, &[0, 40, 0, 0][..], &[0xc0, 0, 0, 0, 1, 0, len], source].concat())
}

/// The same about a segment of [`frame`]'s flow.
pub(crate) fn tcp_error(flow: u32) -> Vec<u8> {
    error(flow, 6, &[0, 80, 4, 0, 0, 0, 0, 1])
}

fn error(flow: u32, protocol: u8, quoted: &[u8]) -> Vec<u8> {
    let toward = frame(flow, 0);
    let mut quote = toward[14..26].to_vec();
    quote[9] = protocol;
    quote.extend([&toward[30..34], &toward[26..30], quoted].concat());
    let mut message = [&[3, 4, 0, 0, 0, 0, 5, 0][..], &quote].concat();
    let sum = wire::checksum::of(&message);
    message[2..4].copy_from_slice(&sum);
    ip_packet(toward[..34].to_vec(), 1, &message)
}

/// With these headers up to IPv4's, which are made to fit.
fn ip_packet(mut frame: Vec<u8>, protocol: u8, payload: &[u8]) -> Vec<u8> {
    frame[16..18].copy_from_slice(&u16::try_from(20 + payload.len()).unwrap().to_be_bytes());
    frame[23] = protocol;
    frame[24..26].fill(0);
    let sum = wire::checksum::of(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum);
    frame.extend(payload);
    frame
}

fn frame_port(flow: u32) -> [u8; 2] {
    u16::try_from(40_000 + flow).unwrap().to_be_bytes()
}
