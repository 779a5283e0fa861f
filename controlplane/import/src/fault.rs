//! What is wrong with a text that cannot be imported.

use std::fmt;

use crate::limits::QUOTE_CHARS_MAX;

/// What is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file that was included, if it is not in the text itself.
    pub file: Option<String>,
    /// A line from 1, a key such as `vips[3].port`, or the whole text.
    pub place: Place,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to do, a sentence.
    pub remedy: String,
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line, from 1.
    Line(usize),
    /// A key of a JSON text.
    Key(String),
    /// Nowhere in particular.
    Whole,
}

impl Fault {
    /// Whether it is about one place of the text.
    #[must_use]
    pub fn has_place(&self) -> bool {
        self.place != Place::Whole
    }

    /// A fault in a line.
    pub(crate) fn line(line: usize, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { file: None, place: Place::Line(line), message: message.into(), remedy: remedy.into() }
    }

    /// The same fault in a file that was included.
    pub(crate) fn inside(mut self, file: Option<&str>) -> Self {
        self.file = file.map(str::to_owned);
        self
    }

    /// A fault at a key.
    pub(crate) fn key(key: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { file: None, place: Place::Key(key.to_owned()), message: message.into(), remedy: remedy.into() }
    }

    /// A fault of the text as a whole.
    pub(crate) fn whole(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { file: None, place: Place::Whole, message: message.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Fault {
    /// As faults of a configuration look behind the name of their file: `12: … .`, `vips[3].port: … .`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Line(line) => write!(f, "{line}: ")?,
            Place::Key(key) => write!(f, "{key}: ")?,
            Place::Whole => {}
        }
        write!(f, "{}. {}", self.message, self.remedy)
    }
}

impl std::error::Error for Fault {}

/// Foreign text on one line, escaped, and cut where it is long: it can stand in a comment and a sentence.
pub(crate) fn plain(text: &str) -> String {
    let mut short = String::new();
    for (place, character) in text.chars().enumerate() {
        if place == QUOTE_CHARS_MAX {
            short.push('…');
            break;
        }
        if character.is_control() {
            short.extend(character.escape_debug());
        } else {
            short.push(character);
        }
    }
    short
}
