//! Marks and limits in a table: whose they are, shared, refused.

use proptest::prelude::*;

use wire::FiveTuple;

use super::rules::rule;
use super::{blueprint, pool, real_number, service, table};
use crate::{
    Asked, Asker, AttributeFault, Attributes, Blueprint, BuildError, DscpOn, Effect, Excess, Generation,
    LabelMark, Limit, Mark, RuleAction, RuleFault, RuleKey, RuleNumber, RuleSpec, ServiceFault,
    ServiceNumber, ServiceSpec, VlanMark, build,
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
    let of = |number| view.asked(ServiceNumber::new(number).unwrap(), Effect::NONE);
    assert_eq!(of(2), Some(Asked { mark: Some(VOICE), limit: None }));
    assert_eq!(of(9).unwrap().mark, Some(VOICE), "the same stands once");
    let limit = |number| {
        let (place, limit) = of(number).unwrap().limit.unwrap();
        let entry = view.limits()[usize::from(place)];
        assert_eq!(
            (entry.owner(), entry.limit()),
            (Asker::Service(ServiceNumber::new(number).unwrap()), limit)
        );
        limit
    };
    assert_eq!(limit(5), SLOW);
    assert_eq!(limit(9), Limit { red: Some(14), ..SLOW });
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
    assert!(made.view().asked(ServiceNumber::new(2).unwrap(), Effect::NONE).is_none());
}

#[test]
fn of_a_mark_and_of_a_limit_each_the_rules_goes_before_the_services() {
    let mut plan = plan();
    let quiet = Mark { dscp: Some(8), ..Mark::default() };
    let fast = Limit { cbs: 300_000, ..SLOW };
    let gives = |rank, mark, limit| RuleSpec {
        action: RuleAction::Usual,
        attributes: Attributes { mark, limit },
        ..rule(rank)
    };
    plan.rules = vec![
        RuleSpec { ports: Some((1, 1)), ..gives(0, Some(quiet), None) },
        RuleSpec { ports: Some((2, 2)), ..gives(1, None, Some(fast)) },
        RuleSpec { ports: Some((3, 3)), ..gives(2, Some(VOICE), Some(SLOW)) },
        RuleSpec { ports: Some((4, 4)), ..rule(3) },
    ];
    let made = table(&plan);
    let view = made.view();
    assert!(view.has_packet_rules(), "an effect is each packet's");
    let asked = |service, port| {
        let tuple = FiveTuple { protocol: 6, destination_port: port, ..FiveTuple::default() };
        let ruling = view.rules().unwrap().find(&RuleKey::of(&tuple, true)).unwrap();
        assert_eq!(ruling.number.get(), ruling.rank);
        view.asked(ServiceNumber::new(service).unwrap(), ruling.effect)
    };
    let limit_of = |service, port| asked(service, port).unwrap().limit;
    let owner = |(place, _): (u16, Limit)| view.limits()[usize::from(place)].owner();
    assert_eq!(asked(3, 1), Some(Asked { mark: Some(quiet), limit: None }));
    assert_eq!(asked(2, 1).unwrap().mark, Some(quiet));
    assert_eq!(
        (asked(5, 1).unwrap().mark, owner(limit_of(5, 1).unwrap())),
        (Some(quiet), Asker::Service(ServiceNumber::new(5).unwrap()))
    );
    assert_eq!(limit_of(5, 2).map(owner), Some(Asker::Rule(RuleNumber::new(1).unwrap())));
    assert_eq!(limit_of(5, 2).unwrap().1, fast);
    assert_eq!(asked(9, 2).unwrap().mark, Some(VOICE), "the service's stays");
    assert_eq!(limit_of(9, 3).map(owner), Some(Asker::Rule(RuleNumber::new(2).unwrap())));
    assert_eq!((asked(3, 4), asked(2, 4).unwrap().mark), (None, Some(VOICE)));
}

#[test]
fn what_a_rule_gives_is_refused_by_its_rank() {
    let fault = |change: &dyn Fn(&mut RuleSpec)| {
        let mut plan = plan();
        plan.rules = vec![rule(3), RuleSpec { action: RuleAction::Usual, ports: Some((1, 2)), ..rule(7) }];
        change(&mut plan.rules[1]);
        match build(&plan, Generation::default()) {
            Err(BuildError::Rule(7, fault)) => fault,
            other => panic!("{other:?}"),
        }
    };
    let mark = Some(Mark { dscp: Some(64), ..Mark::default() });
    assert_eq!(fault(&|rule| rule.attributes.mark = mark), RuleFault::Attributes(AttributeFault::Mark));
    let limit = Some(Limit { cir: 0, ..SLOW });
    assert_eq!(fault(&|rule| rule.attributes.limit = limit), RuleFault::Attributes(AttributeFault::Limit));
    assert_eq!(fault(&|rule| rule.number = RuleNumber::new(3).unwrap()), RuleFault::Number);
    let gift = |rule: &mut RuleSpec| {
        (rule.action, rule.attributes.limit) = (RuleAction::Drop, Some(SLOW));
    };
    assert_eq!(fault(&gift), RuleFault::Gift);
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
                let asked = view.asked(ServiceNumber::new(3).unwrap(), Effect::NONE);
                prop_assert_eq!(asked.and_then(|asked| asked.mark), Some(mark));
            }
        }
    }
}
