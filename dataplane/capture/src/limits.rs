//! The limits of a capture file, and how they relate.

/// The largest file that is read: 2 GiB. The file is held in memory while it is replayed.
pub const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// The most packets that are indexed: an index of 24 bytes a packet then stays below 1 GiB.
pub const RECORDS_MAX: usize = 33_554_432;

/// The largest packet, read or written: what libpcap calls the maximum snap length. A record that
/// claims more is damaged.
pub const PACKET_BYTES_MAX: u32 = 262_144;

/// The most interfaces of all sections of a pcapng file together.
pub const INTERFACES_MAX: usize = 4_096;

/// The most faults that are kept with their place. All are counted.
pub const FAULTS_MAX: usize = 1_024;

// An offset into the file fits into the index's 32 bits.
const _: () = assert!(FILE_BYTES_MAX <= u32::MAX as u64);
// A file of minimum-size frames without gaps (16 + 60 bytes a record) can be indexed whole.
const _: () = assert!(FILE_BYTES_MAX / (16 + 60) <= RECORDS_MAX as u64);
const _: () = assert!((PACKET_BYTES_MAX as u64) < FILE_BYTES_MAX);
