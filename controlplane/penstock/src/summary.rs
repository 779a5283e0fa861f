//! From counters to the rows of a report, and the report as JSON: every counter stands beside it, by its
//! full name.

use std::collections::{BTreeMap, BTreeSet};

use counters::{Counter, DropReason, Event, Ledger, PuntReason, Tally};
use serde::Serialize;
use service::RealNumber;

use crate::failure::Failure;
use crate::site::Site;

#[derive(Serialize)]
struct File<'r> {
    #[serde(flatten)]
    report: &'r report::Report,
    /// Every counter, those at 0 too.
    counters: BTreeMap<&'static str, u64>,
}

/// The report with its counters.
pub(crate) fn json(report: &report::Report, ledger: &Ledger) -> Result<String, Failure> {
    let counters = Counter::all().map(|counter| (counter.name(), ledger.get(counter))).collect();
    let text = serde_json::to_string_pretty(&File { report, counters });
    text.map(|text| text + "\n")
        .map_err(|error| Failure::new(format!("the report cannot be written as JSON: {error}")))
}

/// Packets by the way they left.
pub(crate) fn verdicts(ledger: &Ledger) -> Vec<report::Verdict> {
    let row = |counter: Counter| report::Verdict {
        name: counter.name().to_owned(),
        help: counter.help().trim().to_owned(),
        packets: ledger.get(counter),
    };
    let drops = DropReason::ALL.iter().map(|&reason| Counter::from(reason));
    let punts = PuntReason::ALL.iter().map(|&reason| Counter::from(reason));
    std::iter::once(Counter::from(Event::Tx)).chain(drops).chain(punts).map(row).collect()
}

/// What the flow tables did; `occupancy` is of all workers together.
pub(crate) fn flows(ledger: &Ledger, occupancy: (usize, usize)) -> report::Flows {
    let stateless = [Event::FlowStatelessFull, Event::FlowStatelessGate];
    report::Flows {
        hits: ledger.get(Event::FlowHit),
        inserted: ledger.get(Event::FlowInsert),
        stateless: stateless.iter().map(|&event| ledger.get(event)).sum(),
        expired: ledger.get(Event::FlowExpire),
        evicted: ledger.get(Event::FlowEvict),
        moved: ledger.get(Event::FlowMoved),
        ..report::Flows::default()
    }
    .with_occupancy(occupancy.0 as u64, occupancy.1 as u64)
}

/// A service's VIP, protocol and ports.
pub(crate) fn words(service: &conf::Service) -> String {
    match service.protocol.has_ports() {
        true => format!("{} {} {}", service.vip, service.protocol, service.ports),
        false => format!("{} {}", service.vip, service.protocol),
    }
}

/// Whom packets of a service may go to: its pool's members, and, without weight, those whom connection ids or rules name
/// beside them.
pub(crate) fn takers(config: &conf::Config, service: &conf::Service) -> Vec<conf::Member> {
    let mut takers = config.pools.get(service.pool).map_or_else(Vec::new, |pool| pool.members.clone());
    let configs = service.quic.iter().flatten().filter_map(|place| config.quic.get(usize::from(*place)));
    let mut known: BTreeSet<usize> = takers.iter().map(|member| member.real).collect();
    let by_id = configs.flat_map(|quic| &quic.servers).map(|server| server.real);
    let by_rule = config.rules.iter().filter_map(|rule| match rule.then {
        conf::Then::Real { service: of, real }
            if config.services.get(of).is_some_and(|of| of.name == service.name) =>
        {
            Some(real)
        }
        _ => None,
    });
    for real in by_id.chain(by_rule) {
        if known.insert(real) {
            takers.push(conf::Member { real, weight: 0, eighths: conf::EIGHTHS });
        }
    }
    takers
}

