//! Services of any protocol, what their flows are kept together by, and pools that panic.

use mem::Prf;
use proptest::prelude::*;
use std::net::IpAddr;
use wire::protocol::{AH, ESP, ICMP, ICMPV6, RESERVED, SCTP, TCP, UDP};
use wire::{FiveTuple, packed};

use super::{blueprint, ip, pool, real_number, service, table, to};
use crate::{
    Blueprint, BuildError, Class, Generation, Key, RealState, ServiceFault, ServiceNumber, ServiceSpec,
    Table, build, tuple_hash,
};

const ALL: (u16, u16) = (0, u16::MAX);

fn with(services: Vec<ServiceSpec>) -> Blueprint {
    Blueprint { services, ..blueprint(&[100, 100, 100], 251) }
}

/// A service with that key.
pub(super) fn keyed(number: u32, vip: &str, protocol: u8, ports: (u16, u16), key: Key) -> ServiceSpec {
    ServiceSpec { key, ..service(number, vip, protocol, ports, 0) }
}

fn found<B: AsRef<[u8]>>(table: &Table<B>, vip: &str, protocol: u8, port: u16) -> Option<u32> {
    match table.view().classify(&to(ip(vip), protocol, port)) {
        Class::Service(slot) => Some(table.view().service(slot).number().get()),
        Class::VipOnly | Class::NotVip => None,
    }
}

#[test]
fn a_protocol_has_its_service_and_the_rest_that_of_any() {
    let table = table(&with(vec![
        service(1, "198.51.100.10", TCP, (80, 80), 0),
        service(2, "198.51.100.10", ESP, ALL, 0),
        service(3, "198.51.100.10", RESERVED, ALL, 0),
        service(4, "198.51.100.11", SCTP, ALL, 0),
    ]));
    let at = |protocol, port| found(&table, "198.51.100.10", protocol, port);
    assert_eq!((at(TCP, 80), at(TCP, 81), at(UDP, 80)), (Some(1), Some(3), Some(3)));
    // An SPI is no port: whatever stands there, the protocol decides.
    assert_eq!((at(ESP, 0), at(ESP, 80), at(ESP, u16::MAX)), (Some(2), Some(2), Some(2)));
    assert_eq!((at(AH, 5), at(0, 0), at(254, 0)), (Some(3), Some(3), Some(3)));
    assert_eq!((at(ICMP, 0), at(ICMPV6, 0), at(RESERVED, 0)), (None, None, None), "nobody's");
    let alone = |protocol| found(&table, "198.51.100.11", protocol, 9);
    assert_eq!((alone(SCTP), alone(TCP), alone(ESP), alone(RESERVED)), (Some(4), None, None, None));
}

#[test]
fn what_a_longer_prefix_leaves_open_is_the_covering_ones_unless_it_takes_any() {
    let table = table(&with(vec![
        service(1, "198.51.100.0/24", ESP, ALL, 0),
        service(2, "198.51.100.0/24", TCP, ALL, 0),
        service(3, "198.51.100.0/24", RESERVED, ALL, 0),
        service(4, "198.51.100.10", AH, ALL, 0),
        service(5, "198.51.100.11", RESERVED, ALL, 0),
    ]));
    let at = |vip, protocol| found(&table, vip, protocol, 7);
    assert_eq!((at("198.51.100.10", AH), at("198.51.100.10", ESP)), (Some(4), Some(1)));
    assert_eq!((at("198.51.100.10", TCP), at("198.51.100.10", SCTP)), (Some(2), Some(3)));
    assert_eq!((at("198.51.100.11", ESP), at("198.51.100.11", TCP)), (Some(5), Some(5)));
    assert_eq!(at("198.51.100.12", UDP), Some(3));
}

#[test]
fn what_cannot_be_kept_together_is_refused() {
    let fault = |spec: ServiceSpec| match build(&with(vec![spec]), Generation::default()) {
        Err(BuildError::Service(_, fault)) => Some(fault),
        other => other.map(|_| None).unwrap(),
    };
    let vip = "198.51.100.10";
    assert_eq!(fault(service(1, vip, ICMP, ALL, 0)), Some(ServiceFault::Protocol));
    assert_eq!(fault(service(1, vip, ICMPV6, ALL, 0)), Some(ServiceFault::Protocol));
    assert_eq!(fault(service(1, vip, ESP, (1, 65535), 0)), Some(ServiceFault::Ports));
    for (protocol, key) in
        [(UDP, Key::Source(33)), (UDP, Key::Source(0)), (ESP, Key::Port), (RESERVED, Key::Port)]
    {
        assert_eq!(fault(keyed(1, vip, protocol, ALL, key)), Some(ServiceFault::Key), "{protocol} {key:?}");
    }
    for (protocol, key) in [(UDP, Key::Source(32)), (ESP, Key::Source(1)), (TCP, Key::Port)] {
        assert_eq!(fault(keyed(1, vip, protocol, ALL, key)), None, "{protocol} {key:?}");
    }
    let twice = with(vec![service(1, vip, ESP, ALL, 0), service(2, vip, ESP, ALL, 0)]);
    let (first, second) = (ServiceNumber::new(1).unwrap(), ServiceNumber::new(2).unwrap());
    let refused = build(&twice, Generation::default()).unwrap_err();
    assert_eq!(refused, BuildError::Service(second, ServiceFault::Duplicate(first)));
}

