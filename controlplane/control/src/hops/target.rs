//! The neighbours that ways lead to: who uses each, and when it is looked for again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::hops::HopOutput;
use crate::limits::{HOPS_A_TURN_MAX, LOOK_KNOWN_MS, LOOK_UNKNOWN_MS};

/// An address on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Neighbour {
    pub(super) index: u32,
    pub(super) address: IpAddr,
}

#[derive(Debug, Default)]
struct Target {
    users: BTreeSet<IpAddr>,
    due_ms: u64,
}

/// All of them. Each that is used is due at one time, and stands there once.
#[derive(Debug, Default)]
pub(super) struct Targets {
    by_neighbour: BTreeMap<Neighbour, Target>,
    by_user: BTreeMap<IpAddr, Neighbour>,
    due: BTreeSet<(u64, Neighbour)>,
}

impl Targets {
    /// Whose ways lead there.
    pub(super) fn users(&self, neighbour: Neighbour) -> Vec<IpAddr> {
        self.by_neighbour.get(&neighbour).map(|it| it.users.iter().copied().collect()).unwrap_or_default()
    }

    /// A way leads there from now on. Whom nobody used is looked for at once.
    pub(super) fn take_up(
        &mut self,
        user: IpAddr,
        neighbour: Neighbour,
        is_known: bool,
        now_ms: u64,
        outputs: &mut Vec<HopOutput>,
    ) {
        self.by_user.insert(user, neighbour);
        let target = self.by_neighbour.entry(neighbour).or_default();
        let is_new = target.users.is_empty();
        target.users.insert(user);
        if is_new {
            outputs.push(HopOutput::Resolve(neighbour.index, neighbour.address));
            self.set_due(neighbour, now_ms + pause(is_known));
        }
    }

    /// A way leads there no more, unless it leads to `still`.
    pub(super) fn let_go(&mut self, user: IpAddr, still: Option<Neighbour>, outputs: &mut Vec<HopOutput>) {
        let Some(neighbour) = self.by_user.get(&user).copied().filter(|used| Some(*used) != still) else {
            return;
        };
        self.by_user.remove(&user);
        let Some(target) = self.by_neighbour.get_mut(&neighbour) else { return };
        target.users.remove(&user);
        if target.users.is_empty() {
            self.due.remove(&(target.due_ms, neighbour));
            self.by_neighbour.remove(&neighbour);
            outputs.push(HopOutput::Release(neighbour.index, neighbour.address));
        }
    }

    /// A neighbour that answered is not there any more: if it is used, it is looked for at once.
    pub(super) fn missed(&mut self, neighbour: Neighbour, now_ms: u64, outputs: &mut Vec<HopOutput>) {
        if self.by_neighbour.contains_key(&neighbour) {
            outputs.push(HopOutput::Resolve(neighbour.index, neighbour.address));
            self.set_due(neighbour, now_ms + LOOK_UNKNOWN_MS);
        }
    }

    /// Looks for those that are due.
    pub(super) fn look_again(
        &mut self,
        now_ms: u64,
        is_known: impl Fn(Neighbour) -> bool,
        outputs: &mut Vec<HopOutput>,
    ) {
        for _ in 0..HOPS_A_TURN_MAX {
            let Some((_, neighbour)) = self.due.first().copied().filter(|(due, _)| *due <= now_ms) else {
                return;
            };
            outputs.push(HopOutput::Resolve(neighbour.index, neighbour.address));
            self.set_due(neighbour, now_ms + pause(is_known(neighbour)));
        }
    }

    fn set_due(&mut self, neighbour: Neighbour, due_ms: u64) {
        if let Some(target) = self.by_neighbour.get_mut(&neighbour) {
            self.due.remove(&(target.due_ms, neighbour));
            target.due_ms = due_ms;
            self.due.insert((due_ms, neighbour));
        }
    }
}

const fn pause(is_known: bool) -> u64 {
    if is_known { LOOK_KNOWN_MS } else { LOOK_UNKNOWN_MS }
}
