//! From services to the entries of an index: one entry per VIP prefix, its ports resolved.

use std::collections::BTreeMap;

use wire::protocol;

use crate::error::{BuildError, ServiceFault};
use crate::index::{BuiltIndex, Entry, Key};
use crate::layout::ServiceEntry;
use crate::limits::CELLS_MAX;
use crate::numbers::ServiceNumber;
use crate::ports::{Interval, conflict, flatten};

/// Intervals of TCP, then of UDP.
type Ports = [Vec<Interval>; 2];

const PROTOCOLS: [u8; 2] = [protocol::TCP, protocol::UDP];

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
        let ports = vips.entry((E::Key::of(&service.address), service.prefix_len)).or_default();
        for (list, protocol) in ports.iter_mut().zip(PROTOCOLS) {
            if service.protocol == protocol {
                list.push(Interval { first: service.port_first, last: service.port_last, slot });
            }
        }
    }
    let mut covering: Vec<((E::Key, u8), Ports)> = Vec::new();
    let mut entries = Vec::with_capacity(vips.len());
    for ((key, length), own) in vips {
        while covering.pop_if(|((outer, shorter), _)| key.network(*shorter) != *outer).is_some() {}
        let above = covering.last().map(|(_, ports)| ports);
        let mut resolved = Ports::default();
        for (place, (list, into)) in own.iter().zip(&mut resolved).enumerate() {
            if let Some((one, other)) = conflict(list) {
                return Err(conflict_error(services, &one, &other));
            }
            let above = above.and_then(|ports| ports.get(place)).map_or(&[][..], Vec::as_slice);
            *into = flatten(list, above);
        }
        entries.push(entry(key, length, &resolved, cells)?);
        covering.push(((key, length), resolved));
    }
    BuiltIndex::new(&entries).ok_or(BuildError::Index)
}

fn entry<E: Entry>(key: E::Key, length: u8, ports: &Ports, cells: &mut Vec<u64>) -> Result<E, BuildError> {
    let [tcp, udp] = ports;
    let all = || {
        PROTOCOLS.into_iter().zip(ports).flat_map(|(protocol, list)| list.iter().map(move |i| (protocol, i)))
    };
    let first = all().next().map_or(0, |(protocol, interval)| cell(interval, protocol, length));
    if tcp.len() + udp.len() <= 1 {
        return Ok(E::new(key, first, 0));
    }
    let run = u32::try_from(cells.len()).map_err(|_| BuildError::Cells)?;
    cells.push(tcp.len() as u64 | (udp.len() as u64) << 32);
    cells.extend(all().map(|(protocol, interval)| cell(interval, protocol, 0)));
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
