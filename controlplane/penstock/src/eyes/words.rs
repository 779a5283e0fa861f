//! The steps of a walk in words: a label and a sentence each.

use std::net::IpAddr;

use counters::Event;
use engine::{Answer, Decision, FlowUse, Following, Inside, Known, Step, Unroutable, Verdict};
use flow::{State, Value};
use port::Tick;
use service::{RealNumber, RuleAction, Ruling, ServiceNumber};
use wire::{Family, Kind, Parsed, Unparsed, ipsec, protocol};
use worker::Shot;

use super::{attributes, tunnels};
use crate::site::{Directory, Site};
use crate::summary::words;

/// The packet as it came, after so many others.
pub(crate) fn came(frame: &[u8], before: usize) -> ctl::Step {
    let macs = match frame {
        [a, b, c, d, e, f, g, h, i, j, k, l, ..] => {
            format!(" from {} to {}", mac([*g, *h, *i, *j, *k, *l]), mac([*a, *b, *c, *d, *e, *f]))
        }
        _ => String::new(),
    };
    let after = match before {
        0 => String::new(),
        1 => ", after 1 packet".to_owned(),
        many => format!(", after {many} packets"),
    };
    said("frame", format!("{} bytes{macs}{after}", frame.len()))
}

fn said(step: &str, text: String) -> ctl::Step {
    ctl::Step { step: step.to_owned(), text }
}

/// The whole way as lines, the table that decided last.
pub(crate) fn lines(explained: &ctl::Explained) -> String {
    let ctl::Generation { sequence, digest, .. } = &explained.generation;
    let short = digest.get(..12).unwrap_or(digest);
    let table = said("table", format!("generation {sequence} ({short})"));
    let all = explained.steps.iter().chain(std::iter::once(&table));
    all.map(|ctl::Step { step, text }| format!("{step:<9} {text}\n")).collect()
}

/// Who has which number.
pub(crate) struct Names<'s> {
    site: &'s Site,
    directory: Directory,
}

impl<'s> Names<'s> {
    /// Those of a site.
    pub(crate) fn new(site: &'s Site) -> Self {
        Self { site, directory: site.directory() }
    }

