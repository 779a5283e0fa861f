//! One fragment's way.

use counters::{DropReason, Event, PuntReason};
use port::Packet;
use service::{DontFragment, RealState, TableView, Template, TunnelKind};
use wire::{Family, Kind, Parsed, protocol};

use crate::aside::{Stay, stay};
use crate::burst::go_on;
use crate::decision::{Decision, FlowUse, Verdict};
use crate::encap::Identifications;
use crate::fragments::{Course, Fragment, Judged};
use crate::refused::refused;
use crate::resolve::{Choice, Refusal, Resolver, Seen, Target};

/// Finds out where a fragment goes.
#[inline(never)]
pub(crate) fn meet<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    identifications: &mut Identifications,
    packet: &mut P,
    (parsed, at): (&Parsed, u32),
) -> Decision {
    let fragment = match is_carried(resolver.table, resolver.select, (packet.data(), parsed)) {
        Ok(()) => Fragment::of(|name| resolver.flows.hash(name), packet.data(), parsed),
        Err(verdict) => return refused(resolver, (verdict, None), parsed),
    };
    let Some(fragment) = fragment else {
        return refused(resolver, (Verdict::Drop(DropReason::Malformed), None), parsed);
    };
    if let Some(mate) = resolver.fragments.mate(fragment.key) {
        let decision = Decision::left(Verdict::Handed, None);
        stay(resolver.asides, (parsed, at), decision, Stay::Mate(mate));
        return decision;
    }
    let judged = resolver.fragments.judge(&fragment, resolver.now.0);
    let reason = match judged.course {
        Course::Ask => return first(resolver, identifications, packet, (parsed, at), &judged),
        Course::Send(target) => {
            resolver.fragments.keep(&judged);
            return follow(resolver, identifications, packet, (parsed, at), target);
        }
        Course::Wait => match resolver.fragments.wait(&judged) {
            Some(place) => {
                resolver.ledger.add(Event::Held, 1);
                let decision = Decision::left(Verdict::Held, None);
                stay(resolver.asides, (parsed, at), decision, Stay::Shelf(place));
                return decision;
            }
            // There are more places than may wait.
            None => DropReason::FragmentFull,
        },
        Course::Drop(reason) => {
            resolver.fragments.keep(&judged);
            reason
        }
        Course::Refuse(reason) => {
            resolver.fragments.decide(&judged, Err(reason), *identifications);
            reason
        }
    };
    refused(resolver, (Verdict::Drop(reason), None), parsed)
}

/// Whether fragments like this one are followed: they are for a VIP, and of a protocol that is balanced there. Of
/// IPv6 only the first fragment tells the protocol.
pub(crate) fn is_carried(
    table: &TableView<'_>,
    select: &mem::Prf,
    (frame, parsed): Seen<'_>,
) -> Result<(), Verdict> {
    let tuple = &parsed.tuple;
    if !table.classify_address(&tuple.destination, tuple.family) {
        return Err(Verdict::Punt(PuntReason::NotVip));
    }
    let has_ports = matches!(tuple.protocol, protocol::TCP | protocol::UDP);
    if has_ports || tuple.family == Family::V6 || Choice::of(table, select, frame, parsed).is_ok() {
        return Ok(());
    }
    Err(Verdict::Drop(DropReason::Protocol))
}

/// A first fragment as the packet of a flow that it begins.
pub(crate) const fn whole(parsed: &Parsed) -> Parsed {
    let kind = match parsed.tuple.protocol {
        protocol::TCP => Kind::Tcp,
        protocol::UDP => Kind::Udp,
        _ => Kind::OtherProtocol,
    };
    Parsed { kind, ..*parsed }
}

/// The first: its flow's real is its datagram's.
fn first<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    identifications: &mut Identifications,
    packet: &mut P,
    (parsed, at): (&Parsed, u32),
    judged: &Judged,
) -> Decision {
    match resolver.target_of_few(packet, &whole(parsed)) {
        Ok(target) => {
            let decision = go(resolver, identifications, packet, (parsed, at), target);
            let reserved = reserve(resolver, identifications, (parsed, target), judged.waiting());
            let target = Target { used: FlowUse::Hit, ..target };
            resolver.fragments.decide(judged, Ok(target), reserved);
            decision
        }
        Err(refusal) => {
            let (verdict, service) = portless(refusal, parsed);
            if let Verdict::Drop(reason) = verdict {
                resolver.fragments.decide(judged, Err(reason), *identifications);
            }
            refused(resolver, (verdict, service), parsed)
        }
    }
}

/// Where a protocol has no ports, no port is without a service.
pub(crate) fn portless((verdict, service): Refusal, parsed: &Parsed) -> Refusal {
    let has_ports = matches!(parsed.tuple.protocol, protocol::TCP | protocol::UDP);
    let is_unknown = verdict == Verdict::Drop(DropReason::NoService) && !has_ports;
    (if is_unknown { Verdict::Drop(DropReason::Protocol) } else { verdict }, service)
}

/// Puts aside the identifications that those who wait will use up.
fn reserve(
    resolver: &Resolver<'_, '_>,
    identifications: &mut Identifications,
    (parsed, target): (&Parsed, Target),
    waiting: usize,
) -> Identifications {
    let reserved = *identifications;
    let uses = |template: &Template| match template.dont_fragment() {
        _ if !matches!(template.kind(), TunnelKind::Ipip4 | TunnelKind::Tail4) => false,
        DontFragment::Set => false,
        DontFragment::Clear => true,
        DontFragment::Inherit => parsed.tuple.family == Family::V4,
    };
    if resolver.table.template(target.real).is_some_and(uses) {
        identifications.skip(waiting);
    }
    reserved
}

/// A fragment that follows the first of its datagram.
pub(crate) fn follow<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    identifications: &mut Identifications,
    packet: &mut P,
    (parsed, at): (&Parsed, u32),
    target: Target,
) -> Decision {
    if !is_there(resolver.table, target) {
        let refusal = (Verdict::Drop(DropReason::NoReal), Some(target.service));
        return refused(resolver, refusal, parsed);
    }
    let decision = go(resolver, identifications, packet, (parsed, at), target);
    if decision.verdict == Verdict::Tx {
        resolver.ledger.add(Event::FragmentFollowed, 1);
    }
    decision
}

/// Whether a datagram's real still takes packets: the table may be another by now.
pub(crate) fn is_there(table: &TableView<'_>, target: Target) -> bool {
    matches!(table.template(target.real).map(Template::state), Some(RealState::Up | RealState::Drain))
}

/// A fragment as its tunnel sees it. None shows its ports to whatever spreads tunnels by flow: all of a datagram go one
/// way.
pub(crate) const fn bare(parsed: &Parsed) -> Parsed {
    let mut bare = *parsed;
    (bare.tuple.source_port, bare.tuple.destination_port) = (0, 0);
    bare
}

/// On its way.
fn go<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    identifications: &mut Identifications,
    packet: &mut P,
    (parsed, at): (&Parsed, u32),
    target: Target,
) -> Decision {
    go_on(resolver, identifications, packet, (&bare(parsed), at), target)
}
