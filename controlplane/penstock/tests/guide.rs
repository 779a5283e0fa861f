//! The operator's guide: what it says can be run is run, and it names no command, option, counter or key
//! that does not exist.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use common::{Bench, text};
use counters::Counter;

const GUIDE: &str = include_str!("../../../conf/guide/OPERATOR.md");

/// A fenced block: its mark and what is in it.
struct Block {
    mark: &'static str,
    body: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in GUIDE.lines() {
        match line.strip_prefix("```") {
            Some(mark) if !is_open => {
                blocks.push(Block { mark, body: String::new() });
                is_open = true;
            }
            Some(_) => is_open = false,
            None if is_open => {
                let block = blocks.last_mut().unwrap();
                block.body.push_str(line);
                block.body.push('\n');
            }
            None => {}
        }
    }
    assert!(!is_open, "a block is not closed");
    blocks
}

/// The words between single backticks.
fn quoted() -> Vec<&'static str> {
    let prose = GUIDE.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn what_needs_no_live_box_runs_and_prints_what_the_guide_shows() {
    let folder = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_penstock")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let blocks = blocks();
    let mut run = 0;
    for (at, block) in blocks.iter().enumerate().filter(|(_, block)| block.mark == "sh") {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", &block.body]).current_dir(folder.path()).env("PATH", &path);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}\n{}", block.body, text(&output.stderr));
        if let Some(shown) = blocks.get(at + 1).filter(|next| next.mark == "text") {
            assert_eq!(text(&output.stdout).trim_end(), shown.body.trim_end(), "{}", block.body);
        }
        run += 1;
    }
    assert!(run >= 5, "only {run} blocks were run");
    // What is not run is marked so.
    assert!(blocks.iter().all(|block| ["sh", "shell", "text"].contains(&block.mark)));
}

#[test]
fn every_command_and_option_in_it_exists() {
    let bench = Bench::new();
    let mut lines: Vec<String> = quoted().into_iter().map(|word| word.replace('\n', " ")).collect();
    for block in blocks().into_iter().filter(|block| block.mark != "text") {
        lines.extend(block.body.replace("\\\n", " ").lines().map(str::to_owned));
    }
    let mut commands = BTreeSet::new();
    for line in &lines {
        let Some((_, rest)) =
            line.split_once("penstock ").filter(|(before, _)| before.is_empty() || before.ends_with("| "))
        else {
            continue;
        };
        let words: Vec<&str> = rest.split('#').next().unwrap().split_whitespace().collect();
        let command = words[0];
        let help = bench.good(&format!("{command} --help"));
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(option), "{line}: {command} has no {option}");
        }
        commands.insert(command.to_owned());
    }
    assert!(commands.len() >= 5, "{commands:?}");
}

#[test]
fn every_counter_and_key_in_it_exists() {
    let counters: BTreeSet<&str> = Counter::all().map(Counter::name).collect();
    let is_key =
        |word: &str| word.split_once('.').is_some_and(|(table, key)| conf::keys::find(table, key).is_some());
    let mut named = 0;
    for word in quoted() {
        let plain = word.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'.' | b'_'));
        let first = word.split('.').next().unwrap_or_default();
        let known = ["drop", "punt", "flow", "tunnel", "node", "select", "dataplane", "metrics"];
        if plain && word.contains('.') && known.contains(&first) {
            assert!(counters.contains(word) || is_key(word), "{word} is neither a counter nor a key");
            named += 1;
        }
    }
    assert!(named > 10, "only {named} counters and keys were looked at");
}

/// What a block of the guide writes into this file.
fn written(file: &str) -> String {
    let head = format!("{file} <<'EOF'\n");
    let [body] = blocks()
        .iter()
        .filter_map(|block| Some(block.body.split_once(&head)?.1.split_once("EOF\n")?.0.to_owned()))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    body
}

