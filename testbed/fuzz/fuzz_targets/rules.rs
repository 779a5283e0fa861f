//! Rules, any of them, and packets: the lists that they are parted into find what asking one rule after the other
//! finds, or the rules are refused for a reason. The input is a number of rules, as many of sixteen bytes, and packets
//! of twelve.
#![no_main]

use std::net::IpAddr;

use fuzz::sample_blueprint;
use libfuzzer_sys::fuzz_target;
use service::{
    Attributes, Base, Blueprint, BuildError, Generation, Masked, NO_VLAN, Prefix, RuleAction, RuleKey,
    RuleNumber, RuleSpec, Ruling, build,
};
use wire::{Family, FiveTuple, packed, unpacked};

const RULES_MAX: usize = 40;
const PACKETS_MAX: usize = 40;
/// Where rules ask for bytes, and under which masks.
const PLACES: [(Base, u16); 3] = [(Base::Network, 8), (Base::Transport, 128), (Base::TcpFlags, 0)];
const MASKS: [u32; 3] = [0xff, 0x12, 0x80];
const PROTOCOLS: [u8; 4] = [6, 17, 50, 51];

thread_local! {
    static PLAN: Blueprint = Blueprint { rules: Vec::new(), ..sample_blueprint() };
}

/// Addresses of few kinds, so that prefixes nest.
fn address(byte: u8) -> IpAddr {
    let [net, host] = [byte >> 4 & 3, byte & 3];
    if byte & 0x80 == 0 {
        IpAddr::from([10, 0, net, host])
    } else {
        let mut bytes = [0; 16];
        (bytes[0], bytes[7], bytes[15]) = (0x20, net, host);
        IpAddr::from(bytes)
    }
}

fn prefix(byte: u8, len: u8) -> Prefix {
    let (bytes, family) = packed(address(byte));
    let len = if family == Family::V4 { len % 33 } else { len % 129 };
    let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
    Prefix { address: unpacked((u128::from_be_bytes(bytes) & mask).to_be_bytes(), family), len }
}

fn rule(rank: u32, bytes: &[u8; 16]) -> RuleSpec {
    let &[
        asks,
        source,
        source_len,
        destination,
        destination_len,
        proto,
        a,
        b,
        c,
        d,
        dscp,
        wide,
        vlan,
        place,
        value,
        _,
    ] = bytes;
    let asked = |bit: u8| asks >> bit & 1 == 1;
    let range = |a: u8, b: u8| (u16::from(a.min(b) & 7), u16::from(a.max(b) & 7));
    let at = usize::from(place) % 3;
    let mask = MASKS[at] << if at == 2 { 0 } else { 24 };
    let (base, offset) = PLACES[at];
    let value = (u32::from(value) << if at == 2 { 0 } else { 24 }) & mask;
    let mut rule = RuleSpec {
        rank,
        number: RuleNumber::new(rank).unwrap_or_default(),
        sources: if asked(0) { vec![prefix(source, source_len)] } else { Vec::new() },
        destinations: if asked(1) { vec![prefix(destination, destination_len)] } else { Vec::new() },
        protocol: asked(2).then_some(PROTOCOLS[usize::from(proto) % 4]),
        source_ports: asked(3).then_some(range(a, b)),
        ports: asked(4).then_some(range(c, d)),
        spi: None,
        dscp: asked(5).then_some((dscp % 64, 63_u8.min(dscp % 64 + wide % 4))),
        vlan: asked(6).then_some(if vlan > 9 { (NO_VLAN, NO_VLAN) } else { (u16::from(vlan), 9) }),
        masked: if asked(7) { vec![Masked { base, offset, mask, value }] } else { Vec::new() },
        action: RuleAction::Drop,
        attributes: Attributes::default(),
    };
    // What is refused one by one is refused elsewhere.
    if rule.sources.len() == 1
        && rule.destinations.len() == 1
        && rule.sources[0].address.is_ipv4() != rule.destinations[0].address.is_ipv4()
    {
        rule.destinations.clear();
    }
    // Where there are no ports the same bits ask for an SPI.
    if rule.protocol.is_some_and(|protocol| protocol != 6 && protocol != 17) {
        let ends = (rule.source_ports.take(), rule.ports.take());
        let spi = |port: u16| u32::from(port) << 16;
        if asks >> 1 & 1 == 0 {
            rule.spi = match ends {
                (Some((first, last)), Some(low)) => {
                    Some((spi(first) | u32::from(low.0), spi(last) | u32::from(low.1)))
                }
                (high, _) => high.map(|(first, last)| (spi(first), spi(last))),
            };
        }
    }
    if rule.ports.is_some_and(|(first, last)| first > last) {
        rule.ports = None;
    }
    rule
}

