//! What stands above and below every table: who this is, how it is, what is wrong, which keys there are.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::apart;
use crate::finding::Finding;
use crate::limits::{BUSY_HIGH, TABLE_HIGH};
use crate::number::{count, duration, rate, share};
use crate::paint::{Mood, Paint, cut, fit};
use crate::series::Series;
use crate::sheets::drop_mood;
use crate::state::{Seen, State, Tab};
use crate::tracks::flows;

/// The first line: version, time, table; and whether this is live.
pub(crate) fn bar<'a>(state: &State, seen: &Seen, paint: Paint, width: u16) -> Line<'a> {
    let Seen { snapshot, .. } = seen;
    let generation = &snapshot.generation;
    // Only where there is room: the times say more at a glance.
    let digest: String =
        if width > 80 { generation.digest.chars().take(12).collect() } else { String::new() };
    let left = format!(
        " penstock {} · up {} · generation {}{}{digest} for {}",
        snapshot.version,
        duration(snapshot.at_ms),
        generation.sequence,
        if digest.is_empty() { "" } else { " " },
        duration(generation.age_ms)
    );
    let (right, mood) = match (&state.lost, &state.frozen) {
        (Some((_, seconds)), _) => (format!(" ▲ NO ANSWER for {seconds} s "), Mood::Bad),
        (None, Some(_)) => (" PAUSED, p goes on ".to_owned(), Mood::Warn),
        (None, None) => (" ● live ".to_owned(), Mood::Calm),
    };
    let mut line = apart(left, right, width, paint.bar());
    if let Some(last) = line.spans.last_mut().filter(|_| mood > Mood::Calm) {
        last.style = paint.bar().patch(paint.of(mood));
    }
    line
}

/// One vital sign: its name, its value, a second one, and its history.
struct Vital<'s> {
    name: &'static str,
    value: String,
    beside: String,
    series: Option<(&'s Series, Option<f64>)>,
    mood: Mood,
}

/// Four lines of two vital signs each.
pub(crate) fn vitals<'a>(seen: &Seen, paint: Paint, width: u16) -> Vec<Line<'a>> {
    let half = usize::from((width - 4) / 2);
    let pair = |(left, right): (Vital<'_>, Vital<'_>)| {
        let mut spans = vec![Span::raw(" ")];
        spans.extend(spans_of(&left, half, paint));
        spans.push(Span::raw("  "));
        spans.extend(spans_of(&right, half, paint));
        Line::from(spans)
    };
    traffic(seen).into_iter().zip(capacity(seen)).map(pair).collect()
}

/// Where the packets go.
fn traffic(seen: &Seen) -> [Vital<'_>; 4] {
    let tracks = &seen.tracks;
    let rx = tracks.counter("rx");
    let per = |series: &Series| if rx > 0.0 { series.rate() / rx } else { 0.0 };
    let pps = |series: &Series| format!("{} pps", shown(Some(series), 1.0));
    let counted = |name: &'static str, counter: &str, bytes: &str| {
        let series = tracks.counters.get(counter);
        Vital {
            name,
            value: format!("{} pps", shown(series, 1.0)),
            beside: format!("{}bit/s", unit(&shown(tracks.counters.get(bytes), 8.0))),
            series: series.map(|series| (series, None)),
            mood: Mood::Calm,
        }
    };
    let lost = per(&tracks.drops);
    let dropped = Vital {
        name: "dropped",
        value: pps(&tracks.drops),
        beside: share(lost),
        series: Some((&tracks.drops, None)),
        mood: drop_mood(lost),
    };
    let punted = Vital {
        name: "to kernel",
        value: pps(&tracks.punts),
        beside: share(per(&tracks.punts)),
        series: Some((&tracks.punts, None)),
        mood: Mood::Calm,
    };
    [counted("received", "rx", "rx.bytes"), counted("sent", "tx", "tx.bytes"), dropped, punted]
}

