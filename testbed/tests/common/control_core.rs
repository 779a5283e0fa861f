//! The control core of the tests that swap tables: it publishes, hands over and waits for the workers' word.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use control::{Image, Publisher};
use counters::{Layout, Ledger};
use engine::Engine;
use flow::FlowTable;
use link::{Command, Report};
use port::Port;
use service::{Blueprint, Hop, Table};
use shm::{ControlSide, Region};
use worker::{Handover, TableReceiver, TableSender, Worker, tables};

use super::{FLOWS_MAX, PACKETS_PER_TABLE, REALS};

/// Tables on their way to a worker at a time.
const TABLES_MAX: usize = 4;
/// Services that a page has room for.
const SERVICES: usize = 4;
/// Whoever waits longer for the other side waits for ever: packets are lost, or a thread is gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `is_there` gives something; gives nothing once a worker has broken off, or nothing moves.
pub(crate) fn wait<T>(has_ended: &impl Fn() -> bool, mut is_there: impl FnMut() -> Option<T>) -> Option<T> {
    let begin = Instant::now();
    loop {
        let is_hopeless = has_ended() || begin.elapsed() > PATIENCE;
        match is_there() {
            None if !is_hopeless => std::thread::yield_now(),
            answer => return answer,
        }
    }
}

/// The control core's hold on one worker.
pub(crate) struct Rein {
    sender: TableSender<Image>,
    control: ControlSide,
}

/// What one worker begins with: its table, and the ends of what goes between it and the control core.
pub(crate) struct Seat {
    table: Arc<Table<Image>>,
    receiver: TableReceiver<Image>,
    side: shm::WorkerSide,
}

impl Seat {
    /// A worker on that port.
    pub(crate) fn worker<P: Port>(self, port: P, number: u16, workers: u16) -> Worker<P, Image> {
        let flows = FlowTable::new(2 * FLOWS_MAX, [9; 16]).unwrap();
        let engine = Engine::new(number, workers, flows, layout());
        Worker::new(port, engine, Handover::new(self.table, &[]), self.receiver, self.side)
    }
}

fn layout() -> Layout {
    Layout::with_room_for(SERVICES, REALS, 0)
}

/// The control core: who publishes, and what it holds of each worker.
pub(crate) struct Core {
    publisher: Publisher,
    reins: Vec<Rein>,
    tables: Vec<Weak<Table<Image>>>,
    _region: Region,
}

impl Core {
    /// A control core whose first table all of `workers` begin with.
    pub(crate) fn new(first: &Blueprint, workers: usize) -> (Self, Vec<Seat>) {
        let region = Region::create(7, workers, 8, layout().words()).unwrap();
        let mut publisher = Publisher::new(7);
        let table = Arc::new(publisher.publish(first).unwrap().table().unwrap());
        let (mut reins, mut seats) = (Vec::new(), Vec::new());
        for worker in 0..workers {
            let (sender, receiver) = tables(TABLES_MAX);
            reins.push(Rein { sender, control: region.control_side(worker).unwrap() });
            let side = region.worker_side(worker).unwrap();
            seats.push(Seat { table: Arc::clone(&table), receiver, side });
        }
        let tables = vec![Arc::downgrade(&table)];
        (Self { publisher, reins, tables, _region: region }, seats)
    }

    /// Each table in turn, acknowledged by every worker. Nothing where a worker broke off or nothing moves.
    pub(crate) fn swap_all(
        &mut self,
        blueprints: &[Blueprint],
        packets: &[AtomicU64],
        has_ended: &impl Fn() -> bool,
    ) -> Option<()> {
        for blueprint in blueprints {
            for packets in packets {
                let at = packets.load(Ordering::Acquire);
                wait(has_ended, || {
                    (packets.load(Ordering::Acquire) >= at + PACKETS_PER_TABLE).then_some(())
                })?;
            }
            self.swap(blueprint, has_ended)?;
        }
        Some(())
    }

