//! Our parser beside an independent decoder, tshark: on the packets of every case and capture, and on damaged
//! ones. What we take, tshark reads the same; what we refuse, tshark's own fields say why.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test fail as the test does"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use capture::{Resolution, Writer};
use testbed::{cases, pcap, root};
use wire::{EXTENSION_BYTES_MAX, EXTENSIONS_MAX, Family, Kind, Parsed, Unparsed};

/// Damaged packets made of each packet.
const DAMAGED: u64 = 20;
/// How much of a frame is damaged: headers stand there.
const HEAD_BYTES: u64 = 96;

/// What tshark is asked for, in this order. All occurrences of a field are told, the outermost first.
const FIELDS: [&str; 35] = [
    "frame.protocols",
    "eth.type",
    "vlan.etype",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "ip.hdr_len",
    "ip.len",
    "ip.dsfield",
    "ip.flags.df",
    "ip.flags.mf",
    "ip.frag_offset",
    "ip.checksum.status",
    "ipv6.plen",
    "ipv6.tclass",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.flags",
    "udp.srcport",
    "udp.dstport",
    "udp.length",
    "icmp.type",
    "icmpv6.type",
    "ip.proto",
    "esp.spi",
    "ah.spi",
    "ah.length",
    "ipv6.hopopts.len_oct",
    "ipv6.dstopts.len_oct",
    "ipv6.routing.len_oct",
    "ipv6.fraghdr.offset",
    "ipv6.fraghdr.more",
    "_ws.expert.message",
    "_ws.expert.severity",
];
/// The shortest transport header: UDP's (RFC 768), and ICMP's (RFC 792). tshark has nothing to find wrong where there is
/// none, nor in a shorter message of ICMP whose type it does not know.
const TRANSPORT_BYTES_MIN: u64 = 8;
/// Errors, as tshark grades what it finds (`PI_ERROR`).
const GRADE_ERROR: &str = "8388608";
/// The layer of a fragment header.
const FRAGMENT: &str = "ipv6.fraghdr";
/// Between the occurrences of a field: no text of tshark's holds it.
const BETWEEN: char = '\u{1}';

