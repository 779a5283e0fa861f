//! Where the connection ids of QUIC lead (draft-ietf-quic-load-balancers-21 §4).
//!
//! A flow of a service with connection ids is entered as one that has to be confirmed, for ever: so each of its
//! packets comes the way of flows that are met after a table switch, where its id is read, and no other flow is asked.
//! An id that names a real wins over what the entry says; one that names none leaves the packet to its four-tuple.
//!
//! An entry that an id made is led by ids: it takes the real that each names, so that errors, which show no id of ours
//! most of the time, and resets follow a client that moved. As soon as a packet without such an id has gone by it, or if
//! a hash made it, it keeps its real as every flow does: ids are no secret to whoever sees them, and sent from another's
//! address they would move that one's flow (§4.3.1, §6). A packet whose id leads elsewhere then leaves the entry alone.

use ::quic::lb::rotation;
use ::quic::{Ids, ids};
use service::{QuicConfig, RealNumber, ServiceEntry, TableView};
use wire::udp::Udp;
use wire::{Kind, Parsed, icmp, udp};

use crate::client::may_stay;

/// Why a connection id names no real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unroutable {
    /// There is none: the packet is cut short, or is an error that quotes none of ours.
    NoId,
    /// Its rotation bits are of no configuration of the service.
    NoConfig,
    /// It is too short, or tells another length than it has.
    Length,
    /// Its server id is nobody's.
    NoServer,
    /// Its real is down.
    Down(RealNumber),
}

/// The configurations of the table in force, their keys made ready.
#[derive(Debug)]
pub(crate) struct Ciphers(Vec<QuicConfig>);

impl Ciphers {
    /// None; room for as many as a table may have, so that none is made when a table comes.
    pub(crate) fn none() -> Self {
        Self(Vec::with_capacity(usize::from(service::QUIC_CONFIGS_MAX)))
    }

    /// Those of a table.
    pub(crate) fn of(table: &TableView<'_>) -> Self {
        Self(table.quic_configs().collect())
    }

    /// Those of a table, in the place of those before.
    pub(crate) fn take(&mut self, table: &TableView<'_>) {
        self.0.clear();
        self.0.extend(table.quic_configs());
    }

    /// The real that a packet of a service, or an error about one, names by a connection id. `frame` is what `parsed`
    /// was read of.
    ///
    /// # Errors
    /// Why it names none.
    pub(crate) fn named(
        &self,
        table: &TableView<'_>,
        service: &ServiceEntry,
        frame: &[u8],
        parsed: &Parsed,
    ) -> Result<RealNumber, Unroutable> {
        let (id, is_whole) = id(frame, parsed).ok_or(Unroutable::NoId)?;
        let place = service.quic(rotation(id)).ok_or(Unroutable::NoConfig)?;
        let config = self.0.get(usize::from(place)).ok_or(Unroutable::NoConfig)?.get();
        if is_whole && !config.tells(id) {
            return Err(Unroutable::Length);
        }
        let server = config.server_id(id).ok_or(Unroutable::Length)?;
        let real = table.server(place, &server).ok_or(Unroutable::NoServer)?;
        if may_stay(table, real) { Ok(real) } else { Err(Unroutable::Down(real)) }
    }
}

/// The connection id that a server made, and whether that is all of it: behind a short header, more follows.
fn id<'p>(frame: &'p [u8], parsed: &Parsed) -> Option<(&'p [u8], bool)> {
    // What stands behind the IP packet fills the frame, and is nobody's.
    let end = usize::from(parsed.network_offset).saturating_add(parsed.ip_len as usize);
    let payload = frame.get(usize::from(parsed.transport_offset)..end.min(frame.len()))?;
    match parsed.kind {
        Kind::Udp => {
            let len = usize::from(Udp::parse(payload.first_chunk()?).len);
            match ids(payload.get(udp::HEADER_LEN..len.min(payload.len()))?)? {
                Ids::Long { destination, .. } => Some((destination, true)),
                Ids::Short { from } => Some((from, false)),
            }
        }
        // The quoted packet is the server's own, which says whom it is from in a long header alone (§6).
        Kind::IcmpError => {
            match ids(icmp::quoted_data(parsed.tuple.family, payload.get(icmp::HEADER_LEN..)?)?)? {
                Ids::Long { source, .. } => Some((source, true)),
                Ids::Short { .. } => None,
            }
        }
        _ => None,
    }
}
