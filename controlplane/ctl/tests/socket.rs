//! The socket as its users meet it: what is refused, what is replaced, and that nobody can hold it up.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use ctl::{
    Answer, AskError, CONNECTIONS_MAX, Capture, Client, Code, Deed, LINE_BYTES_MAX, Outcome, Reply, Response,
    ServeError, Server,
};

fn pong(path: &Path) -> Result<Server, ServeError> {
    Server::start(path, |_| Outcome::Ok(Answer::Pong("7".to_owned())))
}

fn raw(stream: &UnixStream, bytes: &[u8]) -> Option<Reply> {
    let mut writer = stream;
    let _ = writer.write_all(bytes);
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    serde_json::from_str(&line).ok()
}

fn code(reply: Option<Reply>) -> Option<Code> {
    match reply?.outcome {
        Outcome::Error(fault) => Some(fault.code),
        Outcome::Ok(_) => None,
    }
}

#[test]
fn a_request_is_answered_and_the_socket_is_for_owner_and_group_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/for/it/c.sock");
    let server = pong(&path).unwrap();
    assert_eq!(server.path(), path);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let mut client = Client::connect(&path).unwrap();
    for _ in 0..3 {
        assert_eq!(client.ask(Deed::Ping).unwrap(), Answer::Pong("7".to_owned()));
    }
    drop(server);
    assert!(!path.exists());
    let none = Client::connect(&path).unwrap_err().to_string();
    assert!(none.contains("no `penstock run` answers there"), "{none}");
}

#[test]
fn a_live_socket_is_refused_and_a_dead_ones_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.sock");
    let server = pong(&path).unwrap();
    let told = pong(&path).unwrap_err();
    assert!(matches!(told, ServeError::Taken(_)) && told.to_string().contains("another process answers"));
    drop(server);
    // A process that dies leaves its file.
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let server = pong(&path).unwrap();
    assert_eq!(Client::connect(&path).unwrap().ask(Deed::Ping).unwrap(), Answer::Pong("7".to_owned()));
    drop(server);
    // Somebody else's who lives, and something that is no socket.
    let other = UnixListener::bind(&path).unwrap();
    assert!(matches!(pong(&path), Err(ServeError::Taken(_))));
    drop(other);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, b"precious").unwrap();
    assert!(matches!(pong(&path), Err(ServeError::NoSocket(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    let long = folder.path().join("x".repeat(200));
    assert!(pong(&long).unwrap_err().to_string().contains("too long for a socket"));
}

#[test]
fn what_is_no_request_is_told_and_the_connection_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.sock");
    let _server = pong(&path).unwrap();
    let stream = UnixStream::connect(&path).unwrap();
    for wrong in [
        &b"\n"[..],
        b"{}\n",
        b"\xff\xfe\n",
        b"{\"v\":1,\"id\":3,\"do\":\"ping\",\"what\":1}\n",
        b"{\"v\":1,\"do\":{\"show\":{\"what\":\"realz\"}}}\n",
    ] {
        assert_eq!(code(raw(&stream, wrong)), Some(Code::BadRequest), "{}", String::from_utf8_lossy(wrong));
    }
    let other = raw(&stream, b"{\"v\":9,\"id\":5,\"new\":[]}\n").unwrap();
    assert_eq!(other.id, 5);
    assert_eq!(code(Some(other)), Some(Code::Version));
    assert_eq!(code(raw(&stream, b"{\"v\":1,\"id\":6,\"do\":\"ping\"}\n")), None);
    assert_eq!(code(raw(&stream, &vec![b' '; LINE_BYTES_MAX])), Some(Code::BadRequest));
    assert_eq!(raw(&stream, b"{\"v\":1,\"id\":6,\"do\":\"ping\"}\n"), None, "closed");
}

#[test]
fn one_connection_too_many_is_told_and_a_silent_one_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.sock");
    let _server = pong(&path).unwrap();
    let mut clients: Vec<Client> = (0..CONNECTIONS_MAX).map(|_| Client::connect(&path).unwrap()).collect();
    for client in clients.iter_mut().rev() {
        assert!(client.ask(Deed::Ping).is_ok());
    }
    let refused = Client::connect(&path).unwrap().ask(Deed::Ping).unwrap_err();
    assert!(matches!(&refused, AskError::Refused(fault) if fault.code == Code::Busy), "{refused}");
    clients.pop();
    // The seat is free as soon as the server has seen the end.
    while Client::connect(&path).unwrap().ask(Deed::Ping).is_err() {
        std::thread::yield_now();
    }
}

#[test]
fn a_slow_answer_is_waited_for_and_others_are_answered_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.sock");
    let (go, held) = mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let _server = Server::start(&path, move |request| {
        if request.deed != Deed::Ping {
            let _ = held.lock().unwrap().recv();
        }
        Outcome::Ok(Answer::Pong(String::new()))
    })
    .unwrap();
    let slow = std::thread::spawn({
        let path = path.clone();
        move || Client::connect(&path).unwrap().ask(Deed::Reload(ctl::Reload::default())).is_ok()
    });
    assert!(Client::connect(&path).unwrap().ask(Deed::Ping).is_ok());
    go.send(()).unwrap();
    assert!(slow.join().unwrap());
}

#[test]
fn what_follows_an_answer_is_read_to_its_end_and_can_be_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.sock");
    let (told, ended) = mpsc::channel();
    let server = Server::start(&path, move |request| match request.deed {
        Deed::Capture(_) => {
            let told = told.clone();
            let then = move |mut stream: UnixStream| {
                // Who reads it may pause for as long as it likes.
                assert_eq!(stream.write_timeout().unwrap(), None);
                stream.write_all(&[7; 100_000]).unwrap();
                // Until the other side has had enough.
                let mut byte = [0];
                told.send(stream.read(&mut byte).unwrap()).unwrap();
                stream.write_all(b"end").unwrap();
            };
            Response::Follow(Answer::Capture, Box::new(then))
        }
        _ => Outcome::Ok(Answer::Pong("7".to_owned())).into(),
    })
    .unwrap();
    let mut client = Client::connect(&path).unwrap();
    assert_eq!(client.ask(Deed::Ping).unwrap(), Answer::Pong("7".to_owned()));
    let (answer, mut following) = client.follow(Deed::Capture(Capture::default())).unwrap();
    assert_eq!(answer, Answer::Capture);
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    while read.len() < 100_000 {
        let count = following.read(&mut piece, Duration::from_secs(10)).unwrap();
        read.extend_from_slice(&piece[..count]);
    }
    let late = following.read(&mut piece, Duration::from_millis(1)).unwrap_err();
    assert_eq!(late.kind(), std::io::ErrorKind::WouldBlock);
    following.enough().unwrap();
    assert_eq!(ended.recv().unwrap(), 0, "the server sees that it is enough");
    while let count @ 1.. = following.read(&mut piece, Duration::from_secs(10)).unwrap() {
        read.extend_from_slice(&piece[..count]);
    }
    assert_eq!(read, [&[7; 100_000][..], b"end"].concat());
    assert_eq!(Client::connect(&path).unwrap().ask(Deed::Ping).unwrap(), Answer::Pong("7".to_owned()));
    drop(server);
}
