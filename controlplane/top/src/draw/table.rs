//! A table on the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::put;
use crate::paint::{Mood, Paint, fit};
use crate::sheet::{Cell, Column, Row, Sheet};
use crate::state::Look;

/// Heading and lines from `from` on. Without a look it is a part of the overview, and its first heading says how
/// many lines there are that do not fit.
pub(crate) fn draw(
    sheet: &Sheet<'_>,
    look: Option<Look>,
    from: usize,
    paint: Paint,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let widths = sheet.widths(area.width.saturating_sub(1));
    let page = usize::from(area.height.saturating_sub(1));
    let mut heading = vec![Span::raw(" ")];
    for (place, (column, &width)) in sheet.columns.iter().zip(&widths).enumerate() {
        let hidden = look.is_none() && place == 0 && sheet.rows.len() > page;
        let title = if hidden {
            part(sheet, page, width)
        } else {
            titled(column, look.filter(|look| look.by == place), &mut heading, width)
        };
        cell(&mut heading, &title, column.right, width, paint.bold());
    }
    put(frame, area, 0, Line::from(heading));
    if sheet.rows.is_empty() {
        let words = fit(sheet.empty, usize::from(area.width.saturating_sub(1)), false);
        put(frame, area, 1, Line::from(vec![Span::raw(" "), Span::styled(words, paint.dim())]));
    }
    for (row, y) in sheet.rows.iter().skip(from).take(page).zip(1..) {
        put(frame, area, y, line(row, sheet.columns, &widths, paint));
    }
}

/// How many lines of how many are shown, and of what if there is room.
fn part(sheet: &Sheet<'_>, page: usize, width: u16) -> String {
    let part = format!("{page}/{}", sheet.rows.len());
    let whole = format!("{} {part}", sheet.of);
    if whole.len() <= usize::from(width) { whole } else { part }
}

/// The heading of a column. Where the lines are ordered by it there is a mark on its open side: behind words, and
/// in the blank before numbers, whose headings are as wide as they are.
fn titled(column: &Column, look: Option<Look>, before: &mut [Span<'_>], width: u16) -> String {
    let Some(look) = look.filter(|_| width > 0) else { return column.title.to_owned() };
    let mark = if look.reverse { "▴" } else { "▾" };
    if !column.right {
        return format!("{}{mark}", column.title);
    }
    if let Some(blank) = before.last_mut() {
        *blank = Span::raw(mark);
    }
    column.title.to_owned()
}

fn line<'a>(row: &Row<'_>, columns: &[Column], widths: &[u16], paint: Paint) -> Line<'a> {
    let mut spans = vec![Span::styled(if row.mood >= Mood::Warn { "▲" } else { " " }, paint.of(row.mood))];
    for ((content, column), &width) in row.cells.iter().zip(columns).zip(widths) {
        let shown = content.shown(usize::from(width));
        let style = match content {
            Cell::Trend(..) => paint.trend(),
            Cell::Bar(_) if row.mood == Mood::Calm => paint.good(),
            _ if row.mood == Mood::Calm && (shown == "0" || shown == "0 %" || shown == "–") => paint.dim(),
            _ => paint.of(row.mood),
        };
        cell(&mut spans, &shown, column.right, width, style);
    }
    Line::from(spans)
}

fn cell(into: &mut Vec<Span<'_>>, text: &str, right: bool, width: u16, style: ratatui::style::Style) {
    if width > 0 {
        into.push(Span::styled(fit(text, usize::from(width), right), style));
        into.push(Span::raw(" "));
    }
}
