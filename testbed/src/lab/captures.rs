//! What is seen on a lab's cables: tcpdump writes it, tshark reads it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::lab::file::{Capture, split};
use crate::lab::namespace::{Namespace, Stay, call};
use crate::lab::processes::{Process, wait_until};

/// Headers, and the beginning of what they carry.
const SNAP_BYTES: &str = "512";
/// For bursts.
const BUFFER_KB: &str = "32768";
/// When nothing was written for so long, tcpdump has caught up. Its own count says whether that was true.
const QUIET: Duration = Duration::from_millis(100);

/// A capture that runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) name: String,
    process: Process,
    path: PathBuf,
    /// Packets that tcpdump's socket had before its filter: received, and never captured.
    before: u64,
}

impl Running {
    pub(crate) fn start(
        capture: &Capture,
        namespace: &Namespace,
        folder: &Path,
        stay: Stay,
    ) -> Result<Self, String> {
        let (node, interface) = split(&capture.on).ok_or_else(|| format!("{} is no place", capture.on))?;
        let path = folder.join(format!("{}.pcap", capture.name));
        let mut command = namespace.command("tcpdump");
        // Each packet is written as it comes, not when a block of them is full.
        command.args(["-n", "-U", "--immediate-mode", "-Z", "root", "-s", SNAP_BYTES, "-B", BUFFER_KB]);
        command.args(["-i", interface]).arg("-w").arg(&path).arg(&capture.filter);
        let name = format!("tcpdump-{}", capture.name);
        let mut process = Process::start((&name, node), &mut command, folder, stay)?;
        wait_until([&mut process], |process| process.said().contains("listening on"))?;
        // It tells its counts, and goes on.
        process.signal(Signal::USR1)?;
        wait_until([&mut process], |process| counts(&process.said()).is_some())?;
        let before =
            counts(&process.said()).map_or(0, |[captured, received, _]| received.saturating_sub(captured));
        Ok(Self { name: capture.name.clone(), process, path, before })
    }

    /// Ends it; everything is in the file then.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        if self.process.require_running().is_ok() {
            let size = || std::fs::metadata(&self.path).map(|data| data.len()).unwrap_or_default();
            let mut before = None;
            while before != Some(size()) {
                before = Some(size());
                std::thread::sleep(QUIET);
            }
        }
        let said = self.process.end()?.require_success()?.stderr;
        match counts(&said) {
            Some([captured, received, 0]) if captured + self.before >= received => Ok(()),
            _ => Err(format!("the capture {} is not whole: {said}", self.name)),
        }
    }

    /// The fields of the packets that a display filter finds, in tshark's words.
    pub(crate) fn fields(&self, filter: &str, fields: &[&str]) -> Result<Vec<Vec<String>>, String> {
        let mut command = Command::new("tshark");
        command.arg("-n").arg("-r").arg(&self.path).args(["-Y", filter, "-T", "fields"]);
        command.args(fields.iter().flat_map(|field| ["-e", field]));
        let told = call(&mut command)?;
        Ok(told.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
    }
}

/// What tcpdump said last: packets captured, received by its filter, and dropped by the kernel. At its end each stands
/// on a line, and else on one together.
fn counts(said: &str) -> Option<[u64; 3]> {
    let parts = || said.lines().rev().flat_map(|line| line.rsplit(", "));
    let count = |words: &str| {
        let of = |part: &str| {
            let (count, rest) = part.trim_start_matches("tcpdump: ").split_once(" packet")?;
            (rest.trim_start_matches('s') == words).then(|| count.parse().ok())?
        };
        parts().find_map(of)
    };
    Some([count(" captured")?, count(" received by filter")?, count(" dropped by kernel")?])
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn tcpdumps_last_words_are_read() {
        let said = "tcpdump: listening on eth0\n1 packet captured\n2 packets received by filter\n\
            0 packets dropped by kernel\n";
        assert_eq!(counts(said), Some([1, 2, 0]));
        let before =
            "tcpdump: 0 packets captured, 1 packet received by filter, 0 packets dropped by kernel\n";
        assert_eq!(counts(before), Some([0, 1, 0]));
        assert_eq!(counts(&format!("{before}{said}")), Some([1, 2, 0]));
        assert_eq!(counts("tcpdump: eth9: No such device exists"), None);
    }
}
