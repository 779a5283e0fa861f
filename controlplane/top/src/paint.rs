//! Colours, and text made printable. No colour carries a meaning that the words do not.

use ratatui::style::{Color, Modifier, Style};

/// Whether colours are used; with `NO_COLOR` set only bold, dim and reverse are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    /// Sixteen colours, as every terminal has them.
    pub colours: bool,
}

/// How something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mood {
    /// As it should be.
    #[default]
    Calm,
    /// Worth knowing.
    Note,
    /// Worth a look.
    Warn,
    /// Packets are lost.
    Bad,
}

impl Paint {
    fn colour(self, style: Style, colour: Color) -> Style {
        if self.colours { style.fg(colour) } else { style }
    }

    pub(crate) fn of(self, mood: Mood) -> Style {
        match mood {
            Mood::Calm => Style::new(),
            Mood::Note => self.colour(Style::new(), Color::Cyan),
            Mood::Warn => self.colour(Style::new().add_modifier(Modifier::BOLD), Color::Yellow),
            Mood::Bad => self.colour(Style::new().add_modifier(Modifier::BOLD), Color::Red),
        }
    }

    pub(crate) fn good(self) -> Style {
        self.colour(Style::new(), Color::Green)
    }

    pub(crate) fn trend(self) -> Style {
        self.colour(Style::new(), Color::Blue)
    }

    pub(crate) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(crate) fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The bar at the top and the chosen tab.
    pub(crate) fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}

/// Text of exactly `width` columns, on the left or on the right of them. What is too long loses its middle, for
/// names mostly differ at their ends; what is not printable ASCII becomes `?`, so that nothing that comes over the
/// socket can steer the terminal.
pub(crate) fn fit(text: &str, width: usize, right: bool) -> String {
    let clean = printable(text);
    let length = clean.chars().count();
    if length <= width {
        let blank = " ".repeat(width - length);
        return if right { blank + &clean } else { clean + &blank };
    }
    if width == 0 {
        return String::new();
    }
    let tail = (width - 1) / 2;
    let head = width - 1 - tail;
    let end: String = clean.chars().skip(length - tail).collect();
    clean.chars().take(head).chain(['…']).collect::<String>() + &end
}

/// A sentence that is too long loses its end.
pub(crate) fn cut(text: &str, width: usize) -> String {
    let clean = printable(text);
    if clean.chars().count() <= width {
        return clean;
    }
    clean.chars().take(width.saturating_sub(1)).chain((width > 0).then_some('…')).collect()
}

/// Sentences and the screen's own marks have a few characters that are not ASCII.
pub(crate) fn printable(text: &str) -> String {
    let ours =
        |c: char| matches!(c, '▁'..='█' | '░' | '…' | '§' | '–' | '·' | '▲' | '●' | '✓' | 'Σ' | '▾' | '▴');
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' || ours(c) { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::fit;

    #[test]
    fn names_keep_both_their_ends() {
        assert_eq!(fit("web-1", 8, false), "web-1   ");
        assert_eq!(fit("web-1", 8, true), "   web-1");
        assert_eq!(fit("frontend-production-eu-west-17", 12, false), "fronte…st-17");
        assert_eq!(fit("ab\x1b[2J", 9, false), "ab?[2J   ");
        assert_eq!((fit("abc", 0, false), fit("abc", 1, false)), (String::new(), "…".into()));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_as_wide_as_its_column(text: String, width in 0_usize..100, right: bool) {
            let fitted = fit(&text, width, right);
            prop_assert_eq!(fitted.chars().count(), width);
            prop_assert!(!fitted.chars().any(char::is_control));
        }
    }
}
