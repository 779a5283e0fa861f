//! ARP for IPv4 over Ethernet (RFC 826).
//!
//! ```text
//! | hardware 1 | protocol 0800 | 6 | 4 | operation |
//! | sender's MAC (6) | sender (4) | target's MAC (6) | target (4) |
//! ```

/// Bytes of a message.
pub const MESSAGE_LEN: usize = 28;
/// Asks who has the target.
pub const REQUEST: u16 = 1;
/// Says who has it.
pub const REPLY: u16 = 2;

/// Ethernet and IPv4, with the lengths of their addresses.
const HEAD: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// [`REQUEST`], [`REPLY`], or what else there may be.
    pub operation: u16,
    /// The sender's MAC address.
    pub sender_mac: [u8; 6],
    /// The sender's address; all zero where one only probes whether an address is free (RFC 5227 §1.1).
    pub sender: [u8; 4],
    /// Means nothing in a request.
    pub target_mac: [u8; 6],
    /// The address that is asked about.
    pub target: [u8; 4],
}

impl Arp {
    /// The value of 28 bytes; `None`: of another link or another protocol.
    #[must_use]
    pub const fn parse(bytes: &[u8; MESSAGE_LEN]) -> Option<Self> {
        let &[
            h0,
            h1,
            p0,
            p1,
            h,
            p,
            o0,
            o1,
            a,
            b,
            c,
            d,
            e,
            f,
            s0,
            s1,
            s2,
            s3,
            g,
            i,
            j,
            k,
            l,
            m,
            t0,
            t1,
            t2,
            t3,
        ] = bytes;
        if !matches!([h0, h1, p0, p1, h, p], HEAD) {
            return None;
        }
        Some(Self {
            operation: u16::from_be_bytes([o0, o1]),
            sender_mac: [a, b, c, d, e, f],
            sender: [s0, s1, s2, s3],
            target_mac: [g, i, j, k, l, m],
            target: [t0, t1, t2, t3],
        })
    }

    /// The 28 bytes of this value.
    #[must_use]
    pub fn emit(&self) -> [u8; MESSAGE_LEN] {
        let mut bytes = [0; MESSAGE_LEN];
        let operation = self.operation.to_be_bytes();
        let fields: [&[u8]; 6] =
            [&HEAD, &operation, &self.sender_mac, &self.sender, &self.target_mac, &self.target];
        for (to, from) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    /// The reply of whoever has the target, at `mac`.
    #[must_use]
    pub const fn answered(&self, mac: [u8; 6]) -> Self {
        Self {
            operation: REPLY,
            sender_mac: mac,
            sender: self.target,
            target_mac: self.sender_mac,
            target: self.sender,
        }
    }

    /// The request by which `address` tells everybody that it is at `mac` (RFC 5227 §3).
    #[must_use]
    pub const fn announcing(address: [u8; 4], mac: [u8; 6]) -> Self {
        Self { operation: REQUEST, sender_mac: mac, sender: address, target_mac: [0; 6], target: address }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arp, REPLY, REQUEST};
    use proptest::prelude::{any, proptest};

    #[test]
    fn the_reply_goes_from_the_target_to_the_sender() {
        let asked = Arp {
            operation: REQUEST,
            sender_mac: [1; 6],
            sender: [10, 0, 0, 1],
            target_mac: [0; 6],
            target: [10, 0, 0, 2],
        };
        let reply = asked.answered([2; 6]);
        assert_eq!((reply.operation, reply.sender_mac, reply.sender), (REPLY, [2; 6], [10, 0, 0, 2]));
        assert_eq!((reply.target_mac, reply.target), ([1; 6], [10, 0, 0, 1]));
        let told = Arp::announcing([10, 0, 0, 2], [2; 6]);
        assert_eq!((told.sender, told.target, told.operation), ([10, 0, 0, 2], [10, 0, 0, 2], REQUEST));
    }

    proptest! {
        #[test]
        fn any_message_comes_back_or_is_of_another_kind(mut bytes in any::<[u8; 28]>(), is_ours in any::<bool>()) {
            if is_ours {
                bytes[..6].copy_from_slice(&[0, 1, 8, 0, 6, 4]);
            }
            match Arp::parse(&bytes) {
                Some(arp) => assert_eq!(arp.emit(), bytes),
                None => assert!(bytes[..6] != [0, 1, 8, 0, 6, 4]),
            }
        }
    }
}
