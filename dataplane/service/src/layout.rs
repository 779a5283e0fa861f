//! The root image, byte for byte.
//!
//! ```text
//! Header | templates | services | pools | index of IPv4 VIPs | index of IPv6 VIPs | cells | QUIC | server ids
//! | tails | tunnel ends | their sources | our sources | reals by address | rules
//! | slots of services | marks | limits
//! ```
//!
//! The header names every section by offset and length in bytes. Sections follow one another in the order
//! of [`Section`], each on the next cache line after the one before; gaps are zero. Nothing else is in the
//! file and there is only one way to lay out the same content.
//!
//! A *cell* is 64 bits: `first | last << 16 | service slot << 32 | protocol << 48 | prefix length << 56`,
//! one interval of ports that has one service. A VIP whose ports have one interval keeps it in its index
//! entry. Others name a *run* in the cells section: a cell with the counts `tcp | udp << 24 | others << 48`, then the
//! intervals of TCP, those of UDP, each sorted and disjoint (prefix length 0), then one interval of all ports for each
//! other protocol, by protocol. Protocol 255 is all that are not named.

use core::mem::{align_of, offset_of, size_of};
use core::net::IpAddr;

use wire::{Family, unpacked};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::asked::{LimitEntry, MarkEntry};
use crate::ends;
use crate::numbers::ServiceNumber;
use crate::quic::{NO_QUIC, QuicEntry, ServerIdEntry};
use crate::rules::Effect;
use crate::tail::Tail;
use crate::template::Template;

/// First bytes of a root image.
pub(crate) const MAGIC: [u8; 8] = *b"penstock";
/// First bytes of a pool image.
pub(crate) const POOL_MAGIC: [u8; 8] = *b"penspool";
/// Version of both.
pub(crate) const VERSION: u32 = 3;
/// Every image and every section starts on a multiple of this.
pub(crate) const ALIGN: usize = 64;
/// Prefix length of an index entry that holds no VIP.
pub(crate) const LENGTH_EMPTY: u8 = 255;

/// Sections of the root image, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum Section {
    /// One [`Template`] per number of a real.
    Templates,
    /// [`ServiceEntry`]s, by number.
    Services,
    /// Digests of pools, ascending.
    Pools,
    /// Prefix lengths of IPv4 VIPs, longest first.
    Lengths4,
    /// Which lengths may hold an IPv4 address.
    Screen4,
    /// Pilots of the IPv4 index.
    Pilots4,
    /// Entries of the IPv4 index.
    Entries4,
    /// As `Lengths4`, for IPv6.
    Lengths6,
    /// As `Screen4`, for IPv6.
    Screen6,
    /// As `Pilots4`, for IPv6.
    Pilots6,
    /// As `Entries4`, for IPv6.
    Entries6,
    /// Runs of port intervals.
    Cells,
    /// How QUIC's connection ids are made.
    Quic,
    /// Server ids, sorted, of one configuration after the other.
    ServerIds,
    /// One [`Tail`] per number of a real; empty if no template has a form.
    Tails,
    /// Tunnels that end here.
    Ends,
    /// From where those take packets, of one end after the other.
    EndSources,
    /// From where we send tunnelled packets.
    Own,
    /// Numbers of the reals that are tunnelled to (`u32`), by their address.
    ByAddress,
    /// The digest of the rules' image, if there are any.
    Rules,
    /// By number of a service: the place of its entry, so that what is asked for by its number is found. Empty if no
    /// service asks for anything beside a real.
    Slots,
    /// Marks that services and rules ask for.
    Marks,
    /// Limits, by whose they are.
    Limits,
}

/// How many sections there are.
pub(crate) const SECTIONS: usize = Section::Limits as usize + 1;

