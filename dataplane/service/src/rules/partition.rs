//! Lists that can be searched by halves.
//!
//! The idea is PartitionSort's (Yingchareonthawornchai et al., ICNP 2016): patterns whose intervals, at the first field
//! where they differ, are apart, have one order in which a packet is before, behind or in each of them. So a lookup is
//! one search by halves in each list, memory is one row a pattern, and what is not in order shows at a glance. Nothing
//! is copied, whatever overlaps.
//!
//! The largest set of such patterns goes into the first list, the largest of those left into the second, and so on.
//! The largest set for an order of fields is found field by field: of the patterns that have the same interval as many
//! as can be, by the fields behind; then of the intervals those apart that weigh most. Several orders of fields are
//! tried. All ties are broken by values and ranks, so the same rules make the same lists whatever their order.

use wire::Family;

use super::key::{FIELDS_MAX, FIXED, field};
use super::pattern::{Interval, Pattern};
use crate::limits::RULE_LISTS_MAX;

/// Patterns that are in order by those fields, one after the other.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) family: Family,
    /// The fields that any of its patterns asks for, in the order in which they are compared.
    pub(crate) fields: Vec<usize>,
    /// Its patterns, in their order.
    pub(crate) patterns: Vec<Pattern>,
}

impl List {
    /// The least place of a rule in it.
    pub(crate) fn best(&self) -> u32 {
        self.patterns.iter().map(|pattern| pattern.rule).min().unwrap_or(u32::MAX)
    }
}

/// Fields that are taken together.
#[derive(Clone, Copy)]
enum Group {
    Source,
    Destination,
    Protocol,
    SourcePort,
    /// The destination port, and the SPI: no packet has both.
    Port,
    /// What only packet rules ask for.
    Packet,
}

use Group::{Destination, Packet, Port, Protocol, Source, SourcePort};

/// The orders that are tried.
const ORDERS: [[Group; 6]; 8] = [
    [Destination, Port, Protocol, Source, SourcePort, Packet],
    [Source, Destination, Port, Protocol, SourcePort, Packet],
    [Port, Destination, Source, Protocol, SourcePort, Packet],
    [Source, Port, Destination, Protocol, SourcePort, Packet],
    [Destination, Source, Port, Protocol, SourcePort, Packet],
    [SourcePort, Port, Destination, Source, Protocol, Packet],
    [Packet, Destination, Port, Protocol, Source, SourcePort],
    [Protocol, Port, Source, Destination, SourcePort, Packet],
];

impl Group {
    fn fields(self) -> std::ops::Range<usize> {
        match self {
            Self::Source => field::SOURCE..field::SOURCE + 2,
            Self::Destination => field::DESTINATION..field::DESTINATION + 2,
            Self::Protocol => field::PROTOCOL..field::PROTOCOL + 1,
            Self::SourcePort => field::SOURCE_PORT..field::SOURCE_PORT + 1,
            Self::Port => field::PORT..field::SPI + 1,
            Self::Packet => field::DSCP..FIELDS_MAX,
        }
    }
}

const _: () = assert!(field::SPI == field::PORT + 1);
const _: () = assert!(field::VLAN == field::DSCP + 1 && field::VLAN + 1 == FIXED);

