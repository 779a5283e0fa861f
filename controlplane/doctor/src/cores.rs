//! Cores: how many, whether workers have theirs alone, how fast they run, and the clock.

use std::collections::BTreeSet;
use std::path::Path;

use conf::Config;

use crate::root::Root;
use crate::{Finding, Severity, quoted, several};

const CPU: &str = "sys/devices/system/cpu";
const CLOCK: &str = "sys/devices/system/clocksource/clocksource0";

/// A list such as `0-3,8`; what is no number is left out.
fn cores(list: &str) -> BTreeSet<u32> {
    // No kernel has more.
    const CORES_MAX: u32 = 8192;
    let mut all = BTreeSet::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.trim().parse::<u32>(), last.trim().parse::<u32>()) {
            all.extend(first..=last.min(CORES_MAX));
        }
    }
    all
}

fn online(root: &Root) -> BTreeSet<u32> {
    cores(&root.text(&format!("{CPU}/online")).unwrap_or_default())
}

fn workers(config: Option<&Config>) -> usize {
    usize::from(config.map_or(conf::defaults::WORKERS, |config| config.dataplane.workers))
}

/// Whether each worker finds a core, and everything else one more.
pub(crate) fn count(root: &Root, config: Option<&Config>, file: Option<&Path>, findings: &mut Vec<Finding>) {
    let (have, workers) = (online(root).len(), workers(config));
    let what = format!("{}, {}", several(have, "core"), several(workers, "worker"));
    if have > workers {
        findings.push(Finding::fine("cores", what));
        return;
    }
    let why = "A worker polls and never sleeps: it shares its core with nobody, and all else needs one more.";
    let finding = Finding::bad(Severity::Wrong, "cores", what, why);
    // More than the default stands in the file, in whatever way it is written.
    findings.push(match (file, have.saturating_sub(1)) {
        (Some(file), fewer @ 1..) => {
            finding.mend(format!("sed -i 's/\\bworkers *= *[0-9_]*/workers = {fewer}/' {}", quoted(file)))
        }
        _ => finding.mend("chcpu -e 1   # a second core; a virtual machine has to be given one first"),
    });
}

/// Whether the kernel keeps its own work from the workers' cores.
pub(crate) fn isolation(root: &Root, config: Option<&Config>, findings: &mut Vec<Finding>) {
    let about = "isolated cores";
    let isolated = cores(&root.text(&format!("{CPU}/isolated")).unwrap_or_default());
    let workers = workers(config);
    if isolated.len() >= workers {
        findings.push(Finding::fine(
            about,
            format!("{} isolated, {}", isolated.len(), several(workers, "worker")),
        ));
        return;
    }
    // Workers take cores from the second one on.
    let list = if workers == 1 { "1".to_owned() } else { format!("1-{workers}") };
    let what = format!("{} isolated, {}", isolated.len(), several(workers, "worker"));
    let why = "The kernel runs other work on a worker's core, and packets wait or are missed meanwhile.";
    let finding = Finding::bad(Severity::Hint, about, what, why)
        .mend(format!(
            "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&isolcpus=managed_irq,domain,{list} nohz_full={list} rcu_nocbs={list} /' /etc/default/grub"
        ))
        .mend("update-grub && reboot");
    findings.push(finding);
}

/// Whether cores run at full speed.
pub(crate) fn governor(root: &Root, findings: &mut Vec<Finding>) {
    let about = "frequency";
    let governors: Vec<String> = online(root)
        .iter()
        .filter_map(|core| root.text(&format!("{CPU}/cpu{core}/cpufreq/scaling_governor")))
        .collect();
    let Some(slow) = governors.iter().find(|governor| *governor != "performance") else {
        let what = if governors.is_empty() { "the machine leaves no choice" } else { "governor performance" };
        findings.push(Finding::fine(about, what));
        return;
    };
    let count = governors.iter().filter(|governor| *governor != "performance").count();
    let what = format!("{count} of {} cores have the governor {slow}", governors.len());
    let why = "A core that clocks down after a quiet moment is late for the burst that follows.";
    let finding = Finding::bad(Severity::Hint, about, what, why)
        .mend("echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor");
    findings.push(finding);
}

/// Whether time is read from the cycle counter.
pub(crate) fn clock(root: &Root, findings: &mut Vec<Finding>) {
    let current = root.text(&format!("{CLOCK}/current_clocksource")).unwrap_or_default();
    let what = format!("clock source {current}");
    if current == "tsc" {
        findings.push(Finding::fine("clock", what));
        return;
    }
    let available = root.text(&format!("{CLOCK}/available_clocksource")).unwrap_or_default();
    let why =
        "The clock is dear to read, and times of packets and busy shares may drift from the cycle counter.";
    let finding = Finding::bad(Severity::Hint, "clock", what, why);
    let finding = if available.split_whitespace().any(|source| source == "tsc") {
        finding.mend(format!("echo tsc > /{CLOCK}/current_clocksource"))
    } else {
        finding
            .mend("sed -i 's/^GRUB_CMDLINE_LINUX=\"/&tsc=reliable clocksource=tsc /' /etc/default/grub")
            .mend("update-grub && reboot")
    };
    findings.push(finding);
}

#[cfg(test)]
mod tests {
    use super::cores;

    #[test]
    fn a_list_of_cores_is_read_as_the_kernel_writes_it() {
        assert_eq!(cores("0-2,8").into_iter().collect::<Vec<_>>(), [0, 1, 2, 8]);
        assert!(cores("").is_empty() && cores("x-y").is_empty() && cores("3-1").is_empty());
        assert!(cores("0-4294967295").len() < 10_000);
    }
}