#[test]
fn services_of_one_vip_pool_and_key_know_each_others_clients() {
    let key = Key::Source(24);
    let mut plan = with(vec![
        keyed(7, "198.51.100.10", UDP, (500, 500), key),
        keyed(3, "198.51.100.10", ESP, ALL, key),
        keyed(4, "198.51.100.10", UDP, (4500, 4500), Key::Source(32)),
        keyed(5, "198.51.100.11", ESP, ALL, key),
        keyed(6, "198.51.100.10", UDP, (53, 53), Key::Flow),
    ]);
    plan.services.push(ServiceSpec { pool: 1, ..keyed(8, "198.51.100.10", AH, ALL, key) });
    plan.pools.push(pool(&[100, 100], 251));
    let table = table(&plan);
    let (source, family) = packed(ip("203.0.113.77"));
    let tuple = FiveTuple {
        source,
        source_port: 9,
        destination_port: 7,
        family,
        ..to(ip("198.51.100.10"), UDP, 500)
    };
    let clients: Vec<_> = table.view().services().map(|(_, service)| service.client(&tuple)).collect();
    let client = |group: u16, vip: &str, masked: &str| {
        let ((source, _), (destination, _)) = (packed(ip(masked)), packed(ip(vip)));
        Some(FiveTuple {
            source,
            destination,
            destination_port: group,
            source_port: 0,
            protocol: RESERVED,
            family,
        })
    };
    let of_three = client(3, "198.51.100.10", "203.0.113.0");
    assert_eq!(
        clients,
        [
            of_three,
            client(4, "198.51.100.10", "203.0.113.77"),
            client(5, "198.51.100.11", "203.0.113.0"),
            None,
            of_three,
            client(8, "198.51.100.10", "203.0.113.0"),
        ]
    );
    assert!(table.view().keeps_clients());
    assert!(!super::table(&with(vec![service(1, "198.51.100.10", ESP, ALL, 0)])).view().keeps_clients());
}

proptest! {
    #[test]
    fn only_what_the_key_takes_chooses(
        source: [u8; 16], other: [u8; 16], ports: (u16, u16), bits in 1_u8..=128, six: bool,
    ) {
        let (vip, bits) = if six { ("2001:db8::1", bits) } else { ("198.51.100.10", 1 + bits % 32) };
        let table = table(&with(vec![
            keyed(0, vip, TCP, ALL, Key::Source(bits)),
            keyed(1, vip, UDP, ALL, Key::Port),
        ]));
        let view = table.view();
        let prf = Prf::new(view.select_seed());
        let hash = |place: usize, tuple: &FiveTuple| {
            let (_, service) = view.services().nth(place).unwrap();
            service.keyed_hash(&prf, tuple)
        };
        let (_, family) = packed(ip(vip));
        let mask = u128::MAX << (128 - bits);
        let cut = |bytes: [u8; 16]| if six { bytes } else { let mut four = [0; 16]; four[..4].copy_from_slice(&bytes[..4]); four };
        let (source, other) = (cut(source), cut(other));
        let near = (u128::from_be_bytes(source) & mask | u128::from_be_bytes(other) & !mask).to_be_bytes();
        let base = to(ip(vip), TCP, 80);
        let tuple = FiveTuple { source, ..base };
        let same = FiveTuple { source: near, source_port: ports.0, destination_port: ports.1, protocol: ESP, ..base };
        prop_assert_eq!(hash(0, &tuple), hash(0, &same));
        let masked = (u128::from_be_bytes(source) & mask).to_be_bytes();
        let alone = FiveTuple { source: masked, family, ..FiveTuple::default() };
        prop_assert_eq!(hash(0, &tuple), tuple_hash(&prf, &alone).0);
        prop_assert_eq!(hash(1, &tuple), hash(1, &FiveTuple { source: other, source_port: 7, ..tuple }));
        let of_port = FiveTuple { destination_port: 80, ..FiveTuple::default() };
        prop_assert_eq!(hash(1, &tuple), tuple_hash(&prf, &of_port).0);
    }
}

/// The reals that have slots, and the states of the templates.
fn chosen(plan: &Blueprint) -> (Vec<u32>, Vec<RealState>) {
    let table = table(plan);
    let view = table.view();
    let (at, _) = view.services().next().unwrap();
    let mut reals: Vec<u32> =
        (0..251_u64).filter_map(|slot| view.select(at, slot << 56)).map(|real| real.get()).collect();
    reals.sort_unstable();
    reals.dedup();
    let states = (0..4).map(|number| view.template(real_number(number)).unwrap().state());
    (reals, states.collect())
}

#[test]
fn what_has_failed_takes_flows_only_where_the_pool_panics_and_what_is_down_never() {
    use RealState::{Down, Drain, Failed, Up};
    let vip: IpAddr = ip("198.51.100.10");
    let mut plan = blueprint(&[100; 4], 251);
    plan.services[0].vip = vip;
    for (real, state) in plan.reals.iter_mut().zip([Up, Failed, Down, Failed]) {
        real.state = state;
    }
    assert_eq!(chosen(&plan), (vec![0], vec![Up, Failed, Down, Failed]));
    plan.pools[0].panics = true;
    assert_eq!(chosen(&plan), (vec![0, 1, 3], vec![Up, Drain, Down, Drain]));
    // A panic of a pool in which nobody has failed changes nothing, not even the image.
    plan.reals.iter_mut().for_each(|real| real.state = Up);
    let calm = {
        let mut calm = plan.clone();
        calm.pools[0].panics = false;
        calm
    };
    let images = |plan: &Blueprint| build(plan, Generation::default()).unwrap();
    assert_eq!(images(&plan), images(&calm));
}
