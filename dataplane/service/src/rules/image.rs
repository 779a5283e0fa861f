//! The image of a table's rules, byte for byte.
//!
//! ```text
//! RulesHeader | words, WordEntry | lists, ListEntry | rows, u64 | rules, RuleEntry
//! ```
//!
//! Each part starts on a cache line. The lists of IPv4 come first. A list's rows follow those of the list before; a row
//! is first and last value of each of the list's fields, then the place of its rule.

use core::mem::{offset_of, size_of};

use wire::Family;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::key::{FIELDS_MAX, field};
use super::partition::List;
use super::pattern::{Interval, Pattern, Words};
use super::{Effect, RuleAction, RuleSpec};
use crate::layout::{ALIGN, VERSION};

/// First bytes of the image.
pub(crate) const MAGIC: [u8; 8] = *b"penrules";

/// Of [`RulesHeader::flags`]: a rule asks for more than a flow's packets have in common, or gives packets a mark or a limit.
pub(crate) const PACKETS: u32 = 1;

/// Start of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub(crate) struct RulesHeader {
    pub(crate) magic: [u8; 8],
    pub(crate) version: u32,
    pub(crate) header_bytes: u32,
    pub(crate) layout: u64,
    pub(crate) length: u64,
    pub(crate) words: u32,
    pub(crate) lists4: u32,
    pub(crate) lists6: u32,
    pub(crate) rules: u32,
    /// Words of 64 bits.
    pub(crate) rows: u64,
    pub(crate) flags: u32,
    pub(crate) spare: u32,
}

/// Where four bytes stand in a packet and which of their bits are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct WordEntry {
    pub(crate) mask: u32,
    pub(crate) offset: u16,
    pub(crate) base: u8,
    pub(crate) spare: u8,
}

/// What fills a list's fields behind the last.
pub(crate) const NO_FIELD: u8 = 255;

/// One list: one cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub(crate) struct ListEntry {
    /// The fields of its rows, in the order in which they are compared.
    pub(crate) fields: [u8; FIELDS_MAX],
    pub(crate) spare: [u8; 6],
    /// Its first word among the rows.
    pub(crate) first: u64,
    pub(crate) rows: u32,
    /// The least place of a rule in it.
    pub(crate) best: u32,
    pub(crate) columns: u32,
    pub(crate) tail: [u8; 12],
}

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct RuleEntry {
    pub(crate) rank: u32,
    pub(crate) action: u32,
    pub(crate) service: u32,
    pub(crate) real: u32,
    pub(crate) number: u32,
    /// One above the places of its mark and its limit in the root; 0 is none.
    pub(crate) mark: u16,
    pub(crate) limit: u16,
    pub(crate) tail: [u8; 8],
}

impl RuleEntry {
    pub(crate) const DROP: u32 = 0;
    pub(crate) const SERVICE: u32 = 1;
    pub(crate) const REAL: u32 = 2;
    pub(crate) const USUAL: u32 = 3;

    fn new(rule: &RuleSpec, Effect { mark, limit, .. }: Effect) -> Self {
        let (action, service, real) = match rule.action {
            RuleAction::Drop => (Self::DROP, 0, 0),
            RuleAction::Usual => (Self::USUAL, 0, 0),
            RuleAction::Service(service) => (Self::SERVICE, service.get(), 0),
            RuleAction::Real(service, real) => (Self::REAL, service.get(), real.get()),
        };
        Self { rank: rule.rank, action, service, real, number: rule.number.get(), mark, limit, tail: [0; 8] }
    }
}

/// Changes when a shape in this file does.
pub(crate) const LAYOUT_OF_RULES: u64 = (size_of::<RulesHeader>() as u64) << 48
    | (size_of::<WordEntry>() as u64) << 40
    | (size_of::<ListEntry>() as u64) << 32
    | (size_of::<RuleEntry>() as u64) << 24
    | (offset_of!(ListEntry, first) as u64) << 16
    | (offset_of!(RuleEntry, limit) as u64) << 8
    | FIELDS_MAX as u64;

/// Bytes of [`RulesHeader`].
pub(crate) const RULES_HEADER_BYTES: u32 = 64;

