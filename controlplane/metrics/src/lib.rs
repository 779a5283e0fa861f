//! Snapshots as OpenMetrics text (version 1.0.0), and the small server that gives it to Prometheus.
//!
//! Architecture invariants: [`exposition`] is a pure function of a snapshot, and takes names and help from the
//! counters' own definitions. [`respond`] is total: any bytes give a response. The server reads strangers' bytes, so
//! it is bounded in everything: bytes, connections, patience.
#![forbid(unsafe_code)]

mod exposition;
mod http;
mod limits;
mod page;
mod server;

pub use exposition::exposition;
pub use http::respond;
pub use server::{Server, Source};
