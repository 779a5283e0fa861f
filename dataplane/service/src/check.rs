//! Whether images are a table: every length, order and index that the view relies on.

use core::mem::size_of;
use core::ops::Range;
use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use wire::protocol::{self, RESERVED};
use zerocopy::{FromBytes, Immutable, KnownLayout};

use crate::asked::AttributeView;
use crate::blueprint::Timeouts;
use crate::ends::{self, EndEntry, EndsView, Prefix};
use crate::error::ImageError;
use crate::index::{Entry, Index, Key, entries_len, pilots_len, screen};
use crate::key;
use crate::layout::{
    ALIGN, Counts, HEADER_BYTES, Header, IndexHead, LAYOUT, LENGTH_EMPTY, MAGIC, OPENS_LABELS, OPENS_TUNNELS,
    PoolEntry, SECTIONS, Section, ServiceEntry, VERSION,
};
use crate::limits::{
    CELLS_MAX, END_SOURCES_MAX, ENDS_MAX, LIMITS_MAX, MARKS_MAX, POOLS_MAX, QUIC_CONFIGS_MAX, REALS_MAX,
    SERVER_IDS_MAX, SERVICES_MAX,
};
use crate::numbers::{RealNumber, ServiceNumber};
use crate::pool::{PoolRefusal, PoolView};
use crate::quic::QuicView;
use crate::rules::{RulesRefusal, RulesView};
use crate::table::Sections;
use crate::tail::{Form, Tail};
use crate::template::Template;

/// What a header says of rules of which some ask for more than a flow's packets have in common.
const HAS_BOTH: u8 = Header::HAS_RULES | Header::HAS_PACKET_RULES;

/// What a checked root gives.
pub(crate) struct Root {
    pub(crate) header: Header,
    pub(crate) spans: [Range<usize>; SECTIONS],
    pub(crate) digest: [u8; 32],
}

/// Checks a root image by itself.
pub(crate) fn root(bytes: &[u8]) -> Result<Root, ImageError> {
    if !bytes.as_ptr().addr().is_multiple_of(ALIGN) {
        return Err(ImageError::Misaligned);
    }
    let header = *Header::ref_from_prefix(bytes).map_err(|_| ImageError::Truncated)?.0;
    check_header(&header, bytes.len())?;
    let spans = spans(&header, bytes.len())?;
    let sections = Sections { root: bytes, spans: &spans };
    let templates: &[Template] = items(&sections, Section::Templates, REALS_MAX as usize)?;
    each(Section::Templates, templates, |template| template.is_sound())?;
    check_tails(&sections, templates)?;
    check_ends(&sections, templates)?;
    let pools: &[PoolEntry] = items(&sections, Section::Pools, POOLS_MAX)?;
    sorted(Section::Pools, pools, |a, b| a.digest < b.digest)?;
    let quic = check_quic(&sections, templates)?;
    let attributes = check_attributes(&sections, &header)?;
    let services = check_services(&sections, &header, pools.len(), (quic, attributes))?;
    let rules: &[PoolEntry] = items(&sections, Section::Rules, 1)?;
    if rules.is_empty() != (header.rules == 0) {
        return Err(ImageError::Header);
    }
    let cells: &[u64] = items(&sections, Section::Cells, CELLS_MAX)?;
    let sections_4 = [Section::Lengths4, Section::Screen4, Section::Pilots4, Section::Entries4];
    let sections_6 = [Section::Lengths6, Section::Screen6, Section::Pilots6, Section::Entries6];
    check_bounds::<crate::layout::Entry4>(&sections, sections_4, &header.index4)?;
    check_bounds::<crate::layout::Entry6>(&sections, sections_6, &header.index6)?;
    let mut runs = Runs { services, cells, left: cells.len().saturating_sub(1) };
    check_index(&sections.index4(&header.index4), sections_4, &mut runs)?;
    check_index(&sections.index6(&header.index6), sections_6, &mut runs)?;
    if runs.left > 0 || cells.is_empty() {
        return Err(ImageError::Item(Section::Cells, cells.len().saturating_sub(runs.left)));
    }
    Ok(Root { header, spans, digest: Sha256::digest(bytes).into() })
}

