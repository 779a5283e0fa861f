//! NICs by PCI address: the driver, the IOMMU, the queues.

use conf::Config;

use crate::device::{Kind, kind};
use crate::root::{Root, Tools};
use crate::{Finding, Severity, several};

const DEVICES: &str = "sys/bus/pci/devices";

/// Drivers that give a NIC to DPDK.
const USER_DRIVERS: [&str; 3] = ["vfio-pci", "uio_pci_generic", "igb_uio"];
/// Drivers beside which DPDK works: the NIC stays with the kernel and with us.
const SHARED_DRIVERS: [&str; 4] = ["mlx4_core", "mlx5_core", "mana", "gve"];

/// Whether VFIO can keep a NIC to its own memory.
pub(crate) fn iommu(root: &Root, config: Option<&Config>, findings: &mut Vec<Finding>) {
    let about = "IOMMU";
    let needs = config.is_some_and(|config| {
        let mut ports = config.ports.iter();
        ports.any(
            |port| matches!(kind(port.device.as_str()), Kind::Pci(address) if !is_shared(root, &address)),
        )
    });
    let groups = root.list("sys/kernel/iommu_groups").len();
    if groups > 0 {
        findings.push(Finding::fine(about, format!("{groups} groups")));
        return;
    }
    let unsafe_mode = root.text("sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
    if !needs {
        findings.push(Finding::fine(about, "none, and no port is a PCI device that needs it"));
    } else if unsafe_mode.as_deref() == Some("Y") {
        let why = "A NIC may write anywhere in memory: fine in a virtual machine without one, not elsewhere.";
        let finding = Finding::bad(Severity::Hint, about, "none, and VFIO is told to do without", why);
        findings.push(boot(finding));
    } else {
        let why = "VFIO refuses to open the NIC, so `penstock run` does not start.";
        let finding = boot(Finding::bad(Severity::Wrong, about, "none that the kernel uses", why));
        findings.push(finding.mend(
            "echo Y > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode   # a virtual machine without one",
        ));
    }
}

fn boot(finding: Finding) -> Finding {
    finding
        .mend("sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on iommu=pt /' /etc/default/grub")
        .mend("update-grub && reboot   # and switch VT-d or AMD-Vi on in the firmware")
}

fn driver(root: &Root, address: &str) -> Option<String> {
    root.link(&format!("{DEVICES}/{address}/driver"))
}

fn is_shared(root: &Root, address: &str) -> bool {
    driver(root, address).is_some_and(|driver| SHARED_DRIVERS.contains(&driver.as_str()))
}

/// Whether DPDK can have the NIC, and whether it has a queue for each worker.
pub(crate) fn pci(
    root: &Root,
    tools: &dyn Tools,
    address: String,
    workers: u16,
    findings: &mut Vec<Finding>,
) {
    let about = "NIC";
    if !root.has(&format!("{DEVICES}/{address}")) {
        let why = "`penstock run` does not start: the port names a device that is not there.";
        let finding = Finding::bad(Severity::Wrong, about, format!("{address} is no PCI device here"), why);
        findings.push(finding.mend("lspci -D -d ::0200"));
        return;
    }
    let driver = driver(root, &address);
    let interfaces = root.list(&format!("{DEVICES}/{address}/net"));
    match driver.as_deref() {
        Some(name) if USER_DRIVERS.contains(&name) => {
            findings.push(Finding::fine(about, format!("{address} is bound to {name}")));
        }
        Some(name) if SHARED_DRIVERS.contains(&name) => {
            findings.push(Finding::fine(about, format!("{address} has {name}, which DPDK works beside")));
            for interface in &interfaces {
                queues(tools, interface, workers, findings);
            }
        }
        other => {
            let what = match other {
                Some(name) => format!("{address} is bound to {name}, a kernel driver"),
                None => format!("{address} is bound to no driver"),
            };
            let lost = match interfaces.first() {
                Some(name) => {
                    format!(" The interface {name} goes when it is bound: not the one you came by.")
                }
                None => String::new(),
            };
            let why = format!("DPDK does not see the NIC, so `penstock run` does not start.{lost}");
            let finding = Finding::bad(Severity::Wrong, about, what, &why)
                .mend("modprobe vfio-pci")
                .mend(format!("dpdk-devbind.py --bind=vfio-pci {address}"));
            findings.push(finding);
        }
    }
}

/// Whether the NIC spreads flows over as many queues as there are workers. What DPDK has alone, no tool can
/// be asked about.
fn queues(tools: &dyn Tools, interface: &str, workers: u16, findings: &mut Vec<Finding>) {
    let about = "RSS queues";
    let Some(now) = tools.print(&["ethtool", "-l", interface]).and_then(|text| combined(&text)) else {
        return;
    };
    let what = format!("{interface} has {now} queues, {}", several(usize::from(workers), "worker"));
    if now >= u32::from(workers) {
        findings.push(Finding::fine(about, what));
        return;
    }
    let why = "Each worker polls a queue of its own: `penstock run` does not start with fewer.";
    let finding = Finding::bad(Severity::Wrong, about, what, why)
        .mend(format!("ethtool -L {interface} combined {workers}"));
    findings.push(finding);
}

/// The last `Combined:` line: what is set now, behind what could be.
fn combined(text: &str) -> Option<u32> {
    let line = text.lines().rev().find_map(|line| line.trim().strip_prefix("Combined:"))?;
    line.trim().parse().ok()
}
