//! Plans word for word, and the shares they tell.

use conf::Config;
use proptest::prelude::{Strategy, any, prop, proptest};

use super::{Change, Plan, Subject, What, plan};
use crate::numbers::Numbers;

const SITE: &str = r#"
[tunnel]
source_v4 = "192.0.2.1"
next_hop = "02:00:00:00:00:fe"
[[real]]
name = "web-1"
address = "10.0.0.11"
[[real]]
name = "web-2"
address = "10.0.0.12"
[[real]]
name = "web-3"
address = "10.0.0.13"
[[real]]
name = "dns-1"
address = "10.0.0.31"
[[pool]]
name = "web"
slots = 4093
members = [{ real = "web-1" }, { real = "web-2" }, { real = "web-3" }]
[[pool]]
name = "dns"
slots = 251
members = [{ real = "dns-1" }]
[[service]]
name = "http"
vip = "198.51.100.10"
protocol = "tcp"
ports = 80
pool = "web"
[[service]]
name = "https"
vip = "198.51.100.10"
protocol = "tcp"
ports = 443
pool = "web"
[[service]]
name = "dns"
vip = "198.51.100.53"
protocol = "udp"
ports = 53
pool = "dns"
"#;

fn config(text: &str) -> Config {
    conf::parse("plan.toml", text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn between(old: &str, new: &str) -> Plan {
    let (old, new) = (config(old), config(new));
    let before = Numbers::default().assign(&old, 0).unwrap();
    let after = before.assign(&new, 0).unwrap();
    plan(Some((&old, &before)), (&new, &after)).unwrap()
}

/// The site with one text replaced, which must be there.
fn with(from: &str, to: &str) -> String {
    assert!(SITE.contains(from), "{from}");
    SITE.replacen(from, to, 1)
}

#[test]
fn no_change_says_so() {
    let plan = between(SITE, SITE);
    assert!(plan.is_empty());
    assert_eq!(plan.to_string(), "Nothing changes.");
}

#[test]
fn another_order_in_the_file_is_no_change() {
    let (head, tail) = SITE.split_at(SITE.find("[[service]]").unwrap());
    let mut services: Vec<&str> = tail.split("[[service]]").skip(1).collect();
    services.reverse();
    let turned = format!("{head}[[service]]{}", services.join("[[service]]"));
    assert_ne!(turned, SITE);
    assert!(between(SITE, &turned).is_empty());
}

#[test]
fn the_first_table_is_told_whole() {
    let config = config(SITE);
    let numbers = Numbers::default().assign(&config, 0).unwrap();
    let plan = plan(None, (&config, &numbers)).unwrap();
    assert!(!plan.is_empty());
    let told = plan.to_string();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "The first table: 3 services, 2 pools, 4 reals.");
    assert_eq!(
        lines[1],
        "real \"dns-1\" is new: address 10.0.0.31, next_hop 02:00:00:00:00:fe, encap ipip, up"
    );
    assert_eq!(
        lines[6],
        "pool \"web\" is new: slots 4093, policy maglev, \"web-1\" with weight 100, \"web-2\" with weight 100, \
         \"web-3\" with weight 100"
    );
    assert_eq!(lines[8], "service \"http\" is new: VIP 198.51.100.10, protocol tcp, ports 80, pool \"web\"");
    assert_eq!(lines.len(), 10);
}

#[test]
fn a_draining_real_is_told_with_the_services_it_touches() {
    let plan = between(SITE, &with("address = \"10.0.0.12\"", "address = \"10.0.0.12\"\nstate = \"drain\""));
    let real = Subject::Real("web-2".parse().unwrap());
    assert_eq!(plan.changes, [Change { subject: real, what: What::Drains }]);
    let names: Vec<&str> = plan.effects.iter().map(|effect| effect.service.as_str()).collect();
    assert_eq!(names, ["http", "https"]);
    for effect in &plan.effects {
        assert_eq!((effect.drain, effect.leave, effect.join, effect.reweighted), (1, 0, 0, 0));
        // Its third has to move; Maglev moves little beyond.
        assert!(effect.moved > 0.32 && effect.moved < 0.45, "{}", effect.moved);
    }
    let told = plan.to_string();
    assert!(told.starts_with("real \"web-2\" drains: it keeps its flows and gets no new ones\nservice \"http\": 1 real drains, 3"), "{told}");
    assert!(told.contains(" % of slots move: 33.3 % its own, ") && told.ends_with(" % further"), "{told}");
}

#[test]
fn whoever_takes_away_the_last_real_of_a_pool_is_told() {
    let told = |state: &str| {
        let drained = SITE.replace("\"10.0.0.31\"", &format!("\"10.0.0.31\"\nstate = \"{state}\""));
        between(SITE, &drained).to_string()
    };
    let words = "no real takes new flows: they are dropped (drop.no_real)";
    assert!(
        told("drain").ends_with(&format!("\nservice \"dns\": 1 real drains, {words}")),
        "{}",
        told("drain")
    );
    assert!(
        told("down").ends_with(&format!("\nservice \"dns\": 1 real leaves, {words}")),
        "{}",
        told("down")
    );
}

#[test]
fn a_real_that_leaves_after_it_has_drained_moves_no_slots_and_that_is_said() {
    let state = |state: &str| with("10.0.0.12\"", &format!("10.0.0.12\"\nstate = \"{state}\""));
    let told = between(&state("drain"), &state("down")).to_string();
    let expected = "real \"web-2\" goes down: its flows get another real\n\
                    service \"http\": 1 real leaves, which had no slots: none move\n\
                    service \"https\": 1 real leaves, which had no slots: none move";
    assert_eq!(told, expected);
}

#[test]
fn of_two_reals_all_that_moves_is_the_changed_ones_own() {
    let two = with(
        "{ real = \"web-1\" }, { real = \"web-2\" }, { real = \"web-3\" }",
        "{ real = \"web-1\" }, { real = \"web-2\" }",
    );
    let down = two.replace("address = \"10.0.0.12\"", "address = \"10.0.0.12\"\nstate = \"down\"");
    let told = between(&two, &down).effects[0].to_string();
    assert!(told.ends_with(" % of slots move, all its own"), "{told}");
    let both = two.replace(
        "{ real = \"web-1\" }, { real = \"web-2\" }",
        "{ real = \"web-1\", weight = 1 }, { real = \"web-2\", weight = 9 }",
    );
    let told = between(&two, &both).effects[0].to_string();
    assert!(told.ends_with(" % of slots move, all their own"), "{told}");
}

#[test]
fn weights_members_and_states_are_told() {
    let new = with(
        "{ real = \"web-1\" }, { real = \"web-2\" }",
        "{ real = \"web-1\", weight = 90 }, { real = \"dns-1\" }",
    );
    let plan = between(SITE, &new);
    let told: Vec<String> = plan.changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "pool \"web\" gets \"dns-1\" with weight 100",
            "pool \"web\" changes its weight of \"web-1\" from 100 to 90",
            "pool \"web\" loses \"web-2\"",
        ]
    );
    let effect = plan.effects[0].to_string();
    let begins = "service \"http\": 1 real leaves, 1 real joins, 1 real changes its weight, ";
    assert!(effect.starts_with(begins), "{effect}");
}

