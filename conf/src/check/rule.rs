//! Rules: what they ask for, each on its own, then that they can be asked together.

use std::collections::HashMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use service::{Base, Masked, NO_VLAN, Prefix, RULE_OFFSET_MAX, RULE_PATTERNS_MAX, RuleFault, rules_fit};
use toml::Spanned;
use wire::protocol;

use super::attributes::Asked;
use super::{Names, missing, optional, too_many};
use crate::config::{Name, Service, Vip};
use crate::defaults;
use crate::fault::{Refusal, Report};
use crate::file::{BytesFile, RuleFile, Texts, WholeOrText};
use crate::limits::{RULE_BYTES_MAX, RULE_PREFIXES_MAX};
use crate::read::Entry;
use crate::rule::{FLAGS, Rule, TcpFlags, Then};
use crate::scalar::{self, quoted};

/// The rules, the one that is asked first at the front.
pub(super) fn rules(
    report: &mut Report<'_>,
    tables: &[Entry<RuleFile>],
    (services, service_names): (&[Service], &Names),
    reals: &Names,
    asked: &mut Asked<'_>,
) -> Vec<Rule> {
    let mut names = Names::new(report, "rule");
    let before = report.count();
    let mut rules: Vec<(Rule, &Entry<RuleFile>)> = Vec::new();
    for table in tables {
        let name = names.take(report, table, table.file.name.as_ref());
        let then = then(report, table, service_names, reals);
        let gives = asked.of(report, table, (table.file.mark.as_ref(), table.file.limit.as_ref()));
        if let Some(rule) = rule(report, table, (name, then), services) {
            let (mark, limit) = gives;
            rules.push((Rule { mark, limit, ..rule }, table));
        }
    }
    too_many(report, tables, RULE_PATTERNS_MAX, "rules");
    rules.sort_by(|(a, _), (b, _)| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
    if report.count() == before {
        together(report, &rules);
    }
    rules.into_iter().map(|(rule, _)| rule).collect()
}

/// What one rule asks for; a rule, if it has a name and says what becomes of packets.
fn rule(
    report: &mut Report<'_>,
    table: &Entry<RuleFile>,
    (name, then): (Option<Name>, Option<Then>),
    services: &[Service],
) -> Option<Rule> {
    let file = &table.file;
    let priority =
        optional(report, table, "priority", file.priority.as_ref(), |&n| scalar::whole(n, 0..=u16::MAX));
    let sources = prefixes(report, table, "source", file.source.as_ref());
    let destinations = prefixes(report, table, "destination", file.destination.as_ref());
    let protocol = optional(report, table, "protocol", file.protocol.as_ref(), any_protocol);
    let source_ports = optional(report, table, "source_ports", file.source_ports.as_ref(), scalar::ports);
    let ports = optional(report, table, "ports", file.ports.as_ref(), scalar::ports);
    let spi = optional(report, table, "spi", file.spi.as_ref(), |text| {
        range(text, 1..=u32::MAX, "4096 or \"256-4095\"")
    });
    let dscp =
        optional(report, table, "dscp", file.dscp.as_ref(), |text| range(text, 0..=63, "46 or \"10-14\""));
    let vlan = optional(report, table, "vlan", file.vlan.as_ref(), vlan);
    let flags = optional(report, table, "tcp_flags", file.tcp_flags.as_ref(), |text| tcp_flags(text));
    let bytes = masked(report, table);
    reachable(report, table, &destinations, services);
    one_family(report, table, &sources, &destinations);
    transport(report, table, protocol);
    Some(Rule {
        name: name?,
        priority: priority.unwrap_or(defaults::PRIORITY),
        sources,
        destinations,
        protocol: protocol.or(flags.map(|_| protocol::TCP)),
        source_ports,
        ports,
        spi,
        dscp,
        vlan,
        flags,
        bytes,
        then: then?,
        mark: None,
        limit: None,
    })
}

fn prefixes(
    report: &mut Report<'_>,
    table: &Entry<RuleFile>,
    key: &str,
    written: Option<&Spanned<Texts>>,
) -> Vec<Prefix> {
    let found = optional(report, table, key, written, |texts| {
        if texts.0.is_empty() || texts.0.len() > RULE_PREFIXES_MAX {
            let message = format!("there are {} prefixes", texts.0.len());
            let remedy = format!("Write 1 to {RULE_PREFIXES_MAX}, or leave {key} out for any.");
            return Err(Refusal::new(message, remedy));
        }
        let prefix = |text: &String| {
            scalar::vip(text).map(|Vip { address, prefix_len }| Prefix { address, len: prefix_len })
        };
        texts.0.iter().map(prefix).collect()
    });
    found.unwrap_or_default()
}

/// A destination that meets no VIP is one that no packet comes by: what is for no VIP is the kernel's, unasked.
fn reachable(
    report: &mut Report<'_>,
    table: &Entry<RuleFile>,
    destinations: &[Prefix],
    services: &[Service],
) {
    let Some(written) = table.file.destination.as_ref() else { return };
    let meets = |prefix: &Prefix| {
        services.iter().any(|service| {
            let vip = service.vip;
            let shorter = prefix.len.min(vip.prefix_len);
            vip.address.is_ipv4() == prefix.address.is_ipv4()
                && scalar::network(vip.address, shorter) == scalar::network(prefix.address, shorter)
        })
    };
    // Of services that were refused it is not known what they serve.
    if services.is_empty() || report.has_told_under("service[") {
        return;
    }
    if let Some(prefix) = destinations.iter().find(|prefix| !meets(prefix)) {
        let vip = Vip { address: prefix.address, prefix_len: prefix.len };
        let message = format!("no VIP is in \"{vip}\" or around it, and rules see packets to VIPs only");
        let remedy = "Name a [[service]]'s VIP, or leave destination out for all of them.";
        report.add(&written.span(), Some(table.key("destination")), Refusal::new(message, remedy));
    }
}

fn one_family(report: &mut Report<'_>, table: &Entry<RuleFile>, sources: &[Prefix], destinations: &[Prefix]) {
    let has = |list: &[Prefix], is_v4: bool| {
        list.is_empty() || list.iter().any(|prefix| prefix.address.is_ipv4() == is_v4)
    };
    if [true, false].into_iter().any(|is_v4| has(sources, is_v4) && has(destinations, is_v4)) {
        return;
    }
    let span = table.file.source.as_ref().map_or_else(|| table.span.clone(), Spanned::span);
    let refusal = Refusal::new(
        "no source is of the same family as any destination, so no packet matches",
        "Write prefixes of one family in both.",
    );
    report.add(&span, Some(table.key("source")), refusal);
}

/// That what a rule asks of the transport header fits its protocol.
fn transport(report: &mut Report<'_>, table: &Entry<RuleFile>, protocol: Option<u8>) {
    let file = &table.file;
    let asked = [("source_ports", file.source_ports.as_ref()), ("ports", file.ports.as_ref())];
    if let Some(written) = &file.spi {
        let has_spi = protocol.is_none_or(|protocol| matches!(protocol, protocol::ESP | protocol::AH));
        let refusal = if !has_spi {
            Some("only packets of ESP and AH have an SPI")
        } else if asked.iter().any(|(_, ports)| ports.is_some()) || file.tcp_flags.is_some() {
            Some("no packet has an SPI and ports or flags")
        } else {
            None
        };
        if let Some(message) = refusal {
            let remedy = "Write protocol = \"esp\" or \"ah\" or none, and no ports; or leave spi out.";
            report.add(&written.span(), Some(table.key("spi")), Refusal::new(message, remedy));
            return;
        }
    }
    let Some(protocol) = protocol else { return };
    let has_ports = protocol == protocol::TCP || protocol == protocol::UDP;
    for (key, written) in asked {
        if let Some(written) = written.filter(|_| !has_ports) {
            let refusal = Refusal::new(
                "the rule's protocol has no ports",
                "Write protocol = \"tcp\" or \"udp\", or leave the ports out.",
            );
            report.add(&written.span(), Some(table.key(key)), refusal);
        }
    }
    if let Some(written) = file.tcp_flags.as_ref().filter(|_| protocol != protocol::TCP) {
        let refusal =
            Refusal::new("only TCP has these flags", "Write protocol = \"tcp\", or leave tcp_flags out.");
        report.add(&written.span(), Some(table.key("tcp_flags")), refusal);
    }
}

/// What becomes of packets that match.
fn then(report: &mut Report<'_>, table: &Entry<RuleFile>, services: &Names, reals: &Names) -> Option<Then> {
    let file = &table.file;
    let service =
        optional(report, table, "service", file.service.as_ref(), |text| services.find(text, "service"));
    let real = optional(report, table, "real", file.real.as_ref(), |text| reals.find(text, "real"));
    let is_told =
        ["drop", "service", "real", "mark", "limit"].into_iter().any(|key| report.has_told(&table.key(key)));
    let drops = file.drop.as_ref().filter(|drop| *drop.get_ref());
    match (drops, &file.service, &file.real) {
        (Some(drop), Some(_), _) | (Some(drop), _, Some(_)) => {
            let refusal = Refusal::new(
                "the rule drops packets and says where they go",
                "Leave drop out, or service and real.",
            );
            report.add(&drop.span(), Some(table.key("drop")), refusal);
            None
        }
        (Some(drop), None, None) => {
            let gives = file.mark.as_ref().map(|_| "a mark").or(file.limit.as_ref().map(|_| "a limit"));
            if let Some(what) = gives {
                let message = format!("the rule drops packets and gives them {what}");
                let refusal = Refusal::new(message, "Leave drop out, or mark and limit.");
                report.add(&drop.span(), Some(table.key("drop")), refusal);
            }
            Some(Then::Drop)
        }
        (None, None, _) if is_told => None,
        (None, None, Some(real)) => {
            let refusal = Refusal::new(
                "the rule names a real and no service",
                "Name the service, too, that packets count for and that chooses while the real takes no new flows.",
            );
            report.add(&real.span(), Some(table.key("real")), refusal);
            None
        }
        (None, None, None) if file.mark.is_some() || file.limit.is_some() => Some(Then::Usual),
        (None, None, None) => {
            let refusal = Refusal::new(
                "the rule says nothing about what becomes of packets",
                "Write drop = true, service = \"web\", mark = \"voice\" or limit = \"ten-mbit\".",
            );
            report.add(&table.span, Some(table.path.clone()), refusal);
            None
        }
        (None, Some(_), None) => Some(Then::Service(service.flatten()?)),
        (None, Some(_), Some(_)) => Some(Then::Real { service: service.flatten()?, real: real.flatten()? }),
    }
}

/// Whether all rules can be asked together; what only shows then.
fn together(report: &mut Report<'_>, rules: &[(Rule, &Entry<RuleFile>)]) {
    let specs: Vec<_> =
        rules.iter().zip(0..).map(|((rule, _), rank)| rule.spec(rank, service::RuleAction::Drop)).collect();
    let Err((rank, fault)) = rules_fit(&specs) else { return };
    let Some((_, table)) = usize::try_from(rank).ok().and_then(|rank| rules.get(rank)) else { return };
    let remedy = match fault {
        RuleFault::Lists => "Make ranges and prefixes that overlap the same, or apart, or leave rules out.",
        RuleFault::Patterns => "Make prefixes wider, or leave some out.",
        RuleFault::Words => "Ask for the same bytes under the same mask in more rules.",
        _ => "See the reference sample.",
    };
    report.add(&table.span, Some(table.path.clone()), Refusal::new(fault.to_string(), remedy));
}

/// A number, a range of them with both ends in it, or one in a text.
fn range<T: TryFrom<i64> + Copy + PartialOrd + Display>(
    written: &WholeOrText,
    bounds: RangeInclusive<T>,
    like: &str,
) -> Result<(T, T), Refusal> {
    let within = |number: i64| T::try_from(number).ok().filter(|number| bounds.contains(number));
    let digits = |text: &str| {
        let is_sound = (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_sound { text.parse().ok().and_then(within) } else { None }
    };
    let (found, text) = match written {
        WholeOrText::Whole(number) => (within(*number).map(|number| (number, number)), number.to_string()),
        WholeOrText::Text(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let ends = digits(first).zip(digits(last));
            (ends.filter(|(first, last)| first <= last), quoted(text))
        }
    };
    found.ok_or_else(|| {
        let (first, last) = (bounds.start(), bounds.end());
        let remedy = format!("Write {like}: a number from {first} to {last}, or a range of them.");
        Refusal::new(format!("{text} is neither a number nor a range here"), remedy)
    })
}

fn vlan(written: &WholeOrText) -> Result<(u16, u16), Refusal> {
    match written {
        WholeOrText::Text(text) if text == "none" => Ok((NO_VLAN, NO_VLAN)),
        other => range(other, 1..=4094, "7, \"7-9\" or \"none\""),
    }
}

/// Protocols that have a name here.
const PROTOCOLS: [(&str, u8); 8] = [
    ("tcp", protocol::TCP),
    ("udp", protocol::UDP),
    ("icmp", protocol::ICMP),
    ("icmpv6", protocol::ICMPV6),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("sctp", 132),
];

fn any_protocol(written: &WholeOrText) -> Result<u8, Refusal> {
    match written {
        WholeOrText::Whole(number) => scalar::whole(*number, 0..=u8::MAX),
        WholeOrText::Text(text) => scalar::word(text, &PROTOCOLS),
    }
}

/// Flags that have to be set, and behind a "!" those that must not be (RFC 9293 §3.1, RFC 3168 §6.1).
fn tcp_flags(text: &str) -> Result<TcpFlags, Refusal> {
    let mut flags = TcpFlags { mask: 0, value: 0 };
    for word in text.split_ascii_whitespace() {
        let (name, is_set) = word.strip_prefix('!').map_or((word, true), |name| (name, false));
        let bit = scalar::word(name, &FLAGS)?;
        if flags.mask & bit != 0 {
            let message = format!("{} stands twice", quoted(name));
            return Err(Refusal::new(message, "Name each flag once, with or without a \"!\"."));
        }
        flags.mask |= bit;
        flags.value |= if is_set { bit } else { 0 };
    }
    if flags.mask == 0 {
        return Err(Refusal::new("no flag is named", "Write flags such as \"syn !ack\"."));
    }
    Ok(flags)
}

fn masked(report: &mut Report<'_>, table: &Entry<RuleFile>) -> Vec<Masked> {
    let Some(list) = table.file.bytes.as_ref() else { return Vec::new() };
    let key = table.key("bytes");
    let mut taken = HashMap::new();
    let mut bytes = Vec::new();
    for (place, written) in list.get_ref().iter().enumerate() {
        let entry = Entry { file: written.get_ref(), path: format!("{key}[{place}]"), span: written.span() };
        let Some(one) = one_masked(report, &entry) else { continue };
        if let Some(before) = taken.insert((one.base, one.offset, one.mask), place) {
            let message = format!("the same bytes are asked for in bytes[{before}]");
            let refusal = Refusal::new(message, "Ask for them once.");
            report.add(&entry.span, Some(entry.path.clone()), refusal);
        }
        bytes.push(one);
    }
    let count = list.get_ref().len();
    if (count == 0 || count > RULE_BYTES_MAX) && !report.has_told_under(&key) {
        let message = format!("there are {count} masked values");
        let remedy = format!("Write 1 to {RULE_BYTES_MAX}, or leave bytes out.");
        report.add(&list.span(), Some(key), Refusal::new(message, remedy));
    }
    bytes
}

fn one_masked(report: &mut Report<'_>, entry: &Entry<&BytesFile>) -> Option<Masked> {
    for (key, is_missing) in [
        ("at", entry.file.at.is_none()),
        ("mask", entry.file.mask.is_none()),
        ("value", entry.file.value.is_none()),
    ] {
        if is_missing {
            missing(report, entry, "rule.bytes", key);
        }
    }
    let at = optional(report, entry, "at", entry.file.at.as_ref(), |text| place(text));
    let mask = optional(report, entry, "mask", entry.file.mask.as_ref(), |text| match hex(text)? {
        (0, _) => Err(Refusal::new("no bit is asked for", "Set the bits that count in the mask.")),
        mask => Ok(mask),
    });
    let value = optional(report, entry, "value", entry.file.value.as_ref(), |text| {
        let (value, len) = hex(text)?;
        match mask {
            Some((_, of_mask)) if of_mask != len => Err(Refusal::new(
                format!("{} is not as long as the mask", quoted(text)),
                format!("Write {} hex digits.", of_mask * 2),
            )),
            Some((mask, _)) if value & !mask != 0 => Err(Refusal::new(
                format!("{} has bits set that the mask leaves out, so no packet matches", quoted(text)),
                "Set them in the mask, or clear them here.",
            )),
            _ => Ok(value),
        }
    });
    let ((base, offset), (mask, _)) = (at?, mask?);
    Some(Masked { base, offset, mask, value: value? })
}

/// `network+12`.
fn place(text: &str) -> Result<(Base, u16), Refusal> {
    let found = text.split_once('+').and_then(|(base, offset)| {
        let base = match base {
            "network" => Base::Network,
            "transport" => Base::Transport,
            _ => return None,
        };
        let is_sound = (1..=3).contains(&offset.len()) && offset.bytes().all(|byte| byte.is_ascii_digit());
        let offset: u16 = offset.parse().ok().filter(|offset| is_sound && *offset <= RULE_OFFSET_MAX)?;
        Some((base, offset))
    });
    found.ok_or_else(|| {
        let remedy = format!(
            "Write \"network+0\" or \"transport+8\", with at most {RULE_OFFSET_MAX} behind the plus."
        );
        Refusal::new(format!("{} is no place in a packet", quoted(text)), remedy)
    })
}

/// One to four bytes in hex, as the upper ones of four, and how many they are.
fn hex(text: &str) -> Result<(u32, usize), Refusal> {
    let len = text.len() / 2;
    let is_sound = matches!(text.len(), 2 | 4 | 6 | 8) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(text, 16).ok().filter(|_| is_sound);
    let shift = u32::try_from(4_usize.saturating_sub(len)).unwrap_or(0).saturating_mul(8);
    number.map(|number| (number << shift, len)).ok_or_else(|| {
        let message = format!("{} is not 1 to 4 bytes in hex", quoted(text));
        Refusal::new(message, "Write 2, 4, 6 or 8 hex digits.")
    })
}
