//! The worker loop: one breath is receive, process, transmit; commands are read between two breaths, and
//! once in a tick the counters go to the shared page and the heart beats.
//!
//! What another worker handed over is taken before what the port received. To stop is to receive no more, to say so to
//! the other workers, and to end when all have.
//!
//! A worker never waits, allocates, locks, logs or reads a clock per packet. What a port refuses is
//! counted and freed. Tables come and go through wait-free rings: the worker hands the old one back, and
//! whoever made it lets go of it.
#![forbid(unsafe_code)]

mod kernel;
mod mesh;
mod ports;
mod recorder;
mod shelf;
mod tables;
mod tap;
mod waiting;

pub use kernel::{Crossing, FerryEnd, KernelEnd, kernel_rings};
pub use mesh::{MeshEnd, MeshWatch, Parcel, mesh};
pub use ports::RoundRobin;
pub use recorder::{Client, RECORDS, Record, Recorder, Tape};
pub use tables::{Handover, TableReceiver, TableSender, tables};
pub use tap::{Shot, Tap, TapReader, TapReceiver, TapSender, Wanted, tap, taps};

use counters::{DropReason, Event, Ledger};
use engine::{Came, Engine, FlowReader, Observer, Sent, SwitchPoint};
use link::{Command, Report};
use port::{BURST_MAX, Burst, Packet, Port, Tick};
use service::Generation;
use shm::WorkerSide;

use crate::shelf::Shelf;
use crate::tap::Tapping;
use crate::waiting::{HELD_MAX, Waiting};

/// Packets that may stay with one worker: those that wait for a next hop, and fragments that wait for their first.
pub const STAYING_MAX: usize = HELD_MAX + engine::SHELF_PLACES;

/// Commands that are obeyed in one breath: packets wait no longer for more.
const COMMANDS_MAX: usize = 64;

/// What a breath did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breath {
    /// So many packets were received, and have left.
    Packets(usize),
    /// Nothing had arrived.
    Idle,
    /// The worker was told to stop, and nothing had arrived: it has ended.
    Stopped,
}

/// A worker: one port, one engine, one side of the seam.
pub struct Worker<P: Port, B> {
    port: P,
    engine: Engine,
    table: Handover<B>,
    tables: TableReceiver<B>,
    side: WorkerSide,
    burst: Burst<P::Packet>,
    gone: Burst<P::Packet>,
    /// What is left of a burst that is taken in pieces.
    rest: Burst<P::Packet>,
    burst_max: usize,
    now: Tick,
    kernel: Option<KernelEnd<P::Packet>>,
    /// On its way to the kernel.
    punted: Burst<P::Packet>,
    /// Taken out of a burst: what leaves by another port, or is held.
    apart: Burst<P::Packet>,
    waiting: Waiting<P::Packet>,
    /// Fragments that wait for the first of their datagram.
    shelf: Shelf<P::Packet>,
    /// The ways to the other workers and from them.
    mates: Option<MeshEnd<P::Packet>>,
    /// By which port those came that are in the burst.
    ingress: u8,
    /// What was around them when they came, if they were handed over or waited.
    around: Vec<Came>,
    tapping: Tapping,
    is_tapped: bool,
    is_stopping: bool,
    /// The serial of the newest hop that is not yet acknowledged.
    hops_at: Option<u64>,
    unknown_commands: u64,
    lost_reports: u64,
}

impl<P: Port, B: AsRef<[u8]>> Worker<P, B> {
    /// A worker that begins with `table`.
    #[must_use]
    pub fn new(
        port: P,
        mut engine: Engine,
        table: Handover<B>,
        tables: TableReceiver<B>,
        side: WorkerSide,
    ) -> Self {
        engine.adopt(&table.view());
        engine.may_hold(HELD_MAX);
        Self {
            port,
            engine,
            table,
            tables,
            side,
            burst: Burst::new(),
            gone: Burst::new(),
            rest: Burst::new(),
            burst_max: BURST_MAX,
            now: Tick::default(),
            kernel: None,
            punted: Burst::new(),
            apart: Burst::new(),
            waiting: Waiting::new(),
            shelf: Shelf::new(),
            mates: None,
            ingress: 0,
            around: Vec::with_capacity(BURST_MAX),
            tapping: Tapping::default(),
            is_tapped: false,
            is_stopping: false,
            hops_at: None,
            unknown_commands: 0,
            lost_reports: 0,
        }
    }

    /// Takes at most `burst_max` packets through the engine together (1 to [`BURST_MAX`]). It changes no
    /// decision and no counter; the tests use it to show that.
    #[must_use]
    pub fn with_burst_max(mut self, burst_max: usize) -> Self {
        self.burst_max = burst_max.clamp(1, BURST_MAX);
        self
    }

