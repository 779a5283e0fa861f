//! Big tables of zeroes, on 2 MiB pages where the kernel gives them.
//!
//! A random access to a table of a gigabyte on 4 KiB pages misses the TLB nearly each time; on 2 MiB pages it
//! hardly ever does. Transparent huge pages need no mount, no reservation and no privilege. All pages are
//! populated when the table is made, so that no packet waits for a page fault.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use std::io;

use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use zerocopy::FromZeros;

/// The size of a huge page, and the alignment of every [`Pages`].
pub const HUGE_PAGE_BYTES: usize = 2 << 20;

/// The size of the smallest page that Linux has.
const SMALL_PAGE_BYTES: usize = 4096;

/// What was asked of the kernel, and granted, for a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// The kernel was told to use 2 MiB pages and the table fills at least one. How many it really had free
    /// stands in /proc/self/smaps under AnonHugePages.
    Huge,
    /// 4 KiB pages.
    Small,
}

/// A slice of `len` zeroed values in memory of its own.
#[derive(Debug)]
pub struct Pages<T> {
    start: NonNull<T>,
    len: usize,
    mapped_bytes: usize,
    kind: PageKind,
    owns: PhantomData<T>,
}

impl<T: FromZeros> Pages<T> {
    /// `len` zeroes, on huge pages if the kernel can.
    ///
    /// # Errors
    /// The kernel's, when there is not that much memory.
    pub fn new(len: usize) -> io::Result<Self> {
        Self::on(PageKind::Huge, len)
    }

    /// `len` zeroes on 4 KiB pages, for measuring what huge pages are worth.
    ///
    /// # Errors
    /// The kernel's, when there is not that much memory.
    pub fn with_small_pages(len: usize) -> io::Result<Self> {
        Self::on(PageKind::Small, len)
    }

    fn on(wanted: PageKind, len: usize) -> io::Result<Self> {
        const { assert!(!core::mem::needs_drop::<T>(), "the values are never dropped") };
        const { assert!(align_of::<T>() <= HUGE_PAGE_BYTES, "the memory is aligned to 2 MiB") };
        let bytes = size_of::<T>().checked_mul(len).ok_or(io::ErrorKind::OutOfMemory)?;
        let page = if bytes >= HUGE_PAGE_BYTES { HUGE_PAGE_BYTES } else { SMALL_PAGE_BYTES };
        let mapped_bytes = bytes
            .max(1)
            .checked_next_multiple_of(page)
            .filter(|&mapped| mapped <= isize::MAX.unsigned_abs() - HUGE_PAGE_BYTES)
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let start = map_aligned(mapped_bytes)?;
        // From here the mapping has an owner, so an error below unmaps it.
        let mut pages =
            Self { start: start.cast(), len, mapped_bytes, kind: PageKind::Small, owns: PhantomData };
        let advice = match wanted {
            PageKind::Huge => Advice::LinuxHugepage,
            PageKind::Small => Advice::LinuxNoHugepage,
        };
        // A kernel without transparent huge pages refuses either; then the pages are small anyway.
        if pages.advise(advice).is_ok() && bytes >= HUGE_PAGE_BYTES {
            pages.kind = wanted;
        }
        pages.populate()?;
        Ok(pages)
    }

    /// Which pages the table asked for and the kernel agreed to.
    #[must_use]
    pub fn kind(&self) -> PageKind {
        self.kind
    }

    /// How much memory the table takes, in bytes: its values rounded up to whole pages.
    #[must_use]
    pub fn mapped_bytes(&self) -> usize {
        self.mapped_bytes
    }

    fn populate(&mut self) -> io::Result<()> {
        match self.advise(Advice::LinuxPopulateWrite) {
            Ok(()) => Ok(()),
            // Before Linux 5.14 the kernel does not know the advice.
            Err(Errno::INVAL) => {
                self.touch_every_page();
                Ok(())
            }
            Err(errno) => Err(errno.into()),
        }
    }

