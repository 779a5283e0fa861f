//! What shows an operator what the packet path does, and why.

mod attributes;
pub(crate) mod capture;
pub(crate) mod explain;
pub(crate) mod follow;
#[cfg(feature = "dpdk")]
pub(crate) mod live;
#[cfg(feature = "dpdk")]
pub(crate) mod recorder;
mod tally;
mod tunnels;
pub(crate) mod words;
