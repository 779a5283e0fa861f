//! The server on a real socket: a scrape, hostile clients, its limits, its end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code, which may stop where it is wrong")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ctl::Snapshot;
use metrics::Server;

/// A server of snapshots that count how often they are asked for.
fn server() -> Server {
    let asked = AtomicU64::new(0);
    let source = move || {
        let rx = asked.fetch_add(1, Ordering::Relaxed) + 1;
        Some(Snapshot { counters: [("rx".to_owned(), rx)].into(), ..Snapshot::default() })
    };
    Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), Arc::new(source)).unwrap()
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

fn ask(server: &Server, request: &[u8]) -> String {
    let mut stream = connect(server);
    stream.write_all(request).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

const SCRAPE: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: here\r\nAccept: application/openmetrics-text\r\n\r\n";

#[test]
fn every_scrape_has_the_figures_of_its_own_moment() {
    let server = server();
    for count in 1..=3 {
        let response = ask(&server, SCRAPE);
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
        assert!(
            response.contains("Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n")
        );
        assert!(response.contains(&format!("\npenstock_rx_total {count}\n")), "{response}");
        assert!(response.ends_with("# EOF\n"));
    }
}

#[test]
fn a_request_may_come_in_pieces_and_a_refusal_arrives_though_more_was_sent() {
    let server = server();
    let mut stream = connect(&server);
    for byte in SCRAPE {
        stream.write_all(&[*byte]).unwrap();
    }
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    assert!(ask(&server, &[b'x'; 30_000]).starts_with("HTTP/1.1 431 "));
    let mut post = b"POST /metrics HTTP/1.1\r\nContent-Length: 20000\r\n\r\n".to_vec();
    post.resize(20_000, b'x');
    assert!(ask(&server, &post).starts_with("HTTP/1.1 405 "));
}

#[test]
fn those_who_say_nothing_are_few_and_do_not_stay() {
    let server = server();
    // Places are taken in the order of connecting, so the fifth of five is refused and told so, unless the machine
    // is so slow that the first have been sent away by then: once more.
    let refused = loop {
        let mut five: Vec<TcpStream> = (0..5).map(|_| connect(&server)).collect();
        let said = five.iter_mut().rev().map(|stream| {
            let mut said = String::new();
            let _ = stream.read_to_string(&mut said);
            said
        });
        let said: Vec<String> = said.collect();
        assert!(said.iter().all(|said| !said.contains("200 OK")));
        if let Some(refused) = said.first().filter(|said| !said.is_empty()) {
            break refused.clone();
        }
    };
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.ends_with("too many connections\n"), "{refused}");
    // All five have been sent away; once their threads are gone too there is room.
    loop {
        let mut stream = connect(&server);
        let mut response = String::new();
        let whole = stream.write_all(SCRAPE).and_then(|()| stream.read_to_string(&mut response));
        if whole.is_ok() && !response.starts_with("HTTP/1.1 503 ") {
            assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
            break;
        }
    }
}

#[test]
fn as_long_as_there_are_no_figures_it_says_so() {
    let server = Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), Arc::new(|| None)).unwrap();
    assert!(ask(&server, SCRAPE).starts_with("HTTP/1.1 503 "));
}

#[test]
fn it_ends_when_it_is_dropped_and_its_address_is_free_again() {
    let server = server();
    let address = server.address();
    let taken = Server::start(address, Arc::new(|| None));
    assert_eq!(taken.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    drop(server);
    let again = Server::start(address, Arc::new(|| None)).unwrap();
    assert_eq!(again.address(), address);
}
