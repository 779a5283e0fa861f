//! How QUIC's connection ids are made: lengths, keys, and whose server ids are whose.

use std::collections::{HashMap, HashSet};

use quic::ServerId;
use quic::lb::{NONCE_BYTES_MIN, PLAINTEXT_BYTES, ROTATION_NONE, SERVER_ID_BYTES_MAX};
use service::{QUIC_CONFIGS_MAX, QuicKey, QuicPlaces, ROTATIONS, SERVER_IDS_MAX};
use toml::Spanned;

use super::{Names, missing, needed, optional, too_many};
use crate::config::{Protocol, Quic, Server};
use crate::fault::{Refusal, Report};
use crate::file::{QuicFile, ServerFile, ServiceFile};
use crate::read::Entry;
use crate::scalar::{self, quoted};

pub(super) fn configs(
    report: &mut Report<'_>,
    tables: &[Entry<QuicFile>],
    reals: &Names,
) -> (Vec<Quic>, Names) {
    let mut names = Names::new(report, "quic");
    let mut configs: Vec<Quic> = Vec::new();
    let mut servers_found = 0_usize;
    for table in tables {
        let file = &table.file;
        let name = names.take(report, table, file.name.as_ref());
        let rotation = needed(report, table, "config", file.config.as_ref(), |&n| {
            scalar::whole(n, 0..=ROTATION_NONE - 1)
        });
        let lengths = lengths(report, table);
        let key = optional(report, table, "key", file.key.as_ref(), |text| key(&text.0));
        let servers = servers(report, table, reals, lengths.map(|(server_id, _)| server_id));
        servers_found = servers_found.saturating_add(servers.len());
        if servers_found > SERVER_IDS_MAX {
            let refusal = Refusal::new(
                "there are too many server ids",
                format!("Leave at most {SERVER_IDS_MAX} in all [[quic]] tables together."),
            );
            report.add_missing(&table.span, table.key("servers"), refusal);
        }
        let (Some(name), Some(rotation), Some((server_id_bytes, nonce_bytes))) = (name, rotation, lengths)
        else {
            continue;
        };
        names.placed(&name, configs.len());
        let tells_length = file.lengths.as_ref().is_some_and(|tells| *tells.get_ref());
        configs.push(Quic { name, rotation, server_id_bytes, nonce_bytes, key, tells_length, servers });
    }
    too_many(report, tables, usize::from(QUIC_CONFIGS_MAX), "configurations of connection ids");
    (configs, names)
}

/// Bytes of a server id and of a nonce.
fn lengths(report: &mut Report<'_>, table: &Entry<QuicFile>) -> Option<(u8, u8)> {
    let most = u8::try_from(SERVER_ID_BYTES_MAX).unwrap_or(u8::MAX);
    let (shortest, longest) = (*PLAINTEXT_BYTES.start(), *PLAINTEXT_BYTES.end());
    let file = &table.file;
    let server_id = needed(report, table, "server_id_bytes", file.server_id_bytes.as_ref(), |&n| {
        scalar::whole(n, 1..=most)
    });
    let nonce = needed(report, table, "nonce_bytes", file.nonce_bytes.as_ref(), |&n| {
        scalar::whole(n, NONCE_BYTES_MIN..=longest - 1)
    });
    let (server_id, nonce) = (server_id?, nonce?);
    let together = server_id.saturating_add(nonce);
    if PLAINTEXT_BYTES.contains(&together) {
        return Some((server_id, nonce));
    }
    let span = file.nonce_bytes.as_ref().map_or_else(|| table.span.clone(), Spanned::span);
    let refusal = Refusal::new(
        format!("server id and nonce have {together} bytes together"),
        format!("Choose lengths that make {shortest} to {longest} together: an id has 20 bytes at most."),
    );
    report.add(&span, Some(table.key("nonce_bytes")), refusal);
    None
}

/// A key, which no message repeats.
fn key(text: &str) -> Result<QuicKey, Refusal> {
    scalar::hex_16(text)
        .map(QuicKey)
        .map_err(|_| Refusal::new("the key is not 16 bytes in hex", "Write exactly 32 hex digits."))
}

fn servers(
    report: &mut Report<'_>,
    table: &Entry<QuicFile>,
    reals: &Names,
    id_bytes: Option<u8>,
) -> Vec<Server> {
    let Some(list) = table.file.servers.as_ref() else {
        missing(report, table, "quic", "servers");
        return Vec::new();
    };
    let key = table.key("servers");
    let mut taken = HashMap::new();
    let mut servers = Vec::new();
    for (place, written) in list.get_ref().iter().enumerate() {
        let entry = Entry { file: written.get_ref(), path: format!("{key}[{place}]"), span: written.span() };
        if let Some(server) = server(report, &entry, reals, id_bytes, &mut taken) {
            servers.push(server);
        }
    }
    if list.get_ref().is_empty() && !report.has_told_under(&key) {
        let refusal = Refusal::new(
            "there are no servers",
            "Write it like servers = [{ real = \"web-1\", id = \"01\" }].",
        );
        report.add(&list.span(), Some(key), refusal);
    }
    servers
}

