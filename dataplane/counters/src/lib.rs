//! The names of everything that is counted, declared once for both planes, the cases and the docs.
//!
//! Every packet leaves by exactly one verdict, and the reason is the counter:
//! `rx + made + kernel.rx + hand.in = tx + Σ drop + Σ punt + held + hand.out`, per worker and in total, always. (An answered echo leaves as the
//! request's own frame and is *tx* alone; the answer to a packet that is itself dropped is *made*. Nothing is
//! *held* yet.)
//!
//! `drop.truncated` is `penstock_drop_total{reason="truncated"}` in Prometheus, mechanically.
#![forbid(unsafe_code)]

mod ledger;
mod names;

pub use ledger::{Layout, Ledger, Tally};
pub use names::{COUNTERS, Counter, DropReason, Event, PuntReason};
