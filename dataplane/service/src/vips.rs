//! From services to the entries of an index: one entry per VIP prefix, its ports resolved.

use std::collections::BTreeMap;

use wire::protocol;

use crate::error::{BuildError, ServiceFault};
use crate::index::{BuiltIndex, Entry, Key};
use crate::layout::{Counts, ServiceEntry};
use crate::limits::CELLS_MAX;
use crate::numbers::ServiceNumber;
use crate::ports::{Interval, conflict, flatten};

/// What a VIP's ports and protocols are given to.
#[derive(Default)]
struct Ports {
    tcp: Vec<Interval>,
    udp: Vec<Interval>,
    /// Protocols without ports, each with its slot.
    others: Vec<(u8, u16)>,
}

impl Ports {
    fn push(&mut self, service: &ServiceEntry, slot: u16) {
        let interval = Interval { first: service.port_first, last: service.port_last, slot };
        match service.protocol {
            protocol::TCP => self.tcp.push(interval),
            protocol::UDP => self.udp.push(interval),
            other => self.others.push((other, slot)),
        }
    }

    /// Two services of which neither goes before the other.
    fn conflict(&self) -> Option<(Interval, Interval)> {
        let of_one = |(protocol, slot): &(u8, u16)| {
            let twin = self.others.iter().find(|(other, at)| other == protocol && at != slot)?;
            let all = |slot| Interval { slot, ..ALL };
            Some((all(*slot), all(twin.1)))
        };
        conflict(&self.tcp).or_else(|| conflict(&self.udp)).or_else(|| self.others.iter().find_map(of_one))
    }

    /// With what these leave open filled in: by their own service of any protocol, or by what the nearest covering
    /// prefix has.
    fn over(&self, above: Option<&Self>) -> Self {
        let any = self.others.iter().find(|(protocol, _)| *protocol == protocol::RESERVED);
        let any = any.map(|(_, slot)| Interval { slot: *slot, ..ALL });
        let fill = |own: &[Interval], above: Option<&Vec<Interval>>| match &any {
            Some(any) => flatten(own, std::slice::from_ref(any)),
            None => flatten(own, above.map_or(&[][..], Vec::as_slice)),
        };
        let mut others: BTreeMap<u8, u16> = BTreeMap::new();
        if any.is_none() {
            others.extend(above.map_or(&[][..], |ports| &ports.others).iter().copied());
        }
        others.extend(self.others.iter().copied());
        Self {
            tcp: fill(&self.tcp, above.map(|ports| &ports.tcp)),
            udp: fill(&self.udp, above.map(|ports| &ports.udp)),
            others: others.into_iter().collect(),
        }
    }

    /// Every interval with its protocol, in the order of a run.
    fn all(&self) -> impl Iterator<Item = (u8, Interval)> + '_ {
        let of = |protocol| move |interval: &Interval| (protocol, *interval);
        let others = self.others.iter().map(|(protocol, slot)| (*protocol, Interval { slot: *slot, ..ALL }));
        self.tcp.iter().map(of(protocol::TCP)).chain(self.udp.iter().map(of(protocol::UDP))).chain(others)
    }

    const fn counts(&self) -> Counts {
        Counts { tcp: self.tcp.len(), udp: self.udp.len(), others: self.others.len() }
    }
}

/// All ports.
const ALL: Interval = Interval { first: 0, last: u16::MAX, slot: 0 };

/// One interval as 64 bits, see [`crate::layout`].
const fn cell(interval: &Interval, protocol: u8, prefix_len: u8) -> u64 {
    interval.first as u64
        | (interval.last as u64) << 16
        | (interval.slot as u64) << 32
        | (protocol as u64) << 48
        | (prefix_len as u64) << 56
}

/// The index of one family's VIPs; runs of intervals are added to `cells`.
pub(crate) fn index<E: Entry>(
    services: &[ServiceEntry],
    cells: &mut Vec<u64>,
) -> Result<BuiltIndex<E>, BuildError> {
    // In this order every prefix comes after all that cover it.
    let mut vips: BTreeMap<(E::Key, u8), Ports> = BTreeMap::new();
    for (slot, service) in
        (0_u16..=u16::MAX).zip(services).filter(|(_, one)| one.family == E::Key::FAMILY as u8)
    {
        vips.entry((E::Key::of(&service.address), service.prefix_len)).or_default().push(service, slot);
    }
    let mut covering: Vec<((E::Key, u8), Ports)> = Vec::new();
    let mut entries = Vec::with_capacity(vips.len());
    for ((key, length), own) in vips {
        while covering.pop_if(|((outer, shorter), _)| key.network(*shorter) != *outer).is_some() {}
        if let Some((one, other)) = own.conflict() {
            return Err(conflict_error(services, &one, &other));
        }
        let resolved = own.over(covering.last().map(|(_, ports)| ports));
        entries.push(entry(key, length, &resolved, cells)?);
        covering.push(((key, length), resolved));
    }
    BuiltIndex::new(&entries).ok_or(BuildError::Index)
}

fn entry<E: Entry>(key: E::Key, length: u8, ports: &Ports, cells: &mut Vec<u64>) -> Result<E, BuildError> {
    let first = ports.all().next().map_or(0, |(protocol, interval)| cell(&interval, protocol, length));
    if ports.all().nth(1).is_none() {
        return Ok(E::new(key, first, 0));
    }
    let run = u32::try_from(cells.len()).map_err(|_| BuildError::Cells)?;
    cells.push(ports.counts().cell());
    cells.extend(ports.all().map(|(protocol, interval)| cell(&interval, protocol, 0)));
    if cells.len() > CELLS_MAX {
        return Err(BuildError::Cells);
    }
    Ok(E::new(key, first, run))
}

fn conflict_error(services: &[ServiceEntry], one: &Interval, other: &Interval) -> BuildError {
    let number =
        |slot: u16| services.get(usize::from(slot)).map_or(ServiceNumber::default(), ServiceEntry::number);
    let (at_fault, earlier) = (number(one.slot.max(other.slot)), number(one.slot.min(other.slot)));
    let same = one.first == other.first;
    BuildError::Service(
        at_fault,
        if same { ServiceFault::Duplicate(earlier) } else { ServiceFault::Ambiguous(earlier) },
    )
}
