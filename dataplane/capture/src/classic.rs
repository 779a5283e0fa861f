//! Classic pcap (draft-ietf-opsawg-pcap): a header of 24 bytes, then records.
//!
//! Kuznetzov's modified form (magic 0xa1b2cd34) is read: its record header is 24 bytes long, the last 8
//! (interface, protocol, packet type) are skipped.

use crate::bytes::Order;
use crate::encode::{MAGIC_MICRO, MAGIC_NANO};
use crate::error::Problem;
use crate::fault::FaultKind;
use crate::limits::PACKET_BYTES_MAX;
use crate::link_type::LinkType;
use crate::scan::{Format, Found, Index, Resolution};

const MAGIC_MODIFIED: u32 = 0xa1b2_cd34;
const FILE_HEADER: usize = 24;

/// What the magic number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    order: Order,
    resolution: Resolution,
    record_header: usize,
}

impl Shape {
    /// The shape of a file that begins with these bytes, if it is a classic pcap.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        [Order::Little, Order::Big].into_iter().find_map(|order| {
            let (resolution, record_header) = match order.u32(bytes, 0)? {
                MAGIC_MICRO => (Resolution::Micro, 16),
                MAGIC_NANO => (Resolution::Nano, 16),
                MAGIC_MODIFIED => (Resolution::Micro, 24),
                _ => return None,
            };
            Some(Self { order, resolution, record_header })
        })
    }

    const fn format(self) -> Format {
        if self.record_header == 24 { Format::PcapModified } else { Format::Pcap }
    }

    const fn unit_nanos(self) -> u64 {
        match self.resolution {
            Resolution::Micro => 1_000,
            Resolution::Nano => 1,
        }
    }
}

/// Scans a file whose magic number has been seen.
pub(crate) fn scan(shape: Shape, bytes: &[u8]) -> Result<Index, Problem> {
    let Some(header) = bytes.first_chunk::<FILE_HEADER>() else {
        return Err(Problem::HeaderCut { bytes: bytes.len() as u64 });
    };
    let half = |at| shape.order.u16(header, at).unwrap_or(0);
    let word = |at| shape.order.u32(header, at).unwrap_or(0);
    let (major, minor) = (half(4), half(6));
    if (major, minor) != (2, 4) {
        return Err(Problem::Version { format: "pcap", major, minor });
    }
    // The upper bits say whether, and how long, frame check sequences follow the packets. Lengths come
    // from IP headers, so trailing bytes do no harm.
    let link_type = LinkType(word(20) & 0xffff);
    if link_type != LinkType::ETHERNET {
        return Err(Problem::LinkType { link_type, packet: None });
    }
    let mut index = Index::new(shape.format(), shape.resolution);
    index.interface(link_type, word(16));
    let mut at = FILE_HEADER;
    while at < bytes.len() {
        match record(shape, bytes, at) {
            Ok(found) => {
                at = found.data + found.captured as usize;
                index.packet(found)?;
            }
            Err(kind) => {
                index.fault(at, kind);
                break;
            }
        }
    }
    Ok(index)
}

/// The record at `at`, whole.
#[inline]
fn record(shape: Shape, bytes: &[u8], at: usize) -> Result<Found, FaultKind> {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some(header) = rest.first_chunk::<16>().filter(|_| rest.len() >= shape.record_header) else {
        return Err(FaultKind::Truncated { missing: (shape.record_header - rest.len()) as u64 });
    };
    let word = |at| shape.order.u32(header, at).unwrap_or(0);
    let (seconds, fraction, captured, original) = (word(0), word(4), word(8), word(12));
    if captured > PACKET_BYTES_MAX {
        return Err(FaultKind::Damaged { what: "it claims more than 262144 captured bytes" });
    }
    let have = rest.len() - shape.record_header;
    if have < captured as usize {
        return Err(FaultKind::Truncated { missing: (captured as usize - have) as u64 });
    }
    // At most 2^32 · 10^9 + 2^32 · 10^3: this cannot overflow, whatever the fraction.
    let time_nanos = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * shape.unit_nanos();
    Ok(Found {
        offset: at,
        data: at + shape.record_header,
        captured,
        original,
        interface: 0,
        time_nanos: Some(time_nanos),
    })
}
