//! Reals at one address, told apart by their tunnels.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use wire::packed;
use zerocopy::{FromBytes, IntoBytes};

use super::{blueprint, ip, real_number, table};
use crate::layout::{PoolHeader, PoolMember};
use crate::{
    Blueprint, BuildError, Encap, Generation, ImageError, Policy, RealFault, RealState, UdpChecksum,
    UdpTunnel, build, movement,
};

const SLOTS: u32 = 4093;

fn vxlan(vni: u32) -> Encap {
    let udp = UdpTunnel { port: 4789, checksum: UdpChecksum::Auto };
    Encap::Vxlan { udp, vni, inner_mac: [2, 0, 0, 0, 1, 0x11] }
}

/// Ten reals behind one node, each in a network of its own.
fn node(policy: Policy) -> Blueprint {
    let mut plan = blueprint(&[100; 10], SLOTS);
    plan.pools[0].policy = policy;
    for (real, vni) in plan.reals.iter_mut().zip(1..) {
        (real.address, real.encap) = (ip("10.0.0.1"), vxlan(vni));
    }
    plan
}

fn shares(plan: &Blueprint) -> BTreeMap<u32, usize> {
    let table = table(plan);
    let pool = table.view().pool(0).unwrap();
    let mut shares = BTreeMap::new();
    (0..SLOTS as usize).for_each(|slot| *shares.entry(pool.holder(slot).unwrap().get()).or_default() += 1);
    shares
}

#[test]
fn reals_at_one_address_share_as_others_do() {
    let even = shares(&node(Policy::Maglev));
    assert!(even.len() == 10 && even.values().all(|share| share.abs_diff(409) <= 2), "{even:?}");
    let drawn = shares(&node(Policy::Rendezvous));
    assert!(drawn.len() == 10 && drawn.values().all(|share| share.abs_diff(409) < 80), "{drawn:?}");
}

#[test]
fn one_of_them_that_goes_leaves_the_others_their_slots() {
    for (policy, most) in [(Policy::Maglev, 0.03), (Policy::Rendezvous, 0.0)] {
        let (old, mut new) = (node(policy), node(policy));
        new.reals[3].state = RealState::Down;
        let [moved] = movement(&table(&old), &table(&new))[..] else { panic!("one service") };
        assert!(moved.own > 0.07 && moved.share - moved.own <= most, "{policy:?}: {moved:?}");
    }
}

#[test]
fn another_network_is_another_end_and_its_slots_are_its_own() {
    let (old, mut new) = (node(Policy::Rendezvous), node(Policy::Rendezvous));
    new.reals[3].encap = vxlan(77);
    let [moved] = movement(&table(&old), &table(&new))[..] else { panic!("one service") };
    assert!(moved.own > 0.07 && (moved.share - moved.own).abs() < f64::EPSILON, "{moved:?}");
}

#[test]
fn the_order_of_reals_at_one_address_does_not_matter() {
    let plan = node(Policy::Maglev);
    let mut turned = plan.clone();
    turned.reals.reverse();
    turned.pools[0].members.reverse();
    assert_eq!(build(&turned, Generation::default()).unwrap(), build(&plan, Generation::default()).unwrap());
}

#[test]
fn two_reals_with_the_same_tunnel_are_refused() {
    let refused = |encap: Encap, other: Encap| {
        let mut plan = node(Policy::Maglev);
        (plan.reals[2].encap, plan.reals[7].encap) = (encap, other);
        build(&plan, Generation::default()).err()
    };
    let twice = Some(BuildError::Real(real_number(7), RealFault::Address));
    assert_eq!(refused(vxlan(3), vxlan(3)), twice);
    assert_eq!(refused(Encap::Ipip, Encap::Mac), twice);
    assert_eq!(refused(Encap::Ipip, Encap::Gre { key: None }), None);
    assert_eq!(refused(Encap::Gre { key: Some(0) }, Encap::Gre { key: None }), None);
}

