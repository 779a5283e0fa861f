//! Counters as JSON: the report with every counter beside it, by its full name.

use std::collections::BTreeMap;

use counters::{Counter, DropReason, Event, Ledger, PuntReason};
use serde::Serialize;

use crate::failure::Failure;

#[derive(Serialize)]
struct File<'r> {
    #[serde(flatten)]
    report: &'r report::Report,
    /// Every counter, those at 0 too.
    counters: BTreeMap<&'static str, u64>,
}

/// The report with its counters.
pub(crate) fn json(report: &report::Report, ledger: &Ledger) -> Result<String, Failure> {
    let counters = Counter::all().map(|counter| (counter.name(), ledger.get(counter))).collect();
    let text = serde_json::to_string_pretty(&File { report, counters });
    text.map(|text| text + "\n")
        .map_err(|error| Failure::new(format!("the report cannot be written as JSON: {error}")))
}

/// Packets by the way they left.
pub(crate) fn verdicts(ledger: &Ledger) -> Vec<report::Verdict> {
    let row = |counter: Counter| report::Verdict {
        name: counter.name().to_owned(),
        help: counter.help().trim().to_owned(),
        packets: ledger.get(counter),
    };
    let drops = DropReason::ALL.iter().map(|&reason| Counter::from(reason));
    let punts = PuntReason::ALL.iter().map(|&reason| Counter::from(reason));
    std::iter::once(Counter::from(Event::Tx)).chain(drops).chain(punts).map(row).collect()
}

/// What the flow tables did; `occupancy` is of all workers together.
pub(crate) fn flows(ledger: &Ledger, occupancy: (usize, usize)) -> report::Flows {
    let stateless = [Event::FlowStatelessFull, Event::FlowStatelessGate];
    report::Flows {
        hits: ledger.get(Event::FlowHit),
        inserted: ledger.get(Event::FlowInsert),
        stateless: stateless.iter().map(|&event| ledger.get(event)).sum(),
        expired: ledger.get(Event::FlowExpire),
        evicted: ledger.get(Event::FlowEvict),
        moved: ledger.get(Event::FlowMoved),
        ..report::Flows::default()
    }
    .with_occupancy(occupancy.0 as u64, occupancy.1 as u64)
}

#[cfg(test)]
mod tests {
    use counters::{COUNTERS, DropReason, Event, Layout, Ledger};

    #[test]
    fn the_file_holds_the_report_and_every_counter() {
        let mut ledger = Ledger::new(Layout::default());
        ledger.add(Event::Rx, 3);
        ledger.add(DropReason::Truncated, 3);
        let report = report::Report { packets: 3, verdicts: super::verdicts(&ledger), ..Default::default() };
        assert!(report.balanced());
        let text = super::json(&report, &ledger).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((value["packets"].as_u64(), value["counters"]["drop.truncated"].as_u64()), (Some(3), Some(3)));
        assert_eq!(value["counters"].as_object().unwrap().len(), COUNTERS);
        assert_eq!(serde_json::from_str::<report::Report>(&text).unwrap(), report);
    }
}
