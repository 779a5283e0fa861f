//! The screen of a running box: rates, trends and what is wrong, drawn from snapshots.
//!
//! Architecture invariant: [`State::feed`] and [`draw`] are pure. They know no clock, no socket and no terminal,
//! so every screen can be drawn in a test; only [`show`] touches the terminal, and gives it back on every way out.
//! Text that came over the socket is made printable in one place before it reaches the screen.
#![forbid(unsafe_code)]

mod draw;
mod finding;
mod limits;
mod number;
mod paint;
mod series;
mod sheet;
mod sheets;
mod state;
mod terminal;
mod tracks;

pub use draw::draw;
pub use paint::Paint;
pub use state::{Key, State, Tab};
pub use terminal::{News, show};
