//! `penstock run`: the same path on live ports, until a signal comes, so many packets were received, or
//! so long has passed.
//!
//! ```text
//! signals ──┐                          ┌─ commands, tables ─→ workers
//! console ──┼─ inbox ─→ office (desk) ─┤                        │
//! builder ──┤             │            └─ reports, pages ←──────┘
//! kernel  ──┘             │
//!    builder ←── jobs ────┘ board: how things stand, for all who ask
//! ```
//!
//! The control thread waits at its inbox and nowhere else. What takes long is the builder's, what talks to
//! people the console's.

mod begun;
mod builder;
mod console;
mod ends;
mod events;
pub(crate) mod follow;
mod live;
mod manager;
mod office;
pub(crate) mod standing;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use control::{Desk, Image, InForce, Job, Overrides, Publication, Publisher, Refusal, blueprint};
use counters::{Event as Counted, Ledger};
use ctl::Server;
use dpdk::{Eal, EthPort};
use engine::{NoObserver, Observer};
use port::{Port, Tick};
use worker::{KernelEnd, Recorder, RoundRobin, Tape, Worker};

use crate::cli::RunOptions;
use crate::crew::{Crew, Room, Seat};
use crate::eyes;
use crate::eyes::live::Taps;
use crate::failure::Failure;
use crate::kernel::{Beside, way_back};
use crate::meter::Meter;
use crate::output::{Output, refuse_same};
use crate::run::begun::Begun;
use crate::run::builder::{Builder, overrides_path};
use crate::run::console::Console;
use crate::run::ends::{End, refuse_faults, summarize, tell};
use crate::run::events::{Event, Origin, watch_signals};
use crate::run::follow::{FOLLOWS_NOTHING, Follower, ends, has_ends};
use crate::run::live::Live;
use crate::run::office::{Office, Outside};
use crate::run::standing::{Board, Names, Standing, WorkerStanding};
use crate::screens::figures;
use crate::site::{self, Site, hex};
use crate::summary::{json, reals, respond, rules, services};
use crate::valve::{Valve, Valved};

/// Forwards.
pub(crate) fn run(options: &RunOptions) -> Result<(), Failure> {
    let mut paths = vec![("--config", options.config.as_path())];
    paths.extend(options.report.as_deref().map(|path| ("--report", path)));
    refuse_same(&paths)?;
    let file = load(&options.config)?;
    if file.ports.iter().any(conf::Port::has_twin) {
        // Before any thread is started: no worker is to be woken for what the kernel sends.
        dpdk::block_driver_signals();
    }
    // Before anything is written: from here on a signal ends the program in order.
    let signals = events::hold_signals()?;
    let report = options.report.as_deref().map(Output::create).transpose()?;
    let Live { eal, ports, queues } = live::open(&file, file.dataplane.workers)?;
    let macs: Vec<[u8; 6]> = ports.iter().map(EthPort::mac).collect();
    let origin = Origin { path: options.config.as_path().into(), mac: macs.first().copied().map(conf::Mac) };
    // Each port answers by its own address, unless the node is given one for all.
    let macs = file.node.mac.map_or(macs, |conf::Mac(mac)| vec![mac; file.ports.len()]);
    let file = origin.filled(file);
    let (beside, kernels) = Beside::start(&eal, &file, &macs)?.unzip();
    way_back::tell(&file);
    let configured = file.ports.clone();
    let carried = beside.as_ref().map(Beside::carried);
    let statistics = || live::stats(&configured, &ports, carried.as_deref());
    let (send, inbox) = channel();
    watch_signals(signals, send.clone(), origin.clone())?;
    let (ends, needed) = (ends(&file, &macs), file.reals.iter().any(conf::Real::is_followed));
    let follower = Follower::start(ends, needed, send.clone())?;
    let mut stage = Stage::new(file, origin, (send, inbox), macs.clone(), follower)?;
    for seat in &mut stage.seats {
        seat.engine.answer_by(macs.clone());
    }
    let ports_of = queues.into_iter().map(RoundRobin::new);
    let enter = |number: usize| {
        crate::cores::pin(number + 1);
        Ok(dpdk::register_thread()?)
    };
    let is_whole = || beside.as_ref().is_none_or(Beside::is_alive);
    let until = Until { packets: options.packets, seconds: options.duration, is_whole: Some(&is_whole) };
    let kernels = kernels.unwrap_or_default();
    // Whoever knew another router for a VIP that appears is to turn to us.
    let changed = |old: &conf::Config, new: &conf::Config| {
        beside.iter().for_each(|beside| beside.announce_new(old, new));
        if old.node.return_path != new.node.return_path {
            way_back::tell(new);
        }
    };
    let left = if options.no_recorder {
        let workers = ports_of.map(|port| (port, NoObserver)).collect();
        stage.conduct(workers, kernels, enter, (&statistics, &changed), &until)
    } else {
        let workers: Vec<_> = ports_of.map(|port| (port, Recorder::default())).collect();
        stage.tapes = workers.iter().map(|(_, recorder)| recorder.tape()).collect();
        stage.conduct(workers, kernels, enter, (&statistics, &changed), &until)
    };
    beside.map(Beside::stop).transpose()?;
    let left = left?;
    live::tell(&statistics());
    drop(ports);
    conclude(&eal, report, &left)
}