    /// The service of that number.
    pub(crate) fn service(&self, number: ServiceNumber) -> Option<&'s conf::Service> {
        self.directory.service(&self.site.config, number)
    }

    /// The real of that number.
    pub(crate) fn real(&self, number: RealNumber) -> Option<&'s conf::Real> {
        self.directory.real(&self.site.config, number)
    }

    fn real_name(&self, number: RealNumber) -> String {
        match self.real(number) {
            Some(real) => format!("\"{}\" (number {})", real.name, number.get()),
            None => format!("number {}, which is configured no more", number.get()),
        }
    }

    fn service_name(&self, number: ServiceNumber) -> String {
        match self.service(number) {
            Some(service) => {
                format!("\"{}\" (number {}): {}", service.name, number.get(), words(service))
            }
            None => format!("number {}, which is configured no more", number.get()),
        }
    }

    /// One step, taken at `now`.
    pub(crate) fn line(&self, step: &Step, now: Tick) -> ctl::Step {
        match step {
            Step::Clamped => {
                said("clamped", "the segment size that it offers is lowered to its service's".to_owned())
            }
            Step::Inside(inside) => said("error", self.inside(inside)),
            Step::Opened(shell) => said("tunnel", tunnels::opened(shell)),
            Step::Popped(top, bytes) => said("labels", attributes::popped(*top, *bytes)),
            Step::Metered(colour) => said("limit", attributes::metered(*colour).to_owned()),
            Step::Marked(mark) => said("mark", attributes::marked(mark)),
            Step::Unparsed(reason) => said("headers", unparsed(*reason).to_owned()),
            Step::Parsed(parsed) => said("headers", headers(parsed)),
            Step::Screened(true) => said("screen", "the destination may be a VIP's".to_owned()),
            Step::Screened(false) => said("screen", "the destination is no VIP's".to_owned()),
            Step::Address(true) => said("address", "it is a VIP's; no flow to look for".to_owned()),
            Step::Address(false) => said("address", "it is no VIP's".to_owned()),
            Step::Flow(known) => said("flow", self.known(*known, now)),
            Step::Rule(ruling) => said("rule", self.rule(*ruling)),
            Step::Service(number) => said("service", self.service_name(*number)),
            Step::Response(Some(number)) => said(
                "response",
                format!("on its way back through us, of service {}", self.service_name(*number)),
            ),
            Step::Response(None) => {
                said("response", "a fragment of one, on its way back through us".to_owned())
            }
            Step::NoService(true) => {
                said("service", "the address is a VIP, and no service has this protocol and port".to_owned())
            }
            Step::NoService(false) => said("service", "the address is no VIP".to_owned()),
            Step::ConnectionId(named) => said("id", self.connection_id(*named)),
            Step::Client(client, Some(real)) => {
                let real = self.real_name(*real);
                said("client", format!("{} is at {real} with its other flows", client.source_ip()))
            }
            Step::Client(client, None) => {
                said("client", format!("{} is at no real that is there", client.source_ip()))
            }
            Step::Kept(real) => said("real", format!("{}, which the flow has", self.real_name(*real))),
            Step::Lost(real) => {
                let real = self.real_name(*real);
                said(
                    "lost",
                    format!("{real} is down or gone, or takes no new connections: another is chosen"),
                )
            }
            Step::Given(real, true) => {
                said("real", format!("{}, which the rule gives", self.real_name(*real)))
            }
            Step::Given(real, false) => {
                let real = self.real_name(*real);
                said("rule", format!("it gives {real}, which takes no new flows: the pool chooses"))
            }
            Step::Chosen { hash, real: Some(real) } => {
                said("real", format!("{}, by the hash {hash:016x}", self.real_name(*real)))
            }
            Step::Chosen { real: None, .. } => {
                said("real", "the service's pool has no real that takes new flows".to_owned())
            }
            Step::Fragment(following) => said("fragment", self.following(*following)),
            Step::Template(Some((template, tail))) => said("way", tunnels::way(template, tail)),
            Step::Template(None) => said("way", "the table has no such real".to_owned()),
            Step::Ready(bytes) => said("ready", format!("{bytes} bytes leave")),
            Step::Refused(reason) => said("refused", reason.help().trim().to_owned()),
            Step::Leaves(decision) => said("verdict", self.decision(decision)),
        }
    }

    fn rule(&self, Ruling { rank, action, effect, .. }: Ruling) -> String {
        let place = usize::try_from(rank).ok();
        let rule = place.and_then(|place| self.site.config.rules.get(place));
        let name = rule.map_or_else(
            || format!("number {rank}, which is configured no more,"),
            |rule| format!("\"{}\"", rule.name),
        );
        let asked: Vec<String> = rule
            .map(conf::Rule::asks)
            .unwrap_or_default()
            .into_iter()
            .map(|(key, value)| format!("{key} {value}"))
            .collect();
        let because = if asked.is_empty() { "asks for nothing more".to_owned() } else { asked.join(", ") };
        let gives = match action {
            RuleAction::Drop => "drops the packet",
            RuleAction::Usual => "leaves the packet its way",
            RuleAction::Service(_) => "gives a new flow the service",
            RuleAction::Real(..) => "gives a new flow the service and a real",
        };
        let and = if effect.is_any() { ", and marks or limits it" } else { "" };
        format!("{name} {gives}{and}: {because}")
    }

    fn inside(&self, inside: &Inside) -> String {
        let what = match inside.mtu {
            Some(mtu) => format!("has room for {mtu} bytes"),
            None => "does not reach it".to_owned(),
        };
        let whose = match inside.of {
            Some(_) => "it quotes enough to tell whose packet it was",
            None => "it does not quote enough to tell whose packet it was",
        };
        format!("the way of our tunnel to real {} {what}; {whose}", self.real_name(inside.real))
    }

    fn connection_id(&self, named: Result<RealNumber, Unroutable>) -> String {
        match named {
            Ok(real) => format!("the connection id names {}", self.real_name(real)),
            Err(Unroutable::NoId) => "no connection id of a server of ours can be read".to_owned(),
            Err(Unroutable::NoConfig) => {
                "the first bits of the connection id are of no configuration that the service has".to_owned()
            }
            Err(Unroutable::Length) => {
                "the connection id is too short, or does not have the length it tells".to_owned()
            }
            Err(Unroutable::NoServer) => "the server id in the connection id is nobody's".to_owned(),
            Err(Unroutable::Down(real)) => {
                format!("the connection id names {}, which is down", self.real_name(real))
            }
        }
    }

    fn following(&self, following: Following) -> String {
        match following {
            Following::First => "the first of its datagram: its flow decides for all".to_owned(),
            Following::Follows(real) => format!("it follows the first to real {}", self.real_name(real)),
            Following::Waits => "it goes where the first of its datagram goes, or waits for that".to_owned(),
            Following::Mate(worker) => format!("worker {worker} knows of its datagram"),
            Following::Refused(reason) => reason.help().trim().to_owned(),
        }
    }

    fn known(&self, known: Known, now: Tick) -> String {
        let had = |value: Value| {
            let seconds = f64::from(value.age(now.0)) / Tick::PER_SECOND as f64;
            let real = self.real_name(value.real());
            format!("{} to real {real}, last heard of {seconds:.3} s ago", state(value.state()))
        };
        match known {
            Known::Nothing => "none in the table".to_owned(),
            Known::Silent(value) => format!("{}: silent for too long, forgotten", had(value)),
            Known::Current(value) => had(value),
            Known::Earlier(value) => {
                format!("{}, perhaps under an earlier table: its service is asked for again", had(value))
            }
        }
    }

    fn decision(&self, decision: &Decision) -> String {
        let (left, reason) = verdict(decision);
        let mut text = match reason {
            Some(reason) => format!("{left}: {reason}"),
            None => left.to_owned(),
        };
        let why = match decision.verdict {
            Verdict::Tx => None,
            Verdict::Drop(reason) => Some(reason.help()),
            Verdict::Punt(reason) => Some(reason.help()),
            Verdict::Held if decision.real.is_none() => {
                Some("Where its first fragment has not come it waits for that, at most for a second")
            }
            Verdict::Held => Some("It waits for its real's next hop, at most for a second"),
            Verdict::Handed => Some("It is decided there"),
        };
        if let Some(why) = why {
            text.push_str(&format!(". {}", why.trim()));
        }
        if let (Verdict::Tx, Some(real)) = (decision.verdict, decision.real) {
            text.push_str(&format!(" to real {}", self.real_name(real)));
        }
        if let (Verdict::Drop(_), Some(answer)) = (decision.verdict, decision.answered) {
            text.push_str(&format!(". {}", answer.event().help().trim()));
        }
        match decision.flow {
            Some(FlowUse::New | FlowUse::Led) => {
                text.push_str("; the flow is entered, if the table has room");
            }
            Some(FlowUse::Stateless) => text.push_str("; no flow is entered"),
            Some(FlowUse::Hit) | None => {}
        }
        text
    }
}

