//! Making memfds, and looking at what another made.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, memfd_create};
use rustix::io::Errno;

use crate::error::Error;

/// A new memfd that may be sealed and never executed. `name` is what /proc shows.
pub(crate) fn create(name: &str) -> Result<OwnedFd, Error> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
        // Before Linux 6.3 the kernel does not know the flag.
        Err(Errno::INVAL) => memfd_create(name, flags),
        made => made,
    }
    .map_err(|errno| Error::os("create", errno))
}

/// Adds the seals for ever.
pub(crate) fn seal(fd: BorrowedFd<'_>, seals: SealFlags) -> Result<(), Error> {
    fcntl_add_seals(fd, seals).map_err(|errno| Error::os("seal", errno))
}

/// Checks that the seals are there and returns all that are.
pub(crate) fn require(fd: BorrowedFd<'_>, seals: SealFlags) -> Result<SealFlags, Error> {
    let found = fcntl_get_seals(fd).map_err(|errno| match errno {
        // What the kernel says of any file that is not in memory.
        Errno::INVAL => Error::NotMemory,
        other => Error::os("read the seals of", other),
    })?;
    let named = [
        (SealFlags::SHRINK, "shrinking"),
        (SealFlags::GROW, "growing"),
        (SealFlags::WRITE, "writing"),
        (SealFlags::SEAL, "further seals"),
    ];
    match named.into_iter().find(|&(seal, _)| seals.contains(seal) && !found.contains(seal)) {
        Some((_, against)) => Err(Error::NotSealed { against }),
        None => Ok(found),
    }
}

/// The length in bytes: more than nothing, and at most `bytes_max`. Read it after the seals were checked,
/// or it may change.
pub(crate) fn length(fd: BorrowedFd<'_>, bytes_max: usize) -> Result<usize, Error> {
    let stat = fstat(fd).map_err(|errno| Error::os("measure", errno))?;
    match usize::try_from(stat.st_size) {
        Ok(0) => Err(Error::Empty),
        Ok(bytes) if bytes <= bytes_max => Ok(bytes),
        _ => Err(Error::TooLong { bytes_max }),
    }
}
