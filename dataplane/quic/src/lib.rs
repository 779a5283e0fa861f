//! What a router reads of QUIC: the connection ids of a packet ([`header`]), and the server id that a server has
//! hidden in an id of its own ([`lb`]).
//!
//! Architecture invariants: any bytes give a value or nothing; no allocation, no state; keys are never printed.
#![forbid(unsafe_code)]

pub mod header;
pub mod lb;

pub use header::{Ids, ids};
pub use lb::{Config, ConfigError, ServerId};
