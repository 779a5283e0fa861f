//! A capture in memory: its index, its faults, and its packets by number.

use crate::bytes::offset32;
use crate::classic::{self, Shape};
use crate::error::{CaptureError, Problem};
use crate::fault::{Fault, FaultKind, Faults};
use crate::limits::{FILE_BYTES_MAX, RECORDS_MAX};
use crate::link_type::LinkType;
use crate::ng;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A capture file, read whole and scanned once.
#[derive(Clone, Debug)]
pub struct Capture {
    name: String,
    bytes: Vec<u8>,
    index: Index,
}

/// The format of a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Classic pcap.
    Pcap,
    /// Kuznetzov's modified pcap, as some old Linux distributions wrote it.
    PcapModified,
    /// pcapng.
    PcapNg,
}

impl Format {
    /// `pcap`, `modified pcap` or `pcapng`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::PcapModified => "modified pcap",
            Self::PcapNg => "pcapng",
        }
    }
}

/// The unit of a capture's times. A pcapng file is `Nano` if any interface counts finer than
/// microseconds; what is finer than nanoseconds is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Microseconds.
    Micro,
    /// Nanoseconds.
    Nano,
}

/// One interface of a capture. Classic pcap has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// What its packets begin with.
    pub link_type: LinkType,
    /// The most bytes of a packet that were kept; 0 is no limit.
    pub snaplen: u32,
    /// Packets that came in on it.
    pub packets: u64,
}

/// Where one packet is, and what its record says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Nanoseconds since 1970.
    pub time_nanos: u64,
    /// Where the packet's first byte is in the file.
    pub offset: u32,
    /// Bytes in the file.
    pub captured_len: u32,
    /// Bytes on the wire, as the record says.
    pub original_len: u32,
    /// The number of its interface, from 0, counted through all sections.
    pub interface: u32,
}

/// One packet, borrowed from its capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketRef<'a> {
    /// Its number in the capture, from 0.
    pub index: usize,
    /// Nanoseconds since 1970.
    pub time_nanos: u64,
    /// Bytes on the wire, as the record says.
    pub original_len: u32,
    /// The bytes that were captured.
    pub data: &'a [u8],
}