/// Writes and tells what a run leaves; what must not have happened is a failure.
fn conclude(eal: &Eal, report: Option<Output>, left: &Left) -> Result<(), Failure> {
    let Left { ends, ledger, names } = left;
    let leaked = eal.mbufs_in_use();
    let sequence = names.in_force.generation.sequence;
    let mut services = services(&names.site, ledger);
    respond(&names.site, ledger, &mut services);
    let summary = report::Report {
        generation: report::Generation { sequence, digest: names.digest.clone() },
        machine: report::Machine::here(Some(dpdk::rte_version().to_owned()), eal.memory().to_string()),
        mbufs_leaked: Some(leaked),
        services,
        reals: reals(&names.site, ledger),
        rules: rules(&names.site, ledger),
        ..summarize(ledger, ends)
    };
    if let Some(mut out) = report {
        out.put(json(&summary, ledger)?.as_bytes())?;
        out.finish()?;
    }
    tell(&names.site, ledger, &summary)?;
    refuse_faults(leaked, ends)
}

/// The configuration, which has to name a port.
fn load(path: &Path) -> Result<conf::Config, Failure> {
    let file = conf::load(path)?;
    if file.ports.is_empty() {
        return Err(Failure::new(format!(
            "{}: no port is configured: add a [[port]] with a name and a device",
            path.display()
        )));
    }
    if !has_ends(&file) {
        site::refuse_followed(&file, FOLLOWS_NOTHING)?;
    }
    Ok(file)
}

/// When a run ends by itself.
#[derive(Clone, Copy, Default)]
struct Until<'u> {
    packets: Option<u64>,
    seconds: Option<f64>,
    /// Whether what works beside the workers still does: without the ferry the kernel is cut off, and nobody could
    /// reach the box to find out why.
    is_whole: Option<&'u dyn Fn() -> bool>,
}

impl Until<'_> {
    /// Whether it has ended, which began at `start` and has received so many packets.
    fn has_come(&self, received: impl FnOnce() -> u64, start: Instant) -> bool {
        self.packets.is_some_and(|packets| received() >= packets)
            || self.seconds.is_some_and(|seconds| start.elapsed().as_secs_f64() >= seconds)
            || self.is_whole.is_some_and(|is_whole| !is_whole())
    }
}

/// All but the ports: numbers, the first table, the workers' seats.
struct Stage {
    crew: Crew,
    seats: Vec<Seat>,
    names: Arc<Names>,
    publisher: Publisher,
    origin: Origin,
    follower: Follower,
    /// What each worker decided last, if that is kept.
    tapes: Vec<Arc<Tape>>,
    send: Sender<Event>,
    inbox: Receiver<Event>,
}

/// What a run leaves.
struct Left {
    ends: Vec<End>,
    ledger: Ledger,
    /// What was in force at the end.
    names: Arc<Names>,
}

