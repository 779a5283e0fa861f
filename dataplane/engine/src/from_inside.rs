//! Errors from inside of our tunnels: ICMP that quotes a packet which we had tunnelled to a real, sent to where the
//! tunnel comes from.
//!
//! ```text
//! link | IP, to us | ICMP | outer header to the real | tail | the client's packet, as much as there is     as it came
//!                                link | IP, to the client | ICMP | the client's packet                     as it goes on
//! ```
//!
//! What fits no more is told the client as the VIP's own word (RFC 2003 §4.1, RFC 2473 §8.1 and §8.2), and the path's MTU
//! is remembered (see [`crate::path_mtu`]); other errors become host or address unreachable. The outer header can be
//! guessed, so an error that is to reach a client must quote enough of the client's packet to show its flow, and the flow
//! must be known and have that real. What quotes less is only remembered, and believed less (RFC 5927 §7); it goes to the
//! kernel like all that is for no VIP, and so does what quotes no flow that we know, of which nothing is learnt.

use counters::{Event, PuntReason};
use flow::Value;
use port::Packet;
use service::{
    Class, Form, OUTER_V4_BYTES, OUTER_V6_BYTES, RealNumber, ReturnPath, ServiceNumber, TableView, Tail,
    Template,
};
use wire::ipv4::{self, Ipv4};
use wire::ipv6::Ipv6;
use wire::udp::{self, Udp};
use wire::{Family, FiveTuple, Kind, Parsed, gre, icmp, padded, protocol, unpacked};

use crate::decision::{Answer, Decision, Verdict};
use crate::refused::refused;
use crate::resolve::Resolver;
use crate::too_big;

/// Every host's MTU is as large (RFC 791 §3.2): no error is believed below.
const V4_MTU_MIN: u16 = 576;
/// The least that is believed of an error which shows no flow: clients of IPv6 are hardly harmed by it.
const UNPROVEN_MTU_MIN: u16 = 1280;
/// What routers that tell none had (RFC 1191 §7.1, table 7-1).
const PLATEAUS: [u16; 4] = [4352, 2002, 1492, 1006];

/// Where the network identifier and the inner destination address stand behind the UDP header of VXLAN (RFC 7348 §5).
const VNI_AT: usize = udp::HEADER_LEN + 4;
const MAC_AT: usize = udp::HEADER_LEN + 8;

/// An error about a packet that we had tunnelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inside {
    /// The real whose tunnel it is.
    pub real: RealNumber,
    /// The MTU that it tells of the way there; none if it says that the way ends.
    pub mtu: Option<u16>,
    /// Whose packet it was, and where that begins in the frame; none if that is not quoted far enough.
    pub of: Option<(FiveTuple, usize)>,
    /// Where the packet that holds the error ends.
    end: usize,
    /// Whether the client's packet may not be fragmented.
    dont_fragment: bool,
}

impl Inside {
    /// Reads it; none if it is no such error.
    pub(crate) fn of(table: &TableView<'_>, frame: &[u8], parsed: &Parsed) -> Option<Self> {
        let (destination, family) = (&parsed.tuple.destination, parsed.tuple.family);
        let is_error = matches!(parsed.kind, Kind::IcmpError | Kind::IcmpBadQuote);
        // What came to many, or from nobody, is answered by nobody (RFC 1122 §3.2.2).
        let is_refused = parsed.ends.is_to_many() || parsed.ends.is_bad_source();
        if !is_error || is_refused || !table.ends().is_own(destination, family) {
            return None;
        }
        let end = usize::from(parsed.network_offset) + parsed.ip_len as usize;
        let message = frame.get(usize::from(parsed.transport_offset)..end)?;
        if !icmp::is_intact(&ends_of(frame, parsed)?, message) {
            return None;
        }
        let (head, quote) = message.split_first_chunk::<{ icmp::HEADER_LEN }>()?;
        let outer = Outer::of(family, quote)?;
        if outer.source != *destination {
            return None;
        }
        let leads_to = |real: &RealNumber| {
            let template = table.template(*real);
            template.is_some_and(|template| outer.leads_to(template, &table.tail(*real), quote))
        };
        // Several may end at one address; where so little is quoted that it could be either's, it is neither's.
        let mut there = table.reals_at(unpacked(outer.destination, family)).filter(leads_to);
        let (Some(real), None) = (there.next(), there.next()) else { return None };
        let template = table.template(real)?;
        let at = outer.len + template.form().bytes();
        let begin = usize::from(parsed.transport_offset) + icmp::HEADER_LEN + at;
        let inner = quote.get(at..).and_then(Inner::of);
        let mtu = mtu(family, head, outer.total_len)?;
        let of = inner.map(|inner| (inner.tuple, begin));
        Some(Self { real, mtu, of, end, dont_fragment: inner.is_some_and(|inner| inner.dont_fragment) })
    }

