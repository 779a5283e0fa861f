//! From a rule to patterns: an interval in every field.

use std::collections::BTreeMap;

use wire::{Family, packed, protocol};

use super::key::{Base, FIELDS_MAX, FIXED, Masked, NO_VLAN, field, words};
use super::{Prefix, RuleFault, RuleSpec};
use crate::limits::{RULE_OFFSET_MAX, RULE_PATTERNS_MAX, RULE_WORDS_MAX};

/// First and last value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Interval {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Interval {
    /// Any value, and also none.
    pub(crate) const ALL: Self = Self { first: 0, last: u64::MAX };

    const fn one(value: u64) -> Self {
        Self { first: value, last: value }
    }
}

/// An interval in every field, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) family: Family,
    pub(crate) fields: [Interval; FIELDS_MAX],
    /// Place of its rule among those of the table, by rank.
    pub(crate) rule: u32,
}

/// The words that rules ask for, by what they are, and the place of each behind the fixed fields.
pub(crate) type Words = BTreeMap<(Base, u16, u32), usize>;

/// The words of all rules, which come by rank.
///
/// # Errors
/// The rank of the first rule with which there are too many, or whose words are none.
pub(crate) fn words_of(rules: &[RuleSpec]) -> Result<Words, (u32, RuleFault)> {
    let mut words = Words::new();
    for rule in rules {
        for masked in &rule.masked {
            if !is_sound(masked) {
                return Err((rule.rank, RuleFault::Masked));
            }
            words.insert((masked.base, masked.offset, masked.mask), 0);
        }
        if words.len() > RULE_WORDS_MAX {
            return Err((rule.rank, RuleFault::Words));
        }
    }
    words.values_mut().zip(FIXED..).for_each(|(place, at)| *place = at);
    Ok(words)
}

const fn is_sound(masked: &Masked) -> bool {
    let in_reach = match masked.base {
        Base::TcpFlags => masked.offset == 0 && masked.mask <= 0xff,
        Base::Network | Base::Transport => masked.offset <= RULE_OFFSET_MAX,
    };
    in_reach && masked.mask != 0 && masked.value & !masked.mask == 0
}

/// The patterns of all rules, which come by rank.
///
/// # Errors
/// The rank of the first rule that is wrong, and why.
pub(crate) fn patterns(rules: &[RuleSpec], words: &Words) -> Result<Vec<Pattern>, (u32, RuleFault)> {
    let mut patterns = Vec::new();
    for (rule, place) in rules.iter().zip(0_u32..) {
        let fault = |fault| (rule.rank, fault);
        let before = patterns.len();
        for pattern in common(rule, words, place).map_err(fault)? {
            spread(rule, pattern, &mut patterns).map_err(fault)?;
        }
        if patterns.len() == before {
            return Err(fault(RuleFault::Families));
        }
    }
    Ok(patterns)
}

/// What a rule asks for beside addresses, once for each protocol.
fn common(rule: &RuleSpec, words: &Words, place: u32) -> Result<Vec<Pattern>, RuleFault> {
    let mut pattern = Pattern { family: Family::V4, fields: [Interval::ALL; FIELDS_MAX], rule: place };
    let mut set = |field: usize, interval: Interval| {
        let known = pattern.fields.get_mut(field).filter(|_| interval.first <= interval.last);
        known.map(|known| *known = interval).ok_or(RuleFault::Interval)
    };
    for (field, ports) in [(field::SOURCE_PORT, rule.source_ports), (field::PORT, rule.ports)] {
        if let Some((first, last)) = ports {
            set(field, Interval { first: first.into(), last: last.into() })?;
        }
    }
    if let Some((first, last)) = rule.spi {
        set(field::SPI, Interval { first: first.into(), last: last.into() })?;
    }
    if let Some((first, last)) = rule.dscp {
        set(field::DSCP, Interval { first: first.into(), last: last.into() })?;
        if last > 63 {
            return Err(RuleFault::Interval);
        }
    }
    if let Some((first, last)) = rule.vlan {
        set(field::VLAN, Interval { first: first.into(), last: last.into() })?;
        if last > NO_VLAN {
            return Err(RuleFault::Interval);
        }
    }
    for masked in &rule.masked {
        let word = words.get(&(masked.base, masked.offset, masked.mask)).ok_or(RuleFault::Masked)?;
        set(*word, Interval::one(masked.value.into()))?;
    }
    let has_ports = rule.source_ports.is_some() || rule.ports.is_some();
    let protocols: &[u8] = match &rule.protocol {
        _ if rule.spi.is_some() && has_ports => return Err(RuleFault::Spi),
        Some(protocol::ESP | protocol::AH) if rule.spi.is_some() => rule.protocol.as_slice(),
        Some(_) if rule.spi.is_some() => return Err(RuleFault::Spi),
        None if rule.spi.is_some() => &[protocol::ESP, protocol::AH],
        Some(protocol::TCP | protocol::UDP) => rule.protocol.as_slice(),
        Some(_) if has_ports => return Err(RuleFault::Ports),
        None if has_ports => &[protocol::TCP, protocol::UDP],
        protocol => protocol.as_slice(),
    };
    if protocols.is_empty() {
        return Ok(vec![pattern]);
    }
    let mut patterns = vec![pattern; protocols.len()];
    for (pattern, protocol) in patterns.iter_mut().zip(protocols) {
        if let Some(known) = pattern.fields.get_mut(field::PROTOCOL) {
            *known = Interval::one(u64::from(*protocol));
        }
    }
    Ok(patterns)
}

