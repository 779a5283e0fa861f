//! The promises of the numbers, and what stands on disk whenever a machine stops.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;

use conf::Config;
use proptest::prelude::{Strategy, any, prop, proptest};

use super::Numbers;
use crate::limits::REST_S;
use crate::whole::Step;

/// A configuration with these reals and, for each, a service of its name.
fn config_of(names: &BTreeSet<usize>) -> Config {
    let mut text = String::from("[tunnel]\nsource_v4 = \"192.0.2.1\"\nnext_hop = \"02:00:00:00:00:fe\"\n");
    // The order in the file is not the order of names.
    for name in names.iter().rev() {
        let _ = write!(text, "[[real]]\nname = \"r{name}\"\naddress = \"10.0.0.{name}\"\n");
        let _ = write!(text, "[[pool]]\nname = \"p{name}\"\nmembers = [{{ real = \"r{name}\" }}]\n");
        let _ = write!(text, "[[service]]\nname = \"s{name}\"\nvip = \"198.51.100.{name}\"\n");
        let _ = write!(text, "protocol = \"tcp\"\nports = 80\npool = \"p{name}\"\n");
    }
    conf::parse("numbers.toml", &text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn config(names: &[usize]) -> Config {
    config_of(&names.iter().copied().collect())
}

fn reals(numbers: &Numbers) -> BTreeMap<String, u32> {
    numbers.reals().map(|(name, number)| (name.to_string(), number.get())).collect()
}

fn services(numbers: &Numbers) -> BTreeMap<String, u32> {
    numbers.services().map(|(name, number)| (name.to_string(), number.get())).collect()
}

fn map(pairs: &[(&str, u32)]) -> BTreeMap<String, u32> {
    pairs.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect()
}

#[test]
fn without_a_file_numbers_follow_the_order_of_names() {
    let numbers = Numbers::default().assign(&config(&[3, 1, 2]), 0).unwrap();
    assert_eq!(reals(&numbers), map(&[("r1", 0), ("r2", 1), ("r3", 2)]));
    assert_eq!(services(&numbers), map(&[("s1", 0), ("s2", 1), ("s3", 2)]));
}

#[test]
fn a_name_keeps_its_number_and_a_new_one_gets_the_lowest_free() {
    let first = Numbers::default().assign(&config(&[5, 7]), 0).unwrap();
    let second = first.assign(&config(&[1, 5, 7]), 10).unwrap();
    assert_eq!(reals(&second), map(&[("r1", 2), ("r5", 0), ("r7", 1)]));
}

#[test]
fn a_released_number_rests_before_another_name_has_it() {
    let first = Numbers::default().assign(&config(&[1, 2]), 0).unwrap();
    let without = first.assign(&config(&[2]), 1000).unwrap();
    let early = without.assign(&config(&[2, 3]), 1000 + REST_S - 1).unwrap();
    assert_eq!(reals(&early), map(&[("r2", 1), ("r3", 2)]));
    let late = without.assign(&config(&[2, 3]), 1000 + REST_S).unwrap();
    assert_eq!(reals(&late), map(&[("r2", 1), ("r3", 0)]));
}

#[test]
fn a_name_that_returns_while_its_number_rests_gets_it_back() {
    let first = Numbers::default().assign(&config(&[1, 2]), 0).unwrap();
    let without = first.assign(&config(&[2]), 1000).unwrap();
    let back = without.assign(&config(&[0, 1, 2]), 1001).unwrap();
    assert_eq!(reals(&back), map(&[("r0", 2), ("r1", 0), ("r2", 1)]));
}

#[test]
fn a_clock_that_is_set_back_makes_no_number_rest_for_ever() {
    let first = Numbers::default().assign(&config(&[1, 2]), 0).unwrap();
    let future = first.assign(&config(&[2]), 1_000_000_000).unwrap();
    let now = future.assign(&config(&[2]), 5000).unwrap();
    let early = now.assign(&config(&[2, 3]), 5000 + REST_S - 1).unwrap();
    assert_eq!(reals(&early), map(&[("r2", 1), ("r3", 2)]));
    let later = now.assign(&config(&[2, 3]), 5000 + REST_S).unwrap();
    assert_eq!(reals(&later), map(&[("r2", 1), ("r3", 0)]));
}

#[test]
fn any_time_can_be_written_and_read() {
    let first = Numbers::default().assign(&config(&[1, 2]), u64::MAX).unwrap();
    let numbers = first.assign(&config(&[2]), u64::MAX).unwrap();
    assert_eq!(Numbers::parse("n.toml", &numbers.to_text()).unwrap(), numbers);
}

#[test]
fn the_file_is_readable_and_pinned() {
    let first = Numbers::default().assign(&config(&[1, 2]), 0).unwrap();
    let numbers = first.assign(&config(&[2]), 1_763_731_234).unwrap();
    let expected = "\
# Numbers of reals and services, kept by name. Penstock writes this file; flows and counters hold
# these numbers, so keep it with the configuration.
version = 1

[real]
\"r2\" = 1

[service]
\"s2\" = 1

[[released]]
kind = \"real\"
name = \"r1\"
number = 0
since_s = 1763731234

[[released]]
kind = \"service\"
name = \"s1\"
number = 0
since_s = 1763731234
";
    assert_eq!(numbers.to_text(), expected);
    assert_eq!(Numbers::parse("n.toml", expected).unwrap(), numbers);
}

#[test]
fn rules_keep_their_numbers_and_a_file_without_them_has_no_such_table() {
    let with = |names: &[&str]| {
        let mut config = config(&[1]);
        let text = "[tunnel]\nsource_v4 = \"192.0.2.1\"\nnext_hop = \"02:00:00:00:00:fe\"\n\
            [[real]]\nname = \"a\"\naddress = \"10.0.0.1\"\n[[pool]]\nname = \"a\"\nmembers = [{ real = \"a\" }]\n\
            [[service]]\nname = \"a\"\nvip = \"198.51.100.1\"\nprotocol = \"tcp\"\nports = 80\npool = \"a\"\n";
        let rule = |name: &&str| format!("[[rule]]\nname = \"{name}\"\nports = 80\ndrop = true\n");
        let text = text.to_owned() + &names.iter().map(rule).collect::<String>();
        config.rules = conf::parse("r.toml", &text).unwrap_or_else(|faults| panic!("{faults}")).rules;
        config
    };
    let number = |numbers: &Numbers, name: &str| numbers.rule(&name.parse().unwrap()).map(|it| it.get());
    let none = Numbers::default().assign(&with(&[]), 0).unwrap();
    assert!(!none.to_text().contains("rule]"));
    let first = none.assign(&with(&["mail", "bad"]), 0).unwrap();
    assert_eq!((number(&first, "bad"), number(&first, "mail")), (Some(0), Some(1)));
    let second = first.assign(&with(&["all", "mail"]), 10).unwrap();
    assert_eq!(
        (number(&second, "all"), number(&second, "mail"), number(&second, "bad")),
        (Some(2), Some(1), None)
    );
    let text = second.to_text();
    assert!(text.contains("[rule]\n\"all\" = 2\n\"mail\" = 1\n"), "{text}");
    assert!(text.contains("kind = \"rule\"\nname = \"bad\"\nnumber = 0\n"), "{text}");
    assert_eq!(Numbers::parse("n.toml", &text).unwrap(), second);
    let twice = "version = 1\n[rule]\n\"a\" = 1\n\"b\" = 1\n";
    let fault = Numbers::parse("n.toml", twice).unwrap_err().to_string();
    assert!(fault.contains("n.toml:4: rule.b: the number 1 is another rule's already"), "{fault}");
}

#[test]
fn a_missing_file_holds_no_numbers() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Numbers::load(&folder.path().join("none.toml")).unwrap(), Numbers::default());
}

