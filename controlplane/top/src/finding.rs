//! What is wrong, in words: what somebody woken at night wants to read first.

use ctl::{SILENT_MS, Snapshot};

use crate::limits::{BUSY_HIGH, NEWS_MS, TABLE_HIGH};
use crate::number;
use crate::paint::Mood;
use crate::sheets::{drop_mood, help, is_dry};
use crate::tracks::Tracks;

/// One sentence, and how bad it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) mood: Mood,
    pub(crate) text: String,
}

/// Everything worth saying, the worst first.
pub(crate) fn findings(snapshot: &Snapshot, tracks: &Tracks) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut say = |mood: Mood, text: String| found.push(Finding { mood, text });
    workers(snapshot, &mut say);
    ports(tracks, &mut say);
    pools(snapshot, &mut say);
    drops(tracks, &mut say);
    table(tracks, &mut say);
    reals(snapshot, &mut say);
    if tracks.counters.get("rx").is_some_and(|rx| rx.now().is_some() && rx.calm() <= 0.0) {
        // A quiet hour is no fault; a box that never saw a packet may have one.
        let text = match snapshot.counters.get("rx") {
            Some(1..) => "no packets come in just now",
            _ => "no packet has come in yet: is the link up, and does traffic for the VIPs come here?",
        };
        say(Mood::Note, text.into());
    }
    let (age, sequence) = (snapshot.generation.age_ms, snapshot.generation.sequence);
    if age < NEWS_MS && sequence > 1 {
        say(Mood::Note, format!("generation {sequence} came into force {} ago", number::duration(age)));
    }
    found.sort_by_key(|finding| std::cmp::Reverse(finding.mood));
    found
}

fn workers(snapshot: &Snapshot, say: &mut impl FnMut(Mood, String)) {
    for worker in &snapshot.workers {
        let number = worker.number;
        if worker.silent_ms > SILENT_MS {
            let silent = number::duration(worker.silent_ms);
            say(
                Mood::Bad,
                format!(
                    "worker {number} has been silent for {silent}: its packets wait or are lost; see the log"
                ),
            );
        } else if worker.busy >= BUSY_HIGH {
            let busy = number::share(worker.busy);
            say(
                Mood::Warn,
                format!(
                    "worker {number} is {busy} busy: add workers (dataplane.workers) before it misses packets"
                ),
            );
        }
    }
}

fn ports(tracks: &Tracks, say: &mut impl FnMut(Mood, String)) {
    for (name, wire) in &tracks.ports {
        let rate = |series: &crate::series::Series| number::rate(series.rate());
        if wire.missed.rate() > 0.0 {
            say(
                Mood::Bad,
                format!(
                    "port {name} misses {} packets a second: the workers are too slow for it",
                    rate(&wire.missed)
                ),
            );
        }
        if wire.no_mbuf.rate() > 0.0 {
            say(
                Mood::Bad,
                format!(
                    "port {name} loses {} packets a second for want of mbufs: raise dataplane.packets",
                    rate(&wire.no_mbuf)
                ),
            );
        }
        if wire.errors.rate() > 0.0 {
            say(
                Mood::Warn,
                format!(
                    "port {name} has {} errors a second: look at the cable and the MTU",
                    rate(&wire.errors)
                ),
            );
        }
        if wire.kernel_lost.rate() > 0.0 {
            say(
                Mood::Warn,
                format!(
                    "port {name} loses {} packets a second to or from the kernel: its twin is down, or overrun",
                    rate(&wire.kernel_lost)
                ),
            );
        }
    }
}

fn pools(snapshot: &Snapshot, say: &mut impl FnMut(Mood, String)) {
    let dry: Vec<&str> = snapshot
        .services
        .iter()
        .filter(|service| is_dry(snapshot, &service.pool))
        .map(|service| service.name.as_str())
        .collect();
    if !dry.is_empty() {
        say(Mood::Bad, format!("no real takes new flows for {}", few("service", &dry)));
    }
    for ctl::Panic { pool, percent_up, panic_percent } in &snapshot.panics {
        say(
            Mood::Bad,
            format!(
                "pool {pool} is in panic: {percent_up} % of its weight is up, below {panic_percent} %: failed reals \
                 count as up"
            ),
        );
    }
    let lost: Vec<&str> = snapshot
        .reals
        .iter()
        .filter(|real| real.state == "up" && real.next_hop.mac.is_empty())
        .map(|real| real.name.as_str())
        .collect();
    if !lost.is_empty() {
        say(Mood::Bad, format!("no next hop is known for {}", few("real", &lost)));
    }
    match ctl::held(&snapshot.counters) {
        0 => {}
        1 => say(Mood::Note, "1 packet waits for a next hop or its first fragment, a second at most".into()),
        held => say(
            Mood::Note,
            format!("{held} packets wait for a next hop or their first fragment, a second at most"),
        ),
    }
}

