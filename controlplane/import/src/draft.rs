//! What the parsers hand over: services with their servers, held to what Penstock can say.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use conf::{Mac, PortRange, Protocol, Vip};
use service::{POOL_REALS_MAX, REALS_MAX, SERVICES_MAX, WEIGHT_MAX};

use crate::Format;
use crate::fault::{Fault, plain};
use crate::tunnel::{Door, Encap};

/// A server of a service, as the old file has it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) address: IpAddr,
    /// Its share of new flows; 0 is none.
    pub(crate) weight: u64,
    pub(crate) encap: Encap,
    /// What has no counterpart.
    pub(crate) notes: Vec<String>,
}

/// A service, as the old file has it.
#[derive(Clone, Debug)]
pub(crate) struct Virtual {
    pub(crate) vip: Vip,
    pub(crate) protocol: Protocol,
    pub(crate) ports: PortRange,
    /// What the old file calls it or the group it is in.
    pub(crate) title: Option<String>,
    /// What has no counterpart.
    pub(crate) notes: Vec<String>,
    pub(crate) servers: Vec<Server>,
}

impl Server {
    fn end(&self) -> End {
        (self.address, self.encap.door())
    }
}

impl Virtual {
    /// A service without servers.
    pub(crate) fn new(vip: Vip, protocol: Protocol, ports: PortRange) -> Self {
        Self { vip, protocol, ports, title: None, notes: Vec::new(), servers: Vec::new() }
    }

    fn what(&self) -> String {
        format!("{} {} {}", self.vip, self.protocol, self.ports)
    }
}

/// A real of the new configuration.
#[derive(Clone, Debug)]
pub(crate) struct Real {
    pub(crate) address: IpAddr,
    pub(crate) encap: Encap,
}

/// What a real is known by.
pub(crate) type End = (IpAddr, Door);

/// A member of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) end: End,
    pub(crate) weight: u64,
    pub(crate) notes: Vec<String>,
}

/// A pool of the new configuration.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) name: String,
    pub(crate) members: Vec<Member>,
}

/// A service of the new configuration.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) vip: Vip,
    pub(crate) protocol: Protocol,
    pub(crate) ports: PortRange,
    /// Place in the list of pools.
    pub(crate) pool: usize,
    pub(crate) notes: Vec<String>,
}

/// The new configuration while it grows.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) format: Format,
    /// What has no counterpart and belongs to no service.
    pub(crate) notes: Vec<String>,
    pub(crate) next_hop: Option<Mac>,
    pub(crate) reals: Vec<Real>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) services: Vec<Service>,
    real_places: HashMap<End, usize>,
    pool_places: HashMap<Vec<(End, u64)>, usize>,
    pool_names: HashSet<String>,
    /// First ports taken, by VIP, protocol and width: what `conf` compares.
    taken: HashMap<(Vip, Protocol, u16), BTreeSet<u16>>,
}

