//! The DPDK back end: a real port (`net_ring`) with one queue per worker. This thread feeds mbufs into
//! the queues and takes back what was sent; the workers see a port like any other.
//!
//! A queue never holds more packets than a ring has room for, counted from the moment they are fed, or handed over by
//! another worker, until they are taken back, freed, or handed over to another, so that no transmission is ever refused.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use conf::HugePages;
use control::Image;
use dpdk::{Eal, EalConfig, EthQueue, Feeder, Mbuf, MemoryMode, Mempool, PoolConfig, RingPort};
use port::{BURST_MAX, Burst, Packet, Port, Tick};
use worker::{MeshEnd, MeshWatch, Worker};

use crate::crew::{Seat, ways};
use crate::failure::Failure;
use crate::limits::RING_PACKETS;
use crate::meter::Meter;
use crate::replay::kept::Kept;
use crate::replay::notes::Notes;
use crate::replay::pace::{Pace, Start};
use crate::replay::script::{Script, Turn};
use crate::replay::turnstile::{Progress, Turnstile};
use crate::replay::{End, Finished, Stage, serve};
use crate::valve::{Valve, Valved};

/// Room of a ring that is left to what others hand over while it is not yet counted.
const SPARE_PACKETS: u32 = 64;
const _: () = assert!(SPARE_PACKETS as usize >= BURST_MAX && SPARE_PACKETS < RING_PACKETS);

/// Bytes of DPDK's own around a packet: the mbuf, its headroom and the pool's header.
const MBUF_BYTES: u32 = 2048 + 128 + 128 + 64;

/// A queue by the capture's clock: a burst ends where the tick changes, so that decisions are the
/// memory back end's. What has come too early waits here.
struct Stamped<'s> {
    queue: EthQueue,
    script: &'s Script,
    early: Burst<Mbuf>,
    now: Tick,
    /// Packets freed by this worker, for the feeder.
    freed: &'s AtomicU64,
    freed_here: u64,
    /// Those that have left the worker, and those that were given to it.
    progress: &'s Progress,
    given: u64,
}

impl Port for Stamped<'_> {
    type Packet = Mbuf;

    #[inline]
    fn rx_burst(&mut self, into: &mut Burst<Mbuf>) -> Tick {
        self.progress.tell(self.given);
        if self.early.is_empty() {
            self.queue.rx_burst(&mut self.early);
        }
        let tick = |packet: &Mbuf| self.script.tick(Turn::of(packet.cookie()));
        let Some(first) = self.early.as_slice().first() else { return self.now };
        self.now = self.now.max(tick(first));
        let same = self.early.as_slice().iter().take_while(|packet| tick(packet) <= self.now).count();
        let count = same.min(into.room());
        into.extend(self.early.drain_front(count));
        self.given += count as u64;
        self.now
    }

    #[inline]
    fn tx_burst(&mut self, from: &mut Burst<Mbuf>) {
        self.queue.tx_burst(from);
    }

    #[inline]
    fn free_burst(&mut self, from: &mut Burst<Mbuf>) {
        self.freed_here += from.len() as u64;
        self.queue.free_burst(from);
        self.freed.store(self.freed_here, Ordering::Release);
    }
}

/// The feeding side of one worker.
struct Lane<'s> {
    feeder: Feeder,
    script: &'s Script,
    own: &'s [u32],
    at: usize,
    round: u64,
    pace: Pace<'s>,
    pool: Mempool,
    /// Made, and not yet taken by the ring.
    ready: Burst<Mbuf>,
    back: Burst<Mbuf>,
    made: u64,
    taken_back: u64,
    freed: &'s AtomicU64,
    progress: &'s Progress,
    turnstile: Option<&'s Turnstile<'s>>,
    /// Its worker, and where it is seen what that has handed over and was handed.
    worker: usize,
    mesh: Option<MeshWatch>,
    kept: Option<Kept>,
}

