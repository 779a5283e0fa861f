//! What a change does to connections that their ids lead. No flow table tells how many there are: an id says where its
//! packets go whether a flow of theirs is there or not.

use std::collections::BTreeMap;
use std::fmt;

use conf::{Config, Name, Quic, Service};

use super::many;
use crate::Map;

/// What becomes of connection ids that the servers of a service have given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Led {
    /// Which service.
    pub service: Name,
    /// What becomes of them.
    pub fate: Fate,
}

/// What becomes of ids that are out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Ids of that config are made otherwise from now on, which a config should not be changed to while ids of it are out
    /// (draft-ietf-quic-load-balancers-21 §3.1).
    Remade(u8),
    /// Ids of that config are read no more.
    Unread(u8),
    /// So many server ids are another real's.
    Moved(usize),
    /// So many server ids are nobody's.
    Lost(usize),
}

/// By name, those services only of which connections change their way.
pub(super) fn led(old: &Config, new: &Config) -> Vec<Led> {
    let before: Map<&Name, &Service> = old.services.iter().map(|service| (&service.name, service)).collect();
    let mut services: Vec<&Service> = new.services.iter().collect();
    services.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let mut list = Vec::new();
    for service in services {
        let Some(was) = before.get(&service.name) else { continue };
        let fates = fates((old, was), (new, service));
        list.extend(fates.into_iter().map(|fate| Led { service: service.name.clone(), fate }));
    }
    list
}

fn fates((old, was): (&Config, &Service), (new, is): (&Config, &Service)) -> Vec<Fate> {
    let mut fates = Vec::new();
    let (mut moved, mut lost) = (0_usize, 0_usize);
    for ((was, is), config) in was.quic.iter().zip(&is.quic).zip(0_u8..) {
        let Some(was) = was.and_then(|place| old.quic.get(usize::from(place))) else { continue };
        let Some(is) = is.and_then(|place| new.quic.get(usize::from(place))) else {
            fates.push(Fate::Unread(config));
            continue;
        };
        if !reads(is, was) {
            fates.push(Fate::Remade(config));
            continue;
        }
        let after = servers(new, is);
        for (id, real) in servers(old, was) {
            match after.get(id) {
                Some(now) if *now == real => {}
                Some(_) => moved = moved.saturating_add(1),
                None => lost = lost.saturating_add(1),
            }
        }
    }
    fates.extend((moved > 0).then_some(Fate::Moved(moved)));
    fates.extend((lost > 0).then_some(Fate::Lost(lost)));
    fates
}

/// Whether the server ids in ids that `was` made are found by `is`.
fn reads(is: &Quic, was: &Quic) -> bool {
    (is.server_id_bytes, is.nonce_bytes, is.key) == (was.server_id_bytes, was.nonce_bytes, was.key)
        && (was.tells_length || !is.tells_length)
}

fn servers<'c>(config: &'c Config, quic: &'c Quic) -> BTreeMap<&'c [u8], &'c Name> {
    let server =
        |server: &'c conf::Server| Some((server.id.as_bytes(), &config.reals.get(server.real)?.name));
    quic.servers.iter().filter_map(server).collect()
}

impl fmt::Display for Led {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "service \"{}\": ", self.service)?;
        match self.fate {
            Fate::Remade(config) => write!(
                f,
                "connection ids of config {config} are made otherwise: those that are out lead to other reals or to none. \
                 Give the new ones a config of their own, beside the old"
            ),
            Fate::Unread(config) => {
                write!(
                    f,
                    "connection ids of config {config} are read no more: their connections go by their flows"
                )
            }
            Fate::Moved(1) => f.write_str("1 server id is another real's now, and its connections go there"),
            Fate::Moved(ids) => {
                write!(f, "{} are other reals' now, and their connections go there", many(ids, "server id"))
            }
            Fate::Lost(1) => {
                f.write_str("1 server id is nobody's any more: its connections go by their flows")
            }
            Fate::Lost(ids) => {
                write!(
                    f,
                    "{} are nobody's any more: their connections go by their flows",
                    many(ids, "server id")
                )
            }
        }
    }
}
