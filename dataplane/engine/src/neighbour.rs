//! A VIP answers for itself on the link: ARP requests (RFC 826) and neighbour solicitations (RFC 4861 §7.2),
//! turned into their answers in place. The kernel never hears of them: no VIP is an address of its own.
//!
//! Whoever only asks whether an address is free gets no answer (RFC 5227 §2.1.1, RFC 4862 §5.4): a server behind
//! us that holds the VIP for its direct replies may ask so, and must not be told to give it up.

use port::Packet;
use service::TableView;
use wire::arp::{Arp, MESSAGE_LEN, REQUEST};
use wire::ethernet::{ARP, Ethernet};
use wire::nd::{self, Solicitation};
use wire::{Family, Parsed, padded};

/// Turns a frame that is no IP into the answer if it is an ARP request for a VIP. Gives whether it was, and
/// else leaves it as it is.
pub(crate) fn answer_arp<P: Packet>(table: &TableView<'_>, packet: &mut P, mac: [u8; 6]) -> bool {
    let frame = packet.data();
    let Ok(link) = Ethernet::parse(frame) else { return false };
    let message = frame.get(link.len..).and_then(|rest| rest.first_chunk::<MESSAGE_LEN>());
    let asked = message.filter(|_| link.ethertype == ARP).and_then(Arp::parse);
    let Some(asked) = asked.filter(|asked| asked.operation == REQUEST && is_asked(table, asked)) else {
        return false;
    };
    packet.truncate(link.len + MESSAGE_LEN);
    let answer = asked.answered(mac).emit();
    write(packet.data_mut(), asked.sender_mac, mac, link.len, &answer)
}

/// For a VIP, by somebody who has an address, and not ours.
fn is_asked(table: &TableView<'_>, asked: &Arp) -> bool {
    let is_from_one = asked.sender_mac.first().is_some_and(|first| first & 1 == 0);
    let is_vip = |address| table.classify_address(&padded(address), Family::V4);
    is_from_one && asked.sender != [0; 4] && is_vip(asked.target) && !is_vip(asked.sender)
}

/// The same for a neighbour discovery message and the solicitation among them.
pub(crate) fn answer_nd<P: Packet>(
    table: &TableView<'_>,
    packet: &mut P,
    parsed: &Parsed,
    mac: [u8; 6],
) -> bool {
    let network = usize::from(parsed.network_offset);
    let frame = packet.data();
    let message = frame.get(network..network + parsed.ip_len as usize);
    let Some(asked) = message.and_then(Solicitation::parse) else { return false };
    let is_vip = |address| table.classify_address(address, Family::V6);
    if parsed.ends.is_bad_source() || !is_vip(&asked.target) || is_vip(&asked.source) {
        return false;
    }
    let asker = asked.link.or_else(|| source(frame)).filter(|[first, ..]| first & 1 == 0);
    let Some(asker) = asker else { return false };
    let answer = nd::advertisement(asked.target, Some(asked.source), mac);
    // Without its link address a solicitation is eight bytes shorter than the answer; what stood in front
    // moves with the room.
    let (len, wanted) = (packet.total_len(), network + answer.len());
    if len < wanted {
        let more = wanted - len;
        let Ok(frame) = packet.prepend(more) else { return false };
        if frame.len() >= more + network {
            frame.copy_within(more..more + network, 0);
        }
    }
    packet.truncate(wanted);
    write(packet.data_mut(), asker, mac, network, &answer)
}

fn source(frame: &[u8]) -> Option<[u8; 6]> {
    frame.get(6..)?.first_chunk().copied()
}

/// Writes both addresses and what follows the link header of `link_len` bytes, whose tags stay.
fn write(frame: &mut [u8], to: [u8; 6], from: [u8; 6], link_len: usize, payload: &[u8]) -> bool {
    let Some((link, rest)) = frame.split_at_mut_checked(link_len) else { return false };
    let (Some(macs), Some(into)) = (link.as_chunks_mut::<6>().0.get_mut(..2), rest.get_mut(..payload.len()))
    else {
        return false;
    };
    macs.copy_from_slice(&[to, from]);
    into.copy_from_slice(payload);
    true
}
