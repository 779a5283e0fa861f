//! A port over rings: DPDK's own driver and mbufs, with us at the other end of the wire.

use std::ffi::CString;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dpdk_sys as sys;
use port::{BURST_MAX, Burst};
use sys::{rte_mbuf, rte_ring};

use crate::eal::Eal;
use crate::eth::{EthError, EthPort, EthQueue, PortConfig, send_front};
use crate::log;
use crate::mbuf::Mbuf;
use crate::pool::Mempool;

/// Makes rings' names differ.
static NEXT_RING: AtomicU64 = AtomicU64::new(0);

/// Queues that `net_ring` can have (`RTE_PMD_RING_MAX_RX_RINGS`).
const QUEUES_MAX: u16 = 16;

/// A ring of mbufs, which holds what it owns: mbufs left in it are freed with it.
///
/// Shared by its two ends. Each end is one value that is not `Clone` and works by `&mut`
/// ([`Feeder`], [`EthQueue`]), so there is one producer and one consumer, as the ring is made for.
struct Ring(NonNull<rte_ring>);

// JUSTIFICATION: the two ends are on two threads.
// SAFETY: an rte_ring is made to be used by one producer and one consumer on different threads, which
// is what its two owners are; the last of them frees it.
unsafe impl Send for Ring {}
// JUSTIFICATION: as for Send.
// SAFETY: as for Send.
unsafe impl Sync for Ring {}

impl Ring {
    fn new(size: u32) -> Result<Self, String> {
        let number = NEXT_RING.fetch_add(1, Ordering::Relaxed);
        let name = CString::new(format!("penstock_{number}")).map_err(|error| error.to_string())?;
        let (made, text) = log::keep(|| {
            // JUSTIFICATION: rings that DPDK's driver uses are DPDK's.
            // SAFETY: the EAL has started; the name is copied.
            unsafe { sys::shim_ring_create(name.as_ptr(), size) }
        });
        NonNull::new(made).map(Self).ok_or_else(|| log::reason(&text, &log::error_text(log::last_error())))
    }

    /// Puts packets in from the front of the burst, as many as fit. Only the ring's one producer calls it.
    fn push(&self, from: &mut Burst<Mbuf>) {
        send_front(from, |mbufs, count| {
            // JUSTIFICATION: the enqueue is a static inline.
            // SAFETY: the ring is live, `send_front` gives `count` pointers that are ours to give, and
            // the callers see to it that there is one producer.
            let taken = unsafe {
                sys::shim_ring_enqueue(self.0.as_ptr(), mbufs.cast_const().cast(), u32::from(count))
            };
            u16::try_from(taken).unwrap_or(count)
        });
    }

    /// Takes packets out, as many as the burst has room for. Only the ring's one consumer calls it.
    fn pull(&self, into: &mut Burst<Mbuf>) {
        let mut raw = [std::ptr::null_mut::<rte_mbuf>(); BURST_MAX];
        let room = u32::try_from(into.room()).unwrap_or(0);
        // JUSTIFICATION: the dequeue is a static inline.
        // SAFETY: the ring is live, `raw` has room for BURST_MAX >= room pointers, and the callers see to
        // it that there is one consumer.
        let count = unsafe { sys::shim_ring_dequeue(self.0.as_ptr(), raw.as_mut_ptr().cast(), room) };
        let taken = raw.iter().take(count as usize).filter_map(|&mbuf| NonNull::new(mbuf));
        // JUSTIFICATION: what lies in a ring is bare pointers.
        // SAFETY: each was put in by `push` or by the driver's transmit function, both of which took it
        // from a burst of Mbufs and let go of it; it is live, alone on its bytes, and now ours.
        into.extend(taken.map(|mbuf| unsafe { Mbuf::from_raw(mbuf) }));
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let mut left = Burst::new();
        loop {
            self.pull(&mut left);
            if left.is_empty() {
                break;
            }
            crate::eth::free(&mut left);
        }
        // JUSTIFICATION: rings are freed by DPDK.
        // SAFETY: the last owner is gone, the port over the ring (if any) was closed before, and the ring
        // is empty.
        unsafe { sys::rte_ring_free(self.0.as_ptr()) };
    }
}

