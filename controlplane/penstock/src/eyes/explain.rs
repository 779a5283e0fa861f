//! `penstock explain`: one packet, walked through every decision, in words.

use std::path::{Path, PathBuf};

use ::capture::Capture;
use clap::Args;
use control::Image;
use counters::Layout;
use engine::{Decision, Engine, NoObserver, Step, Verdict};
use flow::{ENTRIES_MIN, FlowTable};
use port::{Burst, MemPacket, Packet, ROOM, Tick};
use service::Table;
#[cfg(feature = "dpdk")]
use wire::FiveTuple;
#[cfg(feature = "dpdk")]
use worker::Handover;

use crate::client::Socket;
use crate::eyes::words::{Names, came, lines, verdict};
use crate::failure::Failure;
use crate::limits::EXPLAINED_BYTES_MAX;
use crate::output::print;
#[cfg(feature = "dpdk")]
use crate::run::follow::as_hop;
#[cfg(feature = "dpdk")]
use crate::run::standing::Board;
use crate::site::{Site, hex};

/// Names the generation's boot, as in a replay.
const BOOT: u64 = 1;

/// Places flows, where the configuration has no key.
const TABLE_KEY: [u8; 16] = *b"penstock replay.";

/// Options of `explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainOptions {
    /// The configuration to decide by [default: what a running box has in force, and the flows that it has].
    #[arg(long, value_name = "CONFIG", conflicts_with = "path")]
    config: Option<PathBuf>,
    #[command(flatten)]
    socket: Socket,
    /// The packet, an Ethernet frame in hexadecimal digits (spaces and colons may stand between).
    #[arg(long, value_name = "HEX", required_unless_present = "pcap", conflicts_with = "pcap")]
    packet: Option<String>,
    /// Packet INDEX (from 0) of a capture. Those before it are sent through first, so that flows stand as they
    /// would in a replay with one worker; a running box has its own flows.
    #[arg(long, value_name = "FILE:INDEX")]
    pcap: Option<String>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// A packet and what came before it.
struct Subject {
    frame: Vec<u8>,
    /// Frames and when they came.
    before: Vec<(Tick, Vec<u8>)>,
    now: Tick,
}

/// Explains.
pub(crate) fn explain(options: &ExplainOptions) -> Result<(), Failure> {
    let subject = Subject::of(options)?;
    let explained = match &options.config {
        Some(config) => by_config(config, &subject)?,
        None => by_box(&options.socket.path, &subject)?,
    };
    if !options.json {
        return print(&lines(&explained));
    }
    let text = serde_json::to_string_pretty(&explained)
        .map_err(|error| Failure::new(format!("the answer cannot be written as JSON: {error}")))?;
    print(&(text + "\n"))
}

/// By a configuration, after the packets before.
fn by_config(config: &Path, subject: &Subject) -> Result<ctl::Explained, Failure> {
    let site = Site::load(config)?;
    let publication = site.publish(BOOT)?;
    let table = publication
        .table()
        .map_err(|error| Failure::new(format!("the table that was built is not sound: {error}")))?;
    let engine = prepare(&site, &table, subject)?;
    let generation = ctl::Generation {
        sequence: publication.generation.sequence,
        digest: hex(&publication.digest),
        ..ctl::Generation::default()
    };
    let (now, before) = (subject.now, subject.before.len());
    Ok(walk(&Names::new(&site), generation, (&subject.frame, before, now), |packet, tell| {
        engine.explain(&table.view(), packet, now, tell)
    }))
}

/// By what a running box has in force.
fn by_box(socket: &Path, subject: &Subject) -> Result<ctl::Explained, Failure> {
    let deed = ctl::Deed::Explain(ctl::Explain { packet: hex(&subject.frame) });
    match crate::client::ask(socket, deed)? {
        ctl::Answer::Explained(explained) => Ok(*explained),
        _ => Err(crate::client::surprise()),
    }
}

/// The box's own side of it: the table in force, and the flows that its workers have.
#[cfg(feature = "dpdk")]
pub(crate) fn by_board(board: &Board, packet: &str) -> Result<ctl::Explained, ctl::Outcome> {
    let refused = |code, text: &str| ctl::Outcome::refused(code, text);
    let frame = bytes(packet).map_err(|told| refused(ctl::Code::BadRequest, &told))?;
    let standing = board.standing();
    let Some(table) = standing.names.table.upgrade() else {
        return Err(refused(ctl::Code::Busy, "the table is being switched: ask again"));
    };
    // A worker's templates know next hops, the table itself does not.
    let mut handover = Handover::new(table, &[]);
    standing.ways.iter().for_each(|(real, next)| handover.put(&as_hop(*real, *next)));
    let now = Tick(standing.workers.iter().map(|worker| worker.tick).max().unwrap_or(0));
    let found = |tuple: &FiveTuple| board.readers().iter().find_map(|reader| reader.find(tuple));
    let names = Names::new(&standing.names.site);
    Ok(walk(&names, standing.generation(), (&frame, 0, now), |packet, tell| {
        engine::explain(&handover.view(), found, packet, now, tell)
    }))
}

