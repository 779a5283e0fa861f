//! The control thread's work: it waits at the inbox, tells the desk what happened, does what the desk says, and
//! shows how things stand once a tick. It never waits for anything else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender};
use std::time::{Duration, Instant};

use control::{Desk, Done, Input, Job, Now, Output, Refusal, Ticket};
use counters::Ledger;
use ctl::{Answer, Changed, Code, Outcome, SILENT_MS};

use crate::crew::{Crew, Unread};
use crate::meter::Gauge;
use crate::run::events::{Event, Made};
use crate::run::follow::{Follower, followed};
use crate::run::manager;
use crate::run::standing::{Board, Names, Standing, TICK_MS, WorkerStanding, sum};
use crate::site::{Site, now_s};

/// While workers are asked to switch, their reports are looked for so often.
const SOON: Duration = Duration::from_millis(1);

/// Otherwise it looks up so often: someone may have set an end by packets or by time.
const LOOK: Duration = Duration::from_millis(10);

/// So long next hops are waited for before the first packet.
const LEARN: Duration = Duration::from_secs(1);

/// Somebody's wish: what is said to them.
enum Asker {
    /// They wait.
    Waits(SyncSender<Outcome>),
    /// It was a signal: the log is told.
    Signal,
    /// The same, and the log has been told the plan.
    Told,
}

/// How often each heart has beaten, and when that was seen to change.
#[derive(Clone, Copy, Default)]
struct Pulse {
    beat: u64,
    at_ms: u64,
    busy_cycles: u64,
    /// The log has been told that it is silent, or that it lost count.
    is_silent_told: bool,
    is_off_told: bool,
}

/// The control thread's things.
pub(crate) struct Office<'o> {
    pub(crate) inbox: Receiver<Event>,
    jobs: Sender<Job>,
    desk: Desk,
    follower: Follower,
    board: Arc<Board>,
    gauges: Vec<Arc<Gauge>>,
    ports: &'o dyn Fn() -> Vec<ctl::Port>,
    changed: &'o dyn Fn(&conf::Config, &conf::Config),
    asked: BTreeMap<Ticket, Asker>,
    last_ticket: Ticket,
    made: Option<Made>,
    /// How things stood when it was handed over.
    handed_over: Option<Arc<Standing>>,
    start: Instant,
    looked_ms: Option<u64>,
    looked_cycles: u64,
    pulses: Vec<Pulse>,
    is_over: bool,
}

/// What the ports have counted, and who is to know of a configuration that is in force after another.
pub(crate) type Outside<'o> = (&'o dyn Fn() -> Vec<ctl::Port>, &'o dyn Fn(&conf::Config, &conf::Config));

impl<'o> Office<'o> {
    pub(crate) fn new(
        inbox: Receiver<Event>,
        (jobs, desk): (Sender<Job>, Desk),
        follower: Follower,
        board: Arc<Board>,
        gauges: Vec<Arc<Gauge>>,
        (ports, changed): Outside<'o>,
    ) -> Self {
        let pulses = vec![Pulse::default(); gauges.len()];
        Self {
            inbox,
            jobs,
            desk,
            follower,
            board,
            gauges,
            ports,
            changed,
            asked: BTreeMap::new(),
            last_ticket: 0,
            made: None,
            handed_over: None,
            start: Instant::now(),
            looked_ms: None,
            looked_cycles: mem::cycles(),
            pulses,
            is_over: false,
        }
    }

    /// Next hops of what is in force are followed.
    pub(crate) fn follow(&mut self, crew: &mut Crew) {
        let in_force = self.desk.in_force();
        let followed = followed(&in_force.config, &in_force.numbers);
        self.follower.follow(followed, self.now().ms, crew);
    }

    /// Before the first packet: waits for next hops, as far as they can be learnt before, and not long.
    pub(crate) fn prepare(&mut self, crew: &mut Crew) {
        let begin = Instant::now();
        while self.follower.is_worth_waiting() && begin.elapsed() < LEARN && !self.is_over {
            self.turn(crew);
        }
    }

    /// The kernel's neighbours are left to themselves again.
    pub(crate) fn end(self, crew: &mut Crew) {
        let now_ms = self.now().ms;
        self.follower.end(now_ms, crew);
    }

