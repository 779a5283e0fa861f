//! Asking: the way to an address, and having a neighbour looked for. The kernel answers while it takes the question,
//! so nobody waits.

use std::io::ErrorKind;
use std::net::IpAddr;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::neighbour::{
    NeighbourAttribute, NeighbourExtFlags, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteNextHop, RouteType, RouteVia,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use crate::read::split;
use crate::watch::{DATAGRAM_BYTES_MAX, bytes};
use crate::{Error, Route};

/// `MSG_DONTWAIT`: the answer is there or will not come.
const NO_WAIT: i32 = 0x40;
/// Older answers that may still lie there, in datagrams.
const OLD_MAX: u32 = 64;
/// There is no way: `ENETUNREACH`, `EHOSTUNREACH`, `EINVAL` and `EACCES` as routes that refuse give them, and `ESRCH`
/// and `ENODEV` for what is gone.
const NO_WAY: [i32; 6] = [101, 113, 22, 13, 3, 19];

/// Asks the kernel.
#[derive(Debug)]
pub struct Asker {
    socket: Socket,
    buffer: Vec<u8>,
    sequence: u32,
}

impl Asker {
    /// Opens the socket.
    ///
    /// # Errors
    /// The kernel gives none.
    pub fn open() -> Result<Self, Error> {
        let fail = |error| Error::new("the kernel cannot be asked", error);
        let mut socket = Socket::new(NETLINK_ROUTE).map_err(fail)?;
        socket.bind_auto().map_err(fail)?;
        Ok(Self { socket, buffer: vec![0; DATAGRAM_BYTES_MAX], sequence: 0 })
    }

    /// The way to an address, by rules and tables as they stand; `None` if there is none, or it ends here.
    ///
    /// # Errors
    /// The kernel does not answer.
    pub fn route(&mut self, address: IpAddr) -> Result<Option<Route>, Error> {
        let mut question = RouteMessage::default();
        (question.header.address_family, question.header.destination_prefix_length) = match address {
            IpAddr::V4(_) => (AddressFamily::Inet, 32),
            IpAddr::V6(_) => (AddressFamily::Inet6, 128),
        };
        question.attributes.push(RouteAttribute::Destination(RouteAddress::from(address)));
        match self.ask(RouteNetlinkMessage::GetRoute(question), NLM_F_REQUEST) {
            Ok(answer) => Ok(answer.as_ref().and_then(way)),
            Err(error) if error.raw_os_error().is_some_and(|number| NO_WAY.contains(&number)) => Ok(None),
            Err(error) => Err(Error::new("a route is not told", error)),
        }
    }

    /// Has the kernel look for a neighbour, and from then on see by itself that it is there, where it can (since
    /// Linux 5.16); elsewhere this is to be repeated.
    ///
    /// # Errors
    /// The kernel does not do so: the link is gone, or it takes root (`CAP_NET_ADMIN`).
    pub fn resolve(&mut self, index: u32, address: IpAddr) -> Result<(), Error> {
        self.use_neighbour(index, address, NeighbourExtFlags::Managed)
    }

    /// Leaves a neighbour to itself again.
    ///
    /// # Errors
    /// As [`Asker::resolve`].
    pub fn release(&mut self, index: u32, address: IpAddr) -> Result<(), Error> {
        self.use_neighbour(index, address, NeighbourExtFlags::empty())
    }

    fn use_neighbour(
        &mut self,
        index: u32,
        address: IpAddr,
        managed: NeighbourExtFlags,
    ) -> Result<(), Error> {
        let mut wish = NeighbourMessage::default();
        wish.header.family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        wish.header.ifindex = index;
        wish.header.state = NeighbourState::None;
        wish.header.flags = NeighbourFlags::Use;
        wish.attributes.push(NeighbourAttribute::Destination(address.into()));
        wish.attributes.push(NeighbourAttribute::ExtFlags(managed));
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
        self.ask(RouteNetlinkMessage::NewNeighbour(wish), flags)
            .map(drop)
            .map_err(|error| Error::new("a neighbour is not looked for", error))
    }

    /// Asks; `None` is an answer without words.
    fn ask(
        &mut self,
        question: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<Option<RouteNetlinkMessage>, std::io::Error> {
        self.sequence = self.sequence.wrapping_add(1);
        self.socket.send_to(&bytes(question, flags, self.sequence), &SocketAddr::new(0, 0), 0)?;
        for _ in 0..OLD_MAX {
            let length = match self.socket.recv(&mut self.buffer.as_mut_slice(), NO_WAIT) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            };
            let Some((message, _)) = split(self.buffer.get(..length).unwrap_or_default()) else { continue };
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(message)
                .map_err(|error| std::io::Error::new(ErrorKind::InvalidData, error.to_string()))?;
            if message.header.sequence_number != self.sequence {
                continue;
            }
            return match message.payload {
                NetlinkPayload::InnerMessage(answer) => Ok(Some(answer)),
                NetlinkPayload::Error(error) => match error.code {
                    Some(_) => Err(error.to_io()),
                    None => Ok(None),
                },
                _ => Ok(None),
            };
        }
        Err(ErrorKind::WouldBlock.into())
    }
}

fn way(answer: &RouteNetlinkMessage) -> Option<Route> {
    let RouteNetlinkMessage::NewRoute(route) = answer else { return None };
    if route.header.kind != RouteType::Unicast {
        return None;
    }
    of(&route.attributes).or_else(|| {
        // A question for one address is answered with one way; a list of them has been seen of old kernels.
        route.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::MultiPath(ways) => ways.first().and_then(first),
            _ => None,
        })
    })
}

fn first(way: &RouteNextHop) -> Option<Route> {
    Some(Route { index: way.interface_index, gateway: gateway(&way.attributes) })
}

fn of(attributes: &[RouteAttribute]) -> Option<Route> {
    let index = attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Oif(index) => Some(*index),
        _ => None,
    })?;
    Some(Route { index, gateway: gateway(attributes) })
}

fn gateway(attributes: &[RouteAttribute]) -> Option<IpAddr> {
    attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(RouteAddress::Inet(address))
        | RouteAttribute::Via(RouteVia::Inet(address)) => Some(IpAddr::from(*address)),
        RouteAttribute::Gateway(RouteAddress::Inet6(address))
        | RouteAttribute::Via(RouteVia::Inet6(address)) => Some(IpAddr::from(*address)),
        _ => None,
    })
}
