//! The whole packet path on real DPDK: a worker on `net_pcap` with `infinite_rx`, as testpmd is run beside
//! it, and with what `penstock run` gives it: the rings of a twin, the way for taps, the recorder; on demand with a
//! capture going on. Prints one JSON line, and fails if the counters do not say that every packet was tunnelled.
//!
//! `cargo run --release -p benches --bin pcap-path -- --capture FILE`; see benches/README.md.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use benches::flows_capture::FLOWS;
use benches::halved::Halved;
use benches::tables;
use clap::{Parser, ValueEnum};
use counters::{Event, Layout, Ledger};
use dpdk::{Eal, EalConfig, EthPort, EthQueue, EthStats, Mbuf, MemoryMode, Mempool, PoolConfig, PortConfig};
use engine::{Engine, NoObserver, Observer};
use filter::Program;
use flow::FlowTable;
use port::{BURST_MAX, Burst, Port};
use service::{Aligned, Table};
use shm::Region;
use worker::{Breath, Handover, Recorder, TapReader, TapSender, Wanted, Worker};

/// Outer IPv4 header: what every packet must have grown by when it is sent.
const IPIP_BYTES: u64 = 20;
/// Rounds of the capture before the clock starts: the first inserts all flows.
const WARM_UP_ROUNDS: u64 = 64;
/// Polls in a row that find nothing before we give up: the driver found no mbuf to copy to.
const IDLE_POLLS_MAX: u32 = 1_000_000;
/// Slots of a capture and bytes of each, as `penstock run` has them.
const TAP_SLOTS: usize = 1024;
const TAP_BYTES: usize = 2048;
/// Packets of each ring between worker and twin, as `penstock run` has them.
const TWIN_RING: usize = 1024;
const DEVICE: &str = "net_pcap0";
/// What an mbuf's room leaves free in front (`RTE_PKTMBUF_HEADROOM`); testpmd's `--mbuf-size` counts it.
const HEADROOM: u16 = 128;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Huge {
    Auto,
    Off,
    Require,
}

/// A capture that is going on meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Capturing {
    /// Its filter matches no packet.
    Nothing,
    /// It takes every packet, and somebody reads as fast as one core can.
    All,
    /// It takes every packet, and nobody reads.
    Unread,
}

/// Penstock's whole path on net_pcap.
#[derive(Debug, Parser)]
struct Arguments {
    /// The capture that is replayed for ever.
    #[arg(long)]
    capture: PathBuf,
    /// Packets to measure.
    #[arg(long, default_value_t = 30_000_000)]
    packets: u64,
    /// Packets in one burst.
    #[arg(long, default_value_t = BURST_MAX, value_parser = parse_burst)]
    burst: usize,
    /// Huge pages for the mbufs.
    #[arg(long, value_enum, default_value = "auto")]
    huge: Huge,
    /// The core to run on.
    #[arg(long, default_value_t = 1)]
    core: usize,
    /// Mbufs in the pool; the preloaded capture takes one each.
    #[arg(long, default_value_t = 16_384)]
    mbufs: u32,
    /// Bytes of an mbuf, headroom included, as testpmd's --mbuf-size.
    #[arg(long, default_value_t = 2176)]
    mbuf_size: u16,
    /// Mbufs that the lcore keeps at hand, as testpmd's --mbcache.
    #[arg(long, default_value_t = 512)]
    cache: u32,
    /// Descriptors of either queue, as testpmd's --rxd and --txd.
    #[arg(long, default_value_t = 512)]
    descriptors: u16,
    /// Only receives and sends, as testpmd's io: what the port itself costs.
    #[arg(long)]
    port_only: bool,
    /// Without the twin's rings, the way for taps and the recorder.
    #[arg(long, conflicts_with = "port_only")]
    bare: bool,
    /// With a capture going on.
    #[arg(long, conflicts_with_all = ["port_only", "bare"])]
    capturing: Option<Capturing>,
}

