//! Ports and their queues.

use std::any::Any;
use std::collections::BTreeSet;
use std::ffi::{CStr, CString, c_char};
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dpdk_sys as sys;
use port::{BURST_MAX, Burst, Port, Tick};
use sys::{rte_mbuf, shim_step};

use crate::eal::{Eal, device_name};
use crate::mbuf::Mbuf;
use crate::pool::Mempool;
use crate::{clock, log};

/// The ports that are open. Its lock is also held while a port is opened or closed: DPDK does not want
/// two of its control calls at once.
static OPEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// Software drivers known to hand out only mbufs that they allocated themselves for this one packet
/// or that `tx_burst` or a `Feeder` gave them (net_pcap's `infinite_rx` copies too). Packets of any other
/// driver are checked one by one, which costs 0.7 ns each where nothing else has touched the mbuf.
const FRESH: [&str; 5] = ["net_null", "net_ring", "net_pcap", "net_af_packet", "net_tap"];

/// How a port is to be opened.
#[derive(Clone, Debug)]
pub struct PortConfig<'a> {
    /// Pairs of one Rx and one Tx queue.
    pub queues: u16,
    /// Descriptors per Rx queue; adjusted to what the driver can do.
    pub rx_descriptors: u16,
    /// Descriptors per Tx queue; adjusted to what the driver can do.
    pub tx_descriptors: u16,
    /// Bytes; none leaves what the driver has.
    pub mtu: Option<u16>,
    /// Whether to take frames for other MAC addresses too; drivers that cannot tell pass everything.
    pub promiscuous: bool,
    /// Where received packets go: one pool per queue, or one for all.
    pub pools: &'a [Mempool],
}

impl<'a> PortConfig<'a> {
    /// One queue of 512 descriptors, the driver's MTU, promiscuous.
    #[must_use]
    pub const fn new(pools: &'a [Mempool]) -> Self {
        Self { queues: 1, rx_descriptors: 512, tx_descriptors: 512, mtu: None, promiscuous: true, pools }
    }
}

/// Why a port could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EthError {
    /// There is no such device.
    Unknown(String),
    /// Somebody has it.
    Open(String),
    /// Queues and pools do not go together.
    Pools {
        /// The device's name.
        device: String,
        /// Queues asked for.
        queues: u16,
        /// Pools given.
        pools: usize,
    },
    /// DPDK or the driver refused.
    Refused {
        /// The device's name.
        device: String,
        /// What was being done.
        step: &'static str,
        /// DPDK's reason.
        reason: String,
    },
}

impl fmt::Display for EthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(device) => write!(f, "there is no device {device}"),
            Self::Open(device) => write!(f, "device {device} is open already"),
            Self::Pools { device, queues, pools } => {
                write!(f, "device {device}: {pools} pools for {queues} queues; one for each, or one for all")
            }
            Self::Refused { device, step, reason } => write!(f, "device {device}, {step}: {reason}"),
        }
    }
}

impl std::error::Error for EthError {}

/// How a port came to take frames for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Takes {
    /// It had it already.
    Own,
    /// It is the port's own now.
    Set,
    /// The driver does not set it, and takes frames to any address now.
    All,
    /// The driver does neither, and this is why: right where it does not look at addresses, as most software
    /// drivers do not.
    Neither(String),
}

/// What a port's driver has counted since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EthStats {
    /// Packets received.
    pub rx_packets: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets lost because nobody polled in time.
    pub rx_missed: u64,
    /// Packets received with faults.
    pub rx_errors: u64,
    /// Packets that could not be sent.
    pub tx_errors: u64,
    /// Packets for which there was no mbuf: as the driver counts them, and those that it handed out shared and that
    /// could not be copied.
    pub rx_no_mbuf: u64,
}

/// The number of the port that a device has, if it has one.
pub(crate) fn port_by_name(name: &str) -> Option<u16> {
    let name = CString::new(name).ok()?;
    let mut port = 0;
    // JUSTIFICATION: only DPDK knows.
    // SAFETY: the name ends in zero, and `port` is a place for the answer.
    let result = unsafe { sys::rte_eth_dev_get_port_by_name(name.as_ptr(), &raw mut port) };
    (result == 0).then_some(port)
}

