//! Roots made by an enemy: what their headers and their tails may not say.

use std::collections::BTreeSet;
use std::mem::{offset_of, size_of};

use proptest::prelude::*;
use zerocopy::IntoBytes;

use super::hostile::{built, exercise, section, with_root};
use crate::ImageError;
use crate::layout::{Header, Section, Span};
use crate::tail::Tail;
use crate::template::Template;

/// Bytes of a tail: its fields, in order.
const KEY: usize = 0;
const PORT: usize = 4;
const MAC: usize = 6;
const SUMMED: usize = 12;
const SPARE: usize = 13;

/// Where a template keeps its form, above two bits.
const FORM: usize = 56;

/// What becomes of the table when a real's tail has other bytes from `at` on.
fn with_tail(real: usize, at: usize, bytes: &[u8]) -> Option<ImageError> {
    with_root(|header, root| {
        let start = section(header, Section::Tails).start + real * size_of::<Tail>() + at;
        root[start..start + bytes.len()].copy_from_slice(bytes);
    })
    .err()
}

#[test]
fn a_tail_that_its_form_does_not_have_is_refused() {
    // GRE with a key, IP in IP, MAC rewrite, VXLAN, nobody, GUE.
    let [keyed, bare, lan, vxlan, nobody, gue] = [0, 1, 2, 4, 6, 9];
    let refused = |real: usize| Some(ImageError::Item(Section::Tails, real));
    for real in [bare, lan, nobody] {
        for (at, bytes) in [(KEY, [1]), (PORT, [1]), (MAC, [2]), (SUMMED, [1]), (SPARE, [1])] {
            assert_eq!(with_tail(real, at, &bytes), refused(real), "{real} {at}");
        }
    }
    for (real, at, bytes) in [
        (keyed, PORT, &[1][..]),
        (keyed, MAC, &[2]),
        (keyed, SUMMED, &[1]),
        (vxlan, PORT, &[0; 2]),
        // A network identifier of 25 bits, no inner MAC address, one of a group, a checksum of a third kind.
        (vxlan, KEY, &[0, 0, 0, 1]),
        (vxlan, MAC, &[0; 6]),
        (vxlan, MAC, &[3]),
        (vxlan, SUMMED, &[2]),
        (vxlan, SPARE + 2, &[1]),
        (gue, PORT, &[0; 2]),
        (gue, KEY, &[1]),
        (gue, MAC, &[2]),
        (gue, SUMMED, &[255]),
    ] {
        assert_eq!(with_tail(real, at, bytes), refused(real), "{real} {at} {bytes:?}");
    }
    for (real, at, bytes) in
        [(keyed, KEY, &[0; 4][..]), (vxlan, KEY, &[255; 3]), (vxlan, PORT, &[255; 2]), (gue, SUMMED, &[0])]
    {
        assert_eq!(with_tail(real, at, bytes), None, "{real} {at} {bytes:?}");
    }
}

#[test]
fn a_form_that_is_none_or_another_than_its_tails_is_refused() {
    let with_form = |real: usize, form: u8| {
        with_root(|header, root| {
            let byte =
                &mut root[section(header, Section::Templates).start + real * size_of::<Template>() + FORM];
            *byte = *byte & 3 | form << 2;
        })
        .err()
    };
    let template = |real| Some(ImageError::Item(Section::Templates, real));
    // Of GRE with a key, of IP in IP, of MAC rewrite, of nobody.
    assert_eq!((with_form(0, 6), with_form(0, 63), with_form(0, 0)), (template(0), template(0), template(0)));
    assert_eq!((with_form(1, 1), with_form(2, 1), with_form(6, 1)), (template(1), template(2), template(6)));
    // A key where GRE has none, and no port where UDP needs one.
    assert_eq!(with_form(0, 1), Some(ImageError::Item(Section::Tails, 0)));
    assert_eq!(with_form(0, 3), Some(ImageError::Item(Section::Tails, 0)));
    assert_eq!(with_form(0, 2), None);
}

