//! What stands between the outer IP header and the packet: GRE, or UDP with FOU, GUE or VXLAN.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0|0|K|0|       0           | 0 |      ethertype of the packet  |  GRE (RFC 2784 §2.1)
//! |                        Key, if K is set                       |      (RFC 2890 §2)
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     source port, of the flow  |       destination port        |  UDP (RFC 768)
//! |            length             |           checksum            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | 0 |0|    0    | protocol 4, 41|               0               |  GUE, variant 0
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0 0 0 1 0 0 0|                       0                       |  VXLAN (RFC 7348 §5), then an
//! |            network identifier                 |       0       |  Ethernet header
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! The UDP source port is one of 49,152 to 65,535, chosen by the flow (RFC 7348 §5), so that what stands on the way
//! spreads flows and keeps each on one path.

use counters::DropReason;
use port::Packet;
use service::{Form, OUTER_V4_BYTES, OUTER_V6_BYTES, RealNumber, TableView, Tail, Template, TunnelKind};
use wire::checksum::Sum;
use wire::{Parsed, gre, protocol, udp, vxlan};

use crate::aside::Aside;
use crate::encap::{Identifications, Load, fill_v4, fill_v6, inner_protocol, push_header, require_fit};

/// The first of the ports that are nobody's (RFC 6335 §6): sources come from here on.
const SOURCE_PORT_MIN: u16 = 0xc000;

/// Sends a packet on its way to a real that is reached with a tail. Not part of `encap`: that the table and the real's
/// number were at hand there would cost every packet three instructions.
///
/// # Errors
/// Why it does not simply leave. If it cannot go it is unchanged.
pub(crate) fn encap<P: Packet>(
    packet: &mut P,
    parsed: &Parsed,
    table: &TableView<'_>,
    real: RealNumber,
    identifications: &mut Identifications,
) -> Result<(), Aside> {
    let template = table.template(real).ok_or(Aside::Drop(DropReason::NoReal))?;
    require_fit(parsed, template, template.outer_len())?;
    let behind = Behind { template, tail: table.tail(real), mac: table.mac() };
    behind.push(packet, parsed, identifications)?;
    Aside::of_ready(template)
}

/// What a packet needs to travel with a tail.
struct Behind<'t> {
    template: &'t Template,
    tail: Tail,
    /// Our own MAC address, the source of the Ethernet header inside of VXLAN.
    mac: [u8; 6],
}

