//! Answers as columns: words to the left, numbers to the right, two spaces between.

use ctl::{
    Answer, Counts, Flow, Generation, NextHops, Port, Real, Responses, Rule, Service, Verdict, Worker,
};

/// A column's head, and whether it holds numbers.
type Column = (&'static str, bool);

/// The answer as text; `None` for one that nobody shows.
pub(super) fn of(answer: &Answer) -> Option<String> {
    Some(match answer {
        Answer::Counters(counts) => counters(counts),
        Answer::Services(rows) => services(rows),
        Answer::Reals(rows) => reals(rows),
        Answer::Rules(rows) => rules(rows),
        Answer::Flows(rows) => flows(&rows.rows, rows.more),
        Answer::Workers(rows) => workers(rows),
        Answer::Ports(rows) => ports(rows),
        Answer::Table(lines) => lines.iter().map(|line| format!("{line}\n")).collect(),
        Answer::Generation(generation) => self::generation(generation),
        Answer::Recorder(rows) => recorder(rows),
        Answer::Pong(_) | Answer::All(_) | Answer::Changed(_) | Answer::Capture | Answer::Explained(_) => {
            return None;
        }
    })
}

fn counters(counts: &Counts) -> String {
    let moved = counts.iter().filter(|(_, count)| **count > 0);
    let rows: Vec<Vec<String>> = moved.map(|(name, count)| vec![name.clone(), count.to_string()]).collect();
    table(&[("counter", false), ("count", true)], &rows)
}

fn services(list: &[Service]) -> String {
    const HEAD: [Column; 10] = [
        ("service", false),
        ("number", true),
        ("VIP", false),
        ("protocol", false),
        ("ports", false),
        ("pool", false),
        ("packets", true),
        ("bytes", true),
        ("responses", true),
        ("bytes", true),
    ];
    let columns = if list.iter().any(|it| it.responses.is_some()) { 10 } else { 8 };
    let row = |it: &Service| {
        let words = [&it.name, &it.number.to_string(), &it.vip, &it.protocol, &it.ports, &it.pool];
        let mut row: Vec<String> = words.into_iter().cloned().collect();
        let Responses { packets, bytes } = it.responses.unwrap_or_default();
        row.extend([it.packets, it.bytes, packets, bytes].map(|count| count.to_string()));
        row.truncate(columns);
        row
    };
    table(HEAD.get(..columns).unwrap_or(&HEAD), &list.iter().map(row).collect::<Vec<_>>())
}

fn reals(list: &[Real]) -> String {
    const HEAD: [Column; 11] = [
        ("real", false),
        ("number", true),
        ("address", false),
        ("state", false),
        ("by", false),
        ("weights", false),
        ("next hop", false),
        ("from", false),
        ("port", false),
        ("packets", true),
        ("bytes", true),
    ];
    let row = |it: &Real| {
        let weight = |(pool, weight): (&String, &u32)| {
            let mark = if it.weights_by_operator.contains(pool) { " (operator)" } else { "" };
            format!("{pool} {weight}{mark}")
        };
        let weights: Vec<String> = it.weights.iter().map(weight).collect();
        vec![
            it.name.clone(),
            it.number.to_string(),
            it.address.clone(),
            it.state.clone(),
            it.by.clone(),
            if weights.is_empty() { "-".to_owned() } else { weights.join(", ") },
            if it.next_hop.mac.is_empty() { or_dash(&it.next_hop.why) } else { it.next_hop.mac.clone() },
            or_dash(&it.next_hop.by),
            or_dash(&it.next_hop.port),
            it.packets.to_string(),
            it.bytes.to_string(),
        ]
    };
    table(&HEAD, &list.iter().map(row).collect::<Vec<_>>())
}

fn rules(list: &[Rule]) -> String {
    const HEAD: [Column; 7] = [
        ("rule", false),
        ("number", true),
        ("priority", true),
        ("asks for", false),
        ("does", false),
        ("packets", true),
        ("bytes", true),
    ];
    let row = |it: &Rule| {
        let (number, priority) = (it.number.to_string(), it.priority.to_string());
        let (packets, bytes) = (it.packets.to_string(), it.bytes.to_string());
        vec![it.name.clone(), number, priority, or_dash(&it.asks), it.does.clone(), packets, bytes]
    };
    table(&HEAD, &list.iter().map(row).collect::<Vec<_>>())
}

fn recorder(list: &[Verdict]) -> String {
    const HEAD: [Column; 7] = [
        ("worker", true),
        ("left", false),
        ("client", false),
        ("port", true),
        ("service", false),
        ("real", false),
        ("flow", false),
    ];
    let row = |it: &Verdict| {
        let words =
            [&it.worker.to_string(), &it.left, &it.client, &it.port.to_string(), &it.service, &it.real];
        words.into_iter().chain([&it.flow]).cloned().collect()
    };
    table(&HEAD, &list.iter().map(row).collect::<Vec<_>>())
}

fn flows(list: &[Flow], more: bool) -> String {
    const HEAD: [Column; 8] = [
        ("worker", true),
        ("client", false),
        ("VIP", false),
        ("protocol", false),
        ("service", false),
        ("real", false),
        ("state", false),
        ("silent s", true),
    ];
    let row = |it: &Flow| {
        let mut row = vec![it.worker.to_string()];
        row.extend(
            [&it.client, &it.vip, &it.protocol, &it.service, &it.real, &it.state].into_iter().cloned(),
        );
        row.push(seconds(it.silent_ms));
        row
    };
    let mut text = table(&HEAD, &list.iter().map(row).collect::<Vec<_>>());
    if more {
        text.push_str("and more: filter by --service or --real, or set --limit\n");
    }
    text
}

fn workers(list: &[Worker]) -> String {
    const HEAD: [Column; 8] = [
        ("worker", true),
        ("busy %", true),
        ("flows", true),
        ("of", true),
        ("silent s", true),
        ("received", true),
        ("sent", true),
        ("dropped", true),
    ];
    let row = |it: &Worker| {
        let count = |name: &str| it.counters.get(name).copied().unwrap_or(0);
        let drops = it.counters.iter().filter(|(name, _)| name.starts_with("drop."));
        let dropped = drops.fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
        let numbers = [it.flows, it.flows_max];
        let mut row = vec![it.number.to_string(), format!("{:.1}", it.busy * 100.0)];
        row.extend(numbers.map(|number| number.to_string()));
        row.push(seconds(it.silent_ms));
        row.extend([count("rx"), count("tx"), dropped].map(|number| number.to_string()));
        row
    };
    table(&HEAD, &list.iter().map(row).collect::<Vec<_>>())
}

fn ports(list: &[Port]) -> String {
    const HEAD: [Column; 12] = [
        ("port", false),
        ("device", false),
        ("received", true),
        ("sent", true),
        ("missed", true),
        ("no mbuf", true),
        ("errors", true),
        ("punted", true),
        ("to kernel", true),
        ("refused", true),
        ("from kernel", true),
        ("lost", true),
    ];
    let row = |it: &Port| {
        let numbers = [it.rx_packets, it.tx_packets, it.rx_missed, it.rx_no_mbuf, it.errors];
        let mut row = vec![it.name.clone(), it.device.clone()];
        row.extend(numbers.map(|number| number.to_string()));
        row.extend(it.twin.map_or_else(
            || ["-"; 5].map(str::to_owned),
            |twin| {
                let ctl::Twin { taken, written, refused, read, lost } = twin;
                [taken, written, refused, read, lost].map(|number| number.to_string())
            },
        ));
        row
    };
    table(&HEAD, &list.iter().map(row).collect::<Vec<_>>())
}

fn generation(it: &Generation) -> String {
    let Generation { sequence, digest, age_ms, return_path, next_hops } = it;
    let age = seconds(*age_ms);
    let mut text =
        format!("table      {sequence}\ndigest     {digest}\nin force   {age} s\nresponses  {return_path}\n");
    let Some(hops) = next_hops else { return text };
    let NextHops { followed, known, changes, last_us, max_us } = **hops;
    text += &format!("next hops  {known} of {followed} known from the kernel\n");
    if changes > 0 {
        let ms = |us: u64| format!("{}.{:02}", us / 1000, us % 1000 / 10);
        text += &format!(
            "changes    {changes}; from the kernel to all workers {} ms the last, {} ms at most\n",
            ms(last_us),
            ms(max_us)
        );
    }
    text
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

/// Seconds with a tenth.
fn seconds(ms: u64) -> String {
    format!("{}.{}", ms / 1000, ms % 1000 / 100)
}

/// Columns as wide as what stands in them.
fn table(head: &[Column], rows: &[Vec<String>]) -> String {
    let names: Vec<String> = head.iter().map(|(name, _)| (*name).to_owned()).collect();
    let all = || std::iter::once(&names).chain(rows);
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in all() {
        let cells = row.iter().zip(head).zip(&widths).map(|((cell, (_, is_number)), width)| {
            if *is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{of, table};

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let rows =
            [vec!["web".to_owned(), "7".to_owned()], vec!["a-long-name".to_owned(), "12345678".to_owned()]];
        assert_eq!(
            table(&[("name", false), ("count", true)], &rows),
            "name            count\nweb                 7\na-long-name  12345678\n"
        );
    }

    #[test]
    fn every_view_has_a_text_and_reads_at_a_glance() {
        let weights = [("static".to_owned(), 7), ("web".to_owned(), 100)].into();
        let real = ctl::Real {
            name: "web-1".to_owned(),
            state: "drain".to_owned(),
            weights,
            weights_by_operator: vec!["static".to_owned()],
            ..Default::default()
        };
        let text = of(&ctl::Answer::Reals(vec![real])).unwrap_or_default();
        assert!(text.contains("web-1") && text.contains("static 7 (operator), web 100"), "{text}");
        let worker = ctl::Worker { busy: 0.256, silent_ms: 1_900, ..Default::default() };
        let text = of(&ctl::Answer::Workers(vec![worker])).unwrap_or_default();
        assert!(text.contains("25.6") && text.contains("1.9"), "{text}");
        let twin = ctl::Twin { taken: 9, written: 7, refused: 2, read: 5, lost: 1 };
        let ports = [
            ctl::Port { twin: Some(twin), ..Default::default() },
            ctl::Port { name: "b".to_owned(), ..Default::default() },
        ];
        let text = of(&ctl::Answer::Ports(ports.to_vec())).unwrap_or_default();
        let ends: Vec<_> = text
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().rev().take(5).collect::<Vec<_>>())
            .collect();
        assert_eq!(ends, [["1", "5", "2", "7", "9"], ["-"; 5]], "{text}");
        let mut service = ctl::Service { packets: 7, ..Default::default() };
        let text = of(&ctl::Answer::Services(vec![service.clone()])).unwrap_or_default();
        assert!(text.contains("packets") && !text.contains("responses"), "{text}");
        service.responses = Some(ctl::Responses { packets: 4, bytes: 5_100 });
        let text = of(&ctl::Answer::Services(vec![service])).unwrap_or_default();
        assert!(text.contains("responses") && text.contains("5100"), "{text}");
        let rule = |name: &str, asks: &str, packets| ctl::Rule {
            name: name.to_owned(),
            asks: asks.to_owned(),
            does: "drop".to_owned(),
            packets,
            ..Default::default()
        };
        let text = of(&ctl::Answer::Rules(vec![rule("bad", "ports 80", 7), rule("idle", "", 0)]))
            .unwrap_or_default();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            rows[1..],
            [
                vec!["bad", "0", "0", "ports", "80", "drop", "7", "0"],
                vec!["idle", "0", "0", "-", "drop", "0", "0"],
            ]
        );
        let rows = ctl::Rows { rows: vec![ctl::Flow::default()], more: true };
        assert!(of(&ctl::Answer::Flows(rows)).is_some_and(|text| text.contains("and more")));
    }
}