#[test]
fn all_that_end_at_an_address_are_found_there() {
    let mut plan = node(Policy::Maglev);
    plan.reals[4].address = ip("10.0.0.2");
    let table = table(&plan);
    let at = |address| table.view().reals_at(ip(address)).map(|real| real.get()).collect::<Vec<_>>();
    assert_eq!(at("10.0.0.1"), [0, 1, 2, 3, 5, 6, 7, 8, 9]);
    assert_eq!(at("10.0.0.2"), [4]);
}

#[test]
fn the_slots_of_reals_at_one_address_are_the_pinned_ones() {
    let mut plan = blueprint(&[3, 2, 1], 13);
    let udp = UdpTunnel { port: 6080, checksum: UdpChecksum::Auto };
    let ways = [Encap::Gue(udp), Encap::Ipip, vxlan(7)];
    plan.reals
        .iter_mut()
        .zip(ways)
        .for_each(|(real, encap)| (real.address, real.encap) = (ip("10.0.0.1"), encap));
    let holders = |plan: &Blueprint| -> Vec<u32> {
        let table = table(plan);
        let pool = table.view().pool(0).unwrap();
        (0..13).map(|slot| pool.holder(slot).unwrap().get()).collect()
    };
    assert_eq!(holders(&plan), PINNED_MAGLEV);
    plan.pools[0].policy = Policy::Rendezvous;
    assert_eq!(holders(&plan), PINNED_RENDEZVOUS);
}

#[test]
fn a_pool_whose_members_have_no_such_door_is_refused() {
    let place = |at: usize| size_of::<PoolHeader>() + 64 + at * size_of::<PoolMember>();
    let harmed = |change: &dyn Fn(&mut PoolMember)| {
        let mut built = build(&node(Policy::Maglev), Generation::default()).unwrap();
        let pool = built.pools.first_mut().unwrap();
        let bytes = &mut pool[place(4)..place(5)];
        let mut member = PoolMember::read_from_bytes(bytes).unwrap();
        assert_eq!((member.address, member.key, member.port), (packed(ip("10.0.0.1")).0, 5, 4789));
        change(&mut member);
        bytes.copy_from_slice(member.as_bytes());
        let digest = <[u8; 32]>::from(Sha256::digest(&*pool));
        let named = built.root.windows(32).position(|bytes| {
            bytes
                == <[u8; 32]>::from(Sha256::digest(
                    &build(&node(Policy::Maglev), Generation::default()).unwrap().pools[0],
                ))
        });
        built.root[named.unwrap()..][..32].copy_from_slice(&digest);
        built.table().err()
    };
    assert_eq!(harmed(&|_| ()), None);
    let wrong = Some(ImageError::PoolMember(0));
    // Out of order, no such form, a key that VXLAN cannot hold, a port or a MAC address of none, bits that mean nothing.
    assert_eq!(harmed(&|member| member.key = 4), wrong);
    assert_eq!(harmed(&|member| member.key = 6), wrong);
    assert_eq!(harmed(&|member| member.form = 6), wrong);
    assert_eq!(harmed(&|member| member.key = 1 << 24), wrong);
    assert_eq!(harmed(&|member| member.port = 0), wrong);
    assert_eq!(harmed(&|member| member.mac = [0; 6]), wrong);
    assert_eq!(harmed(&|member| member.mac[0] |= 1), wrong);
    assert_eq!(harmed(&|member| member.form = 4), wrong);
    assert_eq!(harmed(&|member| member.spare = 1), wrong);
}

/// Worked out by the rules in [`crate::maglev`] and [`crate::rendezvous`], by another program (testbed/scapy/golden, with a
/// library's AES).
const PINNED_MAGLEV: [u32; 13] = [0, 0, 1, 1, 0, 1, 0, 0, 2, 0, 2, 1, 1];
const PINNED_RENDEZVOUS: [u32; 13] = [0, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 0, 1];