#[test]
fn services_and_settings_are_told() {
    let mut new =
        with("ports = 443", "ports = \"443-444\"").replace("name = \"dns\"\nvip", "name = \"names\"\nvip");
    new = new.replace("[tunnel]", "[tunnel]\nmtu = 1400");
    let plan = between(SITE, &new);
    assert_eq!(
        plan.to_string(),
        "tunnel.mtu: 1500 becomes 1400\n\
         service \"dns\" goes\n\
         service \"https\" changes its ports from 443 to 443-444\n\
         service \"names\" is new: VIP 198.51.100.53, protocol udp, ports 53, pool \"dns\""
    );
    assert!(plan.effects.is_empty(), "no slot moves");
}

#[test]
fn rules_are_told_with_all_they_ask_for() {
    let rule = |rule: &str| format!("{SITE}\n[[rule]]\nname = \"calls\"\n{rule}\n");
    let drops = rule("source = [\"203.0.113.0/24\", \"2001:db8::/32\"]\nports = \"80-90\"\ndrop = true");
    let gives = rule(
        "priority = 7\nprotocol = \"tcp\"\ntcp_flags = \"syn !ack\"\nvlan = \"none\"\ndscp = \"10-14\"\n\
         bytes = [{ at = \"transport+13\", mask = \"f0\", value = \"10\" }]\nservice = \"http\"\nreal = \"web-1\"",
    );
    assert_eq!(
        between(SITE, &drops).to_string(),
        "rule \"calls\" is new: priority 100, source 203.0.113.0/24, 2001:db8::/32, ports 80-90, action drop"
    );
    assert_eq!(
        between(SITE, &gives).to_string(),
        "rule \"calls\" is new: priority 7, protocol 6, dscp 10-14, vlan untagged, tcp_flags syn !ack, \
         bytes transport+13 & f0 = 10, action real \"web-1\" of service \"http\""
    );
    assert_eq!(between(&drops, SITE).to_string(), "rule \"calls\" goes");
    let told = between(&drops, &rule("ports = \"80-90\"\nservice = \"http\"")).to_string();
    assert_eq!(
        told,
        "rule \"calls\" changes its source from 203.0.113.0/24, 2001:db8::/32 to none\n\
         rule \"calls\" changes its action from drop to service \"http\""
    );
}

