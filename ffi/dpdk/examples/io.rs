//! Forwards packets on one port as fast as it goes, doing nothing to them, and prints ns per packet of
//! this thread's CPU time: what Rust costs beside `dpdk-testpmd --forward-mode=io`.
//!
//! `cargo run --release -p dpdk --example io -- [DEVICE [MILLION_PACKETS [CORE]]]`, for instance
//! `net_null0`, or `net_pcap0,rx_pcap=FILE,infinite_rx=1`.
#![allow(unsafe_code, reason = "one call to a clock that std does not have")]

use std::error::Error;

use dpdk::{Eal, EalConfig, EthPort, Mempool, PoolConfig, PortConfig};
use port::{BURST_MAX, Burst, Port};

/// Rounds, of which the best, the median and the worst are printed.
const ROUNDS: usize = 7;

/// Nanoseconds that this thread has run.
fn cpu_nanos() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // JUSTIFICATION: std has no such clock, and /proc's is brought up to date at timer ticks only.
    // SAFETY: `time` is a valid timespec to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// Forwards at least so many packets; gives how many went out.
fn forward<P: Port>(queue: &mut P, packets: u64) -> u64 {
    let mut burst = Burst::new();
    let (mut received, mut sent) = (0, 0);
    while received < packets {
        queue.rx_burst(&mut burst);
        received += burst.len() as u64;
        let before = burst.len();
        queue.tx_burst(&mut burst);
        sent += (before - burst.len()) as u64;
        queue.free_burst(&mut burst);
    }
    sent
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let device = arguments.next().unwrap_or_else(|| "net_null0".to_owned());
    let millions: u64 = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let core: Option<usize> = arguments.next().map(|text| text.parse()).transpose()?;
    let eal = Eal::start(&EalConfig { vdevs: vec![device.clone()], ..EalConfig::default() })?;
    let pool = Mempool::new(&eal, &PoolConfig::new("io", 16_384))?;
    let (port, mut queues) = EthPort::open(&eal, &device, &PortConfig::new(&[pool]))?;
    let Some(mut queue) = queues.pop() else { return Err("the port has no queue".into()) };
    if let Some(core) = core {
        dpdk::pin_to_core(core)?;
    }
    let _lcore = dpdk::register_thread()?;

    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = cpu_nanos();
        let sent = forward(&mut queue, millions * 1_000_000);
        let nanos = cpu_nanos().saturating_sub(start);
        rounds.push(nanos as f64 / sent.max(1) as f64);
    }
    rounds.sort_by(f64::total_cmp);
    let of = |place: usize| rounds.get(place).copied().unwrap_or(f64::NAN);
    println!(
        "{} on {}, {}, bursts of {BURST_MAX}: {:.2} ns/packet ({:.2} to {:.2}, {ROUNDS} rounds), {:?}",
        device,
        dpdk::rte_version(),
        eal.memory(),
        of(ROUNDS / 2),
        of(0),
        of(ROUNDS - 1),
        port.stats(),
    );
    drop((queue, port));
    println!("{} mbufs leaked", eal.mbufs_in_use());
    Ok(())
}
