//! A table of the screen, before it is drawn: columns, lines of cells, an order.

use std::cmp::Ordering;

use crate::number;
use crate::paint::{Mood, cut};
use crate::series::Series;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Its heading.
    pub(crate) title: &'static str,
    /// Columns of the screen it takes at least.
    pub(crate) width: u16,
    /// What it may grow to where there is room: its share is the difference.
    pub(crate) wide: u16,
    /// Numbers stand on the right.
    pub(crate) right: bool,
    /// The columns with the highest are left out first where it is narrow; 0 always stays.
    pub(crate) rank: u8,
}

impl Column {
    pub(crate) const fn text(title: &'static str, width: u16, wide: u16, rank: u8) -> Self {
        Self { title, width, wide, right: false, rank }
    }

    pub(crate) const fn number(title: &'static str, width: u16, rank: u8) -> Self {
        Self { title, width, wide: width, right: true, rank }
    }

    pub(crate) const fn trend(width: u16, wide: u16, rank: u8) -> Self {
        Self { title: "trend", width, wide, right: true, rank }
    }
}

/// What stands in a column.
#[derive(Clone, Debug)]
pub(crate) enum Cell<'s> {
    /// Words.
    Text(&'s str),
    /// Words made here.
    Made(String),
    /// A sentence: what is too long of it is its end.
    Words(&'s str),
    /// A number that names something, or its absence.
    Count(u64),
    /// A rate a second; bytes are shown as bits.
    Rate(&'s Series, Unit),
    /// A time in milliseconds.
    Time(u64),
    /// A share of a whole.
    Share(f64),
    /// A bar of a share.
    Bar(f64),
    /// A history; scaled to this, or to its own largest.
    Trend(&'s Series, Option<f64>),
}

/// What a rate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Packets, flows, anything.
    Each,
    /// Bytes, eight bits each.
    Bytes,
}

impl Cell<'_> {
    /// As it stands in a column of that width.
    pub(crate) fn shown(&self, width: usize) -> String {
        match self {
            Self::Text(text) => (*text).to_owned(),
            Self::Words(text) => cut(text, width),
            Self::Made(text) => text.clone(),
            Self::Count(count) => number::count(*count),
            Self::Rate(series, unit) => {
                let scale = if *unit == Unit::Bytes { 8.0 } else { 1.0 };
                series.now().map_or_else(|| "–".to_owned(), |rate| number::rate(rate * scale))
            }
            Self::Time(ms) => number::duration(*ms),
            Self::Share(share) => number::share(*share),
            Self::Bar(share) => bar(*share, width),
            Self::Trend(series, top) => series.trend(width, *top),
        }
    }

    /// The order of two cells of one column; numbers by size, the largest first.
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::Made(one), Self::Made(two)) => {
                // The mark of an operator's word is no part of a number.
                let number = |text: &String| text.trim_end_matches('*').parse::<u64>();
                match (number(one), number(two)) {
                    (Ok(one), Ok(two)) => one.cmp(&two),
                    _ => one.cmp(two),
                }
            }
            (one, two) => two.size().total_cmp(&one.size()),
        }
    }

    /// How wide a column has to be for it; of numbers and pictures the column knows that itself.
    fn wanted(&self) -> usize {
        match self {
            Self::Text(text) | Self::Words(text) => text.chars().count(),
            Self::Made(text) => text.chars().count(),
            _ => usize::MAX,
        }
    }

    fn size(&self) -> f64 {
        match self {
            Self::Text(_) | Self::Made(_) | Self::Words(_) => 0.0,
            Self::Count(count) | Self::Time(count) => *count as f64,
            Self::Rate(series, _) | Self::Trend(series, _) => series.calm(),
            Self::Share(share) | Self::Bar(share) => *share,
        }
    }
}

/// A bar: full blocks, shaded where it is empty. What is something is never shown as nothing.
pub(crate) fn bar(share: f64, width: usize) -> String {
    let filled = (1..=width).filter(|&place| share * width as f64 >= place as f64 - 0.5).count();
    let filled = if share > 0.0 { filled.max(1).min(width) } else { 0 };
    "█".repeat(filled) + &"░".repeat(width - filled)
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Row<'s> {
    /// A cell for each column.
    pub(crate) cells: Vec<Cell<'s>>,
    /// How what it tells of is.
    pub(crate) mood: Mood,
}

/// The table.
#[derive(Clone, Debug)]
pub(crate) struct Sheet<'s> {
    /// What a line is about, as it is counted: `services`.
    pub(crate) of: &'static str,
    /// The columns.
    pub(crate) columns: &'static [Column],
    /// The lines, in the order of names until they are sorted.
    pub(crate) rows: Vec<Row<'s>>,
    /// What to say when there is no line.
    pub(crate) empty: &'static str,
}

