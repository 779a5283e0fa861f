//! Reports of every awkward kind, for tests and for looking at.
#![allow(dead_code, reason = "every user takes its own part of this")]

use report::{
    CaptureInfo, Clock, FaultCount, Flows, Generation, Machine, Rate, Report, Service, Share, Speed, Verdict,
    buckets, sum_reals,
};

/// Names of all samples.
pub(crate) const NAMES: [&str; 8] =
    ["site", "one-real", "many-reals", "nothing", "almost-all", "long-names", "hostile", "unbalanced"];

/// The sample of that name.
pub(crate) fn sample(name: &str) -> Option<Report> {
    Some(match name {
        "site" => site(),
        "one-real" => one_real(),
        "many-reals" => many_reals(),
        "nothing" => Report { workers: 1, backend: "memory".into(), ..Report::default() },
        "almost-all" => almost_all(),
        "long-names" => long_names(),
        "hostile" => hostile(),
        "unbalanced" => Report { packets: 999, ..site() },
        _ => return None,
    })
}

/// A small, well-mixed sequence: the same in every run.
fn noise(seed: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678;
    x ^= x >> 31;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 29)
}

fn verdict(name: &str, help: &str, packets: u64) -> Verdict {
    Verdict { name: name.into(), help: help.into(), packets }
}

fn share(number: u32, name: &str, weight: u32, packets: u64) -> Share {
    Share {
        number,
        name: name.into(),
        address: format!("10.0.{}.{}", number / 200, number % 200 + 1),
        weight,
        packets,
        bytes: packets * 643,
        flows: Some(packets / 41),
    }
}

fn with_services(report: Report, services: Vec<Service>) -> Report {
    let forwarded = services.iter().map(|service| service.packets).sum();
    let mut verdicts = report.verdicts;
    verdicts.insert(0, verdict("tx", " Packets transmitted.", forwarded));
    let packets: u64 = verdicts.iter().map(|verdict| verdict.packets).sum();
    let reals = sum_reals(&services);
    Report { verdicts, services, reals, packets, bytes: packets * 651, ..report }
}

fn base() -> Report {
    let times = (0..60_000).map(|seed| {
        let x = noise(seed);
        let spread = f64::from(u32::try_from(x % 1_000).unwrap_or(0)) / 1_000.0;
        let tail =
            if x.is_multiple_of(97) { 2.2 } else { 0.0 } + if x.is_multiple_of(1_709) { 14.0 } else { 0.0 };
        (13.0 + 9.0 * spread * spread * spread + 8.0 * tail * spread, 32)
    });
    let step = |i: u64| 41_000 + noise(i) % 9_000 + if (90..120).contains(&i) { 38_000 } else { 0 };
    let received: Vec<u64> = (0..250).map(step).collect();
    let forwarded = received.iter().map(|packets| packets * 97 / 100).collect();
    Report {
        version: "0.1.0".into(),
        command_line:
            "penstock replay --config conf/site.toml --in testbed/captures/web.pcap --out /tmp/out.pcap \
                       --html /tmp/report.html"
                .split_whitespace()
                .map(String::from)
                .collect(),
        backend: "dpdk".into(),
        workers: 1,
        loops: 1,
        capture: CaptureInfo {
            name: "testbed/captures/web.pcap".into(),
            format: "pcap".into(),
            packets: 1_916_224,
            bytes: 1_247_461_824,
            duration_seconds: 25.0,
            faults: Vec::new(),
            first_faults: Vec::new(),
        },
        generation: Generation {
            sequence: 1,
            digest: "9f2c41d8e0b7a35566f1d24c8be0937a10dd5c9e4f7b21a86c3390e5d7f4b812".into(),
        },
        machine: Machine {
            cpu_model: "AMD EPYC 9R14".into(),
            cores: 2,
            kernel: "Linux 6.1.0-28-amd64".into(),
            dpdk_version: Some("22.11.11".into()),
            memory_mode: "transparent huge pages".into(),
        },
        speed: Speed {
            mpps: 64.31,
            wall_seconds: 0.0412,
            busy_seconds: 0.0298,
            bursts: 60_000,
            median_ns: 14.2,
            p99_ns: 31.7,
            p999_ns: 118.0,
        },
        latency: buckets(times),
        rate: Rate { clock: Clock::Capture, step_seconds: 0.1, received, forwarded },
        flows: Flows { hits: 1_811_310, inserted: 46_737, evicted: 12, expired: 803, ..Flows::default() }
            .with_occupancy(45_922, 1_048_576),
        allocations_after_start: Some(0),
        mbufs_leaked: Some(0),
        ..Report::default()
    }
}

