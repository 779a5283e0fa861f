//! `penstock replay`: a capture goes in, and what the packet path makes of it comes out.

mod caught;
#[cfg(feature = "dpdk")]
mod dpdk;
mod kept;
mod memory;
mod notes;
mod pace;
mod script;
mod summary;
mod trace;
mod turnstile;
mod watch;

use std::collections::BTreeSet;
use std::net::IpAddr;

use ::capture::{Capture, FaultKind};
use conf::{Config, Then, Vip, network};
use control::Image;
use counters::Event;
use port::Port;
use service::Key;
use wire::FiveTuple;
use worker::{MeshEnd, Worker};

use crate::cli::{Backend, ReplayOptions};
use crate::crew::{Crew, Room, Seat};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::limits::{FAULTS_TOLD_MAX, RATE_RECORDS_MAX, RECORDS_MAX};
use crate::meter::Meter;
use crate::output::{Output, refuse_same};
use crate::replay::caught::Caught;
use crate::replay::kept::Kept;
use crate::replay::notes::{Notes, Records, Shares};
use crate::replay::script::Script;
use crate::replay::watch::Watch;
use crate::site::{self, Site};

/// Places flows in replay: always the same, so that a capture always gives the same decisions.
const TABLE_KEY: [u8; 16] = *b"penstock replay.";

/// Names the generation's boot in replay, where nothing outlives the process.
const BOOT: u64 = 1;

/// What a back end works with.
pub(crate) struct Stage<'s> {
    site: &'s Site,
    script: &'s Script,
    options: &'s ReplayOptions,
    interrupt: &'s Interrupt,
    crew: Crew,
    watch: Watch,
    caught: Option<Caught<'s>>,
    shares: Option<Shares>,
    has_records: bool,
}

impl<'s> Stage<'s> {
    fn notes(&self, worker: usize) -> Notes<'s> {
        Notes::new(self.script, worker, self.has_records, self.shares.clone())
    }

    /// Worker `number` behind its port, with its ways to the others, and its tap if there is a capture.
    fn worker<P: Port>(
        &mut self,
        number: usize,
        port: P,
        seat: Seat,
        mates: Option<MeshEnd<P::Packet>>,
    ) -> Worker<P, Image> {
        let Seat { engine, table, tables, side } = seat;
        let mut worker =
            Worker::new(port, engine, table, tables, side).with_burst_max(usize::from(self.options.burst));
        if let Some(end) = mates {
            worker = worker.with_mates(end, self.crew.other_readers(number));
        }
        match self.caught.as_mut().and_then(|caught| caught.tap(self.script, number)) {
            Some(taps) => worker.with_taps(taps),
            None => worker,
        }
    }

    /// Between two looks at the workers.
    fn look(watch: &mut Watch, caught: &mut Option<Caught<'s>>, crew: &Crew) {
        watch.look(crew);
        if let Some(caught) = caught {
            caught.drain();
        }
    }
}

/// What one worker leaves.
pub(crate) struct End<'s> {
    meter: Meter,
    notes: Notes<'s>,
    /// Flows in the table at the end, and room for them.
    occupancy: (usize, usize),
    /// Commands not understood, reports lost.
    lost: (u64, u64),
}

/// What a back end leaves.
pub(crate) struct Finished<'s> {
    ends: Vec<End<'s>>,
    kept: Vec<Kept>,
    mbufs_leaked: Option<u64>,
    /// DPDK's release, and where its memory was.
    dpdk: Option<(String, String)>,
}

impl Finished<'_> {
    /// What was noted of each packet.
    fn records(&self) -> Records<'_> {
        Records::of(self.ends.iter().map(|end| &end.notes))
    }
}

/// A worker's life in its thread.
fn serve<'s, P: Port>(mut worker: Worker<P, Image>, mut notes: Notes<'s>, mut meter: Meter) -> (P, End<'s>) {
    meter.run(&mut worker, &mut notes);
    let (occupancy, lost) = (worker.engine().occupancy(), worker.lost());
    (worker.into_port(), End { meter, notes, occupancy, lost })
}