    /// The service of the client's packet, if its flow is known and has the real.
    pub(crate) fn service(
        &self,
        table: &TableView<'_>,
        known: impl FnOnce(&FiveTuple) -> Option<Value>,
    ) -> Option<ServiceNumber> {
        let (tuple, _) = self.of?;
        let value = if table.classify(&tuple) == Class::NotVip { None } else { known(&tuple) };
        value.filter(|value| value.real() == self.real).map(Value::service)
    }

    /// The MTU that is to be remembered of the way, if `service` is the client's.
    fn lesson(&self, service: Option<ServiceNumber>) -> Option<u16> {
        match (self.mtu, self.of, service) {
            (Some(mtu), None, _) => Some(mtu.max(UNPROVEN_MTU_MIN)),
            (mtu, Some(_), Some(_)) => mtu,
            _ => None,
        }
    }

    /// Whether it helps the client to be told: what may be fragmented on its way need not be smaller (RFC 1191 §4).
    pub(crate) const fn helps(&self) -> bool {
        self.of.is_some() && (self.mtu.is_none() || self.dont_fragment)
    }

    /// Turns the error into the VIP's own word to the client, in its place. Gives whether there was room.
    pub(crate) fn translate<P: Packet>(
        &self,
        packet: &mut P,
        parsed: &Parsed,
        (template, way): (&Template, ReturnPath),
    ) -> bool {
        let Some((tuple, begin)) = self.of else { return false };
        let head = match self.mtu {
            Some(mtu) => {
                let told = too_big::fitting(tuple.family, mtu.min(template.mtu()), template.outer_len());
                icmp::too_big(tuple.family, told)
            }
            None => icmp::unreachable(tuple.family),
        };
        let (header, most) = too_big::sizes(tuple.family);
        let network = usize::from(parsed.network_offset);
        let Some(front) = begin.checked_sub(header + network) else { return false };
        if packet.data().len() < self.end {
            return false;
        }
        packet.truncate(self.end.min(begin + most - header));
        packet.data_mut().copy_within(..network, front);
        packet.trim_front(front);
        let is_written = too_big::write(packet.data_mut(), network, &tuple, head);
        // What goes on by our kernel stays addressed to us.
        if way == ReturnPath::ViaSlr
            && let [to, from, ..] = packet.data_mut().as_chunks_mut::<6>().0
        {
            std::mem::swap(to, from);
        }
        is_written
    }
}

/// What becomes of an error from inside of a tunnel; none if it is no such error, or nobody is to be told of it. What there
/// is to learn from it is learnt.
#[inline(never)]
pub(crate) fn answer<P: Packet>(
    resolver: &mut Resolver<'_, '_>,
    packet: &mut P,
    parsed: &Parsed,
) -> Option<Decision> {
    let inside = Inside::of(resolver.table, packet.data(), parsed)?;
    let template = resolver.table.template(inside.real)?;
    let service = inside.service(resolver.table, |tuple| resolver.known_anywhere(tuple));
    if let Some(mtu) = inside.lesson(service).filter(|mtu| *mtu < template.mtu())
        && resolver.asides.path_mtus.learn(inside.real, mtu, resolver.now)
    {
        resolver.ledger.add(Event::PathMtuLearnt, 1);
    }
    let Some(service) = service else {
        resolver.ledger.add(Event::IcmpUntranslatable, 1);
        return None;
    };
    if !inside.helps() {
        return None;
    }
    if !resolver.asides.answers.admit() {
        resolver.ledger.add(Event::TooBigLimited, 1);
        return None;
    }
    if !inside.translate(packet, parsed, (template, resolver.table.return_path())) {
        return None;
    }
    resolver.ledger.add(Event::IcmpTranslated, 1);
    if resolver.table.return_path() == ReturnPath::Direct {
        return Some(Decision::answered(Answer::Translated));
    }
    // Our kernel forwards what the servers send to clients, and this with it.
    let ip_len = packet.total_len().saturating_sub(usize::from(parsed.network_offset));
    let told = Parsed { ip_len: u32::try_from(ip_len).unwrap_or(u32::MAX), ..*parsed };
    Some(refused(resolver, (Verdict::Punt(PuntReason::Return), Some(service)), &told))
}

/// The addresses of the packet that holds the error.
fn ends_of(frame: &[u8], parsed: &Parsed) -> Option<FiveTuple> {
    let header = frame.get(usize::from(parsed.network_offset)..)?;
    let source = match parsed.tuple.family {
        Family::V4 => padded(Ipv4::parse(header.first_chunk()?).source),
        Family::V6 => Ipv6::parse(header.first_chunk()?).source,
    };
    Some(FiveTuple { source, ..parsed.tuple })
}

