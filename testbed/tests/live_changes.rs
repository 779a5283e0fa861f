//! A running router is changed at random, a thousand times, while real clients keep asking real servers over
//! UDP and TCP, IPv4 and IPv6: nothing is lost, and no established flow is moved.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail as the test does")]

use std::path::Path;
use std::time::{Duration, Instant};

use ctl::{AskError, Client, Deed, Override, Reload, Word};
use testbed::lab::{Lab, Stay};
use testbed::root;

const CHANGES: u32 = 1000;
/// On a slow machine there are fewer changes.
const TIME_MAX: Duration = Duration::from_secs(60);
/// In the configuration of the lab, one pool's members.
const MEMBERS: &str = r#"members = [{ real = "web-1" }, { real = "web-2" }, { real = "web-3" }]"#;

/// The generator of Marsaglia's "Xorshift RNGs": the same changes in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u16) -> u16 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u16::try_from(self.0 % u64::from(end)).unwrap()
    }
}

/// A change that no established flow may notice. The first server always takes new flows.
fn change(dice: &mut Dice, text: &str, site: &Path) -> Deed {
    let family = if dice.below(2) == 0 { "" } else { "-v6" };
    let any = format!("web-{}{family}", 1 + dice.below(3));
    let other = format!("web-{}{family}", 2 + dice.below(2));
    let weight = Some(1 + u32::from(dice.below(500)));
    let word = |real, to| Deed::Override(Override { real, to });
    match dice.below(6) {
        0 => word(other, Word::Drain),
        1 => word(other, Word::Undrain),
        2 => word(other, Word::Up),
        3 => word(any, Word::Weight { weight, pool: None }),
        4 => word(any, Word::Weight { weight: None, pool: None }),
        _ => {
            let share = |real: u16, weight: u16| format!("{{ real = \"web-{real}\", weight = {weight} }}");
            let members = [1, 2, 3].map(|real| share(real, 1 + dice.below(100))).join(", ");
            assert!(text.contains(MEMBERS));
            std::fs::write(site, text.replace(MEMBERS, &format!("members = [{members}]"))).unwrap();
            Deed::Reload(Reload::default())
        }
    }
}

#[test]
fn a_thousand_changes_under_load_lose_nothing_and_move_no_flow() {
    let mut lab = Lab::raise(&root().join("testbed/labs/one-lan.toml"), Stay::Goes).unwrap();
    lab.end_captures().unwrap();
    let site = lab.path("site.toml");
    let text = std::fs::read_to_string(&site).unwrap();
    lab.begin("ask", "client", "{tools}/talk ask 198.51.100.10:8082 [2001:db8:100::10]:8082").unwrap();

    let (mut dice, mut made, mut idle) = (Dice(0x5eed), 0, 0);
    let mut client = Client::connect(&lab.path("control.sock")).unwrap();
    let begin = Instant::now();
    while made < CHANGES && begin.elapsed() < TIME_MAX {
        let deed = change(&mut dice, &text, &site);
        match client.ask(deed.clone()) {
            Ok(_) => made += 1,
            // To take back what was not said is no change.
            Err(AskError::Refused(fault)) if fault.text.contains("nothing to take back") => idle += 1,
            Err(told) => panic!("change {made}, {deed:?}: {told}"),
        }
    }
    println!("{made} changes in {:.1} s, and {idle} that change nothing", begin.elapsed().as_secs_f64());

    let said = lab.end("ask").unwrap();
    println!("{said}");
    let told: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let count = |key: &str| told[key].as_u64().unwrap();
    assert_eq!(told["broken"], serde_json::json!([]));
    assert_eq!((count("asked"), count("asked_anew")), (count("answered"), count("answered_anew")));
    assert_eq!(count("moved"), 0);
    // Every flow that stays went on asking.
    assert!(count("asked") > 10 * count("flows") && count("asked_anew") > 10, "{told}");

    let moved = lab.counted().unwrap();
    let lost: Vec<_> =
        moved.counters.iter().filter(|(name, n)| name.starts_with("drop.") && **n > 0).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(moved.get("flow.moved"), 0);
    assert!(moved.get("table.switch") > 0);
}
