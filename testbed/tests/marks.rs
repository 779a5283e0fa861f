//! Marks as an independent decoder, tshark, reads them: tags, labels and code points of what the program sends, in tshark's
//! JSON. What is expected is written out by hand, and not by the helpers that made the cases.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test fail as the test does"
)]

use testbed::penstock::{replay, run};
use testbed::{cases, tshark};

/// What each packet of a case's output is, as [`told`] says it.
const SENT: &[(&str, &[&str])] = &[
    (
        "every-mark-at-once-stands-in-its-order",
        &[
            "tag 7 priority 5, label 16 class 5 ttl 9 bottom 0, label 17 class 5 ttl 9 bottom 1, dscp 46, dscp 46",
            "service tag 7 priority 5, tag 2 priority 1, label 16 class 5 ttl 9 bottom 0, label 17 class 5 ttl 9 bottom 1, dscp 46, dscp 46",
        ],
    ),
    (
        "a-tag-inserted-on-a-tagged-frame-is-a-service-tag-outside",
        &[
            "service tag 7 priority 5, tag 5 priority 5, dscp 0, dscp 0",
            "service tag 7 before 1, tag 2 priority 1, dscp 0, dscp 0",
        ],
    ),
    (
        "a-label-is-swapped-and-keeps-its-class-with-one-hop-less",
        &[
            "dscp 0, dscp 0",
            "label 99 class 5 ttl 43 bottom 1, dscp 0, dscp 0",
            "tag 5 priority 5, label 100 class 0 ttl 200 bottom 1, dscp 0, dscp 0",
        ],
    ),
    (
        "a-priority-alone-is-written-to-the-tag-or-to-one-of-no-vlan",
        &[
            "tag 0 priority 5, dscp 0, dscp 0",
            "tag 7 priority 5, dscp 0, dscp 0",
            "service tag 1 priority 5, tag 2 priority 1, dscp 0, dscp 0",
        ],
    ),
    ("a-mark-on-the-outer-header-leaves-the-packet-as-it-came", &["dscp 46, dscp 1", "dscp 46, class 1"]),
    ("a-code-point-goes-to-a-real-on-the-lan", &["dscp 10", "dscp 0"]),
];

/// Fields whose occurrences belong together, the first of which is not alone.
const GROUPS: [(&str, &[(&str, &str)]); 6] = [
    // Of two service tags tshark names both by what they are to one another.
    ("service tag", &[("ieee8021ad.svid", ""), ("ieee8021ad.cvid", " before ")]),
    ("service tag", &[("ieee8021ad.id", ""), ("ieee8021ad.priority", " priority ")]),
    ("tag", &[("vlan.id", ""), ("vlan.priority", " priority ")]),
    (
        "label",
        &[("mpls.label", ""), ("mpls.exp", " class "), ("mpls.ttl", " ttl "), ("mpls.bottom", " bottom ")],
    ),
    ("dscp", &[("ip.dsfield.dscp", "")]),
    ("class", &[("ipv6.tclass.dscp", "")]),
];

/// What tshark is asked for.
fn fields() -> Vec<&'static str> {
    let of_groups = GROUPS.iter().flat_map(|(_, fields)| *fields).map(|(field, _)| *field);
    std::iter::once("ip.checksum.status").chain(of_groups).collect()
}

/// One packet in words.
fn told(packet: &tshark::Fields) -> String {
    let [sums, values @ ..] = packet.as_slice() else { panic!("tshark told nothing") };
    let (mut values, mut words) = (values.iter(), Vec::new());
    for (name, fields) in GROUPS {
        let columns: Vec<_> = fields.iter().zip(&mut values).collect();
        for at in 0..columns[0].1.len() {
            let values = columns.iter().map(|((_, word), all)| format!("{word}{}", all[at]));
            words.push(format!("{name} {}", values.collect::<String>()));
        }
    }
    // 1 is good, for each header that has one.
    if sums.iter().any(|status| status != "1") || sums.is_empty() {
        words.push(format!("checksums {sums:?}"));
    }
    words.join(", ")
}

#[test]
fn tshark_reads_the_marks_that_were_asked_for() {
    let (cases, faults) = cases::all().unwrap();
    assert_eq!(faults, Vec::<String>::new());
    let mut wrong = Vec::new();
    for (name, expected) in SENT {
        let case = cases.iter().find(|case| case.name == *name).unwrap_or_else(|| panic!("no case {name}"));
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.pcap");
        let mut command = replay(&case.file("config.toml"), &case.file("send.pcap")).unwrap();
        run(command.arg("--out").arg(&out)).unwrap().require_success().unwrap();
        let packets = tshark::read(&out, &[], &fields()).unwrap();
        let read: Vec<String> = packets.iter().map(told).collect();
        if read != *expected {
            wrong.push(format!("{name}:\n{}", read.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
