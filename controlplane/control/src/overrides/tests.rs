//! The rule of operators' words, and the file that keeps them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

use conf::Config;
use proptest::prelude::{any, prop, proptest};
use service::RealState;

use super::{Overrides, Unsaid, Word};

const SITE: &str = r#"
[tunnel]
source_v4 = "192.0.2.1"
next_hop = "02:00:00:00:00:fe"
[[real]]
name = "web-1"
address = "10.0.0.11"
[[real]]
name = "web-2"
address = "10.0.0.12"
[[pool]]
name = "web"
slots = 251
members = [{ real = "web-1" }, { real = "web-2" }]
[[pool]]
name = "static"
slots = 251
members = [{ real = "web-1", weight = 7 }, { real = "web-2" }]
[[service]]
name = "http"
vip = "198.51.100.0/24"
protocol = "tcp"
ports = 80
pool = "web"
"#;

fn site() -> Config {
    conf::parse("site.toml", SITE).unwrap()
}

fn state_of(config: &Config) -> RealState {
    config.reals[0].state
}

fn weights_of(config: &Config) -> (u32, u32) {
    (config.pools[0].members[0].weight, config.pools[1].members[0].weight)
}

fn say(over: &Overrides, word: Word) -> Overrides {
    over.say(&site(), "web-1", &word, 9).unwrap()
}

#[test]
fn a_word_stands_until_it_is_taken_back() {
    let drained = say(&Overrides::default(), Word::State(RealState::Drain));
    assert_eq!(state_of(&drained.over(&site())), RealState::Drain);
    assert_eq!(drained.settle(&site()), (drained.clone(), vec![]));
    let back = say(&drained, Word::FileState);
    assert!(back.is_empty());
    assert_eq!(
        back.say(&site(), "web-1", &Word::FileState, 9),
        Err(Unsaid::NothingSaid("web-1".parse().unwrap(), "state"))
    );
}

#[test]
fn a_word_ends_when_the_file_changes_that_key_and_not_for_another() {
    let words = say(&Overrides::default(), Word::State(RealState::Down));
    let words = say(&words, Word::Weight { weight: Some(3), pool: Some("web".to_owned()) });
    let mut file = site();
    file.pools[0].members[0].weight = 55;
    file.reals[0].address = "10.9.9.9".parse().unwrap();
    let (kept, ended) = words.settle(&file);
    assert_eq!((state_of(&kept.over(&file)), weights_of(&kept.over(&file))), (RealState::Down, (55, 7)));
    assert_eq!(ended, ["the operator's weight 3 of \"web-1\" in pool \"web\" ends: the file now says 55"]);
    file.reals[0].state = RealState::Drain;
    let (kept, ended) = kept.settle(&file);
    assert!(kept.is_empty());
    assert_eq!(ended, ["the operator's word that real \"web-1\" is down ends: the file now says drain"]);
    let (kept, ended) = words.settle(&conf::parse("s", &SITE.replace("web-1", "web-9")).unwrap());
    assert_eq!((kept.is_empty(), ended.len()), (true, 2));
}

#[test]
fn a_weight_is_for_one_pool_or_for_all() {
    let all = say(&Overrides::default(), Word::Weight { weight: Some(0), pool: None });
    assert_eq!(weights_of(&all.over(&site())), (0, 0));
    let one = say(&all, Word::Weight { weight: None, pool: Some("web".to_owned()) });
    assert_eq!(weights_of(&one.over(&site())), (100, 0));
    for (real, weight, pool, told) in [
        ("web-9", Some(1), None, "no real is named \"web-9\""),
        ("web-1", Some(1), Some("nope"), "no pool is named \"nope\""),
        ("web-1", Some(65_536), None, "out of range"),
        ("web-1", None, None, "nothing to take back"),
    ] {
        let word = Word::Weight { weight, pool: pool.map(str::to_owned) };
        let unsaid = Overrides::default().say(&site(), real, &word, 0).unwrap_err().to_string();
        assert!(unsaid.contains(told), "{unsaid}");
    }
}

#[test]
fn the_file_stands_beside_the_numbers_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = Overrides::path_beside(&folder.path().join("site.numbers.toml"));
    assert_eq!(path, folder.path().join("site.numbers.overrides.toml"));
    assert_eq!(Overrides::load(&path), Ok(Overrides::default()));
    let words = say(&Overrides::default(), Word::State(RealState::Up));
    let words = say(&words, Word::Weight { weight: Some(3), pool: None });
    words.save(&path).unwrap();
    assert_eq!(Overrides::load(&path), Ok(words));
    for wrong in [
        "version = 2",
        "version = 1\nwhat = 1",
        "version = 1\n[[state]]\nreal = \"a\"\nto = \"gone\"\nfile = \"up\"\nsince_s = 1",
        "version = 1\n[[weight]]\nreal = \"a\"\npool = \"b\"\nto = 70000\nfile = 1\nsince_s = 1",
    ] {
        let faults = Overrides::parse("words.toml", wrong).unwrap_err().to_string();
        assert!(faults.starts_with("words.toml:") && faults.contains("remove the file"), "{faults}");
    }
}

proptest! {
    #[test]
    fn any_text_gives_words_or_a_fault_and_words_come_back(
        text in ".{0,200}",
        words in prop::collection::vec((any::<bool>(), 0..3_usize, 0..65_536_u32), 0..6),
    ) {
        let _ = Overrides::parse("words.toml", &text);
        let mut said = Overrides::default();
        for (is_state, state, weight) in words {
            let state = [RealState::Up, RealState::Drain, RealState::Down][state];
            let weight = Word::Weight { weight: Some(weight), pool: None };
            said = say(&said, if is_state { Word::State(state) } else { weight });
        }
        assert_eq!(Overrides::parse("words.toml", &said.to_text()), Ok(said));
    }
}
