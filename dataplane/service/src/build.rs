//! From a blueprint to images.

use core::mem::size_of;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use sha2::{Digest, Sha256};
use wire::{Family, packed, protocol};
use zerocopy::{FromZeros, IntoBytes};

use crate::aligned::Aligned;
use crate::asked::{Asker, AttributeSections};
use crate::attributes::AttributeFault;
use crate::blueprint::{Blueprint, Policy, PoolSpec, RealSpec, RealState, ServiceSpec, Timeouts};
use crate::door::Door;
use crate::ends::{self, EndSections};
use crate::error::{BuildError, ImageError, PoolFault, RealFault, ServiceFault};
use crate::hop::Way;
use crate::index::BuiltIndex;
use crate::key::{self, Key};
use crate::layout::{
    ALIGN, Entry4, Entry6, HEADER_BYTES, Header, IndexHead, LAYOUT, MAGIC, OPENS_LABELS, OPENS_TUNNELS,
    PoolEntry, SECTIONS, ServiceEntry, Span, VERSION,
};
use crate::limits::{POOL_REALS_MAX, POOLS_MAX, RENDEZVOUS_COSTS_MAX, SLOTS_MAX, WEIGHT_MAX};
use crate::maglev::is_prime;
use crate::numbers::{RealNumber, ServiceNumber};
use crate::pool::{PoolReal, image};
use crate::quic::{NO_QUIC, QuicSections};
use crate::rules::{self, Askers, BuiltRules, Effect, RuleFault};
use crate::table::{Generation, Table};
use crate::tail::{Form, Tail};
use crate::template::Template;
use crate::vips;

/// The images of one generation. The root holds keys of connection ids, so its bytes are not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Built {
    /// The root image.
    pub root: Vec<u8>,
    /// Each unique pool's image once, by ascending digest.
    pub pools: Vec<Vec<u8>>,
    /// The image of the rules, if there are any.
    pub rules: Option<Vec<u8>>,
    /// SHA-256 of the root.
    pub digest: [u8; 32],
    /// The name of the generation, which is not in the images.
    pub generation: Generation,
}

impl fmt::Debug for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Built")
            .field("root_bytes", &self.root.len())
            .field("pools", &self.pools.len())
            .field("digest", &self.digest)
            .field("generation", &self.generation)
            .finish()
    }
}

impl Built {
    /// The table in this process's own memory.
    ///
    /// # Errors
    /// As [`Table::check`]; none for what [`build`] made.
    pub fn table(&self) -> Result<Table<Aligned>, ImageError> {
        let images = self.images().map(Aligned::new).collect();
        Table::check(Aligned::new(&self.root), images, self.generation)
    }

    /// The images that the root names: pools, then rules.
    pub fn images(&self) -> impl Iterator<Item = &[u8]> {
        self.pools.iter().chain(&self.rules).map(Vec::as_slice)
    }
}

