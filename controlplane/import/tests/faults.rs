//! What cannot be imported, and the sentence that says so.

#![allow(clippy::unwrap_used, reason = "test code, which may stop where it is wrong")]

use import::{Format, import, import_all};

const FAULTS: &[(Format, &str, &str)] = &[
    (
        Format::Ipvs,
        "",
        "there is no service in it that Penstock can offer. Give what `ipvsadm -Sn` prints on the balancer.",
    ),
    (
        Format::Ipvs,
        "IP Virtual Server version 1.2.1",
        "1: \"IP\" is not -A or -a. Give what `ipvsadm -Sn` prints, nothing else.",
    ),
    (
        Format::Ipvs,
        "-A -t www:http -s rr",
        "1: \"www\" is not an IP address. Write the address itself, in digits.",
    ),
    (
        Format::Ipvs,
        "\n-a -t 1.2.3.4:80 -r 10.0.0.1:80",
        "2: no line before adds the service of this server. Give all that `ipvsadm -Sn` prints, in its order.",
    ),
    (
        Format::Ipvs,
        "-A -t 1.2.3.4:80 --zap",
        "1: the option \"--zap\" is not known. Give the line as `ipvsadm -Sn` prints it.",
    ),
    (
        Format::Ipvs,
        "-A -t 1.2.3.4:80\n-A -t 1.2.3.4:80",
        "2: this service was added before. Keep one of the two lines.",
    ),
    (
        Format::Ipvs,
        "-A -f 1",
        "there is no service in it that Penstock can offer (the last one: service by firewall mark 1 and its servers). Give what `ipvsadm -Sn` prints on the balancer.",
    ),
    (
        Format::Ipvs,
        "-A -t 1.2.3.4:80\n-a -t 1.2.3.4:80 -r 10.0.0.1:80 -i --tun-type gue --tun-nocsum",
        "2: a tunnel of type gue has no port. Write the UDP port that the servers listen on.",
    ),
    (
        Format::Ipvs,
        "-A -t 1.2.3.4:80\n-a -t 1.2.3.4:80 -r 10.0.0.1:80 -i --tun-type gue --tun-port 65536",
        "2: \"65536\" is no port of a tunnel. Write the UDP port that the servers listen on.",
    ),
    (
        Format::Ipvs,
        "-A -t 1.2.3.4:80\n-a -t 1.2.3.4:80 -r 10.0.0.1:80 -i --tun-zip",
        "2: the option \"--tun-zip\" is not known. Give the line as `ipvsadm -Sn` prints it.",
    ),
    (
        Format::Keepalived,
        "virtual_server 1.2.3.4 80 {\nlb_kind TUN type gue port 0\n}",
        "2: \"0\" is no port of a tunnel. Write the UDP port that the servers listen on.",
    ),
    (
        Format::Keepalived,
        "virtual_server 1.2.3.4 80 {\nreal_server 10.0.0.1 80 {\nlvs_method TUN gue\n}\n}",
        "3: the option \"gue\" of a tunnel is not known. Write type, port, nocsum, csum or remcsum.",
    ),
    (Format::Keepalived, "}", "1: a brace closes what was not opened. Take it away."),
    (
        Format::Keepalived,
        "virtual_server 1.2.3.4 80 {",
        "a block is not closed at the end of the text. Write the closing brace.",
    ),
    (
        Format::Keepalived,
        "virtual_server $VIP 80 {\n}",
        "1: \"$VIP\" is not an IP address. Write the address itself, in digits.",
    ),
    (
        Format::Keepalived,
        "virtual_server group web {\n}",
        "1: there is no virtual_server_group \"web\". Put its block into this text.",
    ),
    (
        Format::Keepalived,
        "virtual_server 1.2.3.4 80 {\nreal_server 10.0.0.1 80 {\nweight many\n}\n}",
        "3: \"many\" is not a weight. Write a whole number.",
    ),
    (
        Format::Katran,
        "{",
        "1: the text is no JSON: EOF while parsing an object at line 1 column 1. Give the file as it is.",
    ),
    (Format::Katran, "{}", "the text: \"vips\" is missing. Write it."),
    (
        Format::Katran,
        r#"[{"address":"1.2.3.4","port":80,"protocol":1}]"#,
        "[0].protocol: this is neither TCP nor UDP. Write 6, 17, \"tcp\" or \"udp\".",
    ),
    (
        Format::Katran,
        r#"{"vips":[{"address":"1.2.3.4","port":65536,"protocol":6}]}"#,
        "vips[0].port: this is no port. Write a number from 0 to 65535.",
    ),
    (
        Format::Glb,
        r#"{"tables":[{"backends":[{"ip":"10.0.0.1","state":"gone"}],"binds":[]}]}"#,
        "tables[0].backends[0].state: this state is not known. Write active, draining, filling or inactive.",
    ),
    (
        Format::Glb,
        r#"{"tables":[{"backends":[],"binds":[{"ip":"1.2.3.4","proto":"tcp","port_start":9,"port_end":8}]}]}"#,
        "tables[0].binds[0]: the ports end before they begin. Exchange port_start and port_end.",
    ),
];

#[test]
fn each_fault_names_its_place_and_the_remedy() {
    for (format, text, told) in FAULTS {
        assert_eq!(import(*format, text).unwrap_err().to_string(), *told, "{text}");
    }
}

#[test]
fn what_is_included_is_read_and_its_faults_name_its_file() {
    let mut files = |from: &str, pattern: &str| match (from, pattern) {
        ("", "conf.d/*.conf") => Ok(vec![
            ("a.conf".to_owned(), "include deep.conf\n".to_owned()),
            ("b.conf".to_owned(), "virtual_server 1.2.3.4 81 {\ninclude reals.conf\n}".to_owned()),
        ]),
        ("a.conf", "deep.conf") => Ok(vec![("deep.conf".to_owned(), "\nvrrp_instance x {\n}\n".to_owned())]),
        ("b.conf", "reals.conf") => {
            Ok(vec![("reals.conf".to_owned(), "real_server 10.0.0.2 81 { }".to_owned())])
        }
        ("", "self.conf") | ("self.conf", _) => {
            Ok(vec![("self.conf".to_owned(), "include self.conf".to_owned())])
        }
        ("", "wrong.conf") => Ok(vec![("wrong.conf".to_owned(), "\n}".to_owned())]),
        _ => Err("no such file".to_owned()),
    };
    let text = "virtual_server 1.2.3.4 80 {\nreal_server 10.0.0.1 80 { }\n}\ninclude conf.d/*.conf\n";
    let imported = import_all(Format::Keepalived, text, &mut files).unwrap();
    assert_eq!((imported.services, imported.reals), (2, 2));
    assert!(
        imported.toml.contains("# no counterpart: deep.conf line 2: vrrp_instance x"),
        "{}",
        imported.toml
    );
    conf::parse("imported.toml", &imported.toml).unwrap();
    let mut told = |text: &str| {
        let fault = import_all(Format::Keepalived, text, &mut files).unwrap_err();
        (fault.file.clone().unwrap_or_default(), fault.to_string())
    };
    let (file, what) = told("include none.conf");
    assert_eq!(
        (file.as_str(), what.as_str()),
        ("", "1: \"none.conf\" cannot be included: no such file. Mend the path, or take the line away.")
    );
    let (file, what) = told("include wrong.conf");
    assert_eq!(
        (file.as_str(), what.as_str()),
        ("wrong.conf", "2: a brace closes what was not opened. Take it away.")
    );
    let (file, what) = told("include self.conf");
    assert_eq!(file, "self.conf");
    assert!(what.contains("16 deep"), "{what}");
}
