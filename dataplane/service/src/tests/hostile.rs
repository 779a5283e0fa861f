//! Images made by an enemy: refused with a reason, or harmless; never a panic.

use ::quic::ServerId;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use wire::{Family, FiveTuple, packed};
use zerocopy::{FromBytes, IntoBytes};

use super::images::varied;
use super::rules::varied_rules;
use super::{ip, real_number};
use crate::layout::{Header, PoolHeader, Section, ServiceEntry};
use crate::rules::image::{Parts, RulesHeader};
use crate::{
    Aligned, Blueprint, Built, Class, Effect, Generation, ImageError, RuleAction, RuleKey, ServiceNumber,
    ServiceSlot, Table, TableView, build,
};

pub(super) fn built() -> Built {
    let plan = Blueprint { rules: varied_rules(), ..varied() };
    build(&plan, Generation::default()).unwrap()
}

fn check(built: &Built) -> Result<Table<Aligned>, ImageError> {
    built.table()
}

/// Asks everything that can be asked; what it answers does not matter.
pub(super) fn exercise(view: &TableView<'_>, seed: u64) {
    let vips =
        ["198.51.100.10", "198.51.100.77", "2001:db8:1::1", "2001:db8:1::2", "0.0.0.0", "::", "10.0.0.1"];
    for (vip, port) in vips.into_iter().zip([0_u16, 53, 80, 443, 8000, 65535, 9].into_iter().cycle()) {
        let (destination, family) = packed(ip(vip));
        let _ = view.classify_address(&destination, family);
        for protocol in [0, 6, 17, 50, 132, 255] {
            for port in [port, 443] {
                let tuple = FiveTuple {
                    destination,
                    family,
                    protocol,
                    destination_port: port,
                    ..FiveTuple::default()
                };
                if let Class::Service(slot) = view.classify(&tuple) {
                    ask(view, slot, seed);
                }
            }
        }
    }
    for (slot, _) in view.services() {
        ask(view, slot, seed);
    }
    ask(view, ServiceSlot(u32::MAX), seed);
    let bytes = seed.to_le_bytes();
    for (place, config) in (0..).zip(view.quic_configs()) {
        let id: Vec<u8> = bytes.iter().chain(&bytes).chain(&bytes).copied().collect();
        for server in [config.get().server_id(&id), ServerId::new(&[1]), ServerId::new(&[1, 2])] {
            // What a checked table names has a template.
            if let Some(real) = server.and_then(|server| view.server(place, &server)) {
                let _ = view.template(real).unwrap().kind();
            }
        }
    }
    for vip in vips {
        let (address, family) = packed(ip(vip));
        let ends = view.ends();
        let taken = ends.at(&address, family).iter().filter(|end| ends.takes(end, &address, family)).count();
        let reals = view.reals_at(ip(vip)).filter(|real| view.template(*real).unwrap().is_present()).count();
        let _ = (taken, ends.is_own(&address, family), reals, view.passes_max());
    }
    ask_rules(view, seed);
    for number in (0..20).filter_map(|number| ServiceNumber::new(number).ok()) {
        let effects = view.rules().into_iter().flat_map(|rules| rules.effects()).chain([Effect::NONE]);
        for asked in effects.filter_map(|effect| view.asked(number, effect)) {
            assert!(asked.mark.is_none_or(|mark| mark.is_sound()), "{asked:?}");
            assert!(
                asked.limit.is_none_or(|(place, limit)| view.limits()[usize::from(place)].limit() == limit)
            );
        }
    }
    let _ = (
        view.opens(),
        view.timeouts(),
        view.new_flows_rate_max(),
        view.mtu(),
        view.services_len(),
        view.reals_len(),
    );
}

