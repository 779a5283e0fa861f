//! A running router is changed at random, a thousand times, while real clients keep asking real servers over
//! UDP and TCP, IPv4 and IPv6: nothing is lost, and no established flow is moved but off a server that was down or
//! gone just then.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail as the test does")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use ctl::{Answer, AskError, Client, Deed, Override, Reload, Show, View, Word};
use rustix::process::Signal;
use serde_json::Value;
use testbed::lab::{Lab, Stay};
use testbed::root;

/// Each makes another table.
const CHANGES: u64 = 1000;
/// Longer than they take on a machine that is busy with other things as well.
const PATIENCE: Duration = Duration::from_secs(540);
/// Small tables, so that one change follows the other at once.
const SLOTS: u32 = 4099;

/// The generator of Marsaglia's "Xorshift RNGs": the same changes in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u16) -> u16 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u16::try_from(self.0 % u64::from(end)).unwrap()
    }

    /// A server of either family; the first of each always takes new flows and is left alone on demand.
    fn real(&mut self, first: u16) -> String {
        let family = if self.below(2) == 0 { "" } else { "-v6" };
        format!("web-{}{family}", first + self.below(4 - first))
    }
}

/// Microseconds of Unix time, as the clients tell theirs.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_micros()).unwrap()
}

/// When each server took nothing. A time begins before the change is asked for and ends when the one that ends it has
/// been answered.
#[derive(Default)]
struct Absence {
    open: BTreeMap<String, u64>,
    closed: Vec<(String, u64, u64)>,
}

impl Absence {
    fn begin(&mut self, real: &str) {
        self.open.entry(real.to_owned()).or_insert_with(now);
    }

    fn end(&mut self, real: &str) {
        self.closed.extend(self.open.remove(real).map(|since| (real.to_owned(), since, now())));
    }

    /// Whether a move, as the clients tell it, had to be.
    fn excuses(&self, told: &Value) -> bool {
        let time = |key: &str| told[key].as_u64().unwrap();
        let family = if told["place"].as_str().unwrap().starts_with('[') { "-v6" } else { "" };
        let from = told["from"].as_str().unwrap();
        // A connection that was reset before its first answer was anybody's of its family.
        let is_its = |real: &str| match from {
            "" => real.ends_with("-v6") == (family == "-v6"),
            from => real == format!("{from}{family}"),
        };
        let open = self.open.iter().map(|(real, &since)| (real, since, u64::MAX));
        let mut all = self.closed.iter().map(|(real, since, until)| (real, *since, *until)).chain(open);
        all.any(|(real, since, until)| is_its(real) && since <= time("until") && time("since") <= until)
    }
}

/// The running box, and what it was told.
struct Site {
    lab: Lab,
    client: Client,
    dice: Dice,
    /// The file of its start.
    text: String,
    /// Who is not in the file now.
    gone: Option<String>,
    absence: Absence,
    /// The table in force.
    sequence: u64,
    made: BTreeMap<&'static str, u64>,
}

impl Site {
    fn raise() -> Self {
        let lab = Lab::raise(&root().join("testbed/labs/one-lan.toml"), Stay::Goes).unwrap();
        let text = std::fs::read_to_string(lab.path("site.toml")).unwrap();
        let client = Client::connect(&lab.path("control.sock")).unwrap();
        let (dice, absence) = (Dice(0x5eed), Absence::default());
        Self { lab, client, dice, text, gone: None, absence, sequence: 1, made: BTreeMap::new() }
    }

    /// Writes the file anew: other weights, one server gone or back, and a service that no other file had.
    fn write(&mut self, serial: u64) -> Option<String> {
        let gone = match self.gone {
            None => Some(self.dice.real(2)),
            Some(_) => None,
        };
        let mut text = self.text.clone();
        for family in ["", "-v6"] {
            let name = |number: u16| format!("web-{number}{family}");
            let here = [1, 2, 3].map(name).into_iter().filter(|name| Some(name) != gone.as_ref());
            let shares: Vec<String> = here
                .map(|name| format!("{{ real = \"{name}\", weight = {} }}", 1 + self.dice.below(100)))
                .collect();
            let all = [1, 2, 3].map(|number| format!("{{ real = \"{}\" }}", name(number))).join(", ");
            let members = format!("members = [{all}]");
            assert!(text.contains(&members));
            text = text.replace(&members, &format!("slots = {SLOTS}\nmembers = [{}]", shares.join(", ")));
        }
        if let Some(gone) = &gone {
            let block = format!("[[real]]\nname = \"{gone}\"\n");
            let begin = text.find(&block).unwrap();
            let end = begin + text[begin + 2..].find("[[").unwrap() + 2;
            text.replace_range(begin..end, "");
        }
        text += &format!(
            "\n[[service]]\nname = \"serial\"\nvip = \"198.51.100.99\"\nprotocol = \"udp\"\nports = {serial}\npool = \
             \"v4\"\n"
        );
        std::fs::write(self.lab.path("site.toml"), text).unwrap();
        gone
    }

    /// Reads a changed file, on demand or by SIGHUP.
    fn reload(&mut self, serial: u64, by_signal: bool) {
        let gone = self.write(serial);
        gone.iter().for_each(|real| self.absence.begin(real));
        if by_signal {
            self.lab.signal("penstock", Signal::HUP).unwrap();
            let begin = Instant::now();
            let before = self.sequence;
            while self.sequence == before {
                assert!(begin.elapsed() < PATIENCE, "SIGHUP changes nothing");
                let show = Show { what: View::Generation, service: None, real: None, limit: None };
                match self.client.ask(Deed::Show(show)).unwrap() {
                    Answer::Generation(generation) => self.sequence = generation.sequence,
                    other => panic!("{other:?}"),
                }
            }
        } else {
            self.ask(Deed::Reload(Reload::default()));
        }
        // An operator's word ends with its real.
        let back = std::mem::replace(&mut self.gone, gone);
        back.iter().for_each(|real| self.absence.end(real));
    }