/// How a packet left and why, as the trace of a replay says it.
pub(crate) const fn verdict(decision: &Decision) -> (&'static str, Option<&'static str>) {
    match decision.verdict {
        Verdict::Tx => match decision.answered {
            Some(answer) => ("tx", Some(answer.event().full_name())),
            None => ("tx", None),
        },
        Verdict::Drop(reason) => ("drop", Some(reason.name())),
        Verdict::Punt(reason) => ("punt", Some(reason.name())),
        Verdict::Held => ("held", None),
        Verdict::Handed => ("handed", None),
    }
}

/// What a capture says about a packet: `drop.no_real service=web real=- flow=- generation=7 worker=0`.
pub(crate) fn comment(names: &Names<'_>, shot: &Shot, worker: usize) -> String {
    let decision = &shot.decision;
    let left = match decision.verdict {
        Verdict::Tx => decision.answered.map_or(Event::Tx, Answer::event).full_name(),
        Verdict::Drop(reason) => reason.full_name(),
        Verdict::Punt(reason) => reason.full_name(),
        Verdict::Held => Event::Held.full_name(),
        Verdict::Handed => Event::HandOut.full_name(),
    };
    let service = decision.service.and_then(|number| names.service(number));
    let real = decision.real.and_then(|number| names.real(number));
    let flow = match decision.flow {
        None => "-",
        Some(FlowUse::Hit) => "hit",
        Some(FlowUse::New) => "new",
        Some(FlowUse::Led) => "led",
        Some(FlowUse::Stateless) => "stateless",
    };
    format!(
        "{left} service={} real={} flow={flow} generation={} worker={worker}",
        service.map_or("-", |service| service.name.as_str()),
        real.map_or("-", |real| real.name.as_str()),
        shot.generation
    )
}

