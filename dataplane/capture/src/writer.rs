//! Writing a capture, whole or not at all.

use crate::encode::{file_header, record_header};
use crate::error::{WriteError, WriteProblem};
use crate::limits::PACKET_BYTES_MAX;
use crate::scan::Resolution;
use crate::whole::{Unfinished, WholeFile};
use std::io::Write;
use std::path::Path;

/// Writes one pcap file: little-endian, link type Ethernet, snap length 262,144.
#[derive(Debug)]
pub struct Writer {
    name: String,
    resolution: Resolution,
    out: WholeFile,
    packets: u64,
}

impl Writer {
    /// Opens the output and writes the file's header.
    ///
    /// # Errors
    /// One sentence: the file cannot be made, or not be written.
    pub fn create(path: impl AsRef<Path>, resolution: Resolution) -> Result<Self, WriteError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let out = match WholeFile::create(path) {
            Ok(out) => out,
            Err(error) => {
                return Err(WriteError { name, problem: WriteProblem::Create(error.to_string()) });
            }
        };
        let mut writer = Self { name, resolution, out, packets: 0 };
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
    pub fn finish(self) -> Result<(), WriteError> {
        let Self { name, out, .. } = self;
        out.finish().map_err(|unfinished| {
            let problem = match unfinished {
                Unfinished::Write(error) => WriteProblem::Write(error.to_string()),
                Unfinished::Rename(error) => WriteProblem::Rename(error.to_string()),
            };
            WriteError { name, problem }
        })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.out.write_all(bytes).map_err(|error| self.error(WriteProblem::Write(error.to_string())))
    }

    fn error(&self, problem: WriteProblem) -> WriteError {
        WriteError { name: self.name.clone(), problem }
    }
}
