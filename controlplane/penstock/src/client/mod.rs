//! The commands that talk to a running box over its control socket.

mod change;
mod options;
mod show;
mod text;

use std::path::Path;

use ctl::{Answer, AskError, Client, Deed};

pub(crate) use change::{Verb, reload, speak, weigh};
pub(crate) use options::{RealOptions, ReloadOptions, ShowOptions, Socket, WeightOptions};
pub(crate) use show::show;

use crate::failure::Failure;

/// One question and its answer.
pub(crate) fn ask(socket: &Path, deed: Deed) -> Result<Answer, Failure> {
    let answer = Client::connect(socket).and_then(|mut client| client.ask(deed));
    answer.map_err(|error| match error {
        // A configuration's faults are lines that begin with their file's name.
        AskError::Refused(fault) if fault.text.contains('\n') => Failure::lines(fault.text),
        error => Failure::new(error.to_string()),
    })
}

/// Both sides come from one source: another kind of answer is a fault.
pub(crate) fn surprise() -> Failure {
    Failure::new("the answer is to another question; this is a fault")
}
