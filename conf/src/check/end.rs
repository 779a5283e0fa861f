//! Tunnels that end here: where, in which headers, and from whom.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use service::{END_SOURCES_MAX, ENDS_MAX, EndSpec, Form};
use toml::Spanned;

use super::encap::{EncapWord, key_of, only};
use super::{Names, missing, needed, optional, too_many};
use crate::config::{Service, TunnelEnd, Vip};
use crate::fault::{Refusal, Report};
use crate::file::TunnelEndFile;
use crate::read::Entry;
use crate::scalar::{self, quoted};

/// What two ends must not share: of one UDP port also what rides on it is one.
type Place = (IpAddr, Option<Form>, u16, u32);

pub(super) fn ends(
    report: &mut Report<'_>,
    tables: &[Entry<TunnelEndFile>],
    services: &[Service],
) -> Vec<TunnelEnd> {
    let mut names = Names::new(report, "tunnel_end");
    let mut taken: HashMap<Place, usize> = HashMap::new();
    let mut ends = Vec::new();
    let mut sources = 0_usize;
    for table in tables {
        let file = &table.file;
        let name = names.take(report, table, file.name.as_ref());
        let address = needed(report, table, "address", file.address.as_ref(), |text| {
            let address = scalar::address(text)?;
            refuse_vip(address, services)?;
            Ok(address)
        });
        let headers = headers(report, table);
        let from = from(report, table, address);
        sources = sources.saturating_add(from.as_ref().map_or(0, Vec::len));
        if sources > END_SOURCES_MAX {
            let refusal = Refusal::new(
                "there are too many sources",
                format!("Leave at most {END_SOURCES_MAX} in all [[tunnel_end]] tables together."),
            );
            report.add_missing(&table.span, table.key("from"), refusal);
        }
        let (Some(name), Some(address), Some((form, port, key)), Some(from)) = (name, address, headers, from)
        else {
            continue;
        };
        let spec = EndSpec { address, form, port, key, from };
        let line = report.line(table.span.start);
        if let Some(before) = taken.insert(place(&spec), line) {
            let message = format!("the tunnel end in line {before} takes these packets already");
            let remedy = "Give one of them another address, port or key.";
            report.add(&table.span, Some(table.key("address")), Refusal::new(message, remedy));
        }
        names.placed(&name, ends.len());
        ends.push(TunnelEnd { name, spec });
    }
    too_many(report, tables, ENDS_MAX, "tunnel ends");
    ends
}

const fn place(spec: &EndSpec) -> Place {
    let form = match spec.form {
        Form::Vxlan | Form::Fou | Form::Gue => None,
        form => Some(form),
    };
    (spec.address, form, spec.port, spec.key)
}

/// An end's address is looked up before VIPs are.
fn refuse_vip(address: IpAddr, services: &[Service]) -> Result<(), Refusal> {
    let holds = |network: IpAddr, prefix_len: u8| {
        network.is_ipv4() == address.is_ipv4()
            && scalar::network(address, prefix_len) == scalar::network(network, prefix_len)
    };
    if let Some(service) = services.iter().find(|service| holds(service.vip.address, service.vip.prefix_len))
    {
        let message = format!("{address} is of the VIP of the service {}", quoted(service.name.as_str()));
        return Err(Refusal::new(message, "Let tunnels end at an address of the router's own."));
    }
    Ok(())
}

/// Form, port and key, as an image has them.
fn headers(report: &mut Report<'_>, table: &Entry<TunnelEndFile>) -> Option<(Form, u16, u32)> {
    let file = &table.file;
    let written = optional(report, table, "encap", file.encap.as_ref(), |text| match scalar::encap(text)? {
        EncapWord::Mac => Err(Refusal::new(
            "\"mac\" is no tunnel",
            "Write encap = \"ipip\", \"gre\", \"gue\", \"fou\" or \"vxlan\".",
        )),
        word => Ok(word),
    });
    let word = if file.encap.is_none() { EncapWord::Ipip } else { written? };
    let key = optional(report, table, "tunnel_key", file.tunnel_key.as_ref(), |key| key_of(word, *key));
    let port = optional(report, table, "tunnel_port", file.tunnel_port.as_ref(), |port| {
        only(word.port().is_some(), word, "UDP port", "\"gue\", \"fou\" or \"vxlan\"")?;
        scalar::whole(*port, 1..=u16::MAX)
    });
    let form = match word {
        EncapWord::Gre if key.is_some() => Form::GreKey,
        EncapWord::Gre => Form::Gre,
        EncapWord::Gue => Form::Gue,
        EncapWord::Fou => Form::Fou,
        EncapWord::Vxlan => Form::Vxlan,
        EncapWord::Ipip | EncapWord::Mac => Form::Bare,
    };
    if form == Form::Vxlan && file.tunnel_key.is_none() {
        missing(report, table, "tunnel_end", "tunnel_key");
    }
    Some((form, port.or(word.port()).unwrap_or_default(), key.unwrap_or_default()))
}

/// From where packets are taken: prefixes of the end's own family.
fn from(
    report: &mut Report<'_>,
    table: &Entry<TunnelEndFile>,
    address: Option<IpAddr>,
) -> Option<Vec<(IpAddr, u8)>> {
    let Some(list) = table.file.from.as_ref() else {
        missing(report, table, "tunnel_end", "from");
        return None;
    };
    let key = table.key("from");
    if list.get_ref().is_empty() {
        let refusal = Refusal::new(
            "no packet could come from nowhere",
            "Write it like from = [\"192.0.2.1\"], or from = [\"any\"].",
        );
        report.add(&list.span(), Some(key.clone()), refusal);
    }
    let mut prefixes = Vec::new();
    for (at, written) in list.get_ref().iter().enumerate() {
        match source(written.get_ref(), address) {
            Ok(prefix) => prefixes.extend(prefix),
            Err(refusal) => report.add(&Spanned::span(written), Some(format!("{key}[{at}]")), refusal),
        }
    }
    Some(prefixes)
}

fn source(text: &str, end: Option<IpAddr>) -> Result<Option<(IpAddr, u8)>, Refusal> {
    let Some(end) = end else { return Ok(None) };
    if text == "any" {
        let any: IpAddr =
            if end.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        return Ok(Some((any, 0)));
    }
    let Vip { address, prefix_len } = scalar::vip(text)?;
    if address.is_ipv4() == end.is_ipv4() {
        return Ok(Some((address, prefix_len)));
    }
    let message = format!("{} is not of the family of {end}", quoted(text));
    Err(Refusal::new(message, "A tunnel comes from addresses of the family that it ends at."))
}
