//! `penstock show`: how a running box stands, as aligned columns or as JSON.

use std::thread;
use std::time::Duration;

use ctl::{Answer, Deed, Show};

use crate::client::options::{ShowOptions, View};
use crate::client::{ask, surprise, text};
use crate::failure::Failure;
use crate::output::print_on;

/// Shows, once or again and again.
pub(crate) fn show(options: &ShowOptions) -> Result<(), Failure> {
    let deed = || {
        Deed::Show(Show {
            what: view(options.what),
            service: options.service.clone(),
            real: options.real.clone(),
            limit: options.limit,
        })
    };
    loop {
        let answer = ask(&options.socket.path, deed())?;
        let text = if options.json { as_json(&answer)? } else { text::of(&answer).ok_or_else(surprise)? };
        let is_read = print_on(&text)?;
        let Some(seconds) = options.watch.filter(|_| is_read) else { return Ok(()) };
        thread::sleep(Duration::from_secs_f64(seconds));
        if !options.json && !print_on("\n")? {
            return Ok(());
        }
    }
}

const fn view(view: View) -> ctl::View {
    match view {
        View::Counters => ctl::View::Counters,
        View::Services => ctl::View::Services,
        View::Reals => ctl::View::Reals,
        View::Rules => ctl::View::Rules,
        View::Flows => ctl::View::Flows,
        View::Workers => ctl::View::Workers,
        View::Ports => ctl::View::Ports,
        View::Table => ctl::View::Table,
        View::Generation => ctl::View::Generation,
        View::Recorder => ctl::View::Recorder,
    }
}

/// `{"reals":[…]}` in one line: as it stands in the answer.
fn as_json(answer: &Answer) -> Result<String, Failure> {
    let text = serde_json::to_string(answer);
    text.map(|text| text + "\n")
        .map_err(|error| Failure::new(format!("the answer cannot be written as JSON: {error}")))
}
