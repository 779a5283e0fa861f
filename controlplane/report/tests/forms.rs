//! The three forms of a report: what they must hold, and what must never get through.

mod samples;

use report::{Report, Service, Share, sum_reals};
use samples::{MARKUP, NAMES, sample};

/// Every start tag has its end tag, in order; every attribute is quoted; no stray `<` or `&`.
fn well_formed(page: &str) -> Result<(), String> {
    let body = page.strip_prefix("<!DOCTYPE html>\n").ok_or("no doctype")?;
    let mut open: Vec<&str> = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.find('<') {
        let (text, tail) = rest.split_at(at);
        entities(text)?;
        // A style sheet has no markup; its text may hold anything else.
        let end = tail.find('>').ok_or("a tag without an end")?;
        let tag = &tail[1..end];
        rest = &tail[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop();
            if last != Some(name) {
                return Err(format!("</{name}> closes {last:?}"));
            }
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!("<{tag}> has no name"));
        }
        if tag.matches('"').count() % 2 != 0 {
            return Err(format!("<{tag}> has an open quote"));
        }
        entities(tag)?;
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    if !open.is_empty() || rest.contains('>') {
        return Err(format!("left open: {open:?}"));
    }
    Ok(())
}

fn entities(text: &str) -> Result<(), String> {
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
        if !known.iter().any(|entity| text[at..].starts_with(entity)) {
            return Err(format!("a bare & in {text:?}"));
        }
    }
    Ok(())
}

fn all() -> impl Iterator<Item = (&'static str, Report)> {
    NAMES.into_iter().filter_map(|name| Some((name, sample(name)?)))
}

#[test]
fn every_sample_gives_a_well_formed_page_that_needs_nothing_else() {
    assert_eq!(all().count(), NAMES.len());
    for (name, report) in all() {
        let page = report.to_html();
        assert_eq!(well_formed(&page), Ok(()), "{name}");
        for forbidden in ["<script", "http://", "https://", "url(", "@import", "<link", "<img", "NaN", "inf"]
        {
            let hits = page.matches(forbidden).count();
            assert_eq!(hits, 0, "{name} holds {forbidden}");
        }
    }
}

#[test]
fn the_check_for_well_formed_pages_finds_what_is_not() {
    for broken in ["<p>", "<p></b>", "</p>", "<p>a & b</p>", "<p class=\"x></p>", "a < b", "<p></p><"] {
        assert!(well_formed(&format!("<!DOCTYPE html>\n{broken}")).is_err(), "{broken}");
    }
}

#[test]
fn hostile_text_stays_text_everywhere() {
    let report = sample("hostile").unwrap();
    let page = report.to_html();
    assert!(!page.contains("<script") && !page.contains("\u{1b}") && !page.contains('\0'));
    assert!(!page.contains("onload=\"x"));
    assert!(
        page.matches("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x&amp;").count()
            > 10
    );
    let text = report.to_text();
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    // JSON keeps it as it was.
    let back: Report = serde_json::from_str(&report.to_json_pretty().unwrap()).unwrap();
    assert_eq!(back.services[0].name, MARKUP);
}