impl Section {
    /// All of them, in order.
    pub(crate) const ALL: [Self; SECTIONS] = [
        Self::Templates,
        Self::Services,
        Self::Pools,
        Self::Lengths4,
        Self::Screen4,
        Self::Pilots4,
        Self::Entries4,
        Self::Lengths6,
        Self::Screen6,
        Self::Pilots6,
        Self::Entries6,
        Self::Cells,
        Self::Quic,
        Self::ServerIds,
        Self::Tails,
        Self::Ends,
        Self::EndSources,
        Self::Own,
        Self::ByAddress,
        Self::Rules,
        Self::Slots,
        Self::Marks,
        Self::Limits,
    ];
}

/// Where a section is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Span {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// What an index needs besides its sections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct IndexHead {
    /// Seed of its hash.
    pub(crate) seed: u64,
    /// VIPs in it.
    pub(crate) keys: u64,
}

/// Start of the root image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub(crate) struct Header {
    pub(crate) magic: [u8; 8],
    pub(crate) version: u32,
    pub(crate) header_bytes: u32,
    pub(crate) layout: u64,
    pub(crate) length: u64,
    pub(crate) select_seed: [u8; 16],
    /// SYN, established, closing, UDP, in ticks.
    pub(crate) timeouts: [u16; 4],
    pub(crate) new_flows_rate_max: u32,
    /// 1 if there is a gate, else 0 and so is the rate.
    pub(crate) new_flows_gate: u16,
    /// 1 if a service is keyed by source: its clients stand in the flow table too.
    pub(crate) keeps_clients: u16,
    pub(crate) mac: [u8; 6],
    pub(crate) mtu: u16,
    pub(crate) hop_limit: u8,
    pub(crate) dont_fragment: u8,
    pub(crate) return_path: u8,
    /// How many routers a packet may pass, 1 or more.
    pub(crate) passes_max: u8,
    /// One above the largest number of a service.
    pub(crate) services_len: u32,
    pub(crate) index4: IndexHead,
    pub(crate) index6: IndexHead,
    pub(crate) spans: [Span; SECTIONS],
    /// Whether there are rules, and whether they ask for more than a flow's packets have in common.
    pub(crate) rules: u8,
    /// What is to be done with packets before they are read: [`OPENS_LABELS`], [`OPENS_TUNNELS`].
    pub(crate) opens: u8,
    /// 1 if a service has a largest segment size.
    pub(crate) clamps: u8,
    pub(crate) tail: [u8; HEADER_TAIL],
}

impl Header {
    /// Of [`rules`](Self::rules): there are some.
    pub(crate) const HAS_RULES: u8 = 1;
    /// They ask for more than a flow's packets have in common.
    pub(crate) const HAS_PACKET_RULES: u8 = 2;
}

/// Labels are taken off.
pub(crate) const OPENS_LABELS: u8 = 1;
/// Tunnels end here.
pub(crate) const OPENS_TUNNELS: u8 = 2;

/// Bytes of the header in front of the spans.
const HEADER_FIXED: usize = 112;
/// Bytes of what stands behind them.
const HEADER_FLAGS: usize = 3;
/// What fills the header's last cache line.
const HEADER_TAIL: usize =
    (ALIGN - (HEADER_FIXED + SECTIONS * size_of::<Span>() + HEADER_FLAGS) % ALIGN) % ALIGN;
const _: () = assert!(offset_of!(Header, spans) == HEADER_FIXED);

/// One service: one cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub struct ServiceEntry {
    pub(crate) address: [u8; 16],
    pub(crate) number: u32,
    pub(crate) pool: u32,
    pub(crate) port_first: u16,
    pub(crate) port_last: u16,
    pub(crate) prefix_len: u8,
    pub(crate) family: u8,
    pub(crate) protocol: u8,
    pub(crate) spare: u8,
    /// By rotation bits: the place of the configuration of QUIC's connection ids, or 255.
    pub(crate) quic: [u8; 8],
    /// One above the place of what it marks packets with; 0 is nothing.
    pub(crate) mark: u16,
    /// One above the place of its limit; 0 is none.
    pub(crate) limit: u16,
    /// What keeps its flows together, and by how many bits of the source: see [`crate::Key`].
    pub(crate) key: u8,
    pub(crate) key_bits: u8,
    /// The least number of the services that share its clients; 0 if it keeps none.
    pub(crate) group: u16,
    /// The largest segment size that a SYN may offer, or 0.
    pub(crate) mss: u16,
    pub(crate) tail: [u8; 14],
}