/// What tshark says of one packet.
struct Decoded(BTreeMap<&'static str, Vec<String>>);

impl Decoded {
    fn all(&self, field: &str) -> &[String] {
        &self.0[field]
    }

    /// The occurrence of a field in that place; nothing if there are not so many.
    fn text(&self, field: &str, at: usize) -> &str {
        self.all(field).get(at).map_or("", String::as_str)
    }

    /// The same as a number, decimal or hexadecimal.
    fn number(&self, field: &str, at: usize) -> Option<u64> {
        let text = self.text(field, at);
        text.strip_prefix("0x")
            .map_or_else(|| text.parse().ok(), |digits| u64::from_str_radix(digits, 16).ok())
    }

    /// The same as an address: tshark's way of writing one is not always the usual one.
    fn address(&self, field: &str, at: usize) -> Option<IpAddr> {
        self.text(field, at).parse().ok()
    }

    /// The layers from the network's on, and how many VLAN tags stand before them.
    fn layers(&self) -> (usize, Vec<&str>) {
        let all: Vec<&str> = self.text("frame.protocols", 0).split(':').collect();
        let tags = all
            .iter()
            .take_while(|layer| is_link(layer))
            .filter(|layer| **layer == "vlan" || **layer == "ieee8021ad")
            .count();
        (tags, all.into_iter().skip_while(|layer| is_link(layer)).collect())
    }

    /// tshark gave up inside an extension header's options, which a router does not read (RFC 8200 §4).
    fn ends_in_options(&self) -> bool {
        let (_, layers) = self.layers();
        layers.last().is_some_and(|layer| layer.starts_with("ipv6.")) && self.is_broken()
    }

    /// An error quotes a packet whose length leaves no room for ports. tshark stops there; we do not judge a quoted
    /// length, because hosts send it changed (RFC 1122 §3.2.2 wants it whole, and not all do it).
    fn quotes_too_short_a_length(&self) -> bool {
        let lengths = (self.number("ip.len", 1), self.number("ip.hdr_len", 1), self.number("ipv6.plen", 1));
        matches!(lengths, (Some(len), Some(header), _) if len < header + 8)
            || matches!(lengths.2, Some(len) if len < 8)
    }

    /// tshark found an error in a header. What a sum says of the data is not about headers, and notes are not
    /// errors: it has one for every connection that begins.
    fn is_broken(&self) -> bool {
        let (_, layers) = self.layers();
        let messages = self.all("_ws.expert.message").iter().zip(self.all("_ws.expert.severity"));
        let is_error = |(told, grade): (&String, &String)| {
            // A header that its packet cuts short is a warning of tshark's only.
            let is_graded = grade == GRADE_ERROR || told.starts_with("Short segment.");
            is_graded && !told.starts_with("Bad checksum")
        };
        layers.iter().any(|layer| layer.starts_with("_ws.")) || messages.into_iter().any(is_error)
    }

    /// How many extension headers stand behind the outermost IPv6 header, and their bytes.
    fn extensions(&self) -> (usize, u64) {
        let (_, layers) = self.layers();
        let headers = layers.iter().skip(1).take_while(|layer| self.is_walked(layer)).copied();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        headers.fold((0, 0), |(count, bytes), header| {
            let at = seen.entry(header).or_default();
            *at += 1;
            // A fragment header has no length of its own (RFC 8200 §4.5).
            let len =
                if header == FRAGMENT { Some(8) } else { self.number(&format!("{header}.len_oct"), *at - 1) };
            (count + 1, bytes + len.unwrap_or(0))
        })
    }

    /// An extension header that is walked over: a fragment header is, if its packet is whole (RFC 6946).
    fn is_walked(&self, layer: &str) -> bool {
        let is_whole = self.number("ipv6.fraghdr.offset", 0) == Some(0)
            && matches!(self.text("ipv6.fraghdr.more", 0), "0" | "False")
            && self.all("ipv6.fraghdr.offset").len() == 1;
        is_extension(layer) || layer == FRAGMENT && is_whole
    }

    /// Where the packet stands in its datagram, if it is a fragment.
    fn fragment_offset(&self, is_v4: bool) -> Option<u64> {
        self.number(if is_v4 { "ip.frag_offset" } else { "ipv6.fraghdr.offset" }, 0)
    }

    /// Bytes behind the network header, as its own lengths have it.
    fn payload_len(&self) -> Option<u64> {
        match self.layers().1.first() {
            Some(&"ip") => self.number("ip.len", 0)?.checked_sub(self.number("ip.hdr_len", 0)?),
            Some(&"ipv6") => self.number("ipv6.plen", 0)?.checked_sub(self.extensions().1),
            _ => None,
        }
    }

    /// What kind of packet tshark sees; nothing where it gave up before it could tell.
    fn kind(&self) -> Option<Kind> {
        let (_, layers) = self.layers();
        let is_v4 = layers.first() == Some(&"ip");
        if is_v4 && (self.number("ip.flags.mf", 0) != Some(0) || self.number("ip.frag_offset", 0) != Some(0))
        {
            return Some(Kind::Fragment);
        }
        let upper = layers.iter().skip(1).find(|layer| !self.is_walked(layer));
        // Of types whose body it cannot read it tells the type, but not the layer.
        let upper = if upper == Some(&"data") && self.number("icmpv6.type", 0).is_some() {
            Some(&"icmpv6")
        } else {
            upper
        };
        match (upper.copied(), is_v4) {
            (Some(FRAGMENT), false) => Some(Kind::Fragment),
            (Some("tcp"), _) => Some(Kind::Tcp),
            (Some("udp"), _) => Some(Kind::Udp),
            (Some("esp"), _) => Some(Kind::Esp),
            (Some("ah"), _) => Some(Kind::Ah),
            (Some("icmp"), true) => match self.number("icmp.type", 0)? {
                3 | 11 | 12 => self.kind_of_error("ip"),
                8 => Some(Kind::EchoRequest),
                _ => Some(Kind::IcmpOther),
            },
            (Some("icmpv6"), false) => match self.number("icmpv6.type", 0)? {
                1..=4 => self.kind_of_error("ipv6"),
                128 => Some(Kind::EchoRequest),
                133..=137 => Some(Kind::NeighbourDiscovery),
                _ => Some(Kind::IcmpOther),
            },
            _ if self.ends_in_options() || self.payload_len() == Some(0) => None,
            _ => Some(Kind::OtherProtocol),
        }
    }

    /// What an error quotes: the layer behind the second network header.
    fn quoted(&self) -> Option<&str> {
        let (_, layers) = self.layers();
        let rest = layers.into_iter().skip(1).skip_while(|layer| !matches!(*layer, "ip" | "ipv6")).skip(1);
        rest.into_iter().find(|layer| !is_extension(layer) && *layer != FRAGMENT)
    }

    /// An error is about a flow if it quotes what its destination sent, as far as the ports or the SPI; of other
    /// protocols, but for ICMP, the addresses are enough. Nothing where tshark does not tell the protocol.
    fn kind_of_error(&self, family: &str) -> Option<Kind> {
        let sent_by = self.text(&format!("{family}.src"), 1);
        let is_ours = !sent_by.is_empty() && sent_by == self.text(&format!("{family}.dst"), 0);
        let number = |field| self.number(field, 0).is_some();
        let has_ports = match self.quoted() {
            Some("tcp") => number("tcp.srcport"),
            Some("udp") => number("udp.srcport"),
            Some("esp") => number("esp.spi"),
            Some("ah") => number("ah.spi"),
            _ if !is_ours => false,
            Some("icmp" | "icmpv6") => false,
            _ => !matches!(self.number("ip.proto", 1)?, 1 | 58 | 6 | 17 | 50 | 51),
        };
        let is_first = self.number("ip.frag_offset", 1).unwrap_or(0) == 0
            && self.all("ipv6.fraghdr.offset").iter().all(|offset| offset == "0");
        // It tells the fields of a header also where that says to be longer than what is quoted.
        let ip = |field, which| self.number(field, which);
        let quoted = ip("ip.len", 0).zip(ip("ip.hdr_len", 0)).map(|(len, head)| len.saturating_sub(head + 8));
        let is_whole = quoted.zip(ip("ip.hdr_len", 1)).is_none_or(|(quoted, head)| head <= quoted);
        let is_about_a_flow = is_ours && has_ports && is_first && is_whole;
        Some(if is_about_a_flow { Kind::IcmpError } else { Kind::IcmpBadQuote })
    }
}

/// An extension header that is walked over.
fn is_extension(layer: &str) -> bool {
    matches!(layer, "ipv6.hopopts" | "ipv6.dstopts" | "ipv6.routing")
}

fn is_link(layer: &str) -> bool {
    matches!(layer, "eth" | "ethertype" | "vlan" | "ieee8021ad")
}

/// Every packet of the cases and captures that is an Ethernet frame, each once.
fn frames() -> BTreeSet<Vec<u8>> {
    let (cases, faults) = cases::all().unwrap();
    assert_eq!(faults, Vec::<String>::new());
    let mut files: Vec<PathBuf> = cases.iter().map(|case| case.file("send.pcap")).collect();
    let captures =
        std::fs::read_dir(root().join("testbed/captures")).unwrap().map(|entry| entry.unwrap().path());
    files.extend(
        captures.filter(|path| path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng")),
    );
    files.iter().flat_map(|file| pcap::frames(file).unwrap()).map(|(_, frame)| frame).collect()
}

/// A frame with some bits of its head turned, or cut short: always the same ones.
fn damaged(frame: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move |below: u64| {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1)).unwrap()
    };
    let mut frame = frame.to_vec();
    let head = u64::try_from(frame.len()).unwrap().min(HEAD_BYTES);
    for _ in 0..=next(3) {
        let at = next(head);
        frame[at] ^= 1 << next(8);
    }
    if next(4) == 0 {
        frame.truncate(next(head) + 1);
    }
    frame
}

