//! Next hops that follow the kernel: what it says comes to the inbox, and what follows from it goes to the workers.
//!
//! A thread waits for the kernel's news and wakes the control thread with each. The ways are asked for by the control
//! thread itself, because the kernel answers at once. Neighbours are looked for by a thread of their own: for that the
//! kernel takes the lock of all its interfaces, which others hold for tens of milliseconds.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use ::kernel::{Asker, Watcher};
use conf::Config;
use control::{HopInput, HopOutput, Hops, Next, Numbers, PortEnd};
use service::{Hop, RealNumber};

use crate::crew::Crew;
use crate::failure::Failure;
use crate::run::events::Event;

/// Devices that are an interface of the kernel themselves.
const INTERFACES: [&str; 2] = ["net_af_packet", "net_af_xdp"];
/// Changes whose way to the workers is measured at one time.
const MEASURED_MAX: usize = 1024;

/// Why a real without a next hop is refused, where there is nothing to follow.
pub(crate) const FOLLOWS_NOTHING: &str =
    "no port has an interface of the kernel to learn it by (kernel = \"twin\" gives a port one)";

/// What the kernel said.
#[derive(Debug)]
pub(crate) struct News {
    input: HopInput,
    at: Instant,
}

/// Followed reals by their addresses: the numbers, and the port that the file names.
pub(crate) type Followed = BTreeMap<IpAddr, (Vec<RealNumber>, Option<u8>)>;

/// Those of a configuration.
pub(crate) fn followed(config: &Config, numbers: &Numbers) -> Followed {
    let mut followed = Followed::new();
    for real in config.reals.iter().filter(|real| real.is_followed()) {
        // Those at one address have one port: the configuration is held to it.
        let (reals, port) = followed.entry(real.address).or_default();
        reals.extend(numbers.real(&real.name));
        *port = port_of(real);
    }
    followed
}

fn port_of(real: &conf::Real) -> Option<u8> {
    real.port.and_then(|place| u8::try_from(place).ok())
}

/// The ports that an interface of the kernel stands for: the twin, or the device itself.
pub(crate) fn ends(config: &Config, macs: &[[u8; 6]]) -> Vec<PortEnd> {
    let end = |((number, port), mac): ((u8, &conf::Port), &[u8; 6])| {
        let is_twin = port.has_twin();
        let interface =
            if is_twin { port.name.as_str() } else { interface(port.device.as_str())? }.to_owned();
        Some(PortEnd { interface, port: number, mac: *mac, is_twin })
    };
    (0..).zip(&config.ports).zip(macs).filter_map(end).collect()
}

/// Whether a configuration has a port of that kind.
pub(crate) fn has_ends(config: &Config) -> bool {
    config.ports.iter().any(|port| port.has_twin() || interface(port.device.as_str()).is_some())
}

fn interface(device: &str) -> Option<&str> {
    let (driver, arguments) = device.split_once(',')?;
    let is_one = INTERFACES.iter().any(|name| driver.starts_with(name));
    arguments.split(',').find_map(|argument| argument.strip_prefix("iface=")).filter(|_| is_one)
}

/// How long hops take to the workers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Latency {
    /// Changes that all workers have acknowledged.
    changes: u64,
    last_us: u64,
    max_us: u64,
}

/// The control thread's part.
pub(crate) struct Follower {
    hops: Hops,
    asker: Option<Asker>,
    /// Who looks for neighbours.
    search: Option<(Sender<Search>, JoinHandle<()>)>,
    /// A change of routes is in the inbox already.
    is_told: Arc<AtomicBool>,
    followed: Followed,
    /// The newest of each, as it is shown.
    shown: Arc<BTreeMap<RealNumber, Next>>,
    serial: u64,
    /// When all that stood had been heard.
    begun: Option<Instant>,
    /// Since when routes have changed.
    routes_at: Option<Instant>,
    /// What is on its way, and when the kernel said so.
    measured: VecDeque<(u64, Instant)>,
    latency: Latency,
}

/// What is to be done with a neighbour.
#[derive(Clone, Copy, Debug)]
struct Search {
    index: u32,
    address: IpAddr,
    /// It is looked for; otherwise it is left to itself.
    is_used: bool,
}

impl Follower {
    /// Begins to listen, where a port has an interface. A machine whose kernel is not to be asked is told so when a
    /// real is to be followed, and not before.
    pub(crate) fn start(ends: Vec<PortEnd>, needed: bool, inbox: Sender<Event>) -> Result<Self, Failure> {
        let is_told = Arc::new(AtomicBool::new(false));
        let opened = if ends.is_empty() {
            None
        } else {
            match Watcher::open().and_then(|watcher| Ok((watcher, Asker::open()?, Asker::open()?))) {
                Ok(all) => Some(all),
                Err(error) if needed => return Err(Failure::new(error.to_string())),
                Err(error) => {
                    tracing::warn!("{error}: no next hop can be followed");
                    None
                }
            }
        };
        let (asker, search) = match opened {
            None => (None, None),
            Some((watcher, asker, searcher)) => {
                let is_told = Arc::clone(&is_told);
                // It waits for the kernel, and so ends with the process.
                drop(spawn("netlink", move || watch(watcher, &inbox, &is_told))?);
                let (send, wishes) = channel();
                let searches = spawn("neighbours", move || search(searcher, &wishes))?;
                (Some(asker), Some((send, searches)))
            }
        };
        Ok(Self {
            hops: Hops::new(ends),
            asker,
            search,
            is_told,
            followed: Followed::new(),
            shown: Arc::default(),
            serial: 0,
            begun: None,
            routes_at: None,
            measured: VecDeque::new(),
            latency: Latency::default(),
        })
    }

