//! `penstock check`, as a person sees it.
#![allow(clippy::unwrap_used, reason = "test code, which may stop where it is wrong")]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::{Bench, CONFIG, text};

#[test]
fn a_sound_configuration_is_told_in_words_with_its_digest() {
    let bench = Bench::new();
    let said = bench.good("check --config site.toml");
    assert!(said.starts_with("The first table: 2 services, 2 pools, 3 reals."), "{said}");
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("Sound: 2 VIPs, 2 services, 2 pools, 3 reals; a table of "), "{last}");
    assert_eq!(bench.good("check --config site.toml"), said, "the same table, the same digest");
}

#[test]
fn every_fault_is_told_on_a_line_of_its_own() {
    let bench = Bench::new();
    let broken = CONFIG.replace("pool = \"dns\"", "pool = \"dsn\"").replace("10.0.0.12", "10.0.0.300");
    std::fs::write(bench.path("site.toml"), broken).unwrap();
    let told = bench.bad("check --config site.toml", 1);
    assert!(told.lines().count() >= 2, "{told}");
    assert!(told.lines().all(|line| line.starts_with("site.toml:")), "{told}");
    assert!(told.contains("10.0.0.300") && told.contains("Did you mean \"dns\"?"), "{told}");
    assert!(bench.run("check --config site.toml").stdout.is_empty());
}

#[test]
fn a_change_is_told_with_the_share_of_slots_that_move() {
    let bench = Bench::new();
    std::fs::write(
        bench.path("new.toml"),
        CONFIG.replace("real = \"web-2\" }", "real = \"web-2\", weight = 50 }"),
    )
    .unwrap();
    let said = bench.good("check --config new.toml --against site.toml");
    assert!(said.contains("changes its weight of \"web-2\" from 100 to 50"), "{said}");
    assert!(said.contains("service \"http\": 1 real changes its weight, "), "{said}");
    assert!(said.contains("% of slots move"), "{said}");
    let same = bench.good("check --config site.toml --against site.toml");
    assert!(same.starts_with("Nothing changes."), "{same}");
}

#[test]
fn a_check_writes_nothing_and_a_file_that_is_not_there_is_told() {
    let bench = Bench::new();
    std::fs::write(bench.path("site.toml"), format!("[node]\nnumbers = \"numbers.toml\"\n{CONFIG}")).unwrap();
    bench.good("check --config site.toml");
    assert_eq!(bench.files(), ["site.toml"]);
    let told = bench.bad("check --config none.toml", 1);
    assert!(told.starts_with("none.toml: the file cannot be read"), "{told}");
}

#[test]
fn usage_is_status_2_and_the_version_is_told() {
    let bench = Bench::new();
    bench.bad("check", 2);
    bench.bad("frobnicate", 2);
    assert_eq!(bench.good("--version"), format!("penstock {}\n", env!("CARGO_PKG_VERSION")));
    let help = text(&bench.run("replay -h").stdout);
    assert!(!help.contains("--burst"), "hidden from the short help");
    assert!(text(&bench.run("replay --help").stdout).contains("--burst"));
}

/// The site with connection ids of QUIC: an encrypted way, and a clear one with short server ids.
fn with_ids() -> String {
    let more = r#"
[[quic]]
name = "hidden"
config = 0
server_id_bytes = 2
nonce_bytes = 14
key = "8f95f09245765f80256934e50c66207f"
servers = [{ real = "web-1", id = "0001" }]
[[quic]]
name = "short"
config = 1
server_id_bytes = 1
nonce_bytes = 4
servers = [{ real = "web-1", id = "01" }, { real = "web-2", id = "02" }, { real = "dns-1", id = "03" }]
[[service]]
name = "quic"
vip = "203.0.113.99"
protocol = "udp"
ports = 443
pool = "web"
quic = ["hidden", "short"]
"#;
    format!("{CONFIG}{more}")
}