/// The files that are written, open.
struct Outputs {
    out: Option<::capture::Writer>,
    trace: Option<Output>,
    report: Option<Output>,
    html: Option<Output>,
}

impl Outputs {
    fn open(options: &ReplayOptions, script: &Script) -> Result<Self, Failure> {
        let create = |path: &Option<std::path::PathBuf>| path.as_deref().map(Output::create).transpose();
        Ok(Self {
            out: options.out.as_deref().map(|path| kept::create(script, path)).transpose()?,
            trace: create(&options.trace)?,
            report: create(&options.report)?,
            html: create(&options.html)?,
        })
    }
}

/// Whether a packet may be of interest to another worker than its own, as far as its destination tells: it is for a service
/// that keeps clients, and a rule may send any there; or a tunnel ends there, and what is inside is not seen here.
fn is_shared(config: &Config) -> impl Fn(&FiveTuple) -> bool + use<> {
    let keeps = |service: &conf::Service| matches!(service.key, Key::Source(_));
    let given = config.rules.iter().filter_map(|rule| match rule.then {
        Then::Service(service) | Then::Real { service, .. } => config.services.get(service),
        Then::Drop | Then::Usual => None,
    });
    let by_rule = given.into_iter().any(keeps);
    let vips: BTreeSet<Vip> =
        config.services.iter().filter(|service| keeps(service)).map(|service| service.vip).collect();
    let ends: BTreeSet<IpAddr> = config.ends.iter().map(|end| end.spec.address).collect();
    move |tuple| {
        by_rule
            || ends.contains(&tuple.destination_ip())
            || vips.iter().any(|vip| network(tuple.destination_ip(), vip.prefix_len) == vip.address)
    }
}

/// Replays.
pub(crate) fn replay(options: &ReplayOptions) -> Result<(), Failure> {
    refuse_same_files(options)?;
    let site = Site::load(&options.config)?;
    let workers = options.workers.unwrap_or(site.config.dataplane.workers);
    site::refuse_followed(&site.config, "a replay has no kernel to learn it from")?;
    let interrupt = Interrupt::watch()?;
    let capture = Capture::open(&options.input)?.require_packets()?;
    tell_faults(&capture);
    let script = Script::new(capture, (workers, options.loops), is_shared(&site.config));
    interrupt.check()?;
    refuse_too_much(options, &script, workers)?;
    let outputs = Outputs::open(options, &script)?;
    let caught = Caught::open(options, &site, &script)?;
    let publication = site.publish(BOOT)?;
    let key = site.config.flow.key.unwrap_or(TABLE_KEY);
    let (crew, seats) = Crew::new(&site, &publication, workers, key, Room::Exact, Vec::new())?;
    let has_report = options.report.is_some() || options.html.is_some();
    let has_records = options.trace.is_some() || has_report && script.packets() <= RATE_RECORDS_MAX;
    let mut stage = Stage {
        site: &site,
        script: &script,
        options,
        interrupt: &interrupt,
        crew,
        watch: Watch::new(script.packets()),
        caught,
        shares: if has_report { Shares::new(&site) } else { None },
        has_records,
    };
    let finished = match options.backend {
        Backend::Memory => memory::run(&mut stage, seats),
        Backend::Dpdk => run_dpdk(&mut stage, seats),
    }?;
    stage.watch.finish();
    interrupt.check()?;
    if let Some(caught) = stage.caught.take() {
        caught.finish(&script, &interrupt)?;
    }
    conclude(&stage, outputs, &publication, finished)
}

#[cfg(feature = "dpdk")]
fn run_dpdk<'s>(stage: &mut Stage<'s>, seats: Vec<Seat>) -> Result<Finished<'s>, Failure> {
    dpdk::run(stage, seats)
}

#[cfg(not(feature = "dpdk"))]
fn run_dpdk<'s>(_: &mut Stage<'s>, _: Vec<Seat>) -> Result<Finished<'s>, Failure> {
    Err(Failure::new(crate::NO_DPDK))
}

