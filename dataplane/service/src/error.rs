//! Why a blueprint makes no table, and why an image is no table.

use core::fmt;

use crate::attributes::AttributeFault;
use crate::ends::EndFault;
use crate::layout::Section;
use crate::limits::{
    CELLS_MAX, RENDEZVOUS_COSTS_MAX, RULE_LISTS_MAX, RULE_OFFSET_MAX, RULE_PATTERNS_MAX, RULE_WORDS_MAX,
};
use crate::numbers::{RealNumber, ServiceNumber};
use crate::quic::QuicFault;
use crate::rules::RuleFault;

/// What is wrong with a blueprint, and with which item of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// A real, by its number.
    Real(RealNumber, RealFault),
    /// A pool, by its place in [`crate::Blueprint::pools`].
    Pool(usize, PoolFault),
    /// A configuration of connection ids, by its place in [`crate::Blueprint::quic`].
    Quic(usize, QuicFault),
    /// A tunnel that ends here, by its place in [`crate::Blueprint::ends`].
    End(usize, EndFault),
    /// A service, by its number.
    Service(ServiceNumber, ServiceFault),
    /// A rule, by its rank.
    Rule(u32, RuleFault),
    /// The outer hop limit is 0, or no router may be passed.
    HopLimit,
    /// An outer source's prefix length is longer than an address or leaves more than 16 bits.
    OuterSource,
    /// An idle time is 0 or above [`crate::Timeouts::MAX`].
    Timeout,
    /// More pools than [`crate::POOLS_MAX`].
    Pools,
    /// Ports of VIPs that cover one another need more than [`CELLS_MAX`] cells.
    Cells,
    /// No seed gives a classification index: not seen in practice.
    Index,
}

/// What is wrong with a real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealFault {
    /// Another real has its number.
    Number,
    /// Another real has its address.
    Address,
    /// No outer source of its family is given.
    NoSource,
    /// Its port is at or above [`crate::PORTS_MAX`].
    Port,
    /// The MTU leaves no room behind the outer header.
    Mtu,
    /// Its tunnel's port is 0, its network identifier too large or its inner MAC address none of one machine.
    Tail,
}

/// What is wrong with a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolFault {
    /// More members than [`crate::POOL_REALS_MAX`].
    Members,
    /// A member is no real of the blueprint.
    UnknownReal(RealNumber),
    /// A real is a member twice.
    TwiceMember(RealNumber),
    /// A weight above [`crate::WEIGHT_MAX`].
    Weight(RealNumber),
    /// The number of slots is no prime, above [`crate::SLOTS_MAX`], or below the number of members.
    Slots(u32),
    /// Slots times members of all distinct pools are above [`crate::RENDEZVOUS_COSTS_MAX`] with this one.
    Costs,
}

/// What is wrong with a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceFault {
    /// Another service has its number.
    Number,
    /// The prefix is longer than an address.
    PrefixLen,
    /// The VIP has bits below its prefix.
    HostBits,
    /// It is ICMP's.
    Protocol,
    /// The last port is before the first, or a protocol without ports does not have them all.
    Ports,
    /// Its pool is not in the list.
    Pool,
    /// It is not of UDP, or a configuration of connection ids is not in the list or has other rotation bits.
    Quic,
    /// What it asks for beside a real.
    Attributes(AttributeFault),
    /// Its key has no such bits, or it has no ports to be keyed by, or connection ids do that.
    Key,
    /// It has a largest segment size and is not of TCP.
    Mss,
    /// That service has the same VIP, protocol and ports.
    Duplicate(ServiceNumber),
    /// That service has the same VIP and protocol, and a port range that is as wide and overlaps.
    Ambiguous(ServiceNumber),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real(number, fault) => write!(f, "real {}: {fault}", number.get()),
            Self::Pool(place, fault) => write!(f, "pool {place}: {fault}"),
            Self::Quic(place, fault) => write!(f, "connection ids {place}: {fault}"),
            Self::End(place, fault) => write!(f, "tunnel end {place}: {fault}"),
            Self::Service(number, fault) => write!(f, "service {}: {fault}", number.get()),
            Self::Rule(rank, fault) => write!(f, "rule {rank}: {fault}"),
            Self::HopLimit => f.write_str("the outer hop limit is 0, or no router may be passed"),
            Self::OuterSource => {
                f.write_str("the outer source prefix leaves more than 16 bits, or none fits")
            }
            Self::Timeout => f.write_str("an idle time is 0 or above one hour"),
            Self::Pools => f.write_str("too many pools"),
            Self::Cells => write!(f, "covering VIPs with many port ranges need more than {CELLS_MAX} cells"),
            Self::Index => f.write_str("no classification index found for these VIPs"),
        }
    }
}

impl fmt::Display for RealFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "its number is another real's",
            Self::Address => "another real has its address and its tunnel",
            Self::Port => "its port is out of range",
            Self::NoSource => "no outer source address of its family",
            Self::Mtu => "the MTU leaves no room behind the outer header",
            Self::Tail => "its tunnel's port, network identifier or inner MAC address is out of range",
        })
    }
}

impl fmt::Display for PoolFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Members => f.write_str("too many members"),
            Self::UnknownReal(real) => write!(f, "no real {}", real.get()),
            Self::TwiceMember(real) => write!(f, "real {} is a member twice", real.get()),
            Self::Weight(real) => write!(f, "the weight of real {} is too large", real.get()),
            Self::Slots(slots) => write!(f, "{slots} slots: not a prime, too many, or fewer than members"),
            Self::Costs => write!(
                f,
                "slots times members of all pools with rendezvous hashing are above {RENDEZVOUS_COSTS_MAX} with this one"
            ),
        }
    }
}