fn check_header(header: &Header, length: usize) -> Result<(), ImageError> {
    if header.magic != MAGIC {
        return Err(ImageError::Magic);
    }
    if header.version != VERSION {
        return Err(ImageError::Version(header.version));
    }
    if header.layout != LAYOUT || header.header_bytes != HEADER_BYTES {
        return Err(ImageError::Layout);
    }
    if header.length != length as u64 {
        return Err(ImageError::Length);
    }
    let sound = header.timeouts.iter().all(|idle| (1..=Timeouts::MAX).contains(idle))
        && header.new_flows_gate <= 1
        && (header.new_flows_gate == 1 || header.new_flows_rate_max == 0)
        && header.hop_limit > 0
        && header.dont_fragment <= 2
        && header.services_len <= SERVICES_MAX
        && header.return_path <= 1
        && header.passes_max > 0
        && matches!(header.rules, 0 | Header::HAS_RULES | HAS_BOTH)
        && header.keeps_clients <= 1
        && header.tail.iter().all(|byte| *byte == 0);
    if sound { Ok(()) } else { Err(ImageError::Header) }
}

/// Each section directly behind the one before, and the last one the end.
fn spans(header: &Header, length: usize) -> Result<[Range<usize>; SECTIONS], ImageError> {
    let mut spans = [const { 0..0 }; SECTIONS];
    let mut end = size_of::<Header>();
    for ((section, named), span) in Section::ALL.into_iter().zip(&header.spans).zip(&mut spans) {
        let bad = ImageError::Bounds(section);
        let start = usize::try_from(named.offset).map_err(|_| bad)?;
        let bytes = usize::try_from(named.length).map_err(|_| bad)?;
        let stop = start.checked_add(bytes).filter(|stop| *stop <= length).ok_or(bad)?;
        if start != end {
            return Err(bad);
        }
        *span = start..stop;
        end = stop.next_multiple_of(ALIGN);
    }
    if end == length { Ok(spans) } else { Err(ImageError::Length) }
}

fn items<'t, T: FromBytes + Immutable + KnownLayout>(
    sections: &Sections<'t>,
    section: Section,
    most: usize,
) -> Result<&'t [T], ImageError> {
    sections.try_items(section).filter(|items: &&[T]| items.len() <= most).ok_or(ImageError::Bounds(section))
}

fn each<T>(section: Section, items: &[T], mut sound: impl FnMut(&T) -> bool) -> Result<(), ImageError> {
    match items.iter().position(|item| !sound(item)) {
        Some(place) => Err(ImageError::Item(section, place)),
        None => Ok(()),
    }
}

fn sorted<T>(section: Section, items: &[T], before: impl Fn(&T, &T) -> bool) -> Result<(), ImageError> {
    match items.iter().zip(items.iter().skip(1)).position(|(a, b)| !before(a, b)) {
        Some(place) => Err(ImageError::Item(section, place)),
        None => Ok(()),
    }
}

fn check_quic<'t>(sections: &Sections<'t>, templates: &[Template]) -> Result<QuicView<'t>, ImageError> {
    let configs = items(sections, Section::Quic, usize::from(QUIC_CONFIGS_MAX))?;
    let quic = QuicView { configs, servers: items(sections, Section::ServerIds, SERVER_IDS_MAX)? };
    let is_real = |number: u32| templates.get(number as usize).is_some_and(Template::is_present);
    match (quic.check_configs(), quic.check_servers(is_real)) {
        (Some(place), _) => Err(ImageError::Item(Section::Quic, place)),
        (None, Some(place)) => Err(ImageError::Item(Section::ServerIds, place)),
        (None, None) => Ok(quic),
    }
}

/// One tail for each template, or none if no template has one.
fn check_tails(sections: &Sections<'_>, templates: &[Template]) -> Result<(), ImageError> {
    let tails: &[Tail] = items(sections, Section::Tails, templates.len())?;
    let len =
        if templates.iter().any(|template| template.form() != Form::Bare) { templates.len() } else { 0 };
    if tails.len() != len {
        return Err(ImageError::Bounds(Section::Tails));
    }
    let mut forms = templates.iter().map(Template::form);
    each(Section::Tails, tails, |tail| forms.next().is_some_and(|form| tail.is_sound(form)))
}

