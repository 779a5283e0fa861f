//! Datagrams in fragments.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers fail as their test does, no test needs all, and the numbers are small"
)]

use service::{Blueprint, ServiceNumber};

use crate::swaps::all_up;

/// A table whose first service is DNS's, over all reals.
pub(crate) fn dns() -> Blueprint {
    let mut blueprint = all_up();
    let service = &mut blueprint.services[0];
    assert_eq!(service.number, ServiceNumber::default());
    (service.protocol, service.port_first, service.port_last) = (17, 53, 53);
    blueprint
}

/// A packet of that client to the VIP: its identification, its flags and offset, its protocol and payload.
pub(crate) fn packet(
    source: [u8; 4],
    (identification, fragment): (u16, u16),
    (protocol, payload): (u8, &[u8]),
) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    frame.extend((20 + payload.len() as u16).to_be_bytes());
    frame.extend(identification.to_be_bytes());
    frame.extend(fragment.to_be_bytes());
    frame.extend([64, protocol, 0, 0]);
    frame.extend(source);
    frame.extend([198, 51, 100, 10]);
    let sum = wire::checksum::of(&frame[14..]);
    frame[24..26].copy_from_slice(&sum);
    frame.extend(payload);
    frame
}

/// A flow by its number: two hundred clients, and ports of theirs.
const fn client(flow: u64) -> ([u8; 4], u16) {
    ([203, 0, 113, (flow % 200) as u8], 1024 + (flow / 200) as u16)
}

fn datagram(flow: u64, data: usize) -> Vec<u8> {
    let mut bytes = client(flow).1.to_be_bytes().to_vec();
    bytes.extend([0, 53]);
    bytes.extend((8 + data as u16).to_be_bytes());
    bytes.resize(8 + data, 0);
    bytes
}

/// A whole datagram of a flow.
pub(crate) fn whole(flow: u64) -> Vec<u8> {
    packet(client(flow).0, (0, 0x4000), (17, &datagram(flow, 12)))
}

/// Fragments of a datagram.
pub(crate) const PIECES: usize = 3;

/// One of the three fragments of a flow's datagram.
pub(crate) fn piece(flow: u64, identification: u16, at: usize) -> Vec<u8> {
    let bytes = datagram(flow, 48);
    let part = bytes.chunks(24).nth(at).unwrap();
    let more = if at + 1 < PIECES { 0x2000 } else { 0 };
    packet(client(flow).0, (identification, (3 * at as u16) | more), (17, part))
}

/// What a router on the way back says of a flow.
pub(crate) fn error(flow: u64, router: u8) -> Vec<u8> {
    let (address, port) = client(flow);
    let mut message = vec![3, 4, 0, 0, 0, 0, 5, 0xb4];
    message.extend([0x45, 0, 0, 60, 0, 1, 0x40, 0, 64, 17, 0, 0, 198, 51, 100, 10]);
    message.extend(address);
    message.extend([0, 53]);
    message.extend(port.to_be_bytes());
    message.extend([0, 40, 0, 0]);
    let sum = wire::checksum::of(&message);
    message[2..4].copy_from_slice(&sum);
    packet([192, 0, 2, router], (1, 0), (1, &message))
}
