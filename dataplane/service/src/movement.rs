//! How much of each service a new table would move.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::RealState;
use crate::layout::PoolMember;
use crate::numbers::{RealNumber, ServiceNumber};
use crate::pool::PoolView;
use crate::table::{Table, TableView};

/// What happens to one service between two tables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Movement {
    /// Which service.
    pub service: ServiceNumber,
    /// The share of new flows, 0 to 1, that get another real than before. 1 for a service that is new or
    /// gone, and for all if the seed has changed: then a flow's old and new slot have nothing in common.
    pub share: f64,
    /// The part of it that a real gives up or gets whose weight, state, address or tunnel has changed. The rest moves
    /// between reals that are as they were, because the table is filled anew.
    pub own: f64,
}

/// What moves of a pool: all, and of it what is a changed real's own.
#[derive(Clone, Copy)]
struct Moved {
    all: f64,
    own: f64,
}

/// Nothing of one is in the other.
const ALL: Moved = Moved { all: 1.0, own: 0.0 };

/// Per service of either table, by number, the share of hashes whose real changes. Reals are compared by
/// number, so a real with a new address but its old number has not moved.
#[must_use]
pub fn movement<A: AsRef<[u8]>, B: AsRef<[u8]>>(old: &Table<A>, new: &Table<B>) -> Vec<Movement> {
    let (old, new) = (old.view(), new.view());
    let places = |view: &TableView<'_>| -> BTreeMap<ServiceNumber, usize> {
        view.services().map(|(_, service)| (service.number(), service.pool())).collect()
    };
    let (before, after) = (places(&old), places(&new));
    // Services share pools: each pair of pools is compared once.
    let mut shares: BTreeMap<(usize, usize), Moved> = BTreeMap::new();
    let mut numbers: Vec<ServiceNumber> = before.keys().chain(after.keys()).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    let moved = numbers.into_iter().map(|service| {
        let Moved { all, own } = match (before.get(&service), after.get(&service)) {
            (Some(a), Some(b)) => *shares.entry((*a, *b)).or_insert_with(|| pools(&old, *a, &new, *b)),
            _ => ALL,
        };
        Movement { service, share: all, own }
    });
    moved.collect()
}

fn pools(old: &TableView<'_>, a: usize, new: &TableView<'_>, b: usize) -> Moved {
    if old.select_seed() == new.select_seed() && old.pool_digest(a) == new.pool_digest(b) {
        return Moved { all: 0.0, own: 0.0 };
    }
    match (old.pool(a), new.pool(b)) {
        (Some(a), Some(b)) if old.select_seed() == new.select_seed() => slots(&a, &b),
        _ => ALL,
    }
}

/// The share of the hash range where two tables, of any sizes, differ: each boundary between slots of one
/// or the other starts a new stretch.
fn slots(a: &PoolView<'_>, b: &PoolView<'_>) -> Moved {
    let changed = changed(a, b);
    let is_own = |real: Option<RealNumber>| real.is_some_and(|real| changed.contains(&real));
    let (m, n) = (a.slots.len(), b.slots.len());
    // Of tables of one size slot i is slot i; else it ends at (i + 1) / m, and scaled by m * n all ends are whole.
    let (m_scale, n_scale, whole) = if m == n { (1, 1, m) } else { (m, n, m * n) };
    let (mut i, mut j, mut at, mut all, mut own) = (0, 0, 0, 0_u64, 0_u64);
    while i < m && j < n {
        let (end_a, end_b) = ((i + 1) * n_scale, (j + 1) * m_scale);
        let end = end_a.min(end_b);
        let (was, is) = (a.holder(i), b.holder(j));
        if was != is {
            let width = (end - at) as u64;
            all += width;
            own += if is_own(was) || is_own(is) { width } else { 0 };
        }
        at = end;
        i += usize::from(end == end_a);
        j += usize::from(end == end_b);
    }
    let share = |part: u64| part as f64 / whole as f64;
    Moved { all: share(all), own: share(own) }
}

/// The reals that do not take new flows as before: with another weight, in another state, by another address or tunnel, or
/// in one of the pools alone.
fn changed(a: &PoolView<'_>, b: &PoolView<'_>) -> BTreeSet<RealNumber> {
    let (before, after) = (taking(a), taking(b));
    let numbers = before.keys().chain(after.keys());
    numbers.filter(|number| before.get(number) != after.get(number)).copied().collect()
}

/// What the table is filled by, of each real that takes new flows.
fn taking(pool: &PoolView<'_>) -> BTreeMap<RealNumber, PoolMember> {
    let takes = |(number, member): (&u32, &PoolMember)| {
        let takes = RealState::of_code(member.state).takes(pool.panics) && member.weight > 0;
        let number = RealNumber::new(*number).ok().filter(|_| takes)?;
        Some((number, member.taking()))
    };
    pool.numbers.iter().zip(pool.members).filter_map(takes).collect()
}