    /// Gives what is punted to the kernel, and sends what the kernel sends.
    #[must_use]
    pub fn with_kernel(mut self, end: KernelEnd<P::Packet>) -> Self {
        self.kernel = Some(end);
        self
    }

    /// Hands fragments to the workers whose datagrams they are of, and takes those of its own; strays are looked for in
    /// the other workers' flow tables, which are `tables` without this one's own.
    #[must_use]
    pub fn with_mates(mut self, end: MeshEnd<P::Packet>, tables: Vec<FlowReader>) -> Self {
        self.engine.beside(end.worker(), end.workers(), tables);
        self.mates = Some(end);
        self
    }

    /// One breath.
    #[inline]
    pub fn breathe(&mut self, observer: &mut impl Observer<P::Packet>) -> Breath {
        self.listen(observer);
        self.is_tapped = self.tapping.is_on();
        if self.kernel.is_some() {
            self.send_kernels();
        }
        let before = self.now;
        let handed =
            if self.mates.as_ref().is_some_and(MeshEnd::is_rung) { self.take_parcels(observer) } else { 0 };
        if !self.is_silent() {
            self.now = self.port.rx_burst(&mut self.burst).max(self.now);
        }
        if self.now != before && !self.engine.path_mtus().is_empty() {
            self.settle_path_mtus();
        }
        let received = self.burst.len();
        if received == 0 {
            self.engine.advance(self.now);
        } else {
            self.ingress = self.port.ingress();
            self.engine.arrive_by(self.ingress, false);
            if received <= self.burst_max {
                self.take(observer);
            } else {
                self.take_in_pieces(observer);
            }
        }
        if self.engine.has_releases() {
            self.send_pieces(observer);
        }
        if self.now != before {
            self.publish();
        }
        if received + handed > 0 {
            return Breath::Packets(received + handed);
        }
        if self.is_stopping { self.stop(observer) } else { Breath::Idle }
    }

    /// Processes, transmits and frees what is in the burst.
    #[inline]
    fn take(&mut self, observer: &mut impl Observer<P::Packet>) {
        if let Some(kernel) = &self.kernel {
            self.engine.kernel_has(kernel.room());
        }
        let sent = if self.is_tapped {
            self.process_tapped(observer)
        } else {
            self.engine.process(&self.table.view(), &mut self.burst, self.now, &mut self.gone, observer)
        };
        self.leave(&sent, observer);
    }

    /// Transmits what is in the burst, and parts what is gone.
    #[inline]
    fn leave(&mut self, sent: &Sent, observer: &mut impl Observer<P::Packet>) {
        if sent.away == 0 {
            let packets = self.burst.len() as u64;
            self.port.tx_burst(&mut self.burst);
            self.count_sent(packets, sent.bytes);
        } else {
            self.send_apart(sent.away);
        }
        if !self.gone.is_empty() {
            self.part(sent, observer);
        }
    }

    /// Sends each packet by its port: those that leave by the one they came by, then the others, port after port.
    /// A flow's packets are all of one real and so of one port, and keep their order.
    #[inline(never)]
    fn send_apart(&mut self, away: u64) {
        self.burst.move_marked(away, &mut self.apart);
        if !self.burst.is_empty() {
            self.send_by(self.ingress);
        }
        while let Some((port, marked)) = self.engine.next_away() {
            self.apart.move_marked(marked, &mut self.burst);
            self.send_by(port);
        }
    }

    /// Sends what is in the burst by that port, and counts it.
    pub(crate) fn send_by(&mut self, port: u8) {
        let packets = self.burst.len() as u64;
        let bytes = bytes(&self.burst);
        self.port.leave_by(port);
        self.port.tx_burst(&mut self.burst);
        self.count_sent(packets, bytes);
    }

    /// Counts what was sent; what the port did not take of it is a drop, and is freed.
    #[inline]
    fn count_sent(&mut self, packets: u64, bytes: u64) {
        let (mut refused, mut refused_bytes) = (0, 0);
        if !self.burst.is_empty() {
            (refused, refused_bytes) = (self.burst.len() as u64, self::bytes(&self.burst));
            self.engine.ledger_mut().add(DropReason::TxRefused, refused);
            self.port.free_burst(&mut self.burst);
        }
        let ledger = self.engine.ledger_mut();
        ledger.add(Event::Tx, packets - refused);
        ledger.add(Event::TxBytes, bytes - refused_bytes);
    }

    /// What is gone stays, or goes to the kernel, where there is one, or back to where it came from.
    #[inline]
    fn part(&mut self, sent: &Sent, observer: &mut impl Observer<P::Packet>) {
        if sent.held != 0 {
            self.hold(sent.held, observer);
        }
        if let Some(kernel) = &mut self.kernel
            && sent.punts != 0
        {
            self.gone.move_marked(sent.punts, &mut self.punted);
            kernel.send(&mut self.punted, self.ingress);
        }
        self.port.free_burst(&mut self.gone);
    }

