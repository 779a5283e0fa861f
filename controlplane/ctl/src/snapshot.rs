//! How the running box stands, at one moment.
//!
//! Counts go up from the start of the dataplane and never back; whoever wants rates takes two snapshots.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A worker whose heart has not beaten for so many milliseconds is in trouble: it beats several times a second.
pub const SILENT_MS: u64 = 2_000;

/// Counters by name: `{"rx": 12, "drop.truncated": 0}`.
pub type Counts = BTreeMap<String, u64>;

/// How many packets wait for their real's next hop now, by these counters of the box or of a worker.
#[must_use]
pub fn held(counters: &Counts) -> u64 {
    let count = |name: &str| counters.get(name).copied().unwrap_or(0);
    count("held").saturating_sub(count("released"))
}

/// Everything a screen wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Milliseconds since the program started, by a clock that never goes back.
    pub at_ms: u64,
    /// The program's version.
    pub version: String,
    /// The table in force.
    pub generation: Generation,
    /// All counters, summed over the workers.
    pub counters: Counts,
    /// By name.
    pub services: Vec<Service>,
    /// By name.
    pub reals: Vec<Real>,
    /// As they are asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// By number.
    pub workers: Vec<Worker>,
    /// As configured.
    pub ports: Vec<Port>,
    /// Pools of which too little is up, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub panics: Vec<Panic>,
}

/// A pool of which so little is up that reals that have failed count as up too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panic {
    /// The pool's name.
    pub pool: String,
    /// How many percent of its weight are up.
    pub percent_up: u8,
    /// Below how many it panics.
    pub panic_percent: u8,
}

/// A forwarding table's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// It counts from 1 at each start.
    pub sequence: u64,
    /// SHA-256 of its root, in hex.
    pub digest: String,
    /// For how long it has been in force, in milliseconds.
    pub age_ms: u64,
    /// Which way responses take: `direct` or `via-slr`.
    #[serde(default)]
    pub return_path: String,
    /// The next hops beside it, which follow the kernel; not there where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_hops: Option<Box<NextHops>>,
}

/// Next hops that follow the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextHops {
    /// Reals whose next hop is followed.
    pub followed: u64,
    /// Of them, those whose next hop is known.
    pub known: u64,
    /// Changes that every worker has acknowledged and whose way was measured.
    pub changes: u64,
    /// Microseconds from the kernel's word to the last worker's acknowledgement, of the last change.
    pub last_us: u64,
    /// The most of any change.
    pub max_us: u64,
}

/// One service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// Address or prefix.
    pub vip: String,
    /// `tcp`, `udp`, `esp`, `ah`, `gre`, `sctp`, the number of another protocol, or `any`.
    pub protocol: String,
    /// One, a range, or `any`; `-` where the protocol has none.
    pub ports: String,
    /// Its pool's name.
    pub pool: String,
    /// Packets forwarded.
    pub packets: u64,
    /// Bytes of them at the IP layer, as they came.
    pub bytes: u64,
    /// Its responses; none where they do not pass us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responses: Option<Responses>,
}

/// Responses on their way from a service's servers to its clients, handed to the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responses {
    /// Packets.
    pub packets: u64,
    /// Bytes of them at the IP layer.
    pub bytes: u64,
}

/// One real.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Real {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// Its own address.
    pub address: String,
    /// `up`, `drain`, `down` or `failed`.
    pub state: String,
    /// Who said so: `file` or `operator`.
    pub by: String,
    /// Its share in each pool, by the pool's name.
    pub weights: BTreeMap<String, u32>,
    /// The pools in which that is an operator's word and not the file's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights_by_operator: Vec<String>,
    /// Where frames to it are sent.
    pub next_hop: NextHop,
    /// Packets forwarded.
    pub packets: u64,
    /// Bytes of them at the IP layer, as they came.
    pub bytes: u64,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// The larger is asked first.
    pub priority: u16,
    /// What it asks for, in words.
    pub asks: String,
    /// What becomes of packets that match, in words.
    pub does: String,
    /// Packets that it dropped, marked or limited, and of those that only give flows a service or a real the packets for
    /// which it was asked and did.
    pub packets: u64,
    /// Bytes of them at the IP layer, as they came.
    pub bytes: u64,
}

/// Where frames to a real are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextHop {
    /// The MAC address; empty if it is not known.
    pub mac: String,
    /// Where it is from: `file` or `kernel`.
    pub by: String,
    /// The name of the port they leave by; empty if it is the one that a packet came by, or not known.
    pub port: String,
    /// Why it is not known; empty if it is.
    pub why: String,
}

/// One worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Worker {
    /// Its number.
    pub number: u32,
    /// The share of its time that it had packets to move, 0 to 1, since the last snapshot.
    pub busy: f64,
    /// The seconds of it since the start.
    #[serde(default)]
    pub busy_seconds: f64,
    /// Flows in its table, and room for them.
    pub flows: u64,
    /// Room for flows.
    pub flows_max: u64,
    /// Milliseconds since its heart beat last.
    pub silent_ms: u64,
    /// Its own counters.
    pub counters: Counts,
}

/// What a port's driver counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// The DPDK device.
    pub device: String,
    /// Packets received.
    pub rx_packets: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Packets that the NIC had no room for.
    pub rx_missed: u64,
    /// Packets for which there was no mbuf.
    pub rx_no_mbuf: u64,
    /// Errors in either direction.
    pub errors: u64,
    /// What went to the kernel and came from it; not there where no port has a twin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<Twin>,
}

/// What the ferry carried between the workers and a port's twin in the kernel, in packets. What was taken was
/// written or refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Twin {
    /// Punted packets, taken from the workers.
    pub taken: u64,
    /// Of them, what the kernel took.
    pub written: u64,
    /// Of them, what it refused; all, where this port has no twin.
    pub refused: u64,
    /// From the kernel, handed to a worker to be sent.
    pub read: u64,
    /// From the kernel, for which the worker had no room.
    pub lost: u64,
}

/// One flow of a worker's table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The worker that has it.
    pub worker: u32,
    /// The client: address and port.
    pub client: String,
    /// The VIP: address and port.
    pub vip: String,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// The service's name, or its number where the name is gone.
    pub service: String,
    /// The real's name, or its number where the name is gone.
    pub real: String,
    /// `embryonic`, `established`, `closing` or `udp`.
    pub state: String,
    /// Milliseconds since its last packet, in steps of 125.
    pub silent_ms: u64,
}

/// One packet's verdict, out of a worker's recorder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The worker that decided.
    pub worker: u32,
    /// `tx`, or the drop's or punt's counter.
    pub left: String,
    /// The client's address and port; of IPv6 `v6~` and sixteen digits that stand for the address; `-` if the headers
    /// could not be read.
    pub client: String,
    /// The port it was for; 0 where there is none.
    pub port: u16,
    /// The service's name, or its number where the name is gone; `-` if none was found.
    pub service: String,
    /// The real's name, or its number where the name is gone; `-` if none was chosen.
    pub real: String,
    /// `hit`, `new`, `stateless`, or `-`.
    pub flow: String,
}
