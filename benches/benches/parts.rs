//! Parts of the path by themselves: what one call costs when everything is in the cache. Small samples: they
//! are to show a change, the figures that count are those of `side-by-side.sh`.
//!
//! `cargo bench -p benches --bench parts [FILTER]`
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to stop")]
#![allow(missing_docs, reason = "the functions that criterion's macros make have no documentation")]

use std::hint::black_box;
use std::time::Duration;

use benches::{flows_capture, maglev, tables};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use mem::Prf;
use service::Class;
use shm::{RECORD_WORDS, Region};
use wire::{FiveTuple, Parsed};

/// Records that go through the ring in one sample.
const RING_BATCH: usize = 32;

fn small() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .without_plots()
}

fn maglev_build(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("maglev build, 1000 reals");
    for slots in [65_537, 655_373] {
        let blueprint = maglev::blueprint(slots, None).unwrap();
        assert_eq!(maglev::holders(&blueprint).unwrap().len(), slots as usize);
        group.bench_function(slots.to_string(), |bencher| {
            bencher.iter(|| maglev::build(black_box(&blueprint)).unwrap());
        });
    }
    group.finish();
}

/// What a packet to each of `vips` VIPs says.
fn tuples(vips: Option<u32>) -> Vec<FiveTuple> {
    let mut parsed = Parsed::EMPTY;
    let to_one = flows_capture::frame(0);
    wire::parse(&to_one, to_one.len(), &mut parsed).unwrap();
    let Some(vips) = vips else { return vec![parsed.tuple; 1024] };
    let tuple = |index| {
        let (address, _, first, _) = tables::many_vip(index);
        let mut tuple = FiveTuple { destination_port: first, ..parsed.tuple };
        tuple.destination[..4].copy_from_slice(&address.octets());
        tuple
    };
    // In no order that a prefetcher follows.
    (0..vips).map(|index| tuple(index * 7919 % vips)).collect()
}

fn classify(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("classify");
    for (name, vips) in [("1 VIP", None), ("10,000 VIPs, prefixes and ranges among them", Some(10_000))] {
        let (table, tuples) = (tables::table(vips).unwrap(), tuples(vips));
        let view = table.view();
        assert!(tuples.iter().all(|tuple| matches!(view.classify(tuple), Class::Service(_))));
        group.throughput(Throughput::Elements(tuples.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for tuple in &tuples {
                    black_box(view.classify(black_box(tuple)));
                }
            });
        });
    }
    group.finish();
}

fn parse(criterion: &mut Criterion) {
    let frame = flows_capture::frame(1);
    let mut parsed = Parsed::EMPTY;
    assert_eq!(wire::parse(&frame, frame.len(), &mut parsed), Ok(()));
    assert_eq!((parsed.tuple.destination_port, parsed.tuple.source[3]), (80, 1));
    criterion.bench_function("parse IPv4 TCP", |bencher| {
        bencher.iter(|| {
            let frame = black_box(frame.as_slice());
            wire::parse(frame, frame.len(), black_box(&mut parsed))
        });
    });
}

fn prf(criterion: &mut Criterion) {
    let prf = Prf::new([7; 16]);
    assert_ne!(prf.short([1; 16]), prf.short([2; 16]));
    let mut group = criterion.benchmark_group("prf");
    group.bench_function("short (IPv4)", |bencher| bencher.iter(|| prf.short(black_box([1; 16]))));
    group.bench_function("long (IPv6)", |bencher| {
        bencher.iter(|| prf.long(black_box([1; 16]), black_box([2; 16]), black_box([3; 16])));
    });
    group.finish();
}

fn ring(criterion: &mut Criterion) {
    let region = Region::create(1, 1, 1024, 64).unwrap();
    let (mut worker, mut control) = (region.worker_side(0).unwrap(), region.control_side(0).unwrap());
    let records = [[1; RECORD_WORDS]; RING_BATCH];
    let mut group = criterion.benchmark_group("ring, 64-byte records, one thread");
    group.throughput(Throughput::Elements(RING_BATCH as u64));
    group.bench_function("batches of 32", |bencher| {
        bencher.iter_batched_ref(
            || [[0; RECORD_WORDS]; RING_BATCH],
            |received| {
                assert_eq!(control.commands.send_batch(black_box(&records)), RING_BATCH);
                assert_eq!(worker.commands.recv_batch(received), RING_BATCH);
                assert_eq!(*received, records);
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group! { name = parts; config = small(); targets = maglev_build, classify, parse, prf, ring }
criterion_main!(parts);