/// Lists of all patterns of a family, by the least place of a rule in them.
///
/// # Errors
/// The place of the first rule that fits into none of [`RULE_LISTS_MAX`] lists.
pub(crate) fn lists(patterns: &[Pattern], family: Family) -> Result<Vec<List>, u32> {
    let mut left: Vec<&Pattern> = patterns.iter().filter(|pattern| pattern.family == family).collect();
    // Of those that are the same only the first is ever reached.
    left.sort_by_key(|pattern| (pattern.fields, pattern.rule));
    left.dedup_by(|later, first| later.fields == first.fields);
    left.sort_by_key(|pattern| (pattern.rule, pattern.fields));
    let mut lists = Vec::new();
    while let Some(first) = left.first() {
        if lists.len() >= RULE_LISTS_MAX {
            return Err(first.rule);
        }
        let used = used(&left);
        let places: Vec<usize> = (0..left.len()).collect();
        let mut largest: (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for order in ORDERS {
            let fields: Vec<usize> =
                order.into_iter().flat_map(Group::fields).filter(|field| used.contains(field)).collect();
            let chosen = apart(&left, &places, &fields);
            if chosen.len() > largest.0.len() {
                largest = (chosen, fields);
            }
        }
        let (chosen, fields) = largest;
        let mut is_chosen = vec![false; left.len()];
        let mut taken = Vec::with_capacity(chosen.len());
        for place in chosen {
            if let (Some(pattern), Some(mark)) = (left.get(place), is_chosen.get_mut(place)) {
                taken.push(**pattern);
                *mark = true;
            }
        }
        let asked: Vec<&Pattern> = taken.iter().collect();
        let asked = self::used(&asked);
        let fields = fields.into_iter().filter(|field| asked.contains(field)).collect();
        lists.push(List { family, fields, patterns: taken });
        let mut marks = is_chosen.into_iter();
        left.retain(|_| marks.next() == Some(false));
    }
    // The patterns of a list are apart, so no two have the same order; lists may have the same best rule.
    lists.sort_by_key(List::best);
    Ok(lists)
}

/// The fields that any of them asks for.
fn used(patterns: &[&Pattern]) -> Vec<usize> {
    let asks = |at: usize| {
        patterns.iter().any(|pattern| pattern.fields.get(at).is_some_and(|field| *field != Interval::ALL))
    };
    (0..FIELDS_MAX).filter(|at| asks(*at)).collect()
}

/// Of the patterns in those places as many as are in order by those fields, in their order.
fn apart(patterns: &[&Pattern], places: &[usize], fields: &[usize]) -> Vec<usize> {
    let Some((at, behind)) = fields.split_first().filter(|_| places.len() > 1) else {
        // They come by rank, so the first is the one that is reached.
        return places.first().map(|place| vec![*place]).unwrap_or_default();
    };
    let interval = |place: usize| {
        patterns.get(place).and_then(|pattern| pattern.fields.get(*at)).copied().unwrap_or(Interval::ALL)
    };
    let mut sorted: Vec<(Interval, usize)> = places.iter().map(|place| (interval(*place), *place)).collect();
    sorted.sort_by_key(|(interval, place)| (interval.last, interval.first, *place));
    let groups: Vec<(Interval, Vec<usize>)> = sorted
        .chunk_by(|(a, _), (b, _)| a == b)
        .map(|group| {
            let inside: Vec<usize> = group.iter().map(|(_, place)| *place).collect();
            let interval = group.first().map_or(Interval::ALL, |(interval, _)| *interval);
            (interval, apart(patterns, &inside, behind))
        })
        .collect();
    heaviest(&groups)
}

/// Of intervals that come by their ends, those apart that weigh most together: one pass, in which the best that ends
/// before an interval begins is found by halves.
fn heaviest(groups: &[(Interval, Vec<usize>)]) -> Vec<usize> {
    // For the first so many groups: the most that they weigh, and whether the last of them is among those.
    let mut best: Vec<(usize, bool)> = vec![(0, false)];
    for (at, (interval, inside)) in groups.iter().enumerate() {
        let before = ends_before(groups, interval.first, at);
        let with = best.get(before).map_or(0, |(weight, _)| *weight) + inside.len();
        let without = best.get(at).map_or(0, |(weight, _)| *weight);
        best.push((with.max(without), with > without));
    }
    let mut taken = Vec::new();
    let mut at = groups.len();
    while let Some((place, (interval, _))) = at.checked_sub(1).and_then(|at| Some((at, groups.get(at)?))) {
        if best.get(at).is_some_and(|(_, is_taken)| *is_taken) {
            taken.push(place);
            at = ends_before(groups, interval.first, place);
        } else {
            at = place;
        }
    }
    taken.reverse();
    taken
        .into_iter()
        .filter_map(|place| groups.get(place))
        .flat_map(|(_, inside)| inside.iter().copied())
        .collect()
}

/// How many of the first `among` end before a value.
fn ends_before(groups: &[(Interval, Vec<usize>)], value: u64, among: usize) -> usize {
    groups.get(..among).unwrap_or_default().partition_point(|(interval, _)| interval.last < value)
}
