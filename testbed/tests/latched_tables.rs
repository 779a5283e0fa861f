//! Switches that change only rules, and only QUIC's connection ids, with packets sent at each point of each switch: of
//! flows that are there and of new ones. A flow that a rule or an id led keeps its real whatever the next table says,
//! what a rule drops is dropped and comes back to its real when the rule is gone, and new flows go by the table that met
//! them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of a test fail as the test does, and the numbers are small"
)]

#[path = "common/ids.rs"]
mod ids;
#[path = "common/steps.rs"]
mod steps;
#[path = "common/swaps.rs"]
mod swaps;

use std::collections::HashMap;

use counters::{DropReason, Event};
use engine::{SwitchPoint, Verdict};
use service::{
    Attributes, Blueprint, Member, PoolSpec, RealNumber, RuleAction, RuleNumber, RuleSpec, ServiceNumber,
    ServiceSpec,
};
use steps::{BUFFERS, Note, Stand, stands};
use swaps::{Core, Flows, REALS, all_up};

/// Flows of each client; each block of fifty is one rule's.
const FLOWS: u64 = 300;
const BLOCK: u64 = 50;
/// The reals of the first service are below, those of the second from here on.
const SECOND: usize = 50;

/// A packet's name: its client, and the flow of that client's.
const fn cookie(client: u8, flow: u64) -> u64 {
    (client as u64) << 32 | flow
}

/// The flows of these clients, each met once.
fn send(stand: &Stand, clients: impl Iterator<Item = u8>, frame: &dyn Fn(u8, u64) -> Vec<u8>) {
    for client in clients {
        (0..FLOWS).for_each(|flow| stand.inbox.put(cookie(client, flow), &frame(client, flow)));
    }
}

/// A life under one table after the other: at each point of each switch come packets of all clients so far, and of a
/// new one. Gives what was decided, and the worker.
fn switched(tables: &[Blueprint], frame: &dyn Fn(u8, u64) -> Vec<u8>) -> (Vec<Note>, Stand) {
    let (mut core, seats) = Core::new(&tables[0], 1);
    let (mut stands, notes, _) = stands(seats);
    let mut stand = stands.remove(0);
    let reader = stand.flows();
    send(&stand, 0..1, frame);
    stand.work();
    let (mut clients, mut sent) = (1, FLOWS);
    for blueprint in &tables[1..] {
        let table = core.make(blueprint);
        core.command_switch(0, &table);
        let inbox = stand.inbox.clone();
        let (mut met, known) = (Vec::new(), reader.flows().count());
        stand.breathe(&mut |at| {
            met.push(at);
            assert_eq!(reader.flows().count(), known, "{at:?}: flows are walked under the worker's hands");
            for client in 0..=clients {
                for flow in 0..FLOWS {
                    inbox.put(cookie(client, flow), &frame(client, flow));
                    sent += 1;
                }
            }
            clients += 1;
        });
        assert_eq!(met, SwitchPoint::ALL);
        stand.work();
        assert_eq!(core.said(0), [link::Report::Switched(table.generation())]);
    }
    let notes = notes.take();
    assert_eq!(
        (notes.len() as u64, stand.ledger().get(Event::Rx)),
        (sent, sent),
        "each has a verdict, and one"
    );
    assert_eq!(stand.ledger().balance(), Ok(()));
    assert_eq!(stand.ledger().get(Event::TableSwitch), tables.len() as u64 - 1);
    (notes, stand)
}

/// All that came has left or was dropped, and no flow was moved.
fn require_all(stand: &mut Stand, dropped: u64) {
    let ledger = stand.ledger();
    let (rx, tx) = (ledger.get(Event::Rx), ledger.get(Event::Tx));
    assert_eq!((ledger.drops(), ledger.get(DropReason::Rule), tx), (dropped, dropped, rx - dropped));
    assert_eq!(ledger.get(Event::FlowMoved), 0, "all reals are there all the time");
    assert_eq!(stand.end(), (BUFFERS, tx));
}

