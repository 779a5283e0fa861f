//! `penstock check`: what a configuration says, and what it changes.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

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
    let notes: String = notes(&options.config, &new).iter().map(|note| format!("Note: {note}\n")).collect();
    print(&format!("{plan}\n\nResponses {responses}.\n{rules}{notes}{}\n", summary(&new)?))
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

/// What is allowed, and better known.
fn notes(path: &Path, site: &Site) -> Vec<String> {
    let mut notes = Vec::new();
    if site.config.quic.iter().any(|quic| quic.key.is_some()) && is_open_to_all(path) {
        let path = path.display();
        notes.push(format!(
            "{path} has a key of connection ids, and every user may read it: chmod o-r {path}."
        ));
    }
    for quic in &site.config.quic {
        let ids = 256_f64.powi(i32::from(quic.server_id_bytes));
        let share = quic.servers.len() as f64 / ids;
        if share > DENSE {
            notes.push(format!(
                "{:.0} in 100 ids that a client makes up name a server of \"{}\" by chance, if their config is {}: longer \
                 server ids are rarer.",
                share * 100.0,
                quic.name,
                quic.rotation
            ));
        }
    }
    notes
}

/// Whether any user may read the file, and enter every folder above it.
fn is_open_to_all(path: &Path) -> bool {
    let may =
        |path: &Path, bit| std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & bit != 0);
    let Ok(path) = path.canonicalize() else { return false };
    may(&path, OTHERS_READ) && path.ancestors().skip(1).all(|folder| may(folder, OTHERS_ENTER))
}

/// Bits of a mode.
const OTHERS_READ: u32 = 0o004;
const OTHERS_ENTER: u32 = 0o001;

/// The share of all server ids that are somebody's, above which it is worth a word.
const DENSE: f64 = 0.01;

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
