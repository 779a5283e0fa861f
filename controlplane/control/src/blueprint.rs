//! From names to numbers: what a forwarding table is built from.

use std::fmt;

use conf::{Config, Name, Then, defaults};
use service::{
    Attributes, Blueprint, Member, Outer, PoolSpec, QuicSpec, RealSpec, RuleAction, RuleSpec, ServiceSpec,
};

use crate::numbers::{Kind, Numbers};
use crate::segments;

/// A name of the configuration has no number: the numbers were assigned for another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoNumber {
    /// Of which kind.
    pub kind: Kind,
    /// Whose.
    pub name: Name,
}

impl fmt::Display for NoNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} \"{}\" has no number", self.kind, self.name)
    }
}

impl std::error::Error for NoNumber {}

/// The blueprint of a configuration. Without `node.mac` frames come from [`defaults::NODE_MAC`]: a caller
/// with a port of its own writes that port's address there first.
///
/// # Errors
/// [`NoNumber`].
pub fn blueprint(config: &Config, numbers: &Numbers) -> Result<Blueprint, NoNumber> {
    let real_number =
        |name: &Name| numbers.real(name).ok_or_else(|| NoNumber { kind: Kind::Real, name: name.clone() });
    let mut reals = Vec::with_capacity(config.reals.len());
    for real in &config.reals {
        reals.push(RealSpec {
            number: real_number(&real.name)?,
            address: real.address,
            next_hop: real.next_hop.map(|mac| mac.0),
            port: real.port.and_then(|place| u8::try_from(place).ok()),
            encap: real.encap,
            state: real.state,
        });
    }
    let member = |member: &conf::Member| {
        // A valid configuration's places are in range.
        Some(Member { real: reals.get(member.real)?.number, weight: member.share() })
    };
    let pools = config
        .pools
        .iter()
        .map(|pool| PoolSpec {
            members: pool.members.iter().filter_map(member).collect(),
            slots: pool.slots,
            policy: pool.policy,
            panics: pool.panics(&config.reals),
        })
        .collect();
    let quic = quic(config, &reals);
    let mut services = Vec::with_capacity(config.services.len());
    for (place, service) in config.services.iter().enumerate() {
        let number = numbers
            .service(&service.name)
            .ok_or_else(|| NoNumber { kind: Kind::Service, name: service.name.clone() })?;
        services.push(ServiceSpec {
            number,
            vip: service.vip.address,
            prefix_len: service.vip.prefix_len,
            protocol: service.protocol.number(),
            port_first: service.ports.first,
            port_last: service.ports.last,
            pool: service.pool,
            quic: service.quic,
            attributes: attributes(config, service.mark, service.limit),
            key: service.key,
            mss: segments::most(config, place, service),
        });
    }
    let rules = rules(config, numbers, &services, &reals)?;
    Ok(Blueprint {
        select_seed: config.select.seed,
        outer: outer(config),
        return_path: config.node.return_path,
        timeouts: config.flow.timeouts,
        new_flows_rate_max: config.flow.new_flows_per_second_max,
        reals,
        pools,
        quic,
        ends: config.ends.iter().map(|end| end.spec.clone()).collect(),
        services,
        rules,
    })
}

/// How connection ids are made, in the order of the file.
fn quic(config: &Config, reals: &[RealSpec]) -> Vec<QuicSpec> {
    let server = |server: &conf::Server| Some((server.id, reals.get(server.real)?.number));
    let spec = |quic: &conf::Quic| QuicSpec {
        rotation: quic.rotation,
        server_id_bytes: quic.server_id_bytes,
        nonce_bytes: quic.nonce_bytes,
        key: quic.key,
        tells_length: quic.tells_length,
        servers: quic.servers.iter().filter_map(server).collect(),
    };
    config.quic.iter().map(spec).collect()
}

/// Rules in the order in which they are asked.
fn rules(
    config: &Config,
    numbers: &Numbers,
    services: &[ServiceSpec],
    reals: &[RealSpec],
) -> Result<Vec<RuleSpec>, NoNumber> {
    let service = |place: usize| services.get(place).map(|service| service.number);
    let real = |place: usize| reals.get(place).map(|real| real.number);
    let action = |then: Then| match then {
        Then::Drop => Some(RuleAction::Drop),
        Then::Usual => Some(RuleAction::Usual),
        Then::Service(place) => Some(RuleAction::Service(service(place)?)),
        Then::Real { service: at, real: place } => Some(RuleAction::Real(service(at)?, real(place)?)),
    };
    let mut rules = Vec::with_capacity(config.rules.len());
    for (rule, rank) in config.rules.iter().zip(0..) {
        let number =
            numbers.rule(&rule.name).ok_or_else(|| NoNumber { kind: Kind::Rule, name: rule.name.clone() })?;
        // A valid configuration's places are in range.
        let Some(action) = action(rule.then) else { continue };
        let attributes = attributes(config, rule.mark, rule.limit);
        rules.push(RuleSpec { number, attributes, ..rule.spec(rank, action) });
    }
    Ok(rules)
}

fn attributes(config: &Config, mark: Option<usize>, limit: Option<usize>) -> Attributes {
    Attributes {
        mark: mark.and_then(|place| config.marks.get(place)).map(|mark| mark.mark),
        limit: limit.and_then(|place| config.limits.get(place)).map(|limit| limit.limit),
    }
}

fn outer(config: &Config) -> Outer {
    Outer {
        mac: config.node.mac.unwrap_or(defaults::NODE_MAC).0,
        source_v4: config.tunnel.source_v4,
        source_v6: config.tunnel.source_v6,
        hop_limit: config.tunnel.hop_limit,
        passes_max: config.tunnel.passes_max,
        dont_fragment: config.tunnel.dont_fragment,
        mtu: config.tunnel.mtu,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use service::{Generation, build};

    use super::{NoNumber, blueprint};
    use crate::numbers::{Kind, Numbers};

    fn sample(name: &str) -> conf::Config {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf/samples").join(name);
        conf::load(&path).unwrap_or_else(|faults| panic!("{faults}"))
    }

    #[test]
    fn every_sample_makes_a_table() {
        for name in ["smallest.toml", "site.toml", "ipv6.toml", "reference.toml"] {
            let config = sample(name);
            let numbers = Numbers::default().assign(&config, 0).unwrap();
            let blueprint = blueprint(&config, &numbers).unwrap();
            assert_eq!(blueprint.services.len(), config.services.len());
            assert_eq!(blueprint.outer.mac, [2, 0, 0, 0, 0, 1]);
            let built = build(&blueprint, Generation { boot: 1, sequence: 1 }).unwrap();
            assert!(built.table().is_ok(), "{name}");
        }
    }

    #[test]
    fn the_order_of_tables_in_the_file_does_not_matter() {
        let config = sample("site.toml");
        let mut turned = config.clone();
        turned.services.reverse();
        let numbers = Numbers::default().assign(&config, 0).unwrap();
        assert_eq!(numbers, Numbers::default().assign(&turned, 0).unwrap());
        let generation = Generation { boot: 1, sequence: 1 };
        let bytes = |config| build(&blueprint(config, &numbers).unwrap(), generation).unwrap();
        assert_eq!(bytes(&config), bytes(&turned));
    }

    #[test]
    fn a_name_without_a_number_is_told() {
        let config = sample("smallest.toml");
        let fault = blueprint(&config, &Numbers::default()).unwrap_err();
        assert_eq!(fault, NoNumber { kind: Kind::Real, name: "web-1".parse().unwrap() });
        assert_eq!(fault.to_string(), "the real \"web-1\" has no number");
    }
}
