//! Marks and limits in a table: whose they are, shared, refused.

use proptest::prelude::*;

use super::{blueprint, pool, real_number, service, table};
use crate::{
    AttributeFault, Attributes, Blueprint, BuildError, DscpOn, Excess, Generation, LabelMark, Limit, Mark,
    ServiceFault, ServiceNumber, ServiceSpec, VlanMark, build,
};

pub(super) const VOICE: Mark = Mark {
    dscp: Some(46),
    dscp_on: DscpOn::Both,
    vlan: VlanMark::Insert(7),
    priority: Some(5),
    labels: LabelMark::Push([16, 1_048_575]),
    tc: Some(5),
    ttl: Some(255),
};

pub(super) const SLOW: Limit = Limit {
    cir: 1_250_000,
    cbs: 200_000,
    excess: Excess::Burst(0),
    is_aware: false,
    yellow: Some(12),
    red: None,
};

pub(super) fn asking(service: ServiceSpec, mark: Option<Mark>, limit: Option<Limit>) -> ServiceSpec {
    ServiceSpec { attributes: Attributes { mark, limit }, ..service }
}

/// Services 2 and 9 have one mark, 5 and 9 a limit, 3 nothing; reals 0 to 2 are in the first pool, 3 in the second.
fn plan() -> Blueprint {
    let mut plan = blueprint(&[1, 1, 1, 0], 13);
    plan.pools[0].members.pop();
    plan.pools.push(pool(&[1, 0, 0, 1], 13));
    plan.pools[1].members.drain(..3);
    let of = |number: u32, pool| service(number, &format!("198.51.100.{number}"), 6, (80, 80), pool);
    plan.services = vec![
        asking(of(2, 0), Some(VOICE), None),
        of(3, 1),
        asking(of(5, 0), None, Some(SLOW)),
        asking(of(9, 0), Some(VOICE), Some(Limit { red: Some(14), ..SLOW })),
    ];
    plan
}

#[test]
fn an_attribute_is_found_by_the_number_of_its_service() {
    let table = table(&plan());
    let view = table.view();
    let of = |number| view.asking(ServiceNumber::new(number).unwrap());
    assert_eq!(of(2).and_then(|service| view.mark(service)), Some(VOICE));
    assert_eq!(of(2).and_then(|service| service.limit()), None);
    assert_eq!(of(9).and_then(|service| view.mark(service)), Some(VOICE), "the same stands once");
    let limit = |number| {
        let place = of(number).and_then(|service| service.limit()).unwrap();
        let entry = view.limits()[usize::from(place)];
        (entry.owner().get(), entry.limit())
    };
    assert_eq!(limit(5), (5, SLOW));
    assert_eq!(limit(9), (9, Limit { red: Some(14), ..SLOW }));
    for number in [0, 1, 3, 4, 8, 10, 65_535] {
        assert!(of(number).is_none(), "{number}");
    }
    assert!(!view.opens());
}

#[test]
fn only_reals_of_a_service_that_asks_are_dearer() {
    let mut plan = plan();
    plan.outer.dont_fragment = crate::DontFragment::Set;
    let made = table(&plan);
    let asks = |number| made.view().template(real_number(number)).unwrap().asks();
    assert_eq!([0, 1, 2, 3].map(asks), [true, true, true, false]);
    for number in 0..4 {
        let template = made.view().template(real_number(number)).unwrap();
        assert_eq!(template.is_plain(), !template.asks());
        assert_eq!(template.entropy_bits(), 0);
    }
    plan.services.iter_mut().for_each(|service| service.attributes = Attributes::default());
    let made = table(&plan);
    assert!(made.templates().iter().all(|template| !template.asks() && template.is_plain()));
    assert!(made.view().asking(ServiceNumber::new(2).unwrap()).is_none());
}

#[test]
fn labels_are_taken_off_if_one_service_has_them_so() {
    for labels in [LabelMark::Pop, LabelMark::Swap(16)] {
        let mut plan = plan();
        plan.services[1].attributes.mark = Some(Mark { labels, ..Mark::default() });
        assert!(table(&plan).view().opens());
    }
}

