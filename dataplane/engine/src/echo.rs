//! A VIP answers echo (RFC 792 p. 14, RFC 4443 §4.2): the request leaves as its own answer.

use counters::DropReason;
use port::Packet;
use wire::{Family, Parsed, checksum, icmp};

/// Hop limit of the answer.
const HOP_LIMIT: u8 = 64;

/// IP packets up to this length are checked whole; of longer ones, whose rest may lie in further segments,
/// the checksum is only corrected for the change.
const CHECKED_BYTES_MAX: u32 = 1500;

/// Turns an echo request into the answer, in place.
///
/// # Errors
/// [`DropReason::BadChecksum`], for packets up to 1,500 bytes.
pub(crate) fn answer<P: Packet>(packet: &mut P, parsed: &Parsed) -> Result<(), DropReason> {
    let network = usize::from(parsed.network_offset);
    let transport = usize::from(parsed.transport_offset);
    packet.truncate(network + parsed.ip_len as usize);
    // Back ends cut long packets into segments of different lengths, and must give the same answer.
    let is_whole = parsed.ip_len <= CHECKED_BYTES_MAX && packet.total_len() == packet.data().len();
    let frame = packet.data_mut();
    let Some((headers, message)) = frame.split_at_mut_checked(transport) else {
        return Err(DropReason::Truncated);
    };
    if is_whole {
        if !icmp::is_intact(&parsed.tuple, message) {
            return Err(DropReason::BadChecksum);
        }
        icmp::answer_echo(&parsed.tuple.reversed(), message);
    } else {
        icmp::answer_partial_echo(parsed.tuple.family, message);
    }
    let Some((link, ip)) = headers.split_at_mut_checked(network) else { return Err(DropReason::Truncated) };
    if let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, ..] = link {
        for (one, other) in [(d0, s0), (d1, s1), (d2, s2), (d3, s3), (d4, s4), (d5, s5)] {
            std::mem::swap(one, other);
        }
    }
    match parsed.tuple.family {
        Family::V4 => turn_v4(ip),
        Family::V6 => turn_v6(ip),
    }
    Ok(())
}

fn turn_v4(header: &mut [u8]) {
    if let Some([.., ttl, _, c0, c1, s0, s1, s2, s3, d0, d1, d2, d3]) = header.first_chunk_mut::<20>() {
        (*ttl, *c0, *c1) = (HOP_LIMIT, 0, 0);
        for (one, other) in [(s0, d0), (s1, d1), (s2, d2), (s3, d3)] {
            std::mem::swap(one, other);
        }
    }
    let sum = checksum::of(header);
    if let Some([_, _, _, _, _, _, _, _, _, _, c0, c1]) = header.first_chunk_mut::<12>() {
        [*c0, *c1] = sum;
    }
}

fn turn_v6(header: &mut [u8]) {
    if let Some([_, _, _, _, _, _, _, hop_limit, addresses @ ..]) = header.first_chunk_mut::<40>() {
        *hop_limit = HOP_LIMIT;
        let (source, destination) = addresses.split_at_mut(16);
        source.swap_with_slice(destination);
    }
}
