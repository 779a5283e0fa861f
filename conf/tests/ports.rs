//! Which ports have a twin in the kernel.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use conf::Kernel;

const SMALLEST: &str = include_str!("../samples/smallest.toml");

fn port(device: &str, kernel: &str) -> conf::Port {
    let text = format!("{SMALLEST}\n[[port]]\nname = \"lan0\"\ndevice = \"{device}\"\n{kernel}\n");
    conf::parse("site.toml", &text).unwrap().ports.remove(0)
}

#[test]
fn a_port_that_leads_to_a_network_has_a_twin_unless_told_otherwise() {
    for device in ["0000:03:00.0", "03:00.1,arg=x", "net_af_packet0,iface=a:b", "net_virtio_user0,path=/s"] {
        assert!(port(device, "").has_twin(), "{device}");
        assert!(!port(device, "kernel = \"none\"").has_twin(), "{device}");
    }
    for device in ["net_null0", "net_pcap0,rx_pcap=a:b", "net_tap0,mac=02:00:00:00:00:01", "net_ring0"] {
        assert!(!port(device, "kernel = \"auto\"").has_twin(), "{device}");
        assert!(port(device, "kernel = \"twin\"").has_twin(), "{device}");
    }
    assert_eq!(port("net_null0", "").kernel, Kernel::Auto);
}

#[test]
fn pci_addresses_are_told_from_virtual_devices() {
    assert!(port("03:00.1,arg=x", "").device.is_pci());
    assert!(!port("net_tap0,mac=02:00:00:00:00:01", "").device.is_pci());
}
