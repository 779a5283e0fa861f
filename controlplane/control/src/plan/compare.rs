//! Two configurations side by side: what is written differently, and whom it touches.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use conf::{Config, EIGHTHS, HugePages, Mac, Name, Pool, Port, Quic, Real, Rule, Service, Then, TunnelEnd};
use service::{DontFragment, Encap, EndSpec, Form, Movement, OuterSource, QuicKey, RealState, UdpTunnel};

use super::attributes;
use super::{Change, Effect, Subject, What};
use crate::Map;

/// What is written differently in `new`, in the order of [`Subject`].
pub(super) fn changes(old: Option<&Config>, new: &Config) -> Vec<Change> {
    let mut changes = Vec::new();
    if let Some(old) = old {
        for ((key, from), (_, to)) in settings(old).into_iter().zip(settings(new)).filter(|(a, b)| a != b) {
            let what = What::Changed { key: key.to_owned(), from, to };
            changes.push(Change { subject: Subject::Setting, what });
        }
    }
    let before = |list: fn(&Config) -> Vec<Thing<'_>>| old.map(list).unwrap_or_default();
    things(&before(ports), &ports(new), Subject::Port, &mut changes);
    things(&before(ends), &ends(new), Subject::TunnelEnd, &mut changes);
    things(&before(reals), &reals(new), Subject::Real, &mut changes);
    things(&before(pools), &pools(new), Subject::Pool, &mut changes);
    things(&before(quic), &quic(new), Subject::Quic, &mut changes);
    things(&before(attributes::marks), &attributes::marks(new), Subject::Mark, &mut changes);
    things(&before(attributes::limits), &attributes::limits(new), Subject::Limit, &mut changes);
    things(&before(services), &services(new), Subject::Service, &mut changes);
    things(&before(rules), &rules(new), Subject::Rule, &mut changes);
    changes
}

/// A named thing as it is written.
pub(super) struct Thing<'c> {
    name: &'c Name,
    /// Keys and values, always the same keys in the same order.
    values: Vec<(&'static str, String)>,
    /// Of a real.
    state: Option<RealState>,
    /// Of connection ids: what hides them. It is compared, and never written.
    key: Option<QuicKey>,
    /// Of a pool that panics: how many percent of it are up.
    panics: Option<u8>,
    /// Of a pool: weights by real.
    members: BTreeMap<&'c Name, u32>,
    /// Of a pool: who starts slowly, and how many eighths of its weight it has.
    starts: BTreeMap<&'c Name, u8>,
}

fn things(old: &[Thing<'_>], new: &[Thing<'_>], subject: fn(Name) -> Subject, changes: &mut Vec<Change>) {
    let by_name = |list: &'_ [Thing<'_>]| -> Map<Name, usize> {
        list.iter().enumerate().map(|(place, thing)| (thing.name.clone(), place)).collect()
    };
    let (before, after) = (by_name(old), by_name(new));
    let names: BTreeSet<&Name> = before.keys().chain(after.keys()).collect();
    for name in names {
        let old = before.get(name).and_then(|place| old.get(*place));
        let new = after.get(name).and_then(|place| new.get(*place));
        let whats = match (old, new) {
            (Some(old), Some(new)) => differences(old, new),
            (None, Some(new)) => [Some(What::Added(properties(new))), new.panics.map(What::Panics)]
                .into_iter()
                .flatten()
                .collect(),
            (Some(_), None) => vec![What::Removed],
            (None, None) => Vec::new(),
        };
        changes.extend(whats.into_iter().map(|what| Change { subject: subject(name.clone()), what }));
    }
}

