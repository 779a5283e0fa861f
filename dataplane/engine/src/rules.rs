//! What rules say of packets.
//!
//! A table of flow rules is asked where a flow is new or has to be confirmed, and about packets that have no flow before
//! they are answered: never on a hit. A table with packet rules is asked about every packet besides, in a stage of its
//! own: what one of those drops is dropped there, before its flow is met, and what one marks or limits does not go the
//! usual way ([`Effects`]). Either way an established flow keeps its real, for a service or a real that a rule gives is
//! a new flow's.
//!
//! Nobody asks about a packet that is for no VIP, that is malformed or from nobody, nor about neighbour discovery.

use counters::{DropReason, Ledger};
use port::{BURST_MAX, Packet};
use service::{Base, Effect, Masked, NO_VLAN, RuleAction, RuleKey, RulesView, Ruling, TableView};
use wire::ethernet::{self, Tag};
use wire::{Kind, Parsed, protocol};

use crate::decision::Verdict;
use crate::lane::{Lane, Step};
use crate::resolve::Resolver;

/// The verdict on a packet that a rule drops.
pub(crate) const DROPPED: Verdict = Verdict::Drop(DropReason::Rule);

/// The rule that decides about a packet for a VIP, if there is one. `frame` is what `parsed` was read of.
#[inline]
pub(crate) fn ruling(table: &TableView<'_>, frame: &[u8], parsed: &Parsed) -> Option<Ruling> {
    if table.has_rules() { ask(table, frame, parsed) } else { None }
}

#[inline(never)]
fn ask(table: &TableView<'_>, frame: &[u8], parsed: &Parsed) -> Option<Ruling> {
    Asker::new(table)?.find(frame, parsed)
}

/// Who asks a table's rules, about one packet after the other.
struct Asker<'t> {
    rules: RulesView<'t>,
    /// Whether they ask for more than a flow's packets have in common.
    of_packets: bool,
    key: RuleKey,
}

impl<'t> Asker<'t> {
    fn new(table: &TableView<'t>) -> Option<Self> {
        Some(Self { rules: table.rules()?, of_packets: table.has_packet_rules(), key: RuleKey::UNKNOWN })
    }

    #[inline(always)]
    fn find(&mut self, frame: &[u8], parsed: &Parsed) -> Option<Ruling> {
        self.fill(frame, parsed);
        self.rules.find(&self.key)
    }

    /// The packet's fields, as far as the table's rules may ask.
    #[inline(always)]
    fn fill(&mut self, frame: &[u8], parsed: &Parsed) {
        let has_ends = match parsed.kind {
            Kind::Tcp | Kind::Udp | Kind::Esp | Kind::Ah => true,
            // The SPI that an error quotes is that of the way back.
            Kind::IcmpError => matches!(parsed.tuple.protocol, protocol::TCP | protocol::UDP),
            _ => false,
        };
        self.key.set_flow(&parsed.tuple, has_ends);
        // An error is about a flow's addresses and ports; all else of it is its own.
        if !self.of_packets || parsed.kind == Kind::IcmpError {
            return;
        }
        self.key.set_dscp(parsed.tos >> 2);
        let is_tagged = usize::from(parsed.network_offset) != ethernet::HEADER_LEN;
        self.key.set_vlan(if is_tagged { vlan(frame) } else { NO_VLAN });
        for (place, masked) in self.rules.words().enumerate() {
            if let Some(value) = value(&masked, frame, parsed) {
                self.key.set_word(place, value & masked.mask);
            }
        }
    }
}

/// The rule that drops, marks or limits a packet of a flow before its flow is met: of tables with packet rules only.
pub(crate) fn at_once(table: &TableView<'_>, frame: &[u8], parsed: &Parsed) -> Option<Ruling> {
    if table.has_packet_rules() { at_once_by(table, &mut Asker::new(table)?, frame, parsed) } else { None }
}

