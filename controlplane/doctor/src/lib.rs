//! Whether this machine is fit to forward: memory, cores, clock, NICs, limits, and what the kernel does
//! with packets beside us.
//!
//! Architecture invariants: nothing is changed; what is wrong is told with the command that mends it. All
//! that is looked at stands under one root folder or is what a tool prints, so a machine is a fixture.

#![forbid(unsafe_code)]

mod cores;
mod device;
mod kernel;
mod memory;
mod nic;
mod responses;
mod root;

use std::fmt;
use std::path::Path;

use conf::Config;
use serde::Serialize;

pub use root::{Root, System, Tools};

/// Columns of a finding as text; commands may be longer.
const WIDTH: usize = 110;
/// Columns before why and the commands.
const INDENT: usize = 22;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Fine,
    /// It works, but slower or less surely than it could.
    Hint,
    /// `penstock run` does not start, or packets are lost or answered twice.
    Wrong,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fine => "fine",
            Self::Hint => "hint",
            Self::Wrong => "wrong",
        })
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was looked at, in two words or three.
    pub about: &'static str,
    /// What is there.
    pub what: String,
    /// What follows from it; empty when all is fine.
    pub why: String,
    /// The commands that mend it, one each; none when all is fine.
    pub mend: Vec<String>,
}

impl Finding {
    pub(crate) fn fine(about: &'static str, what: impl Into<String>) -> Self {
        Self { severity: Severity::Fine, about, what: what.into(), why: String::new(), mend: Vec::new() }
    }

    pub(crate) fn bad(severity: Severity, about: &'static str, what: impl Into<String>, why: &str) -> Self {
        Self { severity, about, what: what.into(), why: why.to_owned(), mend: Vec::new() }
    }

    pub(crate) fn mend(mut self, command: impl Into<String>) -> Self {
        self.mend.push(command.into());
        self
    }
}

impl fmt::Display for Finding {
    /// A line with what is there; why and the commands below it, indented.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<6} {:<14} {}", self.severity, self.about, self.what)?;
        let mut column = WIDTH;
        for word in self.why.split_whitespace() {
            if column + 1 + word.chars().count() > WIDTH {
                write!(f, "\n{:INDENT$}{word}", "")?;
                column = INDENT + word.chars().count();
            } else {
                write!(f, " {word}")?;
                column += 1 + word.chars().count();
            }
        }
        for command in &self.mend {
            write!(f, "\n{:INDENT$}$ {command}", "")?;
        }
        Ok(())
    }
}

/// A count with its word.
pub(crate) fn several(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Looks at what responses need of the kernel: nothing where they go past us.
#[must_use]
pub fn return_path(root: &Root, config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    responses::examine(root, config, &mut findings);
    findings
}

/// A file's name as a shell takes it for one word.
pub(crate) fn quoted(file: &Path) -> String {
    let text = file.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A configuration and the file that it stands in, for commands that change it.
#[derive(Clone, Copy, Debug)]
pub struct Site<'s> {
    /// The file.
    pub file: &'s Path,
    /// What is in it.
    pub config: &'s Config,
}

/// Looks at everything, in a fixed order. With a configuration also at the ports that it names, and with
/// its numbers in mind.
#[must_use]
pub fn examine(root: &Root, tools: &dyn Tools, site: Option<Site<'_>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (file, config) = site.map(|Site { file, config }| (file, config)).unzip();
    memory::huge_pages(root, config, &mut findings);
    memory::locked(root, config, &mut findings);
    cores::count(root, config, file, &mut findings);
    cores::isolation(root, config, &mut findings);
    cores::governor(root, &mut findings);
    cores::clock(root, &mut findings);
    nic::iommu(root, config, &mut findings);
    findings.extend(config.into_iter().flat_map(|config| return_path(root, config)));
    for port in config.map(|config| config.ports.as_slice()).unwrap_or_default() {
        let workers = config.map_or(1, |config| config.dataplane.workers);
        kernel::twin(root, port, &mut findings);
        match device::kind(port.device.as_str()) {
            device::Kind::Pci(address) => nic::pci(root, tools, address, workers, &mut findings),
            device::Kind::AfPacket(arguments) => {
                let place = kernel::Place { port, arguments: &arguments, workers, file };
                kernel::af_packet(root, tools, &place, &mut findings);
            }
            device::Kind::Other => {}
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::quoted;
    use std::path::Path;

    #[test]
    fn a_files_name_is_one_word_to_a_shell() {
        assert_eq!(quoted(Path::new("/etc/penstock/site.toml")), "/etc/penstock/site.toml");
        assert_eq!(quoted(Path::new("my site's.toml")), r"'my site'\''s.toml'");
        assert_eq!(quoted(Path::new("")), "''");
    }
}
