//! Recorded steps: what happens to a desk, and what it says is to be done, as files that can be reviewed.
//!
//! A line `> MS WHAT` is an input at that millisecond; what follows it are the outputs. The harness replays the
//! inputs and compares the whole. To record after a change that is meant: `PENSTOCK_RECORD=1 cargo test -p control
//! --test steps`, then read the difference.
//!
//! ```text
//! > 0 wish 1 file real "web-1" drain       the file, with changes: KIND "NAME" VALUE, …
//! > 0 wish 1 dry-run real "web-1" drain    the same, only asked
//! > 0 wish 1 word web-1 drain              up, down, undrain, weight N [POOL], weight file [POOL]
//! > 0 built 1                              what was to be built is built
//! > 0 failed 1 WHY                         it could not be
//! > 0 report 0 switched 2                  worker 0 says so; no-such-table 2
//! > 0 tick
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use conf::Config;
use control::{
    Desk, Done, Draft, InForce, Input, Job, Now, Numbers, Output, Overrides, Refusal, Ticket, Wish, Word,
    plan,
};
use link::Report;
use service::{Generation, RealState};

const BOOT: u64 = 1;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/steps")
}

fn generation(sequence: u64) -> Generation {
    Generation { boot: BOOT, sequence }
}

/// The file as it stands there, with these changes.
fn site(changes: &str) -> Config {
    let mut config = conf::load(&folder().join("site.toml")).unwrap_or_else(|faults| panic!("{faults}"));
    for change in changes.split(", ").filter(|change| !change.is_empty()) {
        let words: Vec<&str> = change.split(' ').collect();
        let name = words[1].trim_matches('"');
        match (words[0], words.get(2).copied()) {
            ("real", Some("gone")) => {
                let at = config.reals.iter().position(|real| real.name.as_str() == name).unwrap();
                config.reals.remove(at);
                for pool in &mut config.pools {
                    pool.members.retain(|member| member.real != at);
                    pool.members.iter_mut().filter(|it| it.real > at).for_each(|it| it.real -= 1);
                }
            }
            ("real", Some(word)) => {
                let real = config.reals.iter_mut().find(|real| real.name.as_str() == name).unwrap();
                real.state = state(word);
            }
            ("weight", Some(weight)) => {
                let at = config.reals.iter().position(|real| real.name.as_str() == name).unwrap();
                let members = config.pools.iter_mut().flat_map(|pool| &mut pool.members);
                members.filter(|it| it.real == at).for_each(|it| it.weight = weight.parse().unwrap());
            }
            ("slow", Some(seconds)) => {
                let pool = config.pools.iter_mut().find(|pool| pool.name.as_str() == name).unwrap();
                pool.slow_start_s = seconds.parse().unwrap();
            }
            ("workers", None) => config.dataplane.workers = name.parse().unwrap(),
            other => panic!("{other:?}"),
        }
    }
    config
}

fn state(word: &str) -> RealState {
    match word {
        "up" => RealState::Up,
        "drain" => RealState::Drain,
        "down" => RealState::Down,
        "failed" => RealState::Failed,
        other => panic!("{other}"),
    }
}

/// A desk over two workers, and what it has had built.
struct Bench {
    desk: Desk,
    jobs: BTreeMap<Ticket, Job>,
    sequence: u64,
}

impl Bench {
    fn new() -> Self {
        let file = site("");
        let numbers = Numbers::default().assign(&file, 0).unwrap();
        let config = Arc::new(file.clone());
        let in_force =
            InForce { file, overrides: Overrides::default(), config, numbers, generation: generation(1) };
        Self { desk: Desk::new(in_force, 2), jobs: BTreeMap::new(), sequence: 1 }
    }

    /// What the builder does with a job.
    fn draft(job: &Job) -> Draft {
        let numbers = job.numbers.assign(&job.new, 0).unwrap();
        let plan = plan(Some((&job.old, &job.numbers)), (&job.new, &numbers)).unwrap();
        let mut lines: Vec<String> = plan.to_string().lines().map(str::to_owned).collect();
        lines.extend(job.notes.iter().cloned());
        let is_new = !job.dry_run && !plan.is_empty();
        Draft { plan: lines, numbers, generation: is_new.then(|| generation(0)) }
    }

