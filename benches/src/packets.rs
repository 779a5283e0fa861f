//! Packets by arithmetic: one 60-byte frame whose source is rewritten for every packet, so that ten
//! million flows cost no memory of their own and arrive in random order of the table.

use port::{MemPacket, MemSink, MemSource, Tick};
use wire::checksum::Sum;

use crate::tables::{KEYED_VIP4, QUIC_VIP4, VIP4, VIP6, many_vip};

/// What the packets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// IPv4 to the single VIP.
    V4,
    /// IPv6 to the single VIP (74 bytes: the headers alone are longer than 60).
    V6,
    /// IPv4 to an address that is no VIP.
    NotVip,
    /// IPv4 to the single VIP, under a table with such rules.
    Ruled(Ruled),
    /// QUIC over IPv4 to a VIP of its own, with ids of that configuration (74 bytes).
    Quic(Ids),
    /// IPv4 to the single VIP, whose service asks for this too.
    Asking(Asks),
    /// ESP over IPv4 to the VIP of [`crate::tables::keyed_table`], one association a client.
    Esp,
    /// TCP over IPv4 to the same VIP.
    Keyed,
    /// IPv4, destinations uniform over so many VIPs.
    Many(u32),
}

/// Which rules a table has. None of them matches a packet of ours, but for the one that marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruled {
    /// Ten thousand of clients' prefixes: asked about new flows.
    Flows,
    /// One of a DSCP: asked about every packet.
    Packet,
    /// All of these.
    Both,
    /// One that marks every packet.
    Marks,
}

/// What a service asks for in [`crate::tables::asking_table`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// A code point in both headers.
    Dscp,
    /// A tag and two labels.
    Link,
    /// A limit that nothing exceeds.
    Limit,
}

/// How connection ids are made, by their rotation bits in [`crate::tables::quic_table`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// In the clear.
    Clear,
    /// Four passes to make, of which a router undoes three.
    ThreePasses,
    /// Four passes, and all to undo: the server id is longer than the nonce.
    FourPasses,
    /// One block.
    Single,
}

impl Ids {
    /// An id of real 1, made by the testbed's encoder (`golden/quic.py`).
    const fn of_real_1(self) -> &'static [u8] {
        match self {
            Self::Clear => &[0x15, 0x00, 0x01, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5],
            Self::ThreePasses => &[0x35, 0x83, 0xa4, 0x93, 0xac, 0x47, 0x8f, 0xe6, 0x88, 0x85, 0x4e],
            Self::FourPasses => &[
                0x55, 0x2e, 0x85, 0x85, 0xc3, 0xea, 0xc5, 0xc2, 0x82, 0x76, 0x9c, 0x6b, 0xbe, 0xcf, 0x90,
                0xce, 0xfa, 0x4d,
            ],
            Self::Single => &[
                0x75, 0x6b, 0xa1, 0x14, 0xd5, 0x4f, 0xda, 0x3e, 0xc1, 0x0e, 0xa0, 0xc2, 0x0e, 0x36, 0x58,
                0x2a, 0xf3,
            ],
        }
    }
}

/// A source of packets of `flows` flows, over and over, in an order that visits each flow once a round.
#[derive(Debug)]
pub struct Permutation {
    frame: [u8; 74],
    len: usize,
    shape: Shape,
    flows: u64,
    stride: u64,
    at: u64,
    left: u64,
    /// The IPv4 header's sum without the words that change.
    sum: Sum,
}

const FRAME4: usize = 60;
const FRAME6: usize = 74;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

impl Permutation {
    /// `flows` flows of a shape. With `syn`, every packet opens its flow.
    #[must_use]
    pub fn new(shape: Shape, flows: u64, syn: bool) -> Self {
        let flags = if syn { SYN } else { ACK };
        let mut frame = [0; FRAME6];
        let (len, bytes) = match shape {
            Shape::V6 => (FRAME6, frame6(flags)),
            Shape::V4 | Shape::Ruled(_) | Shape::Asking(_) => (FRAME4, frame4(VIP4, flags)),
            Shape::Many(_) => (FRAME4, frame4([0; 4], flags)),
            Shape::Esp => (FRAME4, frame_esp()),
            Shape::Keyed => (FRAME4, frame4(KEYED_VIP4, flags)),
            Shape::Quic(ids) => (FRAME6, frame_quic(ids)),
            Shape::NotVip => (FRAME4, frame4([203, 0, 113, 77], flags)),
        };
        for (to, from) in frame.iter_mut().zip(bytes) {
            *to = from;
        }
        let sum = Sum::default().add_bytes(frame.get(14..34).unwrap_or_default());
        // A stride near the golden section, coprime to the count, spreads neighbours apart.
        let mut stride = flows / 1000 * 618 + 1;
        while gcd(stride, flows) != 1 {
            stride += 1;
        }
        Self { frame, len, shape, flows, stride, at: 0, left: 0, sum }
    }

