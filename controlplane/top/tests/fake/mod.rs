//! A made-up box whose counts are a function of the time: for the pictures, and to look at.
#![allow(
    dead_code,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "made-up figures; each user takes a part of this"
)]

use std::collections::BTreeMap;

use ctl::{Counts, Generation, Port, Real, Service, Snapshot, Twin, Worker};

/// What kind of night it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Night {
    /// All is well.
    Quiet,
    /// One real down, one draining, a flood, a slow worker, a port that misses.
    Bad,
}

/// The box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fake {
    pub(crate) services: u32,
    pub(crate) reals: u32,
    pub(crate) workers: u32,
    pub(crate) long_names: bool,
    pub(crate) night: Night,
}

impl Fake {
    pub(crate) const USUAL: Self =
        Self { services: 5, reals: 12, workers: 2, long_names: false, night: Night::Quiet };

    fn name(&self, kind: &str, number: u32) -> String {
        if self.long_names {
            return format!("{kind}-frontend-production-europe-west-behind-the-second-rack-{number:02}");
        }
        let usual = ["http", "https", "dns", "quic", "smtp"];
        match usual.get(number as usize) {
            Some(name) if kind == "service" => (*name).to_owned(),
            _ => format!("{kind}-{}", number + 1),
        }
    }

    /// How it stands `ms` after its start.
    pub(crate) fn at(&self, ms: u64) -> Snapshot {
        let services: Vec<Service> = (0..self.services).map(|number| self.service(number, ms)).collect();
        let packets: u64 = services.iter().map(|service| service.packets).sum();
        let bad = self.night == Night::Bad;
        let no_real = if bad { grown(40_000.0, 3, ms) } else { 0 };
        let (no_service, not_ip) = (grown(18.0, 5, ms), grown(40.0, 6, ms));
        let rx = packets + no_real + no_service + not_ip;
        let counters: Counts = [
            ("rx", rx),
            ("rx.bytes", rx * 640),
            ("tx", packets),
            ("tx.bytes", packets * 660),
            ("drop.no_real", no_real),
            ("drop.no_service", no_service),
            ("drop.truncated", ms / 9000),
            ("drop.fragment", 0),
            ("punt.not_ip", not_ip),
            ("flow.hit", packets - packets / 50),
            ("flow.insert", packets / 50),
            ("flow.evict", if bad { grown(900.0, 8, ms) } else { 0 }),
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into();
        Snapshot {
            at_ms: 273_600_000 + ms,
            version: "0.1.0".into(),
            generation: Generation {
                sequence: 12,
                digest: "f5758177bca8aabbccdd".into(),
                age_ms: 7_380_000 + ms,
                return_path: "direct".into(),
                next_hops: None,
            },
            reals: (0..self.reals).map(|number| self.real(number, packets)).collect(),
            rules: Vec::new(),
            workers: (0..self.workers).map(|number| self.worker(number, &counters, ms)).collect(),
            ports: vec![self.port("lan0", "net_af_packet0,iface=eth1", rx, packets, ms)],
            services,
            counters,
            panics: Vec::new(),
        }
    }

    fn service(&self, number: u32, ms: u64) -> Service {
        let packets = grown(600_000.0 / f64::from(1 + number * number), number, ms);
        Service {
            name: self.name("service", number),
            number,
            vip: format!("198.51.{}.{}", 100 + number / 200, 10 + number % 200),
            protocol: if number == 2 || number == 3 { "udp" } else { "tcp" }.into(),
            ports: ["80", "443", "53", "443", "25"].get(number as usize).unwrap_or(&"8000-8999").to_string(),
            pool: if number == 2 { "dns" } else { "web" }.into(),
            packets,
            bytes: packets * 620,
            responses: None,
        }
    }

    fn real(&self, number: u32, packets: u64) -> Real {
        let bad = self.night == Night::Bad;
        let state = match number {
            3 if bad => "down",
            4 if bad => "drain",
            _ => "up",
        };
        let own = if state == "down" { 0 } else { packets / u64::from(self.reals + number % 3) };
        let pools: &[&str] = if number.is_multiple_of(5) { &["dns", "web"] } else { &["web"] };
        let weight = |pool: &&str| ((*pool).to_owned(), if number == 5 && *pool == "web" { 50 } else { 100 });
        Real {
            name: self.name("real", number),
            number,
            address: format!("10.0.{}.{}", number / 200, 11 + number % 200),
            state: state.into(),
            by: if state == "up" { "file" } else { "operator" }.into(),
            weights: pools.iter().map(weight).collect::<BTreeMap<_, _>>(),
            weights_by_operator: if number == 5 { vec!["web".to_owned()] } else { Vec::new() },
            next_hop: ctl::NextHop {
                mac: format!("02:00:00:00:{:02x}:{:02x}", number / 256, number % 256),
                ..Default::default()
            },
            packets: own,
            bytes: own * 620,
        }
    }

    fn worker(&self, number: u32, all: &Counts, ms: u64) -> Worker {
        let bad = self.night == Night::Bad && number == 0;
        let wave = (ms as f64 / 9000.0 + f64::from(number)).sin() * 0.08;
        let part = |(name, count): (&String, &u64)| (name.clone(), count / u64::from(self.workers));
        Worker {
            number,
            busy: if bad { 0.97 } else { 0.55 + wave },
            busy_seconds: 0.55 * ms as f64 / 1000.0,
            flows: 610_150 / u64::from(number + 1),
            flows_max: 1_048_576,
            silent_ms: 12,
            counters: all.iter().map(part).collect(),
        }
    }

    fn port(&self, name: &str, device: &str, rx: u64, tx: u64, ms: u64) -> Port {
        let bad = self.night == Night::Bad;
        Port {
            name: name.into(),
            device: device.into(),
            rx_packets: rx,
            tx_packets: tx,
            rx_missed: if bad { grown(1200.0, 9, ms) } else { 17 },
            twin: Some(Twin {
                taken: grown(40.0, 6, ms),
                written: grown(40.0, 6, ms),
                read: grown(31.0, 4, ms),
                ..Twin::default()
            }),
            ..Port::default()
        }
    }
}

/// A count that grows at about `rate` a second, faster and slower by waves of its own.
fn grown(rate: f64, seed: u32, ms: u64) -> u64 {
    let time = ms as f64 / 1000.0;
    let wave = |period: f64, part: f64| part * period * (1.0 - (time / period + f64::from(seed)).cos());
    (rate * (2.0 * time + wave(11.0, 0.5) + wave(3.0, 0.25) + wave(1.3, 0.1))) as u64
}
