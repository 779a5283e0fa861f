//! What the kernel says, and what comes of it.

#![allow(clippy::panic, reason = "helpers of a test fail as the test does")]

use std::collections::BTreeMap;
use std::net::IpAddr;

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::{HopInput, HopOutput, Hops, Next, PortEnd, Why};
use crate::limits::{HOPS_A_TURN_MAX, LOOK_KNOWN_MS, LOOK_UNKNOWN_MS};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const NEW_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];
const OURS: [u8; 6] = [2, 0, 0, 0, 0, 0xff];
const LAN: u32 = 7;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text} is no address"))
}

fn port(interface: &str, port: u8) -> PortEnd {
    PortEnd { interface: interface.to_owned(), port, mac: OURS, is_twin: true }
}

fn follow(addresses: &[&str]) -> HopInput {
    HopInput::Follow(addresses.iter().map(|text| (ip(text), None)).collect())
}

fn link(index: u32, name: &str) -> HopInput {
    HopInput::Link { index, name: name.to_owned() }
}

fn neighbour(address: &str, mac: Option<[u8; 6]>) -> HopInput {
    HopInput::Neighbour { index: LAN, address: ip(address), mac }
}

fn known(destination: [u8; 6]) -> Next {
    Next::Known { port: 0, destination, source: OURS }
}

/// One that follows `addresses`, all on the link of port 0 and asked for; what it said is passed over.
fn settled(addresses: &[&str]) -> Hops {
    let mut hops = Hops::new(vec![port("lan", 0)]);
    for input in [HopInput::Resync, link(LAN, "lan"), HopInput::Synced, follow(addresses)] {
        hops.take(input, 0);
    }
    hops.take(HopInput::Tick, 1);
    for address in addresses {
        hops.take(HopInput::Route(ip(address), Some((LAN, None))), 1);
    }
    hops
}

#[test]
fn a_real_on_the_link_is_asked_for_looked_for_and_told() {
    let mut hops = Hops::new(vec![port("lan", 0)]);
    let real = ip("10.0.0.1");
    assert_eq!(hops.take(HopInput::Resync, 0), []);
    assert_eq!(hops.take(link(LAN, "lan"), 0), []);
    assert_eq!(hops.take(HopInput::Synced, 0), []);
    assert_eq!(hops.take(follow(&["10.0.0.1"]), 0), []);
    assert!(!hops.is_idle());
    assert_eq!(hops.take(HopInput::Tick, 1), [HopOutput::Ask(real)]);
    let route = hops.take(HopInput::Route(real, Some((LAN, None))), 1);
    let why = Next::Unknown(Why::NoNeighbour(real));
    assert_eq!(route, [HopOutput::Resolve(LAN, real), HopOutput::Tell(real, why)]);
    assert_eq!(hops.take(neighbour("10.0.0.1", Some(MAC)), 2), [HopOutput::Tell(real, known(MAC))]);
    assert!(hops.is_idle());
    // The same again is no news; another MAC address is.
    assert_eq!(hops.take(neighbour("10.0.0.1", Some(MAC)), 3), []);
    assert_eq!(hops.take(neighbour("10.0.0.1", Some(NEW_MAC)), 3), [HopOutput::Tell(real, known(NEW_MAC))]);
    let gone = hops.take(neighbour("10.0.0.1", None), 4);
    assert_eq!(gone, [HopOutput::Resolve(LAN, real), HopOutput::Tell(real, why)]);
    assert_eq!(hops.all().collect::<Vec<_>>(), [(real, why)]);
}

#[test]
fn reals_behind_a_router_share_it_and_move_with_their_route() {
    let mut hops = settled(&["10.9.0.1", "10.9.0.2"]);
    let (one, two, router, other) = (ip("10.9.0.1"), ip("10.9.0.2"), ip("10.0.0.8"), ip("10.0.0.9"));
    hops.take(neighbour("10.0.0.8", Some(MAC)), 2);
    hops.take(neighbour("10.0.0.9", Some(NEW_MAC)), 2);
    hops.take(HopInput::RoutesChanged, 2);
    assert_eq!(hops.take(HopInput::Tick, 2), [], "a burst of changes is one");
    hops.take(HopInput::RoutesChanged, 2);
    assert_eq!(hops.take(HopInput::Tick, 3), [HopOutput::Ask(one), HopOutput::Ask(two)]);
    let by = |real, router| HopInput::Route(real, Some((LAN, Some(router))));
    let told = |real, mac| HopOutput::Tell(real, known(mac));
    assert_eq!(
        hops.take(by(one, router), 3),
        [HopOutput::Release(LAN, one), HopOutput::Resolve(LAN, router), told(one, MAC)]
    );
    assert_eq!(hops.take(by(two, router), 3), [HopOutput::Release(LAN, two), told(two, MAC)]);
    assert_eq!(hops.take(by(one, other), 4), [HopOutput::Resolve(LAN, other), told(one, NEW_MAC)]);
    assert_eq!(hops.take(neighbour("10.0.0.8", Some([2, 0, 0, 0, 0, 3])), 4).len(), 1, "one is left there");
    assert_eq!(
        hops.take(by(two, other), 5),
        [HopOutput::Release(LAN, router), told(two, NEW_MAC)],
        "nobody uses it any more"
    );
    assert_eq!(hops.take(HopInput::Route(two, None), 6), [HopOutput::Tell(two, Next::Unknown(Why::NoRoute))]);
    let elsewhere = hops.take(HopInput::Route(one, Some((99, None))), 6);
    let why = HopOutput::Tell(one, Next::Unknown(Why::NoPort));
    assert_eq!(elsewhere, [HopOutput::Release(LAN, other), why]);
}

