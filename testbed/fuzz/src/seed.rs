//! `seed FOLDER`: first inputs for every target, taken from the cases, the real captures and the samples.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use capture::Capture;
use control::Numbers;
use fuzz::{FRAME_BYTES_MAX, head};

/// Packets of one run: what the forward target takes.
const RUN_PACKETS_MAX: usize = 64;
/// A packet that came this long after the one before is late.
const LATE_NANOS: u64 = 1_000_000_000;

fn files(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, endings)?);
        } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The capture's packets one by one, and as runs.
fn packets(into: &Path, name: &str, capture: &Capture) -> Result<(), Box<dyn Error>> {
    let mut run = Vec::new();
    let mut before = 0;
    for (at, packet) in capture.packets().enumerate().take(RUN_PACKETS_MAX) {
        let frame = packet.data.get(..FRAME_BYTES_MAX).unwrap_or(packet.data);
        fs::write(into.join("parse").join(format!("{name}-{at}")), frame)?;
        run.extend(head(frame.len(), at > 0 && packet.time_nanos > before + LATE_NANOS));
        run.extend(frame);
        before = packet.time_nanos;
    }
    fs::write(into.join("forward").join(name), run)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let into = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: seed FOLDER")?);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for target in ["parse", "forward", "config", "capture", "image", "rules", "numbers", "request", "scrape"]
    {
        fs::create_dir_all(into.join(target))?;
    }
    for (at, path) in
        files(&root.join("testbed"), &["send.pcap", "v4.pcap", ".pcapng", "large.pcap"])?.iter().enumerate()
    {
        let name = format!("capture-{at}");
        if let Ok(capture) = Capture::open(path) {
            packets(&into, &name, &capture)?;
        }
        let bytes = fs::read(path)?;
        fs::write(into.join("capture").join(name), bytes.get(..4096).unwrap_or(&bytes))?;
    }
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample.toml");
    let tomls = files(&root.join("conf"), &[".toml"])?.into_iter().chain([sample]);
    let cases = files(&root.join("testbed/cases"), &["config.toml"])?;
    for (at, path) in tomls.chain(cases).enumerate() {
        let name = format!("config-{at}");
        fs::copy(&path, into.join("config").join(&name))?;
        if let Ok(config) = conf::load(&path) {
            let numbers = Numbers::default().assign(&config, 0)?;
            fs::write(into.join("numbers").join(&name), numbers.to_text())?;
        }
    }
    let protocol = fs::read_to_string(root.join("controlplane/ctl/PROTOCOL.md"))?;
    for (at, line) in protocol.lines().filter(|line| line.starts_with('{')).enumerate() {
        fs::write(into.join("request").join(format!("line-{at}")), line)?;
    }
    for (name, request) in
        [("get", "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), ("head", "HEAD /?a=b HTTP/1.0\n\n")]
    {
        fs::write(into.join("scrape").join(name), request)?;
    }
    for (target, name) in [
        ("import-ipvs", "ipvs.rules"),
        ("import-keepalived", "keepalived.conf"),
        ("import-katran", "katran.json"),
        ("import-glb", "glb.json"),
    ] {
        fs::create_dir_all(into.join(target))?;
        let text = fs::read(root.join("controlplane/import/tests/samples").join(name))?;
        fs::write(into.join(target).join(name), text)?;
    }
    for at in 0..64_u8 {
        let change = [at, at / 8, at.wrapping_mul(37), at % 3, at ^ 0x5a, 1, 0];
        fs::write(into.join("image").join(format!("change-{at}")), change)?;
    }
    Ok(())
}
