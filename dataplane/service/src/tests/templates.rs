//! Templates against headers written out by hand.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::images::udp;
use super::{blueprint, ip, real_number, table};
use crate::{
    BuildError, DontFragment, Encap, Form, Generation, OuterSource, RealFault, RealState, Tail, TunnelKind,
    UdpChecksum, build,
};

#[test]
fn an_ipv4_template_is_the_header_with_gaps() {
    let mut plan = blueprint(&[100, 100], 251);
    plan.outer.source_v4 = Some(OuterSource { address: Ipv4Addr::new(172, 16, 255, 255), prefix_len: 20 });
    plan.outer.dont_fragment = DontFragment::Set;
    plan.reals[1].state = RealState::Drain;
    let table = table(&plan);
    let template = table.view().template(real_number(1)).unwrap();
    let expected = [
        0x02, 0, 0, 0, 0, 0x11, 0x02, 0, 0, 0, 0, 0x01, 0x08, 0x00, // Ethernet
        0x45, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 172, 16, 0xf0, 0, 10, 0, 0,
        2, // the source's low 12 bits are free
    ];
    assert_eq!(template.header()[..34], expected);
    assert!(template.header()[34..].iter().all(|byte| *byte == 0));
    assert_eq!(template.outer_v4()[..], expected[14..]);
    assert_eq!(template.macs()[..], expected[..12]);
    assert_eq!((template.header_len(), template.outer_len()), (34, 20));
    assert_eq!((template.entropy_bits(), template.entropy_mask()), (12, 0x0fff));
    assert_eq!(template.kind(), TunnelKind::Ipip4);
    assert_eq!(template.state(), RealState::Drain);
    assert_eq!(template.dont_fragment(), DontFragment::Set);
    assert_eq!(template.mtu(), 1500);
    assert_eq!(template.destination(), Some(ip("10.0.0.2")));
    // 0x4500 + 0x4000 + 0xac10 + 0xf000 + 0x0a00 + 0x0002 = 0x22b12; folded 0x2b14.
    assert_eq!(template.partial_checksum(), 0x2b14);
}

#[test]
fn an_ipv6_template_is_the_header_with_gaps() {
    let mut plan = blueprint(&[100], 251);
    plan.reals[0].address = ip("2001:db8::7");
    let source = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0xaaaa, 0xbbbb);
    plan.outer.source_v6 = Some(OuterSource { address: source, prefix_len: 112 });
    let table = table(&plan);
    let template = table.view().template(real_number(0)).unwrap();
    let mut expected = vec![0x60, 0, 0, 0, 0, 0, 0, 64];
    expected.extend(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0xaaaa, 0).octets());
    expected.extend(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7).octets());
    assert_eq!(template.outer_v6()[..], expected);
    assert_eq!(template.header()[12..14], [0x86, 0xdd]);
    assert_eq!((template.header_len(), template.entropy_mask()), (54, 0xffff));
    assert_eq!(template.destination(), Some(ip("2001:db8::7")));
}

#[test]
fn a_mac_template_is_two_addresses() {
    let mut plan = blueprint(&[100], 251);
    plan.reals[0].encap = Encap::Mac;
    let table = table(&plan);
    let template = table.view().template(real_number(0)).unwrap();
    assert_eq!((template.kind(), template.header_len(), template.outer_len()), (TunnelKind::Mac, 14, 0));
    assert_eq!(template.macs(), &[2, 0, 0, 0, 0, 0x11, 2, 0, 0, 0, 0, 1]);
    assert!(template.header()[12..].iter().all(|byte| *byte == 0));
    assert_eq!(template.destination(), None);
}

#[test]
fn a_number_without_a_real_has_no_template() {
    let mut plan = blueprint(&[100], 251);
    plan.reals[0].number = real_number(9);
    plan.pools[0].members[0].real = real_number(9);
    let table = table(&plan);
    let view = table.view();
    assert_eq!(view.reals_len(), 10);
    assert!((0..9).chain([10, 65_535]).all(|number| view.template(real_number(number)).is_none()));
    assert_eq!(core::ptr::from_ref(view.template(real_number(9)).unwrap()).addr() % 64, 0);
}

#[test]
fn a_tail_is_beside_the_template_which_knows_its_form() {
    let mut plan = blueprint(&[100, 100, 100], 251);
    plan.reals[1].address = ip("2001:db8::7");
    plan.reals[1].encap =
        Encap::Vxlan { udp: udp(UdpChecksum::Auto), vni: 42, inner_mac: [2, 0, 0, 0, 1, 1] };
    plan.reals[2].encap = Encap::Gre { key: Some(u32::MAX) };
    let table = table(&plan);
    let view = table.view();
    let of = |number| (view.template(real_number(number)).unwrap(), view.tail(real_number(number)));
    let (plain, none) = of(0);
    assert_eq!((plain.form(), plain.outer_len(), none), (Form::Bare, 20, Tail::default()));
    let (vxlan, tail) = of(1);
    assert_eq!((vxlan.kind(), vxlan.form(), vxlan.is_plain()), (TunnelKind::Tail6, Form::Vxlan, false));
    assert_eq!((vxlan.header_len(), vxlan.outer_len()), (54, 70));
    assert_eq!(vxlan.destination(), Some(ip("2001:db8::7")));
    assert_eq!((tail.key(), tail.port(), tail.mac(), tail.is_summed()), (42, 6080, [2, 0, 0, 0, 1, 1], true));
    let (gre, tail) = of(2);
    assert_eq!((gre.kind(), gre.outer_len(), gre.is_plain()), (TunnelKind::Tail4, 28, false));
    assert_eq!((gre.entropy_bits(), gre.entropy_mask(), tail.key()), (0, 0, u32::MAX));
}

#[test]
fn what_a_tail_cannot_hold_makes_no_table() {
    let inner_mac = [2, 0, 0, 0, 1, 1];
    let right = udp(UdpChecksum::Full);
    for encap in [
        Encap::Fou(crate::UdpTunnel { port: 0, ..right }),
        Encap::Vxlan { udp: right, vni: Tail::VNI_MAX + 1, inner_mac },
        Encap::Vxlan { udp: right, vni: 1, inner_mac: [0; 6] },
        Encap::Vxlan { udp: right, vni: 1, inner_mac: [1, 0, 0, 0, 1, 1] },
    ] {
        let mut plan = blueprint(&[100], 251);
        plan.reals[0].encap = encap;
        let fault = build(&plan, Generation::default()).unwrap_err();
        assert_eq!(fault, BuildError::Real(real_number(0), RealFault::Tail), "{encap:?}");
    }
}
