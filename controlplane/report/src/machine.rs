//! What the system says of the machine.

use crate::model::Machine;
use std::fs;

impl Machine {
    /// This machine, as `/proc` describes it; what cannot be read stays empty.
    #[must_use]
    pub fn here(dpdk_version: Option<String>, memory_mode: impl Into<String>) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let kernel = read("/proc/sys/kernel/osrelease");
        Self {
            cpu_model: model(&read("/proc/cpuinfo")).unwrap_or_default(),
            cores: std::thread::available_parallelism()
                .map_or(0, |cores| u32::try_from(cores.get()).unwrap_or(0)),
            kernel: if kernel.is_empty() { kernel } else { format!("Linux {}", kernel.trim()) },
            dpdk_version,
            memory_mode: memory_mode.into(),
        }
    }
}

/// The first processor's name, as x86 calls it; Arm gives only numbers.
fn model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name") || line.starts_with("CPU part"))?;
    let (key, value) = line.split_once(':')?;
    let prefix = if key.starts_with("CPU") { "Arm part " } else { "" };
    Some(format!("{prefix}{}", value.trim()))
}

#[cfg(test)]
mod tests {
    use super::model;
    use crate::model::Machine;

    #[test]
    fn the_first_processor_gives_the_name() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC 9R14\nflags\t\t: fpu\nmodel name\t: other\n";
        assert_eq!(model(text).unwrap(), "AMD EPYC 9R14");
        assert_eq!(model("CPU part\t: 0xd40\n").unwrap(), "Arm part 0xd40");
        assert_eq!(model(""), None);
    }

    #[test]
    fn this_machine_has_cores() {
        let machine = Machine::here(None, "4 KiB pages");
        assert!(machine.cores > 0);
        assert_eq!(machine.memory_mode, "4 KiB pages");
    }
}
