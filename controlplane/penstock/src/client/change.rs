//! `penstock reload`, `drain`, `undrain`, `down`, `fail`, `up` and `weight`.

use ctl::{Answer, Changed, Deed, Override, Reload, Word};

use crate::client::options::{RealOptions, ReloadOptions, WeightOptions};
use crate::client::{ask, surprise};
use crate::failure::Failure;
use crate::output::print;

/// An operator's word without an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Drain,
    Undrain,
    Down,
    Fail,
    Up,
}

/// Has the running box read its configuration again.
pub(crate) fn reload(options: &ReloadOptions) -> Result<(), Failure> {
    let config = options.config.as_deref().map(|path| {
        // The box runs in another folder.
        std::path::absolute(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
    });
    let config = config.transpose()?;
    let planned = ask(&options.socket.path, Deed::Reload(Reload { config: config.clone(), dry_run: true }))?;
    let Answer::Changed(planned) = planned else { return Err(surprise()) };
    if options.dry_run {
        return tell(Answer::Changed(planned));
    }
    // Read before anything is changed, and by whoever waits at a pipe's other end, too.
    print(&format!("{}\n\n", planned.plan.join("\n")))?;
    let done = ask(&options.socket.path, Deed::Reload(Reload { config, dry_run: false }))?;
    let Answer::Changed(done) = done else { return Err(surprise()) };
    if done.generation.sequence > planned.generation.sequence + 1 {
        print(&format!(
            "Somebody else changed something meanwhile; this was done:\n{}\n\n",
            done.plan.join("\n")
        ))?;
    }
    print(&format!("{}\n", end(&done)))
}

/// Says it of a real.
pub(crate) fn speak(verb: Verb, options: &RealOptions) -> Result<(), Failure> {
    let to = match verb {
        Verb::Drain => Word::Drain,
        Verb::Undrain => Word::Undrain,
        Verb::Down => Word::Down,
        Verb::Fail => Word::Fail,
        Verb::Up => Word::Up,
    };
    tell(ask(&options.socket.path, Deed::Override(Override { real: options.real.clone(), to }))?)
}

/// Gives a real another share.
pub(crate) fn weigh(options: &WeightOptions) -> Result<(), Failure> {
    let to = Word::Weight { weight: options.weight.0, pool: options.pool.clone() };
    tell(ask(&options.socket.path, Deed::Override(Override { real: options.real.clone(), to }))?)
}

fn tell(answer: Answer) -> Result<(), Failure> {
    let Answer::Changed(changed) = answer else { return Err(surprise()) };
    print(&format!("{}\n\n{}\n", changed.plan.join("\n"), end(&changed)))
}

fn end(Changed { applied, generation, .. }: &Changed) -> String {
    if *applied {
        format!("Table {} is in force.", generation.sequence)
    } else {
        format!("Nothing was changed: table {} stays in force.", generation.sequence)
    }
}
