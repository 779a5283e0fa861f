//! keepalived.conf: its virtual servers. VRRP, scripts and health checks have no counterpart, and are told.
//!
//! An `include` is followed where the caller gives the files, and noted where not. `$NAME` is not expanded: it
//! is a fault where an address or a number would have to stand.

mod tree;

use std::collections::HashMap;
use std::net::IpAddr;

use conf::{PortRange, Protocol, Vip};

use crate::Includes;
use crate::address::{self, Refusal, machine, ports, single};
use crate::draft::{Draft, Server, Virtual, setting};
use crate::fault::{Fault, plain};
use crate::limits::RANGE_ADDRESSES_MAX;
use crate::tunnel::{Encap, Tunnel};
use tree::Statement;

/// A group's addresses, and what of it has no counterpart.
#[derive(Clone, Debug, Default)]
struct Group {
    addresses: Vec<(Vip, PortRange)>,
    notes: Vec<String>,
}

/// Reads the virtual servers into the draft.
pub(crate) fn read(text: &str, draft: &mut Draft, includes: Option<&mut Includes<'_>>) -> Result<(), Fault> {
    let statements = tree::parse(text, includes)?;
    let mut groups = HashMap::new();
    let mut room = RANGE_ADDRESSES_MAX;
    for statement in statements.iter().filter(|statement| statement.word(0) == "virtual_server_group") {
        groups.insert(statement.word(1).to_owned(), group(statement, &mut room)?);
    }
    for statement in &statements {
        match statement.word(0) {
            "virtual_server_group" => {}
            "virtual_server" => virtual_server(statement, &groups, draft)?,
            other => {
                let rest = setting(other, &statement.rest(1));
                draft.note(format!("{}: {rest}", statement.place()));
            }
        }
    }
    Ok(())
}

fn placed<T>(statement: &Statement, result: Result<T, Refusal>) -> Result<T, Fault> {
    result.map_err(|(message, remedy)| statement.fault(message, remedy))
}

/// `ADDRESS PORT`, `ADDRESS-LAST PORT`, `fwmark MARK`: one a line.
fn group(statement: &Statement, room: &mut usize) -> Result<Group, Fault> {
    let mut group = Group::default();
    for entry in statement.inside() {
        if entry.word(0) == "fwmark" {
            group.notes.push(setting("fwmark", entry.word(1)));
            continue;
        }
        let ports = placed(entry, group_ports(entry.word(1)))?;
        for address in placed(entry, range(entry.word(0)))? {
            *room = room.checked_sub(1).ok_or_else(|| {
                let what = format!("the ranges of the groups have more than {RANGE_ADDRESSES_MAX} addresses");
                entry.fault(what, "Write a [[service]] with a prefix for them by hand.")
            })?;
            group.addresses.push((single(address), ports));
        }
    }
    Ok(group)
}

/// A port, `FIRST-LAST`, or nothing for any.
fn group_ports(text: &str) -> Result<PortRange, Refusal> {
    match text.split_once('-') {
        None if text.is_empty() => Ok(PortRange::ANY),
        None => address::port(text).map(ports),
        Some((first, last)) => {
            let (first, last) = (address::port(first)?, address::port(last)?);
            let sound = (1..=last).contains(&first);
            let refusal = || ("the ports end before they begin".to_owned(), "Exchange them.".to_owned());
            sound.then_some(PortRange { first, last }).ok_or_else(refusal)
        }
    }
}

/// One address, or all up to one with another last part: decimal in IPv4, hexadecimal in IPv6.
fn range(text: &str) -> Result<Vec<IpAddr>, Refusal> {
    let Some((first, last)) = text.split_once('-') else {
        return machine(text).map(|address| vec![address]);
    };
    let first = machine(first)?;
    let none =
        || (format!("\"{}\" is not a range of addresses", plain(text)), "Write FIRST-LAST.".to_owned());
    let part = |radix, max: u32| {
        let sound = last.bytes().all(|b| b.is_ascii_alphanumeric());
        u32::from_str_radix(last, radix).ok().filter(|&part| sound && part <= max).ok_or_else(none)
    };
    let addresses: Vec<IpAddr> = match first {
        IpAddr::V4(v4) => {
            let bits = v4.to_bits();
            let end = (bits & !0xff) | part(10, 0xff)?;
            (bits..=end).map(|bits| IpAddr::V4(bits.into())).collect()
        }
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            let end = (bits & !0xffff) | u128::from(part(16, 0xffff)?);
            (bits..=end).map(|bits| IpAddr::V6(bits.into())).collect()
        }
    };
    // Each is one machine's, the last one too: 255.255.255.250-255 would not be.
    addresses.iter().try_for_each(|address| machine(&address.to_string()).map(|_| ()))?;
    if addresses.is_empty() { Err(none()) } else { Ok(addresses) }
}

