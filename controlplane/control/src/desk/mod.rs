//! How a running box changes: a state machine that is told what happened and says what to do.
//!
//! One change is in hand at a time; a few wait. A change goes: *wish* → the configuration with the operators'
//! words over it → *build* (plan, numbers, table: somebody else's work, which takes a while) → *hand over* to
//! every worker → all have switched → *answer*. What fails before the hand-over has changed nothing.
//!
//! Architecture invariant: no file, no clock, no thread. Replaying the recorded inputs gives the recorded
//! outputs (`tests/steps`).

mod restart;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use conf::Config;
use link::Report;
use service::Generation;

use crate::limits::{ACKNOWLEDGE_MS_MAX, BUILD_MS_MAX, SWITCH_APART_MS_MIN, WISHES_MAX};
use crate::numbers::Numbers;
use crate::overrides::{Overrides, Unsaid, Word};
use crate::ramps::Ramps;

pub use restart::needs_restart;

/// Names one wish, so that its answer finds back.
pub type Ticket = u64;

/// The desk's own: nobody waits for its answer.
const RAMP: Ticket = Ticket::MAX;

/// What somebody wants changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// The site is what this file says.
    File {
        /// It, checked.
        config: Box<Config>,
        /// Only say what would change.
        dry_run: bool,
    },
    /// An operator's word about one real.
    Word {
        /// The real's name.
        real: String,
        /// What becomes of it.
        word: Word,
    },
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody wants something.
    Wish(Ticket, Wish),
    /// The job of that ticket was built, or why not.
    Built(Ticket, Result<Draft, Refusal>),
    /// A worker said something.
    Report {
        /// Which.
        worker: usize,
        /// What.
        report: Report,
    },
    /// Time has passed.
    Tick,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Plan this, and unless it is a dry run save it and make its table; then say [`Input::Built`].
    Build(Box<Job>),
    /// This plan, a sentence a line, is about to be carried out.
    Planned(Ticket, Vec<String>),
    /// Give every worker that table and tell it to switch.
    HandOver(Generation),
    /// The same to one worker, which says that it has no such table.
    HandOverTo(usize, Generation),
    /// All workers forward by that table; the one before can go.
    Switched(Generation),
    /// Tell whoever wished.
    Answer(Ticket, Result<Done, Refusal>),
}

/// What has to be built.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Whose.
    pub ticket: Ticket,
    /// What is in force, the operators' words over it.
    pub old: Arc<Config>,
    /// Its numbers.
    pub numbers: Numbers,
    /// What shall be, the operators' words over it.
    pub new: Arc<Config>,
    /// Those words.
    pub overrides: Overrides,
    /// Those that are in force.
    pub said: Overrides,
    /// Only plan.
    pub dry_run: bool,
    /// Sentences for the plan: words that stand, words that end.
    pub notes: Vec<String>,
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The plan, a sentence a line.
    pub plan: Vec<String>,
    /// The numbers after it.
    pub numbers: Numbers,
    /// The new table's name; `None` if it was a dry run, or the table stays as it is.
    pub generation: Option<Generation>,
}

/// How a wish was fulfilled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The plan, a sentence a line.
    pub plan: Vec<String>,
    /// It was carried out.
    pub applied: bool,
    /// The table in force.
    pub generation: Generation,
}

/// Why a wish was not fulfilled; nothing has changed, except where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The name is not known, or there is nothing to take back.
    Word(Unsaid),
    /// These keys are read at a start only.
    Restart(Vec<&'static str>),
    /// The new configuration makes no table.
    Config(String),
    /// Something else is in hand.
    Busy,
    /// The table was not built in time.
    Slow {
        /// It is the wish of that table; otherwise it waited behind, and was not begun.
        is_begun: bool,
    },
    /// A worker has not switched in time.
    Silent {
        /// Which.
        worker: usize,
        /// To which table.
        generation: Generation,
        /// It is the wish of that table; otherwise it waited behind, and was not begun.
        is_begun: bool,
    },
    /// A fault of ours or of the machine.
    Internal(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(unsaid) => write!(f, "{unsaid}"),
            Self::Restart(keys) => write!(
                f,
                "only a restart can change {}: nothing was changed; set it back, or restart `penstock run`",
                keys.join(", ")
            ),
            Self::Config(why) => write!(f, "nothing was changed: {why}"),
            Self::Busy => write!(f, "{WISHES_MAX} changes are waiting already: try again"),
            Self::Slow { is_begun: true } => write!(
                f,
                "the table is in the making for {} seconds already: is a disk silent? It comes into force when it is \
                 ready: `penstock show generation` tells",
                BUILD_MS_MAX / 1000
            ),
            Self::Slow { is_begun: false } => write!(
                f,
                "this change was not begun: the table of the one before it is in the making for {} seconds already: \
                 try again",
                BUILD_MS_MAX / 1000
            ),
            Self::Silent { worker, generation, is_begun } => write!(
                f,
                "{}worker {worker} has not switched to table {} within {} seconds; the others have, or will: \
                 `penstock show workers` tells which is silent",
                if *is_begun { "" } else { "this change was not begun: " },
                generation.sequence,
                ACKNOWLEDGE_MS_MAX / 1000
            ),
            Self::Internal(why) => write!(f, "nothing was changed: {why}"),
        }
    }
}

