//! The short table for a terminal.

use crate::limits::{TEXT_REALS_MAX, TEXT_VERDICTS_MAX};
use crate::model::{Report, Service};
use crate::number::{Group, bytes, count, digits3, nanos, percent, seconds};

/// The widest name; a longer one is cut.
const NAME_CHARS_MAX: usize = 32;

/// All of it, at most [`TEXT_LINES_MAX`](crate::limits::TEXT_LINES_MAX) lines.
pub(crate) fn table(report: &Report) -> String {
    let mut out = String::new();
    head(&mut out, report);
    verdicts(&mut out, report);
    reals(&mut out, report);
    figures(&mut out, report);
    out
}

fn number(value: u64) -> String {
    count(value, Group::Comma)
}

/// `1 worker`, `2 workers`.
fn several(value: u64, what: &str) -> String {
    format!("{} {what}{}", number(value), if value == 1 { "" } else { "s" })
}

/// A name without what could steer a terminal, and no longer than its column.
fn clean(name: &str) -> String {
    let mut out: String = name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if out.chars().count() > NAME_CHARS_MAX {
        out = out.chars().take(NAME_CHARS_MAX - 1).collect();
        out.push('…');
    }
    out
}

fn line(out: &mut String, label: &str, text: &str) {
    out.push_str(format!("{label:<11}{text}").trim_end());
    out.push('\n');
}

fn head(out: &mut String, report: &Report) {
    let capture = &report.capture;
    let name: String = capture.name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    line(out, "capture", &name);
    let contents = [
        several(capture.packets, "packet"),
        bytes(capture.bytes),
        seconds(capture.duration_seconds),
        clean(&capture.format),
    ];
    let contents: Vec<_> = contents.into_iter().filter(|part| !part.is_empty()).collect();
    line(out, "", &contents.join(", "));
    let loops = if report.loops > 1 { format!(", {}", several(report.loops, "loop")) } else { String::new() };
    let workers = several(u64::from(report.workers), "worker");
    let digest: String = clean(&report.generation.digest).chars().take(12).collect();
    let digest = if digest.is_empty() { digest } else { format!(" ({digest})") };
    let (sequence, backend) = (report.generation.sequence, clean(&report.backend));
    line(out, "path", &format!("{backend}, {workers}{loops}, generation {sequence}{digest}"));
    let faults: Vec<_> = capture.faults.iter().filter(|fault| fault.count > 0).collect();
    if !faults.is_empty() {
        let faults = faults.iter().map(|fault| format!("{} ({})", clean(&fault.kind), number(fault.count)));
        line(out, "faults", &faults.collect::<Vec<_>>().join(", "));
    }
}

fn verdicts(out: &mut String, report: &Report) {
    let mut shown: Vec<_> = report.verdicts.iter().filter(|verdict| verdict.packets > 0).collect();
    shown.sort_by_key(|verdict| (verdict.kind(), std::cmp::Reverse(verdict.packets)));
    let all = shown.len();
    shown.truncate(TEXT_VERDICTS_MAX);
    let mut rows = vec![["verdict".into(), "packets".into(), "share".into()]];
    rows.extend(
        shown.iter().map(|v| [clean(&v.name), number(v.packets), percent(v.packets, report.packets)]),
    );
    columns(out, &rows, all.saturating_sub(shown.len()), "verdicts");
}

fn reals(out: &mut String, report: &Report) {
    match report.services.as_slice() {
        [] => {}
        [service] => one_service(out, service),
        _ => all_services(out, report),
    }
}

