//! A worker is held at each point of a switch of tables, while packets arrive, its flows are walked, its page is
//! read and the next table is handed over: no packet is lost, each is decided by one table wholly, no flow moves
//! without need, and a table is freed when it has come back and not before.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of a test fail as the test does, and the numbers are small"
)]

#[path = "common/swaps.rs"]
mod swaps;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use counters::{Event, Ledger};
use engine::{Decision, Observer, Parsed, SwitchPoint, Verdict};
use mem::CountingAllocator;
use port::{BURST_MAX, MemPacket, MemPort, MemSink, MemSource, Packet, Tick};
use swaps::{Core, Ending, Flows, Plan, Standing, wait, walk};
use worker::Breath;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Flows, and packets before the switch: each flow is met some times.
const FLOWS: u64 = 300;
const BEFORE: u64 = 900;
/// Packets that arrive while the worker is held.
const MEANWHILE: u64 = 600;

/// Which tables of the walk follow one another: some reals are gone in each.
const TABLES: [usize; 3] = [0, 400, 800];

/// Gives as many packets as it is told to.
struct Fed {
    packets: Flows,
    fed: Arc<AtomicU64>,
    given: u64,
}

impl MemSource for Fed {
    fn next_tick(&mut self) -> Option<Tick> {
        (self.given < self.fed.load(Ordering::Acquire)).then_some(Tick(8))
    }

    fn load_next(&mut self, into: &mut MemPacket) {
        let flow = self.given * 7 % FLOWS;
        into.load(self.packets.of(flow), flow);
        self.given += 1;
    }
}

/// Counts what leaves.
struct Left(u64);

impl MemSink for Left {
    fn send(&mut self, _: &MemPacket) -> bool {
        self.0 += 1;
        true
    }
}

/// Holds the worker at one point of its first switch, and notes what is decided.
struct Latch {
    at: SwitchPoint,
    reached: Sender<()>,
    go: Receiver<()>,
    is_held: bool,
    /// Switches that have ended, and flow and real of each packet.
    switches: usize,
    decided: Vec<(usize, u64, usize)>,
    count: Arc<AtomicU64>,
}

impl Observer<MemPacket> for Latch {
    fn decided(&mut self, packet: &MemPacket, _: Option<&Parsed>, decision: &Decision) {
        assert_eq!(decision.verdict, Verdict::Tx);
        let real = decision.real.unwrap().index();
        self.decided.push((self.switches, packet.cookie(), real));
        self.count.fetch_add(1, Ordering::Release);
    }

    fn switching(&mut self, at: SwitchPoint) {
        if at == self.at && !self.is_held {
            self.is_held = true;
            self.reached.send(()).unwrap();
            // The other side may be gone, should the test have failed there.
            let _ = self.go.recv();
        }
        self.switches += usize::from(at == SwitchPoint::Acknowledged);
    }
}

/// What is wrong with the decisions, table after table.
fn faults(decided: &[(usize, u64, usize)], plans: &[Plan]) -> (Vec<String>, u64) {
    let mut real_of = vec![None; usize::try_from(FLOWS).unwrap()];
    let (mut faults, mut moves) = (Vec::new(), 0);
    for &(table, flow, real) in decided {
        let plan = &plans[TABLES[table]];
        let before: Option<usize> = real_of[usize::try_from(flow).unwrap()].replace(real);
        let fine = match before {
            Some(known) if plan[known] != Standing::Gone => known == real,
            _ => plan[real] == Standing::Takes,
        };
        moves += u64::from(before.is_some_and(|known| known != real));
        if !fine {
            faults.push(format!("table {table}: flow {flow} went from {before:?} to {real}"));
        }
    }
    (faults, moves)
}

