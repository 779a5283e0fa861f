//! Tunnels that end here (RFC 2003, 2473, 4213, 2784, 7348): what they carry is taken out before the burst is parsed,
//! and then is the packet, in its place.
//!
//! ```text
//! link header | outer IP | GRE, or UDP with what rides on it | packet      as it came
//!                                                link header | packet      as it goes on
//! ```
//!
//! The link header moves up to the packet with its tags. A packet to an address of an end that is no tunnel's goes on
//! untouched: the kernel's ARP, echo and sessions share the address. ECN is brought in as RFC 6040 §4.2 has it; DSCP
//! is the packet's own.
//!
//! Two things keep a packet from going round for ever. It carries a budget in the outer TTL or hop limit, which every
//! tunnel has and no router adds to: who sends it on takes a share off (see [`budget`]). And none is taken that we sent
//! ourselves.

use counters::{DropReason, Event, Ledger};
use port::{BURST_MAX, Packet};
use service::{EndEntry, EndsView, Form, TableView, Template, TunnelKind};
use wire::checksum::changed;
use wire::ethernet::{self, Ethernet};
use wire::gre::{Gre, NoGre};
use wire::gue::{Gue, NoGue};
use wire::mpls::Entry;
use wire::vxlan::{self, NoVxlan, Vxlan};
use wire::{Family, Kind, Parsed, protocol, udp};

use crate::labels;
use crate::mark::set_tos;
use crate::tail::sum_of;

/// Tunnels in one another that are taken off a packet.
pub(crate) const SHELLS_MAX: usize = 4;

/// The ECN field (RFC 3168 §5).
const ECN: u8 = 3;

/// What was around a packet when it came, and is off: it goes with a packet that waits or is handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// The TTL of the tunnel that it came in, if it came in one.
    pub ttl: Option<u8>,
    /// The outermost of the labels that it came with, if it came with any.
    pub label: Option<Entry>,
}

/// Which packets of a burst came in tunnels that end here, or with labels.
#[derive(Debug)]
pub(crate) struct Opened {
    /// They go on as what they carried.
    pub(crate) opened: u64,
    /// They go nowhere, each for its reason.
    pub(crate) refused: u64,
    reasons: [DropReason; BURST_MAX],
    ttls: [u8; BURST_MAX],
    /// They came with labels, the outermost of which is kept.
    labelled: u64,
    labels: [Option<Entry>; BURST_MAX],
}

impl Opened {
    pub(crate) const NONE: Self = Self {
        opened: 0,
        refused: 0,
        reasons: [DropReason::TunnelLoop; BURST_MAX],
        ttls: [0; BURST_MAX],
        labelled: 0,
        labels: [None; BURST_MAX],
    };

    /// Whether there are any.
    #[inline]
    pub(crate) const fn are_any(&self) -> bool {
        self.opened | self.refused | self.labelled != 0
    }

    /// Why the packet in that place goes nowhere.
    pub(crate) fn refusal(&self, at: usize) -> Option<DropReason> {
        self.reasons.get(at).copied().filter(|_| self.refused >> at & 1 == 1)
    }

    /// The TTL that the packet in that place came with; none if it came in no tunnel of ours.
    #[inline]
    pub(crate) fn ttl(&self, at: u32) -> Option<u8> {
        if self.opened >> at & 1 == 0 { None } else { self.ttls.get(at as usize).copied() }
    }

    /// The outermost of the labels that the packet in that place came with.
    #[inline]
    pub(crate) fn label(&self, at: u32) -> Option<Entry> {
        if self.labelled >> at & 1 == 0 { None } else { self.labels.get(at as usize).copied().flatten() }
    }

    /// What was around the packet in that place.
    pub(crate) fn came(&self, at: u32) -> Came {
        Came { ttl: self.ttl(at), label: self.label(at) }
    }

