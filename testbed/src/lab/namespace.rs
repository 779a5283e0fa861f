//! Network namespaces that go: when they are dropped, when a signal ends the program, and at the latest when
//! a later run finds that nobody owns them any more. A lab's folder of files goes with them.
//!
//! Names carry the id of the process that owns them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::penstock::{Ended, Running, run};

/// What a name begins with, before the owner's process id.
const PREFIX: &str = "penstock-test-";
/// The same for what is kept for somebody to look at: nobody owns it, and only [`clean`] takes it down.
const KEPT: &str = "penstock-kept-";
/// How long an interface may take to come up.
const UP_MAX: Duration = Duration::from_secs(30);
/// Rounds of killing: what dies may have been starting something else.
const KILLS_MAX: u32 = 100;

/// Namespaces and folders that stand.
static STANDING: Mutex<BTreeSet<Standing>> = Mutex::new(BTreeSet::new());
/// Held for reading while something is made, for writing when a signal has come: then nothing new begins.
static LAYING: RwLock<()> = RwLock::new(());
static NEXT: AtomicU32 = AtomicU32::new(0);
static GUARD: OnceLock<Result<(), String>> = OnceLock::new();

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Namespace(String),
    Folder(PathBuf),
}

impl Standing {
    fn take_down(&self) {
        match self {
            Self::Namespace(name) => tear_down(name),
            Self::Folder(path) => drop(std::fs::remove_dir_all(path)),
        }
        STANDING.lock().unwrap_or_else(PoisonError::into_inner).remove(self);
    }
}

/// Whether what was made goes with its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// It goes.
    Goes,
    /// It stays until [`clean`].
    Kept,
}

/// The names of one lab's namespaces.
#[derive(Clone, Debug)]
pub struct Names {
    /// With which all of them begin.
    prefix: String,
    stay: Stay,
}

impl Names {
    /// New ones, that nobody else has. The first call starts to watch for signals, and removes what earlier
    /// runs left.
    ///
    /// # Errors
    /// Not root, or signals cannot be watched.
    pub fn new(stay: Stay) -> Result<Self, String> {
        require_root()?;
        GUARD.get_or_init(guard).clone()?;
        let head = if stay == Stay::Kept { KEPT } else { PREFIX };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self { prefix: format!("{head}{}-{number}", std::process::id()), stay })
    }

    /// A folder that goes as the namespaces do.
    ///
    /// # Errors
    /// It cannot be made, and why.
    pub fn folder(&self) -> Result<Folder, String> {
        let path = std::env::temp_dir().join(&self.prefix);
        let _laying = laying();
        std::fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let standing = Standing::Folder(path.clone());
        if self.stay == Stay::Goes {
            STANDING.lock().unwrap_or_else(PoisonError::into_inner).insert(standing);
        }
        Ok(Folder { path, stay: self.stay })
    }
}

/// A folder for a lab's files.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    stay: Stay,
}

impl Folder {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.stay == Stay::Goes {
            Standing::Folder(self.path.clone()).take_down();
        }
    }
}

/// A network namespace, and what runs in it.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    stay: Stay,
}

impl Namespace {
    /// Makes the one that stands for `end`.
    ///
    /// # Errors
    /// What `ip` says.
    pub fn add(names: &Names, end: &str) -> Result<Self, String> {
        let namespace = Self { name: format!("{}-{end}", names.prefix), stay: names.stay };
        let _laying = laying();
        if names.stay == Stay::Goes {
            let standing = Standing::Namespace(namespace.name.clone());
            STANDING.lock().unwrap_or_else(PoisonError::into_inner).insert(standing);
        }
        ip(&format!("netns add {}", namespace.name))?;
        Ok(namespace)
    }

    /// Its name, as `ip netns` has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A command that will run in it. `ip netns exec` becomes the command, so its process id is the command's.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs lines of shell in it, and gives what they said.
    ///
    /// # Errors
    /// They failed, and what they said.
    pub fn shell(&self, lines: &str) -> Result<String, String> {
        call(self.command("sh").args(["-c", lines]))
    }

    /// Runs `ip` on it.
    ///
    /// # Errors
    /// What `ip` says.
    pub fn ip(&self, arguments: &str) -> Result<String, String> {
        ip(&format!("-n {} {arguments}", self.name))
    }

