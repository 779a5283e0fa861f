//! Two captures compared: which packet differs first, and in which bytes.

use std::fmt::Write as _;
use std::path::Path;

use capture::Capture;

const BYTES_PER_LINE: usize = 16;

/// Both files are the same, byte for byte.
///
/// # Errors
/// What differs first, with both hex dumps when it is a packet.
pub fn same_file(expected: &Path, got: &Path) -> Result<(), String> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let (expected_bytes, got_bytes) = (read(expected)?, read(got)?);
    if expected_bytes == got_bytes {
        return Ok(());
    }
    let (expected, got) = (frames(expected)?, frames(got)?);
    for (index, (expected, got)) in expected.iter().zip(&got).enumerate() {
        if expected.0 != got.0 {
            return Err(format!("packet {index} out: at {} ns, expected {} ns", got.0, expected.0));
        }
    }
    same_packets(&expected, &got)?;
    let at = expected_bytes.iter().zip(&got_bytes).take_while(|(expected, got)| expected == got).count();
    Err(format!("the packets are the same, but the files differ at byte {at}"))
}

/// A capture's packets: time in nanoseconds, and bytes.
pub type Frames = Vec<(u64, Vec<u8>)>;

/// All packets of a capture file.
///
/// # Errors
/// As [`Capture::open`]; also a capture with a fault.
pub fn frames(path: &Path) -> Result<Frames, String> {
    let capture = Capture::open(path).map_err(|error| error.to_string())?;
    if let Some(fault) = capture.end_fault() {
        return Err(format!("{}: {fault}", path.display()));
    }
    Ok(capture.packets().map(|packet| (packet.time_nanos, packet.data.to_vec())).collect())
}

/// The same packets in the same order, whatever their times.
///
/// # Errors
/// The first that differs, with both hex dumps.
pub fn same_packets(expected: &Frames, got: &Frames) -> Result<(), String> {
    for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
        if expected.1 != got.1 {
            return Err(format!("packet {index} out differs:\n{}", both(&expected.1, &got.1)));
        }
    }
    if expected.len() == got.len() {
        return Ok(());
    }
    let mut text = format!("{} packets out, expected {}", got.len(), expected.len());
    let (which, extra) = match got.get(expected.len()) {
        Some(extra) => ("too many", extra),
        None => match expected.get(got.len()) {
            Some(missing) => ("missing", missing),
            None => return Err(text),
        },
    };
    let _ = write!(text, "; the first that is {which}:\n{}", dump(&extra.1));
    Err(text)
}

/// A hex dump, sixteen bytes a line.
#[must_use]
pub fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (number, line) in bytes.chunks(BYTES_PER_LINE).enumerate() {
        let _ = writeln!(text, "    {:04x}  {}", number * BYTES_PER_LINE, hex(line));
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// Both dumps; lines that differ are marked.
fn both(expected: &[u8], got: &[u8]) -> String {
    let lines = expected.len().max(got.len()).div_ceil(BYTES_PER_LINE);
    let line = |bytes: &[u8], number: usize| -> String {
        hex(bytes.chunks(BYTES_PER_LINE).nth(number).unwrap_or_default())
    };
    let mut text = format!("  expected, {} bytes:\n", expected.len());
    for (title, bytes, other) in [("", expected, got), ("got", got, expected)] {
        if !title.is_empty() {
            let _ = writeln!(text, "  {title}, {} bytes:", bytes.len());
        }
        for number in 0..lines {
            let mark = if line(bytes, number) == line(other, number) { ' ' } else { '>' };
            let _ = writeln!(text, "  {mark} {:04x}  {}", number * BYTES_PER_LINE, line(bytes, number));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::same_packets;

    fn frames(packets: &[&[u8]]) -> super::Frames {
        packets.iter().map(|packet| (0, packet.to_vec())).collect()
    }

    #[test]
    fn the_first_difference_is_named_with_both_dumps() {
        let told = same_packets(&frames(&[b"same", b"one"]), &frames(&[b"same", b"two"])).unwrap_err();
        assert!(told.contains("packet 1 out differs"), "{told}");
        assert!(told.contains("> 0000  6f 6e 65") && told.contains("> 0000  74 77 6f"), "{told}");
    }

    #[test]
    fn a_missing_and_an_extra_packet_are_shown() {
        let (one, two) = (frames(&[b"a"]), frames(&[b"a", b"b"]));
        assert!(same_packets(&two, &one).unwrap_err().contains("missing"));
        assert!(same_packets(&one, &two).unwrap_err().contains("too many"));
        assert_eq!(same_packets(&two, &two), Ok(()));
    }
}
