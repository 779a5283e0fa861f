//! Packets that do not simply leave by the port they came by: those that cannot go to their real, those that leave
//! by another port, and those that stay: *held* until their real's next hop is known or their first fragment has come,
//! or handed to another worker.
//!
//! Which they are is known when they have been made ready, from their real's template. The usual packet is never
//! asked: what is not resolved or leaves by a port of its own does not go the usual way.

use counters::{DropReason, Event};
use flow::Gate;
use port::{BURST_MAX, Packet};
use service::Template;
use wire::Parsed;

use crate::decision::{Answer, Decision, Verdict};
use crate::encap::Identifications;
use crate::marks::among;
use crate::open::{Came, Opened};
use crate::path_mtu::PathMtus;
use crate::resolve::{Resolver, Target};
use crate::rules::Effects;
use crate::tail;
use crate::too_big::{self, Told};

/// What a burst sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Bytes of all packets to transmit.
    pub bytes: u64,
    /// Which of the packets to transmit leave by another port than they came by: bit 0 is the first of them, and
    /// [`Engine::next_away`] says by which.
    pub away: u64,
    /// Which of the packets that are gone are held: [`Engine::held`] says more.
    pub held: u64,
    /// Which of the packets that are gone, without those that are held, are punted.
    pub punts: u64,
}

/// Why a packet does not simply leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aside {
    /// It cannot go.
    Drop(DropReason),
    /// It is ready, and leaves by the port that its template names.
    ByPort,
    /// It is ready but for its next hop.
    Wait,
    /// It travels with a tail, which its template does not hold; nothing of it was changed but for its padding.
    Tail,
}

impl From<DropReason> for Aside {
    fn from(reason: DropReason) -> Self {
        Self::Drop(reason)
    }
}

impl Aside {
    /// Of a packet that is ready.
    #[inline]
    pub(crate) const fn of_ready(template: &Template) -> Result<(), Self> {
        match template.port() {
            _ if !template.is_resolved() => Err(Self::Wait),
            Some(_) => Err(Self::ByPort),
            None => Ok(()),
        }
    }
}

/// What is known of a packet that stays.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// What was read of it as it came.
    pub parsed: Parsed,
    /// What was decided: its service, its real, and that it is held.
    pub decision: Decision,
    /// Where it stays.
    pub stay: Stay,
    /// What was around it when it came.
    pub came: Came,
}

/// Where a packet stays that is neither sent nor gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// With those that wait for a next hop.
    Hop,
    /// In that place on the shelf of fragments that wait for their first.
    Shelf(u16),
    /// With that worker.
    Mate(u16),
}

/// Those of one burst, by their places in it.
#[derive(Debug)]
pub(crate) struct Asides {
    /// The port that the burst came by.
    pub(crate) ingress: u8,
    /// Which came in tunnels that end here, or with labels.
    pub(crate) opened: Opened,
    /// What rules ask for, beside a real.
    pub(crate) effects: Effects,
    /// What errors told of the ways to reals.
    pub(crate) path_mtus: PathMtus,
    /// Which leave by another, and by which, in their order.
    away: u64,
    ports: Vec<u8>,
    /// Which are held, and what is known of them.
    waits: u64,
    pub(crate) held: Vec<Held>,
    /// How many more may be.
    pub(crate) room: usize,
    /// Lets answers to packets that are too big through.
    pub(crate) answers: Gate,
}

impl Default for Asides {
    fn default() -> Self {
        let (ports, held) = (Vec::with_capacity(BURST_MAX), Vec::with_capacity(BURST_MAX));
        let answers = Gate::new(Some(too_big::PER_SECOND_MAX));
        Self {
            ingress: 0,
            opened: Opened::NONE,
            effects: Effects::none(),
            path_mtus: PathMtus::new(),
            away: 0,
            ports,
            waits: 0,
            held,
            room: 0,
            answers,
        }
    }
}

impl Asides {
    /// Tells the places in the bursts that this one was parted into: `exits` are those that did not go on.
    #[inline]
    pub(crate) fn settle(&mut self, exits: u64, sent: Sent) -> Sent {
        if self.away | self.waits == 0 { sent } else { self.settle_some(exits, sent) }
    }