impl Draft {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            notes: Vec::new(),
            next_hop: None,
            reals: Vec::new(),
            pools: Vec::new(),
            services: Vec::new(),
            real_places: HashMap::new(),
            pool_places: HashMap::new(),
            pool_names: HashSet::new(),
            taken: HashMap::new(),
        }
    }

    /// Notes what has no counterpart and belongs to no service.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Takes a service over, or notes why it is left out.
    pub(crate) fn add(&mut self, mut virt: Virtual) -> Result<(), Fault> {
        let members = members(&mut virt);
        if members.iter().all(|member| member.weight == 0) {
            let why = if members.is_empty() { "it has no server" } else { "all its servers have weight 0" };
            self.leave_out(&virt, why);
            return Ok(());
        }
        if !self.claim(&virt) {
            self.leave_out(&virt, "a service before it has this VIP, protocol and ports");
            return Ok(());
        }
        for server in &virt.servers {
            self.real(server, &mut virt.notes);
        }
        let name = service_name(&virt);
        let mut notes = std::mem::take(&mut virt.notes);
        let pool = self.pool(virt.title.as_deref(), &name, members, &mut notes);
        self.services.push(Service {
            name,
            vip: virt.vip,
            protocol: virt.protocol,
            ports: virt.ports,
            pool,
            notes,
        });
        self.hold_limits()
    }

    fn leave_out(&mut self, virt: &Virtual, why: &str) {
        self.note(format!("service {}, left out: {why}", virt.what()));
    }

    /// Whether nobody has these ports, as `conf` sees it: ranges of one width may not overlap.
    fn claim(&mut self, virt: &Virtual) -> bool {
        let PortRange { first, last } = virt.ports;
        let width = last.saturating_sub(first);
        let group = self.taken.entry((virt.vip, virt.protocol, width)).or_default();
        // Of one width, so those overlap that begin no further away than that.
        let near = first.saturating_sub(width)..=first.saturating_add(width);
        group.range(near).next().is_none() && group.insert(first)
    }

    fn real(&mut self, server: &Server, notes: &mut Vec<String>) {
        let place = *self.real_places.entry(server.end()).or_insert(self.reals.len());
        match self.reals.get(place) {
            None => self.reals.push(Real { address: server.address, encap: server.encap }),
            Some(real) if real.encap != server.encap => notes.push(format!(
                "{} is reached in another way here than by a service before: it keeps that one",
                server.address
            )),
            Some(_) => {}
        }
    }

    /// The pool with these members: one that is there, or a new one. What is noted at members of a pool
    /// that is there already is noted at the service.
    fn pool(
        &mut self,
        title: Option<&str>,
        service: &str,
        members: Vec<Member>,
        notes: &mut Vec<String>,
    ) -> usize {
        let key = members.iter().map(|member| (member.end, member.weight)).collect();
        let place = *self.pool_places.entry(key).or_insert(self.pools.len());
        if let Some(pool) = self.pools.get(place) {
            for (member, there) in members.iter().zip(&pool.members) {
                let new = member.notes.iter().filter(|note| !there.notes.contains(note));
                notes.extend(new.map(|note| format!("{}: {note}", member.end.0)));
            }
        } else {
            let name = self.pool_name(title, service);
            self.pools.push(Pool { name, members });
        }
        place
    }

    /// What the old file calls it, where that is a name nobody has; else the service's, which is its own.
    fn pool_name(&mut self, title: Option<&str>, service: &str) -> String {
        let title = title.filter(|title| title.parse::<conf::Name>().is_ok());
        let name = title.filter(|title| !self.pool_names.contains(*title)).unwrap_or(service);
        // A title may look like a later service's name: then that one is told apart.
        let mut name = name.to_owned();
        let mut number = 2_u32;
        while !self.pool_names.insert(name.clone()) {
            name = format!("pool-{number}");
            number = number.saturating_add(1);
        }
        name
    }

    fn hold_limits(&self) -> Result<(), Fault> {
        let over = |count: usize, max: usize| count > max;
        let (what, max) = if over(self.reals.len(), REALS_MAX as usize) {
            ("servers", REALS_MAX as usize)
        } else if over(self.services.len(), SERVICES_MAX as usize) {
            ("services", SERVICES_MAX as usize)
        } else if over(self.pools.len(), service::POOLS_MAX) {
            ("different sets of servers", service::POOLS_MAX)
        } else if self.pools.last().is_some_and(|pool| over(pool.members.len(), POOL_REALS_MAX)) {
            ("servers of one service", POOL_REALS_MAX)
        } else {
            return Ok(());
        };
        let message = format!("there are more than {max} {what}");
        Err(Fault::whole(message, "Split the file by VIPs and import each part."))
    }
}

/// The servers as members: each once, weights within bounds.
fn members(virt: &mut Virtual) -> Vec<Member> {
    let mut places: HashMap<End, usize> = HashMap::new();
    let mut members: Vec<Member> = Vec::new();
    for server in &virt.servers {
        let place = *places.entry(server.end()).or_insert(members.len());
        let notes = server.notes.clone();
        match members.get_mut(place) {
            None => members.push(Member { end: server.end(), weight: server.weight, notes }),
            Some(member) => {
                member.weight = member.weight.saturating_add(server.weight);
                member.notes.extend(notes);
                member
                    .notes
                    .push("it stands more than once in this service: the weights are added".to_owned());
            }
        }
    }
    let most = members.iter().map(|member| member.weight).max().unwrap_or(0);
    let max = u64::from(WEIGHT_MAX);
    if most > max {
        virt.notes.push(format!("weights above {max}: all of this service are scaled down"));
        for member in &mut members {
            let scaled = u128::from(member.weight) * u128::from(max) / u128::from(most);
            // A share above nothing stays above nothing.
            let least = u64::from(member.weight > 0);
            member.weight = u64::try_from(scaled).unwrap_or(max).max(least);
        }
    }
    members
}

/// Such as `tcp-198.51.100.10-80`: its own among services, for VIP, protocol and ports are.
fn service_name(virt: &Virtual) -> String {
    let vip: String = virt
        .vip
        .to_string()
        .chars()
        .map(|character| match character {
            ':' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    format!("{}-{vip}-{}", virt.protocol, virt.ports)
}

/// Such as `10.0.0.11`, `2001-db8--11` and, where a tunnel of another type than IP in IP leads there,
/// `10.0.0.11-gue-6080`: an operator types it.
pub(crate) fn real_name((address, (kind, port)): End) -> String {
    let address = address.to_string().replace(':', "-");
    match (kind, port) {
        ("", _) => address,
        (kind, 0) => format!("{address}-{kind}"),
        (kind, port) => format!("{address}-{kind}-{port}"),
    }
}

/// A note on a setting that Penstock does not have.
pub(crate) fn setting(name: &str, value: &str) -> String {
    plain(format!("{name} {value}").trim_end())
}