    /// The packets of the next burst were opened before: this was around them.
    #[cold]
    pub(crate) fn were(&mut self, came: impl Iterator<Item = Came>) {
        (self.opened, self.refused, self.labelled) = (0, 0, 0);
        let slots = self.ttls.iter_mut().zip(&mut self.labels);
        for ((came, (slot, label)), at) in came.zip(slots).zip(0_u32..) {
            if let Some(ttl) = came.ttl {
                (self.opened, *slot) = (self.opened | 1 << at, ttl);
            }
            if came.label.is_some() {
                (self.labelled, *label) = (self.labelled | 1 << at, came.label);
            }
        }
    }

    /// Takes off what is to be off before the packets are read.
    #[cold]
    #[inline(never)]
    pub(crate) fn open<P: Packet>(&mut self, table: &TableView<'_>, packets: &mut [P], ledger: &mut Ledger) {
        let ends = table.ends();
        (self.opened, self.refused, self.labelled) = (0, 0, 0);
        let (mut shells, mut bytes) = (0, 0);
        let slots = self.reasons.iter_mut().zip(&mut self.ttls).zip(&mut self.labels);
        for ((packet, ((reason, ttl), label)), at) in packets.iter_mut().zip(slots).zip(0_u32..) {
            let before = packet.total_len();
            let popped = if table.takes_labels() { labels::pop(table, packet) } else { Ok(None) };
            if let Ok(Some((top, _))) = popped {
                (self.labelled, *label) = (self.labelled | 1 << at, Some(top));
            }
            let least = popped
                .and_then(|_| if table.has_ends() { open(&ends, packet, |_| shells += 1) } else { Ok(None) });
            match least {
                Ok(None) => {}
                Ok(Some(least)) => (self.opened, *ttl) = (self.opened | 1 << at, least),
                Err(why) => (self.refused, *reason) = (self.refused | 1 << at, why),
            }
            bytes += before.saturating_sub(packet.total_len()) as u64;
        }
        ledger.add(Event::TunnelEnded, shells);
        ledger.add(Event::LabelsPopped, u64::from(self.labelled.count_ones()));
        // What is received is counted when it is parsed, by what is left of it.
        ledger.add(Event::RxBytes, bytes);
    }
}

/// Takes a packet out of the tunnels that end here, if any do, and tells each; gives the least TTL that it came with.
///
/// # Errors
/// Why it goes nowhere.
pub(crate) fn open<P: Packet>(
    ends: &EndsView<'_>,
    packet: &mut P,
    mut tell: impl FnMut(&Shell),
) -> Result<Option<u8>, DropReason> {
    let mut least = None;
    for _ in 0..SHELLS_MAX {
        let Some(shell) = Shell::of(ends, packet)? else { return Ok(least) };
        shell.take_off(packet)?;
        least = Some(least.map_or(shell.ttl, |least: u8| least.min(shell.ttl)));
        tell(&shell);
    }
    match Shell::of(ends, packet)? {
        Some(_) => Err(DropReason::TunnelDepth),
        None => Ok(least),
    }
}

/// What is left of a packet's budget when it is tunnelled on: the TTL it came with, or ours if that is less, less the
/// share of one of us. Nothing is left after `passes_max` of us, or sooner where the ways between are long.
///
/// # Errors
/// Nothing is left.
pub(crate) fn budget(table: &TableView<'_>, ttl: u8) -> Result<u8, DropReason> {
    let share = table.hop_limit().div_ceil(table.passes_max().max(1));
    match ttl.min(table.hop_limit()).checked_sub(share) {
        None | Some(0) => Err(DropReason::TunnelLoop),
        Some(left) => Ok(left),
    }
}

/// Writes what is left into the outer header of a packet that was tunnelled on.
pub(crate) fn spend<P: Packet>(packet: &mut P, parsed: &Parsed, template: Option<&Template>, left: u8) {
    let Some(template) = template else { return };
    // Its link header may be another than it came with: what is behind the outer header is as long as it was.
    let behind = template.outer_len() + parsed.ip_len as usize;
    let at = packet.total_len().saturating_sub(behind);
    let outer = packet.data_mut().get_mut(at..).unwrap_or_default();
    match (template.kind(), outer) {
        (TunnelKind::Ipip4 | TunnelKind::Tail4, [_, _, _, _, _, _, _, _, ttl, protocol, c0, c1, ..]) => {
            let was = [*ttl, *protocol];
            *ttl = left;
            [*c0, *c1] = changed([*c0, *c1], was, [left, *protocol]);
        }
        (TunnelKind::Ipip6 | TunnelKind::Tail6, [_, _, _, _, _, _, _, hop_limit, ..]) => *hop_limit = left,
        _ => {}
    }
}

