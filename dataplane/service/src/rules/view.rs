//! A checked image of rules, and what it says of a packet.

use core::cmp::Ordering;
use std::collections::BTreeSet;

use wire::Family;
use zerocopy::FromBytes;

use super::image::{
    LAYOUT_OF_RULES, ListEntry, MAGIC, NO_FIELD, PACKETS, Parts, RULES_HEADER_BYTES, RuleEntry, RulesHeader,
    WordEntry,
};
use super::key::{Base, FIXED, Masked, RuleKey, field};
use super::{Effect, RuleAction, Ruling};
use crate::asked::AttributeView;
use crate::layout::{Header, VERSION};
use crate::limits::{RULE_LISTS_MAX, RULE_OFFSET_MAX, RULE_PATTERNS_MAX, RULE_WORDS_MAX};
use crate::numbers::{RealNumber, RuleNumber, ServiceNumber};
use crate::table::TableView;

impl<'t> TableView<'t> {
    /// Whether rules have to be asked about a new flow.
    #[inline]
    #[must_use]
    pub const fn has_rules(&self) -> bool {
        self.header.rules != 0
    }

    /// Whether they have to be asked about every packet.
    #[inline]
    #[must_use]
    pub const fn has_packet_rules(&self) -> bool {
        self.header.rules & Header::HAS_PACKET_RULES != 0
    }

    /// The rules, if there are any.
    #[must_use]
    pub fn rules(&self) -> Option<RulesView<'t>> {
        if self.has_rules() { RulesView::open(self.images.image(self.pools_len())) } else { None }
    }
}

/// Why an image of rules is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RulesRefusal {
    Header,
    Word(usize),
    List(usize),
    Rule(usize),
}

/// The rules of a table, ready to be asked.
#[derive(Clone, Copy)]
pub struct RulesView<'t> {
    words: &'t [WordEntry],
    lists4: &'t [ListEntry],
    lists6: &'t [ListEntry],
    rows: &'t [u64],
    rules: &'t [RuleEntry],
}

impl<'t> RulesView<'t> {
    /// The parts of an image, bounds checked, content not.
    #[inline]
    pub(crate) fn open(image: &'t [u8]) -> Option<Self> {
        let header = RulesHeader::ref_from_prefix(image).ok()?.0;
        let parts = Parts::of(header)?;
        let rows_end = parts.rows + size_of::<u64>() * usize::try_from(header.rows).ok()?;
        let words_end = parts.words + size_of::<WordEntry>() * header.words as usize;
        let rules_end = parts.rules + size_of::<RuleEntry>() * header.rules as usize;
        let lists = <[ListEntry]>::ref_from_bytes(image.get(parts.lists..parts.rows)?).ok()?;
        let (lists4, lists6) = lists.split_at_checked(header.lists4 as usize)?;
        Some(Self {
            words: <[WordEntry]>::ref_from_bytes(image.get(parts.words..words_end)?).ok()?,
            lists4,
            lists6,
            rows: <[u64]>::ref_from_bytes(image.get(parts.rows..rows_end)?).ok()?,
            rules: <[RuleEntry]>::ref_from_bytes(image.get(parts.rules..rules_end)?).ok()?,
        })
    }

    /// The rule that decides about a packet: of those that match the one of least rank. One search by halves in each
    /// list, up to the first list that has none of a lesser rank.
    #[inline(always)]
    #[must_use]
    pub fn find(&self, key: &RuleKey) -> Option<Ruling> {
        let mut best = u32::MAX;
        for list in self.lists(key.family) {
            if list.best >= best {
                break;
            }
            if let Some(place) = self.find_in(list, key) {
                best = best.min(place);
            }
        }
        self.rules.get(best as usize)?.ruling()
    }

