//! The control side of a set of workers in this process: one region of shared memory, one seat for each
//! worker, the first table, and the account at the end.
//!
//! Everything travels as it would between two processes: commands and reports by the rings, counters by
//! the pages, tables as sealed memory that is checked on receipt.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use conf::HugePages;
use control::{Image, Publication};
use counters::{Counter, Event, Layout, Ledger};
use engine::Engine;
use flow::{COLD_BYTES_PER_ENTRY, FlowReader, FlowTable, HOT_BYTES_PER_ENTRY};
use link::{Command, Report};
use mem::PageKind;
#[cfg(feature = "dpdk")]
use service::Hop;
use service::{Generation, Table};
use shm::{ControlSide, Region, WorkerSide};
use worker::{Handover, MeshEnd, TableReceiver, TableSender, tables};

use crate::failure::Failure;
#[cfg(feature = "dpdk")]
use crate::hops::Roll;
use crate::limits::{RING_RECORDS, TABLES_MAX};
use crate::site::Site;
use crate::valve::Valve;

/// How long a worker may take to acknowledge. It looks between two bursts; a machine that gives it no
/// time for so long is no place to forward packets.
const PATIENCE: Duration = Duration::from_secs(30);

/// The control side.
pub(crate) struct Crew {
    sides: Vec<ControlSide>,
    /// A worker's tables go and come back through them.
    tables: Vec<TableSender<Image>>,
    /// Each worker's flow table.
    readers: Vec<FlowReader>,
    layout: Layout,
    /// Our MAC address on each port, where ports are.
    macs: Vec<[u8; 6]>,
    generation: Generation,
    /// The pages of the flow tables.
    pub(crate) pages: PageKind,
    #[cfg(feature = "dpdk")]
    hops: Roll,
}

/// Whether names may come while the workers run. Pages are copied once in a tick, and in a replay at full
/// speed a tick may be a few packets long: with room to spare, copying took half of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// None will.
    Exact,
    /// Some may.
    #[cfg(feature = "dpdk")]
    ToGrow,
}

/// What one worker starts with.
pub(crate) struct Seat {
    pub(crate) engine: Engine,
    pub(crate) table: Handover<Image>,
    pub(crate) tables: TableReceiver<Image>,
    pub(crate) side: WorkerSide,
}

impl Crew {
    /// Makes `workers` seats that begin with `publication`; `table_key` places flows. `macs` are our addresses on
    /// the ports; without, frames come from the table's.
    pub(crate) fn new(
        site: &Site,
        publication: &Publication,
        workers: u16,
        table_key: [u8; 16],
        room: Room,
        macs: Vec<[u8; 6]>,
    ) -> Result<(Self, Vec<Seat>), Failure> {
        let entries = usize::try_from(site.config.flow.entries).unwrap_or(usize::MAX);
        refuse_too_large(entries, workers)?;
        let wanted = match site.config.dataplane.huge_pages {
            HugePages::Off => PageKind::Small,
            HugePages::Auto | HugePages::Require => PageKind::Huge,
        };
        let (services, reals, rules) = site.directory().bounds();
        let layout = match room {
            Room::Exact => Layout { services, reals, rules },
            #[cfg(feature = "dpdk")]
            Room::ToGrow => Layout::with_room_for(services, reals, rules),
        };
        let generation = publication.generation;
        let region = Region::create(generation.boot, usize::from(workers), RING_RECORDS, layout.words())
            .map_err(|error| Failure::new(format!("no shared memory for the workers: {error}")))?;
        let table = publication
            .table()
            .map_err(|error| Failure::new(format!("the table that was built is not sound: {error}")))?;
        let table = Arc::new(table);
        let mut crew = Self {
            sides: Vec::new(),
            tables: Vec::new(),
            readers: Vec::new(),
            layout,
            macs,
            generation,
            pages: PageKind::Small,
            #[cfg(feature = "dpdk")]
            hops: Roll::new(workers),
        };
        let mut seats = Vec::new();
        for worker in 0..workers {
            let flows = FlowTable::with_pages(entries, table_key, wanted)
                .map_err(|error| Failure::new(format!("no flow table: {error}")))?;
            crew.pages = flows.page_kind();
            let index = usize::from(worker);
            let (Some(side), Some(control)) = (region.worker_side(index), region.control_side(index)) else {
                return Err(Failure::new(format!("worker {worker} has no place in the shared memory")));
            };
            let (sender, receiver) = tables(TABLES_MAX);
            crew.sides.push(control);
            crew.tables.push(sender);
            crew.readers.push(flows.reader());
            let engine = Engine::new(worker, workers, flows, layout);
            let table = Handover::new(Arc::clone(&table), &crew.macs);
            seats.push(Seat { engine, table, tables: receiver, side });
        }
        Ok((crew, seats))
    }

