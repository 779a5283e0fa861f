//! The memory back end: one port in memory per worker, which copies frames straight out of the capture.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use control::Image;
use port::{BURST_MAX, MemPacket, MemPort, MemSink, MemSource, Packet, ROOM, Shared, Tick};
use worker::{MeshEnd, STAYING_MAX, Worker};

use crate::crew::{Seat, ways};
use crate::failure::Failure;
use crate::meter::Meter;
use crate::replay::kept::Kept;
use crate::replay::notes::Notes;
use crate::replay::pace::{Pace, Start};
use crate::replay::script::{Script, Turn};
use crate::replay::turnstile::{Progress, Turnstile};
use crate::replay::{End, Finished, Stage, serve};
use crate::valve::{Valve, Valved};

/// Buffers of a worker: for what it takes and sends, and for what stays with it.
const BUFFERS: usize = 2 * BURST_MAX + STAYING_MAX;

/// How many packets ahead a frame is fetched.
const PREFETCH_AHEAD: usize = 8;

/// One worker's packets, in order and at their pace.
struct Source<'s> {
    script: &'s Script,
    own: &'s [u32],
    at: usize,
    round: u64,
    pace: Pace<'s>,
    turnstile: Option<&'s Turnstile<'s>>,
    progress: &'s Progress,
    given: u64,
    /// Counts the workers that have had their last packet.
    done: &'s AtomicUsize,
    is_told: bool,
}

impl Source<'_> {
    #[cold]
    fn tell_end(&mut self) {
        if !self.is_told {
            self.is_told = true;
            self.done.fetch_add(1, Ordering::Release);
        }
    }
}

impl MemSource for Source<'_> {
    #[inline]
    fn begin(&mut self) {
        self.progress.tell(self.given);
    }

    #[inline]
    fn next_tick(&mut self) -> Option<Tick> {
        let Some(&packet) = self.own.get(self.at) else {
            self.tell_end();
            return None;
        };
        let turn = Turn { round: self.round, packet };
        let is_due =
            self.pace.is_due(self.script, turn) && self.turnstile.is_none_or(|stile| stile.is_due(turn));
        is_due.then(|| self.script.tick(turn))
    }

    #[inline]
    fn load_next(&mut self, into: &mut MemPacket) {
        if let Some(&ahead) = self.own.get(self.at + PREFETCH_AHEAD) {
            mem::prefetch(self.script.frame(ahead));
        }
        let Some(&packet) = self.own.get(self.at) else { return };
        into.load(self.script.frame(packet), Turn { round: self.round, packet }.cookie());
        self.at += 1;
        self.given += 1;
        if self.at == self.own.len() && self.round + 1 < self.script.loops {
            (self.at, self.round) = (0, self.round + 1);
        }
    }
}

/// Keeps what is transmitted, if it is to be kept.
struct Sink(Option<Kept>);

impl MemSink for Sink {
    #[inline]
    fn send(&mut self, packet: &MemPacket) -> bool {
        if let Some(kept) = &mut self.0 {
            kept.keep(packet.cookie(), std::iter::once(packet.data()));
        }
        true
    }
}

/// A worker that is ready to start, with what it notes and how it is measured.
type Ready<'v, 's> = (Worker<Valved<'v, MemPort<Source<'v>, Sink>>, Image>, Notes<'s>, Meter);

/// A worker's life in its thread.
fn life<'s>((worker, notes, meter): Ready<'_, 's>) -> (End<'s>, Option<Kept>) {
    let (port, end) = serve(worker, notes, meter);
    let (_, Sink(kept)) = port.into_inner().into_ends();
    (end, kept)
}

/// Sends the capture through.
pub(super) fn run<'s>(stage: &mut Stage<'s>, seats: Vec<Seat>) -> Result<Finished<'s>, Failure> {
    let script = stage.script;
    let workers = seats.len();
    let room = usize::try_from(script.longest()).unwrap_or(0).max(ROOM);
    let (valve, start, done) = (Valve::default(), Start::default(), AtomicUsize::new(0));
    let pace = Pace::new(stage.options.rate, &start);
    let progress = Progress::of(workers);
    let mates = ways(workers);
    let turnstile = Turnstile::new(script, &progress, mates.first().map(MeshEnd::watch));
    let shared = Shared::new(BUFFERS * workers);
    let mut mates = mates.into_iter();
    let mut ready = Vec::new();
    for ((worker, seat), progress) in seats.into_iter().enumerate().zip(&progress) {
        let source = Source {
            script,
            own: script.own(worker),
            at: 0,
            round: 0,
            pace,
            turnstile: turnstile.as_ref(),
            progress,
            given: 0,
            done: &done,
            is_told: false,
        };
        let sink = Sink(stage.options.out.is_some().then(|| Kept::new(script, worker)));
        let port = MemPort::new(BUFFERS, room, source, sink).sharing(shared.clone());
        let made = stage.worker(worker, Valved::new(port, &valve, script.last_tick()), seat, mates.next());
        ready.push((made, stage.notes(worker), Meter::new()?));
    }
    let (mut ends, mut kept) = (Vec::new(), Vec::new());
    thread::scope(|scope| {
        let threads: Vec<_> = ready.into_iter().map(|one| scope.spawn(move || life(one))).collect();
        let is_alive = |worker: usize| threads.get(worker).is_some_and(|thread| !thread.is_finished());
        let conducted = stage.crew.conduct(
            &valve,
            is_alive,
            |_| {},
            |crew| {
                Stage::look(&mut stage.watch, &mut stage.caught, crew);
                thread::sleep(Duration::from_millis(1));
                done.load(Ordering::Acquire) < workers && !stage.interrupt.has_come()
            },
        );
        for thread in threads {
            let (end, own) =
                thread.join().map_err(|_| Failure::new("a worker broke off; this is a fault"))?;
            ends.push(end);
            kept.extend(own);
        }
        conducted
    })?;
    Ok(Finished { ends, kept, mbufs_leaked: None, dpdk: None })
}
