//! What a run leaves: the report, the words on stdout, and what must not have happened.

use counters::{Counter, Event, Ledger};

use crate::failure::Failure;
use crate::meter::{Figures, Meter};
use crate::output::print;
use crate::site::Site;
use crate::summary::{flows, verdicts};

/// What one worker leaves.
pub(crate) struct End {
    pub(crate) meter: Meter,
    pub(crate) occupancy: (usize, usize),
    pub(crate) lost: u64,
}

/// What was counted, as a report without a capture.
pub(crate) fn summarize(ledger: &Ledger, ends: &[End]) -> report::Report {
    let meters: Vec<Meter> = ends.iter().map(|end| end.meter.clone()).collect();
    let packets = ledger.get(Event::Rx);
    let figures = Figures::of(&meters, packets);
    let occupancy =
        ends.iter().fold((0, 0), |(live, room), end| (live + end.occupancy.0, room + end.occupancy.1));
    report::Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        backend: "dpdk".to_owned(),
        workers: u32::try_from(ends.len()).unwrap_or(u32::MAX),
        loops: 1,
        packets,
        bytes: ledger.get(Event::RxBytes),
        verdicts: verdicts(ledger),
        speed: figures.speed,
        latency: figures.latency,
        flows: flows(ledger, occupancy),
        allocations_after_start: Some(figures.allocations),
        ..report::Report::default()
    }
}

/// Every counter that moved, then packets and bytes of each service and real.
pub(crate) fn tell(site: &Site, ledger: &Ledger, summary: &report::Report) -> Result<(), Failure> {
    let mut text = String::new();
    for counter in Counter::all().filter(|&counter| ledger.get(counter) > 0) {
        text.push_str(&format!("{:<24}{:>16}\n", counter.name(), ledger.get(counter)));
    }
    let mut tally = |kind: &str, name: &conf::Name, tally: counters::Tally| {
        if tally.packets > 0 {
            let (packets, bytes) = (tally.packets, tally.bytes);
            text.push_str(&format!("{kind:<8}{name:<16}{packets:>16} packets{bytes:>20} bytes\n"));
        }
    };
    for service in &site.config.services {
        if let Some(number) = site.numbers.service(&service.name) {
            tally("service", &service.name, ledger.service(number.index()));
        }
    }
    for real in &site.config.reals {
        if let Some(number) = site.numbers.real(&real.name) {
            tally("real", &real.name, ledger.real(number.index()));
        }
    }
    for rule in &site.config.rules {
        if let Some(number) = site.numbers.rule(&rule.name) {
            tally("rule", &rule.name, ledger.ruled(number.index()));
        }
    }
    let (live, capacity) = (summary.flows.live, summary.flows.capacity);
    text.push_str(&format!("{:<24}{live:>16} of {capacity}\n", "flows live"));
    print(&text)
}

/// What must not have happened is a failure.
pub(crate) fn refuse_faults(leaked: u64, ends: &[End]) -> Result<(), Failure> {
    if leaked > 0 {
        return Err(Failure::new(format!("{leaked} mbufs were not given back; this is a fault")));
    }
    let made: u64 = ends.iter().map(|end| end.meter.allocations()).sum();
    if made > 0 {
        return Err(Failure::new(format!(
            "the workers made {made} allocations after start; this is a fault"
        )));
    }
    if ends.iter().any(|end| end.lost > 0) {
        return Err(Failure::new("a worker lost a command or a report; this is a fault"));
    }
    Ok(())
}
