//! Labs from files, with the real binary between real clients and servers: every step of a file has to
//! succeed, its captures have to show what it says, and the router has to account for every packet.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

use testbed::lab::{Stay, run};
use testbed::root;

fn hold(name: &str) {
    let path = root().join("testbed/labs").join(name);
    if let Err(told) = run(&path, Stay::Goes, |line| println!("{line}")) {
        panic!("{told}");
    }
}

#[test]
fn servers_on_one_lan_answer_their_clients_directly() {
    hold("one-lan.toml");
}

#[test]
fn the_kernel_lives_beside_the_port_by_its_twin() {
    hold("beside-the-kernel.toml");
}

#[test]
fn an_operators_first_hour_is_as_the_guide_says() {
    hold("first-hour.toml");
}

#[test]
fn a_bgp_session_and_iperf3_live_beside_the_load() {
    hold("bgp.toml");
}

#[test]
fn what_does_not_fit_a_path_is_told_so_and_arrives() {
    hold("small-mtu.toml");
}

#[test]
fn vxlan_ends_at_the_kernels_own_device() {
    hold("vxlan.toml");
}

#[test]
fn one_routers_real_is_another_router() {
    hold("two-levels.toml");
}

#[test]
fn responses_come_back_through_the_box_on_one_arm() {
    hold("one-arm.toml");
}

#[test]
fn responses_come_back_through_the_box_from_arm_to_arm() {
    hold("two-arm.toml");
}

#[test]
fn quic_connections_keep_their_server_when_their_client_moves() {
    hold("quic.toml");
}

#[test]
fn large_datagrams_arrive_at_the_server_of_their_flow_in_whichever_order_their_pieces_come() {
    hold("fragments.toml");
}
