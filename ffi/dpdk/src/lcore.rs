//! Threads: making a Rust thread known to DPDK, and tying one to a core.

use std::fmt;
use std::marker::PhantomData;

use dpdk_sys as sys;

use crate::log;
use crate::pool::Mempool;

/// What `rte_lcore_id` says of a thread that DPDK does not know.
const NO_LCORE: u32 = u32::MAX;

/// Why a thread could not be registered or pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LcoreError {
    /// DPDK's reason: all its lcores are taken, or the EAL has not started.
    Register(String),
    /// The core, and why this process may not run on it.
    Pin(usize, String),
}

impl fmt::Display for LcoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register(reason) => write!(f, "DPDK did not take the thread as an lcore: {reason}"),
            Self::Pin(core, reason) => write!(f, "the thread cannot be tied to core {core}: {reason}"),
        }
    }
}

impl std::error::Error for LcoreError {}

/// This thread is an lcore for as long as this lives.
///
/// Without one a thread uses pools rightly but at half the speed, because pools keep their caches by
/// lcore. The guard neither moves nor is shared between threads: what it undoes is the thread's own.
#[derive(Debug)]
pub struct Lcore {
    id: u32,
    /// Whether this guard made the registration, and so ends it.
    owned: bool,
    _this_thread: PhantomData<*const ()>,
}

impl Lcore {
    /// DPDK's number of the lcore; not the number of a CPU.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }
}

impl Drop for Lcore {
    fn drop(&mut self) {
        if self.owned {
            // Or what lies in the lcore's caches could not be had until another thread gets its number.
            Mempool::flush_all();
            // JUSTIFICATION: only DPDK can take its lcore back.
            // SAFETY: this thread made the registration (the guard is !Send) and ends it once.
            unsafe { sys::rte_thread_unregister() };
        }
    }
}

/// Makes the calling thread an lcore. On a thread that is one already the guard does nothing more.
///
/// # Errors
/// [`LcoreError::Register`].
pub fn register_thread() -> Result<Lcore, LcoreError> {
    // JUSTIFICATION: the lcore is a C thread-local.
    // SAFETY: no arguments; every thread may ask.
    let id = unsafe { sys::shim_lcore_id() };
    if id != NO_LCORE {
        return Ok(Lcore { id, owned: false, _this_thread: PhantomData });
    }
    // JUSTIFICATION: DPDK alone gives out lcores.
    // SAFETY: refused by DPDK itself before the EAL has started; after, any thread without an lcore
    // may call it.
    let (result, text) = log::keep(|| unsafe { sys::rte_thread_register() });
    if result != 0 {
        let otherwise = log::error_text(log::last_error());
        return Err(LcoreError::Register(log::reason(&text, &otherwise)));
    }
    // JUSTIFICATION: as above.
    // SAFETY: as above.
    let id = unsafe { sys::shim_lcore_id() };
    Ok(Lcore { id, owned: true, _this_thread: PhantomData })
}

/// Which CPUs the calling thread may run on.
pub(crate) fn affinity() -> Option<libc::cpu_set_t> {
    // JUSTIFICATION: cpu_set_t is a plain C bit mask that std does not offer.
    // SAFETY: all zeros is a valid (empty) mask, and the kernel writes at most its size.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let result = libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set);
        (result == 0).then_some(set)
    }
}

/// The first of these CPUs.
pub(crate) fn first_core(set: &libc::cpu_set_t) -> Option<usize> {
    let most = usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
    // JUSTIFICATION: the mask's only reader is this C macro.
    // SAFETY: `core` is below CPU_SETSIZE, the number of bits of the mask.
    (0..most).find(|&core| unsafe { libc::CPU_ISSET(core, set) })
}

/// Lets the calling thread run on these CPUs only.
pub(crate) fn set_affinity(set: &libc::cpu_set_t) -> std::io::Result<()> {
    // JUSTIFICATION: std cannot pin threads.
    // SAFETY: `set` is a valid mask of the size named; 0 is the calling thread.
    let result = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), set) };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Ties the calling thread to one core.
///
/// # Errors
/// [`LcoreError::Pin`], and the thread runs where it ran.
pub fn pin_to_core(core: usize) -> Result<(), LcoreError> {
    if core >= usize::try_from(libc::CPU_SETSIZE).unwrap_or(0) {
        return Err(LcoreError::Pin(core, "there is no such core".to_owned()));
    }
    // JUSTIFICATION: the mask's only writer is this C macro.
    // SAFETY: all zeros is a valid mask, and `core` is below its number of bits.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        set
    };
    set_affinity(&set).map_err(|error| LcoreError::Pin(core, error.to_string()))
}