fn check_ends(sections: &Sections<'_>, templates: &[Template]) -> Result<(), ImageError> {
    items::<EndEntry>(sections, Section::Ends, ENDS_MAX)?;
    items::<Prefix>(sections, Section::EndSources, END_SOURCES_MAX)?;
    items::<Prefix>(sections, Section::Own, 2)?;
    EndsView::of(sections).check().map_err(|(section, place)| ImageError::Item(section, place))?;
    let numbers: &[u32] = items(sections, Section::ByAddress, templates.len())?;
    match ends::check_by_address(numbers, templates) {
        Some(place) => Err(ImageError::Item(Section::ByAddress, place)),
        None => Ok(()),
    }
}

fn attributes<'t>(sections: &Sections<'t>) -> Result<AttributeView<'t>, ImageError> {
    Ok(AttributeView {
        slots: items(sections, Section::Slots, SERVICES_MAX as usize)?,
        marks: items(sections, Section::Marks, MARKS_MAX)?,
        limits: items(sections, Section::Limits, LIMITS_MAX)?,
    })
}

fn check_attributes<'t>(sections: &Sections<'t>, header: &Header) -> Result<AttributeView<'t>, ImageError> {
    let view = attributes(sections)?;
    each(Section::Marks, view.marks, |mark| mark.is_sound())?;
    sorted(Section::Marks, view.marks, |a, b| a.is_before(b))?;
    each(Section::Limits, view.limits, |limit| limit.is_sound())?;
    sorted(Section::Limits, view.limits, |a, b| a.owner < b.owner)?;
    let labels = if view.takes_labels() { OPENS_LABELS } else { 0 };
    let opens = labels | if sections.has(Section::Ends) { OPENS_TUNNELS } else { 0 };
    if header.opens == opens { Ok(view) } else { Err(ImageError::Header) }
}

fn check_services<'t>(
    sections: &Sections<'t>,
    header: &Header,
    pools: usize,
    (quic, attributes): (QuicView<'t>, AttributeView<'t>),
) -> Result<&'t [ServiceEntry], ImageError> {
    let services: &[ServiceEntry] = items(sections, Section::Services, SERVICES_MAX as usize)?;
    sorted(Section::Services, services, |a, b| a.number < b.number)?;
    each(Section::Services, services, |service| {
        let bits = match service.family {
            4 => 32,
            6 => 128,
            _ => return false,
        };
        service.number < header.services_len
            && service.is_key_sound(services, bits)
            && (service.is_by_flow() || !service.is_quic())
            && (service.pool as usize) < pools
            && service.port_first <= service.port_last
            && service.prefix_len <= bits
            && key::is_served(service.protocol)
            && (!key::is_portless(service.protocol) || service.ports() == (0, u16::MAX))
            && service.spare == 0
            && quic.are_sound(&service.quic)
            && (service.protocol == protocol::UDP || !service.is_quic())
            && (service.mss == 0 || service.protocol == protocol::TCP)
            && attributes.is_sound_of(service)
            && service.tail.iter().all(|byte| *byte == 0)
    })?;
    // What rules use is known when their image is there.
    let are_used = header.rules != 0 || attributes.are_all_used(services, core::iter::empty());
    if !attributes.are_slots_of(services) || !are_used {
        return Err(ImageError::Item(Section::Slots, 0));
    }
    let clamps = services.iter().any(|service| service.mss != 0);
    if header.clamps != u8::from(clamps) {
        return Err(ImageError::Header);
    }
    let len = services.last().map_or(0, |last| last.number + 1);
    let keeps_clients = services.iter().any(ServiceEntry::keeps_clients);
    if len == header.services_len && keeps_clients == (header.keeps_clients == 1) {
        Ok(services)
    } else {
        Err(ImageError::Header)
    }
}

/// That an index's sections hold whole items, as many as so many keys need.
fn check_bounds<E: Entry + FromBytes + Immutable + KnownLayout>(
    sections: &Sections<'_>,
    names: [Section; 4],
    head: &IndexHead,
) -> Result<(), ImageError> {
    let keys = usize::try_from(head.keys).ok().filter(|keys| *keys <= SERVICES_MAX as usize);
    let keys = keys.ok_or(ImageError::Header)?;
    let [lengths, screen, pilots, entries] = names;
    items::<u8>(sections, lengths, usize::from(E::Key::BITS) + 1)?;
    items::<u64>(sections, screen, crate::index::screen_len(keys))?;
    let pilots_found = items::<u16>(sections, pilots, pilots_len(keys))?.len();
    let entries_found = items::<E>(sections, entries, entries_len(keys))?.len();
    if pilots_found != pilots_len(keys) {
        return Err(ImageError::Bounds(pilots));
    }
    if entries_found == entries_len(keys) { Ok(()) } else { Err(ImageError::Bounds(entries)) }
}

