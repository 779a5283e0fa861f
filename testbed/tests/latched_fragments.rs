//! Two workers switch tables one after the other while fragments wait on their shelves and lie in the rings between them,
//! and more come at each point of each switch, to the worker that switches and to the one that has or has not. Every
//! piece of a datagram goes to one real or nowhere, and nowhere only where that real is gone; every flow has one real
//! under one table, and keeps it under the next if it is there.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of a test fail as the test does, and the numbers are small"
)]

#[path = "common/pieces.rs"]
mod pieces;
#[path = "common/steps.rs"]
mod steps;
#[path = "common/swaps.rs"]
mod swaps;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use control::Image;
use counters::{DropReason, Event};
use engine::{SwitchPoint, Verdict};
use link::{Command, Report};
use pieces::{PIECES, dns, piece, whole};
use service::{Blueprint, RealState, Table};
use steps::{BUFFERS, Inbox, Note, Stand, stands};
use swaps::Core;
use worker::Breath;

/// Flows of each group, with a datagram each.
const EACH: u64 = 40;

/// When the pieces of a group's datagrams come. The number of a piece that comes whole is [`WHOLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Before either worker switches, and both have done their work.
    Before,
    /// So that it lies in the ring to the worker that switches first, if it is that one's.
    InRing,
    /// To the other worker, while the first one is held in its switch.
    First,
    /// To the worker that has switched, while the other is held in its own.
    Second,
    /// When both have.
    After,
}

const WHOLE: usize = PIECES;

/// Which pieces come when: the groups.
const GROUPS: [&[(When, &[usize])]; 8] = [
    // On a shelf while the tables change, the first one under either.
    &[(When::Before, &[1, 2]), (When::First, &[0])],
    &[(When::Before, &[2, 1]), (When::Second, &[0])],
    &[(When::Before, &[2]), (When::First, &[1]), (When::Second, &[0])],
    // In a ring.
    &[(When::InRing, &[0, 1]), (When::Second, &[2])],
    &[(When::InRing, &[2]), (When::First, &[0]), (When::After, &[1])],
    // Known before, and gone on with.
    &[(When::Before, &[0]), (When::First, &[1]), (When::Second, &[2])],
    // All at one point.
    &[(When::First, &[2, 0, 1])],
    // Of a flow that was there before, as whole datagrams, at whichever worker they meet.
    &[(When::Before, &[WHOLE]), (When::First, &[2, 0]), (When::Second, &[1, WHOLE]), (When::After, &[WHOLE])],
];

/// A packet's name: its flow, and which piece it is.
const fn cookie(flow: u64, at: usize) -> u64 {
    flow << 8 | at as u64
}

/// What comes then, group after group.
fn put(when: When, to: impl Fn(u64, usize) -> Inbox) {
    for (group, script) in GROUPS.iter().enumerate() {
        let Some((_, at)) = script.iter().find(|(then, _)| *then == when) else { continue };
        for flow in group as u64 * EACH..(group as u64 + 1) * EACH {
            for &at in *at {
                let frame = if at == WHOLE { whole(flow) } else { piece(flow, flow as u16, at) };
                to(flow, at).put(cookie(flow, at), &frame);
            }
        }
    }
}

/// All reals, or every other one: of the rest half are gone, and half are down.
fn table(is_next: bool) -> Blueprint {
    let mut blueprint = dns();
    if is_next {
        let is_gone = |real: usize| !is_there(real) && real % 4 == 3;
        blueprint.reals.retain(|real| !is_gone(real.number.index()));
        blueprint.pools[0].members.retain(|member| !is_gone(member.real.index()));
        let down = blueprint.reals.iter_mut().filter(|real| !is_there(real.number.index()));
        down.for_each(|real| real.state = RealState::Down);
    }
    blueprint
}

/// Whether that real takes packets under the next table still.
const fn is_there(real: usize) -> bool {
    real.is_multiple_of(2)
}

/// The worker that a flow's whole datagrams meet.
const fn worker_of(flow: u64) -> usize {
    (flow % 2) as usize
}

/// Both work until nothing comes to either.
fn work(stands: &mut [Stand]) {
    for _ in 0..4 {
        stands.iter_mut().for_each(Stand::work);
    }
}

/// One switches, and at that point packets come to the other, which works on meanwhile.
fn switch(
    core: &mut Core,
    (stands, table): (&mut [Stand], &Arc<Table<Image>>),
    (own, when): (usize, When),
    point: SwitchPoint,
) {
    core.command_switch(own, table);
    let (left, right) = stands.split_at_mut(1);
    let (held, other) = if own == 0 { (&mut left[0], &mut right[0]) } else { (&mut right[0], &mut left[0]) };
    let own_inbox = held.inbox.clone();
    let mut was_held = false;
    held.breathe(&mut |at| {
        if at == point {
            was_held = true;
            // Whole datagrams of a flow always meet the same worker.
            put(when, |flow, at| {
                let is_own = if at == WHOLE { worker_of(flow) == own } else { flow.is_multiple_of(3) };
                if is_own { own_inbox.clone() } else { other.inbox.clone() }
            });
            other.work();
        }
    });
    assert!(was_held);
    assert_eq!(core.said(own), [Report::Switched(table.generation())]);
    work(stands);
}

