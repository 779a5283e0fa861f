//! The limits of the screen, and how they relate.

/// Samples kept of each rate: two minutes at one a second, and as wide as a trend is drawn.
pub(crate) const HISTORY: usize = 120;

/// Samples whose mean orders the rows: with the last one alone they would change places every second.
pub(crate) const CALM: usize = 8;

/// The narrowest and lowest screen that something useful fits on.
pub(crate) const COLUMNS_MIN: u16 = 60;

/// See [`COLUMNS_MIN`].
pub(crate) const ROWS_MIN: u16 = 14;

/// From this width on the overview has two columns.
pub(crate) const COLUMNS_WIDE: u16 = 160;

/// Characters of a filter.
pub(crate) const FILTER_CHARS_MAX: usize = 63;

/// The share of its time from which a worker is near its limit.
pub(crate) const BUSY_HIGH: f64 = 0.9;

/// The share of the flow table from which it is nearly full.
pub(crate) const TABLE_HIGH: f64 = 0.9;

/// Drops of one reason are told from this share of the packets received.
pub(crate) const DROPS_TOLD: f64 = 0.001;

/// From this share on they are told as bad.
pub(crate) const DROPS_BAD: f64 = 0.05;

/// How long a new table is news, in milliseconds.
pub(crate) const NEWS_MS: u64 = 60_000;

const _: () = assert!(CALM <= HISTORY && DROPS_TOLD < DROPS_BAD);
