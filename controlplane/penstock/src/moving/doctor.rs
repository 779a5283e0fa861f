//! `penstock doctor`: what of this machine is wrong, and the command that mends it.

use std::path::PathBuf;

use ::doctor::{Finding, Root, Severity, Site, System, examine};
use clap::Args;

use crate::failure::Failure;
use crate::output::print;

/// Options of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorOptions {
    /// The configuration to run by: its ports and numbers are looked at too.
    #[arg(long, value_name = "CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Print the findings as JSON: a list of objects with severity, about, what, why and mend.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints the findings. What is wrong makes it a failure; a hint does not.
pub(crate) fn doctor(options: &DoctorOptions) -> Result<(), Failure> {
    let config = options.config.as_deref().map(conf::load).transpose()?;
    let site = options.config.as_deref().zip(config.as_ref()).map(|(file, config)| Site { file, config });
    let findings = examine(&Root::new("/"), &System, site);
    if options.json {
        let text = serde_json::to_string_pretty(&findings)
            .map_err(|error| Failure::new(format!("the findings cannot be written as JSON: {error}")))?;
        print(&format!("{text}\n"))?;
    } else {
        let lines: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
        print(&lines)?;
    }
    verdict(&findings)
}

fn verdict(findings: &[Finding]) -> Result<(), Failure> {
    match findings.iter().filter(|finding| finding.severity == Severity::Wrong).count() {
        0 => Ok(()),
        1 => Err(Failure::new("1 thing is wrong: run the command below it, then ask again")),
        wrong => Err(Failure::new(format!(
            "{wrong} things are wrong: run the commands below them, then ask again"
        ))),
    }
}
