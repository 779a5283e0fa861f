//! A capture of a replay: packets as they came, each with what was decided, in the order of the input.

use ::capture::ng_encode::{self, NgPacket};
use worker::{TapReader, TapReceiver, TapSender, Wanted, tap, taps};

use crate::cli::ReplayOptions;
use crate::eyes::capture::{begin, compile};
use crate::eyes::words::{Names, comment};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::limits::{KEPT_BYTES_MAX, REPLAY_SLOTS_MAX, REPLAY_TAP_BYTES_MAX};
use crate::output::Output;
use crate::replay::script::{Script, Turn};
use crate::site::Site;

/// What was caught so far.
pub(crate) struct Caught<'s> {
    out: Output,
    name: String,
    names: Names<'s>,
    wanted: Wanted,
    taps: Vec<(TapReader, TapSender)>,
    /// Encoded packets, as they were drained.
    bytes: Vec<u8>,
    /// By packet: its cookie and its place in `bytes`.
    places: Vec<(u64, std::ops::Range<usize>)>,
    script: &'s Script,
    /// Packets for which there was no memory here.
    left_out: u64,
}

impl<'s> Caught<'s> {
    /// Opens the file, if a capture is asked for.
    pub(crate) fn open(
        options: &ReplayOptions,
        site: &'s Site,
        script: &'s Script,
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = &options.capture else { return Ok(None) };
        let filter = options.capture_filter.as_deref().map(compile).transpose()?;
        Ok(Some(Self {
            out: Output::create(path)?,
            name: path.display().to_string(),
            names: Names::new(site),
            wanted: Wanted {
                filter: filter.map(|(_, program)| program),
                drops_only: options.capture_drops,
                count_max: None,
            },
            taps: Vec::new(),
            bytes: Vec::new(),
            places: Vec::new(),
            script,
            left_out: 0,
        }))
    }

    /// The tap of the next worker, which is `number`.
    pub(crate) fn tap(&mut self, script: &Script, number: usize) -> Option<TapReceiver> {
        let snaplen = usize::try_from(script.longest()).unwrap_or(0).max(1);
        let loops = usize::try_from(script.loops).unwrap_or(usize::MAX);
        let packets = script.own(number).len().saturating_mul(loops).saturating_add(script.crossings());
        let slots = packets.clamp(1, REPLAY_SLOTS_MAX).min(REPLAY_TAP_BYTES_MAX / snaplen);
        let (tap, reader) = tap(self.wanted.clone(), slots, snaplen);
        let (mut sender, receiver) = taps();
        // It is the first, so there is room.
        sender.hand_over(tap).ok()?;
        self.taps.push((reader, sender));
        Some(receiver)
    }

    /// Takes what the workers have caught since.
    pub(crate) fn drain(&mut self) {
        let Self { taps, bytes, places, names, script, left_out, .. } = self;
        for (worker, (reader, _)) in taps.iter_mut().enumerate() {
            reader.drain(|shot| {
                if bytes.len() as u64 > KEPT_BYTES_MAX {
                    *left_out += 1;
                    return;
                }
                let start = bytes.len();
                let packet = NgPacket {
                    interface: 0,
                    time_nanos: script.time_nanos(Turn::of(shot.cookie)),
                    original_len: shot.len,
                    data: &shot.bytes,
                    comment: &comment(names, shot, worker),
                };
                ng_encode::packet(bytes, &packet);
                places.push((shot.cookie, start..bytes.len()));
            });
        }
    }

    /// Writes all of it, after the workers have ended.
    pub(crate) fn finish(mut self, script: &Script, interrupt: &Interrupt) -> Result<(), Failure> {
        self.drain();
        let counts = self.taps.iter().map(|(reader, _)| reader.counts());
        let (wanted, lost) = counts.fold((0, 0), |(all, none), (wanted, lost)| (all + wanted, none + lost));
        let lost = lost + self.left_out;
        let mut frame = Vec::new();
        begin(&mut frame, std::iter::once(script.capture.name()), script.longest());
        self.out.put(&frame)?;
        self.places.sort_by_key(|(cookie, _)| *cookie);
        let mut last = 0;
        for (cookie, place) in self.places {
            last = script.time_nanos(Turn::of(cookie)).max(last);
            self.out.put(self.bytes.get(place).unwrap_or_default())?;
        }
        frame.clear();
        ng_encode::statistics(&mut frame, 0, last, wanted, lost);
        self.out.put(&frame)?;
        interrupt.check()?;
        self.out.finish()?;
        if lost > 0 {
            tracing::warn!(
                "{}: {lost} of {wanted} packets are not in it: give a --rate, or a filter",
                self.name
            );
        }
        Ok(())
    }
}
