//! What the machine offers and the language does not: prefetch, the cycle counter, huge pages, AES
//! instructions and a count of allocations, each behind a safe call. No policy: which memory is worth a huge
//! page and what is hashed under which key are the callers' business.
#![allow(unsafe_code, reason = "an ffi crate: its unsafe is what lets the crates above forbid theirs")]

mod allocation;
mod clock;
mod cpu;
mod lanes;
mod pages;
mod prefetch;
mod prf;

pub use allocation::{CountingAllocator, allocations, thread_allocations};
pub use clock::{cycles, cycles_per_second, thread_cpu_nanos};
pub use cpu::{MissingFeature, cpu_supports_build};
pub use lanes::equal_lanes;
pub use pages::{HUGE_PAGE_BYTES, PageKind, Pages};
pub use prefetch::{prefetch, prefetch_index, prefetch_write};
pub use prf::Prf;