    fn advise(&self, advice: Advice) -> Result<(), Errno> {
        // JUSTIFICATION: some advice (DONTNEED, FREE) destroys what is in memory, so rustix's call is unsafe.
        // SAFETY: the range is exactly our own mapping, and the three kinds of advice given in this file
        // (HUGEPAGE, NOHUGEPAGE, POPULATE_WRITE) leave its contents as they are.
        unsafe { madvise(self.start.as_ptr().cast(), self.mapped_bytes, advice) }
    }

    fn touch_every_page(&mut self) {
        let start: *mut u8 = self.start.as_ptr().cast();
        for offset in (0..self.mapped_bytes).step_by(SMALL_PAGE_BYTES) {
            // JUSTIFICATION: an ordinary write of zero to zeroed memory may be optimised away.
            // SAFETY: `offset` is below the mapping's length; nobody else has a reference to it while it is
            // borrowed mutably, and it still holds nothing but zeroes.
            unsafe { start.add(offset).write_volatile(0) };
        }
    }
}

/// An anonymous private mapping of `bytes` (whole small pages) that starts on a 2 MiB boundary: a wider one
/// is taken and both ends given back.
fn map_aligned(bytes: usize) -> io::Result<NonNull<u8>> {
    let wide = bytes.checked_add(HUGE_PAGE_BYTES).ok_or(io::ErrorKind::OutOfMemory)?;
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // JUSTIFICATION: memory from the allocator cannot be advised about without harming its neighbours.
    // SAFETY: no address is asked for, so the new mapping overlaps nothing.
    let raw = unsafe { mmap_anonymous(core::ptr::null_mut(), wide, protection, MapFlags::PRIVATE)? };
    let raw: *mut u8 = raw.cast();
    let head = raw.align_offset(HUGE_PAGE_BYTES).min(HUGE_PAGE_BYTES);
    let tail = HUGE_PAGE_BYTES.saturating_sub(head);
    // JUSTIFICATION: giving back the ends is pointer arithmetic and munmap, both unsafe.
    // SAFETY: mmap returns a multiple of the page size and so is `head`, at most 2 MiB; the mapping is
    // `head + bytes + tail` long, so the three parts lie in it one behind the other, and nothing refers to
    // the two that are unmapped.
    unsafe {
        let start = raw.add(head);
        if head > 0 {
            munmap(raw.cast(), head)?;
        }
        if tail > 0 {
            munmap(start.add(bytes).cast(), tail)?;
        }
        NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory.into())
    }
}

impl<T> Deref for Pages<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // JUSTIFICATION: the memory is the kernel's, not an allocation that Rust knows.
        // SAFETY: `start` is aligned (2 MiB) and begins a mapping of at least `len` values that lives as long
        // as `self`; it was all zeroes, which `T: FromZeros` makes valid, and has since changed only through
        // `deref_mut` or T's own interior mutability.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Pages<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // JUSTIFICATION: the memory is the kernel's, not an allocation that Rust knows.
        // SAFETY: as in `deref`; and the mapping is private and has one owner, borrowed mutably here.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T> Drop for Pages<T> {
    fn drop(&mut self) {
        // JUSTIFICATION: only munmap gives the memory back.
        // SAFETY: the range is exactly our own mapping, no reference to it outlives `self`, and T has no
        // destructor that would have to run first (checked when the table was made).
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.mapped_bytes) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}

// JUSTIFICATION: the raw pointer inside takes the automatic implementation away.
// SAFETY: a `Pages<T>` owns its values as a `Vec<T>` does; munmap may be called from any thread.
unsafe impl<T: Send> Send for Pages<T> {}

