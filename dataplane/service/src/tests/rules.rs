//! Rules: the lists find what asking one rule after the other finds, and no image leads astray.

use std::net::IpAddr;

use proptest::prelude::*;
use wire::{Family, FiveTuple, packed, protocol, unpacked};

use super::attributes::{SLOW, VOICE};
use super::images::varied;
use super::{blueprint, ip, real_number, service, table};
use crate::rules::NO_VLAN;
use crate::{
    Attributes, Base, Blueprint, BuildError, Effect, Generation, ImageError, Mark, Masked, Prefix,
    RULE_LISTS_MAX, RealNumber, RuleAction, RuleFault, RuleKey, RuleNumber, RuleSpec, Ruling, ServiceNumber,
    build,
};

/// A rule that matches everything and drops it.
pub(super) fn rule(rank: u32) -> RuleSpec {
    RuleSpec {
        rank,
        number: RuleNumber::new(rank).unwrap_or_default(),
        sources: Vec::new(),
        destinations: Vec::new(),
        protocol: None,
        source_ports: None,
        ports: None,
        spi: None,
        dscp: None,
        vlan: None,
        masked: Vec::new(),
        action: RuleAction::Drop,
        attributes: Attributes::default(),
    }
}

fn prefix(text: &str) -> Prefix {
    let (address, len) = text.split_once('/').unwrap_or((text, ""));
    let full = if ip(address).is_ipv4() { 32 } else { 128 };
    Prefix { address: ip(address), len: len.parse().unwrap_or(full) }
}

/// A packet as a matcher that knows nothing of keys sees it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    tuple: FiveTuple,
    dscp: u8,
    vlan: u16,
    /// What stands at each of the places of [`PLACES`]; nothing behind the packet's end.
    words: [Option<u32>; 3],
}

const PLACES: [(Base, u16); 3] = [(Base::Network, 8), (Base::Transport, 0), (Base::TcpFlags, 0)];

fn within(range: Option<(u16, u16)>, value: u16) -> bool {
    range.is_none_or(|(first, last)| (first..=last).contains(&value))
}

fn covers(prefixes: &[Prefix], address: IpAddr) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => (4, u128::from(v4.to_bits()) << 96),
        IpAddr::V6(v6) => (6, v6.to_bits()),
    };
    let (family, address) = bits(address);
    prefixes.is_empty()
        || prefixes.iter().any(|prefix| {
            let (of, network) = bits(prefix.address);
            of == family && (prefix.len == 0 || (network ^ address) >> (128 - u32::from(prefix.len)) == 0)
        })
}

fn matches(rule: &RuleSpec, seen: &Seen) -> bool {
    let tuple = &seen.tuple;
    let has_ports = tuple.protocol == protocol::TCP || tuple.protocol == protocol::UDP;
    let asks_ports = rule.ports.is_some() || rule.source_ports.is_some();
    covers(&rule.sources, tuple.source_ip())
        && covers(&rule.destinations, tuple.destination_ip())
        && rule.protocol.is_none_or(|protocol| protocol == tuple.protocol)
        && (has_ports || !asks_ports)
        && within(rule.source_ports, tuple.source_port)
        && within(rule.ports, tuple.destination_port)
        && rule.spi.is_none_or(|(first, last)| {
            let spi = u32::from(tuple.source_port) << 16 | u32::from(tuple.destination_port);
            (tuple.protocol == 50 || tuple.protocol == 51) && (first..=last).contains(&spi)
        })
        && within(rule.dscp.map(|(first, last)| (first.into(), last.into())), seen.dscp.into())
        && within(rule.vlan, seen.vlan)
        && rule.masked.iter().all(|masked| {
            let place = PLACES.iter().position(|place| *place == (masked.base, masked.offset)).unwrap();
            seen.words[place].is_some_and(|word| word & masked.mask == masked.value)
        })
}

/// The rule of least rank that matches, asked one after the other.
fn linear(rules: &[RuleSpec], seen: &Seen) -> Option<Ruling> {
    let rule = rules.iter().filter(|rule| matches(rule, seen)).min_by_key(|rule| rule.rank)?;
    Some(Ruling { rank: rule.rank, number: rule.number, action: rule.action, effect: Effect::NONE })
}