/// An open, started port; closed when this and all its queues are gone.
struct Inner {
    port: u16,
    device: String,
    /// Packets that were shared and could not be copied. No driver that we link hands out such.
    lost: AtomicU64,
    /// What must not go before the port is closed, such as the rings below it. Dropped after `drop`.
    _beneath: Option<Arc<dyn Any + Send + Sync>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, _text) = log::keep(|| {
            // JUSTIFICATION: ports are closed by DPDK.
            // SAFETY: the port is open and ours; no queue is left to poll it, for each holds this Inner.
            unsafe {
                sys::rte_eth_dev_stop(self.port);
                sys::rte_eth_dev_close(self.port);
            }
        });
        open.remove(&self.port);
    }
}

/// A port: the side that is asked, not polled. Copies are of the same port; the last of them and of its
/// queues to be dropped stops and closes it, so no queue can be used after that.
#[derive(Clone)]
pub struct EthPort {
    inner: Arc<Inner>,
}

impl fmt::Debug for EthPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EthPort").field("port", &self.inner.port).field("device", &self.inner.device).finish()
    }
}

impl EthPort {
    /// Opens and starts a device that the EAL was started with, or that was plugged later, named as
    /// there (`net_pcap0`, what follows a comma is not looked at; `0000:03:00.0`).
    ///
    /// # Errors
    /// [`EthError`], with the driver's reason.
    pub fn open(
        _eal: &Eal,
        device: &str,
        config: &PortConfig<'_>,
    ) -> Result<(Self, Vec<EthQueue>), EthError> {
        let name = device_name(device);
        let port = port_by_name(name).ok_or_else(|| EthError::Unknown(name.to_owned()))?;
        Self::open_number(port, name, config, None)
    }

    /// Opens a port by number, over something that must outlive it.
    pub(crate) fn open_number(
        port: u16,
        device: &str,
        config: &PortConfig<'_>,
        beneath: Option<Arc<dyn Any + Send + Sync>>,
    ) -> Result<(Self, Vec<EthQueue>), EthError> {
        let pools = pools_by_queue(device, config)?;
        let room = config.pools.iter().map(Mempool::room).min().unwrap_or(0);
        let shim_conf = sys::shim_port_conf {
            queues: config.queues,
            rx_descriptors: config.rx_descriptors,
            tx_descriptors: config.tx_descriptors,
            mtu: config.mtu.unwrap_or(0),
            room,
            promiscuous: u8::from(config.promiscuous),
        };
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if open.contains(&port) {
            return Err(EthError::Open(device.to_owned()));
        }
        let mut step = shim_step::SHIM_STEP_NONE;
        let (result, text) = log::keep(|| {
            // JUSTIFICATION: ports are opened by DPDK.
            // SAFETY: the port exists and is not open, `pools` has one live pool per queue, and the
            // shim reads and writes nothing else.
            unsafe { sys::shim_port_open(port, &raw const shim_conf, pools.as_ptr(), &raw mut step) }
        });
        if result != 0 {
            let reason = log::reason(&text, &log::error_text(result));
            return Err(EthError::Refused { device: device.to_owned(), step: step_name(step), reason });
        }
        open.insert(port);
        drop(open);
        let inner =
            Arc::new(Inner { port, device: device.to_owned(), lost: AtomicU64::new(0), _beneath: beneath });
        let port_handle = Self { inner };
        let checked = !FRESH.contains(&port_handle.driver().as_str());
        let queue = |queue| EthQueue { port, queue, checked, inner: Arc::clone(&port_handle.inner) };
        let queues = (0..config.queues).map(queue).collect();
        Ok((port_handle, queues))
    }

