//! `penstock run`: the same path on live ports, until a signal comes, so many packets were received, or
//! so long has passed.

use std::fs::File;
use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use conf::{Config, HugePages};
use control::Image;
use counters::{Counter, Event, Ledger};
use dpdk::{Eal, EalConfig, EthPort, EthQueue, MemoryMode, Mempool, PoolConfig, PortConfig};
use engine::NoObserver;
use port::Tick;
use worker::{RoundRobin, Worker};

use crate::cli::RunOptions;
use crate::crew::{Crew, Room, Seat};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::meter::{Figures, Meter};
use crate::output::{Output, print, refuse_same};
use crate::site::{Site, hex};
use crate::summary::{flows, json, reals, services, verdicts};
use crate::valve::{Valve, Valved};

/// Between two looks at the counters and the clock.
const LOOK: Duration = Duration::from_millis(10);

/// The ports of this machine.
struct Live {
    eal: Eal,
    ports: Vec<EthPort>,
    /// By worker: one queue of each port.
    queues: Vec<Vec<EthQueue>>,
}

/// What one worker leaves.
struct End {
    meter: Meter,
    occupancy: (usize, usize),
    lost: u64,
}

/// Forwards.
pub(crate) fn run(options: &RunOptions) -> Result<(), Failure> {
    let mut paths = vec![("--config", options.config.as_path())];
    paths.extend(options.report.as_deref().map(|path| ("--report", path)));
    refuse_same(&paths)?;
    let mut site = Site::load(&options.config)?;
    if site.config.ports.is_empty() {
        return Err(Failure::new(format!(
            "{}: no port is configured: add a [[port]] with a name and a device",
            options.config.display()
        )));
    }
    let interrupt = Interrupt::watch()?;
    let report = options.report.as_deref().map(Output::create).transpose()?;
    let workers = site.config.dataplane.workers;
    let live = open(&site.config, workers)?;
    // Each port answers by its own address, unless the node is given one for all.
    let mut macs = Vec::new();
    if site.config.node.mac.is_none() {
        macs.extend(live.ports.iter().map(EthPort::mac));
        site.config.node.mac = macs.first().copied().map(conf::Mac);
    }
    // On disk before anything is published: a machine that stops in between must not have used what it
    // forgets.
    site.save_numbers()?;
    let publication = site.publish(u64::from_le_bytes(random()?))?;
    let key = site.config.flow.key.map_or_else(random, Ok)?;
    let (mut crew, mut seats) = Crew::new(&site, &publication, workers, key, Room::ToGrow)?;
    for seat in &mut seats {
        seat.engine.answer_by(macs.clone());
    }
    let (sequence, digest) = (publication.generation.sequence, hex(&publication.digest));
    tracing::info!("generation {sequence} ({digest}) on {workers} workers");
    let Live { eal, ports, queues } = live;
    let ends = conduct(options, &interrupt, &mut crew, seats, queues)?;
    let ledger = crew.account()?;
    for port in &ports {
        let stats = port.stats();
        tracing::info!(
            "{}: the driver received {} packets, sent {}, missed {}, refused {}",
            port.device(),
            stats.rx_packets,
            stats.tx_packets,
            stats.rx_missed + stats.rx_no_mbuf,
            stats.rx_errors + stats.tx_errors
        );
    }
    drop(ports);
    let leaked = eal.mbufs_in_use();
    let summary = report::Report {
        generation: report::Generation { sequence, digest },
        machine: report::Machine::here(Some(dpdk::rte_version().to_owned()), eal.memory().to_string()),
        mbufs_leaked: Some(leaked),
        services: services(&site, &ledger),
        reals: reals(&site, &ledger),
        ..summarize(&ledger, &ends)
    };
    if let Some(mut out) = report {
        out.put(json(&summary, &ledger)?.as_bytes())?;
        out.finish()?;
    }
    tell(&site, &ledger, &summary)?;
    refuse_faults(leaked, &ends)
}

