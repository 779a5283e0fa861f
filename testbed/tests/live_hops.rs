//! Next hops that follow the kernel, under load, IPv4 and IPv6: another MAC address, another router, a server
//! that is gone for a while. What was lost is told; what is held against is the order in which packets were sent,
//! and what was counted. And packets that come before the way is known, which wait; and a way that leads to another port.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test fail as the test does"
)]

use std::sync::Mutex;
use std::time::{Duration, Instant};

use ctl::{Answer, Client, Deed, Show, View};
use testbed::lab::{Lab, Stay};
use testbed::root;

/// A machine that takes longer is broken.
const PATIENCE: Duration = Duration::from_secs(60);
/// The MAC address of the box's first port.
const OURS: &str = "02:00:00:00:00:01";
/// Packets that may wait in a worker, as the README says.
const HELD_MAX: u64 = 64;
/// Questions to the near and the far server, of both families.
const PLACES: &str = "10.0.0.100,8082 2001:db8:a::100,8082 10.0.0.100,8083 2001:db8:a::100,8083";

/// One lab at a time: what the first measures is not to be disturbed.
static ALONE: Mutex<()> = Mutex::new(());

/// The lab, and the router's console.
struct Live {
    lab: Lab,
    client: Client,
}

impl Live {
    fn raise(lab: &str) -> Self {
        let lab = Lab::raise(&root().join("testbed/labs").join(lab), Stay::Goes).unwrap();
        let client = Client::connect(&lab.path("control.sock")).unwrap();
        Self { lab, client }
    }

    fn show(&mut self, what: View) -> Answer {
        let deed = || Deed::Show(Show { what, service: None, real: None, limit: None });
        if let Ok(answer) = self.client.ask(deed()) {
            return answer;
        }
        // Who has asked nothing for ten seconds is let go, and a step may take longer.
        self.client = Client::connect(&self.lab.path("control.sock")).unwrap();
        self.client.ask(deed()).unwrap()
    }

    fn hop(&mut self, real: &str) -> ctl::NextHop {
        let Answer::Reals(reals) = self.show(View::Reals) else { panic!("no reals") };
        reals.into_iter().find(|row| row.name == real).unwrap().next_hop
    }

    fn count(&mut self, counter: &str) -> u64 {
        let Answer::Counters(counts) = self.show(View::Counters) else { panic!("no counters") };
        counts[counter]
    }

    /// How many had to wait, how many wait now, and how many were dropped for want of a next hop.
    fn waiting(&mut self) -> (u64, u64, u64) {
        let Answer::Counters(counts) = self.show(View::Counters) else { panic!("no counters") };
        let now = ctl::held(&counts);
        assert!(now <= HELD_MAX, "{now} packets wait");
        (counts["held"], now, counts["drop.no_next_hop"])
    }

    fn hops(&mut self) -> ctl::NextHops {
        let Answer::Generation(generation) = self.show(View::Generation) else { panic!("no generation") };
        *generation.next_hops.unwrap()
    }

    /// Waits until a real and its brother of the other family are reached by a MAC address; none is empty.
    fn await_hop(&mut self, real: &str, mac: &str) {
        for real in [real.to_owned(), format!("{real}-v6")] {
            self.wait(&format!("{real} to have next hop {mac:?}"), |live| live.hop(&real).mac == mac);
        }
    }