    /// The device's name.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.inner.device
    }

    /// The driver's name: `net_pcap`.
    #[must_use]
    pub fn driver(&self) -> String {
        let mut text = [0_u8; 64];
        // JUSTIFICATION: only DPDK knows.
        // SAFETY: the shim writes at most as many bytes as are named, the zero included.
        let _ =
            unsafe { sys::shim_port_driver(self.inner.port, text.as_mut_ptr().cast::<c_char>(), text.len()) };
        CStr::from_bytes_until_nul(&text).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The port's MAC address.
    #[must_use]
    pub fn mac(&self) -> [u8; 6] {
        let mut mac = [0; 6];
        // JUSTIFICATION: only the driver knows.
        // SAFETY: the shim writes six bytes, or none.
        let _ = unsafe { sys::shim_port_mac(self.inner.port, mac.as_mut_ptr()) };
        mac
    }

    /// Has the port take frames to this address, by making it its own or, where the driver refuses, by taking all.
    #[must_use = "a port may do neither"]
    pub fn take_address(&self, mac: [u8; 6]) -> Takes {
        if self.mac() == mac {
            return Takes::Own;
        }
        let port = self.inner.port;
        let (result, text) = log::keep(|| {
            // JUSTIFICATION: only the driver can tell the NIC.
            // SAFETY: the port is open and ours, and the shim reads six bytes.
            unsafe { sys::shim_port_set_mac(port, mac.as_ptr()) }
        });
        if result == 0 {
            return Takes::Set;
        }
        let (all, _) = log::keep(|| {
            // JUSTIFICATION: only the driver can tell the NIC.
            // SAFETY: the port is open and ours.
            unsafe { sys::shim_port_promiscuous(port) }
        });
        if all == 0 {
            return Takes::All;
        }
        Takes::Neither(log::reason(&text, &log::error_text(result)))
    }

    /// What the driver counted. Drivers count without a lock: right when the queues rest.
    #[must_use]
    pub fn stats(&self) -> EthStats {
        let mut stats = MaybeUninit::<sys::shim_port_stats>::zeroed();
        // JUSTIFICATION: only the driver knows.
        // SAFETY: the shim fills the struct or leaves it, and zeros are a valid one.
        let stats = unsafe {
            let _ = sys::shim_port_stats(self.inner.port, stats.as_mut_ptr());
            stats.assume_init()
        };
        EthStats {
            rx_packets: stats.rx_packets,
            tx_packets: stats.tx_packets,
            rx_bytes: stats.rx_bytes,
            tx_bytes: stats.tx_bytes,
            rx_missed: stats.rx_missed,
            rx_errors: stats.rx_errors,
            tx_errors: stats.tx_errors,
            rx_no_mbuf: stats.rx_no_mbuf.saturating_add(self.inner.lost.load(Ordering::Relaxed)),
        }
    }
}

/// One pool per queue, as DPDK takes them.
fn pools_by_queue(device: &str, config: &PortConfig<'_>) -> Result<Vec<*mut sys::rte_mempool>, EthError> {
    let queues = usize::from(config.queues);
    match config.pools {
        [pool] if queues > 0 => Ok(vec![pool.as_ptr(); queues]),
        pools if queues > 0 && pools.len() == queues => Ok(pools.iter().map(Mempool::as_ptr).collect()),
        pools => {
            Err(EthError::Pools { device: device.to_owned(), queues: config.queues, pools: pools.len() })
        }
    }
}

const fn step_name(step: shim_step::Type) -> &'static str {
    match step {
        shim_step::SHIM_STEP_INFO => "asking for its limits",
        shim_step::SHIM_STEP_CONFIGURE => "setting its number of queues",
        shim_step::SHIM_STEP_MTU => "setting its MTU",
        shim_step::SHIM_STEP_RX_QUEUE => "setting up a receive queue",
        shim_step::SHIM_STEP_TX_QUEUE => "setting up a transmit queue",
        shim_step::SHIM_STEP_START => "starting it",
        _ => "opening it",
    }
}

/// One pair of queues of one port, polled by its owner.
///
/// It is not `Clone` and polling takes `&mut`, so no two threads poll it; it is `Send`, because a
/// queue is bound to no thread, only to one at a time. It keeps its port open.
pub struct EthQueue {
    port: u16,
    queue: u16,
    /// Whether the driver might hand out shared mbufs, see [`FRESH`].
    pub(crate) checked: bool,
    inner: Arc<Inner>,
}

impl fmt::Debug for EthQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EthQueue").field("port", &self.port).field("queue", &self.queue).finish()
    }
}

