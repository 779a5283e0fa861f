//! `penstock check`: what a configuration says, and what it changes.

use std::collections::BTreeSet;

use conf::Config;
use control::{blueprint, plan};
use service::{Generation, ReturnPath, RuleAction, build, rules_fit};

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
    let rules = rules(&new.config);
    print(&format!("{plan}\n\nResponses {responses}.\n{rules}{}\n", summary(&new)?))
}

/// What is worth knowing about rules: those that cost every packet something, and those that do nothing.
fn rules(config: &Config) -> String {
    let asked = config.rules.iter().filter_map(|rule| {
        let keys = rule.packet_keys();
        let name = &rule.name;
        (!keys.is_empty()).then(|| {
            format!("The rule \"{name}\" is asked about every packet, because of {}.\n", keys.join(" and "))
        })
    });
    let specs: Vec<_> =
        config.rules.iter().zip(0..).map(|(rule, rank)| rule.spec(rank, RuleAction::Drop)).collect();
    let unreached = rules_fit(&specs).unwrap_or_default();
    let never = unreached.iter().filter_map(|rank| {
        let name = &config.rules.get(usize::try_from(*rank).ok()?)?.name;
        Some(format!("The rule \"{name}\" is never reached: another asks for the same before it.\n"))
    });
    asked.chain(never).collect()
}

/// How large the table is, and its name.
fn summary(site: &Site) -> Result<String, Failure> {
    let built = build(&blueprint(&site.config, &site.numbers)?, Generation::default())?;
    let bytes = built.images().map(<[u8]>::len).fold(built.root.len(), usize::saturating_add);
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
