//! What is wrong with a file, where, and what to do about it.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use crate::limits::{CONFIG_BYTES_MAX, FAULTS_MAX};

/// One fault. Displayed as one line: `site.toml:14: service[1].pool: no pool is named "wbe". Did you
/// mean "web"? …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as the caller named it.
    pub file: String,
    /// Its line, from 1; `None` if the file could not be read at all.
    pub line: Option<usize>,
    /// Its column in characters, from 1.
    pub column: Option<usize>,
    /// Dotted path of the key, list places from 0; `None` where no key is at fault.
    pub key: Option<String>,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to do, in whole sentences.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if let Some(key) = &self.key {
            write!(f, " {key}:")?;
        }
        write!(f, " {}. {}", self.message, self.remedy)
    }
}

/// All faults of a file, in the order of its lines; never empty. Displayed one per line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// At most [`FAULTS_MAX`].
    pub list: Vec<Fault>,
    /// How many more there are.
    pub more: usize,
}

impl Faults {
    /// One fault of the file as a whole.
    pub(crate) fn of_file(file: &str, message: String, remedy: &str) -> Self {
        let remedy = remedy.to_owned();
        let fault = Fault { file: file.to_owned(), line: None, column: None, key: None, message, remedy };
        Self { list: vec![fault], more: 0 }
    }

    /// The file is above the limit.
    pub(crate) fn too_long(file: &str) -> Self {
        Self::of_file(
            file,
            format!("the file has more than {CONFIG_BYTES_MAX} bytes, the most a configuration may have"),
            "Check that it is a configuration; if it is, share pools between services.",
        )
    }

    /// The file has a byte that is no UTF-8.
    pub(crate) fn not_utf8(file: &str, bytes: &[u8], valid_up_to: usize) -> Self {
        let before = bytes.iter().take(valid_up_to).filter(|&&byte| byte == b'\n').count();
        let mut faults = Self::of_file(
            file,
            "the file is not UTF-8 text".to_owned(),
            "Save it as UTF-8; TOML knows no other encoding.",
        );
        for fault in &mut faults.list {
            fault.line = Some(before.saturating_add(1));
        }
        faults
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.list.iter().enumerate() {
            if place > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Why one value was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What is wrong, without a full stop.
    pub(crate) message: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: remedy.into() }
    }
}

/// Collects faults and knows where bytes stand.
pub(crate) struct Report<'t> {
    file: &'t str,
    text: &'t str,
    line_starts: Vec<usize>,
    list: Vec<Fault>,
    told: HashSet<String>,
    more: usize,
}

impl<'t> Report<'t> {
    pub(crate) fn new(file: &'t str, text: &'t str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at.saturating_add(1));
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        Self { file, text, line_starts, list: Vec::new(), told: HashSet::new(), more: 0 }
    }

    /// The file's name.
    pub(crate) const fn file(&self) -> &'t str {
        self.file
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= at).max(1)
    }

    fn column(&self, at: usize) -> usize {
        let line = self.line(at);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        self.text.get(start..at).map_or(1, |before| before.chars().count().saturating_add(1))
    }

    /// A fault at a place.
    pub(crate) fn add(&mut self, span: &Range<usize>, key: Option<String>, refusal: Refusal) {
        if self.list.len() >= FAULTS_MAX {
            self.more = self.more.saturating_add(1);
            return;
        }
        if let Some(key) = &key {
            self.told.insert(key.clone());
        }
        let Refusal { message, remedy } = refusal;
        self.list.push(Fault {
            file: self.file.to_owned(),
            line: Some(self.line(span.start)),
            column: Some(self.column(span.start)),
            key,
            message,
            remedy,
        });
    }

    /// A key that is needed and absent; silent if the key is there and was refused already.
    pub(crate) fn add_missing(&mut self, span: &Range<usize>, key: String, refusal: Refusal) {
        if !self.has_told(&key) {
            self.add(span, Some(key), refusal);
        }
    }

    /// Whether a fault of this key is told.
    pub(crate) fn has_told(&self, key: &str) -> bool {
        self.told.contains(key)
    }

    /// Whether a fault of this list or of anything in it is told.
    pub(crate) fn has_told_under(&self, key: &str) -> bool {
        self.told.iter().any(|told| told.starts_with(key))
    }

    /// How many were found.
    pub(crate) const fn count(&self) -> usize {
        self.list.len().saturating_add(self.more)
    }

    /// The configuration if nothing was found.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Faults> {
        match value {
            Some(value) if self.list.is_empty() => Ok(value),
            _ => {
                self.list.sort_by_key(|fault| (fault.line, fault.column));
                Err(Faults { list: self.list, more: self.more })
            }
        }
    }
}
