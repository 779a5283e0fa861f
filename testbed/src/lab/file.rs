//! A lab as a file: its nodes and cables, what runs on them, what is done there and what has to be seen.
//!
//! `testbed/labs/README.md` explains every key. Past [`LabFile::read`] every name that stands for something
//! stands for something that is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

/// What an interface of the kernel's may be called at most.
const NAME_BYTES_MAX: usize = 15;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabFile {
    /// What the lab is for.
    pub about: String,
    /// Machines: a network namespace each.
    pub node: Vec<Node>,
    /// Cables between two nodes.
    #[serde(default)]
    pub link: Vec<Link>,
    /// Switches.
    #[serde(default)]
    pub bridge: Vec<Bridge>,
    /// Files of the run.
    #[serde(default)]
    pub file: Vec<Text>,
    /// What runs as long as the lab stands.
    #[serde(default)]
    pub process: Vec<Service>,
    /// What is captured.
    #[serde(default)]
    pub capture: Vec<Capture>,
    /// What is done, one after the other.
    #[serde(default)]
    pub step: Vec<Step>,
    /// What the captures have to show.
    #[serde(default)]
    pub seen: Vec<Seen>,
    /// What the router has to have counted.
    #[serde(default)]
    pub counters: BTreeMap<String, Bounds>,
}

/// A machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its interfaces.
    #[serde(default)]
    pub interface: BTreeMap<String, Interface>,
    /// What is set below /proc/sys, with full stops between the names.
    #[serde(default)]
    pub sysctl: BTreeMap<String, String>,
    /// Routes, as `ip route add` takes them.
    #[serde(default)]
    pub routes: Vec<String>,
    /// Lines of shell that end its setting up.
    #[serde(default)]
    pub setup: Vec<String>,
}

/// An interface.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Addresses with their prefix lengths.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Its MAC address.
    pub mac: Option<String>,
    /// Its MTU.
    pub mtu: Option<u32>,
}

/// A cable.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Both ends, `NODE.INTERFACE`.
    pub ends: [String; 2],
}

/// A switch: a bridge in a namespace of its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// Its name.
    pub name: String,
    /// What it connects, `NODE.INTERFACE`; its own end of each cable is called as the node is.
    pub ports: Vec<String>,
    /// The largest packet it carries.
    pub mtu: Option<u32>,
}

/// A file that is written before anything starts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Its name in the folder of the run.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// What runs as long as the lab stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name; several nodes may run one.
    pub name: String,
    /// The nodes it runs on.
    pub on: Vec<String>,
    /// A line of shell that becomes it.
    pub run: String,
    /// Lines of shell that succeed as soon as it serves.
    pub ready: Option<String>,
    /// Lines of shell that are run once it serves.
    pub then: Option<String>,
}

/// A capture.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// Its name; the file is NAME.pcap.
    pub name: String,
    /// `NODE.INTERFACE`; a bridge is a node too.
    pub on: String,
    /// A capture filter.
    #[serde(default)]
    pub filter: String,
}

/// Something done on a node that has to succeed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// A sentence.
    pub name: String,
    /// The node.
    pub on: String,
    /// Lines of shell.
    pub run: String,
    /// What they have to say, each somewhere.
    #[serde(default)]
    pub expect: Vec<String>,
    /// What they must not say.
    #[serde(default)]
    pub refuse: Vec<String>,
}

/// How many packets of a capture tshark has to find.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// A sentence.
    pub name: String,
    /// The capture.
    pub capture: String,
    /// A display filter.
    pub filter: String,
    /// At least so many.
    #[serde(default)]
    pub min: u64,
    /// At most so many.
    pub max: Option<u64>,
}

/// Between what a counter has to stand.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// At least so much.
    #[serde(default)]
    pub min: u64,
    /// At most so much.
    pub max: Option<u64>,
}

impl LabFile {
    /// Reads one.
    ///
    /// # Errors
    /// All faults that it has.
    pub fn read(path: &Path) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
        Self::parse(&text).map_err(|error| told(&error))
    }

    /// Reads one from its text.
    ///
    /// # Errors
    /// All faults that it has.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let faults = file.faults();
        if faults.is_empty() { Ok(file) } else { Err(faults.join("\n")) }
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = self.faults_of_cables();
        let nodes: BTreeSet<&str> = self.node.iter().map(|node| node.name.as_str()).collect();
        let bridges: BTreeSet<&str> = self.bridge.iter().map(|bridge| bridge.name.as_str()).collect();
        let places = self.process.iter().flat_map(|one| one.on.iter().map(|on| (&one.name, on)));
        for (name, on) in places.chain(self.step.iter().map(|step| (&step.name, &step.on))) {
            if !nodes.contains(on.as_str()) {
                faults.push(format!("{name:?} is on {on:?}, which is no node"));
            }
        }
        for capture in &self.capture {
            let node = split(&capture.on).map(|(node, _)| node);
            if !node.is_some_and(|node| nodes.contains(node) || bridges.contains(node)) {
                faults.push(format!(
                    "the capture {:?} is on {:?}, which is no NODE.INTERFACE",
                    capture.name, capture.on
                ));
            }
        }
        for seen in &self.seen {
            if !self.capture.iter().any(|capture| capture.name == seen.capture) {
                faults.push(format!("{:?} looks into {:?}, which is no capture", seen.name, seen.capture));
            }
        }
        twice("step", self.step.iter().map(|step| &step.name), &mut faults);
        twice("capture", self.capture.iter().map(|capture| &capture.name), &mut faults);
        for name in self.counters.keys().filter(|name| counters::Counter::by_name(name).is_none()) {
            faults.push(format!("{name} is no counter"));
        }
        faults
    }

    fn faults_of_cables(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let nodes: BTreeSet<&str> = self.node.iter().map(|node| node.name.as_str()).collect();
        let bridges: BTreeSet<&str> = self.bridge.iter().map(|bridge| bridge.name.as_str()).collect();
        let names = self.node.iter().map(|node| &node.name).chain(self.bridge.iter().map(|one| &one.name));
        twice("node or bridge", names, &mut faults);
        for name in nodes.iter().chain(&bridges).filter(|name| !is_name(name)) {
            faults.push(format!("{name:?} is no name: 1 to {NAME_BYTES_MAX} letters, digits and hyphens"));
        }
        let mut ends = BTreeSet::new();
        for end in self.ends() {
            let known = |(node, interface)| {
                let mut of = self.node.iter().filter(|one| one.name == node);
                is_name(interface) && of.any(|node| node.interface.contains_key(interface))
            };
            if !split(end).is_some_and(known) {
                faults.push(format!("{end:?} is no end of a cable: NODE.INTERFACE, as a node above has it"));
            }
            if !ends.insert(end) {
                faults.push(format!("two cables end at {end}"));
            }
        }
        for node in &self.node {
            for interface in node.interface.keys().filter(|name| *name != "lo") {
                let end = format!("{}.{interface}", node.name);
                if !ends.contains(&end.as_str()) {
                    faults.push(format!("no cable ends at {end}"));
                }
            }
        }
        faults
    }

    /// Ends of cables at nodes.
    fn ends(&self) -> impl Iterator<Item = &str> {
        let links = self.link.iter().flat_map(|link| &link.ends);
        links.chain(self.bridge.iter().flat_map(|bridge| &bridge.ports)).map(String::as_str)
    }
}

