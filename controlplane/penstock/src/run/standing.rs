//! How the box stands, as the control thread saw it last: numbers only. Rows with names are made for those who
//! ask, in their own threads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use conf::Mac;
use control::{Image, InForce, Next, Why};
use counters::{Counter, Ledger, Tally};
use flow::{FlowReader, FlowRecord, State};
use service::{RealNumber, Table};

use crate::run::begun::Begun;
use crate::site::{Directory, Site};

/// Milliseconds of a tick.
pub(crate) const TICK_MS: u64 = 125;

/// What is in force, with its names by number.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) in_force: InForce,
    pub(crate) site: Site,
    pub(crate) directory: Directory,
    pub(crate) digest: String,
    /// Since when its table is in force.
    pub(crate) since_ms: u64,
    /// The table, as long as the workers have it.
    pub(crate) table: Weak<Table<Image>>,
    /// What the counters stood at when these names got their numbers.
    pub(crate) begun: Begun,
}

/// One worker.
#[derive(Clone, Debug)]
pub(crate) struct WorkerStanding {
    pub(crate) ledger: Ledger,
    pub(crate) busy: f64,
    pub(crate) busy_seconds: f64,
    pub(crate) flows: (u64, u64),
    /// The tick of its last heartbeat, and how long ago that was seen to change.
    pub(crate) tick: u64,
    pub(crate) silent_ms: u64,
}

/// Everything at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) at_ms: u64,
    pub(crate) names: Arc<Names>,
    pub(crate) total: Ledger,
    pub(crate) workers: Vec<WorkerStanding>,
    pub(crate) ports: Vec<ctl::Port>,
    /// The next hops that are followed, by the numbers of their reals.
    pub(crate) ways: Arc<BTreeMap<RealNumber, Next>>,
    pub(crate) hops: ctl::NextHops,
}

/// What the control thread shows, and every other thread may look at.
#[derive(Debug)]
pub(crate) struct Board {
    standing: Mutex<Arc<Standing>>,
    readers: Vec<FlowReader>,
}

impl Board {
    pub(crate) fn new(first: Standing, readers: Vec<FlowReader>) -> Self {
        Self { standing: Mutex::new(Arc::new(first)), readers }
    }

    /// How things stand. Nobody panics while holding the lock; were somebody to, what stands there is whole.
    pub(crate) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The workers' flow tables.
    pub(crate) fn readers(&self) -> &[FlowReader] {
        &self.readers
    }

    pub(crate) fn show(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(standing);
    }

    /// Flows that a filter lets through, at most `limit`, and whether there are more.
    pub(crate) fn flows(
        &self,
        standing: &Standing,
        wanted: impl Fn(&ctl::Flow) -> bool,
        limit: usize,
    ) -> ctl::Rows<ctl::Flow> {
        let mut rows = Vec::new();
        for ((number, reader), worker) in (0_u32..).zip(&self.readers).zip(&standing.workers) {
            for record in reader.flows() {
                let row = standing.flow(number, worker.tick, &record);
                if !wanted(&row) {
                    continue;
                }
                if rows.len() >= limit {
                    return ctl::Rows { rows, more: true };
                }
                rows.push(row);
            }
        }
        ctl::Rows { rows, more: false }
    }
}

impl Standing {
    /// All that a screen wants.
    pub(crate) fn snapshot(&self) -> ctl::Snapshot {
        ctl::Snapshot {
            at_ms: self.at_ms,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generation: self.generation(),
            counters: counts(&self.total),
            services: self.services(),
            reals: self.reals(),
            rules: self.rules(),
            workers: self.workers(),
            ports: self.ports.clone(),
            panics: self.panics(),
        }
    }

    /// Pools of which too little is up.
    fn panics(&self) -> Vec<ctl::Panic> {
        let config = &self.names.site.config;
        let row = |pool: &conf::Pool| {
            let percent_up = pool.percent_up(&config.reals).filter(|_| pool.panics(&config.reals))?;
            let (pool, panic_percent) = (pool.name.to_string(), pool.panic_percent);
            Some(ctl::Panic { pool, percent_up, panic_percent })
        };
        let mut rows: Vec<ctl::Panic> = config.pools.iter().filter_map(row).collect();
        rows.sort_by(|a, b| a.pool.cmp(&b.pool));
        rows
    }

    pub(crate) fn counters(&self) -> ctl::Counts {
        counts(&self.total)
    }