impl Lane<'_> {
    /// Packets that are on their way, or stay with the worker.
    fn in_flight(&self) -> u64 {
        let (out, handed) = self.mesh.as_ref().map_or((0, 0), |mesh| mesh.handed(self.worker));
        let gone = self.taken_back + self.freed.load(Ordering::Acquire) + out;
        (self.made + handed).saturating_sub(gone)
    }

    /// Whether all its packets were fed and have left the worker, or stay with it.
    fn is_through(&self) -> bool {
        self.at == self.own.len() && self.progress.told() >= self.made
    }

    /// Feeds what may be fed and takes back what has been sent. Gives how many packets moved.
    fn step(&mut self) -> usize {
        let mut room = u64::from(RING_PACKETS - SPARE_PACKETS).saturating_sub(self.in_flight());
        let mut moved = 0;
        while room > 0 && self.ready.room() > 0 {
            let Some(packet) = self.make() else { break };
            // There is room, as was just asked.
            let _ = self.ready.push(packet);
            self.made += 1;
            (room, moved) = (room - 1, moved + 1);
        }
        self.feeder.push(&mut self.ready);
        moved + self.take_back()
    }

    /// Takes back what has been sent. Gives how many packets that were.
    fn take_back(&mut self) -> usize {
        self.feeder.pull(&mut self.back);
        let taken = self.back.len();
        self.taken_back += self.back.len() as u64;
        for packet in self.back.drain() {
            if let Some(kept) = &mut self.kept {
                kept.keep(packet.cookie(), packet.segments());
            }
        }
        taken
    }

    /// The next packet, if there is one, it is due, and the pool has room for it.
    fn make(&mut self) -> Option<Mbuf> {
        let turn = Turn { round: self.round, packet: *self.own.get(self.at)? };
        if !self.pace.is_due(self.script, turn) || self.turnstile.is_some_and(|stile| !stile.is_due(turn)) {
            return None;
        }
        let mut packet = Mbuf::from_bytes(&self.pool, self.script.frame(turn.packet))?;
        packet.set_cookie(turn.cookie());
        self.at += 1;
        if self.at == self.own.len() && self.round + 1 < self.script.loops {
            (self.at, self.round) = (0, self.round + 1);
        }
        Some(packet)
    }
}

/// A worker that is ready to start, with what it notes and how it is measured.
type Ready<'v, 's> = (usize, Worker<Valved<'v, Stamped<'v>>, Image>, Notes<'s>, Meter);

/// A worker's life in its thread.
fn life<'s>((number, worker, notes, meter): Ready<'_, 's>) -> Result<End<'s>, Failure> {
    crate::cores::pin(number + 1);
    // At half the speed without, so a thread that DPDK does not take is an error and not a warning.
    let _lcore = dpdk::register_thread()?;
    let (port, end) = serve(worker, notes, meter);
    drop(port);
    Ok(end)
}

/// Sends the capture through.
pub(super) fn run<'s>(stage: &mut Stage<'s>, seats: Vec<Seat>) -> Result<Finished<'s>, Failure> {
    let script = stage.script;
    let workers = u16::try_from(seats.len()).unwrap_or(u16::MAX);
    let eal = start(stage, workers)?;
    let mbufs = stage.site.config.dataplane.packets.saturating_mul(u32::from(workers));
    let pool = Mempool::new(&eal, &PoolConfig::new("replay", mbufs))?;
    refuse_too_long(script, &pool, mbufs)?;
    let RingPort { port, queues, feeders } =
        RingPort::new(&eal, "net_ring_replay", workers, RING_PACKETS, pool)?;
    let _lcore = dpdk::register_thread()?;
    let (valve, clock) = (Valve::default(), Start::default());
    let freed: Vec<AtomicU64> = seats.iter().map(|_| AtomicU64::new(0)).collect();
    let progress = Progress::of(seats.len());
    let mates = ways(seats.len());
    let mesh = mates.first().map(MeshEnd::watch);
    let turnstile = Turnstile::new(script, &progress, mesh.clone());
    let mut mates = mates.into_iter();
    let (mut ready, mut lanes) = (Vec::new(), Vec::new());
    let ends_of_queues = queues.into_iter().zip(feeders).zip(freed.iter().zip(&progress));
    for ((number, seat), ((queue, feeder), (freed, progress))) in
        seats.into_iter().enumerate().zip(ends_of_queues)
    {
        let early = Burst::new();
        let stamped =
            Stamped { queue, script, early, now: Tick(0), freed, freed_here: 0, progress, given: 0 };
        let port = Valved::new(stamped, &valve, script.last_tick());
        let worker = stage.worker(number, port, seat, mates.next());
        ready.push((number, worker, stage.notes(number), Meter::new()?));
        lanes.push(Lane {
            feeder,
            script,
            own: script.own(number),
            at: 0,
            round: 0,
            pace: Pace::new(stage.options.rate, &clock),
            pool,
            ready: Burst::new(),
            back: Burst::new(),
            made: 0,
            taken_back: 0,
            freed,
            progress,
            turnstile: turnstile.as_ref(),
            worker: number,
            mesh: mesh.clone(),
            kept: stage.options.out.is_some().then(|| Kept::new(script, number)),
        });
    }
    let ends = conduct(stage, &valve, ready, &mut lanes)?;
    let kept = lanes.into_iter().filter_map(|lane| lane.kept).collect();
    drop(port);
    let dpdk = Some((dpdk::rte_version().to_owned(), eal.memory().to_string()));
    Ok(Finished { ends, kept, mbufs_leaked: Some(eal.mbufs_in_use()), dpdk })
}

