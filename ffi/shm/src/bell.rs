//! A bell at the door of whoever several others hand things to: so that nobody looks into rings that nothing is in.
//!
//! Who puts something into a ring rings afterwards; who hears the bell stills it, then looks into all rings, and rings it
//! again if there was anything. What is put in after the look rings again, so nothing ever lies in a ring without a
//! bell.
//!
//! That is more than the order of one thread's own stores. Of several who ring one after the other, the last one's
//! word is all that is there to be read, and a plain store would cut the others' off: whoever stilled the bell had seen
//! what the last put in, and need not have seen the rest. So each reads and writes in one step, which carries on what
//! all before it released (a release sequence, C++20 §6.9.2.2).

use crate::primitive::{AtomicBool, Ordering};

/// One bell. Many ring it, one listens.
#[derive(Debug)]
pub struct Bell(AtomicBool);

impl Default for Bell {
    fn default() -> Self {
        Self::new()
    }
}

impl Bell {
    /// A bell that is still.
    #[must_use]
    pub fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Rings it: there is something in a ring, put there before.
    #[inline]
    pub fn ring(&self) {
        self.0.swap(true, Ordering::Release);
    }

    /// Whether it rings: one load, and no order with anything.
    #[inline]
    #[must_use]
    pub fn is_rung(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Stills it, before the rings are looked into: all is seen there that it was rung for.
    #[inline]
    pub fn still(&self) {
        self.0.swap(false, Ordering::AcqRel);
    }
}

#[cfg(loom)]
mod loom_tests;
