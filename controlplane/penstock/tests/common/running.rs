//! A `penstock run` on a port that plays one capture again and again without end, and the commands that talk to
//! it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Bench, tcp, text};

/// Flows of the usual capture: each is one established TCP connection.
pub(crate) const FLOWS: u16 = 200;

const PATIENCE: Duration = Duration::from_secs(60);

/// A running box, killed should a test end early.
pub(crate) struct Running {
    pub(crate) bench: Bench,
    options: String,
    /// Those of its capture.
    flows: usize,
    /// Where it tells its service manager how it is, if it has one.
    manager: Option<PathBuf>,
    child: Option<Child>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Running {
    /// A box that plays [`FLOWS`] flows.
    pub(crate) fn start(site: &str) -> Self {
        Self::start_under(None, site)
    }

    /// The same under a service manager that listens there.
    pub(crate) fn start_under(manager: Option<PathBuf>, site: &str) -> Self {
        let frames: Vec<_> = (0..FLOWS).map(|client| tcp(client, [198, 51, 100, 1], 80, 0x10, 9)).collect();
        let mut running = Self::new(&frames, usize::from(FLOWS), site, "");
        running.manager = manager;
        running.spawn();
        running
    }

    /// A box that plays these frames, of so many flows.
    pub(crate) fn playing(frames: &[Vec<u8>], flows: usize, site: &str, options: &str) -> Self {
        let mut running = Self::new(frames, flows, site, options);
        running.spawn();
        running
    }

    fn new(frames: &[Vec<u8>], flows: usize, site: &str, options: &str) -> Self {
        let bench = Bench::new();
        bench.capture("in.pcap", frames, 1000);
        let running = Self { bench, options: options.to_owned(), flows, manager: None, child: None };
        running.write(site);
        running
    }

    pub(crate) fn write(&self, site: &str) {
        std::fs::write(self.bench.path("site.toml"), site).unwrap();
    }

    pub(crate) fn spawn(&mut self) {
        let mut command =
            self.bench.command(&format!("run --config site.toml --report r.json {}", self.options));
        command.envs(self.manager.iter().map(|path| ("NOTIFY_SOCKET", path)));
        self.child = Some(command.spawn().unwrap());
        // Flows are read as they are, counters as they stood at the last tick.
        self.until("counters", |counters| counters["rx"].as_u64() > Some(0));
        self.until("flows", |flows| flows["rows"].as_array().is_some_and(|rows| rows.len() == self.flows));
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub(crate) fn say(&self, line: &str) -> String {
        self.bench.good(&format!("{line} --socket c.sock"))
    }

    pub(crate) fn show(&self, what: &str) -> Value {
        let text = self.say(&format!("show {what} --json"));
        let value: Value = serde_json::from_str(&text).unwrap();
        value[what].clone()
    }

    /// Waits until the view is as wanted.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let output = self.bench.run(&format!("show {what} --json --socket c.sock"));
            let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            if wanted(&value[what]) {
                return value[what].clone();
            }
            assert!(start.elapsed() < PATIENCE, "{what}: {value} {}", text(&output.stderr));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn count(&self, counter: &str) -> u64 {
        self.show("counters")[counter].as_u64().unwrap()
    }

    /// Each flow's real, by client.
    pub(crate) fn reals(&self) -> BTreeMap<String, String> {
        let flows = self.show("flows");
        let pair = |row: &Value| {
            (row["client"].as_str().unwrap().to_owned(), row["real"].as_str().unwrap().to_owned())
        };
        flows["rows"].as_array().unwrap().iter().map(pair).collect()
    }

    /// Waits until every flow has met the table in force: two more rounds of the capture.
    pub(crate) fn settle(&self) {
        let wanted = self.count("rx") + 4 * u64::from(FLOWS);
        self.until("counters", |counters| counters["rx"].as_u64() >= Some(wanted));
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(name, self.child.as_ref().unwrap());
    }

    /// Ends it in order; what it said on stderr, and its report. Everything is accounted for.
    pub(crate) fn stop(&mut self) -> (String, Value) {
        self.signal("TERM");
        let output = self.child.take().unwrap().wait_with_output().unwrap();
        let told = text(&output.stderr);
        assert!(output.status.success(), "{told}");
        let report = self.bench.json("r.json");
        assert_eq!((&report["mbufs_leaked"], &report["allocations_after_start"]), (&0.into(), &0.into()));
        (told, report)
    }

    /// The same, and nothing was dropped.
    pub(crate) fn end(&mut self) -> String {
        let (told, report) = self.stop();
        let counters = &report["counters"];
        assert_eq!(counters["rx"], counters["tx"], "{told}");
        let drops = counters.as_object().unwrap().iter().filter(|(name, _)| name.starts_with("drop."));
        assert!(drops.into_iter().all(|(_, count)| *count == 0), "{counters}");
        told
    }
}

/// Sends a process a signal, such as `TERM`.
pub(crate) fn signal(name: &str, child: &Child) {
    assert!(
        Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap().success()
    );
}
