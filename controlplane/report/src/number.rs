//! Numbers as people read them: grouped digits, a unit behind a space, three or four digits that matter.

/// What stands between groups of three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// A narrow space that does not break, for the page.
    Thin,
    /// A comma, for the terminal.
    Comma,
}

/// `12 345 678`.
pub(crate) fn count(value: u64, group: Group) -> String {
    let digits = value.to_string();
    let separator = match group {
        Group::Thin => '\u{202f}',
        Group::Comma => ',',
    };
    let mut out = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// At least three digits that matter: `1.23`, `12.3`, `123`.
pub(crate) fn digits3(value: f64) -> String {
    match value.abs() {
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A part of a whole: `98.21 %`. What is not all is never shown as 100 %, what is something never as 0.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".into();
    }
    let share = part as f64 / whole as f64 * 100.0;
    if part > 0 && share < 0.005 {
        return "<0.01 %".into();
    }
    if part < whole && share >= 99.995 {
        return ">99.99 %".into();
    }
    format!("{share:.2} %")
}

/// A time per packet: `14.2 ns`, `1.23 µs`, `5.00 ms`.
pub(crate) fn nanos(value: f64) -> String {
    scaled(value, &[(1e9, "s"), (1e6, "ms"), (1e3, "µs")], "ns")
}

/// A duration: `1.50 s`, `320 ms`, `2 min 5 s`.
pub(crate) fn seconds(value: f64) -> String {
    if value >= 119.5 {
        let whole = value.round();
        return format!("{:.0} min {:.0} s", (whole / 60.0).floor(), whole % 60.0);
    }
    if value == 0.0 {
        return "0 s".into();
    }
    nanos(value * 1e9)
}

/// An amount of bytes, in powers of ten: `64.0 MB`.
pub(crate) fn bytes(value: u64) -> String {
    if value < 1_000 {
        return format!("{value} B");
    }
    scaled(value as f64, &[(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")], "B")
}

/// A number of any size, for an axis: `14.2 M`, `120 k`, `7`; no digits that say nothing.
pub(crate) fn si(value: f64) -> String {
    let units = [(1e9, " G"), (1e6, " M"), (1e3, " k")];
    let (size, unit) = units.into_iter().find(|(size, _)| value >= size * 0.9995).unwrap_or((1.0, ""));
    let digits = if value < 1.0 { format!("{value:.4}") } else { digits3(value / size) };
    let digits = match digits.split_once('.') {
        Some(_) => digits.trim_end_matches('0').trim_end_matches('.'),
        None => &digits,
    };
    format!("{digits}{unit}")
}

/// The value in the first unit that it reaches, after rounding.
fn scaled(value: f64, units: &[(f64, &str)], rest: &str) -> String {
    match units.iter().find(|(size, _)| value >= size * 0.9995) {
        Some((size, unit)) => format!("{} {unit}", digits3(value / size)),
        None => format!("{} {rest}", digits3(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Group, bytes, count, nanos, percent, seconds, si};

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!(count(0, Group::Comma), "0");
        assert_eq!(count(999, Group::Comma), "999");
        assert_eq!(count(12_345_678, Group::Comma), "12,345,678");
        assert_eq!(count(1_000, Group::Thin), "1\u{202f}000");
    }

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        assert_eq!(percent(0, 10), "0.00 %");
        assert_eq!(percent(1, 1_000_000), "<0.01 %");
        assert_eq!(percent(999_999, 1_000_000), ">99.99 %");
        assert_eq!(percent(10, 10), "100.00 %");
        assert_eq!(percent(1, 3), "33.33 %");
        assert_eq!(percent(0, 0), "–");
    }

    #[test]
    fn units_change_where_the_digits_would_run_over() {
        assert_eq!(nanos(14.21), "14.2 ns");
        assert_eq!(nanos(999.4), "999 ns");
        assert_eq!(nanos(999.6), "1.00 µs");
        assert_eq!(nanos(2.5e6), "2.50 ms");
        assert_eq!(seconds(0.32), "320 ms");
        assert_eq!(seconds(125.0), "2 min 5 s");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(64_000_000), "64.0 MB");
        assert_eq!(bytes(1_500), "1.50 kB");
    }

    #[test]
    fn an_axis_has_no_digits_that_say_nothing() {
        assert_eq!(si(0.0), "0");
        assert_eq!(si(100.0), "100");
        assert_eq!(si(2_500.0), "2.5 k");
        assert_eq!(si(10e6), "10 M");
        assert_eq!(si(0.5), "0.5");
        assert_eq!(si(0.005), "0.005");
    }
}
