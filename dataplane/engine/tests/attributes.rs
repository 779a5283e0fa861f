//! What a service asks for beside a real: walks end as the path does, refused packets stay as they came, flows whose real
//! has left the pool are asked about still, and pots outlive a table.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step is a failed test")]

mod common;

use common::{blueprint, frame};
use counters::{DropReason, Event, Layout, PuntReason};
use engine::{Colour, Decision, Engine, NoObserver, Observer, Parsed, Step, Verdict};
use flow::FlowTable;
use port::{Burst, HEADROOM, MemPacket, Packet, Tick};
use proptest::prelude::{any, proptest};
use service::{
    Aligned, Attributes, Blueprint, DscpOn, Excess, Generation, LabelMark, Limit, Mark, RuleAction,
    RuleNumber, RuleSpec, Table, VlanMark,
};

const VOICE: Mark = Mark {
    dscp: Some(46),
    dscp_on: DscpOn::Both,
    vlan: VlanMark::Insert(7),
    priority: Some(5),
    labels: LabelMark::Push([16, 17]),
    tc: None,
    ttl: None,
};

/// 250 bytes a tick, and as many in the pot.
const SLOW: Limit =
    Limit { cir: 2000, cbs: 250, excess: Excess::Burst(100), is_aware: true, yellow: Some(12), red: None };

/// A rule that gives packets of one code point something, or nothing.
fn rule(rank: u32, dscp: u8, attributes: Attributes) -> RuleSpec {
    RuleSpec {
        rank,
        number: RuleNumber::new(rank + 7).unwrap(),
        sources: Vec::new(),
        destinations: Vec::new(),
        protocol: None,
        source_ports: None,
        ports: None,
        spi: None,
        dscp: Some((dscp, dscp)),
        vlan: None,
        masked: Vec::new(),
        action: RuleAction::Usual,
        attributes,
    }
}

fn plan(mark: Option<Mark>, limit: Option<Limit>) -> Blueprint {
    let mut plan = blueprint(Some(40));
    plan.services[0].attributes = Attributes { mark, limit };
    plan
}

fn built(plan: &Blueprint) -> Table<Aligned> {
    service::build(plan, Generation::default()).unwrap().table().unwrap()
}

fn engine() -> Engine {
    Engine::new(0, 1, FlowTable::new(2048, [5; 16]).unwrap(), Layout { services: 1, reals: 5, rules: 0 })
}

fn load(bytes: &[u8]) -> MemPacket {
    let mut packet = MemPacket::with_room(2048);
    packet.load(bytes, 0);
    packet
}

struct Last(Option<(Decision, Vec<u8>)>);

impl Observer<MemPacket> for Last {
    fn decided(&mut self, packet: &MemPacket, _: Option<&Parsed>, decision: &Decision) {
        self.0 = Some((*decision, packet.data().to_vec()));
    }
}

fn through(engine: &mut Engine, table: &Table<Aligned>, packet: MemPacket, now: Tick) -> (Decision, Vec<u8>) {
    let (mut burst, mut gone, mut last) = (Burst::new(), Burst::new(), Last(None));
    burst.push(packet).unwrap();
    engine.process(&table.view(), &mut burst, now, &mut gone, &mut last);
    last.0.unwrap()
}

/// Tags and labels in front of a frame's packet.
fn wrapped(bytes: &[u8], tags: usize, labels: &[(u32, u8)]) -> Vec<u8> {
    let mut made = bytes[..12].to_vec();
    for tag in 0..tags {
        made.extend([0x81, 0, 0xb0, 5 + u8::try_from(tag).unwrap()]);
    }
    if labels.is_empty() {
        made.extend(&bytes[12..14]);
    } else {
        made.extend([0x88, 0x47]);
    }
    for (at, (label, ttl)) in labels.iter().enumerate() {
        let bottom = u32::from(at + 1 == labels.len());
        made.extend((label << 12 | 3 << 9 | bottom << 8 | u32::from(*ttl)).to_be_bytes());
    }
    made.extend(&bytes[14..]);
    made
}

fn marks(choice: u8) -> Option<Mark> {
    let vlan = [VlanMark::Keep, VlanMark::Insert(9), VlanMark::Rewrite(9), VlanMark::Remove]
        [usize::from(choice & 3)];
    let labels = [LabelMark::None, LabelMark::Push([16, 0]), LabelMark::Swap(99), LabelMark::Pop]
        [usize::from(choice >> 2 & 3)];
    let priority = (choice & 16 != 0 && vlan != VlanMark::Remove).then_some(5);
    let dscp = (choice & 32 != 0).then_some(11);
    let dscp_on = if choice & 64 != 0 { DscpOn::Outer } else { DscpOn::Both };
    (choice & 128 != 0).then_some(Mark { dscp, dscp_on, vlan, priority, labels, tc: None, ttl: None })
}

