//! Files that are written whole or not at all, as captures are, and told of in the words of the command line.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use capture::{Unfinished, WholeFile, is_special};

use crate::failure::Failure;

/// A file that is being written. Dropped unfinished, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Output {
    name: String,
    out: WholeFile,
}

impl Output {
    /// Opens the output at `path`.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let out = WholeFile::create(path)
            .map_err(|error| Failure::new(format!("{name}: the output cannot be created: {error}")))?;
        Ok(Self { name, out })
    }

    /// Writes all of `bytes`.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(|error| failure(&self.name, &error))
    }

    /// Has what was put so far reach the file, for whoever reads it meanwhile.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| failure(&self.name, &error))
    }

    /// Makes it durable and gives it its name.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Self { name, out } = self;
        out.finish().map_err(|(Unfinished::Write(error) | Unfinished::Rename(error))| failure(&name, &error))
    }
}

fn failure(name: &str, error: &io::Error) -> Failure {
    Failure::new(format!("{name}: the output cannot be written: {error}"))
}

/// Refuses two names for one file among inputs and outputs; an option's name and its path each.
pub(crate) fn refuse_same(paths: &[(&str, &Path)]) -> Result<(), Failure> {
    let mut seen: Vec<(&str, PathBuf)> = Vec::new();
    for &(option, path) in paths.iter().filter(|(_, path)| !is_special(path)) {
        let whole = whole(path);
        if let Some((other, _)) = seen.iter().find(|(_, known)| *known == whole) {
            return Err(Failure::new(format!(
                "{option} and {other} are the same file, {}; give each its own",
                path.display()
            )));
        }
        seen.push((option, whole));
    }
    Ok(())
}

/// The path without links; of a file that is not there yet, its folder's.
fn whole(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = || Some(fs::canonicalize(folder).ok()?.join(path.file_name()?));
    fs::canonicalize(path).ok().or_else(named).unwrap_or_else(|| path.to_path_buf())
}

/// Writes to stdout. A reader that has gone away is no failure: it has seen what it wanted.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_on(text).map(|_| ())
}

/// The same; says whether somebody still reads.
pub(crate) fn print_on(text: &str) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(format!("stdout cannot be written: {error}"))),
    }
}

/// Where an output goes: `-` is standard output, as everywhere.
pub(crate) fn place(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(if text == "-" { "/dev/stdout" } else { text }))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Output, refuse_same};

    #[test]
    fn an_output_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let files = || fs::read_dir(folder.path()).unwrap().count();
        let mut given_up = Output::create(&path).unwrap();
        given_up.put(b"half").unwrap();
        assert_eq!((files(), path.exists()), (1, false));
        drop(given_up);
        assert_eq!(files(), 0);
        let mut whole = Output::create(&path).unwrap();
        whole.put(b"whole").unwrap();
        whole.finish().unwrap();
        assert_eq!((files(), fs::read(&path).unwrap()), (1, b"whole".to_vec()));
    }

    #[test]
    fn a_folder_or_a_full_disk_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let told = Output::create(folder.path()).unwrap_err().to_string();
        assert!(told.contains("cannot be created") && told.contains("directory"), "{told}");
        let mut full = Output::create(Path::new("/dev/full")).unwrap();
        full.put(b"x").unwrap();
        assert!(full.finish().unwrap_err().to_string().contains("No space left"));
    }

    #[test]
    fn one_file_under_two_names_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (one, link) = (folder.path().join("in.pcap"), folder.path().join("link.pcap"));
        fs::write(&one, b"x").unwrap();
        std::os::unix::fs::symlink(&one, &link).unwrap();
        let told = refuse_same(&[("--in", &one), ("--out", &link)]).unwrap_err().to_string();
        assert!(told.contains("--out and --in are the same file"), "{told}");
        let other = folder.path().join("out.pcap");
        assert!(refuse_same(&[("--in", &one), ("--out", &other), ("--trace", &other)]).is_err());
        assert!(refuse_same(&[("--in", &one), ("--out", &other)]).is_ok());
        assert!(
            refuse_same(&[("--out", Path::new("/dev/null")), ("--trace", Path::new("/dev/null"))]).is_ok()
        );
    }
}