fn by_lists(plan: &Blueprint, packets: &[Seen]) -> Vec<Option<Ruling>> {
    let table = table(plan);
    let view = table.view();
    // One key for all: what it knew of a packet, it does not know of the next.
    let mut key = RuleKey::UNKNOWN;
    packets
        .iter()
        .map(|seen| {
            let rules = view.rules()?;
            key.set_flow(&seen.tuple, true);
            key.set_dscp(seen.dscp);
            key.set_vlan(seen.vlan);
            for (place, word) in rules.words().enumerate() {
                let at = PLACES.iter().position(|known| *known == (word.base, word.offset)).unwrap();
                if let Some(value) = seen.words[at] {
                    key.set_word(place, value & word.mask);
                }
            }
            rules.find(&key)
        })
        .collect()
}

fn with(rules: Vec<RuleSpec>) -> Blueprint {
    Blueprint { rules, ..varied() }
}

/// Few values, so that rules overlap, nest and repeat, and packets lie on their edges.
fn an_address() -> impl Strategy<Value = IpAddr> {
    let v4 = (0..4_u32, 0..4_u32)
        .prop_map(|(net, host)| IpAddr::from((0x0a00_0000 + (net << 8) + host).to_be_bytes()));
    let v6 = (0..3_u128, 0..3_u128)
        .prop_map(|(net, host)| IpAddr::from(((0x2001_0db8 << 96) | net << 60 | host).to_be_bytes()));
    prop_oneof![3 => v4, 1 => v6]
}

fn a_prefix() -> impl Strategy<Value = Prefix> {
    let lens = prop_oneof![Just((0, 0)), Just((8, 32)), Just((24, 64)), Just((31, 68)), Just((32, 128))];
    (an_address(), lens).prop_map(|(address, (v4, v6))| {
        let (bytes, family) = packed(address);
        let len = if family == Family::V4 { v4 } else { v6 };
        let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
        let network = (u128::from_be_bytes(bytes) & mask).to_be_bytes();
        Prefix { address: unpacked(network, family), len }
    })
}

fn a_range(most: u16) -> impl Strategy<Value = Option<(u16, u16)>> {
    prop::option::of((0..=most, 0..=most).prop_map(|(a, b)| (a.min(b), a.max(b))))
}

fn a_masked() -> impl Strategy<Value = Masked> {
    (0..3_usize, 0..3_u32, any::<u32>()).prop_map(|(place, kind, value)| {
        let (base, offset) = PLACES[place];
        let mask = match (base, kind) {
            (Base::TcpFlags, 0) => 0x12,
            (Base::TcpFlags, _) => 0x02,
            (_, 0) => 0xff00_0000,
            (_, 1) => 0x0300_0000,
            _ => 0xffff_ffff,
        };
        Masked { base, offset, mask, value: value & mask & 0x0312_0012 }
    })
}

fn an_action() -> impl Strategy<Value = RuleAction> {
    prop_oneof![
        Just(RuleAction::Drop),
        Just(RuleAction::Service(ServiceNumber::new(3).unwrap())),
        Just(RuleAction::Real(ServiceNumber::new(8).unwrap(), real_number(9))),
    ]
}

fn an_spi() -> impl Strategy<Value = Option<(u32, u32)>> {
    let one = || (0..6_u32, 0..6_u32).prop_map(|(high, low)| high << 16 | low);
    prop::option::weighted(0.4, (one(), one()).prop_map(|(a, b)| (a.min(b), a.max(b))))
}