fn differences(old: &Thing<'_>, new: &Thing<'_>) -> Vec<What> {
    let mut whats = Vec::new();
    for ((key, from), (_, to)) in old.values.iter().zip(&new.values).filter(|(a, b)| a != b) {
        whats.push(What::Changed { key: (*key).to_owned(), from: from.clone(), to: to.clone() });
    }
    if old.key.is_some() && new.key.is_some() && old.key != new.key {
        let (from, to) = ("one".to_owned(), "another".to_owned());
        whats.push(What::Changed { key: "key".to_owned(), from, to });
    }
    match (old.state, new.state) {
        (Some(from), Some(to)) if from == to => {}
        (_, Some(RealState::Up)) => whats.push(What::ComesUp),
        (_, Some(RealState::Drain)) => whats.push(What::Drains),
        (_, Some(RealState::Down)) => whats.push(What::GoesDown),
        (_, Some(RealState::Failed)) => whats.push(What::Fails),
        (_, None) => {}
    }
    match (old.panics, new.panics) {
        (None, Some(percent)) => whats.push(What::Panics(percent)),
        (Some(_), None) => whats.push(What::Calms),
        _ => {}
    }
    for real in old.starts.keys().chain(new.starts.keys()).copied().collect::<BTreeSet<&Name>>() {
        let eighths = |thing: &Thing<'_>| thing.starts.get(real).copied().unwrap_or(EIGHTHS);
        if eighths(old) != eighths(new) && new.members.contains_key(real) {
            whats.push(What::Starts { real: real.clone(), eighths: eighths(new) });
        }
    }
    let reals: BTreeSet<&Name> = old.members.keys().chain(new.members.keys()).copied().collect();
    for real in reals {
        match (old.members.get(real), new.members.get(real)) {
            (Some(from), Some(to)) if from != to => whats.push(What::Changed {
                key: format!("weight of \"{real}\""),
                from: from.to_string(),
                to: to.to_string(),
            }),
            (None, Some(&weight)) => whats.push(What::Joins { real: real.clone(), weight }),
            (Some(_), None) => whats.push(What::Leaves { real: real.clone() }),
            _ => {}
        }
    }
    whats
}

fn properties(thing: &Thing<'_>) -> String {
    let is_told = |key: &str, value: &str| value != NONE && (key, value) != ("key", "flow");
    let written = thing.values.iter().filter(|(key, value)| is_told(key, value));
    let mut words: Vec<String> = written.map(|(key, value)| format!("{key} {value}")).collect();
    if let Some(state) = thing.state {
        words.push(state.word().to_owned());
    }
    words.extend(thing.members.iter().map(|(real, weight)| format!("\"{real}\" with weight {weight}")));
    words.join(", ")
}

fn ports(config: &Config) -> Vec<Thing<'_>> {
    let thing = |port: &'_ Port| vec![("device", port.device.to_string())];
    config.ports.iter().map(|port| Thing::new(&port.name, thing(port))).collect()
}

fn ends(config: &Config) -> Vec<Thing<'_>> {
    let values = |end: &TunnelEnd| {
        let EndSpec { address, form, port, key, from } = &end.spec;
        let from: BTreeSet<String> = from.iter().map(|(address, len)| format!("{address}/{len}")).collect();
        vec![
            ("address", address.to_string()),
            ("encap", form.word().to_owned()),
            ("tunnel_key", or_none(matches!(form, Form::GreKey | Form::Vxlan).then_some(key))),
            ("tunnel_port", or_none((*port != 0).then_some(port))),
            ("from", from.into_iter().collect::<Vec<_>>().join(" and ")),
        ]
    };
    config.ends.iter().map(|end| Thing::new(&end.name, values(end))).collect()
}

fn reals(config: &Config) -> Vec<Thing<'_>> {
    let values = |real: &Real| {
        vec![
            ("address", real.address.to_string()),
            ("next_hop", real.next_hop.map_or_else(|| "of the kernel".to_owned(), |mac| mac.to_string())),
            ("encap", encap_text(real.encap)),
            ("port", or_none(real.port.and_then(|place| config.ports.get(place)).map(|port| &port.name))),
        ]
    };
    config
        .reals
        .iter()
        .map(|real| Thing { state: Some(real.state), ..Thing::new(&real.name, values(real)) })
        .collect()
}