#[test]
fn the_pages_numbers_are_the_reports() {
    let page = sample("site").unwrap().to_html().replace('\u{202f}', " ");
    for expected in [
        "<title>web.pcap: Penstock replay</title>",
        "<dd>1 916 224</dd>",
        "<dd>96.96 %</dd>",
        "<dd>64.3 <em>Mpps</em></dd>",
        "<dd>14.2 <em>ns</em></dd>",
        "<dd>46 737</dd><dd>table 4.38 % full</dd>",
        "<td>drop.no_service</td><td class=\"number\">18 711</td><td class=\"number\">0.98 %</td>",
        "Forwarded: 96.96 %",
        "Punted to the kernel: 1.84 %",
        "Dropped: 1.20 %",
        "median 14.2 ns",
        "p99.9 118 ns",
        "2 other reasons counted no packet.",
        "<td class=\"wide\">web-1</td><td>10.0.0.1</td><td class=\"number\">100</td><td class=\"number\">28.57 %</td>",
        "due 14.29 %",
        "9f2c41d8e0b7a35566f1d24c8be0937a10dd5c9e4f7b21a86c3390e5d7f4b812",
        "AMD EPYC 9R14, 2 cores",
        "22.11.11",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    assert!(!page.contains("class=\"alarm\""));
}

#[test]
fn what_is_wrong_stands_at_the_top() {
    let page = sample("unbalanced").unwrap().to_html();
    assert!(page.contains("The sum law does not hold"));
    assert!(sample("unbalanced").unwrap().to_text().contains("UNBALANCED 999 packets received"));
    let mut leaking = sample("site").unwrap();
    leaking.mbufs_leaked = Some(3);
    assert!(leaking.to_html().contains("<div class=\"tile bad\"><dt>Allocations</dt>"));
    let faulty = sample("long-names").unwrap();
    assert!(faulty.to_html().contains("file ends inside the record (1)"));
    assert!(faulty.to_html().contains("<li>packet index 100999 at byte 65223541"));
    assert!(faulty.to_text().contains("file ends inside the record (1)"));
}

#[test]
fn many_reals_become_a_strip_and_a_folded_table() {
    let page = sample("many-reals").unwrap().to_html();
    assert!(page.contains("<summary>Table of 200 reals</summary>"));
    assert!(page.contains("packets, relative to weight"));
    assert!(page.contains("rack-09-server-199"));
    let shares = (0..2_000).map(|number| Share { number, weight: 1, packets: 7, ..Share::default() });
    let service = Service::new(0, "wide", "vip", shares.collect());
    let page = Report { services: vec![service], ..Report::default() }.to_html();
    assert!(page.contains("1500 more rows are in the JSON report."));
}

#[test]
fn the_text_is_short_aligned_and_says_what_it_leaves_out() {
    for (name, report) in all() {
        let text = report.to_text();
        assert!(text.lines().count() <= 40, "{name}: {}", text.lines().count());
        assert!(text.ends_with('\n') && !text.lines().any(|line| line.ends_with(' ')), "{name}");
    }
    let text = sample("many-reals").unwrap().to_text();
    assert!(text.contains("and 188 more reals"), "{text}");
    let text = sample("site").unwrap().to_text();
    let table: Vec<_> = text.lines().skip_while(|line| !line.starts_with("verdict")).take(8).collect();
    let ends: std::collections::BTreeSet<_> = table.iter().map(|line| line.chars().count()).collect();
    assert_eq!(ends.len(), 1, "{table:#?}");
    assert_eq!(table[1].split_whitespace().collect::<Vec<_>>(), ["tx", "1,858,047", "96.96", "%"]);
    assert!(text.contains("64.3 Mpps; per packet 14.2 ns median, 31.7 ns p99, 118 ns p99.9"));
}

#[test]
fn an_answer_to_a_packet_that_was_dropped_is_no_packet_too_many() {
    let verdict = |name: &str, packets| report::Verdict { name: name.into(), packets, ..Default::default() };
    let verdicts = vec![verdict("tx", 3), verdict("drop.tunnel_mtu", 1)];
    let report = Report { packets: 3, made: 1, verdicts, ..Default::default() };
    assert!(report.balanced() && !report.to_text().contains("UNBALANCED"));
    assert!(!report.to_html().contains("The sum law"));
    let report = Report { made: 0, ..report };
    assert!(report.to_text().contains("3 packets received, 0 made, 4 verdicts"));
    assert!(report.to_html().contains("3 packets were received and 0 made here, 4 left by a verdict"));
}

#[test]
fn the_longest_text_there_can_be_has_forty_lines() {
    let mut report = sample("many-reals").unwrap();
    for number in 0..30 {
        report.verdicts.push(report::Verdict {
            name: format!("drop.reason{number}"),
            packets: 1,
            ..Default::default()
        });
    }
    report.capture.faults = vec![report::FaultCount { kind: "cut".into(), count: 2 }];
    assert!(!report.balanced());
    let text = report.to_text();
    assert!(text.lines().count() <= 40, "{text}");
    assert!(text.contains("and 27 more verdicts"), "{text}");
}

#[test]
fn json_holds_everything_and_reads_back_the_same() {
    for (name, report) in all() {
        let json = report.to_json_pretty().unwrap();
        let back: Report = serde_json::from_str(&json).unwrap();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["packets"], report.packets, "{name}");
        // Floats may lose their last bit on the way; every other field is the same.
        assert_eq!(
            (back.services.len(), back.reals, back.verdicts),
            (report.services.len(), report.reals, report.verdicts)
        );
    }
    let value: serde_json::Value =
        serde_json::from_str(&sample("site").unwrap().to_json_pretty().unwrap()).unwrap();
    assert_eq!(value["services"][0]["reals"][2]["weight"], 50);
    assert_eq!(value["rate"]["clock"], "capture");
    assert!(value["services"][1]["packets_evenness"]["variation"].as_f64().unwrap() > 0.4);
}

#[test]
fn a_service_sums_its_reals_and_the_reals_sum_their_services() {
    let share = |number, packets, flows| Share {
        number,
        weight: 1,
        packets,
        bytes: packets * 10,
        flows,
        ..Share::default()
    };
    let one = Service::new(0, "one", "", vec![share(4, 10, Some(1)), share(2, 20, Some(2))]);
    let two = Service::new(1, "two", "", vec![share(4, 5, None)]);
    assert_eq!((one.packets, one.bytes, one.flows()), (30, 300, Some(3)));
    assert_eq!((two.flows(), two.flows_evenness), (None, None));
    let reals = sum_reals(&[one, two]);
    let rows: Vec<_> =
        reals.iter().map(|real| (real.number, real.packets, real.services, real.flows)).collect();
    assert_eq!(rows, [(2, 20, 1, Some(2)), (4, 15, 2, None)]);
}
