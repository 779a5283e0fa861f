//! A running box is changed a thousand times over its socket and under load: no packet is lost, and no flow moves
//! whose real is still there. And one real of a hundred goes.
#![cfg(feature = "dpdk")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

mod common;

use std::collections::BTreeSet;

use common::changes::{REALS, Watched, site, whole};
use common::running::{FLOWS, Running};

const PORT: &str = "[[port]]\nname = \"lan0\"\ndevice = \"net_pcap0,rx_pcap=in.pcap,infinite_rx=1\"\n";

#[test]
fn a_thousand_random_changes_lose_no_packet_and_move_no_flow_without_need() {
    let mut running = Running::start(&site(&whole(REALS), PORT));
    let socket = running.bench.path("c.sock");
    let watched = Watched { socket: &socket, flows: usize::from(FLOWS) };
    println!("{}", watched.change_a_thousand_times(|file| running.write(&site(file, PORT))));
    running.end();
}

#[test]
fn one_real_of_a_hundred_takes_its_own_flows_with_it_and_no_other() {
    let mut file = whole(100);
    let mut running = Running::start(&site(&file, PORT));
    let before = running.reals();
    // One that has flows.
    let name = before.values().next().unwrap().clone();
    file.remove(&name[1..].parse().unwrap());
    running.write(&site(&file, PORT));
    let plan = running.say("reload");
    running.settle();
    let now = running.reals();
    let own: BTreeSet<&String> =
        before.iter().filter(|(_, real)| **real == name).map(|(flow, _)| flow).collect();
    let moved: BTreeSet<&String> =
        before.iter().filter(|(flow, real)| now[*flow] != **real).map(|(flow, _)| flow).collect();
    assert_eq!(moved, own);
    println!(
        "{} of {} flows were on {name} and moved, no other did. The plan:\n{plan}",
        own.len(),
        before.len()
    );
    running.end();
}
