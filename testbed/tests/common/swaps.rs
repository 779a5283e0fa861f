//! What the swaps of tables under traffic share, whatever the port: a walk of random changes, packets of
//! flows, a worker's life, the control core's, and a witness who knows where every flow has to be.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers fail as their test does, no test needs all, and the numbers are small"
)]

mod control_core;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use control::Image;
use counters::{Event, Ledger};
use engine::{Decision, FlowUse, Observer, Parsed, Verdict};
use port::{BURST_MAX, Packet, Port};
use service::{
    Blueprint, DontFragment, Encap, Member, Outer, OuterSource, PoolSpec, RealNumber, RealSpec, RealState,
    ServiceNumber, ServiceSpec, Timeouts,
};
use worker::{Breath, Worker};

pub(crate) use control_core::{Core, Seat, wait};

pub(crate) const SWAPS: usize = 1_000;
pub(crate) const REALS: usize = 100;
/// Flows of a worker when traffic begins, and how many more each new table meets.
pub(crate) const FLOWS_FIRST: u64 = 4_000;
const FLOWS_PER_SWAP: u64 = 8;
pub(crate) const FLOWS_MAX: usize = FLOWS_FIRST as usize + FLOWS_PER_SWAP as usize * (SWAPS + 1);
/// Packets that every table forwards on every worker before the next one comes.
const PACKETS_PER_TABLE: u64 = 512;
/// Packets of the last table on every worker, after which the traffic ends.
const PACKETS_LAST: u64 = 100_000;
const NO_REAL: u8 = u8::MAX;