    const fn lists(&self, family: Family) -> &'t [ListEntry] {
        match family {
            Family::V4 => self.lists4,
            Family::V6 => self.lists6,
        }
    }

    #[inline(always)]
    fn find_in(&self, list: &ListEntry, key: &RuleKey) -> Option<u32> {
        let stride = list.stride();
        let fields = list.fields.get(..list.columns as usize)?;
        let rows = self.rows.get(usize::try_from(list.first).ok()?..)?;
        let (mut low, mut high) = (0, list.rows as usize);
        while low < high {
            let middle = low.midpoint(high);
            let row = rows.get(middle * stride..)?.get(..stride)?;
            match compare(row, fields, key) {
                Ordering::Less => high = middle,
                Ordering::Greater => low = middle + 1,
                Ordering::Equal => return row.last().and_then(|place| u32::try_from(*place).ok()),
            }
        }
        None
    }

    /// The masked values that any rule asks for, in the order of [`RuleKey::set_word`]'s places; their values mean
    /// nothing.
    pub fn words(&self) -> impl Iterator<Item = Masked> + use<'t> {
        self.words.iter().filter_map(|word| {
            let base = Base::of_code(word.base)?;
            Some(Masked { base, offset: word.offset, mask: word.mask, value: 0 })
        })
    }

    /// How many rules there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is none: of no table that has such a view.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// How many lists a packet of that family is looked for in at most.
    #[must_use]
    pub const fn lists_len(&self, family: Family) -> usize {
        self.lists(family).len()
    }

    /// Every rule's effect.
    pub(crate) fn effects(&self) -> impl Iterator<Item = Effect> + use<'t> {
        self.rules.iter().map(RuleEntry::effect)
    }

    /// The parts of an image that can be asked anything, given which services, reals, marks and limits there are; and
    /// whether a rule asks for more than a flow's packets have in common, or has an effect. Takes time in proportion to
    /// the image.
    pub(crate) fn check(
        image: &'t [u8],
        (is_service, is_real): (impl Fn(ServiceNumber) -> bool, impl Fn(RealNumber) -> bool),
        attributes: AttributeView<'_>,
    ) -> Result<(Self, bool), RulesRefusal> {
        let header = RulesHeader::ref_from_prefix(image).map_err(|_| RulesRefusal::Header)?.0;
        let fits = header.magic == MAGIC
            && header.version == VERSION
            && header.header_bytes == RULES_HEADER_BYTES
            && header.layout == LAYOUT_OF_RULES
            && header.length == image.len() as u64
            && Parts::of(header).is_some_and(|parts| parts.end == image.len())
            && header.words as usize <= RULE_WORDS_MAX
            && header.lists4 as usize <= RULE_LISTS_MAX
            && header.lists6 as usize <= RULE_LISTS_MAX
            && (1..=RULE_PATTERNS_MAX).contains(&(header.rules as usize))
            && header.flags <= PACKETS
            && header.spare == 0;
        let view = Self::open(image).filter(|_| fits).ok_or(RulesRefusal::Header)?;
        view.check_words()?;
        view.check_rules(is_service, is_real, attributes)?;
        let has_packets = view.check_lists()? || view.rules.iter().any(RuleEntry::has_effect);
        if has_packets == (header.flags == PACKETS) {
            Ok((view, has_packets))
        } else {
            Err(RulesRefusal::Header)
        }
    }

    fn check_words(&self) -> Result<(), RulesRefusal> {
        let key = |word: &WordEntry| (word.base, word.offset, word.mask);
        for (place, word) in self.words.iter().enumerate() {
            let in_reach = match Base::of_code(word.base) {
                Some(Base::TcpFlags) => word.offset == 0 && word.mask <= 0xff,
                Some(Base::Network | Base::Transport) => word.offset <= RULE_OFFSET_MAX,
                None => false,
            };
            let before = place.checked_sub(1).and_then(|before| self.words.get(before));
            let in_order = before.is_none_or(|before| key(before) < key(word));
            if !in_reach || !in_order || word.mask == 0 || word.spare != 0 {
                return Err(RulesRefusal::Word(place));
            }
        }
        Ok(())
    }

    fn check_rules(
        &self,
        is_service: impl Fn(ServiceNumber) -> bool,
        is_real: impl Fn(RealNumber) -> bool,
        attributes: AttributeView<'_>,
    ) -> Result<(), RulesRefusal> {
        let (mut before, mut numbers) = (None, BTreeSet::new());
        for (place, rule) in self.rules.iter().enumerate() {
            let is_there = match rule.ruling().map(|ruling| ruling.action) {
                Some(RuleAction::Drop) => rule.service == 0 && rule.real == 0 && !rule.has_effect(),
                Some(RuleAction::Usual) => rule.service == 0 && rule.real == 0,
                Some(RuleAction::Service(service)) => is_service(service) && rule.real == 0,
                Some(RuleAction::Real(service, real)) => is_service(service) && is_real(real),
                None => false,
            };
            let in_order = before.is_none_or(|before| before < rule.rank);
            let is_new = numbers.insert(rule.number);
            if !is_there || !in_order || !is_new || !attributes.is_sound_of_rule(rule) || rule.tail != [0; 8]
            {
                return Err(RulesRefusal::Rule(place));
            }
            before = Some(rule.rank);
        }
        Ok(())
    }

    fn check_lists(&self) -> Result<bool, RulesRefusal> {
        let (mut end, mut has_packets) = (0, false);
        for (place, list) in self.lists4.iter().chain(self.lists6).enumerate() {
            let refused = RulesRefusal::List(place);
            let stop = self.check_list(list, end).ok_or(refused)?;
            end = stop;
            let fields = list.fields.get(..list.columns as usize).unwrap_or_default();
            has_packets |= fields.iter().any(|field| usize::from(*field) >= field::DSCP);
        }
        for (lists, first) in [(self.lists4, 0), (self.lists6, self.lists4.len())] {
            let disorder = lists.iter().zip(lists.iter().skip(1)).position(|(a, b)| a.best > b.best);
            if let Some(place) = disorder {
                return Err(RulesRefusal::List(first + place));
            }
        }
        if end == self.rows.len() { Ok(has_packets) } else { Err(RulesRefusal::Header) }
    }

    /// Where the rows of a sound list end that begin there.
    fn check_list(&self, list: &ListEntry, first: usize) -> Option<usize> {
        let columns = usize::try_from(list.columns).ok().filter(|len| *len <= list.fields.len())?;
        let (fields, rest) = list.fields.split_at_checked(columns)?;
        let mut seen = 0_u64;
        for field in fields {
            let bit = 1_u64.checked_shl(u32::from(*field)).filter(|bit| seen & bit == 0)?;
            seen |= bit;
            if usize::from(*field) >= FIXED + self.words.len() {
                return None;
            }
        }
        let plain =
            rest.iter().all(|field| *field == NO_FIELD) && list.spare == [0; 6] && list.tail == [0; 12];
        if !plain || list.rows == 0 || usize::try_from(list.first).ok()? != first {
            return None;
        }
        let stride = list.stride();
        let stop = first.checked_add(stride.checked_mul(list.rows as usize)?)?;
        let mut best = u32::MAX;
        let mut before: Option<&[u64]> = None;
        for row in self.rows.get(first..stop)?.chunks_exact(stride) {
            let (place, intervals) = row.split_last()?;
            let place = u32::try_from(*place).ok().filter(|place| (*place as usize) < self.rules.len())?;
            best = best.min(place);
            let intervals_sound = intervals.chunks_exact(2).all(|pair| pair.first() <= pair.last());
            if !intervals_sound || before.is_some_and(|before| !is_before(before, intervals)) {
                return None;
            }
            before = Some(intervals);
        }
        if best == list.best { Some(stop) } else { None }
    }
}

