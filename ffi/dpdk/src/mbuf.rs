//! A packet in DPDK's own memory.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};

use dpdk_sys as sys;
use port::{NoHeadroom, Packet};
use sys::rte_mbuf;

use crate::pool::Mempool;

/// A field of `struct rte_mbuf`: its type, and where the shim asserts that it lies.
struct Field<T>(usize, PhantomData<T>);

impl<T> Field<T> {
    const fn at(offset: u32) -> Self {
        Self(offset as usize, PhantomData)
    }
}

const BUF_ADDR: Field<*mut u8> = Field::at(sys::SHIM_MBUF_BUF_ADDR);
const DATA_OFF: Field<u16> = Field::at(sys::SHIM_MBUF_DATA_OFF);
/// `refcnt` and, above it, `nb_segs`.
const COUNTS: Field<u32> = Field::at(sys::SHIM_MBUF_REFCNT);
const REFCNT: Field<u16> = Field::at(sys::SHIM_MBUF_REFCNT);
const NB_SEGS: Field<u16> = Field::at(sys::SHIM_MBUF_NB_SEGS);
const OL_FLAGS: Field<u64> = Field::at(sys::SHIM_MBUF_OL_FLAGS);
const PKT_LEN: Field<u32> = Field::at(sys::SHIM_MBUF_PKT_LEN);
const DATA_LEN: Field<u16> = Field::at(sys::SHIM_MBUF_DATA_LEN);
const BUF_LEN: Field<u16> = Field::at(sys::SHIM_MBUF_BUF_LEN);
const POOL: Field<*mut sys::rte_mempool> = Field::at(sys::SHIM_MBUF_POOL);
const NEXT: Field<Option<Segment>> = Field::at(sys::SHIM_MBUF_NEXT);

/// One segment, one reference.
const COUNTS_ALONE: u32 = 0x0001_0001;
/// The bytes are somebody else's.
const FLAGS_FOREIGN: u64 = sys::SHIM_MBUF_F_EXTERNAL | sys::SHIM_MBUF_F_INDIRECT;

/// Where the cookie lies in an mbuf: found by registration at start, before there is any mbuf. Until
/// then it names bytes that are inside of every mbuf all the same.
static COOKIE: AtomicUsize = AtomicUsize::new(sys::SHIM_MBUF_NEXT as usize);

/// Claims the cookie's place in all mbufs. Called once, by `Eal::start`.
pub(crate) fn register_cookie() -> bool {
    // JUSTIFICATION: DPDK shares its free mbuf bytes out by this call.
    // SAFETY: the EAL has started; the description is static in the shim.
    let offset = unsafe { sys::shim_cookie_register() };
    usize::try_from(offset).map(|offset| COOKIE.store(offset, Ordering::Relaxed)).is_ok()
}

/// A segment that belongs to a live `Mbuf`; only this file makes and copies them.
#[repr(transparent)]
#[derive(Clone, Copy)]
struct Segment(NonNull<rte_mbuf>);

impl Segment {
    #[inline]
    fn get<T: Copy>(self, field: &Field<T>) -> T {
        // JUSTIFICATION: struct rte_mbuf differs between releases in names, not in these places.
        // SAFETY: the segment is live and owned; fields are the constants above, whose offset and size
        // the shim asserts, and every bit pattern found there is one of the field's type.
        unsafe { self.0.as_ptr().cast::<u8>().add(field.0).cast::<T>().read() }
    }

    #[inline]
    fn set<T: Copy>(self, field: &Field<T>, value: T) {
        // JUSTIFICATION: as for get.
        // SAFETY: as for get, and the Mbuf that the segment belongs to is borrowed mutably by the caller.
        unsafe { self.0.as_ptr().cast::<u8>().add(field.0).cast::<T>().write(value) }
    }

    #[inline]
    fn data(self) -> (*mut u8, usize) {
        let start = self.get(&BUF_ADDR).wrapping_add(usize::from(self.get(&DATA_OFF)));
        (start, usize::from(self.get(&DATA_LEN)))
    }

    /// How many bytes still fit behind the data.
    fn tailroom(self) -> u16 {
        let used = self.get(&DATA_OFF).saturating_add(self.get(&DATA_LEN));
        self.get(&BUF_LEN).saturating_sub(used)
    }

