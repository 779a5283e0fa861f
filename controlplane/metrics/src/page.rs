//! The text form of metrics, as OpenMetrics 1.0.0 has it: families one after the other, each with its type and help,
//! and a last line that says that nothing is missing.

use std::fmt::Write;

/// What a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only goes up; its samples end in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Words that hang on an identity; its one sample is 1 and ends in `_info`.
    Info,
    /// One of several states is 1, the others 0.
    StateSet,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Info => "info",
            Self::StateSet => "stateset",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Counter => "_total",
            Self::Info => "_info",
            Self::Gauge | Self::StateSet => "",
        }
    }
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    /// A count, exact.
    Count(u64),
    /// A level.
    Level(f64),
}

/// The page as far as it is written.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// Begins a family. Its samples must follow before the next one begins.
    pub(crate) fn family<'p>(&'p mut self, name: &'p str, kind: Kind, help: &str) -> Family<'p> {
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, "# TYPE {name} {}\n# HELP {name} {}", kind.name(), escaped(help));
        Family { page: self, name, kind }
    }

    /// The whole.
    pub(crate) fn finish(mut self) -> String {
        self.0.push_str("# EOF\n");
        self.0
    }
}

/// A family that is being written.
#[derive(Debug)]
pub(crate) struct Family<'p> {
    page: &'p mut Page,
    name: &'p str,
    kind: Kind,
}

impl Family<'_> {
    /// One sample.
    pub(crate) fn sample(&mut self, labels: &[(&str, &str)], value: Value) {
        let out = &mut self.page.0;
        let _ = write!(out, "{}{}", self.name, self.kind.suffix());
        for (place, (label, text)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            let _ = write!(out, "{before}{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            out.push('}');
        }
        let _ = match value {
            Value::Count(count) => writeln!(out, " {count}"),
            Value::Level(level) if level.is_nan() => writeln!(out, " NaN"),
            Value::Level(level) if level.is_infinite() => {
                writeln!(out, " {}Inf", if level > 0.0 { '+' } else { '-' })
            }
            Value::Level(level) => writeln!(out, " {level}"),
        };
    }
}

/// Label values and help: backslash, quotation mark and line feed have signs of their own.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Kind, Page, Value};

    #[test]
    fn a_page_has_the_form_of_openmetrics() {
        let mut page = Page::default();
        let mut drops = page.family("penstock_drop", Kind::Counter, "Why: \"so\" \\ thus\n.");
        drops.sample(&[("reason", "truncated"), ("worker", "a\"b\\c\nd")], Value::Count(u64::MAX));
        let mut busy = page.family("penstock_busy", Kind::Gauge, "Busy.");
        busy.sample(&[], Value::Level(0.25));
        busy.sample(&[], Value::Level(f64::NEG_INFINITY));
        page.family("penstock", Kind::Info, "It.").sample(&[("version", "1")], Value::Count(1));
        assert_eq!(
            page.finish(),
            "# TYPE penstock_drop counter\n\
             # HELP penstock_drop Why: \\\"so\\\" \\\\ thus\\n.\n\
             penstock_drop_total{reason=\"truncated\",worker=\"a\\\"b\\\\c\\nd\"} 18446744073709551615\n\
             # TYPE penstock_busy gauge\n\
             # HELP penstock_busy Busy.\n\
             penstock_busy 0.25\n\
             penstock_busy -Inf\n\
             # TYPE penstock info\n\
             # HELP penstock It.\n\
             penstock_info{version=\"1\"} 1\n\
             # EOF\n"
        );
    }
}
