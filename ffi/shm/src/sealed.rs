//! Immutable shared memory: a memfd that carries all seals.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::SealFlags;

use crate::error::Error;
use crate::map::SealedBytes;
use crate::memfd;

/// What must stand before a byte of it is trusted to stay. (SEAL alone adds nothing to that; it says that
/// the maker was done.)
const SEALS: SealFlags =
    SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::WRITE).union(SealFlags::SEAL);

/// A memfd being written.
#[derive(Debug)]
pub struct SealedBuilder(File);

impl SealedBuilder {
    /// An empty memfd; write to it as to a file.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new() -> Result<Self, Error> {
        Ok(Self(memfd::create("penstock-image")?.into()))
    }

    /// Seals what was written and maps it.
    ///
    /// # Errors
    /// [`Error::Empty`] if nothing was written, otherwise the kernel's.
    pub fn finish(self) -> Result<Sealed, Error> {
        memfd::seal(self.0.as_fd(), SEALS)?;
        Sealed::from_fd(self.0.into(), usize::MAX)
    }
}

impl Write for SealedBuilder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Bytes in shared memory that nobody can change: neither we, nor who made them, nor who else has them.
#[derive(Debug)]
pub struct Sealed {
    bytes: SealedBytes,
    fd: OwnedFd,
}

impl Sealed {
    /// Copies the bytes into a new memfd and seals it.
    ///
    /// # Errors
    /// [`Error::Empty`] for no bytes, otherwise the kernel's.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut builder = SealedBuilder::new()?;
        builder.write_all(bytes).map_err(|source| Error::Os { doing: "write", source })?;
        builder.finish()
    }

    /// Takes a memfd from somebody else. The seals are checked first; only then is it measured and mapped,
    /// read-only, with all its pages populated. A memfd may be all holes and cost its maker nothing, while
    /// populating it would cost us its whole length: hence `bytes_max`.
    ///
    /// # Errors
    /// Which seal is missing, or that it is no memfd, empty or too long; otherwise the kernel's.
    pub fn from_fd(fd: OwnedFd, bytes_max: usize) -> Result<Self, Error> {
        memfd::require(fd.as_fd(), SEALS)?;
        let length = memfd::length(fd.as_fd(), bytes_max)?;
        // JUSTIFICATION: a plain slice of shared memory is sound only under the seals, which the type of a
        // descriptor cannot say.
        // SAFETY: WRITE and SHRINK are among the seals just found, and a seal is never taken off again, so
        // the length read afterwards stays.
        let bytes = unsafe { SealedBytes::map(fd.as_fd(), length)? };
        Ok(Self { bytes, fd })
    }

    /// The bytes, beginning on a page boundary (so on any cache line's too). A plain slice is sound here
    /// only because of the seals: see `SealedBytes::as_bytes`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_bytes()
    }
}

impl AsRef<[u8]> for Sealed {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// The memfd, to hand to another process.
impl AsFd for Sealed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::{AsFd, OwnedFd};

    use rustix::fs::{FallocateFlags, SealFlags, fallocate, ftruncate};

    use super::{SEALS, Sealed, SealedBuilder};
    use crate::memfd;

    fn memory(bytes: &[u8], seals: SealFlags) -> OwnedFd {
        let mut file = File::from(memfd::create("test").expect("a memfd"));
        file.write_all(bytes).expect("to memory");
        memfd::seal(file.as_fd(), seals).expect("seals");
        file.into()
    }

    fn refusal(fd: OwnedFd) -> String {
        Sealed::from_fd(fd, 1 << 20).expect_err("refused").to_string()
    }

    #[test]
    fn what_was_written_is_read_on_a_page_boundary() {
        for length in [1, 64, 4095, 4096, 4097, 1_000_000] {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            let sealed = Sealed::from_bytes(&bytes).expect("a megabyte at most");
            assert_eq!(sealed.as_bytes(), bytes);
            assert_eq!(sealed.as_bytes().as_ptr().addr() % 4096, 0);
        }
    }

    #[test]
    fn it_can_be_written_in_parts_and_read_through_another_descriptor() {
        let mut builder = SealedBuilder::new().expect("a memfd");
        builder.write_all(b"pen").expect("to memory");
        builder.write_all(b"stock").expect("to memory");
        let sealed = builder.finish().expect("sealed");
        let handed_over = sealed.as_fd().try_clone_to_owned().expect("a descriptor");
        drop(sealed);
        let received = Sealed::from_fd(handed_over, 8).expect("all seals are there");
        assert_eq!(received.as_bytes(), b"penstock");
    }

    #[test]
    fn each_missing_seal_is_named() {
        let sentences = [
            (SealFlags::SHRINK, "shrinking"),
            (SealFlags::GROW, "growing"),
            (SealFlags::WRITE, "writing"),
            (SealFlags::SEAL, "further seals"),
        ];
        for (missing, against) in sentences {
            let sentence = refusal(memory(b"x", SEALS.difference(missing)));
            assert_eq!(sentence, format!("the shared memory is not sealed against {against}"));
        }
        assert!(Sealed::from_fd(memory(b"x", SEALS), 1).is_ok());
    }

    #[test]
    fn a_seal_against_future_writing_only_is_not_enough() {
        // An older writable mapping may still be there under that seal.
        let seals = SEALS.difference(SealFlags::WRITE).union(SealFlags::FUTURE_WRITE);
        assert!(refusal(memory(b"x", seals)).ends_with("not sealed against writing"));
    }

    #[test]
    fn what_is_no_memory_empty_or_too_long_is_refused() {
        let file = File::open("/proc/self/exe").expect("our own program");
        assert!(refusal(file.into()).contains("no memfd"));
        assert!(refusal(memory(b"", SEALS)).contains("empty"));
        let holes = memory(b"", SealFlags::empty());
        ftruncate(&holes, 1 << 40).expect("holes cost nothing");
        memfd::seal(holes.as_fd(), SEALS).expect("seals");
        assert!(refusal(holes).contains("longer than the 1048576 bytes"));
        assert!(Sealed::from_bytes(b"").is_err());
    }

    #[test]
    fn nobody_can_change_it_any_more() {
        let sealed = Sealed::from_bytes(b"penstock").expect("sealed");
        let mut file = File::from(sealed.as_fd().try_clone_to_owned().expect("a descriptor"));
        assert!(file.write_all(b"x").is_err());
        assert!(ftruncate(&file, 1).is_err());
        assert!(ftruncate(&file, 10_000).is_err());
        let punch = FallocateFlags::PUNCH_HOLE.union(FallocateFlags::KEEP_SIZE);
        assert!(fallocate(&file, punch, 0, 8).is_err());
        assert_eq!(sealed.as_bytes(), b"penstock");
    }
}