fn parse_burst(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(burst) if (1..=BURST_MAX).contains(&burst) => Ok(burst),
        _ => Err(format!("give 1 to {BURST_MAX}")),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let device = format!("{DEVICE},rx_pcap={},infinite_rx=1", arguments.capture.display());
    let eal = Eal::start(&EalConfig {
        main_core: Some(arguments.core),
        memory: match arguments.huge {
            Huge::Auto => MemoryMode::Auto,
            Huge::Off => MemoryMode::Off,
            Huge::Require => MemoryMode::RequireHuge,
        },
        memory_mb: 128,
        file_prefix: format!("pcap-path-{}", std::process::id()),
        vdevs: vec![device.clone()],
        ..EalConfig::default()
    })?;
    let room = arguments.mbuf_size.saturating_sub(HEADROOM);
    let pool = Mempool::new(
        &eal,
        &PoolConfig { name: "pool".to_owned(), mbufs: arguments.mbufs, room, cache: arguments.cache },
    )?;
    let pools = [pool];
    let (port, mut queues) = EthPort::open(
        &eal,
        &device,
        &PortConfig {
            rx_descriptors: arguments.descriptors,
            tx_descriptors: arguments.descriptors,
            ..PortConfig::new(&pools)
        },
    )?;
    let queue = queues.pop().ok_or("the port has no queue")?;
    dpdk::pin_to_core(arguments.core)?;
    let _lcore = dpdk::register_thread()?;
    let preloaded = pool.in_use();
    let queue = Halved::new(queue, arguments.burst);
    let (queue, measured) = if arguments.port_only {
        measure_port(queue, arguments.packets)?
    } else {
        measure_path(queue, &port, &arguments)?
    };
    drop(queue);
    if pool.in_use() != preloaded {
        return Err(format!("{} mbufs leaked", pool.in_use().saturating_sub(preloaded)).into());
    }
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let nanos_per_packet = measured.nanos as f64 / measured.packets as f64;
    let line = serde_json::json!({
        "packets": measured.packets,
        "cpu_ns": measured.nanos,
        "ns_per_packet": nanos_per_packet,
        "burst": arguments.burst,
        "memory": eal.memory().to_string(),
        "dpdk": dpdk::rte_version(),
    });
    println!("{line}");
    Ok(())
}

/// What was timed.
struct Measured {
    packets: u64,
    nanos: u64,
}

/// Receives and sends.
fn measure_port(mut queue: Halved<EthQueue>, packets: u64) -> Result<(EthQueue, Measured), String> {
    let mut burst = Burst::new();
    let mut poll = || {
        queue.rx_burst(&mut burst);
        let received = burst.len() as u64;
        queue.tx_burst(&mut burst);
        if burst.is_empty() { Ok(received) } else { Err("the port refused packets".to_owned()) }
    };
    pass(WARM_UP_ROUNDS * u64::from(FLOWS), &mut poll)?;
    let begin = mem::thread_cpu_nanos();
    let packets = pass(packets, &mut poll)?;
    let nanos = mem::thread_cpu_nanos() - begin;
    Ok((queue.into_parts().0, Measured { packets, nanos }))
}

/// Polls until at least so many packets came; gives how many it were.
#[inline]
fn pass(packets: u64, mut poll: impl FnMut() -> Result<u64, String>) -> Result<u64, String> {
    let (mut done, mut idle) = (0, 0);
    while done < packets {
        match poll()? {
            0 if idle == IDLE_POLLS_MAX => {
                return Err(format!("the port gave {done} packets and no more: too few mbufs?"));
            }
            0 => idle += 1,
            received => (done, idle) = (done + received, 0),
        }
    }
    Ok(done)
}

type PathWorker = Worker<Halved<EthQueue>, Aligned>;

