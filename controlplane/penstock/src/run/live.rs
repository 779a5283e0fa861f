//! The ports of this machine, and DPDK under them.

use conf::{Config, Device, HugePages};
use dpdk::{Eal, EalConfig, EthPort, EthQueue, MemoryMode, Mempool, PoolConfig, PortConfig};

use crate::failure::Failure;
use crate::kernel::Carried;

/// The ports of this machine.
pub(crate) struct Live {
    pub(crate) eal: Eal,
    pub(crate) ports: Vec<EthPort>,
    /// By worker: one queue of each port.
    pub(crate) queues: Vec<Vec<EthQueue>>,
}

/// Starts DPDK with the configured devices and opens their ports.
pub(crate) fn open(config: &Config, workers: u16) -> Result<Live, Failure> {
    let devices = config.ports.iter().map(|port| &port.device);
    let (pci, vdevs): (Vec<&Device>, Vec<&Device>) = devices.partition(|device| device.is_pci());
    let texts = |devices: Vec<&Device>| devices.into_iter().map(ToString::to_string).collect();
    let eal = Eal::start(&EalConfig {
        memory: match config.dataplane.huge_pages {
            HugePages::Auto => MemoryMode::Auto,
            HugePages::Require => MemoryMode::RequireHuge,
            HugePages::Off => MemoryMode::Off,
        },
        memory_mb: config.dataplane.memory_mb,
        file_prefix: format!("penstock{}", std::process::id()),
        vdevs: texts(vdevs),
        pci: texts(pci),
        ..EalConfig::default()
    })?;
    tracing::info!("{} on {}", dpdk::rte_version(), eal.memory());
    let pools = (0..workers)
        .map(|worker| {
            Mempool::new(&eal, &PoolConfig::new(&format!("worker{worker}"), config.dataplane.packets))
        })
        .collect::<Result<Vec<Mempool>, _>>()?;
    let mut ports = Vec::new();
    let mut queues: Vec<Vec<EthQueue>> = (0..workers).map(|_| Vec::new()).collect();
    for port in &config.ports {
        // A switch floods what is for others; a NIC that can tell keeps it from us.
        let settings = PortConfig { queues: workers, promiscuous: false, ..PortConfig::new(&pools) };
        let (open, own) = EthPort::open(&eal, port.device.as_str(), &settings).map_err(|error| {
            let hint =
                if workers > 1 { "; a device with fewer queues needs dataplane.workers = 1" } else { "" };
            Failure::new(format!("port \"{}\": {error}{hint}", port.name))
        })?;
        tracing::info!("port \"{}\": {}, {} queues", port.name, open.driver(), own.len());
        for (list, queue) in queues.iter_mut().zip(own) {
            list.push(queue);
        }
        ports.push(open);
    }
    Ok(Live { eal, ports, queues })
}

/// What the ports' drivers have counted, and the ferry for each. Drivers count without a lock, so a figure may be a moment old.
pub(crate) fn stats(
    configured: &[conf::Port],
    ports: &[EthPort],
    carried: Option<&[Carried]>,
) -> Vec<ctl::Port> {
    let row = |(number, (port, open)): (usize, (&conf::Port, &EthPort))| {
        let stats = open.stats();
        ctl::Port {
            name: port.name.to_string(),
            device: port.device.to_string(),
            rx_packets: stats.rx_packets,
            tx_packets: stats.tx_packets,
            rx_missed: stats.rx_missed,
            rx_no_mbuf: stats.rx_no_mbuf,
            errors: stats.rx_errors.saturating_add(stats.tx_errors),
            twin: carried.and_then(|carried| carried.get(number)).map(Carried::twin),
        }
    };
    configured.iter().zip(ports).enumerate().map(row).collect()
}

/// The same as words.
pub(crate) fn tell(ports: &[ctl::Port]) {
    for port in ports {
        let ctl::Port { name, device, rx_packets, tx_packets, rx_missed, rx_no_mbuf, errors, twin } = port;
        let missed = rx_missed.saturating_add(*rx_no_mbuf);
        tracing::info!(
            "{device}: the driver received {rx_packets} packets, sent {tx_packets}, missed {missed}, refused \
             {errors}"
        );
        if let Some(ctl::Twin { written, refused, read, lost, .. }) = twin {
            tracing::info!(
                "port \"{name}\": the kernel took {written} packets, refused {refused}, sent {read}; {lost} were lost"
            );
        }
    }
}
