//! What tells reals at one address apart: several tunnels may end at one machine, each leading to a server of its own.

use crate::blueprint::Encap;
use crate::tail::Form;

/// Where at its address a real's tunnel ends: which headers it has, its port, its key, and the inner MAC address, each
/// zero where the form has none. IP in IP and MAC rewrite lead to the address itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Door {
    pub(crate) form: Form,
    pub(crate) port: u16,
    pub(crate) key: u32,
    pub(crate) mac: [u8; 6],
}

impl Door {
    /// Of an encapsulation. How its UDP checksum is made tells no two apart.
    #[must_use]
    pub const fn of(encap: Encap) -> Self {
        let form = Form::of(encap);
        let (port, key, mac) = match encap {
            Encap::Ipip | Encap::Mac | Encap::Gre { key: None } => (0, 0, [0; 6]),
            Encap::Gre { key: Some(key) } => (0, key, [0; 6]),
            Encap::Fou(udp) | Encap::Gue(udp) => (udp.port, 0, [0; 6]),
            Encap::Vxlan { udp, vni, inner_mac } => (udp.port, vni, inner_mac),
        };
        Self { form, port, key, mac }
    }

    /// As it stands in a hash: `key(4) port(2) inner_mac(6) form(1) 0(3)`, big-endian.
    pub(crate) const fn block(&self) -> [u8; 16] {
        let ([a, b, c, d], [e, f]) = (self.key.to_be_bytes(), self.port.to_be_bytes());
        let [g, h, i, j, k, l] = self.mac;
        [a, b, c, d, e, f, g, h, i, j, k, l, self.form as u8, 0, 0, 0]
    }
}
