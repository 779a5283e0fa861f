//! What shows an operator what the packet path does, and why.

pub(crate) mod capture;
pub(crate) mod explain;
pub(crate) mod words;