/// Builds the images of a blueprint: the same bytes whatever the order of its lists, and whatever
/// `generation` they are to be called.
///
/// # Errors
/// The first fault found, with its item.
pub fn build(blueprint: &Blueprint, generation: Generation) -> Result<Built, BuildError> {
    let mut reals = checked_reals(blueprint)?;
    check_general(blueprint)?;
    let (pools, pool_places) = pools(blueprint, &reals)?;
    let quic = QuicSections::new(&blueprint.quic, &blueprint.services, &reals)
        .map_err(|(place, fault)| BuildError::Quic(place, fault))?;
    let mut attributes = AttributeSections::new(&blueprint.services, &blueprint.rules)
        .map_err(|(asker, fault)| ill_asked(blueprint, asker, fault))?;
    let services = services(blueprint, &pool_places, (&quic, &attributes))?;
    attributes.place(&services);
    let rules = rules(blueprint, &reals, &attributes)?;
    let mut cells = vec![0_u64];
    let v4 = vips::index::<Entry4>(&services, &mut cells)?;
    let v6 = vips::index::<Entry6>(&services, &mut cells)?;
    keep_flows_where_pools_panic(blueprint, &mut reals);
    let templates = templates(&reals, blueprint)?;
    let tails = tails(&reals)?;
    let (own, by_address) = (ends::own(&blueprint.outer), ends::by_address(&reals));
    let ends = EndSections::new(&blueprint.ends).map_err(|(place, fault)| BuildError::End(place, fault))?;
    let digests: Vec<PoolEntry> = pools.keys().map(|digest| PoolEntry { digest: *digest }).collect();
    let mut header = header(blueprint, &v4, &v6);
    header.rules = rules
        .as_ref()
        .map_or(0, |rules| Header::HAS_RULES | if rules.has_packets { Header::HAS_PACKET_RULES } else { 0 });
    let rules = rules.map(|rules| rules.image);
    let of_rules: Vec<PoolEntry> =
        rules.iter().map(|image| PoolEntry { digest: Sha256::digest(image).into() }).collect();
    header.opens = if attributes.takes_labels { OPENS_LABELS } else { 0 };
    header.opens |= if blueprint.ends.is_empty() { 0 } else { OPENS_TUNNELS };
    header.keeps_clients = u16::from(services.iter().any(ServiceEntry::keeps_clients));
    let sections: [&[u8]; SECTIONS] = [
        templates.as_bytes(),
        services.as_bytes(),
        digests.as_bytes(),
        v4.lengths.as_bytes(),
        v4.screen.as_bytes(),
        v4.pilots.as_bytes(),
        v4.entries.as_bytes(),
        v6.lengths.as_bytes(),
        v6.screen.as_bytes(),
        v6.pilots.as_bytes(),
        v6.entries.as_bytes(),
        cells.as_bytes(),
        quic.configs.as_bytes(),
        quic.servers.as_bytes(),
        tails.as_bytes(),
        ends.ends.as_bytes(),
        ends.sources.as_bytes(),
        own.as_bytes(),
        by_address.as_bytes(),
        of_rules.as_bytes(),
        attributes.slots.as_bytes(),
        attributes.marks.as_bytes(),
        attributes.limits.as_bytes(),
    ];
    let mut root = vec![0; size_of::<Header>()];
    for (span, bytes) in header.spans.iter_mut().zip(sections) {
        *span = Span { offset: root.len() as u64, length: bytes.len() as u64 };
        root.extend(bytes);
        root.resize(root.len().next_multiple_of(ALIGN), 0);
    }
    header.length = root.len() as u64;
    root.iter_mut().zip(header.as_bytes()).for_each(|(to, from)| *to = *from);
    let digest = Sha256::digest(&root).into();
    Ok(Built { root, pools: pools.into_values().collect(), rules, digest, generation })
}

fn header(blueprint: &Blueprint, v4: &BuiltIndex<Entry4>, v6: &BuiltIndex<Entry6>) -> Header {
    let Timeouts { syn, established, closing, udp } = blueprint.timeouts;
    let outer = &blueprint.outer;
    let numbers = blueprint.services.iter().map(|service| service.number.get());
    Header {
        magic: MAGIC,
        version: VERSION,
        header_bytes: HEADER_BYTES,
        layout: LAYOUT,
        select_seed: blueprint.select_seed,
        timeouts: [syn, established, closing, udp],
        new_flows_rate_max: blueprint.new_flows_rate_max.unwrap_or_default(),
        new_flows_gate: u16::from(blueprint.new_flows_rate_max.is_some()),
        mac: outer.mac,
        mtu: outer.mtu,
        hop_limit: outer.hop_limit,
        passes_max: outer.passes_max,
        clamps: u8::from(blueprint.services.iter().any(|service| service.mss != 0)),
        dont_fragment: outer.dont_fragment.code(),
        return_path: blueprint.return_path.code(),
        services_len: numbers.max().map_or(0, |largest| largest + 1),
        index4: IndexHead { seed: v4.seed, keys: v4.keys },
        index6: IndexHead { seed: v6.seed, keys: v6.keys },
        ..Header::new_zeroed()
    }
}

