//! The `penstock` program: checks a configuration, replays a capture through it, or runs it on live
//! ports.
//!
//! Architecture invariants: this crate composes and tells; it decides nothing about packets. Results go
//! to stdout, everything else to stderr. A failure is one sentence and a status other than 0; nothing
//! panics.
#![forbid(unsafe_code)]

mod check;
mod cli;
mod client;
#[cfg(feature = "dpdk")]
mod cores;
mod crew;
mod eyes;
mod failure;
#[cfg(feature = "dpdk")]
mod hops;
mod interrupt;
#[cfg(feature = "dpdk")]
mod kernel;
mod limits;
mod meter;
mod moving;
mod output;
mod replay;
#[cfg(feature = "dpdk")]
mod run;
mod screens;
mod site;
mod summary;
mod valve;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, Log};
use crate::failure::Failure;

#[global_allocator]
static ALLOCATOR: mem::CountingAllocator = mem::CountingAllocator;

/// What a build without DPDK says to whoever asks for it.
#[cfg(not(feature = "dpdk"))]
const NO_DPDK: &str =
    "this build has no DPDK: replay with --backend memory, or build with the feature `dpdk`";

fn main() -> ExitCode {
    if let Err(missing) = mem::cpu_supports_build() {
        return Failure::new(missing.to_string()).tell();
    }
    let cli = Cli::parse();
    cli::log(cli.log);
    match (go(&cli.command), cli.log) {
        (Ok(()), _) => ExitCode::SUCCESS,
        (Err(failure), Log::Text) => failure.tell(),
        (Err(failure), Log::Json) => failure.log(),
    }
}

fn go(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check(options) => check::check(options),
        Command::Replay(options) => replay::replay(options),
        Command::Show(options) => client::show(options),
        Command::Reload(options) => client::reload(options),
        Command::Drain(options) => client::speak(client::Verb::Drain, options),
        Command::Undrain(options) => client::speak(client::Verb::Undrain, options),
        Command::Down(options) => client::speak(client::Verb::Down, options),
        Command::Fail(options) => client::speak(client::Verb::Fail, options),
        Command::Up(options) => client::speak(client::Verb::Up, options),
        Command::Weight(options) => client::weigh(options),
        Command::Capture(options) => eyes::follow::capture(options),
        Command::Explain(options) => eyes::explain::explain(options),
        Command::Top(options) => screens::top::top(options),
        Command::Import(options) => moving::import::import(options),
        Command::Doctor(options) => moving::doctor::doctor(options),
        Command::Pages(options) => moving::pages::pages(options),
        #[cfg(feature = "dpdk")]
        Command::Run(options) => run::run(options),
        #[cfg(not(feature = "dpdk"))]
        Command::Run(_) => Err(Failure::new(NO_DPDK)),
    }
}
