//! The whole path beside `dpdk-testpmd`, in one run: same driver, capture, mbufs, descriptors, burst and
//! core; modes alternate, every figure is packets by CPU time of the one thread that moved them. Then the
//! path on the in-memory port, Maglev, and the memory of a flow. See benches/README.md.
#![forbid(unsafe_code)]

mod ours;
mod proof;
mod setting;
mod testpmd;

use std::path::{Path, PathBuf};
use std::time::Duration;

use benches::flows_capture::{self, FLOWS, FRAME_BYTES};
use benches::scenario::spread;
use clap::Parser;
use serde_json::{Value, json};

use crate::setting::Setting;
use crate::testpmd::{Run, Testpmd};

/// What runs before the clock does.
const WARM_UP: Duration = Duration::from_millis(50);

/// Prints the table and writes the JSON of benches/README.md.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rounds; a median of fewer than 7 is not worth much.
    #[arg(default_value_t = 7)]
    rounds: usize,
    /// Packets in one burst, testpmd's and ours.
    #[arg(long, default_value_t = 64)]
    burst: usize,
    /// Milliseconds that testpmd forwards for each figure.
    #[arg(long, default_value_t = 700)]
    millis: u64,
    /// Packets that we forward for each figure.
    #[arg(long, default_value_t = 20_000_000)]
    packets: u64,
    /// Where the figures go.
    #[arg(long, default_value = "target/side-by-side.json")]
    json: PathBuf,
    /// Only writes the capture there, for runs by hand.
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// Only what is measured beside testpmd.
    #[arg(long)]
    port_only: bool,
}