    /// The next table, acknowledged by every worker. Nothing where a worker broke off.
    pub(crate) fn swap(&mut self, blueprint: &Blueprint, has_ended: &impl Fn() -> bool) -> Option<()> {
        let table = self.make(blueprint);
        let generation = table.generation();
        (0..self.reins.len()).for_each(|worker| self.command_switch(worker, &table));
        drop(table);
        self.await_all(Report::Switched(generation), has_ended)?;
        // The one in use, and the one before it, which is on its way back.
        let alive = self.tables.iter().filter(|table| table.strong_count() > 0).count();
        assert_eq!(alive, 2, "tables that are still there");
        self.tables.retain(|table| table.strong_count() > 0);
        Some(())
    }

    /// Makes the next table.
    pub(crate) fn make(&mut self, blueprint: &Blueprint) -> Arc<Table<Image>> {
        let table = Arc::new(self.publisher.publish(blueprint).unwrap().table().unwrap());
        self.tables.push(Arc::downgrade(&table));
        table
    }

    /// Hands a table to one worker, and tells it to switch.
    pub(crate) fn command_switch(&mut self, worker: usize, table: &Arc<Table<Image>>) {
        let rein = &mut self.reins[worker];
        rein.sender.hand_over(Handover::new(Arc::clone(table), &[])).unwrap();
        let command = Command::Switch(table.generation());
        rein.control.commands.try_send(&command.to_record()).unwrap();
    }

    /// What a worker has said since it was asked last.
    pub(crate) fn said(&mut self, worker: usize) -> Vec<Report> {
        let reports = &mut self.reins[worker].control.reports;
        let records = std::iter::from_fn(|| reports.try_recv());
        records.map(|record| Report::from_record(&record).unwrap()).collect()
    }

    /// Makes the next table, hands it to the first worker with these next hops, and tells it to switch.
    pub(crate) fn begin_switch(&mut self, blueprint: &Blueprint, hops: &[Hop]) -> Report {
        let table = self.make(blueprint);
        let generation = table.generation();
        let mut table = Handover::new(table, &[]);
        hops.iter().for_each(|hop| table.put(hop));
        self.reins[0].sender.hand_over(table).unwrap();
        self.tell(Command::Switch(generation));
        Report::Switched(generation)
    }

    /// Tells all workers something.
    pub(crate) fn tell_all(&mut self, command: Command) {
        for rein in &mut self.reins {
            rein.control.commands.try_send(&command.to_record()).unwrap();
        }
    }

    /// Tells the first worker something.
    pub(crate) fn tell(&mut self, command: Command) {
        self.reins[0].control.commands.try_send(&command.to_record()).unwrap();
    }

    /// Lets go of what came back; how many tables are still there.
    pub(crate) fn tables_there(&mut self) -> usize {
        self.reins.iter_mut().for_each(|rein| rein.sender.let_go());
        self.tables.iter().filter(|table| table.strong_count() > 0).count()
    }

    /// Waits for what the first worker says next.
    pub(crate) fn hear(&mut self, has_ended: &impl Fn() -> bool) -> Option<Report> {
        let record = wait(has_ended, || self.reins[0].control.reports.try_recv())?;
        Report::from_record(&record).ok()
    }

    /// Tells all to stop, and waits until they have.
    pub(crate) fn stop_all(&mut self, has_ended: &impl Fn() -> bool) -> Option<()> {
        self.tell_all(Command::Stop);
        self.await_all(Report::Stopped, has_ended)
    }

    fn await_all(&mut self, report: Report, has_ended: &impl Fn() -> bool) -> Option<()> {
        for rein in &mut self.reins {
            let answer = wait(has_ended, || rein.control.reports.try_recv())?;
            assert_eq!(Report::from_record(&answer), Ok(report));
        }
        Some(())
    }

    /// What stands on the page of a worker.
    pub(crate) fn page(&self, worker: usize) -> Ledger {
        let mut words = vec![0; layout().words()];
        self.reins[worker].control.counters.snapshot(&mut words).unwrap();
        Ledger::from_words(layout(), &words)
    }
}
