//! The kernel's own answers, in a namespace that ends with the test. It needs root.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test fail as the test does")]

use std::fs::File;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

use kernel::{Asker, Event, Route, Watcher};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A namespace, as long as a process waits in it for its input to end: so it goes with us, whatever ends us.
struct Namespace(Child);

impl Namespace {
    fn new() -> Self {
        assert!(rustix::process::geteuid().is_root(), "network namespaces need root: run the tests as root");
        let mut waits = Command::new("unshare")
            .args(["--net", "sh", "-c", "echo in; cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0; 3];
        std::io::Read::read_exact(waits.stdout.as_mut().unwrap(), &mut said).unwrap();
        Self(waits)
    }

    /// Makes one, and moves this thread into it.
    fn enter() -> Self {
        let namespace = Self::new();
        let place = File::open(format!("/proc/{}/ns/net", namespace.0.id())).unwrap();
        move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        namespace
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// Runs `ip` where this thread is.
fn ip(lines: &[&str]) {
    for line in lines {
        let output = Command::new("ip").args(line.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "ip {line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn index(name: &str) -> u32 {
    let told = Command::new("ip").args(["-o", "link", "show", name]).output().unwrap();
    String::from_utf8(told.stdout).unwrap().split(':').next().unwrap().parse().unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The events up to and with the one that is `wanted`.
fn until(watcher: &mut Watcher, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
    let mut list = Vec::new();
    loop {
        list.push(watcher.next().unwrap());
        if list.last().is_some_and(&wanted) {
            return list;
        }
    }
}

/// Two links that are each other's ends; the far one has no address.
const LINKS: [&str; 7] = [
    "link add near type veth peer name far",
    "link set near addrgenmode none",
    "link set near up",
    "link set far up",
    "addr add 10.1.0.1/24 dev near",
    "addr add fd01::1/64 dev near nodad",
    // The kernel asks for IPv6 neighbours from its link-local address alone.
    "addr add fe80::1/64 dev near nodad",
];

#[test]
fn what_stands_is_told_and_then_what_changes() {
    let _namespace = Namespace::enter();
    ip(&LINKS);
    ip(&["neigh add 10.1.0.2 lladdr 02:00:00:00:00:02 dev near"]);
    let near = index("near");
    let mut watcher = Watcher::open().unwrap();
    let first = until(&mut watcher, |event| *event == Event::Synced);
    let of = |address, mac| Event::Neighbour { index: near, address, mac };
    assert_eq!(first.first(), Some(&Event::Resync));
    assert!(first.contains(&Event::Link { index: near, name: "near".to_owned(), up: true }), "{first:?}");
    assert!(first.contains(&of(address("10.1.0.2"), Some([2, 0, 0, 0, 0, 2]))), "{first:?}");

    ip(&["neigh replace 10.1.0.2 lladdr 02:00:00:00:00:12 dev near"]);
    until(&mut watcher, |event| *event == of(address("10.1.0.2"), Some([2, 0, 0, 0, 0, 0x12])));
    ip(&["neigh add fd01::2 lladdr 02:00:00:00:00:22 dev near nud stale"]);
    until(&mut watcher, |event| *event == of(address("fd01::2"), Some([2, 0, 0, 0, 0, 0x22])));
    ip(&["neigh del 10.1.0.2 dev near"]);
    until(&mut watcher, |event| *event == of(address("10.1.0.2"), None));
    ip(&["route add 10.9.0.0/16 via 10.1.0.2"]);
    until(&mut watcher, |event| *event == Event::RoutesChanged);
    ip(&["nexthop add id 7 via 10.1.0.2 dev near", "nexthop replace id 7 via 10.1.0.3 dev near"]);
    until(&mut watcher, |event| *event == Event::RoutesChanged);
    ip(&["link set far down"]);
    until(&mut watcher, |event| *event == Event::Link { index: near, name: "near".to_owned(), up: false });
    ip(&["link del near"]);
    until(&mut watcher, |event| *event == Event::LinkGone { index: near });
}

#[test]
fn the_way_is_the_kernels() {
    let _namespace = Namespace::enter();
    ip(&LINKS);
    let near = index("near");
    let mut asker = Asker::open().unwrap();
    let on_link = Some(Route { index: near, gateway: None });
    let by = |gateway: &str| Some(Route { index: near, gateway: Some(address(gateway)) });
    assert_eq!(asker.route(address("10.1.0.9")).unwrap(), on_link);
    assert_eq!(asker.route(address("fd01::9")).unwrap(), on_link);
    assert_eq!(asker.route(address("10.9.0.9")).unwrap(), None, "no route");
    assert_eq!(asker.route(address("fd09::9")).unwrap(), None, "no route");
    assert_eq!(asker.route(address("10.1.0.1")).unwrap(), None, "it is our own");
    ip(&[
        "route add 10.9.0.0/16 via 10.1.0.2",
        "route add fd09::/16 via fd01::2",
        "route add 10.8.0.0/16 via inet6 fd01::8 dev near",
        "route add 10.7.0.0/16 nexthop via 10.1.0.7 dev near nexthop via 10.1.0.7 dev near weight 2",
        "nexthop add id 6 via 10.1.0.6 dev near",
        "route add 10.6.0.0/16 nhid 6",
        "route add unreachable 10.5.0.0/16",
        "route add blackhole fd05::/16",
    ]);
    assert_eq!(asker.route(address("10.9.0.9")).unwrap(), by("10.1.0.2"));
    assert_eq!(asker.route(address("fd09::9")).unwrap(), by("fd01::2"));
    assert_eq!(asker.route(address("10.8.0.9")).unwrap(), by("fd01::8"));
    assert_eq!(asker.route(address("10.7.0.9")).unwrap(), by("10.1.0.7"));
    assert_eq!(asker.route(address("10.6.0.9")).unwrap(), by("10.1.0.6"));
    assert_eq!(asker.route(address("10.5.0.9")).unwrap(), None);
    assert_eq!(asker.route(address("fd05::9")).unwrap(), None);
    // A rule sends some addresses by another table.
    ip(&["rule add to 10.9.0.7 table 99", "route add 10.9.0.0/16 via 10.1.0.3 table 99"]);
    assert_eq!(asker.route(address("10.9.0.7")).unwrap(), by("10.1.0.3"));
}

#[test]
fn a_neighbour_is_looked_for_and_one_that_does_not_answer_is_not_there() {
    let _namespace = Namespace::enter();
    let mac = [2, 0, 0, 0, 0, 9];
    ip(&LINKS);
    // The far end answers for one address, from a namespace of its own: its link is moved there.
    let far = Namespace::new();
    ip(&[&format!("link set far netns {}", far.0.id())]);
    let lines = "ip link set far address 02:00:00:00:00:09 up && ip addr add 10.1.0.9/24 dev far \
                 && ip addr add fd01::9/64 dev far nodad";
    let pid = far.0.id().to_string();
    let inside = Command::new("nsenter").args(["-t", &pid, "-n", "sh", "-c", lines]).status().unwrap();
    assert!(inside.success());
    let near = index("near");
    let mut watcher = Watcher::open().unwrap();
    until(&mut watcher, |event| *event == Event::Synced);
    let mut asker = Asker::open().unwrap();
    for there in ["10.1.0.9", "fd01::9"].map(address) {
        asker.resolve(near, there).unwrap();
        until(&mut watcher, |event| {
            *event == Event::Neighbour { index: near, address: there, mac: Some(mac) }
        });
        // Again is no harm, and changes nothing.
        asker.resolve(near, there).unwrap();
        let told = Command::new("ip").args(["neigh", "show", &there.to_string()]).output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        assert!(told.contains("managed") && told.contains("02:00:00:00:00:09"), "{told}");
        asker.release(near, there).unwrap();
        let told = Command::new("ip").args(["neigh", "show", &there.to_string()]).output().unwrap();
        assert!(!String::from_utf8(told.stdout).unwrap().contains("managed"));
    }
    for absent in ["10.1.0.8", "fd01::8"].map(address) {
        asker.resolve(near, absent).unwrap();
        until(&mut watcher, |event| *event == Event::Neighbour { index: near, address: absent, mac: None });
    }
    assert!(asker.resolve(9999, address("10.1.0.9")).is_err(), "there is no such link");
}