/// The rings of one queue, named as the port sees them.
struct Pair {
    rx: Ring,
    tx: Ring,
}

/// The far end of one queue: what is pushed here the queue receives, what the queue sends is pulled here.
///
/// One owner: not `Clone`, and both ways take `&mut`. `Send`.
pub struct Feeder {
    pairs: Arc<Vec<Pair>>,
    queue: usize,
}

impl std::fmt::Debug for Feeder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feeder").field("queue", &self.queue).finish()
    }
}

impl Feeder {
    /// Lets the queue receive these packets, in order; what does not fit stays in the burst.
    pub fn push(&mut self, from: &mut Burst<Mbuf>) {
        if let Some(pair) = self.pairs.get(self.queue) {
            pair.rx.push(from);
        }
    }

    /// Appends what the queue has sent, in order, as far as there is room.
    pub fn pull(&mut self, into: &mut Burst<Mbuf>) {
        if let Some(pair) = self.pairs.get(self.queue) {
            pair.tx.pull(into);
        }
    }
}

/// A `net_ring` port with its far ends.
#[derive(Debug)]
pub struct RingPort {
    /// The port.
    pub port: EthPort,
    /// Its queues, for the workers.
    pub queues: Vec<EthQueue>,
    /// The far ends, one per queue in the same order.
    pub feeders: Vec<Feeder>,
}

impl RingPort {
    /// Makes a port of so many queues (at most 16), with rings of exactly `size` packets each way.
    /// A name serves once in a process: DPDK keeps it when the port is closed.
    ///
    /// # Errors
    /// [`EthError`], with DPDK's reason.
    pub fn new(_eal: &Eal, name: &str, queues: u16, size: u32, pool: Mempool) -> Result<Self, EthError> {
        let refuse = |step, reason| EthError::Refused { device: name.to_owned(), step, reason };
        if queues == 0 || queues > QUEUES_MAX {
            let reason = format!("{queues} are not between 1 and {QUEUES_MAX}");
            return Err(refuse("setting its number of queues", reason));
        }
        let pair = |_| Ok(Pair { rx: Ring::new(size)?, tx: Ring::new(size)? });
        let pairs = (0..queues).map(pair).collect::<Result<Vec<Pair>, String>>();
        let pairs = Arc::new(pairs.map_err(|reason| refuse("making its rings", reason))?);
        let number = from_rings(name, &pairs).map_err(|reason| refuse("making it", reason))?;
        let config = PortConfig { queues, ..PortConfig::new(std::slice::from_ref(&pool)) };
        let beneath: Arc<Vec<Pair>> = Arc::clone(&pairs);
        // A port that cannot be opened stays with DPDK, so its rings must stay too.
        let (port, eth_queues) = EthPort::open_number(number, name, &config, Some(beneath))
            .inspect_err(|_| std::mem::forget(Arc::clone(&pairs)))?;
        let feeders =
            (0..usize::from(queues)).map(|queue| Feeder { pairs: Arc::clone(&pairs), queue }).collect();
        Ok(Self { port, queues: eth_queues, feeders })
    }
}