/// With one service, each real's share stands beside what its weight asks for.
fn one_service(out: &mut String, service: &Service) {
    let mut shown: Vec<_> = service.reals.iter().collect();
    if shown.len() > TEXT_REALS_MAX {
        shown.sort_by_key(|share| std::cmp::Reverse(share.packets));
        shown.truncate(TEXT_REALS_MAX);
    }
    let weights: u64 = service.reals.iter().map(|share| u64::from(share.weight)).sum();
    let mut rows = vec![["real", "packets", "share", "by weight", "flows"].map(String::from)];
    rows.extend(shown.iter().map(|share| {
        [
            clean(&share.name),
            number(share.packets),
            percent(share.packets, service.packets),
            percent(u64::from(share.weight), weights),
            share.flows.map_or("–".into(), number),
        ]
    }));
    columns(out, &rows, service.reals.len() - shown.len(), "reals");
}

/// With several, a real has a weight in each: only what it got is shown.
fn all_services(out: &mut String, report: &Report) {
    let mut shown: Vec<_> = report.reals.iter().collect();
    if shown.len() > TEXT_REALS_MAX {
        shown.sort_by_key(|real| std::cmp::Reverse(real.packets));
        shown.truncate(TEXT_REALS_MAX);
    }
    let total = report.reals.iter().map(|real| real.packets).sum();
    let mut rows = vec![["real", "packets", "share", "services", "flows"].map(String::from)];
    rows.extend(shown.iter().map(|real| {
        [
            clean(&real.name),
            number(real.packets),
            percent(real.packets, total),
            number(u64::from(real.services)),
            real.flows.map_or("–".into(), number),
        ]
    }));
    columns(out, &rows, report.reals.len() - shown.len(), "reals");
}

/// The first column to the left, the others to the right.
fn columns<const N: usize>(out: &mut String, rows: &[[String; N]], left_out: usize, what: &str) {
    if rows.len() < 2 {
        return;
    }
    out.push('\n');
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max();
    let widths: Vec<_> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    for row in rows {
        let mut text = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let cell = if column == 0 { format!("{cell:<width$}") } else { format!("   {cell:>width$}") };
            text.push_str(&cell);
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    if left_out > 0 {
        out.push_str(&format!("and {left_out} more {what}\n"));
    }
}

fn figures(out: &mut String, report: &Report) {
    out.push('\n');
    let speed = &report.speed;
    if speed.bursts == 0 {
        line(out, "speed", "not measured");
    } else {
        let [median, p99, p999] = [speed.median_ns, speed.p99_ns, speed.p999_ns].map(nanos);
        let mpps = digits3(speed.mpps);
        line(out, "speed", &format!("{mpps} Mpps; per packet {median} median, {p99} p99, {p999} p99.9"));
    }
    let uneven = report.services.iter().filter_map(|service| service.packets_evenness);
    if let Some(worst) = uneven.max_by(|one, two| one.variation.total_cmp(&two.variation)) {
        let (variation, most) = (worst.variation * 100.0, worst.max_over_mean);
        let whose = if report.services.len() > 1 { " (least even service)" } else { "" };
        line(out, "evenness", &format!("variation {variation:.1} %, fullest real {most:.2}× its due{whose}"));
    }
    let flows = &report.flows;
    let (inserted, live) = (several(flows.inserted, "flow"), number(flows.live));
    let table = match flows.capacity {
        0 => "no table".into(),
        capacity => format!("table {} full", percent(flows.live, capacity)),
    };
    let stateless = match flows.stateless {
        0 => String::new(),
        some => format!("; {} stateless", several(some, "packet")),
    };
    line(out, "flows", &format!("{inserted} inserted; {live} live, {table}{stateless}"));
    let known = |value: Option<u64>| value.map_or("not counted".into(), number);
    let allocations = known(report.allocations_after_start);
    let leaked = known(report.mbufs_leaked);
    line(out, "memory", &format!("allocations after start: {allocations}; mbufs leaked: {leaked}"));
    if !report.balanced() {
        let out_of: u64 = report.verdicts.iter().map(|verdict| verdict.packets).sum();
        let [packets, made, verdicts] = [report.packets, report.made, out_of].map(number);
        line(out, "UNBALANCED", &format!("{packets} packets received, {made} made, {verdicts} verdicts"));
    }
}
