//! What comes to the control thread: wishes, what was built, signals. It waits at this one inbox.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender};
use std::thread;

use conf::{Config, Mac};
use control::{Draft, Image, Refusal, Ticket, Wish};
use ctl::Outcome;
use service::Table;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::Failure;
use crate::run::follow::{Followed, News};

/// What happened.
pub(crate) enum Event {
    /// Somebody wishes a change, and perhaps waits for the answer.
    Wish(Wish, Option<SyncSender<Outcome>>),
    /// The builder is done with the job of that ticket.
    Built(Ticket, Result<(Draft, Option<Made>), Refusal>),
    /// The kernel says something of the ways to reals.
    Kernel(News),
    /// A signal says that it is time to end.
    End,
}

/// A table that no worker has yet.
pub(crate) struct Made {
    pub(crate) table: Arc<Table<Image>>,
    /// In hex.
    pub(crate) digest: String,
    /// Its reals whose next hops are followed.
    pub(crate) followed: Followed,
}

/// Where a reload finds its configuration, and what is filled in where the file leaves it to the machine.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The file of the start.
    pub(crate) path: Arc<Path>,
    /// The first port's.
    pub(crate) mac: Option<Mac>,
}

impl Origin {
    /// The configuration at `path`, or at that of the start.
    pub(crate) fn read(&self, path: Option<&Path>) -> Result<Config, conf::Faults> {
        conf::load(path.unwrap_or(&self.path)).map(|config| self.filled(config))
    }

    /// With the machine's MAC address where the file names none, and with paths from the root: whether two
    /// files name the same must not hang on the folder that one was named from.
    pub(crate) fn filled(&self, mut config: Config) -> Config {
        let node = &mut config.node;
        node.mac = node.mac.or(self.mac);
        for path in node.numbers.iter_mut().chain([&mut node.control]) {
            // Without a folder to be in, paths stay as they are.
            *path = std::path::absolute(&*path).unwrap_or_else(|_| path.clone());
        }
        config
    }
}

/// From now on signals are kept for [`watch_signals`].
pub(crate) fn hold_signals() -> Result<Signals, Failure> {
    Signals::new([SIGINT, SIGTERM, SIGQUIT, SIGHUP]).map_err(unwatched)
}

fn unwatched(error: std::io::Error) -> Failure {
    Failure::new(format!("signals cannot be watched: {error}"))
}

/// Has signals turned into events: SIGHUP reads the file of the start again, the others end the program. The
/// thread ends with the process.
pub(crate) fn watch_signals(
    mut signals: Signals,
    inbox: Sender<Event>,
    origin: Origin,
) -> Result<(), Failure> {
    let watch = move || {
        for signal in signals.forever() {
            let event = if signal == SIGHUP {
                match origin.read(None) {
                    Ok(config) => Event::Wish(Wish::File { config: Box::new(config), dry_run: false }, None),
                    Err(faults) => {
                        tracing::error!("SIGHUP: nothing was changed:\n{faults}");
                        continue;
                    }
                }
            } else {
                Event::End
            };
            if inbox.send(event).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(watch).map_err(unwatched)?;
    Ok(())
}