/// While the worker is held: the control core goes on with everything it does, and waits for nothing.
fn meanwhile(core: &mut Core, reader: &flow::FlowReader, at: SwitchPoint, next: &service::Blueprint) {
    assert_eq!(reader.flows().count() as u64, FLOWS, "{at:?}: flows are walked under the worker's hands");
    assert_eq!(core.page(0).balance(), Ok(()), "{at:?}");
    let is_back = matches!(at, SwitchPoint::GivenBack | SwitchPoint::Acknowledged);
    assert_eq!(
        core.tables_there(),
        if is_back { 1 } else { 2 },
        "{at:?}: the old one is freed when it is back"
    );
    core.begin_switch(next);
}

fn held_at(at: SwitchPoint) -> (Vec<(usize, u64, usize)>, Ledger) {
    let (blueprints, _) = walk();
    let (mut core, mut seats) = Core::new(&blueprints[TABLES[0]], 1);
    let (fed, count, is_over) =
        (Arc::new(AtomicU64::new(BEFORE)), Arc::new(AtomicU64::new(0)), AtomicBool::new(false));
    let source = Fed { packets: Flows::new(0), fed: Arc::clone(&fed), given: 0 };
    let mut worker = seats.remove(0).worker(MemPort::new(2 * BURST_MAX, 256, source, Left(0)), 0, 1);
    let reader = worker.engine().flows();
    let ((reached, is_reached), (let_go, go)) = (channel(), channel());
    let mut latch = Latch {
        at,
        reached,
        go,
        is_held: false,
        switches: 0,
        decided: Vec::new(),
        count: Arc::clone(&count),
    };
    thread::scope(|scope| {
        let ending = Ending(&is_over);
        let over = &is_over;
        let life = scope.spawn(move || {
            while !over.load(Ordering::Acquire) && worker.breathe(&mut latch) != Breath::Stopped {
                thread::yield_now();
            }
            let ledger = worker.ledger().clone();
            (latch.decided, ledger, worker.into_port().into_ends().1.0)
        });
        let has_ended = || life.is_finished();
        let decided = |wanted| wait(&has_ended, || (count.load(Ordering::Acquire) >= wanted).then_some(()));
        decided(BEFORE).unwrap();
        let first = core.begin_switch(&blueprints[TABLES[1]]);
        is_reached.recv().unwrap();
        fed.fetch_add(MEANWHILE, Ordering::AcqRel);
        meanwhile(&mut core, &reader, at, &blueprints[TABLES[2]]);
        assert_eq!(count.load(Ordering::Acquire), BEFORE, "{at:?}: nothing is decided between two tables");
        let_go.send(()).unwrap();
        assert_eq!(core.hear(&has_ended), Some(first));
        assert!(core.hear(&has_ended).is_some(), "the second switch");
        decided(BEFORE + MEANWHILE).unwrap();
        assert_eq!(core.tables_there(), 1, "{at:?}: the last one alone");
        core.stop_all(&has_ended).unwrap();
        let (decided, ledger, left) = life.join().unwrap();
        drop(ending);
        assert_eq!(left, BEFORE + MEANWHILE, "{at:?}: packets lost");
        (decided, ledger)
    })
}

#[test]
fn held_at_any_point_of_a_switch_no_packet_is_lost_and_each_is_decided_by_one_table() {
    let (_, plans) = walk();
    for at in SwitchPoint::ALL {
        let (decided, ledger) = held_at(at);
        let (faults, moves) = faults(&decided, &plans);
        assert_eq!(faults, Vec::<String>::new(), "{at:?}");
        let by_table: Vec<usize> =
            (0..3).map(|table| decided.iter().filter(|(by, ..)| *by == table).count()).collect();
        // The second command was there before the first was done, so the middle table decided nothing.
        assert_eq!(by_table, [BEFORE as usize, 0, MEANWHILE as usize], "{at:?}");
        assert_eq!(ledger.balance(), Ok(()));
        assert_eq!((ledger.get(Event::Rx), ledger.get(Event::Tx)), (1_500, 1_500), "{at:?}");
        assert_eq!((ledger.get(Event::TableSwitch), ledger.get(Event::FlowMoved)), (2, moves), "{at:?}");
        assert!(moves > 0, "no real of a flow went: the tables show nothing");
    }
}
