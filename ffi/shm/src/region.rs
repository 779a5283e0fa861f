//! The memory between the control core and the workers, and its ends.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::AtomicBool;

use rustix::fs::{SealFlags, ftruncate};

use crate::counters::{CounterReader, CounterWriter, HeartbeatReader, HeartbeatWriter};
use crate::error::Error;
use crate::layout::Shape;
use crate::map::SharedWords;
use crate::memfd;
use crate::primitive::{Arc, Ordering};
use crate::ring::{Receiver, Sender};

/// The size stands for ever, so that no peer can take a page away under us; writing stays allowed.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

/// One memfd with a command ring, a report ring, a counter page and a heartbeat for each worker.
pub struct Region {
    store: Arc<SharedWords>,
    fd: OwnedFd,
    shape: Shape,
    taken: Vec<Taken>,
}

/// Which ends of a worker this process has given out.
#[derive(Default)]
struct Taken {
    worker: AtomicBool,
    control: AtomicBool,
}

/// A worker's ends.
pub struct WorkerSide {
    /// From the control core.
    pub commands: Receiver,
    /// To the control core.
    pub reports: Sender,
    /// The worker's published counters.
    pub counters: CounterWriter,
    /// The worker's sign of life.
    pub heartbeat: HeartbeatWriter,
}

/// The control core's ends towards one worker.
pub struct ControlSide {
    /// To the worker.
    pub commands: Sender,
    /// From the worker.
    pub reports: Receiver,
    /// The worker's published counters.
    pub counters: CounterReader,
    /// The worker's sign of life.
    pub heartbeat: HeartbeatReader,
}

impl Region {
    /// Makes a region: `workers` blocks with two rings of `ring_capacity` records (a power of two) and
    /// `counter_words` counters each. `boot_id` names this start of the dataplane.
    ///
    /// # Errors
    /// Which number is out of bounds; otherwise the kernel's.
    pub fn create(
        boot_id: u64,
        workers: usize,
        ring_capacity: usize,
        counter_words: usize,
    ) -> Result<Self, Error> {
        let shape = Shape::new(workers as u64, ring_capacity as u64, counter_words as u64)?;
        let fd = memfd::create("penstock-region")?;
        ftruncate(&fd, shape.bytes() as u64).map_err(|errno| Error::os("size", errno))?;
        memfd::seal(fd.as_fd(), SEALS)?;
        // JUSTIFICATION: mapping a file that could shrink is unsound, which a descriptor's type cannot say.
        // SAFETY: it was sealed against shrinking on the line above, at that length.
        let store = unsafe { SharedWords::map(fd.as_fd(), shape.bytes())? };
        shape.write(store.words(), boot_id);
        Ok(Self::over(store, fd, shape))
    }

    /// Takes a region from the process that made it. Seals are checked before anything is mapped, the header
    /// before anything is used. `boot_id` is what the caller was told the dataplane's is; `bytes_max` bounds
    /// what populating it may cost.
    ///
    /// # Errors
    /// What does not fit, in one sentence.
    pub fn open(fd: OwnedFd, boot_id: u64, bytes_max: usize) -> Result<Self, Error> {
        let seals = memfd::require(fd.as_fd(), SEALS)?;
        if seals.intersects(SealFlags::WRITE.union(SealFlags::FUTURE_WRITE)) {
            return Err(Error::NotWritable);
        }
        let bytes = memfd::length(fd.as_fd(), bytes_max)?;
        // JUSTIFICATION: mapping a file that could shrink is unsound, which a descriptor's type cannot say.
        // SAFETY: the seal against shrinking was just found, and a seal is never taken off again, so the
        // length read afterwards stays.
        let store = unsafe { SharedWords::map(fd.as_fd(), bytes)? };
        let shape = Shape::read(store.words(), boot_id)?;
        Ok(Self::over(store, fd, shape))
    }

    fn over(store: SharedWords, fd: OwnedFd, shape: Shape) -> Self {
        let taken = (0..shape.workers).map(|_| Taken::default()).collect();
        Self { store: Arc::new(store), fd, shape, taken }
    }

    /// The ends of worker `index`: once, and only if there is such a worker. (Once in this process: that no
    /// two processes take the same side is for them to agree; if they break it they confuse each other's
    /// records, and nothing else.)
    #[must_use]
    pub fn worker_side(&self, index: usize) -> Option<WorkerSide> {
        let (block, taken) = (self.shape.block(index)?, self.taken.get(index)?);
        if taken.worker.swap(true, Ordering::Relaxed) {
            return None;
        }
        Some(WorkerSide {
            commands: Receiver::new(&self.store, block.commands, self.shape.ring_capacity)?,
            reports: Sender::new(&self.store, block.reports, self.shape.ring_capacity)?,
            counters: CounterWriter::new(&self.store, block.counters, self.shape.counter_words)?,
            heartbeat: HeartbeatWriter::new(&self.store, block.heartbeat)?,
        })
    }

    /// The control core's ends towards worker `index`: once, and only if there is such a worker.
    #[must_use]
    pub fn control_side(&self, index: usize) -> Option<ControlSide> {
        let (block, taken) = (self.shape.block(index)?, self.taken.get(index)?);
        if taken.control.swap(true, Ordering::Relaxed) {
            return None;
        }
        Some(ControlSide {
            commands: Sender::new(&self.store, block.commands, self.shape.ring_capacity)?,
            reports: Receiver::new(&self.store, block.reports, self.shape.ring_capacity)?,
            counters: CounterReader::new(&self.store, block.counters, self.shape.counter_words)?,
            heartbeat: HeartbeatReader::new(&self.store, block.heartbeat)?,
        })
    }

    /// How many workers the region is for.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.shape.workers
    }

    /// How many records each ring holds.
    #[must_use]
    pub fn ring_capacity(&self) -> usize {
        self.shape.ring_capacity
    }

    /// How many counters each page has.
    #[must_use]
    pub fn counter_words(&self) -> usize {
        self.shape.counter_words
    }

    /// The shared words as the peer sees them, for tests that play a hostile one.
    #[cfg(test)]
    pub(crate) fn words(&self) -> &[crate::primitive::AtomicU64] {
        self.store.words()
    }

    #[cfg(test)]
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }
}

/// The memfd, to hand to another process.
impl AsFd for Region {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests;
