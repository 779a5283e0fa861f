//! A worker's life, measured: how long bursts took, when packets moved, what was allocated.
//!
//! The cycle counter is read twice a burst and never per packet. *Busy* is the time of the breaths that
//! moved packets, less the part of it in which the scheduler had taken the core away: the thread's CPU
//! time over its time on the wall, from start to end but for when it offered the core itself, says how
//! large that part was.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::Observer;
use hdrhistogram::Histogram;
use port::Port;
use worker::{Breath, Worker};

use crate::failure::Failure;

/// Cycles per packet are kept in sixty-fourths.
const FINE: u64 = 64;

/// The longest time that is told apart: some minutes for one packet.
const CYCLES_MAX: u64 = 1 << 40;

/// Breaths without a packet after which the core is offered to others: two cores may have to carry more
/// threads than two.
const IDLE_BREATHS_MAX: u32 = 64;

/// What others may read of a worker's meter while it runs, on cache lines of its own: written once a breath,
/// read a few times a second.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Gauge {
    busy_cycles: AtomicU64,
    flows: AtomicU64,
    flows_max: AtomicU64,
}

impl Gauge {
    /// Cycles of the breaths that moved packets.
    #[cfg(feature = "dpdk")]
    pub(crate) fn busy_cycles(&self) -> u64 {
        self.busy_cycles.load(Ordering::Relaxed)
    }

    /// Flows in the table, and room for them.
    #[cfg(feature = "dpdk")]
    pub(crate) fn occupancy(&self) -> (u64, u64) {
        (self.flows.load(Ordering::Relaxed), self.flows_max.load(Ordering::Relaxed))
    }

    fn show_flows(&self, (flows, max): (usize, usize)) {
        self.flows.store(flows as u64, Ordering::Relaxed);
        self.flows_max.store(max as u64, Ordering::Relaxed);
    }
}

/// What was measured on one worker.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    /// Bursts by sixty-fourths of cycles per packet.
    bursts: Histogram<u64>,
    /// Packets by the same.
    packets: Histogram<u64>,
    busy_cycles: u64,
    first: Option<u64>,
    last: u64,
    on_core: f64,
    allocations: u64,
    gauge: Arc<Gauge>,
}

impl Meter {
    /// Nothing measured; all memory is taken here.
    pub(crate) fn new() -> Result<Self, Failure> {
        let histogram = || {
            Histogram::new_with_bounds(1, CYCLES_MAX, 2)
                .map_err(|error| Failure::new(format!("times cannot be measured: {error}")))
        };
        let (bursts, packets) = (histogram()?, histogram()?);
        let gauge = Arc::default();
        Ok(Self {
            bursts,
            packets,
            busy_cycles: 0,
            first: None,
            last: 0,
            on_core: 1.0,
            allocations: 0,
            gauge,
        })
    }

    /// To look at it from another thread.
    #[cfg(feature = "dpdk")]
    pub(crate) fn gauge(&self) -> Arc<Gauge> {
        Arc::clone(&self.gauge)
    }

    /// Lets the worker breathe until it has stopped.
    pub(crate) fn run<P: Port, B: AsRef<[u8]>>(
        &mut self,
        worker: &mut Worker<P, B>,
        observer: &mut impl Observer<P::Packet>,
    ) {
        let allocations = mem::thread_allocations();
        let (start, cpu_start) = (mem::cycles(), mem::thread_cpu_nanos());
        let (mut idle, mut away) = (0, 0_u64);
        loop {
            let before = mem::cycles();
            match worker.breathe(observer) {
                Breath::Packets(packets) => {
                    self.burst(before, mem::cycles(), packets as u64);
                    self.gauge.show_flows(worker.engine().occupancy());
                    idle = 0;
                }
                Breath::Idle if idle < IDLE_BREATHS_MAX => {
                    idle += 1;
                    std::hint::spin_loop();
                }
                Breath::Idle => {
                    self.gauge.show_flows(worker.engine().occupancy());
                    std::thread::yield_now();
                    away = away.saturating_add(mem::cycles().wrapping_sub(before));
                }
                Breath::Stopped => break,
            }
        }
        let cpu = mem::thread_cpu_nanos().saturating_sub(cpu_start) as f64 / 1e9;
        let here = mem::cycles().wrapping_sub(start).saturating_sub(away);
        let wall = here as f64 / mem::cycles_per_second();
        self.on_core = if wall > 0.0 { (cpu / wall).min(1.0) } else { 1.0 };
        self.allocations = mem::thread_allocations().wrapping_sub(allocations);
    }

