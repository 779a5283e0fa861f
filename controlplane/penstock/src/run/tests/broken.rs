//! A worker breaks off in the middle of its traffic: what it decided last is told, and the run ends as a failure.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

use std::cell::Cell;
use std::io::Write;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};

use engine::{Decision, NoObserver, Observer, Parsed};
use port::{BURST_MAX, MemPacket, MemPort};
use worker::{RECORDS, Recorder};

use super::changes::{REALS, site, whole};
use super::{FLOWS, Left, Traffic};
use crate::run::{Follower, Origin, Stage, Until};

/// The packet after which a worker breaks off: in the middle of a burst, whatever the bursts are.
const BREAKS_AT: u64 = 2_001;

/// Breaks its worker, as soon as all workers have come so far.
struct Breaks {
    recorder: Recorder,
    packets: u64,
    all: Arc<Barrier>,
}

impl Observer<MemPacket> for Breaks {
    fn decided(&mut self, packet: &MemPacket, parsed: Option<&Parsed>, decision: &Decision) {
        self.recorder.decided(packet, parsed, decision);
        self.packets += 1;
        if self.packets == BREAKS_AT {
            self.all.wait();
            panic!("a worker breaks off, as the test wants it");
        }
    }

    fn burst(&mut self) {
        Observer::<MemPacket>::burst(&mut self.recorder);
    }
}

/// The log, for the test to read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The run's failure and its log, of workers with recorders of which each breaks.
fn broken(workers: u8) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.toml");
    let more = format!("[dataplane]\nworkers = {workers}\nhuge_pages = \"off\"\n");
    std::fs::write(&path, site(&whole(REALS), &more)).unwrap();
    let origin = Origin { path: path.as_path().into(), mac: None };
    let (send, inbox) = channel();
    let follower = Follower::start(Vec::new(), false, send.clone()).unwrap();
    let mut stage =
        Stage::new(origin.read(None).unwrap(), origin, (send, inbox), Vec::new(), follower).unwrap();
    let all = Arc::new(Barrier::new(usize::from(workers)));
    let port = |worker| {
        let sink = Left(Arc::new(AtomicU64::new(0)));
        let port = MemPort::new(2 * BURST_MAX, 256, Traffic::new(worker), sink);
        (port, Breaks { recorder: Recorder::default(), packets: 0, all: Arc::clone(&all) })
    };
    let ports: Vec<_> = (0..workers).map(port).collect();
    stage.tapes = ports.iter().map(|(_, breaks)| breaks.recorder.tape()).collect();
    let log = Log::default();
    let into = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || into.clone()).finish();
    let ended = tracing::subscriber::with_default(subscriber, || {
        stage.conduct(ports, Vec::new(), |_| Ok(()), (&Vec::new, &|_, _| {}), &Until::default())
    });
    let failure = ended.err().unwrap().to_string();
    let log = log.0.lock().unwrap().clone();
    (failure, String::from_utf8(log).unwrap())
}

/// What the log tells of a worker, a verdict a line.
fn told(log: &str, worker: u8) -> Vec<&str> {
    let head = format!("worker {worker} broke off; its last ");
    assert_eq!(log.matches(&head).count(), 1, "{log}");
    let lines = log.split(&head).nth(1).unwrap().lines().skip(1);
    lines.take_while(|line| line.starts_with("tx ") || line.starts_with("drop.")).collect()
}

#[test]
fn a_worker_that_breaks_off_leaves_its_last_verdicts_in_the_log() {
    let (failure, log) = broken(1);
    assert_eq!(failure, "penstock: worker 0 broke off; this is a fault");
    let told = told(&log, 0);
    assert_eq!(told.len(), RECORDS, "{log}");
    let first = BREAKS_AT - told.len() as u64;
    for (line, packet) in told.iter().zip(first..) {
        let client = format!("tx 192.0.2.7:{} to port 80, service ", 1024 + packet % FLOWS);
        assert!(line.starts_with(&client) && line.contains(", real "), "{packet}: {line}");
    }
}

#[test]
fn of_two_workers_that_break_off_both_are_told() {
    let (failure, log) = broken(2);
    assert_eq!(failure, "penstock: worker 0 broke off; this is a fault");
    let (one, two) = (told(&log, 0), told(&log, 1));
    assert!(one.iter().all(|line| line.contains(" 192.0.2.7:")), "{log}");
    assert!(two.iter().all(|line| line.contains(" 192.0.2.8:")), "{log}");
}

#[test]
fn a_run_ends_in_order_when_what_works_beside_the_workers_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.toml");
    std::fs::write(&path, site(&whole(REALS), "[dataplane]\nhuge_pages = \"off\"\n")).unwrap();
    let origin = Origin { path: path.as_path().into(), mac: None };
    let (send, inbox) = channel();
    let follower = Follower::start(Vec::new(), false, send.clone()).unwrap();
    let stage = Stage::new(origin.read(None).unwrap(), origin, (send, inbox), Vec::new(), follower).unwrap();
    let sink = Left(Arc::new(AtomicU64::new(0)));
    let ports = vec![(MemPort::new(2 * BURST_MAX, 256, Traffic::new(0), sink), NoObserver)];
    let asked = Cell::new(0);
    // It is there for a while, and then no more.
    let is_whole = || asked.replace(asked.get() + 1) < 100;
    let until = Until { is_whole: Some(&is_whole), ..Until::default() };
    let left = stage.conduct(ports, Vec::new(), |_| Ok(()), (&Vec::new, &|_, _| {}), &until);
    let left = left.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((left.ledger.balance(), left.ends.len(), asked.get()), (Ok(()), 1, 101));
}
