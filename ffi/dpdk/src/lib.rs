//! Safe `Eal`, `Mempool`, `Mbuf`, `EthPort` and `Lcore` over DPDK.
//!
//! Architecture invariants, on which every SAFETY comment of this crate leans:
//!
//! * **What DPDK hands out lives as long as the process.** The EAL starts once; `rte_eal_cleanup` is
//!   never called and no pool is ever freed, so no order of drops can leave an [`Mbuf`] without its
//!   memory. Ports and rings are closed by their last owner.
//! * **An [`Mbuf`] is the only owner of its bytes**: unique reference count, bytes inside its own
//!   buffers, for every segment. Each way to come by one establishes this, and nothing here shares.
//! * **A queue has one owner.** [`EthQueue`] cannot be cloned, and a port can be opened once at a time.
#![allow(unsafe_code, reason = "this crate is the border to C")]

mod clock;
mod eal;
mod eth;
mod lcore;
mod log;
mod mbuf;
mod pool;
mod ring;
mod signals;

pub use eal::{Eal, EalConfig, EalError, Memory, MemoryMode, arguments};
pub use eth::{EthError, EthPort, EthQueue, EthStats, PortConfig, Takes};
pub use lcore::{Lcore, LcoreError, pin_to_core, register_thread};
pub use mbuf::Mbuf;
pub use pool::{Mempool, PoolConfig, PoolError};
pub use ring::{Feeder, RingPort};
pub use signals::{accept_driver_signals, block_driver_signals};

/// The release of DPDK that is linked in, such as `DPDK 22.11.11`.
#[must_use]
pub fn rte_version() -> &'static str {
    // JUSTIFICATION: only DPDK knows the release that was really linked.
    // SAFETY: the function builds the text in a static buffer, the same at every call, and never frees it.
    let text = unsafe { std::ffi::CStr::from_ptr(dpdk_sys::rte_version()) };
    text.to_str().unwrap_or("DPDK of unknown release")
}

/// The drivers linked into this binary, by DPDK's names: `net_null`, `mempool_ring`, `bus_vdev`.
pub fn drivers() -> impl Iterator<Item = &'static str> {
    dpdk_sys::drivers()
}