    /// Waits for something.
    fn wait(&mut self, what: &str, is_so: impl Fn(&mut Self) -> bool) {
        let begin = Instant::now();
        while !is_so(self) {
            assert!(begin.elapsed() < PATIENCE, "waited in vain for {what}: {:?}", self.show(View::Reals));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until each real has been sent more than before, and every server has answered a question.
    fn await_traffic(&mut self) {
        let packets = |live: &mut Self| {
            let Answer::Reals(reals) = live.show(View::Reals) else { panic!("no reals") };
            reals.iter().map(|real| real.packets).collect::<Vec<_>>()
        };
        let before = packets(self);
        self.wait("traffic to every real", |live| {
            packets(live).iter().zip(&before).all(|(now, before)| now - before >= 100)
        });
        self.run("client", &format!("timeout 60 python3 {{folder}}/ask.py {PLACES}"));
    }

    fn run(&mut self, node: &str, lines: &str) {
        self.lab.run(node, lines).unwrap().require_success().unwrap();
    }
}

/// The destinations of frames that hold packets to an address, each once, in the order they were sent.
fn destinations(lab: &mut Lab, filter: &str) -> Vec<String> {
    let rows = lab.captured("sent", filter, &["eth.dst"]).unwrap();
    let mut list: Vec<String> = rows.into_iter().filter_map(|row| row.into_iter().next()).collect();
    list.dedup();
    list
}

#[test]
fn next_hops_follow_the_kernel_under_load() {
    let [near_old, near_new] = ["02:00:00:00:00:11", "02:00:00:00:00:31"];
    let [gate_1, gate_2] = ["02:00:00:00:00:21", "02:00:00:00:00:22"];
    let _alone = ALONE.lock();
    let mut live = Live::raise("next-hops.toml");
    live.await_hop("web-1", near_old);
    live.await_hop("web-2", gate_1);
    let hop = live.hop("web-1");
    assert_eq!((hop.by.as_str(), hop.port.as_str(), hop.why.as_str()), ("kernel", "lan0", ""));
    live.lab.begin("load", "client", &format!("python3 {{folder}}/load.py {PLACES}")).unwrap();
    live.await_traffic();

    // A server has another MAC address.
    live.run("web-1", &format!("ip link set eth0 address {near_new}"));
    live.await_hop("web-1", near_new);
    live.await_traffic();
    // Another router leads to the far one.
    live.run("box", "ip route replace 10.1.0.0/24 via 10.0.0.22");
    live.run("box", "ip route replace 2001:db8:b::/64 via 2001:db8:a::22");
    live.await_hop("web-2", gate_2);
    live.await_traffic();
    let hops = live.hops();
    println!(
        "{} changes of next hops; from the kernel's word to the worker's acknowledgement {} us at most, the last {} us",
        hops.changes, hops.max_us, hops.last_us
    );
    assert!(hops.changes >= 4 && (hops.followed, hops.known) == (4, 4), "{hops:?}");
    let so_far = live.count("drop.no_next_hop");

    // A server is not there for a while: its packets are dropped and counted, the others' go on.
    live.run("lan", "ip link set web-1 down");
    live.await_hop("web-1", "");
    assert_eq!(live.hop("web-1").why, "10.0.0.11 does not answer");
    live.wait("packets without a next hop", |live| live.count("drop.no_next_hop") >= so_far + 100);
    live.run("lan", "ip link set web-1 up");
    live.await_hop("web-1", near_new);
    live.await_traffic();
    let lost = live.count("drop.no_next_hop");

    let said = live.lab.end("load").unwrap();
    println!("{}", said.trim());
    println!("without a next hop: {so_far} of two changes, {} while a server was gone", lost - so_far);
    let told: Vec<serde_json::Value> = serde_json::from_str(said.trim()).unwrap();
    for place in told {
        assert!(place["answered"].as_u64().unwrap() > 200, "{place}");
    }
    // Each change was made once, and between two packets.
    let near = [near_old, near_new];
    assert_eq!(destinations(&mut live.lab, "ip.dst == 10.0.0.11"), near);
    assert_eq!(destinations(&mut live.lab, "ipv6.dst == 2001:db8:a::11"), near);
    let far = [gate_1, gate_2];
    assert_eq!(destinations(&mut live.lab, "ip.dst == 10.1.0.12"), far);
    assert_eq!(destinations(&mut live.lab, "ipv6.dst == 2001:db8:b::12"), far);

    let moved = live.lab.counted().unwrap();
    let others: Vec<_> = moved
        .counters
        .iter()
        .filter(|(name, n)| name.starts_with("drop.") && *name != "drop.no_next_hop" && **n > 0)
        .collect();
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(moved.get("flow.moved"), 0);
}

/// The packets of a capture from a client's port: their numbers, each packet to that MAC address.
fn numbers(lab: &mut Lab, capture: &str, from: u16, mac: &str) -> Vec<u64> {
    let rows = lab.captured(capture, &format!("udp.srcport == {from}"), &["eth.dst", "udp.payload"]).unwrap();
    let number = |row: Vec<String>| {
        assert_eq!(row[0], mac, "{row:?} of {capture}");
        u64::from_str_radix(&row[1], 16).unwrap()
    };
    rows.into_iter().map(number).collect()
}

/// So many packets come while no way is known; then one is, by the near port. Whether all were sent.
fn all_waited(live: &mut Live, from: u16, packets: u64) -> bool {
    let (held, _, dropped) = live.waiting();
    live.run("client", &format!("python3 {{folder}}/send.py {from} {packets} 0"));
    live.wait("packets that wait", |live| live.waiting().0 == held + packets);
    live.run("box", "ip addr add 10.0.0.2/24 dev lan0 && ip route add 10.1.0.11 via 10.0.0.11");
    live.wait("packets that wait no more", |live| live.waiting().1 == 0);
    live.waiting().2 == dropped
}

/// No way is known any more.
fn forget(live: &mut Live) {
    live.run("box", "ip route del 10.1.0.11; ip addr del 10.0.0.2/24 dev lan0; ip neigh flush dev lan0");
    live.wait("no next hop", |live| live.hop("web").mac.is_empty());
}

#[test]
fn the_first_packets_wait_for_the_hop_and_a_hop_moves_to_another_port() {
    const FEW: u64 = 20;
    let [near, far] = ["02:00:00:00:00:11", "02:00:00:00:00:12"];
    let _alone = ALONE.lock();
    let mut live = Live::raise("waiting.toml");
    assert_eq!((live.hop("web").mac.as_str(), live.waiting()), ("", (0, 0, 0)));

    // The first packets. A machine that takes longer than a second for the way has dropped them, and tries again.
    let begin = Instant::now();
    let mut froms = 5000..;
    let from = loop {
        let from = froms.next().unwrap();
        if all_waited(&mut live, from, FEW) {
            break from;
        }
        println!("the way took more than a second");
        assert!(begin.elapsed() < PATIENCE, "packets that waited are never sent");
        forget(&mut live);
    };
    live.wait("the hop", |live| live.hop("web").mac == near);

    // No more wait than may, however many come.
    forget(&mut live);
    let (held, _, dropped) = live.waiting();
    live.lab.begin("flood", "client", "python3 {folder}/send.py 6000 1000000 0.001").unwrap();
    live.wait("packets that found no room", |live| live.waiting().2 >= dropped + 500);
    let _ = live.lab.end("flood").unwrap();
    live.wait("packets that wait no more", |live| live.waiting().1 == 0);
    assert!(live.waiting().0 >= held + HELD_MAX);

    // The way leads to the other port.
    live.run("box", "ip addr add 10.0.0.2/24 dev lan0 && ip addr add 10.2.0.2/24 dev lan1");
    live.run("box", "ip route add 10.1.0.11 via 10.0.0.11 && ping -q -c 1 -w 30 10.2.0.11");
    live.wait("the near way", |live| live.hop("web").mac == near);
    let sent = |live: &mut Live, packets| {
        let before = live.count("tx");
        live.wait("packets that are sent", |live| live.count("tx") >= before + packets);
    };
    live.lab.begin("load", "client", "python3 {folder}/send.py 7000 1000000 0.005").unwrap();
    sent(&mut live, 100);
    live.run("box", "ip route replace 10.1.0.11 via 10.2.0.11");
    live.wait("the way by the other port", |live| live.hop("web").mac == far);
    assert_eq!(live.hop("web").port, "lan1");
    sent(&mut live, 100);
    let _ = live.lab.end("load").unwrap();
    let _ = live.lab.counted().unwrap();

    let came = numbers(&mut live.lab, "came", from, OURS);
    assert_eq!((came.len() as u64, came.iter().max()), (FEW, Some(&(FEW - 1))));
    assert_eq!(numbers(&mut live.lab, "sent", from, near), came, "what waited was sent in order");
    let came = numbers(&mut live.lab, "came", 7000, OURS);
    let mut by = numbers(&mut live.lab, "sent", 7000, near);
    let by_other = numbers(&mut live.lab, "sent-2", 7000, far);
    assert!(by.len() >= 50 && by_other.len() >= 50, "{} and {} packets", by.len(), by_other.len());
    by.extend(by_other);
    assert_eq!(by, came, "each left once, and the later ones by the other port");
}
