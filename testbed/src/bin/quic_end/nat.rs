//! A NAT before one client, which may forget it: the client's packets then leave by another port or address, and the
//! client knows nothing of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// No datagram is longer.
const DATAGRAM_BYTES: usize = 1 << 16;

/// One that runs as long as this is there.
pub(crate) struct Nat {
    /// Where the client is to send to.
    pub(crate) inside: SocketAddr,
    place: SocketAddr,
    outsides: UnboundedSender<UdpSocket>,
}

impl Nat {
    /// Before a client that talks to `place`, with `from` as its address outside.
    pub(crate) async fn open(place: SocketAddr, from: IpAddr) -> std::io::Result<Self> {
        let inner = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (outsides, coming) = unbounded_channel();
        let nat = Self { inside: inner.local_addr()?, place, outsides };
        tokio::spawn(carry(inner, outside(place, from).await?, coming));
        Ok(nat)
    }

    /// Forgets the client, which gets another port of this address.
    pub(crate) async fn forget(&self, from: IpAddr) -> std::io::Result<()> {
        let next = outside(self.place, from).await?;
        self.outsides.send(next).map_err(|_| std::io::Error::other("the NAT is gone"))
    }
}

async fn outside(place: SocketAddr, from: IpAddr) -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind((from, 0)).await?;
    socket.connect(place).await?;
    Ok(socket)
}

/// Both ways. A datagram that cannot be sent is lost, as in any NAT.
async fn carry(inner: UdpSocket, mut outer: UdpSocket, mut coming: UnboundedReceiver<UdpSocket>) {
    let (mut out, mut back) = (vec![0; DATAGRAM_BYTES], vec![0; DATAGRAM_BYTES]);
    let mut client = None;
    loop {
        tokio::select! {
            next = coming.recv() => match next {
                Some(next) => outer = next,
                None => return,
            },
            Ok((bytes, from)) = inner.recv_from(&mut out) => {
                client = Some(from);
                let _ = outer.send(out.get(..bytes).unwrap_or_default()).await;
            }
            received = outer.recv(&mut back) => if let (Ok(bytes), Some(client)) = (received, client) {
                let _ = inner.send_to(back.get(..bytes).unwrap_or_default(), client).await;
            },
            else => return,
        }
    }
}