impl Capture {
    /// Reads and scans a file.
    ///
    /// # Errors
    /// One sentence: the file cannot be read, is too large, is no capture, or is not of Ethernet. A file
    /// that is cut or damaged after its header is no error: see [`Capture::end_fault`]. Nor is one
    /// without packets: see [`Capture::require_packets`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CaptureError> {
        let name = path.as_ref().display().to_string();
        match read_whole(path.as_ref()) {
            Ok(bytes) => Self::scan_named(name, bytes),
            Err(problem) => Err(CaptureError { name, problem }),
        }
    }

    /// Scans the bytes of a file; a slice is copied, a `Vec` is taken over.
    ///
    /// # Errors
    /// As [`Capture::open`], about `the capture`.
    pub fn scan(bytes: impl Into<Vec<u8>>) -> Result<Self, CaptureError> {
        Self::scan_named("the capture", bytes)
    }

    /// Scans the bytes of a file of that name.
    ///
    /// # Errors
    /// As [`Capture::open`].
    pub fn scan_named(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Result<Self, CaptureError> {
        let (name, bytes) = (name.into(), bytes.into());
        match index(&bytes) {
            Ok(index) => Ok(Self { name, bytes, index }),
            Err(problem) => Err(CaptureError { name, problem }),
        }
    }

    /// This capture, if it has a packet.
    ///
    /// # Errors
    /// [`Problem::NoPackets`], with what ended the reading if something did.
    pub fn require_packets(self) -> Result<Self, CaptureError> {
        if self.is_empty() {
            let problem = Problem::NoPackets { end: self.index.faults.end };
            return Err(CaptureError { name: self.name, problem });
        }
        Ok(self)
    }

    /// The file's name as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's length in bytes.
    #[must_use]
    pub fn file_len(&self) -> usize {
        self.bytes.len()
    }

    /// The file's format.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.index.format
    }

    /// The unit of its times.
    #[must_use]
    pub const fn resolution(&self) -> Resolution {
        self.index.resolution
    }

    /// Its interfaces, by number.
    #[must_use]
    pub fn interfaces(&self) -> &[Interface] {
        &self.index.interfaces
    }

    /// How many packets it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.records.len()
    }

    /// Whether it has no packet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.records.is_empty()
    }

    /// The records of all packets, in the file's order.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.index.records
    }

    /// Bytes of all packets together, as captured.
    #[must_use]
    pub const fn captured_bytes(&self) -> u64 {
        self.index.captured_bytes
    }

    /// The earliest and the latest time of a packet, in nanoseconds since 1970; none without packets.
    #[must_use]
    pub fn span_nanos(&self) -> Option<(u64, u64)> {
        (!self.is_empty()).then_some((self.index.earliest, self.index.latest))
    }

    /// From the earliest packet to the latest, in nanoseconds; 0 without packets.
    #[must_use]
    pub fn duration_nanos(&self) -> u64 {
        self.span_nanos().map_or(0, |(earliest, latest)| latest - earliest)
    }

    /// The packet of that number.
    #[inline]
    #[must_use]
    pub fn packet(&self, index: usize) -> Option<PacketRef<'_>> {
        let record = self.index.records.get(index)?;
        let data = self.bytes.get(record.offset as usize..)?.get(..record.captured_len as usize)?;
        Some(PacketRef { index, time_nanos: record.time_nanos, original_len: record.original_len, data })
    }

    /// All packets, in the file's order.
    pub fn packets(&self) -> impl ExactSizeIterator<Item = PacketRef<'_>> {
        self.index.records.iter().enumerate().map(|(index, record)| {
            // The scan has seen that every record lies within the file.
            let data = self.bytes.get(record.offset as usize..).unwrap_or_default();
            let data = data.get(..record.captured_len as usize).unwrap_or_default();
            PacketRef { index, time_nanos: record.time_nanos, original_len: record.original_len, data }
        })
    }

    /// The first [`FAULTS_MAX`](crate::FAULTS_MAX) faults, in the file's order.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.index.faults.kept
    }

    /// How many faults there are of each kind, by [`FaultKind::ordinal`], kept or not.
    #[must_use]
    pub const fn fault_counts(&self) -> &[u64; FaultKind::COUNT] {
        &self.index.faults.counts
    }

    /// What ended the reading before the end of the file, if something did.
    #[must_use]
    pub const fn end_fault(&self) -> Option<Fault> {
        self.index.faults.end
    }
}

/// A packet as a format's scanner has found it.
pub(crate) struct Found {
    pub(crate) offset: usize,
    pub(crate) data: usize,
    pub(crate) captured: u32,
    pub(crate) original: u32,
    pub(crate) interface: usize,
    pub(crate) time_nanos: Option<u64>,
}

/// What a scan gathers.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    format: Format,
    pub(crate) resolution: Resolution,
    interfaces: Vec<Interface>,
    pub(crate) records: Vec<Record>,
    faults: Faults,
    captured_bytes: u64,
    earliest: u64,
    latest: u64,
    time_nanos: u64,
}

impl Index {
    pub(crate) fn new(format: Format, resolution: Resolution) -> Self {
        Self {
            format,
            resolution,
            interfaces: Vec::new(),
            records: Vec::new(),
            faults: Faults::default(),
            captured_bytes: 0,
            earliest: u64::MAX,
            latest: 0,
            time_nanos: 0,
        }
    }

    pub(crate) fn interface(&mut self, link_type: LinkType, snaplen: u32) {
        self.interfaces.push(Interface { link_type, snaplen, packets: 0 });
    }

    pub(crate) fn fault(&mut self, offset: usize, kind: FaultKind) {
        self.faults.note(self.records.len(), offset, kind);
    }

