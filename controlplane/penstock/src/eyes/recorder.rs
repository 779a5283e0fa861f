//! What the workers' recorders hold, with names; and what of it goes to the log when a worker breaks off.

use engine::FlowUse;
use worker::{Client, Record, Tape};

use crate::eyes::words::Names;

/// The last verdicts of worker `number`, at most `limit`, the oldest first.
pub(crate) fn rows(number: usize, tape: &Tape, names: &Names<'_>, limit: usize) -> Vec<ctl::Verdict> {
    let records = tape.records();
    let worker = u32::try_from(number).unwrap_or(u32::MAX);
    let last = records.iter().skip(records.len().saturating_sub(limit));
    last.map(|record| row(worker, record, names)).collect()
}

fn row(worker: u32, record: &Record, names: &Names<'_>) -> ctl::Verdict {
    let none = || "-".to_owned();
    let service = record.service.map(|number| match names.service(number) {
        Some(service) => service.name.to_string(),
        None => number.get().to_string(),
    });
    let real = record.real.map(|number| match names.real(number) {
        Some(real) => real.name.to_string(),
        None => number.get().to_string(),
    });
    ctl::Verdict {
        worker,
        left: record.counter.name().to_owned(),
        client: match record.client {
            Client::Unknown => none(),
            Client::V4(address) => format!("{address}:{}", record.client_port),
            Client::V6(folded) => format!("[v6~{}]:{}", crate::site::hex(&folded), record.client_port),
        },
        port: record.port,
        service: service.unwrap_or_else(none),
        real: real.unwrap_or_else(none),
        flow: match record.flow {
            None => "-",
            Some(FlowUse::Hit) => "hit",
            Some(FlowUse::New) => "new",
            Some(FlowUse::Led) => "led",
            Some(FlowUse::Stateless) => "stateless",
        }
        .to_owned(),
    }
}

/// Worker `number` broke off: what it decided last goes to the log, once, a verdict a line.
pub(crate) fn tell(number: usize, tape: &Tape, names: &Names<'_>) {
    let rows = rows(number, tape, names, usize::MAX);
    let lines: String = rows.iter().map(line).collect();
    tracing::error!(
        "worker {number} broke off; its last {} verdicts, the oldest first:\n{lines}",
        rows.len()
    );
}

fn line(row: &ctl::Verdict) -> String {
    let ctl::Verdict { left, client, port, service, real, flow, .. } = row;
    format!("{left} {client} to port {port}, service {service}, real {real}, flow {flow}\n")
}