/// The whole path: parse, classify, flow table, encapsulation, counters.
fn measure_path(
    queue: Halved<EthQueue>,
    port: &EthPort,
    arguments: &Arguments,
) -> Result<(EthQueue, Measured), Box<dyn std::error::Error>> {
    let table: Arc<Table<Aligned>> = Arc::new(tables::table(None).ok_or("the table did not build")?);
    let layout = Layout::with_room_for(2, 16, 0);
    let engine = Engine::new(0, 1, FlowTable::new(65_536, [9; 16])?, layout);
    let region = Region::create(1, 1, 64, layout.words())?;
    let side = region.worker_side(0).ok_or("the worker's side is taken")?;
    let (_sender, receiver) = worker::tables(1);
    let worker = Worker::new(queue, engine, Handover::new(table, &[]), receiver, side);
    if arguments.bare {
        return timed(worker, port, arguments.packets, &mut NoObserver, None);
    }
    // Their other ends stay here: nothing is sent to the kernel.
    let (kernel, _ferry) = worker::kernel_rings(TWIN_RING);
    let (taps, ends) = worker::taps();
    let capturing = arguments.capturing.map(|capturing| (taps, capturing));
    let worker = worker.with_kernel(kernel).with_taps(ends);
    timed(worker, port, arguments.packets, &mut Recorder::default(), capturing)
}

fn timed(
    mut worker: PathWorker,
    port: &EthPort,
    packets: u64,
    observer: &mut impl Observer<Mbuf>,
    capturing: Option<(TapSender, Capturing)>,
) -> Result<(EthQueue, Measured), Box<dyn std::error::Error>> {
    let warm = breathe(&mut worker, WARM_UP_ROUNDS * u64::from(FLOWS), observer)?;
    let (ledger, driver) = (worker.ledger().clone(), port.stats());
    check_warm(&ledger, warm)?;
    let (packets, nanos) = match capturing {
        None => clocked(&mut worker, packets, observer)?,
        Some((mut taps, what)) => {
            let (tap, reader) = worker::tap(wanted(what)?, TAP_SLOTS, TAP_BYTES);
            taps.hand_over(tap).map_err(|_| "the worker takes no tap")?;
            read_meanwhile(reader, what, || clocked(&mut worker, packets, observer))?
        }
    };
    check(&ledger, worker.ledger(), packets)?;
    check_driver(&driver, &port.stats(), packets)?;
    Ok((worker.into_port().into_parts().0, Measured { packets, nanos }))
}

/// Packets, and the nanoseconds that they took.
fn clocked(
    worker: &mut PathWorker,
    packets: u64,
    observer: &mut impl Observer<Mbuf>,
) -> Result<(u64, u64), String> {
    let begin = mem::thread_cpu_nanos();
    let packets = breathe(worker, packets, observer)?;
    Ok((packets, mem::thread_cpu_nanos() - begin))
}

/// Every packet here is TCP.
fn wanted(capturing: Capturing) -> Result<Wanted, Box<dyn std::error::Error>> {
    let filter = match capturing {
        Capturing::Nothing => Some(Program::check(&pcap::compile("udp port 53")?)?),
        Capturing::All | Capturing::Unread => None,
    };
    Ok(Wanted { filter, ..Wanted::default() })
}

/// Does it with somebody reading in another thread, if anybody does, and holds what was caught and lost against it.
fn read_meanwhile(
    mut reader: TapReader,
    capturing: Capturing,
    path: impl FnOnce() -> Result<(u64, u64), String>,
) -> Result<(u64, u64), String> {
    let done = AtomicBool::new(false);
    let (measured, caught) = std::thread::scope(|scope| {
        let reading = (capturing != Capturing::Unread).then(|| {
            scope.spawn(|| {
                let mut caught = 0;
                while !done.load(Ordering::Acquire) {
                    reader.drain(|_| caught += 1);
                }
                reader.drain(|_| caught += 1);
                caught
            })
        });
        let measured = path();
        done.store(true, Ordering::Release);
        (measured, reading.map_or(Ok(0), std::thread::ScopedJoinHandle::join))
    });
    let (packets, nanos) = measured?;
    let caught = caught.map_err(|_| "the reader of the capture failed")?;
    check_captured(capturing, packets, caught, reader.counts())?;
    Ok((packets, nanos))
}