    /// Sends what came from the kernel, by the port that it is for.
    fn send_kernels(&mut self) {
        let Some(kernel) = &mut self.kernel else { return };
        let port = kernel.recv(&mut self.burst);
        if self.burst.is_empty() {
            return;
        }
        self.engine.ledger_mut().add(Event::KernelRx, self.burst.len() as u64);
        self.send_by(port);
    }

    /// For tests: a received burst in pieces of `burst_max`.
    #[cold]
    fn take_in_pieces(&mut self, observer: &mut impl Observer<P::Packet>) {
        std::mem::swap(&mut self.rest, &mut self.burst);
        while !self.rest.is_empty() {
            for packet in self.rest.drain_front(self.burst_max) {
                // A piece is no larger than a burst, so each packet finds room.
                let pushed = self.burst.push(packet);
                debug_assert!(pushed.is_ok());
            }
            self.take(observer);
        }
    }

    /// Commands, between two bursts; what is more than [`COMMANDS_MAX`] waits for the next breath.
    #[inline]
    fn listen(&mut self, observer: &mut impl Observer<P::Packet>) {
        for _ in 0..COMMANDS_MAX {
            let Some(record) = self.side.commands.try_recv() else { break };
            self.obey(Command::from_record(&record), observer);
        }
        if !self.waiting.is_empty() {
            self.release(observer, false);
        }
        if let Some(serial) = self.hops_at.take() {
            self.report(Report::HopsAt(serial));
            observer.switching(SwitchPoint::HopApplied);
        }
    }

    fn obey(&mut self, command: Result<Command, link::Unknown>, observer: &mut impl Observer<P::Packet>) {
        match command {
            Ok(Command::Switch(generation)) => self.switch(generation, observer),
            Ok(Command::Stop) => self.is_stopping = true,
            Ok(Command::Hop { hop, serial }) => {
                self.table.put(&hop);
                self.hops_at = Some(self.hops_at.map_or(serial, |at| at.max(serial)));
            }
            Err(_) => self.unknown_commands += 1,
        }
    }

    fn switch(&mut self, generation: Generation, observer: &mut impl Observer<P::Packet>) {
        observer.switching(SwitchPoint::Commanded);
        if self.table.generation() != generation {
            let Some(table) = self.tables.take(generation) else {
                self.report(Report::NoSuchTable(generation));
                return;
            };
            self.engine.adopt(&table.view());
            observer.switching(SwitchPoint::Adopted);
            self.engine.ledger_mut().add(Event::TableSwitch, 1);
            let old = std::mem::replace(&mut self.table, table);
            observer.switching(SwitchPoint::Swapped);
            self.tables.give_back(old);
            self.engine.path_mtus().again();
            self.settle_path_mtus();
            observer.switching(SwitchPoint::GivenBack);
        }
        self.report(Report::Switched(generation));
        observer.switching(SwitchPoint::Acknowledged);
    }

    /// Nothing more comes: what other workers may still hand over is waited for, then it ends.
    fn stop(&mut self, observer: &mut impl Observer<P::Packet>) -> Breath {
        if let Some(mates) = &mut self.mates {
            mates.fall_silent();
            if !mates.are_silent() {
                return Breath::Idle;
            }
        }
        self.engine.give_up_fragments();
        self.send_pieces(observer);
        if !self.waiting.is_empty() {
            self.release(observer, true);
        }
        self.publish();
        self.report(Report::Stopped);
        Breath::Stopped
    }

    /// What was learnt of the ways to reals comes into force, between two bursts.
    #[cold]
    fn settle_path_mtus(&mut self) {
        let (table, now) = (&mut self.table, self.now);
        self.engine.path_mtus().settle(now, |real, mtu| table.put_mtu(real, mtu));
    }

    fn publish(&mut self) {
        self.side.counters.publish_parts(&self.engine.ledger().parts());
        self.side.heartbeat.beat(self.now.0);
    }

    fn report(&mut self, report: Report) {
        if self.side.reports.try_send(&report.to_record()).is_err() {
            self.lost_reports += 1;
        }
    }

    /// What this worker has counted.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        self.engine.ledger()
    }

    /// Its engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Its port.
    pub const fn port(&mut self) -> &mut P {
        &mut self.port
    }

    /// Commands that were not understood, and reports that found their ring full.
    #[must_use]
    pub const fn lost(&self) -> (u64, u64) {
        (self.unknown_commands, self.lost_reports)
    }

    /// Gives the port back.
    pub fn into_port(self) -> P {
        self.port
    }
}

/// The bytes of all packets of a burst.
fn bytes<P: Packet>(burst: &Burst<P>) -> u64 {
    burst.as_slice().iter().map(|packet| packet.total_len() as u64).sum()
}
