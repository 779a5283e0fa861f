//! Beside the kernel: each port's twin, a tap interface of its name, and the ferry between them and the workers.
//!
//! What is not ours goes to the kernel as if it had come by the twin, and what the kernel sends by the twin leaves
//! by the port. So the kernel and its daemons live beside the load, with the port's own MAC address.

mod announce;
mod ferry;
pub(crate) mod way_back;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use conf::Config;
use dpdk::{Eal, EthPort, EthQueue, Mbuf, Mempool, PoolConfig, PortConfig};
use worker::{KernelEnd, kernel_rings};

use crate::failure::Failure;
use crate::kernel::announce::{Announcements, News, single_vips};
pub(crate) use crate::kernel::ferry::Carried;
use crate::kernel::ferry::Ferry;
use crate::limits::{FERRY_PACKETS, KERNEL_RING_PACKETS};

/// The longest that the ferry sleeps when nothing moves.
const SLEEP_MAX: Duration = Duration::from_millis(1);
/// The shortest.
const SLEEP_MIN: Duration = Duration::from_micros(50);
/// Turns without a packet before it sleeps.
const SPINS: u32 = 32;

/// The workers' ends, one for each.
pub(crate) type Ends = Vec<KernelEnd<Mbuf>>;

/// The twins of all ports that have one, and their ferry.
pub(crate) struct Beside {
    macs: Vec<[u8; 6]>,
    tell: Sender<News>,
    taps: Vec<EthPort>,
    is_over: Arc<AtomicBool>,
    carried: Arc<[Carried]>,
    ferry: JoinHandle<Result<(), Failure>>,
}

impl Beside {
    /// Makes the twins and starts their ferry; `None` if no port has one. With it come the workers' ends.
    pub(crate) fn start(
        eal: &Eal,
        config: &Config,
        macs: &[[u8; 6]],
    ) -> Result<Option<(Self, Ends)>, Failure> {
        if !config.ports.iter().any(conf::Port::has_twin) {
            return Ok(None);
        }
        let pool = Mempool::new(eal, &PoolConfig::new("ferry", FERRY_PACKETS))?;
        let (mut taps, mut twins) = (Vec::new(), Vec::new());
        for ((number, settings), mac) in config.ports.iter().enumerate().zip(macs) {
            let twin =
                if settings.has_twin() { Some(twin(eal, number, settings, *mac, pool)?) } else { None };
            let (tap, queue) = twin.unzip();
            taps.extend(tap);
            twins.push(queue);
        }
        let (ends, ferries): (Vec<_>, Vec<_>) =
            (0..config.dataplane.workers).map(|_| kernel_rings(KERNEL_RING_PACKETS)).unzip();
        let (tell, told) = channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let (ferry, stop) = (Ferry::new(twins, ferries), Arc::clone(&is_over));
        let carried = ferry.carried();
        let ferry = std::thread::Builder::new()
            .name("ferry".to_owned())
            .spawn(move || life(ferry, pool, &told, &stop))
            .map_err(|error| Failure::new(format!("the ferry to the kernel cannot start: {error}")))?;
        let beside = Self { macs: macs.to_vec(), tell, taps, is_over, carried, ferry };
        beside.announce(&BTreeSet::new(), config);
        Ok(Some((beside, ends)))
    }

    /// Tells the link of the VIPs that `new` has and `old` had not, and no more of those that are gone.
    pub(crate) fn announce_new(&self, old: &Config, new: &Config) {
        self.announce(&single_vips(old), new);
    }

    fn announce(&self, before: &BTreeSet<IpAddr>, config: &Config) {
        // The ferry hears until it is told to end.
        let _ = self.tell.send(News::new(before, config, &self.macs));
    }

    /// What is carried, by port.
    pub(crate) fn carried(&self) -> Arc<[Carried]> {
        Arc::clone(&self.carried)
    }

    /// Whether the ferry is still at its work. Where it is not, [`stop`](Self::stop) says why.
    pub(crate) fn is_alive(&self) -> bool {
        !self.ferry.is_finished()
    }

    /// Ends the ferry; the workers have ended before. The twins go with it.
    pub(crate) fn stop(self) -> Result<(), Failure> {
        self.is_over.store(true, Ordering::Release);
        let ended = self.ferry.join().map_err(|_| Failure::new("the ferry broke off; this is a fault"))?;
        drop(self.taps);
        ended
    }
}

/// Makes the twin of the `number`-th port.
fn twin(
    eal: &Eal,
    number: usize,
    port: &conf::Port,
    mac: [u8; 6],
    pool: Mempool,
) -> Result<(EthPort, EthQueue), Failure> {
    let name = &port.name;
    let fail = |why: String| {
        Failure::new(format!(
            "port \"{name}\" has no twin in the kernel: {why}; it needs root (CAP_NET_ADMIN) and /dev/net/tun, and \
             kernel = \"none\" does without"
        ))
    };
    if Path::new("/sys/class/net").join(name.as_str()).exists() {
        return Err(Failure::new(format!(
            "port \"{name}\": its twin in the kernel would have its name, and there is an interface of that name: \
             end the `penstock run` that has it, or else rename the port, or set kernel = \"none\""
        )));
    }
    let [a, b, c, d, e, f] = mac;
    let device = format!("net_tap_twin{number}");
    eal.plug(&format!("{device},iface={name},mac={a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}"))
        .map_err(|error| fail(error.to_string()))?;
    let pools = [pool];
    let settings = PortConfig { rx_descriptors: 1024, tx_descriptors: 1024, ..PortConfig::new(&pools) };
    let (tap, queues) = EthPort::open(eal, &device, &settings).map_err(|error| fail(error.to_string()))?;
    let queue = queues.into_iter().next().ok_or_else(|| fail("it has no queue".to_owned()))?;
    tracing::info!("port \"{name}\" has a twin in the kernel, interface {name}");
    Ok((tap, queue))
}

/// The ferry's life in its thread.
fn life(
    mut ferry: Ferry<EthQueue>,
    pool: Mempool,
    told: &Receiver<News>,
    is_over: &AtomicBool,
) -> Result<(), Failure> {
    dpdk::accept_driver_signals();
    let _lcore = dpdk::register_thread()?;
    let mut announcements = Announcements::new(Instant::now());
    let (mut idle, mut sleep) = (0, SLEEP_MIN);
    while !is_over.load(Ordering::Acquire) {
        let now = Instant::now();
        told.try_iter().for_each(|news| announcements.change(news, now));
        if let Some(told) = announcements.next(now)
            && let Some(packet) = Mbuf::from_bytes(&pool, &told.frame)
        {
            ferry.inject(told.port, packet);
        }
        if ferry.step() > 0 {
            (idle, sleep) = (0, SLEEP_MIN);
        } else if idle < SPINS {
            idle += 1;
            std::hint::spin_loop();
        } else {
            std::thread::sleep(sleep);
            sleep = (sleep * 2).min(SLEEP_MAX);
        }
    }
    ferry.drain();
    Ok(())
}
