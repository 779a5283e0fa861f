//! Capture files: a total reader of pcap and pcapng, a pcap writer, and pcapng's blocks.
//!
//! A capture is read whole and scanned once. The scan gives the format, the link type of every
//! interface, an index of all packets, and the faults that were met, each with the packet's index and its
//! byte offset. Packets are then borrowed from the bytes by index; nothing is copied.
//!
//! Architecture invariants: any bytes give a capture or a reason, nothing panics. A file that is damaged
//! or cut in the middle still gives the packets before the damage. Every error is one sentence that
//! names the file, the place and the remedy.
//!
//! Formats: classic pcap (draft-ietf-opsawg-pcap) in both byte orders, with micro- or nanoseconds, and
//! in Kuznetzov's modified form; pcapng (draft-ietf-opsawg-pcapng) with any number of sections and
//! interfaces. Only Ethernet frames are accepted.
#![forbid(unsafe_code)]

mod bytes;
mod classic;
mod encode;
mod error;
mod fault;
mod limits;
mod link_type;
mod ng;
pub mod ng_encode;
mod scan;
mod whole;
mod writer;

pub use encode::{file_header, record_header};
pub use error::{CaptureError, Problem, WriteError, WriteProblem};
pub use fault::{Fault, FaultKind};
pub use limits::{FAULTS_MAX, FILE_BYTES_MAX, INTERFACES_MAX, PACKET_BYTES_MAX, RECORDS_MAX};
pub use link_type::LinkType;
pub use scan::{Capture, Format, Interface, PacketRef, Record, Resolution};
pub use whole::{Unfinished, WholeFile, is_special};
pub use writer::Writer;
