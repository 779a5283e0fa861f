//! A lab is gone after success, after a failure and after Ctrl-C: its namespaces, what ran in them, and its
//! files. What is kept stands until it is cleaned.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail as the test does")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use testbed::root;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn two_nodes() -> String {
    std::fs::read_to_string(root().join("testbed/labs/two-nodes.toml")).unwrap()
}

/// The smallest lab, with a process that can be told from all others by what it was started with, and more.
struct Written {
    _folder: tempfile::TempDir,
    path: PathBuf,
    mark: String,
}

fn written(test: &str, more: &str) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.toml");
    let mark = format!("8{}{test}", std::process::id());
    let process = format!("[[process]]\nname = \"sleeper\"\non = [\"left\"]\nrun = \"sleep {mark}\"\n");
    std::fs::write(&path, format!("{}\n{process}\n{more}", two_nodes())).unwrap();
    Written { _folder: folder, path, mark }
}

fn lab(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

fn namespaces(holding: &str) -> Vec<String> {
    let listed = Command::new("ip").args(["netns", "list"]).output().unwrap();
    let listed = text(&listed);
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| name.contains(holding)).map(str::to_owned).collect()
}

fn is_running(mark: &str) -> bool {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let mut lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| line == format!("sleep\0{mark}\0").into_bytes())
}

fn require_gone(pid: u32, mark: &str) {
    let own = format!("-{pid}-");
    assert_eq!(namespaces(&own), Vec::<String>::new());
    assert!(!is_running(mark), "sleep {mark} still runs");
    let folders = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let left = folders.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let left: Vec<String> = left.filter(|name| name.contains(&own)).collect();
    assert_eq!(left, Vec::<String>::new());
}

fn wait_until(what: impl Fn() -> bool) {
    let begin = Instant::now();
    while !what() {
        assert!(begin.elapsed() < PATIENCE, "it did not come to pass");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_lab_is_gone_after_success() {
    let Written { _folder, path, mark } = written("1", "");
    let child = lab(&["run", path.to_str().unwrap()]);
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(text(&output).matches("\nok ").count(), 3, "{}", text(&output));
    require_gone(pid, &mark);
}

#[test]
fn a_lab_is_gone_after_a_failure_and_all_failures_are_told() {
    let more = "[[step]]\nname = \"one\"\non = \"left\"\nrun = \"echo words; exit 3\"\n\
        [[step]]\nname = \"two\"\non = \"left\"\nrun = \"echo word\"\nexpect = [\"another\"]\n\
        [[step]]\nname = \"three\"\non = \"right\"\nrun = \"kill $(ip netns pids $(ip netns identify))\"\n\
        [[seen]]\nname = \"four\"\ncapture = \"echoes\"\nfilter = \"icmp\"\nmax = 1\n";
    let Written { _folder, path, mark } = written("2", more);
    let child = lab(&["run", path.to_str().unwrap()]);
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    for words in
        ["one: exit status: 3", "words", "two: it did not say \"another\"", "three:", "four: \"icmp\" finds"]
    {
        assert!(text(&output).contains(words), "{words} is not in:\n{}", text(&output));
    }
    require_gone(pid, &mark);
}

#[test]
fn a_lab_that_cannot_stand_is_gone_too() {
    let more = "[[node]]\nname = \"third\"\nroutes = [\"default via 192.0.2.99\"]\n";
    let Written { _folder, path, mark } = written("3", more);
    let child = lab(&["run", path.to_str().unwrap()]);
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("192.0.2.99"), "{}", text(&output));
    require_gone(pid, &mark);
}

#[test]
fn a_lab_is_gone_after_ctrl_c() {
    let more = "[[step]]\nname = \"long\"\non = \"right\"\nrun = \"sleep 86400\"\n";
    let Written { _folder, path, mark } = written("4", more);
    let child = lab(&["run", path.to_str().unwrap()]);
    let pid = child.id();
    wait_until(|| is_running(&mark) && is_running("86400"));
    assert!(Command::new("kill").args(["-INT", &pid.to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    require_gone(pid, &mark);
}

#[test]
fn what_a_killed_run_left_is_swept_and_what_is_kept_stands_until_it_is_cleaned() {
    let Written { _folder, path, mark } = written("5", "");
    let child = lab(&["run", "--keep", path.to_str().unwrap()]);
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(is_running(&mark) && namespaces(&format!("kept-{pid}-")).len() == 3, "{}", text(&output));

    let more = "[[step]]\nname = \"long\"\non = \"right\"\nrun = \"sleep 86401\"\n";
    let killed = written("6", more);
    let mut child = lab(&["run", killed.path.to_str().unwrap()]);
    wait_until(|| is_running("86401"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_running(&killed.mark));

    let cleaned = lab(&["clean", &format!("penstock-kept-{pid}-")]).wait_with_output().unwrap();
    assert!(cleaned.status.success(), "{}", text(&cleaned));
    require_gone(pid, &mark);
    require_gone(child.id(), &killed.mark);
}

#[test]
fn every_file_of_a_lab_is_read() {
    let folder = root().join("testbed/labs");
    let read = |path: &Path| testbed::lab::LabFile::read(path).unwrap_or_else(|told| panic!("{told}"));
    let entries = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    files.iter().for_each(|path| drop(read(path)));
    assert!(files.len() >= 2);
}
