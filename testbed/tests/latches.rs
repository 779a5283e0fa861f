//! A worker is held at each point of a switch of tables, while packets arrive, its flows are walked, its page is
//! read and the next table is handed over: no packet is lost, each is decided by one table wholly, no flow moves
//! without need, and a table is freed when it has come back and not before. So it is with next hops: held where one
//! came into force, between two, and at each point of a switch to a table that has another, every packet leaves by one
//! hop wholly, in order, and by the newest that was told before it came.

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
use link::{Command, Report};
use mem::CountingAllocator;
use port::{BURST_MAX, MemPacket, MemPort, MemSink, MemSource, Packet, Tick};
use service::{Blueprint, Hop, RealNumber};
use swaps::{Core, Ending, Flows, Plan, Standing, followed, wait, walk};
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

/// Keeps what leaves: the flow, and both MAC addresses.
#[derive(Default)]
struct Left(Vec<(u64, [u8; 12])>);

impl MemSink for Left {
    fn send(&mut self, packet: &MemPacket) -> bool {
        self.0.push((packet.cookie(), *packet.data().first_chunk().unwrap()));
        true
    }
}

/// Holds the worker once at one point, and notes what is decided.
struct Latch {
    at: SwitchPoint,
    /// How often the worker passes the point before.
    passes: usize,
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
        assert!(matches!(decision.verdict, Verdict::Tx | Verdict::Held), "{decision:?}");
        let real = decision.real.unwrap().index();
        self.decided.push((self.switches, packet.cookie(), real));
        self.count.fetch_add(1, Ordering::Release);
    }

    fn switching(&mut self, at: SwitchPoint) {
        if at == self.at && self.passes > 0 {
            self.passes -= 1;
        } else if at == self.at && !self.is_held {
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

/// The worker's surroundings: who feeds it, who holds it, who commands it.
struct Bench<'b> {
    core: Core,
    reader: flow::FlowReader,
    fed: Arc<AtomicU64>,
    count: Arc<AtomicU64>,
    reached: Receiver<()>,
    go: Sender<()>,
    has_ended: &'b AtomicBool,
}

impl Bench<'_> {
    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    fn feed(&self, packets: u64) {
        self.fed.fetch_add(packets, Ordering::AcqRel);
    }

    fn decided(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Waits until so many decisions were made.
    fn await_decided(&self, wanted: u64) {
        wait(&|| self.has_ended(), || (self.decided() >= wanted).then_some(())).unwrap();
    }

    fn hear(&mut self) -> Option<Report> {
        let has_ended = self.has_ended;
        self.core.hear(&|| has_ended.load(Ordering::Acquire))
    }

    /// All that is said until the worker has ended.
    fn stop(&mut self) -> Vec<Report> {
        self.core.tell(Command::Stop);
        let said = std::iter::from_fn(|| self.hear().filter(|report| *report != Report::Stopped));
        said.collect()
    }
}

/// What a worker's life came to.
struct Life {
    decided: Vec<(usize, u64, usize)>,
    ledger: Ledger,
    left: Vec<(u64, [u8; 12])>,
}

/// A worker's life, which is held when it comes to a point for the time after so many `passes`.
fn live(first: &Blueprint, (at, passes): (SwitchPoint, usize), script: impl FnOnce(&mut Bench<'_>)) -> Life {
    let (core, mut seats) = Core::new(first, 1);
    let (fed, count) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (is_over, has_ended) = (AtomicBool::new(false), AtomicBool::new(false));
    let source = Fed { packets: Flows::new(0), fed: Arc::clone(&fed), given: 0 };
    let mut worker = seats.remove(0).worker(MemPort::new(2 * BURST_MAX, 256, source, Left::default()), 0, 1);
    let reader = worker.engine().flows();
    let ((is_reached, reached), (go, let_go)) = (channel(), channel());
    let mut latch = Latch {
        at,
        passes,
        reached: is_reached,
        go: let_go,
        is_held: false,
        switches: 0,
        decided: Vec::new(),
        count: Arc::clone(&count),
    };
    thread::scope(|scope| {
        let ending = Ending(&is_over);
        let (over, ended) = (&is_over, &has_ended);
        let life = scope.spawn(move || {
            let _ended = Ending(ended);
            while !over.load(Ordering::Acquire) && worker.breathe(&mut latch) != Breath::Stopped {
                thread::yield_now();
            }
            let ledger = worker.ledger().clone();
            Life { decided: latch.decided, ledger, left: worker.into_port().into_ends().1.0 }
        });
        script(&mut Bench { core, reader, fed, count, reached, go, has_ended: &has_ended });
        drop(ending);
        life.join().unwrap()
    })
}

/// While the worker is held: the control core goes on with everything it does, and waits for nothing.
fn meanwhile(Bench { core, reader, .. }: &mut Bench<'_>, at: SwitchPoint, next: &Blueprint) {
    assert_eq!(reader.flows().count() as u64, FLOWS, "{at:?}: flows are walked under the worker's hands");
    assert_eq!(core.page(0).balance(), Ok(()), "{at:?}");
    let is_back = matches!(at, SwitchPoint::GivenBack | SwitchPoint::Acknowledged);
    assert_eq!(
        core.tables_there(),
        if is_back { 1 } else { 2 },
        "{at:?}: the old one is freed when it is back"
    );
    core.begin_switch(next, &[]);
}

fn held_at(at: SwitchPoint) -> Life {
    let (blueprints, _) = walk();
    live(&blueprints[TABLES[0]], (at, 0), |bench| {
        bench.feed(BEFORE);
        bench.await_decided(BEFORE);
        let first = bench.core.begin_switch(&blueprints[TABLES[1]], &[]);
        bench.reached.recv().unwrap();
        bench.feed(MEANWHILE);
        meanwhile(bench, at, &blueprints[TABLES[2]]);
        assert_eq!(bench.decided(), BEFORE, "{at:?}: nothing is decided between two tables");
        bench.go.send(()).unwrap();
        assert_eq!(bench.hear(), Some(first));
        assert!(bench.hear().is_some(), "the second switch");
        bench.await_decided(BEFORE + MEANWHILE);
        assert_eq!(bench.core.tables_there(), 1, "{at:?}: the last one alone");
        assert_eq!(bench.stop(), []);
    })
}

#[test]
fn held_at_any_point_of_a_switch_no_packet_is_lost_and_each_is_decided_by_one_table() {
    let (_, plans) = walk();
    for at in SwitchPoint::ALL {
        let Life { decided, ledger, left } = held_at(at);
        assert_eq!(left.len() as u64, BEFORE + MEANWHILE, "{at:?}: packets lost");
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

/// A next hop by its last byte: each has both MAC addresses of its own.
fn hop(last: u8) -> Hop {
    let (destination, source) = ([2, 0, 0, 0, 9, last], [2, 0, 0, 0, 7, last]);
    Hop { real: RealNumber::new(0).unwrap(), port: None, destination, source, is_resolved: true }
}

fn lost() -> Hop {
    Hop { is_resolved: false, ..hop(0) }
}

const OLD: u8 = 1;
const NEW: u8 = 2;
const NEWEST: u8 = 3;

/// A life under the hop `OLD`, told something, held, told something else while packets arrive, and let go.
fn led(
    at: (SwitchPoint, usize),
    begin: impl FnOnce(&mut Bench<'_>),
    meanwhile: impl FnOnce(&mut Core),
) -> (Life, Vec<Report>) {
    let mut said = Vec::new();
    let life = live(&followed(), at, |bench| {
        bench.core.tell(Command::Hop { hop: hop(OLD), serial: 1 });
        assert_eq!(bench.hear(), Some(Report::HopsAt(1)));
        bench.feed(BEFORE);
        bench.await_decided(BEFORE);
        begin(bench);
        bench.reached.recv().unwrap();
        let decided = bench.decided();
        bench.feed(MEANWHILE);
        meanwhile(&mut bench.core);
        assert_eq!(bench.core.page(0).balance(), Ok(()));
        assert_eq!(bench.decided(), decided, "{at:?}: nothing is decided between two hops");
        bench.go.send(()).unwrap();
        said = bench.stop();
    });
    (life, said)
}

/// All packets left in the order they came, and by these hops one after the other: so many by each.
fn require_left(life: &Life, hops: &[(u8, u64)], held: u64, what: &str) {
    let mut given = 0..;
    for &(last, packets) in hops {
        let Hop { destination, source, .. } = hop(last);
        for number in given.by_ref().take(packets as usize) {
            let (flow, macs) = life.left[number as usize];
            assert_eq!(flow, number * 7 % FLOWS, "{what}: packet {number} is not in its place");
            assert_eq!((&macs[..6], &macs[6..]), (&destination[..], &source[..]), "{what}: packet {number}");
        }
    }
    let all = given.start;
    assert_eq!(life.left.len() as u64, all, "{what}: packets lost");
    let counted = [Event::Rx, Event::Tx, Event::Held, Event::Released].map(|event| life.ledger.get(event));
    assert_eq!((counted, life.ledger.balance()), ([all, all, held, held], Ok(())), "{what}");
}

#[test]
fn held_where_a_hop_came_into_force_every_packet_leaves_by_the_newest_that_was_told_before_it_came() {
    let at = (SwitchPoint::HopApplied, 1);
    let tell = |hop, serial| Command::Hop { hop, serial };
    let (life, said) = led(at, |bench| bench.core.tell(tell(hop(NEW), 2)), |_| {});
    require_left(&life, &[(OLD, BEFORE), (NEW, MEANWHILE)], 0, "a new hop");
    assert_eq!(said, [Report::HopsAt(2)]);

    let burst = BURST_MAX as u64;
    let newest = |core: &mut Core| core.tell(tell(hop(NEWEST), 3));
    let (life, said) = led(at, |bench| bench.core.tell(tell(hop(NEW), 2)), newest);
    let hops = [(OLD, BEFORE), (NEW, burst), (NEWEST, MEANWHILE - burst)];
    require_left(
        &life,
        &hops,
        0,
        "between two hops: the burst that the worker was about to take has the first",
    );
    assert_eq!(said, [2, 3].map(Report::HopsAt));

    let (life, said) = led(at, |bench| bench.core.tell(tell(lost(), 2)), newest);
    require_left(&life, &[(OLD, BEFORE), (NEWEST, MEANWHILE)], burst, "a hop that is lost and comes again");
    assert_eq!(said, [2, 3].map(Report::HopsAt));
}

#[test]
fn held_at_any_point_of_a_switch_every_packet_leaves_by_the_tables_hop_or_the_one_told_behind_it() {
    const WAITING: u64 = 60;
    for point in SwitchPoint::ALL {
        let switch = |bench: &mut Bench<'_>| {
            let _ = bench.core.begin_switch(&followed(), &[hop(NEW)]);
        };
        let (life, said) = led((point, 0), switch, |_| {});
        require_left(&life, &[(OLD, BEFORE), (NEW, MEANWHILE)], 0, &format!("{point:?}"));
        assert_eq!(said.len(), 1, "{point:?}: {said:?}");

        let newest = |core: &mut Core| core.tell(Command::Hop { hop: hop(NEWEST), serial: 2 });
        let (life, said) = led((point, 0), switch, newest);
        require_left(&life, &[(OLD, BEFORE), (NEWEST, MEANWHILE)], 0, &format!("{point:?}, told behind it"));
        assert_eq!(said.last(), Some(&Report::HopsAt(2)), "{point:?}");

        let waiting = |bench: &mut Bench<'_>| {
            bench.core.tell(Command::Hop { hop: lost(), serial: 2 });
            assert_eq!(bench.hear(), Some(Report::HopsAt(2)));
            bench.feed(WAITING);
            bench.await_decided(BEFORE + WAITING);
            switch(bench);
        };
        let (life, _) = led((point, 0), waiting, |_| {});
        let hops = [(OLD, BEFORE), (NEW, WAITING + MEANWHILE)];
        require_left(&life, &hops, WAITING, &format!("{point:?}, with packets that wait"));
    }
}
