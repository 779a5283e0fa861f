//! The command line of the commands that talk to a running box.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How a running box is reached.
#[derive(Debug, Args)]
pub(crate) struct Socket {
    /// The control socket of the running box: its `node.control`.
    #[arg(long = "socket", value_name = "PATH", default_value = conf::defaults::CONTROL)]
    pub(crate) path: PathBuf,
}

/// Options of `show`.
#[derive(Debug, Args)]
pub(crate) struct ShowOptions {
    /// What to show.
    #[arg(value_enum)]
    pub(crate) what: View,
    /// Only this service's: of services, reals and flows.
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Only this real's: of reals and flows.
    #[arg(long, value_name = "NAME")]
    pub(crate) real: Option<String>,
    /// At most so many rows.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
    /// As JSON: an object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Again and again, every so many seconds, until Ctrl-C.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1", value_parser = seconds)]
    pub(crate) watch: Option<f64>,
    #[command(flatten)]
    pub(crate) socket: Socket,
}

/// What can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum View {
    /// Every counter by name; those at 0 with --json only.
    Counters,
    /// Packets and bytes of each service.
    Services,
    /// State, weights, packets and bytes of each real.
    Reals,
    /// What each rule asks for and does, and packets and bytes that it decided about.
    Rules,
    /// The flows in the tables.
    Flows,
    /// What each worker does.
    Workers,
    /// What each port's driver counted.
    Ports,
    /// Pools and services of the forwarding table.
    Table,
    /// Which table is in force, and since when.
    Generation,
    /// The last verdicts of each worker, unless `penstock run --no-recorder` keeps none.
    Recorder,
}

/// Options of `reload`.
#[derive(Debug, Args)]
pub(crate) struct ReloadOptions {
    /// The configuration to apply: the box reads it, as the user that it runs as, so a service finds it in
    /// /etc/penstock and not in anybody's home [default: the file that `penstock run` was started with].
    #[arg(long, value_name = "CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Only say what would change.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) socket: Socket,
}

/// Options of `drain`, `undrain`, `down` and `up`.
#[derive(Debug, Args)]
pub(crate) struct RealOptions {
    /// The real's name.
    #[arg(value_name = "REAL")]
    pub(crate) real: String,
    #[command(flatten)]
    pub(crate) socket: Socket,
}

/// Options of `weight`.
#[derive(Debug, Args)]
pub(crate) struct WeightOptions {
    /// The real's name.
    #[arg(value_name = "REAL")]
    pub(crate) real: String,
    /// Its share of new flows, 0 to 65535, or `file` for what the configuration says.
    #[arg(value_name = "N", allow_negative_numbers = true, value_parser = Weight::parse)]
    pub(crate) weight: Weight,
    /// In this pool only [default: in all that it is a member of].
    #[arg(long, value_name = "POOL")]
    pub(crate) pool: Option<String>,
    #[command(flatten)]
    pub(crate) socket: Socket,
}

/// A weight; none is the file's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weight(pub(crate) Option<u32>);

impl Weight {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "file" => Ok(Self(None)),
            number => match number.parse() {
                Ok(weight @ 0..=65_535) => Ok(Self(Some(weight))),
                _ => Err("give a weight from 0 to 65535, or file".to_owned()),
            },
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds from 0.1 to 86400".to_owned()),
    }
}