fn refusals() -> Vec<Verdict> {
    vec![
        verdict(
            "drop.truncated",
            " The frame ends before the header that its own lengths promise (RFC 791 §3.1).",
            212,
        ),
        verdict("drop.fragment", " A fragment to a VIP: not followed yet.", 3_108),
        verdict(
            "drop.no_service",
            " The address is a VIP, but no service there takes this protocol and port.",
            18_711,
        ),
        verdict("drop.tunnel_mtu", " The packet and its outer header exceed the tunnel's MTU.", 911),
        verdict("drop.malformed", " A header contradicts itself.", 0),
        verdict("drop.no_headroom", " The back end left no room in front of the packet.", 0),
        verdict("punt.not_ip", " Not IP: ARP, LLDP, spanning tree, more than two VLAN tags.", 4_402),
        verdict("punt.not_vip", " The destination is no VIP.", 30_833),
    ]
}

fn site() -> Report {
    let web = vec![
        share(0, "web-1", 100, 391_204),
        share(1, "web-2", 100, 404_911),
        share(2, "web-3", 50, 197_002),
        share(3, "web-4", 100, 388_650),
        share(4, "web-5 (drains)", 0, 8_122),
    ];
    let dns =
        vec![share(10, "dns-1", 1, 203_114), share(11, "dns-2", 1, 199_870), share(0, "web-1", 1, 65_174)];
    let services = vec![
        Service::new(0, "shop", "192.0.2.10 TCP 443", web),
        Service::new(1, "resolver", "2001:db8::53 UDP 53", dns),
    ];
    with_services(Report { verdicts: refusals(), ..base() }, services)
}

fn one_real() -> Report {
    let speed = Speed { median_ns: 14.2, p99_ns: 14.2, p999_ns: 14.2, ..base().speed };
    let services = vec![Service::new(0, "only", "192.0.2.1 UDP any", vec![share(0, "real-1", 1, 1_000_000)])];
    let rate =
        Rate::over(Clock::Capture, (0, 3_700_000), (0..1_000_000).map(|i| (noise(i) % 3_700_001, true)));
    with_services(Report { latency: buckets([(14.2, 1_000_000)]), speed, rate, ..base() }, services)
}

fn many_reals() -> Report {
    let reals: Vec<_> = (0..200)
        .map(|number| {
            let weight = 50 + number % 3 * 50;
            let extra = noise(u64::from(number)) % 2_000;
            share(
                number,
                &format!("rack-{:02}-server-{:03}", number / 20, number),
                weight,
                u64::from(weight) * 200 + extra,
            )
        })
        .collect();
    with_services(
        Report { verdicts: refusals(), ..base() },
        vec![Service::new(7, "farm", "198.51.100.0/24 TCP 80-443", reals)],
    )
}

fn almost_all() -> Report {
    let shares = vec![share(0, "a", 1, 4_999_911), share(1, "b", 1, 4_999_088)];
    let verdicts =
        vec![verdict("drop.bad_checksum", " The IPv4 header checksum is wrong (RFC 1812 §5.2.2).", 1)];
    with_services(Report { verdicts, ..base() }, vec![Service::new(0, "s", "192.0.2.1 TCP 80", shares)])
}

fn long_names() -> Report {
    let long = "a-very-long-name-that-somebody-really-gave-to-a-server-".repeat(4);
    let unbroken = "x".repeat(300);
    let shares = vec![share(0, &long, 3, 70_000), share(1, &unbroken, 1, 31_000)];
    let capture = CaptureInfo {
        name: format!("/srv/{unbroken}/{long}.pcap"),
        faults: vec![
            FaultCount { kind: "cut by the snap length".into(), count: 31_000 },
            FaultCount { kind: "file ends inside the record".into(), count: 1 },
        ],
        first_faults: vec![
            "packet index 3 at byte 1234: only 60 of 1514 bytes were captured (snap length)".into(),
            "packet index 100999 at byte 65223541: the file ends inside the record, 7 bytes are missing"
                .into(),
        ],
        ..base().capture
    };
    with_services(
        Report { capture, command_line: vec![unbroken.clone(), long.clone()], ..base() },
        vec![Service::new(
            0,
            format!("{long}{unbroken}"),
            "2001:db8:1111:2222:3333:4444:5555:6666 TCP 1024-65535",
            shares,
        )],
    )
}

/// What must come out as text everywhere.
pub(crate) const MARKUP: &str = "<script>alert('1')</script>\" onload=\"x&\u{1b}[31m\0";

fn hostile() -> Report {
    let mut share = share(0, MARKUP, 1, 1_000);
    share.address = MARKUP.into();
    let text = || MARKUP.to_string();
    let mut report = with_services(
        Report { verdicts: vec![verdict(&format!("drop.{MARKUP}"), MARKUP, 5)], ..base() },
        vec![
            Service::new(0, MARKUP, MARKUP, vec![share.clone()]),
            Service::new(1, MARKUP, MARKUP, vec![share]),
        ],
    );
    report.version = text();
    report.command_line = vec![text(), text()];
    report.backend = text();
    report.capture = CaptureInfo {
        name: text(),
        format: text(),
        faults: vec![FaultCount { kind: text(), count: 1 }],
        first_faults: vec![text()],
        ..report.capture
    };
    report.generation.digest = text();
    report.machine = Machine {
        cpu_model: text(),
        cores: 1,
        kernel: text(),
        dpdk_version: Some(text()),
        memory_mode: text(),
    };
    report
}
