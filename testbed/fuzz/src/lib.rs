//! What the fuzz targets share: the sample table, and a run of packets written as bytes.
#![forbid(unsafe_code)]

use conf::Config;
use control::Numbers;
use import::Format;
use service::{Blueprint, Built, Generation};

/// The configuration in `sample.toml`.
#[must_use]
pub fn sample_config() -> Config {
    conf::parse("sample.toml", include_str!("../sample.toml")).expect("the sample is valid")
}

/// What its table is built from.
#[must_use]
pub fn sample_blueprint() -> Blueprint {
    let config = sample_config();
    let numbers = Numbers::default().assign(&config, 0).expect("there are numbers enough");
    control::blueprint(&config, &numbers).expect("every name has a number")
}

/// Its images.
#[must_use]
pub fn sample_built() -> Built {
    service::build(&sample_blueprint(), Generation { boot: 1, sequence: 1 })
        .expect("the sample makes a table")
}

/// Holds an import to its word: a fault in one line, or what `conf` accepts, twice the same.
pub fn imported_is_sound(format: Format, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match import::import(format, text) {
        Err(fault) => assert!(!fault.to_string().contains('\n'), "a fault is one line"),
        Ok(imported) => {
            conf::parse("imported.toml", &imported.toml).expect("what is imported is sound");
            assert_eq!(import::import(format, text).as_ref(), Ok(&imported), "the same bytes again");
        }
    }
}

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
