//! A capture out of a running box, as its control socket serves it: taps go to all workers, and what they catch
//! goes to the asker as pcapng. One at a time.

use std::io::{ErrorKind, Read, Write};
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::capture::ng_encode::{self, NgPacket};
use ctl::{Code, Outcome};
use filter::{Insn, Program};
use worker::{TapReader, TapReceiver, TapSender, Wanted, tap, taps};

use crate::eyes::capture::begin;
use crate::eyes::words::{Names, comment};
use crate::limits::{TAP_BYTES, TAP_SLOTS};
use crate::run::standing::Board;

/// Between two looks at the taps; a worker that catches every packet of 10 Mpps fills its slots in 100 µs, so what
/// comes in bursts is lost in part, and counted.
const PAUSE: Duration = Duration::from_millis(2);

/// The ways to all workers' taps.
pub(crate) struct Taps {
    senders: Mutex<Vec<TapSender>>,
    /// Names of the ports, in the order in which workers number them.
    ports: Vec<String>,
}

/// A capture that has begun.
pub(crate) struct Running {
    readers: Vec<TapReader>,
    ports: Vec<String>,
    left: u64,
    /// Encoded packets of one look, and where each is, by its time.
    bytes: Vec<u8>,
    places: Vec<(u64, Range<usize>)>,
}

impl Taps {
    /// Those of so many workers, and the workers' ends.
    pub(crate) fn new(workers: usize, ports: Vec<String>) -> (Self, Vec<TapReceiver>) {
        let (senders, receivers) = (0..workers).map(|_| taps()).unzip();
        (Self { senders: Mutex::new(senders), ports }, receivers)
    }

    /// Begins a capture.
    pub(crate) fn begin(&self, wish: &ctl::Capture) -> Result<Running, Outcome> {
        let wanted = wanted(wish)?;
        // Nobody panics while holding the lock; were somebody to, what stands there is whole.
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if senders.iter_mut().any(TapSender::is_out) {
            let text = "a capture is going on already: end it, or wait for its end";
            return Err(Outcome::refused(Code::Busy, text));
        }
        let mut readers = Vec::with_capacity(senders.len());
        for sender in senders.iter_mut() {
            let (tap, reader) = tap(wanted.clone(), TAP_SLOTS, TAP_BYTES);
            if sender.hand_over(tap).is_err() {
                return Err(Outcome::refused(Code::Internal, "a worker takes no tap; this is a fault"));
            }
            readers.push(reader);
        }
        let left = wish.count.unwrap_or(u64::MAX);
        Ok(Running { readers, ports: self.ports.clone(), left, bytes: Vec::new(), places: Vec::new() })
    }
}

fn wanted(wish: &ctl::Capture) -> Result<Wanted, Outcome> {
    let insns: Vec<Insn> = wish.filter.iter().map(|&bits| Insn::from_bits(bits)).collect();
    let filter = match insns.as_slice() {
        [] => None,
        insns => Some(
            Program::check(insns)
                .map_err(|refused| Outcome::refused(Code::BadRequest, refused.to_string()))?,
        ),
    };
    Ok(Wanted { filter, drops_only: wish.drops, count_max: wish.count })
}

impl Running {
    /// Writes what is caught until the count is reached, the asker has had enough or reads no more, or the workers
    /// are gone, with the names that are in force.
    pub(crate) fn stream(mut self, mut out: UnixStream, board: &Board) {
        let mut frame = Vec::new();
        let snaplen = u32::try_from(TAP_BYTES).unwrap_or(u32::MAX);
        begin(&mut frame, self.ports.iter().map(String::as_str), snaplen);
        let mut is_over = false;
        while !is_over {
            let current = Arc::clone(&board.standing().names);
            let names = Names::new(&current.site);
            while !is_over && Arc::ptr_eq(&current, &board.standing().names) {
                is_over = self.readers.iter().all(TapReader::is_over) || has_enough(&mut out);
                self.look(&names, &mut frame);
                is_over |= self.left == 0;
                if is_over {
                    let counts = self.readers.iter().map(TapReader::counts);
                    let (wanted, lost) = counts.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
                    ng_encode::statistics(&mut frame, 0, now_nanos(), wanted, lost);
                }
                if out.write_all(&frame).is_err() {
                    return;
                }
                frame.clear();
            }
        }
    }

    /// Takes what was caught since, in the order of time.
    fn look(&mut self, names: &Names<'_>, frame: &mut Vec<u8>) {
        let (now, cycles, rate) = (now_nanos(), mem::cycles(), mem::cycles_per_second());
        let Self { readers, bytes, places, .. } = self;
        for (worker, reader) in readers.iter_mut().enumerate() {
            reader.drain(|shot| {
                let start = bytes.len();
                let packet = NgPacket {
                    interface: u32::from(shot.ingress),
                    time_nanos: now.saturating_sub(nanos(cycles.saturating_sub(shot.cycles), rate)),
                    original_len: shot.len,
                    data: &shot.bytes,
                    comment: &comment(names, shot, worker),
                };
                ng_encode::packet(bytes, &packet);
                places.push((shot.cycles, start..bytes.len()));
            });
        }
        places.sort_by_key(|(cycles, _)| *cycles);
        for (_, place) in places.drain(..) {
            if self.left > 0 {
                self.left -= 1;
                frame.extend_from_slice(bytes.get(place).unwrap_or_default());
            }
        }
        bytes.clear();
    }
}

/// Whether the asker has shut its side; this is the pause between two looks, too.
fn has_enough(out: &mut UnixStream) -> bool {
    if out.set_read_timeout(Some(PAUSE)).is_err() {
        return true;
    }
    match out.read(&mut [0; 64]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => {
            !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a capture's age in nanoseconds is far below 2^53")]
fn nanos(cycles: u64, rate: f64) -> u64 {
    (cycles as f64 / rate * 1e9) as u64
}

/// Nanoseconds since 1970.
fn now_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
