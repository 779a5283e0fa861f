//! The name that was probably meant.

use crate::limits::{NAME_BYTES_MAX, NEAREST_CANDIDATES_MAX};

/// The candidate nearest to `name` by edit distance, if it is near: about a third of the letters may
/// differ, and at least one may.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let far = name.chars().count().saturating_add(1).div_euclid(3).max(1);
    candidates
        .into_iter()
        .take(NEAREST_CANDIDATES_MAX)
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|&(distance, _)| distance <= far)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `Did you mean "web"? ` with the space after it, or nothing.
pub(crate) fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map(|near| format!("Did you mean \"{near}\"? ")).unwrap_or_default()
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours each count one.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = vec![i.saturating_add(1)];
        for (j, &to) in b.iter().enumerate() {
            let cell = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let left = cell(&row, j).saturating_add(1);
            let up = cell(&above, j.saturating_add(1)).saturating_add(1);
            let across = cell(&above, j).saturating_add(usize::from(from != to));
            let mut best = left.min(up).min(across);
            if let (Some(last_i), Some(last_j)) = (i.checked_sub(1), j.checked_sub(1))
                && a.get(last_i) == Some(&to)
                && b.get(last_j) == Some(&from)
            {
                best = best.min(cell(&before, last_j).saturating_add(1));
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distances_count_edits_and_swaps() {
        assert_eq!(distance("web", "web"), 0);
        assert_eq!(distance("wbe", "web"), 1);
        assert_eq!(distance("", "web"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        assert_eq!(nearest("wbe", ["mail", "web"]), Some("web"));
        assert_eq!(nearest("dns", ["mail", "web"]), None);
        assert_eq!(nearest("hop_limt", ["hop_limit", "mtu"]), Some("hop_limit"));
    }
}