/// Starts DPDK with the configured devices and opens their ports.
fn open(config: &Config, workers: u16) -> Result<Live, Failure> {
    let devices = config.ports.iter().map(|port| port.device.as_str());
    let (pci, vdevs): (Vec<&str>, Vec<&str>) = devices.partition(|device| is_pci(device));
    let eal = Eal::start(&EalConfig {
        memory: match config.dataplane.huge_pages {
            HugePages::Auto => MemoryMode::Auto,
            HugePages::Require => MemoryMode::RequireHuge,
            HugePages::Off => MemoryMode::Off,
        },
        memory_mb: config.dataplane.memory_mb,
        file_prefix: format!("penstock{}", std::process::id()),
        vdevs: vdevs.into_iter().map(str::to_owned).collect(),
        pci: pci.into_iter().map(str::to_owned).collect(),
        ..EalConfig::default()
    })?;
    tracing::info!("{} on {}", dpdk::rte_version(), eal.memory());
    let pools = (0..workers)
        .map(|worker| {
            Mempool::new(&eal, &PoolConfig::new(&format!("worker{worker}"), config.dataplane.packets))
        })
        .collect::<Result<Vec<Mempool>, _>>()?;
    let mut ports = Vec::new();
    let mut queues: Vec<Vec<EthQueue>> = (0..workers).map(|_| Vec::new()).collect();
    for port in &config.ports {
        // A switch floods what is for others; a NIC that can tell keeps it from us.
        let settings = PortConfig { queues: workers, promiscuous: false, ..PortConfig::new(&pools) };
        let (open, own) = EthPort::open(&eal, port.device.as_str(), &settings).map_err(|error| {
            let hint =
                if workers > 1 { "; a device with fewer queues needs dataplane.workers = 1" } else { "" };
            Failure::new(format!("port \"{}\": {error}{hint}", port.name))
        })?;
        tracing::info!("port \"{}\": {}, {} queues", port.name, open.driver(), own.len());
        for (list, queue) in queues.iter_mut().zip(own) {
            list.push(queue);
        }
        ports.push(open);
    }
    Ok(Live { eal, ports, queues })
}

/// `0000:03:00.0` or `03:00.0`, with arguments behind a comma if need be.
fn is_pci(device: &str) -> bool {
    let name = device.split_once(',').map_or(device, |(name, _)| name);
    name.contains(':') && name.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.'))
}

/// Starts the workers, waits for the end, and stops them.
fn conduct(
    options: &RunOptions,
    interrupt: &Interrupt,
    crew: &mut Crew,
    seats: Vec<Seat>,
    queues: Vec<Vec<EthQueue>>,
) -> Result<Vec<End>, Failure> {
    let valve = Valve::default();
    let mut ready = Vec::new();
    for ((number, seat), queues) in seats.into_iter().enumerate().zip(queues) {
        let Seat { engine, table, tables, side } = seat;
        let port = Valved::new(RoundRobin::new(queues), &valve, Tick(0));
        ready.push((number, Worker::new(port, engine, table, tables, side), Meter::new()?));
    }
    let start = Instant::now();
    thread::scope(|scope| {
        let threads: Vec<_> = ready.into_iter().map(|one| scope.spawn(move || life(one))).collect();
        let is_alive = |worker: usize| threads.get(worker).is_some_and(|thread| !thread.is_finished());
        let conducted = crew.conduct(&valve, is_alive, |crew| {
            thread::sleep(LOOK);
            let enough = options.packets.is_some_and(|packets| crew.count(Event::Rx) >= packets);
            let late = options.duration.is_some_and(|seconds| start.elapsed().as_secs_f64() >= seconds);
            !enough && !late && !interrupt.has_come()
        });
        let mut ends = Vec::new();
        for thread in threads {
            ends.push(thread.join().map_err(|_| Failure::new("a worker broke off; this is a fault"))??);
        }
        conducted.map(|()| ends)
    })
}

