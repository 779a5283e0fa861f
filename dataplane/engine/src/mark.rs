//! Marks: code points of differentiated services in the packet, labels and tags in front of it.
//!
//! In the order of what lies inside: DSCP before a packet is put into its tunnel, so that the outer header copies it;
//! then labels between link header and packet; then the VLAN tag, outermost.

use port::Packet;
use service::{LABEL_TTL, LABELS_OUT_MAX, LabelMark, Mark, VlanMark};
use wire::Family;
use wire::checksum::changed;
use wire::ethernet::{MPLS, SERVICE_VLAN, TAG_LEN, TAGS_MAX, Tag, VLAN};
use wire::mpls::{ENTRY_LEN, Entry};

/// Where the checksum stands in an IPv4 header (RFC 791 §3.1).
const CHECKSUM: core::ops::Range<usize> = 10..12;

/// What a code point took the place of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    first: [u8; 2],
    checksum: [u8; 2],
}

/// The traffic class with another code point: ECN stays (RFC 3168 §5).
pub(crate) const fn with_dscp(tos: u8, dscp: u8) -> u8 {
    dscp << 2 | tos & 3
}

/// Gives a packet, which begins with its IP header, another traffic class, and the header the checksum that goes with
/// it (RFC 1624).
pub(crate) fn set_tos(packet: &mut [u8], family: Family, tos: u8) -> Option<Before> {
    match (family, packet) {
        // Version and header length, and the type of service.
        (Family::V4, [first, second, _, _, _, _, _, _, _, _, c0, c1, ..]) => {
            let before = Before { first: [*first, *second], checksum: [*c0, *c1] };
            *second = tos;
            [*c0, *c1] = changed(before.checksum, before.first, [*first, tos]);
            Some(before)
        }
        // Version, traffic class and the flow label's begin.
        (Family::V6, [first, second, ..]) => {
            let before = Before { first: [*first, *second], checksum: [0; 2] };
            *first = *first & 0xf0 | tos >> 4;
            *second = tos << 4 | *second & 0x0f;
            Some(before)
        }
        _ => None,
    }
}

/// The packet as it was before [`set_tos`].
pub(crate) fn restore(packet: &mut [u8], family: Family, before: Before) {
    if let Some(first) = packet.first_chunk_mut() {
        *first = before.first;
    }
    if let (Family::V4, Some(sum)) = (family, packet.get_mut(CHECKSUM).and_then(|sum| sum.first_chunk_mut()))
    {
        *sum = before.checksum;
    }
}

/// Bytes of a link header: addresses, three tags, ethertype, labels.
const LINK_BYTES_MAX: usize = 12 + (TAGS_MAX + 1) * TAG_LEN + 2 + LABELS_OUT_MAX * ENTRY_LEN;

/// A link header as it is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    bytes: [u8; LINK_BYTES_MAX],
    len: usize,
    /// Where its ethertype stands, if that is the frame's own as it leaves: nothing stands behind it.
    own_type: Option<usize>,
    /// Bytes of what it takes the place of.
    was: usize,
}

/// Bytes written one after the other.
struct Written {
    bytes: [u8; LINK_BYTES_MAX],
    len: usize,
}

impl Written {
    fn put(&mut self, bytes: &[u8]) {
        let room = self.bytes.iter_mut().skip(self.len);
        room.zip(bytes).for_each(|(to, from)| *to = *from);
        self.len += bytes.len();
    }
}

impl Link {
    /// The header that `frame`, whose link header has so many bytes, is to have; `popped` is the label that it came with.
    /// Of `None` nothing changes.
    pub(crate) fn of(mark: &Mark, frame: &[u8], was: usize, popped: Option<Entry>) -> Option<Self> {
        let labels = labels(mark, popped);
        let has_labels = labels.iter().any(Option::is_some);
        if mark.vlan == VlanMark::Keep && mark.priority.is_none() && !has_labels {
            return None;
        }
        let (addresses, rest) = frame.get(..was)?.split_first_chunk::<12>()?;
        let (tags, _) = rest.split_last_chunk::<2>()?;
        let tags = tags.as_chunks::<TAG_LEN>().0;
        let mut made = Written { bytes: [0; LINK_BYTES_MAX], len: 0 };
        made.put(addresses);
        let (outermost, kept) = match tags.split_first() {
            Some((first, kept)) => (Some(Tag::parse(*first)), kept),
            None => (None, tags),
        };
        for tag in outer_tags(mark, outermost).into_iter().flatten() {
            made.put(&tag.emit());
        }
        kept.iter().for_each(|tag| made.put(tag));
        let own_type = (!has_labels).then_some(made.len);
        made.put(&MPLS.to_be_bytes());
        labels.iter().flatten().for_each(|label| made.put(&label.emit()));
        Some(Self { bytes: made.bytes, len: made.len, own_type, was })
    }

