//! From what is known to a picture, at any size.

mod head;
mod over;
mod table;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::finding::findings;
use crate::limits::{COLUMNS_MIN, COLUMNS_WIDE, ROWS_MIN};
use crate::paint::{Paint, cut, fit};
use crate::state::{Over, Seen, State, Tab};

/// Draws the screen. The state only learns how many lines a page has, so that it can turn pages.
pub fn draw(state: &mut State, paint: Paint, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < COLUMNS_MIN || area.height < ROWS_MIN {
        let text = format!("{COLUMNS_MIN}x{ROWS_MIN} is the smallest window");
        put(frame, area, 0, Line::raw(fit(&text, usize::from(area.width), false)));
        return;
    }
    let Some(seen) = state.seen().cloned() else {
        over::waiting(state, paint, frame, area);
        return;
    };
    put(frame, area, 0, head::bar(state, &seen, paint, area.width));
    let found = findings(&seen.snapshot, &seen.tracks);
    let mut y = 1;
    for line in head::vitals(&seen, paint, area.width) {
        put(frame, area, y, line);
        y += 1;
    }
    let told = match area.height {
        0..30 => 1,
        30..45 => 3,
        _ => 5,
    };
    for line in head::told(&found, paint, area.width, told) {
        put(frame, area, y, line);
        y += 1;
    }
    put(frame, area, y, head::tabs(state.tab, paint));
    let body = Rect { y: area.y + y + 1, height: area.height - y - 2, ..area };
    let place = match state.tab {
        Tab::Overview => {
            overview(state, &seen, paint, frame, body);
            String::new()
        }
        tab => whole(state, &seen, tab, paint, frame, body),
    };
    put(frame, area, area.height - 1, head::foot(state, &seen, &place, paint, area.width));
    match state.over {
        Some(Over::Help) => over::help(paint, frame, area),
        Some(Over::Findings) => over::all(&found, paint, frame, area),
        None => {}
    }
}

/// One table over the whole body; gives which of its lines are shown.
fn whole(
    state: &mut State,
    seen: &Seen,
    tab: Tab,
    paint: Paint,
    frame: &mut Frame<'_>,
    body: Rect,
) -> String {
    let Some(mut sheet) = state.sheet(seen, tab) else {
        return String::new();
    };
    let page = usize::from(body.height.saturating_sub(1));
    state.settle(sheet.rows.len(), page);
    let look = state.look();
    sheet.sort(look.by, look.reverse);
    table::draw(&sheet, Some(look), look.from, paint, frame, body);
    let last = (look.from + page).min(sheet.rows.len());
    match sheet.rows.len() {
        0 => String::new(),
        1 => format!("1 {}", sheet.of.trim_end_matches('s')),
        all if all <= page => format!("{all} {}", sheet.of),
        all => format!("{}–{last} of {all} {}", look.from + 1, sheet.of),
    }
}

/// The first lines of several tables, below one another, or in two columns where it is wide.
fn overview(state: &State, seen: &Seen, paint: Paint, frame: &mut Frame<'_>, body: Rect) {
    if body.width >= COLUMNS_WIDE {
        let width = (body.width - 2) / 2;
        let left = Rect { width, ..body };
        let right = Rect { x: body.x + width + 2, width: body.width - width - 2, ..body };
        stack(state, seen, &[Tab::Services, Tab::Drops], paint, frame, left);
        stack(state, seen, &[Tab::Reals, Tab::Workers, Tab::Ports], paint, frame, right);
    } else if body.height >= 26 {
        let tabs = [Tab::Services, Tab::Reals, Tab::Drops, Tab::Workers, Tab::Ports];
        stack(state, seen, &tabs, paint, frame, body);
    } else {
        stack(state, seen, &[Tab::Services, Tab::Reals, Tab::Drops], paint, frame, body);
    }
}

fn stack(state: &State, seen: &Seen, tabs: &[Tab], paint: Paint, frame: &mut Frame<'_>, area: Rect) {
    let sheets: Vec<_> = tabs.iter().filter_map(|&tab| Some((tab, state.sheet(seen, tab)?))).collect();
    // A heading, the lines or the words for none, and a blank line before the next.
    let mut wants: Vec<usize> = sheets.iter().map(|(_, sheet)| sheet.rows.len().max(1) + 2).collect();
    if let Some(last) = wants.last_mut() {
        *last -= 1;
    }
    let count = wants.len();
    let mut y = area.y;
    let heights = shares(usize::from(area.height), &wants);
    for (place, ((tab, mut sheet), height)) in sheets.into_iter().zip(heights).enumerate() {
        let height = u16::try_from(height).unwrap_or(area.height);
        let is_whole = sheet.rows.len() + 2 <= usize::from(height);
        sheet.sort(State::by(tab, is_whole), false);
        sheet.worst_first();
        let blank = u16::from(height > 2 && place + 1 < count);
        table::draw(&sheet, None, 0, paint, frame, Rect { y, height: height - blank, ..area });
        y += height;
    }
}

/// Lines for each who wants some: one at a time in turn, until all have enough or none is left.
fn shares(height: usize, wants: &[usize]) -> Vec<usize> {
    let mut given = vec![0; wants.len()];
    let mut left = height;
    loop {
        let before = left;
        for (given, want) in given.iter_mut().zip(wants) {
            if *given < *want && left > 0 {
                *given += 1;
                left -= 1;
            }
        }
        if left == 0 || left == before {
            return given;
        }
    }
}

/// A line at a row of an area; what lies outside is not drawn.
fn put(frame: &mut Frame<'_>, area: Rect, row: u16, line: Line<'_>) {
    if row < area.height {
        frame.buffer_mut().set_line(area.x, area.y + row, &line, area.width);
    }
}

/// The left and the right part of a line, as far apart as it goes; the left one gives way.
fn apart<'a>(left: String, right: String, width: u16, style: ratatui::style::Style) -> Line<'a> {
    let right_width = right.chars().count().min(usize::from(width));
    let room = usize::from(width) - right_width;
    let left = fit(&cut(&left, room), room, false);
    Line::from(vec![Span::styled(left, style), Span::styled(right, style)])
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn lines_are_given_in_turn_and_what_one_does_not_want_the_others_get() {
        assert_eq!(shares(9, &[10, 10, 10]), [3, 3, 3]);
        assert_eq!(shares(10, &[2, 10, 10]), [2, 4, 4]);
        assert_eq!(shares(50, &[2, 3]), [2, 3]);
        assert_eq!(shares(0, &[2, 3]), [0, 0]);
    }
}
