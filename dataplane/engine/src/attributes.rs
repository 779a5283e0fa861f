//! What a service or a rule asks for beside a real: a limit, and marks.
//!
//! Packets to a real come here if its template says that a service may ask ([`Template::asks`]); such a real is never
//! the usual one, so that packets of nobody who asks know nothing of this. A flow that has its real from a time when the
//! template did not say so has to be confirmed with each packet, and its target says it. What a rule asks for is known
//! before ([`Effects`](crate::rules::Effects)), is told by the target too, and takes the place of what the service asks
//! for.

use counters::{DropReason, Event};
use port::Packet;
use service::{Asked, DscpOn, Effect, Mark, RealNumber, ServiceNumber, TableView, Template};
use wire::Parsed;
use wire::mpls::Entry;

use crate::aside::Aside;
use crate::encap::{Identifications, encap_other};
use crate::mark::{Link, restore, set_tos, with_dscp};
use crate::meter::Colour;
use crate::resolve::Resolver;
use crate::tail;

/// What was done for who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    /// The colour that its limit gave; none without.
    pub(crate) colour: Option<Colour>,
    /// Whether the packet is ready.
    pub(crate) result: Result<(), Aside>,
}

/// Sends a packet on its way to a real that is not the usual one, or that does not go the usual way.
#[inline(never)]
pub(crate) fn send_other<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    identifications: &mut Identifications,
    packet: &mut P,
    (parsed, at): (&Parsed, u32),
    template: &Template,
    (service, real): (ServiceNumber, RealNumber),
) -> Result<(), Aside> {
    if template.asks() {
        return send_asking(resolver, identifications, packet, (parsed, at), (service, real), Effect::NONE);
    }
    encap_other(packet, parsed, template, identifications)
}

/// The same as the packet's service and its rule ask for.
#[inline(never)]
pub(crate) fn send_asking<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    identifications: &mut Identifications,
    packet: &mut P,
    (parsed, at): (&Parsed, u32),
    (service, real): (ServiceNumber, RealNumber),
    of_rule: Effect,
) -> Result<(), Aside> {
    if let Some(rule) = of_rule.rule() {
        resolver.ledger.rule(rule.index(), u64::from(parsed.ip_len));
    }
    let table = resolver.table;
    let template = table.template(real).ok_or(Aside::Drop(DropReason::NoReal))?;
    let Some(asked) = table.asked(service, of_rule) else {
        return encap_other(packet, parsed, template, identifications);
    };
    let label = if table.takes_labels() { resolver.asides.opened.label(at) } else { None };
    let (meters, now) = (&mut *resolver.meters, resolver.now);
    let meter = |place, size| meters.colour(place, size, now);
    let done = send(table, packet, parsed, (&asked, real), (label, identifications), meter);
    match done.colour {
        None | Some(Colour::Green) => {}
        Some(Colour::Yellow) => resolver.ledger.add(Event::MeterYellow, 1),
        Some(Colour::Red) => resolver.ledger.add(Event::MeterRed, 1),
    }
    done.result
}

/// What is metered of a packet: bytes of IP, and its code point.
type Size = (u32, u8);

/// Meters, marks and sends; `meter` gives the colour under the limit of a place. What cannot go is as it came, but for
/// its padding.
pub(crate) fn send<P: Packet>(
    table: &TableView<'_>,
    packet: &mut P,
    parsed: &Parsed,
    (asked, real): (&Asked, RealNumber),
    (label, identifications): (Option<Entry>, &mut Identifications),
    meter: impl FnOnce(u16, Size) -> Colour,
) -> Done {
    let (colour, told) = match asked.limit {
        None => (None, None),
        Some((place, limit)) => match meter(place, (parsed.ip_len, parsed.tos >> 2)) {
            Colour::Green => (Some(Colour::Green), None),
            Colour::Yellow => (Some(Colour::Yellow), limit.yellow),
            Colour::Red if limit.red.is_none() => {
                let result = Err(Aside::Drop(DropReason::Limited));
                return Done { colour: Some(Colour::Red), result };
            }
            Colour::Red => (Some(Colour::Red), limit.red),
        },
    };
    let mark = asked.mark.unwrap_or_default();
    let mark = Mark { dscp: told.or(mark.dscp), ..mark };
    Done { colour, result: send_marked(table, packet, parsed, real, (&mark, label), identifications) }
}

fn send_marked<P: Packet>(
    table: &TableView<'_>,
    packet: &mut P,
    parsed: &Parsed,
    real: RealNumber,
    (mark, label): (&Mark, Option<Entry>),
    identifications: &mut Identifications,
) -> Result<(), Aside> {
    let template = table.template(real).ok_or(Aside::Drop(DropReason::NoReal))?;
    let link = Link::of(mark, packet.data(), usize::from(parsed.network_offset), label);
    // Room for all of it is asked for first, so that what has none stays as it came.
    let room = template.outer_len() + link.map_or(0, |link| link.growth());
    packet.prepend(room).map_err(|_| DropReason::NoHeadroom)?;
    packet.trim_front(room);
    let tos = mark.dscp.map_or(parsed.tos, |dscp| with_dscp(parsed.tos, dscp));
    let before = match mark.dscp_on {
        DscpOn::Both if tos != parsed.tos => set_tos(behind_link(packet, parsed), parsed.tuple.family, tos),
        DscpOn::Both | DscpOn::Outer => None,
    };
    let marked = Parsed { tos, ..*parsed };
    let sent = match encap_other(packet, &marked, template, identifications) {
        Err(Aside::Tail) => tail::encap(packet, &marked, table, real, identifications),
        sent => sent,
    };
    match (sent, before, link) {
        (Err(Aside::Drop(_)), Some(before), _) => {
            restore(behind_link(packet, parsed), parsed.tuple.family, before);
        }
        (Err(Aside::Drop(_)), None, _) => {}
        (_, _, Some(link)) => link.put(packet),
        (_, _, None) => {}
    }
    sent
}

/// A packet that came with `parsed`, from its IP header on.
fn behind_link<'p, P: Packet>(packet: &'p mut P, parsed: &Parsed) -> &'p mut [u8] {
    packet.data_mut().get_mut(usize::from(parsed.network_offset)..).unwrap_or_default()
}
