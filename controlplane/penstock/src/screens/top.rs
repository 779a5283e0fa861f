//! `penstock top`: asks a running box how it stands, again and again, and shows it.

use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use ctl::{Answer, AskError, Client, Deed, Show, View};
use top::News;

use crate::client::Socket;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// Options of `top`.
#[derive(Debug, Args)]
pub(crate) struct TopOptions {
    #[command(flatten)]
    socket: Socket,
    /// Seconds between two pictures, 0.2 to 60.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = interval)]
    interval: f64,
}

fn interval(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.2..=60.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds from 0.2 to 60".to_owned()),
    }
}

/// Shows the screen until a key or a signal ends it.
pub(crate) fn top(options: &TopOptions) -> Result<(), Failure> {
    let interrupt = Interrupt::watch_but_hangup()?;
    let interval = Duration::from_secs_f64(options.interval);
    let (tell, news) = mpsc::channel();
    let socket = options.socket.path.clone();
    // On a thread of its own: keys are answered while the box takes its time.
    thread::Builder::new()
        .name("asks".to_owned())
        .spawn(move || ask_on(&socket, interval, &tell))
        .map_err(|error| Failure::new(format!("no thread can be had: {error}")))?;
    top::show(&options.socket.path.display().to_string(), &news, interval, || interrupt.has_come())
        .map_err(|error| Failure::new(error.to_string()))
}

/// Asks once an interval, and connects anew when the connection is gone, until nobody listens.
fn ask_on(socket: &Path, interval: Duration, tell: &Sender<News>) {
    let mut client = None;
    let mut next = Instant::now();
    loop {
        let news = match ask(&mut client, socket) {
            Ok(news) => news,
            Err(error) => {
                client = None;
                News::Lost(error.to_string())
            }
        };
        if tell.send(news).is_err() {
            return;
        }
        // The box closes a connection that asks nothing for so long: whoever asks rarely connects each time.
        if interval * 2 >= ctl::PATIENCE {
            client = None;
        }
        next += interval;
        let now = Instant::now();
        if next < now {
            // The box took longer than an interval: it is not asked twice for that.
            next = now;
        }
        thread::sleep(next.saturating_duration_since(now));
    }
}

fn ask(client: &mut Option<Client>, socket: &Path) -> Result<News, AskError> {
    let connected = match client.take() {
        Some(connected) => connected,
        None => Client::connect(socket)?,
    };
    let show = Show { what: View::All, service: None, real: None, limit: None };
    match client.insert(connected).ask(Deed::Show(show))? {
        Answer::All(snapshot) => Ok(News::Snapshot(snapshot)),
        _ => Ok(News::Lost(format!("{}: the answer is to another question", socket.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::interval;

    #[test]
    fn an_interval_is_neither_a_storm_nor_an_hour() {
        assert_eq!((interval("0.2"), interval("60")), (Ok(0.2), Ok(60.0)));
        for wrong in ["0", "-1", "61", "NaN", "soon", ""] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }
}
