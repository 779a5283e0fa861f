//! Writing a capture: under another name until it is whole.
//!
//! A file that is being written stands beside its target as `NAME.PID.part` and takes the target's name
//! when it is finished, so that an interrupted run leaves no half capture and an earlier one intact. A
//! target that is no regular file (a pipe, `/dev/stdout`, `/dev/full`) is written in place.

use crate::encode::{file_header, record_header};
use crate::error::{WriteError, WriteProblem};
use crate::limits::PACKET_BYTES_MAX;
use crate::scan::Resolution;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

const BUFFER_BYTES: usize = 1024 * 1024;
/// Names that are tried for the unfinished file.
const NAMES_MAX: u32 = 64;

/// Writes one pcap file: little-endian, link type Ethernet, snap length 262,144.
#[derive(Debug)]
pub struct Writer {
    name: String,
    resolution: Resolution,
    out: BufWriter<File>,
    /// The unfinished file and its target; none when written in place.
    part: Option<Part>,
    packets: u64,
}

/// An unfinished file. Dropping it removes it.
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

impl Writer {
    /// Opens the output and writes the file's header.
    ///
    /// # Errors
    /// One sentence: the file cannot be made, or not be written.
    pub fn create(path: impl AsRef<Path>, resolution: Resolution) -> Result<Self, WriteError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let (file, part) = match open(path) {
            Ok(opened) => opened,
            Err(error) => {
                return Err(WriteError { name, problem: WriteProblem::Create(error.to_string()) });
            }
        };
        let out = BufWriter::with_capacity(BUFFER_BYTES, file);
        let mut writer = Self { name, resolution, out, part, packets: 0 };
        writer.put(&file_header(resolution))?;
        Ok(writer)
    }

    /// Appends a packet, with its time in nanoseconds since 1970.
    ///
    /// # Errors
    /// One sentence: the output cannot be written (a full disk), or pcap cannot hold the packet.
    pub fn write(&mut self, time_nanos: u64, data: &[u8]) -> Result<(), WriteError> {
        let len = u32::try_from(data.len()).ok().filter(|&len| len <= PACKET_BYTES_MAX);
        let Some(len) = len else {
            return Err(self.error(WriteProblem::PacketTooLarge { bytes: data.len() }));
        };
        let Some(header) = record_header(self.resolution, time_nanos, len) else {
            return Err(self.error(WriteProblem::TimeTooLate { nanos: time_nanos }));
        };
        self.put(&header)?;
        self.put(data)?;
        self.packets += 1;
        Ok(())
    }

    /// Packets written so far.
    #[must_use]
    pub const fn packets(&self) -> u64 {
        self.packets
    }

    /// Writes what is buffered, makes it durable, and gives the file its name. Without this call the
    /// output is discarded.
    ///
    /// # Errors
    /// One sentence: the output cannot be written, or not be moved into place.
    pub fn finish(mut self) -> Result<(), WriteError> {
        let flushed = self.out.flush().and_then(|()| match self.part {
            // A device or a pipe cannot be made durable.
            None => Ok(()),
            Some(_) => self.out.get_ref().sync_all(),
        });
        if let Err(error) = flushed {
            return Err(self.error(WriteProblem::Write(error.to_string())));
        }
        let Some(part) = &mut self.part else { return Ok(()) };
        match fs::rename(&part.path, &part.target) {
            Ok(()) => part.renamed = true,
            Err(error) => return Err(self.error(WriteProblem::Rename(error.to_string()))),
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.out.write_all(bytes).map_err(|error| self.error(WriteProblem::Write(error.to_string())))
    }

    fn error(&self, problem: WriteProblem) -> WriteError {
        WriteError { name: self.name.clone(), problem }
    }
}

/// The file to write into, and what becomes of it.
fn open(path: &Path) -> io::Result<(File, Option<Part>)> {
    // `/dev/stdout` may lead to a regular file that the shell holds open: that one is not ours to replace.
    let special = path.starts_with("/dev") || path.starts_with("/proc");
    match fs::metadata(path) {
        Ok(metadata) if special || !metadata.is_file() => {
            let file = OpenOptions::new().write(true).open(path)?;
            Ok((file, None))
        }
        Ok(metadata) => {
            // A file that may not be written may not be replaced either, though the directory allows it.
            OpenOptions::new().write(true).open(path)?;
            let (file, part) = open_beside(fs::canonicalize(path)?)?;
            file.set_permissions(metadata.permissions())?;
            Ok((file, Some(part)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.file_name().is_some() => {
            let (file, part) = open_beside(path.to_path_buf())?;
            Ok((file, Some(part)))
        }
        Err(error) => Err(error),
    }
}

fn open_beside(target: PathBuf) -> io::Result<(File, Part)> {
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for number in 0..NAMES_MAX {
        let mut name = target.file_name().map(OsString::from).unwrap_or_default();
        let extra = if number == 0 { String::new() } else { format!(".{number}") };
        name.push(format!(".{}{extra}.part", std::process::id()));
        let path = target.with_file_name(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, Part { path, target, renamed: false })),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}