    pub(crate) fn generation(&self) -> ctl::Generation {
        ctl::Generation {
            sequence: self.names.in_force.generation.sequence,
            digest: self.names.digest.clone(),
            age_ms: self.at_ms.saturating_sub(self.names.since_ms),
            return_path: self.names.site.config.node.return_path.word().to_owned(),
            next_hops: (self.hops.followed > 0).then(|| Box::new(self.hops)),
        }
    }

    pub(crate) fn services(&self) -> Vec<ctl::Service> {
        let Site { config, numbers } = &self.names.site;
        let row = |service: &conf::Service| {
            let number = numbers.service(&service.name)?;
            let [tally, Tally { packets, bytes }] = self.names.begun.service(&self.total, number.index());
            Some(ctl::Service {
                name: service.name.to_string(),
                number: number.get(),
                vip: service.vip.to_string(),
                protocol: service.protocol.to_string(),
                ports: service.ports_text(),
                pool: config.pools.get(service.pool).map(|pool| pool.name.to_string()).unwrap_or_default(),
                packets: tally.packets,
                bytes: tally.bytes,
                responses: config.node.is_gateway().then_some(ctl::Responses { packets, bytes }),
            })
        };
        let mut rows: Vec<ctl::Service> = config.services.iter().filter_map(row).collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        rows
    }

    pub(crate) fn reals(&self) -> Vec<ctl::Real> {
        let Site { config, numbers } = &self.names.site;
        let mut weights: BTreeMap<usize, BTreeMap<String, u32>> = BTreeMap::new();
        for pool in &config.pools {
            for member in &pool.members {
                weights.entry(member.real).or_default().insert(pool.name.to_string(), member.weight);
            }
        }
        let row = |(place, real): (usize, &conf::Real)| {
            let number = numbers.real(&real.name)?;
            let tally = self.names.begun.real(&self.total, number.index());
            let overrides = &self.names.in_force.overrides;
            let is_said = overrides.has_state_of(&real.name);
            Some(ctl::Real {
                name: real.name.to_string(),
                number: number.get(),
                address: real.address.to_string(),
                state: real.state.word().to_owned(),
                by: if is_said { "operator" } else { "file" }.to_owned(),
                weights: weights.get(&place).cloned().unwrap_or_default(),
                weights_by_operator: overrides.pools_weighted(&real.name).map(ToString::to_string).collect(),
                next_hop: self.next_hop(number, real),
                packets: tally.packets,
                bytes: tally.bytes,
            })
        };
        let mut rows: Vec<ctl::Real> = config.reals.iter().enumerate().filter_map(row).collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        rows
    }

    /// As they are asked.
    pub(crate) fn rules(&self) -> Vec<ctl::Rule> {
        let Site { config, numbers } = &self.names.site;
        let row = |rule: &conf::Rule| {
            let number = numbers.rule(&rule.name)?;
            let tally = self.names.begun.rule(&self.total, number.index());
            let asks: Vec<String> = rule.asks().iter().map(|(key, value)| format!("{key} {value}")).collect();
            Some(ctl::Rule {
                name: rule.name.to_string(),
                number: number.get(),
                priority: rule.priority,
                asks: asks.join(", "),
                does: rule.does(config),
                packets: tally.packets,
                bytes: tally.bytes,
            })
        };
        config.rules.iter().filter_map(row).collect()
    }

    fn next_hop(&self, number: RealNumber, real: &conf::Real) -> ctl::NextHop {
        let port = |place: usize| self.names.site.config.ports.get(place).map(|port| port.name.to_string());
        let named = real.port.and_then(port).unwrap_or_default();
        let hop = |mac: Option<Mac>, port, why| ctl::NextHop {
            mac: mac.map(|mac| mac.to_string()).unwrap_or_default(),
            by: if real.is_followed() { "kernel" } else { "file" }.to_owned(),
            port,
            why,
        };
        if !real.is_followed() {
            return hop(real.next_hop, named, String::new());
        }
        match self.ways.get(&number).copied().unwrap_or(Next::Unknown(Why::Unasked)) {
            Next::Known { port: by, destination, .. } => {
                hop(Some(Mac(destination)), port(usize::from(by)).unwrap_or_default(), String::new())
            }
            Next::Unknown(why) => hop(None, named, why_words(why)),
        }
    }

    pub(crate) fn workers(&self) -> Vec<ctl::Worker> {
        let row = |(number, worker): (u32, &WorkerStanding)| ctl::Worker {
            number,
            busy: worker.busy,
            busy_seconds: worker.busy_seconds,
            flows: worker.flows.0,
            flows_max: worker.flows.1,
            silent_ms: worker.silent_ms,
            counters: counts(&worker.ledger),
        };
        (0..).zip(&self.workers).map(row).collect()
    }

