//! How much of a large report the page and the table show, and how that relates.

/// Reals of a service that are drawn as one labelled bar each; more become a strip of columns.
pub(crate) const BARS_MAX: usize = 24;

/// Services that get a picture of their own.
pub(crate) const PICTURES_MAX: usize = 8;

/// Rows of a table on the page.
pub(crate) const ROWS_MAX: usize = 500;

/// Rows of a table that stands open; a longer one is folded.
pub(crate) const ROWS_OPEN_MAX: usize = 12;

/// Steps that a rate is counted in.
pub(crate) const STEPS_MAX: u64 = 250;

/// Verdicts in the terminal's table.
pub(crate) const TEXT_VERDICTS_MAX: usize = 10;

/// Reals in the terminal's table.
pub(crate) const TEXT_REALS_MAX: usize = 12;

/// Lines of the terminal's table.
pub(crate) const TEXT_LINES_MAX: usize = 40;

const _: () = assert!(ROWS_OPEN_MAX < BARS_MAX && BARS_MAX < ROWS_MAX);
// Each table has a heading, an empty line, and perhaps a line for what it leaves out.
const _: () = assert!(TEXT_VERDICTS_MAX + TEXT_REALS_MAX + 6 + 12 <= TEXT_LINES_MAX);
