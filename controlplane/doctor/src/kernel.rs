//! Kernel interfaces that we read through AF_PACKET: what the kernel does to their packets and with them.

use std::path::Path;

use conf::Port;

use crate::device::Arguments;
use crate::root::{Root, Tools};
use crate::{Finding, Severity, quoted, several};

/// Bytes of a ring's frame where `framesz` does not say (`rte_eth_af_packet.c`).
const FRAME_BYTES: u32 = 2048;
/// Bytes of it that are not the packet's: the ring's own header, and the Ethernet header.
const FRAME_HEAD_BYTES: u32 = 82;
/// What leaves packets unfinished, or joins them, on its way to us.
const OFFLOADS: [(&str, &str); 5] = [
    ("tx-checksumming", "tx"),
    ("tcp-segmentation-offload", "tso"),
    ("generic-segmentation-offload", "gso"),
    ("generic-receive-offload", "gro"),
    ("large-receive-offload", "lro"),
];

/// Such a port, and where it stands.
pub(crate) struct Place<'p> {
    pub(crate) port: &'p Port,
    pub(crate) arguments: &'p Arguments<'p>,
    pub(crate) workers: u16,
    pub(crate) file: Option<&'p Path>,
}

/// Everything about one such port.
pub(crate) fn af_packet(root: &Root, tools: &dyn Tools, place: &Place<'_>, findings: &mut Vec<Finding>) {
    let arguments = place.arguments;
    let interface = arguments.get("iface").unwrap_or_default();
    if interface.is_empty() || !root.has(&format!("sys/class/net/{interface}")) {
        let why = "`penstock run` does not start: the port's iface names an interface that is not there.";
        let what = format!("there is no interface \"{interface}\"");
        findings.push(Finding::bad(Severity::Wrong, "interface", what, why).mend("ip -brief link"));
        return;
    }
    up(root, interface, findings);
    queues(place, interface, findings);
    frames(root, arguments, interface, findings);
    offloads(root, tools, interface, findings);
    rp_filter(root, interface, findings);
    gate(tools, interface, place.port, findings);
}

fn up(root: &Root, interface: &str, findings: &mut Vec<Finding>) {
    let state = root.text(&format!("sys/class/net/{interface}/operstate")).unwrap_or_default();
    if state != "down" {
        findings.push(Finding::fine("interface", format!("{interface} is {state}")));
        return;
    }
    let why = "No packet comes or goes.";
    let finding = Finding::bad(Severity::Wrong, "interface", format!("{interface} is down"), why);
    findings.push(finding.mend(format!("ip link set {interface} up")));
}

fn queues(place: &Place<'_>, interface: &str, findings: &mut Vec<Finding>) {
    let &Place { arguments, workers, file, .. } = place;
    let pairs = arguments.number("qpairs").unwrap_or(1);
    let what = format!("{interface} has qpairs={pairs}, {}", several(usize::from(workers), "worker"));
    if pairs >= u32::from(workers) {
        findings.push(Finding::fine("RSS queues", what));
        return;
    }
    let why = "Each worker polls a queue of its own: `penstock run` does not start with fewer.";
    // The name, and not the beginning of a longer one.
    let file = quoted(file.unwrap_or(Path::new("")));
    let finding = Finding::bad(Severity::Wrong, "RSS queues", what, why).mend(format!(
        "sed -i '/iface={interface}[^[:alnum:]._-]/{{s/,qpairs=[0-9]*//;s/iface={interface}/&,qpairs={workers}/}}' {file}"
    ));
    findings.push(finding);
}

fn frames(root: &Root, arguments: &Arguments<'_>, interface: &str, findings: &mut Vec<Finding>) {
    let mtu = root.number(&format!("sys/class/net/{interface}/mtu")).unwrap_or(1500);
    let frame = arguments.number("framesz").unwrap_or(FRAME_BYTES);
    let room = u64::from(frame.saturating_sub(FRAME_HEAD_BYTES));
    let what = format!("MTU {mtu} of {interface}, {room} bytes a frame");
    if mtu <= room {
        findings.push(Finding::fine("frame size", what));
        return;
    }
    let why = "Longer packets are lost without a trace.";
    let finding = Finding::bad(Severity::Wrong, "frame size", what, why);
    findings.push(finding.mend(format!("ip link set {interface} mtu {room}")));
}