/// One tunnel around a packet, sound and from where it may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shell {
    /// Which headers it has.
    pub form: Form,
    /// The UDP port it was sent to, or 0.
    pub port: u16,
    /// The key of GRE or the network identifier of VXLAN, or 0.
    pub key: u32,
    /// Where it was sent from, and to.
    pub between: (std::net::IpAddr, std::net::IpAddr),
    /// Its TTL or hop limit.
    pub ttl: u8,
    /// Bytes of the link header.
    link: usize,
    /// Where the packet inside begins in the frame, and where it ends at the latest.
    begin: usize,
    end: usize,
    /// Its ethertype.
    ethertype: u16,
    /// Where ECN of the packet inside changes: its second byte as it is to be.
    marked: Option<u8>,
}

/// What a tunnel's headers say of what they carry.
struct Carried {
    form: Form,
    key: u32,
    /// Where it begins behind the outer header.
    at: usize,
    /// Its ethertype; none where its first four bits tell.
    ethertype: Option<u16>,
    /// The checksum covers so many bytes behind the outer header, and for UDP the addresses.
    sum: Covered,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Covered {
    Nothing,
    Gre,
    Udp,
}

impl Shell {
    /// The tunnel that a packet is in, if it ends here.
    fn of<P: Packet>(ends: &EndsView<'_>, packet: &P) -> Result<Option<Self>, DropReason> {
        let frame = packet.data();
        let Some((destination, family)) = destination(frame) else { return Ok(None) };
        let here = ends.at(&destination, family);
        if here.is_empty() {
            return Ok(None);
        }
        let mut parsed = Parsed::EMPTY;
        // What is no sound packet is refused with all others.
        if wire::parse(frame, packet.total_len(), &mut parsed).is_err() {
            return Ok(None);
        }
        let network = usize::from(parsed.network_offset);
        let start = usize::from(parsed.transport_offset);
        let mut end = network + parsed.ip_len as usize;
        let behind = frame.get(start..end.min(frame.len())).unwrap_or_default();
        let carried = match (parsed.kind, parsed.tuple.protocol) {
            (Kind::FirstFragment | Kind::LaterFragment | Kind::ShortFragment | Kind::Fragment, _) => {
                return if is_tunnels(here, &parsed) { Err(DropReason::TunnelFragment) } else { Ok(None) };
            }
            (Kind::OtherProtocol, protocol::IPIP | protocol::IPV6) => bare(parsed.tuple.protocol),
            (Kind::OtherProtocol, protocol::GRE)
                if has(here, |form| matches!(form, Form::Gre | Form::GreKey)) =>
            {
                gre(behind)?
            }
            (Kind::Udp, _) => {
                let port = parsed.tuple.destination_port;
                let Some(end_here) = here.iter().find(|end| end.port() == port) else { return Ok(None) };
                let len = behind.first_chunk().map_or(0, |head| udp::Udp::parse(head).len);
                end = start + usize::from(len);
                udp_with(end_here.form(), behind.get(..usize::from(len)).unwrap_or(behind))?
            }
            _ => return Ok(None),
        };
        let at_end = |end: &&EndEntry| (end.form(), end.key()) == (carried.form, carried.key);
        let same = here.iter().filter(|end| end.port() == 0 || end.port() == parsed.tuple.destination_port);
        let Some(end_here) = same.into_iter().find(at_end) else {
            // There may be IP in IP to a host that ends other tunnels.
            return if carried.form == Form::Bare { Ok(None) } else { Err(DropReason::TunnelKey) };
        };
        let source = &parsed.tuple.source;
        if ends.is_own(source, family) {
            return Err(DropReason::TunnelLoop);
        }
        if !ends.takes(end_here, source, family) {
            return Err(DropReason::TunnelSource);
        }
        if !is_intact(packet, &parsed, carried.sum, end) {
            return Err(DropReason::TunnelChecksum);
        }
        let begin = start + carried.at;
        let inside = frame.get(begin..end.min(frame.len())).unwrap_or_default();
        let ethertype = ip_inside(carried.ethertype, inside)?;
        let ttl = if family == Family::V4 { frame.get(network + 8) } else { frame.get(network + 7) };
        Ok(Some(Self {
            form: carried.form,
            port: end_here.port(),
            key: carried.key,
            between: (parsed.tuple.source_ip(), parsed.tuple.destination_ip()),
            ttl: ttl.copied().unwrap_or_default(),
            link: network,
            begin,
            end,
            ethertype,
            marked: marked(parsed.tos, inside, ethertype)?,
        }))
    }

