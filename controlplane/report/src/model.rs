//! What a report holds. Every field is public and plain; the JSON has the same names.

use crate::evenness::Evenness;
use crate::latency::Bucket;
use crate::{html, text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One replay, start to end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The program's version.
    pub version: String,
    /// The command line, word by word.
    pub command_line: Vec<String>,
    /// `memory` or `dpdk`.
    pub backend: String,
    /// Workers, each on its own lcore.
    pub workers: u32,
    /// How often the capture was sent through.
    pub loops: u64,
    /// What went in.
    pub capture: CaptureInfo,
    /// The forwarding table that decided.
    pub generation: Generation,
    /// What it ran on.
    pub machine: Machine,
    /// Packets received, all loops together.
    pub packets: u64,
    /// Bytes received, without the frame check sequence.
    pub bytes: u64,
    /// Packets made here: answers to packets that were dropped, each transmitted beside the drop.
    #[serde(default)]
    pub made: u64,
    /// Packets by verdict and reason; those that did not occur may be there with 0.
    pub verdicts: Vec<Verdict>,
    /// Forwarded packets per service, and per real within it.
    pub services: Vec<Service>,
    /// Forwarded packets per real, over all services ([`sum_reals`]).
    pub reals: Vec<Real>,
    /// What each rule decided about, as they are asked, and also those that decided about nothing.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// How fast it was.
    pub speed: Speed,
    /// How many packets took how long ([`buckets`](crate::buckets)).
    pub latency: Vec<Bucket>,
    /// Packets over time.
    pub rate: Rate,
    /// What the flow table did.
    pub flows: Flows,
    /// Allocations of memory after start, by the workers; none where they were not counted.
    pub allocations_after_start: Option<u64>,
    /// mbufs that were not given back; none where the back end has none.
    pub mbufs_leaked: Option<u64>,
}

/// The capture that was replayed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CaptureInfo {
    /// The file, as it was named.
    pub name: String,
    /// `pcap`, `modified pcap` or `pcapng`.
    pub format: String,
    /// Packets in it.
    pub packets: u64,
    /// Bytes of its packets, as captured.
    pub bytes: u64,
    /// From its earliest packet to its latest, in seconds.
    pub duration_seconds: f64,
    /// Its faults, counted by kind; kinds without one may be left out.
    pub faults: Vec<FaultCount>,
    /// The first faults, one sentence each, with packet index and byte offset.
    pub first_faults: Vec<String>,
}

/// How often one kind of fault occurred in a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCount {
    /// The kind, in words.
    pub kind: String,
    /// How often.
    pub count: u64,
}

/// The name of a generation of the forwarding table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Its number in this run.
    pub sequence: u64,
    /// The SHA-256 of its root, in hexadecimal.
    pub digest: String,
}

/// The machine and how it was used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu_model: String,
    /// Its cores that the system sees.
    pub cores: u32,
    /// The kernel's name and version.
    pub kernel: String,
    /// The version of DPDK, where it was used.
    pub dpdk_version: Option<String>,
    /// The memory of packets and tables: `hugetlb`, `transparent huge pages`, `4 KiB pages`.
    pub memory_mode: String,
}

/// One verdict with its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The counter's name: `tx`, `drop.truncated`, `punt.not_ip`.
    pub name: String,
    /// The counter's help.
    pub help: String,
    /// Packets that left by it.
    pub packets: u64,
}

/// The three ways out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Transmitted.
    Forwarded,
    /// Handed to the kernel.
    Punted,
    /// Dropped.
    Dropped,
}

impl Verdict {
    /// Which way out it is, by the prefix of its name.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.name.starts_with("drop.") {
            Kind::Dropped
        } else if self.name.starts_with("punt.") {
            Kind::Punted
        } else {
            Kind::Forwarded
        }
    }
}

/// One service and how its packets were shared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Its VIP, protocol and ports, in words.
    pub vip: String,
    /// Packets forwarded for it.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Its responses; none where they do not pass us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responses: Option<Responses>,
    /// How evenly its packets were shared; none without packets.
    pub packets_evenness: Option<Evenness>,
    /// How evenly its flows were shared; none where they were not counted.
    pub flows_evenness: Option<Evenness>,
    /// What each real of it got.
    pub reals: Vec<Share>,
}

/// Responses of a service on their way back through us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responses {
    /// Packets.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What one real got of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The real's number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Its weight in the service's pool; 0 takes no new flows.
    pub weight: u32,
    /// Packets forwarded to it.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Flows it was chosen for; none where they were not counted.
    pub flows: Option<u64>,
}