/// A packet that was wanted was caught or is counted as lost; unread, the slots hold the first ones.
fn check_captured(
    capturing: Capturing,
    packets: u64,
    caught: u64,
    (wanted, lost): (u64, u64),
) -> Result<(), String> {
    let slots = TAP_SLOTS as u64;
    let is_right = match capturing {
        Capturing::Nothing => (wanted, lost, caught) == (0, 0, 0),
        Capturing::All => wanted == packets && caught == wanted - lost && caught > slots,
        Capturing::Unread => wanted == packets && lost == packets - slots.min(packets),
    };
    if is_right {
        return Ok(());
    }
    Err(format!("of {packets} packets {wanted} were wanted, {caught} caught and {lost} lost ({capturing:?})"))
}

/// Takes at least so many packets through the worker; gives how many it were.
#[inline]
fn breathe(worker: &mut PathWorker, packets: u64, observer: &mut impl Observer<Mbuf>) -> Result<u64, String> {
    pass(packets, || match worker.breathe(observer) {
        Breath::Packets(received) => Ok(received as u64),
        Breath::Idle => Ok(0),
        Breath::Stopped => Err("nobody told the worker to stop".to_owned()),
    })
}

fn check_warm(ledger: &Ledger, packets: u64) -> Result<(), String> {
    let [inserted, hits] = [Event::FlowInsert, Event::FlowHit].map(|event| ledger.get(event));
    if inserted == u64::from(FLOWS) && hits == packets - inserted {
        return Ok(());
    }
    Err(format!("{packets} packets of {FLOWS} flows inserted {inserted} flows and hit {hits} times"))
}

/// Every packet found its flow, went out, and was counted for a service and a real.
fn check(before: &Ledger, after: &Ledger, packets: u64) -> Result<(), String> {
    after.balance()?;
    let moved = |event: Event| after.get(event) - before.get(event);
    for event in [Event::Rx, Event::Tx, Event::FlowHit] {
        if moved(event) != packets {
            return Err(format!("{event:?} moved by {} for {packets} packets", moved(event)));
        }
    }
    let grown = moved(Event::TxBytes) - moved(Event::RxBytes);
    if grown != packets * IPIP_BYTES {
        return Err(format!("{packets} packets grew by {grown} bytes, not by {IPIP_BYTES} each"));
    }
    let by_service = after.service(0).packets - before.service(0).packets;
    let by_real: u64 = (0..16).map(|real| after.real(real).packets - before.real(real).packets).sum();
    if by_service != packets || by_real != packets {
        return Err(format!("{packets} packets, {by_service} by service, {by_real} by real"));
    }
    Ok(())
}

