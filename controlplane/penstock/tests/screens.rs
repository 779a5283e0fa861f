//! `penstock top` and the figures for Prometheus, of a running box under traffic: a capture that comes again and
//! again without end.
#![cfg(feature = "dpdk")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use common::{Bench, CONFIG, mixture};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

/// A box that runs until this is dropped.
struct Running<'b>(&'b Bench, Child);

impl<'b> Running<'b> {
    fn start(bench: &'b Bench) -> Self {
        Self(bench, bench.command("run --config site.toml").spawn().unwrap())
    }

    /// One scrape, once there are figures.
    fn scrape(&self, port: u16) -> String {
        let start = Instant::now();
        loop {
            let page = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
                stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n")?;
                let mut response = String::new();
                stream.read_to_string(&mut response).map(|_| response)
            });
            match page {
                Ok(page) if page.starts_with("HTTP/1.1 200 ") => {
                    return page.split_once("\r\n\r\n").unwrap().1.to_owned();
                }
                _ => assert!(start.elapsed() < PATIENCE, "no figures: {page:?}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // In order, so that the socket goes with it.
        let _ = Command::new("kill").args(["-TERM", &self.1.id().to_string()]).status();
        let _ = self.1.wait();
        let _ = std::fs::remove_file(self.0.path("c.sock"));
    }
}

fn configure(bench: &Bench, more: &str) {
    bench.capture("in.pcap", &mixture(1100), 1000);
    let head = "[node]\nmac = \"02:00:00:00:00:01\"\ncontrol = \"c.sock\"\n";
    let port = "[[port]]\nname = \"lan0\"\ndevice = \"net_pcap0,rx_pcap=in.pcap,infinite_rx=1\"\n";
    std::fs::write(bench.path("site.toml"), format!("{head}{CONFIG}{port}{more}")).unwrap();
}

/// A TCP port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// The page by sample: name and labels to value, as the reference parser reads it.
fn parsed(page: &str) -> BTreeMap<String, f64> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../metrics/tests/parse.py");
    let mut child = Command::new("/usr/bin/python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "python3-prometheus-client refuses this:\n{page}");
    let sample = |line: &str| {
        let fields: Vec<Value> = serde_json::from_str(line).unwrap();
        let labels: Vec<String> =
            fields[4].as_object().unwrap().iter().map(|(name, text)| format!("{name}={text}")).collect();
        (format!("{}{{{}}}", fields[3].as_str().unwrap(), labels.join(",")), fields[5].as_f64().unwrap())
    };
    String::from_utf8(output.stdout).unwrap().lines().map(sample).collect()
}

/// The metrics that the board's expressions name.
fn board() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf/grafana/penstock.json");
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str::<Value>(&text).unwrap();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("penstock_")).map(str::to_owned).collect()
}

#[test]
fn a_running_box_gives_prometheus_every_figure_that_the_board_asks_for() {
    let bench = Bench::new();
    let port = free_port();
    configure(&bench, &format!("[metrics]\nlisten = \"127.0.0.1:{port}\"\n"));
    let running = Running::start(&bench);
    let first = parsed(&running.scrape(port));
    let rx = "penstock_rx_total{}";
    let start = Instant::now();
    let later = loop {
        let later = parsed(&running.scrape(port));
        if later[rx] > first[rx] && later["penstock_service_packets_total{service=\"http\"}"] > 0.0 {
            break later;
        }
        assert!(start.elapsed() < PATIENCE, "nothing moves: {later:?}");
    };
    // The sum law, on the page, and each worker's part of it.
    let sum = |name: &str| -> f64 {
        let of = |(sample, value): (&String, &f64)| sample.starts_with(name).then_some(*value);
        later.iter().filter_map(of).sum()
    };
    assert_eq!(
        later[rx] + sum("penstock_made_total{"),
        sum("penstock_tx_total{") + sum("penstock_drop_total{") + sum("penstock_punt_total{")
    );
    assert_eq!(later[rx], sum("penstock_worker_rx_total{"));
    assert!(sum("penstock_drop_total{reason=\"no_service\"") > 0.0, "the mixture has some");
    assert!(sum("penstock_real_packets_total{") > 0.0 && sum("penstock_port_rx_packets_total{") > 0.0);
    // A family without a sample is told of as well: this box has no twin.
    let page = running.scrape(port);
    let counter =
        |line: &str| Some(format!("{}_total", line.strip_prefix("# TYPE ")?.strip_suffix(" counter")?));
    let told: Vec<String> = page.lines().filter_map(counter).collect();
    let samples = later.keys().filter_map(|sample| sample.split('{').next());
    let there: BTreeSet<&str> = samples.chain(told.iter().map(String::as_str)).collect();
    let asked = board();
    let missing: Vec<_> = asked.iter().filter(|name| !there.contains(name.as_str())).collect();
    assert!(asked.len() > 30 && missing.is_empty(), "{missing:?} of {asked:?}");
}

