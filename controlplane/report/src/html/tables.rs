//! The table under a picture.

use super::escape;
use crate::limits::{ROWS_MAX, ROWS_OPEN_MAX};

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// A short text.
    Text,
    /// A text that may need several lines.
    Wide,
    /// A number, to the right.
    Number,
}

/// A table of plain text. A long one is folded under `summary`; one that is too long is cut, and says so.
pub(super) fn table(summary: &str, head: &[(&str, Column)], rows: &[Vec<String>]) -> String {
    let class = |column: &Column| match column {
        Column::Text => "",
        Column::Wide => " class=\"wide\"",
        Column::Number => " class=\"number\"",
    };
    let names: String =
        head.iter().map(|(name, column)| format!("<th{}>{}</th>", class(column), escape(name))).collect();
    let body: String = rows
        .iter()
        .take(ROWS_MAX)
        .map(|row| {
            let cells = row.iter().zip(head);
            let cells: String = cells
                .map(|(cell, (_, column))| format!("<td{}>{}</td>", class(column), escape(cell)))
                .collect();
            format!("<tr>{cells}</tr>\n")
        })
        .collect();
    let more = match rows.len().saturating_sub(ROWS_MAX) {
        0 => String::new(),
        more => format!("<p class=\"note\">{more} more rows are in the JSON report.</p>\n"),
    };
    let table = format!(
        "<div class=\"scroll\"><table><thead><tr>{names}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n{more}"
    );
    if rows.len() <= ROWS_OPEN_MAX {
        return table;
    }
    format!("<details><summary>{}</summary>{table}</details>\n", escape(summary))
}
