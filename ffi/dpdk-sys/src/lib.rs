//! Bindings to the system's DPDK, narrowly allow-listed.
//!
//! Three kinds of things are here: functions that bindgen read from the headers, the functions of
//! `shim.c` for what is a static inline or a thread local in C, and [`rx_burst`] and [`tx_burst`],
//! re-stated in Rust because they are the two calls that the compiler must see through. The safe
//! interface, and all argument why it is safe, is the crate `dpdk`.
#![allow(unsafe_code, reason = "the whole crate is the border to C")]

#[cfg(test)]
mod version;

use core::ffi::c_void;
use core::marker::PhantomData;
use core::ptr;

/// A type of DPDK's that is only ever pointed to.
macro_rules! opaque {
    ($($name:ident: $what:literal),*) => {$(
        #[doc = $what]
        #[allow(non_camel_case_types, reason = "DPDK's own name")]
        #[repr(C)]
        #[derive(Debug)]
        pub struct $name {
            _bytes: [u8; 0],
            // Neither Send nor Sync: the safe crate says where it may go, and why.
            _pointer: PhantomData<*mut u8>,
        }
    )*};
}

opaque! {
    rte_mbuf: "A packet, or a segment of one.",
    rte_mempool: "A pool of mbufs.",
    rte_ring: "A ring of pointers."
}

#[allow(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    dead_code,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "written by bindgen in the words of DPDK, whose own documentation it is under"
)]
mod bindings {
    use super::{rte_mbuf, rte_mempool, rte_ring};

    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use bindings::*;

/// The drivers linked into this binary, in the words of DPDK's archives: `net_null`, `bus_vdev`.
pub fn drivers() -> impl Iterator<Item = &'static str> {
    env!("DPDK_SYS_DRIVERS").split_whitespace()
}

/// `rte_eth_rx_burst`: takes at most `count` packets from a queue and gives how many came.
///
/// # Safety
/// `port` is started and has the queue, nobody else polls that queue meanwhile, and `mbufs` has room
/// for `count` pointers.
#[inline]
pub unsafe fn rx_burst(port: u16, queue: u16, mbufs: *mut *mut rte_mbuf, count: u16) -> u16 {
    // JUSTIFICATION: this is DPDK's per-port table of function pointers; a call through C instead
    // costs some 3 ns per burst.
    // SAFETY: by the caller's promise the port is below RTE_MAX_ETHPORTS and started, so that its
    // entry holds a function and the queue's data. The entry's callback slot is null or ours to pass on.
    unsafe {
        let ops = ptr::addr_of_mut!(rte_eth_fp_ops).cast::<rte_eth_fp_ops>().add(usize::from(port));
        let Some(receive) = (*ops).rx_pkt_burst else { return 0 };
        let data = *(*ops).rxq.data.add(usize::from(queue));
        let received = receive(data, mbufs, count);
        let callback = *(*ops).rxq.clbk.cast::<*mut c_void>().add(usize::from(queue));
        if callback.is_null() {
            received
        } else {
            rte_eth_call_rx_callbacks(port, queue, mbufs, received, count, callback)
        }
    }
}

/// `rte_eth_tx_burst`: hands over at most `count` packets from the front and gives how many went.
///
/// # Safety
/// `port` is started and has the queue, nobody else sends on that queue meanwhile, and `mbufs` points
/// to `count` packets that the caller owns. The packets counted in the answer are no longer the
/// caller's.
#[inline]
pub unsafe fn tx_burst(port: u16, queue: u16, mbufs: *mut *mut rte_mbuf, count: u16) -> u16 {
    // JUSTIFICATION: as for rx_burst.
    // SAFETY: as for rx_burst.
    unsafe {
        let ops = ptr::addr_of_mut!(rte_eth_fp_ops).cast::<rte_eth_fp_ops>().add(usize::from(port));
        let Some(send) = (*ops).tx_pkt_burst else { return 0 };
        let data = *(*ops).txq.data.add(usize::from(queue));
        let callback = *(*ops).txq.clbk.cast::<*mut c_void>().add(usize::from(queue));
        let count = if callback.is_null() {
            count
        } else {
            rte_eth_call_tx_callbacks(port, queue, mbufs, count, callback)
        };
        send(data, mbufs, count)
    }
}
