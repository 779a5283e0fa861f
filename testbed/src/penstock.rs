//! The real binary, run as a person runs it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::root;

/// A run that takes longer hangs: the longest takes some seconds on a busy machine.
const DEADLINE: Duration = Duration::from_secs(90);

/// What a run left behind.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it said on stdout.
    pub stdout: String,
    /// What it said on stderr.
    pub stderr: String,
}

impl Ended {
    /// Itself, if it ended well.
    ///
    /// # Errors
    /// Its status and what it said.
    pub fn require_success(self) -> Result<Self, String> {
        if self.status.success() {
            return Ok(self);
        }
        Err(format!("{}: {}", self.status, self.stderr.trim_end()))
    }
}

/// Where the binary is: `$PENSTOCK`, or the workspace's release build.
///
/// # Errors
/// There is none; the sentence holds the command that builds it.
pub fn binary() -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let path = std::env::var_os("PENSTOCK").map_or_else(|| target.join("release/penstock"), PathBuf::from);
    if path.is_file() {
        return Ok(path);
    }
    Err(format!(
        "{}: there is no such binary; build it with cargo build --release -p penstock",
        path.display()
    ))
}

/// `penstock` with these arguments, not started yet.
///
/// # Errors
/// As [`binary`].
pub fn command<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<Command, String> {
    let mut command = Command::new(binary()?);
    command.args(arguments);
    Ok(command)
}

/// `penstock replay` of a capture with a configuration, not started yet.
///
/// # Errors
/// As [`binary`].
pub fn replay(config: &Path, input: &Path) -> Result<Command, String> {
    let mut command = command(["replay", "--config"])?;
    command.arg(config).arg("--in").arg(input);
    Ok(command)
}

/// A child whose words are being read.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
    what: String,
}

fn read_all(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is worth showing all the same.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Running {
    /// Starts a command without a terminal.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command) -> Result<Self, String> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let what = format!("{command:?}");
        let mut child = command.spawn().map_err(|error| format!("{what}: {error}"))?;
        let (stdout, stderr) = (child.stdout.take().map(read_all), child.stderr.take().map(read_all));
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
            return Err(format!("{what}: it has no pipes"));
        };
        Ok(Self { child, stdout, stderr, what })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is still at work.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It hangs, and was ended.
    pub fn wait(mut self) -> Result<Ended, String> {
        let begin = Instant::now();
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if begin.elapsed() < DEADLINE => std::thread::sleep(Duration::from_millis(2)),
                _ => break None,
            }
        };
        if status.is_none() {
            // It may have ended by itself in this moment.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let words = |thread: JoinHandle<String>| thread.join().unwrap_or_default();
        let (stdout, stderr) = (words(self.stdout), words(self.stderr));
        match status {
            Some(status) => Ok(Ended { status, stdout, stderr }),
            None => Err(format!("{} did not end in {} s: {stderr}", self.what, DEADLINE.as_secs())),
        }
    }
}

/// Runs a command to its end.
///
/// # Errors
/// It cannot be started, or hangs.
pub fn run(command: &mut Command) -> Result<Ended, String> {
    Running::start(command)?.wait()
}
