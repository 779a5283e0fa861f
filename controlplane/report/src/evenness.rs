//! How evenly something was shared, relative to the weights.

use serde::{Deserialize, Serialize};

/// How closely shares follow weights, in three numbers.
///
/// With counts `c`, weights `w` and both summed over the reals of one service, the *relative load* of a
/// real is `x = (c / Σc) / (w / Σw)`: 1 is exactly its due. Then
///
/// * `variation` is `√(Σ (w / Σw) · (x − 1)²)`: the coefficient of variation of the relative load, each
///   real counting by its weight. 0 is perfect; with equal weights it is the usual coefficient.
/// * `max_over_mean` is the largest `x` of a real with a weight; 1 is perfect.
/// * `by_chance` is `√((k − 1) / Σc)` for `k` reals with a weight: the `variation` to be expected if every
///   counted thing had picked its real at random by weight. It is a fair yardstick for flows, which pick
///   independently. It is none for packets, of which a few large flows may have most.
///
/// A real of weight 0 takes no new flows: what it still got counts in `Σc` but has no relative load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evenness {
    /// The coefficient of variation of the relative load; 0 is perfect.
    pub variation: f64,
    /// The largest relative load; 1 is perfect.
    pub max_over_mean: f64,
    /// The variation that chance alone would give.
    pub by_chance: f64,
}

impl Evenness {
    /// Of pairs of weight and count. None where nothing was counted or no real has a weight.
    #[must_use]
    pub fn of(shares: impl Iterator<Item = (u32, u64)> + Clone) -> Option<Self> {
        let weights: u64 = shares.clone().map(|(weight, _)| u64::from(weight)).sum();
        let counts: u64 = shares.clone().map(|(_, count)| count).sum();
        if weights == 0 || counts == 0 {
            return None;
        }
        let (mut square, mut max, mut reals) = (0.0, 0.0_f64, 0_u32);
        for (weight, count) in shares.filter(|&(weight, _)| weight > 0) {
            let due = f64::from(weight) / weights as f64;
            let load = count as f64 / counts as f64 / due;
            square += due * (load - 1.0) * (load - 1.0);
            max = max.max(load);
            reals += 1;
        }
        let by_chance = (f64::from(reals.saturating_sub(1)) / counts as f64).sqrt();
        Some(Self { variation: square.sqrt(), max_over_mean: max, by_chance })
    }
}

#[cfg(test)]
mod tests {
    use super::Evenness;

    fn of(shares: &[(u32, u64)]) -> Option<Evenness> {
        Evenness::of(shares.iter().copied())
    }

    #[test]
    fn shares_that_follow_the_weights_are_even() {
        let even = of(&[(1, 100), (2, 200), (5, 500)]).unwrap();
        assert!(even.variation < 1e-12 && (even.max_over_mean - 1.0).abs() < 1e-12);
        assert!((even.by_chance - 0.05).abs() < 1e-12, "√(2 / 800)");
    }

    #[test]
    fn with_equal_weights_it_is_the_coefficient_of_variation() {
        // Mean 20, standard deviation 10.
        let even = of(&[(7, 10), (7, 30)]).unwrap();
        assert!((even.variation - 0.5).abs() < 1e-12 && (even.max_over_mean - 1.5).abs() < 1e-12);
    }

    #[test]
    fn a_real_without_weight_has_no_due_but_takes_from_the_others() {
        let even = of(&[(1, 90), (0, 10)]).unwrap();
        assert!((even.max_over_mean - 0.9).abs() < 1e-12);
    }

    #[test]
    fn nothing_counted_or_no_weight_has_no_evenness() {
        assert_eq!(of(&[(1, 0), (1, 0)]), None);
        assert_eq!(of(&[(0, 5)]), None);
        assert_eq!(of(&[]), None);
    }
}
