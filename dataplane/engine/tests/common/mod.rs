//! A small table, and TCP segments to its VIP.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers fail as their test does, and no test needs all"
)]

use std::net::Ipv4Addr;

use port::{Burst, MemPacket};
use service::{
    Aligned, Blueprint, DontFragment, Encap, Generation, Key, Member, Outer, OuterSource, PoolSpec,
    RealNumber, RealSpec, RealState, ServiceNumber, ServiceSpec, Table, Timeouts,
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
        pools: vec![PoolSpec { members, slots: 251, policy: service::Policy::Maglev, panics: false }],
        rules: Vec::new(),
        services: vec![ServiceSpec {
            number: ServiceNumber::FIRST,
            vip: Ipv4Addr::new(198, 51, 100, 10).into(),
            prefix_len: 32,
            protocol: 6,
            port_first: 80,
            port_last: 80,
            pool: 0,
            quic: [None; 7],
            attributes: service::Attributes::default(),
            key: service::Key::Flow,
            mss: 0,
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

/// The same VIP with services that keep the clients of each network of 28 bits together: UDP 500 and 4500, ESP, and
/// what is left.
pub(crate) fn keyed_blueprint(new_flows_rate_max: Option<u32>) -> Blueprint {
    let mut plan = blueprint(new_flows_rate_max);
    let first = ServiceSpec { key: Key::Source(28), port_first: 0, port_last: u16::MAX, ..plan.services[0] };
    plan.services = vec![first; 4];
    let of = [(255, (0, u16::MAX)), (17, (500, 500)), (17, (4500, 4500)), (50, (0, u16::MAX))];
    for ((number, service), (protocol, ports)) in (0..).zip(&mut plan.services).zip(of) {
        service.number = ServiceNumber::new(number).unwrap();
        (service.protocol, (service.port_first, service.port_last)) = (protocol, ports);
    }
    plan
}

/// A packet of that protocol from client 10.0.0.`client` to the VIP, with eight bytes behind its header.
pub(crate) fn portless_frame(client: u8, protocol: u8, payload: [u8; 8]) -> Vec<u8> {
    let mut frame = frame(u32::from(client), 0);
    frame.truncate(34);
    frame.extend(payload);
    (frame[17], frame[23], frame[24], frame[25]) = (28, protocol, 0, 0);
    let sum = wire::checksum::of(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum);
    frame
}

fn frame_port(flow: u32) -> [u8; 2] {
    u16::try_from(40_000 + flow).unwrap().to_be_bytes()
}

/// The same table with its service of UDP.
pub(crate) fn udp_table() -> Table<Aligned> {
    let mut plan = blueprint(None);
    plan.services[0].protocol = 17;
    service::build(&plan, Generation::default()).unwrap().table().unwrap()
}

/// A fragment of datagram `identification` of flow `flow` to that service: `len` bytes from `offset` on, of which the
/// first eight are the datagram's UDP header. `flow` is the client's address, and its port.
pub(crate) fn fragment(flow: u32, identification: u16, (offset, len, has_more): (u16, u16, bool)) -> Vec<u8> {
    let mut frame = frame(flow, 0);
    frame.truncate(34);
    let mut payload = vec![0_u8; usize::from(offset + len)];
    if let Some(header) = payload.first_chunk_mut::<8>() {
        *header = [frame_port(flow)[0], frame_port(flow)[1], 0, 80, 4, 0, 0, 0];
    }
    frame.extend(payload.into_iter().skip(usize::from(offset)));
    frame[16..18].copy_from_slice(&(20 + len).to_be_bytes());
    frame[18..20].copy_from_slice(&identification.to_be_bytes());
    let more = if has_more { 0x2000 } else { 0 };
    let flags = (offset / 8) | more;
    frame[20..22].copy_from_slice(&flags.to_be_bytes());
    frame[23] = 17;
    frame[24..26].fill(0);
    let sum = wire::checksum::of(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum);
    frame
}

/// What a router says about that flow: that a packet of the VIP to the client was too big.
pub(crate) fn error_about(flow: u32) -> Vec<u8> {
    let client = frame(flow, 0);
    let mut quote = vec![0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 17, 0, 0, 198, 51, 100, 10];
    quote.extend(&client[26..30]);
    quote.extend([0, 80, frame_port(flow)[0], frame_port(flow)[1], 0, 20, 0, 0]);
    let mut message = vec![3, 4, 0, 0, 0, 0, 5, 0];
    message.extend(quote);
    let sum = wire::checksum::of(&message);
    message[2..4].copy_from_slice(&sum);
    let mut frame = client[..34].to_vec();
    let len = u16::try_from(20 + message.len()).unwrap();
    frame[16..18].copy_from_slice(&len.to_be_bytes());
    frame[23] = 1;
    // Routers have addresses of their own.
    frame[26..30].copy_from_slice(&[192, 0, 2, 77]);
    frame[24..26].fill(0);
    let sum = wire::checksum::of(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum);
    frame.extend(message);
    frame
}