/// That every entry is sound and is found where a lookup looks for it.
fn check_index<E: Entry>(
    index: &Index<'_, E>,
    names: [Section; 4],
    runs: &mut Runs<'_>,
) -> Result<(), ImageError> {
    let [lengths, screen_section, _, entries] = names;
    each(lengths, index.lengths, |length| *length <= E::Key::BITS)?;
    sorted(lengths, index.lengths, |a, b| a > b)?;
    each(entries, index.entries, |entry| {
        let length = entry.length();
        if length == LENGTH_EMPTY {
            return *entry == E::EMPTY;
        }
        length <= E::Key::BITS
            && *entry == E::new(entry.key(), entry.cell(), entry.run())
            && entry.key().network(length) == entry.key()
            && index.lengths.contains(&length)
            && index.find_length(entry.key(), length).is_some_and(|found| core::ptr::eq(found, entry))
            && is_cell_sound(entry, entry.cell(), runs.services)
            && runs.is_sound(entry)
    })?;
    let content: Vec<E> = index.entries.iter().filter(|e| e.length() != LENGTH_EMPTY).copied().collect();
    if entries_len(content.len()) != index.entries.len() || pilots_len(content.len()) != index.pilots.len() {
        return Err(ImageError::Bounds(entries));
    }
    // A length that no entry has would be looked for in vain with every packet.
    each(lengths, index.lengths, |length| content.iter().any(|entry| entry.length() == *length))?;
    if screen(&content, index.lengths) == index.screen {
        Ok(())
    } else {
        Err(ImageError::Item(screen_section, 0))
    }
}

/// Whether an interval of a VIP is in order, and its service covers the VIP and the interval.
fn is_cell_sound<E: Entry>(vip: &E, cell: u64, services: &[ServiceEntry]) -> bool {
    let [first_low, first_high, last_low, last_high, slot_low, slot_high, of, _] = cell.to_le_bytes();
    let slot = usize::from(u16::from_le_bytes([slot_low, slot_high]));
    let first = u16::from_le_bytes([first_low, first_high]);
    let last = u16::from_le_bytes([last_low, last_high]);
    let covers = |service: &ServiceEntry| {
        (service.protocol == of || service.protocol == RESERVED)
            && service.family == E::Key::FAMILY as u8
            && service.prefix_len <= vip.length()
            && vip.key().network(service.prefix_len) == E::Key::of(&service.address)
            && service.port_first <= first
            && last <= service.port_last
    };
    first <= last && services.get(slot).is_some_and(covers)
}

/// The cells section while its runs are checked.
struct Runs<'t> {
    services: &'t [ServiceEntry],
    cells: &'t [u64],
    /// Cells that no run has claimed. Runs do not share, so checking all takes time in proportion.
    left: usize,
}

impl Runs<'_> {
    /// Whether a run (or none) is in bounds, sorted and disjoint, and begins with the entry's own interval.
    fn is_sound<E: Entry>(&mut self, vip: &E) -> bool {
        let run = vip.run() as usize;
        if run == 0 {
            return true;
        }
        let Some((counts, rest)) = self.cells.get(run..).and_then(<[u64]>::split_first) else { return false };
        let Counts { tcp, udp, others } = Counts::of(*counts);
        let Some((tcp, rest)) = rest.split_at_checked(tcp) else { return false };
        let Some((udp, rest)) = rest.split_at_checked(udp) else { return false };
        let Some(others) = rest.get(..others) else { return false };
        let Some(left) = self.left.checked_sub(1 + tcp.len() + udp.len() + others.len()) else {
            return false;
        };
        self.left = left;
        let own_low = vip.cell() & (u64::MAX >> 8);
        self.is_list_sound(vip, tcp, protocol::TCP)
            && self.is_list_sound(vip, udp, protocol::UDP)
            && self.are_others_sound(vip, others)
            && tcp.first().or(udp.first()).or(others.first()).is_some_and(|first| *first == own_low)
    }

    /// One interval of all ports for each protocol, in order.
    fn are_others_sound<E: Entry>(&self, vip: &E, list: &[u64]) -> bool {
        let of = |cell: &u64| (cell >> 48).to_le_bytes();
        let sound = |cell: &u64| {
            let [protocol, prefix_len, ..] = of(cell);
            prefix_len == 0
                && key::is_portless(protocol)
                && cell & 0xffff_ffff == 0xffff_0000
                && is_cell_sound(vip, *cell, self.services)
        };
        list.iter().all(sound) && list.is_sorted_by(|a, b| of(a) < of(b))
    }

    fn is_list_sound<E: Entry>(&self, vip: &E, list: &[u64], protocol: u8) -> bool {
        let apart = |(a, b): (&u64, &u64)| a >> 16 & 0xffff < b & 0xffff;
        let sound =
            |cell: &u64| cell >> 48 == u64::from(protocol) && is_cell_sound(vip, *cell, self.services);
        list.iter().all(sound) && list.iter().zip(list.iter().skip(1)).all(apart)
    }
}

