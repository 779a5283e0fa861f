//! The screen over a made-up box: `cargo run -p top --example fake [bad]`. For whoever changes what it looks like.
#![allow(clippy::cast_possible_truncation, reason = "milliseconds of one sitting")]

#[path = "../tests/fake/mod.rs"]
mod fake;

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use fake::{Fake, Night};
use top::{News, show};

fn main() -> std::io::Result<()> {
    let night = if std::env::args().any(|word| word == "bad") { Night::Bad } else { Night::Quiet };
    let large = std::env::args().any(|word| word == "large");
    let usual = Fake { night, ..Fake::USUAL };
    let fake = if large { Fake { services: 100, reals: 400, workers: 8, ..usual } } else { usual };
    let (tell, news) = mpsc::channel();
    let start = Instant::now();
    thread::spawn(move || {
        // A minute and a half has passed already, so that there are trends.
        let past = (0..90).map(|second| second * 1000);
        let _ = past.map(|ms| tell.send(News::Snapshot(Box::new(fake.at(ms))))).all(|sent| sent.is_ok());
        loop {
            let ms = 90_000 + start.elapsed().as_millis() as u64;
            if tell.send(News::Snapshot(Box::new(fake.at(ms)))).is_err() {
                return;
            }
            thread::sleep(Duration::from_secs(1));
        }
    });
    show("a made-up box", &news, Duration::from_secs(1), || false)
}
