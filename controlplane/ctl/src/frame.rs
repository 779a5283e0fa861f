//! Lines: one JSON object each, ended by a newline, of bounded length and within bounded time.

use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Why there is no line.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The other side has closed; nothing stood before the end.
    Closed,
    /// The other side has closed in the middle of a line.
    Cut,
    /// The line is longer than the limit.
    TooLong,
    /// The line did not come in time.
    Late,
    /// The system's.
    Os(io::Error),
}

/// Reads lines of at most `max` bytes, the newline included.
#[derive(Debug)]
pub(crate) struct Lines {
    max: usize,
    /// Read and not yet given.
    rest: Vec<u8>,
}

impl Lines {
    pub(crate) const fn new(max: usize) -> Self {
        Self { max, rest: Vec::new() }
    }

    /// What was read beyond the last line.
    pub(crate) fn into_rest(self) -> Vec<u8> {
        self.rest
    }

    /// The next line without its newline; all of it has to come within `patience`, however slowly.
    pub(crate) fn next(&mut self, stream: &UnixStream, patience: Duration) -> Result<Vec<u8>, Broken> {
        let start = Instant::now();
        self.next_from(|chunk| {
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            let mut stream = stream;
            stream.read(chunk)
        })
    }

    fn next_from(&mut self, mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> Result<Vec<u8>, Broken> {
        let mut looked = 0;
        loop {
            let fresh = self.rest.get(looked..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let end = looked.saturating_add(at);
                if end >= self.max {
                    return Err(Broken::TooLong);
                }
                let mut line: Vec<u8> = self.rest.drain(..=end).collect();
                line.pop();
                return Ok(line);
            }
            if self.rest.len() >= self.max {
                return Err(Broken::TooLong);
            }
            looked = self.rest.len();
            let mut chunk = [0; 16 * 1024];
            match read(&mut chunk) {
                Ok(0) if self.rest.is_empty() => return Err(Broken::Closed),
                Ok(0) => return Err(Broken::Cut),
                Ok(read) => self.rest.extend_from_slice(chunk.get(..read).unwrap_or_default()),
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return Err(Broken::Late),
                    _ => return Err(Broken::Os(error)),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop, prop_assert, proptest};

    use super::{Broken, Lines};

    const MAX: usize = 64;

    /// All lines of `bytes`, which come in pieces, and how it ended.
    fn lines(bytes: &[u8], pieces: &[usize]) -> (Vec<Vec<u8>>, Broken) {
        let (mut lines, mut list) = (Lines::new(MAX), Vec::new());
        let (mut at, mut pieces) = (0, pieces.iter().cycle());
        loop {
            let read = |chunk: &mut [u8]| {
                let wanted = pieces.next().map_or(1, |piece| (piece % 90) + 1).min(chunk.len());
                let piece = &bytes[at..(at + wanted).min(bytes.len())];
                chunk[..piece.len()].copy_from_slice(piece);
                at += piece.len();
                Ok(piece.len())
            };
            match lines.next_from(read) {
                Ok(line) => list.push(line),
                Err(broken) => return (list, broken),
            }
        }
    }

    proptest! {
        #[test]
        fn lines_come_whole_however_they_arrive(
            wanted in prop::collection::vec(prop::collection::vec(any::<u8>().prop_map(|byte| byte.max(b'\n' + 1)), 0..MAX - 1), 0..8),
            pieces in prop::collection::vec(any::<usize>(), 1..9),
        ) {
            let mut bytes = Vec::new();
            for line in &wanted {
                bytes.extend_from_slice(line);
                bytes.push(b'\n');
            }
            let (list, end) = lines(&bytes, &pieces);
            prop_assert!(list == wanted && matches!(end, Broken::Closed));
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..300), pieces in prop::collection::vec(any::<usize>(), 1..9)) {
            let (list, _) = lines(&bytes, &pieces);
            assert!(list.iter().all(|line| line.len() < MAX));
        }
    }

    #[test]
    fn a_line_too_long_and_one_that_is_cut_are_told_apart() {
        assert!(matches!(lines(&[b'x'; MAX - 1], &[1]).1, Broken::Cut));
        assert!(matches!(lines(&[b'x'; MAX], &[1]).1, Broken::TooLong));
        let mut whole = [b'x'; MAX];
        whole[MAX - 1] = b'\n';
        assert_eq!(lines(&whole, &[89]).0.len(), 1);
    }
}