proptest! {
    /// The walk, the path, and the same packets in one burst and in many.
    #[test]
    fn whatever_is_asked_for_the_walk_ends_as_the_path(
        choice in any::<u8>(),
        by_rules in proptest::option::of((any::<u8>(), any::<u8>(), any::<bool>())),
        is_limited in any::<bool>(),
        packets in proptest::collection::vec((0u32..6, any::<u8>(), 0u8..20, 0usize..3, proptest::collection::vec((0u32..40, 0u8..4), 0..6), 0u64..3), 1..60),
    ) {
        let mut plan = plan(marks(choice), is_limited.then_some(SLOW));
        if let Some((one, other, limits)) = by_rules {
            let limit = Some(Limit { cbs: 300, ..SLOW });
            plan.rules = vec![
                rule(0, 1, Attributes { mark: marks(one), limit: limit.filter(|_| limits) }),
                RuleSpec { action: RuleAction::Drop, ..rule(1, 2, Attributes::default()) },
                rule(2, 3, Attributes { mark: marks(other), limit }),
            ];
        }
        let table = built(&plan);
        let (mut engine, mut apart) = (self::engine(), self::engine());
        engine.adopt(&table.view());
        apart.adopt(&table.view());
        let (mut now, mut frames, mut left) = (0, Vec::new(), Vec::new());
        for (flow, flags, tos, tags, labels, pause) in packets {
            now += pause / 2;
            let mut bytes = frame(flow, flags);
            bytes[15] = tos;
            bytes[24..26].fill(0);
            let sum = wire::checksum::of(&bytes[14..34]);
            bytes[24..26].copy_from_slice(&sum);
            let bytes = wrapped(&bytes, tags, &labels);
            let (mut walked, mut steps) = (load(&bytes), Vec::new());
            let told = engine.explain(&table.view(), &mut walked, Tick(now), |step| steps.push(step));
            let (decision, out) = through(&mut engine, &table, load(&bytes), Tick(now));
            assert_eq!(told, decision, "{bytes:02x?}");
            assert_eq!(walked.data(), out);
            if decision.verdict == Verdict::Tx {
                assert_eq!(out[..6], [2, 0, 0, 0, 0, u8::try_from(decision.real.unwrap().get()).unwrap()]);
                left.push(out);
            }
            let is_metered = steps.iter().any(|step| matches!(step, Step::Metered(_)));
            let by_rule = by_rules.is_some_and(|(_, _, limits)| tos >> 2 == 1 && limits || tos >> 2 == 3);
            assert_eq!(is_metered, (is_limited || by_rule) && decision.real.is_some());
            if by_rules.is_some() && tos >> 2 == 2 && decision.verdict != Verdict::Punt(PuntReason::NotIp) {
                assert!(decision.real.is_none());
            }
            frames.push((bytes, now));
        }
        let mut together = Vec::new();
        while !frames.is_empty() {
            let now = frames[0].1;
            let same = frames.iter().take_while(|(_, at)| *at == now).count().min(7);
            let (mut burst, mut gone) = (Burst::new(), Burst::new());
            for (bytes, _) in frames.drain(..same) {
                burst.push(load(&bytes)).unwrap();
            }
            apart.process(&table.view(), &mut burst, Tick(now), &mut gone, &mut NoObserver);
            together.extend(burst.as_slice().iter().map(|packet| packet.data().to_vec()));
        }
        assert_eq!(together, left);
        for event in Event::ALL {
            assert_eq!(engine.ledger().get(*event), apart.ledger().get(*event), "{event:?}");
        }
    }
}

#[test]
fn a_packet_without_room_in_front_stays_as_it_came() {
    let table = built(&plan(Some(VOICE), None));
    // An outer header, a tag, and two labels.
    let needed = 20 + 4 + 8;
    for room in [needed - 1, needed] {
        let mut engine = engine();
        engine.adopt(&table.view());
        let bytes = frame(1, 0x10);
        let mut packet = load(&bytes);
        packet.prepend(HEADROOM - room).unwrap()[..bytes.len()].copy_from_slice(&bytes);
        packet.truncate(bytes.len());
        let (decision, left) = through(&mut engine, &table, packet, Tick(0));
        let refused = Verdict::Drop(DropReason::NoHeadroom);
        assert_eq!(decision.verdict, if room < needed { refused } else { Verdict::Tx });
        assert_eq!(left == bytes, room < needed);
        assert_eq!(engine.ledger().get(DropReason::NoHeadroom), u64::from(room < needed));
    }
}