/// How near the limits are.
fn capacity(seen: &Seen) -> [Vital<'_>; 4] {
    let Seen { snapshot, tracks } = seen;
    let (live, room) = flows(snapshot);
    let inserted = tracks.counters.get("flow.insert");
    let full = tracks.table.rate();
    let busiest = snapshot.workers.iter().max_by(|one, two| one.busy.total_cmp(&two.busy));
    let busy = tracks.busy.rate();
    let high = |is: bool, mood: Mood| if is { mood } else { Mood::Calm };
    [
        Vital {
            name: "new flows",
            value: format!("{} /s", shown(inserted, 1.0)),
            beside: format!("{} live", count(live)),
            series: inserted.map(|series| (series, None)),
            mood: Mood::Calm,
        },
        Vital {
            name: "table",
            value: share(full),
            beside: format!("of {}", count(room)),
            series: Some((&tracks.table, Some(1.0))),
            mood: high(full >= TABLE_HIGH, Mood::Warn),
        },
        Vital {
            name: "missed",
            value: format!("{} pps", shown(Some(&tracks.missed), 1.0)),
            beside: "by ports".to_owned(),
            series: Some((&tracks.missed, None)),
            mood: high(tracks.missed.rate() > 0.0, Mood::Bad),
        },
        Vital {
            name: "busiest",
            value: share(busy),
            beside: busiest.map(|worker| format!("worker {}", worker.number)).unwrap_or_default(),
            series: Some((&tracks.busy, Some(1.0))),
            mood: high(busy >= BUSY_HIGH, Mood::Warn),
        },
    ]
}

fn shown(series: Option<&Series>, scale: f64) -> String {
    series.and_then(Series::now).map_or_else(|| "–".to_owned(), |value| rate(value * scale))
}

/// `890 M` goes before a unit as it is, `12` needs a blank.
fn unit(number: &str) -> String {
    if number.ends_with(char::is_alphabetic) { number.to_owned() } else { format!("{number} ") }
}

fn spans_of<'a>(vital: &Vital<'_>, width: usize, paint: Paint) -> Vec<Span<'a>> {
    let trend = width.saturating_sub(9 + 1 + 10 + 1 + 12 + 1);
    let drawn = vital.series.map_or_else(String::new, |(series, top)| series.trend(trend.min(60), top));
    let strong = if vital.mood == Mood::Calm { paint.bold() } else { paint.of(vital.mood) };
    vec![
        Span::styled(fit(vital.name, 9, false), paint.of(vital.mood)),
        Span::styled(fit(&vital.value, 11, true), strong),
        Span::styled(fit(&vital.beside, 13, true), Style::new()),
        Span::styled(fit(&format!(" {drawn}"), trend + 1, false), paint.trend()),
    ]
}

/// What is wrong, on so many lines.
pub(crate) fn told<'a>(found: &[Finding], paint: Paint, width: u16, lines: usize) -> Vec<Line<'a>> {
    if found.is_empty() {
        let mut all = vec![Line::styled(" ✓ nothing is wrong", paint.good())];
        all.resize(lines, Line::default());
        return all;
    }
    let hidden = found.len().saturating_sub(lines);
    let mut all: Vec<Line<'a>> = Vec::new();
    for (place, finding) in found.iter().take(lines).enumerate() {
        let more = if hidden > 0 && place + 1 == lines { format!(" (+{hidden}: w) ") } else { String::new() };
        let room = usize::from(width).saturating_sub(more.len());
        let text = cut(&format!(" {} {}", mark(finding.mood), finding.text), room);
        all.push(Line::styled(format!("{text}{more}"), paint.of(finding.mood)));
    }
    all.resize(lines, Line::default());
    all
}

/// The sign before a sentence.
pub(crate) const fn mark(mood: Mood) -> char {
    match mood {
        Mood::Calm | Mood::Note => '·',
        Mood::Warn | Mood::Bad => '▲',
    }
}

/// The tabs.
pub(crate) fn tabs<'a>(chosen: Tab, paint: Paint) -> Line<'a> {
    let mut spans = Vec::new();
    for (tab, number) in Tab::ALL.into_iter().zip(1..) {
        let style = if tab == chosen { paint.bar() } else { paint.dim() };
        spans.push(Span::styled(format!(" {number} {} ", tab.name()), style));
    }
    Line::from(spans)
}

/// The last line: the filter or the keys, and which lines are shown.
pub(crate) fn foot<'a>(state: &State, seen: &Seen, place: &str, paint: Paint, width: u16) -> Line<'a> {
    let keys = if let Some((why, _)) = &state.lost {
        return Line::styled(cut(&format!(" {why}"), usize::from(width)), paint.of(Mood::Bad));
    } else if state.typing {
        format!(" filter: {}_   Enter keeps it, Esc takes it away", state.filter)
    } else if !state.filter.is_empty() {
        format!(" filter: {}   Esc takes it away, / changes it", state.filter)
    } else if state.tab == Tab::Overview {
        " q quit  tab next  / filter  p pause  w what is wrong  ? help".to_owned()
    } else {
        let by = state.sheet(seen, state.tab).and_then(|sheet| sheet.columns.get(state.look().by).copied());
        let by = by.map(|column| column.title).filter(|title| !title.is_empty()).unwrap_or("this");
        format!(" q quit  tab next  s sorted by {by}  r reverse  / filter  ? help")
    };
    apart(keys, format!(" {place} "), width, paint.dim())
}