    /// Gives `packets` more packets, then none.
    pub const fn refill(&mut self, packets: u64) {
        self.left = packets;
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "flow numbers are below 2^32")]
    fn write(&mut self, index: u32) {
        // 2^24 addresses of 10.0.0.0/8, then other source ports.
        let [_, a, b, c] = index.to_be_bytes();
        let port = (1024 + (index >> 24)) as u16;
        if self.shape == Shape::V6 {
            put(&mut self.frame, 34, [a, b, c, 1]);
            put(&mut self.frame, 54, port.to_be_bytes());
            return;
        }
        let source = [10, a, b, c];
        let mut sum = self.sum.add_bytes(&source);
        put(&mut self.frame, 26, source);
        if self.shape != Shape::Esp {
            put(&mut self.frame, 34, port.to_be_bytes());
        }
        if let Shape::Many(vips) = self.shape {
            let (vip, _, first, _) =
                many_vip(((u64::from(index.wrapping_mul(0x9E37_79B1)) * u64::from(vips)) >> 32) as u32);
            put(&mut self.frame, 30, vip.octets());
            put(&mut self.frame, 36, first.to_be_bytes());
            sum = sum.add_bytes(&vip.octets());
        }
        put(&mut self.frame, 24, sum.finish());
    }
}

fn put<const LEN: usize>(frame: &mut [u8; FRAME6], at: usize, bytes: [u8; LEN]) {
    if let Some(slot) = frame.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<LEN>()) {
        *slot = bytes;
    }
}

const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Ethernet, IPv4 with zeros for what changes (source, checksum, and for many VIPs the destination), TCP.
fn frame4(vip: [u8; 4], flags: u8) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 6, 0, 0, 0, 0, 0, 0]);
    frame.extend(vip);
    frame.extend(tcp(flags));
    frame
}

/// An ESP header, and something protected.
fn frame_esp() -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 50, 0, 0, 0, 0, 0, 0]);
    frame.extend(KEYED_VIP4);
    frame.extend([0, 0, 0x10, 0, 0, 0, 0, 1]);
    frame.resize(FRAME4, 0);
    frame
}

/// A short header behind UDP. Rotation bits and the rest of an id, which is shorter than what follows has room for.
fn frame_quic(ids: Ids) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, 17, 0, 0, 0, 0, 0, 0]);
    frame.extend(QUIC_VIP4);
    frame.extend([4, 0, 1, 0xbb, 0, 40, 0, 0, 0x40]);
    frame.extend(ids.of_real_1());
    frame.resize(FRAME6, 0);
    frame
}

fn frame6(flags: u8) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, 6, 64];
    frame.extend([0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    frame.extend(VIP6);
    frame.extend(tcp(flags));
    frame
}

fn tcp(flags: u8) -> [u8; 20] {
    [4, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]
}

impl MemSource for Permutation {
    #[inline]
    fn next_tick(&mut self) -> Option<Tick> {
        (self.left > 0).then_some(Tick(1))
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "flow numbers are below 2^32")]
    fn load_next(&mut self, into: &mut MemPacket) {
        self.left -= 1;
        self.write(self.at as u32);
        self.at += self.stride;
        if self.at >= self.flows {
            self.at -= self.flows;
        }
        // Both lengths are constants to the compiler, so each copy is a few vector moves.
        if self.len == FRAME4 {
            if let Some(frame) = self.frame.first_chunk::<FRAME4>() {
                into.load(frame, 0);
            }
        } else {
            into.load(&self.frame, 0);
        }
    }
}

/// Takes everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Swallow;

impl MemSink for Swallow {
    #[inline]
    fn send(&mut self, _: &MemPacket) -> bool {
        true
    }
}