    /// Copies as much as fits behind the data, and gives the rest.
    fn append(self, bytes: &[u8]) -> &[u8] {
        let fits = self.tailroom().min(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        let (front, rest) = bytes.split_at_checked(usize::from(fits)).unwrap_or((bytes, &[]));
        let (start, length) = self.data();
        // JUSTIFICATION: the bytes go into C's memory, behind what is there.
        // SAFETY: data_off + data_len + fits <= buf_len by `tailroom`, so the target is inside of the
        // segment's buffer, which we own; `bytes` is a borrow of other memory.
        unsafe { start.wrapping_add(length).copy_from_nonoverlapping(front.as_ptr(), front.len()) };
        self.set(&DATA_LEN, self.get(&DATA_LEN).saturating_add(fits));
        rest
    }
}

/// A packet: one mbuf, or a chain.
///
/// Owned as a `Box` is: not `Clone`, moved from burst to burst, its chain freed when it is dropped.
/// The pool it came from is never freed, so it cannot outlive its memory. It is alone on its bytes:
/// every segment has one reference and its bytes within its own buffer. That holds for a fresh mbuf,
/// drivers hand out such ones or are checked (`FRESH`; one that is not so is copied, [`Mbuf::admit`]),
/// and no method here shares; so `&mut Mbuf` is exclusive over the bytes as well. `Send`, because
/// pools take back mbufs on any thread.
#[repr(transparent)]
pub struct Mbuf(Segment);

// JUSTIFICATION: packets go from the replay's feeder to a worker and back.
// SAFETY: an Mbuf is alone on its memory, and freeing is safe on every thread (see Mempool).
unsafe impl Send for Mbuf {}

impl std::fmt::Debug for Mbuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mbuf").field("total_len", &self.total_len()).field("cookie", &self.cookie()).finish()
    }
}

impl Mbuf {
    /// Takes ownership.
    ///
    /// # Safety
    /// `raw` is a live mbuf of a pool, owned by the caller, who gives it up; every segment of it has one
    /// reference and its bytes within its own buffer.
    pub(crate) const unsafe fn from_raw(raw: NonNull<rte_mbuf>) -> Self {
        Self(Segment(raw))
    }

    /// Whether a packet from a port is alone on its bytes and of one segment: nearly all are.
    ///
    /// # Safety
    /// `raw` is a live mbuf owned by the caller.
    #[inline]
    pub(crate) unsafe fn is_plain(raw: NonNull<rte_mbuf>) -> bool {
        let segment = Segment(raw);
        segment.get(&COUNTS) == COUNTS_ALONE && segment.get(&OL_FLAGS) & FLAGS_FOREIGN == 0
    }

    /// Makes a packet of what a port handed out: a chain of which all segments are ours alone passes,
    /// anything shared is copied (a driver may hand out clones), and none is given when there is no
    /// mbuf to copy to. The drivers we link never share; this keeps a future one from being unsound.
    ///
    /// # Safety
    /// `raw` is a live mbuf owned by the caller, who gives it up.
    #[cold]
    pub(crate) unsafe fn admit(raw: NonNull<rte_mbuf>) -> Option<Self> {
        let head = Segment(raw);
        let mut segment = Some(head);
        let mut alone = true;
        while let Some(this) = segment {
            alone &= this.get(&REFCNT) == 1 && this.get(&OL_FLAGS) & FLAGS_FOREIGN == 0;
            segment = this.get(&NEXT);
        }
        if alone {
            return Some(Self(head));
        }
        // JUSTIFICATION: DPDK's own deep copy, and the release of our reference to the original.
        // SAFETY: the original is live and stays so until the copy is made; the copy is ours alone.
        unsafe {
            let copy = sys::rte_pktmbuf_copy(raw.as_ptr(), head.get(&POOL), 0, u32::MAX);
            sys::shim_mbuf_free(raw.as_ptr());
            NonNull::new(copy).map(|copy| Self(Segment(copy)))
        }
    }

    /// A packet with these bytes, in as many segments as it takes; none when the pool is exhausted.
    #[must_use]
    pub fn from_bytes(pool: &Mempool, bytes: &[u8]) -> Option<Self> {
        let mut packet = pool.alloc()?;
        let mut tail = packet.0;
        let mut rest = tail.append(bytes);
        while !rest.is_empty() {
            let segment = pool.alloc()?;
            let left = segment.0.append(rest);
            if left.len() == rest.len() {
                return None;
            }
            rest = left;
            tail = packet.chain(tail, segment)?;
        }
        packet.0.set(&PKT_LEN, u32::try_from(bytes.len()).ok()?);
        Some(packet)
    }

    /// Links a fresh segment behind `tail`, the packet's last, and gives the new last one; none when
    /// the segments cannot be counted any more.
    fn chain(&mut self, tail: Segment, segment: Self) -> Option<Segment> {
        let count = self.0.get(&NB_SEGS).checked_add(1)?;
        self.0.set(&NB_SEGS, count);
        let last = segment.0;
        std::mem::forget(segment);
        tail.set(&NEXT, Some(last));
        Some(last)
    }

    /// Gives the packet a number to be known by. Kept until the packet is freed.
    pub fn set_cookie(&mut self, cookie: u64) {
        self.0.set(&Field(COOKIE.load(Ordering::Relaxed), PhantomData), cookie);
    }

    /// A second owner of the same mbuf, as a driver that hands out shared ones would make it.
    #[cfg(test)]
    pub(crate) fn shared_raw(&mut self) -> NonNull<rte_mbuf> {
        for segment in std::iter::successors(Some(self.0), |segment| segment.get(&NEXT)) {
            segment.set(&REFCNT, segment.get(&REFCNT) + 1);
        }
        self.0.0
    }

