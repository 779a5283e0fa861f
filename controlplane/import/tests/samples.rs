//! Each sample of another balancer's configuration, and the configuration that it becomes, word for word.
//! After a wanted change: `UPDATE=1 cargo test -p import --test samples`, and read the difference.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

use std::path::{Path, PathBuf};

use import::{Format, Imported, import};
use service::{Encap, UdpChecksum, UdpTunnel};

const SAMPLES: [(Format, &str); 4] = [
    (Format::Ipvs, "ipvs.rules"),
    (Format::Keepalived, "keepalived.conf"),
    (Format::Katran, "katran.json"),
    (Format::Glb, "glb.json"),
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name)
}

fn imported(format: Format, name: &str) -> Imported {
    let text = std::fs::read_to_string(path(name)).unwrap();
    import(format, &text).unwrap_or_else(|fault| panic!("{name}:{fault}"))
}

fn config(imported: &Imported) -> conf::Config {
    conf::parse("imported.toml", &imported.toml)
        .unwrap_or_else(|faults| panic!("{faults}\n{}", imported.toml))
}

#[test]
fn each_sample_becomes_the_configuration_beside_it() {
    for (format, name) in SAMPLES {
        let imported = imported(format, name);
        let beside = path(&format!("{}.toml", format.name()));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&beside, &imported.toml).unwrap();
        }
        let expected = std::fs::read_to_string(&beside).unwrap();
        assert!(imported.toml == expected, "{name} becomes now\n{}", imported.toml);
    }
}

#[test]
fn what_comes_out_is_sound_and_counted() {
    for (format, name) in SAMPLES {
        let imported = imported(format, name);
        let config = config(&imported);
        assert_eq!(
            (config.services.len(), config.reals.len()),
            (imported.services, imported.reals),
            "{name}"
        );
        let count = |what: &str| imported.toml.matches(what).count();
        // The head explains both words once, in other forms.
        assert_eq!(count("# no counterpart: "), imported.without_counterpart, "{name}");
        assert_eq!(count("# FILL IN: "), imported.to_fill_in, "{name}");
        assert!(imported.without_counterpart > 0, "{name}");
    }
}

#[test]
fn weights_pools_and_encapsulations_are_those_of_the_rules() {
    let config = config(&imported(Format::Ipvs, "ipvs.rules"));
    let service = |name: &str| config.services.iter().find(|service| service.name.as_str() == name).unwrap();
    let (http, https) = (service("tcp-198.51.100.10-80"), service("tcp-198.51.100.10-443"));
    assert_eq!(http.pool, https.pool, "the same servers and weights are one pool");
    let weights: Vec<u32> = config.pools[http.pool].members.iter().map(|member| member.weight).collect();
    assert_eq!(weights, [100, 50, 0]);
    let dns = &config.pools[service("udp-198.51.100.53-53").pool];
    assert!(dns.members.iter().all(|member| config.reals[member.real].encap == service::Encap::Mac));
    let twice = &config.pools[service("tcp-198.51.100.20-8080").pool];
    assert_eq!(twice.members.len(), 1, "one address, one member");
    assert_eq!(twice.members[0].weight, 2);
    assert!(service("tcp-2001-db8-100--10-80").vip.address.is_ipv6());
}

#[test]
fn tunnels_of_other_types_than_ip_in_ip_stay_what_they_are() {
    let gue = |port, checksum| Encap::Gue(UdpTunnel { port, checksum });
    let reached = |format, name| -> Vec<(String, Encap)> {
        let config = config(&imported(format, name));
        config.reals.iter().map(|real| (real.name.to_string(), real.encap)).collect()
    };
    let of = |reals: &[(String, Encap)], name: &str| reals.iter().find(|(real, _)| real == name).unwrap().1;
    let ipvs = reached(Format::Ipvs, "ipvs.rules");
    // Zero stays zero over IPv6: the servers take it already.
    assert_eq!(of(&ipvs, "2001-db8-1--11-gue-6080"), gue(6080, UdpChecksum::Zero));
    assert_eq!(of(&ipvs, "2001-db8-1--12-gue-6081"), gue(6081, UdpChecksum::Full));
    assert_eq!(of(&ipvs, "2001-db8-1--13-gre"), Encap::Gre { key: None });
    assert_eq!(of(&ipvs, "10.0.3.1-gue-6080"), gue(6080, UdpChecksum::Full), "instead of remote checksums");
    assert_eq!(of(&ipvs, "10.0.3.2-gre"), Encap::Gre { key: None });
    assert_eq!(of(&ipvs, "10.0.0.11"), Encap::Ipip);
    assert_eq!(
        of(&ipvs, "10.0.0.11-gue-6080"),
        gue(6080, UdpChecksum::Zero),
        "the same address, another tunnel"
    );
    let keepalived = reached(Format::Keepalived, "keepalived.conf");
    assert_eq!(of(&keepalived, "10.0.3.1-gue-6080"), gue(6080, UdpChecksum::Full), "the virtual server's");
    assert_eq!(of(&keepalived, "10.0.3.2-gre"), Encap::Gre { key: None }, "a real server's own");
    assert_eq!(of(&keepalived, "10.0.3.3"), Encap::Mac);
    assert_eq!(of(&keepalived, "10.0.3.4-gue-6080"), gue(6080, UdpChecksum::Full));
    assert_eq!(of(&keepalived, "10.0.3.5"), Encap::Ipip);
}

#[test]
fn what_has_no_counterpart_is_said_where_it_is() {
    let said = [
        (
            Format::Ipvs,
            "ipvs.rules",
            &[
                "service by firewall mark 7",
                "it has no server",
                "port 80 of the server",
                "remcsum",
                "checksum of GRE (csum)",
            ][..],
        ),
        (
            Format::Keepalived,
            "keepalived.conf",
            &[
                "vrrp_instance VI_1",
                "include /etc",
                "persistence_timeout 50",
                "sorry_server 10.0.0.99 80",
                "health check HTTP_GET",
                "fwmark 3",
                "fwmark 9",
                "lb_kind NAT",
                "checksum of GRE (csum)",
                "remcsum",
            ],
        ),
        (
            Format::Katran,
            "katran.json",
            &["flag NO_SPORT", "flag QUIC_VIP", "flags 0x10", "healthchecks", "qreals"],
        ),
        (
            Format::Glb,
            "glb.json",
            &[
                "10.0.0.14, left out: it is inactive",
                "not healthy",
                "draining",
                "hash_key",
                "interval_ms 2000",
                "\"gue\"|gue 19523",
            ],
        ),
    ];
    for (format, name, words) in said {
        let toml = imported(format, name).toml;
        let notes: Vec<&str> = toml.lines().filter(|line| line.contains("# no counterpart: ")).collect();
        for word in words {
            let found = word.split('|').any(|word| notes.iter().any(|note| note.contains(word)));
            assert!(found, "{name}: {word}\n{}", notes.join("\n"));
        }
    }
}

#[test]
fn katrans_router_is_the_next_hop() {
    let config = config(&imported(Format::Katran, "katran.json"));
    assert_eq!(config.tunnel.next_hop.unwrap().to_string(), "00:1b:21:aa:bb:cc");
}