/// Says that all is over when it goes, so that a test which fails in one thread ends in all.
pub(crate) struct Ending<'o>(pub(crate) &'o AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Numbers that look random and are the same every time (`SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// What one generation says of one real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It takes new flows.
    Takes,
    /// It keeps its flows: it drains, or weighs nothing.
    Keeps,
    /// It is down, or not there at all.
    Gone,
}

pub(crate) type Plan = [Standing; REALS];

#[derive(Clone, Copy)]
struct Member100 {
    is_there: bool,
    state: RealState,
    weight: u32,
}

/// A walk of random changes through configurations of a hundred reals.
pub(crate) fn walk() -> (Vec<Blueprint>, Vec<Plan>) {
    let mut dice = Dice(1);
    let mut members = [Member100 { is_there: true, state: RealState::Up, weight: 100 }; REALS];
    let mut blueprints = vec![blueprint(&members)];
    let mut plans = vec![plan(&members)];
    for _ in 0..SWAPS {
        for _ in 0..1 + dice.below(4) {
            // The first real never changes, so that there is always one to go to.
            let member = &mut members[1 + dice.below(REALS as u64 - 1) as usize];
            match dice.below(8) {
                0 => member.is_there = !member.is_there,
                1 => member.state = RealState::Drain,
                2 => member.state = RealState::Down,
                3 => member.weight = 0,
                4 => member.weight = dice.below(1_000) as u32 + 1,
                _ => *member = Member100 { is_there: true, state: RealState::Up, weight: 100 },
            }
        }
        blueprints.push(blueprint(&members));
        plans.push(plan(&members));
    }
    (blueprints, plans)
}

/// A table whose reals all take new flows.
pub(crate) fn all_up() -> Blueprint {
    blueprint(&[Member100 { is_there: true, state: RealState::Up, weight: 100 }; REALS])
}

/// A table whose flows are all of the first real, whose next hop is not written.
pub(crate) fn followed() -> Blueprint {
    let mut blueprint = all_up();
    blueprint.reals.iter_mut().for_each(|real| real.next_hop = None);
    blueprint.pools[0].members.truncate(1);
    blueprint
}

fn plan(members: &[Member100; REALS]) -> Plan {
    members.map(|member| match (member.is_there, member.state) {
        (false, _) | (_, RealState::Down) => Standing::Gone,
        (_, RealState::Up) if member.weight > 0 => Standing::Takes,
        _ => Standing::Keeps,
    })
}

fn blueprint(members: &[Member100; REALS]) -> Blueprint {
    let present = (0_u8..).zip(members).filter(|(_, member)| member.is_there);
    let number = |index: u8| RealNumber::new(u32::from(index)).unwrap();
    Blueprint {
        select_seed: [7; 16],
        outer: Outer {
            mac: [2, 0, 0, 0, 0, 1],
            source_v4: Some(OuterSource { address: [192, 0, 2, 1].into(), prefix_len: 32 }),
            source_v6: None,
            hop_limit: 64,
            passes_max: 4,
            dont_fragment: DontFragment::Inherit,
            mtu: 1500,
        },
        timeouts: Timeouts { syn: 28_800, established: 28_800, closing: 28_800, udp: 28_800 },
        return_path: service::ReturnPath::Direct,
        new_flows_rate_max: None,
        quic: Vec::new(),
        ends: Vec::new(),
        rules: Vec::new(),
        reals: present
            .clone()
            .map(|(index, member)| RealSpec {
                number: number(index),
                address: [10, 0, 0, index + 1].into(),
                next_hop: Some([2, 0, 0, 0, 1, index]),
                port: None,
                encap: Encap::Ipip,
                state: member.state,
            })
            .collect(),
        pools: vec![PoolSpec {
            members: present
                .map(|(index, member)| Member { real: number(index), weight: member.weight })
                .collect(),
            slots: 10_007,
            policy: service::Policy::Maglev,
            panics: false,
        }],
        services: vec![ServiceSpec {
            number: ServiceNumber::new(0).unwrap(),
            vip: [198, 51, 100, 10].into(),
            prefix_len: 32,
            protocol: 6,
            port_first: 80,
            port_last: 80,
            pool: 0,
            quic: [None; 7],
            attributes: service::Attributes::default(),
            key: service::Key::Flow,
            mss: 0,
        }],
    }
}

/// One worker's packets: TCP segments of flows in random order, for ever.
pub(crate) struct Flows {
    dice: Dice,
    frame: Vec<u8>,
}

impl Flows {
    /// The flows of worker `worker`, which no other worker meets.
    pub(crate) fn new(worker: u8) -> Self {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        frame.extend([0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 203, 0, 113, 7 + worker, 198, 51, 100, 10]);
        frame.extend([0, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0]);
        let sum: u32 =
            frame[14..34].chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
        frame[24..26].copy_from_slice(&checksum.to_be_bytes());
        Self { dice: Dice::new(2 + u64::from(worker)), frame }
    }

    /// A packet of one of the first `flows` flows, and which.
    pub(crate) fn next(&mut self, flows: u64) -> (u64, &[u8]) {
        let flow = self.dice.below(flows);
        (flow, self.of(flow))
    }

    /// A packet of that flow.
    pub(crate) fn of(&mut self, flow: u64) -> &[u8] {
        self.frame[34..36].copy_from_slice(&(1024 + flow as u16).to_be_bytes());
        &self.frame
    }
}

/// What a worker's traffic has to be, now that it is so far.
#[derive(Clone, Copy)]
pub(crate) struct Demand {
    pub(crate) flows: u64,
    pub(crate) is_open: bool,
}

/// What one breath decided, kept until it is known under which table.
struct Notes {
    decided: Vec<(u64, u8, Option<FlowUse>, Verdict)>,
}

impl<P: Packet> Observer<P> for Notes {
    fn decided(&mut self, packet: &P, _: Option<&Parsed>, decision: &Decision) {
        let real = decision.real.map_or(NO_REAL, |real| real.index() as u8);
        self.decided.push((packet.cookie(), real, decision.flow, decision.verdict));
    }
}

/// Where every flow is, and what went wrong.
pub(crate) struct Witness {
    plans: Vec<Plan>,
    /// Whether new flows may go to a real under a table, as far as rules say.
    leads: fn(usize, usize) -> bool,
    real_of: Vec<u8>,
    /// The table that met each flow first: its rules gave the flow its service, for as long as it lasts.
    table_of: Vec<u16>,
    moves: u64,
    faults: Vec<String>,
}

impl Witness {
    pub(crate) fn new(plans: Vec<Plan>) -> Self {
        Self {
            plans,
            leads: |_, _| true,
            real_of: vec![NO_REAL; FLOWS_MAX],
            table_of: vec![0; FLOWS_MAX],
            moves: 0,
            faults: Vec::with_capacity(20),
        }
    }

    /// Rules lead new flows: to these reals under these tables.
    pub(crate) fn with_rules(self, leads: fn(usize, usize) -> bool) -> Self {
        Self { leads, ..self }
    }

    /// How many tables follow the first.
    const fn swaps(&self) -> usize {
        self.plans.len() - 1
    }

    fn look(&mut self, generation: usize, notes: &mut Notes) {
        for (cookie, real, flow_use, verdict) in notes.decided.drain(..) {
            let plan = &self.plans[generation];
            let flow = cookie & u64::from(u32::MAX);
            // Above the flow, one more than the real of its connection id: which leads, and leaves the flow where it is.
            let led = usize::try_from(cookie >> 32).unwrap().checked_sub(1);
            if let Some(led) = led.filter(|led| plan[*led] != Standing::Gone) {
                if (verdict, flow_use, usize::from(real)) != (Verdict::Tx, Some(FlowUse::Hit), led) {
                    self.faults
                        .push(format!("table {generation}: the id of {led} led flow {flow} to {real}"));
                    self.faults.truncate(20);
                }
                continue;
            }
            let before = std::mem::replace(&mut self.real_of[flow as usize], real);
            let is_known = before != NO_REAL;
            let first = &mut self.table_of[flow as usize];
            if !is_known {
                *first = generation as u16;
            }
            let fine = verdict == Verdict::Tx
                && flow_use == Some(if is_known { FlowUse::Hit } else { FlowUse::New })
                && match before {
                    known if is_known && plan[usize::from(known)] != Standing::Gone => known == real,
                    _ => {
                        let leads = (self.leads)(usize::from(real), usize::from(*first));
                        leads && plan.get(usize::from(real)) == Some(&Standing::Takes)
                    }
                };
            self.moves += u64::from(is_known && before != real);
            if !fine && self.faults.len() < 20 {
                self.faults.push(format!(
                    "table {generation}: flow {flow} went from {before} to {real}: {verdict:?}, {flow_use:?}"
                ));
            }
        }
    }
}

/// What a worker's thread gives back.
pub(crate) struct Outcome<P> {
    pub(crate) port: P,
    pub(crate) ledger: Ledger,
    allocations: u64,
    idle_tables: usize,
    lost: (u64, u64),
    witness: Witness,
}

impl<P> Outcome<P> {
    /// `came` packets were given to the worker, and all of it is accounted for.
    pub(crate) fn require(&self, came: u64) {
        assert_eq!(self.witness.faults, Vec::<String>::new());
        assert_eq!(self.idle_tables, 0, "tables that hardly forwarded a packet");
        assert_eq!(self.lost, (0, 0));
        let ledger = &self.ledger;
        assert_eq!(ledger.balance(), Ok(()));
        assert_eq!((ledger.get(Event::Rx), ledger.get(Event::Tx)), (came, came));
        assert_eq!(ledger.get(Event::TableSwitch), self.witness.swaps() as u64);
        assert_eq!(ledger.get(Event::FlowMoved), self.witness.moves);
        assert!(self.witness.moves > 0, "no real of a flow ever went: the walk shows nothing");
        let flows = self.witness.real_of.iter().filter(|real| **real != NO_REAL).count();
        assert_eq!(ledger.get(Event::FlowInsert), flows as u64, "every flow was put in once");
        assert_eq!(self.allocations, 0, "the worker allocated");
    }
}

/// A worker's life: it breathes until it is told to stop and nothing comes any more, or all is over.
pub(crate) fn live<P: Port>(
    mut worker: Worker<P, Image>,
    mut witness: Witness,
    packets: &AtomicU64,
    is_over: &AtomicBool,
    mut steer: impl FnMut(&mut P, Demand),
) -> Outcome<P> {
    let mut notes = Notes { decided: Vec::with_capacity(BURST_MAX) };
    let swaps = witness.swaps();
    let mut seen = vec![0; swaps + 1];
    let mut forwarded = 0;
    let before = mem::thread_allocations();
    while !is_over.load(Ordering::Acquire) {
        let breath = worker.breathe(&mut notes);
        let generation = worker.ledger().get(Event::TableSwitch) as usize;
        match breath {
            Breath::Packets(count) => {
                witness.look(generation, &mut notes);
                forwarded += count as u64;
                packets.store(forwarded, Ordering::Release);
                seen[generation] += count as u64;
                let flows = FLOWS_FIRST + FLOWS_PER_SWAP * generation as u64;
                steer(worker.port(), Demand { flows, is_open: seen[swaps] < PACKETS_LAST });
            }
            Breath::Idle => {}
            Breath::Stopped => break,
        }
        // There are more threads than cores, and each spins.
        std::thread::yield_now();
    }
    let allocations = mem::thread_allocations() - before;
    let ledger = worker.ledger().clone();
    let lost = worker.lost();
    let idle_tables = seen.iter().filter(|packets| **packets < PACKETS_PER_TABLE / 2).count();
    Outcome { port: worker.into_port(), ledger, allocations, idle_tables, lost, witness }
}
