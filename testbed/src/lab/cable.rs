//! A cable between two network namespaces: a real binary at one end, raw frames at the other.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::lab::namespace::{Names, Namespace, Stay, call, lay, start};
use crate::pcap::Frames;
use crate::penstock::Running;
use crate::root;

/// How long the binary may take to open its end.
const OPEN_MAX: Duration = Duration::from_secs(30);
/// The kernel's own neighbour discovery would be packets that no case has.
const QUIET: &str = "for at in all default; do echo 1 >/proc/sys/net/ipv6/conf/$at/disable_ipv6; done";
const MTU: u32 = 1500;

/// Two namespaces and a veth cable between them: `box0` in the one, `peer0` in the other.
#[derive(Debug)]
pub struct Cable {
    inside: Namespace,
    outside: Namespace,
}

impl Cable {
    /// Lays one. The box's end has `mac`.
    ///
    /// # Errors
    /// Not root, or a tool that failed, with its words.
    pub fn lay(mac: &str) -> Result<Self, String> {
        let names = Names::new(Stay::Goes)?;
        let cable = Self { inside: Namespace::add(&names, "box")?, outside: Namespace::add(&names, "peer")? };
        cable.inside.shell(QUIET)?;
        cable.outside.shell(QUIET)?;
        lay([(&cable.inside, "box0", MTU), (&cable.outside, "peer0", MTU)])?;
        cable.inside.ip(&format!("link set box0 address {mac}"))?;
        cable.inside.ip("link set box0 up")?;
        cable.outside.ip("link set peer0 up")?;
        cable.inside.wait_until_up("box0")?;
        cable.outside.wait_until_up("peer0")?;
        Ok(cable)
    }

    /// Starts a command at the box's end and waits until it listens there.
    ///
    /// # Errors
    /// It ended before it listened, with its words.
    pub fn start(&self, command: &Command) -> Result<Running, String> {
        let mut inside = self.inside.command(command.get_program());
        let mut running = start(inside.args(command.get_args()))?;
        let begin = Instant::now();
        let sockets = format!("/proc/{}/net/packet", running.id());
        while running.is_running() && begin.elapsed() < OPEN_MAX {
            if std::fs::read_to_string(&sockets).is_ok_and(|table| is_listening(&table)) {
                return Ok(running);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let ended = running.wait()?;
        Err(format!("it did not listen on its port: {}: {}", ended.status, ended.stderr.trim_end()))
    }

    /// Sends frames into the cable's other end and gives what comes out of it, which should be `expected`
    /// frames.
    ///
    /// # Errors
    /// The tool's words.
    pub fn exchange(&self, frames: &Frames, expected: usize, folder: &Path) -> Result<Frames, String> {
        let lines: String = frames.iter().map(|(_, frame)| hex(frame) + "\n").collect();
        let path = folder.join("frames.txt");
        std::fs::write(&path, lines).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut command = self.outside.command("/usr/bin/python3");
        command.arg(root().join("testbed/exchange.py")).arg("peer0").arg(&path).arg(expected.to_string());
        let told = call(&mut command)?;
        told.lines().map(|line| Ok((0, unhex(line).ok_or(format!("{line}: no frame"))?))).collect()
    }
}

/// A packet socket that is bound to an interface and runs stands in the namespace's table. Before it is
/// bound it runs too, on all interfaces, but has no ring yet: what comes then is lost.
fn is_listening(table: &str) -> bool {
    table.lines().skip(1).any(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_bound = columns.get(4).is_some_and(|interface| *interface != "0");
        columns.get(3) == Some(&"0003") && is_bound && columns.get(5) == Some(&"1")
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{hex, is_listening, unhex};

    #[test]
    fn a_bound_packet_socket_is_seen() {
        let head = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n";
        assert!(!is_listening(head));
        assert!(!is_listening(&format!(
            "{head}0000000000000000 3      3    0003   0     0 0      0      1234\n"
        )));
        assert!(is_listening(&format!(
            "{head}0000000000000000 3      3    0003   2     1 0      0      1234\n"
        )));
    }

    #[test]
    fn frames_survive_hex() {
        assert_eq!(unhex(&hex(&[0, 255, 16])), Some(vec![0, 255, 16]));
        assert_eq!(unhex("0g"), None);
    }
}
