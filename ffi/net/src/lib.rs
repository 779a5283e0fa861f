//! A TUN interface of the kernel's, behind a safe call. No policy: what goes in and out of it, and how it is
//! addressed, is the caller's business.
#![allow(unsafe_code, reason = "an ffi crate: its unsafe is what lets the crates above forbid theirs")]

use std::ffi::c_int;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::ioctl::{Setter, ioctl, opcode};

/// The longest name an interface may have, in bytes.
pub const NAME_BYTES_MAX: usize = 15;

/// `TUNSETIFF` of linux/if_tun.h: declared with an `int`, given a `struct ifreq`.
const SET_INTERFACE: rustix::ioctl::Opcode = opcode::write::<c_int>(b'T', 202);
/// `IFF_TUN | IFF_NO_PI`: bare IP packets, nothing in front of them.
const BARE_PACKETS: u16 = 0x0001 | 0x1000;

/// `struct ifreq` of linux/if.h, as `TUNSETIFF` reads it: a name that ends with a zero, and flags.
#[repr(C)]
struct Request {
    name: [u8; NAME_BYTES_MAX + 1],
    flags: u16,
    rest: [u8; 22],
}

const _: () = assert!(size_of::<Request>() == 40, "struct ifreq has 40 bytes on 64-bit machines");

/// A TUN interface. It goes when this is dropped.
#[derive(Debug)]
pub struct Tun(OwnedFd);

impl Tun {
    /// Makes the interface `name`, or takes it over if it is there and nobody holds it. Each read gives and
    /// each write takes one bare IP packet.
    ///
    /// # Errors
    /// `INVAL`: the name is empty, longer than [`NAME_BYTES_MAX`] or holds a zero byte. `NOENT`: there is no
    /// /dev/net/tun. `PERM`: the capability NET_ADMIN is missing. `BUSY`: somebody holds the interface.
    pub fn open(name: &str) -> Result<Self, Errno> {
        let mut request = Request { name: [0; NAME_BYTES_MAX + 1], flags: BARE_PACKETS, rest: [0; 22] };
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.as_bytes().contains(&0) {
            return Err(Errno::INVAL);
        }
        for (to, from) in request.name.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        let device = open("/dev/net/tun", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
        // JUSTIFICATION: an interface is tied to a descriptor by ioctl alone; neither std nor rustix has a
        // safe call for it.
        // SAFETY: TUNSETIFF reads one `struct ifreq` at the pointer and writes the name it chose back into
        // it. `Request` has that structure's size and layout (asserted above), is initialised, lives in the
        // `Setter` for the whole call, and its name ends with a zero, since only 15 of 16 bytes were written.
        unsafe { ioctl(&device, Setter::<SET_INTERFACE, Request>::new(request))? };
        Ok(Self(device))
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