/// What tshark says of all frames, in their order.
fn decoded(frames: &[Vec<u8>], folder: &Path) -> Vec<Decoded> {
    let path = folder.join("frames.pcap");
    let mut writer = Writer::create(&path, Resolution::Nano).unwrap();
    for frame in frames {
        writer.write(0, frame).unwrap();
    }
    writer.finish().unwrap();
    let mut command = Command::new("tshark");
    command.args(["-n", "-T", "fields", "-E", "occurrence=a", "-E", "separator=/t"]);
    command.arg("-E").arg(format!("aggregator={BETWEEN}"));
    for setting in [
        "ip.defragment:FALSE",
        "ipv6.defragment:FALSE",
        "ip.check_checksum:TRUE",
        "ip.tso_support:FALSE",
        "tcp.analyze_sequence_numbers:FALSE",
        "tcp.desegment_tcp_streams:FALSE",
    ] {
        command.args(["-o", setting]);
    }
    command.args(FIELDS.iter().flat_map(|field| ["-e", field])).arg("-r").arg(&path);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8_lossy(&output.stdout);
    let decoded: Vec<Decoded> = told.lines().map(read).collect();
    assert_eq!(decoded.len(), frames.len(), "tshark tells one line for each frame");
    decoded
}

fn read(line: &str) -> Decoded {
    let values: Vec<&str> = line.split('\t').collect();
    assert_eq!(values.len(), FIELDS.len(), "{line}");
    let split = |value: &str| value.split(BETWEEN).filter(|one| !one.is_empty()).map(str::to_owned).collect();
    Decoded(FIELDS.iter().zip(values).map(|(field, value)| (*field, split(value))).collect())
}

