//! `penstock pages`: manual pages and shell completions, made from the command line's own definition.

use std::fs;
use std::io::Error;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use clap_complete::aot::generate_to;

use crate::cli::Cli;
use crate::failure::Failure;

/// Options of `pages`.
#[derive(Debug, Args)]
pub(crate) struct PagesOptions {
    /// The folder to write to; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
}

/// Writes `man1/penstock.1`, one page more for each subcommand, and `completions/`.
pub(crate) fn pages(options: &PagesOptions) -> Result<(), Failure> {
    let told = |error: Error| {
        Failure::new(format!("{}: the pages cannot be written: {error}", options.to.display()))
    };
    let manual = options.to.join("man1");
    let completions = options.to.join("completions");
    fs::create_dir_all(&manual).and_then(|()| fs::create_dir_all(&completions)).map_err(told)?;
    clap_mangen::generate_to(Cli::command(), &manual).map_err(told)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut Cli::command(), "penstock", &completions).map_err(told)?;
    }
    Ok(())
}
