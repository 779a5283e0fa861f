//! Pools of mbufs.

use std::ffi::CString;
use std::fmt;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

use dpdk_sys as sys;

use crate::eal::Eal;
use crate::log;
use crate::mbuf::Mbuf;

/// The bytes in front of a packet's data that `rte_pktmbuf_alloc` leaves free (`RTE_PKTMBUF_HEADROOM`).
pub(crate) const HEADROOM: u16 = 128;

/// The most mbufs that a pool keeps at hand for one lcore (`RTE_MEMPOOL_CACHE_MAX_SIZE`).
const CACHE_MAX: u32 = 512;

/// All pools of the process, for the account at exit.
static POOLS: Mutex<Vec<Mempool>> = Mutex::new(Vec::new());

/// How a pool is to be made.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// At most 25 bytes, and no two pools of one name.
    pub name: String,
    /// How many mbufs it holds.
    pub mbufs: u32,
    /// Bytes of data that one mbuf takes; 128 bytes of headroom come on top.
    pub room: u16,
    /// How many mbufs each lcore keeps at hand; brought down where the pool is too small for it. What
    /// lies at hand of one lcore cannot be had by another until its [`crate::Lcore`] is dropped.
    pub cache: u32,
}

impl PoolConfig {
    /// A pool of ordinary mbufs: room for 2048 bytes, 512 at hand.
    #[must_use]
    pub fn new(name: &str, mbufs: u32) -> Self {
        Self { name: name.to_owned(), mbufs, room: 2048, cache: CACHE_MAX }
    }

    /// The cache that such a pool can have: DPDK wants one and a half caches to fit.
    fn cache_fitting(&self) -> u32 {
        self.cache.min(CACHE_MAX).min(self.mbufs / 2)
    }
}

/// Why there is no pool: DPDK's reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolError {
    name: String,
    mbufs: u32,
    reason: String,
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no pool {} of {} mbufs could be made: {}", self.name, self.mbufs, self.reason)
    }
}

impl std::error::Error for PoolError {}

/// A pool of mbufs.
///
/// Copies name the same pool. A pool is never freed, so that neither a copy nor an mbuf of it can be
/// left behind; what a process needs, it makes once.
#[derive(Clone, Copy, Debug)]
pub struct Mempool {
    pool: NonNull<sys::rte_mempool>,
    room: u16,
}

// JUSTIFICATION: every worker takes mbufs from the pool and gives them back.
// SAFETY: the pool's ring is made for many producers and consumers, its caches are by lcore, and
// DPDK gives an lcore to one thread at a time. The pool lives as long as the process.
unsafe impl Send for Mempool {}
// JUSTIFICATION: as for Send.
// SAFETY: as for Send: all methods but Debug go to DPDK's own synchronised functions.
unsafe impl Sync for Mempool {}

impl Mempool {
    /// Makes a pool. Where no port is a PCI device, objects may cross pages, which is what keeps pools
    /// on 4 KiB pages fast; see the shim.
    ///
    /// # Errors
    /// [`PoolError`], with DPDK's reason: memory is short, or the name is taken.
    pub fn new(eal: &Eal, config: &PoolConfig) -> Result<Self, PoolError> {
        let fail = |reason: String| PoolError { name: config.name.clone(), mbufs: config.mbufs, reason };
        let Ok(name) = CString::new(config.name.as_str()) else {
            return Err(fail("its name holds a zero byte".to_owned()));
        };
        let Some(room) = config.room.checked_add(HEADROOM) else {
            return Err(fail(format!("{} bytes of room are too many", config.room)));
        };
        let software = i32::from(!eal.has_pci());
        let (made, text) = log::keep(|| {
            // JUSTIFICATION: pools are made by DPDK.
            // SAFETY: the EAL has started (`eal` shows it), and the name is copied by DPDK.
            unsafe {
                sys::shim_pool_create(name.as_ptr(), config.mbufs, config.cache_fitting(), room, software)
            }
        });
        let Some(pool) = NonNull::new(made) else {
            let otherwise = log::error_text(log::last_error());
            return Err(fail(log::reason(&text, &otherwise)));
        };
        let pool = Self { pool, room: config.room };
        POOLS.lock().unwrap_or_else(PoisonError::into_inner).push(pool);
        Ok(pool)
    }

    /// Takes an empty mbuf, or none when the pool is exhausted.
    #[must_use]
    pub fn alloc(&self) -> Option<Mbuf> {
        // JUSTIFICATION: rte_pktmbuf_alloc is a static inline.
        // SAFETY: the pool is a live pktmbuf pool.
        let raw = NonNull::new(unsafe { sys::shim_mbuf_alloc(self.as_ptr()) })?;
        // JUSTIFICATION: an mbuf is owned by whoever holds its pointer.
        // SAFETY: DPDK gave it to us alone: count 1, direct, one segment.
        Some(unsafe { Mbuf::from_raw(raw) })
    }

    /// Gives back what all pools keep at hand for the calling thread, which is about to end.
    pub(crate) fn flush_all() {
        for pool in POOLS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // JUSTIFICATION: the cache is DPDK's.
            // SAFETY: the pool is live, and the cache is the one of the calling thread's own lcore.
            unsafe { sys::shim_pool_flush(pool.as_ptr()) };
        }
    }

    /// How many mbufs are out: with packets on their way, in queues of ports, or leaked. Right when
    /// no other thread is at work on the pool.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        // JUSTIFICATION: only the pool knows.
        // SAFETY: the pool is live; the count is read without a lock and changes nothing.
        unsafe { sys::rte_mempool_in_use_count(self.as_ptr()) }
    }

    /// Bytes of data that one of its mbufs takes.
    #[must_use]
    pub const fn room(&self) -> u16 {
        self.room
    }

    pub(crate) const fn as_ptr(&self) -> *mut sys::rte_mempool {
        self.pool.as_ptr()
    }

    /// Mbufs that are out, of all pools together.
    pub(crate) fn in_use_in_all() -> u64 {
        let pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        pools.iter().map(|pool| u64::from(pool.in_use())).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::PoolConfig;

    #[test]
    fn a_cache_never_outgrows_its_pool() {
        for mbufs in [0, 1, 2, 63, 1000, 1 << 20] {
            let cache = PoolConfig::new("pool", mbufs).cache_fitting();
            assert!(cache <= 512 && cache.saturating_mul(3) / 2 <= mbufs, "{mbufs} mbufs, {cache} at hand");
        }
    }
}
