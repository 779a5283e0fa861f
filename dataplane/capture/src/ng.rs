//! pcapng (draft-ietf-opsawg-pcapng): sections, each with interfaces and packets, all in blocks.
//!
//! ```text
//!  0                   4                   8
//! +-------------------+-------------------+----------- - - -+-------------------+
//! |    block type     |   total length    |      body       |   total length    |
//! +-------------------+-------------------+----------- - - -+-------------------+
//! ```
//!
//! Packets are read from enhanced (6), simple (3) and obsolete (2) packet blocks. All other blocks and
//! all options but `if_tsresol` and `if_tsoffset` are skipped.

use crate::bytes::Order;
use crate::error::Problem;
use crate::fault::FaultKind;
use crate::limits::{INTERFACES_MAX, PACKET_BYTES_MAX};
use crate::link_type::LinkType;
use crate::scan::{Format, Found, Index, Resolution};

/// The block type of a section header: the same in both byte orders.
pub(crate) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const SECTION_TYPE: u32 = 0x0a0d_0d0a;
const INTERFACE_TYPE: u32 = 1;
const OBSOLETE_TYPE: u32 = 2;
const SIMPLE_TYPE: u32 = 3;
const ENHANCED_TYPE: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Type and length in front, length behind.
const FRAME: usize = 12;

/// How an interface's units of time become nanoseconds (`if_tsresol`, §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// A unit is so many nanoseconds.
    Multiply(u64),
    /// So many units are one nanosecond.
    Divide(u128),
    /// 2^n units are one second.
    Shift(u32),
}

impl Scale {
    const MICRO: Self = Self::Multiply(1_000);

    fn of(resolution: u8) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        if resolution & 0x80 != 0 {
            return Self::Shift(exponent);
        }
        match exponent {
            0..=9 => Self::Multiply(10_u64.pow(9 - exponent)),
            // Finer than any u64 of units can fill: everything is nanosecond 0.
            _ => Self::Divide(10_u128.checked_pow(exponent - 9).unwrap_or(u128::MAX)),
        }
    }

    const fn finer_than_micro(self) -> bool {
        match self {
            Self::Multiply(nanos) => nanos < 1_000,
            Self::Divide(_) => true,
            Self::Shift(bits) => bits > 0,
        }
    }

    fn nanos(self, units: u64) -> u128 {
        match self {
            Self::Multiply(nanos) => u128::from(units) * u128::from(nanos),
            Self::Divide(by) => u128::from(units) / by,
            Self::Shift(bits) => (u128::from(units) * 1_000_000_000) >> bits,
        }
    }
}

/// What is needed of an interface to read its packets.
#[derive(Clone, Copy, Debug)]
struct Clock {
    link_type: LinkType,
    snaplen: u32,
    scale: Scale,
    offset_seconds: i64,
}

impl Clock {
    /// Nanoseconds since 1970, clamped to what a u64 holds.
    #[inline]
    fn time_nanos(&self, high: u32, low: u32) -> u64 {
        let units = u64::from(high) << 32 | u64::from(low);
        if let (Scale::Multiply(nanos), 0) = (self.scale, self.offset_seconds) {
            return units.saturating_mul(nanos);
        }
        // Below 2^94 and 2^93 in magnitude: the sum cannot overflow.
        let nanos = i128::try_from(self.scale.nanos(units)).unwrap_or(i128::MAX / 2);
        let moved = nanos + i128::from(self.offset_seconds) * 1_000_000_000;
        u64::try_from(moved.max(0)).unwrap_or(u64::MAX)
    }
}

/// Where a scan stands.
struct Scanner<'a> {
    bytes: &'a [u8],
    order: Order,
    /// The interfaces of this section, by their number in it.
    clocks: Vec<Clock>,
    /// How many interfaces earlier sections had.
    base: usize,
    index: Index,
}

/// Why a block could not be taken.
enum Refusal {
    /// The capture cannot be used at all.
    Problem(Problem),
    /// The reading ends here.
    Fault(FaultKind),
}

