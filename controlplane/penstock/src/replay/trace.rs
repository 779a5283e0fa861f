//! TRACE: one JSON object per input packet, in the order of the input.

use std::collections::BTreeSet;
use std::net::IpAddr;

use conf::Vip;
use serde::Serialize;
use wire::{Family, Parsed};

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::replay::notes::{Left, Records, names};
use crate::replay::script::{Script, Turn};
use crate::site::Site;

/// Packets between two looks at the interrupt.
const STRIDE: u64 = 4096;

/// One line.
#[derive(Debug, Serialize)]
struct Line<'a> {
    index: u64,
    verdict: &'static str,
    reason: Option<&'static str>,
    service: Option<&'a str>,
    vip: Option<String>,
    real: Option<&'a str>,
    flow: Option<&'static str>,
    out_index: Option<u64>,
}

/// Writes the trace.
pub(crate) fn write(
    site: &Site,
    script: &Script,
    records: &Records<'_>,
    mut out: Output,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let directory = site.directory();
    let vips = Vips::new(site);
    let mut transmitted = 0;
    let mut text = Vec::new();
    for (turn, index) in script.turns().zip(0_u64..) {
        let Some(record) = records.get(script, turn) else {
            return Err(Failure::new(format!("packet {index} has no decision; the trace would be wrong")));
        };
        let (verdict, reason) = verdict(record.left());
        let (service, real) = names(site, &directory, record);
        let out_index = record.is_tx().then_some(transmitted);
        transmitted += u64::from(record.is_tx());
        let vip = match service {
            Some(service) => Some(service.vip),
            None => vips.of(script, turn),
        };
        let line = Line {
            index,
            verdict,
            reason,
            service: service.map(|service| service.name.as_str()),
            vip: vip.map(|vip| vip.to_string()),
            real: real.map(|real| real.name.as_str()),
            flow: record.flow(),
            out_index,
        };
        text.clear();
        serde_json::to_writer(&mut text, &line).map_err(|error| Failure::new(error.to_string()))?;
        text.push(b'\n');
        out.put(&text)?;
        if index.is_multiple_of(STRIDE) {
            interrupt.check()?;
        }
    }
    out.finish()
}

const fn verdict(left: Left) -> (&'static str, Option<&'static str>) {
    match left {
        Left::Tx(Some(answered)) => ("tx", Some(answered.full_name())),
        Left::Tx(None) => ("tx", None),
        Left::Drop(reason) => ("drop", Some(reason.name())),
        Left::Punt(reason) => ("punt", Some(reason.name())),
        Left::Held => ("held", None),
    }
}

/// The configured VIPs, to be asked which one an address is in.
#[derive(Debug)]
struct Vips {
    all: BTreeSet<(u8, IpAddr)>,
    /// Prefix lengths in use, by family, the longest first.
    lengths: [Vec<u8>; 2],
}

impl Vips {
    fn new(site: &Site) -> Self {
        let vips = site.config.services.iter().map(|service| service.vip);
        let all: BTreeSet<(u8, IpAddr)> = vips.map(|vip| (vip.prefix_len, vip.address)).collect();
        let lengths = [true, false].map(|is_v4| {
            let own = all.iter().filter(|(_, address)| address.is_ipv4() == is_v4);
            let lengths: BTreeSet<u8> = own.map(|&(length, _)| length).collect();
            lengths.into_iter().rev().collect()
        });
        Self { all, lengths }
    }

    /// The VIP that a packet's destination is in.
    fn of(&self, script: &Script, turn: Turn) -> Option<Vip> {
        let frame = script.frame(turn.packet);
        let mut parsed = Parsed::EMPTY;
        wire::parse(frame, frame.len(), &mut parsed).ok()?;
        let [v4, v6] = &self.lengths;
        let lengths = if parsed.tuple.family == Family::V4 { v4 } else { v6 };
        let address = parsed.tuple.destination_ip();
        lengths.iter().find_map(|&prefix_len| {
            let address = network(address, prefix_len);
            self.all.contains(&(prefix_len, address)).then_some(Vip { address, prefix_len })
        })
    }
}

/// An address without its host bits.
fn network(address: IpAddr, prefix_len: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let host = u32::MAX.checked_shr(u32::from(prefix_len)).unwrap_or(0);
            IpAddr::V4((u32::from(v4) & !host).into())
        }
        IpAddr::V6(v6) => {
            let host = u128::MAX.checked_shr(u32::from(prefix_len)).unwrap_or(0);
            IpAddr::V6((u128::from(v6) & !host).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::network;

    #[test]
    fn host_bits_go_and_the_rest_stays() {
        let of = |text: &str, length| network(text.parse::<IpAddr>().unwrap(), length).to_string();
        assert_eq!(of("198.51.100.77", 24), "198.51.100.0");
        assert_eq!(
            (of("198.51.100.77", 32), of("198.51.100.77", 0)),
            ("198.51.100.77".into(), "0.0.0.0".into())
        );
        assert_eq!(of("2001:db8::77", 64), "2001:db8::");
        assert_eq!((of("2001:db8::77", 128), of("2001:db8::77", 0)), ("2001:db8::77".into(), "::".into()));
    }
}
