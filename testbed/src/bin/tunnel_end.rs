//! tunnel_end INTERFACE: ends IP-in-IP tunnels on a lab's server, for kernels without tunnel devices.
//!
//! What comes in any of the four family pairs (IP protocols 4 and 41 over IPv4 and IPv6; RFC 2003, RFC 2473,
//! RFC 4213) loses its outer header and is written to a TUN interface, where the kernel takes it as a packet
//! that came in. Nothing goes the other way: the server answers the client directly.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::{Arc, mpsc};

use net::Tun;
use rustix::fd::OwnedFd;
use rustix::io::{Errno, write};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketFlags, SocketType, ipproto, recv, socket_with};

/// The longest IP packet, and the outer header.
const BYTES_MAX: usize = 65_536 + 60;
/// A queue for bursts of a sender that is faster than we are for a while.
const QUEUE_BYTES: usize = 8 << 20;

/// A family pair, as what of a received packet is to be taken off.
#[derive(Clone, Copy)]
enum Outer {
    /// A raw IPv4 socket gives the header too; its length is in its first byte (RFC 791 §3.1).
    V4,
    /// A raw IPv6 socket gives none (RFC 3542 §3).
    V6,
}

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        eprintln!("tunnel_end: name the interface to make: tunnel_end INTERFACE");
        return ExitCode::from(2);
    };
    match serve(&name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(told) => {
            eprintln!("tunnel_end: {told}");
            ExitCode::FAILURE
        }
    }
}

/// Runs until a socket fails.
fn serve(name: &str) -> Result<(), String> {
    let tun = Tun::open(name).map_err(|errno| format!("{name} cannot be made: {errno}"))?;
    let tun = Arc::new(tun);
    let pairs = [
        (AddressFamily::INET, ipproto::IPIP, Outer::V4),
        (AddressFamily::INET, ipproto::IPV6, Outer::V4),
        (AddressFamily::INET6, ipproto::IPIP, Outer::V6),
        (AddressFamily::INET6, ipproto::IPV6, Outer::V6),
    ];
    let (failed, failure) = mpsc::channel();
    for (family, protocol, outer) in pairs {
        let told = |errno| format!("no raw socket for protocol {protocol:?} of {family:?}: {errno}");
        let socket = listen(family, protocol).map_err(told)?;
        let (tun, failed) = (Arc::clone(&tun), failed.clone());
        // It runs until its socket fails, and then the process ends.
        std::thread::spawn(move || failed.send(forward(&socket, outer, &tun)));
    }
    println!("{name} is there");
    match failure.recv() {
        Ok(errno) => Err(format!("a socket failed: {errno}")),
        Err(_) => Err("all threads broke off".to_owned()),
    }
}

fn listen(family: AddressFamily, protocol: Protocol) -> Result<OwnedFd, Errno> {
    let socket = socket_with(family, SocketType::RAW, SocketFlags::CLOEXEC, Some(protocol))?;
    rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, QUEUE_BYTES)?;
    Ok(socket)
}

/// Gives what ended it.
fn forward(socket: &OwnedFd, outer: Outer, tun: &Tun) -> Errno {
    let mut packet = vec![0; BYTES_MAX];
    loop {
        let received = match recv(socket, packet.as_mut_slice(), RecvFlags::empty()) {
            Ok((bytes, _)) => packet.get(..bytes).unwrap_or_default(),
            Err(Errno::INTR) => continue,
            Err(errno) => return errno,
        };
        // The kernel refuses what is no IP packet, or comes while the interface is not up: it is lost, as on
        // any other interface.
        let _ = write(tun, inner(received, outer));
    }
}

/// What the outer header carried.
fn inner(packet: &[u8], outer: Outer) -> &[u8] {
    let header = match (outer, packet.first()) {
        (Outer::V4, Some(first)) => usize::from(first & 0x0f) * 4,
        _ => 0,
    };
    packet.get(header..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Outer, inner};

    #[test]
    fn the_outer_header_goes_with_its_options() {
        let mut packet = [0; 40];
        packet[0] = 0x46;
        packet[24] = 0x45;
        assert_eq!(inner(&packet, Outer::V4), &packet[24..]);
        assert_eq!(inner(&packet, Outer::V6), &packet);
        // A header length beyond the packet's end leaves nothing.
        assert_eq!(inner(&[0x4f; 30], Outer::V4), b"");
        assert_eq!(inner(b"", Outer::V4), b"");
    }
}
