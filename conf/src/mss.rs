//! How large a segment the SYNs of a service may offer.

use std::fmt;

/// What bounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mss {
    /// So many bytes.
    Bytes(u16),
    /// What fits the narrowest tunnel of the service's reals.
    Auto,
}

impl Mss {
    /// As configurations write [`Mss::Auto`].
    pub const AUTO: &str = "auto";
}

impl fmt::Display for Mss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{bytes}"),
            Self::Auto => f.write_str(Self::AUTO),
        }
    }
}
