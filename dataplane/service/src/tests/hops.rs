//! Next hops: what an image says of them, and what is put into a worker's templates.

use proptest::prelude::{any, proptest};
use proptest::strategy::Strategy;

use super::{blueprint, real_number};
use crate::hop::Way;
use crate::limits::PORTS_MAX;
use crate::{BuildError, Generation, Hop, RealFault, Template, build};

const NEAR: [u8; 6] = [2, 0, 0, 0, 9, 9];
const OURS: [u8; 6] = [2, 0, 0, 0, 0, 0xaa];

/// The image's template of a real with that next hop and port.
fn template(next_hop: Option<[u8; 6]>, port: Option<u8>) -> Template {
    let mut plan = blueprint(&[100], 251);
    (plan.reals[0].next_hop, plan.reals[0].port) = (next_hop, port);
    let table = build(&plan, Generation::default()).unwrap().table().unwrap();
    let template = *table.view().template(real_number(0)).unwrap();
    assert_eq!(table.templates(), [template]);
    template
}

fn hop(port: Option<u8>) -> Hop {
    Hop { real: real_number(0), port, destination: NEAR, source: OURS, is_resolved: true }
}

#[test]
fn an_image_says_that_a_next_hop_is_followed_and_not_where_it_leads() {
    let followed = template(None, None);
    assert!(followed.is_followed() && !followed.is_resolved() && !followed.is_plain());
    let written = template(Some(NEAR), None);
    assert!(!written.is_followed() && written.is_resolved() && written.is_plain());
    assert_eq!((written.port(), written.macs().first_chunk()), (None, Some(&NEAR)));
}

#[test]
fn a_hop_is_put_in_and_leaves_no_trace_in_the_next() {
    let image = template(None, None);
    let known = image.with_hop(&hop(None));
    assert!(known.is_resolved() && known.is_followed() && known.is_plain());
    assert_eq!(*known.macs(), [2, 0, 0, 0, 9, 9, 2, 0, 0, 0, 0, 0xaa]);
    assert_eq!(known.outer_v4(), image.outer_v4());
    let by_port = image.with_hop(&hop(Some(3)));
    assert!(by_port.is_plain_by_port() && !by_port.is_plain());
    assert_eq!(by_port.port(), Some(3));
    let lost = image.with_hop(&Hop { is_resolved: false, ..hop(None) });
    assert_eq!(lost, image);
}

#[test]
fn what_is_written_stands_above_what_is_learnt() {
    let written = template(Some(NEAR), None);
    assert_eq!(written.with_hop(&Hop { is_resolved: false, ..hop(Some(1)) }), written);
    assert_eq!(template(None, Some(5)).with_hop(&hop(Some(1))).port(), Some(5));
    assert_eq!(template(None, None).with_hop(&hop(Some(200))).port(), None, "no such port");
}

#[test]
fn a_port_that_six_bits_do_not_hold_makes_no_table() {
    let mut plan = blueprint(&[100], 251);
    plan.reals[0].port = Some(PORTS_MAX - 1);
    assert!(build(&plan, Generation::default()).is_ok());
    plan.reals[0].port = Some(PORTS_MAX);
    let fault = build(&plan, Generation::default()).unwrap_err();
    assert_eq!(fault, BuildError::Real(real_number(0), RealFault::Port));
}

fn any_hop() -> impl Strategy<Value = Hop> {
    any::<(Option<u8>, [u8; 6], [u8; 6], bool)>().prop_map(|(port, destination, source, is_resolved)| Hop {
        real: real_number(0),
        port,
        destination,
        source,
        is_resolved,
    })
}

proptest! {
    /// Whatever is learnt, a template says just that, and never goes the usual way without a next hop.
    #[test]
    fn any_hop_is_what_the_template_says(hop in any_hop(), port in proptest::option::of(0..PORTS_MAX)) {
        let told = template(None, port).with_hop(&hop);
        assert_eq!(told.is_resolved(), hop.is_resolved);
        assert_eq!(told.port(), port.or(hop.port.filter(|port| *port < PORTS_MAX)));
        assert_eq!(told.is_plain(), hop.is_resolved && told.port().is_none());
        assert_eq!(told.is_plain_by_port(), hop.is_resolved && told.port().is_some());
    }

    /// A written next hop is known, a followed one is not: an image that says else is refused.
    #[test]
    fn an_image_holds_only_ways_that_can_be(way in any::<u8>()) {
        assert_eq!(Way(way).is_sound(), way & 0xc0 == 0 || way & 0xc0 == 0xc0);
    }
}