fn drops(tracks: &Tracks, say: &mut impl FnMut(Mood, String)) {
    let rx = tracks.counter("rx");
    for (name, series) in &tracks.counters {
        let share = series.rate() / rx.max(1.0);
        let mood = drop_mood(share);
        if name.starts_with("drop.") && mood > Mood::Calm {
            let (rate, share) = (number::rate(series.rate()), number::share(share));
            say(mood, format!("{name}: {rate} packets a second, {share}. {}", help(name)));
        }
    }
}

fn table(tracks: &Tracks, say: &mut impl FnMut(Mood, String)) {
    let full = tracks.table.rate();
    let (hashed, gated) = (tracks.counter("flow.stateless_full"), tracks.counter("flow.stateless_gate"));
    if hashed > 0.0 {
        let rate = number::rate(hashed);
        say(
            Mood::Bad,
            format!("the flow table is full: {rate} packets a second go by hash alone; raise flow.entries"),
        );
    } else if full >= TABLE_HIGH {
        say(Mood::Warn, format!("the flow table is {} full: raise flow.entries", number::share(full)));
    }
    if gated > 0.0 {
        let rate = number::rate(gated);
        say(
            Mood::Warn,
            format!("new flows come faster than the gate lets in: {rate} packets a second go by hash alone"),
        );
    }
    let evicted = tracks.counter("flow.evict");
    if evicted > 0.0 {
        say(
            Mood::Warn,
            format!("{} half-open flows a second are evicted: a SYN flood?", number::rate(evicted)),
        );
    }
    let moved = tracks.counter("flow.moved");
    if moved > 0.0 {
        say(
            Mood::Warn,
            format!("{} flows a second get another real, for theirs is down or gone", number::rate(moved)),
        );
    }
}

fn reals(snapshot: &Snapshot, say: &mut impl FnMut(Mood, String)) {
    let states =
        [("failed", Mood::Warn, "failed"), ("down", Mood::Warn, "down"), ("drain", Mood::Note, "draining")];
    for (state, mood, words) in states {
        let named: Vec<&str> =
            snapshot.reals.iter().filter(|real| real.state == state).map(|real| real.name.as_str()).collect();
        if !named.is_empty() {
            say(mood, format!("{words}: {}", few("real", &named)));
        }
    }
}

/// `real web-1`, `reals web-1, web-2`, `17 reals: web-1, web-2, web-3 …`.
fn few(kind: &str, names: &[&str]) -> String {
    match names {
        [one] => format!("{kind} {one}"),
        [] | [_, _] | [_, _, _] => format!("{kind}s {}", names.join(", ")),
        [one, two, three, ..] => format!("{} {kind}s: {one}, {two}, {three} …", names.len()),
    }
}

#[cfg(test)]
mod tests {
    use ctl::{Port, Real, Service, Snapshot, Worker};

    use super::{few, findings};
    use crate::paint::Mood;
    use crate::tracks::Tracks;

    fn told(before: &Snapshot, now: &Snapshot) -> Vec<(Mood, String)> {
        let mut tracks = Tracks::default();
        tracks.feed(before, None);
        tracks.feed(now, Some(1.0));
        findings(now, &tracks).into_iter().map(|finding| (finding.mood, finding.text)).collect()
    }

    fn sound() -> Snapshot {
        Snapshot {
            counters: [("rx", 1000), ("drop.no_real", 0), ("flow.evict", 0)]
                .map(|(k, v)| (k.to_owned(), v))
                .into(),
            services: vec![Service { name: "web".into(), pool: "web".into(), ..Service::default() }],
            reals: vec![Real {
                name: "web-1".into(),
                state: "up".into(),
                weights: [("web".to_owned(), 1)].into(),
                next_hop: ctl::NextHop { mac: "02:00:00:00:00:11".into(), ..Default::default() },
                ..Real::default()
            }],
            workers: vec![Worker { flows_max: 100, ..Worker::default() }],
            ports: vec![Port { name: "lan0".into(), ..Port::default() }],
            ..Snapshot::default()
        }
    }