/// What a member of a pool got, and how many flows it was chosen for if that was counted.
pub(crate) fn share(
    site: &Site,
    member: &conf::Member,
    got: impl Fn(RealNumber) -> (Tally, Option<u64>),
) -> Option<report::Share> {
    let real = site.config.reals.get(member.real)?;
    let number = site.numbers.real(&real.name)?;
    let (tally, flows) = got(number);
    Some(report::Share {
        number: number.get(),
        name: real.name.to_string(),
        address: real.address.to_string(),
        weight: if real.state == service::RealState::Up { member.weight } else { 0 },
        packets: tally.packets,
        bytes: tally.bytes,
        flows,
    })
}

/// The services by number, where what each real got of each was not counted: with one service, what its
/// reals got is what they got at all; with several, each service has only its own sum.
pub(crate) fn services(site: &Site, ledger: &Ledger) -> Vec<report::Service> {
    let config = &site.config;
    let row = |service: &conf::Service| {
        let number = site.numbers.service(&service.name)?;
        let members = match config.services.as_slice() {
            [_] => takers(config, service),
            _ => Vec::new(),
        };
        let of = |member: &conf::Member| share(site, member, |real| (ledger.real(real.index()), None));
        let reals = members.iter().filter_map(of).collect();
        let row = report::Service::new(number.get(), service.name.as_str(), words(service), reals);
        let Tally { packets, bytes } = ledger.service(number.index());
        Some(report::Service { packets, bytes, ..row })
    };
    let mut rows: Vec<report::Service> = config.services.iter().filter_map(row).collect();
    rows.sort_by_key(|row| row.number);
    rows
}

/// The rules as they are asked, those that decided about no packet too.
pub(crate) fn rules(site: &Site, ledger: &Ledger) -> Vec<report::Rule> {
    let row = |rule: &conf::Rule| {
        let number = site.numbers.rule(&rule.name)?;
        let Tally { packets, bytes } = ledger.ruled(number.index());
        Some(report::Rule { number: number.get(), name: rule.name.to_string(), packets, bytes })
    };
    site.config.rules.iter().filter_map(row).collect()
}

/// Writes in what came back of each service, where responses pass us.
pub(crate) fn respond(site: &Site, ledger: &Ledger, services: &mut [report::Service]) {
    if site.config.node.is_gateway() {
        for service in services {
            let number = usize::try_from(service.number).unwrap_or(usize::MAX);
            let Tally { packets, bytes } = ledger.responses(number);
            service.responses = Some(report::Responses { packets, bytes });
        }
    }
}

/// The reals by number, with what the ledger counted for them over all services.
pub(crate) fn reals(site: &Site, ledger: &Ledger) -> Vec<report::Real> {
    let config = &site.config;
    let mut services: BTreeMap<usize, u32> = BTreeMap::new();
    for service in &config.services {
        for member in takers(config, service) {
            *services.entry(member.real).or_default() += 1;
        }
    }
    let row = |(place, real): (usize, &conf::Real)| {
        let number = site.numbers.real(&real.name)?;
        let Tally { packets, bytes } = ledger.real(number.index());
        Some(report::Real {
            number: number.get(),
            name: real.name.to_string(),
            address: real.address.to_string(),
            services: services.get(&place).copied().unwrap_or(0),
            packets,
            bytes,
            flows: None,
        })
    };
    let mut rows: Vec<report::Real> = config.reals.iter().enumerate().filter_map(row).collect();
    rows.sort_by_key(|row| row.number);
    rows
}

#[cfg(test)]
mod tests {
    use counters::{COUNTERS, DropReason, Event, Layout, Ledger};

    #[test]
    fn the_file_holds_the_report_and_every_counter() {
        let mut ledger = Ledger::new(Layout::default());
        ledger.add(Event::Rx, 3);
        ledger.add(DropReason::Truncated, 3);
        let report = report::Report { packets: 3, verdicts: super::verdicts(&ledger), ..Default::default() };
        assert!(report.balanced());
        let text = super::json(&report, &ledger).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (value["packets"].as_u64(), value["counters"]["drop.truncated"].as_u64()),
            (Some(3), Some(3))
        );
        assert_eq!(value["counters"].as_object().unwrap().len(), COUNTERS);
        assert_eq!(serde_json::from_str::<report::Report>(&text).unwrap(), report);
    }
}