impl From<FaultKind> for Refusal {
    fn from(kind: FaultKind) -> Self {
        Self::Fault(kind)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

const fn damaged(what: &'static str) -> Refusal {
    Refusal::Fault(FaultKind::Damaged { what })
}

/// Scans a file that begins with a section header.
pub(crate) fn scan(bytes: &[u8]) -> Result<Index, Problem> {
    let index = Index::new(Format::PcapNg, Resolution::Micro);
    let mut scanner = Scanner { bytes, order: Order::Little, clocks: Vec::new(), base: 0, index };
    let mut at = 0;
    while at < bytes.len() {
        match scanner.block(at) {
            Ok(len) => at += len,
            Err(Refusal::Problem(problem)) => return Err(problem),
            // Without its first header the file says nothing at all.
            Err(Refusal::Fault(FaultKind::Truncated { .. })) if at == 0 => {
                return Err(Problem::HeaderCut { bytes: bytes.len() as u64 });
            }
            Err(Refusal::Fault(FaultKind::Damaged { what })) if at == 0 => {
                return Err(Problem::HeaderDamaged { what });
            }
            Err(Refusal::Fault(kind)) => {
                scanner.index.fault(at, kind);
                break;
            }
        }
    }
    scanner.index.refuse_idle_interfaces()?;
    Ok(scanner.index)
}

impl Scanner<'_> {
    /// Takes the block at `at` and gives its length.
    #[inline]
    fn block(&mut self, at: usize) -> Result<usize, Refusal> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        if rest.starts_with(&SECTION) {
            self.order = section_order(rest)?;
        }
        let (Some(kind), Some(len)) = (self.order.u32(rest, 0), self.order.u32(rest, 4)) else {
            return Err(FaultKind::Truncated { missing: FRAME.saturating_sub(rest.len()) as u64 }.into());
        };
        let len = len as usize;
        if len < FRAME || !len.is_multiple_of(4) {
            return Err(damaged("the length of its block is impossible"));
        }
        let Some(block) = rest.get(..len) else {
            return Err(FaultKind::Truncated { missing: (len - rest.len()) as u64 }.into());
        };
        if self.order.u32(block, len - 4) != self.order.u32(block, 4) {
            return Err(damaged("the two lengths of its block differ"));
        }
        let body = block.get(8..len - 4).unwrap_or_default();
        match kind {
            SECTION_TYPE => self.section(body)?,
            INTERFACE_TYPE => self.interface(body)?,
            ENHANCED_TYPE => self.enhanced(at, body)?,
            OBSOLETE_TYPE => self.obsolete(at, body)?,
            SIMPLE_TYPE => self.simple(at, body)?,
            _ => {}
        }
        Ok(len)
    }

    fn section(&mut self, body: &[u8]) -> Result<(), Refusal> {
        let (Some(major), Some(minor)) = (self.order.u16(body, 4), self.order.u16(body, 6)) else {
            return Err(damaged("its section header is too short"));
        };
        // 1.2 is what some writers put; the draft asks readers to take it as 1.0 (§4.1).
        if major != 1 || (minor != 0 && minor != 2) {
            return Err(Problem::Version { format: "pcapng", major, minor }.into());
        }
        self.base += self.clocks.len();
        self.clocks.clear();
        Ok(())
    }

    fn interface(&mut self, body: &[u8]) -> Result<(), Refusal> {
        let (Some(link_type), Some(snaplen)) = (self.order.u16(body, 0), self.order.u32(body, 4)) else {
            return Err(damaged("its interface description is too short"));
        };
        if self.base + self.clocks.len() >= INTERFACES_MAX {
            return Err(damaged("the file has more than 4096 interfaces"));
        }
        let link_type = LinkType(u32::from(link_type));
        let mut clock = Clock { link_type, snaplen, scale: Scale::MICRO, offset_seconds: 0 };
        self.interface_options(body.get(8..).unwrap_or_default(), &mut clock);
        if clock.scale.finer_than_micro() {
            self.index.resolution = Resolution::Nano;
        }
        self.clocks.push(clock);
        self.index.interface(link_type, snaplen);
        Ok(())
    }

