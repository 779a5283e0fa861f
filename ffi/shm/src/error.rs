//! What can be wrong with shared memory, each in one sentence.

use core::fmt;
use std::io;

use rustix::io::Errno;

/// Why shared memory could not be made, or was refused.
#[derive(Debug)]
pub enum Error {
    /// The kernel refused a step.
    Os {
        /// What was being done to the memory, as a verb.
        doing: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The descriptor is no memfd.
    NotMemory,
    /// A seal is missing that the memory must carry before it is mapped.
    NotSealed {
        /// What the missing seal would have forbidden.
        against: &'static str,
    },
    /// A region that nobody may write to.
    NotWritable,
    /// No byte in it.
    Empty,
    /// Longer than the caller allows.
    TooLong {
        /// The most that the caller allows, in bytes.
        bytes_max: usize,
    },
    /// A region does not begin with our magic number.
    NotARegion,
    /// A region of another layout version.
    LayoutVersion {
        /// What stands in the header.
        found: u64,
        /// Ours.
        expected: u64,
    },
    /// The same version, but other constants: built from other source.
    LayoutHash {
        /// What stands in the header.
        found: u64,
        /// Ours.
        expected: u64,
    },
    /// A region that another start of the dataplane made.
    BootId {
        /// What stands in the header.
        found: u64,
        /// What the caller was told.
        expected: u64,
    },
    /// A number of the region's shape is out of bounds.
    Shape {
        /// Which number, in words.
        what: &'static str,
        /// Its value.
        found: u64,
        /// What it must be, in words.
        must_be: &'static str,
    },
    /// The region is not as long as its shape needs.
    Length {
        /// Its length in bytes.
        found: usize,
        /// What its shape needs.
        expected: usize,
    },
}

impl Error {
    pub(crate) fn os(doing: &'static str, errno: Errno) -> Self {
        Self::Os { doing, source: errno.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Os { doing, source } => write!(f, "cannot {doing} shared memory: {source}"),
            Self::NotMemory => write!(f, "the descriptor is no shared memory (no memfd)"),
            Self::NotSealed { against } => write!(f, "the shared memory is not sealed against {against}"),
            Self::NotWritable => {
                write!(f, "the region is sealed against writing, so neither side could speak")
            }
            Self::Empty => write!(f, "the shared memory is empty"),
            Self::TooLong { bytes_max } => {
                write!(f, "the shared memory is longer than the {bytes_max} bytes allowed")
            }
            Self::NotARegion => write!(f, "the shared memory is no region: it does not begin as one"),
            Self::LayoutVersion { found, expected } => {
                write!(f, "the region has layout version {found}, this program has {expected}")
            }
            Self::LayoutHash { found, expected } => write!(
                f,
                "the region was laid out by other source: hash {found:016x}, this program's is {expected:016x}"
            ),
            Self::BootId { found, expected } => {
                write!(f, "the region belongs to boot {found:016x} of the dataplane, not to {expected:016x}")
            }
            Self::Shape { what, found, must_be } => {
                write!(f, "the region's {what} is {found}, it must be {must_be}")
            }
            Self::Length { found, expected } => {
                write!(f, "the region is {found} bytes long, its shape needs {expected}")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Os { source, .. } => Some(source),
            _ => None,
        }
    }
}