/// Writes everything that was asked for, and says how it went.
fn conclude(
    stage: &Stage<'_>,
    outputs: Outputs,
    publication: &control::Publication,
    finished: Finished<'_>,
) -> Result<(), Failure> {
    let (script, interrupt) = (stage.script, stage.interrupt);
    let ledger = stage.crew.account()?;
    let expected = script.packets();
    if ledger.get(Event::Rx) != expected {
        let rx = ledger.get(Event::Rx);
        return Err(Failure::new(format!(
            "{expected} packets were sent and {rx} received: the back end lost some"
        )));
    }
    if let Some(out) = outputs.out {
        kept::write(script, out, &finished.kept, interrupt)?;
    }
    if let Some(out) = outputs.trace {
        trace::write(stage.site, script, &finished.records(), out, interrupt)?;
    }
    let report = summary::report(stage, publication, &ledger, &finished);
    if let Some(mut out) = outputs.report {
        out.put(crate::summary::json(&report, &ledger)?.as_bytes())?;
        out.finish()?;
    }
    if let Some(mut out) = outputs.html {
        out.put(report.to_html().as_bytes())?;
        out.finish()?;
    }
    summary::tell(stage.options, &report)?;
    refuse_faults(&report, &finished)
}

/// What must not have happened is a failure, however good the rest looks.
fn refuse_faults(report: &report::Report, finished: &Finished<'_>) -> Result<(), Failure> {
    if let Some(leaked @ 1..) = report.mbufs_leaked {
        return Err(Failure::new(format!("{leaked} mbufs were not given back; this is a fault")));
    }
    if let Some(made @ 1..) = report.allocations_after_start {
        return Err(Failure::new(format!(
            "the workers made {made} allocations after start; this is a fault"
        )));
    }
    if finished.ends.iter().any(|end| end.lost != (0, 0)) {
        return Err(Failure::new("a worker lost a command or a report; this is a fault"));
    }
    Ok(())
}

fn refuse_same_files(options: &ReplayOptions) -> Result<(), Failure> {
    let outputs = [
        ("--out", &options.out),
        ("--trace", &options.trace),
        ("--capture", &options.capture),
        ("--report", &options.report),
        ("--html", &options.html),
    ];
    let mut paths = vec![("--config", options.config.as_path()), ("--in", options.input.as_path())];
    paths.extend(outputs.into_iter().filter_map(|(name, path)| Some((name, path.as_deref()?))));
    refuse_same(&paths)
}

/// Refuses what would not fit into memory.
fn refuse_too_much(options: &ReplayOptions, script: &Script, workers: u16) -> Result<(), Failure> {
    if options.trace.is_some() && script.packets() > RECORDS_MAX {
        return Err(Failure::new(format!(
            "--trace holds at most {RECORDS_MAX} packets and {} are to come: give fewer --loops",
            script.packets()
        )));
    }
    if options.out.is_some() {
        kept::refuse_too_much(script, workers)?;
    }
    Ok(())
}

/// What is odd about a capture is told and does not stop the replay.
fn tell_faults(capture: &Capture) {
    let name = capture.name();
    let total: u64 = capture.fault_counts().iter().sum();
    let told = capture.faults().iter().take(FAULTS_TOLD_MAX);
    for fault in told.clone() {
        tracing::warn!("{name}: {fault}");
    }
    if let Some(end) = capture.end_fault().filter(|end| !told.clone().any(|fault| fault == end)) {
        tracing::warn!("{name}: {end}");
    }
    if total > FAULTS_TOLD_MAX as u64 {
        let counts = capture.fault_counts().iter().zip(FaultKind::NAMES).filter(|(count, _)| **count > 0);
        let counts: Vec<String> = counts.map(|(count, kind)| format!("{kind} ({count})")).collect();
        tracing::warn!("{name}: {total} faults in all: {}", counts.join(", "));
    }
}
