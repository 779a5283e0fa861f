//! What stands on the page: every counter by its own name and help, then services, reals, workers and ports.
//!
//! The name is mechanical: `drop.truncated` is `penstock_drop_total{reason="truncated"}`, `flow.hit` is
//! `penstock_flow_hit_total`. The same of one worker is `penstock_worker_drop_total{worker="0",reason="truncated"}`,
//! so that a sum over all never counts twice.

use counters::Counter;
use ctl::{Counts, NextHops, Port, Real, Responses, Rule, Service, Snapshot, Twin, Worker};

use crate::page::{Kind, Page, Value};

/// What packets wait for, of the box and of a worker.
const HELD: &str = "Packets that wait for their real's next hop, or for their first fragment, now.";

/// What a real can be.
const STATES: [&str; 4] = ["up", "drain", "down", "failed"];

/// A family of samples: its name, its help, and what it says of one thing.
type Measure<T, V> = (&'static str, &'static str, fn(&T) -> V);

/// The page of a snapshot.
#[must_use]
pub fn exposition(snapshot: &Snapshot) -> String {
    let mut page = Page::default();
    whole(&mut page, snapshot);
    let all = [(None, &snapshot.counters)];
    families(&mut page, "penstock", &all);
    services(&mut page, &snapshot.services);
    reals(&mut page, &snapshot.reals);
    rules(&mut page, &snapshot.rules);
    workers(&mut page, &snapshot.workers);
    ports(&mut page, &snapshot.ports);
    page.finish()
}

fn whole(page: &mut Page, snapshot: &Snapshot) {
    let generation = &snapshot.generation;
    page.family("penstock_build", Kind::Info, "The program.")
        .sample(&[("version", &snapshot.version)], Value::Count(1));
    page.family("penstock_uptime_seconds", Kind::Gauge, "Since the program started.")
        .sample(&[], seconds(snapshot.at_ms));
    page.family(
        "penstock_table",
        Kind::Info,
        "The forwarding table in force: SHA-256 of its root, and the way of responses.",
    )
    .sample(&[("digest", &generation.digest), ("return_path", &generation.return_path)], Value::Count(1));
    page.family(
        "penstock_generation",
        Kind::Gauge,
        "The sequence of the table in force; from 1 at each start.",
    )
    .sample(&[], Value::Count(generation.sequence));
    page.family("penstock_generation_age_seconds", Kind::Gauge, "Since this table came into force.")
        .sample(&[], seconds(generation.age_ms));
    if let Some(hops) = &generation.next_hops {
        next_hops(page, hops);
    }
    page.family("penstock_held_packets", Kind::Gauge, HELD)
        .sample(&[], Value::Count(ctl::held(&snapshot.counters)));
}

/// Those that follow the kernel, and how fast.
fn next_hops(page: &mut Page, hops: &NextHops) {
    page.family("penstock_next_hops_followed", Kind::Gauge, "Reals whose next hop follows the kernel.")
        .sample(&[], Value::Count(hops.followed));
    page.family("penstock_next_hops_known", Kind::Gauge, "Of them, those whose next hop is known.")
        .sample(&[], Value::Count(hops.known));
    page.family("penstock_next_hop_changes", Kind::Counter, "Changes of them that every worker has.")
        .sample(&[], Value::Count(hops.changes));
    let times = [
        ("last", "of the last change", hops.last_us),
        ("max", "of the slowest change since the program started", hops.max_us),
    ];
    for (name, of, us) in times {
        let name = format!("penstock_next_hop_{name}_seconds");
        let help = format!("From the kernel's word to the last worker's acknowledgement, {of}.");
        let mut family = page.family(&name, Kind::Gauge, &help);
        if hops.changes > 0 {
            family.sample(&[], Value::Level(us as f64 / 1e6));
        }
    }
}