/// Starts the workers and feeds them until all is through.
fn conduct<'s>(
    stage: &mut Stage<'s>,
    valve: &Valve,
    ready: Vec<Ready<'_, 's>>,
    lanes: &mut [Lane<'_>],
) -> Result<Vec<End<'s>>, Failure> {
    thread::scope(|scope| {
        let threads: Vec<_> = ready.into_iter().map(|one| scope.spawn(move || life(one))).collect();
        let is_alive = |worker: usize| threads.get(worker).is_some_and(|thread| !thread.is_finished());
        let conducted = stage.crew.conduct(
            valve,
            is_alive,
            |_| {},
            |crew| {
                Stage::look(&mut stage.watch, &mut stage.caught, crew);
                let moved: usize = lanes.iter_mut().map(Lane::step).sum();
                if moved == 0 {
                    thread::yield_now();
                }
                let is_quiet = lanes.iter().all(|lane| lane.mesh.as_ref().is_none_or(MeshWatch::is_quiet));
                let is_over = moved == 0 && is_quiet && lanes.iter().all(Lane::is_through);
                !is_over && !stage.interrupt.has_come()
            },
        );
        let mut ends = Vec::new();
        for thread in threads {
            ends.push(thread.join().map_err(|_| Failure::new("a worker broke off; this is a fault"))??);
        }
        // What was sent last.
        while lanes.iter_mut().map(Lane::take_back).sum::<usize>() > 0 {}
        conducted.map(|()| ends)
    })
}

/// Starts DPDK without devices; the port is made over rings afterwards.
fn start(stage: &Stage<'_>, workers: u16) -> Result<Eal, Failure> {
    let dataplane = &stage.site.config.dataplane;
    let memory = match dataplane.huge_pages {
        HugePages::Auto => MemoryMode::Auto,
        HugePages::Require => MemoryMode::RequireHuge,
        HugePages::Off => MemoryMode::Off,
    };
    let needed = u64::from(dataplane.packets) * u64::from(workers) * u64::from(MBUF_BYTES);
    if needed > u64::from(dataplane.memory_mb) << 20 {
        return Err(Failure::new(format!(
            "{workers} workers with {} packets each need {} MB of DPDK memory: raise dataplane.memory_mb from {}",
            dataplane.packets,
            needed.div_ceil(1 << 20),
            dataplane.memory_mb
        )));
    }
    let eal = Eal::start(&EalConfig {
        memory,
        memory_mb: dataplane.memory_mb,
        file_prefix: format!("penstock{}", std::process::id()),
        ..EalConfig::default()
    })?;
    tracing::info!("{} on {}", dpdk::rte_version(), eal.memory());
    Ok(eal)
}

/// A frame that the whole pool cannot hold would wait for ever.
fn refuse_too_long(script: &Script, pool: &Mempool, mbufs: u32) -> Result<(), Failure> {
    let segments = script.longest().div_ceil(u32::from(pool.room()).max(1));
    if segments > mbufs / 2 {
        return Err(Failure::new(format!(
            "a frame of {} bytes needs {segments} mbufs and the pool has {mbufs}: raise dataplane.packets",
            script.longest()
        )));
    }
    Ok(())
}
