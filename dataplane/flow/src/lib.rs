//! The flow table: which real a five-tuple was given, one shard per worker.
//!
//! **Shape.** The hot part is an array of buckets, one cache line each, four flows of 16 bytes: a 64-bit
//! tag and a 64-bit value (real and service number, 16-bit tick, state, epoch). The cold part holds the exact tuple at the
//! same index; it is written on insertion and read only by walkers. A flow lives in one of two buckets,
//! the second computed from the first and the tag, so that an entry can be moved without its tuple. An
//! insertion prefers the first, so most hits touch one line; IPv4 and IPv6 cost the same.
//!
//! **Wrong matches.** Tag and bucket come from disjoint halves of a keyed pseudo-random function of the
//! tuple (AES under a key that leaves this box nowhere), so for a tuple that is not in the table each of
//! the at most nine tags it is compared with is equal with probability 2⁻⁶⁴. At 14 million lookups of
//! absent flows per second that is one wrong match in about 5,000 years of a core; nobody without the
//! key can do better, since nothing we send depends on a tag. What a wrong match would do is bounded,
//! too: that flow goes to the other flow's real. The tests force it with a shortened tag.
//!
//! **Single writer.** Only the owner of a [`FlowTable`] writes, with plain loads and stores, never with a
//! locked read-modify-write. Any number of [`FlowReader`]s read without locks: the writer clears the
//! tag, writes tuple and value, publishes the tag; a reader reads the tag before and after.
//!
//! **Bounded.** A lookup reads at most two buckets, an insertion at most 170; there are no tombstones and
//! no resize. Expiry is by tick, lazily
//! where a lookup or insertion meets an expired entry, and by a sweep that covers the table once in
//! [`SWEEP_TICKS`].
#![forbid(unsafe_code)]

mod bucket;
mod gate;
#[cfg(not(loom))]
mod place;
#[cfg(not(loom))]
mod reader;
#[cfg(not(loom))]
mod room;
mod state;
mod sync;
#[cfg(not(loom))]
mod table;
mod value;

pub use bucket::{ENTRIES_PER_BUCKET, HOT_BYTES_PER_ENTRY};
pub use gate::Gate;
#[cfg(not(loom))]
pub use place::{Full, Inserted, Peek, Place, Probe, Slot};
#[cfg(not(loom))]
pub use reader::{FlowReader, FlowRecord};
pub use state::{Silences, State};
#[cfg(not(loom))]
pub use table::{COLD_BYTES_PER_ENTRY, ENTRIES_MAX, ENTRIES_MIN, FlowTable, SWEEP_TICKS, TableError};
pub use value::{Epoch, Value};
