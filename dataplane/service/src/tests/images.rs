//! Images: a pure function of the blueprint, shared pools, and bytes that do not change unseen.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use wire::protocol;

use super::attributes::{SLOW, VOICE, asking};
use super::keys::keyed;
use super::quic::{spec, with};
use super::{blueprint, ip, pool, real, real_number, service, table};
use crate::{
    Aligned, Blueprint, DscpOn, Encap, Generation, ImageError, Key, LabelMark, Mark, RealState,
    ServiceNumber, Table, UdpChecksum, UdpTunnel, VlanMark, build,
};

const GENERATION: Generation = Generation { boot: 5, sequence: 6 };

/// A tunnel's UDP header.
pub(super) const fn udp(checksum: UdpChecksum) -> UdpTunnel {
    UdpTunnel { port: 6080, checksum }
}

const POPPING: Mark = Mark { labels: LabelMark::Pop, ..PLAIN };
const PLAIN: Mark = Mark {
    dscp: None,
    dscp_on: DscpOn::Both,
    vlan: VlanMark::Keep,
    priority: None,
    labels: LabelMark::None,
    tc: None,
    ttl: None,
};

/// Two families, all encapsulations and states, shared and unused pools, nested VIPs, runs of ports, protocols
/// without them, and keys.
pub(super) fn varied() -> Blueprint {
    let mut plan = blueprint(&[100, 50, 25, 12, 6], 251);
    plan.reals[1].state = RealState::Drain;
    plan.reals[2].encap = Encap::Mac;
    plan.reals[3].state = RealState::Down;
    plan.reals[4].state = RealState::Failed;
    plan.reals.push(real(9, ip("2001:db8::9")));
    plan.reals[0].encap = Encap::Gre { key: Some(7) };
    plan.reals[4].encap =
        Encap::Vxlan { udp: udp(UdpChecksum::Auto), vni: 42, inner_mac: [2, 0, 0, 0, 1, 1] };
    plan.reals[5].encap = Encap::Gue(udp(UdpChecksum::Auto));
    plan.pools.push(pool(&[1, 1], 13));
    plan.pools[1].members[1].real = real_number(9);
    plan.pools.push(plan.pools[0].clone());
    plan.pools[1].panics = true;
    plan.pools.push(pool(&[3], 17));
    plan.new_flows_rate_max = Some(1000);
    plan.quic = vec![spec(0, None, &[(&[1], 0), (&[2], 9)]), spec(1, Some(3), &[(&[1, 1], 1), (&[1, 2], 3)])];
    plan.services = vec![
        service(0, "198.51.100.10", protocol::TCP, (80, 80), 0),
        asking(service(1, "198.51.100.10", protocol::TCP, (443, 443), 1), Some(VOICE), Some(SLOW)),
        with(service(2, "198.51.100.10", protocol::UDP, (443, 443), 2), &[(0, 0), (1, 1)]),
        service(3, "198.51.100.0/24", protocol::TCP, (0, 65535), 1),
        service(7, "2001:db8:1::/48", protocol::UDP, (53, 53), 0),
        asking(service(8, "2001:db8:1::1", protocol::TCP, (8000, 8099), 0), Some(POPPING), None),
        keyed(9, "198.51.100.10", protocol::ESP, (0, 65535), Key::Source(24)),
        keyed(10, "198.51.100.10", protocol::UDP, (500, 500), Key::Source(24)),
        service(11, "2001:db8:1::/48", protocol::RESERVED, (0, 65535), 1),
        service(12, "2001:db8:1::1", protocol::UDP, (1, 9), 2),
    ];
    plan
}