fn server(
    report: &mut Report<'_>,
    entry: &Entry<&ServerFile>,
    reals: &Names,
    id_bytes: Option<u8>,
    taken: &mut HashMap<ServerId, usize>,
) -> Option<Server> {
    for (key, is_missing) in [("real", entry.file.real.is_none()), ("id", entry.file.id.is_none())] {
        if is_missing {
            missing(report, entry, "quic.servers", key);
        }
    }
    let find = |text: &String| reals.find(text, "real");
    let real = optional(report, entry, "real", entry.file.real.as_ref(), find).flatten();
    let id = optional(report, entry, "id", entry.file.id.as_ref(), |text| server_id(text, id_bytes))?;
    let line = report.line(entry.span.start);
    if let Some(before) = taken.insert(id, line) {
        let refusal = Refusal::new(
            format!("this server id is taken since line {before}"),
            "Give each server an id of its own; one server may have several.",
        );
        report.add(&entry.span, Some(entry.key("id")), refusal);
    }
    Some(Server { real: real?, id })
}

/// A server id of so many bytes, in hex.
fn server_id(text: &str, bytes: Option<u8>) -> Result<ServerId, Refusal> {
    let refusal = || {
        let remedy = match bytes {
            Some(bytes) => format!("Write {} hex digits, as server_id_bytes says.", u16::from(bytes) * 2),
            None => "Write two hex digits for each of its bytes.".to_owned(),
        };
        Refusal::new(format!("{} is no server id of this configuration", quoted(text)), remedy)
    };
    let digits = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = text.as_bytes().chunks_exact(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    let decoded: Option<Vec<u8>> = if digits { pairs.collect() } else { None };
    let decoded = decoded.filter(|id| bytes.is_none_or(|bytes| id.len() == usize::from(bytes)));
    decoded.and_then(|id| ServerId::new(&id)).ok_or_else(refusal)
}

/// The configurations that a service knows, by rotation bits.
pub(super) fn of_service(
    report: &mut Report<'_>,
    table: &Entry<ServiceFile>,
    protocol: Option<Protocol>,
    (configs, names): (&[Quic], &Names),
) -> QuicPlaces {
    let mut places = [None; ROTATIONS];
    let Some(list) = table.file.quic.as_ref() else { return places };
    let key = table.key("quic");
    if list.get_ref().is_empty() && !report.has_told_under(&key) {
        let refusal = Refusal::new(
            "there are no connection ids to read",
            "Name at least one [[quic]] table, or leave quic out.",
        );
        report.add(&list.span(), Some(key), refusal);
        return places;
    }
    if protocol.is_some_and(|protocol| protocol != Protocol::Udp) {
        let refusal = Refusal::new("QUIC is carried by UDP", "Write protocol = \"udp\", or leave quic out.");
        report.add(&list.span(), Some(key), refusal);
        return places;
    }
    let mut known: Vec<&Quic> = Vec::new();
    for (at, name) in list.get_ref().iter().enumerate() {
        let key = format!("{key}[{at}]");
        let found = match names.find(name.get_ref(), "quic") {
            Ok(found) => found,
            Err(refusal) => {
                report.add(&name.span(), Some(key), refusal);
                continue;
            }
        };
        // A table that was refused is told already.
        let Some((place, config)) = found.and_then(|place| Some((place, configs.get(place)?))) else {
            continue;
        };
        let Some(slot) = places.get_mut(usize::from(config.rotation)) else { continue };
        if slot.is_some() {
            let message = format!("config {} is in this list already", config.rotation);
            let remedy = "Name one [[quic]] table for each config: its number tells them apart in an id.";
            report.add(&name.span(), Some(key), Refusal::new(message, remedy));
            continue;
        }
        *slot = u8::try_from(place).ok();
        if let Some(refusal) = known.iter().find_map(|other| shown(other, config)) {
            report.add(&name.span(), Some(key), refusal);
        }
        known.push(config);
    }
    places
}

/// What is wrong with two ways of one service, of which one shows the server ids that the other hides: clear and
/// encrypted ways have ids of their own (draft-ietf-quic-load-balancers-21).
fn shown(one: &Quic, two: &Quic) -> Option<Refusal> {
    if one.key.is_some() == two.key.is_some() || one.server_id_bytes != two.server_id_bytes {
        return None;
    }
    let of_one: HashSet<&[u8]> = one.servers.iter().map(|server| server.id.as_bytes()).collect();
    let shared = two.servers.iter().find(|server| of_one.contains(server.id.as_bytes()))?;
    let id: String = shared.id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let (clear, hidden) = if one.key.is_none() { (one, two) } else { (two, one) };
    let message = format!(
        "{} shows the server id {id}, which {} hides by its key",
        quoted(clear.name.as_str()),
        quoted(hidden.name.as_str())
    );
    Some(Refusal::new(message, "Give the servers other ids in one of them."))
}