impl ServiceEntry {
    /// What a slot of no service gives: no pool, so nothing is chosen.
    pub(crate) const NONE: Self = Self {
        address: [0; 16],
        number: 0,
        pool: u32::MAX,
        port_first: 0,
        port_last: 0,
        prefix_len: 0,
        family: 0,
        protocol: 0,
        spare: 0,
        quic: NO_QUIC,
        mark: 0,
        limit: 0,
        key: 0,
        key_bits: 0,
        group: 0,
        mss: 0,
        tail: [0; 14],
    };

    /// Its number.
    #[inline]
    #[must_use]
    pub fn number(&self) -> ServiceNumber {
        ServiceNumber::new(self.number).unwrap_or_default()
    }

    /// Place of its pool among the table's pools.
    #[inline]
    #[must_use]
    pub const fn pool(&self) -> usize {
        self.pool as usize
    }

    /// Whether connection ids say where its packets go.
    #[inline]
    #[must_use]
    pub fn is_quic(&self) -> bool {
        self.quic != NO_QUIC
    }

    /// The place of the configuration with those rotation bits.
    #[inline]
    #[must_use]
    pub fn quic(&self, rotation: u8) -> Option<u8> {
        self.quic.get(usize::from(rotation)).copied().filter(|place| *place != u8::MAX)
    }

    /// Whether it asks for anything beside a real.
    #[inline]
    #[must_use]
    pub const fn asks(&self) -> bool {
        self.mark | self.limit != 0
    }

    /// What it asks for.
    pub(crate) const fn effect(&self) -> Effect {
        Effect { mark: self.mark, limit: self.limit, rule: 0 }
    }

    /// Its protocol; 255 is any.
    #[inline]
    #[must_use]
    pub const fn protocol(&self) -> u8 {
        self.protocol
    }

    /// The VIP and its prefix length.
    #[must_use]
    pub const fn vip(&self) -> (IpAddr, u8) {
        let family = if self.family == Family::V4 as u8 { Family::V4 } else { Family::V6 };
        (unpacked(self.address, family), self.prefix_len)
    }

    /// First and last port.
    #[must_use]
    pub const fn ports(&self) -> (u16, u16) {
        (self.port_first, self.port_last)
    }
}

/// A pool that the table uses, or its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct PoolEntry {
    /// SHA-256 of its image.
    pub(crate) digest: [u8; 32],
}

/// Start of a pool image: header, numbers of its members' reals (`u32`), what is known of its members
/// ([`PoolMember`]), slots (`u16`). Each part starts on a cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub(crate) struct PoolHeader {
    pub(crate) magic: [u8; 8],
    pub(crate) version: u32,
    pub(crate) header_bytes: u32,
    pub(crate) layout: u64,
    pub(crate) length: u64,
    pub(crate) select_seed: [u8; 16],
    pub(crate) members: u32,
    pub(crate) slots: u32,
    /// 1 if members that have failed get slots too.
    pub(crate) panics: u64,
}

/// One member of a pool, kept for whoever compares or shows tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct PoolMember {
    pub(crate) address: [u8; 16],
    pub(crate) weight: u32,
    /// What its [`crate::Door`] says, here and below.
    pub(crate) key: u32,
    pub(crate) port: u16,
    pub(crate) mac: [u8; 6],
    pub(crate) form: u8,
    pub(crate) family: u8,
    pub(crate) state: u8,
    pub(crate) spare: u8,
}

