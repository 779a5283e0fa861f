//! A part of the shared words, with a share in the memory that it lies in.

use core::ops::Deref;
use core::ptr::NonNull;

use crate::primitive::{Arc, AtomicU64};

/// Memory made of atomic words at an address that does not change: a mapping, or under loom a vector.
#[cfg(not(loom))]
pub(crate) use crate::map::SharedWords as Store;

/// Loom's atomics are larger than a word and cannot lie in a mapping.
#[cfg(loom)]
pub(crate) struct Store(Vec<AtomicU64>);

#[cfg(loom)]
impl Store {
    pub(crate) fn zeroed(words: usize) -> Self {
        Self((0..words).map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn words(&self) -> &[AtomicU64] {
        &self.0
    }
}

/// A reference into a [`Store`] that keeps the store alive.
pub(crate) struct View<T: ?Sized + 'static> {
    at: NonNull<T>,
    _store: Arc<Store>,
}

impl<T: ?Sized> View<T> {
    /// The part of the store's words that `pick` returns.
    pub(crate) fn new(store: &Arc<Store>, pick: impl FnOnce(&[AtomicU64]) -> Option<&T>) -> Option<Self> {
        let at = NonNull::from(pick(store.words())?);
        Some(Self { at, _store: Arc::clone(store) })
    }
}

impl<T: ?Sized> Deref for View<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // JUSTIFICATION: a reference beside its own owner cannot be said in safe Rust, and finding the part
        // anew, with its bounds checks, at every access is what a ring cannot afford.
        // SAFETY: `at` was made from a shared reference with the lifetime of a borrow of the store (or a
        // longer one); the store neither moves nor changes its words' place while it lives, and it lives as
        // long as `self` holds its share.
        unsafe { self.at.as_ref() }
    }
}

// JUSTIFICATION: the raw pointer inside takes the automatic implementation away.
// SAFETY: a view is a shared reference and a share in a store that is itself Send and Sync; both may cross
// threads when T may be referred to from several.
unsafe impl<T: ?Sized + Sync> Send for View<T> {}

// JUSTIFICATION: the raw pointer inside takes the automatic implementation away.
// SAFETY: as for Send; a shared view gives out nothing but shared references.
unsafe impl<T: ?Sized + Sync> Sync for View<T> {}