fn check_general(blueprint: &Blueprint) -> Result<(), BuildError> {
    let outer = &blueprint.outer;
    let fits = |prefix_len: u8, bits: u8| prefix_len <= bits && bits - prefix_len <= 16;
    let v4 = outer.source_v4.is_none_or(|source| fits(source.prefix_len, 32));
    let v6 = outer.source_v6.is_none_or(|source| fits(source.prefix_len, 128));
    if !v4 || !v6 {
        return Err(BuildError::OuterSource);
    }
    if outer.hop_limit == 0 || outer.passes_max == 0 {
        return Err(BuildError::HopLimit);
    }
    let Timeouts { syn, established, closing, udp } = blueprint.timeouts;
    let whole = [syn, established, closing, udp].iter().all(|idle| (1..=Timeouts::MAX).contains(idle));
    if whole { Ok(()) } else { Err(BuildError::Timeout) }
}

/// Reals by number.
fn checked_reals(blueprint: &Blueprint) -> Result<BTreeMap<RealNumber, RealSpec>, BuildError> {
    let mut sorted = blueprint.reals.clone();
    sorted.sort_unstable_by_key(|real| (real.number, real.address));
    let mut by_number = BTreeMap::new();
    let mut ends = BTreeSet::new();
    for real in sorted {
        let fault = |fault| BuildError::Real(real.number, fault);
        if by_number.insert(real.number, real).is_some() {
            return Err(fault(RealFault::Number));
        }
        if !ends.insert((real.address, Door::of(real.encap))) {
            return Err(fault(RealFault::Address));
        }
    }
    Ok(by_number)
}

/// Reals to which new flows of services come that ask for more than a real.
fn asked(blueprint: &Blueprint) -> BTreeSet<RealNumber> {
    let mut asked = BTreeSet::new();
    let asking = || blueprint.services.iter().filter(|service| service.attributes.ask());
    let pools: BTreeSet<usize> = asking().map(|service| service.pool).collect();
    let pools = pools.iter().filter_map(|place| blueprint.pools.get(*place));
    asked.extend(pools.flat_map(|pool| &pool.members).map(|member| member.real));
    let quic: BTreeSet<u8> = asking().flat_map(|service| service.quic.iter().flatten().copied()).collect();
    let quic = quic.iter().filter_map(|place| blueprint.quic.get(usize::from(*place)));
    asked.extend(quic.flat_map(|quic| &quic.servers).map(|(_, real)| *real));
    asked
}

fn templates(
    reals: &BTreeMap<RealNumber, RealSpec>,
    blueprint: &Blueprint,
) -> Result<Vec<Template>, BuildError> {
    let asked = asked(blueprint);
    let len = reals.last_key_value().map_or(0, |(number, _)| number.index() + 1);
    let mut templates = vec![Template::ABSENT; len];
    for (number, real) in reals {
        let fault = |fault| BuildError::Real(*number, fault);
        let way = Way::of(real).ok_or(fault(RealFault::Port))?;
        let made = Template::new(real, &blueprint.outer, way).ok_or(fault(RealFault::NoSource))?;
        let made = if asked.contains(number) { made.asking() } else { made };
        if !made.is_sound() {
            return Err(fault(RealFault::Mtu));
        }
        if let Some(template) = templates.get_mut(number.index()) {
            *template = made;
        }
    }
    Ok(templates)
}

/// One for each template; none if no real has one.
fn tails(reals: &BTreeMap<RealNumber, RealSpec>) -> Result<Vec<Tail>, BuildError> {
    let has_tail = |real: &RealSpec| Form::of(real.encap) != Form::Bare;
    let len = reals.last_key_value().filter(|_| reals.values().any(has_tail));
    let mut tails = vec![Tail::default(); len.map_or(0, |(number, _)| number.index() + 1)];
    for (number, real) in reals {
        let made = Tail::new(real.encap, real.address.is_ipv6());
        let made = made.ok_or(BuildError::Real(*number, RealFault::Tail))?;
        if let Some(tail) = tails.get_mut(number.index()) {
            *tail = made;
        }
    }
    Ok(tails)
}

/// What has failed keeps its flows where a pool panics that it is a member of: it drains, for all pools.
fn keep_flows_where_pools_panic(blueprint: &Blueprint, reals: &mut BTreeMap<RealNumber, RealSpec>) {
    let used: BTreeSet<usize> = blueprint.services.iter().map(|service| service.pool).collect();
    let panicking =
        blueprint.pools.iter().enumerate().filter(|(place, pool)| pool.panics && used.contains(place));
    for member in panicking.flat_map(|(_, pool)| &pool.members) {
        if let Some(real) = reals.get_mut(&member.real).filter(|real| real.state == RealState::Failed) {
            real.state = RealState::Drain;
        }
    }
}

