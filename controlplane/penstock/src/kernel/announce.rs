//! VIPs tell their link where they are, unasked: gratuitous ARP (RFC 5227 §3) and unsolicited neighbour
//! advertisements (RFC 4861 §7.2.6), so that neighbours who knew another router for a VIP turn to us at once.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use conf::Config;
use wire::arp::Arp;
use wire::ethernet::{ARP, IPV6};
use wire::nd;

/// How often each is told: a frame may be lost.
pub(super) const ROUNDS: u32 = 3;
/// Between two rounds.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// Between two frames: at most a hundred a second, which no switch minds.
const GAP: Duration = Duration::from_millis(10);

/// Everybody on the link.
const BROADCAST: [u8; 6] = [0xff; 6];
/// All nodes of IPv6 on the link (RFC 2464 §7).
const ALL_NODES: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];

/// A frame, and the place of the port it leaves by.
pub(super) type Told = (u8, Vec<u8>);

/// Frames that wait for their time.
#[derive(Debug)]
pub(super) struct Announcements {
    frames: VecDeque<Told>,
    due: Instant,
}

impl Announcements {
    /// They begin at `due`.
    pub(super) fn new(frames: Vec<Told>, due: Instant) -> Self {
        Self { frames: frames.into(), due }
    }

    /// The next one, if its time has come.
    pub(super) fn next(&mut self, now: Instant) -> Option<Told> {
        if now < self.due {
            return None;
        }
        self.due += GAP;
        self.frames.pop_front()
    }

    /// Whether there are no more.
    pub(super) fn is_over(&self) -> bool {
        self.frames.is_empty()
    }
}

/// The VIPs that are single addresses; a prefix is routed to us.
pub(super) fn single_vips(config: &Config) -> BTreeSet<IpAddr> {
    let single = |vip: &conf::Vip| u32::from(vip.prefix_len) == if vip.address.is_ipv4() { 32 } else { 128 };
    let vips = config.services.iter().map(|service| service.vip).filter(single);
    vips.map(|vip| vip.address).collect()
}

/// One frame for each of these VIPs, on every port that has a twin.
pub(super) fn frames(config: &Config, vips: &BTreeSet<IpAddr>, macs: &[[u8; 6]]) -> Vec<Told> {
    let ports = (0_u8..).zip(config.ports.iter().zip(macs)).filter(|(_, (port, _))| port.has_twin());
    ports.flat_map(|(port, (_, &mac))| vips.iter().map(move |&vip| (port, frame(vip, mac)))).collect()
}

fn frame(vip: IpAddr, mac: [u8; 6]) -> Vec<u8> {
    match vip {
        IpAddr::V4(vip) => {
            let message = Arp::announcing(vip.octets(), mac).emit();
            [&BROADCAST[..], &mac, &ARP.to_be_bytes(), &message].concat()
        }
        IpAddr::V6(vip) => {
            let packet = nd::advertisement(vip.octets(), None, mac);
            [&ALL_NODES[..], &mac, &IPV6.to_be_bytes(), &packet].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Announcements, GAP, frames, single_vips};
    use std::time::Instant;

    #[test]
    fn each_single_vip_is_told_once_on_each_port_with_a_twin() {
        let text = "[tunnel]\nsource_v4 = \"192.0.2.1\"\nnext_hop = \"02:00:00:00:00:fe\"\n\
            [[port]]\nname = \"a\"\ndevice = \"net_af_packet0,iface=a\"\n\
            [[port]]\nname = \"b\"\ndevice = \"net_null0\"\n\
            [[real]]\nname = \"r\"\naddress = \"10.0.0.11\"\n\
            [[pool]]\nname = \"p\"\nmembers = [{ real = \"r\" }]\n";
        let service = |name: &str, vip: &str, port: u16| {
            format!(
                "[[service]]\nname = \"{name}\"\nvip = \"{vip}\"\nprotocol = \"tcp\"\nports = {port}\npool = \"p\"\n"
            )
        };
        let services = [
            service("one", "198.51.100.1", 80),
            service("two", "198.51.100.1", 443),
            service("six", "2001:db8::1", 80),
            service("net", "203.0.113.0/24", 80),
        ];
        let config = conf::parse("c.toml", &(text.to_owned() + &services.concat())).unwrap();
        let told = frames(&config, &single_vips(&config), &[[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]]);
        let begins: Vec<(u8, usize, &[u8])> =
            told.iter().map(|(port, frame)| (*port, frame.len(), &frame[..14])).collect();
        let v4: &[u8] = &[255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6];
        let v6: &[u8] = &[0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x86, 0xdd];
        assert_eq!(begins, [(0, 42, v4), (0, 86, v6)]);
    }

    #[test]
    fn frames_come_at_their_time_and_apart() {
        let start = Instant::now();
        let mut waiting = Announcements::new(vec![(0, vec![1]), (1, vec![2])], start + GAP);
        assert_eq!(waiting.next(start), None);
        assert_eq!(waiting.next(start + GAP), Some((0, vec![1])));
        assert_eq!(waiting.next(start + GAP), None);
        assert!(!waiting.is_over());
        assert_eq!(waiting.next(start + 2 * GAP), Some((1, vec![2])));
        assert!(waiting.is_over());
    }
}
