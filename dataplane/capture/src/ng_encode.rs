//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng §4): little-endian, Ethernet, times in nanoseconds.
//!
//! A file is a [`section`], an [`interface`] for each port, [`packet`]s with a comment each, and at the end
//! [`statistics`] for each interface. Each is appended to bytes that the caller writes where it likes.

use crate::limits::PACKET_BYTES_MAX;
use crate::link_type::LinkType;

const SECTION_TYPE: u32 = 0x0a0d_0d0a;
const INTERFACE_TYPE: u32 = 1;
const STATISTICS_TYPE: u32 = 5;
const ENHANCED_TYPE: u32 = 6;

/// Options, by block.
mod option {
    pub(super) const END: u16 = 0;
    pub(super) const COMMENT: u16 = 1;
    pub(super) const USER_APPLICATION: u16 = 4;
    pub(super) const INTERFACE_NAME: u16 = 2;
    pub(super) const TIME_RESOLUTION: u16 = 9;
    pub(super) const RECEIVED: u16 = 4;
    pub(super) const DROPPED: u16 = 5;
}

/// One packet of a capture.
#[derive(Clone, Copy, Debug)]
pub struct NgPacket<'p> {
    /// Its interface, from 0 in the order they were written.
    pub interface: u32,
    /// Nanoseconds since 1970.
    pub time_nanos: u64,
    /// Bytes on the wire.
    pub original_len: u32,
    /// The bytes that were captured; what is beyond [`PACKET_BYTES_MAX`] is cut off.
    pub data: &'p [u8],
    /// What is said about it, shown by Wireshark as the packet's comment.
    pub comment: &'p str,
}

/// Appends a section header: `application` is the program that wrote it.
pub fn section(into: &mut Vec<u8>, application: &str) {
    block(into, SECTION_TYPE, |body| {
        body.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
        body.extend_from_slice(&[1, 0, 0, 0]);
        // How long the section is, is not known yet.
        body.extend_from_slice(&u64::MAX.to_le_bytes());
        put(body, option::USER_APPLICATION, application.as_bytes());
        put(body, option::END, &[]);
    });
}

/// Appends the description of an interface, of whose packets at most `snaplen` bytes are kept.
pub fn interface(into: &mut Vec<u8>, name: &str, snaplen: u32) {
    block(into, INTERFACE_TYPE, |body| {
        // Sixteen bits, and sixteen that are zero.
        body.extend_from_slice(&LinkType::ETHERNET.0.to_le_bytes());
        body.extend_from_slice(&snaplen.to_le_bytes());
        put(body, option::INTERFACE_NAME, name.as_bytes());
        // Units of 10⁻⁹ seconds.
        put(body, option::TIME_RESOLUTION, &[9]);
        put(body, option::END, &[]);
    });
}

/// Appends a packet.
pub fn packet(into: &mut Vec<u8>, packet: &NgPacket<'_>) {
    let data = packet.data.get(..PACKET_BYTES_MAX as usize).unwrap_or(packet.data);
    block(into, ENHANCED_TYPE, |body| {
        body.extend_from_slice(&packet.interface.to_le_bytes());
        time(body, packet.time_nanos);
        // Cut to what a u32 holds just above.
        let captured = u32::try_from(data.len()).unwrap_or(u32::MAX);
        body.extend_from_slice(&captured.to_le_bytes());
        body.extend_from_slice(&packet.original_len.to_le_bytes());
        body.extend_from_slice(data);
        pad(body);
        put(body, option::COMMENT, packet.comment.as_bytes());
        put(body, option::END, &[]);
    });
}

/// Appends what became of an interface's packets by that time: how many were wanted, and how many of those are not
/// in the file, because there was no room for them.
pub fn statistics(into: &mut Vec<u8>, interface: u32, time_nanos: u64, wanted: u64, lost: u64) {
    block(into, STATISTICS_TYPE, |body| {
        body.extend_from_slice(&interface.to_le_bytes());
        time(body, time_nanos);
        put(body, option::RECEIVED, &wanted.to_le_bytes());
        put(body, option::DROPPED, &lost.to_le_bytes());
        put(body, option::END, &[]);
    });
}

/// A block: type and length in front, the length behind once more. Everything in it is a multiple of four.
fn block(into: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = into.len();
    into.extend_from_slice(&kind.to_le_bytes());
    into.extend_from_slice(&[0; 4]);
    body(into);
    let len = u32::try_from(into.len() - start + 4).unwrap_or(u32::MAX).to_le_bytes();
    if let Some(field) = into.get_mut(start + 4..start + 8) {
        field.copy_from_slice(&len);
    }
    into.extend_from_slice(&len);
}

/// The upper half comes first.
fn time(body: &mut Vec<u8>, nanos: u64) {
    let [a, b, c, d, e, f, g, h] = nanos.to_le_bytes();
    body.extend_from_slice(&[e, f, g, h, a, b, c, d]);
}

/// An option; a value that is too long is cut.
fn put(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..OPTION_BYTES_MAX).unwrap_or(value);
    body.extend_from_slice(&code.to_le_bytes());
    body.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    body.extend_from_slice(value);
    pad(body);
}

/// Longer comments are of no use.
const OPTION_BYTES_MAX: usize = 4096;

/// Up to a multiple of four: blocks begin at one, whatever stands before them.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}