/// The driver's own counters: what it was given to send is the same packets, each longer by a header.
fn check_driver(before: &EthStats, after: &EthStats, packets: u64) -> Result<(), String> {
    let sent = after.tx_packets - before.tx_packets;
    let bytes = after.tx_bytes - before.tx_bytes;
    let received_bytes = after.rx_bytes - before.rx_bytes;
    if sent != packets || bytes != received_bytes + packets * IPIP_BYTES || after.tx_errors != 0 {
        return Err(format!(
            "the driver sent {sent} packets of {bytes} bytes, received {received_bytes}: {after:?}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use benches::flows_capture::FLOWS;
    use counters::{DropReason, Event, Layout, Ledger};
    use dpdk::EthStats;

    use super::{Capturing, TAP_SLOTS, check, check_captured, check_driver, check_warm, pass};

    const PACKETS: u64 = 5;

    /// What five packets leave, each 46 bytes at the IP layer and of flows that were known.
    fn done() -> Ledger {
        let mut ledger = Ledger::new(Layout::with_room_for(2, 16, 0));
        for event in [Event::Rx, Event::Tx, Event::FlowHit] {
            ledger.add(event, PACKETS);
        }
        ledger.add(Event::RxBytes, PACKETS * 60);
        ledger.add(Event::TxBytes, PACKETS * 80);
        (0..5).for_each(|real| ledger.account(0, real, 46));
        ledger
    }

    #[test]
    fn work_that_was_done_passes_and_each_piece_left_out_is_found() {
        let before = Ledger::new(Layout::with_room_for(2, 16, 0));
        assert_eq!(check(&before, &done(), PACKETS), Ok(()));
        assert!(check(&before, &before, PACKETS).is_err(), "nothing was done");
        assert!(check(&before, &done(), PACKETS + 1).is_err(), "a packet is missing");
        let spoil = |how: &dyn Fn(&mut Ledger)| {
            let mut after = done();
            how(&mut after);
            check(&before, &after, PACKETS)
        };
        assert!(spoil(&|ledger| ledger.add(Event::TxBytes, 1)).is_err(), "the header was another");
        assert!(spoil(&|ledger| ledger.add(DropReason::Malformed, 1)).is_err(), "the sum law");
        assert!(spoil(&|ledger| ledger.add(Event::FlowHit, 1)).is_err(), "more hits than packets");
        assert!(spoil(&|ledger| ledger.account(1, 9, 46)).is_err(), "counted for another service");
    }

    #[test]
    fn a_warm_up_that_did_not_insert_all_flows_is_found() {
        let flows = u64::from(FLOWS);
        let warm = |inserted, hits| {
            let mut ledger = Ledger::new(Layout::with_room_for(2, 16, 0));
            ledger.add(Event::FlowInsert, inserted);
            ledger.add(Event::FlowHit, hits);
            check_warm(&ledger, 64 * flows)
        };
        assert_eq!(warm(flows, 63 * flows), Ok(()));
        assert!(warm(flows - 1, 63 * flows + 1).is_err() && warm(flows, 63 * flows - 1).is_err());
    }

    #[test]
    fn what_the_driver_sent_must_be_longer_than_what_it_received() {
        let before = EthStats::default();
        let after =
            EthStats { rx_packets: 5, tx_packets: 5, rx_bytes: 300, tx_bytes: 400, ..EthStats::default() };
        assert_eq!(check_driver(&before, &after, 5), Ok(()));
        for wrong in [
            EthStats { tx_bytes: 300, ..after },
            EthStats { tx_packets: 4, ..after },
            EthStats { tx_errors: 1, ..after },
        ] {
            assert!(check_driver(&before, &wrong, 5).is_err());
        }
    }

    #[test]
    fn a_packet_that_was_wanted_is_caught_or_counted_as_lost() {
        let slots = TAP_SLOTS as u64;
        let is_right = |what, caught, counts| check_captured(what, 10 * slots, caught, counts).is_ok();
        assert!(is_right(Capturing::Nothing, 0, (0, 0)) && !is_right(Capturing::Nothing, 1, (1, 0)));
        assert!(is_right(Capturing::All, 9 * slots, (10 * slots, slots)));
        assert!(!is_right(Capturing::All, 9 * slots, (10 * slots, slots - 1)), "one is in neither");
        assert!(!is_right(Capturing::All, slots, (10 * slots, 9 * slots)), "nobody has read");
        assert!(is_right(Capturing::Unread, 0, (10 * slots, 9 * slots)));
        assert!(!is_right(Capturing::Unread, 0, (10 * slots, 0)));
    }

    #[test]
    fn a_port_that_falls_silent_ends_the_run() {
        let mut left = 3;
        let poll = || {
            left -= u64::from(left > 0);
            Ok(u64::from(left > 0))
        };
        assert!(pass(5, poll).is_err());
        assert_eq!(pass(5, || Ok(2)), Ok(6));
    }
}
