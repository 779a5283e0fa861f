//! The local control socket: its messages, how they are framed, its server and its client.
//!
//! Architecture invariant: nothing here knows what a service or a packet is beyond its name. The server reads
//! strangers' bytes, so it is bounded in everything: lines, connections, patience. The messages are described
//! in `PROTOCOL.md`, whose examples are read by a test.
#![forbid(unsafe_code)]

mod client;
mod frame;
mod message;
mod place;
mod server;
mod snapshot;

pub use client::{AskError, Client, Following};
pub use message::{
    Answer, Capture, Changed, Code, Deed, Explain, Explained, Fault, LINE_BYTES_MAX, Outcome, Override,
    REPLY_BYTES_MAX, Reload, Reply, Request, Rows, Show, Step, VERSION, View, Word,
};
pub use server::{CONNECTIONS_MAX, PATIENCE, Response, ServeError, Server};
pub use snapshot::{
    Counts, Flow, Generation, NextHop, NextHops, Panic, Port, Real, Responses, Rule, SILENT_MS, Service,
    Snapshot, Twin, Verdict, Worker, held,
};
