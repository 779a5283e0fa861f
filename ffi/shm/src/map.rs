//! Mappings that unmap themselves, of the two kinds that this crate has.

use core::ptr::NonNull;
use std::os::fd::BorrowedFd;

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use crate::error::Error;
use crate::primitive::AtomicU64;

/// A mapping of a whole memfd, not yet said how it may be read.
#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
}

impl Mapping {
    /// Maps the first `bytes`, populated.
    fn new(fd: BorrowedFd<'_>, bytes: usize, protection: ProtFlags, flags: MapFlags) -> Result<Self, Error> {
        let flags = flags | MapFlags::POPULATE;
        // JUSTIFICATION: mmap is the only way to share memory between processes.
        // SAFETY: no address is asked for, so the new mapping overlaps nothing of ours. What may be done
        // with its contents is for the two owners below to say.
        let start = unsafe { mmap(core::ptr::null_mut(), bytes, protection, flags, fd, 0) }
            .map_err(|errno| Error::os("map", errno))?;
        let start = NonNull::new(start.cast()).ok_or(Error::os("map", rustix::io::Errno::NOMEM))?;
        Ok(Self { start, bytes })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // JUSTIFICATION: only munmap gives the address space back.
        // SAFETY: the range is exactly our own mapping; the two owners below lend references to it no longer
        // than they live.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.bytes) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}

// JUSTIFICATION: the raw pointer inside takes the automatic implementation away.
// SAFETY: a mapping belongs to the process; any thread may use and unmap it.
unsafe impl Send for Mapping {}

// JUSTIFICATION: the raw pointer inside takes the automatic implementation away.
// SAFETY: nothing of a shared `Mapping` changes; its owners below hand out only what may be shared.
unsafe impl Sync for Mapping {}

/// Bytes that nobody can write any more.
#[derive(Debug)]
pub(crate) struct SealedBytes(Mapping);

impl SealedBytes {
    /// Maps a memfd for reading.
    ///
    /// # Safety
    /// The memfd carries the seals WRITE and SHRINK, and is at least `bytes` long.
    pub(crate) unsafe fn map(fd: BorrowedFd<'_>, bytes: usize) -> Result<Self, Error> {
        // Private, because kernels before 6.7 refuse a shared mapping of a write-sealed memfd even for
        // reading. Never written to, a private mapping shows the same pages.
        Mapping::new(fd, bytes, ProtFlags::READ, MapFlags::PRIVATE).map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        // JUSTIFICATION: the memory is the kernel's, not an allocation that Rust knows.
        // SAFETY: the mapping is readable and as long as said, and lives as long as `self`. `map`'s caller
        // promised the seals: WRITE, which the kernel grants only when no writable mapping is left, so that
        // no process can change a byte of it ever again, and SHRINK, so that all pages stay. That is what
        // makes a plain slice of shared memory sound.
        unsafe { core::slice::from_raw_parts(self.0.start.as_ptr(), self.0.bytes) }
    }
}

/// Words that another process may write at any moment.
#[derive(Debug)]
pub(crate) struct SharedWords(Mapping);

impl SharedWords {
    /// Maps a memfd for reading and writing.
    ///
    /// # Safety
    /// The memfd carries the seal SHRINK, and is at least `bytes` long.
    pub(crate) unsafe fn map(fd: BorrowedFd<'_>, bytes: usize) -> Result<Self, Error> {
        Mapping::new(fd, bytes, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED).map(Self)
    }

    pub(crate) fn words(&self) -> &[AtomicU64] {
        let words = self.0.bytes / size_of::<AtomicU64>();
        // JUSTIFICATION: the memory is the kernel's, not an allocation that Rust knows.
        // SAFETY: the mapping is page-aligned, readable and writable, at least that long, stays so (`map`'s
        // caller promised the seal SHRINK), and lives as long as `self`. Every bit pattern is a valid word.
        // The peer writes when it likes, and each word is read and written by whole atomic instructions
        // only, so what it writes is a value, not a data race.
        unsafe { core::slice::from_raw_parts(self.0.start.as_ptr().cast(), words) }
    }
}
