//! Any bytes give a configuration or faults: no panic, and no empty list of faults.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot read its files fails there and then"
)]

use std::path::Path;

use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};

fn holds(bytes: Vec<u8>) {
    if let Err(faults) = conf::parse_bytes("any.toml", bytes) {
        assert!(!faults.list.is_empty());
        let told = faults.to_string();
        assert!(told.lines().all(|line| line.starts_with("any.toml:") || line.starts_with("and ")), "{told}");
    }
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)).unwrap()
}

/// One change to a text.
#[derive(Clone, Debug)]
enum Change {
    Byte(u8),
    Remove(usize),
    Insert(String),
    Number(i64),
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, Change)>> {
    let change = prop_oneof![
        any::<u8>().prop_map(Change::Byte),
        (1..40usize).prop_map(Change::Remove),
        prop::sample::select(vec![
            "\"",
            "[",
            "]",
            "[[real]]\n",
            "=",
            "{",
            "}",
            "#",
            "\n",
            "-1",
            ".",
            "'''",
            "\u{fe0f}"
        ])
        .prop_map(|text| Change::Insert(text.to_owned())),
        any::<i64>().prop_map(Change::Number),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), change), 1..6)
}

fn changed(mut text: Vec<u8>, changes: Vec<(prop::sample::Index, Change)>) -> Vec<u8> {
    for (index, change) in changes {
        let at = index.index(text.len().max(1)).min(text.len());
        match change {
            Change::Byte(byte) => {
                if let Some(place) = text.get_mut(at) {
                    *place = byte;
                }
            }
            Change::Remove(len) => {
                let end = at.saturating_add(len).min(text.len());
                text.drain(at..end);
            }
            Change::Insert(new) => {
                text.splice(at..at, new.bytes());
            }
            Change::Number(number) => {
                // The next number in the text becomes another one.
                if let Some(start) = text.iter().skip(at).position(u8::is_ascii_digit).map(|step| at + step) {
                    let len = text.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).count();
                    text.splice(start..start + len, number.to_string().bytes());
                }
            }
        }
    }
    text
}

proptest! {
    #[test]
    fn any_bytes_give_a_value_or_faults(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        holds(bytes);
    }

    #[test]
    fn any_text_gives_a_value_or_faults(text in "\\PC{0,200}") {
        holds(text.into_bytes());
    }

    #[test]
    fn any_value_of_any_key_gives_a_value_or_faults(
        key in prop::sample::select(conf::keys::KEYS),
        value in "(-?[0-9]{1,25}|[0-9]{1,4}\\.[0-9]{1,9}|nan|-inf|true|\\[\\]|\\{\\}|\"[0-9a-f.:/-]{0,20}\"|1979-05-27)",
    ) {
        let text = format!("[[{}]]\n{} = {value}\n[{}]\n{} = {value}\n", key.table, key.key, key.table, key.key);
        holds(text.clone().into_bytes());
        for part in text.split_inclusive('\n').collect::<Vec<_>>().chunks(2) {
            holds(part.concat().into_bytes());
        }
    }

    #[test]
    fn a_changed_sample_gives_a_value_or_faults(
        name in prop::sample::select(vec!["smallest.toml", "site.toml", "ipv6.toml", "reference.toml"]),
        changes in changes(),
    ) {
        holds(changed(sample(name), changes));
    }
}

#[test]
fn deep_nesting_and_broken_bulk_end() {
    holds(b"[".repeat(100_000));
    holds(format!("a = {}", "[".repeat(100_000)).into_bytes());
    holds(b"=\n".repeat(500_000));
    holds(b"=\n".repeat(4_000_000));
    let unknown: String = (0..200_000).map(|number| format!("k{number} = 1\n")).collect();
    holds(unknown.into_bytes());
}
