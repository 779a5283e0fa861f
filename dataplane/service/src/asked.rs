//! Marks and limits in an image, and how they are found there.
//!
//! Services and rules with the same mark share one entry; each limit is one service's or one rule's own. A service's
//! number leads to its entry by a section that is there only if some service asks for anything: nobody else is asked.
//! Rules have their places in their own image.

use std::collections::{BTreeMap, BTreeSet};

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::attributes::{
    AttributeFault, Attributes, DscpOn, Excess, LABELS_OUT_MAX, LabelMark, Limit, Mark, VlanMark,
};
use crate::blueprint::ServiceSpec;
use crate::layout::{OPENS_LABELS, Section, ServiceEntry};
use crate::limits::{LIMITS_MAX, MARKS_MAX};
use crate::numbers::{RuleNumber, ServiceNumber};
use crate::rules::image::RuleEntry;
use crate::rules::{Effect, RuleSpec};
use crate::table::TableView;

/// Who asks for a mark or a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asker {
    /// A service.
    Service(ServiceNumber),
    /// A rule.
    Rule(RuleNumber),
}

impl Asker {
    /// Of a number in an image: it is a rule's.
    const RULE: u32 = 1 << 31;

    /// How images write it; in this order.
    const fn code(self) -> u32 {
        match self {
            Self::Service(number) => number.get(),
            Self::Rule(number) => Self::RULE | number.get(),
        }
    }

    /// What a checked image wrote.
    fn of_code(code: u32) -> Self {
        if code & Self::RULE == 0 {
            Self::Service(ServiceNumber::new(code).unwrap_or_default())
        } else {
            Self::Rule(RuleNumber::new(code & !Self::RULE).unwrap_or_default())
        }
    }
}

/// A mark in an image. What is not there is 255, and what is of no use 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct MarkEntry {
    labels: [u32; LABELS_OUT_MAX],
    vlan: u16,
    /// 0 keep, 1 insert, 2 rewrite, 3 remove.
    vlan_mark: u8,
    /// 0 none, 1 push, 2 swap, 3 pop.
    label_mark: u8,
    dscp: u8,
    /// 1: on the outer header alone.
    outer_only: u8,
    priority: u8,
    tc: u8,
    ttl: u8,
    spare: [u8; 3],
}

const NOTHING: u8 = u8::MAX;

const fn of_byte(byte: u8) -> Option<u8> {
    if byte == NOTHING { None } else { Some(byte) }
}

impl MarkEntry {
    fn new(mark: &Mark) -> Self {
        let (vlan_mark, vlan) = match mark.vlan {
            VlanMark::Keep => (0, 0),
            VlanMark::Insert(id) => (1, id),
            VlanMark::Rewrite(id) => (2, id),
            VlanMark::Remove => (3, 0),
        };
        let (label_mark, labels) = match mark.labels {
            LabelMark::None => (0, [0; LABELS_OUT_MAX]),
            LabelMark::Push(labels) => (1, labels),
            LabelMark::Swap(label) => (2, [label, 0]),
            LabelMark::Pop => (3, [0; LABELS_OUT_MAX]),
        };
        Self {
            labels,
            vlan,
            vlan_mark,
            label_mark,
            dscp: mark.dscp.unwrap_or(NOTHING),
            outer_only: u8::from(mark.dscp_on == DscpOn::Outer),
            priority: mark.priority.unwrap_or(NOTHING),
            tc: mark.tc.unwrap_or(NOTHING),
            ttl: mark.ttl.unwrap_or(0),
            spare: [0; 3],
        }
    }

    /// What it says; of any bytes something.
    pub(crate) const fn mark(&self) -> Mark {
        let [first, _] = self.labels;
        Mark {
            dscp: of_byte(self.dscp),
            dscp_on: if self.outer_only == 0 { DscpOn::Both } else { DscpOn::Outer },
            vlan: match self.vlan_mark {
                0 => VlanMark::Keep,
                1 => VlanMark::Insert(self.vlan),
                2 => VlanMark::Rewrite(self.vlan),
                _ => VlanMark::Remove,
            },
            priority: of_byte(self.priority),
            labels: match self.label_mark {
                0 => LabelMark::None,
                1 => LabelMark::Push(self.labels),
                2 => LabelMark::Swap(first),
                _ => LabelMark::Pop,
            },
            tc: of_byte(self.tc),
            ttl: if self.ttl == 0 { None } else { Some(self.ttl) },
        }
    }

    /// Whether an image may say so: what it says is sound, and is written no other way.
    pub(crate) fn is_sound(&self) -> bool {
        let mark = self.mark();
        mark.is_sound() && Self::new(&mark) == *self
    }

    /// The order in an image.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        self.mark() < other.mark()
    }
}

/// A limit in an image, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct LimitEntry {
    cir: u64,
    /// 0 without a peak rate.
    peak: u64,
    cbs: u32,
    excess: u32,
    /// Whose it is: [`Asker`].
    pub(crate) owner: u32,
    is_aware: u8,
    yellow: u8,
    red: u8,
    spare: u8,
}

