//! Whatever the bytes, the walk ends as the path does: the same decision, and the same packet.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

mod common;
#[path = "common/ids.rs"]
mod ids;

use common::{frame, table};
use counters::{DropReason, Layout};
use engine::{Decision, Engine, FlowUse, Observer, Parsed, Step, Verdict};
use flow::FlowTable;
use port::{Burst, MemPacket, Packet, Tick};
use proptest::prelude::{any, proptest};
use service::{Generation, Hop, RealNumber, RealState, TableView};

struct Last(Option<(Decision, Vec<u8>)>);

impl Observer<MemPacket> for Last {
    fn decided(&mut self, packet: &MemPacket, _: Option<&Parsed>, decision: &Decision) {
        self.0 = Some((*decision, packet.data().to_vec()));
    }
}

fn engine() -> Engine {
    Engine::new(0, 1, FlowTable::new(2048, [5; 16]).unwrap(), Layout { services: 1, reals: 5, rules: 0 })
}

/// The same under the usual table.
fn require_same(engine: &mut Engine, bytes: &[u8], now: Tick) -> Vec<Step> {
    require_same_by(engine, &table(Some(40)).view(), bytes, now)
}

/// Walks one packet, lets it through, and holds the two together. Gives the steps.
fn require_same_by(engine: &mut Engine, view: &TableView<'_>, bytes: &[u8], now: Tick) -> Vec<Step> {
    let load = || {
        let mut packet = MemPacket::with_room(2048);
        packet.load(bytes, 0);
        packet
    };
    let (mut walked, mut steps) = (load(), Vec::new());
    let told = engine.explain(view, &mut walked, now, |step| steps.push(step));
    let reader = engine.flows();
    let outside = engine::explain(view, |tuple| reader.find(tuple), &mut load(), now, |_| {});
    let (mut burst, mut gone, mut last) = (Burst::new(), Burst::new(), Last(None));
    burst.push(load()).unwrap();
    engine.process(view, &mut burst, now, &mut gone, &mut last);
    let (decision, left) = last.0.unwrap();
    assert_eq!(told, decision, "{bytes:02x?}");
    assert!(matches!(steps.last(), Some(Step::Leaves(last)) if *last == decision));
    assert_eq!(walked.data(), left, "as it leaves");
    let mut parsed = Parsed::EMPTY;
    if wire::parse(bytes, bytes.len(), &mut parsed).is_ok() && parsed.is_piece() {
        // From outside nothing is known of the datagrams whose fragments come.
        return steps;
    }
    // From outside the gate cannot be seen.
    let used = |flow: Option<FlowUse>| flow.map(|used| used == FlowUse::Hit);
    // Nor can whether one more packet may be held.
    let full = Verdict::Drop(DropReason::NoNextHop);
    let outside_verdict = if decision.verdict == full { full } else { outside.verdict };
    assert_eq!(
        (outside_verdict, outside.service, outside.real),
        (decision.verdict, decision.service, decision.real)
    );
    assert_eq!(used(outside.flow), used(decision.flow));
    steps
}

