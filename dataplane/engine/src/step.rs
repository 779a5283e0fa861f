//! What a walk tells: each answer that a packet got on its way, and what a flow table knows.

use counters::DropReason;
use flow::{Epoch, FlowRecord, Silences, Value};
use port::Tick;
use service::{Mark, RealNumber, Ruling, ServiceNumber, Tail, Template, Timeouts};
use wire::mpls::Entry;
use wire::{FiveTuple, Parsed, Unparsed};

use crate::decision::Decision;
use crate::from_inside::Inside;
use crate::meter::Colour;
use crate::open::Shell;
use crate::quic::Unroutable;

/// One answer on a packet's way.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// The outermost of the MPLS labels that were taken off, and the bytes of all.
    Popped(Entry, usize),
    /// It came in a tunnel that ends here, and goes on as what that carried.
    Opened(Shell),
    /// It opens a connection, and the segment size that it offers was lowered.
    Clamped,
    /// It is an error about a packet that we had tunnelled to a real.
    Inside(Inside),
    /// Its headers cannot be taken for a packet's.
    Unparsed(Unparsed),
    /// What its headers say.
    Parsed(Parsed),
    /// Whether the screen lets its destination pass as one that may be a VIP's; a no is certain.
    Screened(bool),
    /// It has no ports for us, so only its address is looked up: whether that is a VIP's.
    Address(bool),
    /// What the flow table knows of its flow.
    Flow(Known),
    /// The rule that decides about it.
    Rule(Ruling),
    /// The service that its destination, protocol and port belong to, or that a rule gives.
    Service(ServiceNumber),
    /// It is a response on its way back through us; of that service, where it names one.
    Response(Option<ServiceNumber>),
    /// They belong to none: of a VIP, or (false) of no VIP.
    NoService(bool),
    /// The real that its connection id names, of a service that has such ids; or why it names none.
    ConnectionId(Result<RealNumber, Unroutable>),
    /// Its service keeps clients together: the entry of its client, and the real that is there for it.
    Client(FiveTuple, Option<RealNumber>),
    /// Its flow keeps the real it has.
    Kept(RealNumber),
    /// Its flow's real is down or gone, and another has to be chosen.
    Lost(RealNumber),
    /// The real that a rule gives; whether it takes new flows, for else its hash chooses.
    Given(RealNumber, bool),
    /// The real that its hash chooses in the service's pool; none if the pool has none to give.
    Chosen {
        /// The first word of the flow's keyed hash.
        hash: u64,
        /// The real.
        real: Option<RealNumber>,
    },
    /// It is a fragment, and what its datagram has it do.
    Fragment(Following),
    /// How packets travel to the real, and what of it stands behind the outer IP header; none if the table has no such
    /// real.
    Template(Option<(Template, Tail)>),
    /// What the limit of its rule or its service says of it, as far as the meters can be seen.
    Metered(Colour),
    /// How its rule or its service has it marked.
    Marked(Mark),
    /// It was made ready to leave: bytes of the frame.
    Ready(usize),
    /// It could not be.
    Refused(DropReason),
    /// How it leaves. Always the last step, and only that.
    Leaves(Decision),
}

/// What a fragment does, by what is known of its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// It is the first: its flow is asked for.
    First,
    /// It follows the first, to that real.
    Follows(RealNumber),
    /// It waits for the first.
    Waits,
    /// It goes to that worker, which knows of the datagram.
    Mate(u16),
    /// It is dropped.
    Refused(DropReason),
}

/// What a flow table knows of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// It was silent for longer than its state allows, and counts as forgotten.
    Silent(Value),
    /// Decided or confirmed under the table in force.
    Current(Value),
    /// Last met under an earlier table: its service is asked for again.
    Earlier(Value),
}

impl Known {
    /// What holds of it now.
    pub(crate) fn alive(self) -> Option<Value> {
        match self {
            Self::Nothing | Self::Silent(_) => None,
            Self::Current(value) | Self::Earlier(value) => Some(value),
        }
    }

    pub(crate) fn of(found: Option<FlowRecord>, now: Tick, timeouts: Timeouts, epoch: Epoch) -> Self {
        match found.map(|flow| flow.value) {
            None => Self::Nothing,
            Some(value) if value.is_expired(now.0, &Silences::from(timeouts)) => Self::Silent(value),
            Some(value) if value.epoch() == epoch && epoch != Epoch::STALE => Self::Current(value),
            Some(value) => Self::Earlier(value),
        }
    }
}