impl Stage {
    /// Numbers and operators' words are read, the first table is published.
    fn new(
        file: conf::Config,
        origin: Origin,
        (send, inbox): (Sender<Event>, Receiver<Event>),
        macs: Vec<[u8; 6]>,
        follower: Follower,
    ) -> Result<Self, Failure> {
        let said = overrides_path(&file).map(|path| Overrides::load(&path)).transpose()?.unwrap_or_default();
        let (overrides, notes) = said.settle(&file);
        if overrides != said {
            // A word that has ended does not rise again.
            builder::write(&file, &overrides).map_err(Failure::new)?;
        }
        for line in notes.into_iter().chain(overrides.sentences()) {
            tracing::info!("{line}");
        }
        let site = Site::of(overrides.over(&file))?;
        // On disk before anything is published: a machine that stops in between must not have used what it
        // forgets.
        site.save_numbers()?;
        let mut publisher = Publisher::new(u64::from_le_bytes(random()?));
        let publication = publisher.publish(&blueprint(&site.config, &site.numbers)?)?;
        let workers = site.config.dataplane.workers;
        let key = site.config.flow.key.map_or_else(random, Ok)?;
        let (crew, seats) = Crew::new(&site, &publication, workers, key, Room::ToGrow, macs)?;
        let names = Arc::new(first_names(file, overrides, site, &publication, &seats));
        tracing::info!(
            "generation {} ({}) on {workers} workers",
            names.in_force.generation.sequence,
            names.digest
        );
        Ok(Self { crew, seats, names, publisher, origin, follower, tapes: Vec::new(), send, inbox })
    }

    /// Starts the workers, conducts them through their life, and stops them.
    fn conduct<P, O, G>(
        mut self,
        ports: Vec<(P, O)>,
        kernels: Vec<KernelEnd<P::Packet>>,
        enter: impl Fn(usize) -> Result<G, Failure> + Sync,
        (statistics, changed): Outside<'_>,
        until: &Until<'_>,
    ) -> Result<Left, Failure>
    where
        P: Port + Send,
        P::Packet: Send,
        O: Observer<P::Packet> + Send,
    {
        let valve = Valve::default();
        let mut ready = Vec::new();
        let mut gauges = Vec::new();
        let port_names = self.names.site.config.ports.iter().map(|port| port.name.to_string());
        let (taps, ends_of_taps) = Taps::new(self.seats.len(), port_names.collect());
        let (mut kernels, mut mates) = (kernels.into_iter(), crate::crew::ways(self.seats.len()).into_iter());
        let places = self.seats.drain(..).zip(ends_of_taps).enumerate();
        for ((number, (seat, ends)), (port, observer)) in places.zip(ports) {
            let Seat { engine, table, tables, side } = seat;
            let meter = Meter::new()?;
            gauges.push(meter.gauge());
            let port = Valved::new(port, &valve, Tick(0));
            let mut worker = Worker::new(port, engine, table, tables, side).with_taps(ends);
            if let Some(kernel) = kernels.next() {
                worker = worker.with_kernel(kernel);
            }
            if let Some(end) = mates.next() {
                worker = worker.with_mates(end, self.crew.other_readers(number));
            }
            ready.push((number, worker, observer, meter));
        }
        let (board, server) = self.open_console(gauges.len(), taps)?;
        let _figures = figures::serve(self.names.site.config.metrics.listen, &board)?;
        let builder =
            Builder { publisher: self.publisher, readers: self.crew.readers(), layout: self.crew.layout() };
        let (jobs, to_build) = channel();
        let desk = Desk::new(self.names.in_force.clone(), gauges.len());
        let outside = (statistics, changed);
        let mut office =
            Office::new(self.inbox, (jobs, desk), self.follower, Arc::clone(&board), gauges, outside);
        office.follow(&mut self.crew);
        let office = RefCell::new(office);
        let (crew, send, enter, start) = (&mut self.crew, self.send, &enter, Instant::now());
        let tapes = &self.tapes;
        let ends = thread::scope(|scope| {
            scope.spawn(move || build_all(builder, &to_build, &send));
            let life = |one| scope.spawn(move || life(one, enter));
            let threads: Vec<_> = ready.into_iter().map(life).collect();
            let is_alive = |worker: usize| threads.get(worker).is_some_and(|thread| !thread.is_finished());
            let mut is_told = false;
            let conducted = crew.conduct(
                &valve,
                is_alive,
                |crew| office.borrow_mut().prepare(crew),
                |crew| {
                    // The valve is open.
                    if !std::mem::replace(&mut is_told, true) {
                        manager::ready(board.standing().names.in_force.generation.sequence);
                    }
                    let goes_on = office.borrow_mut().turn(crew);
                    goes_on && !until.has_come(|| crew.count(Counted::Rx), start)
                },
            );
            manager::stopping();
            // With it go the builder's work and those who wait for an answer.
            drop(server);
            office.into_inner().end(crew);
            let joined = threads.into_iter().enumerate();
            let end = |(number, thread): (usize, ScopedJoinHandle<'_, _>)| {
                thread.join().map_err(|_| broke_off(number, tapes, &board)).flatten()
            };
            // All are heard before the first failure is told: several may have broken off.
            let ends: Vec<Result<End, Failure>> = joined.map(end).collect();
            let ends = ends.into_iter().collect::<Result<Vec<_>, _>>()?;
            conducted.map(|()| ends)
        })?;
        let ledger = self.crew.account()?;
        Ok(Left { ends, ledger, names: Arc::clone(&board.standing().names) })
    }

