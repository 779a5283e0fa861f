//! Watching: one socket that hears the news, and is told what stands before.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::fd::AsFd;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::neighbour::NeighbourMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use crate::read::{Marks, read};
use crate::{Error, Event};

/// The groups of news: links, neighbours, addresses and routes and rules of both families, next hops
/// (`RTNLGRP_*` of linux/rtnetlink.h).
const GROUPS: [u32; 9] = [1, 3, 5, 7, 8, 9, 11, 19, 32];
/// Bytes of news that may wait. At a link that flaps thousands of neighbours say so at once.
const WAITING_BYTES_MAX: usize = 8 << 20;
/// Bytes of a datagram; the kernel makes none above 32 KiB.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 64 << 10;
/// `ENOBUFS`: news were lost.
const LOST: i32 = 105;

/// Which list is being told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listing {
    Links,
    Neighbours,
    None,
}

/// Hears what changes.
#[derive(Debug)]
pub struct Watcher {
    socket: Socket,
    buffer: Vec<u8>,
    events: VecDeque<Event>,
    listing: Listing,
    is_torn: bool,
}

impl Watcher {
    /// Begins to watch; the first event is [`Event::Resync`].
    ///
    /// # Errors
    /// The kernel gives no socket or no news.
    pub fn open() -> Result<Self, Error> {
        let fail = |error| Error::new("the kernel's news cannot be watched", error);
        let mut socket = Socket::new(NETLINK_ROUTE).map_err(fail)?;
        // Without CAP_NET_ADMIN it stays as it is: what is lost is asked for anew.
        let _ = rustix::net::sockopt::set_socket_recv_buffer_size_force(socket.as_fd(), WAITING_BYTES_MAX);
        socket.bind_auto().map_err(fail)?;
        for group in GROUPS {
            match socket.add_membership(group) {
                // Older kernels have no next hops of their own.
                Err(error) if error.kind() != ErrorKind::InvalidInput => return Err(fail(error)),
                _ => {}
            }
        }
        let buffer = vec![0; DATAGRAM_BYTES_MAX];
        let mut watcher =
            Self { socket, buffer, events: VecDeque::new(), listing: Listing::None, is_torn: false };
        watcher.list_anew()?;
        Ok(watcher)
    }

    /// The next event; waits for it.
    ///
    /// # Errors
    /// The socket is broken.
    #[allow(clippy::should_implement_trait, reason = "it fails, and it does not end")]
    pub fn next(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            match self.socket.recv(&mut self.buffer.as_mut_slice(), 0) {
                Ok(length) => self.take(length)?,
                Err(error) if error.raw_os_error() == Some(LOST) => self.list_anew()?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::new("the kernel's news end", error)),
            }
        }
    }

    fn take(&mut self, length: usize) -> Result<(), Error> {
        let bytes = self.buffer.get(..length).unwrap_or_default();
        let events = &mut self.events;
        let Marks { done, is_torn, refused } = read(bytes, |event| {
            // One change of routes says many things; one event is enough.
            if event != Event::RoutesChanged || events.back() != Some(&event) {
                events.push_back(event);
            }
        });
        self.is_torn |= is_torn;
        if let Some(number) = refused {
            let error = std::io::Error::from_raw_os_error(number);
            return Err(Error::new("the kernel does not tell what stands", error));
        }
        if !done {
            return Ok(());
        }
        match self.listing {
            _ if std::mem::take(&mut self.is_torn) => self.list_anew(),
            Listing::Links => self.list(Listing::Neighbours),
            Listing::Neighbours => {
                self.listing = Listing::None;
                self.events.push_back(Event::Synced);
                Ok(())
            }
            Listing::None => Ok(()),
        }
    }

    /// We listen already, so what happens while the lists are told comes behind them.
    fn list_anew(&mut self) -> Result<(), Error> {
        self.events.clear();
        self.events.push_back(Event::Resync);
        self.list(Listing::Links)
    }

    fn list(&mut self, listing: Listing) -> Result<(), Error> {
        let message = match listing {
            Listing::Links => RouteNetlinkMessage::GetLink(LinkMessage::default()),
            Listing::Neighbours => RouteNetlinkMessage::GetNeighbour(NeighbourMessage::default()),
            Listing::None => return Ok(()),
        };
        self.listing = listing;
        let bytes = bytes(message, NLM_F_REQUEST | NLM_F_DUMP, 0);
        self.socket
            .send_to(&bytes, &SocketAddr::new(0, 0), 0)
            .map(drop)
            .map_err(|error| Error::new("the kernel is not asked what stands", error))
    }
}

/// A request as the kernel reads it.
pub(crate) fn bytes(message: RouteNetlinkMessage, flags: u16, sequence: u32) -> Vec<u8> {
    let mut message = NetlinkMessage::from(message);
    message.header.flags = flags;
    message.header.sequence_number = sequence;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}
