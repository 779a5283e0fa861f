//! The fields of a packet that rules ask for, each a number.

use wire::{Family, FiveTuple, protocol};

/// Fields that every table knows; behind them come the masked words of the table at hand.
pub(crate) const FIXED: usize = 10;
/// Fields at most.
pub(crate) const FIELDS_MAX: usize = FIXED + crate::limits::RULE_WORDS_MAX;
/// Room for them in a key: a power of two, so that no field's number has to be compared with it.
const KEY_FIELDS: usize = FIELDS_MAX.next_power_of_two();

/// Where each field stands in a key. Addresses are two words, upper one first.
pub(crate) mod field {
    pub(crate) const SOURCE: usize = 0;
    pub(crate) const DESTINATION: usize = 2;
    pub(crate) const PROTOCOL: usize = 4;
    pub(crate) const SOURCE_PORT: usize = 5;
    pub(crate) const PORT: usize = 6;
    pub(crate) const SPI: usize = 7;
    pub(crate) const DSCP: usize = 8;
    pub(crate) const VLAN: usize = 9;
}

const _: () = assert!(field::VLAN + 1 == FIXED);

/// The VLAN of a packet that has none: no tag, or only a priority (IEEE 802.1Q §9.6, VID 0).
pub const NO_VLAN: u16 = 4096;

/// What a field holds that a packet does not have. No interval of a rule reaches it, but the one of all values.
const ABSENT: u64 = u64::MAX;

/// Where a masked value is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Base {
    /// The beginning of the IP header.
    Network,
    /// The beginning of the transport header; of a protocol that has none for us, what stands in its place.
    Transport,
    /// The flags of a TCP header: nothing else is there, and the offset is 0.
    TcpFlags,
}

impl Base {
    /// How images write it.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Network => 0,
            Self::Transport => 1,
            Self::TcpFlags => 2,
        }
    }

    /// What an image wrote.
    pub(crate) const fn of_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Network),
            1 => Some(Self::Transport),
            2 => Some(Self::TcpFlags),
            _ => None,
        }
    }
}

/// Four bytes of a packet, of which some bits have to have a value. A shorter field stands in the upper bytes, and
/// bytes without a bit in the mask need not be there; flags stand in the lowest byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Masked {
    /// Counted from where.
    pub base: Base,
    /// How many bytes behind that, at most [`crate::RULE_OFFSET_MAX`].
    pub offset: u16,
    /// Which bits.
    pub mask: u32,
    /// What they have to be; no bit outside the mask.
    pub value: u32,
}

impl Masked {
    /// How many bytes have to be there: up to the last with a bit in the mask.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        4 - (self.mask.trailing_zeros() / 8) as usize
    }
}

/// What rules are asked by: the fields of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleKey {
    pub(crate) family: Family,
    fields: [u64; KEY_FIELDS],
}

impl RuleKey {
    /// That of which nothing is known. It is large, so whoever asks about many packets fills one again and again.
    pub const UNKNOWN: Self = Self { family: Family::V4, fields: [ABSENT; KEY_FIELDS] };

    /// What a flow's packets have in common.
    #[must_use]
    pub fn of(tuple: &FiveTuple, has_ends: bool) -> Self {
        let mut key = Self::UNKNOWN;
        key.set_flow(tuple, has_ends);
        key
    }

    /// What a flow's packets have in common. All else becomes absent: rules that ask for more do not match. Without
    /// `has_ends` the tuple's ports mean nothing; with it they are those of TCP and UDP, and the SPI of ESP and AH.
    #[inline(always)]
    pub fn set_flow(&mut self, tuple: &FiveTuple, has_ends: bool) {
        self.family = tuple.family;
        self.fields = [ABSENT; KEY_FIELDS];
        let [source, destination] = [words(&tuple.source), words(&tuple.destination)];
        let has_ports = has_ends && (tuple.protocol == protocol::TCP || tuple.protocol == protocol::UDP);
        let has_spi = has_ends && (tuple.protocol == protocol::ESP || tuple.protocol == protocol::AH);
        let port = |port: u16| if has_ports { u64::from(port) } else { ABSENT };
        let spi = u64::from(tuple.source_port) << 16 | u64::from(tuple.destination_port);
        let known = [
            source[0],
            source[1],
            destination[0],
            destination[1],
            u64::from(tuple.protocol),
            port(tuple.source_port),
            port(tuple.destination_port),
            if has_spi { spi } else { ABSENT },
        ];
        self.fields.iter_mut().zip(known).for_each(|(field, value)| *field = value);
    }

    /// The packet's DSCP, of 6 bits.
    #[inline]
    pub fn set_dscp(&mut self, dscp: u8) {
        self.set(field::DSCP, u64::from(dscp));
    }

    /// The VLAN of its outermost tag, or [`NO_VLAN`].
    #[inline]
    pub fn set_vlan(&mut self, vlan: u16) {
        self.set(field::VLAN, u64::from(vlan));
    }

    /// What the bits of [`RulesView::words`](super::RulesView::words)' word in that place are.
    #[inline]
    pub fn set_word(&mut self, place: usize, value: u32) {
        self.set(FIXED + place, u64::from(value));
    }

    #[inline(always)]
    fn set(&mut self, field: usize, value: u64) {
        if let Some(known) = self.fields.get_mut(field) {
            *known = value;
        }
    }

    /// A field of a sound list.
    #[inline(always)]
    pub(crate) fn get(&self, field: u8) -> u64 {
        self.fields.get(usize::from(field) % KEY_FIELDS).copied().unwrap_or(ABSENT)
    }
}

/// An address as two numbers that sort as it does.
#[inline]
pub(crate) fn words(address: &[u8; 16]) -> [u64; 2] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *address;
    [u64::from_be_bytes([a, b, c, d, e, f, g, h]), u64::from_be_bytes(rest)]
}
