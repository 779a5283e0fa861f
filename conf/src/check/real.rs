//! Reals, and what the tunnel must have for them.

use std::collections::HashMap;
use std::net::IpAddr;

use service::{Encap, REALS_MAX};
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
    let mut addresses = HashMap::new();
    let mut reals: Vec<Real> = Vec::new();
    let mut tunnelled = Tunnelled::default();
    for table in tables {
        let file = &table.file;
        let name = names.take(report, table, file.name.as_ref());
        let address = address(report, table, &mut addresses);
        let encap = encap::encap(report, table);
        let state = optional(report, table, "state", file.state.as_ref(), |text| scalar::state(text));
        // A refused encapsulation is no reason to ask for a tunnel source.
        if encap.is_some_and(|encap| encap != Encap::Mac) {
            tunnelled.note(address, table);
        }
        let encap = encap.unwrap_or(defaults::ENCAP);
        let next_hop = optional(report, table, "next_hop", file.next_hop.as_ref(), |text| scalar::mac(text));
        let next_hop = next_hop.or(tunnel.next_hop);
        let port = optional(report, table, "port", file.port.as_ref(), |text| ports.find(text, "port"));
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

/// The address; a second holder is told.
fn address(
    report: &mut Report<'_>,
    table: &Entry<RealFile>,
    addresses: &mut HashMap<IpAddr, (String, usize)>,
) -> Option<IpAddr> {
    let written = table.file.address.as_ref();
    let address = needed(report, table, "address", written, |text| scalar::address(text))?;
    let span = written.map_or_else(|| table.span.clone(), Spanned::span);
    if let Some((holder, line)) = addresses.get(&address) {
        let message = format!("{address} is the address of {holder} in line {line}");
        let remedy = "Give each real its own address, or name one real in several pools.";
        report.add(&span, Some(table.key("address")), Refusal::new(message, remedy));
        return Some(address);
    }
    let holder =
        table.file.name.as_ref().map_or_else(|| table.path.clone(), |name| scalar::quoted(name.get_ref()));
    addresses.insert(address, (holder, report.line(span.start)));
    Some(address)
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
