//! Tunnels that end here, from whom they are taken, and which addresses are our own.
//!
//! An end is an address of ours and the headers that stand behind it; several may share an address. A packet to an end
//! comes from one of the end's sources or not at all.

use core::mem::size_of;
use std::collections::BTreeMap;
use std::net::IpAddr;

use wire::{Family, packed};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::blueprint::{Outer, RealSpec};
use crate::layout::Section;
use crate::limits::{END_SOURCES_MAX, ENDS_MAX, REALS_MAX};
use crate::numbers::RealNumber;
use crate::table::Sections;
use crate::tail::{Form, Tail};
use crate::template::Template;

/// A tunnel that ends here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndSpec {
    /// Our address.
    pub address: IpAddr,
    /// Which headers it has.
    pub form: Form,
    /// The UDP port, where its headers have one.
    pub port: u16,
    /// The key of GRE with a key, or the network identifier of VXLAN.
    pub key: u32,
    /// Prefixes of its family that packets may come from: address and length.
    pub from: Vec<(IpAddr, u8)>,
}

/// What is wrong with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndFault {
    /// There are more than [`ENDS_MAX`], or more sources than [`END_SOURCES_MAX`].
    TooMany,
    /// A port or key that its headers cannot hold, or a source of the other family.
    Field,
    /// It is there twice, or two kinds of tunnel are to end at one port.
    Twice,
}

/// An end as an image has it. Sorted by family, address, port, form and key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct EndEntry {
    address: [u8; 16],
    key: u32,
    /// Its first source, and how many it has.
    first: u32,
    len: u32,
    port: u16,
    family: u8,
    form: u8,
}

/// A prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Prefix {
    address: [u8; 16],
    len: u8,
    family: u8,
    spare: [u8; 2],
}

/// Bytes of both, for the image's fingerprint.
pub(crate) const ENTRY_BYTES: [usize; 2] = [size_of::<EndEntry>(), size_of::<Prefix>()];

impl EndEntry {
    /// Which headers it has.
    #[must_use]
    pub const fn form(&self) -> Form {
        Form::of_code(self.form)
    }

    /// The key of GRE or the network identifier of VXLAN.
    #[must_use]
    pub const fn key(&self) -> u32 {
        self.key
    }

    /// The UDP port, or 0.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    fn order(&self) -> (u8, [u8; 16], u16, u8, u32) {
        (self.family, self.address, self.port, self.form, self.key)
    }
}

impl Prefix {
    fn new((address, len): (IpAddr, u8)) -> Self {
        let (address, family) = packed(address);
        let mask = u128::MAX.checked_shl(128 - u32::from(len.min(128))).unwrap_or(0);
        let address = (u128::from_be_bytes(address) & mask).to_be_bytes();
        Self { address, len, family: family as u8, spare: [0; 2] }
    }

    fn holds(&self, address: &[u8; 16], family: Family) -> bool {
        let differ = u128::from_be_bytes(self.address) ^ u128::from_be_bytes(*address);
        self.family == family as u8 && differ.leading_zeros() >= u32::from(self.len)
    }

    fn is_sound(&self) -> bool {
        let bits = match self.family {
            4 => 32,
            6 => 128,
            _ => return false,
        };
        let address = u128::from_be_bytes(self.address);
        self.len <= bits && (self.len == 128 || address << u32::from(self.len) == 0) && self.spare == [0; 2]
    }
}

/// What a table knows of tunnels that end here.
#[derive(Clone, Copy, Debug)]
pub struct EndsView<'t> {
    ends: &'t [EndEntry],
    sources: &'t [Prefix],
    own: &'t [Prefix],
}

impl<'t> EndsView<'t> {
    pub(crate) fn of(sections: &Sections<'t>) -> Self {
        Self {
            ends: sections.items(Section::Ends),
            sources: sections.items(Section::EndSources),
            own: sections.items(Section::Own),
        }
    }

    /// Those at an address.
    #[must_use]
    pub fn at(&self, address: &[u8; 16], family: Family) -> &'t [EndEntry] {
        let key = (family as u8, *address);
        let of = |end: &EndEntry| (end.family, end.address);
        let first = self.ends.partition_point(|end| of(end) < key);
        let rest = self.ends.get(first..).unwrap_or_default();
        rest.get(..rest.partition_point(|end| of(end) == key)).unwrap_or_default()
    }

    /// Whether an end takes packets from there; its family is the end's.
    #[must_use]
    pub fn takes(&self, end: &EndEntry, source: &[u8; 16], family: Family) -> bool {
        let sources = self.sources.iter().skip(end.first as usize).take(end.len as usize);
        sources.into_iter().any(|prefix| prefix.holds(source, family))
    }

    /// Whether we send tunnelled packets from there.
    #[must_use]
    pub fn is_own(&self, address: &[u8; 16], family: Family) -> bool {
        self.own.iter().any(|prefix| prefix.holds(address, family))
    }

    /// Whether an image may say so. Gives the section and place of the first wrong item.
    pub(crate) fn check(&self) -> Result<(), (Section, usize)> {
        let wrong = |prefixes: &[Prefix]| prefixes.iter().position(|prefix| !prefix.is_sound());
        if let Some(place) = wrong(self.sources) {
            return Err((Section::EndSources, place));
        }
        if let Some(place) = wrong(self.own) {
            return Err((Section::Own, place));
        }
        let mut next = 0_usize;
        let mut before: Option<&EndEntry> = None;
        for (place, end) in self.ends.iter().enumerate() {
            let begins = next;
            next = next.saturating_add(end.len as usize);
            let is_sound = matches!(end.family, 4 | 6)
                && end.form <= Form::Vxlan as u8
                && Tail::may_end(end.form(), end.port, end.key)
                && before.is_none_or(|before| before.order() < end.order() && !shares_port(before, end))
                && end.first as usize == begins
                && self.sources.get(begins..next).is_some_and(|of| of.iter().all(|p| p.family == end.family));
            if !is_sound {
                return Err((Section::Ends, place));
            }
            before = Some(end);
        }
        if next == self.sources.len() { Ok(()) } else { Err((Section::EndSources, next)) }
    }
}