/// The same for each pair of source and destination that are of one family.
fn spread(rule: &RuleSpec, pattern: Pattern, patterns: &mut Vec<Pattern>) -> Result<(), RuleFault> {
    let sources = prefixes(&rule.sources)?;
    let destinations = prefixes(&rule.destinations)?;
    for source in &sources {
        for destination in destinations.iter().filter(|destination| destination.family == source.family) {
            if patterns.len() >= RULE_PATTERNS_MAX {
                return Err(RuleFault::Patterns);
            }
            let mut fields = pattern.fields;
            for (at, words) in [(field::SOURCE, source.words), (field::DESTINATION, destination.words)] {
                fields.iter_mut().skip(at).zip(words).for_each(|(field, interval)| *field = interval);
            }
            patterns.push(Pattern { family: source.family, fields, ..pattern });
        }
    }
    Ok(())
}

/// A prefix as intervals of both words of an address.
#[derive(Clone, Copy)]
struct Net {
    family: Family,
    words: [Interval; 2],
}

impl Net {
    /// Whether all of the other's addresses are in it.
    fn holds(&self, other: &Self) -> bool {
        let within = |(one, two): (&Interval, &Interval)| one.first <= two.first && two.last <= one.last;
        self.family == other.family && self.words.iter().zip(&other.words).all(within)
    }
}

/// Those of a list; of none, all addresses of either family.
fn prefixes(list: &[Prefix]) -> Result<Vec<Net>, RuleFault> {
    if list.is_empty() {
        let all = |family| Net { family, words: [Interval::ALL; 2] };
        return Ok(vec![all(Family::V4), all(Family::V6)]);
    }
    let all: Vec<Net> = list.iter().map(net).collect::<Result<_, _>>()?;
    // What is inside of another says nothing new, and would take a list of its own.
    let is_first = |place: usize, one: &Net| {
        let around =
            |(at, other): (usize, &Net)| at != place && other.holds(one) && (at < place || !one.holds(other));
        !all.iter().enumerate().any(around)
    };
    Ok(all.iter().enumerate().filter(|(place, one)| is_first(*place, one)).map(|(_, one)| *one).collect())
}

fn net(prefix: &Prefix) -> Result<Net, RuleFault> {
    let (bytes, family) = packed(prefix.address);
    let bits = if family == Family::V4 { 32 } else { 128 };
    if prefix.len > bits {
        return Err(RuleFault::Prefix);
    }
    // Of IPv4 the 32 bits behind the address are zero in every key, so they need not be asked for.
    let host = u128::MAX.checked_shr(u32::from(prefix.len)).unwrap_or(0);
    let [high, low] = words(&bytes);
    #[allow(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
    let (host_high, host_low) = ((host >> 64) as u64, host as u64);
    if high & host_high != 0 || low & host_low != 0 {
        return Err(RuleFault::Prefix);
    }
    let interval = |first: u64, host: u64| Interval { first, last: first | host };
    Ok(Net { family, words: [interval(high, host_high), interval(low, host_low)] })
}
