//! How many packets are taken together changes nothing that is counted: not under eviction, not while the
//! sweep works, not in a table that is crowded. (A sweep paid per burst once lagged by their number.)

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

use std::net::Ipv4Addr;

use counters::{Counter, Event, Layout, Ledger};
use engine::{Engine, NoObserver};
use flow::FlowTable;
use port::{Burst, MemPacket, Tick};
use service::{
    Aligned, Blueprint, DontFragment, Encap, Generation, Member, Outer, OuterSource, PoolSpec, RealNumber,
    RealSpec, RealState, ServiceNumber, ServiceSpec, Table, Timeouts,
};

fn table() -> Table<Aligned> {
    let real = |index: u8| RealSpec {
        number: RealNumber::new(u32::from(index)).unwrap(),
        address: Ipv4Addr::new(10, 0, 0, index).into(),
        next_hop: [2, 0, 0, 0, 0, index],
        encap: Encap::Ipip,
        state: RealState::Up,
    };
    let reals: Vec<RealSpec> = (1..=4).map(real).collect();
    let members = reals.iter().map(|real| Member { real: real.number, weight: 100 }).collect();
    let blueprint = Blueprint {
        select_seed: [3; 16],
        outer: Outer {
            mac: [2, 0, 0, 0, 0, 0xee],
            source_v4: Some(OuterSource { address: Ipv4Addr::new(192, 0, 2, 1), prefix_len: 32 }),
            source_v6: None,
            hop_limit: 64,
            dont_fragment: DontFragment::Clear,
            mtu: 1500,
        },
        timeouts: Timeouts { syn: 24, established: 480, closing: 16, udp: 100 },
        new_flows_rate_max: Some(450),
        reals,
        pools: vec![PoolSpec { members, slots: 251 }],
        services: vec![ServiceSpec {
            number: ServiceNumber::FIRST,
            vip: Ipv4Addr::new(198, 51, 100, 10).into(),
            prefix_len: 32,
            protocol: 6,
            port_first: 80,
            port_last: 80,
            pool: 0,
        }],
    };
    service::build(&blueprint, Generation::default()).unwrap().table().unwrap()
}

/// A TCP segment of flow `flow`: the first of most flows opens, of some it is a later one.
fn frame(flow: u32, flags: u8) -> Vec<u8> {
    let [_, a, b, c] = flow.to_be_bytes();
    let mut ip = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, a, b, c, 198, 51, 100, 10];
    let sum = wire::checksum::of(&ip);
    ip[10..12].copy_from_slice(&sum);
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend(ip);
    frame.extend([4, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    frame
}

fn counted(burst_max: usize) -> Ledger {
    let table = table();
    let mut engine =
        Engine::new(0, 1, FlowTable::new(2048, [5; 16]).unwrap(), Layout { services: 1, reals: 5 });
    engine.adopt(&table.view());
    let (mut burst, mut gone) = (Burst::new(), Burst::new());
    let mut flow = 0_u32;
    for tick in 0..600 {
        let packets: Vec<Vec<u8>> = (0..97)
            .map(|at| {
                flow += u32::from(at % 3 != 0);
                frame(flow % 9000, if flow.is_multiple_of(5) { 0x10 } else { 0x02 })
            })
            .collect();
        for piece in packets.chunks(burst_max) {
            for bytes in piece {
                let mut packet = MemPacket::with_room(256);
                packet.load(bytes, 0);
                burst.push(packet).unwrap();
            }
            engine.process(&table.view(), &mut burst, Tick(tick), &mut gone, &mut NoObserver);
            let sent = burst.drain().count() as u64;
            engine.ledger_mut().add(Event::Tx, sent);
            gone.drain();
        }
    }
    engine.ledger().balance().unwrap();
    engine.ledger().clone()
}

#[test]
fn bursts_of_1_2_7_32_and_64_count_the_same() {
    let one = counted(1);
    for counter in
        [Event::FlowHit, Event::FlowInsert, Event::FlowExpire, Event::FlowEvict, Event::FlowStatelessGate]
    {
        assert!(one.get(counter) > 0, "the traffic does not move {}", Counter::from(counter).name());
    }
    for burst_max in [2, 7, 32, 64] {
        assert_eq!(counted(burst_max), one, "bursts of {burst_max}");
    }
}
