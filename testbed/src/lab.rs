//! A cable between two network namespaces: a real binary at one end, raw frames at the other.
//!
//! Names carry the process's id. They go when a [`Cable`] is dropped, when a signal ends the tests, and at
//! the latest when a later run finds that nobody owns them any more.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::pcap::Frames;
use crate::penstock::{Running, run};
use crate::root;

const PREFIX: &str = "penstock-test-";
/// How long the binary may take to open its end.
const OPEN_MAX: Duration = Duration::from_secs(30);

/// Namespaces that stand.
static STANDING: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
/// Held for reading while a cable is laid, for writing when a signal has come: then no new one begins.
static LAYING: RwLock<()> = RwLock::new(());
static NEXT: AtomicU32 = AtomicU32::new(0);
static GUARD: OnceLock<Result<(), String>> = OnceLock::new();

/// Two namespaces and a veth cable between them: `box0` in the one, `peer0` in the other.
#[derive(Debug)]
pub struct Cable {
    inside: String,
    outside: String,
}

impl Cable {
    /// Lays one. The box's end has `mac`.
    ///
    /// # Errors
    /// Not root, or a tool that failed, with its words.
    pub fn lay(mac: &str) -> Result<Self, String> {
        require_root()?;
        GUARD.get_or_init(guard).clone()?;
        let _laying = LAYING.read().unwrap_or_else(PoisonError::into_inner);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = |end| format!("{PREFIX}{}-{number}-{end}", std::process::id());
        let cable = Self { inside: name("box"), outside: name("peer") };
        for namespace in [&cable.inside, &cable.outside] {
            STANDING.lock().unwrap_or_else(PoisonError::into_inner).insert(namespace.clone());
            ip(&format!("netns add {namespace}"))?;
            // The kernel's own neighbour discovery would be packets that no case has.
            let quiet = "for at in all default; do echo 1 >/proc/sys/net/ipv6/conf/$at/disable_ipv6; done";
            call(Command::new("ip").args(["netns", "exec", namespace, "sh", "-c", quiet]))?;
        }
        ip(&format!(
            "link add box0 netns {} address {mac} type veth peer name peer0 netns {}",
            cable.inside, cable.outside
        ))?;
        for (namespace, end) in [(&cable.inside, "box0"), (&cable.outside, "peer0")] {
            // Otherwise the kernel leaves checksums for a NIC to fill in that never comes.
            call(Command::new("ip").args(["netns", "exec", namespace, "ethtool", "-K", end, "tx", "off"]))?;
            ip(&format!("-n {namespace} link set {end} up"))?;
        }
        for (namespace, end) in [(&cable.inside, "box0"), (&cable.outside, "peer0")] {
            wait_until_up(namespace, end)?;
        }
        Ok(cable)
    }

    /// Starts a command at the box's end and waits until it listens there.
    ///
    /// # Errors
    /// It ended before it listened, with its words.
    pub fn start(&self, command: &Command) -> Result<Running, String> {
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", &self.inside]).arg(command.get_program()).args(command.get_args());
        let mut running = Running::start(&mut inside)?;
        let begin = Instant::now();
        // `ip netns exec` becomes the command, so its process id is the command's.
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
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.outside, "/usr/bin/python3"]);
        command.arg(root().join("testbed/exchange.py")).arg("peer0").arg(&path).arg(expected.to_string());
        let told = call(&mut command)?;
        told.lines().map(|line| Ok((0, unhex(line).ok_or(format!("{line}: no frame"))?))).collect()
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        tear_down(&self.inside);
        tear_down(&self.outside);
    }
}

/// Fails with a clear sentence for anybody but root.
///
/// # Errors
/// That sentence.
pub fn require_root() -> Result<(), String> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().nth(1));
    match effective {
        Some("0") => Ok(()),
        _ => Err("network namespaces need root; run the tests as root or with sudo".to_owned()),
    }
}

/// The kernel drops what is sent before it has noticed, up to a second later, that the other end is there.
fn wait_until_up(namespace: &str, end: &str) -> Result<(), String> {
    let begin = Instant::now();
    while begin.elapsed() < OPEN_MAX {
        if ip(&format!("-n {namespace} link show {end}"))?.contains("state UP") {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(format!("{end} did not come up"))
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

/// Watches for signals, and removes what earlier runs left.
fn guard() -> Result<(), String> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| format!("signals cannot be watched: {error}"))?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            let _ended = LAYING.write().unwrap_or_else(PoisonError::into_inner);
            let standing = STANDING.lock().map(|names| names.clone()).unwrap_or_default();
            standing.iter().for_each(|name| tear_down(name));
            std::process::exit(130);
        }
    });
    for name in ip("netns list")?.lines().filter_map(|line| line.split_whitespace().next()) {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            tear_down(name);
        }
    }
    Ok(())
}

/// Ends what runs in a namespace and removes it. What is gone already is no failure.
fn tear_down(namespace: &str) {
    for pid in ip(&format!("netns pids {namespace}")).unwrap_or_default().split_whitespace() {
        let _ = call(Command::new("kill").args(["-KILL", pid]));
    }
    let _ = ip(&format!("netns del {namespace}"));
    STANDING.lock().unwrap_or_else(PoisonError::into_inner).remove(namespace);
}

fn ip(arguments: &str) -> Result<String, String> {
    call(Command::new("ip").args(arguments.split_whitespace()))
}

fn call(command: &mut Command) -> Result<String, String> {
    let what = format!("{command:?}");
    let ended = run(command)?.require_success().map_err(|told| format!("{what}: {told}"))?;
    Ok(ended.stdout)
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
