//! What the kernel knows of the way to an address: its links, routes and neighbours, by netlink (RFC 3549).
//!
//! A [`Watcher`] is told what changes, an [`Asker`] asks and has neighbours looked for. Routes are not copied: the
//! kernel is asked for the way to one address, so its rules, tables and multipath routes hold as they stand.
//!
//! Architecture invariants: no address, link or route is ever changed; what is written are neighbours to be looked
//! for, which the kernel forgets by itself. Any bytes give events or nothing, never a panic. The namespace is that
//! of the thread which opens.

#![forbid(unsafe_code)]

mod ask;
mod read;
mod watch;

use std::fmt;
use std::net::IpAddr;

pub use ask::Asker;
pub use read::{Marks, read};
pub use watch::Watcher;

/// What the kernel says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// All links and neighbours follow, then [`Event::Synced`]; what is not among them is not there. It is so at
    /// the start, and when news were lost.
    Resync,
    /// What stands was told; from now on it is news.
    Synced,
    /// A link is there, or has changed.
    Link {
        /// Its number.
        index: u32,
        /// Its name.
        name: String,
        /// It is up, and so is what it hangs on.
        up: bool,
    },
    /// A link is gone.
    LinkGone {
        /// Its number.
        index: u32,
    },
    /// A neighbour was found, was lost, or has another address.
    Neighbour {
        /// The link it is on.
        index: u32,
        /// Its address.
        address: IpAddr,
        /// Its MAC address, as long as the kernel sends to it; `None` if it is being looked for, does not answer, or
        /// was forgotten.
        mac: Option<[u8; 6]>,
    },
    /// A route, a next hop or an address of ours came or went: any way may be another now.
    RoutesChanged,
}

/// The way to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The link that packets leave by.
    pub index: u32,
    /// The router they go to; `None` if the address is on that link.
    pub gateway: Option<IpAddr>,
}

/// Why the kernel was not understood.
#[derive(Debug)]
pub struct Error {
    deed: &'static str,
    cause: std::io::Error,
}

impl Error {
    pub(crate) const fn new(deed: &'static str, cause: std::io::Error) -> Self {
        Self { deed, cause }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by netlink: {}", self.deed, self.cause)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
