//! The tables themselves: what each shows of a snapshot.

use counters::Counter;
use ctl::{Real, SILENT_MS, Snapshot};

use crate::limits::{BUSY_HIGH, DROPS_BAD, DROPS_TOLD};
use crate::paint::Mood;
use crate::series::Series;
use crate::sheet::{Cell, Column, Row, Sheet, Unit};
use crate::tracks::Tracks;

const SERVICES: &[Column] = &[
    Column::text("service", 14, 32, 0),
    Column::text("vip", 15, 18, 3),
    Column::text("", 3, 3, 4),
    Column::text("ports", 5, 11, 4),
    Column::text("pool", 8, 16, 6),
    Column::number("pps", 6, 0),
    Column::number("bit/s", 6, 1),
    Column::number("packets", 9, 5),
    Column::trend(10, 60, 2),
];

/// The column that orders services and reals at first: packets a second.
pub(crate) const SERVICES_BY: usize = 5;

/// All services.
pub(crate) fn services<'s>(snapshot: &'s Snapshot, tracks: &'s Tracks) -> Sheet<'s> {
    let row = |service: &'s ctl::Service| {
        let traffic = tracks.services.get(&service.name)?;
        let dry = is_dry(snapshot, &service.pool);
        Some(Row {
            cells: vec![
                Cell::Text(&service.name),
                Cell::Text(&service.vip),
                Cell::Text(&service.protocol),
                Cell::Text(&service.ports),
                Cell::Text(&service.pool),
                Cell::Rate(&traffic.packets, Unit::Each),
                Cell::Rate(&traffic.bytes, Unit::Bytes),
                Cell::Count(service.packets),
                Cell::Trend(&traffic.packets, None),
            ],
            mood: if dry { Mood::Bad } else { Mood::Calm },
        })
    };
    let rows = snapshot.services.iter().filter_map(row).collect();
    Sheet { of: "services", columns: SERVICES, rows, empty: "no service is configured" }
}

/// Whether no real of a pool takes new flows.
pub(crate) fn is_dry(snapshot: &Snapshot, pool: &str) -> bool {
    let panics = snapshot.panics.iter().any(|panic| panic.pool == pool);
    let is_up = |real: &Real| real.state == "up" || panics && real.state == "failed";
    let takes = |real: &Real| is_up(real) && real.weights.get(pool).is_some_and(|&weight| weight > 0);
    !snapshot.reals.iter().any(takes)
}

const REALS: &[Column] = &[
    Column::text("real", 14, 32, 0),
    Column::text("address", 15, 18, 3),
    Column::text("state", 6, 6, 0),
    Column::text("weight", 7, 14, 4),
    Column::text("next hop", 17, 17, 7),
    Column::number("pps", 6, 0),
    Column::number("bit/s", 6, 1),
    Column::number("packets", 9, 5),
    Column::trend(9, 60, 2),
];

/// See [`SERVICES_BY`].
pub(crate) const REALS_BY: usize = 5;

/// All reals.
pub(crate) fn reals<'s>(snapshot: &'s Snapshot, tracks: &'s Tracks) -> Sheet<'s> {
    let row = |real: &'s Real| {
        let traffic = tracks.reals.get(&real.name)?;
        let mood = match real.state.as_str() {
            "up" if real.next_hop.mac.is_empty() => Mood::Bad,
            "up" => Mood::Calm,
            "drain" => Mood::Note,
            _ => Mood::Warn,
        };
        Some(Row {
            cells: vec![
                Cell::Text(&real.name),
                Cell::Text(&real.address),
                Cell::Made(marked(real.state.clone(), real.by == "operator")),
                Cell::Made(marked(weights(real), !real.weights_by_operator.is_empty())),
                Cell::Text(if real.next_hop.mac.is_empty() { "not known" } else { &real.next_hop.mac }),
                Cell::Rate(&traffic.packets, Unit::Each),
                Cell::Rate(&traffic.bytes, Unit::Bytes),
                Cell::Count(real.packets),
                Cell::Trend(&traffic.packets, None),
            ],
            mood,
        })
    };
    let rows = snapshot.reals.iter().filter_map(row).collect();
    Sheet { of: "reals", columns: REALS, rows, empty: "no real is configured" }
}

