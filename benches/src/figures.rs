//! Figures that are not of packets: how fast a Maglev table is built, what a changed weight moves, how even
//! the shares are, and how much memory a flow takes.
//!
//! `cargo run --release -p benches --bin figures [--rounds N] [--json FILE]`
#![forbid(unsafe_code)]

use std::path::PathBuf;

use benches::maglev::{self, REALS, Rendezvous};
use benches::scenario::spread;
use clap::Parser;
use flow::{COLD_BYTES_PER_ENTRY, FlowTable, HOT_BYTES_PER_ENTRY, State, Value};
use serde_json::{Value as Json, json};
use service::{Policy, RealNumber, ServiceNumber};
use wire::{Family, FiveTuple, protocol};

/// The small and the large table of a thousand reals; both prime.
const SLOTS: [u32; 2] = [65_537, 655_373];
/// Every so-manieth real is the one whose weight changes.
const CHANGED_STEP: usize = 50;
/// Reals of the pool that one goes from.
const HUNDRED: u32 = 100;
/// Flows that the table to be weighed has room for.
const ENTRIES: usize = 1 << 20;
const MICROS_PER_MILLI: f64 = 1000.0;

/// Prints the figures.
#[derive(Debug, Parser)]
struct Arguments {
    /// Builds of each table that are timed.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Where the figures go as well.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> Result<(), String> {
    let arguments = Arguments::parse();
    let mut tables = Vec::new();
    println!("Maglev, {REALS} reals of equal weight; CPU time of the whole build, digests included:");
    for slots in SLOTS {
        tables.push(build_times(slots, arguments.rounds.max(1))?);
    }
    let disruption = disruption(SLOTS[0])?;
    let gone = one_of_a_hundred(SLOTS[0])?;
    let rendezvous = by_rendezvous(SLOTS[0])?;
    let flow = memory_of_a_flow()?;
    if let Some(path) = arguments.json {
        let text = json!({ "maglev_build": tables, "maglev_disruption": disruption, "maglev_one_goes": gone,
            "rendezvous": rendezvous, "flow_memory": flow });
        std::fs::write(&path, text.to_string()).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
fn build_times(slots: u32, rounds: usize) -> Result<Json, String> {
    let blueprint = maglev::blueprint(slots, None).ok_or("no blueprint")?;
    let holders = maglev::holders(&blueprint).ok_or("a slot has no real")?;
    let shares = maglev::evenness(&holders);
    if shares.min_over_mean < 0.5 {
        return Err(format!("a real has hardly any of {slots} slots: {shares:?}"));
    }
    let mut millis = Vec::new();
    for _ in 0..rounds {
        let begin = mem::thread_cpu_nanos();
        let built = maglev::build(&blueprint).ok_or("the table did not build")?;
        let nanos = mem::thread_cpu_nanos() - begin;
        let bytes: usize = built.pools.iter().map(Vec::len).sum();
        if bytes < 2 * slots as usize {
            return Err(format!("{slots} slots in {bytes} bytes"));
        }
        millis.push(nanos as f64 / MICROS_PER_MILLI / MICROS_PER_MILLI);
    }
    let [min, median, max] = spread(&millis);
    println!("  {slots:>7} slots: {median:.2} ms ({min:.2} to {max:.2}, {rounds} builds)");
    Ok(json!({ "slots": slots, "ms": [min, median, max], "max_over_mean": shares.max_over_mean,
        "min_over_mean": shares.min_over_mean }))
}

/// One real's weight falls by a tenth; once for some reals, one after the other.
fn disruption(slots: u32) -> Result<Json, String> {
    let holders =
        |changed| maglev::blueprint(slots, changed).and_then(|blueprint| maglev::holders(&blueprint));
    let before = holders(None).ok_or("a slot has no real")?;
    let ideal = Rendezvous::new(slots);
    let ideal_before = ideal.holders(None);
    let (mut shares, mut ideal_shares) = (Vec::new(), Vec::new());
    for changed in (0..REALS).step_by(CHANGED_STEP).map(Some) {
        let after = holders(changed).ok_or("a slot has no real")?;
        if after == before {
            return Err("a changed weight moved nothing".to_owned());
        }
        shares.push(100.0 * maglev::moved(&before, &after));
        ideal_shares.push(100.0 * maglev::moved(&ideal_before, &ideal.holders(changed)));
    }
    let (ours, best) = (spread(&shares), spread(&ideal_shares));
    let (even, even_ideal) = (maglev::evenness(&before), maglev::evenness(&ideal_before));
    let [[min, median, max], [ideal_min, ideal_median, ideal_max]] = [ours, best];
    println!(
        "One real's weight -10 %, {} reals in turn, {slots} slots: {median:.3} % of slots move ({min:.3} to {max:.3});\n  \
         weighted rendezvous hashing, the ideal: {ideal_median:.4} % ({ideal_min:.4} to {ideal_max:.4})",
        shares.len()
    );
    println!(
        "Largest share over the mean: {:.3}, smallest {:.3}; rendezvous: {:.3} and {:.3}",
        even.max_over_mean, even.min_over_mean, even_ideal.max_over_mean, even_ideal.min_over_mean
    );
    Ok(json!({ "slots": slots, "moved_percent": ours, "rendezvous_moved_percent": best,
        "max_over_mean": even.max_over_mean, "rendezvous_max_over_mean": even_ideal.max_over_mean }))
}

/// The other policy: its build, and what a weight that falls by a tenth moves.
#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
fn by_rendezvous(slots: u32) -> Result<Json, String> {
    let blueprint = |changed| {
        let mut blueprint = maglev::blueprint(slots, changed)?;
        blueprint.pools.iter_mut().for_each(|pool| pool.policy = Policy::Rendezvous);
        Some(blueprint)
    };
    let begin = mem::thread_cpu_nanos();
    let before = blueprint(None).and_then(|it| maglev::holders(&it)).ok_or("a slot has no real")?;
    let millis = (mem::thread_cpu_nanos() - begin) as f64 / MICROS_PER_MILLI / MICROS_PER_MILLI;
    let after = blueprint(Some(0)).and_then(|it| maglev::holders(&it)).ok_or("a slot has no real")?;
    let further = before.iter().zip(&after).filter(|(was, is)| **was != 0 && was != is).count();
    if further != 0 || after == before {
        return Err(format!("{further} slots moved that need not, or none did"));
    }
    let (moved, even) = (100.0 * maglev::moved(&before, &after), maglev::evenness(&before));
    println!(
        "By rendezvous hashing, {slots} slots: built in {millis:.0} ms; one weight -10 % moves {moved:.4} % of slots, no \
         other's; largest share over the mean {:.3}, smallest {:.3}",
        even.max_over_mean, even.min_over_mean
    );
    Ok(json!({ "slots": slots, "ms": millis, "moved_percent": moved, "max_over_mean": even.max_over_mean }))
}

/// Each real of a hundred goes, one after the other: its own slots move, and so many further ones.
fn one_of_a_hundred(slots: u32) -> Result<Json, String> {
    let holders =
        |gone| maglev::pool_of(HUNDRED, slots, gone).and_then(|blueprint| maglev::holders(&blueprint));
    let before = holders(None).ok_or("a slot has no real")?;
    let (mut own, mut further) = (Vec::new(), Vec::new());
    for gone in 0..HUNDRED {
        let after = holders(Some(gone)).ok_or("a slot has no real")?;
        if !before.contains(&gone) || after.contains(&gone) {
            return Err(format!("real {gone} had no slot, or still has one"));
        }
        let [left, moved] = maglev::own_and_further(&before, &after, gone);
        own.push(100.0 * left);
        further.push(100.0 * moved);
    }
    let [[own_min, own_median, own_max], [min, median, max]] = [spread(&own), spread(&further)];
    println!(
        "One real of {HUNDRED} goes, each in turn, {slots} slots: its own {own_median:.2} % move ({own_min:.2} to \
         {own_max:.2}), and a further {median:.2} % ({min:.2} to {max:.2})"
    );
    Ok(json!({ "slots": slots, "own_percent": spread(&own), "further_percent": spread(&further) }))
}

/// A table filled to nine tenths, all of it established flows that stay.
#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
fn memory_of_a_flow() -> Result<Json, String> {
    let mut table: FlowTable = FlowTable::new(ENTRIES, [9; 16]).map_err(|error| error.to_string())?;
    let wanted = table.capacity() * 9 / 10;
    let real = RealNumber::new(1).map_err(|_| "a number")?;
    let service = ServiceNumber::new(1).map_err(|_| "a number")?;
    let mut refused = 0_u64;
    for index in (0_u32..).take(wanted) {
        let mut source = [0; 16];
        source.iter_mut().zip(index.to_be_bytes()).for_each(|(to, from)| *to = from);
        let tuple = FiveTuple {
            source,
            source_port: 1024,
            destination_port: 80,
            protocol: protocol::TCP,
            family: Family::V4,
            ..FiveTuple::default()
        };
        let value = Value::new(real, service, table.epoch(), State::Established, 0);
        let place = table.place(&tuple);
        refused += u64::from(table.insert(place, &tuple, value).is_err());
    }
    let (flows, room) = (table.len(), table.capacity());
    if flows + usize::try_from(refused).unwrap_or(0) != wanted || flows * 1000 < wanted * 999 {
        return Err(format!("{flows} of {wanted} flows stand in a table of {room}; {refused} refused"));
    }
    let per_flow = |bytes: usize| bytes as f64 * room as f64 / flows as f64;
    let (hot, all) = (per_flow(HOT_BYTES_PER_ENTRY), per_flow(HOT_BYTES_PER_ENTRY + COLD_BYTES_PER_ENTRY));
    let (in_first, seen) = table.reader().in_first_bucket();
    if seen != flows {
        return Err(format!("{seen} of {flows} flows seen"));
    }
    let share = 100.0 * in_first as f64 / flows as f64;
    println!(
        "A flow, {flows} of {room} entries in use ({refused} refused): {hot:.1} bytes hot, {all:.1} in all; \
         {share:.2} % are in their first bucket"
    );
    Ok(json!({ "flows": flows, "room": room, "refused": refused, "hot_bytes": hot, "all_bytes": all,
        "in_first_bucket_percent": share }))
}
