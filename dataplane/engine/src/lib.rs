//! One packet's decision, taken a burst at a time.
//!
//! ```text
//! parse, screen │ hash, fetch bucket │ peek, fetch the rest │ look up or classify and select, encapsulate, count
//! ```
//!
//! Each `│` ends a loop over the burst, so that what one stage fetched has arrived when the next looks.
//! Architecture invariants: no clock, no I/O, no allocation, no randomness beyond the keys given; every
//! packet leaves by exactly one counted verdict; a flow's second packet in a burst sees what the first
//! did, so bursts of 1, 2, 7 and 32 give the same outputs and counters.
#![forbid(unsafe_code)]

mod aside;
mod attributes;
mod burst;
mod client;
mod decision;
mod echo;
mod encap;
mod explain;
mod fragments;
mod from_inside;
mod kernel;
mod labels;
mod lane;
mod mark;
mod marks;
mod mates;
mod meter;
mod mss;
mod neighbour;
mod open;
mod path_mtu;
mod portless;
mod quic;
mod refused;
mod resolve;
mod rules;
mod step;
mod tail;
mod too_big;

pub use aside::{Held, Sent, Stay};
pub use burst::Engine;
pub use decision::{Answer, Decision, FlowUse, NoObserver, Observer, SwitchPoint, Verdict};
pub use explain::explain;
/// What [`Engine::beside`] looks for strays' flows in.
pub use flow::FlowReader;
pub use fragments::{Release, SHELF_PLACES};
pub use from_inside::Inside;
pub use kernel::KernelRoom;
pub use meter::Colour;
pub use open::{Came, Shell};
pub use path_mtu::PathMtus;
pub use quic::Unroutable;
pub use step::{Following, Known, Step};
pub use too_big::quote;
/// What an [`Observer`] is shown of a packet.
pub use wire::Parsed;
