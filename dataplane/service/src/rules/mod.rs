//! Pattern rules: what may be asked of a packet beside its VIP, and what becomes of those that match.
//!
//! A rule is a list of fields and what each has to be; of the rules that match a packet the one with the least rank
//! decides. Its prefixes multiply out to *patterns*, each an interval in every field, and these are parted into lists
//! that can be searched by halves ([`partition`]). The lists are an image of their own ([`image`]), named by the root
//! by its digest as pools are: a weight or a state that changes brings the workers no new one.
//!
//! A *flow rule* asks only for what a flow's packets have in common, so it is asked when a flow is new or confirmed and
//! never on a hit. A *packet rule* asks for more, or gives packets a mark or a limit, which is each packet's. One of those
//! in a table, and every packet to a VIP is asked about.

mod build;
pub(crate) mod image;
mod key;
mod partition;
mod pattern;
mod view;

use std::net::IpAddr;

pub use build::rules_fit;
pub(crate) use build::{Askers, BuiltRules, build};
pub use key::{Base, Masked, NO_VLAN, RuleKey};
pub(crate) use view::RulesRefusal;
pub use view::RulesView;

use crate::attributes::{AttributeFault, Attributes};
use crate::numbers::{RealNumber, RuleNumber, ServiceNumber};

/// One rule: what it asks for, all of which a packet has to have, and what becomes of the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSpec {
    /// The least of those that match decides. No two rules have the same.
    pub rank: u32,
    /// What its packets are counted under, and its limit is kept under. No two rules have the same.
    pub number: RuleNumber,
    /// Where it comes from: any of these prefixes; none is anywhere.
    pub sources: Vec<Prefix>,
    /// Where it goes to: any of these prefixes; none is anywhere.
    pub destinations: Vec<Prefix>,
    /// Its transport protocol. Ports without one are TCP's and UDP's, an SPI without one is ESP's and AH's.
    pub protocol: Option<u8>,
    /// First and last of its source ports.
    pub source_ports: Option<(u16, u16)>,
    /// First and last of its destination ports.
    pub ports: Option<(u16, u16)>,
    /// First and last SPI of ESP or AH.
    pub spi: Option<(u32, u32)>,
    /// First and last DSCP, of 6 bits.
    pub dscp: Option<(u8, u8)>,
    /// First and last VLAN of its outermost tag; [`NO_VLAN`] is that of a packet without one.
    pub vlan: Option<(u16, u16)>,
    /// Masked values that it has to have.
    pub masked: Vec<Masked>,
    /// What becomes of it.
    pub action: RuleAction,
    /// What a packet that goes to a real gets beside that; nothing of one that is dropped. Each takes the place of its
    /// service's own.
    pub attributes: Attributes,
}

/// An address and how many of its leading bits count; the others are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// The address.
    pub address: IpAddr,
    /// 32 or 128 for one address.
    pub len: u8,
}

/// What becomes of a packet that a rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleAction {
    /// It is dropped, be its flow established or not.
    Drop,
    /// It goes the way that it goes without the rule.
    Usual,
    /// A new flow is this service's, whatever its address and port say.
    Service(ServiceNumber),
    /// A new flow is this service's, and this real's while that takes new flows.
    Real(ServiceNumber, RealNumber),
}

/// The rule that decides about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Its rank.
    pub rank: u32,
    /// Its number.
    pub number: RuleNumber,
    /// What becomes of the packet.
    pub action: RuleAction,
    /// What the packet gets beside a real.
    pub effect: Effect,
}

/// The places of a mark and a limit that a rule gives, among those of its table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// One above the place; 0 is none.
    pub(crate) mark: u16,
    /// The same.
    pub(crate) limit: u16,
    /// One above the number of the rule whose it is; 0 is a service's, or nobody's.
    pub(crate) rule: u32,
}

impl Effect {
    /// Neither.
    pub const NONE: Self = Self { mark: 0, limit: 0, rule: 0 };

    /// The rule whose it is.
    #[must_use]
    pub fn rule(self) -> Option<RuleNumber> {
        RuleNumber::new(self.rule.checked_sub(1)?).ok()
    }

    /// Whether there is a mark or a limit.
    #[inline]
    #[must_use]
    pub const fn is_any(self) -> bool {
        self.mark | self.limit != 0
    }
}

/// What is wrong with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleFault {
    /// Another rule has its rank.
    Rank,
    /// Another rule has its number.
    Number,
    /// What it gives packets beside a real.
    Attributes(AttributeFault),
    /// It drops packets, and gives them a mark or a limit.
    Gift,
    /// A prefix is longer than an address, or has bits below it.
    Prefix,
    /// It has prefixes of both families, and no source and destination of the same one.
    Families,
    /// An interval ends before it begins, or its end is out of range.
    Interval,
    /// It asks for ports of a protocol that has none.
    Ports,
    /// It asks for an SPI beside ports, or of a protocol that has none.
    Spi,
    /// A masked value has no mask, bits outside it, or lies too far behind.
    Masked,
    /// With it there are more than [`crate::RULE_PATTERNS_MAX`] patterns.
    Patterns,
    /// With it there are more than [`crate::RULE_WORDS_MAX`] places and masks.
    Words,
    /// Its service is not in the list.
    Service,
    /// Its real is not in the list.
    Real,
    /// It is the first that fits into none of [`crate::RULE_LISTS_MAX`] lists: too many rules overlap one another.
    Lists,
}
