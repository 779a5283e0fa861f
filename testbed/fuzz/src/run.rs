//! A run of packets, written as bytes: what the forward target takes, and its corpus is made of.

/// The most bytes of a frame in a run of packets.
pub const FRAME_BYTES_MAX: usize = 2047;

/// One frame and how many ticks after the one before it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent<'a> {
    /// Ticks since the frame before.
    pub ticks: u64,
    /// The frame.
    pub frame: &'a [u8],
}

/// A run of packets: for each a head of two little-endian bytes, eleven bits of length and five of time,
/// then the frame. The last one is as long as what is left.
pub fn packets(mut bytes: &[u8]) -> impl Iterator<Item = Sent<'_>> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_first_chunk::<2>()?;
        let head = u16::from_le_bytes(*head);
        let (frame, rest) = rest.split_at(rest.len().min(usize::from(head & 0x7ff)));
        bytes = rest;
        // Five bits of time: mostly none, at most a few minutes.
        let ticks = match head >> 11 {
            code @ 0..=15 => u64::from(code / 8),
            code => 1 << (code - 16),
        };
        Some(Sent { ticks, frame })
    })
}

/// The head that [`packets`] reads, for a frame `frame_len` bytes long that comes at once or, with
/// `is_late`, some seconds later.
#[must_use]
pub fn head(frame_len: usize, is_late: bool) -> [u8; 2] {
    let length = u16::try_from(frame_len.min(FRAME_BYTES_MAX)).unwrap_or(0);
    (length | if is_late { 22 << 11 } else { 0 }).to_le_bytes()
}