/// One walk, in words.
fn walk(
    names: &Names<'_>,
    generation: ctl::Generation,
    (frame, before, now): (&[u8], usize, Tick),
    walk: impl FnOnce(&mut MemPacket, &mut dyn FnMut(Step)) -> Decision,
) -> ctl::Explained {
    let mut packet = MemPacket::with_room(ROOM.max(frame.len()));
    packet.load(frame, 0);
    let mut steps = vec![came(frame, before)];
    let decision = walk(&mut packet, &mut |step| steps.push(names.line(&step, now)));
    let (verdict, reason) = verdict(&decision);
    let leaves = if decision.verdict == Verdict::Tx { hex(packet.data()) } else { String::new() };
    let service = decision.service.and_then(|number| names.service(number));
    let real = decision.real.and_then(|number| names.real(number));
    ctl::Explained {
        generation,
        steps,
        verdict: verdict.to_owned(),
        reason: reason.map(str::to_owned),
        service: service.map(|service| service.name.to_string()),
        real: real.map(|real| real.name.to_string()),
        leaves,
    }
}

/// The engine, after what came before the packet.
fn prepare(site: &Site, table: &Table<Image>, subject: &Subject) -> Result<Engine, Failure> {
    let entries = match subject.before.as_slice() {
        [] => ENTRIES_MIN,
        _ => usize::try_from(site.config.flow.entries).unwrap_or(usize::MAX),
    };
    let flows = FlowTable::new(entries, site.config.flow.key.unwrap_or(TABLE_KEY))
        .map_err(|error| Failure::new(format!("no flow table: {error}")))?;
    let mut engine = Engine::new(0, 1, flows, Layout::default());
    engine.adopt(&table.view());
    let (mut burst, mut gone) = (Burst::new(), Burst::new());
    let longest = subject.before.iter().map(|(_, frame)| frame.len()).max().unwrap_or(0);
    let mut spare = Some(MemPacket::with_room(ROOM.max(longest)));
    for (now, frame) in &subject.before {
        let Some(mut packet) = spare.take() else { break };
        packet.load(frame, 0);
        // The burst is empty, so there is room.
        let _ = burst.push(packet);
        engine.process(&table.view(), &mut burst, *now, &mut gone, &mut NoObserver);
        spare = burst.drain().chain(gone.drain()).next();
        // Fragments that waited have left.
        while engine.next_release().is_some() {}
    }
    Ok(engine)
}

impl Subject {
    fn of(options: &ExplainOptions) -> Result<Self, Failure> {
        match (&options.packet, &options.pcap) {
            (Some(text), _) => {
                let frame = bytes(text).map_err(Failure::new)?;
                Ok(Self { frame, before: Vec::new(), now: Tick(0) })
            }
            (None, Some(place)) => Self::in_capture(place),
            // The command line asks for one of them.
            (None, None) => Err(Failure::new("give --packet HEX or --pcap FILE:INDEX")),
        }
    }

    fn in_capture(place: &str) -> Result<Self, Failure> {
        let parsed = place.rsplit_once(':').map(|(file, index)| (file, index.parse::<usize>()));
        let Some((file, Ok(index))) = parsed else {
            return Err(Failure::new(format!(
                "--pcap {place}: no packet is named; give FILE:INDEX, where the first packet is 0"
            )));
        };
        let capture = Capture::open(file)?.require_packets()?;
        let first = capture.records().first().map_or(0, |record| record.time_nanos);
        let mut now = Tick(0);
        let mut before = Vec::new();
        for packet in capture.packets() {
            // As in a replay: relative to the first, and never back.
            now = now.max(Tick::from_nanos(packet.time_nanos.saturating_sub(first)));
            if packet.index == index {
                return Ok(Self { frame: packet.data.to_vec(), before, now });
            }
            before.push((now, packet.data.to_vec()));
        }
        Err(Failure::new(format!(
            "{file}: there is no packet {index}; the capture has {}, the first is 0",
            capture.len()
        )))
    }
}

/// The bytes that a text of hexadecimal digits says.
fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let mut digits = Vec::with_capacity(text.len());
    for (at, character) in text.chars().enumerate() {
        match character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()) {
            Some(digit) => digits.push(digit),
            None if character.is_whitespace() || character == ':' => {}
            None => return Err(format!("--packet: {character:?} at {at} is no hexadecimal digit")),
        }
    }
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(format!("--packet: {} digits are no whole bytes; one is missing", digits.len()));
    }
    if pairs.len() > EXPLAINED_BYTES_MAX {
        return Err(format!(
            "--packet: {} bytes, and a frame has at most {EXPLAINED_BYTES_MAX}",
            pairs.len()
        ));
    }
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn digits_are_bytes_whatever_stands_between() {
        assert_eq!(bytes("02 00:ff\n0A"), Ok(vec![2, 0, 255, 10]));
        assert_eq!(bytes(""), Ok(vec![]));
        assert!(bytes("020").unwrap_err().contains("one is missing"));
        assert!(bytes("0x20").unwrap_err().contains("'x' at 1"));
        assert!(bytes(&"00".repeat(70_000)).unwrap_err().contains("at most"));
    }
}