/// What we took, tshark has to read the same.
fn same(parsed: &Parsed, decoded: &Decoded, frame: &[u8]) -> Result<(), String> {
    let mut wrong = network_differs(parsed, decoded, frame);
    if decoded.kind().is_some_and(|kind| kind != kind_of(parsed)) && !is_lenient(parsed, decoded) {
        wrong.push("kind");
    }
    if !decoded.ends_in_options() {
        wrong.extend(transport_differs(parsed, decoded));
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("{} differ", wrong.join(", "))) }
}

/// A packet's kind as tshark tells it: a fragment is one.
const fn kind_of(parsed: &Parsed) -> Kind {
    match parsed.kind {
        Kind::FirstFragment | Kind::LaterFragment | Kind::ShortFragment => Kind::Fragment,
        kind => kind,
    }
}

/// The names of those whose two readings are not equal.
fn unequal(read: &[(&'static str, bool)]) -> Vec<&'static str> {
    read.iter().filter(|(_, is_same)| !is_same).map(|(name, _)| *name).collect()
}

/// We read a quote in which tshark reads nothing.
fn is_lenient(parsed: &Parsed, decoded: &Decoded) -> bool {
    parsed.kind == Kind::IcmpError && decoded.quotes_too_short_a_length()
}

fn network_differs(parsed: &Parsed, decoded: &Decoded, frame: &[u8]) -> Vec<&'static str> {
    let (tags, layers) = decoded.layers();
    let network = 14 + 4 * tags;
    // An error's tuple is that of the packet it quotes, turned round: whose source is our destination.
    let (at, (source, destination)) = match parsed.kind {
        Kind::IcmpError => (1, (parsed.tuple.destination_ip(), parsed.tuple.source_ip())),
        _ => (0, (parsed.tuple.source_ip(), parsed.tuple.destination_ip())),
    };
    let is_lenient = is_lenient(parsed, decoded);
    let (family, len, tos, header_len) = match parsed.tuple.family {
        Family::V4 => ("ip", decoded.number("ip.len", 0), "ip.dsfield", decoded.number("ip.hdr_len", 0)),
        Family::V6 => {
            let len = decoded.number("ipv6.plen", 0).map(|len| len + 40);
            ("ipv6", len, "ipv6.tclass", Some(40 + decoded.extensions().1))
        }
    };
    let transport = header_len.and_then(|len| usize::try_from(len).ok()).map(|len| network + len);
    let is_v4 = parsed.tuple.family == Family::V4;
    unequal(&[
        ("network offset", usize::from(parsed.network_offset) == network),
        ("family", layers.first() == Some(&family)),
        ("source", is_lenient || decoded.address(&format!("{family}.src"), at) == Some(source)),
        ("destination", is_lenient || decoded.address(&format!("{family}.dst"), at) == Some(destination)),
        ("length", len == Some(u64::from(parsed.ip_len))),
        ("length within the frame", network + parsed.ip_len as usize <= frame.len()),
        ("class", decoded.number(tos, 0) == Some(u64::from(parsed.tos))),
        ("checksum", !is_v4 || decoded.number("ip.checksum.status", 0) == Some(1)),
        (
            "don't fragment",
            !is_v4 || decoded.number("ip.flags.df", 0) == Some(u64::from(parsed.dont_fragment)),
        ),
        (
            "place in the datagram",
            match parsed.kind {
                Kind::FirstFragment | Kind::ShortFragment => decoded.fragment_offset(is_v4) == Some(0),
                Kind::LaterFragment => decoded.fragment_offset(is_v4).is_some_and(|offset| offset > 0),
                _ => true,
            },
        ),
        // Behind a fragment header tshark counts no further.
        (
            "transport offset",
            kind_of(parsed) == Kind::Fragment
                || decoded.ends_in_options()
                || transport == Some(usize::from(parsed.transport_offset)),
        ),
    ])
}

fn transport_differs(parsed: &Parsed, decoded: &Decoded) -> Vec<&'static str> {
    let upper = match (parsed.kind, parsed.tuple.protocol) {
        (Kind::Tcp, _) | (Kind::FirstFragment, 6) => "tcp",
        (Kind::Udp, _) | (Kind::FirstFragment, 17) => "udp",
        _ if is_lenient(parsed, decoded) => return Vec::new(),
        (Kind::Esp, _) | (Kind::IcmpError, 50) => return association_differs(parsed, decoded, "esp.spi"),
        (Kind::Ah, _) | (Kind::IcmpError, 51) => return association_differs(parsed, decoded, "ah.spi"),
        (Kind::IcmpError, 6) => "tcp",
        (Kind::IcmpError, 17) => "udp",
        _ => return Vec::new(),
    };
    let (source, destination) = match parsed.kind {
        Kind::IcmpError => (parsed.tuple.destination_port, parsed.tuple.source_port),
        _ => (parsed.tuple.source_port, parsed.tuple.destination_port),
    };
    let flags = decoded.number("tcp.flags", 0).map(|flags| flags & 0xff);
    unequal(&[
        ("source port", decoded.number(&format!("{upper}.srcport"), 0) == Some(u64::from(source))),
        ("destination port", decoded.number(&format!("{upper}.dstport"), 0) == Some(u64::from(destination))),
        ("flags", parsed.kind != Kind::Tcp || flags == Some(u64::from(parsed.flags.0))),
    ])
}

/// The SPI stands where others have ports; what an error quotes is turned round.
fn association_differs(parsed: &Parsed, decoded: &Decoded, field: &str) -> Vec<&'static str> {
    let (first, second) = match parsed.kind {
        Kind::IcmpError => (parsed.tuple.destination_port, parsed.tuple.source_port),
        _ => (parsed.tuple.source_port, parsed.tuple.destination_port),
    };
    unequal(&[("SPI", decoded.number(field, 0) == Some(u64::from(wire::ipsec::of_ports(first, second))))])
}

