//! Any bytes sent where Prometheus would ask get a response that is one: a status, fields in ASCII, as many bytes as
//! it says.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|request: &[u8]| {
    let response = metrics::respond(request, || Some("penstock_rx_total 1\n# EOF\n".to_owned()));
    let end = response.windows(4).position(|window| window == b"\r\n\r\n").expect("the head ends");
    let (head, body) = response.split_at(end + 4);
    let head = std::str::from_utf8(head).expect("the head is ASCII");
    assert!(head.is_ascii() && head.starts_with("HTTP/1.1 "), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).expect("a length");
    let is_head = request.starts_with(b"HEAD ");
    assert!(length.parse() == Ok(body.len()) || (is_head && body.is_empty()), "{head}");
});
