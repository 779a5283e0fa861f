//! MPLS labels in front of packets to one of us (RFC 3032): where a service wants them popped or swapped, they are off
//! before the packet is read. A labelled packet to anybody else is as it came, and the kernel's.

use counters::DropReason;
use port::Packet;
use service::TableView;
use wire::Family;
use wire::ethernet::{self, Ethernet};
use wire::mpls::{Entry, Stack};

/// Takes the labels off a packet to a VIP, or to where a tunnel ends here; gives the outermost, and the bytes of all.
///
/// # Errors
/// It may go no further, and is as it came.
pub(crate) fn pop<P: Packet>(
    table: &TableView<'_>,
    packet: &mut P,
) -> Result<Option<(Entry, usize)>, DropReason> {
    let Some((link, stack, ethertype)) = find(table, packet.data()) else { return Ok(None) };
    // The label is for the next hop, and there would be none (RFC 3032 §2.4.2).
    if stack.top.ttl <= 1 {
        return Err(DropReason::LabelTtl);
    }
    let frame = packet.data_mut();
    if let Some(to) = frame.get_mut(link - 2..).and_then(|rest| rest.first_chunk_mut::<2>()) {
        *to = ethertype.to_be_bytes();
    }
    frame.copy_within(..link, stack.len);
    packet.trim_front(stack.len);
    Ok(Some((stack.top, stack.len)))
}

/// The length of the link header, the labels behind it, and the ethertype of the packet behind those, if it is to us.
fn find(table: &TableView<'_>, frame: &[u8]) -> Option<(usize, Stack, u16)> {
    let link = Ethernet::parse(frame).ok().filter(|link| link.ethertype == ethernet::MPLS)?;
    let labelled = frame.get(link.len..)?;
    let stack = Stack::parse(labelled)?;
    let packet = labelled.get(stack.len..)?;
    // Nothing says what stands behind a stack; of what routers put there, IP alone begins like this (RFC 4928 §3).
    let family = Family::of(packet)?;
    let destination = family.destination(packet)?;
    let is_ours =
        table.classify_address(&destination, family) || !table.ends().at(&destination, family).is_empty();
    is_ours.then_some((link.len, stack, family.ethertype()))
}
