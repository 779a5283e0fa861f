//! The four pictures, each with its table.

use super::bars::{Bar, bars, stack};
use super::chart;
use super::escape;
use super::parts::{caption, section};
use super::tables::{Column, table};
use crate::evenness::Evenness;
use crate::limits::{BARS_MAX, PICTURES_MAX};
use crate::model::{Clock, Kind, Report, Service, Verdict};
use crate::number::{Group, bytes, count, nanos, percent, seconds};
use std::cmp::Reverse;

pub(super) fn number(value: u64) -> String {
    count(value, Group::Thin)
}

const fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Forwarded => "forwarded",
        Kind::Punted => "punted",
        Kind::Dropped => "dropped",
    }
}

const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Forwarded => "Forwarded",
        Kind::Punted => "Punted to the kernel",
        Kind::Dropped => "Dropped",
    }
}

/// Where the packets went: the three ways out as one bar, then the reasons of what was not forwarded.
pub(super) fn verdicts(report: &Report) -> String {
    let title = "Verdicts by reason";
    let note = "Every packet leaves by exactly one verdict, and the reason is its counter.";
    if report.packets == 0 {
        return section(title, note, "<p class=\"note\">No packets were received.</p>\n");
    }
    let kinds = [Kind::Forwarded, Kind::Punted, Kind::Dropped];
    let text = |kind| format!("{}: {}", name(kind), percent(report.left(kind), report.packets));
    let parts = kinds.map(|kind| {
        let part = report.left(kind) as f64 / report.packets as f64;
        (class(kind), part, format!("{}, {} packets", text(kind), number(report.left(kind))))
    });
    let keys = kinds.map(|kind| (class(kind), text(kind)));
    let mut body = format!(
        "<figure>\n{}{}</figure>\n",
        stack("Forwarded, punted and dropped packets", &parts),
        caption(&keys)
    );
    let mut shown: Vec<_> = report.verdicts.iter().filter(|verdict| verdict.packets > 0).collect();
    shown.sort_by_key(|verdict| (verdict.kind(), Reverse(verdict.packets)));
    body.push_str(&reasons(report, &shown));
    let head = [
        ("Verdict", Column::Text),
        ("Packets", Column::Number),
        ("Share", Column::Number),
        ("Meaning", Column::Wide),
    ];
    let rows: Vec<_> = shown
        .iter()
        .map(|v| {
            vec![v.name.clone(), number(v.packets), percent(v.packets, report.packets), v.help.trim().into()]
        })
        .collect();
    body.push_str(&table(&format!("Table of {} verdicts", rows.len()), &head, &rows));
    let idle = report.verdicts.len() - shown.len();
    if idle > 0 {
        body.push_str(&format!("<p class=\"note\">{idle} other reasons counted no packet.</p>\n"));
    }
    section(title, note, &body)
}

/// The reasons on a scale of their own: they are few beside what is forwarded, and the point.
fn reasons(report: &Report, shown: &[&Verdict]) -> String {
    let refused: Vec<_> = shown.iter().filter(|verdict| verdict.kind() != Kind::Forwarded).collect();
    let Some(most) = refused.iter().map(|verdict| verdict.packets).max() else { return String::new() };
    let rows: Vec<_> = refused
        .iter()
        .map(|verdict| Bar {
            label: &verdict.name,
            hint: verdict.help.trim().into(),
            value: percent(verdict.packets, report.packets),
            lesser: number(verdict.packets),
            length: verdict.packets as f64 / most as f64,
            mark: None,
            class: class(verdict.kind()),
        })
        .collect();
    let scale =
        format!("Scale: the longest bar is {}. Behind the share: packets.", percent(most, report.packets));
    format!(
        "<figure>\n{}{}</figure>\n",
        bars("Packets not forwarded, by reason", &rows),
        caption(&[("", scale)])
    )
}