#[test]
fn whatever_step_a_crash_comes_before_the_file_is_the_old_or_the_new() {
    let old = Numbers::default().assign(&config(&[1, 2]), 0).unwrap();
    let new = old.assign(&config(&[2, 3]), 10).unwrap();
    for existing in [false, true] {
        for crash in Step::ALL {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("numbers.toml");
            if existing {
                old.save(&path).unwrap();
            }
            let stop = |step| if step == crash { Err(io::Error::other("stopped")) } else { Ok(()) };
            assert!(new.save_by(&path, stop).is_err(), "{crash:?}");
            let before = if existing { old.clone() } else { Numbers::default() };
            let renamed = crash == Step::SyncFolder;
            assert_eq!(
                Numbers::load(&path).unwrap(),
                if renamed { new.clone() } else { before },
                "{crash:?}"
            );
            // What is left over does not stand in the way.
            new.save(&path).unwrap();
            assert_eq!(Numbers::load(&path).unwrap(), new, "{crash:?}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }
}

#[test]
fn a_torn_new_file_beside_it_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbers.toml");
    let numbers = Numbers::default().assign(&config(&[1]), 0).unwrap();
    numbers.save(&path).unwrap();
    std::fs::write(folder.path().join("numbers.toml.new"), "version = ").unwrap();
    assert_eq!(Numbers::load(&path).unwrap(), numbers);
}

#[test]
fn untrue_files_are_refused_with_file_and_line() {
    let cases = [
        ("real = 5\n", "n.toml:1: no numbers: invalid type: integer `5`, expected a map. "),
        ("version = 2\n", "n.toml:1: version: version 2 is not known, only 1. "),
        ("[real]\na = 1\n", "n.toml:1: no numbers: missing field `version`. "),
        ("version = 1\n[real]\na = 1\nb = 1\n", "n.toml:4: real.b: the number 1 is another real's already. "),
        (
            "version = 1\n[service]\na = 65536\n",
            "n.toml:3: service.a: 65536 is no number of a service: they are from 0 to 65535. ",
        ),
        ("version = 1\n[real]\n\"a b\" = 1\n", "n.toml:3: real.a b: \"a b\" is not a name. "),
        (
            "version = 1\n[real]\na = 1\n[[released]]\nkind = \"real\"\nname = \"b\"\nnumber = 1\nsince_s = 5\n",
            "n.toml:7: released[0].number: the number 1 is another real's already. ",
        ),
        (
            "version = 1\n[real]\na = 1\n[[released]]\nkind = \"real\"\nname = \"a\"\nnumber = 2\nsince_s = 5\n",
            "n.toml:7: released[0].number: the real \"a\" has a number already. ",
        ),
        (
            "version = 1\n[[released]]\nkind = \"pool\"\n",
            "n.toml:3: no numbers: unknown variant `pool`, expected one of `real`, `service`, `rule`. ",
        ),
    ];
    for (text, expected) in cases {
        let told = Numbers::parse("n.toml", text).unwrap_err().to_string();
        assert!(told.starts_with(expected), "{text}\ntold:     {told}\nexpected: {expected}");
    }
}

/// Sets of names and how long after the one before each is taken over.
fn history() -> impl Strategy<Value = Vec<(BTreeSet<usize>, u64)>> {
    let names = prop::collection::btree_set(1..12usize, 1..8);
    prop::collection::vec((names, 0..REST_S), 1..25)
}

proptest! {
    #[test]
    fn a_live_name_keeps_its_number_and_no_number_is_reused_early(history in history()) {
        let mut numbers = Numbers::default();
        let mut now_s = 1_000_000;
        // When a number was last released, and by whom.
        let mut released: BTreeMap<u32, (String, u64)> = BTreeMap::new();
        for (names, after_s) in history {
            now_s += after_s;
            let before = reals(&numbers);
            let next = numbers.assign(&config_of(&names), now_s).unwrap();
            let after = reals(&next);
            let wanted: BTreeSet<String> = names.iter().map(|name| format!("r{name}")).collect();
            assert_eq!(after.keys().cloned().collect::<BTreeSet<_>>(), wanted);
            assert_eq!(after.values().collect::<BTreeSet<_>>().len(), after.len(), "one holder each");
            for (name, number) in &before {
                match after.get(name) {
                    Some(kept) => assert_eq!(kept, number),
                    None => drop(released.insert(*number, (name.clone(), now_s))),
                }
            }
            for (name, number) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
                if let Some((holder, since_s)) = released.get(number) {
                    assert!(holder == name || now_s - since_s >= REST_S, "{number} reused early");
                }
            }
            // The file says all there is to say.
            assert_eq!(Numbers::parse("n.toml", &next.to_text()).unwrap(), next);
            numbers = next;
        }
    }

    #[test]
    fn any_text_gives_numbers_or_a_fault(text in "\\PC{0,200}", cut in any::<prop::sample::Index>()) {
        let _ = Numbers::parse("n.toml", &text);
        let whole = Numbers::default().assign(&config(&[1, 2]), 0).unwrap().assign(&config(&[2]), 7).unwrap().to_text();
        let part: String = whole.chars().take(cut.index(whole.len())).collect();
        if let Err(faults) = Numbers::parse("n.toml", &part) {
            assert!(faults.to_string().starts_with("n.toml:"), "{faults}");
        }
    }
}
