//! How packets travel to a real: its encapsulation, and the keys that only some have.

use service::{Encap, Tail, UdpTunnel};

use super::{missing, optional};
use crate::defaults;
use crate::fault::{Refusal, Report};
use crate::file::RealFile;
use crate::read::Entry;
use crate::scalar;

/// An encapsulation by its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EncapWord {
    Ipip,
    Mac,
    Gre,
    Gue,
    Fou,
    Vxlan,
}

impl EncapWord {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ipip => "ipip",
            Self::Mac => "mac",
            Self::Gre => "gre",
            Self::Gue => "gue",
            Self::Fou => "fou",
            Self::Vxlan => "vxlan",
        }
    }

    /// The port that is taken where none is written; none where there is no UDP header.
    pub(super) const fn port(self) -> Option<u16> {
        match self {
            Self::Gue => Some(defaults::GUE_PORT),
            Self::Fou => Some(defaults::FOU_PORT),
            Self::Vxlan => Some(defaults::VXLAN_PORT),
            Self::Ipip | Self::Mac | Self::Gre => None,
        }
    }
}

/// A real's encapsulation; `None` if what is written says none.
pub(super) fn encap(report: &mut Report<'_>, table: &Entry<RealFile>) -> Option<Encap> {
    let file = &table.file;
    let written = optional(report, table, "encap", file.encap.as_ref(), |text| scalar::encap(text));
    // What the keys of a refused encapsulation were for cannot be known.
    let word = if file.encap.is_none() { EncapWord::Ipip } else { written? };
    let key = optional(report, table, "tunnel_key", file.tunnel_key.as_ref(), |key| key_of(word, *key));
    let port = optional(report, table, "tunnel_port", file.tunnel_port.as_ref(), |port| {
        only(word.port().is_some(), word, "UDP port", "\"gue\", \"fou\" or \"vxlan\"")?;
        scalar::whole(*port, 1..=u16::MAX)
    });
    let checksum = optional(report, table, "udp_checksum", file.udp_checksum.as_ref(), |text| {
        only(word.port().is_some(), word, "UDP checksum", "\"gue\", \"fou\" or \"vxlan\"")?;
        scalar::udp_checksum(text)
    });
    let inner_mac = optional(report, table, "inner_mac", file.inner_mac.as_ref(), |text| {
        only(word == EncapWord::Vxlan, word, "inner Ethernet header", "\"vxlan\"")?;
        scalar::mac(text)
    });
    let port = port.or(word.port()).unwrap_or_default();
    let udp = UdpTunnel { port, checksum: checksum.unwrap_or(defaults::UDP_CHECKSUM) };
    Some(match word {
        EncapWord::Ipip => Encap::Ipip,
        EncapWord::Mac => Encap::Mac,
        EncapWord::Gre => Encap::Gre { key },
        EncapWord::Gue => Encap::Gue(udp),
        EncapWord::Fou => Encap::Fou(udp),
        EncapWord::Vxlan => {
            needs(report, table, "tunnel_key", file.tunnel_key.is_some());
            needs(report, table, "inner_mac", file.inner_mac.is_some());
            Encap::Vxlan { udp, vni: key?, inner_mac: inner_mac?.0 }
        }
    })
}

pub(super) fn key_of(word: EncapWord, key: i64) -> Result<u32, Refusal> {
    only(matches!(word, EncapWord::Gre | EncapWord::Vxlan), word, "key", "\"gre\" or \"vxlan\"")?;
    scalar::whole(key, 0..=if word == EncapWord::Gre { u32::MAX } else { Tail::VNI_MAX })
}

/// That a key is there which only this encapsulation needs.
fn needs(report: &mut Report<'_>, table: &Entry<RealFile>, key: &str, is_there: bool) {
    if !is_there {
        missing(report, table, "real", key);
    }
}

/// That a key is written where it means something.
pub(super) fn only(has: bool, word: EncapWord, what: &str, which: &str) -> Result<(), Refusal> {
    if has {
        return Ok(());
    }
    let message = format!("encap \"{}\" has no {what}", word.word());
    Err(Refusal::new(message, format!("Leave it out, or write encap = {which}.")))
}
