//! A run on ports in memory: all of it but DPDK, two workers, a thousand changes over the socket.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

#[path = "../../tests/common/changes.rs"]
mod changes;

mod broken;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use counters::Event as Counted;
use engine::NoObserver;
use port::{BURST_MAX, MemPacket, MemPort, MemSink, MemSource, Tick};

use super::{Event, Follower, Origin, Stage, Until};
use changes::{REALS, Watched, site, whole};

/// Flows of each worker.
const FLOWS: u64 = 200;

/// TCP segments of one flow after the other, round and round; ticks are eighths of a second.
struct Traffic {
    frame: Vec<u8>,
    sent: u64,
    start: Instant,
}

impl Traffic {
    /// Worker `worker` has clients of its own.
    fn new(worker: u8) -> Self {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        frame.extend([0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 7 + worker, 198, 51, 100, 1]);
        frame.extend([0, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0]);
        let words = frame[14..34].chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
        let sum: u32 = words.sum();
        let folded = u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
        frame[24..26].copy_from_slice(&(!folded).to_be_bytes());
        Self { frame, sent: 0, start: Instant::now() }
    }
}

impl MemSource for Traffic {
    fn next_tick(&mut self) -> Option<Tick> {
        Some(Tick(8 + u64::try_from(self.start.elapsed().as_millis()).unwrap() / 125))
    }

    fn load_next(&mut self, into: &mut MemPacket) {
        let flow = u16::try_from(self.sent % FLOWS).unwrap();
        self.frame[34..36].copy_from_slice(&(1024 + flow).to_be_bytes());
        into.load(&self.frame, u64::from(flow));
        self.sent += 1;
    }
}

/// Counts what leaves.
struct Left(Arc<AtomicU64>);

impl MemSink for Left {
    fn send(&mut self, _: &MemPacket) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        true
    }
}

#[test]
fn on_ports_in_memory_a_thousand_changes_lose_no_packet_and_move_no_flow_without_need() {
    const MORE: &str = "[dataplane]\nworkers = 2\nhuge_pages = \"off\"\n";
    let folder = tempfile::tempdir().unwrap();
    let (path, socket) = (folder.path().join("site.toml"), folder.path().join("c.sock"));
    let write = |file: &changes::File| std::fs::write(&path, site(file, MORE)).unwrap();
    write(&whole(REALS));
    let origin = Origin { path: path.as_path().into(), mac: None };
    let (send, inbox) = channel();
    let follower = Follower::start(Vec::new(), false, send.clone()).unwrap();
    let stage = Stage::new(origin.read(None).unwrap(), origin, (send.clone(), inbox), Vec::new(), follower);
    let stage = stage.unwrap();
    let sent = Arc::new(AtomicU64::new(0));
    let ports = (0..2).map(|worker| {
        (MemPort::new(2 * BURST_MAX, 256, Traffic::new(worker), Left(Arc::clone(&sent))), NoObserver)
    });
    let ports = ports.collect();
    let watched = &Watched { socket: &socket, flows: usize::try_from(FLOWS).unwrap() };
    let left = thread::scope(|scope| {
        let run = scope.spawn(|| {
            stage.conduct(ports, Vec::new(), |_| Ok(()), (&Vec::new, &|_, _| {}), &Until::default())
        });
        let start = Instant::now();
        while !socket.exists() || watched.reals().len() < 2 * watched.flows {
            assert!(start.elapsed() < Duration::from_secs(60) && !run.is_finished(), "it does not start");
            thread::sleep(Duration::from_millis(10));
        }
        let changed = scope.spawn(move || watched.change_a_thousand_times(write)).join();
        send.send(Event::End).unwrap();
        let left = run.join().unwrap();
        println!("{}", changed.unwrap());
        left
    });
    let left = left.unwrap_or_else(|failure| panic!("{failure}"));
    let (ledger, sent) = (&left.ledger, sent.load(Ordering::Relaxed));
    assert_eq!(ledger.balance(), Ok(()));
    assert_eq!((ledger.get(Counted::Rx), ledger.get(Counted::Tx)), (sent, sent));
    assert_eq!(ledger.get(Counted::FlowInsert), 2 * FLOWS);
    assert!(left.names.in_force.generation.sequence > 500);
    assert!(left.ends.iter().all(|end| end.lost == 0 && end.meter.allocations() == 0));
}
