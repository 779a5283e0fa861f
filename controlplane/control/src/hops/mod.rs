//! Next hops that follow the kernel: address of a real → route → router or the address itself → neighbour → MAC
//! address and port.
//!
//! A state machine that is told what the kernel says and says what to ask it and what to tell the workers. A
//! neighbour's change is told at once. A change of routes asks for every way again, a millisecond later, so that a
//! burst of changes is one; so many ways a turn. Neighbours that are used are looked for again and again: the kernel
//! does not see the packets that use them.
//!
//! Architecture invariant: no socket, no clock, no thread; the same inputs give the same outputs.

mod target;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::hops::target::{Neighbour, Targets};
use crate::limits::{HOPS_A_TURN_MAX, ROUTES_PAUSE_MS};

/// A port, as the kernel knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortEnd {
    /// The interface that stands for it.
    pub interface: String,
    /// Its place among the ports.
    pub port: u8,
    /// Our MAC address on it.
    pub mac: [u8; 6],
    /// It is a twin: what answers there comes by the port itself.
    pub is_twin: bool,
}

/// What is known of the way to a real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Frames go there.
    Known {
        /// The place of the port they leave by.
        port: u8,
        /// To whom.
        destination: [u8; 6],
        /// From which address of ours.
        source: [u8; 6],
    },
    /// Nowhere, yet.
    Unknown(Why),
}

/// Why a next hop is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The kernel was not asked yet.
    Unasked,
    /// The kernel has no route to the real's address, or it ends at this machine.
    NoRoute,
    /// Its route leaves by an interface that stands for no port of ours, or not for the port that the file names.
    NoPort,
    /// The neighbour does not answer, or has not yet.
    NoNeighbour(IpAddr),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HopInput {
    /// These addresses are followed from now on, no others, each by a port that was named or any.
    Follow(BTreeMap<IpAddr, Option<u8>>),
    /// All links and neighbours are told anew, until [`HopInput::Synced`].
    Resync,
    /// They were told.
    Synced,
    /// A link is there.
    Link {
        /// Its number.
        index: u32,
        /// Its name.
        name: String,
    },
    /// A link is gone.
    LinkGone {
        /// Its number.
        index: u32,
    },
    /// A neighbour's MAC address, or that there is none.
    Neighbour {
        /// The link it is on.
        index: u32,
        /// Its address.
        address: IpAddr,
        /// The MAC address.
        mac: Option<[u8; 6]>,
    },
    /// Any route may be another now.
    RoutesChanged,
    /// The answer to [`HopOutput::Ask`]: the link, and the router if there is one; `None` without a route.
    Route(IpAddr, Option<(u32, Option<IpAddr>)>),
    /// Time has passed.
    Tick,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopOutput {
    /// Ask for the way to that address, and say [`HopInput::Route`].
    Ask(IpAddr),
    /// Have that neighbour on that link looked for.
    Resolve(u32, IpAddr),
    /// Nobody uses it any more.
    Release(u32, IpAddr),
    /// Tell the workers of the way to that real's address.
    Tell(IpAddr, Next),
}

/// The way to one address.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// The port that the file names.
    by: Option<u8>,
    target: Option<Neighbour>,
    why_none: Why,
    told: Next,
}

/// The state.
#[derive(Debug, Default)]
pub struct Hops {
    ends: Vec<PortEnd>,
    /// By the link's number, the place among `ends`.
    links: BTreeMap<u32, usize>,
    /// Of our links alone.
    neighbours: BTreeMap<Neighbour, [u8; 6]>,
    ways: BTreeMap<IpAddr, Way>,
    targets: Targets,
    /// When every way is asked for again.
    ask_all_ms: Option<u64>,
    /// Ways to be asked for.
    to_ask: BTreeSet<IpAddr>,
    /// All was told once.
    is_synced: bool,
    /// While all is told anew: what was not told yet.
    unseen: Option<(BTreeSet<u32>, BTreeSet<Neighbour>)>,
}

