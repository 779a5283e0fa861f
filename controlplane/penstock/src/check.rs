//! `penstock check`: what a configuration says, and what it changes.

use std::collections::BTreeSet;

use control::{blueprint, plan};
use service::{Generation, ReturnPath, build};

use crate::cli::CheckOptions;
use crate::failure::Failure;
use crate::output::print;
use crate::site::{Site, hex};

/// Prints the plan and one line about the table.
pub(crate) fn check(options: &CheckOptions) -> Result<(), Failure> {
    let (old, new) = match &options.against {
        Some(against) => {
            let (old, new) = Site::load_both(against, &options.config)?;
            (Some(old), new)
        }
        None => (None, Site::load(&options.config)?),
    };
    let before = old.as_ref().map(|site| (&site.config, &site.numbers));
    let plan = plan(before, (&new.config, &new.numbers))?;
    let responses = match new.config.node.return_path {
        ReturnPath::Direct => "go past us (direct)",
        ReturnPath::ViaSlr => "come back through us (via-slr)",
    };
    print(&format!("{plan}\n\nResponses {responses}.\n{}\n", summary(&new)?))
}

/// How large the table is, and its name.
fn summary(site: &Site) -> Result<String, Failure> {
    let built = build(&blueprint(&site.config, &site.numbers)?, Generation::default())?;
    let bytes = built.pools.iter().map(Vec::len).fold(built.root.len(), usize::saturating_add);
    let config = &site.config;
    let vips: BTreeSet<_> = config.services.iter().map(|service| service.vip).collect();
    Ok(format!(
        "Sound: {}, {}, {}, {}; a table of {bytes} bytes with digest {}.",
        several(vips.len(), "VIP"),
        several(config.services.len(), "service"),
        several(config.pools.len(), "pool"),
        several(config.reals.len(), "real"),
        hex(&built.digest)
    ))
}

fn several(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