    /// Options are code, length and value, padded to four bytes (§3.5). A list that breaks off ends
    /// there: it describes, and no packet is lost by it.
    fn interface_options(&self, mut options: &[u8], clock: &mut Clock) {
        while let (Some(code), Some(len)) = (self.order.u16(options, 0), self.order.u16(options, 2)) {
            let value = options.get(4..).and_then(|rest| rest.get(..usize::from(len)));
            match (code, value) {
                (0, _) | (_, None) => return,
                (9, Some([resolution])) => clock.scale = Scale::of(*resolution),
                (14, Some(value)) if value.len() == 8 => {
                    clock.offset_seconds = self.order.i64(value, 0).unwrap_or(0);
                }
                _ => {}
            }
            options = options.get(4 + usize::from(len).next_multiple_of(4)..).unwrap_or_default();
        }
    }

    fn enhanced(&mut self, at: usize, body: &[u8]) -> Result<(), Refusal> {
        let Some(interface) = self.order.u32(body, 0) else {
            return Err(damaged("its packet block is too short"));
        };
        self.timed(at, body, interface as usize)
    }

    /// Like an enhanced packet block, but with a 16-bit interface number and a count of drops.
    fn obsolete(&mut self, at: usize, body: &[u8]) -> Result<(), Refusal> {
        let Some(interface) = self.order.u16(body, 0) else {
            return Err(damaged("its packet block is too short"));
        };
        self.timed(at, body, usize::from(interface))
    }

    #[inline]
    fn timed(&mut self, at: usize, body: &[u8], interface: usize) -> Result<(), Refusal> {
        let Some(header) = body.first_chunk::<20>() else {
            return Err(damaged("its packet block is too short"));
        };
        let word = |at| self.order.u32(header, at).unwrap_or(0);
        let (high, low, captured, original) = (word(4), word(8), word(12), word(16));
        let time_nanos = self.clock(interface)?.time_nanos(high, low);
        let found =
            Found { offset: at, data: at + 28, captured, original, interface, time_nanos: Some(time_nanos) };
        self.packet(found, body.len() - 20)
    }

    /// A simple packet block has no interface (it is the section's first), no time, and no captured
    /// length: that is the least of what the wire had, the snap length, and the block's room (§4.4).
    fn simple(&mut self, at: usize, body: &[u8]) -> Result<(), Refusal> {
        let Some(original) = self.order.u32(body, 0) else {
            return Err(damaged("its packet block is too short"));
        };
        let snaplen = self.clock(0)?.snaplen;
        let snaplen = if snaplen == 0 { u32::MAX } else { snaplen };
        let captured = original.min(snaplen);
        let found = Found { offset: at, data: at + 12, captured, original, interface: 0, time_nanos: None };
        self.packet(found, body.len() - 4)
    }

    fn clock(&self, interface: usize) -> Result<&Clock, Refusal> {
        self.clocks.get(interface).ok_or(damaged("its interface was never described"))
    }

    #[inline]
    fn packet(&mut self, mut found: Found, room: usize) -> Result<(), Refusal> {
        if found.captured > PACKET_BYTES_MAX {
            return Err(damaged("it claims more than 262144 captured bytes"));
        }
        if found.captured as usize > room {
            return Err(damaged("it claims more bytes than its block holds"));
        }
        let link_type = self.clock(found.interface)?.link_type;
        if link_type != LinkType::ETHERNET {
            let packet = Some((self.index.records.len(), found.offset as u64));
            return Err(Problem::LinkType { link_type, packet }.into());
        }
        found.interface += self.base;
        Ok(self.index.packet(found)?)
    }
}

/// The byte order of a section, by its byte-order magic (§4.1).
fn section_order(block: &[u8]) -> Result<Order, Refusal> {
    if block.len() < 12 {
        return Err(FaultKind::Truncated { missing: (28 - block.len()) as u64 }.into());
    }
    [Order::Little, Order::Big]
        .into_iter()
        .find(|order| order.u32(block, 8) == Some(BYTE_ORDER_MAGIC))
        .ok_or(damaged("the byte-order magic of its section is wrong"))
}