#[test]
fn a_key_that_every_user_may_read_is_told_and_shown_nowhere() {
    let bench = Bench::new();
    std::fs::write(bench.path("site.toml"), with_ids()).unwrap();
    let told = |file: u32, folder: u32| {
        for (path, mode) in [("site.toml", file), (".", folder)] {
            std::fs::set_permissions(bench.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let said = bench.good("check --config site.toml");
        assert!(!said.contains("8f95f092"), "{said}");
        said.contains(
            "Note: site.toml has a key of connection ids, and every user may read it: chmod o-r site.toml.\n",
        )
    };
    assert!(told(0o644, 0o755));
    assert!(!told(0o640, 0o755), "the file is closed");
    assert!(!told(0o644, 0o750), "the folder is");
    let sound = with_ids().replace("key = \"8f95f09245765f80256934e50c66207f\"\n", "");
    std::fs::write(bench.path("site.toml"), sound.replace("\"0001\"", "\"0101\"")).unwrap();
    assert!(!told(0o644, 0o755), "it has no key");
}

#[test]
fn server_ids_that_clients_hit_by_chance_are_told() {
    let bench = Bench::new();
    std::fs::write(bench.path("site.toml"), with_ids()).unwrap();
    let said = bench.good("check --config site.toml");
    let notes: Vec<&str> = said.lines().filter(|line| line.contains("by chance")).collect();
    let note = "Note: 1 in 100 ids that a client makes up name a server of \"short\" by chance, if their config is 1: longer \
                server ids are rarer.";
    assert_eq!(notes, [note], "{said}");
}

#[test]
fn a_server_id_that_is_given_to_another_is_told_with_what_becomes_of_connections() {
    let bench = Bench::new();
    std::fs::write(bench.path("site.toml"), with_ids()).unwrap();
    std::fs::write(bench.path("new.toml"), with_ids().replace("web-2\", id = \"02", "web-1\", id = \"02"))
        .unwrap();
    let said = bench.good("check --config new.toml --against site.toml");
    let moved = "service \"quic\": 1 server id is another real's now, and its connections go there";
    assert!(said.lines().any(|line| line == moved), "{said}");
}

/// Two VIPs on two reals that tunnels of `mtu` bytes lead to: one that takes 20 bytes of a packet, and one that takes 70.
fn narrow(mtu: u16, vip: &str) -> String {
    let more = format!(
        r#"
[[real]]
name = "far"
address = "2001:db8:1::11"
encap = "vxlan"
tunnel_key = 7
inner_mac = "02:00:00:00:01:11"
[[pool]]
name = "far"
slots = 251
members = [{{ real = "far" }}, {{ real = "web-1" }}]
[[service]]
name = "six"
vip = "{vip}"
protocol = "tcp"
ports = 80
pool = "far"
"#
    );
    let tunnel = format!("[tunnel]\nmtu = {mtu}\nsource_v6 = \"2001:db8::1\"");
    format!("{}{more}", CONFIG.replace("[tunnel]", &tunnel))
}

#[test]
fn a_way_that_is_too_narrow_for_ipv6_clients_is_told_with_what_it_needs() {
    let bench = Bench::new();
    let told = |mtu: u16, vip: &str| {
        std::fs::write(bench.path("site.toml"), narrow(mtu, vip)).unwrap();
        let said = bench.good("check --config site.toml");
        said.lines().filter(|line| line.starts_with("Note: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let note = "Note: IPv6 clients may send 1280 bytes and need not send less, and the way to \"far\" has room for 1279 \
                beside the 70 of its tunnel: write tunnel.mtu = 1350 or more.";
    assert_eq!(told(1349, "2001:db8:100::10"), [note]);
    assert_eq!(told(1350, "2001:db8:100::10"), [""; 0]);
    assert_eq!(told(1349, "203.0.113.99"), [""; 0], "IPv4 clients may be told less");
    let both = "Note: IPv6 clients may send 1280 bytes and need not send less, and the way to \"far\" (and 1 way to others) \
                has room for 1229 beside the 70 of its tunnel: write tunnel.mtu = 1350 or more.";
    assert_eq!(told(1299, "2001:db8:100::10"), [both]);
}