/// What is an operator's word and not the file's has a mark.
fn marked(word: String, is_operators: bool) -> String {
    if is_operators { word + "*" } else { word }
}

/// One number where all pools give the same, else the least and the most.
fn weights(real: &Real) -> String {
    match (real.weights.values().min(), real.weights.values().max()) {
        (Some(least), Some(most)) if least == most => least.to_string(),
        (Some(least), Some(most)) => format!("{least}–{most}"),
        _ => "–".to_owned(),
    }
}

const DROPS: &[Column] = &[
    Column::text("drop", 16, 18, 0),
    Column::number("pps", 6, 0),
    Column::number("of rx", 6, 1),
    Column::number("packets", 9, 2),
    Column::trend(10, 12, 3),
    Column::text("what it means", 20, 160, 4),
];

/// See [`SERVICES_BY`].
pub(crate) const DROPS_BY: usize = 1;

/// The reasons for which anything was dropped since the start.
pub(crate) fn drops<'s>(snapshot: &'s Snapshot, tracks: &'s Tracks) -> Sheet<'s> {
    let rx = tracks.counter("rx");
    let row = |(name, series): (&'s String, &'s Series)| {
        let reason = name.strip_prefix("drop.")?;
        let total = snapshot.counters.get(name).copied().filter(|&total| total > 0)?;
        let share = if rx > 0.0 { series.rate() / rx } else { 0.0 };
        Some(Row {
            cells: vec![
                Cell::Text(reason),
                Cell::Rate(series, Unit::Each),
                Cell::Share(share),
                Cell::Count(total),
                Cell::Trend(series, None),
                Cell::Words(help(name)),
            ],
            mood: drop_mood(share),
        })
    };
    let rows = tracks.counters.iter().filter_map(row).collect();
    Sheet { of: "reasons", columns: DROPS, rows, empty: "nothing was dropped since the start" }
}

/// How bad it is that this share of what comes in is dropped for one reason.
pub(crate) fn drop_mood(share: f64) -> Mood {
    match share {
        share if share >= DROPS_BAD => Mood::Bad,
        share if share >= DROPS_TOLD => Mood::Warn,
        _ => Mood::Calm,
    }
}

const COUNTERS: &[Column] = &[
    Column::text("counter", 24, 26, 0),
    Column::number("a second", 8, 0),
    Column::number("in all", 9, 1),
    Column::trend(10, 20, 2),
    Column::text("what it counts", 20, 160, 3),
];

/// Every counter.
pub(crate) fn counters<'s>(snapshot: &'s Snapshot, tracks: &'s Tracks) -> Sheet<'s> {
    let row = |(name, series): (&'s String, &'s Series)| Row {
        cells: vec![
            Cell::Text(name),
            Cell::Rate(series, if name.ends_with(".bytes") { Unit::Bytes } else { Unit::Each }),
            Cell::Count(snapshot.counters.get(name).copied().unwrap_or(0)),
            Cell::Trend(series, None),
            Cell::Words(help(name)),
        ],
        mood: Mood::Calm,
    };
    let rows = tracks.counters.iter().map(row).collect();
    Sheet { of: "counters", columns: COUNTERS, rows, empty: "there are no counters" }
}

/// What a counter counts, in the words of its definition.
pub(crate) fn help(name: &str) -> &'static str {
    Counter::by_name(name).map_or("", |counter| counter.help().trim())
}

