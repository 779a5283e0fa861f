//! `lab run FILE [--keep]` and `lab clean [NAME]`: a lab from a file, as the tests raise it.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use testbed::lab::{Stay, clean, run};

/// Labs in network namespaces.
#[derive(Parser)]
#[command(name = "lab")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Raise a lab, do its steps, look at its captures and counters, and take it down.
    ///
    /// It goes after success, failure and Ctrl-C alike. `$PENSTOCK` names the binary to run, or else it is
    /// the workspace's release build.
    Run {
        /// The lab's file; see testbed/labs/README.md.
        file: PathBuf,
        /// Let it stand and run on, for somebody to look at; `lab clean` takes it down.
        #[arg(long)]
        keep: bool,
    },
    /// Take down what was kept, and what runs left that were killed.
    Clean {
        /// Of what was kept, only what has a name that begins so.
        #[arg(default_value = "")]
        only: String,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().what {
        What::Run { file, keep } => {
            run(&file, if keep { Stay::Kept } else { Stay::Goes }, |line| println!("{line}"))
        }
        What::Clean { only } => clean(&only).map(|gone| gone.iter().for_each(|name| println!("{name}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(told) => {
            eprintln!("lab: {told}");
            ExitCode::FAILURE
        }
    }
}
