//! The report of a replay: JSON and one self-contained HTML page.
