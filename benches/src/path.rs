//! The packet path alone, on the in-memory port: nanoseconds per packet of every kind of work, measured in
//! alternating rounds, with the port's own cost, the machine's memory latency and the share of established
//! flows that a hit finds in one cache line beside them.
//!
//! `cargo run --release -p benches --bin path [ROUNDS] [--json FILE] [--small] [--only NAME] [--once PACKETS]`
#![forbid(unsafe_code)]

use benches::packets::{Asks, Ids, Ruled, Shape};
use benches::rules::{self, Kind};
use benches::scenario::{Scenario, Setup, Work, spread};
use benches::{chase, tables};
use mem::PageKind;

type Table = service::Table<service::Aligned>;

/// Room for ten million flows at nine tenths.
const ENTRIES_10M: usize = 11_200_000;
const PACKETS_PER_ROUND: u64 = 1_500_000;

fn setups(is_small: bool) -> Vec<(Setup, bool)> {
    let base = Setup {
        name: "4,096 flows",
        work: Work::Established,
        shape: Shape::V4,
        flows: 4096,
        entries: 65_536,
        filled: 0,
        pages: PageKind::Huge,
        is_recorded: false,
    };
    // Four flows a VIP, so that all VIPs are met.
    let forty = Setup { flows: 40_000, entries: 131_072, ..base };
    let other = Setup { name: "no VIP", work: Work::NotVip, shape: Shape::NotVip, ..base };
    let mut setups = vec![
        (Setup { name: "port alone", work: Work::Port, ..base }, false),
        (base, false),
        (Setup { name: "4,096 flows, recorded", is_recorded: true, ..base }, false),
        (Setup { name: "port alone, IPv6", work: Work::Port, shape: Shape::V6, ..base }, false),
        (Setup { name: "4,096 flows, IPv6", shape: Shape::V6, ..base }, false),
        (other, false),
        (Setup { name: "no VIP, recorded", is_recorded: true, ..other }, false),
        (Setup { name: "40,000 flows", ..forty }, false),
        (
            Setup { name: "port alone, 10,000 VIPs", work: Work::Port, shape: Shape::Many(10_000), ..forty },
            true,
        ),
        (Setup { name: "40,000 flows, 10,000 VIPs", shape: Shape::Many(10_000), ..forty }, true),
    ];
    setups.extend(quic(base));
    setups.extend(ruled(base));
    setups.extend(asking(base));
    setups.extend(keyed(base));
    if is_small {
        return setups;
    }
    let million = Setup { flows: 1_000_000, entries: 1_120_000, ..base };
    let ten = Setup { flows: 10_000_000, entries: ENTRIES_10M, ..base };
    setups.extend([
        (Setup { name: "1 M flows", ..million }, false),
        (Setup { name: "10 M flows", ..ten }, false),
        (Setup { name: "10 M flows, 4 KiB pages", pages: PageKind::Small, ..ten }, false),
        (Setup { name: "new, 10 M random", work: Work::New, flows: 1 << 32, entries: 1 << 24, ..ten }, false),
        (
            Setup {
                name: "new, 10 M random, 10,000 VIPs",
                work: Work::New,
                shape: Shape::Many(10_000),
                flows: 1 << 32,
                entries: 1 << 24,
                ..ten
            },
            true,
        ),
        (
            Setup {
                name: "new, evicting at 90 % and more",
                work: Work::New,
                flows: 1 << 32,
                filled: 10_000_000,
                ..ten
            },
            false,
        ),
    ]);
    setups
}

/// Established flows beside rules.
fn ruled(base: Setup) -> [(Setup, bool); 4] {
    let of = |name, rules| (Setup { name, shape: Shape::Ruled(rules), ..base }, false);
    [
        of("4,096 flows, 10,000 flow rules", Ruled::Flows),
        of("4,096 flows, one packet rule", Ruled::Packet),
        of("4,096 flows, 10,001 with one", Ruled::Both),
        of("4,096 flows, marked by a rule", Ruled::Marks),
    ]
}

/// The table with such rules.
fn ruled_table(ruled: Ruled) -> Option<Table> {
    let mut set = match ruled {
        Ruled::Flows | Ruled::Both => rules::set(Kind::Clients, 10_000),
        Ruled::Packet | Ruled::Marks => Vec::new(),
    };
    if ruled != Ruled::Flows {
        let any = rules::set(Kind::Clients, 1).pop()?;
        set.push(service::RuleSpec {
            rank: 10_000,
            number: service::RuleNumber::new(10_000).ok()?,
            sources: Vec::new(),
            ports: None,
            dscp: (ruled != Ruled::Marks).then_some((46, 46)),
            ..any
        });
    }
    if let (Ruled::Marks, Some(rule)) = (ruled, set.first_mut()) {
        let mark = service::Mark { dscp: Some(46), ..service::Mark::default() };
        rule.action = service::RuleAction::Usual;
        rule.attributes.mark = Some(mark);
    }
    tables::build(&tables::with_rules(set)?)?.table().ok()
}

/// Established flows whose connection ids are read.
fn quic(base: Setup) -> [(Setup, bool); 4] {
    let of = |name, ids| (Setup { name, shape: Shape::Quic(ids), ..base }, false);
    [
        of("QUIC, clear", Ids::Clear),
        of("QUIC, one block", Ids::Single),
        of("QUIC, three passes", Ids::ThreePasses),
        of("QUIC, four passes", Ids::FourPasses),
    ]
}