proptest! {
    #[test]
    fn the_order_of_lists_does_not_matter(
        reals in Just(varied().reals).prop_shuffle(),
        services in Just(varied().services).prop_shuffle(),
        members in Just(varied().pools[0].members.clone()).prop_shuffle(),
        order in Just(vec![0_usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let sorted = varied();
        let mut plan = Blueprint { reals, services, ..sorted.clone() };
        plan.pools = order.iter().map(|place| sorted.pools[*place].clone()).collect();
        for pool in &mut plan.pools {
            if pool.members.len() == members.len() {
                pool.members.clone_from(&members);
            }
        }
        for service in &mut plan.services {
            service.pool = order.iter().position(|place| *place == service.pool).unwrap();
        }
        prop_assert_eq!(build(&plan, GENERATION).unwrap(), build(&sorted, GENERATION).unwrap());
    }
}

#[test]
fn the_name_of_a_generation_is_not_in_its_images() {
    let (one, other) =
        (build(&varied(), GENERATION).unwrap(), build(&varied(), Generation::default()).unwrap());
    assert_eq!((&one.root, &one.pools, one.digest), (&other.root, &other.pools, other.digest));
    assert_eq!(one.digest, <[u8; 32]>::from(Sha256::digest(&one.root)));
    let table = one.table().unwrap();
    assert_eq!((table.generation(), *table.digest()), (GENERATION, one.digest));
    assert_eq!(table.view().new_flows_rate_max(), Some(1000));
    assert_eq!(table.view().timeouts(), varied().timeouts);
    assert_eq!(table.view().select_seed(), varied().select_seed);
    assert_eq!((table.view().mtu(), table.view().services_len(), table.view().reals_len()), (1500, 13, 10));
}

#[test]
fn services_share_pools_and_unused_pools_are_left_out() {
    let built = build(&varied(), GENERATION).unwrap();
    // Of four pools two are the same and one has no service.
    assert_eq!(built.pools.len(), 2);
    let digests: Vec<[u8; 32]> = built.pools.iter().map(|pool| Sha256::digest(pool).into()).collect();
    assert!(digests.is_sorted());
    let table = built.table().unwrap();
    let view = table.view();
    assert!((0..2).all(|place| view.pool_digest(place) == Some(&digests[place])));
    let used: BTreeSet<usize> = view.services().map(|(_, service)| service.pool()).collect();
    assert_eq!(used, BTreeSet::from([0, 1]));
}

#[test]
fn a_change_leaves_other_pools_bytes_alone() {
    let before: BTreeSet<Vec<u8>> = build(&varied(), GENERATION).unwrap().pools.into_iter().collect();
    let mut plan = varied();
    plan.outer.mtu = 9000;
    plan.reals[0].next_hop = Some([2, 2, 2, 2, 2, 2]);
    plan.services.remove(0);
    let after: BTreeSet<Vec<u8>> = build(&plan, GENERATION).unwrap().pools.into_iter().collect();
    assert_eq!(before, after);
    plan.pools[1].members[0].weight = 2;
    let changed: BTreeSet<Vec<u8>> = build(&plan, GENERATION).unwrap().pools.into_iter().collect();
    assert_eq!(before.intersection(&changed).count(), 1);
}

#[test]
fn ten_thousand_vips_on_one_pool_stay_small() {
    let mut plan = blueprint(&[100; 100], 65_537);
    plan.services = (0..10_000)
        .map(|i| service(i, &format!("10.1.{}.{}", i / 256, i % 256), protocol::TCP, (443, 443), 0))
        .collect();
    let built = build(&plan, GENERATION).unwrap();
    assert_eq!(built.pools.len(), 1);
    assert!(built.root.len() < 128 * 10_000, "{}", built.root.len());
}

#[test]
fn pools_may_come_in_any_order_but_each_once_and_none_else() {
    let built = build(&varied(), GENERATION).unwrap();
    let check = |pools: Vec<&Vec<u8>>| {
        let pools = pools.into_iter().map(|pool| Aligned::new(pool)).collect();
        Table::check(Aligned::new(&built.root), pools, GENERATION)
    };
    let [first, second] = &built.pools[..] else { panic!("two pools") };
    let swapped = check(vec![second, first]).unwrap();
    let straight = table(&varied());
    for (slot, service) in straight.view().services() {
        assert_eq!(swapped.view().service(slot), service);
        assert_eq!(swapped.view().select(slot, 1 << 60), straight.view().select(slot, 1 << 60));
    }
    assert_eq!(check(vec![first]).unwrap_err(), ImageError::PoolMissing(1));
    assert_eq!(check(vec![second]).unwrap_err(), ImageError::PoolMissing(0));
    assert_eq!(check(vec![first, second, first]).unwrap_err(), ImageError::PoolUnknown(2));
    let mut other = first.clone();
    *other.last_mut().unwrap() ^= 1;
    assert_eq!(check(vec![&other, second]).unwrap_err(), ImageError::PoolUnknown(0));
}

/// The digests below change only with the layout, and then on purpose: [`crate::layout::VERSION`] or the
/// shapes that its hash covers must change with them.
#[test]
fn a_small_table_has_the_pinned_bytes() {
    let mut plan = blueprint(&[3, 2, 1], 13);
    plan.services[0].number = ServiceNumber::new(1).unwrap();
    let built = build(&plan, GENERATION).unwrap();
    let table = built.table().unwrap();
    let slots: Vec<u32> =
        (0..13).filter_map(|slot| table.view().pool(0)?.holder(slot)).map(|real| real.get()).collect();
    assert_eq!(slots, PINNED_SLOTS);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let digests = [hex(&built.digest), hex(&Sha256::digest(&built.pools[0]))];
    assert_eq!(digests, [PINNED_ROOT, PINNED_POOL]);
}

/// Worked out by the rule in [`crate::maglev`], by another program (Python, with a library's AES).
const PINNED_SLOTS: [u32; 13] = [1, 1, 1, 0, 2, 1, 0, 0, 0, 2, 0, 0, 0];
const PINNED_ROOT: &str = "ce7dcc03f382fbf89651a2252ec8f8e79c6a991af798616fd079d0ae6fe57e09";
const PINNED_POOL: &str = "eb03ea1a04c76f704af045459a4d6f35c015eb9ba27932d6e72346688642d206";
