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
