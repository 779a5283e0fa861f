//! TOML to validated types: every fault at once, with file, line, key and remedy.
//!
//! Three steps. [`toml`] gives a document with places; `read` turns its tables into the file types
//! (`file`), key by key, so that one wrong key hides no other fault; `check` turns those into a
//! [`Config`], in which no string stands where a type exists. Any bytes give a configuration or
//! [`Faults`], never a panic.
//!
//! Architecture invariant: this crate decides nothing about packets and opens no file but the one it
//! is asked for.

#![forbid(unsafe_code)]

mod check;
mod config;
pub mod defaults;
mod fault;
mod file;
pub mod keys;
pub mod limits;
mod mss;
mod named;
mod nearest;
mod read;
mod rule;
mod scalar;

use std::io::Read;
use std::path::Path;

pub use config::{
    Config, Dataplane, Device, EIGHTHS, Flow, HugePages, Kernel, Limit, Mac, MacError, Mark, Member, Name,
    NameError, Node, Pool, Port, PortRange, Protocol, Quic, Real, Select, Server, Service, Tunnel, TunnelEnd,
    Vip,
};
pub use fault::{Fault, Faults};
pub use mss::Mss;
pub use rule::{Rule, TcpFlags, Then};
pub use scalar::{full_len, network};

use fault::Report;
use limits::CONFIG_BYTES_MAX;

/// The configuration in the file at `path`. Paths inside it are taken relative to its folder.
///
/// # Errors
/// Every fault found; also a file that is missing, unreadable, not UTF-8 or longer than
/// [`CONFIG_BYTES_MAX`].
pub fn load(path: &Path) -> Result<Config, Faults> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(CONFIG_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes));
    if let Err(error) = read {
        return Err(Faults::of_file(
            &name,
            format!("the file cannot be read: {error}"),
            "Check the path and its permissions.",
        ));
    }
    parse_bytes(&name, bytes)
}

/// The configuration in `bytes`; `name` is what faults call the file.
///
/// # Errors
/// As [`load`].
pub fn parse_bytes(name: &str, bytes: Vec<u8>) -> Result<Config, Faults> {
    if bytes.len() as u64 > CONFIG_BYTES_MAX {
        return Err(Faults::too_long(name));
    }
    match String::from_utf8(bytes) {
        Ok(text) => parse(name, &text),
        Err(error) => Err(Faults::not_utf8(name, error.as_bytes(), error.utf8_error().valid_up_to())),
    }
}

/// The configuration in `text`; `name` is what faults call the file, and the folder in it (if any) is
/// what relative paths inside start from.
///
/// # Errors
/// Every fault found.
pub fn parse(name: &str, text: &str) -> Result<Config, Faults> {
    if text.len() as u64 > CONFIG_BYTES_MAX {
        return Err(Faults::too_long(name));
    }
    let mut report = Report::new(name, text);
    let config = read::document(&mut report, text).map(|file| check::config(&mut report, file));
    report.finish(config)
}
