//! tshark: a decoder that is not ours, which the tests ask for what a capture holds.

use std::path::Path;
use std::process::Command;

use crate::penstock::run;

/// What a packet is, not what its stream is: checksums are looked at, and each packet by itself.
const OPTIONS: [&str; 6] = [
    "ip.check_checksum:TRUE",
    "tcp.check_checksum:TRUE",
    "udp.check_checksum:TRUE",
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
];

/// Between the occurrences of a field: no text of tshark's holds it.
const BETWEEN: char = '\u{1}';

/// One packet: of each field that was asked for all occurrences, the outermost first.
pub type Fields = Vec<Vec<String>>;

/// What tshark reads in every packet of a capture, with these more arguments.
///
/// # Errors
/// tshark cannot be run, or fails: what it said.
pub fn read(capture: &Path, arguments: &[&str], fields: &[&str]) -> Result<Vec<Fields>, String> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(capture).args(arguments);
    command.args(["-T", "fields", "-E", "separator=/t", "-E", &format!("aggregator={BETWEEN}")]);
    command.args(OPTIONS.iter().flat_map(|option| ["-o", option]));
    command.args(fields.iter().flat_map(|field| ["-e", field]));
    let told = run(&mut command)?.require_success()?.stdout;
    let all = |text: &str| match text {
        "" => Vec::new(),
        some => some.split(BETWEEN).map(str::to_owned).collect(),
    };
    Ok(told.lines().map(|line| line.split('\t').map(all).collect()).collect())
}
