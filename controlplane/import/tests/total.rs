//! Any text gives a configuration that `conf` accepts or a fault with its remedy; nothing panics.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code, which may stop where it is wrong")]

use import::{Format, import, limits};
use proptest::prelude::{Strategy, any, prop, proptest};
use proptest::prop_oneof;

fn holds(format: Format, text: &str) {
    match import(format, text) {
        Err(fault) => {
            let told = fault.to_string();
            assert!(told.ends_with('.') && !told.contains('\n'), "{told}");
        }
        Ok(imported) => {
            let config = conf::parse("imported.toml", &imported.toml)
                .unwrap_or_else(|faults| panic!("{faults}\n{}\nfrom\n{text}", imported.toml));
            assert_eq!((config.services.len(), config.reals.len()), (imported.services, imported.reals));
            assert_eq!(import(format, text).unwrap(), imported, "the same text, the same bytes");
        }
    }
}

fn sample(format: Format) -> &'static str {
    match format {
        Format::Ipvs => include_str!("samples/ipvs.rules"),
        Format::Keepalived => include_str!("samples/keepalived.conf"),
        Format::Katran => include_str!("samples/katran.json"),
        Format::Glb => include_str!("samples/glb.json"),
    }
}

fn formats() -> impl Strategy<Value = Format> {
    prop::sample::select(Format::ALL.to_vec())
}

/// A word that may stand anywhere in one of the formats.
fn words() -> impl Strategy<Value = String> {
    let known = [
        "-A",
        "-a",
        "-t",
        "-u",
        "-r",
        "-w",
        "-i",
        "-g",
        "-m",
        "-p",
        "--tun-type",
        "gue",
        "gre",
        "--tun-port",
        "TUN",
        "-s",
        "1",
        "0",
        "80",
        "65536",
        "198.51.100.10:80",
        "198.51.100.10:81",
        "10.0.0.1:80",
        "[2001:db8::1]:80",
        "10.0.0.1",
        "255.255.255.255",
        "224.0.0.0/4",
        "0.0.0.0/0",
        "::ffff:10.0.0.1",
        "10.0.0.250-255",
        "virtual_server",
        "virtual_server_group",
        "group",
        "fwmark",
        "real_server",
        "weight",
        "protocol",
        "UDP",
        "lb_kind",
        "DR",
        "{",
        "}",
        "\n",
        "\n",
        "\"",
        "!",
        "[",
        "]",
        ",",
        ":",
        "\"vips\"",
        "\"address\"",
        "\"port\"",
        "\"reals\"",
        "\"tables\"",
        "\"binds\"",
        "\"backends\"",
        "null",
        "-1",
        "1e9",
        "18446744073709551615",
        "\u{7f}",
        "\u{2028}",
        "\r",
    ];
    prop::sample::select(known.to_vec()).prop_map(str::to_owned)
}

/// A file of the format that says something: services and servers out of few, so that they meet.
fn rules() -> impl Strategy<Value = String> {
    let service = (0..3_u8, 0..4_u16, any::<bool>());
    let server = (0..6_u8, prop_oneof![0..3_u64, any::<u64>()], 0..5_usize);
    prop::collection::vec((service, prop::collection::vec(server, 0..5)), 0..8).prop_map(|services| {
        let mut text = String::new();
        for ((vip, port, udp), servers) in services {
            let subject = format!("-{} 198.51.100.{vip}:{port}", if udp { 'u' } else { 't' });
            text += &format!("-A {subject} -s rr\n");
            for (host, weight, method) in servers {
                let method =
                    ["-g", "-i", "-m", "-i --tun-type gre", "-i --tun-type gue --tun-port 6080 --tun-csum"]
                        .get(method)
                        .copied()
                        .unwrap_or("-i");
                text += &format!("-a {subject} -r 10.0.0.{host}:{port} {method} -w {weight}\n");
            }
        }
        text
    })
}

