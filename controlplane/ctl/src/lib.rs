//! The local control socket: its messages, how they are framed, its server and its client.
//!
//! Architecture invariant: nothing here knows what a service or a packet is beyond its name. The server reads
//! strangers' bytes, so it is bounded in everything: lines, connections, patience.
#![forbid(unsafe_code)]

mod message;
mod snapshot;

pub use message::{
    Answer, Changed, Code, Deed, Fault, LINE_BYTES_MAX, Outcome, Override, Reload, Reply, Request, Rows,
    Show, VERSION, View, Word,
};
pub use snapshot::{Counts, Flow, Generation, Port, Real, Service, Snapshot, Worker};