fn some_rules() -> impl Strategy<Value = Vec<RuleSpec>> {
    let one = (
        prop::collection::vec(a_prefix(), 0..3),
        prop::collection::vec(a_prefix(), 0..3),
        (prop::option::of(prop_oneof![Just(6), Just(17), Just(50), Just(51)]), an_spi()),
        (a_range(4), a_range(4)),
        (
            prop::option::weighted(0.2, (0..4_u8, 0..4_u8)),
            prop::option::weighted(0.2, (0..4_u16, Just(NO_VLAN))),
        ),
        prop::collection::vec(a_masked(), 0..2),
        an_action(),
    );
    let one = one.prop_map(
        |(sources, destinations, (protocol, spi), (source_ports, ports), (dscp, vlan), masked, action)| {
            let spi = spi.filter(|_| !matches!(protocol, Some(6 | 17)));
            let has_ports = spi.is_none() && !matches!(protocol, Some(50 | 51));
            RuleSpec {
                spi,
                sources,
                destinations,
                protocol,
                source_ports: source_ports.filter(|_| has_ports),
                ports: ports.filter(|_| has_ports),
                dscp: dscp.map(|(a, b)| (a.min(b), a.max(b))),
                vlan,
                masked,
                action,
                ..rule(0)
            }
        },
    );
    prop::collection::vec(one, 1..40).prop_map(|mut rules| {
        // One of no family with itself is refused elsewhere.
        rules.retain(|rule| {
            let of =
                |list: &[Prefix], v4: bool| list.is_empty() || list.iter().any(|p| p.address.is_ipv4() == v4);
            [true, false].iter().any(|v4| of(&rule.sources, *v4) && of(&rule.destinations, *v4))
        });
        rules.iter_mut().zip(0..).for_each(|(rule, rank)| {
            (rule.rank, rule.number) = (rank * 7, RuleNumber::new(60_000 - rank).unwrap());
        });
        rules
    })
}

