//! What the tests share: a configuration, captures of frames made by hand, and the real binary.
#![allow(dead_code, reason = "each test is a program of its own and uses a part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

pub(crate) mod changes;
pub(crate) mod running;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use capture::{Capture, Resolution, Writer};

pub(crate) const CONFIG: &str = r#"
[tunnel]
source_v4 = "192.0.2.1"
next_hop = "02:00:00:00:00:fe"
dont_fragment = "set"
[flow]
entries = 4096
[[real]]
name = "web-1"
address = "10.0.0.11"
[[real]]
name = "web-2"
address = "10.0.0.12"
[[real]]
name = "dns-1"
address = "10.0.0.31"
[[pool]]
name = "web"
slots = 251
members = [{ real = "web-1" }, { real = "web-2" }]
[[pool]]
name = "dns"
slots = 251
members = [{ real = "dns-1" }]
[[service]]
name = "http"
vip = "198.51.100.0/24"
protocol = "tcp"
ports = 80
pool = "web"
[[service]]
name = "dns"
vip = "203.0.113.53"
protocol = "udp"
ports = 53
pool = "dns"
"#;

/// A folder with a configuration and what else a test puts there.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(bench.path("site.toml"), CONFIG).unwrap();
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    /// A capture of frames, so many nanoseconds apart.
    pub(crate) fn capture(&self, name: &str, frames: &[Vec<u8>], apart: u64) {
        let mut writer = Writer::create(self.path(name), Resolution::Nano).unwrap();
        for (frame, number) in frames.iter().zip(0_u64..) {
            writer.write(1_700_000_000_000_000_000 + number * apart, frame).unwrap();
        }
        writer.finish().unwrap();
    }

    /// The frames of a capture, with their times.
    pub(crate) fn frames(&self, name: &str) -> Vec<(u64, Vec<u8>)> {
        let capture = Capture::open(self.path(name)).unwrap();
        capture.packets().map(|packet| (packet.time_nanos, packet.data.to_vec())).collect()
    }

    /// The binary in this folder, with words split at spaces.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_penstock"));
        command.args(line.split_whitespace()).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// The same, which must succeed; what it said on stdout.
    pub(crate) fn good(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// The same, which must fail with this status; what it said on stderr.
    pub(crate) fn bad(&self, line: &str, status: i32) -> String {
        let output = self.run(line);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{line}: {told}");
        told
    }

    /// The same with status 1 and exactly one sentence, which is given without the program's name.
    pub(crate) fn sentence(&self, line: &str) -> String {
        let told = self.bad(line, 1);
        let one = told.strip_prefix("penstock: ").unwrap_or_else(|| panic!("{line}: {told}"));
        assert_eq!(one.trim_end().lines().count(), 1, "{line}: {told}");
        one.trim_end().to_owned()
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

pub(crate) fn checksum(words: &[u8]) -> [u8; 2] {
    let sum: u32 = words
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&odd| u32::from(odd)))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    (!u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap()).to_be_bytes()
}

/// An Ethernet frame with an IPv4 packet of that protocol.
pub(crate) fn ipv4(source: [u8; 4], destination: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let mut header = vec![0x45, 0, length[0], length[1], 0, 1, 0x40, 0, 64, protocol, 0, 0];
    header.extend_from_slice(&source);
    header.extend_from_slice(&destination);
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum);
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 8, 0];
    frame.extend_from_slice(&header);
    frame.extend_from_slice(payload);
    frame
}

pub(crate) fn tcp(client: u16, vip: [u8; 4], port: u16, flags: u8, payload: usize) -> Vec<u8> {
    let mut segment = (1024 + client).to_be_bytes().to_vec();
    segment.extend_from_slice(&port.to_be_bytes());
    segment.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.resize(20 + payload, 0xab);
    ipv4([192, 0, 2, 77], vip, 6, &segment)
}

pub(crate) fn udp(client: u16, vip: [u8; 4], port: u16, payload: usize) -> Vec<u8> {
    let mut datagram = (1024 + client).to_be_bytes().to_vec();
    datagram.extend_from_slice(&port.to_be_bytes());
    datagram.extend_from_slice(&u16::try_from(8 + payload).unwrap().to_be_bytes());
    datagram.extend_from_slice(&[0, 0]);
    datagram.resize(8 + payload, 0xcd);
    ipv4([192, 0, 2, 78], vip, 17, &datagram)
}

/// An echo request with so many bytes behind its header.
pub(crate) fn echo(vip: [u8; 4], payload: usize) -> Vec<u8> {
    let mut message = vec![8, 0, 0, 0, 0, 7, 0, 1];
    message.resize(8 + payload, 0x5a);
    let sum = checksum(&message);
    message[2..4].copy_from_slice(&sum);
    ipv4([192, 0, 2, 79], vip, 1, &message)
}

/// Some of everything: new and old flows of both services, an echo, what is dropped and what is punted,
/// lengths from 54 to 1,400.
pub(crate) fn mixture(packets: u16) -> Vec<Vec<u8>> {
    let web = |number: u16| [198, 51, 100, u8::try_from(number % 200).unwrap()];
    (0..packets)
        .map(|number| match number % 11 {
            0 => tcp(number, web(number), 80, 0x02, 0),
            1 => udp(number % 64, [203, 0, 113, 53], 53, 40),
            2 => echo([203, 0, 113, 53], usize::from(number % 300)),
            3 => tcp(number, web(1), 81, 0x10, 9),
            4 => ipv4([192, 0, 2, 80], [8, 8, 8, 8], 17, &[0, 1, 0, 2, 0, 8, 0, 0]),
            5 => vec![0xff; 60],
            6 => tcp(number, web(2), 80, 0x10, 5)[..40].to_vec(),
            _ => tcp(number / 50, web(number % 3), 80, 0x10, usize::from(number * 13 % 1340)),
        })
        .collect()
}
