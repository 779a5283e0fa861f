//! What is asked and what is answered.
//!
//! One JSON object a line, UTF-8; a request has at most [`LINE_BYTES_MAX`] bytes. Unknown keys are faults: a
//! misspelt option must not pass for its default.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::snapshot::{Counts, Flow, Generation, Port, Real, Rule, Service, Snapshot, Verdict, Worker};

/// The version of these messages; another is refused by its number.
pub const VERSION: u32 = 1;

/// The longest line of a request, its newline included.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// The longest line of an answer, its newline included: every real and service that there can be, with names
/// of any length, and a lot to spare.
pub const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// `{"v":1,"id":7,"do":{"show":{"what":"reals"}}}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// [`VERSION`].
    pub v: u32,
    /// Comes back with the answer.
    #[serde(default)]
    pub id: u64,
    /// What to do.
    #[serde(rename = "do")]
    pub deed: Deed,
}

/// What of a request is read before all of it: another version may have other keys.
#[derive(Deserialize)]
struct Head {
    v: u32,
    #[serde(default)]
    id: u64,
}

impl Request {
    /// From a line without its newline.
    ///
    /// # Errors
    /// The answer to who sent it.
    pub fn parse(line: &[u8]) -> Result<Self, Reply> {
        let head: Option<Head> = serde_json::from_slice(line).ok();
        let id = head.as_ref().map_or(0, |head| head.id);
        if let Some(Head { v, .. }) = head.filter(|head| head.v != VERSION) {
            let text = format!("version {v} is not spoken here, only {VERSION}");
            return Err(Reply::new(id, Outcome::refused(Code::Version, text)));
        }
        serde_json::from_slice(line).map_err(|error| {
            Reply::new(id, Outcome::refused(Code::BadRequest, format!("the line is no request: {error}")))
        })
    }

    /// As a line with its newline.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        line(self)
    }
}

/// Text and numbers always make JSON; were they not to, an empty line would be refused as no message.
fn line(message: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(message).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// What can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Answered at once, whatever else goes on.
    Ping,
    /// Say how things stand.
    Show(Show),
    /// Read the configuration again and apply it.
    Reload(Reload),
    /// An operator's word about one real.
    Override(Override),
    /// Packets, as they come and with what is decided about each. After the answer the connection is a pcapng
    /// file, until it is closed or the asker will not write any more.
    Capture(Capture),
    /// What the box would do with a packet now.
    Explain(Explain),
}

/// What to show, and of it what. A filter that names nothing there is says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// Which view.
    pub what: View,
    /// Only this service's (by name).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Only this real's (by name).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real: Option<String>,
    /// At most so many rows ([`Rows`](crate::Rows) says when there are more).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A view of the running box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Everything below but flows and table: what a screen wants.
    All,
    /// Every counter by name.
    Counters,
    /// Packets and bytes of each service.
    Services,
    /// State, weight, packets and bytes of each real.
    Reals,
    /// Packets and bytes of each rule.
    Rules,
    /// Flows in the tables.
    Flows,
    /// What each worker does.
    Workers,
    /// What each port's driver counted.
    Ports,
    /// Services, pools and templates of the forwarding table.
    Table,
    /// Which table is in force, and since when.
    Generation,
    /// The last verdicts of each worker.
    Recorder,
}

/// Which packets to capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// Classic BPF for Ethernet frames, an instruction a number: `code << 48 | jt << 40 | jf << 32 | k`. None take
    /// every packet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<u64>,
    /// Only packets that are dropped.
    #[serde(default)]
    pub drops: bool,
    /// End after so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// A packet to be explained.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// An Ethernet frame in hexadecimal digits.
    pub packet: String,
}

/// Apply a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reload {
    /// The file; without it the one the program was started with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<PathBuf>,
    /// Only say what would change.
    #[serde(default)]
    pub dry_run: bool,
}

/// An operator's word about one real. It stands until it is taken back, until the file changes that same key of
/// that real, or until the real goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The real's name.
    pub real: String,
    /// What becomes of it.
    pub to: Word,
}

/// The word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Keeps its flows and takes no new ones.
    Drain,
    /// Takes nothing.
    Down,
    /// Takes nothing, by the word of its health: where too few others are up, it counts as up all the same.
    Fail,
    /// Takes new flows again, whatever the file says.
    Up,
    /// As the file says: takes back drain, down, fail or up.
    Undrain,
    /// Another share in one pool, or in all that it is a member of.
    Weight {
        /// 0 (none) to 65535; nothing takes back what was said: as the file says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weight: Option<u32>,
        /// The pool's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pool: Option<String>,
    },
}

/// `{"v":1,"id":7,"ok":{…}}` or `{"v":1,"id":7,"error":{…}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// [`VERSION`].
    pub v: u32,
    /// The request's; 0 if it could not be read.
    pub id: u64,
    /// How it went.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Reply {
    /// To the request of that id.
    #[must_use]
    pub const fn new(id: u64, outcome: Outcome) -> Self {
        Self { v: VERSION, id, outcome }
    }

    /// As a line with its newline.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        line(self)
    }
}

/// How a request went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Ok(Answer),
    /// It was not, and nothing has changed.
    Error(Fault),
}

impl Outcome {
    /// It was not done, in words.
    #[must_use]
    pub fn refused(code: Code, text: impl Into<String>) -> Self {
        Self::Error(Fault { code, text: text.into() })
    }
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// For programs.
    pub code: Code,
    /// For people: what, where, and the remedy.
    pub text: String,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The line is no request.
    BadRequest,
    /// The request's version is not spoken here.
    Version,
    /// No such service, real, pool.
    NoSuchName,
    /// The configuration is not valid, or asks for what only a restart can give.
    BadConfig,
    /// Too much is asked for at once; try again.
    Busy,
    /// A fault of ours.
    Internal,
}

/// What was done or is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To a ping: the program's version.
    Pong(String),
    /// Everything.
    All(Box<Snapshot>),
    /// By name, in the order of their definition.
    Counters(Counts),
    /// By name.
    Services(Vec<Service>),
    /// By name.
    Reals(Vec<Real>),
    /// As they are asked.
    Rules(Vec<Rule>),
    /// In no order.
    Flows(Rows<Flow>),
    /// By number.
    Workers(Vec<Worker>),
    /// As configured.
    Ports(Vec<Port>),
    /// The table in words, a line each.
    Table(Vec<String>),
    /// The one in force.
    Generation(Generation),
    /// What was changed, or would be.
    Changed(Changed),
    /// By worker, the oldest first.
    Recorder(Vec<Verdict>),
    /// The capture has begun, and follows.
    Capture,
    /// A packet's way.
    Explained(Box<Explained>),
}

/// One packet's way through every decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// The table that decided.
    pub generation: Generation,
    /// What was asked and answered, in order; the verdict last.
    pub steps: Vec<Step>,
    /// `tx`, `drop` or `punt`.
    pub verdict: String,
    /// Why it was dropped or punted, or what was answered.
    pub reason: Option<String>,
    /// The service's name, where one was found.
    pub service: Option<String>,
    /// The real's name, where one was chosen.
    pub real: Option<String>,
    /// The frame as it leaves, in hexadecimal digits; empty if it does not.
    pub leaves: String,
}

/// One step of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was asked, in a word.
    pub step: String,
    /// The answer, in words.
    pub text: String,
}

/// Rows that may be more than were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// There are more.
    pub more: bool,
}

/// What a reload or an override did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The plan, a sentence a line.
    pub plan: Vec<String>,
    /// It was carried out, and all workers forward by it.
    pub applied: bool,
    /// The generation in force now.
    pub generation: Generation,
}
