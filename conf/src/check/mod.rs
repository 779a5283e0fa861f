//! From file types to a [`Config`]: every value on its own, then what they must be to one another.

mod attributes;
mod encap;
mod end;
mod quic;
mod real;
mod rule;
mod service;
mod site;

pub(crate) use encap::EncapWord;

use std::cell::Cell;
use std::collections::HashMap;

use toml::Spanned;

use crate::config::{Config, Name};
use crate::fault::{Refusal, Report};
use crate::keys;
use crate::limits::FAULTS_MAX;
use crate::nearest::did_you_mean;
use crate::read::{Entry, File};
use crate::scalar::{self, quoted};

/// The configuration. It is complete only if the report stayed empty; what was refused has its default
/// or is left out, so that everything else could be checked.
pub(crate) fn config(report: &mut Report<'_>, file: File) -> Config {
    let node = site::node(report, &file.node);
    let mut tunnel = site::tunnel(report, &file.tunnel);
    let select = site::select(report, &file.select);
    let flow = site::flow(report, &file.flow);
    let dataplane = site::dataplane(report, &file.dataplane);
    let metrics = site::metrics(report, &file.metrics);
    let (ports, port_names) = site::ports(report, &file.ports);
    let (reals, real_names) = real::reals(report, &file.reals, &port_names, (&file.tunnel, &mut tunnel));
    let (pools, pool_names) = service::pools(report, &file.pools, &real_names, &select);
    let (quic, quic_names) = quic::configs(report, &file.quic, &real_names);
    let (marks, mark_names) = attributes::marks(report, &file.marks);
    let (limits, limit_names) = attributes::limits(report, &file.limits);
    let mut asked = attributes::Asked { marks: &mark_names, limits: &limit_names, limits_before: 0 };
    let (services, service_names) =
        service::services(report, &file.services, &pool_names, (&quic, &quic_names), &mut asked);
    site::clients_outlast_the_sweep(report, &file.flow, &flow, &services);
    let ends = end::ends(report, &file.ends, &services);
    let rules = rule::rules(report, &file.rules, (&services, &service_names), &real_names, &mut asked);
    Config {
        node,
        tunnel,
        select,
        flow,
        dataplane,
        metrics,
        ports,
        ends,
        reals,
        pools,
        quic,
        marks,
        limits,
        services,
        rules,
    }
}

/// The value of an optional key, checked.
fn optional<T, V, U>(
    report: &mut Report<'_>,
    table: &Entry<T>,
    key: &str,
    value: Option<&Spanned<V>>,
    check: impl FnOnce(&V) -> Result<U, Refusal>,
) -> Option<U> {
    let value = value?;
    match check(value.get_ref()) {
        Ok(sound) => Some(sound),
        Err(refusal) => {
            report.add(&value.span(), Some(table.key(key)), refusal);
            None
        }
    }
}

/// The value of a key that must be there, checked.
fn needed<T, V, U>(
    report: &mut Report<'_>,
    table: &Entry<T>,
    key: &str,
    value: Option<&Spanned<V>>,
    check: impl FnOnce(&V) -> Result<U, Refusal>,
) -> Option<U> {
    if value.is_none() {
        let kind = table.path.split('[').next().unwrap_or_default();
        missing(report, table, kind, key);
    }
    optional(report, table, key, value, check)
}

fn missing<T>(report: &mut Report<'_>, table: &Entry<T>, kind: &str, key: &str) {
    let example = keys::find(kind, key).map_or("…", |entry| entry.example);
    let refusal = Refusal::new("is missing", format!("Write it like {key} = {example}."));
    report.add_missing(&table.span, table.key(key), refusal);
}

fn too_many<T>(report: &mut Report<'_>, tables: &[Entry<T>], max: usize, kind: &str) {
    if let Some(table) = tables.get(max) {
        let message = format!("there are {} {kind}", tables.len());
        report.add(
            &table.span,
            Some(table.path.clone()),
            Refusal::new(message, format!("Leave at most {max}.")),
        );
    }
}

/// Names of one kind of table, and where each stands.
struct Names {
    /// Place in the validated list, and line, by name. A name whose table was refused has no place.
    by_name: HashMap<Name, (Option<usize>, usize)>,
    /// As in the file, for suggestions.
    in_order: Vec<Name>,
    /// The whole list was refused: who is in it cannot be known.
    refused: bool,
    /// Suggestions that may still be looked for: each takes a while, and only so many faults are told.
    suggestions: Cell<usize>,
}

impl Names {
    fn new(report: &Report<'_>, kind: &str) -> Self {
        let suggestions = Cell::new(FAULTS_MAX);
        Self { by_name: HashMap::new(), in_order: Vec::new(), refused: report.has_told(kind), suggestions }
    }

    /// The name of a table; a second holder is told. `None` if there is no sound name.
    fn take<T>(
        &mut self,
        report: &mut Report<'_>,
        table: &Entry<T>,
        value: Option<&Spanned<String>>,
    ) -> Option<Name> {
        let name = needed(report, table, "name", value, |text| scalar::name(text))?;
        let span = value.map_or_else(|| table.span.clone(), Spanned::span);
        if let Some(&(_, line)) = self.by_name.get(&name) {
            let message = format!("the name {} is taken since line {line}", quoted(name.as_str()));
            report.add(&span, Some(table.key("name")), Refusal::new(message, "Give each its own name."));
            return None;
        }
        self.by_name.insert(name.clone(), (None, report.line(span.start)));
        self.in_order.push(name.clone());
        Some(name)
    }

    /// The table of that name went into the validated list.
    fn placed(&mut self, name: &Name, place: usize) {
        if let Some((at, _)) = self.by_name.get_mut(name) {
            *at = Some(place);
        }
    }

    /// Who holds this name: `Ok(None)` for one whose table was refused and told.
    fn find(&self, text: &str, kind: &str) -> Result<Option<usize>, Refusal> {
        let name = text.parse::<Name>().ok();
        if let Some(&(place, _)) = name.and_then(|name| self.by_name.get(&name)) {
            return Ok(place);
        }
        if self.refused {
            return Ok(None);
        }
        let left = self.suggestions.get();
        self.suggestions.set(left.saturating_sub(1));
        let candidates = self.in_order.iter().map(Name::as_str).take(if left > 0 { usize::MAX } else { 0 });
        let meant = did_you_mean(text, candidates);
        let message = format!("no {kind} is named {}", quoted(text));
        Err(Refusal::new(message, format!("{meant}Name one of the [[{kind}]] tables.")))
    }
}
