//! The machine: files under a root folder, and what tools print.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder under which `/proc` and `/sys` are found: `/`, or a fixture's.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// The machine itself, or one under a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// The text of a file without the blanks at its ends.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.at(path)).ok().map(|text| text.trim().to_owned())
    }

    /// The number in a file.
    pub(crate) fn number(&self, path: &str) -> Option<u64> {
        self.text(path)?.parse().ok()
    }

    /// The last part of what a link points to.
    pub(crate) fn link(&self, path: &str) -> Option<String> {
        let target = fs::read_link(self.at(path)).ok()?;
        target.file_name().map(|name| name.to_string_lossy().into_owned())
    }

    /// What a folder holds, in order; nothing if it is not there.
    pub(crate) fn list(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Whether something is there.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.at(path).symlink_metadata().is_ok()
    }
}

/// What a tool prints about the machine.
pub trait Tools {
    /// What `words` as a command prints on stdout; `None` if it is not there or fails.
    fn print(&self, words: &[&str]) -> Option<String>;
}

/// The tools of this machine.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl Tools for System {
    fn print(&self, words: &[&str]) -> Option<String> {
        let (name, rest) = words.split_first()?;
        // Debian keeps these from the paths of those who are not root.
        let folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
        let program = folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists())?;
        let output =
            Command::new(program).args(rest).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
