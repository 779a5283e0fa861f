//! What asking rules costs, by their number: one, ten, and so on to ten thousand, of three kinds. Thread CPU time of a
//! look-up of a random packet, for most of which no rule is; what a table with so many rules takes to build and to
//! check, and how large it is.
//!
//! `cargo run --release -p benches --bin rules [--rounds N] [--json FILE]`
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::path::PathBuf;

use benches::rules::{Dice, Kind, set, tuple};
use benches::scenario::spread;
use benches::tables;
use clap::Parser;
use mem::thread_cpu_nanos;
use serde_json::{Value, json};
use service::RuleKey;
use wire::{Family, FiveTuple};

/// Numbers of rules.
const COUNTS: [u32; 5] = [1, 10, 100, 1_000, 10_000];
/// Packets of a round, in random order.
const PACKETS: usize = 200_000;

/// Prints the curve.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rounds over all sets, which alternate.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Where the figures go as well.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// One set, built.
struct Row {
    kind: Kind,
    count: u32,
    table: service::Table<service::Aligned>,
    bytes: usize,
    build_ms: f64,
    rounds: Vec<f64>,
    found: usize,
}

impl Row {
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn new(kind: Kind, count: u32) -> Result<Self, String> {
        let blueprint = tables::with_rules(set(kind, count)).ok_or("no blueprint")?;
        let begin = thread_cpu_nanos();
        let built = tables::build(&blueprint)
            .ok_or_else(|| format!("{count} rules of {} make no table", kind.name()))?;
        let table = built.table().map_err(|error| error.to_string())?;
        let build_ms = (thread_cpu_nanos() - begin) as f64 / 1e6;
        let bytes = built.rules.as_ref().map_or(0, Vec::len);
        Ok(Self { kind, count, table, bytes, build_ms, rounds: Vec::new(), found: 0 })
    }

    /// Asks about every packet once.
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn round(&mut self, packets: &[FiveTuple]) {
        let view = self.table.view();
        let begin = thread_cpu_nanos();
        self.found = packets
            .iter()
            .filter(|tuple| {
                let rules = view.rules();
                rules.and_then(|rules| rules.find(black_box(&RuleKey::of(tuple, true)))).is_some()
            })
            .count();
        self.rounds.push((thread_cpu_nanos() - begin) as f64 / packets.len() as f64);
    }
}

fn main() -> Result<(), String> {
    let arguments = Arguments::parse();
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        for count in COUNTS {
            rows.push(Row::new(kind, count)?);
        }
    }
    let mut dice = Dice(9);
    let packets: Vec<FiveTuple> = (0..PACKETS).map(|_| tuple(&mut dice)).collect();
    for _ in 0..arguments.rounds.max(1) {
        for row in &mut rows {
            row.round(&packets);
        }
    }
    println!(
        "{:<10} {:>7} {:>6} {:>8} {:>8} {:>8} {:>9} {:>10} {:>10}",
        "rules", "number", "lists", "min ns", "median", "max", "matched", "KiB", "build ms"
    );
    let told: Result<Vec<Value>, String> = rows.iter().map(tell).collect();
    if let Some(path) = arguments.json {
        let text = json!({ "rules": told? }).to_string();
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
fn tell(row: &Row) -> Result<Value, String> {
    let [min, median, max] = spread(&row.rounds);
    let lists = row.table.view().rules().ok_or("no rules")?.lists_len(Family::V4);
    let share = 100.0 * row.found as f64 / PACKETS as f64;
    let kib = row.bytes as f64 / 1024.0;
    println!(
        "{:<10} {:>7} {lists:>6} {min:>8.1} {median:>8.1} {max:>8.1} {share:>7.1} % {kib:>10.1} {:>10.1}",
        row.kind.name(),
        row.count,
        row.build_ms
    );
    Ok(json!({ "kind": row.kind.name(), "rules": row.count, "lists": lists, "ns": [min, median, max],
        "matched_percent": share, "bytes": row.bytes, "build_ms": row.build_ms }))
}
