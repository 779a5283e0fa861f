//! `penstock check`: what a configuration says, and what it changes.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use conf::limits::MTU_V6_MIN;
use conf::{Config, Then};
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
    notes.extend(too_narrow(&site.config));
    notes
}

/// That IPv6 clients cannot make their packets small enough for the way to a real: none of their links has to tell
/// them less than 1,280 bytes, and they need not heed less (RFC 8200 §5, RFC 8201 §4).
fn too_narrow(config: &Config) -> Option<String> {
    let mut chosen = BTreeSet::new();
    for service in config.services.iter().filter(|service| service.vip.address.is_ipv6()) {
        let members = config.pools.get(service.pool).map(|pool| &pool.members);
        chosen.extend(members.into_iter().flatten().map(|member| member.real));
        let quic = service.quic.iter().flatten().filter_map(|place| config.quic.get(usize::from(*place)));
        chosen.extend(quic.flat_map(|quic| &quic.servers).map(|server| server.real));
    }
    for rule in &config.rules {
        if let Then::Real { service, real } = rule.then {
            let is_v6 = |service: &conf::Service| service.vip.address.is_ipv6();
            chosen.extend(config.services.get(service).is_some_and(is_v6).then_some(real));
        }
    }
    let mtu = config.tunnel.mtu;
    let short = chosen.into_iter().filter_map(|place| config.reals.get(place)).filter_map(|real| {
        let outer = u16::try_from(real.encap.outer_len(real.address.is_ipv6())).unwrap_or(u16::MAX);
        let need = MTU_V6_MIN.saturating_add(outer);
        (mtu < need).then_some((need, outer, real))
    });
    let short: Vec<_> = short.collect();
    let (need, outer, real) = short.iter().max_by_key(|(need, ..)| *need)?;
    let others = match short.len() {
        1 => String::new(),
        many => format!(" (and {} to others)", several(many.saturating_sub(1), "way")),
    };
    Some(format!(
        "IPv6 clients may send {MTU_V6_MIN} bytes and need not send less, and the way to \"{}\"{others} has room for {} \
         beside the {outer} of its tunnel: write tunnel.mtu = {need} or more.",
        real.name,
        mtu.saturating_sub(*outer),
    ))
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