#[inline(always)]
fn at_once_by(table: &TableView<'_>, asker: &mut Asker<'_>, frame: &[u8], parsed: &Parsed) -> Option<Ruling> {
    let tuple = &parsed.tuple;
    asker.find(frame, parsed).filter(|ruling| {
        let is_at_once = ruling.action == RuleAction::Drop || ruling.effect.is_any();
        is_at_once && table.classify_address(&tuple.destination, tuple.family)
    })
}

/// The rule that drops a packet without a flow.
pub(crate) fn dropped_portless(table: &TableView<'_>, frame: &[u8], parsed: &Parsed) -> Option<Ruling> {
    let tuple = &parsed.tuple;
    let is_asked = table.has_rules()
        && parsed.ends.are_two()
        && parsed.kind != Kind::NeighbourDiscovery
        && table.classify_address(&tuple.destination, tuple.family);
    let ruling = if is_asked { ask(table, frame, parsed) } else { None };
    ruling.filter(|ruling| ruling.action == RuleAction::Drop)
}

impl Resolver<'_, '_> {
    /// Whether a rule drops a packet without a flow; it is counted for the rule then.
    pub(crate) fn is_dropped_portless(&mut self, frame: &[u8], parsed: &Parsed) -> bool {
        let ruling = dropped_portless(self.table, frame, parsed);
        if let Some(ruling) = ruling {
            self.ledger.rule(ruling.number.index(), u64::from(parsed.ip_len));
        }
        ruling.is_some()
    }
}

/// The packets of a burst that rules mark or limit.
#[derive(Debug)]
pub(crate) struct Effects {
    /// A bit for each.
    which: u64,
    of: Box<[Effect; BURST_MAX]>,
}

impl Effects {
    pub(crate) fn none() -> Self {
        Self { which: 0, of: Box::new([Effect::NONE; BURST_MAX]) }
    }

    /// That on the packet at a place.
    #[inline]
    pub(crate) fn at(&self, at: u32) -> Effect {
        if self.which >> at & 1 == 0 {
            return Effect::NONE;
        }
        self.of.get(at as usize).copied().unwrap_or_default()
    }

    /// Asks about every packet of a burst that is of a flow: those that are dropped, or go another than the usual way,
    /// have another step then.
    #[inline(never)]
    pub(crate) fn ask_all<P: Packet>(
        &mut self,
        table: &TableView<'_>,
        packets: &[P],
        lanes: &mut [Lane],
        ledger: &mut Ledger,
    ) {
        self.which = 0;
        let Some(mut asker) = Asker::new(table) else { return };
        for ((packet, lane), (at, effect)) in packets.iter().zip(lanes).zip(self.of.iter_mut().enumerate()) {
            if !matches!(lane.step, Step::Resolve | Step::Settled) {
                continue;
            }
            match at_once_by(table, &mut asker, packet.data(), &lane.parsed) {
                None => {}
                Some(Ruling { action: RuleAction::Drop, number, .. }) => {
                    ledger.rule(number.index(), u64::from(lane.parsed.ip_len));
                    lane.step = Step::Ruled;
                }
                Some(ruling) => {
                    self.which |= 1 << at;
                    *effect = ruling.effect;
                    if lane.step == Step::Settled {
                        lane.step = Step::Resolve;
                    }
                }
            }
        }
    }

    /// Of a table without packet rules there are none.
    pub(crate) const fn clear(&mut self) {
        self.which = 0;
    }
}

/// The VLAN of the outermost tag; a tag of VLAN 0 is a priority and no VLAN (IEEE 802.1Q §9.6).
fn vlan(frame: &[u8]) -> u16 {
    let behind = frame.get(ethernet::HEADER_LEN - 2..).and_then(|rest| rest.first_chunk());
    match behind.map(|tag| Tag::parse(*tag)) {
        Some(Tag { ethertype: ethernet::VLAN | ethernet::SERVICE_VLAN, id: id @ 1.., .. }) => id,
        _ => NO_VLAN,
    }
}

