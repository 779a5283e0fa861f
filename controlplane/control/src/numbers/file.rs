//! The numbers file: TOML that a person can read, written so that a crash leaves the old or the new.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::io;
use std::ops::Range;
use std::path::Path;

use conf::{Fault, Faults, Name};
use serde::Deserialize;
use toml::Spanned;

use super::{Kind, Numbers, Resting};
use crate::limits::NUMBERS_BYTES_MAX;
use crate::whole::{self, Step};

/// The version we write and read.
const VERSION: i64 = 1;

const REMEDY: &str = "Mend the line, or bring back a copy of the file; without the file all reals and services \
                      are numbered anew and flows may change their real.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumbersFile {
    version: Spanned<i64>,
    #[serde(default)]
    real: BTreeMap<String, Spanned<i64>>,
    #[serde(default)]
    service: BTreeMap<String, Spanned<i64>>,
    #[serde(default)]
    rule: BTreeMap<String, Spanned<i64>>,
    #[serde(default)]
    released: Vec<ReleasedFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleasedFile {
    kind: KindFile,
    name: Spanned<String>,
    number: Spanned<i64>,
    since_s: Spanned<i64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindFile {
    Real,
    Service,
    Rule,
}

impl From<KindFile> for Kind {
    fn from(kind: KindFile) -> Self {
        match kind {
            KindFile::Real => Self::Real,
            KindFile::Service => Self::Service,
            KindFile::Rule => Self::Rule,
        }
    }
}

impl Numbers {
    /// The numbers in the file at `path`; none if there is no file yet.
    ///
    /// # Errors
    /// What makes the file unreadable or untrue, with its line.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let name = path.display().to_string();
        match whole::read(path, NUMBERS_BYTES_MAX) {
            Ok(Some(text)) => Self::parse(&name, &text),
            Ok(None) => Ok(Self::default()),
            Err(why) => Err(fault(&name, None, None, why)),
        }
    }

    /// The numbers in `text`; `name` is what a fault calls the file.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(name: &str, text: &str) -> Result<Self, Faults> {
        let at = |span: Range<usize>, key: Option<String>, message: String| {
            let before = text.get(..span.start).unwrap_or(text);
            let line = before.matches('\n').count().saturating_add(1);
            fault(name, Some(line), key, message)
        };
        let file: NumbersFile = toml::from_str(text).map_err(|error| {
            at(
                error.span().unwrap_or(0..0),
                None,
                format!("no numbers: {}", error.message().replace('\n', " ")),
            )
        })?;
        if *file.version.get_ref() != VERSION {
            let message = format!("version {} is not known, only {VERSION}", file.version.get_ref());
            return Err(at(file.version.span(), Some("version".to_owned()), message));
        }
        let mut reading = Reading::default();
        for (kind, held) in Kind::ALL.into_iter().zip([&file.real, &file.service, &file.rule]) {
            for (text, number) in held {
                let key = format!("{kind}.{text}");
                reading
                    .hold(kind, text, *number.get_ref())
                    .map_err(|message| at(number.span(), Some(key), message))?;
            }
        }
        for (place, released) in file.released.iter().enumerate() {
            let key = Some(format!("released[{place}].number"));
            reading.rest(released).map_err(|message| at(released.number.span(), key, message))?;
        }
        Ok(reading.numbers)
    }
    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::from(
            "# Numbers of reals and services, kept by name. Penstock writes this file; flows and counters hold\n\
             # these numbers, so keep it with the configuration.\n",
        );
        // Writing to a string cannot fail.
        let _ = writeln!(text, "version = {VERSION}");
        for kind in Kind::ALL {
            let held = &self.ledger(kind).held;
            // Where there is none, who knows nothing of rules can read the file too.
            if kind == Kind::Rule && held.is_empty() {
                continue;
            }
            let _ = writeln!(text, "\n[{kind}]");
            for (name, number) in held {
                let _ = writeln!(text, "\"{name}\" = {number}");
            }
        }
        for kind in Kind::ALL {
            for (number, Resting { name, since_s }) in &self.ledger(kind).resting {
                let _ = write!(text, "\n[[released]]\nkind = \"{kind}\"\nname = \"{name}\"\n");
                let _ = writeln!(text, "number = {number}\nsince_s = {since_s}");
            }
        }
        text
    }

    /// Writes the file at `path`. Whenever the machine stops, what stands there afterwards is the old file
    /// or the new one, whole.
    ///
    /// # Errors
    /// The failed step; the old file is then untouched, unless the last step failed: then the new one
    /// stands there and may be lost if the machine stops now.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        self.save_by(path, |_| Ok(()))
    }

    /// As [`Self::save`]; `before` each step may end it, as a crash would.
    pub(super) fn save_by(&self, path: &Path, before: impl Fn(Step) -> io::Result<()>) -> io::Result<()> {
        whole::write(path, &self.to_text(), before)
    }
}

fn named(text: &str) -> Result<Name, String> {
    text.parse().map_err(|_| format!("\"{}\" is not a name", text.escape_debug()))
}

/// Numbers as far as they have been read, with what would contradict the rest.
#[derive(Default)]
struct Reading {
    numbers: Numbers,
    taken: HashSet<(Kind, u32)>,
    resting: HashSet<(Kind, Name)>,
}

impl Reading {
    fn hold(&mut self, kind: Kind, text: &str, number: i64) -> Result<(), String> {
        let name = named(text)?;
        let number = self.take(kind, number)?;
        self.numbers.ledger_mut(kind).held.insert(name, number);
        Ok(())
    }

    fn rest(&mut self, released: &ReleasedFile) -> Result<(), String> {
        let kind = Kind::from(released.kind);
        let name = named(released.name.get_ref())?;
        let number = self.take(kind, *released.number.get_ref())?;
        let since_s = u64::try_from(*released.since_s.get_ref())
            .map_err(|_| format!("{} is no time in seconds since 1970", released.since_s.get_ref()))?;
        let holds = self.numbers.ledger(kind).held.contains_key(&name);
        if holds || !self.resting.insert((kind, name.clone())) {
            return Err(format!("the {kind} \"{name}\" has a number already"));
        }
        self.numbers.ledger_mut(kind).resting.insert(number, Resting { name, since_s });
        Ok(())
    }

    /// The number, if it is one and nobody's so far.
    fn take(&mut self, kind: Kind, number: i64) -> Result<u32, String> {
        let max = kind.max();
        let number = u32::try_from(number).ok().filter(|number| *number < max).ok_or_else(|| {
            format!("{number} is no number of a {kind}: they are from 0 to {}", max.saturating_sub(1))
        })?;
        if !self.taken.insert((kind, number)) {
            return Err(format!("the number {number} is another {kind}'s already"));
        }
        Ok(number)
    }
}

fn fault(file: &str, line: Option<usize>, key: Option<String>, message: String) -> Faults {
    let file = file.to_owned();
    let remedy = REMEDY.to_owned();
    Faults { list: vec![Fault { file, line, column: None, key, message, remedy }], more: 0 }
}