#[test]
fn an_address_that_is_taken_is_told_and_nothing_is_forwarded() {
    let bench = Bench::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    configure(&bench, &format!("[metrics]\nlisten = \"{address}\"\n"));
    let told = bench.bad("run --config site.toml", 1);
    let told = told.lines().last().unwrap();
    assert!(
        told.contains(&format!("metrics.listen {address}: ")) && told.contains("a port that is free"),
        "{told}"
    );
}

/// `penstock top` on a terminal of its own, by script(1), of every Debian.
struct Screen {
    child: Child,
    keys: ChildStdin,
    news: Receiver<String>,
    /// What came over the terminal and has not been looked at.
    shown: String,
}

impl Screen {
    fn open(bench: &Bench) -> Self {
        let top = format!("{} top --socket c.sock --interval 0.2", env!("CARGO_BIN_EXE_penstock"));
        let mut child = Command::new("script")
            .args([
                "--quiet",
                "--return",
                "--command",
                &format!("stty rows 24 cols 80; exec {top}"),
                "/dev/null",
            ])
            .env("TERM", "xterm-256color")
            .current_dir(bench.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (keys, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (tell, news) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut chunk) {
                if tell.send(String::from_utf8_lossy(&chunk[..read]).into_owned()).is_err() {
                    break;
                }
            }
        });
        Self { child, keys, news, shown: String::new() }
    }

    /// Waits until this is drawn; what was drawn up to there is forgotten.
    fn until(&mut self, text: &str) {
        let start = Instant::now();
        loop {
            if let Some(at) = self.shown.find(text) {
                self.shown.drain(..at + text.len());
                return;
            }
            match self.news.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
                Ok(more) => self.shown.push_str(&more),
                Err(RecvTimeoutError::Timeout) => panic!("{text} is not drawn: {}", self.shown),
                Err(RecvTimeoutError::Disconnected) => panic!("it has ended before {text}: {}", self.shown),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Only what changes is drawn, blanks too, so a word is looked for and not a line; the ● stands before "live".
#[test]
fn the_screen_waits_for_a_box_follows_it_and_finds_it_again() {
    let bench = Bench::new();
    configure(&bench, "");
    let mut screen = Screen::open(&bench);
    screen.until("running?");
    let running = Running::start(&bench);
    screen.until("●");
    screen.until("http");
    screen.press("3");
    screen.until("web-1");
    drop(running);
    screen.until("ANSWER");
    let _running = Running::start(&bench);
    screen.until("●");
    screen.press("q");
    screen.until("\x1b[?1049l");
    let status = screen.child.wait().unwrap();
    assert!(status.success(), "{status}");
}

#[test]
fn where_there_is_no_terminal_it_says_what_there_is_instead() {
    let bench = Bench::new();
    let told = bench.sentence("top --socket c.sock");
    assert!(told.contains("no terminal") && told.contains("penstock show"), "{told}");
}

/// A library that reads a terminal which is gone may do so for ever.
#[test]
fn the_screen_ends_with_its_terminal() {
    let bench = Bench::new();
    let line = format!(
        "echo $$ > pid && exec {} top --socket none.sock --interval 0.2",
        env!("CARGO_BIN_EXE_penstock")
    );
    let mut terminal = Command::new("script")
        .args(["--quiet", "--command", &line, "/dev/null"])
        .env("TERM", "xterm")
        .current_dir(bench.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown = terminal.stdout.take().unwrap();
    let mut seen = Vec::new();
    let mut piece = [0; 4096];
    // The alternate screen: it has taken the terminal.
    while !seen.windows(8).any(|bytes| bytes == b"\x1b[?1049h") {
        let len = shown.read(&mut piece).unwrap();
        assert!(len > 0, "it ended: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&piece[..len]);
    }
    let pid = std::fs::read_to_string(bench.path("pid")).unwrap();
    let process = Path::new("/proc").join(pid.trim());
    let is_there =
        || std::fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "penstock");
    assert!(is_there());
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    let start = Instant::now();
    while is_there() {
        if start.elapsed() > PATIENCE {
            let _ = Command::new("kill").args(["-KILL", pid.trim()]).status();
            panic!("it goes on without a terminal");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
