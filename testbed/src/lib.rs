//! Golden packet cases and the tests that hold the house's law: what the tests under `tests/` share.
//!
//! Architecture invariant: nothing here knows how a packet is decided. A test says what it expects, the
//! real binary says what it did, and this crate compares.
#![forbid(unsafe_code)]

pub mod cases;
pub mod lab;
pub mod ledger;
pub mod pcap;
pub mod penstock;
pub mod tshark;

use std::path::{Path, PathBuf};

/// The folder of the whole project.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/")).to_owned()
}