/// A life: the one that switches first is `first`, and both are held at that point.
fn life(first: usize, point: SwitchPoint) -> (Vec<Note>, Vec<Stand>, usize) {
    let (mut core, seats) = Core::new(&table(false), 2);
    let (mut stands, notes, shared) = stands(seats);
    let other = 1 - first;
    let inboxes: Vec<_> = stands.iter().map(|stand| stand.inbox.clone()).collect();
    let spread = |flow, _| inboxes[worker_of(flow)].clone();
    put(When::Before, spread);
    work(&mut stands);
    let shelved: u64 = stands.iter().map(|stand| stand.ledger().held()).sum();
    assert_eq!(shelved, EACH * 5, "the pieces of three groups wait on both shelves");
    // The first worker does not breathe, so what is its own lies in the ring.
    put(When::InRing, |_, _| inboxes[other].clone());
    stands[other].work();
    let handed = |stands: &[Stand], event| stands.iter().map(|stand| stand.ledger().get(event)).sum::<u64>();
    let in_ring = handed(&stands, Event::HandOut) - handed(&stands, Event::HandIn);
    assert!(in_ring > EACH / 2, "{in_ring} pieces lie in the ring");
    let next = core.make(&table(true));
    switch(&mut core, (&mut stands, &next), (first, When::First), point);
    switch(&mut core, (&mut stands, &next), (other, When::Second), point);
    put(When::After, spread);
    work(&mut stands);
    core.tell_all(Command::Stop);
    let mut have_stopped = [false; 2];
    while have_stopped != [true; 2] {
        for (stand, has_stopped) in stands.iter_mut().zip(&mut have_stopped) {
            *has_stopped = *has_stopped || stand.breathe(&mut |_| {}) == Breath::Stopped;
        }
    }
    (notes.take(), stands, shared.lying())
}

#[test]
fn fragments_on_shelves_and_in_rings_go_to_one_real_while_two_workers_switch_one_after_the_other() {
    for (first, point) in (0..2).flat_map(|first| SwitchPoint::ALL.map(|point| (first, point))) {
        let what = format!("worker {first} first, held at {point:?}");
        let (notes, mut stands, lying) = life(first, point);
        let last: Vec<&Note> = notes.iter().filter(|note| note.is_last()).collect();
        let named: HashSet<u64> = last.iter().map(|note| note.cookie).collect();
        let came: u64 = stands.iter().map(|stand| stand.ledger().get(Event::Rx)).sum();
        // Whole datagrams come three times under one name.
        assert_eq!(last.len() as u64, came, "{what}: each has one verdict in the end");
        assert_eq!(named.len() as u64, GROUPS.len() as u64 * EACH * 3 + EACH, "{what}");
        let mut real_of: HashMap<(u64, usize), usize> = HashMap::new();
        let mut of_datagram: HashMap<u64, usize> = HashMap::new();
        let mut dropped = 0;
        for note in &last {
            let (flow, at) = (note.cookie >> 8, (note.cookie & 0xff) as usize);
            if note.verdict == Verdict::Drop(DropReason::NoReal) {
                // Its first went to a real that is gone under the table of the worker that met it now.
                assert!(note.table == 1 && at != 0 && at != WHOLE, "{what}: {note:?}");
                assert!(of_datagram.get(&flow).is_none_or(|real| !is_there(*real)), "{what}: {note:?}");
                dropped += 1;
                continue;
            }
            assert_eq!(note.verdict, Verdict::Tx, "{what}: {note:?}");
            let real = note.real.unwrap();
            assert!(note.table == 0 || is_there(real), "{what}: {note:?}");
            assert_eq!(*real_of.entry((flow, note.table)).or_insert(real), real, "{what}: {note:?}");
            if at != WHOLE {
                assert_eq!(*of_datagram.entry(flow).or_insert(real), real, "{what}: {note:?}");
            }
        }
        for ((flow, table), real) in &real_of {
            let before = if *table == 1 { real_of.get(&(*flow, 0)) } else { None };
            assert!(before.is_none_or(|before| !is_there(*before) || before == real), "{what}: flow {flow}");
        }
        let sum = |event| stands.iter().map(|stand| stand.ledger().get(event)).sum::<u64>();
        assert_eq!(sum(Event::HandOut), sum(Event::HandIn), "{what}");
        assert_eq!(sum(Event::Held), sum(Event::Released), "{what}");
        assert_eq!(sum(Event::Tx) + dropped, came, "{what}");
        assert!(dropped > 0 && sum(Event::LookAround) > 0, "{what}: {dropped}");
        for stand in &stands {
            assert_eq!(stand.ledger().balance(), Ok(()), "{what}");
            assert_eq!(stand.ledger().get(Event::TableSwitch), 1, "{what}");
        }
        let home: usize = stands.iter_mut().map(|stand| stand.end().0).sum();
        assert_eq!(home + lying, 2 * BUFFERS, "{what}: buffers are left in hands");
    }
}