type Images = BTreeMap<[u8; 32], Vec<u8>>;

/// Unique images by digest, and each pool's place among them.
fn pools(
    blueprint: &Blueprint,
    reals: &BTreeMap<RealNumber, RealSpec>,
) -> Result<(Images, Vec<u32>), BuildError> {
    if blueprint.pools.len() > POOLS_MAX {
        return Err(BuildError::Pools);
    }
    // Filling a table is the dear part: pools with the same members and size are filled once.
    let mut filled: BTreeMap<(Vec<PoolKey>, u32, Policy, bool), [u8; 32]> = BTreeMap::new();
    let mut images = Images::new();
    let mut costs = 0_u64;
    let mut digests = Vec::with_capacity(blueprint.pools.len());
    for (place, pool) in blueprint.pools.iter().enumerate() {
        let members = members(pool, reals).map_err(|fault| BuildError::Pool(place, fault))?;
        let key: Vec<PoolKey> = members.iter().map(|real| (real.number, real.weight)).collect();
        let panics = pool.panics && members.iter().any(|member| member.state == RealState::Failed);
        let key = (key, pool.slots, pool.policy, panics);
        if pool.policy == Policy::Rendezvous && !filled.contains_key(&key) {
            costs += u64::from(pool.slots) * members.len() as u64;
            if costs > RENDEZVOUS_COSTS_MAX {
                return Err(BuildError::Pool(place, PoolFault::Costs));
            }
        }
        let digest = *filled.entry(key).or_insert_with(|| {
            let bytes = image(blueprint.select_seed, &members, (pool.slots, pool.policy, panics));
            let digest = Sha256::digest(&bytes).into();
            images.insert(digest, bytes);
            digest
        });
        digests.push(digest);
    }
    // Pools that no service uses are no part of the table.
    let used: BTreeSet<[u8; 32]> =
        blueprint.services.iter().filter_map(|service| digests.get(service.pool).copied()).collect();
    images.retain(|digest, _| used.contains(digest));
    let places: BTreeMap<[u8; 32], u32> = images.keys().copied().zip(0..).collect();
    let places = digests.iter().map(|digest| places.get(digest).copied().unwrap_or(u32::MAX)).collect();
    Ok((images, places))
}

type PoolKey = (RealNumber, u32);

/// A pool's members by number of their reals.
fn members(pool: &PoolSpec, reals: &BTreeMap<RealNumber, RealSpec>) -> Result<Vec<PoolReal>, PoolFault> {
    if pool.members.len() > POOL_REALS_MAX {
        return Err(PoolFault::Members);
    }
    let size = pool.slots;
    if size > SLOTS_MAX || !is_prime(size) || (size as usize) < pool.members.len() {
        return Err(PoolFault::Slots(size));
    }
    let mut members = BTreeMap::new();
    for member in &pool.members {
        let spec = reals.get(&member.real).ok_or(PoolFault::UnknownReal(member.real))?;
        if member.weight > WEIGHT_MAX {
            return Err(PoolFault::Weight(member.real));
        }
        let (address, family) = packed(spec.address);
        let door = Door::of(spec.encap);
        let real =
            PoolReal { number: member.real, family, address, door, weight: member.weight, state: spec.state };
        if members.insert(member.real, real).is_some() {
            return Err(PoolFault::TwiceMember(member.real));
        }
    }
    Ok(members.into_values().collect())
}

fn ill_asked(blueprint: &Blueprint, asker: Asker, fault: AttributeFault) -> BuildError {
    match asker {
        Asker::Service(number) => BuildError::Service(number, ServiceFault::Attributes(fault)),
        Asker::Rule(number) => {
            let rule = blueprint.rules.iter().find(|rule| rule.number == number);
            BuildError::Rule(rule.map_or(u32::MAX, |rule| rule.rank), RuleFault::Attributes(fault))
        }
    }
}

