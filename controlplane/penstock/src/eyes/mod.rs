//! What shows an operator what the packet path does, and why.

pub(crate) mod explain;
mod words;