    fn input(&mut self, line: &str) -> Input {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        let rest = |at: usize| words.get(at..).unwrap_or_default().join(" ");
        match words[0] {
            "wish" if words[2] == "word" => Input::Wish(number(1), said(&words)),
            "wish" => {
                let (config, dry_run) = (Box::new(site(&rest(3))), words[2] == "dry-run");
                Input::Wish(number(1), Wish::File { config, dry_run })
            }
            "built" => {
                let mut draft = self.jobs.remove(&number(1)).as_ref().map(Self::draft).unwrap();
                if let Some(generation) = &mut draft.generation {
                    self.sequence += 1;
                    generation.sequence = self.sequence;
                }
                Input::Built(number(1), Ok(draft))
            }
            "failed" => Input::Built(number(1), Err(Refusal::Internal(rest(2)))),
            "report" => {
                let report = match words[2] {
                    "switched" => Report::Switched(generation(number(3))),
                    "no-such-table" => Report::NoSuchTable(generation(number(3))),
                    other => panic!("{other}"),
                };
                Input::Report { worker: usize::try_from(number(1)).unwrap(), report }
            }
            "tick" => Input::Tick,
            other => panic!("{other}"),
        }
    }

    fn step(&mut self, line: &str, text: &mut String) {
        let (ms, what) = line.split_once(' ').unwrap();
        let input = self.input(what);
        for output in self.desk.take(input, Now { ms: ms.parse().unwrap(), unix_s: 1_000 }) {
            self.write(output, text);
        }
    }

    fn write(&mut self, output: Output, text: &mut String) {
        match output {
            Output::Build(job) => {
                let only = if job.dry_run { "plan" } else { "build" };
                writeln!(text, "{only} {}", job.ticket).unwrap();
                self.jobs.insert(job.ticket, *job);
            }
            Output::Planned(ticket, plan) => {
                writeln!(text, "planned {ticket}: {} lines", plan.len()).unwrap()
            }
            Output::HandOver(generation) => writeln!(text, "hand over {}", generation.sequence).unwrap(),
            Output::HandOverTo(worker, generation) => {
                writeln!(text, "hand over {} to worker {worker}", generation.sequence).unwrap();
            }
            Output::Switched(generation) => writeln!(text, "all have {}", generation.sequence).unwrap(),
            Output::Answer(ticket, Ok(Done { plan, applied, generation })) => {
                let how = if applied { "applied" } else { "not applied" };
                writeln!(text, "answer {ticket}: {how}, table {}", generation.sequence).unwrap();
                plan.iter().for_each(|line| writeln!(text, "    {line}").unwrap());
            }
            Output::Answer(ticket, Err(refusal)) => {
                writeln!(text, "answer {ticket}: refused: {refusal}").unwrap()
            }
        }
    }
}

fn said(words: &[&str]) -> Wish {
    let word = match words[4] {
        "undrain" => Word::FileState,
        "weight" => {
            Word::Weight { weight: words[5].parse().ok(), pool: words.get(6).map(|pool| (*pool).to_owned()) }
        }
        other => Word::State(state(other)),
    };
    Wish::Word { real: words[3].to_owned(), word }
}

#[test]
fn a_desk_does_what_is_recorded() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    files.sort();
    assert!(files.len() >= 6, "{files:?}");
    for path in files {
        let recorded = std::fs::read_to_string(&path).unwrap();
        let (mut bench, mut text) = (Bench::new(), String::new());
        for line in recorded.lines() {
            if line.starts_with('#') {
                writeln!(text, "{line}").unwrap();
            } else if let Some(step) = line.strip_prefix("> ") {
                writeln!(text, "{line}").unwrap();
                bench.step(step, &mut text);
            }
        }
        if std::env::var_os("PENSTOCK_RECORD").is_some() {
            std::fs::write(&path, &text).unwrap();
            continue;
        }
        assert_eq!(text, recorded, "{}", path.display());
    }
}