/// Every counter, of the whole box or of each worker. Drops and punts are one family each, by reason.
fn families(page: &mut Page, prefix: &str, of: &[(Option<String>, &Counts)]) {
    for counter in Counter::all() {
        if let Counter::Event(_) = counter {
            let name = format!("{prefix}_{}", counter.name().replace('.', "_"));
            let mut family = page.family(&name, Kind::Counter, counter.help().trim());
            for (worker, counts) in of {
                family.sample(&labels(worker.as_deref(), None), value(counts, counter));
            }
        }
    }
    for (kind, what) in [("drop", "Packets dropped"), ("punt", "Packets handed to the kernel")] {
        let name = format!("{prefix}_{kind}");
        let mut family = page.family(&name, Kind::Counter, &by_reason(kind, what));
        for (worker, counts) in of {
            for counter in Counter::all() {
                if let Some((_, reason)) = counter.name().split_once('.').filter(|(first, _)| *first == kind)
                {
                    family.sample(&labels(worker.as_deref(), Some(reason)), value(counts, counter));
                }
            }
        }
    }
}

/// The help of a family by reason: what each of them means, in the words of its counter.
fn by_reason(kind: &str, what: &str) -> String {
    let reasons = Counter::all().filter_map(|counter| {
        let reason = counter.name().strip_prefix(kind)?.strip_prefix('.')?;
        Some(format!(" {reason}: {}", counter.help().trim()))
    });
    format!("{what}, by reason.{}", reasons.collect::<String>())
}

fn labels<'l>(worker: Option<&'l str>, reason: Option<&'l str>) -> Vec<(&'static str, &'l str)> {
    [("worker", worker), ("reason", reason)]
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
        .collect()
}

fn value(counts: &Counts, counter: Counter) -> Value {
    Value::Count(counts.get(counter.name()).copied().unwrap_or(0))
}

fn seconds(ms: u64) -> Value {
    Value::Level(ms as f64 / 1000.0)
}

fn services(page: &mut Page, services: &[Service]) {
    let mut family = page.family("penstock_service", Kind::Info, "What a service is.");
    for service in services {
        let labels = [
            ("service", service.name.as_str()),
            ("vip", &service.vip),
            ("protocol", &service.protocol),
            ("ports", &service.ports),
            ("pool", &service.pool),
        ];
        family.sample(&labels, Value::Count(1));
    }
    let counted: &[Measure<Service, u64>] = &[
        ("penstock_service_packets", "Packets forwarded for a service.", |service| service.packets),
        ("penstock_service_bytes", "Bytes of them at the IP layer, as they came.", |service| service.bytes),
    ];
    for (name, help, count) in counted {
        let mut family = page.family(name, Kind::Counter, help);
        for service in services {
            family.sample(&[("service", &service.name)], Value::Count(count(service)));
        }
    }
    let counted: &[Measure<Responses, u64>] = &[
        ("penstock_service_response_packets", "Responses of a service that passed us.", |it| it.packets),
        ("penstock_service_response_bytes", "Bytes of them at the IP layer.", |it| it.bytes),
    ];
    for (name, help, count) in counted {
        let mut family = page.family(name, Kind::Counter, help);
        for service in services {
            if let Some(responses) = &service.responses {
                family.sample(&[("service", &service.name)], Value::Count(count(responses)));
            }
        }
    }
}

fn rules(page: &mut Page, rules: &[Rule]) {
    let counted: &[Measure<Rule, u64>] = &[
        ("penstock_rule_packets", "Packets that a rule decided about.", |rule| rule.packets),
        ("penstock_rule_bytes", "Bytes of them at the IP layer, as they came.", |rule| rule.bytes),
    ];
    for (name, help, count) in counted {
        let mut family = page.family(name, Kind::Counter, help);
        for rule in rules {
            family.sample(&[("rule", &rule.name)], Value::Count(count(rule)));
        }
    }
}

fn reals(page: &mut Page, reals: &[Real]) {
    let mut family = page.family("penstock_real", Kind::Info, "What a real is.");
    for real in reals {
        family.sample(&[("real", &real.name), ("address", &real.address)], Value::Count(1));
    }
    let mut family = page.family("penstock_real_state", Kind::StateSet, "Whether a real takes flows.");
    for real in reals {
        for state in STATES {
            let labels = [("real", real.name.as_str()), ("penstock_real_state", state)];
            family.sample(&labels, Value::Count(u64::from(real.state == state)));
        }
    }
    let mut family =
        page.family("penstock_real_weight", Kind::Gauge, "A real's share of a pool's new flows.");
    for real in reals {
        for (pool, &weight) in &real.weights {
            family.sample(&[("real", &real.name), ("pool", pool)], Value::Count(u64::from(weight)));
        }
    }
    let help = "Whether the MAC address that frames to a real go to is known.";
    let mut family = page.family("penstock_real_next_hop_known", Kind::Gauge, help);
    for real in reals {
        family.sample(&[("real", &real.name)], Value::Count(u64::from(!real.next_hop.mac.is_empty())));
    }
    let counted: &[Measure<Real, u64>] = &[
        ("penstock_real_packets", "Packets forwarded to a real.", |real| real.packets),
        ("penstock_real_bytes", "Bytes of them at the IP layer, as they came.", |real| real.bytes),
    ];
    for (name, help, count) in counted {
        let mut family = page.family(name, Kind::Counter, help);
        for real in reals {
            family.sample(&[("real", &real.name)], Value::Count(count(real)));
        }
    }
}