/// Established flows whose service asks for more than a real.
fn asking(base: Setup) -> [(Setup, bool); 3] {
    let of = |name, asks| (Setup { name, shape: Shape::Asking(asks), ..base }, false);
    [of("marked, DSCP", Asks::Dscp), of("marked, tag and labels", Asks::Link), of("limited", Asks::Limit)]
}

/// ESP, out of the loop, and flows of clients that are kept together: those that are there, and new ones.
fn keyed(base: Setup) -> [(Setup, bool); 3] {
    let keyed = Setup { shape: Shape::Keyed, ..base };
    let new = Setup { work: Work::New, flows: 1 << 32, entries: 1 << 22, ..keyed };
    [
        (Setup { name: "ESP, 4,096 clients", shape: Shape::Esp, ..base }, false),
        (Setup { name: "keyed by source, 4,096 clients", ..keyed }, false),
        (Setup { name: "keyed by source, new", ..new }, false),
    ]
}

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().collect();
    let rounds = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(9);
    let is_small = arguments.iter().any(|argument| argument == "--small");
    let only =
        arguments.iter().position(|argument| argument == "--only").and_then(|at| arguments.get(at + 1));
    let json =
        arguments.iter().position(|argument| argument == "--json").and_then(|at| arguments.get(at + 1));
    let once = arguments.iter().position(|argument| argument == "--once");
    let once = once.and_then(|at| arguments.get(at + 1)).and_then(|text| text.parse().ok());
    let one = tables::table(None).ok_or("the table with one VIP did not build")?;
    let many = tables::table(Some(10_000)).ok_or("the table with 10,000 VIPs did not build")?;
    let quic = tables::quic_table().ok_or("the table of QUIC did not build")?;
    let none = "a table with rules did not build";
    let of_flows = ruled_table(Ruled::Flows).ok_or(none)?;
    let of_packets = ruled_table(Ruled::Packet).ok_or(none)?;
    let of_both = ruled_table(Ruled::Both).ok_or(none)?;
    let marks = ruled_table(Ruled::Marks).ok_or(none)?;
    let asking = |asks| tables::asking_table(asks).ok_or("the table of marks and limits did not build");
    let (dscp, link, limit) = (asking(Asks::Dscp)?, asking(Asks::Link)?, asking(Asks::Limit)?);
    let keyed = tables::keyed_table().ok_or("the table of keyed services did not build")?;
    let table = |setup: &Setup, is_many: bool| match setup.shape {
        Shape::Ruled(Ruled::Flows) => &of_flows,
        Shape::Ruled(Ruled::Packet) => &of_packets,
        Shape::Ruled(Ruled::Both) => &of_both,
        Shape::Ruled(Ruled::Marks) => &marks,
        Shape::Quic(_) => &quic,
        Shape::Asking(Asks::Dscp) => &dscp,
        Shape::Asking(Asks::Link) => &link,
        Shape::Asking(Asks::Limit) => &limit,
        Shape::Esp | Shape::Keyed => &keyed,
        _ if is_many => &many,
        _ => &one,
    };
    if let Some(packets) = once {
        return count(is_small, only, packets, table);
    }
    let latency = chase::latency_nanos(1 << 30, 2_000_000).map_err(|error| error.to_string())?;
    let mut scenarios = Vec::new();
    let wanted = |setup: &Setup| only.is_none_or(|name| name == setup.name);
    for (setup, is_many) in setups(is_small).into_iter().filter(|(setup, _)| wanted(setup)) {
        scenarios.push(Scenario::new(setup, table(&setup, is_many))?);
    }
    for _ in 0..rounds {
        for scenario in &mut scenarios {
            scenario.round(PACKETS_PER_ROUND)?;
        }
    }
    println!("L, DRAM latency: {latency:.0} ns (dependent chase over 1 GiB)");
    let rows = tell(&scenarios)?;
    if let Some(path) = json {
        let text =
            serde_json::json!({ "dram_latency_ns": latency, "rounds": rounds, "path": rows }).to_string();
        std::fs::write(path, text).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(())
}

/// Sends so many packets once and tells no time: for whoever counts instructions.
fn count<'t>(
    is_small: bool,
    only: Option<&String>,
    packets: u64,
    table: impl Fn(&Setup, bool) -> &'t Table,
) -> Result<(), String> {
    for (setup, is_many) in setups(is_small) {
        if only.is_none_or(|name| name == setup.name) {
            Scenario::new(setup, table(&setup, is_many))?.round(packets)?;
        }
    }
    Ok(())
}

/// Prints a row for each scenario, and gives them for the file.
#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
fn tell(scenarios: &[Scenario<'_>]) -> Result<Vec<serde_json::Value>, String> {
    println!(
        "{:<32} {:>8} {:>8} {:>8}   {:>24}   in their first bucket",
        "ns/packet, thread CPU time", "min", "median", "max", "flows in table"
    );
    let mut rows = Vec::new();
    for scenario in scenarios {
        let [min, median, max] = spread(&scenario.rounds);
        let (flows, room) = scenario.occupancy();
        let hits = scenario.work() == Work::Established;
        let in_first = hits.then(|| scenario.in_first_bucket()).transpose()?;
        let share = in_first.map(|in_first| 100.0 * in_first as f64 / flows as f64);
        let told = share.map_or_else(String::new, |share| format!("{share:>10.2} %"));
        let table = format!("{flows} of {room}");
        println!("{:<32} {min:>8.1} {median:>8.1} {max:>8.1}   {table:>24}   {told}", scenario.name);
        rows.push(serde_json::json!({ "name": scenario.name, "ns": [min, median, max], "flows": flows,
            "room": room, "in_first_bucket_percent": share }));
    }
    Ok(rows)
}