/// A packet as a matcher sees it that knows nothing of keys.
struct Seen {
    tuple: FiveTuple,
    dscp: u8,
    vlan: u16,
    words: [Option<u8>; 3],
}

fn packet(bytes: &[u8; 12]) -> Seen {
    let &[source, destination, proto, a, b, dscp, vlan, there, first, second, third, _] = bytes;
    let (source, family) = packed(address(source));
    let (destination, _) = packed(address(destination & 0x7f | if family == Family::V4 { 0 } else { 0x80 }));
    let tuple = FiveTuple {
        source,
        destination,
        family,
        protocol: PROTOCOLS[usize::from(proto) % 4],
        source_port: u16::from(a & 7),
        destination_port: u16::from(b & 7),
    };
    let words = [first, second, third];
    let word = |at: usize| (there >> at & 1 == 1).then_some(words[at]);
    let vlan = if vlan > 9 { NO_VLAN } else { u16::from(vlan) };
    Seen { tuple, dscp: dscp % 64, vlan, words: [word(0), word(1), word(2)] }
}

fn covers(prefixes: &[Prefix], address: IpAddr) -> bool {
    let bits = |address: IpAddr| u128::from_be_bytes(packed(address).0);
    prefixes.is_empty()
        || prefixes.iter().any(|prefix| {
            let differ = bits(prefix.address) ^ bits(address);
            prefix.address.is_ipv4() == address.is_ipv4()
                && differ.checked_shr(128 - u32::from(prefix.len)).unwrap_or(0) == 0
        })
}

fn matches(rule: &RuleSpec, seen: &Seen) -> bool {
    let tuple = &seen.tuple;
    let has_ports = tuple.protocol == 6 || tuple.protocol == 17;
    let within = |range: Option<(u16, u16)>, value| range.is_none_or(|(a, b)| (a..=b).contains(&value));
    covers(&rule.sources, tuple.source_ip())
        && covers(&rule.destinations, tuple.destination_ip())
        && rule.protocol.is_none_or(|protocol| protocol == tuple.protocol)
        && (has_ports || rule.source_ports.is_none() && rule.ports.is_none())
        && within(rule.source_ports, tuple.source_port)
        && within(rule.ports, tuple.destination_port)
        && rule.spi.is_none_or(|(first, last)| {
            let spi = u32::from(tuple.source_port) << 16 | u32::from(tuple.destination_port);
            matches!(tuple.protocol, 50 | 51) && (first..=last).contains(&spi)
        })
        && within(rule.dscp.map(|(a, b)| (a.into(), b.into())), seen.dscp.into())
        && within(rule.vlan, seen.vlan)
        && rule.masked.iter().all(|masked| {
            let at = PLACES.iter().position(|(base, _)| *base == masked.base).expect("a place");
            let shift = if at == 2 { 0 } else { 24 };
            seen.words[at].is_some_and(|byte| u32::from(byte) << shift & masked.mask == masked.value)
        })
}

fn found(rules: service::RulesView<'_>, seen: &Seen) -> Option<Ruling> {
    let mut key = RuleKey::of(&seen.tuple, true);
    key.set_dscp(seen.dscp);
    key.set_vlan(seen.vlan);
    for (place, word) in rules.words().enumerate() {
        let at = PLACES.iter().position(|(base, _)| *base == word.base).expect("a place");
        if let Some(byte) = seen.words[at] {
            key.set_word(place, u32::from(byte) << if at == 2 { 0 } else { 24 } & word.mask);
        }
    }
    rules.find(&key)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((count, rest)) = bytes.split_first() else { return };
    let count = usize::from(*count) % RULES_MAX + 1;
    let specs: Vec<RuleSpec> =
        rest.as_chunks().0.iter().take(count).zip(0..).map(|(bytes, rank)| rule(rank, bytes)).collect();
    let Some(rest) = rest.get(specs.len() * 16..).filter(|_| !specs.is_empty()) else { return };
    PLAN.with(|plan| {
        let built = build(&Blueprint { rules: specs.clone(), ..plan.clone() }, Generation::default());
        let built = match built {
            Ok(built) => built,
            Err(BuildError::Rule(rank, fault)) => {
                assert!((rank as usize) < specs.len() && !fault.to_string().is_empty());
                return;
            }
            Err(other) => panic!("{other}"),
        };
        let table = built.table().expect("our own image");
        let view = table.view();
        let rules = view.rules().expect("there are some");
        for seen in rest.as_chunks().0.iter().take(PACKETS_MAX).map(packet) {
            let expected = specs.iter().find(|rule| matches(rule, &seen)).map(|rule| rule.rank);
            assert_eq!(found(rules, &seen).map(|ruling| ruling.rank), expected);
        }
    });
});
