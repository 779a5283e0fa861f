//! What the control socket answers: looks are answered in the asker's own thread, wishes go to the control
//! thread.

use std::sync::Arc;
use std::sync::mpsc::{Sender, sync_channel};

use control::{Wish, Word};
use ctl::{Answer, Code, Deed, Explain, Outcome, Override, Reload, Request, Response, Show, View};
use service::RealState;
use worker::Tape;

use crate::eyes;
use crate::eyes::live::Taps;
use crate::run::events::{Event, Origin};
use crate::run::standing::{Board, Standing};

/// Flows in one answer, at most.
const FLOWS_MAX: u32 = 10_000;

/// One for all connections.
pub(crate) struct Console {
    pub(crate) board: Arc<Board>,
    pub(crate) inbox: Sender<Event>,
    pub(crate) origin: Origin,
    pub(crate) taps: Taps,
    pub(crate) tapes: Vec<Arc<Tape>>,
}

impl Console {
    /// Answers one request.
    pub(crate) fn answer(&self, request: Request) -> Response {
        Response::Say(match request.deed {
            Deed::Explain(Explain { packet }) => match eyes::explain::by_board(&self.board, &packet) {
                Ok(explained) => Outcome::Ok(Answer::Explained(Box::new(explained))),
                Err(refused) => refused,
            },
            Deed::Capture(wish) => match self.taps.begin(&wish) {
                Ok(running) => {
                    let board = Arc::clone(&self.board);
                    return Response::Follow(
                        Answer::Capture,
                        Box::new(move |out| running.stream(out, &board)),
                    );
                }
                Err(refused) => refused,
            },
            Deed::Ping => Outcome::Ok(Answer::Pong(env!("CARGO_PKG_VERSION").to_owned())),
            Deed::Show(show) => self.show(&show).unwrap_or_else(|refused| refused),
            Deed::Reload(Reload { config, dry_run }) => match self.origin.read(config.as_deref()) {
                Ok(config) => self.wish(Wish::File { config: Box::new(config), dry_run }),
                Err(faults) => Outcome::refused(Code::BadConfig, format!("{faults}\nnothing was changed")),
            },
            Deed::Override(Override { real, to }) => self.wish(Wish::Word { real, word: word(to) }),
        })
    }

    /// Each worker's last verdicts, as many of each as the limit lets in.
    fn recorder(&self, standing: &Standing, limit: Option<u32>) -> Result<Answer, Outcome> {
        if self.tapes.is_empty() {
            let text = "no verdicts are kept: penstock run was started with --no-recorder";
            return Err(Outcome::refused(Code::BadRequest, text));
        }
        let each = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let each = each.div_ceil(self.tapes.len());
        let names = eyes::words::Names::new(&standing.names.site);
        let of = |(number, tape): (usize, &Arc<Tape>)| eyes::recorder::rows(number, tape, &names, each);
        Ok(Answer::Recorder(cut(self.tapes.iter().enumerate().flat_map(of).collect(), limit)))
    }

    /// Waits until it is done: the desk sees to it that this is soon.
    fn wish(&self, wish: Wish) -> Outcome {
        let ending = || Outcome::refused(Code::Busy, "penstock run is ending: nothing was changed");
        let (reply, answer) = sync_channel(1);
        if self.inbox.send(Event::Wish(wish, Some(reply))).is_err() {
            return ending();
        }
        answer.recv().unwrap_or_else(|_| ending())
    }

    fn show(&self, show: &Show) -> Result<Outcome, Outcome> {
        let standing = self.board.standing();
        let (service, real) = (show.service.as_deref(), show.real.as_deref());
        refuse_unknown(&standing, service, real)?;
        let is_filtered = service.is_some() || real.is_some();
        let answer = match show.what {
            View::Services if real.is_none() => {
                let mut rows = standing.services();
                rows.retain(|row| service.is_none_or(|name| row.name == name));
                Answer::Services(cut(rows, show.limit))
            }
            View::Reals => Answer::Reals(cut(reals(&standing, service, real), show.limit)),
            View::Flows => {
                let wanted = |row: &ctl::Flow| {
                    service.is_none_or(|name| row.service == name) && real.is_none_or(|name| row.real == name)
                };
                let limit = show.limit.unwrap_or(FLOWS_MAX).min(FLOWS_MAX);
                Answer::Flows(self.board.flows(&standing, wanted, usize::try_from(limit).unwrap_or(0)))
            }
            _ if is_filtered => {
                let text = "this view is not kept by service or real: filter services, reals or flows";
                return Err(Outcome::refused(Code::BadRequest, text));
            }
            View::Services => Answer::Services(cut(standing.services(), show.limit)),
            View::All => Answer::All(Box::new(standing.snapshot())),
            View::Counters => Answer::Counters(standing.counters()),
            View::Rules => Answer::Rules(cut(standing.rules(), show.limit)),
            View::Workers => Answer::Workers(standing.workers()),
            View::Ports => Answer::Ports(standing.ports.clone()),
            View::Table => Answer::Table(cut(standing.table(), show.limit)),
            View::Generation => Answer::Generation(standing.generation()),
            View::Recorder => self.recorder(&standing, show.limit)?,
        };
        Ok(Outcome::Ok(answer))
    }
}

/// The reals of that name, or in that service's pool.
fn reals(standing: &Standing, service: Option<&str>, real: Option<&str>) -> Vec<ctl::Real> {
    let config = &standing.names.site.config;
    let pool = service.and_then(|name| {
        let service = config.services.iter().find(|known| known.name.as_str() == name)?;
        config.pools.get(service.pool)
    });
    let mut rows = standing.reals();
    rows.retain(|row| {
        real.is_none_or(|name| row.name == name)
            && pool.is_none_or(|pool| row.weights.contains_key(pool.name.as_str()))
    });
    rows
}

fn cut<T>(mut rows: Vec<T>, limit: Option<u32>) -> Vec<T> {
    rows.truncate(limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)));
    rows
}

fn refuse_unknown(standing: &Standing, service: Option<&str>, real: Option<&str>) -> Result<(), Outcome> {
    let config = &standing.names.site.config;
    let is_service = |name: &str| config.services.iter().any(|known| known.name.as_str() == name);
    let is_real = |name: &str| config.reals.iter().any(|known| known.name.as_str() == name);
    let wrong =
        [("service", service.filter(|name| !is_service(name))), ("real", real.filter(|name| !is_real(name)))];
    let Some((kind, name)) = wrong.into_iter().find_map(|(kind, name)| Some((kind, name?))) else {
        return Ok(());
    };
    let text = format!("no {kind} is named \"{}\": `penstock show {kind}s` lists them", name.escape_debug());
    Err(Outcome::refused(Code::NoSuchName, text))
}

fn word(to: ctl::Word) -> Word {
    match to {
        ctl::Word::Drain => Word::State(RealState::Drain),
        ctl::Word::Down => Word::State(RealState::Down),
        ctl::Word::Fail => Word::State(RealState::Failed),
        ctl::Word::Up => Word::State(RealState::Up),
        ctl::Word::Undrain => Word::FileState,
        ctl::Word::Weight { weight, pool } => Word::Weight { weight, pool },
    }
}