impl Behind<'_> {
    /// Puts outer header and tail in front of a packet that fits.
    #[allow(clippy::cast_possible_truncation, reason = "the MTU bounds the length")]
    fn push<P: Packet>(
        &self,
        packet: &mut P,
        parsed: &Parsed,
        identifications: &mut Identifications,
    ) -> Result<(), DropReason> {
        let form = self.template.form();
        let is_gre = matches!(form, Form::Gre | Form::GreKey);
        let load = Load {
            protocol: if is_gre { protocol::GRE } else { protocol::UDP },
            len: (parsed.ip_len as usize + form.bytes()) as u16,
        };
        let inner = if self.tail.is_summed() {
            sum_of(packet, usize::from(parsed.network_offset), parsed.ip_len as usize)
        } else {
            Sum::default()
        };
        match self.template.kind() {
            TunnelKind::Tail6 => {
                let (outer, tail) =
                    push_header::<P, OUTER_V6_BYTES>(packet, parsed, self.template, form.bytes())?;
                fill_v6(outer, parsed, load, self.template);
                let addresses = outer.last_chunk::<32>().map_or(&[][..], |bytes| &bytes[..]);
                self.fill(tail, parsed, load, inner.add_bytes(addresses));
            }
            _ => {
                let (outer, tail) =
                    push_header::<P, OUTER_V4_BYTES>(packet, parsed, self.template, form.bytes())?;
                fill_v4(outer, parsed, load, self.template, identifications);
                let addresses = outer.last_chunk::<8>().map_or(&[][..], |bytes| &bytes[..]);
                self.fill(tail, parsed, load, inner.add_bytes(addresses));
            }
        }
        Ok(())
    }

    /// Writes the tail. `sum` is of the packet and the outer addresses.
    fn fill(&self, tail: &mut [u8], parsed: &Parsed, load: Load, sum: Sum) {
        let of = parsed.tuple.family.ethertype();
        match self.template.form() {
            Form::Bare => {}
            Form::Gre => put(tail, [[0; 2], of.to_be_bytes()].as_flattened()),
            Form::GreKey => {
                let [k0, k1, k2, k3] = self.tail.key().to_be_bytes();
                put(tail, [[gre::KEY, 0], of.to_be_bytes(), [k0, k1], [k2, k3]].as_flattened());
            }
            Form::Fou => self.fill_udp(tail, parsed, load, sum),
            Form::Gue => {
                let of = inner_protocol(parsed.tuple.family);
                put(tail.get_mut(udp::HEADER_LEN..).unwrap_or_default(), &[0, of, 0, 0]);
                self.fill_udp(tail, parsed, load, sum);
            }
            Form::Vxlan => {
                let [_, v0, v1, v2] = self.tail.key().to_be_bytes();
                let inside = tail.get_mut(udp::HEADER_LEN..).unwrap_or_default();
                put(inside, &[vxlan::HAS_VNI, 0, 0, 0, v0, v1, v2, 0]);
                let link = inside.get_mut(vxlan::HEADER_LEN..).unwrap_or_default();
                put(link, [self.tail.mac(), self.mac].as_flattened());
                put(link.get_mut(12..).unwrap_or_default(), &of.to_be_bytes());
                self.fill_udp(tail, parsed, load, sum);
            }
        }
    }

    /// Writes the UDP header in front of the rest of a tail that is written.
    #[allow(clippy::cast_possible_truncation, reason = "sixteen bits less two")]
    fn fill_udp(&self, tail: &mut [u8], parsed: &Parsed, load: Load, sum: Sum) {
        let source = SOURCE_PORT_MIN | (parsed.tuple.entropy() >> 2) as u16;
        let ports = [source.to_be_bytes(), self.tail.port().to_be_bytes(), load.len.to_be_bytes(), [0; 2]];
        put(tail, ports.as_flattened());
        if self.tail.is_summed() {
            // RFC 768, RFC 8200 §8.1: with a header that holds addresses, length and protocol, and never 0, which
            // would say that there is none.
            let sum = sum.add_u16(load.len).add_u16(u16::from(protocol::UDP)).add_bytes(tail);
            let checksum = match sum.finish() {
                [0, 0] => [0xff; 2],
                other => other,
            };
            put(tail.get_mut(6..).unwrap_or_default(), &checksum);
        }
    }
}

/// The sum of `len` bytes from `from` on, over all segments: one that begins at an odd place has its first byte in the
/// second half of a word. Not the short way by the packet's own checksum: whether that one is right is the real's business.
pub(crate) fn sum_of<P: Packet>(packet: &P, from: usize, len: usize) -> Sum {
    let (mut skip, mut left) = (from, len);
    let (mut sum, mut is_odd) = (Sum::default(), false);
    packet.each_segment(|segment| {
        let bytes = segment.get(skip..).unwrap_or_default();
        let bytes = bytes.get(..left).unwrap_or(bytes);
        skip = skip.saturating_sub(segment.len());
        left -= bytes.len();
        let even = match bytes.split_first() {
            Some((first, rest)) if is_odd => {
                sum = sum.add_u16(u16::from(*first));
                rest
            }
            _ => bytes,
        };
        sum = sum.add_bytes(even);
        is_odd ^= bytes.len() % 2 != 0;
    });
    sum
}

