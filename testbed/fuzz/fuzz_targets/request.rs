//! Any line is a request of the control socket or is refused in words, and what is read is written so that it
//! reads the same.
#![no_main]

use ctl::{Outcome, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    match Request::parse(line) {
        Err(reply) => {
            assert!(matches!(reply.outcome, Outcome::Error(_)), "a refusal says why");
            assert_eq!(reply.to_line().iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
        }
        Ok(request) => {
            let line = request.to_line();
            let body = line.strip_suffix(b"\n").expect("a line ends");
            assert_eq!(Request::parse(body), Ok(request), "what we write we read");
        }
    }
});
