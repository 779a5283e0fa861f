//! The largest segment size that SYNs offer, lowered where a service says so (RFC 9293 §3.7.1).
//!
//! What a client's SYN offers bounds what its server sends to it. What the client sends, and our tunnels carry, is bounded
//! by what the server's SYN offers, which is met here only on its way back through us (`return_path = "via-slr"`).

use counters::Event;
use flow::Value;
use mem::Prf;
use port::{Packet, Tick};
use service::{Class, ReturnPath, ServiceSlot, TableView};
use wire::{FiveTuple, Kind, Parsed, protocol, tcp};

use crate::burst::Engine;
use crate::fragments;
use crate::resolve::Choice;

impl Engine {
    /// Lowers what the packets of a burst that was parsed offer.
    #[cold]
    #[inline(never)]
    pub(crate) fn clamp_all<P: Packet>(&mut self, table: &TableView<'_>, packets: &mut [P], now: Tick) {
        let (mut resolver, _, lanes) = self.split(table, now);
        for (lane, packet) in lanes.iter().zip(packets) {
            let Some(parsed) = lane.parsed() else { continue };
            let select = resolver.select;
            if clamp(table, select, packet, parsed, |tuple| resolver.known_anywhere(tuple)) {
                resolver.ledger.add(Event::MssClamped, 1);
            }
        }
    }
}

/// Lowers what a packet offers. Gives whether it was one that did, and offered more than its service says.
pub(crate) fn clamp<P: Packet>(
    table: &TableView<'_>,
    select: &Prf,
    packet: &mut P,
    parsed: &Parsed,
    known: impl FnOnce(&FiveTuple) -> Option<Value>,
) -> bool {
    // A first fragment holds the whole header (a short one is refused), a later one none.
    let has_header = matches!(parsed.kind, Kind::Tcp | Kind::FirstFragment);
    if !has_header || parsed.tuple.protocol != protocol::TCP || !parsed.flags.synchronises() {
        return false;
    }
    let most = match service_of(table, select, (packet.data(), parsed), known) {
        Some(at) => table.service(at).mss(),
        None => 0,
    };
    let end = usize::from(parsed.network_offset) + parsed.ip_len as usize;
    let frame = packet.data_mut();
    let end = end.min(frame.len());
    let segment = frame.get_mut(usize::from(parsed.transport_offset)..end).unwrap_or_default();
    most != 0 && tcp::clamp_mss(segment, most)
}

/// Whose packet it is: a request, or a response that comes back through us.
fn service_of(
    table: &TableView<'_>,
    select: &Prf,
    (frame, parsed): (&[u8], &Parsed),
    known: impl FnOnce(&FiveTuple) -> Option<Value>,
) -> Option<ServiceSlot> {
    if table.classify(&parsed.tuple) != Class::NotVip {
        return Choice::of(table, select, frame, &fragments::whole(parsed)).ok().map(|choice| choice.at);
    }
    let tuple = parsed.tuple.reversed();
    if table.return_path() == ReturnPath::Direct || table.classify(&tuple) == Class::NotVip {
        return None;
    }
    // What a rule saw of the request is not seen of the response; its flow knows what came of it.
    if table.has_rules()
        && let Some(value) = known(&tuple)
    {
        return table.slot_of(value.service());
    }
    let request = Parsed { kind: Kind::IcmpError, tuple, tail: tuple.tail(), ..Parsed::EMPTY };
    Choice::of(table, select, &[], &request).ok().map(|choice| choice.at)
}
