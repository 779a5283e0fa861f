//! An interface is there while it is held, and gone after.
//!
//! It needs root: the interface is made in the namespace of the tests, is never up, and has no address.

#![allow(clippy::unwrap_used, reason = "test code, which may stop where it is wrong")]

use std::path::Path;

use net::Tun;
use rustix::io::Errno;

#[test]
fn an_interface_is_there_while_it_is_held() {
    let name = format!("pst{}", std::process::id());
    let place = Path::new("/sys/class/net").join(&name);
    let tun = Tun::open(&name).unwrap();
    assert!(place.exists());
    // ARPHRD_NONE: bare packets, no link layer.
    assert_eq!(std::fs::read_to_string(place.join("type")).unwrap().trim(), "65534");
    assert_eq!(Tun::open(&name).unwrap_err(), Errno::BUSY);
    drop(tun);
    assert!(!place.exists());
}

#[test]
fn names_that_no_interface_may_have_are_refused() {
    for name in ["", "sixteen-letters-", "zero\0"] {
        assert_eq!(Tun::open(name).unwrap_err(), Errno::INVAL, "{name:?}");
    }
}
