//! The page: one file, no script, no font, no network. Light and dark, wide and narrow.
//!
//! The markup is also well-formed XML, so that a test can hold it to that.

mod bars;
mod chart;
mod page;
mod parts;
mod pictures;
mod style;
mod tables;

pub(crate) use page::page;

/// Text as it may stand in markup, in an element and in an attribute. Control characters, which XML has
/// no way to write, become the replacement character.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_in_a_name_stays_text() {
        assert_eq!(
            escape("<script>alert(\"1\" & '2')</script>\0"),
            "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;\u{fffd}"
        );
    }
}