    pub(crate) fn next_away(&mut self) -> Option<(u8, u64)> {
        let port = *self.ports.first()?;
        let (mut marked, mut at) = (0, 0);
        self.ports.retain(|other| {
            let is_same = *other == port;
            marked |= u64::from(is_same) << at;
            at += 1;
            !is_same
        });
        Some((port, marked))
    }

    #[inline(never)]
    fn settle_some(&mut self, exits: u64, sent: Sent) -> Sent {
        let held = among(std::mem::take(&mut self.waits), exits);
        let away = among(std::mem::take(&mut self.away), !exits);
        Sent { away, held, punts: among(sent.punts, !held), ..sent }
    }
}

/// What becomes of such a packet, which is at that place in its burst.
#[inline(never)]
pub(crate) fn part<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    identifications: &mut Identifications,
    packet: &mut P,
    (parsed, at): (&Parsed, u32),
    target: Target,
    aside: Aside,
) -> Decision {
    match aside {
        Aside::Drop(reason) => unsent(resolver, packet, parsed, target, reason),
        Aside::ByPort => by_port(resolver, parsed, at, target),
        Aside::Wait => hold(resolver, parsed, at, target),
        Aside::Tail => match tail::encap(packet, parsed, resolver.table, target.real, identifications) {
            Ok(()) => {
                let Target { real, service, .. } = target;
                resolver.ledger.account(service.index(), real.index(), u64::from(parsed.ip_len));
                Decision::sent(target)
            }
            Err(aside) => part(resolver, identifications, packet, (parsed, at), target, aside),
        },
    }
}

fn by_port(resolver: &mut Resolver<'_, '_>, parsed: &Parsed, at: u32, target: Target) -> Decision {
    let Target { real, service, .. } = target;
    resolver.ledger.account(service.index(), real.index(), u64::from(parsed.ip_len));
    let port = resolver.table.template(real).and_then(Template::port);
    let asides = &mut *resolver.asides;
    if let Some(port) = port.filter(|port| *port != asides.ingress) {
        if asides.away == 0 {
            asides.ports.clear();
        }
        asides.away |= 1 << at;
        asides.ports.push(port);
    }
    Decision::sent(target)
}

#[cold]
fn hold(resolver: &mut Resolver<'_, '_>, parsed: &Parsed, at: u32, target: Target) -> Decision {
    let asides = &mut *resolver.asides;
    let Some(room) = asides.room.checked_sub(1) else {
        resolver.ledger.add(DropReason::NoNextHop, 1);
        return Decision { verdict: Verdict::Drop(DropReason::NoNextHop), ..Decision::sent(target) };
    };
    asides.room = room;
    let decision = Decision { verdict: Verdict::Held, ..Decision::sent(target) };
    stay(asides, (parsed, at), decision, Stay::Hop);
    resolver.ledger.add(Event::Held, 1);
    decision
}

/// The packet in that place stays.
pub(crate) fn stay(asides: &mut Asides, (parsed, at): (&Parsed, u32), decision: Decision, stay: Stay) {
    if asides.waits == 0 {
        asides.held.clear();
    }
    asides.waits |= 1 << at;
    asides.held.push(Held { parsed: *parsed, decision, stay, came: asides.opened.came(at) });
}

/// A packet that could not go to its real. Where it is too big its sender is told so.
#[cold]
fn unsent<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    packet: &mut P,
    parsed: &Parsed,
    target: Target,
    reason: DropReason,
) -> Decision {
    resolver.ledger.add(reason, 1);
    let template = resolver.table.template(target.real).filter(|_| reason == DropReason::TunnelMtu);
    let told = template.map(|template| too_big::tell(packet, parsed, template, &mut resolver.asides.answers));
    let answered = match told {
        Some(Told::Answered) => {
            resolver.ledger.add(Event::Made, 1);
            resolver.ledger.add(Answer::TooBig.event(), 1);
            Some(Answer::TooBig)
        }
        Some(Told::Limited) => {
            resolver.ledger.add(Event::TooBigLimited, 1);
            None
        }
        Some(Told::Nothing) | None => None,
    };
    Decision { verdict: Verdict::Drop(reason), answered, ..Decision::sent(target) }
}
