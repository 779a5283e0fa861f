//! Huge pages, and how much memory may be locked.

use conf::{Config, HugePages};

use crate::device::{Kind, kind};
use crate::root::Root;
use crate::{Finding, Severity};

/// The pages that DPDK is started with.
const PAGES: &str = "sys/kernel/mm/hugepages/hugepages-2048kB";

/// Whether DPDK finds huge pages for its memory.
pub(crate) fn huge_pages(root: &Root, config: Option<&Config>, findings: &mut Vec<Finding>) {
    let about = "huge pages";
    let wish = config.map_or(HugePages::Auto, |config| config.dataplane.huge_pages);
    let need_mb = u64::from(config.map_or(conf::defaults::MEMORY_MB, |config| config.dataplane.memory_mb));
    if wish == HugePages::Off {
        findings.push(Finding::fine(about, "the configuration does without them"));
        return;
    }
    let count = |name: &str| root.number(&format!("{PAGES}/{name}")).unwrap_or(0);
    // As `penstock run` counts: what another process has reserved is not free, and pages of 1 GB are not taken.
    let free = count("free_hugepages").saturating_sub(count("resv_hugepages")).saturating_mul(2);
    if free >= need_mb && free > 0 {
        findings.push(Finding::fine(about, format!("{free} MB free in pages of 2 MB")));
        return;
    }
    let (severity, why) = if wish == HugePages::Require {
        (Severity::Wrong, "The configuration requires them: `penstock run` does not start.")
    } else {
        (Severity::Hint, "Ports take 4 KB pages instead, and each packet costs a little more.")
    };
    let what = format!("{free} MB free in pages of 2 MB, {need_mb} MB wanted");
    let pages = count("nr_hugepages").saturating_add(need_mb.saturating_sub(free).div_ceil(2));
    let finding = Finding::bad(severity, about, what, why)
        .mend(format!("sysctl -w vm.nr_hugepages={pages}"))
        .mend(format!("echo vm.nr_hugepages={pages} > /etc/sysctl.d/80-penstock.conf"));
    findings.push(finding);
}

/// Whether a NIC under VFIO may lock the memory it writes to.
pub(crate) fn locked(root: &Root, config: Option<&Config>, findings: &mut Vec<Finding>) {
    let about = "locked memory";
    let is_pci = |port: &conf::Port| matches!(kind(port.device.as_str()), Kind::Pci(_));
    if config.is_some_and(|config| !config.ports.iter().any(is_pci)) {
        findings.push(Finding::fine(about, "no port is a NIC under VFIO, which would need it"));
        return;
    }
    let why = "A NIC under VFIO cannot be given its memory; virtual devices do not mind.";
    let Some(limit) = root.text("proc/self/limits").and_then(|limits| soft_limit(&limits)) else {
        let what = "/proc/self/limits does not say how much may be locked";
        findings.push(Finding::bad(Severity::Hint, about, what, why).mend("ulimit -l"));
        return;
    };
    let need_mb = u64::from(config.map_or(conf::defaults::MEMORY_MB, |config| config.dataplane.memory_mb));
    let Some(limit_mb) = limit.map(|bytes| bytes / 1024 / 1024).filter(|&limit_mb| limit_mb < need_mb) else {
        findings.push(Finding::fine(about, "the limit is wide enough"));
        return;
    };
    let severity = if config.is_some() { Severity::Wrong } else { Severity::Hint };
    let what = format!("{limit_mb} MB may be locked, {need_mb} MB are wanted");
    let finding = Finding::bad(severity, about, what, why)
        .mend("ulimit -l unlimited")
        .mend("systemctl edit penstock   # [Service] LimitMEMLOCK=infinity; the shipped unit has it");
    findings.push(finding);
}

/// The soft limit in bytes; `None` inside is no limit.
fn soft_limit(limits: &str) -> Option<Option<u64>> {
    let line = limits.lines().find(|line| line.starts_with("Max locked memory"))?;
    match line.split_whitespace().nth(3)? {
        "unlimited" => Some(None),
        bytes => bytes.parse().ok().map(Some),
    }
}