/// How each service's packets were shared among its reals.
pub(super) fn shares(report: &Report) -> String {
    let title = "Share per real";
    let note = "Forwarded packets of each service, beside what its weights ask for.";
    let mut busy: Vec<_> = report.services.iter().filter(|service| service.packets > 0).collect();
    busy.sort_by_key(|service| (Reverse(service.packets), service.number));
    if busy.is_empty() {
        return section(title, note, "<p class=\"note\">No packets were forwarded.</p>\n");
    }
    let mut body: String = busy.iter().take(PICTURES_MAX).map(|service| one_service(service)).collect();
    if report.services.len() > PICTURES_MAX {
        let text = format!(
            "The {} busiest of {} services are drawn.",
            busy.len().min(PICTURES_MAX),
            number(report.services.len() as u64)
        );
        body.push_str(&format!("<p class=\"note service\">{text}</p>\n"));
    }
    section(title, note, &body)
}

fn one_service(service: &Service) -> String {
    let heading = format!(
        "<div class=\"service\">\n<h3>{} <span>{}</span></h3>\n<p class=\"note\">{}</p>\n",
        escape(&service.name),
        escape(&service.vip),
        escape(&evenness(service))
    );
    let weights: u64 = service.reals.iter().map(|share| u64::from(share.weight)).sum();
    let picture = if service.reals.len() <= BARS_MAX {
        share_bars(service, weights)
    } else {
        share_strip(service, weights)
    };
    let head = [
        ("Real", Column::Wide),
        ("Address", Column::Text),
        ("Weight", Column::Number),
        ("By weight", Column::Number),
        ("Share", Column::Number),
        ("Packets", Column::Number),
        ("Bytes", Column::Number),
        ("Flows", Column::Number),
    ];
    let rows: Vec<_> = service
        .reals
        .iter()
        .map(|share| {
            vec![
                share.name.clone(),
                share.address.clone(),
                share.weight.to_string(),
                percent(u64::from(share.weight), weights),
                percent(share.packets, service.packets),
                number(share.packets),
                bytes(share.bytes),
                share.flows.map_or("–".into(), number),
            ]
        })
        .collect();
    let table = table(&format!("Table of {} reals", rows.len()), &head, &rows);
    format!("{heading}{picture}{table}</div>\n")
}

fn evenness(service: &Service) -> String {
    let mut text = format!("{} packets, {}", number(service.packets), bytes(service.bytes));
    if let Some(flows) = service.flows() {
        text.push_str(&format!(", {} flows", number(flows)));
    }
    let part = |what: &str, even: &Evenness| format!("{:.2} % of {what}", even.variation * 100.0);
    if let Some(packets) = &service.packets_evenness {
        text.push_str(&format!(". Variation {}", part("packets", packets)));
        if let Some(flows) = &service.flows_evenness {
            let chance = flows.by_chance * 100.0;
            text.push_str(&format!(", {} (chance alone gives {chance:.2} %)", part("flows", flows)));
        }
        text.push_str(&format!("; the fullest real has {:.2}× its due", packets.max_over_mean));
    }
    text + "."
}

fn share_bars(service: &Service, weights: u64) -> String {
    let part = |value: u64, whole: u64| if whole == 0 { 0.0 } else { value as f64 / whole as f64 };
    let shares = service.reals.iter();
    let longest = shares
        .map(|share| part(share.packets, service.packets).max(part(u64::from(share.weight), weights)))
        .fold(f64::MIN_POSITIVE, f64::max);
    let rows: Vec<_> = service
        .reals
        .iter()
        .map(|share| Bar {
            label: &share.name,
            hint: format!("{}, {}, weight {}", share.name, share.address, share.weight),
            value: percent(share.packets, service.packets),
            lesser: match share.weight {
                0 => "no weight".into(),
                weight => format!("due {}", percent(u64::from(weight), weights)),
            },
            length: part(share.packets, service.packets) / longest,
            mark: (share.weight > 0).then(|| part(u64::from(share.weight), weights) / longest),
            class: "forwarded",
        })
        .collect();
    let keys = [("forwarded", "share of packets".into()), ("mark", "due by weight".into())];
    format!("<figure>\n{}{}</figure>\n", bars("Share of packets per real", &rows), caption(&keys))
}