fn a_packet() -> impl Strategy<Value = Seen> {
    let word = || prop::option::weighted(0.8, (0..4_u32, 0..4_u32).prop_map(|(a, b)| a << 24 | b << 16 | b));
    let ports = (0..6_u16, 0..6_u16);
    (an_address(), an_address(), ports, 0..4_usize, (0..5_u8, 0..6_u16), (word(), word(), word())).prop_map(
        |(source, destination, (source_port, destination_port), at, (dscp, vlan), words)| {
            let (source, family) = packed(source);
            let (destination, _) = packed(destination);
            let protocol = [6, 17, 50, 51][at];
            let tuple = FiveTuple { source, destination, source_port, destination_port, protocol, family };
            let vlan = if vlan == 5 { NO_VLAN } else { vlan };
            Seen { tuple, dscp, vlan, words: [words.0, words.1, words.2] }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn lists_find_what_asking_one_after_the_other_finds(
        rules in some_rules(), packets in prop::collection::vec(a_packet(), 60),
    ) {
        let expected: Vec<Option<Ruling>> = packets.iter().map(|seen| linear(&rules, seen)).collect();
        prop_assert_eq!(by_lists(&with(rules), &packets), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_order_in_which_rules_come_does_not_matter(rules in some_rules(), seed in any::<u64>()) {
        let mut turned = rules.clone();
        turned.sort_by_key(|rule| u64::from(rule.rank).wrapping_mul(seed | 1));
        turned.iter_mut().for_each(|rule| {
            rule.sources.reverse();
            rule.destinations.reverse();
            rule.masked.reverse();
        });
        prop_assert_eq!(build(&with(rules), Generation::default()), build(&with(turned), Generation::default()));
    }
}

/// Source prefixes × VIPs × ports, as many as that.
fn many(count: u32) -> Vec<RuleSpec> {
    (0..count)
        .map(|i| RuleSpec {
            sources: vec![prefix(&format!("10.{}.{}.0/24", i % 251, i / 251 % 256))],
            destinations: vec![prefix(&format!("198.51.100.{}", i % 16))],
            ports: Some((443, 443)),
            protocol: Some(protocol::TCP),
            ..rule(i)
        })
        .collect()
}

#[test]
fn ten_thousand_rules_of_disjoint_clients_are_few_lists() {
    let mut rules = many(10_000);
    rules.push(RuleSpec { ports: Some((0, 1023)), protocol: Some(protocol::TCP), ..rule(10_000) });
    let table = table(&with(rules));
    let view = table.view();
    let found = view.rules().unwrap();
    assert_eq!(found.len(), 10_001);
    assert!(found.lists_len(Family::V4) <= 3, "{}", found.lists_len(Family::V4));
    let (source, family) = packed(ip("10.7.4.9"));
    let (destination, _) = packed(ip("198.51.100.3"));
    let tuple = FiveTuple { source, destination, family, protocol: 6, source_port: 9, destination_port: 443 };
    let expected = (0..10_000).find(|i| i % 251 == 7 && i / 251 == 4 && i % 16 == 3);
    assert_eq!(found.find(&RuleKey::of(&tuple, true)).unwrap().rank, expected.unwrap_or(10_000));
    let other = FiveTuple { destination_port: 80, ..tuple };
    assert_eq!(found.find(&RuleKey::of(&other, true)).unwrap().rank, 10_000);
    let none = FiveTuple { destination_port: 8080, ..tuple };
    assert_eq!(found.find(&RuleKey::of(&none, true)), None);
}

#[test]
fn rules_each_inside_the_next_are_refused_beyond_the_last_list() {
    let nested = |count: u16| -> Vec<RuleSpec> {
        let rule =
            |i: u16| RuleSpec { ports: Some((1000 - i, 1000 + i)), protocol: Some(6), ..rule(i.into()) };
        (0..count).map(rule).collect()
    };
    let most = u16::try_from(RULE_LISTS_MAX).unwrap();
    assert!(build(&with(nested(most)), Generation::default()).is_ok());
    let refused = build(&with(nested(most + 1)), Generation::default()).unwrap_err();
    // Which of them is the one too many is the least of what is left.
    assert!(
        matches!(refused, BuildError::Rule(rank, RuleFault::Lists) if rank <= u32::from(most)),
        "{refused}"
    );
}

#[test]
fn each_fault_of_a_rule_has_its_reason() {
    let fault = |change: &dyn Fn(&mut RuleSpec)| {
        let mut rules = vec![rule(3), rule(5)];
        change(&mut rules[1]);
        match build(&with(rules), Generation::default()).unwrap_err() {
            BuildError::Rule(5, fault) => fault,
            BuildError::Rule(3, RuleFault::Rank) => RuleFault::Rank,
            other => panic!("{other}"),
        }
    };
    let masked = |base, offset, mask, value| Masked { base, offset, mask, value };
    assert_eq!(fault(&|rule| rule.rank = 3), RuleFault::Rank);
    assert_eq!(
        fault(&|rule| rule.sources = vec![Prefix { address: ip("10.0.0.1"), len: 24 }]),
        RuleFault::Prefix
    );
    assert_eq!(
        fault(&|rule| rule.sources = vec![Prefix { address: ip("10.0.0.0"), len: 33 }]),
        RuleFault::Prefix
    );
    assert_eq!(fault(&|rule| rule.ports = Some((9, 8))), RuleFault::Interval);
    assert_eq!(fault(&|rule| rule.dscp = Some((0, 64))), RuleFault::Interval);
    assert_eq!(fault(&|rule| rule.vlan = Some((0, 4097))), RuleFault::Interval);
    assert_eq!(fault(&|rule| (rule.ports, rule.protocol) = (Some((1, 2)), Some(50))), RuleFault::Ports);
    assert_eq!(fault(&|rule| rule.spi = Some((2, 1))), RuleFault::Interval);
    assert_eq!(fault(&|rule| (rule.spi, rule.protocol) = (Some((1, 2)), Some(17))), RuleFault::Spi);
    assert_eq!(fault(&|rule| (rule.spi, rule.ports) = (Some((1, 2)), Some((1, 2)))), RuleFault::Spi);
    assert_eq!(fault(&|rule| rule.masked = vec![masked(Base::Network, 129, 1, 1)]), RuleFault::Masked);
    assert_eq!(fault(&|rule| rule.masked = vec![masked(Base::Network, 0, 1, 2)]), RuleFault::Masked);
    assert_eq!(fault(&|rule| rule.masked = vec![masked(Base::Network, 0, 0, 0)]), RuleFault::Masked);
    assert_eq!(fault(&|rule| rule.masked = vec![masked(Base::TcpFlags, 0, 256, 0)]), RuleFault::Masked);
    let words =
        |rule: &mut RuleSpec| rule.masked = (0..17).map(|at| masked(Base::Network, at, 1, 0)).collect();
    assert_eq!(fault(&words), RuleFault::Words);
    let wide = |rule: &mut RuleSpec| {
        rule.sources =
            (0..=256_u32).map(|i| Prefix { address: IpAddr::from(i.to_be_bytes()), len: 32 }).collect();
        rule.destinations = rule.sources.clone();
    };
    assert_eq!(fault(&wide), RuleFault::Patterns);
    let families = |rule: &mut RuleSpec| {
        (rule.sources, rule.destinations) = (vec![prefix("10.0.0.0/8")], vec![prefix("2001:db8::/32")]);
    };
    assert_eq!(fault(&families), RuleFault::Families);
    let (nobody, no_real) = (ServiceNumber::new(6).unwrap(), RealNumber::new(7).unwrap());
    assert_eq!(fault(&|rule| rule.action = RuleAction::Service(nobody)), RuleFault::Service);
    let web = ServiceNumber::new(0).unwrap();
    assert_eq!(fault(&|rule| rule.action = RuleAction::Real(web, no_real)), RuleFault::Real);
}

/// Rules of all kinds.
pub(super) fn varied_rules() -> Vec<RuleSpec> {
    let web = ServiceNumber::new(0).unwrap();
    vec![
        RuleSpec { sources: vec![prefix("203.0.113.0/24"), prefix("2001:db8:bad::/48")], ..rule(0) },
        RuleSpec { ports: Some((80, 90)), action: RuleAction::Service(web), ..rule(1) },
        RuleSpec {
            dscp: Some((46, 46)),
            vlan: Some((7, 9)),
            action: RuleAction::Real(web, real_number(9)),
            attributes: Attributes { mark: Some(Mark { dscp: Some(60), ..VOICE }), limit: Some(SLOW) },
            ..rule(2)
        },
        RuleSpec {
            masked: vec![Masked { base: Base::TcpFlags, offset: 0, mask: 0x12, value: 2 }],
            ..rule(4)
        },
        RuleSpec { spi: Some((256, 0x1_0000)), protocol: Some(50), ..rule(6) },
        RuleSpec {
            masked: vec![Masked { base: Base::Transport, offset: 8, mask: 0xffff_0000, value: 0x1_0000 }],
            ..rule(9)
        },
    ]
}

#[test]
fn a_table_without_rules_has_no_such_image_and_one_with_them_names_it() {
    let plain = build(&varied(), Generation::default()).unwrap();
    assert_eq!(plain.rules, None);
    let table = plain.table().unwrap();
    assert!(!table.view().has_rules() && !table.view().has_packet_rules() && table.view().rules().is_none());
    let mut plan = with(varied_rules());
    let both = build(&plan, Generation::default()).unwrap();
    let table = both.table().unwrap();
    assert!(table.view().has_rules() && table.view().has_packet_rules());
    plan.rules.truncate(2);
    let flows = build(&plan, Generation::default()).unwrap();
    let table = flows.table().unwrap();
    assert!(table.view().has_rules() && !table.view().has_packet_rules());
    // A weight, a state or a hop that changes leaves the rules' image alone.
    plan.pools[0].members[0].weight += 1;
    plan.reals[0].next_hop = None;
    let changed = build(&plan, Generation::default()).unwrap();
    assert_eq!((&changed.rules, changed.root == flows.root), (&flows.rules, false));
    let mut without = flows.clone();
    without.rules = None;
    assert_eq!(without.table().unwrap_err(), ImageError::RulesMissing);
    without.rules = both.rules;
    assert_eq!(without.table().unwrap_err(), ImageError::PoolUnknown(2));
}

#[test]
fn rules_of_ten_thousand_do_not_grow_the_root() {
    let mut plan = blueprint(&[1, 1], 13);
    plan.services = vec![service(0, "198.51.100.0/24", protocol::TCP, (443, 443), 0)];
    let before = build(&plan, Generation::default()).unwrap().root.len();
    plan.rules = many(10_000);
    let built = build(&plan, Generation::default()).unwrap();
    assert_eq!(built.root.len(), before + 64);
    let bytes = built.rules.unwrap().len();
    assert!(bytes < 128 * 10_000, "{bytes}");
}