    fn after() -> Snapshot {
        let mut now = sound();
        now.counters.insert("rx".into(), 2000);
        now
    }

    /// Says exactly this of a change to a sound box.
    fn says(change: impl FnOnce(&mut Snapshot), mood: Mood, words: &str) {
        let mut now = after();
        change(&mut now);
        let told = told(&sound(), &now);
        assert!(told.iter().any(|(m, text)| *m == mood && text.contains(words)), "{words}: {told:?}");
    }

    #[test]
    fn a_sound_box_gives_nothing_to_say() {
        assert_eq!(told(&sound(), &after()), []);
        let mut waited = after();
        waited.counters.extend([("held".to_owned(), 9), ("released".to_owned(), 9)]);
        assert_eq!(told(&sound(), &waited), [], "what waits no more is nothing");
    }

    #[test]
    fn each_trouble_is_told_with_its_name_and_its_remedy() {
        says(|s| s.workers[0].silent_ms = 3200, Mood::Bad, "worker 0 has been silent for 3 s");
        says(|s| s.workers[0].busy = 0.97, Mood::Warn, "worker 0 is 97 % busy");
        says(|s| s.workers[0].flows = 95, Mood::Warn, "95 % full");
        says(|s| s.ports[0].rx_missed = 5, Mood::Bad, "port lan0 misses 5.0 packets");
        says(|s| s.ports[0].rx_no_mbuf = 5, Mood::Bad, "raise dataplane.packets");
        says(|s| s.ports[0].errors = 5, Mood::Warn, "port lan0 has 5.0 errors");
        let refused = |refused| Some(ctl::Twin { refused, ..Default::default() });
        says(|s| s.ports[0].twin = refused(5), Mood::Warn, "port lan0 loses 5.0 packets a second to or from");
        says(|s| s.reals[0].state = "drain".into(), Mood::Bad, "no real takes new flows for service web");
        says(|s| s.reals[0].state = "down".into(), Mood::Warn, "down: real web-1");
        says(|s| s.reals[0].state = "failed".into(), Mood::Warn, "failed: real web-1");
        let panic = || ctl::Panic { pool: "web".into(), percent_up: 20, panic_percent: 50 };
        says(
            |s| s.panics.push(panic()),
            Mood::Bad,
            "pool web is in panic: 20 % of its weight is up, below 50 %",
        );
        says(|s| s.reals[0].next_hop.mac.clear(), Mood::Bad, "no next hop is known for real web-1");
        let held = |now, before| [("held".to_owned(), now), ("released".to_owned(), before)];
        says(
            |s| s.counters.extend(held(70, 6)),
            Mood::Note,
            "64 packets wait for a next hop or their first fragment",
        );
        says(
            |s| s.counters.extend(held(7, 6)),
            Mood::Note,
            "1 packet waits for a next hop or its first fragment",
        );
        says(
            |s| *s.counters.get_mut("drop.no_real").unwrap() = 60,
            Mood::Bad,
            "drop.no_real: 60 packets a second, 6.0 %",
        );
        says(
            |s| *s.counters.get_mut("drop.no_real").unwrap() = 2,
            Mood::Warn,
            "no real that may take a new flow",
        );
        says(|s| *s.counters.get_mut("flow.evict").unwrap() = 2, Mood::Warn, "SYN flood");
        says(|s| s.counters = sound().counters, Mood::Note, "no packets come in just now");
        says(|s| s.generation.sequence = 2, Mood::Note, "generation 2 came into force 0 ms ago");
    }

    #[test]
    fn a_box_that_never_saw_a_packet_is_told_apart_from_a_quiet_one() {
        let mut never = sound();
        never.counters.insert("rx".into(), 0);
        let told = told(&never, &never);
        assert!(matches!(&told[..], [(Mood::Note, text)] if text.contains("is the link up")), "{told:?}");
    }

    #[test]
    fn the_worst_comes_first() {
        let mut now = after();
        now.workers[0].busy = 0.99;
        now.reals[0].state = "down".into();
        let moods: Vec<Mood> = told(&sound(), &now).into_iter().map(|(mood, _)| mood).collect();
        assert_eq!(moods, [Mood::Bad, Mood::Warn, Mood::Warn]);
    }

    #[test]
    fn many_names_are_counted_and_the_first_are_named() {
        assert_eq!(few("real", &["a"]), "real a");
        assert_eq!(few("real", &["a", "b"]), "reals a, b");
        assert_eq!(few("real", &["a", "b", "c", "d"]), "4 reals: a, b, c …");
    }
}
