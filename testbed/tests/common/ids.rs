//! QUIC packets with a short header, and tables that know their ids.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers fail as their test does, and the numbers are small"
)]

use quic::ServerId;
use service::{Blueprint, QuicKey, QuicSpec, RealNumber};

/// Bytes of a frame of [`Flows`](crate::swaps::Flows), of TCP or UDP.
pub(crate) const FRAME_BYTES: usize = 54;

/// Server ids of one byte, four bytes of nonce.
pub(crate) fn ids(
    rotation: u8,
    key: Option<u8>,
    servers: impl Iterator<Item = (u8, RealNumber)>,
) -> QuicSpec {
    QuicSpec {
        rotation,
        server_id_bytes: 1,
        nonce_bytes: 4,
        key: key.map(|byte| QuicKey([byte; 16])),
        tells_length: false,
        servers: servers.map(|(id, real)| (ServerId::new(&[id]).unwrap(), real)).collect(),
    }
}

/// The first service becomes one of UDP to port 443 with these ids.
pub(crate) fn lead(blueprint: &mut Blueprint, ids: Vec<QuicSpec>) {
    blueprint.quic = ids;
    let service = &mut blueprint.services[0];
    (service.protocol, service.port_first, service.port_last) = (17, 443, 443);
    service.quic = [None; 7];
    for (config, place) in blueprint.quic.iter().zip(0..) {
        service.quic[usize::from(config.rotation)] = Some(place);
    }
}

/// The frame of a flow as a QUIC packet with a short header: with an id of these rotation bits and this server id, or with
/// one that nobody made. As long as it was, so that IP's length stays right; nothing is allocated, for it may be the
/// worker that asks for it.
pub(crate) fn quic_frame(tcp: &[u8], id: Option<(u8, u8)>) -> [u8; FRAME_BYTES] {
    let mut frame: [u8; FRAME_BYTES] = tcp.try_into().unwrap();
    frame[23] = 17;
    frame[24..26].fill(0);
    let sum = wire::checksum::of(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum);
    // Port 443, twenty bytes of UDP, no checksum; the first byte of a short header.
    frame[36..43].copy_from_slice(&[1, 187, 0, 20, 0, 0, 0x40]);
    frame[43..].fill(9);
    let (rotation, server) = id.unwrap_or((7, 9));
    (frame[43], frame[44]) = (rotation << 5, server);
    frame
}