    /// Takes it off.
    fn take_off<P: Packet>(&self, packet: &mut P) -> Result<(), DropReason> {
        packet.truncate(self.end);
        let frame = packet.data_mut();
        let inside = frame.get_mut(self.begin..).ok_or(DropReason::Truncated)?;
        if let Some(tos) = self.marked {
            let family = if self.ethertype == ethernet::IPV4 { Family::V4 } else { Family::V6 };
            set_tos(inside, family, tos);
        }
        let front = self.begin.checked_sub(self.link).ok_or(DropReason::Truncated)?;
        if self.link < ethernet::HEADER_LEN || frame.len() < self.begin {
            return Err(DropReason::Truncated);
        }
        frame.copy_within(..self.link - 2, front);
        let field = frame.get_mut(self.begin - 2..self.begin).ok_or(DropReason::Truncated)?;
        field.copy_from_slice(&self.ethertype.to_be_bytes());
        packet.trim_front(front);
        Ok(())
    }
}

/// Where a frame's IP packet goes.
fn destination(frame: &[u8]) -> Option<([u8; 16], Family)> {
    let link = Ethernet::parse(frame).ok()?;
    let packet = frame.get(link.len..)?;
    match link.ethertype {
        ethernet::IPV4 => Some((Family::V4.destination(packet)?, Family::V4)),
        ethernet::IPV6 => Some((Family::V6.destination(packet)?, Family::V6)),
        _ => None,
    }
}

fn has(here: &[EndEntry], is_it: impl Fn(Form) -> bool) -> bool {
    here.iter().any(|end| is_it(end.form()))
}

/// Whether a fragment may be of a tunnel that ends here. Of IPv6 the first header says no more than that it is one.
fn is_tunnels(here: &[EndEntry], parsed: &Parsed) -> bool {
    let carries = |protocol| match protocol {
        protocol::IPIP | protocol::IPV6 => has(here, |form| form == Form::Bare),
        protocol::GRE => has(here, |form| matches!(form, Form::Gre | Form::GreKey)),
        protocol::UDP => here.iter().any(|end| end.port() != 0),
        _ => false,
    };
    parsed.tuple.family == Family::V6 || carries(parsed.tuple.protocol)
}

const fn bare(protocol: u8) -> Carried {
    let ethertype = if protocol == protocol::IPIP { ethernet::IPV4 } else { ethernet::IPV6 };
    Carried { form: Form::Bare, key: 0, at: 0, ethertype: Some(ethertype), sum: Covered::Nothing }
}

fn gre(behind: &[u8]) -> Result<Carried, DropReason> {
    let gre = Gre::parse(behind).map_err(|why| match why {
        NoGre::Cut => DropReason::Truncated,
        NoGre::Refused => DropReason::TunnelMalformed,
    })?;
    let form = if gre.key.is_some() { Form::GreKey } else { Form::Gre };
    let sum = if gre.has_checksum { Covered::Gre } else { Covered::Nothing };
    Ok(Carried { form, key: gre.key.unwrap_or_default(), at: gre.len, ethertype: Some(gre.ethertype), sum })
}

/// What a UDP datagram to an end carries.
fn udp_with(form: Form, datagram: &[u8]) -> Result<Carried, DropReason> {
    let is_summed = datagram.get(6..8).is_some_and(|sum| sum != [0, 0]);
    let sum = if is_summed { Covered::Udp } else { Covered::Nothing };
    let rest = datagram.get(udp::HEADER_LEN..).unwrap_or_default();
    let carried = |key, at, ethertype| Carried { form, key, at: udp::HEADER_LEN + at, ethertype, sum };
    match form {
        Form::Gue => match Gue::parse(rest) {
            Ok(Gue::Direct) => Ok(carried(0, 0, None)),
            Ok(Gue::Headed { is_control: true, .. } | Gue::Headed { has_more: true, .. }) => {
                Err(DropReason::TunnelPayload)
            }
            Ok(Gue::Headed { protocol: protocol::IPIP, len, .. }) => {
                Ok(carried(0, len, Some(ethernet::IPV4)))
            }
            Ok(Gue::Headed { protocol: protocol::IPV6, len, .. }) => {
                Ok(carried(0, len, Some(ethernet::IPV6)))
            }
            Ok(Gue::Headed { .. }) => Err(DropReason::TunnelPayload),
            Err(NoGue::Cut) => Err(DropReason::Truncated),
            Err(NoGue::Variant) => Err(DropReason::TunnelMalformed),
        },
        Form::Vxlan => match Vxlan::parse(rest) {
            Ok(Vxlan { is_to_many: true, .. }) => Err(DropReason::TunnelPayload),
            Ok(Vxlan { vni, ethertype, .. }) => Ok(carried(vni, vxlan::HEADERS_LEN, Some(ethertype))),
            Err(NoVxlan::Cut) => Err(DropReason::Truncated),
            Err(NoVxlan::NoVni) => Err(DropReason::TunnelMalformed),
        },
        _ => Ok(carried(0, 0, None)),
    }
}

/// The ethertype of what a tunnel carries, as its header tells or else the packet's first four bits.
fn ip_inside(told: Option<u16>, inside: &[u8]) -> Result<u16, DropReason> {
    let ethertype = told.or_else(|| Some(Family::of(inside)?.ethertype()));
    ethertype.filter(|of| matches!(*of, ethernet::IPV4 | ethernet::IPV6)).ok_or(DropReason::TunnelPayload)
}

/// Whether a tunnel's checksum, if it has one, is right (RFC 768, RFC 2784 §2.2).
fn is_intact<P: Packet>(packet: &P, parsed: &Parsed, covered: Covered, end: usize) -> bool {
    let start = usize::from(parsed.transport_offset);
    let sum = || sum_of(packet, start, end.saturating_sub(start));
    match covered {
        Covered::Nothing => true,
        Covered::Gre => sum().is_intact(),
        Covered::Udp => {
            let len = u16::try_from(end.saturating_sub(start)).unwrap_or(u16::MAX);
            // An IPv4 address has zeros behind it there, which add nothing.
            let pseudo = sum().add_bytes(&parsed.tuple.source).add_bytes(&parsed.tuple.destination);
            pseudo.add_u16(len).add_u16(u16::from(protocol::UDP)).is_intact()
        }
    }
}

/// The traffic class that a packet has when it leaves a tunnel whose header has `outer`; none where it stays as it is.
///
/// # Errors
/// Congestion was met by what cannot say so (RFC 6040 §4.2).
fn marked(outer: u8, inside: &[u8], ethertype: u16) -> Result<Option<u8>, DropReason> {
    let Some(&[first, second]) = inside.first_chunk() else { return Ok(None) };
    let inner = if ethertype == ethernet::IPV4 { second } else { first << 4 | second >> 4 };
    Ok(Some(inner & !ECN | ecn(outer & ECN, inner & ECN)?).filter(|tos| *tos != inner))
}

/// RFC 6040 §4.2, figure 4.
fn ecn(outer: u8, inner: u8) -> Result<u8, DropReason> {
    const NOT: u8 = 0;
    const ECT1: u8 = 1;
    const ECT0: u8 = 2;
    const CE: u8 = 3;
    match (inner, outer) {
        (NOT, CE) => Err(DropReason::TunnelEcn),
        (ECT0, ECT1) => Ok(ECT1),
        (ECT0 | ECT1, CE) => Ok(CE),
        _ => Ok(inner),
    }
}
