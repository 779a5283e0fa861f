//! Tunnels that end here, and which real is at an address.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::{any, proptest};
use wire::{Family, packed};

use super::{blueprint, ip, table};
use crate::{
    Blueprint, BuildError, END_SOURCES_MAX, ENDS_MAX, Encap, EndFault, EndSpec, Form, Generation,
    OuterSource, build,
};

fn end(address: &str, form: Form, port: u16, key: u32, from: &[(&str, u8)]) -> EndSpec {
    let from = from.iter().map(|(address, len)| (ip(address), *len)).collect();
    EndSpec { address: ip(address), form, port, key, from }
}

fn plan(ends: Vec<EndSpec>) -> Blueprint {
    Blueprint { ends, ..blueprint(&[100, 100], 251) }
}

#[test]
fn an_end_is_found_by_its_address_and_takes_what_its_sources_send() {
    let table = table(&plan(vec![
        end("192.0.2.9", Form::Vxlan, 4789, 42, &[("192.0.2.0", 25), ("203.0.113.7", 32)]),
        end("2001:db8::9", Form::Bare, 0, 0, &[("2001:db8::", 33)]),
        end("192.0.2.9", Form::Bare, 0, 0, &[("0.0.0.0", 0)]),
    ]));
    let view = table.view();
    assert!(view.has_ends());
    let ends = view.ends();
    let at = |address| {
        let (bytes, family) = packed(ip(address));
        ends.at(&bytes, family)
    };
    assert!(at("192.0.2.8").is_empty() && at("192.0.2.10").is_empty() && at("2001:db8::8").is_empty());
    let forms =
        |address| at(address).iter().map(|end| (end.form(), end.port(), end.key())).collect::<Vec<_>>();
    assert_eq!(forms("192.0.2.9"), [(Form::Bare, 0, 0), (Form::Vxlan, 4789, 42)]);
    assert_eq!(forms("2001:db8::9"), [(Form::Bare, 0, 0)]);
    let takes = |end, source| {
        let (bytes, family) = packed(ip(source));
        ends.takes(end, &bytes, family)
    };
    let vxlan = &at("192.0.2.9")[1];
    assert!(
        takes(vxlan, "192.0.2.127") && takes(vxlan, "203.0.113.7") && takes(&at("192.0.2.9")[0], "8.8.8.8")
    );
    assert!(!takes(vxlan, "192.0.2.128") && !takes(vxlan, "203.0.113.8") && !takes(vxlan, "::"));
    let v6 = &at("2001:db8::9")[0];
    assert!(takes(v6, "2001:db8:7fff::1") && !takes(v6, "2001:db8:8000::1"));
}

#[test]
fn a_table_without_ends_says_so() {
    let table = table(&blueprint(&[100], 251));
    assert!(!table.view().has_ends());
    assert!(table.view().ends().at(&[0; 16], Family::V4).is_empty());
}

#[test]
fn our_own_sources_are_known_and_reals_by_their_address() {
    let mut plan = blueprint(&[100, 100, 100], 251);
    plan.outer.source_v4 = Some(OuterSource { address: Ipv4Addr::new(172, 16, 0, 0), prefix_len: 16 });
    plan.outer.source_v6 = Some(OuterSource { address: Ipv6Addr::LOCALHOST, prefix_len: 128 });
    plan.reals[0].address = ip("2001:db8::7");
    plan.reals[1].encap = Encap::Mac;
    let table = table(&plan);
    let view = table.view();
    let is_own = |address| {
        let (bytes, family) = packed(ip(address));
        view.ends().is_own(&bytes, family)
    };
    assert!(is_own("172.16.0.0") && is_own("172.16.255.255") && is_own("::1"));
    assert!(!is_own("172.17.0.0") && !is_own("::2") && !is_own("ac10::"));
    let at = |address| view.reals_at(ip(address)).map(|real| real.get()).collect::<Vec<_>>();
    assert_eq!(at("2001:db8::7"), [0]);
    assert_eq!(at("10.0.0.3"), [2]);
    assert_eq!(at("10.0.0.2"), [0_u32; 0], "no tunnel leads there");
    assert_eq!(at("10.0.0.4"), [0_u32; 0]);
}

#[test]
fn faults_of_ends() {
    let refused = |ends| build(&plan(ends), Generation::default()).unwrap_err();
    let one = end("192.0.2.9", Form::Gue, 6080, 0, &[("192.0.2.0", 24)]);
    let with = |change: fn(&mut EndSpec)| {
        let mut changed = one.clone();
        change(&mut changed);
        refused(vec![one.clone(), changed])
    };
    let at = |place, fault| BuildError::End(place, fault);
    assert_eq!(with(|_| {}), at(1, EndFault::Twice));
    assert_eq!(with(|end| end.form = Form::Fou), at(0, EndFault::Twice));
    assert_eq!(with(|end| end.port = 0), at(1, EndFault::Field));
    assert_eq!(with(|end| end.key = 1), at(1, EndFault::Field));
    assert_eq!(with(|end| end.from = vec![(ip("::"), 0)]), at(1, EndFault::Field));
    let many = (0..=u32::try_from(ENDS_MAX).unwrap()).map(|key| end("192.0.2.9", Form::GreKey, 0, key, &[]));
    assert_eq!(refused(many.collect()), at(ENDS_MAX, EndFault::TooMany));
    let wide = EndSpec {
        from: (0..=u32::try_from(END_SOURCES_MAX).unwrap())
            .map(|at| (Ipv4Addr::from_bits(at << 8).into(), 24))
            .collect(),
        ..one
    };
    assert_eq!(refused(vec![wide]), at(0, EndFault::TooMany));
}

proptest! {
    /// The order of ends and of their sources leaves no trace.
    #[test]
    fn the_same_ends_make_the_same_bytes(turn in 0usize..3, keys in any::<[u32; 3]>()) {
        let mut keys = keys;
        keys.sort_unstable();
        if keys[0] == keys[1] || keys[1] == keys[2] {
            return Ok(());
        }
        let sources = [("192.0.2.0", 24), ("10.0.0.0", 8), ("192.0.2.0", 24)];
        let mut ends: Vec<EndSpec> =
            keys.iter().map(|key| end("192.0.2.9", Form::GreKey, 0, *key, &sources)).collect();
        let first = build(&plan(ends.clone()), Generation::default()).unwrap();
        ends.rotate_left(turn);
        ends[0].from.reverse();
        assert_eq!(build(&plan(ends), Generation::default()).unwrap(), first);
    }
}
