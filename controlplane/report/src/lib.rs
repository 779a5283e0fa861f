//! The report of a replay: JSON, one self-contained HTML page, and a short table for the terminal.
//!
//! [`Report`] is plain data that the binary fills in; nothing here touches a packet or decides. The same figures
//! stand in all three forms; the JSON is complete, the page and the table show the largest parts and say
//! what they leave out.
//!
//! Architecture invariants: text that comes from outside (names, paths, a command line) is escaped in one
//! place; the page needs no network, no script and no font.
#![forbid(unsafe_code)]

mod evenness;
mod html;
mod latency;
mod limits;
mod machine;
mod model;
mod number;
mod rate;
mod text;

pub use evenness::Evenness;
pub use latency::{Bucket, buckets};
pub use model::{
    CaptureInfo, Clock, FaultCount, Flows, Generation, Kind, Machine, Rate, Real, Report, Responses, Rule,
    Service, Share, Speed, Verdict, sum_reals,
};