    /// The board, and the control socket in front of it. Where nobody has asked for a socket of its own, a box
    /// forwards without one rather than not at all.
    fn open_console(&self, workers: usize, taps: Taps) -> Result<(Arc<Board>, Option<Server>), Failure> {
        let zero = Ledger::new(self.crew.layout());
        let worker = WorkerStanding {
            ledger: zero.clone(),
            busy: 0.0,
            busy_seconds: 0.0,
            flows: (0, 0),
            tick: 0,
            silent_ms: 0,
        };
        let standing = Standing {
            at_ms: 0,
            names: Arc::clone(&self.names),
            total: zero,
            workers: vec![worker; workers],
            ports: Vec::new(),
            ways: self.follower.shown(),
            hops: self.follower.figures(),
        };
        let board = Arc::new(Board::new(standing, self.crew.readers()));
        let console = Console {
            board: Arc::clone(&board),
            inbox: self.send.clone(),
            origin: self.origin.clone(),
            taps,
            tapes: self.tapes.clone(),
        };
        let path = &self.names.site.config.node.control;
        match Server::start(path, move |request| console.answer(request)) {
            Ok(server) => {
                tracing::info!("the control socket is {}", server.path().display());
                Ok((board, Some(server)))
            }
            Err(error) if path.as_path() == Path::new(conf::defaults::CONTROL) => {
                tracing::warn!("{error}; it runs without: `penstock show` and `reload` do not reach it");
                Ok((board, None))
            }
            Err(error) => Err(Failure::new(error.to_string())),
        }
    }
}

/// A worker has ended without having been told to: its last verdicts are told, if they were kept.
fn broke_off(number: usize, tapes: &[Arc<Tape>], board: &Board) -> Failure {
    if let Some(tape) = tapes.get(number) {
        let standing = board.standing();
        eyes::recorder::tell(number, tape, &eyes::words::Names::new(&standing.names.site));
    }
    Failure::new(format!("worker {number} broke off; this is a fault"))
}

fn first_names(
    file: conf::Config,
    overrides: Overrides,
    site: Site,
    publication: &Publication,
    seats: &[Seat],
) -> Names {
    let in_force = InForce {
        file,
        overrides,
        config: Arc::new(site.config.clone()),
        numbers: site.numbers.clone(),
        generation: publication.generation,
    };
    let table = seats.first().map(|seat| Arc::downgrade(seat.table.table())).unwrap_or_default();
    let directory = site.directory();
    Names {
        in_force,
        site,
        directory,
        digest: hex(&publication.digest),
        since_ms: 0,
        table,
        begun: Begun::default(),
    }
}

/// The builder's life: one job after the other, until no more can come.
fn build_all(mut builder: Builder, jobs: &Receiver<Job>, inbox: &Sender<Event>) {
    for job in jobs {
        let built = panic::catch_unwind(AssertUnwindSafe(|| builder.build(&job)));
        let built = built.unwrap_or_else(|_| {
            let why = "the builder broke off; this is a fault: keep the log, and restart `penstock run`";
            Err(Refusal::Internal(why.to_owned()))
        });
        if inbox.send(Event::Built(job.ticket, built)).is_err() {
            return;
        }
    }
}

/// A worker that is ready to start, who watches it, and how it is measured.
type Ready<'v, P, O> = (usize, Worker<Valved<'v, P>, Image>, O, Meter);

fn life<P: Port, O: Observer<P::Packet>, G>(
    (number, mut worker, mut observer, mut meter): Ready<'_, P, O>,
    enter: &impl Fn(usize) -> Result<G, Failure>,
) -> Result<End, Failure> {
    let _entered = enter(number)?;
    meter.run(&mut worker, &mut observer);
    let (unknown, unsent) = worker.lost();
    Ok(End { meter, occupancy: worker.engine().occupancy(), lost: unknown + unsent })
}

/// Bytes that nobody can guess.
fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| Failure::new(format!("no random bytes: {error}")))?;
    Ok(bytes)
}
