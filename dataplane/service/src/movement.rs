//! How much of each service a new table would move.

use std::collections::BTreeMap;

use crate::numbers::ServiceNumber;
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
}

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
    let mut shares: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    let mut numbers: Vec<ServiceNumber> = before.keys().chain(after.keys()).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    let moved = numbers.into_iter().map(|service| {
        let share = match (before.get(&service), after.get(&service)) {
            (Some(a), Some(b)) => *shares.entry((*a, *b)).or_insert_with(|| pools(&old, *a, &new, *b)),
            _ => 1.0,
        };
        Movement { service, share }
    });
    moved.collect()
}

fn pools(old: &TableView<'_>, a: usize, new: &TableView<'_>, b: usize) -> f64 {
    if old.select_seed() == new.select_seed() && old.pool_digest(a) == new.pool_digest(b) {
        return 0.0;
    }
    match (old.pool(a), new.pool(b)) {
        (Some(a), Some(b)) if old.select_seed() == new.select_seed() => slots(&a, &b),
        _ => 1.0,
    }
}

/// The share of the hash range where two tables, of any sizes, differ: each boundary between slots of one
/// or the other starts a new stretch.
fn slots(a: &PoolView<'_>, b: &PoolView<'_>) -> f64 {
    let (m, n) = (a.slots.len(), b.slots.len());
    if m == n {
        let differ = |slot: &usize| a.holder(*slot) != b.holder(*slot);
        return ratio((0..m).filter(differ).count() as u64, m as u64);
    }
    let (mut i, mut j, mut at, mut moved) = (0, 0, 0, 0_u64);
    while i < m && j < n {
        // Slot i ends at (i + 1) / m; scaled by m * n both ends are whole numbers.
        let (end_a, end_b) = ((i + 1) * n, (j + 1) * m);
        let end = end_a.min(end_b);
        if a.holder(i) != b.holder(j) {
            moved += (end - at) as u64;
        }
        at = end;
        i += usize::from(end == end_a);
        j += usize::from(end == end_b);
    }
    ratio(moved, (m * n) as u64)
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
