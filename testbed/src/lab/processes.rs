//! What runs in a lab as long as it stands.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::lab::namespace::{Stay, laying};
use crate::penstock::Ended;

/// How long a process may take until it serves, or to end when it is asked to.
const TURN_MAX: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);
/// Of what a process said, so much is shown when it fails.
const LINES_SHOWN: usize = 20;

/// A process. What it says goes into a file.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) node: String,
    child: Child,
    log: PathBuf,
    stay: Stay,
}

impl Process {
    /// Starts one. It has a process group of its own: a Ctrl-C at the terminal is for us to handle.
    pub(crate) fn start(
        (name, node): (&str, &str),
        command: &mut Command,
        folder: &Path,
        stay: Stay,
    ) -> Result<Self, String> {
        let log = folder.join(format!("{node}-{name}.log"));
        let told = |error| format!("{name} on {node}: {error}");
        let out = File::create(&log).map_err(told)?;
        let err = out.try_clone().map_err(told)?;
        let _laying = laying();
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0).spawn();
        let child = child.map_err(told)?;
        Ok(Self { name: name.to_owned(), node: node.to_owned(), child, log, stay })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Fails if it has ended.
    pub(crate) fn require_running(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.tell(&format!("it ended: {status}"))),
            Err(error) => Err(self.tell(&error.to_string())),
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), String> {
        let pid = i32::try_from(self.id()).ok().and_then(Pid::from_raw).ok_or("it has no process id")?;
        kill_process(pid, signal).map_err(|errno| self.tell(&errno.to_string()))
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(&mut self) -> Result<Ended, String> {
        // One that has ended by itself says so by its status.
        if self.require_running().is_ok() {
            self.signal(Signal::TERM)?;
        }
        let begin = Instant::now();
        while begin.elapsed() < TURN_MAX {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Ok(Ended { status, stdout: String::new(), stderr: self.said() });
            }
            std::thread::sleep(LOOK);
        }
        Err(self.tell("it does not end"))
    }

    fn tell(&self, what: &str) -> String {
        let said = self.said();
        let lines: Vec<&str> = said.lines().collect();
        let shown = lines.get(lines.len().saturating_sub(LINES_SHOWN)..).unwrap_or_default().join("\n    ");
        format!("{} on {}: {what}; it said:\n    {shown}", self.name, self.node)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.stay == Stay::Goes {
            // It may have ended already.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Waits until all of them serve. One that ends meanwhile is told at once.
pub(crate) fn wait_until<'a>(
    processes: impl IntoIterator<Item = &'a mut Process>,
    is_ready: impl Fn(&Process) -> bool,
) -> Result<(), String> {
    let begin = Instant::now();
    let mut waiting: Vec<&mut Process> = processes.into_iter().collect();
    loop {
        waiting.retain(|process| !is_ready(process));
        for process in &mut waiting {
            process.require_running()?;
        }
        match waiting.first() {
            None => return Ok(()),
            Some(process) if begin.elapsed() > TURN_MAX => return Err(process.tell("it does not serve")),
            Some(_) => std::thread::sleep(LOOK),
        }
    }
}