impl LimitEntry {
    fn new(owner: u32, limit: &Limit) -> Self {
        let (peak, excess) = match limit.excess {
            Excess::Burst(bytes) => (0, bytes),
            Excess::Peak(rate, bytes) => (rate, bytes),
        };
        Self {
            cir: limit.cir,
            peak,
            cbs: limit.cbs,
            excess,
            owner,
            is_aware: u8::from(limit.is_aware),
            yellow: limit.yellow.unwrap_or(NOTHING),
            red: limit.red.unwrap_or(NOTHING),
            spare: 0,
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn owner(&self) -> Asker {
        Asker::of_code(self.owner)
    }

    /// What it says.
    #[inline]
    #[must_use]
    pub const fn limit(&self) -> Limit {
        Limit {
            cir: self.cir,
            cbs: self.cbs,
            excess: match self.peak {
                0 => Excess::Burst(self.excess),
                rate => Excess::Peak(rate, self.excess),
            },
            is_aware: self.is_aware != 0,
            yellow: of_byte(self.yellow),
            red: of_byte(self.red),
        }
    }

    /// Whether an image may say so.
    pub(crate) fn is_sound(&self) -> bool {
        let limit = self.limit();
        limit.is_sound() && Self::new(self.owner, &limit) == *self && self.owner().code() == self.owner
    }
}

/// The sections of what services and rules ask for, and what is their own.
#[derive(Default)]
pub(crate) struct AttributeSections {
    /// By number of a service: the place of its entry. Empty if none asks.
    pub(crate) slots: Vec<u16>,
    pub(crate) marks: Vec<MarkEntry>,
    pub(crate) limits: Vec<LimitEntry>,
    /// Whether labels are to be taken off.
    pub(crate) takes_labels: bool,
    places: BTreeMap<Mark, u16>,
}

impl AttributeSections {
    /// Those of a blueprint's services and rules.
    ///
    /// # Errors
    /// A service or a rule, and what is wrong with it.
    pub(crate) fn new(services: &[ServiceSpec], rules: &[RuleSpec]) -> Result<Self, (Asker, AttributeFault)> {
        let mut made = Self::default();
        let of_services = services.iter().map(|it| (Asker::Service(it.number), it.attributes));
        let of_rules = rules.iter().map(|it| (Asker::Rule(it.number), it.attributes));
        let mut sorted: Vec<(Asker, Attributes)> =
            of_services.chain(of_rules).filter(|(_, attributes)| attributes.ask()).collect();
        sorted.sort_unstable_by_key(|(asker, _)| *asker);
        let marks: BTreeSet<Mark> = sorted.iter().filter_map(|(_, attributes)| attributes.mark).collect();
        if let Some((last, _)) = sorted.last().filter(|_| marks.len() > MARKS_MAX) {
            return Err((*last, AttributeFault::Marks));
        }
        made.takes_labels = marks.iter().any(Mark::takes_labels);
        made.marks = marks.iter().map(MarkEntry::new).collect();
        made.places = marks.into_iter().zip(1..).collect();
        for (asker, Attributes { mark, limit }) in sorted {
            if mark.is_some_and(|mark| !mark.is_sound()) {
                return Err((asker, AttributeFault::Mark));
            }
            let Some(limit) = limit else { continue };
            if !limit.is_sound() {
                return Err((asker, AttributeFault::Limit));
            }
            if made.limits.len() == LIMITS_MAX {
                return Err((asker, AttributeFault::Limits));
            }
            made.limits.push(LimitEntry::new(asker.code(), &limit));
        }
        Ok(made)
    }

    /// Where a service's mark and limit are.
    pub(crate) fn of_service(&self, service: &ServiceSpec) -> Effect {
        self.places_of(Asker::Service(service.number), &service.attributes)
    }

    /// Where a rule's are.
    pub(crate) fn of_rule(&self, rule: &RuleSpec) -> Effect {
        self.places_of(Asker::Rule(rule.number), &rule.attributes)
    }

    fn places_of(&self, asker: Asker, attributes: &Attributes) -> Effect {
        let mark = attributes.mark.and_then(|mark| self.places.get(&mark)).copied();
        let limit = attributes.limit.and_then(|_| {
            let at = self.limits.binary_search_by_key(&asker.code(), |limit| limit.owner).ok()?;
            u16::try_from(at + 1).ok()
        });
        Effect { mark: mark.unwrap_or(0), limit: limit.unwrap_or(0), rule: 0 }
    }

    /// Where each service's entry is, now that all are there, in the order of their numbers.
    pub(crate) fn place(&mut self, services: &[ServiceEntry]) {
        self.slots = slots(services);
    }
}

fn slots(services: &[ServiceEntry]) -> Vec<u16> {
    if !services.iter().any(ServiceEntry::asks) {
        return Vec::new();
    }
    let len = services.last().map_or(0, |last| last.number as usize + 1);
    let mut slots = vec![0; len];
    for (service, place) in services.iter().zip(0_u16..=u16::MAX) {
        if let Some(slot) = slots.get_mut(service.number as usize) {
            *slot = place;
        }
    }
    slots
}

/// The sections of an image.
#[derive(Clone, Copy)]
pub(crate) struct AttributeView<'t> {
    pub(crate) slots: &'t [u16],
    pub(crate) marks: &'t [MarkEntry],
    pub(crate) limits: &'t [LimitEntry],
}

impl<'t> AttributeView<'t> {
    /// The entry of that number, if it asks for anything.
    #[inline]
    pub(crate) fn entry(
        self,
        services: &'t [ServiceEntry],
        number: ServiceNumber,
    ) -> Option<&'t ServiceEntry> {
        let slot = self.slots.get(number.index())?;
        let entry = services.get(usize::from(*slot))?;
        (entry.number == number.get() && entry.asks()).then_some(entry)
    }

