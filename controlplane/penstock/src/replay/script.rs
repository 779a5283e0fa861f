//! What is to be replayed: the capture, when each packet comes by the capture's clock, and to which
//! worker. Made before the first packet and read-only from then on, so that every back end decides alike.
//!
//! Packets are spread as a NIC spreads them, so that those which meet another worker than their flow do so here:
//! fragments by their addresses, an ICMP error by its own.
//!
//! Time is relative to the first packet and never goes back. Each further loop comes later by the whole
//! ticks that the capture covers and one more, so that all loops see the clock move at the same packets.

use capture::Capture;
use port::Tick;
use wire::ethernet::{self, Ethernet};
use wire::{Family, FiveTuple, Kind, Parsed, ipv4, ipv6, padded, toeplitz};

/// Nanoseconds of a tick.
const TICK_NANOS: u64 = 1_000_000_000 / Tick::PER_SECOND;

/// A capture, ready to be sent through.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) capture: Capture,
    pub(crate) loops: u64,
    /// By packet: ticks since the first.
    ticks: Vec<u64>,
    /// By packet: bytes of the IP packet, 0 where there is none.
    ip_lens: Vec<u32>,
    /// By packet: the worker it is for. Empty where there is only one.
    spread: Vec<u8>,
    /// By worker: its packets, in order.
    own: Vec<Vec<u32>>,
    /// By packet: its place among its worker's. Empty where there is only one.
    places: Vec<u32>,
    /// Packets that may be of interest to another worker than their own: fragments, errors about flows, those of clients
    /// that all workers know, and those with labels.
    crossing: Vec<u32>,
    loop_ticks: u64,
}

/// One packet of one loop. As a cookie: the loop in the upper half, the packet in the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    pub(crate) round: u64,
    pub(crate) packet: u32,
}

impl Turn {
    #[inline]
    pub(crate) const fn cookie(self) -> u64 {
        self.round << 32 | self.packet as u64
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
    pub(crate) const fn of(cookie: u64) -> Self {
        Self { round: cookie >> 32, packet: cookie as u32 }
    }
}

impl Script {
    /// `is_shared` tells where all workers know the clients of what goes to an address.
    pub(crate) fn new(
        capture: Capture,
        (workers, loops): (u16, u64),
        is_shared: impl Fn(&FiveTuple) -> bool,
    ) -> Self {
        let first = capture.records().first().map_or(0, |record| record.time_nanos);
        let mut now = 0;
        let ticks: Vec<u64> = capture
            .records()
            .iter()
            .map(|record| {
                now = Tick::from_nanos(record.time_nanos.saturating_sub(first)).0.max(now);
                now
            })
            .collect();
        let mut ip_lens = Vec::with_capacity(capture.len());
        let (mut spread, mut places, mut crossing) = (Vec::new(), Vec::new(), Vec::new());
        let mut own = vec![Vec::new(); usize::from(workers.max(1))];
        let mut parsed = Parsed::EMPTY;
        for (packet, index) in capture.packets().zip(0_u32..) {
            let is_sound = wire::parse(packet.data, packet.data.len(), &mut parsed).is_ok();
            ip_lens.push(if is_sound { parsed.ip_len } else { 0 });
            let worker = if workers > 1 && is_sound { worker_of(packet.data, &parsed, workers) } else { 0 };
            let Some(list) = own.get_mut(usize::from(worker)) else { continue };
            if workers > 1 {
                spread.push(worker);
                places.push(u32::try_from(list.len()).unwrap_or(u32::MAX));
                let is_error = matches!(parsed.kind, Kind::IcmpError | Kind::IcmpBadQuote);
                let is_stray = parsed.is_piece() || is_error;
                // What is behind labels is not seen here.
                let link = Ethernet::parse(packet.data);
                let is_labelled = link.is_ok_and(|link| link.ethertype == ethernet::MPLS);
                if is_labelled || is_sound && (is_stray || is_shared(&parsed.tuple)) {
                    crossing.push(index);
                }
            }
            list.push(index);
        }
        let loop_ticks = ticks.last().map_or(1, |last| last + 1);
        Self { capture, loops, ticks, ip_lens, spread, own, places, crossing, loop_ticks }
    }

    /// How many packets come in all.
    pub(crate) fn packets(&self) -> u64 {
        (self.capture.len() as u64).saturating_mul(self.loops)
    }

    /// The packets of a worker in each loop, in order.
    pub(crate) fn own(&self, worker: usize) -> &[u32] {
        self.own.get(worker).map_or(&[], Vec::as_slice)
    }

    /// A packet's place among its worker's.
    #[inline]
    pub(crate) fn place(&self, packet: u32) -> u32 {
        self.places.get(packet as usize).copied().unwrap_or(packet)
    }

    /// Packets that may be of interest to another worker than their own, in order.
    pub(crate) fn crossing(&self) -> &[u32] {
        &self.crossing
    }

    /// How many packets another worker than their own may send.
    pub(crate) fn crossings(&self) -> usize {
        self.crossing.len().saturating_mul(usize::try_from(self.loops).unwrap_or(usize::MAX))
    }

    /// The worker that a packet is for.
    pub(crate) fn worker(&self, packet: u32) -> usize {
        self.spread.get(packet as usize).copied().map_or(0, usize::from)
    }

    /// The bytes of a packet.
    #[inline]
    pub(crate) fn frame(&self, packet: u32) -> &[u8] {
        self.capture.packet(packet as usize).map_or(&[], |packet| packet.data)
    }