fn virtual_server(
    statement: &Statement,
    groups: &HashMap<String, Group>,
    draft: &mut Draft,
) -> Result<(), Fault> {
    let target = match statement.word(1) {
        "fwmark" => {
            draft.note(format!(
                "line {}: virtual_server fwmark {}",
                statement.line,
                plain(statement.word(2))
            ));
            return Ok(());
        }
        "group" => {
            let name = statement.word(2);
            let group = groups.get(name).cloned().ok_or_else(|| {
                let what = format!("there is no virtual_server_group \"{}\"", plain(name));
                statement.fault(what, "Put its block into this text.")
            })?;
            for note in &group.notes {
                draft.note(format!("virtual_server_group {}: {note}", plain(name)));
            }
            group
        }
        written => {
            let vip = single(placed(statement, machine(written))?);
            let port = if statement.word(2).is_empty() { Ok(0) } else { address::port(statement.word(2)) };
            Group { addresses: vec![(vip, ports(placed(statement, port)?))], notes: Vec::new() }
        }
    };
    let server = settings(statement)?;
    let Some(protocol) = server.protocol else {
        draft.note(format!("{}: virtual_server over SCTP", statement.place()));
        return Ok(());
    };
    for (vip, ports) in target.addresses {
        let mut virt = Virtual::new(vip, protocol, ports);
        virt.title = (statement.word(1) == "group").then(|| statement.word(2).to_owned());
        virt.notes.clone_from(&server.notes);
        virt.servers = server.servers.iter().map(|(at, server)| told_port(server, *at, ports)).collect();
        draft.add(virt)?;
    }
    Ok(())
}

/// The server, with a note if it listens elsewhere than clients ask.
fn told_port(server: &Server, port: u16, wanted: PortRange) -> Server {
    let mut server = server.clone();
    if port != 0 && wanted != ports(port) {
        server.notes.push(format!("port {port} of the server: packets keep the port that clients chose"));
    }
    server
}

/// What a virtual_server's block says.
struct Settings {
    /// `None` is SCTP.
    protocol: Option<Protocol>,
    encap: Encap,
    weight: u64,
    notes: Vec<String>,
    /// Each with its port.
    servers: Vec<(u16, Server)>,
}

fn settings(statement: &Statement) -> Result<Settings, Fault> {
    let mut all = Settings {
        protocol: Some(Protocol::Tcp),
        encap: Encap::Ipip,
        weight: 1,
        notes: Vec::new(),
        servers: Vec::new(),
    };
    // Servers come last in the file's meaning too: what stands behind them holds for them.
    let mut kind = None;
    for entry in statement.inside() {
        match entry.word(0) {
            "real_server" => {}
            "protocol" => all.protocol = protocol(entry)?,
            "lb_kind" | "lvs_method" => kind = Some(entry),
            "weight" => all.weight = weight(entry)?,
            "lb_algo" | "lvs_sched" if entry.word(1) == "mh" => {}
            "lb_algo" | "lvs_sched" => {
                let algorithm = setting(entry.word(0), entry.word(1));
                all.notes.push(format!("{algorithm}: new flows are chosen by weighted Maglev hashing"));
            }
            other => all.notes.push(setting(other, &entry.rest(1))),
        }
    }
    match kind {
        Some(kind) => all.encap = encap(kind, &mut all.notes)?,
        None => all.notes.push(masqueraded("NAT")),
    }
    for entry in statement.inside().iter().filter(|entry| entry.word(0) == "real_server") {
        let server = real_server(entry, &all)?;
        all.servers.push(server);
    }
    Ok(all)
}

/// What a kind comes to: `DR`, `NAT`, or `TUN` and its tunnel, which is IP in IP where no type is written.
fn encap(entry: &Statement, notes: &mut Vec<String>) -> Result<Encap, Fault> {
    match entry.word(1) {
        "DR" => return Ok(Encap::Mac),
        "TUN" => {}
        other => {
            notes.push(masqueraded(other));
            return Ok(Encap::Ipip);
        }
    }
    let mut tunnel = Tunnel::default();
    let mut words = entry.words.iter().skip(2).map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "type" => tunnel.set_kind(words.next().unwrap_or_default()),
            "port" => tunnel.set_port(words.next().unwrap_or_default()),
            word if tunnel.checksum(word) => {}
            other => {
                let what = format!("the option \"{}\" of a tunnel is not known", plain(other));
                return Err(entry.fault(what, "Write type, port, nocsum, csum or remcsum."));
            }
        }
    }
    placed(entry, tunnel.encap(notes))
}

fn masqueraded(kind: &str) -> String {
    let kind = setting("lb_kind", kind);
    format!("{kind}: the server gets the packet by IP in IP, addressed to the VIP")
}

fn protocol(entry: &Statement) -> Result<Option<Protocol>, Fault> {
    match entry.word(1) {
        "TCP" | "tcp" => Ok(Some(Protocol::Tcp)),
        "UDP" | "udp" => Ok(Some(Protocol::Udp)),
        "SCTP" | "sctp" => Ok(None),
        other => {
            let what = format!("the protocol \"{}\" is not known", plain(other));
            Err(entry.fault(what, "Write TCP, UDP or SCTP."))
        }
    }
}

fn weight(entry: &Statement) -> Result<u64, Fault> {
    entry.word(1).parse().map_err(|_| {
        let what = format!("\"{}\" is not a weight", plain(entry.word(1)));
        entry.fault(what, "Write a whole number.")
    })
}

fn real_server(statement: &Statement, all: &Settings) -> Result<(u16, Server), Fault> {
    let address = placed(statement, machine(statement.word(1)))?;
    let port = if statement.word(2).is_empty() { Ok(0) } else { address::port(statement.word(2)) };
    let port = placed(statement, port)?;
    let mut server = Server { address, weight: all.weight, encap: all.encap, notes: Vec::new() };
    for entry in statement.inside() {
        match entry.word(0) {
            "weight" => server.weight = weight(entry)?,
            "lvs_method" => server.encap = encap(entry, &mut server.notes)?,
            // A health check: Penstock does not probe.
            check if entry.block.is_some() => server.notes.push(setting("health check", check)),
            other => server.notes.push(setting(other, &entry.rest(1))),
        }
    }
    Ok((port, server))
}
