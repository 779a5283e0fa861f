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
const ROUNDS: u32 = 3;
/// Between two times, at least; with many VIPs it takes longer to come round.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two frames, of all that are told: at most a hundred a second, which no switch minds.
const GAP: Duration = Duration::from_millis(10);

/// Everybody on the link.
const BROADCAST: [u8; 6] = [0xff; 6];
/// All nodes of IPv6 on the link (RFC 2464 §7).
const ALL_NODES: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];

/// A VIP, its frame, and the place of the port that it leaves by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    vip: IpAddr,
    pub(super) port: u8,
    pub(super) frame: Vec<u8>,
}

/// What a change of the configuration has to do with them.
#[derive(Debug)]
pub(super) struct News {
    /// The VIPs that are ours; another's frames are told no more, for it may have moved elsewhere.
    ours: BTreeSet<IpAddr>,
    /// Those that appear.
    frames: Vec<Told>,
}

impl News {
    /// Of the VIPs that `config` has and `before` had not; `macs` are those of the ports.
    pub(super) fn new(before: &BTreeSet<IpAddr>, config: &Config, macs: &[[u8; 6]]) -> Self {
        let ours = single_vips(config);
        let frames = frames(config, &ours.difference(before).copied().collect(), macs);
        Self { ours, frames }
    }
}

/// A frame that is told so many times more, and not before it is due.
#[derive(Debug)]
struct Waiting {
    due: Instant,
    left: u32,
    told: Told,
}

/// Frames that wait for their time.
#[derive(Debug)]
pub(super) struct Announcements {
    /// In the order in which they are due.
    waiting: VecDeque<Waiting>,
    /// The next frame leaves no sooner.
    free: Instant,
}

impl Announcements {
    /// None.
    pub(super) const fn new(now: Instant) -> Self {
        Self { waiting: VecDeque::new(), free: now }
    }

    /// Takes back what is no longer ours, and begins with what appears.
    pub(super) fn change(&mut self, news: News, now: Instant) {
        self.waiting.retain(|one| news.ours.contains(&one.told.vip));
        // Behind what is due, and before the later rounds.
        let mut later = self.waiting.split_off(self.waiting.partition_point(|one| one.due <= now));
        self.waiting.extend(news.frames.into_iter().map(|told| Waiting { due: now, left: ROUNDS, told }));
        self.waiting.append(&mut later);
    }

    /// The next one, if its time has come.
    pub(super) fn next(&mut self, now: Instant) -> Option<Told> {
        if now < self.free || self.waiting.front()?.due > now {
            return None;
        }
        let Waiting { left, told, .. } = self.waiting.pop_front()?;
        self.free = now + GAP;
        if left > 1 {
            // The last one that was told is the last one that is due.
            self.waiting.push_back(Waiting { due: now + PAUSE, left: left - 1, told: told.clone() });
        }
        Some(told)
    }
}

/// The VIPs that are single addresses; a prefix is routed to us.
pub(super) fn single_vips(config: &Config) -> BTreeSet<IpAddr> {
    let single = |vip: &conf::Vip| u32::from(vip.prefix_len) == if vip.address.is_ipv4() { 32 } else { 128 };
    let vips = config.services.iter().map(|service| service.vip).filter(single);
    vips.map(|vip| vip.address).collect()
}

/// One frame for each of these VIPs, on every port that has a twin.
fn frames(config: &Config, vips: &BTreeSet<IpAddr>, macs: &[[u8; 6]]) -> Vec<Told> {
    let ports = (0_u8..).zip(config.ports.iter().zip(macs)).filter(|(_, (port, _))| port.has_twin());
    ports
        .flat_map(|(port, (_, &mac))| vips.iter().map(move |&vip| Told { vip, port, frame: frame(vip, mac) }))
        .collect()
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
    use super::{Announcements, GAP, News, PAUSE, ROUNDS, Told, frames, single_vips};
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::{Duration, Instant};

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
            told.iter().map(|told| (told.port, told.frame.len(), &told.frame[..14])).collect();
        let v4: &[u8] = &[255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6];
        let v6: &[u8] = &[0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x86, 0xdd];
        assert_eq!(begins, [(0, 42, v4), (0, 86, v6)]);
    }

    fn vip(number: u16) -> IpAddr {
        let [high, low] = number.to_be_bytes();
        Ipv4Addr::new(198, 51, high, low).into()
    }

    /// So many VIPs are ours, and those from the second number on appear.
    fn news(ours: u16, appears: u16) -> News {
        let told = |number| Told { vip: vip(number), port: 0, frame: Vec::new() };
        News { ours: (0..ours).map(vip).collect(), frames: (appears..ours).map(told).collect() }
    }

    /// What is told from `start` on for so long, by a ferry that looks each millisecond, and when.
    fn told_for(all: &mut Announcements, start: Instant, span: Duration) -> Vec<(Duration, IpAddr)> {
        let mut told = Vec::new();
        for at in (0..span.as_millis()).map(|ms| Duration::from_millis(u64::try_from(ms).unwrap())) {
            told.extend(all.next(start + at).map(|one| (at, one.vip)));
        }
        told
    }

    #[test]
    fn each_is_told_three_times_a_second_apart_and_at_most_a_hundred_a_second() {
        for count in [1_u16, 70, 250] {
            let start = Instant::now();
            let mut all = Announcements::new(start);
            all.change(news(count, 0), start);
            let told = told_for(&mut all, start, Duration::from_secs(9));
            assert_eq!(told.len(), usize::from(count) * ROUNDS as usize);
            assert!(told.windows(2).all(|pair| pair[1].0 - pair[0].0 >= GAP), "{count}: {told:?}");
            for number in 0..count {
                let own: Vec<_> =
                    told.iter().filter(|(_, one)| *one == vip(number)).map(|(at, _)| *at).collect();
                assert_eq!(own.len(), 3);
                assert!(own.windows(2).all(|pair| pair[1] - pair[0] >= PAUSE), "{count}: {own:?}");
            }
        }
    }

    #[test]
    fn a_vip_that_is_no_longer_ours_is_told_no_more() {
        let start = Instant::now();
        let mut all = Announcements::new(start);
        all.change(news(3, 0), start);
        let span = Duration::from_millis(500);
        assert_eq!(told_for(&mut all, start, span).len(), 3);
        // The first two stay ours, and nothing appears.
        all.change(news(2, 2), start + span);
        let after = told_for(&mut all, start + span, Duration::from_secs(9));
        assert_eq!(after.iter().filter(|(_, one)| *one == vip(2)).count(), 0);
        assert_eq!(after.len(), 4, "the others are told to the end");
        // One that comes back is told anew.
        all.change(news(3, 2), start + 20 * PAUSE);
        assert_eq!(told_for(&mut all, start + 20 * PAUSE, Duration::from_secs(9)).len(), 3);
    }

    #[test]
    fn one_that_appears_does_not_wait_for_the_later_rounds_of_others() {
        let start = Instant::now();
        let mut all = Announcements::new(start);
        all.change(news(1, 0), start);
        assert!(all.next(start).is_some());
        all.change(news(2, 1), start + GAP);
        assert_eq!(all.next(start + GAP).map(|told| told.vip), Some(vip(1)));
    }
}