/// Writes as many bytes as there is room for.
fn put(room: &mut [u8], bytes: &[u8]) {
    for (to, from) in room.iter_mut().zip(bytes) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::{Identifications, encap, sum_of};
    use port::{MemPacket, NoHeadroom, Packet};
    use proptest::prelude::{any, prop_oneof, proptest};
    use proptest::strategy::{Just, Strategy};
    use service::{
        Aligned, Blueprint, DontFragment, Encap, Generation, Outer, OuterSource, RealNumber, RealSpec,
        RealState, ReturnPath, Table, Timeouts, UdpChecksum, UdpTunnel,
    };
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use wire::checksum::Sum;
    use wire::{Family, Kind, Parsed};

    fn table(address: IpAddr, encap: Encap) -> Table<Aligned> {
        let blueprint = Blueprint {
            select_seed: [0; 16],
            outer: Outer {
                mac: [2, 0, 0, 0, 0, 1],
                source_v4: Some(OuterSource { address: Ipv4Addr::new(192, 0, 2, 0), prefix_len: 24 }),
                source_v6: Some(OuterSource { address: Ipv6Addr::LOCALHOST, prefix_len: 112 }),
                hop_limit: 64,
                passes_max: 4,
                dont_fragment: DontFragment::Inherit,
                mtu: 9600,
            },
            timeouts: Timeouts { syn: 80, established: 80, closing: 80, udp: 80 },
            return_path: ReturnPath::Direct,
            new_flows_rate_max: None,
            quic: Vec::new(),
            ends: Vec::new(),
            reals: vec![RealSpec {
                number: RealNumber::FIRST,
                address,
                next_hop: Some([2, 0, 0, 0, 0, 2]),
                port: None,
                encap,
                state: RealState::Up,
            }],
            pools: vec![],
            services: vec![],
            rules: Vec::new(),
        };
        service::build(&blueprint, Generation::default()).unwrap().table().unwrap()
    }

    fn any_tail() -> impl Strategy<Value = Encap> {
        let sum = prop_oneof![Just(UdpChecksum::Auto), Just(UdpChecksum::Zero), Just(UdpChecksum::Full)];
        let udp = (1_u16.., sum).prop_map(|(port, checksum)| UdpTunnel { port, checksum });
        let vni = 0..=service::Tail::VNI_MAX;
        prop_oneof![
            any::<Option<u32>>().prop_map(|key| Encap::Gre { key }),
            udp.clone().prop_map(Encap::Fou),
            udp.clone().prop_map(Encap::Gue),
            (udp, vni, any::<[u8; 5]>()).prop_map(|(udp, vni, [b, c, d, e, f])| Encap::Vxlan {
                udp,
                vni,
                inner_mac: [2, b, c, d, e, f]
            }),
        ]
    }

    /// What stands behind the outer header, read field by field as the standards draw it; gives where the packet begins.
    fn read(encap: Encap, behind: &[u8], six: bool) -> usize {
        let ethertype = if six { [0x86, 0xdd] } else { [8, 0] };
        let udp = |udp: UdpTunnel| {
            assert!(behind[0] >= 0xc0, "a source port from 49,152 on");
            assert_eq!(behind[2..4], udp.port.to_be_bytes());
            assert_eq!(usize::from(u16::from_be_bytes([behind[4], behind[5]])), behind.len());
        };
        match encap {
            Encap::Gre { key: None } => {
                assert_eq!(behind[..4], [0, 0, ethertype[0], ethertype[1]]);
                4
            }
            Encap::Gre { key: Some(key) } => {
                assert_eq!(behind[..4], [0x20, 0, ethertype[0], ethertype[1]]);
                assert_eq!(behind[4..8], key.to_be_bytes());
                8
            }
            Encap::Fou(tunnel) => {
                udp(tunnel);
                8
            }
            Encap::Gue(tunnel) => {
                udp(tunnel);
                assert_eq!(behind[8..12], [0, if six { 41 } else { 4 }, 0, 0]);
                12
            }
            Encap::Vxlan { udp: tunnel, vni, inner_mac } => {
                udp(tunnel);
                assert_eq!(behind[8..12], [8, 0, 0, 0]);
                assert_eq!(behind[12..16], (vni << 8).to_be_bytes());
                assert_eq!(behind[16..22], inner_mac);
                assert_eq!(behind[22..28], [2, 0, 0, 0, 0, 1]);
                assert_eq!(behind[28..30], ethertype);
                30
            }
            Encap::Ipip | Encap::Mac => panic!("these have no tail"),
        }
    }

    proptest! {
        /// Whatever the form, the family and the packet: every field says what it should, a checksum is there where it
        /// was asked for and holds, and the packet inside is what it was.
        #[test]
        fn a_tail_says_what_its_form_asks(encap_of in any_tail(), outer_six in any::<bool>(), six in any::<bool>(), ports in any::<(u16, u16)>(), inner in proptest::collection::vec(any::<u8>(), 20..600)) {
            let address = if outer_six { Ipv6Addr::from_bits(7).into() } else { Ipv4Addr::new(10, 0, 0, 7).into() };
            let table = table(address, encap_of);
            let mut parsed = Parsed {
                kind: Kind::Udp, dont_fragment: true, network_offset: 14, ip_len: u32::try_from(inner.len()).unwrap(), ..Parsed::EMPTY
            };
            parsed.tuple.family = if six { Family::V6 } else { Family::V4 };
            (parsed.tuple.source_port, parsed.tuple.destination_port) = ports;
            let mut packet = MemPacket::with_room(2048);
            packet.load(&[&[0; 14], &inner[..]].concat(), 0);
            let made = encap(&mut packet, &parsed, &table.view(), RealNumber::FIRST, &mut Identifications::new(0, 1));
            assert_eq!(made, Ok(()));
            let ip = &packet.data()[14..];
            let (protocol, addresses, behind) =
                if outer_six { (ip[6], &ip[8..40], &ip[40..]) } else { (ip[9], &ip[12..20], &ip[20..]) };
            let at = read(encap_of, behind, six);
            assert_eq!(behind[at..], inner);
            let (Encap::Fou(udp) | Encap::Gue(udp) | Encap::Vxlan { udp, .. }) = encap_of else {
                assert_eq!(protocol, 47);
                return Ok(());
            };
            assert_eq!(protocol, 17);
            if udp.checksum == UdpChecksum::Full || udp.checksum == UdpChecksum::Auto && outer_six {
                let len = u16::try_from(behind.len()).unwrap();
                let sum = Sum::default().add_bytes(addresses).add_u16(17).add_u16(len).add_bytes(behind);
                assert!(sum.is_intact() && behind[6..8] != [0, 0]);
            } else {
                assert_eq!(behind[6..8], [0, 0]);
            }
        }

        /// A packet in segments has the sum of the same bytes in one piece, wherever they are cut.
        #[test]
        fn a_sum_goes_over_all_segments(frame in proptest::collection::vec(any::<u8>(), 60..300), cuts in proptest::collection::vec(14usize..300, 0..5), ip_len in 20u32..46) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(frame.len())).collect();
            cuts.sort_unstable();
            let bounds = [&[0][..], &cuts, &[frame.len()]].concat();
            let chain = Chain(bounds.windows(2).map(|pair| frame[pair[0]..pair[1]].to_vec()).collect());
            let whole = Sum::default().add_bytes(&frame[14..14 + ip_len as usize]);
            assert_eq!(sum_of(&chain, 14, ip_len as usize).finish(), whole.finish());
        }
    }

    /// A packet in segments, to be read.
    struct Chain(Vec<Vec<u8>>);

    impl Packet for Chain {
        fn data(&self) -> &[u8] {
            &self.0[0]
        }
        fn data_mut(&mut self) -> &mut [u8] {
            &mut self.0[0]
        }
        fn total_len(&self) -> usize {
            self.0.iter().map(Vec::len).sum()
        }
        fn prepend(&mut self, _: usize) -> Result<&mut [u8], NoHeadroom> {
            Err(NoHeadroom)
        }
        fn trim_front(&mut self, _: usize) {}
        fn truncate(&mut self, _: usize) {}
        fn each_segment(&self, take: impl FnMut(&[u8])) {
            self.0.iter().map(Vec::as_slice).for_each(take);
        }
        fn cookie(&self) -> u64 {
            0
        }
    }
}
