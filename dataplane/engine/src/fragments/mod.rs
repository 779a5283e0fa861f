//! Fragments follow the first of their datagram, whichever comes first, and none is put together here.
//!
//! Only the first names a flow. The worker that a keyed hash of source, destination, protocol and identification names
//! knows where it went; whoever else meets a fragment of the datagram hands it over. What comes before the first waits,
//! for a second at most. Nobody keeps bytes to compare: that a fragment overlaps another is known by spans, and then
//! all that is still to come of the datagram is dropped (RFC 5722 §3), so that no real gets two stories to choose from.
//!
//! Everything is bounded: datagrams, spans, what waits in all and of one datagram, and for how long. A datagram that is
//! all sent is forgotten at once, because identifications come again (RFC 4963).
//!
//! Waiting for a next hop is another thing (the worker's `waiting`): those packets are ready but for twelve bytes and
//! leave in the order they came; these are as they came, belong to a datagram each, and leave all together. What is
//! common is how a burst says that a packet stays ([`Held`](crate::Held)), its counters and its verdict.

mod meet;
mod pieces;
mod release;
mod table;

use std::collections::VecDeque;

use counters::DropReason;
use port::BURST_MAX;
use wire::fragment::{self, Piece};
use wire::{Family, FiveTuple, Kind, Parsed};

use crate::encap::Identifications;
use crate::fragments::pieces::Misfit;
use crate::fragments::table::{Datagram, Datagrams, Fate, Key, Places};
use crate::resolve::Target;

pub(crate) use meet::{bare, follow, is_carried, is_there, meet, portless, whole};

/// Datagrams that a worker knows of. A fuzzer makes a table for each input: a small one is made sooner, and fuller.
pub(crate) const DATAGRAMS_MAX: usize = if cfg!(fuzzing) { 128 } else { 4096 };
/// Fragments that wait at one worker.
pub(crate) const SHELF_MAX: usize = if cfg!(fuzzing) { 24 } else { 512 };
/// Fragments of one datagram that wait.
pub(crate) const WAITING_MAX: usize = 8;
/// How long one waits for its first, in ticks: a second.
pub(crate) const WAIT_TICKS_MAX: u64 = port::Tick::PER_SECOND;
/// How long a datagram is known after its last fragment that was taken, or that refused it.
pub(crate) const IDLE_TICKS: u64 = 2 * WAIT_TICKS_MAX;
/// How long after that a first one is that of another datagram.
pub(crate) const ANEW_TICKS: u64 = WAIT_TICKS_MAX / 2;

/// Places on the shelf: what has left them in a burst stands there until the burst is over.
pub const SHELF_PLACES: usize = SHELF_MAX + BURST_MAX;

/// The place of no datagram.
const NOBODY: u16 = u16::MAX;
const _: () = assert!(DATAGRAMS_MAX < NOBODY as usize);
const _: () = assert!(SHELF_PLACES <= DATAGRAMS_MAX, "a place's number is no larger than a datagram's");

/// Fragments that wait no more, all of one datagram.
#[derive(Debug)]
pub struct Release {
    places: Places,
    pub(crate) fate: Result<Target, DropReason>,
    /// Put aside for them when it was decided: what a burst holds besides changes nothing.
    pub(crate) identifications: Identifications,
}

impl Release {
    /// Their places on the shelf, in the order they came.
    #[must_use]
    pub fn places(&self) -> &[u16] {
        self.places.as_slice()
    }
}

/// What is to become of a fragment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Course {
    /// It is the first: its flow is asked for.
    Ask,
    /// It follows the first.
    Send(Target),
    /// It waits for the first.
    Wait,
    /// It is dropped, alone.
    Drop(DropReason),
    /// It is dropped, and all that waits or is to come of its datagram.
    Refuse(DropReason),
}

/// A course, and the datagram as it is then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    pub(crate) course: Course,
    at: usize,
    datagram: Option<Datagram>,
}

impl Judged {
    /// How many wait for it.
    pub(crate) fn waiting(&self) -> usize {
        self.datagram.map_or(0, |datagram| datagram.places.as_slice().len())
    }
}

/// A fragment, as far as its datagram goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment {
    pub(crate) key: Key,
    kind: Kind,
    piece: Piece,
}

impl Fragment {
    /// What was read of `frame`, hashed by `hash`; `None` if it can be part of no datagram.
    pub(crate) fn of(hash: impl FnOnce(&FiveTuple) -> Key, frame: &[u8], parsed: &Parsed) -> Option<Self> {
        let piece = fragment::of(frame, parsed).filter(Piece::is_sound)?;
        let [i0, i1, i2, i3] = piece.identification.to_be_bytes();
        let name = FiveTuple {
            source_port: u16::from_be_bytes([i0, i1]),
            destination_port: u16::from_be_bytes([i2, i3]),
            // What a later fragment of IPv6 says is not the transport's protocol (RFC 8200 §4.5).
            protocol: match parsed.tuple.family {
                Family::V4 => parsed.tuple.protocol,
                Family::V6 => wire::ipv6::extension::FRAGMENT,
            },
            ..parsed.tuple
        };
        Some(Self { key: hash(&name), kind: parsed.kind, piece })
    }
}

/// A worker's fragments.
#[derive(Debug)]
pub(crate) struct Fragments {
    datagrams: Datagrams,
    /// By place: the datagram whose fragment waits there.
    holders: Box<[u16]>,
    free: Vec<u16>,
    waiting: usize,
    releases: VecDeque<Release>,
    /// This worker and how many there are, if fragments are handed over.
    mates: Option<(u16, u16)>,
    /// What comes was handed over, and so is this worker's.
    pub(crate) are_handed: bool,
}

