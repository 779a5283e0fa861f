//! What has no flow: it is answered in its own place, dropped, or the kernel's.

use counters::{DropReason, PuntReason};
use port::Packet;
use service::TableView;
use wire::{Kind, Parsed};

use crate::decision::{Answer, Verdict};
use crate::{echo, neighbour};

/// What is no IP becomes the answer to itself, or leaves.
pub(crate) fn answer_no_ip<P: Packet>(
    table: &TableView<'_>,
    mac: [u8; 6],
    packet: &mut P,
) -> Result<Answer, Verdict> {
    let is_answered = neighbour::answer_arp(table, packet, mac);
    if is_answered { Ok(Answer::Arp) } else { Err(Verdict::Punt(PuntReason::NotIp)) }
}

/// The same for what has no ports.
pub(crate) fn answer_portless<P: Packet>(
    table: &TableView<'_>,
    mac: [u8; 6],
    packet: &mut P,
    parsed: &Parsed,
) -> Result<Answer, Verdict> {
    if parsed.kind == Kind::NeighbourDiscovery && neighbour::answer_nd(table, packet, parsed, mac) {
        return Ok(Answer::Nd);
    }
    match without_flow(table, parsed) {
        Verdict::Tx => echo::answer(packet, parsed).map(|()| Answer::Echo).map_err(Verdict::Drop),
        verdict => Err(verdict),
    }
}

/// What becomes of a packet that has no ports; an echo request to a VIP is to be answered.
#[inline(never)]
fn without_flow(table: &TableView<'_>, parsed: &Parsed) -> Verdict {
    if !table.classify_address(&parsed.tuple.destination, parsed.tuple.family) {
        return Verdict::Punt(PuntReason::NotVip);
    }
    if parsed.ends.is_to_many() {
        return Verdict::Drop(DropReason::LinkBroadcast);
    }
    if parsed.ends.is_bad_source() && parsed.kind != Kind::NeighbourDiscovery {
        return Verdict::Drop(DropReason::BadSource);
    }
    match parsed.kind {
        Kind::EchoRequest => Verdict::Tx,
        Kind::NeighbourDiscovery => Verdict::Punt(PuntReason::NeighbourDiscovery),
        Kind::IcmpBadQuote => Verdict::Drop(DropReason::IcmpQuote),
        Kind::IcmpOther => Verdict::Drop(DropReason::IcmpType),
        Kind::Fragment => Verdict::Drop(DropReason::Fragment),
        Kind::Tcp | Kind::Udp | Kind::IcmpError | Kind::Esp | Kind::Ah | Kind::OtherProtocol => {
            Verdict::Drop(DropReason::Protocol)
        }
        // They go their own way where their ends are two.
        Kind::FirstFragment | Kind::LaterFragment | Kind::ShortFragment => {
            Verdict::Drop(DropReason::Fragment)
        }
    }
}
