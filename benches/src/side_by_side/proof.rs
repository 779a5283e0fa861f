//! Does testpmd do what its modes are called? Before anything is timed, each mode gets the capture once,
//! from a file to a file, and every packet that comes out is looked at.

use std::fs;
use std::path::Path;
use std::time::Duration;

use benches::flows_capture::{self, FLOWS, FRAME_BYTES};
use wire::checksum::Sum;

use crate::setting::Setting;
use crate::testpmd::Testpmd;

/// What a pcap file puts before everything, and before each packet.
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
/// Where the checksums of IPv4 and TCP stand.
const CHECKSUMS: [usize; 2] = [24, 50];

/// Fails when a mode does not do its work.
pub(crate) fn prove(setting: &Setting, mode: &str, folder: &Path) -> Result<(), String> {
    let name = |path: &Path| path.display().to_string();
    let (from, to) = (folder.join("proof-in.pcap"), folder.join("proof-out.pcap"));
    flows_capture::write(&from).map_err(|error| error.to_string())?;
    if mode == "csum" {
        spoil(&from)?;
    }
    let device = format!("net_pcap0,rx_pcap={},tx_pcap={}", name(&from), name(&to));
    let mut testpmd = Testpmd::start(setting, &device)?;
    testpmd.choose(mode)?;
    let run = testpmd.run(Duration::from_millis(100))?;
    testpmd.quit()?;
    let file = fs::read(&to).map_err(|error| format!("{}: {error}", name(&to)))?;
    let frames = frames(&file);
    if run.packets != u64::from(FLOWS) || frames.len() != usize::from(FLOWS) {
        return Err(format!(
            "{mode}: {} packets of {FLOWS} came back, {} in the file",
            run.packets,
            frames.len()
        ));
    }
    for (frame, flow) in frames.iter().zip(0..) {
        let sent = flows_capture::frame(flow);
        if !is_done(mode, &sent, frame) {
            return Err(format!("testpmd's {mode} made {frame:02x?} of {sent:02x?}"));
        }
    }
    Ok(())
}

/// Turns all checksums of a capture wrong.
fn spoil(path: &Path) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = fs::read(path).map_err(fail)?;
    for record in file.get_mut(FILE_HEADER..).unwrap_or_default().chunks_mut(RECORD_HEADER + FRAME_BYTES) {
        for at in CHECKSUMS {
            for byte in record.iter_mut().skip(RECORD_HEADER + at).take(2) {
                *byte ^= 0x55;
            }
        }
    }
    fs::write(path, file).map_err(fail)
}

fn frames(file: &[u8]) -> Vec<&[u8]> {
    let records = file.get(FILE_HEADER..).unwrap_or_default().chunks(RECORD_HEADER + FRAME_BYTES);
    records.filter_map(|record| record.get(RECORD_HEADER..)).collect()
}

/// Whether `got` is what `mode` makes of `sent`.
fn is_done(mode: &str, sent: &[u8], got: &[u8]) -> bool {
    let part = |frame: &[u8], from: usize, to: usize| frame.get(from..to).unwrap_or_default().to_vec();
    let joined = |parts: &[(usize, usize)]| -> Vec<u8> {
        parts.iter().flat_map(|&(from, to)| part(sent, from, to)).collect()
    };
    match mode {
        "io" => got == sent,
        "macswap" => got == joined(&[(6, 12), (0, 6), (12, FRAME_BYTES)]),
        "5tswap" => {
            got == joined(&[
                (6, 12),
                (0, 6),
                (12, 26),
                (30, 34),
                (26, 30),
                (36, 38),
                (34, 36),
                (38, FRAME_BYTES),
            ])
        }
        // The input's checksums were wrong, and all else is as it was but the MAC addresses.
        "csum" => got.get(12..) == sent.get(12..) && has_right_checksums(got),
        _ => false,
    }
}

fn has_right_checksums(frame: &[u8]) -> bool {
    let sum = |from: usize, to: usize| Sum::default().add_bytes(frame.get(from..to).unwrap_or_default());
    let segment = u16::try_from(FRAME_BYTES - 34).unwrap_or(0);
    let tcp = sum(26, 34).add_u16(6).add_u16(segment);
    sum(14, 34).is_intact() && tcp.add_bytes(frame.get(34..).unwrap_or_default()).is_intact()
}

#[cfg(test)]
mod tests {
    use benches::flows_capture::frame;

    use super::{has_right_checksums, is_done};

    #[test]
    fn a_mode_that_did_nothing_is_found_out() {
        let sent = frame(7);
        assert!(is_done("io", &sent, &sent));
        assert!(!is_done("macswap", &sent, &sent) && !is_done("5tswap", &sent, &sent));
        assert!(has_right_checksums(&sent));
        for at in [24, 50] {
            let mut spoilt = sent.clone();
            spoilt[at] ^= 0x55;
            assert!(!is_done("csum", &sent, &spoilt));
        }
    }
}