impl Fragments {
    pub(crate) fn new() -> Self {
        let places = 0..u16::try_from(SHELF_PLACES).unwrap_or(NOBODY);
        Self {
            datagrams: Datagrams::new(),
            holders: vec![NOBODY; SHELF_PLACES].into_boxed_slice(),
            free: places.rev().collect(),
            waiting: 0,
            releases: VecDeque::with_capacity(SHELF_PLACES),
            mates: None,
            are_handed: false,
        }
    }

    /// The next table is there: what a rule of the one before it asked for is no more.
    pub(crate) fn forget_effects(&mut self) {
        self.datagrams.forget_effects();
    }

    /// From now on, fragments are handed over.
    pub(crate) const fn beside(&mut self, worker: u16, workers: u16) {
        self.mates = Some((worker, workers));
    }

    /// The worker that a fragment is to be handed to.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the product's upper half is below the number of workers"
    )]
    pub(crate) const fn mate(&self, (_, spread): Key) -> Option<u16> {
        match self.mates {
            Some((worker, workers)) if !self.are_handed => {
                let owner = (((spread >> 32) * workers as u64) >> 32) as u16;
                if owner == worker { None } else { Some(owner) }
            }
            _ => None,
        }
    }

    /// Rules on a fragment, and changes nothing.
    pub(crate) fn judge(&self, fragment: &Fragment, now: u64) -> Judged {
        let is_first = fragment.kind == Kind::FirstFragment;
        let Some((at, mut datagram)) = self.datagrams.open(fragment.key, is_first, now) else {
            return Judged { course: Course::Drop(DropReason::FragmentFull), at: 0, datagram: None };
        };
        let course = match datagram.fate {
            Fate::Refused(reason) => Course::Drop(reason),
            _ if fragment.kind == Kind::ShortFragment => Course::Refuse(DropReason::FragmentShort),
            fate => match (datagram.pieces.put(&fragment.piece), fate) {
                (Err(Misfit::Repeat), _) => Course::Drop(DropReason::FragmentOverlap),
                (Err(Misfit::Overlap), _) => Course::Refuse(DropReason::FragmentOverlap),
                (Err(Misfit::Scattered), _) => Course::Refuse(DropReason::FragmentScattered),
                (Err(Misfit::End), _) => Course::Drop(DropReason::Malformed),
                (Ok(()), Fate::Known(target)) => Course::Send(target),
                (Ok(()), _) if is_first => Course::Ask,
                (Ok(()), _) if datagram.places.are_all_taken() || self.waiting == SHELF_MAX => {
                    Course::Refuse(DropReason::FragmentFull)
                }
                (Ok(()), _) => Course::Wait,
            },
        };
        if !matches!(course, Course::Drop(_)) {
            datagram.met = now;
        }
        Judged { course, at, datagram: Some(datagram) }
    }

    /// It is so, and nobody waits.
    pub(crate) fn keep(&mut self, judged: &Judged) {
        if let Some(datagram) = judged.datagram {
            self.datagrams.put(judged.at, datagram);
        }
    }

    /// A fragment of it waits: gives its place on the shelf.
    pub(crate) fn wait(&mut self, judged: &Judged) -> Option<u16> {
        let mut datagram = judged.datagram?;
        let place = self.free.pop()?;
        *self.holders.get_mut(usize::from(place))? = u16::try_from(judged.at).unwrap_or(NOBODY);
        datagram.places.push(place);
        self.waiting += 1;
        self.datagrams.put(judged.at, datagram);
        Some(place)
    }

    /// Where its fragments go is decided: those that wait do no more.
    pub(crate) fn decide(
        &mut self,
        judged: &Judged,
        fate: Result<Target, DropReason>,
        identifications: Identifications,
    ) {
        let Some(mut datagram) = judged.datagram else { return };
        datagram.fate = match fate {
            Ok(target) => Fate::Known(target),
            Err(reason) => Fate::Refused(reason),
        };
        let places = std::mem::take(&mut datagram.places);
        for place in places.as_slice() {
            if let Some(holder) = self.holders.get_mut(usize::from(*place)) {
                *holder = NOBODY;
            }
        }
        self.waiting -= places.as_slice().len();
        if !places.as_slice().is_empty() {
            self.releases.push_back(Release { places, fate, identifications });
        }
        self.datagrams.put(judged.at, datagram);
    }

    /// Time has gone on: whoever has waited for too long does no more.
    #[inline]
    pub(crate) fn advance(&mut self, now: u64) {
        if self.waiting > 0 {
            self.give_up(|datagram| now.saturating_sub(datagram.since) >= WAIT_TICKS_MAX);
        }
    }

    /// Nobody waits any more.
    pub(crate) fn end(&mut self) {
        self.give_up(|_| true);
    }

    #[cold]
    fn give_up(&mut self, is_over: impl Fn(&Datagram) -> bool) {
        for place in 0..SHELF_PLACES {
            let Some(at) = self.holders.get(place).copied().filter(|at| *at != NOBODY) else { continue };
            let at = usize::from(at);
            let Some(datagram) = self.datagrams.get(at).copied().filter(&is_over) else { continue };
            let reason = DropReason::FragmentTimeout;
            let judged = Judged { course: Course::Refuse(reason), at, datagram: Some(datagram) };
            self.decide(&judged, Err(reason), Identifications::new(0, 1));
        }
    }

    /// Whether there are some that wait no more.
    #[inline]
    pub(crate) fn has_releases(&self) -> bool {
        !self.releases.is_empty()
    }

    /// The next that wait no more. Their places are free: whoever asks takes them off the shelf at once.
    pub(crate) fn next_release(&mut self) -> Option<Release> {
        let release = self.releases.pop_front()?;
        self.free.extend(release.places());
        Some(release)
    }
}
