//! From a blueprint's rules to their image.

use std::collections::BTreeSet;

use wire::Family;

use super::{Effect, RuleAction, RuleFault, RuleSpec, image, partition, pattern};
use crate::numbers::{RealNumber, ServiceNumber};

/// The image of a table's rules.
#[derive(Debug)]
pub(crate) struct BuiltRules {
    pub(crate) image: Vec<u8>,
    /// A rule asks for more than a flow's packets have in common.
    pub(crate) has_packets: bool,
}

/// Whether rules can be asked together, whatever becomes of packets; gives the ranks of those that are never reached,
/// because all that they match is what a rule of lesser rank asks for in the same words.
///
/// # Errors
/// The rank of a rule, and what is wrong with it.
pub fn rules_fit(rules: &[RuleSpec]) -> Result<Vec<u32>, (u32, RuleFault)> {
    let mut sorted = rules.to_vec();
    sorted.sort_by_key(|rule| rule.rank);
    let lists = Lists::new(&sorted)?;
    let patterns = lists.lists.iter().flat_map(|list| &list.patterns);
    let reached: BTreeSet<u32> = patterns.map(|pattern| pattern.rule).collect();
    let places = sorted.iter().zip(0_u32..).filter(|(_, place)| !reached.contains(place));
    Ok(places.map(|(rule, _)| rule.rank).collect())
}

/// Rules, which come by rank, parted.
struct Lists {
    words: pattern::Words,
    lists: Vec<partition::List>,
}

impl Lists {
    fn new(sorted: &[RuleSpec]) -> Result<Self, (u32, RuleFault)> {
        let words = pattern::words_of(sorted)?;
        let patterns = pattern::patterns(sorted, &words)?;
        let full =
            |place: u32| (sorted.get(place as usize).map_or(u32::MAX, |rule| rule.rank), RuleFault::Lists);
        let mut lists = partition::lists(&patterns, Family::V4).map_err(full)?;
        lists.extend(partition::lists(&patterns, Family::V6).map_err(full)?);
        Ok(Self { words, lists })
    }
}

/// What a table has that rules may name.
pub(crate) struct Askers<'b> {
    pub(crate) is_service: &'b dyn Fn(ServiceNumber) -> bool,
    pub(crate) is_real: &'b dyn Fn(RealNumber) -> bool,
    /// Where a rule's mark and limit stand.
    pub(crate) effect: &'b dyn Fn(&RuleSpec) -> Effect,
}

/// The image of such rules, in any order; `None` of none.
///
/// # Errors
/// The rank of a rule, and what is wrong with it.
pub(crate) fn build(
    rules: &[RuleSpec],
    Askers { is_service, is_real, effect }: &Askers<'_>,
) -> Result<Option<BuiltRules>, (u32, RuleFault)> {
    if rules.is_empty() {
        return Ok(None);
    }
    let mut sorted = rules.to_vec();
    sorted.sort_by_key(|rule| rule.rank);
    let (mut ranks, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for rule in &sorted {
        let fault = match rule.action {
            _ if !ranks.insert(rule.rank) => RuleFault::Rank,
            _ if !numbers.insert(rule.number) => RuleFault::Number,
            RuleAction::Drop if rule.attributes.ask() => RuleFault::Gift,
            RuleAction::Service(service) | RuleAction::Real(service, _) if !is_service(service) => {
                RuleFault::Service
            }
            RuleAction::Real(_, real) if !is_real(real) => RuleFault::Real,
            _ => continue,
        };
        return Err((rule.rank, fault));
    }
    let Lists { words, lists } = Lists::new(&sorted)?;
    let (image, has_packets) = image::image(&sorted, &words, &lists, effect);
    Ok(Some(BuiltRules { image, has_packets }))
}