    /// Whether some mark takes labels off.
    pub(crate) fn takes_labels(self) -> bool {
        self.marks.iter().any(|entry| entry.mark().takes_labels())
    }

    /// Whether an image's service may say so: each place is there, and its limit its own.
    pub(crate) fn is_sound_of(self, service: &ServiceEntry) -> bool {
        self.is_sound(service.effect(), service.number)
    }

    /// The same of a rule.
    pub(crate) fn is_sound_of_rule(self, rule: &RuleEntry) -> bool {
        self.is_sound(rule.effect(), Asker::RULE | rule.number)
    }

    fn is_sound(self, Effect { mark, limit, .. }: Effect, owner: u32) -> bool {
        let is_own = match limit.checked_sub(1) {
            None => true,
            Some(at) => self.limits.get(usize::from(at)).is_some_and(|limit| limit.owner == owner),
        };
        usize::from(mark) <= self.marks.len() && is_own
    }

    /// Whether the slots are those of the services.
    pub(crate) fn are_slots_of(self, services: &[ServiceEntry]) -> bool {
        self.slots == slots(services)
    }

    /// Whether no mark and no limit is nobody's: of services, or of rules, which have these effects.
    pub(crate) fn are_all_used(self, services: &[ServiceEntry], rules: impl Iterator<Item = Effect>) -> bool {
        let (mut marks, mut limits) = (BTreeSet::new(), 0);
        for Effect { mark, limit, .. } in services.iter().map(ServiceEntry::effect).chain(rules) {
            marks.extend(Some(mark).filter(|mark| *mark > 0));
            limits += usize::from(limit > 0);
        }
        marks.len() == self.marks.len() && limits == self.limits.len()
    }
}

/// What is asked for of one packet beside a real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// How it is marked.
    pub mark: Option<Mark>,
    /// The limit that it has to keep to, and the place of that among [`TableView::limits`].
    pub limit: Option<(u16, Limit)>,
}

impl<'t> TableView<'t> {
    fn attributes(&self) -> AttributeView<'t> {
        AttributeView {
            slots: self.sections.items(Section::Slots),
            marks: self.sections.items(Section::Marks),
            limits: self.sections.items(Section::Limits),
        }
    }

    /// What a service, and the rule that decides about a packet, ask for beside a real: of a mark and of a limit each the
    /// rule's, if it has one, and else the service's. `None` if neither asks for anything.
    #[must_use]
    pub fn asked(&self, service: ServiceNumber, of_rule: Effect) -> Option<Asked> {
        let attributes = self.attributes();
        let of_service = attributes.entry(self.services, service).map_or(Effect::NONE, ServiceEntry::effect);
        let either = |rule: u16, service: u16| if rule == 0 { service } else { rule }.checked_sub(1);
        let mark = either(of_rule.mark, of_service.mark);
        let limit = either(of_rule.limit, of_service.limit);
        let asked = Asked {
            mark: mark.and_then(|at| attributes.marks.get(usize::from(at))).map(MarkEntry::mark),
            limit: limit.and_then(|at| Some((at, attributes.limits.get(usize::from(at))?.limit()))),
        };
        (asked.mark.is_some() || asked.limit.is_some()).then_some(asked)
    }

    /// Every limit, in the order of [`Asked::limit`]'s places and of their owners.
    #[must_use]
    pub fn limits(&self) -> &'t [LimitEntry] {
        self.attributes().limits
    }

    /// Whether anything is taken off packets before they are read: labels, or tunnels that end here.
    #[inline]
    #[must_use]
    pub const fn opens(&self) -> bool {
        self.header.opens != 0
    }

    /// Whether labels in front of packets to one of us are.
    #[inline]
    #[must_use]
    pub const fn takes_labels(&self) -> bool {
        self.header.opens & OPENS_LABELS != 0
    }
}
