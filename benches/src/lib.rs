//! What the benchmarks share: packets by arithmetic, tables to forward by, and honest timing.
//!
//! Times are the CPU time of the measuring thread, so that other processes on a shared machine do not
//! count; scenarios alternate, so that a slow spell meets all of them; medians and spreads are printed.
#![forbid(unsafe_code)]

pub mod chase;
pub mod flows_capture;
pub mod halved;
pub mod maglev;
pub mod packets;
pub mod rules;
pub mod scenario;
pub mod tables;
