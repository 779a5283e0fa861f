//! A thousand random changes of a running box, over its socket, and what has to hold between them: for boxes on
//! DPDK's ports, and for those on ports in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use ctl::{Answer, AskError, Client, Code, Deed, Override, Reload, Show, View, Word};

pub(crate) const CHANGES: usize = 1_000;

/// Reals of the site that changes.
pub(crate) const REALS: u64 = 20;

/// Between two looks at every flow.
const LOOK_EACH: usize = 50;

const PATIENCE: Duration = Duration::from_secs(60);

/// Numbers that look random and are the same every time (`SplitMix64`).
struct Dice(u64);

impl Dice {
    const fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % bound
    }
}

/// Reals by number: state and weight, as the file says.
pub(crate) type File = BTreeMap<u64, (&'static str, u64)>;

/// So many reals, all alike.
pub(crate) fn whole(reals: u64) -> File {
    (0..reals).map(|real| (real, ("up", 100))).collect()
}

/// The file's text; `more` is what stands in it besides.
pub(crate) fn site(file: &File, more: &str) -> String {
    let mut text = String::from(
        "[node]\nnumbers = \"n.toml\"\ncontrol = \"c.sock\"\nmac = \"02:00:00:00:00:01\"\n[tunnel]\nsource_v4 = \
         \"192.0.2.1\"\nnext_hop = \"02:00:00:00:00:fe\"\n[flow]\nentries = 4096\n",
    );
    text.push_str(more);
    let mut members = Vec::new();
    for (real, (state, weight)) in file {
        write!(text, "[[real]]\nname = \"r{real}\"\naddress = \"10.0.1.{real}\"\nstate = \"{state}\"\n")
            .unwrap();
        members.push(format!("{{ real = \"r{real}\", weight = {weight} }}"));
    }
    let members = members.join(", ");
    write!(
        text,
        "[[pool]]\nname = \"web\"\nslots = 10007\nmembers = [{members}]\n[[service]]\nname = \"http\"\nvip = \
         \"198.51.100.0/24\"\nprotocol = \"tcp\"\nports = 80\npool = \"web\"\n"
    )
    .unwrap();
    text
}

/// A word of one real, or another file. The first real is left as it is, so that there is always one to go to.
fn change(dice: &mut Dice, file: &mut File) -> Option<Deed> {
    let real = 1 + dice.below(REALS - 1);
    let to = match dice.below(9) {
        0 => Word::Drain,
        1 => Word::Down,
        2 | 3 => Word::Up,
        4 => Word::Undrain,
        5 => Word::Weight { weight: Some(u32::try_from(dice.below(300)).unwrap()), pool: None },
        6 => Word::Weight { weight: None, pool: None },
        _ => {
            match dice.below(4) {
                0 => drop(file.remove(&real)),
                1 => drop(file.insert(real, ("down", 100))),
                2 => drop(file.insert(real, ("drain", dice.below(200)))),
                _ => drop(file.insert(real, ("up", 1 + dice.below(200)))),
            }
            return None;
        }
    };
    Some(Deed::Override(Override { real: format!("r{real}"), to }))
}

/// A box that is watched: each question is a connection of its own.
pub(crate) struct Watched<'b> {
    pub(crate) socket: &'b Path,
    /// Flows of each worker.
    pub(crate) flows: usize,
}

impl Watched<'_> {
    fn ask(&self, deed: Deed) -> Result<Answer, AskError> {
        Client::connect(self.socket)?.ask(deed)
    }

    fn show(&self, what: View) -> Answer {
        self.ask(Deed::Show(Show { what, service: None, real: None, limit: None })).unwrap()
    }

    /// The reals that take no packets now.
    fn gone(&self) -> BTreeSet<String> {
        let Answer::Reals(rows) = self.show(View::Reals) else { panic!("no reals") };
        let there: BTreeSet<String> =
            rows.into_iter().filter(|row| row.state != "down").map(|row| row.name).collect();
        (0..REALS).map(|real| format!("r{real}")).filter(|name| !there.contains(name)).collect()
    }

    /// Each flow's real.
    pub(crate) fn reals(&self) -> BTreeMap<(u32, String, String), String> {
        let Answer::Flows(rows) = self.show(View::Flows) else { panic!("no flows") };
        assert!(!rows.more);
        rows.rows.into_iter().map(|row| ((row.worker, row.client, row.vip), row.real)).collect()
    }

    fn received(&self) -> Vec<u64> {
        let Answer::Workers(rows) = self.show(View::Workers) else { panic!("no workers") };
        rows.iter().map(|row| row.counters["rx"]).collect()
    }

    /// Waits until every flow of every worker has met the table in force: some more rounds of the traffic.
    pub(crate) fn settle(&self) {
        let (start, before) = (Instant::now(), self.received());
        let rounds = 4 * self.flows as u64;
        while !self.received().iter().zip(&before).all(|(now, before)| *now >= before + rounds) {
            assert!(start.elapsed() < PATIENCE, "no traffic any more");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A thousand changes; `write` puts another file in its place. What it did, in a sentence.
    pub(crate) fn change_a_thousand_times(&self, write: impl Fn(&File)) -> String {
        let (mut dice, mut file) = (Dice(7), whole(REALS));
        let (mut flows, mut lost_theirs) = (self.reals(), BTreeSet::new());
        let (all, mut applied, mut refused, mut moved) = (flows.len(), 0, 0, 0);
        assert!(all >= self.flows);
        let mut number = 0;
        while applied < CHANGES {
            number += 1;
            let deed = change(&mut dice, &mut file).unwrap_or_else(|| {
                write(&file);
                Deed::Reload(Reload::default())
            });
            match self.ask(deed) {
                Ok(Answer::Changed(changed)) if changed.applied => applied += 1,
                // There is nothing to take back, or the file has no such real now.
                Err(AskError::Refused(fault)) if fault.code == Code::NoSuchName => refused += 1,
                other => panic!("change {number}: {other:?}"),
            }
            lost_theirs.extend(self.gone());
            if number % LOOK_EACH == 0 {
                self.settle();
                let (now, gone) = (self.reals(), self.gone());
                assert_eq!(now.len(), all, "change {number}");
                for (flow, real) in &flows {
                    let after = &now[flow];
                    let may = after == real || lost_theirs.contains(real);
                    assert!(may, "change {number}: {flow:?}: {real} to {after}");
                    assert!(!gone.contains(after), "change {number}: {flow:?} is on {after}, which is gone");
                    moved += u32::from(after != real);
                }
                (flows, lost_theirs) = (now, gone);
            }
        }
        assert!(moved > 0);
        format!(
            "{applied} changes applied, {refused} refused; {moved} moves of {all} flows, each off a real that went"
        )
    }
}