/// Tables with ranges and prefixes that overlap, and names that meet those of services.
fn tables() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec!["web", "tcp-198.51.100.0_24-1-2", "pool-2", "a b", "", "é"]);
    let bind = (0..3_u8, 20..33_u8, 0..5_u16, 0..5_u16);
    let backend = (0..4_u8, prop::sample::select(vec!["active", "draining", "inactive"]), any::<bool>());
    let (binds, backends) = (prop::collection::vec(bind, 0..4), prop::collection::vec(backend, 0..4));
    prop::collection::vec((names, binds, backends), 0..4).prop_map(|tables| {
        let tables: Vec<String> = tables
            .into_iter()
            .map(|(name, binds, backends)| {
                let bind = |&(host, len, first, last): &(u8, u8, u16, u16)| {
                    format!(
                        r#"{{"ip":"198.51.100.{host}/{len}","proto":"tcp","port_start":{first},"port_end":{last}}}"#
                    )
                };
                let backend = |&(host, state, healthy): &(u8, &str, bool)| {
                    format!(r#"{{"ip":"10.0.0.{host}","state":"{state}","healthy":{healthy}}}"#)
                };
                let binds: Vec<String> = binds.iter().map(bind).collect();
                let backends: Vec<String> = backends.iter().map(backend).collect();
                format!(
                    r#"{{"name":"{name}","binds":[{}],"backends":[{}]}}"#,
                    binds.join(","),
                    backends.join(",")
                )
            })
            .collect();
        format!(r#"{{"tables":[{}]}}"#, tables.join(","))
    })
}

proptest! {
    #[test]
    fn any_text_is_read_to_its_end(format in formats(), text in any::<String>()) {
        holds(format, &text);
    }

    #[test]
    fn any_words_are_read_to_their_end(format in formats(), words in prop::collection::vec(words(), 0..40)) {
        holds(format, &words.join(" "));
    }

    #[test]
    fn a_sample_with_changes_is_read_to_its_end(
        format in formats(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), words(), 0..12_usize), 1..5),
    ) {
        let mut text: Vec<char> = sample(format).chars().collect();
        for (index, word, removed) in changes {
            let at = index.index(text.len() + 1);
            let end = (at + removed).min(text.len());
            text.splice(at..end, word.chars());
        }
        holds(format, &text.into_iter().collect::<String>());
    }

    #[test]
    fn rules_that_meet_one_another_become_a_sound_configuration(text in rules()) {
        holds(Format::Ipvs, &text);
    }

    #[test]
    fn tables_that_meet_one_another_become_a_sound_configuration(text in tables()) {
        holds(Format::Glb, &text);
    }
}

#[test]
fn what_is_past_a_limit_is_refused_with_the_limit() {
    let long = " ".repeat(limits::INPUT_BYTES_MAX + 1);
    let deep = "a {\n".repeat(limits::DEPTH_MAX + 1);
    let wide = "virtual_server_group g {\n2001:db8::0-ffff 80\n}\n";
    for (text, limit) in [(long.as_str(), "bytes"), (&deep, "deep"), (wide, "4096 addresses")] {
        let told = import(Format::Keepalived, text).unwrap_err().to_string();
        assert!(told.contains(limit), "{told}");
    }
}

#[test]
fn many_services_and_servers_stay_within_the_limits_of_a_configuration() {
    let mut text = String::new();
    for service in 0..1000_u32 {
        let subject = format!("-t 198.51.{}.{}:80", service / 250, service % 250 + 1);
        text += &format!("-A {subject} -s rr\n");
        for server in 0..4 {
            let host = service * 4 + server;
            text += &format!("-a {subject} -r 10.0.{}.{}:80 -i -w 1\n", host / 250, host % 250 + 1);
        }
    }
    holds(Format::Ipvs, &text);
    let toml = import(Format::Ipvs, &text).unwrap().toml;
    let config = conf::parse("imported.toml", &toml).unwrap();
    assert_eq!((config.services.len(), config.pools.len(), config.reals.len()), (1000, 1000, 4000));
    assert!(config.pools.iter().all(|pool| pool.slots == 1009), "a thousand tables are small ones");
}
