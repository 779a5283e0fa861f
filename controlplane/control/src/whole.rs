//! Files that are there whole: read up to a limit, and written so that a crash leaves the old or the new.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};

/// The text of the file at `path`, `None` if there is none; what is wrong with it in words.
pub(crate) fn read(path: &Path, bytes_max: u64) -> Result<Option<String>, String> {
    let unread = |error: io::Error| format!("the file cannot be read: {error}");
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unread(error)),
    };
    let mut text = String::new();
    file.take(bytes_max.saturating_add(1)).read_to_string(&mut text).map_err(unread)?;
    if text.len() as u64 > bytes_max {
        return Err(format!("the file has more than {bytes_max} bytes"));
    }
    Ok(Some(text))
}

/// Writes the file at `path`; `before` each step may end it, as a crash would. Whenever the machine stops,
/// what stands there afterwards is the old file or the new one, whole.
pub(crate) fn write(path: &Path, text: &str, before: impl Fn(Step) -> io::Result<()>) -> io::Result<()> {
    let beside = beside(path)?;
    before(Step::Create)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside)?;
    before(Step::Write)?;
    file.write_all(text.as_bytes())?;
    before(Step::SyncFile)?;
    file.sync_all()?;
    drop(file);
    before(Step::Rename)?;
    fs::rename(&beside, path)?;
    before(Step::SyncFolder)?;
    File::open(folder(path))?.sync_all()
}

/// The steps of writing, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Create,
    Write,
    SyncFile,
    Rename,
    SyncFolder,
}

impl Step {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 5] =
        [Self::Create, Self::Write, Self::SyncFile, Self::Rename, Self::SyncFolder];
}

/// Where the new file is made: in the same folder, since a rename is atomic only within a file system.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.file_name().ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?.to_owned();
    name.push(".new");
    Ok(path.with_file_name(name))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