    /// Takes a packet in, and notes what is odd about it.
    #[inline]
    pub(crate) fn packet(&mut self, found: Found) -> Result<(), Problem> {
        if self.records.len() >= RECORDS_MAX {
            return Err(Problem::TooManyPackets);
        }
        let Found { offset, data, captured, original, interface, time_nanos } = found;
        let time_nanos = time_nanos.unwrap_or_else(|| {
            self.fault(offset, FaultKind::NoTime);
            self.time_nanos
        });
        if captured == 0 {
            self.fault(offset, FaultKind::ZeroLength);
        } else if captured < original {
            self.fault(offset, FaultKind::CutBySnaplen { captured, original });
        } else if captured > original {
            self.fault(offset, FaultKind::LongerThanOriginal { captured, original });
        }
        if time_nanos < self.time_nanos {
            self.fault(offset, FaultKind::TimeBackwards { by_nanos: self.time_nanos - time_nanos });
        }
        self.time_nanos = time_nanos;
        self.earliest = self.earliest.min(time_nanos);
        self.latest = self.latest.max(time_nanos);
        self.captured_bytes += u64::from(captured);
        if let Some(interface) = self.interfaces.get_mut(interface) {
            interface.packets += 1;
        }
        let (offset, interface) = (offset32(data), offset32(interface));
        self.records.push(Record {
            time_nanos,
            offset,
            captured_len: captured,
            original_len: original,
            interface,
        });
        Ok(())
    }

    /// A capture without packets, none of whose interfaces is Ethernet, is refused for that.
    pub(crate) fn refuse_idle_interfaces(&self) -> Result<(), Problem> {
        let ethernet = self.interfaces.iter().any(|interface| interface.link_type == LinkType::ETHERNET);
        match self.interfaces.first() {
            Some(first) if self.records.is_empty() && !ethernet => {
                Err(Problem::LinkType { link_type: first.link_type, packet: None })
            }
            _ => Ok(()),
        }
    }
}

fn index(bytes: &[u8]) -> Result<Index, Problem> {
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Problem::TooLarge { bytes: bytes.len() as u64 });
    }
    if bytes.is_empty() {
        return Err(Problem::Empty);
    }
    if let Some(shape) = Shape::of(bytes) {
        return classic::scan(shape, bytes);
    }
    if bytes.starts_with(&ng::SECTION) {
        return ng::scan(bytes);
    }
    Err(stranger(bytes))
}

/// What a file is that is neither pcap nor pcapng.
fn stranger(bytes: &[u8]) -> Problem {
    const PACKED: [(&[u8], &str); 6] = [
        (b"\x1f\x8b", "gunzip"),
        (b"\x28\xb5\x2f\xfd", "unzstd"),
        (b"\xfd7zXZ\0", "unxz"),
        (b"BZh", "bunzip2"),
        (b"\x04\x22\x4d\x18", "unlz4"),
        (b"PK\x03\x04", "unzip"),
    ];
    const OTHERS: [(&[u8], &str); 3] =
        [(b"snoop\0\0\0", "snoop"), (b"RTSS", "Network Monitor 1"), (b"GMBU", "Network Monitor 2")];
    let is = |(magic, _): &&(&[u8], &'static str)| bytes.starts_with(magic);
    if let Some(&(_, tool)) = PACKED.iter().find(is) {
        return Problem::Compressed { tool };
    }
    if let Some(&(_, format)) = OTHERS.iter().find(is) {
        return Problem::OtherFormat { format };
    }
    match bytes.first_chunk() {
        Some(&magic) => Problem::NotACapture { magic },
        None => Problem::HeaderCut { bytes: bytes.len() as u64 },
    }
}

/// The whole file; a pipe too, up to the limit.
fn read_whole(path: &Path) -> Result<Vec<u8>, Problem> {
    let io = |error: std::io::Error| Problem::Io(error.to_string());
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if metadata.len() > FILE_BYTES_MAX {
        return Err(Problem::TooLarge { bytes: metadata.len() });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}
