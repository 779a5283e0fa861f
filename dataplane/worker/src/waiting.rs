//! Packets that are held until their real's next hop is known: a few, for a short time.
//!
//! They are encapsulated already; what they lack stands in the first twelve bytes of the frame. They are looked at in
//! every breath, so that they leave before any that came later, and are dropped when they have waited too long, when
//! their real is gone, or when the worker ends.

use counters::{DropReason, Event};
use engine::{Decision, Held, Observer, Stay, Verdict};
use port::{Burst, Packet, Port, Tick};
use service::{TableView, Template};
use wire::Kind;

use crate::Worker;
use crate::mesh::Parcel;
use crate::shelf::Shelved;

/// Packets of one worker that may be held.
pub(crate) const HELD_MAX: usize = 64;
/// How long, in ticks: one second.
pub(crate) const HELD_TICKS_MAX: u64 = Tick::PER_SECOND;

const _: () = assert!(HELD_MAX <= port::BURST_MAX, "those that leave together fit in a burst");

/// One of them.
#[derive(Debug)]
struct Waiter<P> {
    packet: P,
    held: Held,
    /// When it came.
    since: Tick,
    /// By which port it came, and then by which it leaves.
    port: u8,
}

/// All of a worker's, in the order they came.
#[derive(Debug)]
pub(crate) struct Waiting<P> {
    list: Vec<Waiter<P>>,
}

impl<P: Packet> Waiting<P> {
    pub(crate) fn new() -> Self {
        Self { list: Vec::with_capacity(HELD_MAX) }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Decides who waits no more, and makes those ready that can go.
    fn decide(&mut self, table: &TableView<'_>, now: Tick, is_over: bool) {
        for waiter in &mut self.list {
            let template = waiter.held.decision.real.and_then(|real| table.template(real));
            let verdict = match template {
                Some(template) if template.is_resolved() => waiter.ready(template),
                Some(_) if !is_over && now.0.saturating_sub(waiter.since.0) < HELD_TICKS_MAX => Verdict::Held,
                _ => Verdict::Drop(DropReason::NoNextHop),
            };
            waiter.held.decision.verdict = verdict;
        }
    }

    /// The first of those that wait no more.
    fn next(&mut self) -> Option<Waiter<P>> {
        let at = self.list.iter().position(|waiter| waiter.held.decision.verdict != Verdict::Held)?;
        Some(self.list.remove(at))
    }
}

impl<P: Packet> Waiter<P> {
    fn ready(&mut self, template: &Template) -> Verdict {
        if let Some(macs) = self.packet.data_mut().first_chunk_mut::<12>() {
            *macs = *template.macs();
        }
        self.port = template.port().unwrap_or(self.port);
        Verdict::Tx
    }
}

impl<P: Port, B: AsRef<[u8]>> Worker<P, B> {
    /// Keeps those of the packets that are gone which stay, or hands them over; what another worker does not take is
    /// dropped.
    #[cold]
    #[inline(never)]
    pub(crate) fn hold(&mut self, held: u64, observer: &mut impl Observer<P::Packet>) {
        self.gone.move_marked(held, &mut self.apart);
        let (since, port) = (self.now, self.ingress);
        let from = (port, self.table.generation().sequence);
        let (mut handed, mut refused) = (0, 0);
        for (packet, held) in self.apart.drain().zip(self.engine.held()) {
            let over = match held.stay {
                Stay::Hop => {
                    self.waiting.list.push(Waiter { packet, held: *held, since, port });
                    continue;
                }
                Stay::Shelf(place) => self.shelf.put(place, Shelved { packet, port, came: held.came }),
                Stay::Mate(mate) => {
                    let parcel = Parcel { packet, port, now: since, came: held.came };
                    let left = self.mates.as_mut().and_then(|mates| mates.hand(mate, parcel));
                    handed += u64::from(left.is_none());
                    left
                }
            };
            if let Some(packet) = over {
                let decision = Decision { verdict: Verdict::Drop(DropReason::HandFull), ..held.decision };
                observer.decided(&packet, Some(&held.parsed), &decision);
                self.tapping.show(&packet, &Held { decision, ..*held }, from);
                put(&mut self.gone, packet);
                refused += 1;
            }
        }
        let ledger = self.engine.ledger_mut();
        ledger.add(Event::HandOut, handed);
        ledger.add(DropReason::HandFull, refused);
    }

    /// Sends and drops those that wait no more; none waits on if it `is_over`.
    #[cold]
    #[inline(never)]
    pub(crate) fn release(&mut self, observer: &mut impl Observer<P::Packet>, is_over: bool) {
        self.waiting.decide(&self.table.view(), self.now, is_over);
        let mut way = None;
        while let Some(waiter) = self.waiting.next() {
            observer.decided(&waiter.packet, Some(&waiter.held.parsed), &waiter.held.decision);
            self.tapping.show(&waiter.packet, &waiter.held, (waiter.port, self.table.generation().sequence));
            self.engine.ledger_mut().add(Event::Released, 1);
            if waiter.held.decision.verdict == Verdict::Tx {
                if way.is_some_and(|way| way != waiter.port) {
                    self.send_released(way);
                }
                way = Some(waiter.port);
                self.account(&waiter.held);
                put(&mut self.burst, waiter.packet);
            } else {
                self.engine.ledger_mut().add(DropReason::NoNextHop, 1);
                put(&mut self.gone, waiter.packet);
            }
        }
        self.send_released(way);
        self.port.free_burst(&mut self.gone);
        observer.burst();
        self.engine.may_hold(HELD_MAX - self.waiting.list.len());
    }

    fn account(&mut self, held: &Held) {
        let ledger = self.engine.ledger_mut();
        if let (Some(service), Some(real)) = (held.decision.service, held.decision.real) {
            ledger.account(service.index(), real.index(), u64::from(held.parsed.ip_len));
        }
        if held.parsed.kind == Kind::IcmpError {
            ledger.add(Event::IcmpFollowed, 1);
        }
    }

    fn send_released(&mut self, way: Option<u8>) {
        if let Some(way) = way {
            self.send_by(way);
        }
    }
}

/// There is room: no more are held than fit.
pub(crate) fn put<P: Packet>(burst: &mut Burst<P>, packet: P) {
    let pushed = burst.push(packet);
    debug_assert!(pushed.is_ok());
}