    /// Waits until an interface is up. The kernel drops what is sent before it has noticed, up to a second
    /// later, that the other end is there.
    ///
    /// # Errors
    /// It did not come up.
    pub fn wait_until_up(&self, interface: &str) -> Result<(), String> {
        let begin = Instant::now();
        while begin.elapsed() < UP_MAX {
            if self.ip(&format!("link show {interface}"))?.contains("state UP") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(format!("{interface} did not come up"))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if self.stay == Stay::Goes {
            Standing::Namespace(self.name.clone()).take_down();
        }
    }
}

/// A cable between two namespaces: `(namespace, interface, MTU)` for each end.
///
/// # Errors
/// What `ip` or `ethtool` says.
pub fn lay(ends: [(&Namespace, &str, u32); 2]) -> Result<(), String> {
    let [(one, one_name, one_mtu), (other, other_name, other_mtu)] = ends;
    ip(&format!(
        "link add {one_name} netns {} mtu {one_mtu} type veth peer name {other_name} netns {} mtu {other_mtu}",
        one.name, other.name
    ))?;
    for (namespace, name, _) in ends {
        // Otherwise the kernel leaves checksums for a NIC to fill in that never comes, and makes frames out
        // of several that no port has room for.
        let off = ["-K", name, "tx", "off", "gro", "off", "gso", "off", "tso", "off"];
        call(namespace.command("ethtool").args(off))?;
    }
    Ok(())
}

/// Fails with a clear sentence for anybody but root.
///
/// # Errors
/// That sentence.
pub fn require_root() -> Result<(), String> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err("network namespaces need root; run the tests as root or with sudo".to_owned())
}

/// Takes down what was kept and has a name that begins with `only`, and what nobody owns any more; gives the
/// names.
///
/// # Errors
/// Not root, or what `ip` says.
pub fn clean(only: &str) -> Result<Vec<String>, String> {
    require_root()?;
    sweep(|name| name.starts_with(KEPT) && name.starts_with(only) || is_orphan(name))
}

/// Starts a command; once a signal has come nothing starts any more.
///
/// # Errors
/// It cannot be started.
pub fn start(command: &mut Command) -> Result<Running, String> {
    let _laying = laying();
    Running::start(command)
}

pub(crate) fn laying() -> RwLockReadGuard<'static, ()> {
    LAYING.read().unwrap_or_else(PoisonError::into_inner)
}

/// Watches for signals, and removes what earlier runs left.
fn guard() -> Result<(), String> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| format!("signals cannot be watched: {error}"))?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            let _ended = LAYING.write().unwrap_or_else(PoisonError::into_inner);
            let standing = STANDING.lock().map(|names| names.clone()).unwrap_or_default();
            standing.iter().for_each(Standing::take_down);
            std::process::exit(130);
        }
    });
    sweep(is_orphan).map(drop)
}

/// Takes down the namespaces and folders whose names are `meant`.
fn sweep(meant: impl Fn(&str) -> bool) -> Result<Vec<String>, String> {
    let mut gone = Vec::new();
    for name in ip("netns list")?.lines().filter_map(|line| line.split_whitespace().next()) {
        if meant(name) {
            tear_down(name);
            gone.push(name.to_owned());
        }
    }
    let folder = std::env::temp_dir();
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(&meant) {
            // Another sweep may have been faster.
            let _ = std::fs::remove_dir_all(entry.path());
            gone.push(entry.path().display().to_string());
        }
    }
    Ok(gone)
}

/// Whether a name is ours and its owner is gone.
fn is_orphan(name: &str) -> bool {
    let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
    owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
}

/// Ends what runs in a namespace and removes it. What is gone already is no failure.
fn tear_down(namespace: &str) {
    for _ in 0..KILLS_MAX {
        let told = ip(&format!("netns pids {namespace}")).unwrap_or_default();
        let pids: Vec<Pid> =
            told.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect();
        if pids.is_empty() {
            break;
        }
        for pid in pids {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let _ = ip(&format!("netns del {namespace}"));
}

/// Runs `ip`.
pub(crate) fn ip(arguments: &str) -> Result<String, String> {
    call(Command::new("ip").args(arguments.split_whitespace()))
}

/// Runs a command that has to succeed, and gives what it said.
pub(crate) fn call(command: &mut Command) -> Result<String, String> {
    let what = format!("{command:?}");
    let Ended { stdout, .. } = run(command)?.require_success().map_err(|told| format!("{what}: {told}"))?;
    Ok(stdout)
}

#[cfg(test)]
mod tests {
    use super::{KEPT, PREFIX, is_orphan};

    #[test]
    fn what_has_an_owner_or_is_kept_or_is_not_ours_is_no_orphan() {
        let owned = |pid: &str| format!("{PREFIX}{pid}-0-client");
        assert!(is_orphan(&owned("999999999")));
        assert!(!is_orphan(&owned(&std::process::id().to_string())));
        assert!(!is_orphan(&format!("{KEPT}999999999-0-client")) && !is_orphan("client"));
    }
}
