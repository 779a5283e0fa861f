//! Link types: what the first byte of a packet is (the registry of www.tcpdump.org/linktypes.html).

use std::fmt;

/// A link type, by its number in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// IEEE 802.3 Ethernet: the only one that is replayed.
    pub const ETHERNET: Self = Self(1);

    /// The registry's name without its prefix, where the type is a common one.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "NULL",
            1 => "ETHERNET",
            6 => "IEEE802_5",
            9 => "PPP",
            10 => "FDDI",
            12 | 14 | 101 => "RAW",
            50 => "PPP_HDLC",
            51 => "PPP_ETHER",
            104 => "C_HDLC",
            105 => "IEEE802_11",
            107 => "FRELAY",
            108 => "LOOP",
            113 => "LINUX_SLL",
            117 => "PFLOG",
            119 => "IEEE802_11_PRISM",
            127 => "IEEE802_11_RADIOTAP",
            147..=162 => "USER",
            187 => "BLUETOOTH_HCI_H4",
            189 => "USB_LINUX",
            192 => "PPI",
            195 => "IEEE802_15_4_WITHFCS",
            220 => "USB_LINUX_MMAPPED",
            228 => "IPV4",
            229 => "IPV6",
            239 => "NFLOG",
            249 => "USBPCAP",
            253 => "NETLINK",
            276 => "LINUX_SLL2",
            _ => return None,
        })
    }

    /// What to do about a capture of this type, as the end of a sentence.
    pub(crate) const fn remedy(self) -> &'static str {
        match self.0 {
            113 | 276 => {
                "it was taken on all interfaces at once; capture again with -i on one Ethernet interface"
            }
            12 | 14 | 101 | 228 | 229 => {
                "its packets have no Ethernet header; capture again with -i on an Ethernet interface, \
                 or add the header with tcprewrite --dlt=enet"
            }
            0 | 108 => "it was taken on a loopback interface; capture again with -i on an Ethernet interface",
            105 | 119 | 127 | 192 => {
                "it holds raw wireless frames; capture again without monitor mode, or on an Ethernet interface"
            }
            _ => "capture again with -i on an Ethernet interface, or convert it with tcprewrite --dlt=enet",
        }
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}
