//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::client::{RealOptions, ReloadOptions, ShowOptions, WeightOptions};
use crate::eyes::explain::ExplainOptions;
use crate::eyes::follow::CaptureOptions;
use crate::limits::{LOOPS_MAX, WORKERS_MAX};
use crate::moving::doctor::DoctorOptions;
use crate::moving::import::ImportOptions;
use crate::moving::pages::PagesOptions;
use crate::screens::top::TopOptions;

/// How long an operator's word stands.
const RULE: &str = "Your word stands until you take it back (undrain, weight REAL file), until the configuration \
                    changes that same key of that real, or until the real goes: over reloads always, over \
                    restarts where node.numbers is set.";

/// A service-level router: many servers behind one address.
#[derive(Debug, Parser)]
#[command(name = "penstock", version, propagate_version = true)]
pub(crate) struct Cli {
    /// How the log is written to stderr.
    #[arg(long, global = true, value_enum, value_name = "FORM", default_value_t = Log::default())]
    pub(crate) log: Log,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a configuration and say in words what it changes.
    Check(CheckOptions),
    /// Send a capture through the packet path.
    Replay(ReplayOptions),
    /// Write packets of a running box to a file, each with what was decided about it.
    Capture(CaptureOptions),
    /// Walk one packet through every decision, in words.
    Explain(ExplainOptions),
    /// Forward packets on live ports until a signal comes.
    Run(RunOptions),
    /// Say how a running box stands.
    Show(ShowOptions),
    /// Have a running box read its configuration again, as SIGHUP does; the plan is printed.
    Reload(ReloadOptions),
    /// Have a real keep its flows and take no new ones.
    #[command(after_help = RULE)]
    Drain(RealOptions),
    /// Take back `drain`, `down`, `fail` or `up`: the real is as the configuration says.
    #[command(after_help = RULE)]
    Undrain(RealOptions),
    /// Take a real out: its flows are given another.
    #[command(after_help = RULE)]
    Down(RealOptions),
    /// Take a real out because it does not answer: as `down`, but where too little of a pool is up
    /// (`panic_percent`), it counts as up all the same.
    #[command(after_help = RULE)]
    Fail(RealOptions),
    /// Have a real take new flows, whatever the configuration says.
    #[command(after_help = RULE)]
    Up(RealOptions),
    /// Give a real another share of new flows.
    #[command(after_help = RULE)]
    Weight(WeightOptions),
    /// Watch a running box on one screen: rates, trends, and what is wrong.
    Top(TopOptions),
    /// Turn another balancer's configuration into one of Penstock.
    ///
    /// The output passes `penstock check` as it stands. What has no counterpart is told in a comment, `# no
    /// counterpart: …`, where it would be; what the old file cannot know is an example under `# FILL IN: …`.
    Import(ImportOptions),
    /// Look at this machine: what is wrong, and the command that mends it.
    ///
    /// Nothing is changed. Status 1 if something is wrong, that is, if `penstock run` would not start or
    /// would lose packets; a hint is no failure.
    Doctor(DoctorOptions),
    /// Write manual pages and shell completions.
    #[command(hide = true)]
    Pages(PagesOptions),
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Log {
    /// For a person: a level and a sentence a line.
    #[default]
    Text,
    /// For a machine: a JSON object a line, with its time; a failure too.
    Json,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// The configuration to check.
    #[arg(long, value_name = "CONFIG")]
    pub(crate) config: PathBuf,
    /// The configuration that it would replace.
    #[arg(long, value_name = "OLD")]
    pub(crate) against: Option<PathBuf>,
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayOptions {
    /// The configuration to forward by.
    #[arg(long, value_name = "CONFIG")]
    pub(crate) config: PathBuf,
    /// The capture to send through: pcap or pcapng, of Ethernet frames.
    #[arg(long = "in", value_name = "IN")]
    pub(crate) input: PathBuf,
    /// Where to write what was transmitted, as pcap, in the order and with the times of the input.
    #[arg(long, value_name = "OUT")]
    pub(crate) out: Option<PathBuf>,
    /// What the packets travel through. Both give the same OUT.
    #[arg(long, value_enum, default_value_t = Backend::default())]
    pub(crate) backend: Backend,
    /// Worker lcores, 1 to 128 [default: as configured].
    ///
    /// Flows are spread over them as a NIC does it (Toeplitz). OUT is the same for any number, except for
    /// what each worker has for itself: the identification of outer IPv4 headers that may be fragmented, and its part
    /// of limits, of new flows a second and of the flow table.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(WORKERS_MAX)))]
    pub(crate) workers: Option<u16>,
    /// How fast packets come: `max`, `recorded` or packets per second. It decides nothing else.
    #[arg(long, value_name = "RATE", default_value = "max", value_parser = Rate::parse)]
    pub(crate) rate: Rate,
    /// How often the capture is sent through.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=LOOPS_MAX))]
    pub(crate) loops: u64,
    /// Where to write every packet's decision, one JSON object a line.
    #[arg(long, value_name = "TRACE")]
    pub(crate) trace: Option<PathBuf>,
    /// Where to write the packets as they came, as pcapng, each with its verdict, reason, service and real as comment.
    #[arg(long, value_name = "CAPTURE")]
    pub(crate) capture: Option<PathBuf>,
    /// Capture only packets that match this pcap-filter expression.
    #[arg(long, value_name = "EXPRESSION", requires = "capture")]
    pub(crate) capture_filter: Option<String>,
    /// Capture only packets that are dropped.
    #[arg(long, requires = "capture")]
    pub(crate) capture_drops: bool,
    /// Where to write the report as JSON.
    #[arg(long, value_name = "REPORT")]
    pub(crate) report: Option<PathBuf>,
    /// Where to write the report as one page of HTML.
    #[arg(long, value_name = "HTML")]
    pub(crate) html: Option<PathBuf>,
    /// Packets that are decided together, 1 to 64: for tests, for it changes no decision.
    #[arg(long, value_name = "N", hide_short_help = true, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) burst: u16,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// The configuration to forward by; its ports are the live ones.
    #[arg(long, value_name = "CONFIG")]
    pub(crate) config: PathBuf,
    /// End after so many packets were received.
    #[arg(long, value_name = "N")]
    pub(crate) packets: Option<u64>,
    /// End after so many seconds.
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub(crate) duration: Option<f64>,
    /// Where to write the counters as JSON at the end.
    #[arg(long, value_name = "REPORT")]
    pub(crate) report: Option<PathBuf>,
    /// Do not keep the last 1,024 verdicts of each worker, which `show recorder` shows and the log gets should a worker
    /// break off. Keeping them costs some nanosecond a packet.
    #[arg(long)]
    pub(crate) no_recorder: bool,
}

/// What packets travel through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// Real DPDK ports (net_ring) and mbufs.
    #[cfg_attr(feature = "dpdk", default)]
    Dpdk,
    /// Our own port in memory.
    #[cfg_attr(not(feature = "dpdk"), default)]
    Memory,
}

impl Backend {
    /// Its name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dpdk => "dpdk",
            Self::Memory => "memory",
        }
    }
}

