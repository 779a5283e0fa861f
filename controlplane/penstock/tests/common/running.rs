//! A `penstock run` on a port that plays one capture again and again without end, and the commands that talk to
//! it.

use std::collections::BTreeMap;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Bench, tcp, text};

/// Flows of the capture: each is one established TCP connection.
pub(crate) const FLOWS: u16 = 200;

const PATIENCE: Duration = Duration::from_secs(60);

/// A running box, killed should a test end early.
pub(crate) struct Running {
    pub(crate) bench: Bench,
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
    pub(crate) fn start(site: &str) -> Self {
        let bench = Bench::new();
        let frames: Vec<_> = (0..FLOWS).map(|client| tcp(client, [198, 51, 100, 1], 80, 0x10, 9)).collect();
        bench.capture("in.pcap", &frames, 1000);
        let mut running = Self { bench, child: None };
        running.write(site);
        running.spawn();
        running
    }

    pub(crate) fn write(&self, site: &str) {
        std::fs::write(self.bench.path("site.toml"), site).unwrap();
    }

    pub(crate) fn spawn(&mut self) {
        self.child = Some(self.bench.command("run --config site.toml --report r.json").spawn().unwrap());
        // Flows are read as they are, counters as they stood at the last tick.
        self.until("counters", |counters| counters["rx"].as_u64() > Some(0));
        self.until("flows", |flows| {
            flows["rows"].as_array().is_some_and(|rows| rows.len() == usize::from(FLOWS))
        });
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
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Ends it in order; what it said on stderr. Nothing was lost, and everything is accounted for.
    pub(crate) fn end(&mut self) -> String {
        self.signal("TERM");
        let output = self.child.take().unwrap().wait_with_output().unwrap();
        let told = text(&output.stderr);
        assert!(output.status.success(), "{told}");
        let counters = &self.bench.json("r.json")["counters"];
        assert_eq!(counters["rx"], counters["tx"], "{told}");
        let drops = counters.as_object().unwrap().iter().filter(|(name, _)| name.starts_with("drop."));
        assert!(drops.into_iter().all(|(_, count)| *count == 0), "{counters}");
        told
    }
}