/// Whether two kinds of tunnel are to end at one UDP port.
fn shares_port(one: &EndEntry, other: &EndEntry) -> bool {
    one.port != 0
        && (one.family, one.address, one.port) == (other.family, other.address, other.port)
        && (one.form != other.form || one.form != Form::Vxlan as u8)
}

/// The sections of a blueprint's ends.
#[derive(Debug, Default)]
pub(crate) struct EndSections {
    pub(crate) ends: Vec<EndEntry>,
    pub(crate) sources: Vec<Prefix>,
}

impl EndSections {
    /// The same whatever the order of the list.
    ///
    /// # Errors
    /// The place of an end, and what is wrong with it.
    pub(crate) fn new(specs: &[EndSpec]) -> Result<Self, (usize, EndFault)> {
        let mut sorted: Vec<(EndEntry, usize, &EndSpec)> = Vec::with_capacity(specs.len());
        for (at, spec) in specs.iter().enumerate() {
            let (address, family) = packed(spec.address);
            let is_of = |prefix: &(IpAddr, u8)| prefix.0.is_ipv4() == spec.address.is_ipv4();
            let is_sound = Tail::may_end(spec.form, spec.port, spec.key) && spec.from.iter().all(is_of);
            if !is_sound {
                return Err((at, EndFault::Field));
            }
            let (form, family) = (spec.form as u8, family as u8);
            let entry = EndEntry { address, key: spec.key, first: 0, len: 0, port: spec.port, family, form };
            sorted.push((entry, at, spec));
        }
        if let Some(at) = specs.len().checked_sub(1).filter(|at| *at >= ENDS_MAX) {
            return Err((at, EndFault::TooMany));
        }
        sorted.sort_by_key(|(entry, ..)| entry.order());
        let mut made = Self::default();
        for (entry, at, spec) in sorted {
            let mut prefixes: Vec<Prefix> = spec.from.iter().copied().map(Prefix::new).collect();
            prefixes.sort_by_key(|prefix| (prefix.address, prefix.len));
            prefixes.dedup();
            let is_twice = made
                .ends
                .last()
                .is_some_and(|before| before.order() == entry.order() || shares_port(before, &entry));
            if is_twice {
                return Err((at, EndFault::Twice));
            }
            if made.sources.len() + prefixes.len() > END_SOURCES_MAX {
                return Err((at, EndFault::TooMany));
            }
            let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            made.ends.push(EndEntry {
                first: number(made.sources.len()),
                len: number(prefixes.len()),
                ..entry
            });
            made.sources.extend(prefixes);
        }
        Ok(made)
    }
}

/// Where tunnelled packets leave from: one prefix for each family.
pub(crate) fn own(outer: &Outer) -> Vec<Prefix> {
    let v4 = outer.source_v4.map(|source| (IpAddr::V4(source.address), source.prefix_len));
    let v6 = outer.source_v6.map(|source| (IpAddr::V6(source.address), source.prefix_len));
    v4.into_iter().chain(v6).map(Prefix::new).collect()
}

/// Numbers of the reals that are tunnelled to, by family and address of their tunnels' ends.
pub(crate) fn by_address(reals: &BTreeMap<RealNumber, RealSpec>) -> Vec<u32> {
    let tunnelled = reals.values().filter(|real| real.encap != crate::Encap::Mac);
    let mut sorted: Vec<_> = tunnelled.map(|real| (key(real.address), real.number.get())).collect();
    sorted.sort_unstable();
    sorted.into_iter().map(|(_, number)| number).collect()
}

fn key(address: IpAddr) -> (u8, [u8; 16]) {
    let (bytes, family) = packed(address);
    (family as u8, bytes)
}

/// The reals whose tunnels end at an address, by number.
pub(crate) fn reals_at<'t>(
    numbers: &'t [u32],
    templates: &'t [Template],
    address: IpAddr,
) -> impl Iterator<Item = RealNumber> + use<'t> {
    let wanted = key(address);
    let of = move |number: &u32| templates.get(*number as usize).and_then(Template::destination).map(key);
    let at = numbers.partition_point(|number| of(number).is_some_and(|of| of < wanted));
    let here = numbers.iter().skip(at).take_while(move |number| of(number) == Some(wanted));
    here.filter_map(|number| RealNumber::new(*number).ok())
}

/// Whether an image's list names each template with a tunnel once, by address. Gives the place of the first that is
/// wrong.
pub(crate) fn check_by_address(numbers: &[u32], templates: &[Template]) -> Option<usize> {
    let mut before = None;
    let wrong = numbers.iter().position(|number| {
        let of = templates.get(*number as usize).and_then(Template::destination).map(key);
        let at = of.map(|of| (of, *number));
        let is_sound = at.is_some() && before.is_none_or(|before| before < at);
        before = Some(at);
        !is_sound
    });
    let tunnelled =
        templates.iter().filter(|template| template.is_present() && template.destination().is_some());
    wrong.or_else(|| (tunnelled.count() != numbers.len()).then_some(numbers.len()))
}

const _: () = assert!(ENDS_MAX > 0 && END_SOURCES_MAX >= ENDS_MAX && REALS_MAX > 0);
