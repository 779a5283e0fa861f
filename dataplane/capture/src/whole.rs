//! A file that is there whole or not at all.
//!
//! While it is written it stands beside its target as `NAME.PID.part` and takes the target's name when it is
//! finished, so that an interrupted run leaves no half file and an earlier one intact. A target that is no regular
//! file (a pipe, `/dev/stdout`, `/dev/full`) is written in place.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

const BUFFER_BYTES: usize = 1024 * 1024;
/// Names that are tried for the unfinished file.
const NAMES_MAX: u32 = 64;

/// A file that is being written. Dropped unfinished, it leaves nothing behind.
#[derive(Debug)]
pub struct WholeFile {
    out: BufWriter<File>,
    /// None when written in place.
    part: Option<Part>,
}

/// Why a file was not finished.
#[derive(Debug)]
pub enum Unfinished {
    /// It cannot be written, or not be made durable.
    Write(io::Error),
    /// It cannot take its name.
    Rename(io::Error),
}

/// An unfinished file and its target. Dropping it removes the file.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    target: PathBuf,
    renamed: bool,
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.renamed {
            // Nothing is left to tell about it: the error that led here has been reported.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl WholeFile {
    /// Opens it, so that an output that cannot be written is told before the work begins.
    ///
    /// # Errors
    /// The system's.
    pub fn create(path: &Path) -> io::Result<Self> {
        let (file, part) = open(path)?;
        Ok(Self { out: BufWriter::with_capacity(BUFFER_BYTES, file), part })
    }

    /// Writes what is buffered, makes it durable, and gives the file its name.
    ///
    /// # Errors
    /// [`Unfinished`]; then the file is gone.
    pub fn finish(mut self) -> Result<(), Unfinished> {
        self.out.flush().map_err(Unfinished::Write)?;
        // A device or a pipe cannot be made durable.
        let Some(part) = &mut self.part else { return Ok(()) };
        self.out.get_ref().sync_all().map_err(Unfinished::Write)?;
        fs::rename(&part.path, &part.target).map_err(Unfinished::Rename)?;
        part.renamed = true;
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether a path is not ours to replace: what stands under `/dev` and `/proc`. `/dev/stdout` may lead to a regular
/// file that the shell holds open.
#[must_use]
pub fn is_special(path: &Path) -> bool {
    path.starts_with("/dev") || path.starts_with("/proc")
}

fn open(path: &Path) -> io::Result<(File, Option<Part>)> {
    match fs::metadata(path) {
        Ok(metadata) if is_special(path) || !metadata.is_file() => {
            Ok((OpenOptions::new().write(true).open(path)?, None))
        }
        Ok(metadata) => {
            // A file that may not be written may not be replaced either, though the folder allows it.
            OpenOptions::new().write(true).open(path)?;
            let (file, part) = beside(fs::canonicalize(path)?)?;
            file.set_permissions(metadata.permissions())?;
            Ok((file, Some(part)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound && path.file_name().is_some() => {
            let (file, part) = beside(path.to_path_buf())?;
            Ok((file, Some(part)))
        }
        Err(error) => Err(error),
    }
}

fn beside(target: PathBuf) -> io::Result<(File, Part)> {
    let mut last = io::Error::from(ErrorKind::AlreadyExists);
    for number in 0..NAMES_MAX {
        let mut name = target.file_name().map(OsString::from).unwrap_or_default();
        let extra = if number == 0 { String::new() } else { format!(".{number}") };
        name.push(format!(".{}{extra}.part", std::process::id()));
        let path = target.with_file_name(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, Part { path, target, renamed: false })),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}
