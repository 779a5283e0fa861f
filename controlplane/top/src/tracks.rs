//! What is remembered of each service, real, worker, port and counter from one snapshot to the next.

use std::collections::BTreeMap;

use ctl::Snapshot;

use crate::series::Series;

/// Packets and bytes of a service or a real.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) packets: Series,
    pub(crate) bytes: Series,
}

/// A worker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    pub(crate) busy: Series,
    pub(crate) rx: Series,
    pub(crate) tx: Series,
    pub(crate) drops: Series,
}

/// A port.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire {
    pub(crate) rx: Series,
    pub(crate) tx: Series,
    pub(crate) missed: Series,
    pub(crate) no_mbuf: Series,
    pub(crate) errors: Series,
    /// By the port's twin: written, read, and what was refused or lost.
    pub(crate) to_kernel: Series,
    pub(crate) from_kernel: Series,
    pub(crate) kernel_lost: Series,
}

/// Everything, by name or number. What is gone from the snapshot is forgotten.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracks {
    pub(crate) counters: BTreeMap<String, Series>,
    pub(crate) services: BTreeMap<String, Traffic>,
    pub(crate) reals: BTreeMap<String, Traffic>,
    pub(crate) workers: BTreeMap<u32, Work>,
    pub(crate) ports: BTreeMap<String, Wire>,
    /// All drops, punts and misses together.
    pub(crate) drops: Series,
    pub(crate) punts: Series,
    pub(crate) missed: Series,
    /// The share of all flow tables that is in use.
    pub(crate) table: Series,
    /// The busiest worker's share.
    pub(crate) busy: Series,
}

impl Tracks {
    /// Takes a snapshot, `seconds` after the one before.
    pub(crate) fn feed(&mut self, snapshot: &Snapshot, seconds: Option<f64>) {
        let counters = snapshot.counters.iter().map(|(name, &count)| (name.clone(), count));
        self.counters = carry(&mut self.counters, counters, |series, count| series.count(count, seconds));
        let services = snapshot.services.iter().map(|one| (one.name.clone(), (one.packets, one.bytes)));
        self.services = carry(&mut self.services, services, |traffic, counts| traffic.feed(counts, seconds));
        let reals = snapshot.reals.iter().map(|one| (one.name.clone(), (one.packets, one.bytes)));
        self.reals = carry(&mut self.reals, reals, |traffic, counts| traffic.feed(counts, seconds));
        let workers = snapshot.workers.iter().map(|one| (one.number, one));
        self.workers = carry(&mut self.workers, workers, |work, one| work.feed(one, seconds));
        let ports = snapshot.ports.iter().map(|one| (one.name.clone(), one));
        self.ports = carry(&mut self.ports, ports, |wire, one| wire.feed(one, seconds));
        self.drops.count(sum(&snapshot.counters, "drop."), seconds);
        self.punts.count(sum(&snapshot.counters, "punt."), seconds);
        let missed = |port: &ctl::Port| port.rx_missed.saturating_add(port.rx_no_mbuf);
        let missed = snapshot.ports.iter().map(missed).fold(0, u64::saturating_add);
        self.missed.count(missed, seconds);
        let (flows, room) = flows(snapshot);
        self.table.level(if room == 0 { 0.0 } else { flows as f64 / room as f64 });
        self.busy.level(snapshot.workers.iter().map(|worker| worker.busy).fold(0.0, f64::max));
    }

    /// The rate of one counter; nothing is known of one that is not there.
    pub(crate) fn counter(&self, name: &str) -> f64 {
        self.counters.get(name).map_or(0.0, Series::rate)
    }
}

impl Traffic {
    fn feed(&mut self, (packets, bytes): (u64, u64), seconds: Option<f64>) {
        self.packets.count(packets, seconds);
        self.bytes.count(bytes, seconds);
    }
}

impl Work {
    fn feed(&mut self, worker: &ctl::Worker, seconds: Option<f64>) {
        let counter = |name: &str| worker.counters.get(name).copied().unwrap_or(0);
        self.busy.level(worker.busy);
        self.rx.count(counter("rx"), seconds);
        self.tx.count(counter("tx"), seconds);
        self.drops.count(sum(&worker.counters, "drop."), seconds);
    }
}

impl Wire {
    fn feed(&mut self, port: &ctl::Port, seconds: Option<f64>) {
        self.rx.count(port.rx_packets, seconds);
        self.tx.count(port.tx_packets, seconds);
        self.missed.count(port.rx_missed, seconds);
        self.no_mbuf.count(port.rx_no_mbuf, seconds);
        self.errors.count(port.errors, seconds);
        let ctl::Twin { written, refused, read, lost, .. } = port.twin.unwrap_or_default();
        self.to_kernel.count(written, seconds);
        self.from_kernel.count(read, seconds);
        self.kernel_lost.count(refused.saturating_add(lost), seconds);
    }
}

/// Flows in all tables, and room for them.
pub(crate) fn flows(snapshot: &Snapshot) -> (u64, u64) {
    let add = |(flows, room): (u64, u64), worker: &ctl::Worker| {
        (flows.saturating_add(worker.flows), room.saturating_add(worker.flows_max))
    };
    snapshot.workers.iter().fold((0, 0), add)
}

/// The sum of the counters whose name begins so.
pub(crate) fn sum(counters: &ctl::Counts, prefix: &str) -> u64 {
    let named = counters.iter().filter(|(name, _)| name.starts_with(prefix));
    named.map(|(_, &count)| count).fold(0, u64::saturating_add)
}

/// The tracks of what is there now: those known before go on, the others begin.
fn carry<K: Ord, T: Default, V>(
    old: &mut BTreeMap<K, T>,
    now: impl Iterator<Item = (K, V)>,
    feed: impl Fn(&mut T, V),
) -> BTreeMap<K, T> {
    let go_on = |(key, value): (K, V)| {
        let mut track = old.remove(&key).unwrap_or_default();
        feed(&mut track, value);
        (key, track)
    };
    now.map(go_on).collect()
}