#[test]
fn a_port_that_the_file_names_is_the_only_one() {
    let mut hops = Hops::new(vec![port("lan", 0), port("wan", 1)]);
    let real = ip("fd00::1");
    hops.take(link(LAN, "lan"), 0);
    hops.take(link(8, "wan"), 0);
    hops.take(HopInput::Follow(BTreeMap::from([(real, Some(1))])), 0);
    let lan = hops.take(HopInput::Route(real, Some((LAN, None))), 1);
    assert_eq!(lan, [HopOutput::Tell(real, Next::Unknown(Why::NoPort))]);
    hops.take(HopInput::Neighbour { index: 8, address: real, mac: Some(MAC) }, 1);
    let next = Next::Known { port: 1, destination: MAC, source: OURS };
    let wan = hops.take(HopInput::Route(real, Some((8, None))), 1);
    assert_eq!(wan, [HopOutput::Resolve(8, real), HopOutput::Tell(real, next)]);
}

#[test]
fn what_is_not_among_all_that_is_told_anew_is_gone() {
    let mut hops = settled(&["10.0.0.1", "10.0.0.2"]);
    let two = ip("10.0.0.2");
    hops.take(neighbour("10.0.0.1", Some(MAC)), 2);
    hops.take(neighbour("10.0.0.2", Some(MAC)), 2);
    assert_eq!(hops.take(HopInput::Resync, 3), [], "nothing is forgotten before all was told");
    hops.take(link(LAN, "lan"), 3);
    assert_eq!(hops.take(neighbour("10.0.0.1", Some(MAC)), 3), []);
    let why = Next::Unknown(Why::NoNeighbour(two));
    let gone = hops.take(HopInput::Synced, 3);
    assert_eq!(gone, [HopOutput::Resolve(LAN, two), HopOutput::Tell(two, why)]);
    assert_eq!(hops.take(HopInput::Tick, 4).len(), 2, "and every way is asked for");
}

#[test]
fn a_neighbour_is_looked_for_again_sooner_while_it_does_not_answer() {
    let mut hops = settled(&["10.0.0.1"]);
    let look = [HopOutput::Resolve(LAN, ip("10.0.0.1"))];
    assert_eq!(hops.take(HopInput::Tick, LOOK_UNKNOWN_MS), []);
    assert_eq!(hops.take(HopInput::Tick, 1 + LOOK_UNKNOWN_MS), look);
    hops.take(neighbour("10.0.0.1", Some(MAC)), 1 + LOOK_UNKNOWN_MS);
    let now = 1 + 2 * LOOK_UNKNOWN_MS;
    assert_eq!(hops.take(HopInput::Tick, now), look);
    assert_eq!(hops.take(HopInput::Tick, now + LOOK_KNOWN_MS - 1), []);
    assert_eq!(hops.take(neighbour("10.0.0.1", None), now + 1).first(), look.first(), "at once");
    assert_eq!(hops.take(HopInput::Tick, now + 1 + LOOK_UNKNOWN_MS), look);
    assert_eq!(hops.take(follow(&[]), now + 2 + LOOK_UNKNOWN_MS), [HopOutput::Release(LAN, ip("10.0.0.1"))]);
    assert_eq!(hops.take(HopInput::Tick, 10 * LOOK_KNOWN_MS), []);
}

#[test]
fn so_many_a_turn_and_no_more() {
    let addresses: BTreeMap<IpAddr, Option<u8>> =
        (0..1200_u32).map(|number| (IpAddr::from(number.to_be_bytes()), None)).collect();
    let mut hops = Hops::new(vec![port("lan", 0)]);
    hops.take(HopInput::Follow(addresses), 0);
    let turns = [(); 4].map(|()| hops.take(HopInput::Tick, 0).len());
    assert_eq!(turns, [HOPS_A_TURN_MAX, HOPS_A_TURN_MAX, 1200 - 2 * HOPS_A_TURN_MAX, 0]);
    assert!(hops.is_idle());
}

