//! Every interleaving of those who ring and of the one who listens: nothing lies in a ring while the bell is still.
//!
//! A ring is a count here, written and read with the orders that a ring's tail is.

use super::Bell;
use crate::primitive::{Arc, AtomicU64, Ordering};

/// Rings, and how much was ever put into each.
struct House {
    bell: Bell,
    tails: Vec<AtomicU64>,
}

impl House {
    fn put(&self, ring: usize) {
        let tail = self.tails[ring].load(Ordering::Relaxed);
        self.tails[ring].store(tail + 1, Ordering::Release);
        self.bell.ring();
    }

    /// As a worker takes parcels: from the first ring that has any, and all of that.
    fn take(&self, taken: &mut [u64]) {
        if !self.bell.is_rung() {
            return;
        }
        self.bell.still();
        for (tail, taken) in self.tails.iter().zip(taken) {
            let tail = tail.load(Ordering::Acquire);
            if tail > *taken {
                *taken = tail;
                self.bell.ring();
                return;
            }
        }
    }
}

/// Each of `rings` senders puts so many in, while the receiver looks that often, and then until the bell is still.
fn nothing_is_left_behind(rings: usize, each: u64, looks: usize) {
    loom::model(move || {
        let tails = (0..rings).map(|_| AtomicU64::new(0)).collect();
        let house = Arc::new(House { bell: Bell::new(), tails });
        let sender = |ring| {
            let house = Arc::clone(&house);
            loom::thread::spawn(move || (0..each).for_each(|_| house.put(ring)))
        };
        let senders: Vec<_> = (0..rings).map(sender).collect();
        let mut taken = vec![0; rings];
        (0..looks).for_each(|_| house.take(&mut taken));
        senders.into_iter().for_each(|sender| sender.join().expect("no assertion failed"));
        while house.bell.is_rung() {
            house.take(&mut taken);
        }
        assert_eq!(taken, vec![each; rings]);
    });
}

#[test]
fn of_one_sender() {
    nothing_is_left_behind(1, 2, 2);
}

#[test]
fn of_two_senders_who_ring_one_after_the_other() {
    nothing_is_left_behind(2, 1, 2);
}