/// What a rule says of a block of flows.
#[derive(Clone, Copy, Debug)]
enum Says {
    Nothing,
    Service(u32),
    Real(u32, u32),
    Drop,
}

/// Rules that come, go, change place and change what they say: of each block's flows, table after table.
const SAYS: [[Says; 6]; 4] = {
    use Says::{Drop, Nothing, Real, Service};
    [
        [Service(1), Real(1, 77), Service(1), Nothing, Drop, Nothing],
        [Nothing, Real(0, 3), Drop, Service(1), Service(1), Nothing],
        [Service(1), Nothing, Service(0), Drop, Nothing, Real(1, 60)],
        [Drop, Service(1), Nothing, Nothing, Real(0, 9), Real(1, 61)],
    ]
};

fn number(service: u32) -> ServiceNumber {
    ServiceNumber::new(service).unwrap()
}

fn rule(rank: u32) -> RuleSpec {
    RuleSpec {
        rank,
        number: RuleNumber::new(rank).unwrap_or_default(),
        sources: Vec::new(),
        destinations: Vec::new(),
        protocol: Some(6),
        source_ports: None,
        ports: Some((80, 80)),
        spi: None,
        dscp: None,
        vlan: None,
        masked: Vec::new(),
        action: RuleAction::Drop,
        attributes: Attributes::default(),
    }
}

/// Two services with reals of their own; the traffic is all the first one's, but for rules. With `are_all_asked` one of
/// them asks for a DSCP that nobody has, so that every packet is looked at.
fn ruled(table: usize, are_all_asked: bool) -> Blueprint {
    let mut blueprint = all_up();
    let second = blueprint.pools[0].members.split_off(SECOND);
    let members: Vec<Member> = second;
    blueprint.pools.push(PoolSpec { members, ..blueprint.pools[0].clone() });
    let beside =
        ServiceSpec { number: number(1), port_first: 81, port_last: 81, pool: 1, ..blueprint.services[0] };
    blueprint.services.push(beside);
    for ((says, block), rank) in SAYS[table].iter().zip(0_u16..).zip(0..) {
        let action = match *says {
            Says::Nothing => continue,
            Says::Service(service) => RuleAction::Service(number(service)),
            Says::Real(service, real) => RuleAction::Real(number(service), RealNumber::new(real).unwrap()),
            Says::Drop => RuleAction::Drop,
        };
        let first = 1024 + block * BLOCK as u16;
        let source_ports = Some((first, first + BLOCK as u16 - 1));
        blueprint.rules.push(RuleSpec { source_ports, action, ..rule(rank) });
    }
    if are_all_asked {
        blueprint.rules.push(RuleSpec { dscp: Some((46, 46)), ..rule(6) });
    }
    blueprint
}

/// Whether a new flow of that block may go there.
fn is_right(says: Says, real: usize) -> bool {
    match says {
        Says::Nothing | Says::Service(0) => real < SECOND,
        Says::Service(_) => real >= SECOND,
        Says::Real(_, given) => real == given as usize,
        Says::Drop => false,
    }
}

#[test]
fn rules_that_come_go_and_change_move_no_flow_and_are_obeyed_from_their_table_on() {
    for are_all_asked in [false, true] {
        let tables: Vec<Blueprint> = (0..SAYS.len()).map(|table| ruled(table, are_all_asked)).collect();
        let (notes, mut stand) = switched(&tables, &|client, flow| Flows::new(client).of(flow).to_vec());
        let mut real_of = HashMap::new();
        let (mut dropped, mut kept_against_a_rule) = (0, 0);
        for note in notes {
            let says = SAYS[note.table][(note.cookie % (1 << 32) / BLOCK) as usize];
            if matches!(says, Says::Drop) {
                assert_eq!(note.verdict, Verdict::Drop(DropReason::Rule), "{note:?}");
                dropped += 1;
                continue;
            }
            assert_eq!(note.verdict, Verdict::Tx, "{note:?} {says:?}");
            let (real, service) = (note.real.unwrap(), note.service.unwrap());
            match real_of.insert(note.cookie, (real, service)) {
                None => assert!(is_right(says, real), "{note:?} {says:?}"),
                Some(before) => {
                    assert_eq!(before, (real, service), "{note:?} {says:?}");
                    kept_against_a_rule += u64::from(!is_right(says, real));
                }
            }
        }
        require_all(&mut stand, dropped);
        assert!(dropped > 1000 && kept_against_a_rule > 1000, "{dropped} {kept_against_a_rule}");
        assert!(stand.ledger().get(Event::RuleRouted) > 0);
    }
}