/// Whether two rows are apart at the first field where they differ, the first of them before the other.
fn is_before(one: &[u64], other: &[u64]) -> bool {
    let pairs = one.as_chunks::<2>().0.iter().zip(other.as_chunks::<2>().0);
    pairs.into_iter().find(|(a, b)| a != b).is_some_and(|([_, last], [first, _])| last < first)
}

/// Where a packet is, seen from a row: before it, behind it, or in it.
#[inline(always)]
fn compare(row: &[u64], fields: &[u8], key: &RuleKey) -> Ordering {
    for ([first, last], field) in row.as_chunks::<2>().0.iter().zip(fields) {
        let value = key.get(*field);
        if value < *first {
            return Ordering::Less;
        }
        if value > *last {
            return Ordering::Greater;
        }
    }
    Ordering::Equal
}

impl ListEntry {
    /// Words of a row: first and last value of each field, and the place of its rule.
    const fn stride(&self) -> usize {
        2 * self.columns as usize + 1
    }
}

impl RuleEntry {
    pub(crate) const fn effect(&self) -> Effect {
        match self.mark | self.limit {
            0 => Effect::NONE,
            // Of a checked image a number is far below the largest.
            _ => Effect { mark: self.mark, limit: self.limit, rule: self.number.saturating_add(1) },
        }
    }

    pub(crate) const fn has_effect(&self) -> bool {
        self.effect().is_any()
    }

    fn ruling(&self) -> Option<Ruling> {
        let service = ServiceNumber::new(self.service).ok()?;
        let action = match self.action {
            Self::DROP => RuleAction::Drop,
            Self::USUAL => RuleAction::Usual,
            Self::SERVICE => RuleAction::Service(service),
            Self::REAL => RuleAction::Real(service, RealNumber::new(self.real).ok()?),
            _ => return None,
        };
        let number = RuleNumber::new(self.number).ok()?;
        Some(Ruling { rank: self.rank, number, action, effect: self.effect() })
    }
}