    /// Conducts the workers through their life. All acknowledge the table before the valve is opened, and
    /// `prepare` may do what else has to be done before the first packet; then `goes_on` is asked, over and over,
    /// until it says no or a worker is gone; then the valve is shut, and all stop.
    pub(crate) fn conduct(
        &mut self,
        valve: &Valve,
        is_alive: impl Fn(usize) -> bool,
        prepare: impl FnOnce(&mut Self),
        mut goes_on: impl FnMut(&mut Self) -> bool,
    ) -> Result<(), Failure> {
        let wanted = Report::Switched(self.generation);
        self.tell(Command::Switch(self.generation))?;
        let confirmed = self.await_all(wanted, "acknowledged its table", &is_alive);
        if confirmed.is_ok() {
            prepare(self);
            valve.open();
            while goes_on(self) && (0..self.sides.len()).all(&is_alive) {}
        }
        valve.shut();
        self.tell(Command::Stop)?;
        confirmed.and(self.await_all(Report::Stopped, "stopped", &is_alive))
    }

    /// Tells every worker, those behind one that takes nothing too; the first that does not is told of.
    fn tell(&mut self, command: Command) -> Result<(), Failure> {
        let record = command.to_record();
        let told = self.sides.iter_mut().enumerate().map(|(worker, side)| {
            let refused = |_| Failure::new(format!("worker {worker} takes no commands"));
            side.commands.try_send(&record).map_err(refused)
        });
        told.fold(Ok(()), Result::and)
    }

    fn await_all(
        &mut self,
        wanted: Report,
        deed: &str,
        is_alive: impl Fn(usize) -> bool,
    ) -> Result<(), Failure> {
        let start = Instant::now();
        for (worker, side) in self.sides.iter_mut().enumerate() {
            loop {
                // Asked before the ring is read: a worker that ends says so first.
                let alive = is_alive(worker);
                match side.reports.try_recv().map(|record| Report::from_record(&record)) {
                    Some(Ok(report)) if report == wanted => break,
                    Some(_) => {}
                    None if alive && start.elapsed() < PATIENCE => {
                        std::thread::sleep(Duration::from_micros(100));
                    }
                    None => return Err(Failure::new(format!("worker {worker} has not {deed}"))),
                }
            }
        }
        Ok(())
    }

    /// The flow tables of all workers but one.
    pub(crate) fn other_readers(&self, than: usize) -> Vec<FlowReader> {
        let others = self.readers.iter().enumerate().filter(|(worker, _)| *worker != than);
        others.map(|(_, reader)| reader.clone()).collect()
    }

    /// What a counter stands at, all workers together, as last published.
    pub(crate) fn count(&self, counter: impl Into<Counter>) -> u64 {
        let index = counter.into().index();
        self.sides.iter().filter_map(|side| side.counters.read(index)).sum()
    }

    /// What each worker has counted, as it published it last. The sum law has to hold for each.
    pub(crate) fn ledgers(&self) -> Vec<Result<Ledger, Unread>> {
        let mut words = vec![0; self.layout.words()];
        let read = self.sides.iter().map(|side| {
            side.counters.snapshot(&mut words).map_err(|busy| Unread::Busy(busy.to_string()))?;
            let ledger = Ledger::from_words(self.layout, &words);
            ledger.balance().map_err(|off| Unread::Off(off.to_string()))?;
            Ok(ledger)
        });
        read.collect()
    }

    /// All counters as the workers published them last, when they have ended, summed. The sum law has to hold for each
    /// worker and for all together, and nothing may be on its way from one to another.
    pub(crate) fn account(&self) -> Result<Ledger, Failure> {
        let mut total = Ledger::new(self.layout);
        for (worker, ledger) in self.ledgers().into_iter().enumerate() {
            let unread = |why: Unread| Failure::new(format!("worker {worker}: {why}"));
            total.merge(&ledger.map_err(unread)?);
        }
        total.balance().map_err(|off| Failure::new(format!("the workers lost count: {off}")))?;
        let (out, back) = (total.get(Event::HandOut), total.get(Event::HandIn));
        if out != back {
            return Err(Failure::new(format!(
                "the workers lost packets: hand.out {out} is not hand.in {back}"
            )));
        }
        Ok(total)
    }
}

/// The ways between so many workers, if there are several.
pub(crate) fn ways<P>(workers: usize) -> Vec<MeshEnd<P>> {
    if workers > 1 { worker::mesh(u16::try_from(workers).unwrap_or(u16::MAX)) } else { Vec::new() }
}