impl Sheet<'_> {
    /// Orders the lines by a column; those that are equal stay in the order of names.
    pub(crate) fn sort(&mut self, column: usize, reverse: bool) {
        self.rows.sort_by(|one, two| {
            let order = one
                .cells
                .get(column)
                .zip(two.cells.get(column))
                .map_or(Ordering::Equal, |(one, two)| one.order(two));
            if reverse { order.reverse() } else { order }
        });
    }

    /// Brings the lines that something is wrong with to the top.
    pub(crate) fn worst_first(&mut self) {
        self.rows.sort_by_key(|row| std::cmp::Reverse(row.mood));
    }

    /// Leaves the lines that hold a text in one of their words.
    pub(crate) fn filter(&mut self, text: &str) {
        let text = text.to_ascii_lowercase();
        let words = |cell: &Cell<'_>| match cell {
            Cell::Text(word) => word.to_ascii_lowercase().contains(&text),
            Cell::Made(word) => word.to_ascii_lowercase().contains(&text),
            _ => false,
        };
        self.rows.retain(|row| row.cells.iter().any(words));
    }

    /// The width of each column on a screen so wide, 0 for those left out; one blank stands between two.
    pub(crate) fn widths(&self, screen: u16) -> Vec<u16> {
        let mut shown: Vec<bool> = self.columns.iter().map(|_| true).collect();
        let needs = |shown: &[bool]| {
            let there = || self.columns.iter().zip(shown).filter(|(_, shown)| **shown);
            let blanks = u16::try_from(there().count()).unwrap_or(u16::MAX).saturating_sub(1);
            there().map(|(column, _)| column.width).fold(blanks, u16::saturating_add)
        };
        while needs(&shown) > screen {
            let there = self.columns.iter().zip(&shown).enumerate().filter(|(_, (_, shown))| **shown);
            let last =
                there.filter(|(_, (column, _))| column.rank > 0).max_by_key(|(_, (column, _))| column.rank);
            let Some((place, _)) = last else { break };
            if let Some(shown) = shown.get_mut(place) {
                *shown = false;
            }
        }
        let mut left = screen.saturating_sub(needs(&shown));
        let mut growth: Vec<u16> = self.columns.iter().map(|_| 0).collect();
        // From left to right, and no column by more than its lines need: a name cut short costs more than a shorter
        // trend, and a blank costs as much as either.
        for (place, (growth, (column, shown))) in
            growth.iter_mut().zip(self.columns.iter().zip(&shown)).enumerate()
        {
            if *shown {
                let cells = self.rows.iter().filter_map(|row| row.cells.get(place));
                let wanted = cells.map(Cell::wanted).max().map_or(column.width, |wanted| {
                    u16::try_from(wanted).unwrap_or(u16::MAX).min(column.wide)
                });
                *growth = left.min(wanted.saturating_sub(column.width));
                left -= *growth;
            }
        }
        let width = |((column, shown), growth): ((&Column, &bool), &u16)| {
            if *shown { (column.width + growth).min(screen) } else { 0 }
        };
        self.columns.iter().zip(&shown).zip(&growth).map(width).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Column, Row, Sheet, bar};
    use crate::paint::Mood;

    const COLUMNS: &[Column] =
        &[Column::text("name", 8, 20, 0), Column::number("pps", 7, 0), Column::trend(10, 60, 2)];

    fn sheet(rows: &[(&'static str, u64)]) -> Sheet<'static> {
        let row = |&(name, count): &(&'static str, u64)| Row {
            cells: vec![Cell::Text(name), Cell::Count(count)],
            mood: Mood::Calm,
        };
        Sheet { of: "rows", columns: COLUMNS, rows: rows.iter().map(row).collect(), empty: "" }
    }

    fn names(sheet: &Sheet<'_>) -> Vec<String> {
        sheet.rows.iter().filter_map(|row| row.cells.first()).map(|cell| cell.shown(9)).collect()
    }

    #[test]
    fn columns_grow_from_the_left_and_go_by_rank() {
        let mut sheet = self::sheet(&[("a-name-of-twenty-chr", 1)]);
        if let Some(row) = sheet.rows.first_mut() {
            row.cells.push(Cell::Bar(1.0));
        }
        assert_eq!(sheet.widths(100), [20, 7, 60]);
        assert_eq!(sheet.widths(40), [20, 7, 11]);
        assert_eq!(sheet.widths(27), [8, 7, 10]);
        assert_eq!(sheet.widths(26), [18, 7, 0]);
        assert_eq!(sheet.widths(3), [3, 3, 0], "what always stays is cut, not lost");
    }

    #[test]
    fn numbers_are_sorted_from_the_largest_and_equals_by_name() {
        let mut sheet = sheet(&[("a", 1), ("b", 7), ("c", 1)]);
        sheet.sort(1, false);
        assert_eq!(names(&sheet), ["b", "a", "c"]);
        sheet.sort(0, true);
        assert_eq!(names(&sheet), ["c", "b", "a"]);
        sheet.filter("B");
        assert_eq!(names(&sheet), ["b"]);
    }

    #[test]
    fn a_bar_shows_little_as_something() {
        assert_eq!(
            [0.0, 0.01, 0.5, 1.0, 7.0].map(|share| bar(share, 4)),
            ["░░░░", "█░░░", "██░░", "████", "████"]
        );
    }
}