    /// From now on the reals of a table that the workers are given, and no others.
    pub(crate) fn follow(&mut self, followed: Followed, now_ms: u64, crew: &mut Crew) {
        self.followed = followed;
        let wanted = self.followed.iter().map(|(address, (_, by))| (*address, *by)).collect();
        self.take(HopInput::Follow(wanted), None, now_ms, crew);
        let hops: Vec<Hop> =
            self.hops.all().flat_map(|(address, next)| self.hops_to(address, next)).collect();
        crew.start_hops(hops, self.serial);
        self.show();
    }

    /// These reals will be followed: their ways are looked for before a packet needs them.
    pub(crate) fn foresee(&mut self, config: &Config, now_ms: u64, crew: &mut Crew) {
        let is_followed = config.reals.iter().filter(|real| real.is_followed());
        let mut wanted: BTreeMap<IpAddr, Option<u8>> =
            is_followed.map(|real| (real.address, port_of(real))).collect();
        wanted.extend(self.followed.iter().map(|(address, (_, by))| (*address, *by)));
        self.take(HopInput::Follow(wanted), None, now_ms, crew);
    }

    /// Takes what the kernel said.
    pub(crate) fn hear(&mut self, news: News, now_ms: u64, crew: &mut Crew) {
        let News { input, at } = news;
        tracing::debug!("{input:?}, {} us ago", at.elapsed().as_micros());
        match input {
            HopInput::RoutesChanged => {
                self.is_told.store(false, Ordering::Release);
                self.routes_at.get_or_insert(at);
            }
            HopInput::Link { .. } | HopInput::LinkGone { .. } => drop(self.routes_at.get_or_insert(at)),
            _ => {}
        }
        // What was told before we looked for the first time says nothing about how long it takes.
        let is_news = self.begun.is_some_and(|begun| at >= begun);
        self.take(input, Some(at).filter(|_| is_news), now_ms, crew);
        if !is_news {
            self.routes_at = None;
        }
        if self.hops.is_synced() {
            self.begun.get_or_insert_with(Instant::now);
        }
    }

    /// Time has passed, and workers have said how far they are.
    pub(crate) fn turn(&mut self, now_ms: u64, crew: &mut Crew) {
        self.take(HopInput::Tick, self.routes_at, now_ms, crew);
        if self.hops.is_idle() {
            self.routes_at = None;
        }
        crew.send_hops();
        let acknowledged = crew.hops_at();
        let now = Instant::now();
        while let Some((serial, at)) = self.measured.pop_front_if(|(serial, _)| *serial <= acknowledged) {
            let us = u64::try_from(now.duration_since(at).as_micros()).unwrap_or(u64::MAX);
            tracing::debug!("next hop {serial} is in force, {us} us after the kernel's word");
            let Latency { changes, last_us, max_us } = &mut self.latency;
            (*changes, *last_us, *max_us) = (*changes + 1, us, us.max(*max_us));
        }
    }

    /// Nothing is on its way.
    pub(crate) fn is_idle(&self, crew: &Crew) -> bool {
        self.hops.is_idle() && crew.hops_at() >= self.serial
    }

    /// See [`Hops::is_worth_waiting`].
    pub(crate) fn is_worth_waiting(&self) -> bool {
        self.asker.is_some() && self.hops.is_worth_waiting()
    }

    /// Neighbours are left to themselves again.
    pub(crate) fn end(mut self, now_ms: u64, crew: &mut Crew) {
        self.followed.clear();
        self.take(HopInput::Follow(BTreeMap::new()), None, now_ms, crew);
        if let Some((search, thread)) = self.search.take() {
            drop(search);
            // Were it to have broken off, the kernel forgets by itself.
            let _ = thread.join();
        }
    }

    /// The newest next hops.
    pub(crate) fn shown(&self) -> Arc<BTreeMap<RealNumber, Next>> {
        Arc::clone(&self.shown)
    }

    /// How many there are, and how fast they are.
    pub(crate) fn figures(&self) -> ctl::NextHops {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let known = self.shown.values().filter(|next| matches!(next, Next::Known { .. })).count();
        let Latency { changes, last_us, max_us } = self.latency;
        ctl::NextHops { followed: count(self.shown.len()), known: count(known), changes, last_us, max_us }
    }

