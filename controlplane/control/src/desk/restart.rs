//! Keys that are read at a start only.

use conf::Config;

/// The keys that differ and that only a restart can change.
#[must_use]
pub fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let differs = [
        ("node.mac", old.node.mac != new.node.mac),
        ("node.numbers", old.node.numbers != new.node.numbers),
        ("node.control", old.node.control != new.node.control),
        ("flow.entries", old.flow.entries != new.flow.entries),
        ("flow.key", old.flow.key != new.flow.key),
        ("dataplane.workers", old.dataplane.workers != new.dataplane.workers),
        ("dataplane.huge_pages", old.dataplane.huge_pages != new.dataplane.huge_pages),
        ("dataplane.memory_mb", old.dataplane.memory_mb != new.dataplane.memory_mb),
        ("dataplane.packets", old.dataplane.packets != new.dataplane.packets),
        ("metrics.listen", old.metrics != new.metrics),
        ("port", old.ports != new.ports),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}