/// What a server id names, table after table: other servers, then other rotation bits, then both at once.
const TURNS: [&[(u8, usize)]; 4] = [&[(3, 0)], &[(3, 1)], &[(5, 1)], &[(3, 40), (5, 0)]];

/// The real that an id names under a table.
fn named(table: usize, id: Option<(u8, u8)>) -> Option<usize> {
    let (rotation, server) = id?;
    let turn = TURNS[table].iter().find(|(of, _)| *of == rotation)?.1;
    Some((usize::from(server) + turn) % REALS)
}

/// The id that a flow's packets have: none, one of either rotation bits. Of a client's flows a quarter each, and
/// another quarter by the client: a flow's id stays the same.
fn id_of(client: u8, flow: u64) -> Option<(u8, u8)> {
    match (flow + u64::from(client)) % 3 {
        0 => None,
        1 => Some((3, (flow % 97) as u8)),
        _ => Some((5, (flow % 89) as u8)),
    }
}

/// What a flow's entry is: led by ids, or a hash made it, or a packet without an id that names one has met it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Entry {
    Led(usize),
    Keeps(usize),
}

#[test]
fn ids_that_change_their_servers_or_their_rotation_lead_from_their_table_on_and_move_no_other_flow() {
    let tables: Vec<Blueprint> = TURNS
        .iter()
        .map(|turns| {
            let mut blueprint = all_up();
            let servers = |turn: usize| {
                let real = move |server: u8| RealNumber::new(((usize::from(server) + turn) % REALS) as u32);
                (0..REALS as u8).map(move |server| (server, real(server).unwrap()))
            };
            let specs = turns.iter().map(|(rotation, turn)| ids::ids(*rotation, None, servers(*turn)));
            ids::lead(&mut blueprint, specs.collect());
            blueprint
        })
        .collect();
    let frame =
        |client: u8, flow: u64| ids::quic_frame(Flows::new(client).of(flow), id_of(client, flow)).to_vec();
    let (notes, mut stand) = switched(&tables, &frame);
    let mut entries: HashMap<u64, Entry> = HashMap::new();
    let (mut led, mut fell_back) = (0, 0);
    for note in &notes {
        let (client, flow) = ((note.cookie >> 32) as u8, note.cookie % (1 << 32));
        let real = note.real.unwrap();
        assert_eq!(note.verdict, Verdict::Tx, "{note:?}");
        let before = entries.get(&note.cookie).copied();
        let entry = match (named(note.table, id_of(client, flow)), before) {
            (Some(named), before) => {
                assert_eq!(real, named, "{note:?}: an id leads");
                led += 1;
                match before {
                    Some(Entry::Keeps(kept)) => Entry::Keeps(kept),
                    _ => Entry::Led(named),
                }
            }
            (None, Some(Entry::Led(kept) | Entry::Keeps(kept))) => {
                assert_eq!(real, kept, "{note:?}: without an id it stays, {before:?}");
                fell_back += u64::from(id_of(client, flow).is_some());
                Entry::Keeps(kept)
            }
            (None, None) => Entry::Keeps(real),
        };
        entries.insert(note.cookie, entry);
    }
    require_all(&mut stand, 0);
    assert_eq!(stand.ledger().get(Event::QuicRouted), led);
    assert_eq!(stand.ledger().get(Event::QuicUnroutable), notes.len() as u64 - led);
    assert!(led > 1000 && fell_back > 1000, "{led} {fell_back}");
}