fn pools(config: &Config) -> Vec<Thing<'_>> {
    let values = |pool: &Pool| {
        let percent = |percent: u8| if percent == 0 { NONE.to_owned() } else { percent.to_string() };
        vec![
            ("slots", pool.slots.to_string()),
            ("policy", pool.policy.word().to_owned()),
            ("panic_percent", percent(pool.panic_percent)),
            (
                "slow_start_s",
                if pool.slow_start_s == 0 { NONE.to_owned() } else { pool.slow_start_s.to_string() },
            ),
        ]
    };
    let thing = |pool| {
        let panics = Pool::percent_up(pool, &config.reals).filter(|_| pool.panics(&config.reals));
        let starts = pool.members.iter().filter(|member| member.eighths < EIGHTHS);
        let start = |member: &conf::Member| Some((&config.reals.get(member.real)?.name, member.eighths));
        let starts = starts.filter_map(start).collect();
        Thing { panics, starts, members: weights(config, pool), ..Thing::new(&pool.name, values(pool)) }
    };
    config.pools.iter().map(thing).collect()
}

/// Names of the ways a service's connection ids are made.
fn connection_ids(config: &Config, service: &Service) -> String {
    let name = |place: &u8| Some(format!("\"{}\"", config.quic.get(usize::from(*place))?.name));
    let names: Vec<String> = service.quic.iter().flatten().filter_map(name).collect();
    if names.is_empty() { NONE.to_owned() } else { names.join(" and ") }
}

fn quic(config: &Config) -> Vec<Thing<'_>> {
    let values = |quic: &Quic| {
        let servers = quic.servers.iter().filter_map(|server| {
            let id: String = server.id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            Some(format!("{id} of \"{}\"", config.reals.get(server.real)?.name))
        });
        let servers: BTreeSet<String> = servers.collect();
        let clear = "clear (whoever sees two can tell whether they are of one server)";
        vec![
            ("ids", if quic.key.is_some() { "encrypted" } else { clear }.to_owned()),
            ("config", quic.rotation.to_string()),
            ("server_id_bytes", quic.server_id_bytes.to_string()),
            ("nonce_bytes", quic.nonce_bytes.to_string()),
            ("lengths", quic.tells_length.to_string()),
            ("servers", servers.into_iter().collect::<Vec<_>>().join(", ")),
        ]
    };
    config.quic.iter().map(|quic| Thing { key: quic.key, ..Thing::new(&quic.name, values(quic)) }).collect()
}

fn services(config: &Config) -> Vec<Thing<'_>> {
    let values = |service: &Service| {
        let pool = config.pools.get(service.pool).map(|pool| format!("\"{}\"", pool.name));
        vec![
            ("VIP", service.vip.to_string()),
            ("protocol", service.protocol.to_string()),
            ("ports", service.ports_text()),
            ("pool", pool.unwrap_or_default()),
            ("clamp_mss", or_none(service.mss)),
            ("quic", connection_ids(config, service)),
            ("mark", named(service.mark.and_then(|place| config.marks.get(place)).map(|mark| &mark.name))),
            (
                "limit",
                named(service.limit.and_then(|place| config.limits.get(place)).map(|limit| &limit.name)),
            ),
            ("key", service.key.to_string()),
        ]
    };
    config.services.iter().map(|service| Thing::new(&service.name, values(service))).collect()
}

/// What a rule may ask for, in the order in which it is told.
const ASKED: [&str; 10] = [
    "source",
    "destination",
    "protocol",
    "source_ports",
    "ports",
    "spi",
    "dscp",
    "vlan",
    "tcp_flags",
    "bytes",
];

