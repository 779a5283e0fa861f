//! What lies over the screen: help, all that is wrong, and the wait for a first answer.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use super::head::mark;
use crate::finding::Finding;
use crate::paint::{Mood, Paint, printable};
use crate::state::State;

const KEYS: &[(&str, &str)] = &[
    ("1 to 7, tab", "another view"),
    ("s, r", "sort by the next column; the other way round"),
    ("arrows, PgUp, PgDn", "scroll; g and G to the ends"),
    ("/", "only lines that hold a text"),
    ("p", "hold the picture; nothing is lost meanwhile"),
    ("w", "all that is wrong, in full"),
    ("q", "end"),
    ("", ""),
    ("pps, bit/s", "packets and bits a second since the last picture;"),
    ("", "of services and reals at the IP layer, as they came"),
    ("trend", "two minutes at most, newest on the right; the highest"),
    ("", "bar is the largest value shown, of a share it is all"),
    ("–", "not known yet: a rate needs two pictures"),
    ("order", "by the mean of the last eight rates: lines stay put"),
    ("*", "an operator's word, not the file's"),
    ("missed", "no room in the NIC or no mbuf: no worker saw these"),
    ("to kernel", "punted: not for a VIP"),
    ("busy", "the share of its time that a worker had packets"),
];

/// The keys and the words.
pub(crate) fn help(paint: Paint, frame: &mut Frame<'_>, area: Rect) {
    let line = |(key, means): &(&'static str, &'static str)| {
        Line::from(vec![Span::styled(format!(" {key:<20}"), paint.bold()), Span::raw(*means)])
    };
    boxed(" Help: any key closes it ", KEYS.iter().map(line).collect(), 84, frame, area);
}

/// Everything that is wrong.
pub(crate) fn all(found: &[Finding], paint: Paint, frame: &mut Frame<'_>, area: Rect) {
    let line = |finding: &Finding| {
        let text = format!("{} {}", mark(finding.mood), printable(&finding.text));
        Line::styled(text, paint.of(finding.mood))
    };
    let mut lines: Vec<Line<'_>> = found.iter().map(line).collect();
    if lines.is_empty() {
        lines.push(Line::styled("✓ nothing is wrong", paint.good()));
    }
    boxed(" What is wrong: any key closes it ", lines, 100, frame, area);
}

/// Nothing has been heard yet.
pub(crate) fn waiting(state: &State, paint: Paint, frame: &mut Frame<'_>, area: Rect) {
    let source = printable(&state.source);
    let lines = match &state.lost {
        None => vec![Line::raw(format!("asking {source} …"))],
        Some((why, seconds)) => vec![
            Line::styled(format!("no answer from {source} for {seconds} s"), paint.of(Mood::Bad)),
            Line::raw(printable(why)),
            Line::default(),
            Line::raw("Is it running?  penstock run --config FILE  starts it."),
            Line::raw("Does it listen elsewhere?  node.control  in its configuration names the"),
            Line::raw("socket, and  penstock top --socket PATH  asks there."),
            Line::raw("May you?  The socket is for its owner and its group: try sudo."),
            Line::default(),
            Line::styled("This goes on trying; q ends it.", paint.dim()),
        ],
    };
    boxed(" penstock top ", lines, 80, frame, area);
}

/// Lines in a box in the middle, as wide as it may be and as high as it must.
fn boxed(title: &str, lines: Vec<Line<'_>>, width: u16, frame: &mut Frame<'_>, area: Rect) {
    let width = width.min(area.width);
    let inside = usize::from(width.saturating_sub(2)).max(1);
    let rows: usize = lines.iter().map(|line| line.width().div_ceil(inside).max(1)).sum();
    // Words are not broken, so a long sentence may take a line more than its letters need.
    let spare = lines.iter().filter(|line| line.width() > inside).count();
    let height = u16::try_from(rows + spare + 2).unwrap_or(area.height).min(area.height);
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let place = Rect { x, y, width, height };
    frame.render_widget(Clear, place);
    let block = Block::bordered().title(title.to_owned()).style(Style::new());
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).block(block), place);
}