/// `NODE.INTERFACE`.
pub(crate) fn split(end: &str) -> Option<(&str, &str)> {
    end.split_once('.')
}

fn is_name(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(fine)
}

fn twice<'a>(what: &str, names: impl Iterator<Item = &'a String>, faults: &mut Vec<String>) {
    let mut known = BTreeSet::new();
    for name in names {
        if !known.insert(name) {
            faults.push(format!("two of a {what} are called {name:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop, proptest};

    use super::LabFile;

    const GOOD: &str = r#"
        about = "two"
        [[node]]
        name = "a"
        interface.eth0 = { addresses = ["192.0.2.1/24"] }
        [[node]]
        name = "b"
        interface.eth0 = {}
        [[link]]
        ends = ["a.eth0", "b.eth0"]
    "#;

    #[test]
    fn a_small_file_is_read() {
        assert_eq!(LabFile::parse(GOOD).unwrap().node.len(), 2);
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let bad = r#"
            [[node]]
            name = "a"
            interface.eth1 = {}
            [[bridge]]
            name = "a"
            ports = ["c.eth0", "b.eth0"]
            [[process]]
            name = "p"
            on = ["x"]
            run = "true"
            [[step]]
            name = "s"
            on = "y"
            run = "true"
            [[capture]]
            name = "k"
            on = "z.eth0"
            [[seen]]
            name = "e"
            capture = "none"
            filter = "tcp"
            [counters]
            "drop.nothing" = {}
        "#;
        let told = LabFile::parse(&format!("{GOOD}{bad}")).unwrap_err();
        let expected = [
            "two of a node or bridge are called \"a\"",
            "\"c.eth0\" is no end of a cable",
            "two cables end at b.eth0",
            "no cable ends at a.eth1",
            "\"p\" is on \"x\"",
            "\"s\" is on \"y\"",
            "the capture \"k\" is on \"z.eth0\"",
            "\"e\" looks into \"none\"",
            "drop.nothing is no counter",
        ];
        for words in expected {
            assert!(told.contains(words), "{words} is not in:\n{told}");
        }
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line() {
        let told = LabFile::parse("about = \"x\"\nnodes = []\n").unwrap_err();
        assert!(told.contains("nodes") && told.contains("line 2"), "{told}");
    }

    /// A lab of the folder.
    fn labs() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            include_str!("../../labs/beside-the-kernel.toml"),
            include_str!("../../labs/bgp.toml"),
            include_str!("../../labs/one-lan.toml"),
            include_str!("../../labs/small-mtu.toml"),
            include_str!("../../labs/two-nodes.toml"),
        ])
    }

    /// A lab, or what is wrong: where the text is no lab's, with the line; where names do not fit together, with the
    /// name.
    fn is_read_or_told(text: &str) {
        let Err(told) = LabFile::parse(text) else { return };
        match toml::from_str::<LabFile>(text) {
            Err(_) => assert!(told.starts_with("TOML parse error at line "), "{told}"),
            Ok(file) => {
                let faults = file.faults();
                assert!(!faults.is_empty() && faults.iter().all(|fault| told.contains(fault)), "{told}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_a_lab_or_a_fault(text in any::<String>()) {
            is_read_or_told(&text);
        }

        #[test]
        fn a_damaged_lab_gives_a_lab_or_a_fault(
            lab in labs(),
            from in any::<prop::sample::Index>(),
            length in 0_usize..200,
            put in "\\PC{0,3}|[\"'\\[\\]={}.\n]{1,3}",
        ) {
            let from = lab.floor_char_boundary(from.index(lab.len()));
            let to = lab.ceil_char_boundary((from + length).min(lab.len()));
            is_read_or_told(&format!("{}{put}{}", &lab[..from], &lab[to..]));
        }

        #[test]
        fn a_lab_without_one_of_its_lines_gives_a_lab_or_a_fault(lab in labs(), gone in any::<prop::sample::Index>()) {
            let gone = gone.index(lab.lines().count());
            let kept: String =
                lab.lines().enumerate().filter(|(number, _)| *number != gone).map(|(_, line)| format!("{line}\n")).collect();
            is_read_or_told(&kept);
        }
    }
}
