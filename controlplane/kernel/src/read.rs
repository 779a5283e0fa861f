//! From bytes to events. What is not understood is passed over: the kernel says more than we ask for.

use std::net::IpAddr;

use netlink_packet_core::{NLM_F_DUMP_INTR, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};

use crate::Event;

/// Messages begin at multiples of so many bytes (RFC 3549 §2.2).
const ALIGN: usize = 4;

/// `RTM_NEWNEXTHOP` and `RTM_DELNEXTHOP`: routes may name a next hop that is changed by itself.
const NEXT_HOPS: [u16; 2] = [104, 105];

/// What a datagram says beside events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// A list has ended.
    pub done: bool,
    /// While a list was told it changed, so it may not be whole.
    pub is_torn: bool,
    /// The kernel refused a request, with this error number.
    pub refused: Option<i32>,
}

/// Reads one datagram of netlink messages: its events go to `each`.
pub fn read(mut bytes: &[u8], mut each: impl FnMut(Event)) -> Marks {
    let mut marks = Marks::default();
    while let Some((message, rest)) = split(bytes) {
        bytes = rest;
        if message.get(4..6).is_some_and(|kind| NEXT_HOPS.iter().any(|known| kind == known.to_ne_bytes())) {
            each(Event::RoutesChanged);
            continue;
        }
        let Ok(message) = NetlinkMessage::<RouteNetlinkMessage>::deserialize(message) else { continue };
        marks.is_torn |= message.header.flags & NLM_F_DUMP_INTR != 0;
        match message.payload {
            NetlinkPayload::Done(_) => marks.done = true,
            NetlinkPayload::Error(error) => {
                marks.refused = error.code.map(|code| code.get().saturating_neg())
            }
            NetlinkPayload::InnerMessage(message) => {
                if let Some(event) = event(&message) {
                    each(event);
                }
            }
            _ => {}
        }
    }
    marks
}

/// The first message of a datagram, and what is behind it.
pub(crate) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u32::from_ne_bytes(*bytes.first_chunk()?);
    let length = usize::try_from(length).ok().filter(|length| *length > 0)?;
    let message = bytes.get(..length)?;
    Some((message, bytes.get(length.next_multiple_of(ALIGN)..).unwrap_or_default()))
}

fn event(message: &RouteNetlinkMessage) -> Option<Event> {
    match message {
        RouteNetlinkMessage::NewLink(link) => self::link(link),
        RouteNetlinkMessage::DelLink(link) => Some(Event::LinkGone { index: link.header.index }),
        RouteNetlinkMessage::NewNeighbour(neighbour) => self::neighbour(neighbour, true),
        RouteNetlinkMessage::DelNeighbour(neighbour) => self::neighbour(neighbour, false),
        RouteNetlinkMessage::NewRoute(_)
        | RouteNetlinkMessage::DelRoute(_)
        | RouteNetlinkMessage::NewAddress(_)
        | RouteNetlinkMessage::DelAddress(_)
        | RouteNetlinkMessage::NewRule(_)
        | RouteNetlinkMessage::DelRule(_) => Some(Event::RoutesChanged),
        _ => None,
    }
}

fn link(message: &LinkMessage) -> Option<Event> {
    let name = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    })?;
    let up = message.header.flags.contains(LinkFlags::Up | LinkFlags::LowerUp);
    Some(Event::Link { index: message.header.index, name, up })
}

fn neighbour(message: &NeighbourMessage, is_there: bool) -> Option<Event> {
    // A bridge's own table comes by the same group; its entries are no neighbours of ours.
    let address = message.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => Some(IpAddr::from(*address)),
        NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) => Some(IpAddr::from(*address)),
        _ => None,
    })?;
    let is_sent_to = is_there
        && matches!(
            message.header.state,
            NeighbourState::Reachable
                | NeighbourState::Stale
                | NeighbourState::Delay
                | NeighbourState::Probe
                | NeighbourState::Permanent
                | NeighbourState::Noarp
        );
    let mac = message.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::LinkLayerAddress(bytes) => <[u8; 6]>::try_from(bytes.as_slice()).ok(),
        _ => None,
    });
    // Links that know no addresses have neighbours of zeroes.
    let mac = mac.filter(|mac| is_sent_to && *mac != [0; 6]);
    Some(Event::Neighbour { index: message.header.ifindex, address, mac })
}