/// Four bytes of a packet; `None` where they are not in its first segment, not in the packet, or of no header that it
/// has. Behind the last that is asked for they count as zero.
fn value(masked: &Masked, frame: &[u8], parsed: &Parsed) -> Option<u32> {
    let base = match masked.base {
        Base::TcpFlags => return (parsed.kind == Kind::Tcp).then_some(u32::from(parsed.flags.0)),
        Base::Network => parsed.network_offset,
        Base::Transport if is_part(parsed.kind) => return None,
        Base::Transport => parsed.transport_offset,
    };
    let first = usize::from(base) + usize::from(masked.offset);
    let last = first + masked.bytes();
    let end = usize::from(parsed.network_offset) + parsed.ip_len as usize;
    let found = frame.get(first..last).filter(|_| last <= end)?;
    let mut bytes = [0; 4];
    bytes.iter_mut().zip(found).for_each(|(to, from)| *to = *from);
    Some(u32::from_be_bytes(bytes))
}

/// Whether what stands behind the IP header may be no transport header.
const fn is_part(kind: Kind) -> bool {
    matches!(kind, Kind::Fragment | Kind::FirstFragment | Kind::LaterFragment | Kind::ShortFragment)
}

#[cfg(test)]
mod tests {
    use super::{value, vlan};
    use proptest::prelude::{any, prop, proptest};
    use service::{Base, Masked, NO_VLAN};
    use wire::{Kind, Parsed};

    fn frame(tags: &[[u8; 4]]) -> Vec<u8> {
        let mut frame = vec![0; 12];
        tags.iter().for_each(|tag| frame.extend(tag));
        frame.extend([8, 0, 0x45]);
        frame
    }

    #[test]
    fn the_outermost_tag_that_names_a_vlan_counts() {
        assert_eq!(vlan(&frame(&[])), NO_VLAN);
        assert_eq!(vlan(&frame(&[[0x81, 0, 0x60, 7]])), 7);
        assert_eq!(vlan(&frame(&[[0x88, 0xa8, 0x0f, 0xff], [0x81, 0, 0, 7]])), 4095);
        assert_eq!(vlan(&frame(&[[0x81, 0, 0xe0, 0]])), NO_VLAN, "a priority alone");
        assert_eq!(vlan(&[0; 15]), NO_VLAN, "a frame that is cut");
    }

    #[test]
    fn bytes_count_up_to_the_end_of_the_packet_and_no_further() {
        let frame: Vec<u8> = (0..60).collect();
        let mut parsed =
            Parsed { kind: Kind::Udp, network_offset: 14, transport_offset: 34, ip_len: 30, ..Parsed::EMPTY };
        let at = |base, offset, mask, parsed: &Parsed| {
            value(&Masked { base, offset, mask, value: 0 }, &frame, parsed)
        };
        assert_eq!(at(Base::Network, 0, u32::MAX, &parsed), Some(0x0e0f_1011));
        assert_eq!(at(Base::Transport, 6, u32::MAX, &parsed), Some(0x2829_2a2b), "the packet's last four");
        assert_eq!(at(Base::Transport, 7, u32::MAX, &parsed), None);
        assert_eq!(at(Base::Transport, 7, 0xffff_ff00, &parsed), Some(0x292a_2b00));
        assert_eq!(at(Base::TcpFlags, 0, 2, &parsed), None);
        parsed.kind = Kind::LaterFragment;
        assert_eq!(at(Base::Transport, 0, 1, &parsed), None);
        assert_eq!(at(Base::Network, 0, 1, &parsed), Some(0x0e0f_1011));
    }

    proptest! {
        #[test]
        fn any_bytes_have_values_or_none(
            frame in prop::collection::vec(any::<u8>(), 0..80), offset in 0..200_u16, mask in 1..u32::MAX, at in any::<u16>(), len in any::<u32>(),
        ) {
            let parsed = Parsed { transport_offset: at, network_offset: at / 2, ip_len: len, ..Parsed::EMPTY };
            for base in [Base::Network, Base::Transport, Base::TcpFlags] {
                let _ = value(&Masked { base, offset, mask, value: 0 }, &frame, &parsed);
            }
            let _ = vlan(&frame);
        }
    }
}
