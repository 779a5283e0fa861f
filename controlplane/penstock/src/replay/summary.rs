//! The report of a replay, filled in from what was counted and measured.

use capture::FaultKind;
use control::Publication;
use counters::{Event, Ledger};
use mem::PageKind;

use crate::cli::ReplayOptions;
use crate::failure::Failure;
use crate::limits::FAULTS_TOLD_MAX;
use crate::meter::{Figures, Meter};
use crate::output::print;
use crate::replay::notes::{Shares, services};
use crate::replay::script::Script;
use crate::replay::{Finished, Stage};
use crate::site::hex;
use crate::summary::{self, flows, verdicts};

/// The report.
pub(super) fn report(
    stage: &Stage<'_>,
    publication: &Publication,
    ledger: &Ledger,
    finished: &Finished<'_>,
) -> report::Report {
    let (site, script) = (stage.site, stage.script);
    let meters: Vec<Meter> = finished.ends.iter().map(|end| end.meter.clone()).collect();
    let packets = ledger.get(Event::Rx);
    let figures = Figures::of(&meters, packets);
    let mut services = match shares(stage, finished) {
        Some(shares) => services(site, &shares),
        None => summary::services(site, ledger),
    };
    summary::respond(site, ledger, &mut services);
    let reals = match &stage.shares {
        Some(_) => report::sum_reals(&services),
        None => summary::reals(site, ledger),
    };
    let occupancy = finished
        .ends
        .iter()
        .fold((0, 0), |(live, room), end| (live + end.occupancy.0, room + end.occupancy.1));
    report::Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        backend: stage.options.backend.name().to_owned(),
        workers: u32::try_from(finished.ends.len()).unwrap_or(u32::MAX),
        loops: script.loops,
        capture: capture_info(script),
        generation: report::Generation {
            sequence: publication.generation.sequence,
            digest: hex(&publication.digest),
        },
        machine: machine(stage, finished),
        packets,
        bytes: ledger.get(Event::RxBytes),
        made: ledger.get(Event::Made),
        verdicts: verdicts(ledger),
        services,
        reals,
        rules: summary::rules(site, ledger),
        speed: figures.speed,
        latency: figures.latency,
        rate: rate(stage, ledger, finished),
        flows: flows(ledger, occupancy),
        allocations_after_start: Some(figures.allocations),
        mbufs_leaked: finished.mbufs_leaked,
    }
}

/// Prints the short table, and where the long forms are.
pub(super) fn tell(options: &ReplayOptions, report: &report::Report) -> Result<(), Failure> {
    let mut text = report.to_text();
    let written = [
        ("out", &options.out),
        ("trace", &options.trace),
        ("report", &options.report),
        ("html", &options.html),
    ];
    for (label, path) in written.into_iter().filter_map(|(label, path)| Some((label, path.as_ref()?))) {
        text.push_str(&format!("{label:<11}{}\n", path.display()));
    }
    print(&text)
}

/// What each real got of each service, all workers together.
fn shares(stage: &Stage<'_>, finished: &Finished<'_>) -> Option<Shares> {
    let mut sum = stage.shares.clone()?;
    for shares in finished.ends.iter().filter_map(|end| end.notes.shares.as_ref()) {
        sum.merge(shares);
    }
    Some(sum)
}

fn capture_info(script: &Script) -> report::CaptureInfo {
    let capture = &script.capture;
    let counts = capture.fault_counts().iter().zip(FaultKind::NAMES).filter(|(count, _)| **count > 0);
    report::CaptureInfo {
        name: capture.name().to_owned(),
        format: capture.format().name().to_owned(),
        packets: capture.len() as u64,
        bytes: capture.captured_bytes(),
        duration_seconds: capture.duration_nanos() as f64 / 1e9,
        faults: counts.map(|(&count, kind)| report::FaultCount { kind: kind.to_owned(), count }).collect(),
        first_faults: capture.faults().iter().take(FAULTS_TOLD_MAX).map(ToString::to_string).collect(),
    }
}

fn machine(stage: &Stage<'_>, finished: &Finished<'_>) -> report::Machine {
    let tables = match stage.crew.pages {
        PageKind::Huge => "flow tables on transparent huge pages",
        PageKind::Small => "flow tables on 4 KiB pages",
    };
    match &finished.dpdk {
        Some((version, memory)) => {
            report::Machine::here(Some(version.clone()), format!("packets on {memory}, {tables}"))
        }
        None => report::Machine::here(None, tables),
    }
}

/// Over the capture's time where each packet's decision is known, else over the replay's.
fn rate(stage: &Stage<'_>, ledger: &Ledger, finished: &Finished<'_>) -> report::Rate {
    let script = stage.script;
    if !stage.has_records {
        return stage.watch.rate(ledger.get(Event::Rx), ledger.get(Event::Tx));
    }
    let span = script.capture.span_nanos().unwrap_or((0, 0));
    let end = span.1.saturating_add(script.shift_nanos(script.loops.saturating_sub(1)));
    let records = finished.records();
    let times = script.turns().map(|turn| {
        let record = records.get(script, turn);
        (script.time_nanos(turn), record.is_some_and(|record| record.is_tx()))
    });
    report::Rate::over(report::Clock::Capture, (span.0, end), times)
}