fn rules(config: &Config) -> Vec<Thing<'_>> {
    let service =
        |place: usize| config.services.get(place).map(|service| format!("service \"{}\"", service.name));
    let real = |place: usize| config.reals.get(place).map(|real| format!("real \"{}\"", real.name));
    let then = |then: Then| match then {
        Then::Drop => Some("drop".to_owned()),
        Then::Usual => None,
        Then::Service(place) => service(place),
        Then::Real { service: at, real: place } => Some(format!("{} of {}", real(place)?, service(at)?)),
    };
    let values = |rule: &Rule| {
        let asks: BTreeMap<&str, String> = rule.asks().into_iter().collect();
        let asked = ASKED.into_iter().map(|key| (key, or_none(asks.get(key))));
        let first = [("priority", rule.priority.to_string())];
        let gives = [
            ("action", or_none(then(rule.then))),
            ("mark", named(rule.mark.and_then(|place| config.marks.get(place)).map(|mark| &mark.name))),
            ("limit", named(rule.limit.and_then(|place| config.limits.get(place)).map(|limit| &limit.name))),
        ];
        first.into_iter().chain(asked).chain(gives).collect()
    };
    config.rules.iter().map(|rule| Thing::new(&rule.name, values(rule))).collect()
}

impl<'c> Thing<'c> {
    pub(super) const fn new(name: &'c Name, values: Vec<(&'static str, String)>) -> Self {
        Self {
            name,
            values,
            state: None,
            key: None,
            panics: None,
            members: BTreeMap::new(),
            starts: BTreeMap::new(),
        }
    }
}

fn weights<'c>(config: &'c Config, pool: &'c Pool) -> BTreeMap<&'c Name, u32> {
    let member = |member: &conf::Member| Some((&config.reals.get(member.real)?.name, member.weight));
    pool.members.iter().filter_map(member).collect()
}

/// The tables that stand once: keys and values, as they are written.
fn settings(config: &Config) -> Vec<(&'static str, String)> {
    let Config { node, tunnel, select, flow, dataplane, metrics, .. } = config;
    let seconds = |ticks: u16| (f64::from(ticks) / 8.0).to_string();
    vec![
        ("node.mac", or_none(node.mac)),
        ("node.numbers", or_none(node.numbers.as_ref().map(|path| path.display()))),
        ("node.control", node.control.display().to_string()),
        ("node.return_path", node.return_path.word().to_owned()),
        ("tunnel.source_v4", or_none(tunnel.source_v4.map(|source| source_text(source, 32)))),
        ("tunnel.source_v6", or_none(tunnel.source_v6.map(|source| source_text(source, 128)))),
        ("tunnel.hop_limit", tunnel.hop_limit.to_string()),
        ("tunnel.passes_max", tunnel.passes_max.to_string()),
        ("tunnel.dont_fragment", dont_fragment_word(tunnel.dont_fragment).to_owned()),
        ("tunnel.mtu", tunnel.mtu.to_string()),
        ("tunnel.next_hop", or_none(tunnel.next_hop)),
        ("select.seed", hex(select.seed)),
        ("select.slots", select.slots.to_string()),
        ("flow.entries", flow.entries.to_string()),
        ("flow.key", or_none(flow.key.map(hex))),
        ("flow.syn_timeout_s", seconds(flow.timeouts.syn)),
        ("flow.established_timeout_s", seconds(flow.timeouts.established)),
        ("flow.closing_timeout_s", seconds(flow.timeouts.closing)),
        ("flow.udp_timeout_s", seconds(flow.timeouts.udp)),
        ("flow.new_flows_per_second_max", or_none(flow.new_flows_per_second_max)),
        ("dataplane.workers", dataplane.workers.to_string()),
        ("dataplane.huge_pages", huge_pages_word(dataplane.huge_pages).to_owned()),
        ("dataplane.memory_mb", dataplane.memory_mb.to_string()),
        ("dataplane.packets", dataplane.packets.to_string()),
        ("metrics.listen", or_none(metrics.listen)),
    ]
}

fn named(name: Option<&Name>) -> String {
    name.map_or_else(|| NONE.to_owned(), |name| format!("\"{name}\""))
}

/// What stands for a value that is not there.
const NONE: &str = "none";