/// An entry of the IPv4 index; the key is the network in host order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(16))]
pub(crate) struct Entry4 {
    pub(crate) key: u32,
    /// Place of its run in the cells section, or 0.
    pub(crate) run: u32,
    /// Its first interval, and the prefix length.
    pub(crate) cell: u64,
}

/// An entry of the IPv6 index; the key is the network in host order, upper half first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(32))]
pub(crate) struct Entry6 {
    pub(crate) key: [u64; 2],
    /// As in [`Entry4`].
    pub(crate) cell: u64,
    /// As in [`Entry4`].
    pub(crate) run: u32,
    pub(crate) spare: u32,
}

/// How many intervals of TCP, UDP and other protocols a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) tcp: usize,
    pub(crate) udp: usize,
    pub(crate) others: usize,
}

impl Counts {
    /// Those of a run's first cell.
    #[inline]
    #[must_use]
    pub(crate) const fn of(cell: u64) -> Self {
        const INTERVALS: u64 = (1 << 24) - 1;
        Self {
            tcp: (cell & INTERVALS) as usize,
            udp: (cell >> 24 & INTERVALS) as usize,
            others: (cell >> 48) as usize,
        }
    }

    /// As a run's first cell.
    pub(crate) const fn cell(self) -> u64 {
        self.tcp as u64 | (self.udp as u64) << 24 | (self.others as u64) << 48
    }
}

/// Changes when a shape in this file does: an image of another build is refused, never misread.
pub(crate) const LAYOUT: u64 = fold(&[
    size_of::<Header>(),
    offset_of!(Header, timeouts),
    offset_of!(Header, keeps_clients),
    offset_of!(Header, mac),
    offset_of!(Header, index4),
    offset_of!(Header, spans),
    offset_of!(Header, opens),
    SECTIONS,
    size_of::<Template>(),
    size_of::<ServiceEntry>(),
    offset_of!(ServiceEntry, pool),
    offset_of!(ServiceEntry, protocol),
    offset_of!(ServiceEntry, quic),
    offset_of!(ServiceEntry, mark),
    offset_of!(ServiceEntry, limit),
    size_of::<MarkEntry>(),
    size_of::<LimitEntry>(),
    offset_of!(ServiceEntry, key),
    offset_of!(ServiceEntry, group),
    offset_of!(ServiceEntry, mss),
    offset_of!(Header, clamps),
    size_of::<QuicEntry>(),
    size_of::<ServerIdEntry>(),
    size_of::<PoolHeader>(),
    offset_of!(PoolHeader, slots),
    offset_of!(PoolHeader, panics),
    size_of::<PoolMember>(),
    offset_of!(PoolMember, weight),
    size_of::<Entry4>(),
    offset_of!(Entry4, cell),
    size_of::<Entry6>(),
    offset_of!(Entry6, cell),
    align_of::<Entry6>(),
    size_of::<Tail>(),
    ends::ENTRY_BYTES[0],
    ends::ENTRY_BYTES[1],
]);

#[allow(clippy::cast_possible_truncation, reason = "the next line shows that they are small")]
mod sizes {
    /// Bytes of [`super::Header`].
    pub(crate) const HEADER_BYTES: u32 = size_of::<super::Header>() as u32;
    /// Bytes of [`super::PoolHeader`].
    pub(crate) const POOL_HEADER_BYTES: u32 = size_of::<super::PoolHeader>() as u32;
}
pub(crate) use sizes::{HEADER_BYTES, POOL_HEADER_BYTES};

const _: () = assert!(size_of::<Header>().is_multiple_of(ALIGN) && size_of::<Header>() < 1024);
const _: () = assert!(size_of::<PoolHeader>() == ALIGN);

const fn fold(shapes: &[usize]) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let mut rest = shapes;
    while let [first, tail @ ..] = rest {
        sum = (sum ^ *first as u64).wrapping_mul(0x0000_0100_0000_01b3);
        rest = tail;
    }
    sum
}