const _: () = assert!(size_of::<RulesHeader>() == RULES_HEADER_BYTES as usize);
const _: () = assert!(size_of::<ListEntry>() == ALIGN && offset_of!(ListEntry, first) == 32);
const _: () = assert!(size_of::<RuleEntry>() == 32);

/// Where the parts of an image start.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) words: usize,
    pub(crate) lists: usize,
    pub(crate) rows: usize,
    pub(crate) rules: usize,
    pub(crate) end: usize,
}

impl Parts {
    /// `None` where the header's counts are beyond any image.
    #[inline]
    pub(crate) fn of(header: &RulesHeader) -> Option<Self> {
        let line = |bytes: usize| bytes.checked_next_multiple_of(ALIGN);
        let words = size_of::<RulesHeader>();
        let lists = words.checked_add(line(size_of::<WordEntry>().checked_mul(header.words as usize)?)?)?;
        let lists_len = (header.lists4 as usize).checked_add(header.lists6 as usize)?;
        let rows = lists.checked_add(size_of::<ListEntry>().checked_mul(lists_len)?)?;
        let rows_len = usize::try_from(header.rows).ok()?;
        let rules = rows.checked_add(line(size_of::<u64>().checked_mul(rows_len)?)?)?;
        let end = rules.checked_add(line(size_of::<RuleEntry>().checked_mul(header.rules as usize)?)?)?;
        Some(Self { words, lists, rows, rules, end })
    }
}

/// The image of such rules, which come by rank, and whether any asks for more than a flow's packets have in common, or
/// has an effect.
pub(crate) fn image(
    rules: &[RuleSpec],
    words: &Words,
    lists: &[List],
    effect: impl Fn(&RuleSpec) -> Effect,
) -> (Vec<u8>, bool) {
    let asks = |pattern: &Pattern| {
        pattern.fields.iter().skip(field::DSCP).any(|interval| *interval != Interval::ALL)
    };
    let of_rules: Vec<RuleEntry> = rules.iter().map(|rule| RuleEntry::new(rule, effect(rule))).collect();
    let has_packets =
        lists.iter().flat_map(|list| &list.patterns).any(asks) || of_rules.iter().any(RuleEntry::has_effect);
    let entries: Vec<WordEntry> = words
        .keys()
        .map(|(base, offset, mask)| WordEntry { mask: *mask, offset: *offset, base: base.code(), spare: 0 })
        .collect();
    let (mut rows, mut heads): (Vec<u64>, Vec<ListEntry>) = (Vec::new(), Vec::new());
    for list in lists {
        let mut fields = [NO_FIELD; FIELDS_MAX];
        for (to, field) in fields.iter_mut().zip(&list.fields) {
            *to = u8::try_from(*field).unwrap_or(NO_FIELD);
        }
        heads.push(ListEntry {
            fields,
            spare: [0; 6],
            first: rows.len() as u64,
            rows: count(list.patterns.len()),
            best: list.best(),
            columns: count(list.fields.len()),
            tail: [0; 12],
        });
        for pattern in &list.patterns {
            for interval in list.fields.iter().filter_map(|field| pattern.fields.get(*field)) {
                rows.extend([interval.first, interval.last]);
            }
            rows.push(u64::from(pattern.rule));
        }
    }
    let lists4 = lists.iter().filter(|list| list.family == Family::V4).count();
    let mut header = RulesHeader {
        magic: MAGIC,
        version: VERSION,
        header_bytes: RULES_HEADER_BYTES,
        layout: LAYOUT_OF_RULES,
        length: 0,
        words: count(entries.len()),
        lists4: count(lists4),
        lists6: count(lists.len() - lists4),
        rules: count(of_rules.len()),
        rows: rows.len() as u64,
        flags: if has_packets { PACKETS } else { 0 },
        spare: 0,
    };
    header.length = Parts::of(&header).map_or(0, |parts| parts.end as u64);
    let mut bytes = Vec::new();
    for part in
        [header.as_bytes(), entries.as_bytes(), heads.as_bytes(), rows.as_bytes(), of_rules.as_bytes()]
    {
        bytes.extend(part);
        bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
    }
    (bytes, has_packets)
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
