//! Headers as views, and one total parser: any bytes give a value or a reason; nothing panics, nothing
//! allocates, nothing is copied but the five-tuple.
//!
//! One protocol is one file. A header's value type has `parse` from an array of the header's fixed
//! length, so the length is checked once, by type, and `emit` back to the same bytes:
//! `emit(parse(x)) == x`.
#![forbid(unsafe_code)]

pub mod arp;
pub mod checksum;
pub mod ethernet;
pub mod fragment;
pub mod gre;
pub mod gue;
pub mod icmp;
pub mod ipsec;
pub mod ipv4;
pub mod ipv6;
pub mod mpls;
pub mod nd;
mod parse;
pub mod tcp;
pub mod toeplitz;
mod tuple;
pub mod udp;
mod usual;
pub mod vxlan;

pub use parse::{EXTENSION_BYTES_MAX, EXTENSIONS_MAX, Ends, Kind, Parsed, Unparsed, parse};
pub use tuple::{Family, FiveTuple, packed, padded, protocol, unpacked};
