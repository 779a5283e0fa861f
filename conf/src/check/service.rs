//! Pools and services: names that must be found, weights, table sizes, and VIPs that collide.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use service::{
    Key, POOL_REALS_MAX, POOLS_MAX, Policy, RENDEZVOUS_COSTS_MAX, SERVICES_MAX, SLOTS_MAX, WEIGHT_MAX,
};
use toml::Spanned;

use super::attributes::Asked;
use super::{Names, missing, needed, optional, quic, too_many};
use crate::config::{EIGHTHS, Member, Pool, PortRange, Protocol, Quic, Select, Service, Vip};
use crate::defaults;
use crate::fault::{Refusal, Report};
use crate::file::{MemberFile, PoolFile, ServiceFile};
use crate::read::Entry;
use crate::scalar::{self, quoted};

pub(super) fn pools(
    report: &mut Report<'_>,
    tables: &[Entry<PoolFile>],
    reals: &Names,
    select: &Select,
) -> (Vec<Pool>, Names) {
    let mut names = Names::new(report, "pool");
    let mut pools: Vec<Pool> = Vec::new();
    let mut costs = Costs::default();
    for table in tables {
        let name = names.take(report, table, table.file.name.as_ref());
        let members = members(report, table, reals);
        let slots = slots(report, table, select);
        let policy = policy(report, table, (slots, &members), &mut costs);
        let percent = |&number: &i64| scalar::whole(number, 0..=100);
        let panic_percent =
            optional(report, table, "panic_percent", table.file.panic_percent.as_ref(), percent)
                .unwrap_or(defaults::PANIC_PERCENT);
        let seconds = |&number: &i64| if number == 0 { Ok(0) } else { scalar::whole(number, 8..=3600) };
        let slow_start_s = optional(report, table, "slow_start_s", table.file.slow_start_s.as_ref(), seconds)
            .unwrap_or(defaults::SLOW_START_S);
        if let Some(name) = name {
            names.placed(&name, pools.len());
            pools.push(Pool { name, slots, policy, members, panic_percent, slow_start_s });
        }
    }
    too_many(report, tables, POOLS_MAX, "pools");
    (pools, names)
}

fn members(report: &mut Report<'_>, table: &Entry<PoolFile>, reals: &Names) -> Vec<Member> {
    let Some(list) = table.file.members.as_ref() else {
        missing(report, table, "pool", "members");
        return Vec::new();
    };
    let key = table.key("members");
    let mut taken = HashSet::new();
    let mut members = Vec::new();
    for (place, written) in list.get_ref().iter().enumerate() {
        let path = format!("{key}[{place}]");
        let entry = Entry { file: written.get_ref(), path, span: written.span() };
        if let Some(member) = member(report, &entry, reals, &mut taken) {
            members.push(member);
        }
    }
    // A refused member is told already, and what the pool would be with it is not known.
    let refused = report.has_told_under(&key);
    if list.get_ref().is_empty() && !refused {
        let refusal = Refusal::new(
            "the pool has no members",
            "Write it like members = [{ real = \"web-1\", weight = 100 }].",
        );
        report.add(&list.span(), Some(key), refusal);
    } else if !members.is_empty() && members.iter().all(|member| member.weight == 0) && !refused {
        let refusal =
            Refusal::new("all weights are 0, so no real can be chosen", "Give one member a weight above 0.");
        report.add(&list.span(), Some(key), refusal);
    } else if list.get_ref().len() > POOL_REALS_MAX {
        let message = format!("there are {} members", list.get_ref().len());
        let refusal = Refusal::new(message, format!("Leave at most {POOL_REALS_MAX}."));
        report.add(&list.span(), Some(key), refusal);
    }
    members
}

fn member(
    report: &mut Report<'_>,
    entry: &Entry<&MemberFile>,
    reals: &Names,
    taken: &mut HashSet<usize>,
) -> Option<Member> {
    let weight =
        optional(report, entry, "weight", entry.file.weight.as_ref(), |&n| scalar::whole(n, 0..=WEIGHT_MAX));
    let weight = weight.unwrap_or(defaults::WEIGHT);
    if entry.file.real.is_none() {
        missing(report, entry, "pool.members", "real");
    }
    let find = |text: &String| reals.find(text, "real");
    let real = optional(report, entry, "real", entry.file.real.as_ref(), find)??;
    if !taken.insert(real) {
        let name = entry.file.real.as_ref().map(|name| quoted(name.get_ref())).unwrap_or_default();
        let refusal = Refusal::new(
            format!("{name} is in this pool already"),
            "Name it once, with the weight you want.",
        );
        report.add(&entry.span, Some(entry.key("real")), refusal);
    }
    Some(Member { real, weight, eighths: EIGHTHS })
}