impl std::error::Error for Refusal {}

/// What time it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds, by a clock that never goes back.
    pub ms: u64,
    /// Seconds since 1970.
    pub unix_s: u64,
}

/// What is in force.
#[derive(Clone, Debug, PartialEq)]
pub struct InForce {
    /// What the file said.
    pub file: Config,
    /// What operators said.
    pub overrides: Overrides,
    /// Both together.
    pub config: Arc<Config>,
    /// The numbers of its names.
    pub numbers: Numbers,
    /// Its table.
    pub generation: Generation,
}

/// A change on its way.
#[derive(Clone, Debug)]
struct Pending {
    ticket: Ticket,
    next: InForce,
    ramps: Ramps,
    dry_run: bool,
    plan: Vec<String>,
}

#[derive(Clone, Debug)]
enum Phase {
    Idle,
    Building {
        pending: Box<Pending>,
        since_ms: u64,
        /// Whoever wished has been told that it takes too long.
        is_told: bool,
    },
    Switching {
        pending: Box<Pending>,
        /// By worker: it has not switched yet.
        waiting: Vec<bool>,
        since_ms: u64,
        /// As above.
        is_told: bool,
    },
}

/// The state machine.
#[derive(Clone, Debug)]
pub struct Desk {
    in_force: InForce,
    workers: usize,
    phase: Phase,
    wishes: VecDeque<(Ticket, Wish)>,
    /// Who starts slowly.
    ramps: Ramps,
    /// When the last switch began.
    switched_ms: Option<u64>,
}

impl Desk {
    /// A desk over what `workers` workers forward by.
    #[must_use]
    pub fn new(in_force: InForce, workers: usize) -> Self {
        let ramps = Ramps::default();
        Self { in_force, workers, phase: Phase::Idle, wishes: VecDeque::new(), ramps, switched_ms: None }
    }

    /// What is in force.
    #[must_use]
    pub const fn in_force(&self) -> &InForce {
        &self.in_force
    }

