//! Bytes on a cache-line boundary, for tables that live in ordinary memory.

use zerocopy::{FromZeros, Immutable, IntoBytes, KnownLayout};

#[derive(Clone, FromZeros, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// A copy of some bytes that starts on a cache line, as an image must. Mapped files do so by themselves.
#[derive(Clone)]
pub struct Aligned {
    lines: Vec<Line>,
    length: usize,
}

impl Aligned {
    /// Copies `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut lines = vec![Line([0; 64]); bytes.len().div_ceil(64)];
        for (line, chunk) in lines.iter_mut().zip(bytes.chunks(64)) {
            for (to, from) in line.0.iter_mut().zip(chunk) {
                *to = *from;
            }
        }
        Self { lines, length: bytes.len() }
    }
}

impl AsRef<[u8]> for Aligned {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.lines.as_bytes().get(..self.length).unwrap_or_default()
    }
}
