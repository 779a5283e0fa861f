//! What was transmitted, held until the end and then written in the order of the input.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;

use capture::Writer;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::limits::KEPT_BYTES_MAX;
use crate::replay::script::{Script, Turn};

/// The most that a tunnel adds to a frame: IPv6 (RFC 8200 §3), UDP, VXLAN and an Ethernet header (RFC 7348 §5).
const OUTER_BYTES_MAX: u64 = 40 + 8 + 8 + 14;

/// Packets between two looks at the interrupt.
const STRIDE: u64 = 4096;

/// What one worker transmitted, in its order. All memory is taken and touched when it is made.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    bytes: Vec<u8>,
    packets: Vec<(u64, u32)>,
}

impl Kept {
    /// Room for all that worker `worker` can transmit.
    pub(crate) fn new(script: &Script, worker: usize) -> Self {
        let (packets, bytes) = room(script, worker);
        let size = |count: u64| usize::try_from(count).unwrap_or(0);
        let mut kept = Self { bytes: vec![1; size(bytes)], packets: vec![(1, 1); size(packets)] };
        kept.bytes.clear();
        kept.packets.clear();
        kept
    }

    /// Appends a packet, given in pieces.
    #[inline]
    pub(crate) fn keep<'p>(&mut self, cookie: u64, pieces: impl Iterator<Item = &'p [u8]>) {
        let start = self.bytes.len();
        for piece in pieces {
            self.bytes.extend_from_slice(piece);
        }
        // No frame has 4 GiB.
        self.packets.push((cookie, u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX)));
    }

    /// Cookie and place of each packet, in the order of the input: what waited was kept later than it came.
    fn in_order(&self) -> Vec<(u64, std::ops::Range<usize>)> {
        let mut start = 0;
        let places = self.packets.iter().map(|&(cookie, len)| {
            let place = start..start + len as usize;
            start = place.end;
            (cookie, place)
        });
        let mut list: Vec<_> = places.collect();
        if !list.is_sorted_by_key(|(cookie, _)| *cookie) {
            list.sort_by_key(|(cookie, _)| *cookie);
        }
        list
    }
}

/// The most packets and bytes that a worker can give: its own, and what others hand over.
fn room(script: &Script, worker: usize) -> (u64, u64) {
    let handed = script.crossing().iter().filter(|&&packet| script.worker(packet) != worker);
    let all = || script.own(worker).iter().chain(handed.clone());
    let bytes: u64 = all().map(|&packet| script.frame(packet).len() as u64 + OUTER_BYTES_MAX).sum();
    ((all().count() as u64).saturating_mul(script.loops), bytes.saturating_mul(script.loops))
}

/// Refuses an OUT that could not be held.
pub(crate) fn refuse_too_much(script: &Script, workers: u16) -> Result<(), Failure> {
    let needed = (0..usize::from(workers)).map(|worker| room(script, worker).1);
    let needed = needed.fold(0, u64::saturating_add);
    if needed > KEPT_BYTES_MAX {
        return Err(Failure::new(format!(
            "--out would have to hold up to {} MB and at most {} MB are held: give fewer --loops",
            needed >> 20,
            KEPT_BYTES_MAX >> 20
        )));
    }
    Ok(())
}

/// Opens OUT, so that it fails before the work and not after.
pub(crate) fn create(script: &Script, path: &Path) -> Result<Writer, Failure> {
    Ok(Writer::create(path, script.capture.resolution())?)
}

/// Writes all that was kept, in the order of the input and with its times.
pub(crate) fn write(
    script: &Script,
    mut out: Writer,
    kept: &[Kept],
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let mut lists: Vec<_> = kept.iter().map(|kept| kept.in_order().into_iter()).collect();
    let mut heads: BinaryHeap<Reverse<(u64, usize, usize, usize)>> = BinaryHeap::new();
    let head = |(cookie, place): (u64, std::ops::Range<usize>), worker| {
        Reverse((cookie, worker, place.start, place.end))
    };
    for (worker, list) in lists.iter_mut().enumerate() {
        heads.extend(list.next().map(|first| head(first, worker)));
    }
    while let Some(Reverse((cookie, worker, start, end))) = heads.pop() {
        let (Some(kept), Some(list)) = (kept.get(worker), lists.get_mut(worker)) else { break };
        out.write(script.time_nanos(Turn::of(cookie)), kept.bytes.get(start..end).unwrap_or_default())?;
        heads.extend(list.next().map(|next| head(next, worker)));
        if out.packets().is_multiple_of(STRIDE) {
            interrupt.check()?;
        }
    }
    Ok(out.finish()?)
}

#[cfg(test)]
mod tests {
    use capture::Capture;

    use super::{Kept, create, refuse_too_much, write};
    use crate::interrupt::Interrupt;
    use crate::replay::script::{Script, Turn, tests::capture};

    #[test]
    fn what_several_workers_kept_comes_in_the_order_of_the_input() {
        let script = Script::new(capture(&[(7, b"aa"), (9, b"bbb"), (11, b"c")]), (1, 2), |_| false);
        let mut kept = [Kept::default(), Kept::default()];
        for (turn, worker) in script.turns().zip([0, 1, 0, 1, 1, 0]) {
            let text = format!("{}.{}", turn.round, turn.packet);
            let (front, back) = text.as_bytes().split_at(1);
            kept[worker].keep(turn.cookie(), [front, back].into_iter());
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.pcap");
        write(&script, create(&script, &path).unwrap(), &kept, &Interrupt::default()).unwrap();
        let back = Capture::open(&path).unwrap();
        let told: Vec<(u64, String)> = back
            .packets()
            .map(|packet| (packet.time_nanos, String::from_utf8(packet.data.to_vec()).unwrap()))
            .collect();
        let expected: Vec<(u64, String)> = script
            .turns()
            .map(|turn @ Turn { round, packet }| (script.time_nanos(turn), format!("{round}.{packet}")))
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn what_could_not_be_held_is_refused_before_it_is_taken() {
        assert!(refuse_too_much(&Script::new(capture(&[(0, b"x")]), (1, 1000), |_| false), 1).is_ok());
        let told =
            refuse_too_much(&Script::new(capture(&[(0, b"x")]), (1, 1 << 30), |_| false), 1).unwrap_err();
        assert!(told.to_string().contains("fewer --loops"));
    }

    #[test]
    fn keeping_allocates_nothing() {
        let script = Script::new(capture(&[(0, b"xyz")]), (1, 3), |_| false);
        let mut kept = Kept::new(&script, 0);
        let before = mem::thread_allocations();
        for turn in script.turns() {
            kept.keep(turn.cookie(), std::iter::once(&[0_u8; 3 + 70][..]));
        }
        assert_eq!(mem::thread_allocations(), before);
    }
}