fn ask_rules(view: &TableView<'_>, seed: u64) {
    let Some(rules) = view.rules() else { return };
    let bytes = seed.to_le_bytes();
    let [a, b, c, d, e, ..] = bytes;
    for family in [Family::V4, Family::V6] {
        let (source, _) = packed(ip(if family == Family::V4 { "203.0.113.9" } else { "2001:db8:bad::9" }));
        for (protocol, port) in [(a, 85), (6, 85), (17, u16::from(b)), (6, 0)] {
            let tuple =
                FiveTuple { source, family, protocol, destination_port: port, ..FiveTuple::default() };
            let mut key = RuleKey::of(&tuple, seed & 1 == 0);
            key.set_dscp(if d & 1 == 0 { 46 } else { c });
            key.set_vlan(if d & 2 == 0 { 8 } else { u16::from(c) });
            rules.words().enumerate().for_each(|(place, word)| key.set_word(place, u32::from(e) & word.mask));
            // What a checked table rules has a service and a template.
            match rules.find(&key).map(|ruling| ruling.action) {
                Some(RuleAction::Service(service)) => assert!(view.slot_of(service).is_some()),
                Some(RuleAction::Real(service, real)) => {
                    assert!(view.slot_of(service).is_some() && view.template(real).is_some());
                }
                Some(RuleAction::Drop | RuleAction::Usual) | None => {}
            }
        }
    }
}

fn ask(view: &TableView<'_>, slot: ServiceSlot, hash: u64) {
    let service = view.service(slot);
    let _ = (service.key(), service.client(&FiveTuple::default()));
    let _ = (service.number(), service.vip(), service.ports(), view.pool_digest(service.pool()));
    for hash in [hash, 0, u64::MAX] {
        // What a checked table selects has a template.
        if let Some(real) = view.select(slot, hash) {
            let template = view.template(real).unwrap();
            let _ = (view.tail(real), template.outer_len());
            let _ = (template.kind(), template.outer_v4(), template.outer_v6(), template.entropy_mask());
        }
    }
}

/// Changes bytes, cuts or lengthens.
#[derive(Clone, Debug)]
enum Harm {
    Byte(prop::sample::Index, u8),
    Word(prop::sample::Index, u32),
    Cut(prop::sample::Index),
    Grow(u8),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        8 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Harm::Byte(at, byte)),
        4 => (any::<prop::sample::Index>(), prop_oneof![any::<u32>(), 0_u32..300, Just(u32::MAX)])
            .prop_map(|(at, word)| Harm::Word(at, word)),
        1 => any::<prop::sample::Index>().prop_map(Harm::Cut),
        1 => (0_u8..130).prop_map(Harm::Grow),
    ]
}