/// Checks the images that a root names, and gives their places: the pools' in the order of the root's, then the rules'.
pub(crate) fn images<B: AsRef<[u8]>>(
    root: &Root,
    bytes: &[u8],
    images: &[B],
) -> Result<Vec<usize>, ImageError> {
    let sections = Sections { root: bytes, spans: &root.spans };
    let named: &[PoolEntry] = items(&sections, Section::Pools, POOLS_MAX)?;
    let rules: &[PoolEntry] = items(&sections, Section::Rules, 1)?;
    let templates: &[Template] = items(&sections, Section::Templates, REALS_MAX as usize)?;
    let services: &[ServiceEntry] = items(&sections, Section::Services, SERVICES_MAX as usize)?;
    let attributes = attributes(&sections)?;
    let is_real = |number: u32| templates.get(number as usize).is_some_and(Template::is_present);
    let is_service =
        |number: ServiceNumber| services.binary_search_by_key(&number.get(), |entry| entry.number).is_ok();
    let mut given: BTreeMap<[u8; 32], usize> = BTreeMap::new();
    for (place, image) in images.iter().map(AsRef::as_ref).enumerate() {
        if !image.as_ptr().addr().is_multiple_of(ALIGN) {
            return Err(ImageError::Misaligned);
        }
        let digest = Sha256::digest(image).into();
        let is_rules = rules.iter().any(|entry| entry.digest == digest);
        let is_pool = named.binary_search_by(|entry| entry.digest.cmp(&digest)).is_ok();
        // Nothing is both.
        if is_pool == is_rules || given.insert(digest, place).is_some() {
            return Err(ImageError::PoolUnknown(place));
        }
        if is_rules {
            let rules = check_rules(root, image, (is_service, |real| is_real(real.get())), attributes)?;
            if !attributes.are_all_used(services, rules.effects()) {
                return Err(ImageError::Item(Section::Slots, 0));
            }
            continue;
        }
        PoolView::check(image, &root.header.select_seed, is_real).map_err(|refusal| match refusal {
            PoolRefusal::Header => ImageError::Pool(place),
            PoolRefusal::Member => ImageError::PoolMember(place),
            PoolRefusal::Slot => ImageError::PoolSlot(place),
        })?;
    }
    let place = |entry: &PoolEntry| given.get(&entry.digest).copied();
    let pools = named.iter().enumerate();
    let places: Result<Vec<usize>, _> =
        pools.map(|(at, entry)| place(entry).ok_or(ImageError::PoolMissing(at))).collect();
    let mut places = places?;
    for entry in rules {
        places.push(place(entry).ok_or(ImageError::RulesMissing)?);
    }
    Ok(places)
}

fn check_rules<'t>(
    root: &Root,
    image: &'t [u8],
    is_there: (impl Fn(ServiceNumber) -> bool, impl Fn(RealNumber) -> bool),
    attributes: AttributeView<'_>,
) -> Result<RulesView<'t>, ImageError> {
    let (view, has_packets) =
        RulesView::check(image, is_there, attributes).map_err(|refusal| match refusal {
            RulesRefusal::Header => ImageError::Rules,
            RulesRefusal::Word(place) => ImageError::RulesWord(place),
            RulesRefusal::List(place) => ImageError::RulesList(place),
            RulesRefusal::Rule(place) => ImageError::Rule(place),
        })?;
    if has_packets == (root.header.rules == HAS_BOTH) { Ok(view) } else { Err(ImageError::Rules) }
}
