//! What cannot be imported, and the sentence that says so.

#![allow(clippy::unwrap_used, reason = "test code, which may stop where it is wrong")]

use import::{Format, import};

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