    #[inline]
    fn burst(&mut self, before: u64, after: u64, packets: u64) {
        let cycles = after.wrapping_sub(before);
        let each = cycles.saturating_mul(FINE) / packets.max(1);
        self.bursts.saturating_record(each);
        self.packets.saturating_record_n(each, packets);
        self.busy_cycles = self.busy_cycles.saturating_add(cycles);
        self.gauge.busy_cycles.store(self.busy_cycles, Ordering::Relaxed);
        self.first = self.first.or(Some(before));
        self.last = after;
    }

    /// Allocations that the worker made from its first breath to its last.
    pub(crate) const fn allocations(&self) -> u64 {
        self.allocations
    }
}

/// The figures of all workers together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) speed: report::Speed,
    pub(crate) latency: Vec<report::Bucket>,
    pub(crate) allocations: u64,
}

impl Figures {
    /// Of `packets` in all.
    pub(crate) fn of(meters: &[Meter], packets: u64) -> Self {
        let per_second = mem::cycles_per_second();
        let nanos = |fine: u64| fine as f64 / FINE as f64 / per_second * 1e9;
        let Some((first, rest)) = meters.split_first() else { return Self::default() };
        let mut all = first.clone();
        for meter in rest {
            // Histograms of one shape can be added.
            let _ = all.bursts.add(&meter.bursts);
            let _ = all.packets.add(&meter.packets);
        }
        let start = meters.iter().filter_map(|meter| meter.first).min();
        let end = meters.iter().map(|meter| meter.last).max().unwrap_or(0);
        let wall_seconds = start.map_or(0.0, |start| end.saturating_sub(start) as f64 / per_second);
        let busy =
            meters.iter().map(|meter| meter.busy_cycles as f64 / per_second * meter.on_core).sum::<f64>();
        let over = if busy > 0.0 { busy } else { wall_seconds };
        let mpps = if over > 0.0 { packets as f64 / over / 1e6 } else { 0.0 };
        let quantile =
            |share| if all.bursts.is_empty() { 0.0 } else { nanos(all.bursts.value_at_quantile(share)) };
        let speed = report::Speed {
            mpps,
            wall_seconds,
            busy_seconds: busy,
            bursts: all.bursts.len(),
            median_ns: quantile(0.5),
            p99_ns: quantile(0.99),
            p999_ns: quantile(0.999),
        };
        let recorded = all.packets.iter_recorded();
        let latency =
            report::buckets(recorded.map(|step| (nanos(step.value_iterated_to()), step.count_at_value())));
        let allocations = meters.iter().map(Meter::allocations).sum();
        Self { speed, latency, allocations }
    }
}

#[cfg(test)]
mod tests {
    use super::{Figures, Meter};

    #[test]
    fn every_packet_of_every_worker_is_in_the_figures() {
        let (mut one, mut two) = (Meter::new().unwrap(), Meter::new().unwrap());
        one.burst(1_000, 2_000, 10);
        one.burst(5_000, 6_000, 1);
        two.burst(500, 900, 64);
        let before = mem::thread_allocations();
        two.burst(900, u64::MAX / 2, 1);
        assert_eq!(mem::thread_allocations(), before, "recording allocates");
        let figures = Figures::of(&[one, two], 76);
        assert_eq!(figures.speed.bursts, 4);
        assert_eq!(figures.latency.iter().map(|bucket| bucket.packets).sum::<u64>(), 76);
        assert!(figures.speed.median_ns > 0.0 && figures.speed.p99_ns > figures.speed.median_ns);
    }

    #[test]
    fn without_a_burst_nothing_is_claimed() {
        let figures = Figures::of(&[Meter::new().unwrap()], 0);
        assert_eq!((figures.speed.bursts, figures.latency.len()), (0, 0));
        assert!(figures.speed.mpps == 0.0 && figures.speed.wall_seconds == 0.0);
    }
}