impl EthQueue {
    /// The queue's number within its port.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.queue
    }

    /// The device's name.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.inner.device
    }
}

impl Port for EthQueue {
    type Packet = Mbuf;

    #[inline]
    fn rx_burst(&mut self, into: &mut Burst<Mbuf>) -> Tick {
        let room = into.room();
        if room == 0 {
            return clock::now();
        }
        let mut raw = [MaybeUninit::<NonNull<rte_mbuf>>::uninit(); BURST_MAX];
        let most = u16::try_from(room).unwrap_or(0);
        // JUSTIFICATION: the driver writes bare pointers.
        // SAFETY: the port is started while `inner` lives, `&mut self` makes us the queue's only
        // poller, and `raw` has room for BURST_MAX >= room pointers.
        let count = unsafe { sys::rx_burst(self.port, self.queue, raw.as_mut_ptr().cast(), most) };
        let received = raw.get(..usize::from(count)).unwrap_or(&[]);
        // JUSTIFICATION: as above.
        // SAFETY: the driver wrote the first `count` pointers, none null, to live mbufs now ours.
        let received = unsafe { received.assume_init_ref() };
        // JUSTIFICATION: the check reads mbufs that are not yet Mbufs.
        // SAFETY: each is live and ours, see above.
        if !self.checked || received.iter().all(|&mbuf| unsafe { Mbuf::is_plain(mbuf) }) {
            // JUSTIFICATION: this is where bare mbufs become owned ones.
            // SAFETY: live and ours (above), each segment with one reference and its own bytes: as the
            // driver makes them, or just checked. `received` is not used again.
            into.extend(received.iter().map(|&mbuf| unsafe { Mbuf::from_raw(mbuf) }));
        } else {
            self.inner.lost.fetch_add(admit_all(received, into), Ordering::Relaxed);
        }
        clock::now()
    }

    #[inline]
    fn tx_burst(&mut self, from: &mut Burst<Mbuf>) {
        send_front(from, |mbufs, count| {
            // JUSTIFICATION: the driver takes bare pointers.
            // SAFETY: the port is started while `inner` lives, `&mut self` makes us the queue's only
            // user, and `send_front` gives `count` mbufs that are ours to give.
            unsafe { sys::tx_burst(self.port, self.queue, mbufs, count) }
        });
    }

    #[inline]
    fn free_burst(&mut self, from: &mut Burst<Mbuf>) {
        free(from);
    }
}

/// Takes over packets among which some are chains or shared; gives how many were lost.
#[cold]
fn admit_all(received: &[NonNull<rte_mbuf>], into: &mut Burst<Mbuf>) -> u64 {
    let mut lost = 0;
    for &mbuf in received {
        // JUSTIFICATION: as in rx_burst.
        // SAFETY: each is live and ours, and given up here, once.
        match unsafe { Mbuf::admit(mbuf) } {
            // There is room: no more than that was asked for.
            Some(packet) => drop(into.push(packet)),
            None => lost += 1,
        }
    }
    lost
}

/// Offers the burst's packets to `take` as DPDK's array of pointers, and lets go of as many from the
/// front as it says it took.
#[inline]
pub(crate) fn send_front(from: &mut Burst<Mbuf>, take: impl FnOnce(*mut *mut rte_mbuf, u16) -> u16) {
    let count = u16::try_from(from.len()).unwrap_or(u16::MAX);
    if count == 0 {
        return;
    }
    // Mbuf is a transparent NonNull<rte_mbuf>, so a slice of them is DPDK's array of pointers.
    let taken = take(from.as_mut_slice().as_mut_ptr().cast(), count);
    from.drain_front(usize::from(taken)).for_each(std::mem::forget);
}

/// Frees a whole burst with one call.
#[inline]
pub(crate) fn free(from: &mut Burst<Mbuf>) {
    send_front(from, |mbufs, count| {
        // JUSTIFICATION: one call to C per burst instead of one per packet.
        // SAFETY: `send_front` gives `count` mbufs that are ours to give.
        unsafe { sys::rte_pktmbuf_free_bulk(mbufs, u32::from(count)) };
        count
    });
}
