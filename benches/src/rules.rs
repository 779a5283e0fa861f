//! Rule sets of three kinds, to measure what asking them costs. They are ours and random, of a fixed seed; no published
//! set is among them.

use std::net::Ipv4Addr;

use service::{Attributes, Prefix, RuleAction, RuleNumber, RuleSpec};
use wire::{Family, FiveTuple, packed, protocol};

use crate::tables::VIP4;

/// What a set looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A client's prefix and one port of a VIP: each rule is apart from the others.
    Clients,
    /// Prefixes of clients, and ranges of ports that overlap one another.
    Ranges,
    /// As a firewall has them: prefixes of any length or none, ports, wide ranges or any, either protocol or both.
    Firewall,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Clients, Self::Ranges, Self::Firewall];

    /// Its name in a table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Ranges => "ranges",
            Self::Firewall => "firewall",
        }
    }
}

/// Numbers that look random and are the same every time (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// Any number.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// One of the first so many.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    /// A number of 16 bits.
    #[allow(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
    pub const fn port(&mut self) -> u16 {
        self.roll() as u16
    }

    /// An address of 20,480 neighbouring nets of 256.
    #[allow(clippy::cast_possible_truncation, reason = "the bound is far below 2³²")]
    pub const fn client(&mut self) -> u32 {
        0x2c00_0000 + self.below(20_480 << 8) as u32
    }
}

fn prefix(address: u32, len: u8) -> Prefix {
    let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
    Prefix { address: Ipv4Addr::from_bits(address & mask).into(), len }
}

/// So many rules of a kind.
#[must_use]
pub fn set(kind: Kind, count: u32) -> Vec<RuleSpec> {
    let mut dice = Dice(u64::from(count));
    let vip = Prefix { address: Ipv4Addr::from(VIP4).into(), len: 32 };
    let rule = |rank| RuleSpec {
        rank,
        number: RuleNumber::new(rank).unwrap_or_default(),
        sources: Vec::new(),
        destinations: vec![vip],
        protocol: Some(protocol::TCP),
        source_ports: None,
        ports: None,
        spi: None,
        dscp: None,
        vlan: None,
        masked: Vec::new(),
        action: RuleAction::Drop,
        attributes: Attributes::default(),
    };
    let one = |rank| match kind {
        Kind::Clients => {
            let port = 80 + dice.port() % 16;
            RuleSpec { sources: vec![prefix(dice.client(), 24)], ports: Some((port, port)), ..rule(rank) }
        }
        Kind::Ranges => {
            let first = dice.port() / 2;
            let ports = Some((first, first + dice.port() % 64));
            RuleSpec { sources: vec![prefix(dice.client(), 24)], ports, ..rule(rank) }
        }
        Kind::Firewall => firewall(&mut dice, rule(rank)),
    };
    (0..count).map(one).collect()
}

fn firewall(dice: &mut Dice, rule: RuleSpec) -> RuleSpec {
    const LENGTHS: [u8; 6] = [16, 20, 24, 24, 28, 32];
    let sources = match usize::from(dice.port() % 10) {
        0 => Vec::new(),
        at => vec![prefix(dice.client(), LENGTHS.get(at % LENGTHS.len()).copied().unwrap_or(24))],
    };
    // A rule for all would end every search, so one from anywhere names a port.
    let ports = match dice.below(8) {
        0 if !sources.is_empty() => None,
        1 if !sources.is_empty() => Some((1024, u16::MAX)),
        2 if !sources.is_empty() => {
            let first = dice.port() / 2;
            Some((first, first + dice.port() % 1024))
        }
        _ => {
            let port = dice.port() % 1024;
            Some((port, port))
        }
    };
    let source_ports = if dice.below(10) == 0 { Some((1024, u16::MAX)) } else { None };
    let protocol = if dice.below(8) == 0 { None } else { rule.protocol };
    RuleSpec { sources, ports, source_ports, protocol, ..rule }
}

/// A packet of a client of [`set`]'s, to the VIP.
#[must_use]
pub fn tuple(dice: &mut Dice) -> FiveTuple {
    let (source, family) = packed(Ipv4Addr::from_bits(dice.client()).into());
    let (destination, _) = packed(Ipv4Addr::from(VIP4).into());
    debug_assert_eq!(family, Family::V4);
    let (source_port, destination_port) = (dice.port(), dice.port() % 1024);
    FiveTuple { source, destination, source_port, destination_port, protocol: protocol::TCP, family }
}
