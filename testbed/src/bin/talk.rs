//! talk answer NAME ADDRESS:PORT...    answers questions over UDP and TCP, with its name
//! talk ask ADDRESS:PORT...            keeps asking, until SIGTERM; then says how it went, as JSON, and fails if
//!                                     anything was lost or moved
//!
//! Each flow asks one question after the other and never two at once, so no queue on the way can overflow:
//! a question over UDP that is not answered was lost. A flow whose answers change their name was moved. Beside
//! flows that stay there are some that are opened anew for each question.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

/// Flows that stay, of each protocol to each address.
const FLOWS: usize = 32;
/// Between two questions of a flow.
const PAUSE: Duration = Duration::from_millis(20);
/// What takes longer does not come any more.
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["answer", name, places @ ..] => addresses(places).and_then(|places| answer(name, &places)),
        ["ask", places @ ..] => addresses(places).and_then(|places| ask(&places)),
        _ => Err("talk answer NAME ADDRESS:PORT... or talk ask ADDRESS:PORT...".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(told) => {
            eprintln!("talk: {told}");
            ExitCode::FAILURE
        }
    }
}

fn addresses(words: &[&str]) -> Result<Vec<SocketAddr>, String> {
    if words.is_empty() {
        return Err("name an ADDRESS:PORT".to_owned());
    }
    words.iter().map(|word| word.parse().map_err(|_| format!("{word:?} is no ADDRESS:PORT"))).collect()
}

/// Answers until it is ended.
fn answer(name: &str, places: &[SocketAddr]) -> Result<(), String> {
    std::thread::scope(|scope| {
        for place in places {
            let told = |error| format!("{place}: {error}");
            let udp = UdpSocket::bind(place).map_err(told)?;
            let tcp = TcpListener::bind(place).map_err(told)?;
            scope.spawn(move || {
                let mut question = [0; 64];
                loop {
                    // What cannot be answered is missed where it was asked.
                    if let Ok((bytes, from)) = udp.recv_from(&mut question) {
                        let mut said = format!("{name} ").into_bytes();
                        said.extend(question.iter().take(bytes));
                        let _ = udp.send_to(&said, from);
                    }
                }
            });
            scope.spawn(move || {
                for stream in tcp.incoming().flatten() {
                    let name = name.to_owned();
                    std::thread::spawn(move || converse(&stream, &name));
                }
            });
        }
        Ok(())
    })
}

/// Answers line by line, until the other end closes.
fn converse(stream: &TcpStream, name: &str) {
    let mut lines = BufReader::new(stream);
    let mut question = String::new();
    while lines.read_line(&mut question).is_ok_and(|bytes| bytes > 0) {
        if (&mut &*stream).write_all(format!("{name} {question}").as_bytes()).is_err() {
            break;
        }
        question.clear();
    }
}

/// How a flow went.
#[derive(Default)]
struct Told {
    asked: u64,
    answered: u64,
    moved: u64,
    /// Who answered last.
    name: String,
    /// Why it ended early.
    broken: Option<String>,
}

impl Told {
    /// Takes an answer, "NAME QUESTION", if it is one to this question.
    fn hear(&mut self, said: &str, question: &str) -> bool {
        match said.trim_end().split_once(' ') {
            Some((name, rest)) if rest == question => {
                self.answered += 1;
                self.moved += u64::from(!self.name.is_empty() && self.name != name);
                name.clone_into(&mut self.name);
                true
            }
            _ => false,
        }
    }
}

