//! What each worker was told of next hops, and what it has still to be told.
//!
//! A worker's ring may be full when hops change: then the newest of each real waits. A real waits once, so what
//! waits is bounded by the reals. Hops go in the order of their serials, so the one that a worker acknowledges
//! stands for all before it.

use std::collections::BTreeMap;

use control::Image;
use link::Report;
use service::{Generation, Hop, RealNumber};
use worker::Handover;

use crate::limits::HOPS_SENT_MAX;

/// One worker.
#[derive(Debug, Default)]
struct Post {
    waiting: BTreeMap<u64, Hop>,
    /// The serial under which a real's hop waits.
    of_real: BTreeMap<RealNumber, u64>,
    /// Sent, and not acknowledged.
    sent: usize,
    sent_at: u64,
    at: u64,
    /// The table that was handed over last, and what its templates hold.
    in_table: Option<(Generation, u64)>,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Roll {
    newest: BTreeMap<RealNumber, Hop>,
    serial: u64,
    posts: Vec<Post>,
}

impl Roll {
    pub(crate) fn new(workers: u16) -> Self {
        let posts = (0..workers).map(|_| Post::default()).collect();
        Self { newest: BTreeMap::new(), serial: 0, posts }
    }

    /// These stand in every table that is handed over from now on.
    pub(crate) fn start(&mut self, hops: impl IntoIterator<Item = Hop>, serial: u64) {
        self.newest = hops.into_iter().map(|hop| (hop.real, hop)).collect();
        self.serial = serial;
    }

    pub(crate) fn tell(&mut self, hop: Hop, serial: u64) {
        self.newest.insert(hop.real, hop);
        self.serial = serial;
        for post in &mut self.posts {
            if let Some(older) = post.of_real.insert(hop.real, serial) {
                post.waiting.remove(&older);
            }
            post.waiting.insert(serial, hop);
        }
    }

    /// Sends to a worker what waits, as long as `send` finds room.
    pub(crate) fn send(&mut self, worker: usize, mut send: impl FnMut(Hop, u64) -> bool) {
        let Some(post) = self.posts.get_mut(worker) else { return };
        while post.sent < HOPS_SENT_MAX {
            let Some((serial, hop)) = post.waiting.first_key_value().map(|(serial, hop)| (*serial, *hop))
            else {
                return;
            };
            if !send(hop, serial) {
                return;
            }
            post.waiting.remove(&serial);
            post.of_real.remove(&hop.real);
            (post.sent, post.sent_at) = (post.sent + 1, serial);
        }
    }

    /// Puts the newest hops into a table that a worker is to be handed.
    pub(crate) fn put_into(&self, handover: &mut Handover<Image>) {
        self.newest.values().for_each(|hop| handover.put(hop));
    }

    /// A worker was handed that table, and with it all that waits. What comes later comes behind it in the ring.
    pub(crate) fn handed(&mut self, worker: usize, generation: Generation) {
        if let Some(post) = self.posts.get_mut(worker) {
            post.waiting.clear();
            post.of_real.clear();
            post.in_table = Some((generation, self.serial));
            post.sent_at = post.sent_at.max(self.serial);
        }
    }

    /// A worker has said something.
    pub(crate) fn hear(&mut self, worker: usize, report: Report) {
        let Some(post) = self.posts.get_mut(worker) else { return };
        let at = match report {
            Report::HopsAt(serial) => serial,
            Report::Switched(generation) => match post.in_table {
                Some((of, serial)) if of == generation => serial,
                _ => return,
            },
            Report::NoSuchTable(_) | Report::Stopped => return,
        };
        post.at = post.at.max(at);
        if post.at >= post.sent_at {
            post.sent = 0;
        }
    }

    /// The serial up to which all workers are.
    pub(crate) fn at(&self) -> u64 {
        let all = |post: &Post| post.waiting.is_empty() && post.at >= post.sent_at;
        // A serial that only another table's real had is nobody's to acknowledge.
        if self.posts.iter().all(all) {
            return self.serial;
        }
        self.posts.iter().map(|post| post.at).min().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

    use link::Report;
    use service::{Generation, Hop, RealNumber};

    use super::Roll;
    use crate::limits::HOPS_SENT_MAX;

    fn hop(real: u32, last: u8) -> Hop {
        let real = RealNumber::new(real).unwrap();
        let destination = [2, 0, 0, 0, 0, last];
        Hop { real, port: Some(0), destination, source: [2; 6], is_resolved: true }
    }

    /// What a worker is sent, as serials, while the ring has room for `room`.
    fn sent(roll: &mut Roll, worker: usize, room: usize) -> Vec<(u64, u8)> {
        let mut list = Vec::new();
        roll.send(worker, |hop, serial| {
            let fits = list.len() < room;
            if fits {
                list.push((serial, hop.destination[5]));
            }
            fits
        });
        list
    }

    #[test]
    fn a_full_ring_leaves_the_newest_hop_of_each_real_waiting_in_order() {
        let mut roll = Roll::new(2);
        for (serial, (real, last)) in (1..).zip([(1, 1), (2, 2), (1, 3), (3, 4), (1, 5)]) {
            roll.tell(hop(real, last), serial);
        }
        assert_eq!(sent(&mut roll, 0, 1), [(2, 2)]);
        assert_eq!(sent(&mut roll, 0, 9), [(4, 4), (5, 5)]);
        assert_eq!(sent(&mut roll, 0, 9), []);
        roll.hear(0, Report::HopsAt(5));
        assert_eq!(roll.at(), 0, "the other worker was told nothing yet");
        assert_eq!(sent(&mut roll, 1, 2), [(2, 2), (4, 4)]);
        roll.hear(1, Report::HopsAt(4));
        assert_eq!(roll.at(), 4);
        assert_eq!(sent(&mut roll, 1, 9), [(5, 5)]);
        roll.hear(1, Report::HopsAt(5));
        assert_eq!(roll.at(), 5);
    }

    #[test]
    fn what_waits_goes_with_a_table_that_was_handed_over_and_no_other() {
        let mut roll = Roll::new(2);
        roll.tell(hop(1, 1), 1);
        let generation = Generation { boot: 1, sequence: 2 };
        // The other worker's ring was full: it took no table, and is told the hop when there is room.
        roll.handed(0, generation);
        assert_eq!((sent(&mut roll, 0, 9), sent(&mut roll, 1, 9)), (vec![], vec![(1, 1)]));
        roll.hear(0, Report::Switched(generation));
        assert_eq!(roll.at(), 0);
        roll.hear(1, Report::HopsAt(1));
        assert_eq!(roll.at(), 1);
    }

    #[test]
    fn no_more_than_half_a_ring_is_on_its_way() {
        let mut roll = Roll::new(1);
        let reals = u32::try_from(HOPS_SENT_MAX).unwrap() + 10;
        for real in 1..=reals {
            roll.tell(hop(real, 1), u64::from(real));
        }
        assert_eq!(sent(&mut roll, 0, usize::MAX).len(), HOPS_SENT_MAX);
        roll.hear(0, Report::HopsAt(7));
        assert_eq!(sent(&mut roll, 0, usize::MAX), []);
        roll.hear(0, Report::HopsAt(HOPS_SENT_MAX as u64));
        assert_eq!(sent(&mut roll, 0, usize::MAX).len(), 10);
    }
}
