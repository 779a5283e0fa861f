//! Classification against a list that is searched from end to end.

use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use wire::{Family, packed, protocol};

use super::{blueprint, ip, service, table, to};
use crate::index::Key;
use crate::{BuildError, Class, Generation, ServiceFault, ServiceNumber, ServiceSpec, TableView, build};

fn covers(spec: &ServiceSpec, vip: IpAddr) -> bool {
    match (spec.vip, vip) {
        (IpAddr::V4(net), IpAddr::V4(vip)) => vip.to_bits().network(spec.prefix_len) == net.to_bits(),
        (IpAddr::V6(net), IpAddr::V6(vip)) => vip.to_bits().network(spec.prefix_len) == net.to_bits(),
        _ => false,
    }
}

/// The rule as the configuration states it, word for word.
fn naive(services: &[ServiceSpec], vip: IpAddr, protocol: u8, port: u16) -> Option<ServiceNumber> {
    let matching = services.iter().filter(|spec| {
        covers(spec, vip) && spec.protocol == protocol && (spec.port_first..=spec.port_last).contains(&port)
    });
    let longest_then_narrowest =
        |spec: &&ServiceSpec| (core::cmp::Reverse(spec.prefix_len), spec.port_last - spec.port_first);
    matching.min_by_key(longest_then_narrowest).map(|spec| spec.number)
}

fn agree(view: &TableView<'_>, services: &[ServiceSpec], vip: IpAddr, protocol: u8, port: u16) {
    let (address, family) = packed(vip);
    let is_vip = services.iter().any(|spec| covers(spec, vip));
    assert_eq!(view.classify_address(&address, family), is_vip, "{vip}");
    let found = match view.classify(&to(vip, protocol, port)) {
        Class::Service(slot) => {
            assert_eq!(view.service(slot).protocol(), protocol);
            Some(view.service(slot).number())
        }
        Class::VipOnly => {
            assert!(is_vip, "{vip}");
            None
        }
        Class::NotVip => {
            assert!(!is_vip, "{vip}");
            None
        }
    };
    assert_eq!(found, naive(services, vip, protocol, port), "{vip} {protocol} {port}");
}

/// Addresses close together, so that prefixes nest.
fn address() -> impl Strategy<Value = IpAddr> {
    let v4 = (prop::sample::select(vec![0_u32, 0x0a00_0000, 0xffff_fff0]), 0_u32..16, 0_u32..4)
        .prop_map(|(base, low, high)| IpAddr::V4(Ipv4Addr::from_bits(base ^ low ^ high << 22)));
    let v6 = (0_u128..16, 0_u128..4, 0_u128..4, any::<bool>()).prop_map(|(low, middle, high, far)| {
        let base = if far { u128::MAX << 64 } else { 0x2001_0db8 << 96 };
        IpAddr::V6(Ipv6Addr::from_bits(base ^ low ^ middle << 62 ^ high << 78))
    });
    prop_oneof![v4, v6]
}

fn prefix() -> impl Strategy<Value = (IpAddr, u8)> {
    (address(), 0_u8..=128, any::<bool>()).prop_map(|(address, length, exact)| match address {
        IpAddr::V4(v4) => {
            let length = if exact { 32 } else { length % 33 };
            (IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits().network(length))), length)
        }
        IpAddr::V6(v6) => {
            let length = if exact { 128 } else { length };
            (IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits().network(length))), length)
        }
    })
}

fn ports() -> impl Strategy<Value = (u16, u16)> {
    prop_oneof![
        (0_u16..20).prop_map(|port| (port, port)),
        (0_u16..20, 0_u16..20).prop_map(|(a, b)| (a.min(b), a.max(b))),
        Just((0, u16::MAX)),
        Just((u16::MAX, u16::MAX)),
    ]
}

/// Services of which none is ambiguous with another.
fn services(most: usize) -> impl Strategy<Value = Vec<ServiceSpec>> {
    let one = (prefix(), any::<bool>(), ports());
    prop::collection::vec(one, 1..most).prop_map(|list| {
        let mut kept: Vec<ServiceSpec> = Vec::new();
        for (number, ((vip, prefix_len), tcp, (port_first, port_last))) in (0..).zip(list) {
            let protocol = if tcp { protocol::TCP } else { protocol::UDP };
            let number = ServiceNumber::new(number * 3).unwrap();
            let new = ServiceSpec {
                number,
                vip,
                prefix_len,
                protocol,
                port_first,
                port_last,
                pool: 0,
                quic: [None; 7],
                attributes: crate::Attributes::default(),
                key: crate::Key::Flow,
                mss: 0,
            };
            let clash = |old: &ServiceSpec| {
                (old.vip, old.prefix_len, old.protocol) == (new.vip, new.prefix_len, new.protocol)
                    && old.port_last - old.port_first == new.port_last - new.port_first
                    && old.port_first <= new.port_last
                    && new.port_first <= old.port_last
            };
            if !kept.iter().any(clash) {
                kept.push(new);
            }
        }
        kept
    })
}

