//! The small table with connection ids, and packets of QUIC to it. Apart from the rest, which the tests of other crates
//! share.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers fail as their test does, and no test needs all"
)]

use quic::ServerId;
use service::{Aligned, Blueprint, Generation, QuicKey, QuicSpec, RealNumber, RealState, ServiceSpec, Table};

use crate::common::{blueprint, frame};

/// The VIP of [`blueprint`] with QUIC on port 443: a clear configuration of ids, and one under a key. The fourth real is down.
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