/// Makes DPDK's port over the rings, and gives its number.
fn from_rings(name: &str, pairs: &[Pair]) -> Result<u16, String> {
    let c_name = CString::new(name).map_err(|error| error.to_string())?;
    let rx: Vec<*mut rte_ring> = pairs.iter().map(|pair| pair.rx.0.as_ptr()).collect();
    let tx: Vec<*mut rte_ring> = pairs.iter().map(|pair| pair.tx.0.as_ptr()).collect();
    let queues = u32::try_from(pairs.len()).map_err(|error| error.to_string())?;
    let (number, text) = log::keep(|| {
        // JUSTIFICATION: the port is DPDK's.
        // SAFETY: the rings are live and outlive the port (Inner holds them), both arrays have `queues`
        // entries and are copied, as is the name.
        unsafe { sys::shim_port_from_rings(c_name.as_ptr(), rx.as_ptr(), tx.as_ptr(), queues) }
    });
    u16::try_from(number).map_err(|_| log::reason(&text, &log::error_text(log::last_error())))
}

#[cfg(test)]
mod tests {
    use port::{Burst, Packet, Port};

    use super::RingPort;
    use crate::{Eal, EalConfig, Mbuf, MemoryMode, Mempool, PoolConfig};

    /// The only unit test that starts the EAL, which a process can do once.
    #[test]
    fn a_shared_mbuf_from_a_port_arrives_as_a_copy_or_not_at_all() {
        let config = EalConfig { memory: MemoryMode::Off, memory_mb: 32, ..EalConfig::default() };
        let eal = Eal::start(&config).unwrap();
        let pool = Mempool::new(&eal, &PoolConfig { cache: 0, ..PoolConfig::new("shared", 8) }).unwrap();
        let RingPort { port, mut queues, mut feeders } = RingPort::new(&eal, "shared", 1, 8, pool).unwrap();
        let (mut queue, mut feeder) = (queues.pop().unwrap(), feeders.pop().unwrap());
        assert!(!queue.checked, "net_ring itself shares nothing, so the test must ask for the check");
        queue.checked = true;
        let (mut out, mut into) = (Burst::new(), Burst::new());

        // A plain packet, a shared one and a shared chain: what arrives has the bytes, in other places.
        let sent = [vec![1; 60], vec![2; 60], vec![3; 3000]];
        let mut kept = Vec::new();
        for (number, bytes) in sent.iter().enumerate() {
            let mut packet = Mbuf::from_bytes(&pool, bytes).unwrap();
            if number > 0 {
                kept.push(packet.shared_raw());
            }
            out.push(packet).unwrap();
        }
        feeder.push(&mut out);
        queue.rx_burst(&mut into);
        // JUSTIFICATION: the test plays the driver that kept a reference.
        // SAFETY: the port gave its reference back when it copied, so ours is the only one.
        let kept: Vec<Mbuf> = kept.into_iter().map(|raw| unsafe { Mbuf::from_raw(raw) }).collect();
        assert_eq!(into.len(), 3);
        let mut bytes = Vec::new();
        for (packet, expected) in into.as_slice().iter().zip(&sent) {
            bytes.clear();
            packet.copy_out(&mut bytes);
            assert_eq!(&bytes, expected);
            assert!(kept.iter().all(|other| other.data().as_ptr() != packet.data().as_ptr()));
        }
        assert_eq!(pool.in_use(), 1 + 2 + 2 * 2);
        queue.free_burst(&mut into);
        assert_eq!(pool.in_use(), 3);
        drop(kept);
        assert_eq!((pool.in_use(), port.stats().rx_no_mbuf), (0, 0));

        // With no mbuf to copy to, the packet is lost and counted.
        let mut packet = Mbuf::from_bytes(&pool, &[4; 60]).unwrap();
        let raw = packet.shared_raw();
        out.push(packet).unwrap();
        feeder.push(&mut out);
        let all: Vec<Mbuf> = std::iter::from_fn(|| pool.alloc()).collect();
        queue.rx_burst(&mut into);
        assert_eq!((into.len(), port.stats().rx_no_mbuf, all.len()), (0, 1, 7));
        // JUSTIFICATION: as above.
        // SAFETY: as above.
        drop(unsafe { Mbuf::from_raw(raw) });
        drop(all);
        assert_eq!(eal.mbufs_in_use(), 0);
    }
}