#[test]
fn a_flow_whose_real_has_left_the_pool_is_marked_still() {
    let before = plan(Some(VOICE), None);
    let mut engine = engine();
    engine.adopt(&built(&before).view());
    let (first, marked) = through(&mut engine, &built(&before), load(&frame(1, 0x10)), Tick(0));
    let real = first.real.unwrap();
    let mut after = before.clone();
    after.pools[0].members.retain(|member| member.real != real);
    let table = built(&after);
    assert!(!table.view().template(real).unwrap().asks(), "nobody else pays for it");
    engine.adopt(&table.view());
    for _ in 0..3 {
        let (decision, left) = through(&mut engine, &table, load(&frame(1, 0x10)), Tick(0));
        assert_eq!((decision.real, decision.verdict), (Some(real), Verdict::Tx));
        assert_eq!(left[..18], marked[..18], "the tag is there");
    }
}

#[test]
fn pots_outlive_a_table_unless_their_figures_change() {
    let full = |limit| built(&plan(None, Some(limit)));
    let mut engine = engine();
    let colour = |engine: &Engine, table: &Table<Aligned>| {
        let mut told = None;
        engine.explain(&table.view(), &mut load(&frame(1, 0x10)), Tick(0), |step| {
            if let Step::Metered(colour) = step {
                told = Some(colour);
            }
        });
        told.unwrap()
    };
    let one = full(SLOW);
    engine.adopt(&one.view());
    // Six times 40 bytes are in the pot of 250; two more in the pot of 100.
    for _ in 0..8 {
        through(&mut engine, &one, load(&frame(1, 0x10)), Tick(0));
    }
    assert_eq!(colour(&engine, &one), Colour::Red);
    engine.adopt(&full(SLOW).view());
    assert_eq!(colour(&engine, &full(SLOW)), Colour::Red, "the same figures");
    let other = full(Limit { cbs: 251, ..SLOW });
    engine.adopt(&other.view());
    assert_eq!(colour(&engine, &other), Colour::Green, "others begin full");
    assert_eq!(engine.ledger().get(Event::MeterYellow), 2);
}

#[test]
fn a_table_without_rules_marks_nothing_of_what_those_before_it_marked() {
    let before = plan(None, None);
    let voice = Attributes { mark: Some(VOICE), limit: None };
    let with = built(&Blueprint { rules: vec![rule(0, 0, voice)], ..before.clone() });
    let without = built(&before);
    let mut engine = engine();
    for (table, is_marked) in [(&with, true), (&without, false), (&with, true)] {
        engine.adopt(&table.view());
        for _ in 0..3 {
            let (decision, left) = through(&mut engine, table, load(&frame(1, 0x10)), Tick(0));
            assert_eq!(decision.verdict, Verdict::Tx);
            assert_eq!(left[12..14] == [0x81, 0], is_marked);
        }
    }
}

#[test]
fn a_rules_pots_outlive_a_table_as_its_number_does() {
    let limited = |number| {
        let rule = rule(0, 0, Attributes { mark: None, limit: Some(SLOW) });
        let rules = vec![RuleSpec { number: RuleNumber::new(number).unwrap(), ..rule }];
        built(&Blueprint { rules, ..plan(None, None) })
    };
    let mut engine = engine();
    let mut passes = |number| {
        let table = limited(number);
        engine.adopt(&table.view());
        (0..20)
            .filter(|_| through(&mut engine, &table, load(&frame(1, 0x10)), Tick(0)).0.verdict == Verdict::Tx)
            .count()
    };
    assert_eq!([passes(3), passes(3), passes(4)], [8, 0, 8]);
}

#[test]
fn a_worker_has_its_part_of_a_rate_and_whole_bursts() {
    let table = built(&plan(None, Some(Limit { excess: Excess::Burst(0), ..SLOW })));
    let mut engine =
        Engine::new(1, 3, FlowTable::new(64, [5; 16]).unwrap(), Layout { services: 1, reals: 5, rules: 0 });
    engine.adopt(&table.view());
    let passed = |engine: &mut Engine, now| {
        let sent = (0..20).filter(|_| {
            let (decision, _) = through(engine, &table, load(&frame(1, 0x10)), Tick(now));
            decision.verdict == Verdict::Tx
        });
        sent.count()
    };
    assert_eq!(passed(&mut engine, 0), 6, "250 bytes");
    assert_eq!(passed(&mut engine, 1), 2, "10 left, and 83 1/3");
    assert_eq!(passed(&mut engine, 2), 2, "13 1/3 left, and 83 1/3");
    assert_eq!(passed(&mut engine, 3), 2, "16 2/3 left, and 83 1/3: an even hundred");
    assert_eq!(passed(&mut engine, 4), 2, "20 left, and 83 1/3");
    assert_eq!(passed(&mut engine, 5), 2, "23 1/3 left, and 83 1/3");
    assert_eq!(passed(&mut engine, 6), 2, "26 2/3 left, and 83 1/3");
    assert_eq!(passed(&mut engine, 7), 2, "30 left, and 83 1/3");
    assert_eq!(passed(&mut engine, 8), 2, "33 1/3 left, and 83 1/3");
    assert_eq!(passed(&mut engine, 9), 3, "36 2/3 left, and 83 1/3: 120 to the last part of a byte");
}