/// The MTU that an error tells, none inside if it is another error; and none at all if it is not to be believed.
#[allow(clippy::option_option, reason = "no such error, and one that tells no MTU, are two things")]
fn mtu(family: Family, head: &[u8; icmp::HEADER_LEN], total_len: u16) -> Option<Option<u16>> {
    let &[kind, code, _, _, m0, m1, m2, m3] = head;
    match (family, kind, code) {
        (Family::V4, 3, 4) => Some(Some(match u16::from_be_bytes([m2, m3]) {
            0 => PLATEAUS.into_iter().find(|plateau| *plateau < total_len).unwrap_or(V4_MTU_MIN),
            mtu => mtu.max(V4_MTU_MIN),
        })),
        (Family::V6, 2, _) => {
            let mtu = u16::try_from(u32::from_be_bytes([m0, m1, m2, m3])).unwrap_or(u16::MAX);
            // What tells less than every link carries is to be discarded (RFC 8201 §4).
            (mtu >= too_big::V6_MTU_MIN).then_some(Some(mtu))
        }
        _ => Some(None),
    }
}

/// The outer header as it is quoted.
struct Outer {
    source: [u8; 16],
    destination: [u8; 16],
    protocol: u8,
    len: usize,
    total_len: u16,
}

impl Outer {
    fn of(family: Family, quote: &[u8]) -> Option<Self> {
        match family {
            Family::V4 => {
                let ip = Ipv4::parse(quote.first_chunk::<OUTER_V4_BYTES>()?);
                // We send no options, and of a fragment the first alone shows what it carries.
                let is_ours = ip.version_ihl == 0x45 && ip.fragment & ipv4::OFFSET == 0;
                is_ours.then_some(Self {
                    source: padded(ip.source),
                    destination: padded(ip.destination),
                    protocol: ip.protocol,
                    len: OUTER_V4_BYTES,
                    total_len: ip.total_len,
                })
            }
            Family::V6 => {
                let ip = Ipv6::parse(quote.first_chunk::<OUTER_V6_BYTES>()?);
                (ip.version() == 6).then_some(Self {
                    source: ip.source,
                    destination: ip.destination,
                    protocol: ip.next_header,
                    len: OUTER_V6_BYTES,
                    total_len: ip.payload_len.saturating_add(40),
                })
            }
        }
    }

    /// Whether such packets are what the real gets, as far as they are quoted.
    fn leads_to(&self, template: &Template, tail: &Tail, quote: &[u8]) -> bool {
        let behind = quote.get(self.len..).unwrap_or_default();
        let bytes_at = |at: usize| behind.get(at..).and_then(|rest| rest.first_chunk::<4>());
        let word_at = |at: usize| bytes_at(at).map(|bytes| u32::from_be_bytes(*bytes));
        let port = behind.first_chunk::<{ udp::HEADER_LEN }>().map(|head| Udp::parse(head).destination_port);
        let is_to_port = self.protocol == protocol::UDP && port == Some(tail.port());
        match template.form() {
            Form::Bare => matches!(self.protocol, protocol::IPIP | protocol::IPV6),
            form @ (Form::Gre | Form::GreKey) => {
                let has_key = form == Form::GreKey;
                self.protocol == protocol::GRE
                    && behind.first().is_none_or(|flags| (flags & gre::KEY != 0) == has_key)
                    && (!has_key || word_at(gre::HEADER_LEN).is_none_or(|key| key == tail.key()))
            }
            Form::Fou | Form::Gue => is_to_port,
            Form::Vxlan => {
                is_to_port
                    && word_at(VNI_AT).is_none_or(|vni| vni >> 8 == tail.key())
                    && behind.get(MAC_AT..MAC_AT + 6).is_none_or(|mac| *mac == tail.mac())
            }
        }
    }
}

/// The client's packet as it is quoted.
#[derive(Clone, Copy)]
struct Inner {
    tuple: FiveTuple,
    dont_fragment: bool,
}

impl Inner {
    fn of(quote: &[u8]) -> Option<Self> {
        let family = match quote.first()? >> 4 {
            4 => Family::V4,
            6 => Family::V6,
            _ => return None,
        };
        let dont_fragment = match family {
            Family::V4 => Ipv4::parse(quote.first_chunk()?).fragment & ipv4::DONT_FRAGMENT != 0,
            Family::V6 => true,
        };
        icmp::quoted(family, quote).map(|tuple| Self { tuple, dont_fragment })
    }
}
