//! Memory shared between the control core and the dataplane: sealed images, and per worker two rings of
//! 64-byte records, a counter page and a heartbeat.
//!
//! Both sides are in one process for now and in two later, so each is written as if the other were hostile:
//! * A [`Sealed`] image is immutable for everybody, so it may be read as a plain slice.
//! * A [`Region`] is writable by both. It is read through atomics only, its size cannot change under us, and
//!   nothing read from it is used as an index, a length or a bound. What a peer can do by writing nonsense
//!   is to send nonsense; what a record means is checked by its reader.
//!
//! And a [`Bell`] between threads of one process, for those who hand things to one of them.
//!
//! No call here waits, and after set-up none allocates.
//!
//! What stays open: whoever holds a region's memfd can punch holes in it, so that the next access allocates
//! a fresh zero page. Zeroes are only more nonsense, but on a machine out of memory that access is a SIGBUS.
#![allow(unsafe_code, reason = "an ffi crate: its unsafe is what lets the crates above forbid theirs")]

mod bell;
mod counters;
mod primitive;
mod ring;
mod view;

#[cfg(not(loom))]
mod error;
#[cfg(not(loom))]
mod layout;
#[cfg(not(loom))]
mod map;
#[cfg(not(loom))]
mod memfd;
#[cfg(not(loom))]
mod region;
#[cfg(not(loom))]
mod sealed;

pub use bell::Bell;
pub use counters::{Busy, CounterReader, CounterWriter, HeartbeatReader, HeartbeatWriter};
pub use ring::{Full, RECORD_WORDS, Receiver, Record, RecvError, Sender};

#[cfg(not(loom))]
pub use error::Error;
#[cfg(not(loom))]
pub use layout::{COUNTER_WORDS_MAX, LAYOUT_VERSION, RING_CAPACITY_MAX, WORKERS_MAX};
#[cfg(not(loom))]
pub use region::{ControlSide, Region, WorkerSide};
#[cfg(not(loom))]
pub use sealed::{Sealed, SealedBuilder};