const fn unparsed(reason: Unparsed) -> &'static str {
    match reason {
        Unparsed::NotIp => "no IP, or behind more VLAN tags than two",
        Unparsed::Truncated => "the frame ends before the header that its own lengths promise",
        Unparsed::Malformed => "a header contradicts itself",
        Unparsed::BadChecksum => "the IPv4 header checksum is wrong",
        Unparsed::HeaderChain => "too many IPv6 extension headers",
    }
}

const fn state(state: State) -> &'static str {
    match state {
        State::Embryonic => "embryonic",
        State::Established => "established",
        State::Closing => "closing",
        State::Udp => "of UDP",
    }
}

fn headers(parsed: &Parsed) -> String {
    let tuple = &parsed.tuple;
    let (from, to) = (tuple.source_ip(), tuple.destination_ip());
    let ends = |ip: IpAddr, port: u16| std::net::SocketAddr::new(ip, port);
    let ports = || format!("{} > {}", ends(from, tuple.source_port), ends(to, tuple.destination_port));
    let what = match parsed.kind {
        Kind::Tcp if parsed.flags.opens() => format!("TCP {}, opening", ports()),
        Kind::Tcp if parsed.flags.closes() => format!("TCP {}, closing", ports()),
        Kind::Tcp => format!("TCP {}", ports()),
        Kind::Udp => format!("UDP {}", ports()),
        Kind::IcmpError => match tuple.protocol {
            protocol::TCP => format!("an ICMP error about the TCP flow {}", ports()),
            protocol::UDP => format!("an ICMP error about the UDP flow {}", ports()),
            other => format!("an ICMP error about IP protocol {other} {from} > {to}"),
        },
        Kind::IcmpBadQuote => format!("an ICMP error to {to} that quotes no flow of it"),
        Kind::EchoRequest => format!("an echo request {from} > {to}"),
        Kind::NeighbourDiscovery => format!("neighbour discovery {from} > {to}"),
        Kind::IcmpOther => format!("ICMP {from} > {to}"),
        Kind::FirstFragment => {
            format!("the first fragment of IP protocol {} {}", tuple.protocol, ports())
        }
        Kind::LaterFragment => format!("a later fragment {from} > {to}"),
        Kind::ShortFragment => format!("a first fragment without its whole transport header {from} > {to}"),
        Kind::Fragment => format!("a fragment {from} > {to}"),
        Kind::Esp | Kind::Ah => {
            let name = if parsed.kind == Kind::Esp { "ESP" } else { "AH" };
            let spi = ipsec::of_ports(tuple.source_port, tuple.destination_port);
            format!("{name} {from} > {to}, SPI {spi:#010x}")
        }
        Kind::OtherProtocol => format!("IP protocol {} {from} > {to}", tuple.protocol),
    };
    let mut text = format!("{what}; {} bytes of {}", parsed.ip_len, family(tuple.family));
    let notes = [
        (parsed.network_offset > 14, "tagged"),
        (parsed.ends.is_to_many(), "to many at the link layer"),
        (parsed.ends.is_bad_source(), "from an address that cannot be a client's"),
    ];
    for (_, note) in notes.iter().filter(|(holds, _)| *holds) {
        text.push_str(", ");
        text.push_str(note);
    }
    text
}

const fn family(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// As people write it.
pub(super) fn mac(address: [u8; 6]) -> String {
    conf::Mac(address).to_string()
}