    fn take(&mut self, input: HopInput, at: Option<Instant>, now_ms: u64, crew: &mut Crew) {
        let mut inputs = VecDeque::from([input]);
        let mut is_told = false;
        while let Some(input) = inputs.pop_front() {
            for output in self.hops.take(input, now_ms) {
                match output {
                    HopOutput::Ask(address) => inputs.push_back(HopInput::Route(address, self.ask(address))),
                    HopOutput::Resolve(index, address) => self.search(index, address, true),
                    HopOutput::Release(index, address) => self.search(index, address, false),
                    HopOutput::Tell(address, next) => {
                        is_told = true;
                        self.tell(address, next, at, crew);
                    }
                }
            }
        }
        if is_told {
            self.show();
        }
    }

    fn ask(&mut self, address: IpAddr) -> Option<(u32, Option<IpAddr>)> {
        let answer = self.asker.as_mut()?.route(address);
        let route = answer.unwrap_or_else(|error| {
            tracing::warn!("{address}: {error}");
            None
        });
        route.map(|route| (route.index, route.gateway))
    }

    fn search(&self, index: u32, address: IpAddr, is_used: bool) {
        if let Some((search, _)) = &self.search {
            // The thread lives as long as we do.
            let _ = search.send(Search { index, address, is_used });
        }
    }

    fn tell(&mut self, address: IpAddr, next: Next, at: Option<Instant>, crew: &mut Crew) {
        let hops: Vec<Hop> = self.hops_to(address, next).collect();
        if hops.is_empty() {
            return;
        }
        for hop in hops {
            self.serial += 1;
            crew.tell_hop(hop, self.serial);
        }
        if let Some(at) = at.filter(|_| self.measured.len() < MEASURED_MAX) {
            self.measured.push_back((self.serial, at));
        }
    }

    fn reals_at(&self, address: IpAddr) -> impl Iterator<Item = RealNumber> {
        self.followed.get(&address).into_iter().flat_map(|(reals, _)| reals.iter().copied())
    }

    fn hops_to(&self, address: IpAddr, next: Next) -> impl Iterator<Item = Hop> {
        self.reals_at(address).map(move |real| as_hop(real, next))
    }

    fn show(&mut self) {
        let of = |(address, next)| self.reals_at(address).map(move |real| (real, next));
        self.shown = Arc::new(self.hops.all().flat_map(of).collect());
    }
}

/// As the workers are told.
pub(crate) const fn as_hop(real: RealNumber, next: Next) -> Hop {
    match next {
        Next::Known { port, destination, source } => {
            Hop { real, port: Some(port), destination, source, is_resolved: true }
        }
        Next::Unknown(_) => Hop { real, port: None, destination: [0; 6], source: [0; 6], is_resolved: false },
    }
}

fn spawn(name: &str, life: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Failure> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(life);
    spawned.map_err(|error| Failure::new(format!("the kernel cannot be watched: {error}")))
}

/// The life of the thread that looks for neighbours; it ends when no more can be wished.
fn search(mut asker: Asker, wishes: &Receiver<Search>) {
    let mut is_refusal_told = false;
    for Search { index, address, is_used } in wishes {
        if !is_used {
            // A link that is gone has none.
            let _ = asker.release(index, address);
        } else if let Err(error) = asker.resolve(index, address)
            && !std::mem::replace(&mut is_refusal_told, true)
        {
            tracing::warn!("{address}: {error}; what the kernel knows by itself is followed");
        }
    }
}

/// The watching thread's life; it ends with the process.
fn watch(mut watcher: Watcher, inbox: &Sender<Event>, is_told: &AtomicBool) {
    loop {
        let event = match watcher.next() {
            Ok(event) => event,
            Err(error) => {
                tracing::error!("{error}: next hops stay as they are until a restart");
                return;
            }
        };
        let at = Instant::now();
        let input = match event {
            ::kernel::Event::Resync => HopInput::Resync,
            ::kernel::Event::Synced => HopInput::Synced,
            ::kernel::Event::Link { index, name, .. } => HopInput::Link { index, name },
            ::kernel::Event::LinkGone { index } => HopInput::LinkGone { index },
            ::kernel::Event::Neighbour { index, address, mac } => HopInput::Neighbour { index, address, mac },
            // A router that learns a hundred thousand routes must not fill the inbox.
            ::kernel::Event::RoutesChanged if is_told.swap(true, Ordering::AcqRel) => continue,
            ::kernel::Event::RoutesChanged => HopInput::RoutesChanged,
        };
        if inbox.send(Event::Kernel(News { input, at })).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::interface;

    #[test]
    fn a_port_without_a_twin_is_known_by_the_interface_that_its_device_is() {
        assert_eq!(interface("net_af_packet0,iface=eth1,qpairs=2"), Some("eth1"));
        assert_eq!(interface("net_af_xdp,start_queue=0,iface=eth2"), Some("eth2"));
        assert_eq!(interface("net_tap0,iface=tap0"), None, "the kernel is at its other end");
        assert_eq!(interface("net_null0"), None);
    }
}
