//! The page as a whole: what it was, the figures, the pictures, the details.

use super::escape;
use super::parts::{Tile, facts, section, tile};
use super::pictures::{self, number};
use super::style::STYLE;
use super::tables::{Column, table};
use crate::model::{Kind, Report};
use crate::number::{bytes, digits3, nanos, percent, seconds};

pub(crate) fn page(report: &Report) -> String {
    let file = report.capture.name.rsplit('/').next().unwrap_or_default();
    let title = escape(if file.is_empty() { "capture" } else { file });
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}: Penstock replay</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <p class=\"brand\">Penstock replay</p>\n<h1>{title}</h1>\n<p class=\"lead\">{}</p>\n",
        escape(&lead(report))
    );
    out.push_str(&alarms(report));
    out.push_str(&tiles(report));
    out.push_str(&pictures::verdicts(report));
    out.push_str(&pictures::shares(report));
    out.push_str(&pictures::latency(report));
    out.push_str(&pictures::rate(report));
    out.push_str(&totals(report));
    out.push_str(&flow_table(report));
    out.push_str(&run(report));
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn several(value: u64, what: &str) -> String {
    format!("{} {what}{}", number(value), if value == 1 { "" } else { "s" })
}

fn lead(report: &Report) -> String {
    let capture = &report.capture;
    let loops = if report.loops > 1 { format!(", {} times", number(report.loops)) } else { String::new() };
    format!(
        "{} ({}) recorded over {}, replayed{loops} through {} on the {} back end.",
        several(capture.packets, "packet"),
        bytes(capture.bytes),
        seconds(capture.duration_seconds),
        several(u64::from(report.workers), "worker"),
        report.backend
    )
}

/// What must not be overlooked.
fn alarms(report: &Report) -> String {
    let mut out = String::new();
    if !report.balanced() {
        let verdicts: u64 = report.verdicts.iter().map(|verdict| verdict.packets).sum();
        let [packets, made, verdicts] = [report.packets, report.made, verdicts].map(number);
        out.push_str(&format!(
            "<div class=\"alarm\" role=\"alert\">The sum law does not hold: {packets} packets were received and \
             {made} made here, {verdicts} left by a verdict.</div>\n"
        ));
    }
    let capture = &report.capture;
    let faults: Vec<_> = capture.faults.iter().filter(|fault| fault.count > 0).collect();
    if !faults.is_empty() {
        let kinds: Vec<_> =
            faults.iter().map(|fault| format!("{} ({})", fault.kind, number(fault.count))).collect();
        let first: String =
            capture.first_faults.iter().take(5).map(|fault| format!("<li>{}</li>", escape(fault))).collect();
        let first = if first.is_empty() { first } else { format!("<ul>{first}</ul>") };
        let kinds = escape(&kinds.join(", "));
        out.push_str(&format!("<div class=\"alarm\">Faults in the capture: {kinds}.{first}</div>\n"));
    }
    out
}

fn tiles(report: &Report) -> String {
    let (speed, flows) = (&report.speed, &report.flows);
    let timed = speed.bursts > 0;
    let (median, unit) = if timed { split(&nanos(speed.median_ns)) } else { ("–".into(), String::new()) };
    // A line may break between the two, not within one.
    let tail = |name: &str, ns: f64| format!("{name} {}", nanos(ns)).replace(' ', "\u{a0}");
    let tails = format!("{}, {}", tail("p99", speed.p99_ns), tail("p99.9", speed.p999_ns));
    let leaked = match report.mbufs_leaked {
        None => "after start; mbufs not counted".into(),
        Some(leaked) => format!("after start; {} leaked", several(leaked, "mbuf")),
    };
    let bad = report.allocations_after_start.unwrap_or(0) + report.mbufs_leaked.unwrap_or(0) > 0;
    let forwarded = report.left(Kind::Forwarded);
    let part = |label, value, unit, note, bad| tile(&Tile { label, value, unit, note, bad });
    let tiles = [
        part("Packets", number(report.packets), "", bytes(report.bytes), false),
        part(
            "Forwarded",
            percent(forwarded, report.packets),
            "",
            several(forwarded, "packet"),
            !report.balanced(),
        ),
        part(
            "Speed",
            if timed { digits3(speed.mpps) } else { "–".into() },
            if timed { "Mpps" } else { "" },
            if timed { format!("busy for {}", seconds(speed.busy_seconds)) } else { "not measured".into() },
            false,
        ),
        part("Time per packet", median, &unit, if timed { tails } else { "not measured".into() }, false),
        part(
            "Flows",
            number(flows.inserted),
            "",
            match flows.capacity {
                0 => "no table".into(),
                capacity => format!("table {} full", percent(flows.live, capacity)),
            },
            false,
        ),
        part("Allocations", report.allocations_after_start.map_or("–".into(), number), "", leaked, bad),
    ];
    format!("<dl class=\"tiles\">\n{}</dl>\n", tiles.concat())
}

