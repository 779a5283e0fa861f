//! How a packet leaves, and who may watch.

use counters::{DropReason, Event, PuntReason};
use service::{RealNumber, ServiceNumber};
use wire::{Parsed, Unparsed};

use crate::resolve::Target;

/// How a packet leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is transmitted.
    Tx,
    /// It is dropped.
    Drop(DropReason),
    /// It is the kernel's.
    Punt(PuntReason),
    /// It waits for its real's next hop, or for the first fragment of its datagram: it is decided once more when it
    /// leaves.
    Held,
    /// It is a fragment of a datagram that another worker knows of: it is decided there.
    Handed,
}

/// What the flow table had to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowUse {
    /// The flow was there.
    Hit,
    /// The flow was put in.
    New,
    /// The flow was put in, and a connection id said to which real.
    Led,
    /// No flow was put in: a hash chose the real, or a connection id said it.
    Stateless,
}

/// What we answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// An echo request.
    Echo,
    /// An ARP request.
    Arp,
    /// A neighbour solicitation.
    Nd,
    /// A packet that does not fit the tunnel.
    TooBig,
    /// An error from inside of a tunnel: it is the client's now.
    Translated,
}

impl Answer {
    /// What counts it.
    #[must_use]
    pub const fn event(self) -> Event {
        match self {
            Self::Echo => Event::EchoAnswered,
            Self::Arp => Event::ArpAnswered,
            Self::Nd => Event::NdAnswered,
            Self::TooBig => Event::TooBigAnswered,
            Self::Translated => Event::IcmpTranslated,
        }
    }
}

/// One packet's decision, complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// How it leaves.
    pub verdict: Verdict,
    /// The service it is for, where there is one.
    pub service: Option<ServiceNumber>,
    /// The real it goes to, where one was chosen.
    pub real: Option<RealNumber>,
    /// What the flow table did, where it was asked.
    pub flow: Option<FlowUse>,
    /// What leaves is our answer: in the request's place, or, where the packet itself is dropped, made of its
    /// beginning.
    pub answered: Option<Answer>,
}

impl Decision {
    /// What stands where a decision is yet to come.
    pub const PENDING: Self = Self::left(Verdict::Tx, None);

    /// That of a packet which goes to its real.
    #[inline(always)]
    pub(crate) const fn sent(target: Target) -> Self {
        let Target { real, service, used, .. } = target;
        Self {
            verdict: Verdict::Tx,
            service: Some(service),
            real: Some(real),
            flow: Some(used),
            answered: None,
        }
    }

    /// That of a packet which leaves as its own answer.
    pub(crate) const fn answered(answer: Answer) -> Self {
        Self { answered: Some(answer), ..Self::left(Verdict::Tx, None) }
    }

    /// That of a packet which no real gets.
    #[inline]
    pub(crate) const fn left(verdict: Verdict, service: Option<ServiceNumber>) -> Self {
        Self { verdict, service, real: None, flow: None, answered: None }
    }
}

/// Sees every packet's decision, in the order the packets came. Static dispatch: [`NoObserver`] costs
/// nothing.
pub trait Observer<P> {
    /// A packet that is held is told twice or more: when it begins to wait, and, before or after others, when it leaves
    /// or waits for something else. One that is handed over is told here and there; here again if it cannot be.
    /// `packet` is as it leaves: encapsulated if it is transmitted, our answer if there is one, as it came
    /// otherwise. `parsed` is what was read of it as it came; nothing where its headers could not be taken.
    fn decided(&mut self, packet: &P, parsed: Option<&Parsed>, decision: &Decision);

    /// All packets of a burst were decided.
    #[inline(always)]
    fn burst(&mut self) {}

    /// A switch of tables has come to this point, between two bursts: where tests hold a worker.
    #[inline(always)]
    fn switching(&mut self, _: SwitchPoint) {}
}

/// The points of a switch of tables, in their order, and that of new next hops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchPoint {
    /// The command was read; the table is not yet taken.
    Commanded,
    /// The engine knows the new table's settings; flows have to be confirmed.
    Adopted,
    /// The new table is in force.
    Swapped,
    /// The old one is on its way back.
    GivenBack,
    /// The control core was told.
    Acknowledged,
    /// Next hops were put in, and the control core was told. Of no switch.
    HopApplied,
}

impl SwitchPoint {
    /// Those of a switch, in their order.
    pub const ALL: [Self; 5] =
        [Self::Commanded, Self::Adopted, Self::Swapped, Self::GivenBack, Self::Acknowledged];
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl<P> Observer<P> for NoObserver {
    #[inline(always)]
    fn decided(&mut self, _: &P, _: Option<&Parsed>, _: &Decision) {}
}

/// What cannot be parsed leaves for this reason.
#[inline]
pub(crate) const fn unparsed(reason: Unparsed) -> Verdict {
    match reason {
        Unparsed::NotIp => Verdict::Punt(PuntReason::NotIp),
        Unparsed::Truncated => Verdict::Drop(DropReason::Truncated),
        Unparsed::Malformed => Verdict::Drop(DropReason::Malformed),
        Unparsed::BadChecksum => Verdict::Drop(DropReason::BadChecksum),
        Unparsed::HeaderChain => Verdict::Drop(DropReason::HeaderChain),
    }
}
