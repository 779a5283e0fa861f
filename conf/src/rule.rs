//! A rule that is valid: what it asks for, and what becomes of packets that match.

use std::fmt;

use service::{Attributes, Base, Masked, NO_VLAN, Prefix, RuleAction, RuleNumber, RuleSpec};

use crate::config::{Config, Name, PortRange, Vip};

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: Name,
    /// The larger is asked first; of equal ones the one whose name comes first.
    pub priority: u16,
    /// Where packets come from; none is anywhere.
    pub sources: Vec<Prefix>,
    /// Where they go to; none is any VIP.
    pub destinations: Vec<Prefix>,
    /// Their transport protocol; TCP where flags are asked for.
    pub protocol: Option<u8>,
    /// Their source port.
    pub source_ports: Option<PortRange>,
    /// Their destination port.
    pub ports: Option<PortRange>,
    /// First and last SPI; with it, without a protocol, they are of ESP or AH.
    pub spi: Option<(u32, u32)>,
    /// First and last DSCP.
    pub dscp: Option<(u8, u8)>,
    /// First and last VLAN; [`NO_VLAN`] is none.
    pub vlan: Option<(u16, u16)>,
    /// TCP flags.
    pub flags: Option<TcpFlags>,
    /// Bytes under a mask.
    pub bytes: Vec<Masked>,
    /// What becomes of them.
    pub then: Then,
    /// Place in [`Config::marks`](crate::Config::marks).
    pub mark: Option<usize>,
    /// Place in [`Config::limits`](crate::Config::limits).
    pub limit: Option<usize>,
}

/// Flags of a TCP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpFlags {
    /// Those that count.
    pub mask: u8,
    /// Those of them that are set.
    pub value: u8,
}

/// What becomes of packets that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// They are dropped.
    Drop,
    /// They go as they would without the rule.
    Usual,
    /// New flows are this service's, a place in [`Config::services`](crate::Config::services).
    Service(usize),
    /// The same, and this real's while it takes new flows.
    Real {
        /// Place in [`Config::services`](crate::Config::services).
        service: usize,
        /// Place in [`Config::reals`](crate::Config::reals).
        real: usize,
    },
}

impl Rule {
    /// The rule as a table has it: with its rank, and with services and reals by number. Its own number is the first,
    /// and what it gives packets is left out.
    #[must_use]
    pub fn spec(&self, rank: u32, action: RuleAction) -> RuleSpec {
        let range = |ports: PortRange| (ports.first, ports.last);
        let flags = self.flags.map(|TcpFlags { mask, value }| Masked {
            base: Base::TcpFlags,
            offset: 0,
            mask: mask.into(),
            value: value.into(),
        });
        RuleSpec {
            rank,
            number: RuleNumber::FIRST,
            sources: self.sources.clone(),
            destinations: self.destinations.clone(),
            protocol: self.protocol,
            source_ports: self.source_ports.map(range),
            ports: self.ports.map(range),
            spi: self.spi,
            dscp: self.dscp,
            vlan: self.vlan,
            masked: self.bytes.iter().copied().chain(flags).collect(),
            action,
            attributes: Attributes::default(),
        }
    }

    /// The keys because of which it has to be asked about every packet, of established flows too.
    #[must_use]
    pub fn packet_keys(&self) -> Vec<&'static str> {
        let asked = [
            ("dscp", self.dscp.is_some()),
            ("vlan", self.vlan.is_some()),
            ("tcp_flags", self.flags.is_some()),
            ("bytes", !self.bytes.is_empty()),
            ("mark", self.mark.is_some()),
            ("limit", self.limit.is_some()),
        ];
        asked.into_iter().filter(|(_, is_asked)| *is_asked).map(|(key, _)| key).collect()
    }

    /// What becomes of packets, in words.
    #[must_use]
    pub fn does(&self, config: &Config) -> String {
        let service = |at: usize| config.services.get(at).map(|it| format!("service {}", it.name));
        let real = |at: usize| config.reals.get(at).map(|it| format!("real {}", it.name));
        let then = match self.then {
            Then::Drop => [Some("drop".to_owned()), None],
            Then::Usual => [None, None],
            Then::Service(at) => [service(at), None],
            Then::Real { service: of, real: at } => [service(of), real(at)],
        };
        let mark = self.mark.and_then(|at| config.marks.get(at)).map(|it| format!("mark {}", it.name));
        let limit = self.limit.and_then(|at| config.limits.get(at)).map(|it| format!("limit {}", it.name));
        let words: Vec<String> = then.into_iter().chain([mark, limit]).flatten().collect();
        words.join(", ")
    }

    /// What it asks for, key by key, as it may be written.
    #[must_use]
    pub fn asks(&self) -> Vec<(&'static str, String)> {
        let some = |key, value: Option<String>| value.map(|value| (key, value));
        let words = [
            some("source", list(&self.sources)),
            some("destination", list(&self.destinations)),
            some("protocol", self.protocol.map(|protocol| protocol.to_string())),
            some("source_ports", self.source_ports.map(|ports| ports.to_string())),
            some("ports", self.ports.map(|ports| ports.to_string())),
            some("spi", self.spi.map(|(first, last)| range(first, last))),
            some("dscp", self.dscp.map(|(first, last)| range(first, last))),
            some(
                "vlan",
                self.vlan.map(
                    |(first, last)| if first == NO_VLAN { "untagged".to_owned() } else { range(first, last) },
                ),
            ),
            some("tcp_flags", self.flags.map(|flags| flags.to_string())),
            some(
                "bytes",
                Some(self.bytes.iter().map(masked).collect::<Vec<_>>().join(", "))
                    .filter(|text| !text.is_empty()),
            ),
        ];
        words.into_iter().flatten().collect()
    }
}

fn list(prefixes: &[Prefix]) -> Option<String> {
    let word = |prefix: &Prefix| Vip { address: prefix.address, prefix_len: prefix.len }.to_string();
    let words: Vec<String> = prefixes.iter().map(word).collect();
    if words.is_empty() { None } else { Some(words.join(", ")) }
}

fn range<T: PartialEq + fmt::Display>(first: T, last: T) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn masked(masked: &Masked) -> String {
    let base = match masked.base {
        Base::Network => "network",
        Base::Transport | Base::TcpFlags => "transport",
    };
    let digits = masked.bytes().saturating_mul(2);
    let hex = |word: u32| format!("{word:08x}").chars().take(digits).collect::<String>();
    format!("{base}+{} & {} = {}", masked.offset, hex(masked.mask), hex(masked.value))
}

/// The flags of TCP by bit (RFC 9293 §3.1, RFC 3168 §6.1).
pub(crate) const FLAGS: [(&str, u8); 8] =
    [("fin", 1), ("syn", 2), ("rst", 4), ("psh", 8), ("ack", 16), ("urg", 32), ("ece", 64), ("cwr", 128)];

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = FLAGS.iter().filter(|(_, bit)| self.mask & bit != 0);
        let words: Vec<String> = asked
            .map(|(name, bit)| format!("{}{name}", if self.value & bit == 0 { "!" } else { "" }))
            .collect();
        f.write_str(&words.join(" "))
    }
}
