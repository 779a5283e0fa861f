//! Each fault of a blueprint is refused, and the item at fault is named.

use std::net::Ipv4Addr;

use super::{blueprint, ip, pool, real_number};
use crate::{
    Blueprint, BuildError, Encap, Generation, Member, OuterSource, Policy, PoolFault, PoolSpec, RealFault,
    SLOTS_MAX, ServiceFault, ServiceNumber, Timeouts, build,
};

fn refused(change: impl Fn(&mut Blueprint)) -> BuildError {
    let mut plan = blueprint(&[100, 100, 100], 251);
    change(&mut plan);
    build(&plan, Generation::default()).unwrap_err()
}

#[test]
fn faults_of_reals() {
    let real = |number, fault| BuildError::Real(real_number(number), fault);
    assert_eq!(refused(|p| p.reals[2].number = real_number(1)), real(1, RealFault::Number));
    assert_eq!(refused(|p| p.reals[2].address = p.reals[0].address), real(2, RealFault::Address));
    assert_eq!(refused(|p| p.outer.source_v4 = None), real(0, RealFault::NoSource));
    let v6_without_source = refused(|p| {
        p.reals[1].address = ip("2001:db8::2");
        p.outer.source_v6 = None;
    });
    assert_eq!(v6_without_source, real(1, RealFault::NoSource));
    assert_eq!(refused(|p| p.outer.mtu = 20), real(0, RealFault::Mtu));
}

#[test]
fn a_real_on_the_lan_needs_no_outer_source() {
    let mut plan = blueprint(&[100], 251);
    plan.outer.source_v4 = None;
    plan.outer.source_v6 = None;
    plan.reals[0].encap = Encap::Mac;
    assert!(build(&plan, Generation::default()).is_ok());
}

#[test]
fn faults_of_pools() {
    let in_pool = |fault| BuildError::Pool(0, fault);
    assert_eq!(refused(|p| p.pools[0].slots = 250), in_pool(PoolFault::Slots(250)));
    assert_eq!(refused(|p| p.pools[0].slots = 2), in_pool(PoolFault::Slots(2)));
    assert_eq!(refused(|p| p.pools[0].slots = 0), in_pool(PoolFault::Slots(0)));
    // The next prime after the limit.
    assert_eq!(refused(|p| p.pools[0].slots = 16_777_259), in_pool(PoolFault::Slots(16_777_259)));
    assert_eq!(
        refused(|p| p.pools[0].members[1].weight = 65_536),
        in_pool(PoolFault::Weight(real_number(1)))
    );
    let stranger = real_number(77);
    assert_eq!(refused(|p| p.pools[0].members[1].real = stranger), in_pool(PoolFault::UnknownReal(stranger)));
    let twice = Member { real: real_number(2), weight: 1 };
    assert_eq!(refused(|p| p.pools[0].members.push(twice)), in_pool(PoolFault::TwiceMember(real_number(2))));
    let second = refused(|p| p.pools.push(pool(&[1], 4)));
    assert_eq!(second, BuildError::Pool(1, PoolFault::Slots(4)));
}

#[test]
fn faults_of_services() {
    let service = |fault| BuildError::Service(ServiceNumber::new(0).unwrap(), fault);
    assert_eq!(refused(|p| p.services[0].prefix_len = 33), service(ServiceFault::PrefixLen));
    assert_eq!(refused(|p| p.services[0].prefix_len = 24), service(ServiceFault::HostBits));
    assert_eq!(refused(|p| p.services[0].prefix_len = 0), service(ServiceFault::HostBits));
    let v6 = refused(|p| {
        p.services[0].vip = ip("2001:db8::1");
        p.services[0].prefix_len = 127;
    });
    assert_eq!(v6, service(ServiceFault::HostBits));
    assert_eq!(refused(|p| p.services[0].protocol = 1), service(ServiceFault::Protocol));
    assert_eq!(refused(|p| p.services[0].port_first = 81), service(ServiceFault::Ports));
    assert_eq!(refused(|p| p.services[0].pool = 1), service(ServiceFault::Pool));
    assert_eq!(refused(|p| p.services.push(p.services[0])), service(ServiceFault::Number));
}

#[test]
fn faults_of_the_rest() {
    let source = |prefix_len| Some(OuterSource { address: Ipv4Addr::new(172, 16, 0, 0), prefix_len });
    assert_eq!(refused(|p| p.outer.source_v4 = source(15)), BuildError::OuterSource);
    assert_eq!(refused(|p| p.outer.source_v4 = source(33)), BuildError::OuterSource);
    assert_eq!(refused(|p| p.outer.hop_limit = 0), BuildError::HopLimit);
    assert_eq!(refused(|p| p.outer.passes_max = 0), BuildError::HopLimit);
    assert_eq!(refused(|p| p.timeouts.closing = 0), BuildError::Timeout);
    assert_eq!(refused(|p| p.timeouts.udp = Timeouts::MAX + 1), BuildError::Timeout);
}

#[test]
fn pools_that_rendezvous_hashing_is_too_dear_for_are_refused_before_they_are_filled() {
    // 2^30 are allowed: the largest table has 192 less for 64 members, and more for 65.
    let pool = |members: usize, slots| {
        let members =
            (0..members).map(|real| Member { real: real_number(u32::try_from(real).unwrap()), weight: 1 });
        PoolSpec { members: members.collect(), slots, policy: Policy::Rendezvous, panics: false }
    };
    let refused = |pools: &[PoolSpec]| {
        let mut plan = blueprint(&[100; 65], 251);
        plan.pools = pools.to_vec();
        build(&plan, Generation::default()).map(|_| ())
    };
    let costs = |place| Err(BuildError::Pool(place, PoolFault::Costs));
    assert_eq!(refused(&[pool(65, SLOTS_MAX)]), costs(0));
    assert_eq!(refused(&[pool(4, 251), pool(64, SLOTS_MAX)]), costs(1), "both together");
    assert_eq!(refused(&[pool(4, 251), pool(4, 251), pool(5, 251)]), Ok(()));
}

#[test]
fn covering_prefixes_with_too_many_ranges_are_refused_and_not_swallowed() {
    // 1,000 ranges on the covering prefix are repeated in each of 9,000 VIPs below it.
    let refused = refused(|p| {
        let mut next = 0;
        let mut push = |vip: u32, prefix_len, port| {
            let mut service = p.services[0];
            service.number = ServiceNumber::new(next).unwrap();
            (service.vip, service.prefix_len) = (Ipv4Addr::from_bits(vip).into(), prefix_len);
            (service.port_first, service.port_last) = (port, port);
            p.services.push(service);
            next += 1;
        };
        (0..1000).for_each(|port| push(0x0a00_0000, 8, port));
        (0..9000).for_each(|vip| push(0x0a01_0000 + vip, 32, 5000));
        p.services.remove(0);
    });
    assert_eq!(refused, BuildError::Cells);
    assert!(refused.to_string().contains("cells"));
}
