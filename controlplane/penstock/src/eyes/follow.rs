//! `penstock capture`: packets of a running box into a pcapng file, each with what was decided about it.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ctl::{Client, Deed};

use crate::client::Socket;
use crate::eyes::capture::compile;
use crate::eyes::tally::Tally;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::{Output, place};

/// How long to wait for packets before looking for Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(50);

/// Options of `capture`.
#[derive(Debug, Args)]
pub(crate) struct CaptureOptions {
    /// Which packets, as a pcap-filter expression, in one word or several [default: all].
    #[arg(value_name = "FILTER")]
    filter: Vec<String>,
    /// Only packets that are dropped.
    #[arg(long)]
    drops: bool,
    /// End after so many packets [default: at Ctrl-C].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Where to write them, as pcapng; `-` is standard output.
    #[arg(short, long, value_name = "FILE", value_parser = place)]
    output: PathBuf,
    #[command(flatten)]
    socket: Socket,
}

/// Captures until the count is reached, Ctrl-C, or the box ends.
pub(crate) fn capture(options: &CaptureOptions) -> Result<(), Failure> {
    let interrupt = Interrupt::watch()?;
    let filter = match options.filter.join(" ") {
        all if all.trim().is_empty() => Vec::new(),
        expression => compile(&expression)?.0.into_iter().map(filter::Insn::to_bits).collect(),
    };
    let mut out = Output::create(&options.output)?;
    let wish = ctl::Capture { filter, drops: options.drops, count: options.count };
    let (_, mut following) = Client::connect(&options.socket.path)
        .and_then(|client| client.follow(Deed::Capture(wish)))
        .map_err(|error| Failure::new(error.to_string()))?;
    let (mut tally, mut piece, mut is_told) = (Tally::default(), vec![0; 1 << 16], false);
    loop {
        if interrupt.has_come() && !is_told {
            is_told = true;
            // A box that has gone has had enough, too.
            let _ = following.enough();
        }
        let read = match following.read(&mut piece, PATIENCE) {
            Ok(0) => break,
            Ok(read) => piece.get(..read).unwrap_or_default(),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                continue;
            }
            Err(error) => return Err(Failure::new(format!("the capture broke off: {error}"))),
        };
        tally.take(read);
        out.put(read)?;
        out.flush()?;
    }
    out.finish()?;
    match tally.lost() {
        Some(lost) => tracing::info!("{} packets, {lost} more were lost", tally.packets()),
        None => tracing::warn!("{} packets; the box ended before the capture did", tally.packets()),
    }
    Ok(())
}
