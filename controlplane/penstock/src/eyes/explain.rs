//! `penstock explain`: one packet, walked through every decision, in words.

use std::path::PathBuf;

use ::capture::Capture;
use clap::Args;
use control::{Image, Publication};
use counters::Layout;
use engine::{Decision, Engine, NoObserver, Step, Verdict};
use flow::{ENTRIES_MIN, FlowTable};
use port::{Burst, MemPacket, Packet, ROOM, Tick};
use serde::Serialize;
use service::Table;

use crate::eyes::words::{Line, Names, verdict};
use crate::failure::Failure;
use crate::limits::EXPLAINED_BYTES_MAX;
use crate::output::print;
use crate::site::{Site, hex};

/// Names the generation's boot, as in a replay.
const BOOT: u64 = 1;

/// Places flows, where the configuration has no key.
const TABLE_KEY: [u8; 16] = *b"penstock replay.";

/// Options of `explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainOptions {
    /// The configuration to decide by.
    #[arg(long, value_name = "CONFIG")]
    config: PathBuf,
    /// The packet, an Ethernet frame in hexadecimal digits (spaces and colons may stand between).
    #[arg(long, value_name = "HEX", required_unless_present = "pcap", conflicts_with = "pcap")]
    packet: Option<String>,
    /// Packet INDEX (from 0) of a capture. Those before it are sent through first, so that flows stand as they
    /// would in a replay with one worker.
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

/// The answer as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    generation: Generation,
    steps: &'a [Line],
    verdict: &'static str,
    reason: Option<&'static str>,
    service: Option<&'a str>,
    real: Option<&'a str>,
    /// The frame as it leaves, in hexadecimal digits.
    leaves: String,
}

#[derive(Serialize)]
struct Generation {
    sequence: u64,
    digest: String,
}

/// Explains.
pub(crate) fn explain(options: &ExplainOptions) -> Result<(), Failure> {
    let site = Site::load(&options.config)?;
    let subject = Subject::of(options)?;
    let publication = site.publish(BOOT)?;
    let table = publication
        .table()
        .map_err(|error| Failure::new(format!("the table that was built is not sound: {error}")))?;
    let engine = prepare(&site, &table, &subject)?;
    let names = Names::new(&site);
    let mut packet = MemPacket::with_room(ROOM.max(subject.frame.len()));
    packet.load(&subject.frame, 0);
    let mut lines = vec![Line::came(&subject.frame, subject.before.len())];
    let tell = |step: Step| lines.push(names.line(&step, subject.now));
    let decision = engine.explain(&table.view(), &mut packet, subject.now, tell);
    let text = if options.json {
        json(&publication, &names, &lines, &decision, &packet)?
    } else {
        lines.push(Line::table(&publication));
        lines.iter().map(Line::to_string).collect()
    };
    print(&text)
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

fn json(
    publication: &Publication,
    names: &Names<'_>,
    steps: &[Line],
    decision: &Decision,
    packet: &MemPacket,
) -> Result<String, Failure> {
    let (verdict, reason) = verdict(decision);
    let leaves = if decision.verdict == Verdict::Tx { hex(packet.data()) } else { String::new() };
    let answer = Answer {
        generation: Generation {
            sequence: publication.generation.sequence,
            digest: hex(&publication.digest),
        },
        steps,
        verdict,
        reason,
        service: decision.service.and_then(|number| names.service(number)).map(|s| s.name.as_str()),
        real: decision.real.and_then(|number| names.real(number)).map(|real| real.name.as_str()),
        leaves,
    };
    let text = serde_json::to_string_pretty(&answer);
    text.map(|text| text + "\n")
        .map_err(|error| Failure::new(format!("the answer cannot be written as JSON: {error}")))
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