/// What we refused: whether tshark's fields say the same.
fn is_excused(reason: Unparsed, decoded: &Decoded, frame: &[u8]) -> bool {
    let (tags, layers) = decoded.layers();
    let room = frame.len().saturating_sub(14 + 4 * tags) as u64;
    let first = layers.first().copied().unwrap_or("");
    match reason {
        // tshark takes 0x9100 for a tag as well (IEEE 802.1Q has 0x8100 and 0x88a8).
        Unparsed::NotIp => {
            let types = decoded.all("eth.type").iter().chain(decoded.all("vlan.etype"));
            // Behind one of 802.1ad it does not tell the type.
            let is_behind = frame.get(16..18) == Some(&[0x91, 0x00]);
            tags > 2
                || !matches!(first, "ip" | "ipv6")
                || is_behind
                || types.into_iter().any(|kind| kind == "0x9100")
        }
        Unparsed::BadChecksum => decoded.number("ip.checksum.status", 0) == Some(0),
        Unparsed::HeaderChain => {
            let (headers, bytes) = decoded.extensions();
            decoded.ends_in_options() || headers > EXTENSIONS_MAX || bytes > EXTENSION_BYTES_MAX as u64
        }
        Unparsed::Truncated | Unparsed::Malformed => {
            decoded.is_broken()
                || decoded.number("ip.len", 0).is_some_and(|len| len > room)
                || decoded.number("ipv6.plen", 0).is_some_and(|len| len + 40 > room)
                // Zero is a jumbogram's (RFC 2675 §4), which this is not: tshark warns of it and goes on.
                || decoded.number("udp.length", 0) == Some(0)
                // No association, and an AH header shorter than its fixed part: tshark reads on.
                || decoded.number("esp.spi", 0) == Some(0)
                || decoded.number("ah.spi", 0) == Some(0)
                || decoded.number("ah.length", 0) == Some(0)
                // Nothing behind the network header, or no whole header of ICMP: tshark finds nothing wrong.
                || decoded.payload_len().is_some_and(|len| len < TRANSPORT_BYTES_MIN)
        }
    }
}

