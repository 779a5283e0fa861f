//! The ports of this machine, and DPDK under them.

use conf::{Config, Device, HugePages};
use dpdk::{Eal, EalConfig, EthPort, EthQueue, MemoryMode, Mempool, PoolConfig, PortConfig, Takes};

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
        if let Some(conf::Mac(mac)) = config.node.mac {
            take(&port.name, &open, mac);
        }
        for (list, queue) in queues.iter_mut().zip(own) {
            list.push(queue);
        }
        ports.push(open);
    }
    Ok(Live { eal, ports, queues })
}

/// What comes for `node.mac` is ours: a NIC would keep frames to another address than its own from us.
fn take(name: &conf::Name, port: &EthPort, mac: [u8; 6]) {
    let mac_text = conf::Mac(mac);
    match port.take_address(mac) {
        Takes::Own => {}
        Takes::Set => tracing::info!("port \"{name}\" has the address {mac_text} of node.mac now"),
        Takes::All => tracing::info!(
            "port \"{name}\" does not take the address {mac_text} of node.mac for its own: it is promiscuous instead"
        ),
        Takes::Neither(why) => tracing::warn!(
            "port \"{name}\" takes neither the address {mac_text} of node.mac nor all frames: {why}; if nothing is \
             received, leave node.mac out"
        ),
    }
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
            twin: twin(port, carried.and_then(|carried| carried.get(number))),
        }
    };
    configured.iter().zip(ports).enumerate().map(row).collect()
}

/// What was carried for a port, if it has a twin. What one without punts the ferry frees, and `punt.*` counts it.
fn twin(port: &conf::Port, carried: Option<&Carried>) -> Option<ctl::Twin> {
    carried.filter(|_| port.has_twin()).map(Carried::twin)
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

#[cfg(test)]
mod tests {
    use super::twin;
    use crate::kernel::Carried;

    #[test]
    fn a_port_without_a_twin_has_no_figures_of_one() {
        let text = "[tunnel]\nsource_v4 = \"192.0.2.1\"\nnext_hop = \"02:00:00:00:00:fe\"\n\
            [[port]]\nname = \"a\"\ndevice = \"net_af_packet0,iface=a\"\n\
            [[port]]\nname = \"b\"\ndevice = \"net_af_packet1,iface=b\"\nkernel = \"none\"\n\
            [[real]]\nname = \"r\"\naddress = \"10.0.0.11\"\n\
            [[pool]]\nname = \"p\"\nmembers = [{ real = \"r\" }]\n\
            [[service]]\nname = \"s\"\nvip = \"198.51.100.1\"\nprotocol = \"tcp\"\nports = 80\npool = \"p\"\n";
        let config = conf::parse("c.toml", text).unwrap();
        let carried = Carried::default();
        let twins = config.ports.iter().map(|port| twin(port, Some(&carried)).is_some());
        assert_eq!(twins.collect::<Vec<_>>(), [true, false]);
    }
}