fn slots(report: &mut Report<'_>, table: &Entry<PoolFile>, select: &Select) -> u32 {
    let own = table.file.slots.as_ref();
    let slots = optional(report, table, "slots", own, |&n| scalar::prime(n, SLOTS_MAX));
    let refused = own.is_some() && slots.is_none();
    let slots = slots.unwrap_or(select.slots);
    let members = table.file.members.as_ref().map_or(0, |list| list.get_ref().len());
    if !refused && members > slots as usize {
        let span = own.map_or_else(|| table.span.clone(), Spanned::span);
        let message = format!("{slots} slots are too few for {members} members");
        let remedy = "Write a prime of at least a hundred times their number.";
        report.add(&span, Some(table.key("slots")), Refusal::new(message, remedy));
    }
    slots
}

fn policy(
    report: &mut Report<'_>,
    table: &Entry<PoolFile>,
    (slots, members): (u32, &[Member]),
    costs: &mut Costs,
) -> Policy {
    let written = table.file.policy.as_ref();
    optional(report, table, "policy", written, |text| {
        let policy = scalar::policy(text)?;
        if policy == Policy::Rendezvous {
            costs.add(slots, members)?;
        }
        Ok(policy)
    })
    .unwrap_or_default()
}

/// How often a member is asked about a slot, by rendezvous hashing, in all pools that are filled once.
#[derive(Default)]
struct Costs {
    filled: HashSet<(u32, Vec<(usize, u32)>)>,
    total: u64,
}

impl Costs {
    /// One more pool; one that is as one before is filled with it.
    fn add(&mut self, slots: u32, members: &[Member]) -> Result<(), Refusal> {
        let mut sorted: Vec<_> = members.iter().map(|member| (member.real, member.weight)).collect();
        sorted.sort_unstable();
        if !self.filled.insert((slots, sorted)) {
            return Ok(());
        }
        let members = members.len() as u64;
        let left = RENDEZVOUS_COSTS_MAX.saturating_sub(self.total);
        self.total = self.total.saturating_add(u64::from(slots) * members);
        if self.total <= RENDEZVOUS_COSTS_MAX {
            return Ok(());
        }
        let before = if left == RENDEZVOUS_COSTS_MAX { "" } else { " beside the pools before" };
        let message =
            format!("{slots} slots for {members} members are too many for rendezvous hashing{before}");
        let most = left / members.max(1);
        Err(Refusal::new(message, format!("Write at most {most} slots, or \"maglev\".")))
    }
}

/// Whether a packet to the VIP may carry it: IPv6's extension headers are walked over, so none has them there.
fn is_payload(
    report: &mut Report<'_>,
    table: &Entry<ServiceFile>,
    vip: Option<Vip>,
    protocol: Protocol,
) -> bool {
    let is_v6 = vip.is_some_and(|vip| vip.address.is_ipv6());
    let Protocol::Other(number @ (0 | 43 | 44 | 60)) = protocol else { return true };
    if is_v6 && let Some(written) = &table.file.protocol {
        let message = format!("{number} is an extension header of IPv6, and what stands behind it counts");
        let refusal = Refusal::new(message, "Name the protocol behind it.");
        report.add(&written.span(), Some(table.key("protocol")), refusal);
    }
    !is_v6
}

/// What a service of TCP or UDP needs, and another does not have.
fn ports(
    report: &mut Report<'_>,
    table: &Entry<ServiceFile>,
    protocol: Option<Protocol>,
) -> Option<PortRange> {
    let written = table.file.ports.as_ref();
    match protocol {
        Some(portless) if !portless.has_ports() => {
            if let Some(ports) = written {
                let message = match portless {
                    Protocol::Any => "any protocol is taken on every port".to_owned(),
                    other => format!("{other} has no ports"),
                };
                report.add(
                    &ports.span(),
                    Some(table.key("ports")),
                    Refusal::new(message, "Leave ports out."),
                );
            }
            Some(PortRange::ANY)
        }
        Some(_) => needed(report, table, "ports", written, scalar::ports),
        // Which protocol is meant is not known, nor whether it has any.
        None => optional(report, table, "ports", written, scalar::ports),
    }
}

/// What keeps its flows together, if its protocol has that, and connection ids do not do it.
fn key(
    report: &mut Report<'_>,
    table: &Entry<ServiceFile>,
    vip: Option<Vip>,
    protocol: Option<Protocol>,
) -> Key {
    let written = table.file.key.as_ref();
    let bits = vip.map_or(128, |vip| scalar::full_len(vip.address));
    let key = optional(report, table, "key", written, |text| scalar::key(text, bits));
    let key = if written.is_some() { key } else { Some(Key::Flow) };
    let (Some(key), Some(protocol)) = (key, protocol) else { return Key::Flow };
    let ipsec = [wire::protocol::ESP, wire::protocol::AH].map(Protocol::Other);
    let span = written.map_or_else(|| table.span.clone(), Spanned::span);
    let mut refuse = |message: String, remedy: &str| {
        report.add(&span, Some(table.key("key")), Refusal::new(message, remedy));
    };
    match key {
        Key::Port if !protocol.has_ports() => {
            refuse(format!("{protocol} has no ports to choose by"), "Write key = \"source\".");
        }
        Key::Flow | Key::Port if ipsec.contains(&protocol) => refuse(
            format!(
                "{protocol} changes its SPI, and with it the flow and perhaps the real, in the middle of a session"
            ),
            "Write key = \"source\".",
        ),
        Key::Source(_) | Key::Port if table.file.quic.is_some() => {
            refuse("connection ids choose the real already".to_owned(), "Leave key or quic out.");
        }
        key => return key,
    }
    Key::Flow
}