impl Hops {
    /// Nothing is followed yet.
    #[must_use]
    pub fn new(ends: Vec<PortEnd>) -> Self {
        Self { ends, ..Self::default() }
    }

    /// Takes what happened at `now_ms`; gives what to do, in that order.
    pub fn take(&mut self, input: HopInput, now_ms: u64) -> Vec<HopOutput> {
        let mut outputs = Vec::new();
        match input {
            HopInput::Follow(addresses) => self.follow(&addresses, &mut outputs),
            HopInput::Resync => {
                self.unseen =
                    Some((self.links.keys().copied().collect(), self.neighbours.keys().copied().collect()));
            }
            HopInput::Synced => self.synced(now_ms, &mut outputs),
            HopInput::Link { index, name } => self.link(index, &name, now_ms, &mut outputs),
            HopInput::LinkGone { index } => self.lose_link(index, now_ms, &mut outputs),
            HopInput::Neighbour { index, address, mac } => {
                if let Some((_, neighbours)) = &mut self.unseen {
                    neighbours.remove(&Neighbour { index, address });
                }
                self.neighbour(Neighbour { index, address }, mac, now_ms, &mut outputs);
            }
            HopInput::RoutesChanged => self.ask_all(now_ms),
            HopInput::Route(address, route) => self.route(address, route, now_ms, &mut outputs),
            HopInput::Tick => self.tick(now_ms, &mut outputs),
        }
        outputs
    }