pub(super) fn or_none(value: Option<impl Display>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

fn source_text<A: Display>(source: OuterSource<A>, full: u8) -> String {
    let OuterSource { address, prefix_len } = source;
    if prefix_len == full { address.to_string() } else { format!("{address}/{prefix_len}") }
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

const fn dont_fragment_word(value: DontFragment) -> &'static str {
    match value {
        DontFragment::Inherit => "inherit",
        DontFragment::Set => "set",
        DontFragment::Clear => "clear",
    }
}

const fn huge_pages_word(value: HugePages) -> &'static str {
    match value {
        HugePages::Auto => "auto",
        HugePages::Require => "require",
        HugePages::Off => "off",
    }
}

fn encap_text(value: Encap) -> String {
    let over = |UdpTunnel { port, checksum }: UdpTunnel| format!("port {port}, checksum {}", checksum.word());
    let more = match value {
        Encap::Ipip | Encap::Mac | Encap::Gre { key: None } => return value.word().to_owned(),
        Encap::Gre { key: Some(key) } => format!("key {key}"),
        Encap::Fou(udp) | Encap::Gue(udp) => over(udp),
        Encap::Vxlan { udp, vni, inner_mac } => format!("VNI {vni} to {}, {}", Mac(inner_mac), over(udp)),
    };
    format!("{} ({more})", value.word())
}

/// What the changes do to the services of both, given what moves of a service.
pub(super) fn effects(old: &Config, new: &Config, moved: impl Fn(&Name) -> Option<Movement>) -> Vec<Effect> {
    let before: Map<&Name, &Service> = old.services.iter().map(|service| (&service.name, service)).collect();
    let after: BTreeMap<&Name, &Service> =
        new.services.iter().map(|service| (&service.name, service)).collect();
    // Services share pools: each pair of pools is compared once.
    let mut compared: Map<(usize, usize), Counts> = Map::default();
    let mut effects = Vec::new();
    for (name, service) in after {
        let (Some(was), Some(Movement { service: number, share: moved, own })) =
            (before.get(name), moved(name))
        else {
            continue;
        };
        let counts = *compared
            .entry((was.pool, service.pool))
            .or_insert_with(|| Counts::between(&taking(old, was.pool), &taking(new, service.pool)));
        if moved > 0.0 || counts != Counts::default() {
            let Counts { drain, leave, join, reweighted } = counts;
            let mut members = taking(new, service.pool).into_values();
            let dry = !members.any(|(state, weight)| state == RealState::Up && weight > 0);
            let service = name.clone();
            effects.push(Effect { service, number, drain, leave, join, reweighted, moved, own, dry });
        }
    }
    effects
}

/// State and weight of a pool's reals; what has failed is up or down, as the pool has it.
fn taking(config: &Config, pool: usize) -> BTreeMap<&Name, (RealState, u32)> {
    let pool = config.pools.get(pool);
    let panics = pool.is_some_and(|pool| pool.panics(&config.reals));
    let member = |member: &conf::Member| {
        let real = config.reals.get(member.real)?;
        let state = match real.state {
            RealState::Failed if panics => RealState::Up,
            RealState::Failed => RealState::Down,
            other => other,
        };
        Some((&real.name, (state, member.share())))
    };
    pool.map_or(&[][..], |pool| &pool.members).iter().filter_map(member).collect()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    drain: usize,
    leave: usize,
    join: usize,
    reweighted: usize,
}

impl Counts {
    fn between(old: &BTreeMap<&Name, (RealState, u32)>, new: &BTreeMap<&Name, (RealState, u32)>) -> Self {
        let mut counts = Self::default();
        let names: BTreeSet<&Name> = old.keys().chain(new.keys()).copied().collect();
        for name in names {
            let was = old.get(name).copied().unwrap_or((RealState::Down, 0));
            let is = new.get(name).copied().unwrap_or((RealState::Down, 0));
            let count = match (was.0, is.0) {
                (RealState::Up, RealState::Up) if was.1 != is.1 => &mut counts.reweighted,
                (RealState::Up, RealState::Drain) => &mut counts.drain,
                (RealState::Up | RealState::Drain, RealState::Down) => &mut counts.leave,
                (RealState::Down | RealState::Drain, RealState::Up) => &mut counts.join,
                _ => continue,
            };
            *count = count.saturating_add(1);
        }
        counts
    }
}
