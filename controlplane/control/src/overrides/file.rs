//! The file that keeps operators' words over a restart, beside the numbers file.

use std::io;
use std::path::{Path, PathBuf};

use conf::{Fault, Faults, Name};
use serde::Deserialize;
use service::RealState;

use super::{Overrides, Said, WEIGHT_MAX};
use crate::limits::NUMBERS_BYTES_MAX;
use crate::whole;

/// The version we write and read.
const VERSION: i64 = 1;

const REMEDY: &str =
    "Mend it, or remove the file: then drains, ups, downs and weights are as the configuration says.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OverridesFile {
    version: i64,
    #[serde(default)]
    state: Vec<StateFile>,
    #[serde(default)]
    weight: Vec<WeightFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    real: String,
    to: String,
    file: String,
    since_s: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WeightFile {
    real: String,
    pool: String,
    to: u32,
    file: u32,
    since_s: u64,
}

impl Overrides {
    /// Where the words of a site with that numbers file are kept: `site.numbers.toml` has
    /// `site.numbers.overrides.toml` beside it.
    #[must_use]
    pub fn path_beside(numbers: &Path) -> PathBuf {
        let stem = numbers.file_stem().unwrap_or_default();
        let mut name = stem.to_owned();
        name.push(".overrides.toml");
        numbers.with_file_name(name)
    }

    /// The words in the file at `path`; none if there is no file.
    ///
    /// # Errors
    /// What makes the file unreadable or untrue.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let name = path.display().to_string();
        match whole::read(path, NUMBERS_BYTES_MAX) {
            Ok(Some(text)) => Self::parse(&name, &text),
            Ok(None) => Ok(Self::default()),
            Err(why) => Err(fault(&name, None, why)),
        }
    }

    /// The words in `text`; `name` is what a fault calls the file.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self, Faults> {
        let file: OverridesFile = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count().saturating_add(1);
            fault(name, Some(line), format!("no operator's words: {}", error.message().replace('\n', " ")))
        })?;
        let wrong = |why: String| fault(name, None, why);
        if file.version != VERSION {
            return Err(wrong(format!("version {} is not known, only {VERSION}", file.version)));
        }
        let mut words = Self::default();
        for StateFile { real, to, file, since_s } in file.state {
            let said = Said { to: state(&to).map_err(wrong)?, file: state(&file).map_err(wrong)?, since_s };
            if words.states.insert(named(&real).map_err(wrong)?, said).is_some() {
                return Err(wrong(format!("the state of \"{real}\" stands there twice")));
            }
        }
        for WeightFile { real, pool, to, file, since_s } in file.weight {
            if to > WEIGHT_MAX || file > WEIGHT_MAX || since_s > i64::MAX.unsigned_abs() {
                return Err(wrong(format!("a number of \"{real}\" is out of range")));
            }
            let key = (named(&real).map_err(wrong)?, named(&pool).map_err(wrong)?);
            if words.weights.insert(key, Said { to, file, since_s }).is_some() {
                return Err(wrong(format!("the weight of \"{real}\" in \"{pool}\" stands there twice")));
            }
        }
        Ok(words)
    }

    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::from(
            "# What operators said about reals, kept over restarts. Penstock writes this file. A word stands until it\n\
             # is taken back, until the configuration changes that key (`file` is what it said), or the real goes.\n",
        );
        text.push_str(&format!("version = {VERSION}\n"));
        for (real, Said { to, file, since_s }) in &self.states {
            let (to, file) = (to.word(), file.word());
            text.push_str(&format!(
                "\n[[state]]\nreal = \"{real}\"\nto = \"{to}\"\nfile = \"{file}\"\nsince_s = {since_s}\n"
            ));
        }
        for ((real, pool), Said { to, file, since_s }) in &self.weights {
            text.push_str(&format!(
                "\n[[weight]]\nreal = \"{real}\"\npool = \"{pool}\"\nto = {to}\nfile = {file}\nsince_s = {since_s}\n"
            ));
        }
        text
    }

    /// Writes the file at `path`, whole or not at all.
    ///
    /// # Errors
    /// The failed step.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        whole::write(path, &self.to_text(), |_| Ok(()))
    }
}

fn state(text: &str) -> Result<RealState, String> {
    let found = RealState::ALL.into_iter().find(|state| state.word() == text);
    found.ok_or_else(|| {
        format!("\"{}\" is no state: they are up, drain, down and failed", text.escape_debug())
    })
}

fn named(text: &str) -> Result<Name, String> {
    text.parse().map_err(|_| format!("\"{}\" is not a name", text.escape_debug()))
}

fn fault(file: &str, line: Option<usize>, message: String) -> Faults {
    let (file, remedy) = (file.to_owned(), REMEDY.to_owned());
    Faults { list: vec![Fault { file, line, column: None, key: None, message, remedy }], more: 0 }
}
