//! A count of allocations, so that a test can show that the packet path makes none.
//!
//! A binary that wants the numbers says `#[global_allocator] static ALLOCATOR: mem::CountingAllocator =
//! mem::CountingAllocator;`. Where nobody does, both counts stay zero, so a test that relies on them first
//! checks that an allocation of its own is seen.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

static PROCESS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    // Constant and without a destructor: its first use in a thread must not allocate.
    static THREAD: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, with a count of every call that may hand out memory (alloc, alloc_zeroed,
/// realloc). Frees are not counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountingAllocator;

/// How many allocations the process has made.
#[must_use]
pub fn allocations() -> u64 {
    PROCESS.load(Ordering::Relaxed)
}

/// How many allocations the calling thread has made: undisturbed by what other threads do meanwhile.
#[must_use]
pub fn thread_allocations() -> u64 {
    THREAD.try_with(Cell::get).unwrap_or(0)
}

#[inline]
fn count() {
    PROCESS.fetch_add(1, Ordering::Relaxed);
    // A thread that has torn down its locals may still allocate; then only the process counts it.
    let _ = THREAD.try_with(|count| count.set(count.get().wrapping_add(1)));
}

// JUSTIFICATION: counting allocations means standing in their way, and the trait is unsafe to implement.
// SAFETY: every call goes to `System` with the arguments it came with, and `System` keeps the contract;
// counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // JUSTIFICATION: `System` is behind the same unsafe trait.
        // SAFETY: the caller's promise about `layout` is passed on as it is.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // JUSTIFICATION: `System` is behind the same unsafe trait.
        // SAFETY: the caller's promise about `layout` is passed on as it is.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // JUSTIFICATION: `System` is behind the same unsafe trait.
        // SAFETY: `pointer` came from `System` through this allocator with `layout`, as the caller promises.
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // JUSTIFICATION: `System` is behind the same unsafe trait.
        // SAFETY: `pointer` came from `System` through this allocator with `layout`, as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::{CountingAllocator, allocations, thread_allocations};

    #[global_allocator]
    static ALLOCATOR: CountingAllocator = CountingAllocator;

    #[test]
    fn an_allocation_is_counted_and_arithmetic_is_not() {
        let before = thread_allocations();
        let boxed = black_box(Box::new(7_u64));
        assert_eq!(thread_allocations() - before, 1);
        let sum = black_box(*boxed).wrapping_add(1);
        assert_eq!((sum, thread_allocations() - before), (8, 1));
        drop(boxed);
        assert_eq!(thread_allocations() - before, 1);
    }

    #[test]
    fn growing_and_zeroing_count_too() {
        let before = thread_allocations();
        let mut bytes = black_box(vec![0_u8; 100]);
        bytes.reserve_exact(1000);
        black_box(&bytes);
        assert_eq!(thread_allocations() - before, 2);
    }

    #[test]
    fn another_threads_allocations_are_the_processs_but_not_ours() {
        let worker = std::thread::spawn(|| {
            let before = thread_allocations();
            for _ in 0..10 {
                drop(black_box(Box::new(1_u8)));
            }
            (thread_allocations() - before, allocations())
        });
        let ours = thread_allocations();
        let result = worker.join();
        assert_eq!(thread_allocations(), ours);
        let (theirs, process) = result.expect("the thread only counts");
        assert_eq!(theirs, 10);
        assert!(process >= 10);
    }
}