impl fmt::Display for EndFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooMany => "there are more ends, or more sources, than a table holds",
            Self::Field => "a port or key that its headers cannot hold, or a source of the other family",
            Self::Twice => "it is there already, or another kind of tunnel ends at its port",
        })
    }
}

impl fmt::Display for ServiceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number => f.write_str("its number is another service's"),
            Self::PrefixLen => f.write_str("its prefix is longer than an address"),
            Self::HostBits => f.write_str("its VIP has bits below the prefix"),
            Self::Protocol => f.write_str("its protocol is ICMP, which is nobody's to serve"),
            Self::Ports => f.write_str("its last port is before its first, or its protocol has none"),
            Self::Pool => f.write_str("its pool does not exist"),
            Self::Quic => {
                f.write_str("its connection ids are not of UDP, or their configuration does not exist")
            }
            Self::Attributes(fault) => write!(f, "{fault}"),
            Self::Key => f.write_str("its key is out of range, or its protocol or connection ids leave none"),
            Self::Mss => f.write_str("it has a largest segment size and is not of TCP"),
            Self::Duplicate(other) => write!(f, "same VIP, protocol and ports as service {}", other.get()),
            Self::Ambiguous(other) => {
                write!(f, "its ports overlap those of service {} and neither is narrower", other.get())
            }
        }
    }
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rank => f.write_str("its rank is another rule's"),
            Self::Number => f.write_str("its number is another rule's"),
            Self::Attributes(fault) => fault.fmt(f),
            Self::Gift => f.write_str("it drops packets, and gives them a mark or a limit"),
            Self::Prefix => f.write_str("a prefix is too long or has bits below its length"),
            Self::Families => f.write_str("no source and no destination are of one family"),
            Self::Interval => f.write_str("an interval ends before it begins, or is out of range"),
            Self::Ports => f.write_str("its protocol has no ports"),
            Self::Spi => f.write_str("its protocol has no SPI, or it asks for ports too"),
            Self::Masked => write!(
                f,
                "a masked value has no mask or bits outside it, or is more than {RULE_OFFSET_MAX} bytes behind"
            ),
            Self::Patterns => write!(f, "with it the rules make more than {RULE_PATTERNS_MAX} patterns"),
            Self::Words => write!(f, "with it the rules ask for more than {RULE_WORDS_MAX} places and masks"),
            Self::Service => f.write_str("its service does not exist"),
            Self::Real => f.write_str("its real does not exist"),
            Self::Lists => write!(
                f,
                "it does not fit into {RULE_LISTS_MAX} lists: too many rules overlap one another without being the same"
            ),
        }
    }
}

impl core::error::Error for BuildError {}

/// Why an image is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// Shorter than its header.
    Truncated,
    /// Does not start on a cache line.
    Misaligned,
    /// Not such an image.
    Magic,
    /// Of another version.
    Version(u32),
    /// Of a build with other shapes.
    Layout,
    /// The length in the header is not that of the file.
    Length,
    /// A value in the header is out of range.
    Header,
    /// A section is not where or as long as it must be, or does not hold whole items.
    Bounds(Section),
    /// An item of a section is out of range, out of order or inconsistent with others.
    Item(Section, usize),
    /// A pool image (by its place in the list given) has a bad header or length.
    Pool(usize),
    /// A pool's member is no real of the table, or out of order.
    PoolMember(usize),
    /// A pool's slot names no member.
    PoolSlot(usize),
    /// An image that the root names neither as a pool nor as its rules, or names once and was given twice.
    PoolUnknown(usize),
    /// The root's pool of that place is not among the images given.
    PoolMissing(usize),
    /// The image of the root's rules is not among those given.
    RulesMissing,
    /// The image of rules has a bad header, or says another thing of itself than the root does.
    Rules,
    /// A word that rules ask for is wrong or out of order.
    RulesWord(usize),
    /// A list of rules is not in order, or leads out.
    RulesList(usize),
    /// A rule names no service or real of the table, or is out of order.
    Rule(usize),
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the image is shorter than its header"),
            Self::Misaligned => f.write_str("the image does not start on a cache line"),
            Self::Magic => f.write_str("this is no such image"),
            Self::Version(version) => write!(f, "the image is of version {version}"),
            Self::Layout => f.write_str("the image was made by another build"),
            Self::Length => f.write_str("the image is not as long as it says"),
            Self::Header => f.write_str("a value in the header is out of range"),
            Self::Bounds(section) => write!(f, "section {section:?} is misplaced"),
            Self::Item(section, place) => write!(f, "item {place} of section {section:?} is wrong"),
            Self::Pool(place) => write!(f, "pool image {place} has a bad header"),
            Self::PoolMember(place) => write!(f, "pool image {place} has a wrong member"),
            Self::PoolSlot(place) => write!(f, "pool image {place} has a wrong slot"),
            Self::PoolUnknown(place) => write!(f, "image {place} is not of this table, or a repeat"),
            Self::PoolMissing(place) => write!(f, "the table's pool {place} was not given"),
            Self::RulesMissing => f.write_str("the table's rules were not given"),
            Self::Rules => f.write_str("the image of rules has a bad header"),
            Self::RulesWord(place) => write!(f, "word {place} of the rules is wrong"),
            Self::RulesList(place) => write!(f, "list {place} of the rules is wrong"),
            Self::Rule(place) => write!(f, "rule {place} is wrong"),
        }
    }
}

impl core::error::Error for ImageError {}
