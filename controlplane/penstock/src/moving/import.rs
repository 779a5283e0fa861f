//! `penstock import`: another balancer's configuration as a Penstock configuration.

use std::fs::File;
use std::io::{Read, Write, stdin};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use import::limits::INPUT_BYTES_MAX;
use import::{Fault, Format, Imported, import_all};

use crate::failure::Failure;
use crate::output::{Output, print};

/// Options of `import`.
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// What FILE is.
    #[arg(value_enum, value_name = "FORMAT")]
    pub(crate) from: ImportFormat,
    /// The file to read, `-` for stdin.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where to write the configuration [default: stdout].
    #[arg(long, value_name = "TOML")]
    pub(crate) out: Option<PathBuf>,
}

/// What `import` reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    /// What `ipvsadm -Sn` prints.
    Ipvs,
    /// A keepalived.conf, and what it includes: the virtual servers.
    Keepalived,
    /// Katran's VIPs and reals as JSON. Katran keeps no file; taken is the JSON of the messages in
    /// example_grpc/protos/katran.proto of its repository:
    /// {"mac": …, "vips": [{"address", "port", "protocol", "flags", "reals": [{"address", "weight"}]}]}.
    Katran,
    /// GLB director's forwarding table, the JSON with "tables", "binds" and "backends".
    Glb,
}

/// Writes the configuration, and says on stderr how much of it wants a person's eye.
pub(crate) fn import(options: &ImportOptions) -> Result<(), Failure> {
    let name = options.file.display().to_string();
    // An output that cannot be written is told before the work.
    let output = options.out.as_deref().map(Output::create).transpose()?;
    let text = read(&options.file).map_err(|why| Failure::new(format!("{name}: {why}")))?;
    let imported = import_all(options.from.into(), &text, &mut |from, pattern| {
        let from = if from.is_empty() { options.file.as_path() } else { Path::new(from) };
        included(from, pattern)
    })
    .map_err(|fault| told(&name, &fault))?;
    match output {
        Some(mut output) => {
            output.put(imported.toml.as_bytes())?;
            output.finish()?;
        }
        None => print(&imported.toml)?,
    }
    // Nobody is left to tell that stderr is closed.
    let _ = writeln!(std::io::stderr(), "{}", summary(&imported));
    Ok(())
}

/// The fault behind the name of its file, as faults of a configuration are told.
fn told(name: &str, fault: &Fault) -> Failure {
    let file = fault.file.as_deref().unwrap_or(name);
    Failure::new(format!("{file}:{}{fault}", if fault.has_place() { "" } else { " " }))
}

/// The files of a pattern, whose last part may hold `*` and `?`, in order: relative to the folder of the file
/// that includes them, as keepalived takes them.
fn included(from: &Path, pattern: &str) -> Result<Vec<(String, String)>, String> {
    let path = from.parent().unwrap_or(Path::new("")).join(pattern);
    let last = path.file_name().and_then(|name| name.to_str()).ok_or("it names no file")?;
    let paths = if last.contains(['*', '?']) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
        let mut paths: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.file_name().is_some_and(|name| fits(&name.to_string_lossy(), last)))
            .collect();
        paths.sort();
        paths
    } else {
        vec![path]
    };
    paths.into_iter().map(|path| Ok((path.display().to_string(), read(&path)?))).collect()
}

/// Whether a name fits a pattern of `*` (any, but no first full stop) and `?` (one).
fn fits(name: &str, pattern: &str) -> bool {
    fn rest(name: &[char], pattern: &[char]) -> bool {
        // The place of the last star, and where its share of the name ends: no more than one is kept.
        let (mut at, mut place) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while let Some(&character) = name.get(at) {
            match pattern.get(place) {
                Some('*') => {
                    star = Some((place, at));
                    place += 1;
                }
                Some(&wanted) if wanted == '?' || wanted == character => {
                    at += 1;
                    place += 1;
                }
                _ => match star {
                    Some((back, end)) => {
                        star = Some((back, end + 1));
                        at = end + 1;
                        place = back + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern.iter().skip(place).all(|&character| character == '*')
    }
    let letters = |text: &str| text.chars().collect::<Vec<char>>();
    name.starts_with('.') == pattern.starts_with('.') && rest(&letters(name), &letters(pattern))
}

fn summary(imported: &Imported) -> String {
    format!(
        "services: {}, reals: {}; comments to go through: {} \"no counterpart\", {} \"FILL IN\"",
        imported.services, imported.reals, imported.without_counterpart, imported.to_fill_in
    )
}

/// The text of the file, or of stdin for `-`; a little more than is taken, so that too much is told as such.
fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let most = INPUT_BYTES_MAX as u64 + 1;
    let read = if path.as_os_str() == "-" {
        stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("the file cannot be read: {error}. Check the path and its permissions."))?;
    if bytes.len() > INPUT_BYTES_MAX {
        return Err(format!(
            "the file is longer than {INPUT_BYTES_MAX} bytes. Split it by VIPs and import each part."
        ));
    }
    String::from_utf8(bytes).map_err(|_| "the file is not UTF-8. Give the text itself.".to_owned())
}

impl From<ImportFormat> for Format {
    fn from(format: ImportFormat) -> Self {
        match format {
            ImportFormat::Ipvs => Self::Ipvs,
            ImportFormat::Keepalived => Self::Keepalived,
            ImportFormat::Katran => Self::Katran,
            ImportFormat::Glb => Self::Glb,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_pattern_is_what_a_shell_means_by_it() {
        for (name, pattern) in
            [("a.conf", "*.conf"), ("a.conf", "?.conf"), ("aab", "*a*b"), (".x", ".*"), ("a", "**")]
        {
            assert!(fits(name, pattern), "{name} {pattern}");
        }
        for (name, pattern) in
            [(".a.conf", "*.conf"), ("a.conf~", "*.conf"), ("ab", "?"), ("", "?"), ("abc", "*a")]
        {
            assert!(!fits(name, pattern), "{name} {pattern}");
        }
    }
}