// JUSTIFICATION: the raw pointer inside takes the automatic implementation away.
// SAFETY: a shared `Pages<T>` gives out nothing but `&[T]`.
unsafe impl<T: Sync> Sync for Pages<T> {}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{HUGE_PAGE_BYTES, PageKind, Pages};

    /// The field of /proc/self/smaps, in bytes, for the mapping that holds `address`.
    fn smaps(address: usize, field: &str) -> Option<usize> {
        let text = std::fs::read_to_string("/proc/self/smaps").ok()?;
        let mut inside = false;
        for line in text.lines() {
            let first = line.split_whitespace().next()?;
            if let Some((start, end)) = first.split_once('-') {
                let start = usize::from_str_radix(start, 16).ok()?;
                let end = usize::from_str_radix(end, 16).ok()?;
                inside = (start..end).contains(&address);
            } else if inside && first.strip_suffix(':') == Some(field) {
                return line.split_whitespace().nth(1)?.parse::<usize>().ok().map(|kib| kib * 1024);
            }
        }
        None
    }

    fn address<T>(pages: &Pages<T>) -> usize {
        pages.as_ptr().addr()
    }

    #[test]
    fn a_table_is_zero_aligned_populated_and_writable() {
        for len in [0, 1, 511, 512, 513, 100_000, 1_000_003] {
            let mut pages = Pages::<u64>::new(len).expect("eight megabytes");
            assert_eq!(pages.len(), len);
            assert!(pages.iter().all(|&value| value == 0));
            assert_eq!(address(&pages) % HUGE_PAGE_BYTES, 0);
            assert!(pages.mapped_bytes() >= len * 8);
            pages.iter_mut().zip(1..).for_each(|(value, number)| *value = number);
            assert!(pages.iter().zip(1..).all(|(&value, number)| value == number));
        }
    }

    #[test]
    fn no_page_is_left_to_fault_in_the_loop() {
        for pages in [Pages::<u64>::new(1_000_000), Pages::with_small_pages(1_000_000)] {
            let pages = pages.expect("eight megabytes");
            if let Some(resident) = smaps(address(&pages), "Rss") {
                assert!(resident >= pages.mapped_bytes(), "{resident} of {}", pages.mapped_bytes());
            }
        }
    }

    #[test]
    fn huge_pages_are_used_where_the_kernel_has_them() {
        let pages = Pages::<u64>::new(4 << 20).expect("32 megabytes");
        let huge = smaps(address(&pages), "AnonHugePages");
        println!(
            "asked for {:?} pages, {} bytes; on huge pages: {huge:?}",
            pages.kind(),
            pages.mapped_bytes()
        );
        // With transparent huge pages off, or memory fragmented, none is an answer too.
        assert!(huge.is_none_or(|huge| huge <= pages.mapped_bytes()));
    }

    #[test]
    fn small_pages_are_small() {
        let pages = Pages::<u64>::with_small_pages(4 << 20).expect("32 megabytes");
        assert_eq!(pages.kind(), PageKind::Small);
        assert_eq!(smaps(address(&pages), "AnonHugePages").unwrap_or(0), 0);
        assert_eq!(Pages::<u8>::new(100).expect("one page").kind(), PageKind::Small);
    }

    #[test]
    fn more_memory_than_there_can_be_is_an_error() {
        for len in [usize::MAX, usize::MAX / 8, isize::MAX.unsigned_abs() / 8] {
            assert!(Pages::<u64>::new(len).is_err(), "{len}");
        }
    }

    #[test]
    fn atomics_in_pages_are_shared_between_threads() {
        let pages = Pages::<AtomicU64>::new(1000).expect("one page");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for word in pages.iter() {
                        word.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert!(pages.iter().all(|word| word.load(Ordering::Relaxed) == 4));
    }

    #[test]
    fn a_dropped_table_is_given_back() {
        let pages = Pages::<u64>::new(1 << 20).expect("8 megabytes");
        let bytes = pages.mapped_bytes();
        drop(pages);
        // Were each of these kept, a thousand would be 8 GiB.
        for _ in 0..1000 {
            assert_eq!(Pages::<u64>::with_small_pages(1 << 10).expect("8 KiB").len(), 1 << 10);
        }
        assert_eq!(bytes, 8 << 20);
    }
}