    /// The tick of a packet in its loop.
    #[inline]
    pub(crate) fn tick(&self, turn: Turn) -> Tick {
        let tick = self.ticks.get(turn.packet as usize).copied().unwrap_or(0);
        Tick(turn.round * self.loop_ticks + tick)
    }

    /// The tick of the last packet of the last loop.
    pub(crate) fn last_tick(&self) -> Tick {
        Tick((self.loops * self.loop_ticks).saturating_sub(1))
    }

    /// By how many nanoseconds a loop's packets come later than the first loop's.
    pub(crate) fn shift_nanos(&self, round: u64) -> u64 {
        round.saturating_mul(self.loop_ticks).saturating_mul(TICK_NANOS)
    }

    /// When a packet comes, in nanoseconds since 1970.
    pub(crate) fn time_nanos(&self, turn: Turn) -> u64 {
        let time = self.capture.records().get(turn.packet as usize).map_or(0, |record| record.time_nanos);
        time.saturating_add(self.shift_nanos(turn.round))
    }

    /// Bytes of a packet at the IP layer, as counters of services and reals count them.
    #[inline]
    pub(crate) fn ip_len(&self, packet: u32) -> u32 {
        self.ip_lens.get(packet as usize).copied().unwrap_or(0)
    }

    /// The longest frame.
    pub(crate) fn longest(&self) -> u32 {
        self.capture.records().iter().map(|record| record.captured_len).max().unwrap_or(0)
    }

    /// Every packet of every loop, in the order of the input.
    pub(crate) fn turns(&self) -> impl Iterator<Item = Turn> + use<> {
        let len = u32::try_from(self.capture.len()).unwrap_or(u32::MAX);
        (0..self.loops).flat_map(move |round| (0..len).map(move |packet| Turn { round, packet }))
    }
}

/// As a NIC spreads packets: by the Toeplitz hash of a flow's tuple, and by that of the addresses where there are no
/// ports to see.
fn worker_of(frame: &[u8], parsed: &Parsed, workers: u16) -> u8 {
    let hash = match parsed.kind {
        Kind::Tcp | Kind::Udp => toeplitz::hash(&toeplitz::DEFAULT_KEY, &parsed.tuple),
        _ => toeplitz::hash_addresses(&toeplitz::DEFAULT_KEY, &outer(frame, parsed)),
    };
    // There are at most 128.
    u8::try_from(hash % u32::from(workers)).unwrap_or(0)
}

/// The tuple with the packet's own addresses: that of an error is of the flow that it is about.
fn outer(frame: &[u8], parsed: &Parsed) -> FiveTuple {
    let packet = frame.get(usize::from(parsed.network_offset)..).unwrap_or_default();
    let source = match parsed.tuple.family {
        Family::V4 => packet.first_chunk().map(|bytes| padded(ipv4::Ipv4::parse(bytes).source)),
        Family::V6 => packet.first_chunk().map(|bytes| ipv6::Ipv6::parse(bytes).source),
    };
    FiveTuple { source: source.unwrap_or(parsed.tuple.source), ..parsed.tuple }
}

#[cfg(test)]
pub(crate) mod tests {
    use capture::{Capture, Resolution, file_header, record_header};
    use port::Tick;

    use super::{Script, Turn};

    /// A capture of frames with their times, in nanoseconds.
    pub(crate) fn capture(packets: &[(u64, &[u8])]) -> Capture {
        let mut bytes = file_header(Resolution::Nano).to_vec();
        for (time, frame) in packets {
            let len = u32::try_from(frame.len()).unwrap();
            bytes.extend_from_slice(&record_header(Resolution::Nano, *time, len).unwrap());
            bytes.extend_from_slice(frame);
        }
        Capture::scan(bytes).unwrap()
    }

    const S: u64 = 1_000_000_000;

    #[test]
    fn the_clock_starts_with_the_first_packet_never_goes_back_and_goes_on_in_the_next_loop() {
        let script = Script::new(
            capture(&[(9 * S, b"a"), (10 * S, b"b"), (8 * S, b"c"), (11 * S + S / 4, b"d")]),
            (1, 2),
            |_| false,
        );
        let ticks: Vec<Tick> = script.turns().map(|turn| script.tick(turn)).collect();
        assert_eq!(ticks, [0, 8, 8, 18, 19, 27, 27, 37].map(Tick));
        let last = Turn { round: 1, packet: 3 };
        assert_eq!(script.time_nanos(last), 11 * S + S / 4 + 19 * S / 8);
        assert_eq!((script.packets(), script.longest(), script.last_tick()), (8, 1, Tick(37)));
    }

    #[test]
    fn each_packet_has_one_worker_and_what_is_no_flow_has_the_first() {
        let frames: Vec<[u8; 60]> = (0..100).map(|number| [number; 60]).collect();
        let packets: Vec<(u64, &[u8])> = frames.iter().map(|frame| (0, frame.as_slice())).collect();
        let script = Script::new(capture(&packets), (3, 1), |_| false);
        assert_eq!(script.own(0).len(), 100, "none of them is IP");
        assert!(script.own(1).is_empty() && script.own(2).is_empty());
        assert!(script.turns().all(|turn| script.worker(turn.packet) == 0));
    }

    #[test]
    fn a_cookie_gives_its_turn_back() {
        let turn = Turn { round: (1 << 31) - 1, packet: u32::MAX };
        assert_eq!(Turn::of(turn.cookie()), turn);
        assert!(Turn { round: 0, packet: u32::MAX } < Turn { round: 1, packet: 0 });
    }
}
