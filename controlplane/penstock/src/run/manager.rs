//! What the service manager is told, where one waits for it: sd_notify(3), a datagram to the socket that
//! `NOTIFY_SOCKET` names.
//!
//! It is told no `RELOADING=1`: `ExecReload` is `penstock reload`, which ends when all workers forward by the new
//! table, so the manager knows by itself how long a reload takes.

use std::ffi::{OsStr, OsString};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The variable in which the socket is named.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Packets are forwarded.
pub(super) fn ready(sequence: u64) {
    tell(&format!("READY=1\n{}", status(sequence)));
}

/// Another table is in force.
pub(super) fn in_force(sequence: u64) {
    tell(&status(sequence));
}

/// The end has begun.
pub(super) fn stopping() {
    tell("STOPPING=1");
}

fn status(sequence: u64) -> String {
    format!("STATUS=Table {sequence} is in force.")
}

/// A manager that does not hear us is no reason not to forward.
fn tell(words: &str) {
    let Some(name) = std::env::var_os(SOCKET) else { return };
    if let Err(error) = send(&name, words) {
        tracing::warn!("the service manager at {} is not told: {error}", name.display());
    }
}

fn send(name: &OsStr, words: &str) -> std::io::Result<()> {
    let address = match name.as_bytes() {
        [b'@', hidden @ ..] => SocketAddr::from_abstract_name(hidden)?,
        _ => SocketAddr::from_pathname(OsString::from(name))?,
    };
    UnixDatagram::unbound()?.send_to_addr(words.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    use super::send;

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 64];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    #[test]
    fn a_manager_is_reached_by_a_path_and_by_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), "READY=1").unwrap();
        assert_eq!(heard(&socket), "READY=1");
        let name = format!("penstock-test-{}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        send(&OsString::from(format!("@{name}")), "STOPPING=1").unwrap();
        assert_eq!(heard(&socket), "STOPPING=1");
        assert!(send(folder.path().join("none").as_os_str(), "READY=1").is_err());
    }
}
