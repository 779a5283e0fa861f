//! Shared memory: sealed memfds, SPSC rings of 64-byte records, counter pages.