    /// Whether nothing is in hand and nothing waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle) && self.wishes.is_empty()
    }

    /// Something happened at `now`; what is to be done, in order.
    pub fn take(&mut self, input: Input, now: Now) -> Vec<Output> {
        let mut outputs = Vec::new();
        match input {
            Input::Wish(ticket, _) if self.wishes.len() >= WISHES_MAX => {
                outputs.push(Output::Answer(ticket, Err(Refusal::Busy)));
            }
            Input::Wish(ticket, wish) => self.wishes.push_back((ticket, wish)),
            Input::Built(ticket, result) => self.built(ticket, result, now, &mut outputs),
            Input::Report { worker, report } => self.report(worker, report, &mut outputs),
            Input::Tick => self.look_at_the_silent(now, &mut outputs),
        }
        self.begin(now, &mut outputs);
        outputs
    }

    /// Begins the next wish if nothing is in hand, and the last switch is a little while ago: a flow that is
    /// not met for thousands of tables would take an old one for the present one.
    fn begin(&mut self, now: Now, outputs: &mut Vec<Output>) {
        let is_soon = self.switched_ms.is_some_and(|at| now.ms.saturating_sub(at) < SWITCH_APART_MS_MIN);
        while matches!(self.phase, Phase::Idle) && !is_soon {
            let job = match self.wishes.pop_front() {
                Some((ticket, wish)) => (ticket, self.job(ticket, Some(wish), now)),
                None if self.ramps.is_due(&self.in_force.config, now.ms) => (RAMP, self.job(RAMP, None, now)),
                None => return,
            };
            let (ticket, job) = job;
            match job {
                Ok((pending, job)) => {
                    self.phase =
                        Phase::Building { pending: Box::new(pending), since_ms: now.ms, is_told: false };
                    outputs.push(Output::Build(Box::new(job)));
                }
                Err(refusal) => outputs.push(Output::Answer(ticket, Err(refusal))),
            }
        }
    }

    /// What a wish asks for; without one, the next step of who starts slowly.
    fn job(&self, ticket: Ticket, wish: Option<Wish>, now: Now) -> Result<(Pending, Job), Refusal> {
        let InForce { file, overrides, config, numbers, generation } = &self.in_force;
        let (file, overrides, notes, dry_run) = match wish {
            None => (file.clone(), overrides.clone(), Vec::new(), false),
            Some(Wish::File { config: new, dry_run }) => {
                let keys = needs_restart(file, &new);
                if !keys.is_empty() {
                    return Err(Refusal::Restart(keys));
                }
                let (kept, mut notes) = overrides.settle(&new);
                notes.extend(kept.sentences());
                (*new, kept, notes, dry_run)
            }
            Some(Wish::Word { real, word }) => {
                let said = overrides.say(file, &real, &word, now.unix_s).map_err(Refusal::Word)?;
                (file.clone(), said, Vec::new(), false)
            }
        };
        let wanted = overrides.over(&file);
        let ramps = self.ramps.next(config, &wanted, &overrides, now.ms);
        let new = Arc::new(ramps.over(wanted, now.ms));
        let job = Job {
            ticket,
            old: Arc::clone(config),
            numbers: numbers.clone(),
            new: Arc::clone(&new),
            overrides: overrides.clone(),
            said: self.in_force.overrides.clone(),
            dry_run,
            notes,
        };
        let next =
            InForce { file, overrides, config: new, numbers: numbers.clone(), generation: *generation };
        Ok((Pending { ticket, next, ramps, dry_run, plan: Vec::new() }, job))
    }

    fn built(&mut self, ticket: Ticket, result: Result<Draft, Refusal>, now: Now, outputs: &mut Vec<Output>) {
        let (mut pending, is_told) = match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Building { pending, is_told, .. } if pending.ticket == ticket => (pending, is_told),
            other => {
                self.phase = other;
                return;
            }
        };
        match result {
            Err(_) if ticket == RAMP => self.ramps.pause(now.ms),
            Err(_) if is_told => {}
            Err(refusal) => outputs.push(Output::Answer(ticket, Err(refusal))),
            Ok(draft) => {
                pending.plan = draft.plan;
                pending.next.numbers = draft.numbers;
                match draft.generation {
                    None => self.finish(*pending, is_told, outputs),
                    Some(generation) => {
                        pending.next.generation = generation;
                        let waiting = vec![true; self.workers];
                        self.switched_ms = Some(now.ms);
                        outputs.push(Output::Planned(ticket, pending.plan.clone()));
                        self.phase = Phase::Switching { pending, waiting, since_ms: now.ms, is_told };
                        outputs.push(Output::HandOver(generation));
                    }
                }
            }
        }
    }

    fn report(&mut self, worker: usize, report: Report, outputs: &mut Vec<Output>) {
        let Phase::Switching { pending, waiting, .. } = &mut self.phase else { return };
        let wanted = pending.next.generation;
        match report {
            Report::Switched(generation) if generation == wanted => {
                if let Some(waits) = waiting.get_mut(worker) {
                    *waits = false;
                }
            }
            Report::NoSuchTable(generation) if generation == wanted => {
                outputs.push(Output::HandOverTo(worker, generation));
            }
            _ => return,
        }
        if waiting.iter().any(|waits| *waits) {
            return;
        }
        if let Phase::Switching { pending, is_told, .. } = std::mem::replace(&mut self.phase, Phase::Idle) {
            outputs.push(Output::Switched(wanted));
            self.finish(*pending, is_told, outputs);
        }
    }

    /// What was pending is in force now, unless it was only a question.
    fn finish(&mut self, pending: Pending, is_told: bool, outputs: &mut Vec<Output>) {
        let Pending { ticket, next, ramps, dry_run, plan } = pending;
        if !dry_run {
            self.in_force = next;
            self.ramps = ramps;
        }
        if !is_told && ticket != RAMP {
            let done = Done { plan, applied: !dry_run, generation: self.in_force.generation };
            outputs.push(Output::Answer(ticket, Ok(done)));
        }
    }

    /// Whoever wished is told when a table or a worker takes too long, and so are those who wait behind. There is
    /// no second switch before the first has ended.
    fn look_at_the_silent(&mut self, now: Now, outputs: &mut Vec<Output>) {
        let is_over = |since_ms: u64, most: u64| now.ms.saturating_sub(since_ms) >= most;
        let (pending, is_told, silent) = match &mut self.phase {
            Phase::Building { pending, since_ms, is_told } if is_over(*since_ms, BUILD_MS_MAX) => {
                (pending, is_told, None)
            }
            Phase::Switching { pending, waiting, since_ms, is_told }
                if is_over(*since_ms, ACKNOWLEDGE_MS_MAX) =>
            {
                (pending, is_told, Some(waiting.iter().position(|waits| *waits).unwrap_or(0)))
            }
            _ => return,
        };
        let generation = pending.next.generation;
        let refusal = |is_begun| match silent {
            None => Refusal::Slow { is_begun },
            Some(worker) => Refusal::Silent { worker, generation, is_begun },
        };
        let first =
            (!std::mem::replace(is_told, true)).then_some(pending.ticket).filter(|first| *first != RAMP);
        outputs.extend(first.map(|ticket| Output::Answer(ticket, Err(refusal(true)))));
        let waiting = self.wishes.drain(..);
        outputs.extend(waiting.map(|(ticket, _)| Output::Answer(ticket, Err(refusal(false)))));
    }
}