proptest! {
    #[test]
    fn any_bytes_end_as_they_do_on_the_path(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut engine = engine();
        engine.adopt(&table(Some(40)).view());
        require_same(&mut engine, &bytes, Tick(0));
    }

    /// Reals are followed; their next hops come, go, and lead to other ports.
    #[test]
    fn packets_to_reals_with_and_without_a_next_hop_end_as_they_do_on_the_path(
        packets in proptest::collection::vec((0u32..60, any::<u8>(), 1u32..5, proptest::option::of(0u8..3), any::<bool>()), 1..200),
        room in 0usize..100,
    ) {
        let mut plan = common::blueprint(Some(40));
        plan.reals.iter_mut().for_each(|real| real.next_hop = None);
        let table = service::build(&plan, Generation::default()).unwrap().table().unwrap();
        let mut templates = table.templates().to_vec();
        let mut engine = engine();
        engine.adopt(&table.view());
        let mut left = room;
        for (flow, flags, real, port, is_resolved) in packets {
            engine.may_hold(if left > 0 { 200 } else { 0 });
            let number = RealNumber::new(real).unwrap();
            let hop = Hop { real: number, port, destination: [2, 0, 0, 0, 7, 7], source: [2; 6], is_resolved };
            templates[number.index()] = table.templates()[number.index()].with_hop(&hop);
            let steps = require_same_by(&mut engine, &table.view_with(&templates), &frame(flow, flags), Tick(0));
            let Some(Step::Leaves(decision)) = steps.last() else { panic!("{steps:?}") };
            let known = templates[decision.real.unwrap().index()].is_resolved();
            let expected = match known {
                true => Verdict::Tx,
                false if left > 0 => Verdict::Held,
                false => Verdict::Drop(DropReason::NoNextHop),
            };
            assert_eq!(decision.verdict, expected);
            left -= usize::from(expected == Verdict::Held);
        }
    }

    /// A service with connection ids: some name a real, one of a real that is down, some name nobody.
    #[test]
    fn quic_ends_as_it_does_on_the_path(
        packets in proptest::collection::vec((0u32..6, 0u8..8, 0u8..7, any::<bool>(), 0usize..40, 0u64..9), 1..200)
    ) {
        let table = ids::quic_table();
        let mut engine = engine();
        engine.adopt(&table.view());
        let mut now = 0;
        for (flow, rotation, server, is_long, cut, pause) in packets {
            now += if pause == 8 { 200 } else { pause / 4 };
            let bytes = ids::quic_frame(flow, (rotation, server), is_long, cut);
            let steps = require_same_by(&mut engine, &table.view(), &bytes, Tick(now));
            // Its lengths are whole, as every id of the first three servers under the first configuration is.
            if cut == 0 && rotation == 0 && (1..4).contains(&server) {
                assert!(steps.iter().any(|step| matches!(step, Step::ConnectionId(Ok(real)) if real.get() == u32::from(server))));
                let Some(Step::Leaves(decision)) = steps.last() else { panic!("{steps:?}") };
                assert_eq!(decision.real.unwrap().get(), u32::from(server));
            }
        }
    }

    /// The same while tables change, and with errors, which quote a source id or none.
    #[test]
    fn quic_across_tables_ends_as_it_does_on_the_path(
        packets in proptest::collection::vec((0u32..6, 0u8..8, 1u8..6, 0u8..4, proptest::option::of(0usize..4)), 1..200)
    ) {
        let (clear, keyed, other) = (ids::ids(0, None), ids::ids(1, Some(7)), ids::ids(2, Some(9)));
        let mut down = ids::quic_blueprint(std::slice::from_ref(&clear));
        down.reals[1].state = service::RealState::Down;
        let tables = [
            ids::quic_table(),
            ids::built(&ids::quic_blueprint(&[keyed, clear, other])),
            ids::built(&down),
            ids::built(&ids::quic_blueprint(&[])),
        ];
        let (mut engine, mut place) = (engine(), 0);
        engine.adopt(&tables[0].view());
        for (flow, rotation, server, kind, switch) in packets {
            if let Some(to) = switch {
                place = to;
                engine.adopt(&tables[to].view());
            }
            let id = [rotation << 5, 0, server, 1, 2, 3, 4, 5, 6];
            let bytes = match kind {
                0 => ids::quic_error(flow, &id),
                1 => ids::quic_error(flow, &[]),
                kind => ids::quic_frame(flow, (rotation, server), kind == 2, 0),
            };
            require_same_by(&mut engine, &tables[place].view(), &bytes, Tick(0));
        }
    }

    /// Clients that are kept together, by protocols with and without ports, through tables that choose otherwise.
    #[test]
    fn clients_end_as_they_do_on_the_path(
        packets in proptest::collection::vec((0u8..60, 0u8..6, any::<u8>(), 0u64..9, 0u32..20), 1..200)
    ) {
        let mut plan = common::keyed_blueprint(Some(40));
        let made = |plan: &service::Blueprint| service::build(plan, Generation::default()).unwrap().table().unwrap();
        let mut table = made(&plan);
        let mut engine = engine();
        engine.adopt(&table.view());
        let mut now = 0;
        for (client, protocol, low, pause, change) in packets {
            now += if pause == 8 { 300 } else { pause / 4 };
            if change < 4 {
                let real = &mut plan.reals[change as usize];
                real.state = if real.state == RealState::Up { RealState::Failed } else { RealState::Up };
                table = made(&plan);
                engine.adopt(&table.view());
            }
            let bytes = match protocol {
                0 => common::frame(u32::from(client), low),
                1 => common::portless_frame(client, 17, [1, low, 1, 0xf4, 0, 8, 0, 0]),
                2 => common::portless_frame(client, 50, [0, 0, 0, low % 3, 0, 0, 0, 1]),
                3 => common::portless_frame(client, 132, [0; 8]),
                _ => common::portless_frame(client, low, [0; 8]),
            };
            require_same_by(&mut engine, &table.view(), &bytes, Tick(now));
        }
    }

    /// Flows come, go silent, and come faster than the gate lets them; some packets are damaged.
    #[test]
    fn damaged_packets_in_any_state_end_as_they_do_on_the_path(
        packets in proptest::collection::vec((0u32..60, any::<u8>(), 0usize..54, any::<u8>(), 0u64..9, any::<bool>()), 1..200)
    ) {
        let mut engine = engine();
        engine.adopt(&table(Some(40)).view());
        let mut now = 0;
        for (flow, flags, at, bits, pause, is_damaged) in packets {
            let mut bytes = frame(flow, flags);
            if is_damaged {
                bytes[at] ^= bits;
                bytes[24..26].fill(0);
                let sum = wire::checksum::of(&bytes[14..34]);
                bytes[24..26].copy_from_slice(&sum);
            }
            now += if pause == 8 { 30 } else { pause / 4 };
            require_same(&mut engine, &bytes, Tick(now));
        }
    }
}

#[test]
fn a_flow_met_before_a_switch_is_asked_for_again() {
    let mut engine = engine();
    engine.adopt(&table(Some(40)).view());
    let names = |steps: &[Step]| -> Vec<String> {
        let name = |step: &Step| format!("{step:?}").split([' ', '(', '{']).next().unwrap().to_owned();
        steps.iter().map(name).collect()
    };
    let new = names(&require_same(&mut engine, &frame(1, 0x10), Tick(0)));
    let rest = ["Template", "Ready", "Leaves"];
    assert_eq!(new, [&["Parsed", "Screened", "Flow", "Service", "Chosen"], &rest[..]].concat());
    let known = names(&require_same(&mut engine, &frame(1, 0x10), Tick(0)));
    assert_eq!(known, [&["Parsed", "Screened", "Flow", "Kept"], &rest[..]].concat());
    engine.adopt(&table(Some(40)).view());
    let earlier = names(&require_same(&mut engine, &frame(1, 0x10), Tick(0)));
    assert_eq!(earlier, [&["Parsed", "Screened", "Flow", "Service", "Kept"], &rest[..]].concat());
}
