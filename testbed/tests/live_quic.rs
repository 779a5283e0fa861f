//! Real QUIC connections whose clients have moved go on when the box has forgotten everything: their ids say where they
//! belong, and not what it remembers. The lab itself, and that the same is lost without ids, `live.rs` runs.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::time::{Duration, Instant};

use serde_json::Value;
use testbed::lab::{Lab, Stay};
use testbed::root;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn wait_until(what: impl Fn() -> bool) {
    let begin = Instant::now();
    while !what() {
        assert!(begin.elapsed() < PATIENCE, "it did not come to pass");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn connections_that_moved_outlive_a_restart_of_the_box() {
    let mut lab = Lab::raise(&root().join("testbed/labs/quic.toml"), Stay::Goes).unwrap();
    lab.end_captures().unwrap();
    // Nobody moves while there is no box: whether new paths are found good when packets are lost (RFC 9000 §8.2) is the
    // endpoints' affair, and not what is shown here.
    let ask = "{tools}/quic_end ask 198.51.100.10:443 open=16 behind-nat=8 port=1 address=1 \
        'through=touch {folder}/moved; until test -e {folder}/over; do sleep 0.05; done' port=1 address=1 \
        --from 203.0.113.2 --from 203.0.113.3 --folder {folder}";
    lab.begin("ask", "client", ask).unwrap();
    wait_until(|| lab.path("moved").exists());

    lab.end("penstock").unwrap();
    let run = "{penstock} run --config {folder}/first.toml --report {folder}/report.json";
    lab.begin("penstock", "box", run).unwrap();
    let show = "{penstock} show generation --socket {folder}/control.sock";
    wait_until(|| lab.run("box", show).unwrap().status.success());
    std::fs::write(lab.path("over"), "").unwrap();

    let said = || std::fs::read_to_string(lab.path("client-ask.log")).unwrap();
    wait_until(|| said().lines().any(|line| line.starts_with('{')));
    let told: Value =
        serde_json::from_str(said().lines().find(|line| line.starts_with('{')).unwrap()).unwrap();
    println!("{told}");
    // It says so when all is done, and its connections are closed.
    assert_eq!((&told["broken"], &told["connections"]), (&serde_json::json!([]), &serde_json::json!(24)));

    let counted = lab.counted().unwrap();
    assert!(counted.get("quic.routed") > 1000, "{:?}", counted.counters);
    // No connection was opened since: nobody had to be found by its four-tuple.
    assert_eq!(counted.get("quic.unroutable"), 0);
}