#[test]
fn a_link_that_goes_and_comes_with_another_number_is_found_again() {
    let mut hops = settled(&["10.0.0.1"]);
    let real = ip("10.0.0.1");
    hops.take(neighbour("10.0.0.1", Some(MAC)), 2);
    hops.take(HopInput::LinkGone { index: LAN }, 2);
    assert_eq!(hops.take(HopInput::Tick, 3), [HopOutput::Ask(real)]);
    let gone = hops.take(HopInput::Route(real, None), 3);
    assert_eq!(gone, [HopOutput::Release(LAN, real), HopOutput::Tell(real, Next::Unknown(Why::NoRoute))]);
    hops.take(link(9, "lan"), 4);
    hops.take(HopInput::Neighbour { index: 9, address: real, mac: Some(MAC) }, 4);
    let back = hops.take(HopInput::Route(real, Some((9, None))), 5);
    assert_eq!(back, [HopOutput::Resolve(9, real), HopOutput::Tell(real, known(MAC))]);
}

#[test]
fn only_what_answers_beside_the_ports_is_waited_for() {
    assert!(!settled(&["10.0.0.1"]).is_worth_waiting(), "a twin's neighbours answer by the port");
    let beside = PortEnd { is_twin: false, ..port("lan", 0) };
    let mut hops = Hops::new(vec![beside]);
    hops.take(follow(&["10.0.0.1"]), 0);
    assert!(hops.is_worth_waiting() && !hops.is_synced());
    hops.take(link(LAN, "lan"), 0);
    hops.take(HopInput::Synced, 0);
    hops.take(HopInput::Tick, 1);
    hops.take(HopInput::Route(ip("10.0.0.1"), Some((LAN, None))), 1);
    assert!(hops.is_worth_waiting() && hops.is_synced());
    hops.take(neighbour("10.0.0.1", Some(MAC)), 2);
    assert!(!hops.is_worth_waiting());
}

/// Anything that may happen, among few addresses and links so that it meets.
fn input() -> impl Strategy<Value = HopInput> {
    let address = || (0..6_u8).prop_map(|last| IpAddr::from([10, 0, 0, last]));
    let mac = prop_oneof![Just(None), Just(Some(MAC)), Just(Some(NEW_MAC))];
    let route = proptest::option::of((0..4_u32, proptest::option::of(address())));
    prop_oneof![
        proptest::collection::btree_map(address(), proptest::option::of(0..2_u8), 0..5)
            .prop_map(HopInput::Follow),
        Just(HopInput::Resync),
        Just(HopInput::Synced),
        (0..4_u32, any::<bool>()).prop_map(|(index, lan)| link(index, if lan { "lan" } else { "wan" })),
        (0..4_u32).prop_map(|index| HopInput::LinkGone { index }),
        (0..4_u32, address(), mac).prop_map(|(index, address, mac)| HopInput::Neighbour {
            index,
            address,
            mac
        }),
        Just(HopInput::RoutesChanged),
        (address(), route).prop_map(|(address, route)| HopInput::Route(address, route)),
        Just(HopInput::Tick),
    ]
}

proptest! {
    #[test]
    fn who_was_told_knows_what_stands_and_who_is_used_is_looked_for(
        inputs in proptest::collection::vec(input(), 0..80)
    ) {
        let mut hops = Hops::new(vec![port("lan", 0), port("wan", 1)]);
        let mut told = BTreeMap::new();
        let mut looked_for = std::collections::BTreeSet::new();
        for (now_ms, input) in (0..).zip(inputs) {
            for output in hops.take(input, now_ms) {
                match output {
                    HopOutput::Tell(address, next) => drop(told.insert(address, next)),
                    HopOutput::Resolve(index, address) => drop(looked_for.insert((index, address))),
                    HopOutput::Release(index, address) => assert!(looked_for.remove(&(index, address))),
                    HopOutput::Ask(_) => {}
                }
            }
            told.retain(|address, _| hops.ways.contains_key(address));
            for (address, next) in hops.all() {
                let was = told.get(&address).copied().unwrap_or(Next::Unknown(Why::Unasked));
                assert_eq!(was, next, "{address}");
            }
            let used: std::collections::BTreeSet<_> =
                hops.ways.values().filter_map(|way| way.target).map(|it| (it.index, it.address)).collect();
            assert_eq!(used, looked_for);
        }
    }
}