    /// How many segments the packet has; at least one.
    #[must_use]
    pub fn segment_count(&self) -> u16 {
        self.0.get(&NB_SEGS)
    }

    /// The bytes, segment by segment.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::successors(Some(self.0), |segment| segment.get(&NEXT)).map(|segment| {
            let (start, length) = segment.data();
            // JUSTIFICATION: the bytes are C's.
            // SAFETY: data_off + data_len lies within the segment's buffer (by DPDK's contract and our
            // own methods), the packet is alone on it, and it is borrowed for as long as the slice.
            unsafe { slice::from_raw_parts(start, length) }
        })
    }

    /// Appends the bytes of all segments.
    pub fn copy_out(&self, out: &mut Vec<u8>) {
        for bytes in self.segments() {
            out.extend_from_slice(bytes);
        }
    }

    /// Shortens a chain to `len` bytes, freeing the segments that hold none of them. The first stays.
    #[cold]
    fn truncate_chain(&mut self, len: u32) {
        let mut left = len;
        let mut last = self.0;
        let mut count: u16 = 1;
        loop {
            let here = u32::from(last.get(&DATA_LEN));
            if here >= left {
                break;
            }
            let Some(next) = last.get(&NEXT) else { break };
            left -= here;
            last = next;
            count = count.saturating_add(1);
        }
        let kept = u16::try_from(left).unwrap_or(u16::MAX).min(last.get(&DATA_LEN));
        last.set(&DATA_LEN, kept);
        if let Some(rest) = last.get(&NEXT) {
            last.set(&NEXT, None);
            // The rest is a chain of its own now, and is dropped as one.
            drop(Self(rest));
        }
        self.0.set(&NB_SEGS, count);
        self.0.set(&PKT_LEN, len.saturating_sub(left.saturating_sub(u32::from(kept))));
    }
}

impl Packet for Mbuf {
    #[inline]
    fn data(&self) -> &[u8] {
        let (start, length) = self.0.data();
        // JUSTIFICATION: the bytes are C's.
        // SAFETY: as in `segments`.
        unsafe { slice::from_raw_parts(start, length) }
    }

    #[inline]
    fn data_mut(&mut self) -> &mut [u8] {
        let (start, length) = self.0.data();
        // JUSTIFICATION: the bytes are C's.
        // SAFETY: as in `segments`; the packet is alone on its bytes, and borrowed mutably.
        unsafe { slice::from_raw_parts_mut(start, length) }
    }

    #[inline]
    fn total_len(&self) -> usize {
        self.0.get(&PKT_LEN) as usize
    }

    #[inline]
    fn prepend(&mut self, len: usize) -> Result<&mut [u8], NoHeadroom> {
        let more = u16::try_from(len).map_err(|_| NoHeadroom)?;
        let offset = self.0.get(&DATA_OFF).checked_sub(more).ok_or(NoHeadroom)?;
        let here = self.0.get(&DATA_LEN).checked_add(more).ok_or(NoHeadroom)?;
        let total = self.0.get(&PKT_LEN).checked_add(u32::from(more)).ok_or(NoHeadroom)?;
        self.0.set(&DATA_OFF, offset);
        self.0.set(&DATA_LEN, here);
        self.0.set(&PKT_LEN, total);
        Ok(self.data_mut())
    }

    #[inline]
    fn trim_front(&mut self, len: usize) {
        let here = self.0.get(&DATA_LEN);
        let less = u16::try_from(len).unwrap_or(u16::MAX).min(here);
        self.0.set(&DATA_OFF, self.0.get(&DATA_OFF).saturating_add(less));
        self.0.set(&DATA_LEN, here - less);
        self.0.set(&PKT_LEN, self.0.get(&PKT_LEN).saturating_sub(u32::from(less)));
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        let Ok(len) = u32::try_from(len) else { return };
        if len >= self.0.get(&PKT_LEN) {
            return;
        }
        if self.0.get(&NB_SEGS) == 1 {
            self.0.set(&DATA_LEN, u16::try_from(len).unwrap_or(u16::MAX).min(self.0.get(&DATA_LEN)));
            self.0.set(&PKT_LEN, len);
        } else {
            self.truncate_chain(len);
        }
    }

    fn each_segment(&self, take: impl FnMut(&[u8])) {
        self.segments().for_each(take);
    }

    #[inline]
    fn cookie(&self) -> u64 {
        self.0.get(&Field(COOKIE.load(Ordering::Relaxed), PhantomData))
    }
}

impl Drop for Mbuf {
    #[inline]
    fn drop(&mut self) {
        // JUSTIFICATION: rte_pktmbuf_free is a static inline.
        // SAFETY: we own the chain and give it up here, once.
        unsafe { sys::shim_mbuf_free(self.0.0.as_ptr()) };
    }
}