    /// The table in words, a line each.
    pub(crate) fn table(&self) -> Vec<String> {
        let config = &self.names.site.config;
        let real = |member: &conf::Member| {
            let real = config.reals.get(member.real)?;
            let starts = match member.eighths {
                conf::EIGHTHS => String::new(),
                eighths => format!(", {eighths}/8 of it so far"),
            };
            Some(format!("{} {} ({}{starts})", real.name, member.weight, real.state.word()))
        };
        let mut lines = vec![match self.names.table.upgrade() {
            Some(table) => {
                let view = table.view();
                let (services, pools) = (view.services().count(), view.pools_len());
                format!("services: {services}; different pools: {pools}; templates: {}", view.reals_len())
            }
            None => "the table is being switched".to_owned(),
        }];
        for pool in &config.pools {
            let members: Vec<String> = pool.members.iter().filter_map(real).collect();
            let panics = if pool.panics(&config.reals) { " in panic" } else { "" };
            let (name, slots, policy) = (&pool.name, pool.slots, pool.policy.word());
            lines.push(format!("pool {name}{panics}: {slots} slots, {policy}: {}", members.join(", ")));
        }
        for quic in &config.quic {
            let ids = if quic.key.is_some() { "encrypted" } else { "clear" };
            let (name, config, servers) = (&quic.name, quic.rotation, quic.servers.len());
            let (server, nonce) = (quic.server_id_bytes, quic.nonce_bytes);
            lines.push(format!(
                "connection ids {name}: config {config}, {ids}, {server} bytes of server id and {nonce} of nonce, \
                 server ids: {servers}"
            ));
        }
        let ids: BTreeMap<&str, String> =
            config.services.iter().map(|service| (service.name.as_str(), self.ids(service))).collect();
        for service in self.services() {
            let ctl::Service { name, vip, protocol, ports, pool, .. } = service;
            let ids = ids.get(name.as_str()).map_or("", String::as_str);
            lines.push(format!("service {name}: {vip} {protocol} {ports} to pool {pool}{ids}"));
        }
        lines
    }

    /// By which connection ids a service's packets are led, if by any.
    fn ids(&self, service: &conf::Service) -> String {
        let quic = &self.names.site.config.quic;
        let places = service.quic.iter().flatten().map(|place| usize::from(*place));
        let names: Vec<&str> = places.filter_map(|place| Some(quic.get(place)?.name.as_str())).collect();
        if names.is_empty() {
            String::new()
        } else {
            format!(", led by connection ids {}", names.join(" and "))
        }
    }

    fn flow(&self, worker: u32, tick: u64, record: &FlowRecord) -> ctl::Flow {
        let (tuple, value) = (&record.tuple, record.value);
        let names = &self.names;
        let service = names.directory.service(&names.site.config, value.service());
        let real = names.directory.real(&names.site.config, value.real());
        let ends = |address: std::net::IpAddr, port| std::net::SocketAddr::new(address, port).to_string();
        ctl::Flow {
            worker,
            client: ends(tuple.source_ip(), tuple.source_port),
            vip: ends(tuple.destination_ip(), tuple.destination_port),
            protocol: match tuple.protocol {
                wire::protocol::TCP => "tcp".to_owned(),
                wire::protocol::UDP => "udp".to_owned(),
                other => other.to_string(),
            },
            service: service.map_or_else(|| value.service().get().to_string(), |it| it.name.to_string()),
            real: real.map_or_else(|| value.real().get().to_string(), |it| it.name.to_string()),
            state: flow_state_word(value.state()).to_owned(),
            silent_ms: u64::from(value.age(tick)) * TICK_MS,
        }
    }
}

/// All workers together.
pub(crate) fn sum<'l>(mut ledgers: impl Iterator<Item = &'l Ledger>) -> Option<Ledger> {
    let mut total = ledgers.next()?.clone();
    ledgers.for_each(|ledger| total.merge(ledger));
    Some(total)
}

fn counts(ledger: &Ledger) -> ctl::Counts {
    Counter::all().map(|counter| (counter.name().to_owned(), ledger.get(counter))).collect()
}

fn why_words(why: Why) -> String {
    match why {
        Why::Unasked => "the kernel was not asked yet".to_owned(),
        Why::NoRoute => "the kernel has no route".to_owned(),
        Why::NoPort => "its route leaves by none of our ports".to_owned(),
        Why::NoNeighbour(address) => format!("{address} does not answer"),
    }
}

const fn flow_state_word(state: State) -> &'static str {
    match state {
        State::Embryonic => "embryonic",
        State::Established => "established",
        State::Closing => "closing",
        State::Udp => "udp",
    }
}