    /// Nothing is to be done soon.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.ask_all_ms.is_none() && self.to_ask.is_empty()
    }

    /// Whether an answer is due that comes beside our ports: it is worth waiting for before the first packet.
    #[must_use]
    pub fn is_worth_waiting(&self) -> bool {
        let comes_beside = |way: &Way| {
            let end = way.target.and_then(|target| self.end(target.index));
            matches!(way.told, Next::Unknown(_)) && end.is_some_and(|end| !end.is_twin)
        };
        !self.ways.is_empty()
            && !self.ends.iter().all(|end| end.is_twin)
            && (!self.is_synced || !self.is_idle() || self.ways.values().any(comes_beside))
    }

    /// Whether all was told once: what comes since is news.
    #[must_use]
    pub const fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// The ways to all that are followed, as told last.
    pub fn all(&self) -> impl Iterator<Item = (IpAddr, Next)> + '_ {
        self.ways.iter().map(|(address, way)| (*address, way.told))
    }

    fn end(&self, index: u32) -> Option<&PortEnd> {
        self.links.get(&index).and_then(|place| self.ends.get(*place))
    }

    fn follow(&mut self, addresses: &BTreeMap<IpAddr, Option<u8>>, outputs: &mut Vec<HopOutput>) {
        let gone: Vec<IpAddr> =
            self.ways.keys().filter(|address| !addresses.contains_key(*address)).copied().collect();
        for address in gone {
            self.ways.remove(&address);
            self.to_ask.remove(&address);
            self.targets.let_go(address, None, outputs);
        }
        for (address, by) in addresses {
            let why_none = Why::Unasked;
            let fresh = Way { by: *by, target: None, why_none, told: Next::Unknown(why_none) };
            let way = self.ways.entry(*address).or_insert(fresh);
            if way.by != *by || way.why_none == Why::Unasked {
                way.by = *by;
                self.to_ask.insert(*address);
            }
        }
    }

    fn ask_all(&mut self, now_ms: u64) {
        self.ask_all_ms.get_or_insert(now_ms + ROUTES_PAUSE_MS);
    }

    fn link(&mut self, index: u32, name: &str, now_ms: u64, outputs: &mut Vec<HopOutput>) {
        if let Some((links, _)) = &mut self.unseen {
            links.remove(&index);
        }
        match self.ends.iter().position(|end| end.interface == name) {
            Some(place) => drop(self.links.insert(index, place)),
            // It was renamed.
            None if self.links.contains_key(&index) => self.lose_link(index, now_ms, outputs),
            None => {}
        }
        // A link that goes down takes its routes with it, and not all of them are told.
        self.ask_all(now_ms);
    }

    /// Its neighbours go with it.
    fn lose_link(&mut self, index: u32, now_ms: u64, outputs: &mut Vec<HopOutput>) {
        if self.links.remove(&index).is_some() {
            let on_it = |neighbour: &&Neighbour| neighbour.index == index;
            let gone: Vec<Neighbour> = self.neighbours.keys().filter(on_it).copied().collect();
            for neighbour in gone {
                self.neighbour(neighbour, None, now_ms, outputs);
            }
        }
        self.ask_all(now_ms);
    }

    fn synced(&mut self, now_ms: u64, outputs: &mut Vec<HopOutput>) {
        self.is_synced = true;
        let Some((links, neighbours)) = self.unseen.take() else { return };
        for index in links {
            self.lose_link(index, now_ms, outputs);
        }
        for neighbour in neighbours {
            self.neighbour(neighbour, None, now_ms, outputs);
        }
        self.ask_all(now_ms);
    }

    fn neighbour(
        &mut self,
        neighbour: Neighbour,
        mac: Option<[u8; 6]>,
        now_ms: u64,
        outputs: &mut Vec<HopOutput>,
    ) {
        match mac {
            Some(mac) if self.links.contains_key(&neighbour.index) => {
                self.neighbours.insert(neighbour, mac);
            }
            _ => {
                if self.neighbours.remove(&neighbour).is_some() {
                    self.targets.missed(neighbour, now_ms, outputs);
                }
            }
        }
        for address in self.targets.users(neighbour) {
            self.tell(address, outputs);
        }
    }

    fn route(
        &mut self,
        address: IpAddr,
        route: Option<(u32, Option<IpAddr>)>,
        now_ms: u64,
        outputs: &mut Vec<HopOutput>,
    ) {
        let Some(way) = self.ways.get(&address) else { return };
        let by = way.by;
        let target = route.map(|(index, router)| Neighbour { index, address: router.unwrap_or(address) });
        let is_ours = |target: &Neighbour| {
            self.end(target.index).is_some_and(|end| by.is_none_or(|port| port == end.port))
        };
        let target_of_ours = target.filter(is_ours);
        let why_none = if target.is_some() { Why::NoPort } else { Why::NoRoute };
        self.targets.let_go(address, target_of_ours, outputs);
        if let Some(neighbour) = target_of_ours {
            let is_known = self.neighbours.contains_key(&neighbour);
            self.targets.take_up(address, neighbour, is_known, now_ms, outputs);
        }
        if let Some(way) = self.ways.get_mut(&address) {
            (way.target, way.why_none) = (target_of_ours, why_none);
        }
        self.tell(address, outputs);
    }

    fn tick(&mut self, now_ms: u64, outputs: &mut Vec<HopOutput>) {
        if self.ask_all_ms.take_if(|at| *at <= now_ms).is_some() {
            self.to_ask.extend(self.ways.keys());
        }
        let asked = std::iter::from_fn(|| self.to_ask.pop_first()).take(HOPS_A_TURN_MAX);
        outputs.extend(asked.map(HopOutput::Ask));
        let neighbours = &self.neighbours;
        self.targets.look_again(now_ms, |neighbour| neighbours.contains_key(&neighbour), outputs);
    }

    /// Tells of the way to an address, if it is another than was told.
    fn tell(&mut self, address: IpAddr, outputs: &mut Vec<HopOutput>) {
        let Some(way) = self.ways.get(&address) else { return };
        let next = match way.target {
            None => Next::Unknown(way.why_none),
            Some(target) => match (self.neighbours.get(&target), self.end(target.index)) {
                (Some(mac), Some(end)) => Next::Known { port: end.port, destination: *mac, source: end.mac },
                (None, Some(_)) => Next::Unknown(Why::NoNeighbour(target.address)),
                (_, None) => Next::Unknown(Why::NoPort),
            },
        };
        if let Some(way) = self.ways.get_mut(&address).filter(|way| way.told != next) {
            way.told = next;
            outputs.push(HopOutput::Tell(address, next));
        }
    }
}