impl Service {
    /// Sums up what its reals got.
    #[must_use]
    pub fn new(number: u32, name: impl Into<String>, vip: impl Into<String>, reals: Vec<Share>) -> Self {
        let flows: Option<Vec<(u32, u64)>> =
            reals.iter().map(|real| Some((real.weight, real.flows?))).collect();
        Self {
            number,
            name: name.into(),
            vip: vip.into(),
            packets: reals.iter().map(|real| real.packets).sum(),
            bytes: reals.iter().map(|real| real.bytes).sum(),
            responses: None,
            packets_evenness: Evenness::of(reals.iter().map(|real| (real.weight, real.packets))),
            flows_evenness: flows.and_then(|flows| Evenness::of(flows.into_iter())),
            reals,
        }
    }

    /// The flows of all its reals, where all were counted.
    #[must_use]
    pub fn flows(&self) -> Option<u64> {
        self.reals.iter().map(|real| real.flows).sum()
    }
}

/// What one real got of all services.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Real {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Services that it has a share of.
    pub services: u32,
    /// Packets forwarded to it.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Flows it was chosen for; none where they were not counted.
    pub flows: Option<u64>,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Packets that it dropped, marked or limited, and packets for which it was asked and gave a service or a real.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The reals of all services, by number, each with the sum of its shares.
#[must_use]
pub fn sum_reals(services: &[Service]) -> Vec<Real> {
    let mut reals: BTreeMap<u32, Real> = BTreeMap::new();
    for share in services.iter().flat_map(|service| &service.reals) {
        let real = reals.entry(share.number).or_insert_with(|| Real {
            number: share.number,
            name: share.name.clone(),
            address: share.address.clone(),
            flows: Some(0),
            ..Real::default()
        });
        real.services += 1;
        real.packets += share.packets;
        real.bytes += share.bytes;
        real.flows = real.flows.zip(share.flows).map(|(sum, flows)| sum + flows);
    }
    reals.into_values().collect()
}

/// How fast the packets went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Millions of packets per second: all packets over `busy_seconds`, or over `wall_seconds` where that
    /// is 0.
    pub mpps: f64,
    /// From the first packet to the last, on the wall.
    pub wall_seconds: f64,
    /// CPU time of the workers between the two, summed.
    pub busy_seconds: f64,
    /// Bursts that were timed.
    pub bursts: u64,
    /// Nanoseconds per packet of a burst: half of all bursts took at most this.
    pub median_ns: f64,
    /// 99 % took at most this.
    pub p99_ns: f64,
    /// 99.9 % took at most this.
    pub p999_ns: f64,
}

/// Packets over time, in steps of equal length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Whose time it is.
    pub clock: Clock,
    /// The length of a step, in seconds.
    pub step_seconds: f64,
    /// Packets received in each step.
    pub received: Vec<u64>,
    /// Packets forwarded in each step; empty where that was not counted.
    pub forwarded: Vec<u64>,
}

/// Whose time a rate is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// The capture's own times.
    #[default]
    Capture,
    /// The time of the replay.
    Wall,
}

/// What the flow table did, and how full it was at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flows {
    /// Packets whose flow was in the table.
    pub hits: u64,
    /// Flows put in.
    pub inserted: u64,
    /// Packets forwarded without an entry.
    pub stateless: u64,
    /// Flows removed after their time.
    pub expired: u64,
    /// Embryonic flows evicted for a newer one.
    pub evicted: u64,
    /// Flows given another real.
    pub moved: u64,
    /// Flows in the table at the end, all shards together.
    pub live: u64,
    /// Flows that it has room for.
    pub capacity: u64,
    /// `live / capacity`, from 0 to 1.
    pub occupancy: f64,
}

impl Flows {
    /// These flows, with `live` of `capacity` in the table at the end.
    #[must_use]
    pub fn with_occupancy(self, live: u64, capacity: u64) -> Self {
        let occupancy = if capacity == 0 { 0.0 } else { live as f64 / capacity as f64 };
        Self { live, capacity, occupancy, ..self }
    }
}

impl Report {
    /// The whole report as JSON.
    ///
    /// # Errors
    /// None that is known of: every key is a string, and a number that is none becomes `null`.
    pub fn to_json_pretty(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// One self-contained page.
    #[must_use]
    pub fn to_html(&self) -> String {
        html::page(self)
    }

    /// The short table for a terminal: at most 40 lines, each ended.
    #[must_use]
    pub fn to_text(&self) -> String {
        text::table(self)
    }

    /// Packets that left that way.
    #[must_use]
    pub fn left(&self, kind: Kind) -> u64 {
        self.verdicts.iter().filter(|verdict| verdict.kind() == kind).map(|verdict| verdict.packets).sum()
    }

    /// The sum law: every packet received or made here left by one verdict.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.packets + self.made == self.verdicts.iter().map(|verdict| verdict.packets).sum::<u64>()
    }
}
