//! Reals, and what the tunnel must have for them.

use std::collections::HashMap;
use std::net::IpAddr;

use service::{Door, Encap, REALS_MAX};
use toml::Spanned;

use super::{Names, encap, needed, optional};
use crate::config::{Real, Tunnel};
use crate::defaults;
use crate::fault::{Refusal, Report};
use crate::file::{RealFile, TunnelFile};
use crate::limits::{MTU_MAX, MTU_V6_MIN};
use crate::read::Entry;
use crate::scalar;

pub(super) fn reals(
    report: &mut Report<'_>,
    tables: &[Entry<RealFile>],
    ports: &Names,
    (tunnel_table, tunnel): (&Entry<TunnelFile>, &mut Tunnel),
) -> (Vec<Real>, Names) {
    let mut names = Names::new(report, "real");
    let mut ends = Ends::default();
    let mut reals: Vec<Real> = Vec::new();
    let mut tunnelled = Tunnelled::default();
    for table in tables {
        let file = &table.file;
        let name = names.take(report, table, file.name.as_ref());
        let address = needed(report, table, "address", file.address.as_ref(), |text| scalar::address(text));
        let encap = encap::encap(report, table);
        if let (Some(address), Some(encap)) = (address, encap) {
            ends.take(report, table, (address, Door::of(encap)));
        }
        let state = optional(report, table, "state", file.state.as_ref(), |text| scalar::state(text));
        // A refused encapsulation is no reason to ask for a tunnel source.
        if encap.is_some_and(|encap| encap != Encap::Mac) {
            tunnelled.note(address, table);
        }
        let encap = encap.unwrap_or(defaults::ENCAP);
        let next_hop = optional(report, table, "next_hop", file.next_hop.as_ref(), |text| scalar::mac(text));
        let next_hop = next_hop.or(tunnel.next_hop);
        let port = optional(report, table, "port", file.port.as_ref(), |text| ports.find(text, "port"));
        if let (Some(address), None) = (address, next_hop) {
            ends.follow(report, table, (address, port.flatten()));
        }
        if let (Some(name), Some(address)) = (name, address) {
            names.placed(&name, reals.len());
            let state = state.unwrap_or(defaults::STATE);
            reals.push(Real { name, address, next_hop, port: port.flatten(), encap, state });
        }
    }
    if let Some(table) = tables.get(REALS_MAX as usize) {
        let message = format!("there are {} reals", tables.len());
        let refusal = Refusal::new(message, format!("Leave at most {REALS_MAX}."));
        report.add(&table.span, Some(table.path.clone()), refusal);
    }
    tunnelled.hold(report, tunnel_table, tunnel);
    (reals, names)
}

/// Where tunnels end, and who has them: his name and line.
#[derive(Default)]
struct Ends {
    held: HashMap<(IpAddr, Door), Holder>,
    /// The ports by which next hops are followed.
    ports: HashMap<IpAddr, (Option<usize>, Holder)>,
}

type Holder = (String, usize);

impl Ends {
    fn holder(report: &Report<'_>, table: &Entry<RealFile>) -> Holder {
        let name = table.file.name.as_ref();
        let name = name.map_or_else(|| table.path.clone(), |name| scalar::quoted(name.get_ref()));
        let span = table.file.address.as_ref().map_or_else(|| table.span.clone(), Spanned::span);
        (name, report.line(span.start))
    }

    /// A second holder of a tunnel's end is told.
    fn take(&mut self, report: &mut Report<'_>, table: &Entry<RealFile>, end: (IpAddr, Door)) {
        let Some((holder, line)) = self.held.get(&end) else {
            self.held.insert(end, Self::holder(report, table));
            return;
        };
        let by = if end.1 == Door::default() { "" } else { ", by the same tunnel" };
        let message = format!("{} is the address of {holder} in line {line}{by}", end.0);
        let remedy = "Give each real its own address, tunnel port or key, or name one real in several pools.";
        let span = table.file.address.as_ref().map_or_else(|| table.span.clone(), Spanned::span);
        report.add(&span, Some(table.key("address")), Refusal::new(message, remedy));
    }

    /// The kernel knows one way to an address.
    fn follow(&mut self, report: &mut Report<'_>, table: &Entry<RealFile>, end: (IpAddr, Option<usize>)) {
        let (address, port) = end;
        let Some((other, (holder, line))) = self.ports.get(&address) else {
            self.ports.insert(address, (port, Self::holder(report, table)));
            return;
        };
        if *other == port {
            return;
        }
        let message =
            format!("{address} is the address of {holder} in line {line} too, which has another port");
        let remedy = "Give both the same port, or each its next_hop.";
        let span = table.file.port.as_ref().map_or_else(|| table.span.clone(), Spanned::span);
        report.add(&span, Some(table.key("port")), Refusal::new(message, remedy));
    }
}

/// What the tunnelled reals ask of `[tunnel]`: the first of each family.
#[derive(Default)]
struct Tunnelled {
    v4: Option<String>,
    v6: Option<String>,
}

impl Tunnelled {
    fn note(&mut self, address: Option<IpAddr>, table: &Entry<RealFile>) {
        let first = match address {
            Some(IpAddr::V4(_)) => &mut self.v4,
            Some(IpAddr::V6(_)) => &mut self.v6,
            None => return,
        };
        first.get_or_insert_with(|| table.path.clone());
    }

    fn hold(&self, report: &mut Report<'_>, table: &Entry<TunnelFile>, tunnel: &Tunnel) {
        if tunnel.source_v4.is_none()
            && let Some(real) = &self.v4
        {
            source_missing(report, table, "source_v4", "IPv4", real);
        }
        if tunnel.source_v6.is_none()
            && let Some(real) = &self.v6
        {
            source_missing(report, table, "source_v6", "IPv6", real);
        }
        if tunnel.mtu < MTU_V6_MIN
            && let Some(real) = &self.v6
        {
            let span = table.file.mtu.as_ref().map_or_else(|| table.span.clone(), Spanned::span);
            let message = format!(
                "{} bytes are too few for a packet in an IPv6 tunnel, and {real} has an IPv6 address",
                tunnel.mtu
            );
            let remedy = format!("Write a number from {MTU_V6_MIN} to {MTU_MAX}.");
            report.add(&span, Some(table.key("mtu")), Refusal::new(message, remedy));
        }
    }
}

fn source_missing(report: &mut Report<'_>, table: &Entry<TunnelFile>, key: &str, family: &str, real: &str) {
    let example = crate::keys::find("tunnel", key).map_or("…", |entry| entry.example);
    let message = format!("is missing, and {real} has an {family} address and is tunnelled to");
    let remedy = format!("Write it like {key} = {example} in [tunnel].");
    report.add_missing(&table.span, table.key(key), Refusal::new(message, remedy));
}