fn workers(page: &mut Page, workers: &[Worker]) {
    let of: Vec<_> =
        workers.iter().map(|worker| (Some(worker.number.to_string()), &worker.counters)).collect();
    families(page, "penstock_worker", &of);
    let help =
        "For how long a worker had packets to move: its rate is the share of its time, over any window.";
    let mut family = page.family("penstock_worker_busy_seconds", Kind::Counter, help);
    for worker in workers {
        family.sample(&[("worker", &worker.number.to_string())], Value::Level(worker.busy_seconds));
    }
    let levels: &[Measure<Worker, Value>] = &[
        (
            "busy_ratio",
            "The share of the last eighth of a second that a worker had packets to move.",
            |worker| Value::Level(worker.busy),
        ),
        ("flows", "Flows in a worker's table.", |worker| Value::Count(worker.flows)),
        ("flows_max", "Room for flows in a worker's table.", |worker| Value::Count(worker.flows_max)),
        ("held_packets", HELD, |worker| Value::Count(ctl::held(&worker.counters))),
        ("silent_seconds", "Since a worker's heart beat last.", |worker| seconds(worker.silent_ms)),
    ];
    for (name, help, level) in levels {
        let name = format!("penstock_worker_{name}");
        let mut family = page.family(&name, Kind::Gauge, help);
        for worker in workers {
            family.sample(&[("worker", &worker.number.to_string())], level(worker));
        }
    }
}

fn ports(page: &mut Page, ports: &[Port]) {
    let mut family = page.family("penstock_port", Kind::Info, "What a port is.");
    for port in ports {
        family.sample(&[("port", &port.name), ("device", &port.device)], Value::Count(1));
    }
    let counted: &[Measure<Port, u64>] = &[
        ("rx_packets", "Packets that a port's driver received.", |port| port.rx_packets),
        ("tx_packets", "Packets that a port's driver sent.", |port| port.tx_packets),
        ("rx_missed", "Packets that the NIC had no room for: no worker has seen them.", |port| {
            port.rx_missed
        }),
        ("rx_no_mbuf", "Packets for which there was no mbuf: no worker has seen them.", |port| {
            port.rx_no_mbuf
        }),
        ("errors", "Errors of a port in either direction.", |port| port.errors),
    ];
    for (name, help, count) in counted {
        let name = format!("penstock_port_{name}");
        let mut family = page.family(&name, Kind::Counter, help);
        for port in ports {
            family.sample(&[("port", &port.name)], Value::Count(count(port)));
        }
    }
    twins(page, ports);
}

/// What the ferry carried, where ports have twins.
fn twins(page: &mut Page, ports: &[Port]) {
    let counted: &[Measure<Twin, u64>] = &[
        ("taken", "Punted packets that came by a port, taken from the workers.", |twin| twin.taken),
        ("written", "Punted packets that the kernel took by a port's twin.", |twin| twin.written),
        (
            "refused",
            "Punted packets that the kernel refused, or that came by a port without a twin.",
            |twin| twin.refused,
        ),
        ("read", "Packets that the kernel sent by a port's twin, handed to a worker.", |twin| twin.read),
        ("lost", "Packets that the kernel sent by a port's twin and no worker had room for.", |twin| {
            twin.lost
        }),
    ];
    for (name, help, count) in counted {
        let name = format!("penstock_twin_{name}");
        let mut family = page.family(&name, Kind::Counter, help);
        for (port, twin) in ports.iter().filter_map(|port| Some((port, port.twin.as_ref()?))) {
            family.sample(&[("port", &port.name)], Value::Count(count(twin)));
        }
    }
}