/// Why a worker's counters are not to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// They are being written; a moment later they can be read.
    Busy(String),
    /// They break the sum law.
    Off(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(why) => write!(f, "its counters cannot be read: {why}"),
            Self::Off(why) => write!(f, "it lost count: {why}"),
        }
    }
}

/// What a running box asks of its workers.
#[cfg(feature = "dpdk")]
impl Crew {
    /// Numbers below these are counted one by one.
    pub(crate) const fn layout(&self) -> Layout {
        self.layout
    }

    /// Every worker's flow table, to be read from any thread.
    pub(crate) fn readers(&self) -> Vec<FlowReader> {
        self.readers.clone()
    }

    /// The last tick at which each worker's heart beat.
    pub(crate) fn heartbeats(&self) -> impl Iterator<Item = u64> + '_ {
        self.sides.iter().map(|side| side.heartbeat.last())
    }

    /// Gives a table to one worker, or to all, and tells them to switch to it. One that takes none does not keep it
    /// from those behind it; the first is told of.
    pub(crate) fn hand_over(&mut self, table: &Arc<Table<Image>>, to: Option<usize>) -> Result<(), Failure> {
        let command = Command::Switch(table.generation()).to_record();
        let (hops, macs) = (&mut self.hops, &self.macs);
        let ends = self.sides.iter_mut().zip(&mut self.tables).enumerate();
        let given =
            ends.filter(|(worker, _)| to.is_none_or(|to| to == *worker)).map(|(worker, (side, tables))| {
                let full = || Failure::new(format!("worker {worker} takes no table: its ring is full"));
                let mut handover = Handover::new(Arc::clone(table), macs);
                hops.put_into(&mut handover);
                tables.hand_over(handover).map_err(|_| full())?;
                side.commands.try_send(&command).map_err(|_| full())?;
                hops.handed(worker, table.generation());
                Ok(())
            });
        given.fold(Ok(()), Result::and)
    }

    /// These are the next hops that every table from now on begins with, and they hold all up to `serial`.
    pub(crate) fn start_hops(&mut self, hops: impl IntoIterator<Item = Hop>, serial: u64) {
        self.hops.start(hops, serial);
    }

    /// Tells every worker of a next hop, as soon as its ring has room; only the newest of a real is told.
    pub(crate) fn tell_hop(&mut self, hop: Hop, serial: u64) {
        self.hops.tell(hop, serial);
        self.send_hops();
    }

    /// Sends what waits for room.
    pub(crate) fn send_hops(&mut self) {
        for (worker, side) in self.sides.iter_mut().enumerate() {
            self.hops.send(worker, |hop, serial| {
                side.commands.try_send(&Command::Hop { hop, serial }.to_record()).is_ok()
            });
        }
    }

    /// The serial up to which all workers forward by what they were told.
    pub(crate) fn hops_at(&self) -> u64 {
        self.hops.at()
    }

    /// Lets go of the tables that came back.
    pub(crate) fn let_go(&mut self) {
        self.tables.iter_mut().for_each(TableSender::let_go);
    }

    /// What the workers have said since it was asked last, by worker.
    pub(crate) fn reports(&mut self) -> Vec<(usize, Report)> {
        let mut list = Vec::new();
        for (worker, side) in self.sides.iter_mut().enumerate() {
            while let Some(record) = side.reports.try_recv() {
                let Ok(report) = Report::from_record(&record) else { continue };
                self.hops.hear(worker, report);
                list.push((worker, report));
            }
        }
        list
    }
}

/// Flow tables are filled with zeroes at once; what the machine cannot hold is better refused in words
/// than by the kernel.
fn refuse_too_large(entries: usize, workers: u16) -> Result<(), Failure> {
    let bytes = entries.saturating_mul(HOT_BYTES_PER_ENTRY + COLD_BYTES_PER_ENTRY);
    let needed = bytes.saturating_mul(usize::from(workers));
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    match available_bytes(&text) {
        Some(available) if needed > available => Err(Failure::new(format!(
            "the flow tables of {workers} workers need {} MB and {} MB are free: lower flow.entries, or the \
             number of workers",
            needed >> 20,
            available >> 20
        ))),
        _ => Ok(()),
    }
}

fn available_bytes(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::{available_bytes, refuse_too_large};

    #[test]
    fn free_memory_is_read_as_the_kernel_writes_it() {
        let text = "MemTotal: 16 kB\nMemAvailable:   23000000 kB\nSwapTotal: 0 kB\n";
        assert_eq!(available_bytes(text), Some(23_000_000 * 1024));
        assert_eq!(available_bytes("nothing of the kind"), None);
    }

    #[test]
    fn tables_beyond_all_memory_are_refused() {
        assert!(refuse_too_large(1 << 40, 128).is_err());
        assert!(refuse_too_large(1024, 1).is_ok());
    }
}
