//! What a service or a rule asks for beside a real: marks on its packets, and a limit of their rate.

use core::fmt;

use wire::mpls::{LABEL_MAX, LABEL_MIN};

use crate::limits::{LIMITS_MAX, MARKS_MAX};

/// The most labels that are put on a packet.
pub const LABELS_OUT_MAX: usize = 2;
/// The largest VLAN id.
pub const VLAN_MAX: u16 = 4094;
/// The largest code point of differentiated services (RFC 2474 §3).
pub const DSCP_MAX: u8 = 63;

/// What a service or a rule asks for beside a real.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// How its packets are marked.
    pub mark: Option<Mark>,
    /// How many of them may pass.
    pub limit: Option<Limit>,
}

impl Attributes {
    /// Whether it asks for anything.
    #[must_use]
    pub const fn ask(&self) -> bool {
        self.mark.is_some() || self.limit.is_some()
    }
}

/// Marks on packets that leave to a real.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Code point of differentiated services (RFC 2474 §3); ECN stays.
    pub dscp: Option<u8>,
    /// Where code points are written, this one and a limit's.
    pub dscp_on: DscpOn,
    /// The outermost VLAN tag.
    pub vlan: VlanMark,
    /// Its priority (IEEE 802.1Q §6.9.3). An untagged frame gets a tag of no VLAN for it.
    pub priority: Option<u8>,
    /// MPLS labels.
    pub labels: LabelMark,
    /// Traffic class of labels (RFC 5462); `None` is 0, and what the packet came with where one is swapped.
    pub tc: Option<u8>,
    /// TTL of labels; `None` is [`LABEL_TTL`], and one less than the packet came with where one is swapped.
    pub ttl: Option<u8>,
}

/// What labels begin with where nothing else is said: the packet's own TTL says nothing to the network of labels, and
/// stays (the pipe model of RFC 3443 §2).
pub const LABEL_TTL: u8 = 64;

/// Where code points are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DscpOn {
    /// To the packet itself, and so to the outer header, which copies it.
    #[default]
    Both,
    /// To the outer header alone; where there is none, nowhere.
    Outer,
}

/// What becomes of the outermost VLAN tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum VlanMark {
    /// It stays.
    #[default]
    Keep,
    /// One more is put outside: a service tag (802.1ad) where there is one already.
    Insert(u16),
    /// Its VLAN id changes; an untagged frame stays so.
    Rewrite(u16),
    /// It is taken off; an untagged frame stays so.
    Remove,
}

/// What becomes of MPLS labels. Those that a packet came with are taken off before anything else is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LabelMark {
    /// None are put on.
    #[default]
    None,
    /// These are put on, the outermost first; 0 behind one that is alone.
    Push([u32; LABELS_OUT_MAX]),
    /// A packet that came with labels gets this one.
    Swap(u32),
    /// A packet that came with labels goes on without.
    Pop,
}

impl Mark {
    /// Whether every value is one that there is, and is of use beside the others.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let is_label = |label: u32| (LABEL_MIN..=LABEL_MAX).contains(&label);
        let vlan = match self.vlan {
            VlanMark::Keep => true,
            VlanMark::Insert(id) | VlanMark::Rewrite(id) => (1..=VLAN_MAX).contains(&id),
            VlanMark::Remove => self.priority.is_none(),
        };
        let labels = match self.labels {
            LabelMark::None | LabelMark::Pop => self.tc.is_none() && self.ttl.is_none(),
            LabelMark::Push([first, second]) => is_label(first) && (second == 0 || is_label(second)),
            LabelMark::Swap(label) => is_label(label),
        };
        vlan && labels
            && self.dscp.is_none_or(|dscp| dscp <= DSCP_MAX)
            && self.priority.is_none_or(|priority| priority < 8)
            && self.tc.is_none_or(|tc| tc < 8)
            && self.ttl.is_none_or(|ttl| ttl > 0)
    }

    /// Whether packets are to come with labels.
    pub(crate) const fn takes_labels(&self) -> bool {
        matches!(self.labels, LabelMark::Swap(_) | LabelMark::Pop)
    }
}

/// A limit: a meter that colours packets, and what becomes of each colour. Bytes are those of IP packets, as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Committed information rate, in bytes a second.
    pub cir: u64,
    /// Committed burst size, in bytes.
    pub cbs: u32,
    /// What stands above it.
    pub excess: Excess,
    /// Packets come coloured, by the drop precedence of assured forwarding (RFC 2597 §6), and get no better one.
    pub is_aware: bool,
    /// The code point of yellow packets; `None` leaves them as they are.
    pub yellow: Option<u8>,
    /// The code point of red packets; `None` drops them.
    pub red: Option<u8>,
}

/// What a limit has above its committed rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// What the committed burst leaves over, so many bytes of it (RFC 2697).
    Burst(u32),
    /// A peak rate in bytes a second, and its burst in bytes (RFC 2698).
    Peak(u64, u32),
}

impl Limit {
    /// The largest rate: beyond any port, and small enough that sums fit.
    pub const RATE_MAX: u64 = 1 << 40;

    /// Whether the figures are a meter's: each rate fills no more in a tick than its burst holds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let fits = |rate: u64, burst: u32| {
            (1..=Self::RATE_MAX).contains(&rate) && rate.div_ceil(8) <= u64::from(burst)
        };
        let excess = match self.excess {
            Excess::Burst(_) => true,
            Excess::Peak(rate, burst) => rate >= self.cir && fits(rate, burst),
        };
        let known = |dscp: Option<u8>| dscp.is_none_or(|dscp| dscp <= DSCP_MAX);
        fits(self.cir, self.cbs) && excess && known(self.yellow) && known(self.red)
    }
}

/// What is wrong with what a service or a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeFault {
    /// A value of its mark is out of range, or is of no use beside the others.
    Mark,
    /// Its limit's figures are no meter's.
    Limit,
    /// There are more different marks than [`MARKS_MAX`].
    Marks,
    /// There are more limits than [`LIMITS_MAX`].
    Limits,
}

impl fmt::Display for AttributeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mark => f.write_str("a value of its mark is out of range, or of no use beside the others"),
            Self::Limit => {
                f.write_str("its limit has no rate, or one that fills more in a tick than its burst holds")
            }
            Self::Marks => write!(f, "there are more than {MARKS_MAX} different marks"),
            Self::Limits => write!(f, "there are more than {LIMITS_MAX} limits"),
        }
    }
}
