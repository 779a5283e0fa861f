//! Why a capture cannot be used, or not be written: one sentence each, with the remedy.

use crate::fault::Fault;
use crate::limits::{FILE_BYTES_MAX, PACKET_BYTES_MAX, RECORDS_MAX};
use crate::link_type::LinkType;
use std::fmt;

/// A capture that cannot be used. `Display` is one sentence: file, place, remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureError {
    /// The file, or `the capture` for bytes that came without a name.
    pub name: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The operating system could not read it.
    Io(String),
    /// It is larger than [`FILE_BYTES_MAX`].
    TooLarge {
        /// Its length, where that is known.
        bytes: u64,
    },
    /// It has no byte at all.
    Empty,
    /// It is compressed.
    Compressed {
        /// The tool that unpacks it.
        tool: &'static str,
    },
    /// It is a capture in a format that is not read.
    OtherFormat {
        /// The format's name.
        format: &'static str,
    },
    /// Its first bytes are no capture's.
    NotACapture {
        /// The first bytes; fewer where the file ends.
        magic: [u8; 4],
    },
    /// It ends inside the header of the file.
    HeaderCut {
        /// Its length.
        bytes: u64,
    },
    /// The header of the file contradicts itself.
    HeaderDamaged {
        /// In what way.
        what: &'static str,
    },
    /// A version of the format that is not known.
    Version {
        /// The format's name.
        format: &'static str,
        /// Major number.
        major: u16,
        /// Minor number.
        minor: u16,
    },
    /// Its packets are not Ethernet frames.
    LinkType {
        /// What they are.
        link_type: LinkType,
        /// The first packet of that type and where its record begins; none where the file's header
        /// says it for all, or no packet was seen.
        packet: Option<(usize, u64)>,
    },
    /// It has more than [`RECORDS_MAX`] packets.
    TooManyPackets,
    /// It is a capture without a whole packet.
    NoPackets {
        /// What ended the reading before the first packet.
        end: Option<Fault>,
    },
}

impl std::error::Error for CaptureError {}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match &self.problem {
            Problem::Io(text) => write!(f, "cannot be read: {text}"),
            Problem::TooLarge { bytes } => write!(
                f,
                "at {bytes} bytes it is larger than the {FILE_BYTES_MAX} that are read; \
                 split it with editcap -c"
            ),
            Problem::Empty => {
                write!(
                    f,
                    "the file is empty (0 bytes); capture again, and let the capture end before reading it"
                )
            }
            Problem::Compressed { tool } => {
                write!(f, "the file is compressed; decompress it first with {tool}")
            }
            Problem::OtherFormat { format } => {
                write!(f, "this is a capture in {format} format; convert it with editcap -F pcap")
            }
            Problem::NotACapture { magic: [a, b, c, d] } => write!(
                f,
                "not a capture (it begins with {a:02x} {b:02x} {c:02x} {d:02x}); give a pcap or pcapng file"
            ),
            Problem::HeaderCut { bytes } => {
                write!(f, "the file ends after {bytes} bytes, inside its header; copy or capture it again")
            }
            Problem::HeaderDamaged { what } => {
                write!(f, "the header of the file is damaged: {what}; copy or capture it again")
            }
            Problem::Version { format, major, minor } => {
                write!(f, "{format} version {major}.{minor} is not known; convert it with editcap -F pcap")
            }
            Problem::LinkType { link_type, packet } => {
                write!(f, "link type {link_type}")?;
                if let Some((index, offset)) = packet {
                    write!(f, " of packet index {index} at byte {offset}")?;
                }
                write!(f, " is not Ethernet: {}", link_type.remedy())
            }
            Problem::TooManyPackets => write!(
                f,
                "it holds more than the {RECORDS_MAX} packets that are indexed; split it with editcap -c"
            ),
            Problem::NoPackets { end: None } => {
                write!(f, "the capture holds no packets; capture again while there is traffic")
            }
            Problem::NoPackets { end: Some(fault) } => {
                write!(f, "the capture holds no whole packet ({fault}); copy or capture it again")
            }
        }
    }
}

/// A capture that could not be written. `Display` is one sentence: file, cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteError {
    /// The file.
    pub name: String,
    /// What happened.
    pub problem: WriteProblem,
}

/// Why a capture could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteProblem {
    /// The file could not be made.
    Create(String),
    /// Bytes could not be written, flushed or made durable: a full disk, for instance.
    Write(String),
    /// The finished file could not be given its name.
    Rename(String),
    /// A packet is larger than [`PACKET_BYTES_MAX`].
    PacketTooLarge {
        /// Its length.
        bytes: usize,
    },
    /// A time that pcap's 32-bit seconds cannot hold (after 7 February 2106).
    TimeTooLate {
        /// The time, in nanoseconds since 1970.
        nanos: u64,
    },
}

impl std::error::Error for WriteError {}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match &self.problem {
            WriteProblem::Create(text) => write!(f, "the output cannot be created: {text}"),
            WriteProblem::Write(text) => write!(f, "the output cannot be written: {text}"),
            WriteProblem::Rename(text) => {
                write!(f, "the finished output cannot be moved into place: {text}")
            }
            WriteProblem::PacketTooLarge { bytes } => {
                write!(f, "a packet of {bytes} bytes is larger than the {PACKET_BYTES_MAX} that pcap allows")
            }
            WriteProblem::TimeTooLate { nanos } => write!(
                f,
                "a packet's time, {nanos} ns after 1970, does not fit into pcap's 32-bit seconds; \
                 shift the input with editcap -t"
            ),
        }
    }
}
