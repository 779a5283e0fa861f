//! Whether responses find their way back through us, where that is what was asked for: our kernel forwards them from
//! twin to twin, and a kernel does not forward unless it is told to.

use std::net::IpAddr;

use conf::{Config, Port};

use crate::root::Root;
use crate::{Finding, Severity};

/// All that `return_path = "via-slr"` needs of the kernel; nothing where responses go past us.
pub(crate) fn examine(root: &Root, config: &Config, findings: &mut Vec<Finding>) {
    if !config.node.is_gateway() {
        return;
    }
    let twins: Vec<&Port> = config.ports.iter().filter(|port| port.has_twin()).collect();
    if twins.is_empty() {
        let why = "Responses are counted and go no further: the kernel that is to forward them gets none.";
        let finding = Finding::bad(Severity::Wrong, "return path", "via-slr, and no port has a twin", why);
        findings.push(finding.mend("sed -i '/^\\[\\[port\\]\\]/a kernel = \"twin\"' site.toml"));
        return;
    }
    findings.push(Finding::fine("return path", "via-slr: the kernel forwards responses by the twins"));
    let has = |is: fn(&IpAddr) -> bool| config.services.iter().any(|service| is(&service.vip.address));
    if has(IpAddr::is_ipv4) {
        for port in &twins {
            forwarding(root, port, findings);
            strict(root, port, findings);
            redirects(root, port, findings);
        }
    }
    if has(IpAddr::is_ipv6) {
        let is_on = root.number("proc/sys/net/ipv6/conf/all/forwarding") == Some(1);
        findings.push(forwards(is_on, "IPv6", "net.ipv6.conf.all.forwarding=1"));
    }
}

/// A setting of a twin; one that is not there yet will have the default.
fn setting(root: &Root, port: &Port, key: &str) -> u64 {
    let at = |name: &str| root.number(&format!("proc/sys/net/ipv4/conf/{name}/{key}"));
    at(port.name.as_str()).or_else(|| at("default")).unwrap_or(0)
}

/// The same of all interfaces.
fn of_all(root: &Root, key: &str) -> u64 {
    root.number(&format!("proc/sys/net/ipv4/conf/all/{key}")).unwrap_or(0)
}

/// What to say to `sysctl`: a twin that is not there yet is told by the default.
fn name<'p>(root: &Root, port: &'p Port) -> &'p str {
    let name = port.name.as_str();
    if root.has(&format!("proc/sys/net/ipv4/conf/{name}")) { name } else { "default" }
}

fn forwards(is_on: bool, what: &str, mend: &str) -> Finding {
    let about = "forwarding";
    if is_on {
        return Finding::fine(about, format!("the kernel forwards {what}"));
    }
    let why = "Responses that come back through us end here: return_path is via-slr, and the kernel is to forward them.";
    let what = format!("the kernel does not forward {what}");
    Finding::bad(Severity::Wrong, about, what, why).mend(format!("sysctl -w {mend}"))
}

fn forwarding(root: &Root, port: &Port, findings: &mut Vec<Finding>) {
    let is_on = setting(root, port, "forwarding") == 1;
    findings.push(forwards(is_on, &format!("IPv4 of {}", port.name), "net.ipv4.ip_forward=1"));
}

/// The kernel takes the larger of the two.
fn strict(root: &Root, port: &Port, findings: &mut Vec<Finding>) {
    let about = "twin rp_filter";
    if setting(root, port, "rp_filter").max(of_all(root, "rp_filter")) != 1 {
        findings.push(Finding::fine(about, format!("not strict on {}", port.name)));
        return;
    }
    let why =
        "A response comes from a VIP, and the kernel has no route to that by the servers' port: it drops it.";
    let finding = Finding::bad(Severity::Wrong, about, format!("strict on {}", port.name), why);
    findings.push(finding.mend(format!("sysctl -w net.ipv4.conf.{}.rp_filter=2", name(root, port))));
}

/// The kernel sends them where either says so.
fn redirects(root: &Root, port: &Port, findings: &mut Vec<Finding>) {
    let about = "redirects";
    let all = of_all(root, "send_redirects");
    if setting(root, port, "send_redirects").max(all) == 0 {
        findings.push(Finding::fine(about, format!("none by {}", port.name)));
        return;
    }
    let why = "Where servers and their way out are on one port, the kernel tells a VIP at each response of a \
               shorter way, and that comes back to us as a request.";
    let finding = Finding::bad(Severity::Hint, about, format!("the kernel sends them by {}", port.name), why);
    let finding = finding.mend(format!("sysctl -w net.ipv4.conf.{}.send_redirects=0", name(root, port)));
    findings.push(if all > 0 {
        finding.mend("sysctl -w net.ipv4.conf.all.send_redirects=0")
    } else {
        finding
    });
}
