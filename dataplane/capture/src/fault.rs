//! What is wrong with single packets of a capture that can be read all the same.

use std::fmt;

/// One thing that is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The packet's index, from 0. For [`FaultKind::Truncated`] and [`FaultKind::Damaged`] it is the
    /// index that the packet would have had.
    pub index: usize,
    /// Where its record (pcap) or block (pcapng) begins in the file, in bytes.
    pub offset: u64,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong with a packet, or with the file from there on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The capture kept only the front of the packet (its snap length).
    CutBySnaplen {
        /// Bytes kept.
        captured: u32,
        /// Bytes on the wire.
        original: u32,
    },
    /// A record without a single byte.
    ZeroLength,
    /// More bytes were kept than were on the wire.
    LongerThanOriginal {
        /// Bytes kept.
        captured: u32,
        /// Bytes on the wire, as the record says.
        original: u32,
    },
    /// The packet's time lies before the time of the packet before it.
    TimeBackwards {
        /// By so many nanoseconds.
        by_nanos: u64,
    },
    /// The block has no time (pcapng simple packet block); the packet before it lends its own.
    NoTime,
    /// The file ends inside the record. No packet follows.
    Truncated {
        /// Bytes that are not there, at the least.
        missing: u64,
    },
    /// The record contradicts itself, so that the next one cannot be found. No packet follows.
    Damaged {
        /// In what way.
        what: &'static str,
    },
}

impl FaultKind {
    /// How many kinds there are.
    pub const COUNT: usize = 7;

    /// A dense number of the kind, below [`FaultKind::COUNT`].
    #[must_use]
    pub const fn ordinal(self) -> usize {
        match self {
            Self::CutBySnaplen { .. } => 0,
            Self::ZeroLength => 1,
            Self::LongerThanOriginal { .. } => 2,
            Self::TimeBackwards { .. } => 3,
            Self::NoTime => 4,
            Self::Truncated { .. } => 5,
            Self::Damaged { .. } => 6,
        }
    }

    /// The names of the kinds, by [`FaultKind::ordinal`].
    pub const NAMES: [&'static str; Self::COUNT] = [
        "cut by the snap length",
        "without a byte",
        "longer than on the wire",
        "time going backwards",
        "without a time",
        "file ends inside the record",
        "damaged record",
    ];

    /// Whether the reading ended here.
    #[must_use]
    pub const fn ends_the_capture(self) -> bool {
        matches!(self, Self::Truncated { .. } | Self::Damaged { .. })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packet index {} at byte {}: ", self.index, self.offset)?;
        match self.kind {
            FaultKind::CutBySnaplen { captured, original } => {
                write!(f, "only {captured} of {original} bytes were captured (snap length)")
            }
            FaultKind::ZeroLength => write!(f, "the record holds no byte of the packet"),
            FaultKind::LongerThanOriginal { captured, original } => {
                write!(f, "{captured} bytes were captured of a packet of {original}")
            }
            FaultKind::TimeBackwards { by_nanos } => {
                write!(f, "its time lies {by_nanos} ns before the packet before it")
            }
            FaultKind::NoTime => write!(f, "the block has no time"),
            FaultKind::Truncated { missing } => {
                write!(f, "the file ends inside the record, {missing} bytes are missing")
            }
            FaultKind::Damaged { what } => write!(f, "the record is damaged: {what}"),
        }
    }
}

/// The faults of a scan: the first ones with their place, all of them counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) kept: Vec<Fault>,
    pub(crate) counts: [u64; FaultKind::COUNT],
    /// Kept beside the list, so that a long list of small faults cannot hide it.
    pub(crate) end: Option<Fault>,
}

impl Faults {
    pub(crate) fn note(&mut self, index: usize, offset: usize, kind: FaultKind) {
        if let Some(count) = self.counts.get_mut(kind.ordinal()) {
            *count += 1;
        }
        let fault = Fault { index, offset: offset as u64, kind };
        if kind.ends_the_capture() {
            self.end = Some(fault);
        }
        if self.kept.len() < crate::limits::FAULTS_MAX {
            self.kept.push(fault);
        }
    }
}