const WORKERS: &[Column] = &[
    Column::number("worker", 6, 0),
    Column::number("busy", 5, 0),
    Column::text("", 8, 20, 3),
    Column::number("rx pps", 6, 0),
    Column::number("tx pps", 6, 1),
    Column::number("drops", 6, 2),
    Column::number("flows", 9, 4),
    Column::number("table", 6, 4),
    Column::number("silent", 7, 5),
    Column::trend(10, 60, 6),
];

/// The column that orders workers where not all fit: how busy they are.
pub(crate) const WORKERS_BY: usize = 1;

/// All workers.
pub(crate) fn workers<'s>(snapshot: &'s Snapshot, tracks: &'s Tracks) -> Sheet<'s> {
    let row = |worker: &'s ctl::Worker| {
        let work = tracks.workers.get(&worker.number)?;
        let mood = match worker {
            worker if worker.silent_ms > SILENT_MS => Mood::Bad,
            worker if worker.busy >= BUSY_HIGH => Mood::Warn,
            _ => Mood::Calm,
        };
        let table = if worker.flows_max == 0 { 0.0 } else { worker.flows as f64 / worker.flows_max as f64 };
        Some(Row {
            cells: vec![
                Cell::Made(worker.number.to_string()),
                Cell::Share(worker.busy),
                Cell::Bar(worker.busy),
                Cell::Rate(&work.rx, Unit::Each),
                Cell::Rate(&work.tx, Unit::Each),
                Cell::Rate(&work.drops, Unit::Each),
                Cell::Count(worker.flows),
                Cell::Share(table),
                Cell::Time(worker.silent_ms),
                Cell::Trend(&work.busy, Some(1.0)),
            ],
            mood,
        })
    };
    let rows = snapshot.workers.iter().filter_map(row).collect();
    Sheet { of: "workers", columns: WORKERS, rows, empty: "there are no workers" }
}

const PORTS: &[Column] = &[
    Column::text("port", 10, 16, 0),
    Column::text("device", 25, 40, 5),
    Column::number("rx pps", 6, 0),
    Column::number("tx pps", 6, 0),
    Column::number("missed", 6, 0),
    Column::number("no mbuf", 7, 1),
    Column::number("errors", 6, 1),
    Column::number("to kernel", 9, 2),
    Column::number("from kernel", 11, 3),
    Column::number("kernel lost", 11, 4),
    Column::number("missed in all", 13, 6),
    Column::trend(10, 60, 4),
];

/// All ports.
pub(crate) fn ports<'s>(snapshot: &'s Snapshot, tracks: &'s Tracks) -> Sheet<'s> {
    let row = |port: &'s ctl::Port| {
        let wire = tracks.ports.get(&port.name)?;
        let kernel = |series: &'s Series| match port.twin {
            Some(_) => Cell::Rate(series, Unit::Each),
            None => Cell::Text("–"),
        };
        let loses = wire.missed.rate() > 0.0 || wire.no_mbuf.rate() > 0.0;
        Some(Row {
            cells: vec![
                Cell::Text(&port.name),
                Cell::Text(&port.device),
                Cell::Rate(&wire.rx, Unit::Each),
                Cell::Rate(&wire.tx, Unit::Each),
                Cell::Rate(&wire.missed, Unit::Each),
                Cell::Rate(&wire.no_mbuf, Unit::Each),
                Cell::Rate(&wire.errors, Unit::Each),
                kernel(&wire.to_kernel),
                kernel(&wire.from_kernel),
                kernel(&wire.kernel_lost),
                Cell::Count(port.rx_missed.saturating_add(port.rx_no_mbuf)),
                Cell::Trend(&wire.rx, None),
            ],
            mood: match loses {
                true => Mood::Bad,
                false if wire.kernel_lost.rate() > 0.0 => Mood::Warn,
                false => Mood::Calm,
            },
        })
    };
    let rows = snapshot.ports.iter().filter_map(row).collect();
    Sheet { of: "ports", columns: PORTS, rows, empty: "no port is configured" }
}