    /// How many bytes longer it is than the one before.
    pub(crate) const fn growth(&self) -> usize {
        self.len.saturating_sub(self.was)
    }

    /// Puts it in the place of the one before, whose addresses and ethertype stay: those are the way to the real.
    pub(crate) fn put<P: Packet>(&self, packet: &mut P) {
        let Some(before) = packet.data().get(..self.was) else { return };
        let (Some(&addresses), Some(&ethertype)) = (before.first_chunk::<12>(), before.last_chunk::<2>())
        else {
            return;
        };
        match self.len.checked_sub(self.was) {
            Some(0) => {}
            // That there is room was asked before.
            Some(growth) => {
                let _ = packet.prepend(growth);
            }
            None => packet.trim_front(self.was - self.len),
        }
        let header = packet.data_mut().iter_mut().zip(&self.bytes).take(self.len);
        header.for_each(|(to, from)| *to = *from);
        if let Some(to) = packet.data_mut().first_chunk_mut() {
            *to = addresses;
        }
        let at = self.own_type.and_then(|at| packet.data_mut().get_mut(at..)?.first_chunk_mut());
        if let Some(to) = at {
            *to = ethertype;
        }
    }
}

/// What stands where the outermost tag stood, and in front of it.
fn outer_tags(mark: &Mark, outermost: Option<Tag>) -> [Option<Tag>; 2] {
    let priority = mark.priority.or(outermost.map(|tag| tag.priority)).unwrap_or(0);
    let new = |id| Tag {
        ethertype: if outermost.is_some() { SERVICE_VLAN } else { VLAN },
        priority,
        is_drop_eligible: false,
        id,
    };
    match (mark.vlan, outermost) {
        (VlanMark::Insert(id), tag) => [Some(new(id)), tag],
        (VlanMark::Rewrite(id), Some(tag)) => [Some(Tag { id, priority, ..tag }), None],
        (VlanMark::Keep, Some(tag)) => [Some(Tag { priority, ..tag }), None],
        // A tag of no VLAN, which carries the priority alone (IEEE 802.1Q §9.6).
        (VlanMark::Keep | VlanMark::Rewrite(_), None) => [mark.priority.map(|_| new(0)), None],
        (VlanMark::Remove, _) => [None, None],
    }
}

/// The labels to be put on, the outermost first.
fn labels(mark: &Mark, popped: Option<Entry>) -> [Option<Entry>; LABELS_OUT_MAX] {
    let (tc, ttl) = (mark.tc.unwrap_or(0), mark.ttl.unwrap_or(LABEL_TTL));
    match (mark.labels, popped) {
        (LabelMark::Push([label, 0]), _) => [Some(Entry { label, tc, is_bottom: true, ttl }), None],
        (LabelMark::Push(labels), _) => {
            let [outer, inner] = labels.map(|label| Entry { label, tc, is_bottom: true, ttl });
            [Some(Entry { is_bottom: false, ..outer }), Some(inner)]
        }
        (LabelMark::Swap(label), Some(popped)) => {
            // One hop more is behind it (RFC 3032 §2.4.2).
            let tc = mark.tc.unwrap_or(popped.tc);
            let ttl = mark.ttl.unwrap_or_else(|| popped.ttl.saturating_sub(1));
            [Some(Entry { label, tc, is_bottom: true, ttl }), None]
        }
        (LabelMark::Swap(_), None) | (LabelMark::Pop | LabelMark::None, _) => [None, None],
    }
}