#[test]
fn what_a_rule_gives_packets_is_told() {
    let site = format!(
        "{SITE}\n[[mark]]\nname = \"voice\"\ndscp = 46\n[[limit]]\nname = \"slow\"\nkind = \"srtcm\"\n\
         cir_kbit_s = 8\ncbs_bytes = 1000\nebs_bytes = 0\n"
    );
    let rule = |gives: &str| format!("{site}\n[[rule]]\nname = \"calls\"\nports = 80\n{gives}\n");
    assert_eq!(
        between(&site, &rule("mark = \"voice\"")).to_string(),
        "rule \"calls\" is new: priority 100, ports 80, mark \"voice\""
    );
    let spi = format!("{site}\n[[rule]]\nname = \"calls\"\nspi = \"256-4095\"\nmark = \"voice\"\n");
    assert_eq!(
        between(&site, &spi).to_string(),
        "rule \"calls\" is new: priority 100, spi 256-4095, mark \"voice\""
    );
    assert_eq!(
        between(&rule("mark = \"voice\""), &rule("limit = \"slow\"\nservice = \"http\"")).to_string(),
        "rule \"calls\" changes its action from none to service \"http\"\n\
         rule \"calls\" changes its mark from \"voice\" to none\n\
         rule \"calls\" changes its limit from none to \"slow\""
    );
}

#[test]
fn a_new_address_under_an_old_name_is_told_with_the_slots_it_moves() {
    let plan = between(SITE, &with("10.0.0.12", "10.0.0.99"));
    assert_eq!(plan.changes.len(), 1);
    assert_eq!(plan.changes[0].to_string(), "real \"web-2\" changes its address from 10.0.0.12 to 10.0.0.99");
    // Slots follow addresses; nobody joins, leaves or drains.
    let effect = plan.effects[0].to_string();
    assert!(plan.effects[0].moved > 0.0 && plan.effects[0].moved < 0.5, "{effect}");
    assert!(!effect.contains("real"), "{effect}");
}

#[test]
fn another_seed_moves_all_slots() {
    let plan =
        between(SITE, &with("[tunnel]", "[select]\nseed = \"00000000000000000000000000000001\"\n[tunnel]"));
    assert_eq!(plan.effects.len(), 3);
    assert!(plan.to_string().contains("service \"http\": all slots move"), "{plan}");
}

#[test]
fn shares_are_rounded_towards_the_truth() {
    assert_eq!(super::share(0.0), "no slots");
    assert_eq!(super::share(0.000_01), "less than 0.1 % of slots");
    assert_eq!(super::share(0.007), "0.7 % of slots");
    assert_eq!(super::share(0.999_99), "99.9 % of slots");
    assert_eq!(super::share(1.0), "all slots");
}

/// The site with its DNS read by connection ids: of two servers, clear, and one more way under a key.
fn with_ids() -> String {
    let ids = r#"
[[quic]]
name = "old"
config = 0
server_id_bytes = 1
nonce_bytes = 4
servers = [{ real = "web-1", id = "01" }, { real = "web-2", id = "02" }, { real = "web-2", id = "03" }]
[[quic]]
name = "new"
config = 1
server_id_bytes = 1
nonce_bytes = 7
key = "8f95f09245765f80256934e50c66207f"
lengths = true
servers = [{ real = "web-1", id = "11" }, { real = "web-2", id = "12" }]
"#;
    format!("{ids}{}\nquic = [\"old\", \"new\"]\n", SITE.trim_end())
}

