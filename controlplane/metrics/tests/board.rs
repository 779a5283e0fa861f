//! The board in `conf/grafana` asks for nothing that the page does not have. (Grafana itself is not in Debian, so it
//! is not run here: its file is read as it would.)
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code, which may stop where it is wrong")]

use std::collections::BTreeSet;
use std::path::Path;

use ctl::{Port, Real, Service, Snapshot, Twin, Worker};
use serde_json::Value;

fn board() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf/grafana/penstock.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every text under one of these keys, anywhere.
fn texts(value: &Value, keys: &[&str], into: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if keys.contains(&key.as_str()) => into.push(text.clone()),
                    other => texts(other, keys, into),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| texts(value, keys, into)),
        _ => {}
    }
}

/// The words of an expression that begin as our metrics do.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("penstock_"))
}

#[test]
fn every_metric_of_the_board_is_on_the_page() {
    let snapshot = Snapshot {
        services: vec![Service::default()],
        reals: vec![Real { weights: [("web".to_owned(), 1)].into(), ..Real::default() }],
        workers: vec![Worker::default()],
        ports: vec![Port { twin: Some(Twin::default()), ..Port::default() }],
        ..Snapshot::default()
    };
    let page = metrics::exposition(&snapshot);
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    let there: BTreeSet<&str> = samples.filter_map(|line| line.split(['{', ' ']).next()).collect();
    let mut expressions = Vec::new();
    texts(&board(), &["expr", "query", "definition"], &mut expressions);
    let asked: BTreeSet<&str> = expressions.iter().flat_map(|expression| names(expression)).collect();
    assert!(asked.len() > 30, "{asked:?}");
    let missing: Vec<_> = asked.difference(&there).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_board_has_what_grafana_looks_for() {
    let board = board();
    let panels = board["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let place = &panel["gridPos"];
        let at = |key: &str| place[key].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24 && at("h") > 0, "{panel}");
        for (x, y) in
            (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
        {
            assert!(places.insert((x, y)), "two panels at {x},{y}: {panel}");
        }
        if panel["type"] != "row" {
            assert!(
                !panel["targets"].as_array().unwrap().is_empty()
                    && panel["fieldConfig"]["defaults"]["unit"].is_string()
            );
            assert_eq!(
                panel["datasource"]["uid"], "${datasource}",
                "the board names no data source of its own"
            );
        }
    }
    let variables = board["templating"]["list"].as_array().unwrap();
    let named: Vec<&str> = variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
    assert_eq!(named, ["datasource", "instance", "service", "real"]);
    assert!(board["schemaVersion"].as_u64() >= Some(36) && board["uid"] == "penstock");
}
