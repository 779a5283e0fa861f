//! Numbers as they fit into a column: three digits that matter, a unit, never more than seven characters.

/// A rate: `0`, `0.4`, `7.5`, `123`, `1.24 k`, `890 M`. What is something is never shown as nothing.
pub(crate) fn rate(value: f64) -> String {
    if !value.is_finite() || value <= 0.0 {
        return "0".into();
    }
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    match units.iter().find(|(size, _)| value >= size * 0.9995) {
        Some((size, unit)) => format!("{} {unit}", digits3(value / size)),
        None if value < 0.1 => "<0.1".into(),
        None if value < 9.95 => format!("{value:.1}"),
        None => format!("{value:.0}"),
    }
}

fn digits3(value: f64) -> String {
    match value {
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A count with grouped digits while they fit (`8,437`), then as [`rate`] has it.
pub(crate) fn count(value: u64) -> String {
    if value >= 1_000_000 {
        return rate(value as f64);
    }
    match value / 1000 {
        0 => value.to_string(),
        thousands => format!("{thousands},{:03}", value % 1000),
    }
}

/// A share of a whole, 0 to 1: `0 %`, `<0.1 %`, `28.6 %`, `100 %`; only all is shown as all.
pub(crate) fn share(value: f64) -> String {
    match value {
        v if !v.is_finite() || v <= 0.0 => "0 %".into(),
        v if v < 0.001 => "<0.1 %".into(),
        v if v < 0.0995 => format!("{:.1} %", v * 100.0),
        v if v < 0.995 => format!("{:.0} %", v * 100.0),
        v if v < 1.0 => ">99 %".into(),
        _ => "100 %".into(),
    }
}

/// A time in two units at most: `850 ms`, `12 s`, `3 min 5 s`, `2 h 3 min`, `3 d 4 h`.
pub(crate) fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    let two = |large: u64, name: &str, small: u64, unit: &str| match small {
        0 => format!("{large} {name}"),
        _ => format!("{large} {name} {small} {unit}"),
    };
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{count, duration, rate, share};

    #[test]
    fn rates_have_three_digits_and_a_unit() {
        let shown = [0.0, 0.04, 0.5, 9.96, 123.4, 999.6, 12_345.0, 999_950.0, 8.9e8].map(rate);
        assert_eq!(shown, ["0", "<0.1", "0.5", "10", "123", "1.00 k", "12.3 k", "1.00 M", "890 M"]);
        assert_eq!(rate(f64::NAN), "0");
    }

    #[test]
    fn counts_are_grouped_until_they_are_long() {
        assert_eq!(
            [0, 999, 8_437, 999_999, 1_220_000].map(count),
            ["0", "999", "8,437", "999,999", "1.22 M"]
        );
    }

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        let shown = [0.0, 0.0002, 0.0121, 0.286, 0.999, 1.0].map(share);
        assert_eq!(shown, ["0 %", "<0.1 %", "1.2 %", "29 %", ">99 %", "100 %"]);
    }

    #[test]
    fn times_have_two_units_at_most() {
        let shown = [850, 12_400, 185_000, 7_380_000, 273_600_000].map(duration);
        assert_eq!(shown, ["850 ms", "12 s", "3 min 5 s", "2 h 3 min", "3 d 4 h"]);
    }

    proptest! {
        #[test]
        fn no_number_is_wider_than_its_column(value: u64, real in 0.0..9.99e14_f64) {
            prop_assert!(rate(real).len() <= 6, "{}", rate(real));
            prop_assert!(count(value).len() <= 10, "{}", count(value));
            prop_assert!(share(real).len() <= 6);
        }
    }
}
