//! Any run of frames through the engine: every packet leaves by one counted verdict, what is tunnelled is
//! the packet that came in, and bursts of one packet give what full bursts give, fragments that waited among it.
#![no_main]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use counters::{Counter, Event, Layout, Ledger};
use engine::{Decision, Engine, Observer, Stay, Verdict};
use flow::FlowTable;
use fuzz::{FRAME_BYTES_MAX, Sent, packets, sample_built};
use libfuzzer_sys::fuzz_target;
use port::{BURST_MAX, Burst, MemPacket, Packet, Tick};
use service::{Aligned, Effect, Table, TableView};
use wire::checksum::Sum;
use wire::{Family, FiveTuple, Kind, Parsed};

static TABLE: LazyLock<Table<Aligned>> = LazyLock::new(|| sample_built().table().expect("our own image"));

static LAYOUT: LazyLock<Layout> = LazyLock::new(|| {
    let view = TABLE.view();
    Layout { services: view.services_len() + 1, reals: view.reals_len() + 1, rules: 64 }
});
const PACKETS_MAX: usize = 200;
/// How often it is told how many packets went through, each once though it goes twice.
const TOLD_EVERY: u64 = 1 << 17;

static PACKETS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Buffers of packets that are gone: made anew for each run, they would cost more than all the rest.
    static BUFFERS: RefCell<Vec<MemPacket>> = const { RefCell::new(Vec::new()) };
}

fn counted(packets: usize) {
    let packets = packets as u64;
    let before = PACKETS.fetch_add(packets, Ordering::Relaxed);
    if before / TOLD_EVERY != (before + packets) / TOLD_EVERY {
        eprintln!("packets: {}", before + packets);
    }
}

fn loaded(frame: &[u8], cookie: u64) -> MemPacket {
    let buffer = BUFFERS.with_borrow_mut(Vec::pop);
    let mut packet = buffer.unwrap_or_else(|| MemPacket::with_room(FRAME_BYTES_MAX + 1));
    packet.load(frame, cookie);
    packet
}

/// What became of each packet in the end, and how many that waited have not been told of again.
#[derive(Default)]
struct Seen {
    packets: BTreeMap<u64, (Decision, Vec<u8>, Option<Parsed>)>,
    waiting: usize,
}

impl Observer<MemPacket> for Seen {
    fn decided(&mut self, packet: &MemPacket, parsed: Option<&Parsed>, decision: &Decision) {
        let before =
            self.packets.insert(packet.cookie(), (*decision, packet.data().to_vec(), parsed.copied()));
        match before {
            None => {}
            Some((before, ..)) if before.verdict == Verdict::Held => self.waiting -= 1,
            Some(_) => panic!("decided twice"),
        }
        self.waiting += usize::from(decision.verdict == Verdict::Held);
    }
}

/// An engine with a shelf, as a worker has one.
struct Line {
    engine: Engine,
    shelf: BTreeMap<u16, MemPacket>,
    burst: Burst<MemPacket>,
    gone: Burst<MemPacket>,
    seen: Seen,
}

impl Line {
    fn process(&mut self, view: &TableView<'_>, now: Tick) {
        let tx = self.engine.process(view, &mut self.burst, now, &mut self.gone, &mut self.seen);
        self.leave(tx);
        self.release(view, now);
    }

    fn release(&mut self, view: &TableView<'_>, now: Tick) {
        while let Some(mut release) = self.engine.next_release() {
            for place in release.places() {
                let packet = self.shelf.remove(place).expect("it waits there");
                self.burst.push(packet).expect("no more wait than fit");
            }
            let leaving = (&mut self.gone, &mut self.seen);
            let tx = self.engine.release(view, &mut release, &mut self.burst, now, leaving);
            self.leave(tx);
        }
    }