/// Asks until SIGTERM.
fn ask(places: &[SocketAddr]) -> Result<(), String> {
    let ended = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&ended))
        .map_err(|error| format!("signals cannot be watched: {error}"))?;
    let is_ended = || ended.load(Ordering::Relaxed);
    let (stayed, fresh) = std::thread::scope(|scope| {
        let mut flows = Vec::new();
        let mut news = Vec::new();
        for &place in places {
            for _ in 0..FLOWS {
                flows.push(scope.spawn(move || over_udp(place, is_ended)));
                flows.push(scope.spawn(move || over_tcp(place, is_ended)));
            }
            news.push(scope.spawn(move || anew(place, is_ended)));
        }
        println!("asking");
        let told = |threads: Vec<std::thread::ScopedJoinHandle<'_, Told>>| -> Vec<Told> {
            threads.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
        };
        (told(flows), told(news))
    });
    let sum = |of: &[Told], part: fn(&Told) -> u64| of.iter().map(part).sum::<u64>();
    let broken: Vec<&String> = stayed.iter().chain(&fresh).filter_map(|told| told.broken.as_ref()).collect();
    println!(
        "{}",
        json!({
            "flows": stayed.len(),
            "asked": sum(&stayed, |told| told.asked),
            "answered": sum(&stayed, |told| told.answered),
            "moved": sum(&stayed, |told| told.moved),
            "asked_anew": sum(&fresh, |told| told.asked),
            "answered_anew": sum(&fresh, |told| told.answered),
            "broken": broken,
        })
    );
    let lost = |of: &[Told]| of.iter().any(|told| told.asked != told.answered);
    if lost(&stayed) || lost(&fresh) || sum(&stayed, |told| told.moved) > 0 || !broken.is_empty() {
        return Err("questions were lost, or flows were moved".to_owned());
    }
    Ok(())
}

fn over_udp(place: SocketAddr, is_ended: impl Fn() -> bool) -> Told {
    let mut told = Told::default();
    let here: IpAddr =
        if place.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let mut talk = || -> std::io::Result<()> {
        let socket = UdpSocket::bind((here, 0))?;
        socket.connect(place)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut said = [0; 128];
        while !is_ended() {
            told.asked += 1;
            let question = told.asked.to_string();
            socket.send(question.as_bytes())?;
            // An answer to an earlier question is late: that one has been counted as lost.
            loop {
                match socket.recv(&mut said) {
                    Ok(bytes) => {
                        let said =
                            String::from_utf8_lossy(said.get(..bytes).unwrap_or_default()).into_owned();
                        if told.hear(&said, &question) {
                            break;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    };
    let done = talk();
    told.broken = done.err().map(|error| format!("UDP to {place}: {error}"));
    told
}

fn over_tcp(place: SocketAddr, is_ended: impl Fn() -> bool) -> Told {
    let mut told = Told::default();
    let done = connect(place).and_then(|stream| {
        let mut lines = BufReader::new(&stream);
        while !is_ended() {
            question(&mut told, &stream, &mut lines)?;
            std::thread::sleep(PAUSE);
        }
        Ok(())
    });
    told.broken = done.err().map(|error| format!("TCP to {place}: {error}"));
    told
}

/// A connection for each question.
fn anew(place: SocketAddr, is_ended: impl Fn() -> bool) -> Told {
    let mut told = Told::default();
    while !is_ended() && told.broken.is_none() {
        let done =
            connect(place).and_then(|stream| question(&mut told, &stream, &mut BufReader::new(&stream)));
        told.broken = done.err().map(|error| format!("a new TCP flow to {place}: {error}"));
        std::thread::sleep(PAUSE);
    }
    told
}

fn connect(place: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&place, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn question(
    told: &mut Told,
    mut stream: &TcpStream,
    lines: &mut BufReader<&TcpStream>,
) -> std::io::Result<()> {
    told.asked += 1;
    let question = told.asked.to_string();
    stream.write_all(format!("{question}\n").as_bytes())?;
    let mut said = String::new();
    lines.read_line(&mut said)?;
    if told.hear(&said, &question) { Ok(()) } else { Err(std::io::Error::other(format!("it said {said:?}"))) }
}

#[cfg(test)]
mod tests {
    use super::Told;

    #[test]
    fn a_flow_that_changes_its_name_was_moved() {
        let mut told = Told::default();
        assert!(told.hear("web-1 1\n", "1") && told.hear("web-1 2", "2"));
        assert_eq!(told.moved, 0);
        assert!(!told.hear("web-2 2", "3"));
        assert!(told.hear("web-2 3", "3"));
        assert_eq!((told.answered, told.moved), (3, 1));
    }
}
