//! What a capture wants, from the command line to a worker.

use ::capture::ng_encode;
use filter::{Insn, Program};

use crate::failure::Failure;

/// Begins a capture's file: who wrote it, and its interfaces.
pub(crate) fn begin<'n>(into: &mut Vec<u8>, interfaces: impl Iterator<Item = &'n str>, snaplen: u32) {
    ng_encode::section(into, concat!("penstock ", env!("CARGO_PKG_VERSION")));
    for name in interfaces {
        ng_encode::interface(into, name, snaplen);
    }
}

/// The instructions of a pcap-filter expression, checked as a worker will.
pub(crate) fn compile(expression: &str) -> Result<(Vec<Insn>, Program), Failure> {
    let insns = insns(expression)?;
    let program = Program::check(&insns)?;
    Ok((insns, program))
}

#[cfg(feature = "pcap")]
fn insns(expression: &str) -> Result<Vec<Insn>, Failure> {
    Ok(pcap::compile(expression)?)
}

#[cfg(not(feature = "pcap"))]
fn insns(expression: &str) -> Result<Vec<Insn>, Failure> {
    Err(Failure::new(format!(
        "the filter {expression:?}: this build has no libpcap: capture without a filter, or build with the feature `pcap`"
    )))
}