/// What the plan says of connections whose ids lead.
fn led(from: &str, to: &str) -> Vec<String> {
    let before = with_ids();
    assert!(before.contains(from), "{from}");
    let plan = between(&before, &before.replacen(from, to, 1));
    let told = plan.to_string();
    assert!(!told.contains("8f95f092") && !told.contains("8f95f093"), "{told}");
    let lines: Vec<String> = plan.led.iter().map(ToString::to_string).collect();
    assert!(told.ends_with(&lines.join("\n")), "{told}");
    lines
}

#[test]
fn what_becomes_of_connections_that_their_ids_lead_is_told() {
    assert_eq!(led("\"dns-1\"", "\"dns-1\""), [""; 0]);
    let of = "service \"dns\": ";
    let moved = led("real = \"web-2\", id = \"02\"", "real = \"web-1\", id = \"02\"");
    assert_eq!(moved, [format!("{of}1 server id is another real's now, and its connections go there")]);
    let gone = led(", { real = \"web-2\", id = \"02\" }, { real = \"web-2\", id = \"03\" }", "");
    assert_eq!(
        gone,
        [format!("{of}2 server ids are nobody's any more: their connections go by their flows")]
    );
    let remade = "connection ids of config 1 are made otherwise: those that are out lead to other reals or to none. \
                  Give the new ones a config of their own, beside the old";
    for (from, to) in [
        ("66207f", "66207e"),
        ("8f95f092", "8f95f093"),
        ("nonce_bytes = 7", "nonce_bytes = 8"),
        ("key = \"8f95f09245765f80256934e50c66207f\"\n", ""),
    ] {
        assert_eq!(led(from, to), [format!("{of}{remade}")], "{to}");
    }
    assert_eq!(led("lengths = true\n", ""), [""; 0], "ids that tell their lengths are still read");
    let unread = "are read no more: their connections go by their flows";
    assert_eq!(led("\"old\", \"new\"", "\"new\""), [format!("{of}connection ids of config 0 {unread}")]);
    let none = led("quic = [\"old\", \"new\"]\n", "");
    assert_eq!(none, [0, 1].map(|config| format!("{of}connection ids of config {config} {unread}")));
    let both = led(
        "{ real = \"web-1\", id = \"01\" }, { real = \"web-2\", id = \"02\" }",
        "{ real = \"web-2\", id = \"01\" }",
    );
    assert_eq!(both.len(), 2, "{both:?}");
}

#[test]
fn ids_that_are_read_for_the_first_time_move_no_connection() {
    let plan = between(SITE, &with_ids());
    assert_eq!(plan.led, []);
    let told = plan.to_string();
    assert!(told.contains("ids encrypted") && !told.contains("8f95f092"), "{told}");
}

/// Weights of three reals; one at least is above 0.
fn weights() -> impl Strategy<Value = [u16; 3]> {
    (any::<[u16; 3]>(), prop::sample::select(vec![0, 1, 2])).prop_map(|(mut weights, place)| {
        weights[place] = weights[place].max(1);
        weights
    })
}

fn weighted(weights: [u16; 3]) -> String {
    let [a, b, c] = weights;
    let members = format!(
        "{{ real = \"web-1\", weight = {a} }}, {{ real = \"web-2\", weight = {b} }}, {{ real = \"web-3\", weight = {c} }}"
    );
    with("{ real = \"web-1\" }, { real = \"web-2\" }, { real = \"web-3\" }", &members)
}

proptest! {
    #[test]
    fn a_plan_is_empty_exactly_when_nothing_is_written_differently(old in weights(), new in weights()) {
        let plan = between(&weighted(old), &weighted(new));
        assert_eq!(plan.is_empty(), old == new);
        assert_eq!(plan.changes.len(), old.iter().zip(new).filter(|(a, b)| **a != *b).count());
        assert!(plan.effects.iter().all(|effect| (0.0..=1.0).contains(&effect.moved)));
        assert!(plan.effects.iter().all(|effect| (0.0..=effect.moved).contains(&effect.own)));
        assert!(plan.effects.iter().all(|effect| effect.service.as_str() != "dns"));
    }
}