/// Who is measured on the port, in the order of the table.
const RUNNERS: [Runner; 10] = [
    Runner::Testpmd("io"),
    Runner::OurPort,
    Runner::Testpmd("macswap"),
    Runner::Testpmd("5tswap"),
    Runner::OurBarePath,
    Runner::OurPath,
    Runner::OurCaptured("nothing"),
    Runner::OurCaptured("all"),
    Runner::OurCaptured("unread"),
    Runner::Testpmd("csum"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    Testpmd(&'static str),
    OurPort,
    OurBarePath,
    OurPath,
    /// With a capture going on, as `pcap-path --capturing` names it.
    OurCaptured(&'static str),
}

impl Runner {
    fn name(self) -> String {
        match self {
            Self::Testpmd(mode) => format!("testpmd {mode}"),
            Self::OurPort => "penstock, port alone".to_owned(),
            Self::OurBarePath => "penstock, bare path".to_owned(),
            Self::OurPath => "penstock, whole path".to_owned(),
            Self::OurCaptured(what) => format!("capturing, {what}"),
        }
    }
}

/// A folder that goes when the run ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("penstock-side-by-side-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn main() -> Result<(), String> {
    let arguments = Arguments::parse();
    if let Some(path) = &arguments.capture {
        return flows_capture::write(path).map_err(|error| error.to_string());
    }
    if arguments.rounds == 0 {
        return Err("no rounds, no figures".to_owned());
    }
    let folder = Folder::new()?;
    let setting = Setting::new(arguments.burst);
    println!("{}; {}; bursts of {}", machine(), setting.memory(), setting.burst);
    let port = on_port(&arguments, &setting, &folder.0)?;
    let mut all = json!({ "machine": machine(), "net_pcap": port });
    if !arguments.port_only {
        println!("\nThe path alone, on the in-memory port:");
        let rounds = arguments.rounds.to_string();
        let path = ours::with_file("path", &[&rounds], &folder.0)?;
        println!();
        let figures = ours::with_file("figures", &["--rounds", &rounds], &folder.0)?;
        if let Some(all) = all.as_object_mut() {
            all.insert("memory_port".to_owned(), path);
            all.insert("figures".to_owned(), figures);
        }
    }
    let text = serde_json::to_string_pretty(&all).map_err(|error| error.to_string())?;
    std::fs::write(&arguments.json, text)
        .map_err(|error| format!("{}: {error}", arguments.json.display()))?;
    println!("\nwritten: {}", arguments.json.display());
    Ok(())
}

/// Everybody on net_pcap, in alternating rounds.
fn on_port(arguments: &Arguments, setting: &Setting, folder: &Path) -> Result<Value, String> {
    for runner in RUNNERS {
        if let Runner::Testpmd(mode) = runner {
            proof::prove(setting, mode, folder)?;
        }
    }
    let capture = folder.join("flows.pcap");
    flows_capture::write(&capture).map_err(|error| error.to_string())?;
    let device = format!("net_pcap0,rx_pcap={},infinite_rx=1", capture.display());
    let mut mpps: Vec<(Runner, Vec<f64>)> = RUNNERS.map(|runner| (runner, Vec::new())).into();
    for round in 0..arguments.rounds {
        // A new process each round, for where memory comes to lie is part of the noise; another first one,
        // so that nobody always runs after the same neighbour.
        let mut testpmd = Testpmd::start(setting, &device)?;
        mpps.rotate_left(usize::from(round > 0));
        for (runner, figures) in &mut mpps {
            let run = match runner {
                Runner::Testpmd(mode) => {
                    testpmd.choose(mode)?;
                    testpmd.run(WARM_UP)?;
                    testpmd.run(Duration::from_millis(arguments.millis))?
                }
                Runner::OurPort => ours::on_port(setting, &capture, arguments.packets, &["--port-only"])?,
                Runner::OurBarePath => ours::on_port(setting, &capture, arguments.packets, &["--bare"])?,
                Runner::OurPath => ours::on_port(setting, &capture, arguments.packets, &[])?,
                Runner::OurCaptured(what) => {
                    ours::on_port(setting, &capture, arguments.packets, &["--capturing", what])?
                }
            };
            figures.push(rate(run));
        }
        testpmd.quit()?;
    }
    mpps.sort_by_key(|(runner, _)| RUNNERS.iter().position(|one| one == runner));
    print_table(&mpps);
    Ok(to_json(setting, arguments, &mpps))
}

/// Packets per microsecond of CPU time: millions per second.
#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
fn rate(run: Run) -> f64 {
    run.packets as f64 * 1000.0 / run.cpu_nanos as f64
}

/// Our whole path over one of testpmd's modes, round by round.
fn ratios(mpps: &[(Runner, Vec<f64>)], mode: &str) -> Vec<f64> {
    let of = |wanted: &dyn Fn(Runner) -> bool| {
        mpps.iter().find(|(runner, _)| wanted(*runner)).map_or(&[][..], |(_, figures)| figures)
    };
    let ours = of(&|runner| runner == Runner::OurPath);
    let theirs = of(&|runner| matches!(runner, Runner::Testpmd(name) if name == mode));
    ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
}

fn print_table(mpps: &[(Runner, Vec<f64>)]) {
    println!("{FLOWS} packets of {FRAME_BYTES} bytes, one a flow, over and over: they are hot in the cache.");
    println!(
        "{:<24} {:>8} {:>8} {:>8}   {:>8} {:>8} {:>8}",
        "", "Mpps min", "median", "max", "ns min", "median", "max"
    );
    for (runner, figures) in mpps {
        let [min, median, max] = spread(figures);
        let nanos = figures.iter().map(|rate| 1000.0 / rate).collect::<Vec<_>>();
        let [least, middle, most] = spread(&nanos);
        let name = runner.name();
        println!("{name:<24} {min:>8.1} {median:>8.1} {max:>8.1}   {least:>8.1} {middle:>8.1} {most:>8.1}");
    }
    for over in ["csum", "5tswap"] {
        let [min, median, max] = spread(&ratios(mpps, over));
        println!("whole path / testpmd {over}, paired: {median:.2} ({min:.2} to {max:.2})");
    }
}

fn to_json(setting: &Setting, arguments: &Arguments, mpps: &[(Runner, Vec<f64>)]) -> Value {
    let rows: Vec<Value> = mpps
        .iter()
        .map(|(runner, figures)| json!({ "name": runner.name(), "mpps": spread(figures), "rounds": figures }))
        .collect();
    json!({
        "rounds": arguments.rounds,
        "capture": format!("{FLOWS} flows, {FRAME_BYTES} bytes each, hot in the cache"),
        "memory": setting.memory(),
        "burst": setting.burst,
        "mbuf_size": setting.mbuf_size,
        "cache": setting.cache,
        "descriptors": setting.descriptors,
        "rows": rows,
        "ratio_to_csum": spread(&ratios(mpps, "csum")),
        "ratio_to_5tswap": spread(&ratios(mpps, "5tswap")),
    })
}

fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{}, {cores} cores", model.map_or("unknown CPU", |(_, name)| name))
}
