//! One `dpdk-testpmd`: started, told what to do through its prompt, and ended by its own process number.
//!
//! Its packets come from its forwarding statistics, its time from the CPU time of its one worker thread.
//! Between `stop` and `start` that thread sleeps, so both are read while nothing moves.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::setting::Setting;

/// How long testpmd may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running testpmd; killed when it is dropped.
pub(crate) struct Testpmd {
    child: Child,
    prompt: ChildStdin,
    lines: Receiver<String>,
    /// The worker thread's own accounts.
    schedstat: PathBuf,
}

/// What one mode did in its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) packets: u64,
    pub(crate) cpu_nanos: u64,
}

impl Testpmd {
    /// Starts it on one port, stopped.
    pub(crate) fn start(setting: &Setting, device: &str) -> Result<Self, String> {
        // Into a pipe it would answer a page at a time.
        let mut command = Command::new("stdbuf");
        command.arg("-oL").arg("dpdk-testpmd").args(setting.testpmd_arguments(device));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().map_err(|error| format!("dpdk-testpmd (package dpdk-dev) by stdbuf: {error}"))?;
        let (Some(prompt), Some(out), Some(err)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err("dpdk-testpmd has no pipes".to_owned());
        };
        let (to, lines) = channel();
        forward(out, to.clone());
        forward(err, to);
        let mut testpmd = Self { child, prompt, lines, schedstat: PathBuf::new() };
        testpmd.wait_for("Done")?;
        testpmd.schedstat = testpmd.worker_accounts()?;
        Ok(testpmd)
    }

    /// Chooses a forwarding mode.
    pub(crate) fn choose(&mut self, mode: &str) -> Result<(), String> {
        self.say(&format!("set fwd {mode}"))?;
        self.wait_for(&format!("Set {mode} packet forwarding mode")).map(drop)
    }

    /// Forwards for a while. What it received it must have sent, and found no checksum bad.
    pub(crate) fn run(&mut self, time: Duration) -> Result<Run, String> {
        let before = self.cpu_nanos()?;
        self.say("start")?;
        std::thread::sleep(time);
        self.say("stop")?;
        let said = self.wait_for("Done.")?;
        let cpu_nanos = self.cpu_nanos()?.saturating_sub(before);
        let in_all = said.iter().skip_while(|line| !line.contains("Accumulated forward statistics"));
        let in_all: Vec<&str> = in_all.map(String::as_str).collect();
        let received = figure(&in_all, "RX-packets:")?;
        let sent = figure(&in_all, "TX-packets:")?;
        let every: Vec<&str> = said.iter().map(String::as_str).collect();
        for kind in ["Bad-ipcsum:", "Bad-l4csum:"] {
            if figure(&every, kind).is_ok_and(|bad| bad > 0) {
                return Err(format!("testpmd found bad checksums: {}", every.join("\n")));
            }
        }
        if received == 0 || sent != received || cpu_nanos == 0 {
            return Err(format!("testpmd received {received} packets and sent {sent} in {cpu_nanos} ns"));
        }
        Ok(Run { packets: received, cpu_nanos })
    }

    /// Ends it in its own way.
    pub(crate) fn quit(mut self) -> Result<(), String> {
        self.say("quit")?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return if status.success() { Ok(()) } else { Err(format!("testpmd: {status}")) };
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err("testpmd did not end".to_owned())
    }

    fn say(&mut self, words: &str) -> Result<(), String> {
        writeln!(self.prompt, "{words}").map_err(|error| format!("testpmd, {words}: {error}"))
    }

    /// All lines up to the one that is, or that behind the prompt is, `wanted`.
    fn wait_for(&mut self, wanted: &str) -> Result<Vec<String>, String> {
        let deadline = Instant::now() + PATIENCE;
        let mut said = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                return Err(format!("testpmd did not say {wanted:?}:\n{}", said.join("\n")));
            };
            let is_it = line.trim_start_matches("testpmd>").trim() == wanted;
            said.push(line);
            if is_it {
                return Ok(said);
            }
        }
    }

    fn worker_accounts(&self) -> Result<PathBuf, String> {
        let tasks = format!("/proc/{}/task", self.child.id());
        let named = |task: &Path| {
            fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim().ends_with("worker-1"))
        };
        let tasks = fs::read_dir(&tasks).map_err(|error| format!("{tasks}: {error}"))?;
        let worker = tasks.filter_map(|task| Some(task.ok()?.path())).find(|task| named(task));
        worker.map(|task| task.join("schedstat")).ok_or_else(|| "testpmd has no worker-1".to_owned())
    }

    fn cpu_nanos(&self) -> Result<u64, String> {
        let text = fs::read_to_string(&self.schedstat).map_err(|error| error.to_string())?;
        let first = text.split_whitespace().next().and_then(|word| word.parse().ok());
        first.ok_or_else(|| format!("{}: {text}", self.schedstat.display()))
    }
}

impl Drop for Testpmd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends every line on; ends with the pipe.
fn forward(pipe: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if to.send(line).is_err() {
                return;
            }
        }
    });
}

/// The number behind a name in testpmd's statistics.
fn figure(lines: &[&str], name: &str) -> Result<u64, String> {
    let behind = lines.iter().find_map(|line| line.split_once(name));
    let number = behind.and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| format!("testpmd gave no {name}\n{}", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn figures_stand_behind_their_names() {
        let lines =
            ["  RX-packets: 31990272       RX-dropped: 0             RX-total: 31990272", "  Bad-ipcsum: 3 "];
        assert_eq!(figure(&lines, "RX-packets:"), Ok(31_990_272));
        assert_eq!(figure(&lines, "RX-dropped:"), Ok(0));
        assert_eq!(figure(&lines, "Bad-ipcsum:"), Ok(3));
        assert!(figure(&lines, "TX-packets:").is_err());
    }
}