proptest! {
    #[test]
    fn the_longest_prefix_and_then_the_narrowest_ports_win(
        services in services(60),
        others in prop::collection::vec((address(), 0_u16..22), 20),
    ) {
        let mut plan = blueprint(&[100, 100], 251);
        plan.services.clone_from(&services);
        let table = table(&plan);
        let view = table.view();
        let inside = services.iter().flat_map(|spec| [
            (spec.vip, spec.port_first), (spec.vip, spec.port_last), (spec.vip, spec.port_last.wrapping_add(1)),
            (spec.vip, spec.port_first.wrapping_sub(1)),
        ]);
        for (vip, port) in inside.chain(others).collect::<Vec<_>>() {
            for protocol in [protocol::TCP, protocol::UDP, protocol::ICMP] {
                agree(&view, &services, vip, protocol, port);
            }
        }
    }
}

#[test]
fn every_prefix_length_of_ipv6_can_be_in_use_at_once() {
    let all = 0x2001_0db8_0123_4567_89ab_cdef_0123_4567_u128;
    let mut plan = blueprint(&[100], 251);
    plan.services = (0..=128_u8)
        .map(|length| {
            let vip = Ipv6Addr::from_bits(all.network(length));
            service(length.into(), &format!("{vip}/{length}"), protocol::UDP, (0, 65535), 0)
        })
        .collect();
    let table = table(&plan);
    for flipped in 0..=128_u32 {
        // The address leaves the prefixes at the flipped bit, counted from the left.
        let vip = all ^ (1_u128 << 127).checked_shr(flipped).unwrap_or(0);
        agree(&table.view(), &plan.services, Ipv6Addr::from_bits(vip).into(), protocol::UDP, 53);
        let Class::Service(slot) = table.view().classify(&to(Ipv6Addr::from_bits(vip).into(), 17, 53)) else {
            panic!("the prefix of length 0 covers everything");
        };
        assert_eq!(table.view().service(slot).number().get(), flipped);
    }
}

#[test]
fn ten_thousand_vips_are_all_found_and_their_neighbours_are_not() {
    let mut plan = blueprint(&[100], 251);
    let vip = |i: u32| Ipv4Addr::from_bits(0x0a00_0000 + i * 2);
    plan.services = (0..10_000)
        .map(|i| {
            service(i, &vip(i).to_string(), protocol::TCP, if i % 2 == 0 { (80, 80) } else { (0, 65535) }, 0)
        })
        .collect();
    let table = table(&plan);
    let view = table.view();
    for i in 0..10_000 {
        let Class::Service(slot) = view.classify(&to(vip(i).into(), protocol::TCP, 80)) else {
            panic!("VIP {i} is lost");
        };
        assert_eq!(view.service(slot).number().get(), i);
        let beside = Ipv4Addr::from_bits(vip(i).to_bits() + 1);
        assert_eq!(view.classify(&to(beside.into(), protocol::TCP, 80)), Class::NotVip);
        let closed = view.classify(&to(vip(i).into(), protocol::TCP, 81));
        assert_eq!(closed == Class::VipOnly, i % 2 == 0);
    }
}

#[test]
fn all_ports_of_both_protocols_can_be_services() {
    // The most services there can be, on one VIP.
    let mut plan = blueprint(&[100], 251);
    let one = |port: u16| service(port.into(), "198.51.100.10", protocol::TCP, (port, port), 0);
    plan.services = (0..=u16::MAX).map(one).collect();
    let table = table(&plan);
    for port in [0, 1, 1023, 40_000, u16::MAX] {
        agree(&table.view(), &plan.services, ip("198.51.100.10"), protocol::TCP, port);
        agree(&table.view(), &plan.services, ip("198.51.100.10"), protocol::UDP, port);
    }
}

#[test]
fn a_table_without_services_knows_no_vip() {
    let mut plan = blueprint(&[100], 251);
    plan.services.clear();
    let table = table(&plan);
    assert_eq!(table.view().classify(&to(ip("198.51.100.10"), protocol::TCP, 80)), Class::NotVip);
    assert!(!table.view().classify_address(&[0; 16], Family::V6));
    assert_eq!((table.view().services_len(), table.view().pools_len()), (0, 0));
}

#[test]
fn port_ranges_that_leave_no_narrower_one_are_ambiguous() {
    let refused = |a, b| {
        let mut plan = blueprint(&[100], 251);
        plan.services = vec![
            service(4, "198.51.100.10", protocol::TCP, a, 0),
            service(9, "198.51.100.10", protocol::TCP, b, 0),
        ];
        build(&plan, Generation::default()).err()
    };
    let (first, second) = (ServiceNumber::new(4).unwrap(), ServiceNumber::new(9).unwrap());
    let fault = |fault| Some(BuildError::Service(second, fault));
    assert_eq!(refused((80, 89), (85, 94)), fault(ServiceFault::Ambiguous(first)));
    assert_eq!(refused((85, 94), (80, 89)), fault(ServiceFault::Ambiguous(first)));
    assert_eq!(refused((80, 89), (80, 89)), fault(ServiceFault::Duplicate(first)));
    assert_eq!(refused((80, 89), (85, 95)), None);
    assert_eq!(refused((80, 89), (90, 99)), None);
}