fn share_strip(service: &Service, weights: u64) -> String {
    let weighted = service.reals.iter().filter(|share| share.weight > 0);
    let loads: Vec<_> = weighted
        .map(|share| {
            let due = f64::from(share.weight) / weights as f64;
            share.packets as f64 / service.packets as f64 / due
        })
        .collect();
    if loads.is_empty() {
        return String::new();
    }
    let keys = [
        ("forwarded", "packets of a real, relative to its weight".into()),
        ("mark", "dashed: exactly its due".into()),
        ("", "where columns would be too thin, one spans several reals".into()),
    ];
    format!("<figure>\n{}{}</figure>\n", chart::strip(&loads), caption(&keys))
}

/// How long packets took.
pub(super) fn latency(report: &Report) -> String {
    let title = "Latency distribution";
    let note = "Time from taking a burst up to handing it on, divided by its packets. Logarithmic axis.";
    let speed = &report.speed;
    if report.latency.is_empty() || speed.bursts == 0 {
        return section(title, note, "<p class=\"note\">No bursts were timed.</p>\n");
    }
    let quantiles = [("median", speed.median_ns), ("p99", speed.p99_ns), ("p99.9", speed.p999_ns)];
    let head = [
        ("Bursts", Column::Number),
        ("Median", Column::Number),
        ("99 %", Column::Number),
        ("99.9 %", Column::Number),
        ("Packets per second", Column::Number),
    ];
    let row = vec![
        number(speed.bursts),
        nanos(speed.median_ns),
        nanos(speed.p99_ns),
        nanos(speed.p999_ns),
        format!("{:.2} M", speed.mpps),
    ];
    let body = format!(
        "<figure>\n{}</figure>\n{}",
        chart::histogram(&report.latency, &quantiles),
        table("Table", &head, &[row])
    );
    section(title, note, &body)
}

/// Packets over time.
pub(super) fn rate(report: &Report) -> String {
    let title = "Rate over time";
    let rate = &report.rate;
    let (clock, note) = match rate.clock {
        Clock::Capture => ("time in the capture", "Packets per second of the capture's own clock."),
        Clock::Wall => ("time of the replay", "Packets per second of the replay."),
    };
    if rate.received.is_empty() || rate.step_seconds.is_nan() || rate.step_seconds <= 0.0 {
        return section(title, note, "<p class=\"note\">No packets were received.</p>\n");
    }
    let per_second = |value: f64| number_of(value / rate.step_seconds);
    let row = |name: &str, counts: &[u64]| {
        let sum = counts.iter().sum::<u64>();
        let mean = sum as f64 / counts.len().max(1) as f64;
        let (least, most) = (counts.iter().min().copied(), counts.iter().max().copied());
        let text = |value: Option<u64>| per_second(value.unwrap_or(0) as f64);
        vec![name.into(), number(sum), text(least), per_second(mean), text(most)]
    };
    let mut keys = vec![("received", "received".to_string())];
    let mut rows = vec![row("Received", &rate.received)];
    if !rate.forwarded.is_empty() {
        keys.push(("forwarded", "forwarded".into()));
        rows.push(row("Forwarded", &rate.forwarded));
    }
    keys.push(("", format!("counted every {}", seconds(rate.step_seconds))));
    let head = [
        ("", Column::Text),
        ("Packets", Column::Number),
        ("Least /s", Column::Number),
        ("Mean /s", Column::Number),
        ("Most /s", Column::Number),
    ];
    let body = format!(
        "<figure>\n{}{}</figure>\n{}",
        chart::rate(rate.step_seconds, &rate.received, &rate.forwarded, clock),
        caption(&keys),
        table("Table", &head, &rows)
    );
    section(title, note, &body)
}

/// A rate with grouped digits where it is large, with its decimals where it is small.
fn number_of(value: f64) -> String {
    if value < 100.0 {
        return crate::number::si(value);
    }
    let digits = format!("{value:.0}");
    digits.parse().map_or(digits, number)
}