/// A worker that is ready to start, and how it is measured.
type Ready<'v> = (usize, Worker<Valved<'v, RoundRobin<EthQueue>>, Image>, Meter);

fn life((number, mut worker, mut meter): Ready<'_>) -> Result<End, Failure> {
    crate::cores::pin(number + 1);
    let _lcore = dpdk::register_thread()?;
    meter.run(&mut worker, &mut NoObserver);
    let (unknown, unsent) = worker.lost();
    Ok(End { meter, occupancy: worker.engine().occupancy(), lost: unknown + unsent })
}

/// What was counted, as a report without a capture.
fn summarize(ledger: &Ledger, ends: &[End]) -> report::Report {
    let meters: Vec<Meter> = ends.iter().map(|end| end.meter.clone()).collect();
    let packets = ledger.get(Event::Rx);
    let figures = Figures::of(&meters, packets);
    let occupancy =
        ends.iter().fold((0, 0), |(live, room), end| (live + end.occupancy.0, room + end.occupancy.1));
    report::Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        backend: "dpdk".to_owned(),
        workers: u32::try_from(ends.len()).unwrap_or(u32::MAX),
        loops: 1,
        packets,
        bytes: ledger.get(Event::RxBytes),
        verdicts: verdicts(ledger),
        speed: figures.speed,
        latency: figures.latency,
        flows: flows(ledger, occupancy),
        allocations_after_start: Some(figures.allocations),
        ..report::Report::default()
    }
}

/// Every counter that moved, then packets and bytes of each service and real.
fn tell(site: &Site, ledger: &Ledger, summary: &report::Report) -> Result<(), Failure> {
    let mut text = String::new();
    for counter in Counter::all().filter(|&counter| ledger.get(counter) > 0) {
        text.push_str(&format!("{:<24}{:>16}\n", counter.name(), ledger.get(counter)));
    }
    let mut tally = |kind: &str, name: &conf::Name, tally: counters::Tally| {
        if tally.packets > 0 {
            let (packets, bytes) = (tally.packets, tally.bytes);
            text.push_str(&format!("{kind:<8}{name:<16}{packets:>16} packets{bytes:>20} bytes\n"));
        }
    };
    for service in &site.config.services {
        if let Some(number) = site.numbers.service(&service.name) {
            tally("service", &service.name, ledger.service(number.index()));
        }
    }
    for real in &site.config.reals {
        if let Some(number) = site.numbers.real(&real.name) {
            tally("real", &real.name, ledger.real(number.index()));
        }
    }
    let (live, capacity) = (summary.flows.live, summary.flows.capacity);
    text.push_str(&format!("{:<24}{live:>16} of {capacity}\n", "flows live"));
    print(&text)
}

/// What must not have happened is a failure.
fn refuse_faults(leaked: u64, ends: &[End]) -> Result<(), Failure> {
    if leaked > 0 {
        return Err(Failure::new(format!("{leaked} mbufs were not given back; this is a fault")));
    }
    let made: u64 = ends.iter().map(|end| end.meter.allocations()).sum();
    if made > 0 {
        return Err(Failure::new(format!(
            "the workers made {made} allocations after start; this is a fault"
        )));
    }
    if ends.iter().any(|end| end.lost > 0) {
        return Err(Failure::new("a worker lost a command or a report; this is a fault"));
    }
    Ok(())
}

/// Bytes that nobody can guess.
fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| Failure::new(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::is_pci;

    #[test]
    fn pci_addresses_are_told_from_virtual_devices() {
        assert!(is_pci("0000:03:00.0") && is_pci("03:00.1,arg=x"));
        assert!(
            !is_pci("net_null0")
                && !is_pci("net_tap0,mac=02:00:00:00:00:01")
                && !is_pci("net_af_packet0,iface=a:b")
        );
    }
}