/// How fast packets come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rate {
    /// As fast as they are taken.
    Max,
    /// At the capture's own times.
    Recorded,
    /// So many a second.
    PerSecond(f64),
}

impl Rate {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "max" => Ok(Self::Max),
            "recorded" => Ok(Self::Recorded),
            number => match number.parse() {
                Ok(rate) if (1e-3..=1e9).contains(&rate) => Ok(Self::PerSecond(rate)),
                _ => Err("give max, recorded, or packets per second from 0.001 to 1000000000".to_owned()),
            },
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=1e9).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds from 0 to 1000000000".to_owned()),
    }
}

/// Logs go to stderr; `PENSTOCK_LOG` says which (`debug`, `warn`, …), from `info` on where it does not.
pub(crate) fn log(form: Log) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("PENSTOCK_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(false);
    // There is no other subscriber: this is called once, first thing.
    let _ = match form {
        Log::Text => tracing::subscriber::set_global_default(lines.without_time().finish()),
        Log::Json => tracing::subscriber::set_global_default(lines.json().flatten_event(true).finish()),
    };
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Cli, Rate, seconds};

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_rate_is_a_word_or_a_positive_number() {
        assert_eq!(Rate::parse("max"), Ok(Rate::Max));
        assert_eq!(Rate::parse("recorded"), Ok(Rate::Recorded));
        assert_eq!(Rate::parse("1.5e6"), Ok(Rate::PerSecond(1.5e6)));
        for wrong in ["", "0", "-1", "NaN", "inf", "fast", "1e99"] {
            assert!(Rate::parse(wrong).is_err(), "{wrong}");
        }
        assert!(seconds("0.5").is_ok() && seconds("-1").is_err() && seconds("NaN").is_err());
    }
}