#[test]
fn tails_are_as_many_as_templates() {
    let with_length = |change: &dyn Fn(u64) -> u64| {
        with_root(|header, root| {
            let mut header = *header;
            let span = &mut header.spans[Section::Tails as usize];
            span.length = change(span.length);
            root[..size_of::<Header>()].copy_from_slice(header.as_bytes());
        })
        .err()
    };
    let bounds = |section| Some(ImageError::Bounds(section));
    // One less, one more, half a one: in the same cache line, so that the next section still begins where it does.
    assert_eq!(with_length(&|length| length - 16), bounds(Section::Tails));
    assert_eq!(with_length(&|length| length + 16), bounds(Section::Tails));
    assert_eq!(with_length(&|length| length - 8), bounds(Section::Tails));
    // None, many, and more than there can be: the next section begins elsewhere, or the image ends before.
    assert_eq!(with_length(&|_| 0), bounds(Section::Ends));
    assert_eq!(with_length(&|length| length + 64), bounds(Section::Ends));
    assert_eq!(with_length(&|_| u64::MAX), bounds(Section::Tails));
    assert_eq!(with_length(&|length| length), None);
}

/// The bytes of the header that may have other values, since what they say is nobody else's to know.
fn free() -> BTreeSet<usize> {
    let fields = [
        (offset_of!(Header, timeouts), 8),
        (offset_of!(Header, new_flows_rate_max), 4),
        (offset_of!(Header, mac), 6),
        (offset_of!(Header, mtu), 2),
        (offset_of!(Header, hop_limit), 1),
        (offset_of!(Header, passes_max), 1),
        (offset_of!(Header, dont_fragment), 1),
        (offset_of!(Header, return_path), 1),
        // Any by which every VIP is found.
        (offset_of!(Header, index4), 8),
        (offset_of!(Header, index6), 8),
    ];
    fields.into_iter().flat_map(|(at, len)| at..at + len).collect()
}

#[test]
fn no_byte_of_the_header_can_be_changed_unseen_that_something_hangs_on() {
    let free = free();
    for at in (0..size_of::<Header>()).filter(|at| !free.contains(at)) {
        for bits in [1, 0x80, 0xff] {
            let refused = with_root(|_, root| root[at] ^= bits);
            assert!(refused.is_err(), "byte {at} ^ {bits:#x}");
        }
    }
}

#[test]
fn each_field_of_the_header_has_its_refusal() {
    let at = |field: usize, byte: u8| with_root(|_, root| root[field] ^= byte).err();
    assert_eq!(at(offset_of!(Header, magic), 1), Some(ImageError::Magic));
    assert_eq!(at(offset_of!(Header, header_bytes), 64), Some(ImageError::Layout));
    assert_eq!(at(offset_of!(Header, layout), 1), Some(ImageError::Layout));
    assert_eq!(at(offset_of!(Header, length), 64), Some(ImageError::Length));
    assert!(matches!(at(offset_of!(Header, select_seed), 1), Some(ImageError::Pool(_))));
    for field in [
        offset_of!(Header, timeouts) + 1,
        offset_of!(Header, new_flows_gate),
        offset_of!(Header, services_len),
        offset_of!(Header, rules),
        offset_of!(Header, opens),
        offset_of!(Header, keeps_clients),
        offset_of!(Header, tail),
        size_of::<Header>() - 1,
    ] {
        assert_eq!(at(field, 0x80), Some(ImageError::Header), "byte {field}");
    }
    let spans = offset_of!(Header, spans);
    for (place, section) in Section::ALL.into_iter().enumerate() {
        let moved = at(spans + place * size_of::<Span>(), 64);
        assert_eq!(moved, Some(ImageError::Bounds(section)), "{section:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn harmed_tails_are_refused_or_harmless(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), seed: u64) {
        let table = with_root(|header, root| {
            let tails = section(header, Section::Tails);
            for (at, byte) in &changes {
                root[tails.start + at.index(tails.len())] = *byte;
            }
        });
        match table {
            Ok(table) => exercise(&table.view(), seed),
            Err(refused) => prop_assert!(matches!(refused, ImageError::Item(Section::Tails, _)), "{refused:?}"),
        }
    }
}

#[test]
fn the_table_that_is_harmed_is_sound_and_has_tails() {
    assert!(built().table().unwrap().view().tail(super::real_number(4)).key() == 42);
}