fn inflict(bytes: &mut Vec<u8>, harm: &Harm) {
    match harm {
        Harm::Byte(at, byte) if !bytes.is_empty() => {
            let at = at.index(bytes.len());
            bytes[at] ^= byte;
        }
        Harm::Word(at, word) if bytes.len() >= 4 => {
            let at = at.index(bytes.len() / 4) * 4;
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        Harm::Cut(at) if !bytes.is_empty() => bytes.truncate(at.index(bytes.len())),
        Harm::Grow(by) => bytes.resize(bytes.len() + usize::from(*by), 0),
        _ => {}
    }
}

/// Writes the digests of the pools as they are now into the root, as an enemy would.
fn name_pools(built: &mut Built) {
    let Ok((header, _)) = Header::read_from_prefix(&built.root) else { return };
    built.pools.sort_by_key(|pool| <[u8; 32]>::from(Sha256::digest(pool)));
    let Ok(start) = usize::try_from(header.spans[Section::Pools as usize].offset) else { return };
    for (place, pool) in built.pools.iter().enumerate() {
        if let Some(digest) = built.root.get_mut(start + 32 * place..start + 32 * place + 32) {
            digest.copy_from_slice(&Sha256::digest(pool));
        }
    }
}

/// The same for the rules.
fn name_rules(built: &mut Built) {
    let Ok((header, _)) = Header::read_from_prefix(&built.root) else { return };
    let Some(rules) = &built.rules else { return };
    let Ok(start) = usize::try_from(header.spans[Section::Rules as usize].offset) else { return };
    if let Some(digest) = built.root.get_mut(start..start + 32) {
        digest.copy_from_slice(&Sha256::digest(rules));
    }
}

#[test]
fn an_image_is_not_rules_and_a_pool() {
    let mut built = built();
    let rules = built.rules.clone().unwrap();
    let replaced = std::mem::replace(built.pools.first_mut().unwrap(), rules);
    name_pools(&mut built);
    assert_ne!(built.pools.first(), Some(&replaced));
    assert!(matches!(check(&built).unwrap_err(), ImageError::PoolUnknown(_)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_harmed_image_of_rules_is_refused_or_harmless(harms in prop::collection::vec(harm(), 1..4), seed: u64) {
        let mut built = built();
        harms.iter().for_each(|harm| inflict(built.rules.as_mut().unwrap(), harm));
        name_rules(&mut built);
        if let Ok(table) = check(&built) {
            exercise(&table.view(), seed);
        }
    }

    #[test]
    fn a_harmed_root_is_refused_or_harmless(harms in prop::collection::vec(harm(), 1..4), seed: u64) {
        let mut built = built();
        harms.iter().for_each(|harm| inflict(&mut built.root, harm));
        if let Ok(table) = check(&built) {
            exercise(&table.view(), seed);
        }
    }

    #[test]
    fn a_harmed_header_is_refused_or_harmless(at in 0..size_of::<Header>() - 3, word: u32, seed: u64) {
        let mut built = built();
        built.root[at..at + 4].copy_from_slice(&word.to_le_bytes());
        if let Ok(table) = check(&built) {
            exercise(&table.view(), seed);
        }
    }

    #[test]
    fn a_harmed_pool_is_refused_or_harmless(harms in prop::collection::vec(harm(), 1..4), which: bool, seed: u64) {
        let mut built = built();
        let place = usize::from(which);
        harms.iter().for_each(|harm| inflict(&mut built.pools[place], harm));
        name_pools(&mut built);
        if let Ok(table) = check(&built) {
            exercise(&table.view(), seed);
        }
    }

    #[test]
    fn any_bytes_are_refused(root in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Table::check(Aligned::new(&root), Vec::new(), Generation::default()).is_err());
    }
}

/// The table with some bytes of its root's sections changed in place, its pools named anew.
pub(super) fn with_root(change: impl Fn(&Header, &mut [u8])) -> Result<Table<Aligned>, ImageError> {
    let mut built = built();
    let header = Header::read_from_prefix(&built.root).unwrap().0;
    change(&header, &mut built.root);
    check(&built)
}

pub(super) fn section(header: &Header, section: Section) -> core::ops::Range<usize> {
    let span = header.spans[section as usize];
    let start = usize::try_from(span.offset).unwrap();
    start..start + usize::try_from(span.length).unwrap()
}

#[test]
fn a_sound_table_answers_everything() {
    let table = check(&built()).unwrap();
    (0..64).for_each(|bit| exercise(&table.view(), 1 << bit));
}

#[test]
fn each_fault_has_its_reason() {
    let put = |at: usize, byte: u8| with_root(move |_, root| root[at] = byte).unwrap_err();
    assert_eq!(put(0, b'P'), ImageError::Magic);
    assert_eq!(put(8, 1), ImageError::Version(1));
    assert_eq!(put(16, 0), ImageError::Layout);
    assert_eq!(put(24, 1), ImageError::Length);
    let in_section = |name: Section, offset: usize, byte: u8| {
        with_root(move |header, root| root[section(header, name).start + offset] = byte).unwrap_err()
    };
    // A template that is written and not known; one of an unknown kind; a service of pool 9; a digest out of order.
    assert_eq!(in_section(Section::Templates, 63, 0x80), ImageError::Item(Section::Templates, 0));
    assert_eq!(in_section(Section::Templates, 54, 6), ImageError::Item(Section::Templates, 0));
    // A tail with a port where there is no UDP header.
    assert_eq!(in_section(Section::Tails, 4, 1), ImageError::Item(Section::Tails, 0));
    let pool = core::mem::offset_of!(ServiceEntry, pool);
    assert_eq!(in_section(Section::Services, pool, 9), ImageError::Item(Section::Services, 0));
    assert_eq!(in_section(Section::Pools, 0, 255), ImageError::Item(Section::Pools, 0));
    assert!(matches!(in_section(Section::Screen4, 0, 255), ImageError::Item(Section::Screen4, _)));
    assert!(matches!(in_section(Section::Entries6, 0, 255), ImageError::Item(Section::Entries6, _)));
    // Connection ids: lengths, rotation bits, a key that is not used; a server id of nobody, and one out of order.
    assert_eq!(in_section(Section::Quic, 25, 16), ImageError::Item(Section::Quic, 0));
    assert_eq!(in_section(Section::Quic, 24, 7), ImageError::Item(Section::Quic, 0));
    assert_eq!(in_section(Section::Quic, 0, 7), ImageError::Item(Section::Quic, 0));
    assert_eq!(in_section(Section::Quic, 20, 9), ImageError::Item(Section::Quic, 0));
    // Where its server ids begin: behind a gap, or within those of the one before; bits that mean nothing.
    assert_eq!(in_section(Section::Quic, 16, 1), ImageError::Item(Section::Quic, 0));
    assert_eq!(in_section(Section::Quic, 32 + 16, 1), ImageError::Item(Section::Quic, 1));
    assert_eq!(in_section(Section::Quic, 32 + 16, 3), ImageError::Item(Section::Quic, 1));
    assert_eq!(in_section(Section::Quic, 27, 4), ImageError::Item(Section::Quic, 0));
    assert_eq!(in_section(Section::Quic, 28, 1), ImageError::Item(Section::Quic, 0));
    // A server id that is no configuration's, and one of another length than its configuration's.
    assert_eq!(in_section(Section::Quic, 32 + 20, 1), ImageError::Item(Section::ServerIds, 3));
    assert_eq!(in_section(Section::ServerIds, 15, 2), ImageError::Item(Section::ServerIds, 0));
    assert_eq!(in_section(Section::ServerIds, 16, 7), ImageError::Item(Section::ServerIds, 0));
    assert_eq!(in_section(Section::ServerIds, 20, 0), ImageError::Item(Section::ServerIds, 1));
    assert_eq!(in_section(Section::ServerIds, 5, 1), ImageError::Item(Section::ServerIds, 0));
    // A service of TCP with connection ids, and one whose rotation bits are another's.
    let quic = core::mem::offset_of!(ServiceEntry, quic);
    let third = 2 * size_of::<ServiceEntry>();
    assert_eq!(in_section(Section::Services, quic, 0), ImageError::Item(Section::Services, 0));
    assert_eq!(in_section(Section::Services, third + quic, 1), ImageError::Item(Section::Services, 2));
    assert_eq!(in_section(Section::Services, third + quic, 2), ImageError::Item(Section::Services, 2));
    // A mark of an unknown kind, one out of order, one that is nobody's; a limit without a rate, and another's.
    let mark = core::mem::offset_of!(ServiceEntry, mark);
    let limit = core::mem::offset_of!(ServiceEntry, limit);
    let second = size_of::<ServiceEntry>();
    assert_eq!(in_section(Section::Marks, 10, 9), ImageError::Item(Section::Marks, 0));
    assert_eq!(in_section(Section::Marks, 12, 50), ImageError::Item(Section::Marks, 0));
    assert_eq!(in_section(Section::Services, second + mark, 4), ImageError::Item(Section::Services, 1));
    assert_eq!(in_section(Section::Services, second + mark, 1), ImageError::Item(Section::Slots, 0));
    assert_eq!(in_section(Section::Services, limit, 1), ImageError::Item(Section::Services, 0));
    assert_eq!(in_section(Section::Limits, 3, 255), ImageError::Item(Section::Limits, 0));
    assert_eq!(in_section(Section::Limits, 24, 0), ImageError::Item(Section::Services, 1));
    assert_eq!(in_section(Section::Slots, 2, 0), ImageError::Item(Section::Slots, 0));
    // A key of no kind, one without bits, a group that is none; a table that hides that it keeps clients.
    let (key, ninth) = (core::mem::offset_of!(ServiceEntry, key), 6 * size_of::<ServiceEntry>());
    assert_eq!(in_section(Section::Services, key, 3), ImageError::Item(Section::Services, 0));
    assert_eq!(in_section(Section::Services, key, 1), ImageError::Item(Section::Services, 0));
    let group = ninth + core::mem::offset_of!(ServiceEntry, group);
    assert_eq!(in_section(Section::Services, group, 10), ImageError::Item(Section::Services, 6));
    assert_eq!(in_section(Section::Services, group, 7), ImageError::Item(Section::Services, 6));
    assert_eq!(put(core::mem::offset_of!(Header, keeps_clients), 0), ImageError::Header);
    // The count of a run, which begins behind the one unused cell.
    assert!(matches!(in_section(Section::Cells, 8, 200), ImageError::Item(Section::Entries4, _)));
    assert!(matches!(in_section(Section::Cells, 15, 200), ImageError::Item(Section::Entries4, _)));
}

#[test]
fn sections_that_overlap_or_reach_out_are_refused() {
    for name in Section::ALL {
        for (offset, length) in [(0, 0), (0, 64), (0, 1 << 40), (64, 0), (u64::MAX - 63, 64), (0, u64::MAX)] {
            let refused = with_root(|header, root| {
                let mut header = *header;
                let span = &mut header.spans[name as usize];
                span.offset = span.offset.wrapping_add(offset);
                span.length = span.length.wrapping_add(length);
                root[..size_of::<Header>()].copy_from_slice(header.as_bytes());
            });
            assert_eq!(refused.is_ok(), (offset, length) == (0, 0), "{name:?} {offset} {length}");
        }
    }
}

#[test]
fn a_pool_whose_slots_or_members_lead_out_is_refused() {
    let with_pool = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut built = built();
        built.pools.iter_mut().for_each(change);
        name_pools(&mut built);
        check(&built).unwrap_err()
    };
    let number = size_of::<PoolHeader>();
    assert!(matches!(with_pool(&|pool| pool[number] = 200), ImageError::PoolMember(_)));
    // A real that the table has no template for, below its largest number.
    assert!(matches!(with_pool(&|pool| pool[number] = 7), ImageError::PoolMember(_)));
    let slots = |pool: &[u8]| PoolHeader::read_from_prefix(pool).unwrap().0;
    let put_slot = |pool: &mut Vec<u8>, held: u16| {
        let header = slots(pool);
        let padded = (2 * header.slots as usize).next_multiple_of(64);
        let start = pool.len() - padded;
        pool[start..start + 2].copy_from_slice(&held.to_le_bytes());
    };
    let one_too_far = |pool: &mut Vec<u8>| put_slot(pool, slots(pool).members.try_into().unwrap());
    assert!(matches!(with_pool(&one_too_far), ImageError::PoolSlot(_)));
    assert!(matches!(with_pool(&|pool| put_slot(pool, u16::MAX - 1)), ImageError::PoolSlot(_)));
    assert!(matches!(with_pool(&|pool| pool.truncate(100)), ImageError::Pool(_)));
    let only_first = |pool: &mut Vec<u8>| pool.truncate(if slots(pool).slots == 13 { 0 } else { pool.len() });
    assert!(matches!(with_pool(&only_first), ImageError::Pool(_)));
}

#[test]
fn rules_out_of_order_or_that_lead_out_are_refused() {
    let with_rules = |at: usize, byte: u8| {
        let mut built = built();
        built.rules.as_mut().unwrap()[at] = byte;
        name_rules(&mut built);
        check(&built).unwrap_err()
    };
    let parts = Parts::of(&RulesHeader::read_from_prefix(&built().rules.unwrap()).unwrap().0).unwrap();
    assert_eq!(with_rules(0, b'P'), ImageError::Rules);
    // As many lists more than there can be; rules of flows alone, which they are not.
    assert_eq!(with_rules(36, 200), ImageError::Rules);
    assert_eq!(with_rules(56, 0), ImageError::Rules);
    // A mask of nothing, an offset out of reach, a base that nobody knows, words in another order.
    assert_eq!(with_rules(parts.words + 8, 0), ImageError::RulesWord(1));
    assert_eq!(with_rules(parts.words + 5, 9), ImageError::RulesWord(0));
    assert_eq!(with_rules(parts.words + 6, 3), ImageError::RulesWord(0));
    assert_eq!(with_rules(parts.words + 14, 0), ImageError::RulesWord(1));
    // A field that is no field, a field twice, rows that are another list's, more of them than there are.
    assert_eq!(with_rules(parts.lists, 30), ImageError::RulesList(0));
    assert_eq!(with_rules(parts.lists + 1, 0), ImageError::RulesList(0));
    assert_eq!(with_rules(parts.lists + 32, 1), ImageError::RulesList(0));
    assert_eq!(with_rules(parts.lists + 43, 1), ImageError::RulesList(0));
    // A least rule that is not the least, and a row that begins behind its end.
    assert_eq!(with_rules(parts.lists + 44, 1), ImageError::RulesList(0));
    assert_eq!(with_rules(parts.rows + 7, 255), ImageError::RulesList(0));
    // A rule of a service that is not there, of a real that is not, out of order, of an action that nobody knows.
    let rule = |place: usize| parts.rules + 32 * place;
    assert_eq!(with_rules(rule(1) + 8, 99), ImageError::Rule(1));
    assert_eq!(with_rules(rule(2) + 12, 99), ImageError::Rule(2));
    assert_eq!(with_rules(rule(2), 0), ImageError::Rule(2));
    assert_eq!(with_rules(rule(2) + 4, 3), ImageError::Rule(2));
    // The number of the rule before it; a mark that is not there, a limit that is another's, one of a rule that drops.
    assert_eq!(with_rules(rule(2) + 16, 1), ImageError::Rule(2));
    assert_eq!(with_rules(rule(2) + 20, 99), ImageError::Rule(2));
    assert_eq!(with_rules(rule(2) + 22, 1), ImageError::Rule(2));
    assert_eq!(with_rules(rule(0) + 20, 1), ImageError::Rule(0));
    // Its own is nobody's then.
    assert_eq!(with_rules(rule(2) + 22, 0), ImageError::Item(Section::Slots, 0));
}

#[test]
fn images_off_a_cache_line_are_refused() {
    let built = built();
    let mut shifted = vec![0; 8];
    shifted.extend(&built.root);
    let aligned = Aligned::new(&shifted);
    let root = &aligned.as_ref()[8..];
    let refused = Table::check(root, Vec::new(), Generation::default()).unwrap_err();
    assert_eq!(refused, ImageError::Misaligned);
}

#[test]
fn a_slot_of_another_table_gives_nothing() {
    let table = check(&built()).unwrap();
    let view = table.view();
    assert_eq!(view.select(ServiceSlot(1 << 20), 0), None);
    assert_eq!(view.service(ServiceSlot(1 << 20)).number().get(), 0);
    assert!(view.template(real_number(60_000)).is_none());
    assert!(!view.classify_address(&[0; 16], Family::V4));
}