    /// Has a word carried out; one that takes nothing back is no change.
    fn ask(&mut self, deed: Deed) {
        match self.client.ask(deed.clone()) {
            Ok(Answer::Changed(changed)) => self.sequence = changed.generation.sequence,
            Err(AskError::Refused(fault)) if fault.text.contains("nothing to take back") => {}
            other => panic!("{deed:?}: {other:?}"),
        }
    }

    fn say(&mut self, real: String, to: Word) {
        if Some(&real) == self.gone.as_ref() {
            return;
        }
        match to {
            Word::Down | Word::Fail => self.absence.begin(&real),
            Word::Weight { .. } | Word::Drain | Word::Up | Word::Undrain => {}
        }
        let is_back = matches!(to, Word::Drain | Word::Up | Word::Undrain);
        self.ask(Deed::Override(Override { real: real.clone(), to }));
        if is_back {
            self.absence.end(&real);
        }
    }

    /// One change at random. The first servers stay, so that there is always one for new flows.
    fn change(&mut self, serial: u64) {
        let before = self.sequence;
        let kind = self.dice.below(9);
        let (any, other) = (self.dice.real(1), self.dice.real(2));
        let weight = Some(1 + u32::from(self.dice.below(500)));
        let what = match kind {
            0 => ("drain", self.say(other, Word::Drain)).0,
            1 => ("undrain", self.say(other, Word::Undrain)).0,
            2 | 3 => ("up", self.say(other, Word::Up)).0,
            4 => ("down", self.say(other, Word::Down)).0,
            5 => ("weight", self.say(any, Word::Weight { weight, pool: None })).0,
            6 => ("weight as in the file", self.say(any, Word::Weight { weight: None, pool: None })).0,
            7 => ("reload", self.reload(serial, false)).0,
            _ => ("SIGHUP", self.reload(serial, true)).0,
        };
        assert!(self.sequence <= before + 1, "one change, one table");
        *self.made.entry(what).or_default() += self.sequence - before;
    }
}

#[test]
fn a_move_is_excused_by_the_absence_of_its_own_server_at_its_time_and_by_nothing_else() {
    let absence = Absence {
        open: BTreeMap::from([("web-3-v6".to_owned(), 50)]),
        closed: vec![("web-2".to_owned(), 10, 20)],
    };
    let excuses = |from: &str, place: &str, since: u64, until: u64| {
        absence.excuses(&serde_json::json!({ "from": from, "place": place, "since": since, "until": until }))
    };
    let [v4, v6] = ["198.51.100.10:8082", "[2001:db8:100::10]:8082"];
    assert!(excuses("web-2", v4, 5, 10) && excuses("web-2", v4, 20, 25) && excuses("", v4, 12, 13));
    assert!(!excuses("web-2", v4, 21, 25) && !excuses("web-2", v4, 5, 9) && !excuses("", v4, 30, 31));
    assert!(!excuses("web-1", v4, 12, 13) && !excuses("web-2", v6, 12, 13));
    assert!(excuses("web-3", v6, 60, 61) && !excuses("web-3", v4, 60, 61) && !excuses("web-3", v6, 1, 2));
}

#[test]
fn a_thousand_changes_under_load_lose_nothing_and_move_only_what_they_must() {
    let mut site = Site::raise();
    site.lab.end_captures().unwrap();
    site.lab.begin("ask", "client", "{tools}/talk ask 198.51.100.10:8082 [2001:db8:100::10]:8082").unwrap();
    let begin = Instant::now();
    for serial in 1.. {
        if site.sequence > CHANGES {
            break;
        }
        assert!(begin.elapsed() < PATIENCE, "{} changes only", site.sequence - 1);
        site.change(serial);
    }
    println!("{} changes in {:.1} s: {:?}", site.sequence - 1, begin.elapsed().as_secs_f64(), site.made);
    assert_eq!(site.made.values().sum::<u64>(), CHANGES);
    assert!(site.made.len() == 8 && site.made.values().all(|&made| made > 4), "{:?}", site.made);

    let said = site.lab.end("ask").unwrap();
    let told: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let count = |key: &str| told[key].as_u64().unwrap();
    let moves = |key: &str| told[key].as_array().unwrap();
    let [stayed, anew] = [moves("moves"), moves("moves_anew")];
    println!(
        "{} questions of {} flows, {} of new ones; {} and {} had to move",
        count("asked"),
        count("flows"),
        count("asked_anew"),
        stayed.len(),
        anew.len()
    );
    assert_eq!(told["broken"], serde_json::json!([]));
    assert_eq!((count("asked"), count("asked_anew")), (count("answered"), count("answered_anew")));
    // Every flow that stays went on asking, and some were on a server that went down.
    assert!(count("asked") > 10 * count("flows") && count("asked_anew") > 10 && !stayed.is_empty(), "{told}");
    let needless: Vec<&Value> =
        stayed.iter().chain(anew).filter(|told| !site.absence.excuses(told)).collect();
    assert!(needless.is_empty(), "{} moved for no reason, such as {:?}", needless.len(), needless.first());

    let counted = site.lab.counted().unwrap();
    let lost: Vec<_> =
        counted.counters.iter().filter(|(name, n)| name.starts_with("drop.") && **n > 0).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(counted.get("table.switch"), CHANGES);
}