#[test]
fn what_we_read_of_a_packet_an_independent_decoder_reads_too() {
    let whole = frames();
    let mut frames: Vec<Vec<u8>> = whole.iter().cloned().collect();
    for (frame, seed) in whole.iter().filter(|frame| !frame.is_empty()).zip(1_u64..) {
        frames.extend((0..DAMAGED).map(|nth| damaged(frame, seed * DAMAGED + nth)));
    }
    let folder = tempfile::tempdir().unwrap();
    let decoded = decoded(&frames, folder.path());
    let (mut faults, mut taken) = (Vec::new(), 0);
    for (at, (frame, decoded)) in frames.iter().zip(&decoded).enumerate() {
        let mut parsed = Parsed::EMPTY;
        let told = match wire::parse(frame, frame.len(), &mut parsed) {
            Ok(()) => {
                taken += 1;
                same(&parsed, decoded, frame).map_err(|told| format!("{told}: {parsed:?}"))
            }
            Err(reason) if is_excused(reason, decoded, frame) => Ok(()),
            Err(reason) => Err(format!("tshark sees nothing of {reason:?}")),
        };
        if let Err(told) = told {
            faults.push(format!("frame {at}: {told}\ntshark: {:?}\n{}", decoded.0, pcap::dump(frame)));
        }
    }
    println!("{} frames, {} of them as they were sent; {taken} taken", frames.len(), whole.len());
    assert!(taken * 4 > frames.len(), "damage leaves a good part of them whole: {taken} of {}", frames.len());
    faults.truncate(faults.len().min(12));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