#[test]
fn the_box_can_read_what_the_guide_has_it_read() {
    // The shipped unit hides homes, and the user of the service is nobody there.
    let unit = include_str!("../../../conf/systemd/penstock.service");
    assert!(unit.contains("ProtectHome=yes"));
    let lines =
        blocks().into_iter().flat_map(|block| block.body.lines().map(str::to_owned).collect::<Vec<_>>());
    let mut named = 0;
    for line in lines.filter(|line| line.starts_with("penstock reload")) {
        if let Some((_, path)) = line.split_once("--config ") {
            assert!(path.starts_with("/etc/penstock/"), "{line}");
            named += 1;
        }
    }
    assert!(named > 0, "the guide shows how another file is applied");
}

#[test]
fn the_sums_are_told_as_they_are_checked() {
    let mut ledger = counters::Ledger::new(counters::Layout::default());
    let law = GUIDE.split_once("the sums are checked: ").unwrap().1.split_once('.').unwrap();
    let law = format!("{}.{}", law.0, law.1).replace('\n', " ");
    let (came, left) = law.split_once(" = ").unwrap();
    let names = |side: &str| side.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    // What comes is the three that the guide names, and nothing else.
    let came = names(came);
    for name in &came {
        let Some(Counter::Event(event)) = Counter::by_name(name) else { panic!("{name} is no event") };
        ledger.add(event, 1);
        assert!(ledger.balance().is_err(), "{name} is on the one side");
        ledger.add(counters::DropReason::NoReal, 1);
        assert!(ledger.balance().is_ok(), "and a drop on the other");
    }
    assert_eq!(came, ["rx", "made", "kernel.rx"]);
    assert!(left.starts_with("`tx` + all drops + all punts"), "{left}");
}

/// Needs root, and takes nothing with it when it goes: names, mounts and processes are in namespaces of its own.
#[cfg(feature = "dpdk")]
#[test]
fn after_a_restart_the_box_has_its_address_again() {
    let bench = Bench::new();
    let site = blocks().into_iter().find(|block| block.body.contains("site.toml <<'EOF'")).unwrap();
    let site = site.body.split_once("<<'EOF'\n").unwrap().1.split_once("EOF\n").unwrap().0.to_owned();
    // As the guide has it, the kernel knows the way.
    assert!(GUIDE.contains("sed -i '/^next_hop/d' /etc/penstock/site.toml"));
    let site: String =
        site.lines().filter(|line| !line.starts_with("next_hop")).map(|line| format!("{line}\n")).collect();
    // Small enough for any machine; the rest is the guide's own.
    let small = "[node]\ncontrol = \"c.sock\"\n[dataplane]\nhuge_pages = \"off\"\nmemory_mb = 128\npackets = 4096\n\
        [flow]\nentries = 65536\n";
    let port = written("cat >> /etc/penstock/site.toml");
    std::fs::write(bench.path("live.toml"), format!("{small}{site}{port}")).unwrap();
    let network = "/etc/systemd/network/10-lan0.network";
    std::fs::write(bench.path("10-lan0.network"), written(&format!("cat > {network}"))).unwrap();
    let unit = include_str!("../../../conf/systemd/penstock-gate@.service");
    let gate: String = unit
        .lines()
        .filter_map(|line| Some(line.strip_prefix("ExecStart=")?.replace("%I", "eth1") + "\n"))
        .collect();
    assert_eq!(gate.lines().count(), 2);
    std::fs::write(bench.path("gate.sh"), gate).unwrap();
    std::fs::write(bench.path("lives.sh"), include_str!("guide/lives.sh")).unwrap();
    let output = Command::new("unshare")
        .args([
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "bash",
            "-eu",
            "lives.sh",
        ])
        .arg(env!("CARGO_BIN_EXE_penstock"))
        .current_dir(bench.path("."))
        .output()
        .unwrap();
    let told = format!("{}\n{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{told}");
    assert_eq!(told.matches("the box has answered").count(), 2, "{told}");
}