/// A service whose VIP, protocol and ports are sound, and where it stands.
struct Claim {
    vip: Vip,
    protocol: Protocol,
    ports: PortRange,
    label: String,
    key: String,
    span: Range<usize>,
}

pub(super) fn services(
    report: &mut Report<'_>,
    tables: &[Entry<ServiceFile>],
    pools: &Names,
    configs: (&[Quic], &Names),
    asked: &mut Asked<'_>,
) -> (Vec<Service>, Names) {
    if tables.is_empty() {
        let refusal = Refusal::new("there is no service", "Write at least one [[service]] table.");
        report.add_missing(&(0..0), "service".to_owned(), refusal);
    }
    let mut names = Names::new(report, "service");
    let mut claims = Vec::new();
    let mut services: Vec<Service> = Vec::new();
    for table in tables {
        let file = &table.file;
        let name = names.take(report, table, file.name.as_ref());
        let vip = needed(report, table, "vip", file.vip.as_ref(), |text| scalar::vip(text));
        let protocol = needed(report, table, "protocol", file.protocol.as_ref(), scalar::protocol);
        let protocol = protocol.filter(|protocol| is_payload(report, table, vip, *protocol));
        let ports = ports(report, table, protocol);
        let find = |text: &String| pools.find(text, "pool");
        let pool = needed(report, table, "pool", file.pool.as_ref(), find).flatten();
        let mss =
            optional(report, table, "clamp_mss", file.clamp_mss.as_ref(), |mss| scalar::mss(mss, protocol));
        let quic = quic::of_service(report, table, protocol, configs);
        let (mark, limit) = asked.of(report, table, (file.mark.as_ref(), file.limit.as_ref()));
        let key = key(report, table, vip, protocol);
        let (Some(vip), Some(protocol), Some(ports)) = (vip, protocol, ports) else {
            continue;
        };
        let label = file.name.as_ref().map_or_else(|| table.path.clone(), |name| quoted(name.get_ref()));
        let span = file.vip.as_ref().map_or_else(|| table.span.clone(), Spanned::span);
        claims.push(Claim { vip, protocol, ports, label, key: table.key("vip"), span });
        if let (Some(name), Some(pool)) = (name, pool) {
            names.placed(&name, services.len());
            services.push(Service { name, vip, protocol, ports, pool, mss, quic, mark, limit, key });
        }
    }
    too_many(report, tables, SERVICES_MAX as usize, "services");
    collisions(report, &claims);
    (services, names)
}

/// The same VIP, protocol and ports twice, or ranges of one width that overlap: no rule says who wins.
fn collisions(report: &mut Report<'_>, claims: &[Claim]) {
    let mut groups: HashMap<(Vip, Protocol, u16), Vec<&Claim>> = HashMap::new();
    for claim in claims {
        let width = claim.ports.last.saturating_sub(claim.ports.first);
        groups.entry((claim.vip, claim.protocol, width)).or_default().push(claim);
    }
    for group in groups.values_mut() {
        group.sort_by_key(|claim| (claim.ports.first, claim.span.start));
        for (before, after) in group.iter().zip(group.iter().skip(1)) {
            let Claim { vip, protocol, ports, .. } = after;
            // The later line is at fault, whichever range starts first.
            let (first, second) =
                if before.span.start < after.span.start { (before, after) } else { (after, before) };
            let line = report.line(first.span.start);
            let refusal = if before.ports == after.ports {
                let ports = if protocol.has_ports() { format!(" {ports}") } else { String::new() };
                let message =
                    format!("{vip} {protocol}{ports} is the service {} in line {line} already", first.label);
                Refusal::new(message, "Give one of them another VIP, protocol or port.")
            } else if after.ports.first <= before.ports.last {
                let message = format!(
                    "{vip} {protocol} {} overlaps {} of the service {} in line {line}, and neither is narrower",
                    second.ports, first.ports, first.label
                );
                Refusal::new(
                    message,
                    "Make the ranges apart, or one of them narrower: the narrower one wins.",
                )
            } else {
                continue;
            };
            report.add(&second.span, Some(second.key.clone()), refusal);
        }
    }
}