#[test]
fn what_is_out_of_range_is_refused_by_its_service() {
    let refused = |mark: Mark| {
        let mut plan = plan();
        plan.services[1].attributes.mark = Some(mark);
        let fault = ServiceFault::Attributes(AttributeFault::Mark);
        assert_eq!(
            build(&plan, Generation::default()).unwrap_err(),
            BuildError::Service(ServiceNumber::new(3).unwrap(), fault),
            "{mark:?}"
        );
    };
    let none = Mark::default();
    refused(Mark { dscp: Some(64), ..none });
    refused(Mark { priority: Some(8), ..none });
    refused(Mark { vlan: VlanMark::Insert(0), ..none });
    refused(Mark { vlan: VlanMark::Rewrite(4095), ..none });
    refused(Mark { vlan: VlanMark::Remove, priority: Some(1), ..none });
    refused(Mark { labels: LabelMark::Push([15, 0]), ..none });
    refused(Mark { labels: LabelMark::Push([16, 15]), ..none });
    refused(Mark { labels: LabelMark::Swap(1 << 20), ..none });
    refused(Mark { labels: LabelMark::Pop, tc: Some(1), ..none });
    refused(Mark { ttl: Some(9), ..none });
    refused(Mark { labels: LabelMark::Swap(16), ttl: Some(0), ..none });
    refused(Mark { labels: LabelMark::Swap(16), tc: Some(8), ..none });
    let figures = |limit: Limit| {
        let mut plan = plan();
        plan.services[1].attributes.limit = Some(limit);
        build(&plan, Generation::default()).is_ok()
    };
    let tick = Limit { cir: 800, cbs: 100, ..SLOW };
    assert!(figures(tick) && !figures(Limit { cbs: 99, ..tick }) && !figures(Limit { cir: 0, ..tick }));
    let peak = |rate, burst| figures(Limit { excess: Excess::Peak(rate, burst), ..tick });
    assert!(peak(800, 100) && !peak(799, 100) && !peak(808, 100) && peak(808, 101));
    assert!(!figures(Limit { yellow: Some(64), ..SLOW }));
    assert!(!figures(Limit { red: Some(64), ..SLOW }));
}

fn marks() -> impl Strategy<Value = Mark> {
    let vlan = (0_u8..4, any::<u16>()).prop_map(|(kind, id)| match kind {
        0 => VlanMark::Keep,
        1 => VlanMark::Insert(id),
        2 => VlanMark::Rewrite(id),
        _ => VlanMark::Remove,
    });
    let labels = (0_u8..4, any::<[u32; 2]>()).prop_map(|(kind, labels)| match kind {
        0 => LabelMark::None,
        1 => LabelMark::Push(labels),
        2 => LabelMark::Swap(labels[0]),
        _ => LabelMark::Pop,
    });
    let small = || prop::option::of(0_u8..70);
    (small(), any::<bool>(), vlan, small(), labels, small(), small()).prop_map(
        |(dscp, is_outer, vlan, priority, labels, tc, ttl)| {
            let dscp_on = if is_outer { DscpOn::Outer } else { DscpOn::Both };
            Mark { dscp, dscp_on, vlan, priority, labels, tc, ttl }
        },
    )
}

proptest! {
    /// Whatever is sound comes back as it was, and what is not makes no table.
    #[test]
    fn a_mark_is_read_as_it_was_written(mark in marks()) {
        let mut plan = plan();
        plan.services[1].attributes.mark = Some(mark);
        match build(&plan, Generation::default()) {
            Err(_) => prop_assert!(!mark.is_sound()),
            Ok(built) => {
                let table = built.table().unwrap();
                let view = table.view();
                let service = view.asking(ServiceNumber::new(3).unwrap()).unwrap();
                prop_assert_eq!(view.mark(service), Some(mark));
            }
        }
    }
}