    fn leave(&mut self, tx: engine::Sent) {
        let bytes: usize = self.burst.as_slice().iter().map(Packet::total_len).sum();
        assert_eq!(tx.bytes, bytes as u64);
        self.engine.ledger_mut().add(Event::Tx, self.burst.len() as u64);
        self.engine.ledger_mut().add(Event::TxBytes, tx.bytes);
        let mut held = Burst::new();
        self.gone.move_marked(tx.held, &mut held);
        for (packet, held) in held.drain().zip(self.engine.held()) {
            let Stay::Shelf(place) = held.stay else { panic!("{held:?}") };
            assert!(self.shelf.insert(place, packet).is_none(), "a place is one packet's");
        }
        BUFFERS.with_borrow_mut(|buffers| buffers.extend(self.burst.drain().chain(self.gone.drain())));
    }
}

/// Sends everything through a new engine in bursts of at most `burst_max`, which end where time moves on.
fn run(sent: &[Sent<'_>], burst_max: usize) -> (Seen, Ledger) {
    let flows = FlowTable::new(64, [9; 16]).expect("64 entries fit");
    let mut engine = Engine::new(0, 1, flows, *LAYOUT);
    let view = TABLE.view();
    engine.adopt(&view);
    let (burst, gone) = (Burst::new(), Burst::new());
    let mut line = Line { engine, shelf: BTreeMap::new(), burst, gone, seen: Seen::default() };
    let mut now = Tick(8);
    let mut at = 0;
    while let Some(first) = sent.get(at) {
        now = Tick(now.0 + first.ticks);
        let rest = sent.iter().skip(at + 1).take_while(|packet| packet.ticks == 0);
        for packet in std::iter::once(first).chain(rest).take(burst_max) {
            line.burst.push(loaded(packet.frame, at as u64)).expect("a burst holds burst_max");
            at += 1;
        }
        line.process(&view, now);
    }
    line.engine.give_up_fragments();
    line.release(&view, now);
    assert!(line.shelf.is_empty() && line.seen.waiting == 0, "nobody waits for ever");
    (line.seen, line.engine.ledger().clone())
}

/// A packet that is sent on carries the packet that came in, byte for byte. Of one that came in a tunnel, or whose
/// service has marks, the IP header may be another, but it is sound and says the same.
fn carries(sent: &Sent<'_>, decision: &Decision, out: &[u8], inner: Option<&Parsed>) {
    if decision.verdict != Verdict::Tx || decision.answered.is_some() {
        return;
    }
    let (Some(service), Some(_)) = (decision.service, decision.real) else { panic!("{decision:?}") };
    let inner = inner.expect("what is sent on was parsed");
    let packet = &out[out.len().checked_sub(inner.ip_len as usize).expect("all of it is there")..];
    let mut came = Parsed::EMPTY;
    let is_as_it_came = wire::parse(sent.frame, sent.frame.len(), &mut came).is_ok()
        && (came.ip_len, came.tuple) == (inner.ip_len, inner.tuple)
        && TABLE.view().asked(service, Effect::NONE).is_none()
        && !is_marked_by_rule(&inner.tuple);
    if is_as_it_came {
        let start = usize::from(came.network_offset);
        assert!(*packet == sent.frame[start..start + came.ip_len as usize], "the inner packet was changed");
    } else {
        let again = parsed(packet, inner.tuple.family);
        assert_eq!((again.tuple, again.ip_len, again.kind), (inner.tuple, inner.ip_len, inner.kind));
        let payload = &packet[usize::from(inner.transport_offset - inner.network_offset)..];
        let is_there = payload.is_empty() || sent.frame.windows(payload.len()).any(|part| part == payload);
        assert!(is_there, "the payload was changed");
    }
    let (network, family) = behind_the_link(out);
    let outer = parsed(&out[network..], family);
    assert_eq!(network + outer.ip_len as usize, out.len(), "nothing is padded");
    if outer.ip_len != inner.ip_len {
        let transport = network + usize::from(outer.transport_offset - outer.network_offset);
        tunnels(&outer, inner, &out[transport..out.len() - packet.len()], &out[transport..]);
    }
}

/// Whether the sample's rules "video" and "vpn" may have marked it.
fn is_marked_by_rule(tuple: &FiveTuple) -> bool {
    matches!((tuple.family, tuple.source), (Family::V4, [203, 0, 113, 96..128, ..]))
        || matches!(tuple.protocol, 50 | 51)
}

/// A packet without its link header.
fn parsed(packet: &[u8], family: Family) -> Parsed {
    let ethertype: [u8; 2] = if family == Family::V4 { [8, 0] } else { [0x86, 0xdd] };
    let frame = [&[2; 12][..], &ethertype, packet].concat();
    let mut parsed = Parsed::EMPTY;
    wire::parse(&frame, frame.len(), &mut parsed).expect("what we send is sound");
    parsed
}

/// Where a frame's IP header stands, behind tags (IEEE 802.1Q) and labels (RFC 3032 §2.1), and of which version it is.
fn behind_the_link(frame: &[u8]) -> (usize, Family) {
    let mut at = 12;
    while matches!(frame[at..at + 2], [0x81, 0] | [0x88, 0xa8]) {
        at += 4;
    }
    let is_labelled = frame[at..at + 2] == [0x88, 0x47];
    at += 2;
    if is_labelled {
        while frame[at + 2] & 1 == 0 {
            at += 4;
        }
        at += 4;
    }
    (at, if frame[at] >> 4 == 4 { Family::V4 } else { Family::V6 })
}

/// Between the outer IP header and the packet stands what the RFCs say, with the values of the sample.
fn tunnels(outer: &Parsed, inner: &Parsed, between: &[u8], datagram: &[u8]) {
    let (number, ethertype) = match inner.tuple.family {
        Family::V4 => (4, [8, 0]),
        Family::V6 => (41, [0x86, 0xdd]),
    };
    if outer.kind == Kind::Udp {
        assert_eq!(datagram[4..6], u16::try_from(datagram.len()).expect("a datagram's length").to_be_bytes());
        assert!(outer.tuple.source_port >= 0xc000, "a port of nobody's (RFC 7348 §5)");
        let pseudo = Sum::default().add_bytes(&outer.tuple.source).add_bytes(&outer.tuple.destination);
        let sum = pseudo.add_u16(17).add_bytes(&datagram[4..6]).add_bytes(datagram);
        assert!(datagram[6..8] == [0, 0] || sum.is_intact(), "the UDP checksum (RFC 768)");
    }
    match (outer.tuple.protocol, outer.tuple.destination_port) {
        (4 | 41, _) => assert!(outer.tuple.protocol == number && between.is_empty()),
        (47, _) => {
            let key = if outer.tuple.destination.starts_with(&[10, 0, 0, 11]) { 9 } else { 7 };
            assert_eq!(between, [&[0x20, 0][..], &ethertype, &[0, 0, 0, key]].concat(), "GRE (RFC 2890 §2)");
        }
        (17, 5555) => assert_eq!(between.len(), 8, "FOU"),
        (17, 6080) => assert_eq!(between[8..], [0, number, 0, 0], "GUE, variant 0"),
        (17, 4789) => {
            assert_eq!(between[8..16], [8, 0, 0, 0, 0, 0, 42, 0], "VXLAN (RFC 7348 §5)");
            assert_eq!(between[28..], ethertype);
        }
        other => panic!("there is no tunnel of protocol and port {other:?} in the sample"),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let sent: Vec<Sent<'_>> = packets(bytes).take(PACKETS_MAX).collect();
    counted(sent.len());
    let (full, ledger) = run(&sent, BURST_MAX);
    assert_eq!(full.packets.len(), sent.len());
    assert_eq!(ledger.balance(), Ok(()));
    assert_eq!(ledger.get(Event::Rx), sent.len() as u64);
    for ((decision, out, parsed), packet) in full.packets.values().zip(&sent) {
        carries(packet, decision, out, parsed.as_ref());
    }
    let (single, single_ledger) = run(&sent, 1);
    assert!(full.packets == single.packets, "bursts of one decide otherwise");
    for counter in Counter::all() {
        assert_eq!(ledger.get(counter), single_ledger.get(counter), "{}", counter.name());
    }
    assert_eq!(ledger, single_ledger);
});
