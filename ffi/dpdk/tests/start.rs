//! Starting: once, with all drivers in, with nothing on stdout, and with one sentence when it fails.
#![allow(clippy::unwrap_used, reason = "test code, which may stop where it is wrong")]

mod common;

use std::process::Command;

use dpdk::{Eal, EalConfig, EalError, EthError, EthPort, Memory, MemoryMode, PortConfig};

/// What the child of [`stdout_of_a_child`] is to do.
const ROLE: &str = "PENSTOCK_TEST_ROLE";

#[test]
fn dpdk_starts_once_and_says_why_when_it_does_not() {
    match std::env::var(ROLE).as_deref() {
        Ok("missing device") => return missing_device(),
        Ok("no memory") => return no_memory(),
        _ => {}
    }
    assert!(dpdk::register_thread().is_err(), "there is no lcore before the start");
    let refused = EalConfig { memory: MemoryMode::RequireHuge, memory_mb: u32::MAX, ..EalConfig::default() };
    assert!(matches!(Eal::start(&refused), Err(EalError::HugePages { .. })));

    let devices = ["net_null0", "net_ring0", "net_af_packet0,iface=lo"];
    let eal = common::start(&devices);
    assert_eq!(eal.memory(), Memory::Ordinary);
    let second = Eal::start(&EalConfig { memory: MemoryMode::Off, ..EalConfig::default() });
    assert_eq!(second.unwrap_err(), EalError::StartedBefore);
    assert!(dpdk::rte_version().starts_with("DPDK "));

    let pool = common::pool(&eal, 4096);
    let pools = [pool];
    let config = PortConfig { rx_descriptors: 64, tx_descriptors: 64, ..PortConfig::new(&pools) };
    for device in devices {
        let (port, queues) = EthPort::open(&eal, device, &config).unwrap();
        assert!(device.starts_with(&port.driver()), "{device} is driven by {}", port.driver());
        assert_eq!(queues.len(), 1);
    }
    for driver in ["net_null", "net_ring", "net_pcap", "net_af_packet", "net_tap", "mempool_ring", "bus_pci"]
    {
        assert!(dpdk::drivers().any(|linked| linked == driver), "{driver} is linked");
    }
    let unknown = EthPort::open(&eal, "net_nobody0", &config).unwrap_err();
    assert_eq!(unknown, EthError::Unknown("net_nobody0".to_owned()));
    eal.plug("net_null1").unwrap();
    let many = EthPort::open(&eal, "net_null1", &PortConfig { queues: 2, ..PortConfig::new(&[pool; 3]) });
    assert!(matches!(many, Err(EthError::Pools { queues: 2, pools: 3, .. })));
    let many = EthPort::open(&eal, "net_null1", &PortConfig { queues: 5000, ..PortConfig::new(&[pool]) });
    assert!(matches!(many, Err(EthError::Refused { .. })));
    assert!(eal.plug("net_nobody0").is_err(), "a driver that is not linked in");

    // The start must not leave the thread on one core, and lcores come and go with their guards.
    let first = dpdk::register_thread().unwrap();
    for _ in 0..1000 {
        std::thread::spawn(|| drop(dpdk::register_thread().unwrap())).join().unwrap();
    }
    drop(first);
    assert!(dpdk::pin_to_core(usize::MAX).is_err());

    assert_eq!(stdout_of_a_child("missing device"), "");
    assert_eq!(stdout_of_a_child("no memory"), "");
}

/// Runs this very test in a process of its own, and gives what DPDK wrote to its stdout.
fn stdout_of_a_child(role: &str) -> String {
    let own = std::env::current_exe().unwrap();
    let output = Command::new(own).args(["--nocapture", "--quiet"]).env(ROLE, role).output().unwrap();
    assert!(output.status.success(), "{role}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // The test harness writes a line of its own before and after.
    text.lines().filter(|line| line.contains("EAL") || line.contains("vdev")).collect()
}

fn missing_device() {
    let vdevs = vec!["net_pcap0,rx_pcap=/nowhere/at/all.pcap,tx_pcap=/dev/null".to_owned()];
    let config =
        EalConfig { memory: MemoryMode::Off, memory_mb: 64, vdevs, verbose: true, ..EalConfig::default() };
    let sentence = Eal::start(&config).unwrap_err().to_string();
    assert!(sentence.contains("net_pcap0") && sentence.contains("/nowhere/at/all.pcap"), "{sentence}");
    assert!(!sentence.contains('\n'));
}

fn no_memory() {
    let config = EalConfig { memory: MemoryMode::Off, memory_mb: 1 << 30, ..EalConfig::default() };
    let sentence = Eal::start(&config).unwrap_err().to_string();
    assert!(sentence.starts_with("DPDK did not start: ") && sentence.len() > 30, "{sentence}");
    assert!(!sentence.contains('\n'));
}
