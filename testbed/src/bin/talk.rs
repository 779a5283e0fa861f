//! talk answer NAME ADDRESS:PORT...    answers questions over UDP and TCP, with its name
//! talk ask ADDRESS:PORT...            keeps asking, until SIGTERM; then says how it went, as JSON, and fails if
//!                                     anything was lost
//!
//! Each flow asks one question after the other and never two at once, so no queue on the way can overflow:
//! a question over UDP that is not answered was lost. A flow whose answers change their name was moved, and over TCP
//! its connection is reset: the question is asked again by another one. Each such move is told with the times between
//! which it was; whoever changed the router knows whether it had to be. Beside flows that stay there are some that are
//! opened anew for each question.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

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
    moves: Vec<Move>,
    /// Who answered last.
    name: String,
    /// When the last question was asked, and the one before it.
    asked_at: u64,
    asked_before: u64,
    /// Why it ended early.
    broken: Option<String>,
}

/// Another server has a flow, or a connection was reset.
struct Move {
    /// Who had it; nobody that is known, if it had not answered yet.
    from: String,
    place: SocketAddr,
    /// Microseconds of Unix time between which it was.
    since: u64,
    until: u64,
}

impl Move {
    fn told(&self) -> Value {
        json!({ "from": self.from, "place": self.place.to_string(), "since": self.since, "until": self.until })
    }
}

/// Microseconds of Unix time.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Told {
    /// A further question.
    fn ask(&mut self) -> String {
        self.asked += 1;
        (self.asked_before, self.asked_at) = (self.asked_at, now());
        self.asked.to_string()
    }

    /// The connection was reset. A late acknowledgement of the answer before may have met the other server, so it was
    /// since that was asked for.
    fn reset(&mut self, place: SocketAddr) {
        let (from, since) = (std::mem::take(&mut self.name), self.asked_before);
        self.moves.push(Move { from, place, since, until: now() });
    }

    /// Takes an answer, "NAME QUESTION", if it is one to this question.
    fn hear(&mut self, said: &str, question: &str, place: SocketAddr) -> bool {
        match said.trim_end().split_once(' ') {
            Some((name, rest)) if rest == question => {
                self.answered += 1;
                let from = std::mem::replace(&mut self.name, name.to_owned());
                if !from.is_empty() && from != name {
                    self.moves.push(Move { from, place, since: self.asked_at, until: now() });
                }
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
    let moves =
        |of: &[Told]| -> Vec<Value> { of.iter().flat_map(|told| &told.moves).map(Move::told).collect() };
    let broken: Vec<&String> = stayed.iter().chain(&fresh).filter_map(|told| told.broken.as_ref()).collect();
    println!(
        "{}",
        json!({
            "flows": stayed.len(),
            "asked": sum(&stayed, |told| told.asked),
            "answered": sum(&stayed, |told| told.answered),
            "moves": moves(&stayed),
            "asked_anew": sum(&fresh, |told| told.asked),
            "answered_anew": sum(&fresh, |told| told.answered),
            "moves_anew": moves(&fresh),
            "broken": broken,
        })
    );
    let lost = |of: &[Told]| of.iter().any(|told| told.asked != told.answered);
    if lost(&stayed) || lost(&fresh) || !broken.is_empty() {
        return Err("questions were lost".to_owned());
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
            let question = told.ask();
            socket.send(question.as_bytes())?;
            // An answer to an earlier question is late: that one has been counted as lost.
            loop {
                match socket.recv(&mut said) {
                    Ok(bytes) => {
                        let said =
                            String::from_utf8_lossy(said.get(..bytes).unwrap_or_default()).into_owned();
                        if told.hear(&said, &question, place) {
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
    let mut connection = None;
    let mut talk = || -> std::io::Result<()> {
        while !is_ended() {
            let question = told.ask();
            put(&mut told, place, &mut connection, &question)?;
            std::thread::sleep(PAUSE);
        }
        Ok(())
    };
    let done = talk();
    told.broken = done.err().map(|error| format!("TCP to {place}: {error}"));
    told
}

/// A connection for each question.
fn anew(place: SocketAddr, is_ended: impl Fn() -> bool) -> Told {
    let mut told = Told::default();
    while !is_ended() && told.broken.is_none() {
        let question = told.ask();
        told.name.clear();
        let done = put(&mut told, place, &mut None, &question);
        told.broken = done.err().map(|error| format!("a new TCP flow to {place}: {error}"));
        std::thread::sleep(PAUSE);
    }
    told
}

/// Puts a question over the connection, or over a new one where there is none or it is reset.
fn put(
    told: &mut Told,
    place: SocketAddr,
    connection: &mut Option<BufReader<TcpStream>>,
    question: &str,
) -> std::io::Result<()> {
    loop {
        let done = match connection {
            Some(lines) => exchange(lines, question),
            None => connect(place)
                .and_then(|stream| exchange(connection.insert(BufReader::new(stream)), question)),
        };
        match done {
            Ok(said) if told.hear(&said, question, place) => return Ok(()),
            Ok(said) => return Err(std::io::Error::other(format!("it said {said:?}"))),
            Err(error) if [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error.kind()) => {
                told.reset(place);
                *connection = None;
            }
            Err(error) => return Err(error),
        }
    }
}

/// One question and its answer.
fn exchange(lines: &mut BufReader<TcpStream>, question: &str) -> std::io::Result<String> {
    lines.get_mut().write_all(format!("{question}\n").as_bytes())?;
    let mut said = String::new();
    lines.read_line(&mut said)?;
    Ok(said)
}

fn connect(place: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&place, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::Told;

    #[test]
    fn a_flow_that_changes_its_name_or_its_connection_was_moved() {
        let mut told = Told::default();
        let place = "198.51.100.10:80".parse().unwrap();
        for question in ["1", "2"] {
            assert_eq!(told.ask(), question);
            assert!(told.hear(&format!("web-1 {question}\n"), question, place));
        }
        assert!(told.moves.is_empty() && !told.hear("web-2 2", "3", place));
        told.ask();
        assert!(told.hear("web-2 3", "3", place));
        told.ask();
        told.reset(place);
        assert!(told.hear("web-3 4", "4", place));
        assert_eq!((told.asked, told.answered), (4, 4));
        let moves: Vec<&str> = told.moves.iter().map(|one| one.from.as_str()).collect();
        assert_eq!(moves, ["web-1", "web-2"], "who has it after a reset had it not before");
        assert!(told.moves.iter().all(|one| 0 < one.since && one.since <= one.until));
    }
}