/// The image of the rules.
fn rules(
    blueprint: &Blueprint,
    reals: &BTreeMap<RealNumber, RealSpec>,
    attributes: &AttributeSections,
) -> Result<Option<BuiltRules>, BuildError> {
    let services: BTreeSet<ServiceNumber> = blueprint.services.iter().map(|service| service.number).collect();
    let askers = Askers {
        is_service: &|number| services.contains(&number),
        is_real: &|number| reals.contains_key(&number),
        effect: &|rule| attributes.of_rule(rule),
    };
    rules::build(&blueprint.rules, &askers).map_err(|(rank, fault)| BuildError::Rule(rank, fault))
}

/// Services by number.
fn services(
    blueprint: &Blueprint,
    pools: &[u32],
    asks: (&QuicSections, &AttributeSections),
) -> Result<Vec<ServiceEntry>, BuildError> {
    let mut sorted = blueprint.services.clone();
    sorted.sort_unstable_by_key(|service| {
        (
            service.number,
            service.vip,
            service.prefix_len,
            service.protocol,
            service.port_first,
            service.port_last,
        )
    });
    let mut entries: Vec<ServiceEntry> = Vec::with_capacity(sorted.len());
    let mut groups = BTreeMap::new();
    for spec in sorted {
        // By number, so the first of a group is its least.
        let group = groups.entry((spec.vip, spec.prefix_len, spec.pool, spec.key)).or_insert(spec.number);
        let entry =
            service(&spec, (*group, pools), asks).map_err(|fault| BuildError::Service(spec.number, fault))?;
        if entries.last().is_some_and(|before| before.number == entry.number) {
            return Err(BuildError::Service(spec.number, ServiceFault::Number));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn service(
    spec: &ServiceSpec,
    (group, pools): (ServiceNumber, &[u32]),
    (quic, attributes): (&QuicSections, &AttributeSections),
) -> Result<ServiceEntry, ServiceFault> {
    let (address, family) = packed(spec.vip);
    let host_bits = match spec.vip {
        _ if spec.prefix_len > family_bits(family) => return Err(ServiceFault::PrefixLen),
        IpAddr::V4(vip) => vip.to_bits().checked_shl(u32::from(spec.prefix_len)).unwrap_or(0) != 0,
        IpAddr::V6(vip) => vip.to_bits().checked_shl(u32::from(spec.prefix_len)).unwrap_or(0) != 0,
    };
    if host_bits {
        return Err(ServiceFault::HostBits);
    }
    if !key::is_served(spec.protocol) {
        return Err(ServiceFault::Protocol);
    }
    let is_all = (spec.port_first, spec.port_last) == (0, u16::MAX);
    if spec.port_first > spec.port_last || key::is_portless(spec.protocol) && !is_all {
        return Err(ServiceFault::Ports);
    }
    let quic = quic.of(&spec.quic).ok_or(ServiceFault::Quic)?;
    if quic != NO_QUIC && spec.protocol != protocol::UDP {
        return Err(ServiceFault::Quic);
    }
    if spec.mss != 0 && spec.protocol != protocol::TCP {
        return Err(ServiceFault::Mss);
    }
    let Effect { mark, limit, .. } = attributes.of_service(spec);
    let fits = spec.key.fits(spec.protocol, family_bits(family));
    if !fits || quic != NO_QUIC && spec.key != Key::Flow {
        return Err(ServiceFault::Key);
    }
    let (key, key_bits) = spec.key.code();
    let group = u16::try_from(group.get()).ok().filter(|_| matches!(spec.key, Key::Source(_)));
    Ok(ServiceEntry {
        address,
        number: spec.number.get(),
        pool: *pools.get(spec.pool).ok_or(ServiceFault::Pool)?,
        port_first: spec.port_first,
        port_last: spec.port_last,
        prefix_len: spec.prefix_len,
        family: family as u8,
        protocol: spec.protocol,
        spare: 0,
        quic,
        mark,
        limit,
        key,
        key_bits,
        group: group.unwrap_or_default(),
        mss: spec.mss,
        tail: [0; 14],
    })
}

const fn family_bits(family: Family) -> u8 {
    match family {
        Family::V4 => 32,
        Family::V6 => 128,
    }
}