    /// One turn; whether it goes on.
    pub(crate) fn turn(&mut self, crew: &mut Crew) -> bool {
        let is_idle = self.desk.is_idle() && self.follower.is_idle(crew);
        let pause = if is_idle { LOOK } else { SOON };
        match self.inbox.recv_timeout(pause) {
            Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => self.is_over = true,
            Ok(event) => self.take(event, crew),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if self.is_over {
            return false;
        }
        for (worker, report) in crew.reports() {
            self.tell(Input::Report { worker, report }, crew);
        }
        self.follower.turn(self.now().ms, crew);
        let is_tick = self.is_tick(self.now().ms);
        if is_tick || !self.desk.is_idle() {
            self.tell(Input::Tick, crew);
        }
        if is_tick {
            self.look(crew, self.board.standing().names.clone());
        }
        true
    }

    fn now(&self) -> Now {
        let ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { ms, unix_s: now_s() }
    }

    fn is_tick(&self, now_ms: u64) -> bool {
        self.looked_ms.is_none_or(|looked| now_ms.saturating_sub(looked) >= TICK_MS)
    }

    fn take(&mut self, event: Event, crew: &mut Crew) {
        match event {
            Event::End => {}
            Event::Kernel(news) => self.follower.hear(news, self.now().ms, crew),
            Event::Wish(wish, asker) => {
                self.last_ticket += 1;
                self.asked.insert(self.last_ticket, asker.map_or(Asker::Signal, Asker::Waits));
                self.tell(Input::Wish(self.last_ticket, wish), crew);
            }
            Event::Built(ticket, result) => {
                let result = result.map(|(draft, made)| {
                    self.made = made;
                    draft
                });
                self.tell(Input::Built(ticket, result), crew);
            }
        }
    }

    fn tell(&mut self, input: Input, crew: &mut Crew) {
        for output in self.desk.take(input, self.now()) {
            match output {
                Output::Build(job) => {
                    if !job.dry_run {
                        self.follower.foresee(&job.new, self.now().ms, crew);
                    }
                    let ticket = job.ticket;
                    if self.jobs.send(*job).is_err() {
                        let gone =
                            Refusal::Internal("the builder is gone: restart `penstock run`".to_owned());
                        self.tell(Input::Built(ticket, Err(gone)), crew);
                    }
                }
                Output::Planned(ticket, plan) => {
                    if let Some(asker @ Asker::Signal) = self.asked.get_mut(&ticket) {
                        tracing::info!("SIGHUP:\n{}", plan.join("\n"));
                        *asker = Asker::Told;
                    }
                }
                Output::HandOver(_) => {
                    if let Some(made) = &self.made {
                        self.follower.follow(made.followed.clone(), self.now().ms, crew);
                    }
                    self.handed_over = Some(self.board.standing());
                    self.hand_over(crew, None);
                }
                Output::HandOverTo(worker, _) => self.hand_over(crew, Some(worker)),
                Output::Switched(generation) => {
                    let before = self.board.standing();
                    let names = self.names();
                    (self.changed)(&before.names.site.config, &names.site.config);
                    crew.let_go();
                    self.look(crew, names);
                    manager::in_force(generation.sequence);
                    tracing::info!("generation {} is in force", generation.sequence);
                }
                Output::Answer(ticket, result) => self.answer(ticket, result, crew),
            }
        }
    }

    /// What a full ring refuses is told; the desk sees that the worker is silent.
    fn hand_over(&self, crew: &mut Crew, to: Option<usize>) {
        let Some(made) = &self.made else { return };
        if let Err(failure) = crew.hand_over(&made.table, to) {
            tracing::error!("{failure}");
        }
    }

    fn answer(&mut self, ticket: Ticket, result: Result<Done, Refusal>, crew: &mut Crew) {
        // The names are shown before the answer goes, so that whoever asks next sees what was changed.
        let names = self.names();
        self.look(crew, names);
        // What was foreseen does not come.
        if result
            .as_ref()
            .is_err_and(|refusal| !matches!(refusal, Refusal::Silent { .. } | Refusal::Slow { .. }))
        {
            self.follow(crew);
        }
        let asker = self.asked.remove(&ticket);
        let outcome = match result {
            Ok(Done { plan, applied, .. }) => {
                if let Some(Asker::Signal) = asker {
                    tracing::info!("SIGHUP:\n{}", plan.join("\n"));
                }
                let generation = self.board.standing().generation();
                Outcome::Ok(Answer::Changed(Changed { plan, applied, generation }))
            }
            Err(refusal) => {
                if let Some(Asker::Signal | Asker::Told) = asker {
                    tracing::error!("SIGHUP: {refusal}");
                }
                Outcome::refused(code(&refusal), refusal.to_string())
            }
        };
        if let Some(Asker::Waits(reply)) = asker {
            // Whoever has gone away has lost interest.
            let _ = reply.try_send(outcome);
        }
    }

    /// What is in force, with the table that was made for it if there is a new one.
    fn names(&mut self) -> Arc<Names> {
        let shown = self.board.standing().names.clone();
        let in_force = self.desk.in_force();
        if shown.in_force == *in_force {
            return shown;
        }
        let made = self.made.take_if(|made| made.table.generation() == in_force.generation);
        let (digest, table, since_ms) = match &made {
            Some(made) => (made.digest.clone(), Arc::downgrade(&made.table), self.now().ms),
            None => (shown.digest.clone(), shown.table.clone(), shown.since_ms),
        };
        let site = Site { config: (*in_force.config).clone(), numbers: in_force.numbers.clone() };
        let directory = site.directory();
        let total = self.handed_over.take().unwrap_or_else(|| self.board.standing());
        let begun = shown.begun.after(&shown.site, &site, &total.total);
        Arc::new(Names { in_force: in_force.clone(), site, directory, digest, since_ms, table, begun })
    }

    /// Reads every page, and shows how things stand.
    fn look(&mut self, crew: &Crew, names: Arc<Names>) {
        let now_ms = self.now().ms;
        let before = self.board.standing();
        let ledgers = self.ledgers(crew, &before);
        let is_tick = self.is_tick(now_ms);
        let cycles = mem::cycles();
        let passed = cycles.wrapping_sub(self.looked_cycles);
        let beats: Vec<u64> = crew.heartbeats().collect();
        let mut workers = Vec::with_capacity(ledgers.len());
        for (number, ledger) in ledgers.into_iter().enumerate() {
            let old = before.workers.get(number);
            let beat = beats.get(number).copied().unwrap_or(0);
            let worker = self.worker(number, ledger, beat, now_ms, is_tick.then_some(passed), old);
            workers.push(worker);
        }
        if is_tick {
            (self.looked_ms, self.looked_cycles) = (Some(now_ms), cycles);
        }
        let total = sum(workers.iter().map(|worker| &worker.ledger)).unwrap_or_else(|| before.total.clone());
        let (ways, hops) = (self.follower.shown(), self.follower.figures());
        self.board.show(Standing { at_ms: now_ms, names, total, workers, ports: (self.ports)(), ways, hops });
    }

    /// What each worker has counted; of a page that is being written, what stood there a tick ago, and the same of one
    /// that breaks the sum law, which is told once.
    fn ledgers(&mut self, crew: &Crew, before: &Standing) -> Vec<Ledger> {
        let mut ledgers = Vec::with_capacity(before.workers.len());
        let workers = before.workers.iter().zip(&mut self.pulses).enumerate();
        for ((number, (before, pulse)), ledger) in workers.zip(crew.ledgers()) {
            ledgers.push(ledger.unwrap_or_else(|why| {
                if let (Unread::Off(_), false) = (&why, pulse.is_off_told) {
                    pulse.is_off_told = true;
                    tracing::error!("worker {number}: {why}; what it counted before stays shown");
                }
                before.ledger.clone()
            }));
        }
        ledgers
    }

    fn worker(
        &mut self,
        number: usize,
        ledger: Ledger,
        tick: u64,
        now_ms: u64,
        passed: Option<u64>,
        old: Option<&WorkerStanding>,
    ) -> WorkerStanding {
        let (mut busy, mut busy_seconds) = old.map_or((0.0, 0.0), |old| (old.busy, old.busy_seconds));
        let (mut flows, mut silent_ms) = ((0, 0), 0);
        if let (Some(pulse), Some(gauge)) = (self.pulses.get_mut(number), self.gauges.get(number)) {
            let was_silent = std::mem::take(&mut pulse.is_silent_told);
            if pulse.beat != tick {
                (pulse.beat, pulse.at_ms) = (tick, now_ms);
            }
            silent_ms = now_ms.saturating_sub(pulse.at_ms);
            pulse.is_silent_told = silent_ms >= SILENT_MS;
            match (was_silent, pulse.is_silent_told) {
                (false, true) => tracing::error!(
                    "worker {number} has been silent for {} seconds: its packets are not forwarded",
                    SILENT_MS / 1000
                ),
                (true, false) => tracing::warn!("worker {number} is back"),
                _ => {}
            }
            flows = gauge.occupancy();
            if let Some(passed) = passed {
                let cycles = gauge.busy_cycles();
                let worked = cycles.saturating_sub(pulse.busy_cycles);
                busy = if passed > 0 { (worked as f64 / passed as f64).min(1.0) } else { 0.0 };
                pulse.busy_cycles = cycles;
                busy_seconds = cycles as f64 / mem::cycles_per_second();
            }
        }
        WorkerStanding { ledger, busy, busy_seconds, flows, tick, silent_ms }
    }
}

const fn code(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::Word(_) => Code::NoSuchName,
        Refusal::Restart(_) | Refusal::Config(_) => Code::BadConfig,
        Refusal::Busy => Code::Busy,
        Refusal::Silent { .. } | Refusal::Slow { .. } | Refusal::Internal(_) => Code::Internal,
    }
}