fn offloads(root: &Root, tools: &dyn Tools, interface: &str, findings: &mut Vec<Finding>) {
    let about = "offloads";
    let Some(text) = tools.print(&["ethtool", "-k", interface]) else {
        let why = "Whether the kernel leaves checksums open or joins packets is not known.";
        let what = format!("ethtool does not tell about {interface}");
        findings.push(Finding::bad(Severity::Hint, about, what, why).mend("apt-get install ethtool"));
        return;
    };
    let is_on = |name: &str| {
        text.lines().any(|line| {
            let state = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
            state.is_some_and(|state| state.trim() == "on")
        })
    };
    // A real NIC finishes what the kernel left open; there, only joining does harm.
    let is_virtual = !root.has(&format!("sys/class/net/{interface}/device"));
    let harmful = |word: &str| is_virtual || matches!(word, "gro" | "lro");
    let on: Vec<&str> =
        OFFLOADS.iter().filter(|(name, word)| harmful(word) && is_on(name)).map(|&(_, word)| word).collect();
    if on.is_empty() {
        findings.push(Finding::fine(about, format!("none on {interface} that does harm")));
        return;
    }
    let why = if is_virtual {
        "Packets reach us with open checksums or joined to 64 KB: the servers drop them, or we never see them. \
         Do the same at the cable's other end."
    } else {
        "Packets reach us joined to more than a frame holds, and are lost."
    };
    let off: Vec<String> = on.iter().map(|word| format!("{word} off")).collect();
    let finding = Finding::bad(Severity::Wrong, about, format!("{} on {interface}", on.join(", ")), why);
    findings.push(finding.mend(format!("ethtool -K {interface} {}", off.join(" "))));
}

fn rp_filter(root: &Root, interface: &str, findings: &mut Vec<Finding>) {
    let about = "rp_filter";
    let value = |name: &str| root.number(&format!("proc/sys/net/ipv4/conf/{name}/rp_filter")).unwrap_or(0);
    // The kernel takes the larger of the two.
    let strict: Vec<&str> = ["all", interface].into_iter().filter(|name| value(name) == 1).collect();
    if strict.is_empty() || value("all").max(value(interface)) != 1 {
        findings.push(Finding::fine(about, format!("not strict on {interface}")));
        return;
    }
    let what = format!("strict on {interface}");
    let why =
        "The kernel drops what comes in by another way than it would answer, responses of servers first.";
    let finding = Finding::bad(Severity::Hint, about, what, why);
    findings.push(finding.mend(format!("sysctl -w net.ipv4.conf.{interface}.rp_filter=2")));
}

/// Whether the port's twin, a tap interface, can be made.
pub(crate) fn twin(root: &Root, port: &Port, findings: &mut Vec<Finding>) {
    if !port.has_twin() {
        return;
    }
    if root.has("dev/net/tun") {
        findings.push(Finding::fine("twin", format!("/dev/net/tun is there for the twin of {}", port.name)));
        return;
    }
    let what = format!("no /dev/net/tun for the twin of {}", port.name);
    let why = "`penstock run` does not start: the interface by which the kernel gets its packets is a tap.";
    findings.push(Finding::bad(Severity::Wrong, "twin", what, why).mend("modprobe tun"));
}

/// AF_PACKET gives us a copy: the kernel has the packet too, and answers or forwards it beside us.
fn gate(tools: &dyn Tools, interface: &str, port: &Port, findings: &mut Vec<Finding>) {
    let about = "kernel copy";
    let filters = tools.print(&["tc", "filter", "show", "dev", interface, "ingress"]).unwrap_or_default();
    let shut = filters.lines().any(|line| line.contains("'1,6 0 0 2'") || line.contains("action drop"));
    if shut {
        findings.push(Finding::fine(about, format!("{interface} is shut for the kernel")));
        return;
    }
    let what = format!("{interface} is open for the kernel");
    let finding = if port.has_twin() {
        let why = format!(
            "The kernel gets every packet twice, by {interface} and by the twin {}, and answers twice. Addresses \
             belong on the twin: move yours there first, for {interface} is deaf when it is shut. The twin is made \
             anew at each start, so that systemd-networkd has to give it them; the operator's guide has the file.",
            port.name
        );
        Finding::bad(Severity::Wrong, about, what, &why)
    } else {
        let why = "The kernel gets a copy of every packet that we take, and answers or forwards it too. What is for \
                   the box itself does not come through any more when it is shut: keep another way in.";
        Finding::bad(Severity::Hint, about, what, why)
    };
    let finding = finding
        .mend(format!("tc qdisc add dev {interface} clsact"))
        .mend(format!("tc filter add dev {interface} ingress bpf da bytecode '1,6 0 0 2'"))
        .mend(format!("systemctl enable penstock-gate@{interface}   # the same at each boot"));
    findings.push(finding);
}