/// A number and its unit.
fn split(text: &str) -> (String, String) {
    let (value, unit) = text.split_once(' ').unwrap_or((text, ""));
    (value.into(), unit.into())
}

/// Services and reals in sum, where the pictures do not already show them.
fn totals(report: &Report) -> String {
    if report.services.len() < 2 {
        return String::new();
    }
    let text =
        |even: Option<f64>| even.map_or("–".into(), |variation| format!("{:.2} %", variation * 100.0));
    let rows: Vec<_> = report
        .services
        .iter()
        .map(|service| {
            vec![
                service.number.to_string(),
                service.name.clone(),
                service.vip.clone(),
                number(service.packets),
                bytes(service.bytes),
                service.flows().map_or("–".into(), number),
                text(service.packets_evenness.map(|even| even.variation)),
                text(service.flows_evenness.map(|even| even.variation)),
            ]
        })
        .collect();
    let head = [
        ("No.", Column::Number),
        ("Service", Column::Wide),
        ("VIP", Column::Text),
        ("Packets", Column::Number),
        ("Bytes", Column::Number),
        ("Flows", Column::Number),
        ("Variation, packets", Column::Number),
        ("Variation, flows", Column::Number),
    ];
    let services = table(&format!("Table of {} services", rows.len()), &head, &rows);
    let total = report.reals.iter().map(|real| real.packets).sum();
    let rows: Vec<_> = report
        .reals
        .iter()
        .map(|real| {
            vec![
                real.number.to_string(),
                real.name.clone(),
                real.address.clone(),
                number(u64::from(real.services)),
                number(real.packets),
                percent(real.packets, total),
                bytes(real.bytes),
                real.flows.map_or("–".into(), number),
            ]
        })
        .collect();
    let head = [
        ("No.", Column::Number),
        ("Real", Column::Wide),
        ("Address", Column::Text),
        ("Services", Column::Number),
        ("Packets", Column::Number),
        ("Share", Column::Number),
        ("Bytes", Column::Number),
        ("Flows", Column::Number),
    ];
    let reals = table(&format!("Table of {} reals", rows.len()), &head, &rows);
    section("All services and reals", "What each got, in sum.", &(services + &reals))
}

fn flow_table(report: &Report) -> String {
    let flows = &report.flows;
    let head = [("What", Column::Text), ("Count", Column::Number), ("Meaning", Column::Wide)];
    let row = |name: &str, count: u64, meaning: &str| vec![name.into(), number(count), meaning.into()];
    let rows = [
        row("hits", flows.hits, "packets whose flow was in the table"),
        row("inserted", flows.inserted, "flows put in"),
        row("stateless", flows.stateless, "packets forwarded without an entry"),
        row("expired", flows.expired, "flows removed after their time"),
        row("evicted", flows.evicted, "embryonic flows that gave way to a newer one"),
        row("moved", flows.moved, "flows given another real"),
        row("live", flows.live, "flows in the table at the end"),
        row("capacity", flows.capacity, "flows that it has room for"),
    ];
    section("Flow table", "All shards together.", &table("Table", &head, &rows))
}

fn run(report: &Report) -> String {
    let (machine, capture) = (&report.machine, &report.capture);
    let cores = if machine.cores == 0 { String::new() } else { format!(", {} cores", machine.cores) };
    let version =
        if report.version.is_empty() { String::new() } else { format!("Penstock {}", report.version) };
    let body = facts(&[
        ("Command line", report.command_line.join(" ")),
        ("Capture", capture.name.clone()),
        ("Format", capture.format.clone()),
        ("Generation", report.generation.sequence.to_string()),
        ("SHA-256 of its root", report.generation.digest.clone()),
        ("Back end", format!("{}, {}", report.backend, several(u64::from(report.workers), "worker"))),
        ("Processor", format!("{}{cores}", machine.cpu_model)),
        ("Kernel", machine.kernel.clone()),
        ("DPDK", machine.dpdk_version.clone().unwrap_or_else(|| "not used".into())),
        ("Memory", machine.memory_mode.clone()),
        ("On the wall", seconds(report.speed.wall_seconds)),
        ("Program", version),
    ]);
    let evenness = "Evenness: with relative load = (share of packets or flows) ÷ (share of weight), the variation is \
                    the root of its squared distance from 1, averaged by weight; 0 % is perfect. By chance alone, \
                    n independent choices among k reals give √((k − 1) / n).";
    let body = format!("{body}<p class=\"note\" style=\"margin-top: 1rem\">{evenness}</p>\n");
    section("This run", "What it takes to do it again.", &body)
}
