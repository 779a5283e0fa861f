//! The limits of the server, and how they relate.

use std::time::Duration;

/// Bytes of a request's head: request line and header fields.
pub(crate) const HEAD_BYTES_MAX: usize = 8 * 1024;

/// Bytes that are read and thrown away after a refusal, so that the refusal arrives.
pub(crate) const DRAIN_BYTES_MAX: usize = 64 * 1024;

/// Connections at a time; a scraper has one.
pub(crate) const CONNECTIONS_MAX: usize = 4;

/// How long a request and its response may take together.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

const _: () = assert!(HEAD_BYTES_MAX <= DRAIN_BYTES_MAX);
