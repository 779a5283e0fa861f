//! The terminal is given back on every way out: a key, a signal's flag, a panic.
//!
//! Each test runs one of the `child_` tests below on a terminal of its own, by script(1), of every Debian.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code, which may stop where it is wrong")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use ctl::Snapshot;
use top::{News, show};

/// What a screen that has seen one snapshot does until `stop` says so.
fn shown(stop: impl Fn() -> bool) -> std::io::Result<()> {
    let (tell, news) = mpsc::channel();
    let snapshot = Snapshot { version: "7.7.7".into(), ..Snapshot::default() };
    tell.send(News::Snapshot(Box::new(snapshot))).unwrap();
    show("nowhere", &news, Duration::from_secs(60), stop)
}

#[test]
#[ignore = "runs on the terminal of a test below"]
fn child_until_a_key() {
    shown(|| false).unwrap();
}

#[test]
#[ignore = "runs on the terminal of a test below"]
fn child_until_stopped() {
    // The first look draws, the second finds it stopped.
    let looked = AtomicBool::new(false);
    shown(|| looked.swap(true, Ordering::Relaxed)).unwrap();
}

#[test]
#[ignore = "runs on the terminal of a test below"]
fn child_until_it_panics() {
    let looked = AtomicBool::new(false);
    shown(|| if looked.swap(true, Ordering::Relaxed) { panic!("on purpose") } else { false }).unwrap();
}

/// Runs a child on a terminal and sends it keys; gives what came over the terminal. The terminal's settings stand
/// before and behind it.
fn on_a_terminal(child: &str, keys: &[u8]) -> String {
    let binary = std::env::current_exe().unwrap();
    let command = format!(
        "stty rows 24 cols 80; stty -a; {} --ignored --exact {child} --nocapture; stty -a",
        binary.display()
    );
    let mut script = Command::new("script")
        .args(["--quiet", "--command", &command, "/dev/null"])
        .env("TERM", "xterm-256color")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = script.stdin.take().unwrap();
    stdin.write_all(keys).unwrap();
    // Kept open: an end of the input would be an end of the terminal.
    let output = script.wait_with_output().unwrap();
    drop(stdin);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn is_given_back(said: &str) {
    let enter = said.find("\x1b[?1049h").unwrap_or_else(|| panic!("no other screen is taken: {said}"));
    let leave = said.rfind("\x1b[?1049l").unwrap_or_else(|| panic!("the first screen is not back: {said}"));
    assert!(enter < leave);
    assert!(said[enter..leave].contains("7.7.7"), "nothing was drawn: {said}");
    // Everything but the size stands in these two blocks, which begin with the speed.
    let settings: Vec<&str> = said
        .split("speed ")
        .skip(1)
        .map(|block| block.split("\x1b[?1049h").next().unwrap_or(block))
        .map(|block| block.split("-echoprt").next().unwrap_or(block))
        .collect();
    let [before, after] = settings.as_slice() else { panic!("two settings are wanted: {said}") };
    assert!(before.contains(" icanon ") && before.contains(" echo "), "{before}");
    assert_eq!(before, after, "the terminal is not set as it was");
    assert!(
        said[leave..].contains("\x1b[?25h") || said[..leave].rfind("\x1b[?25h") > Some(enter),
        "no cursor: {said}"
    );
}

#[test]
fn a_key_ends_it_and_the_terminal_is_as_before() {
    is_given_back(&on_a_terminal("child_until_a_key", b"2?xq"));
}

#[test]
fn a_signal_ends_it_and_the_terminal_is_as_before() {
    is_given_back(&on_a_terminal("child_until_stopped", b""));
}

#[test]
fn after_a_panic_the_terminal_is_as_before_and_the_reason_is_seen() {
    let said = on_a_terminal("child_until_it_panics", b"");
    is_given_back(&said);
    assert!(said.rsplit("\x1b[?1049l").next().unwrap().contains("on purpose"), "{said}");
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let binary = std::env::current_exe().unwrap();
    let child = ["--ignored", "--exact", "child_until_a_key", "--nocapture"];
    let output = Command::new(binary).args(child).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("use `penstock show`"), "{said}");
}
