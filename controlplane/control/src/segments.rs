//! The largest segment that all tunnels of a service have room for.

use conf::{Config, Mss, Service, Then};
use service::Prefix;

/// Bytes of the headers of IP and TCP without options (RFC 791 §3.1, RFC 8200 §3, RFC 9293 §3.1): what a segment size does
/// not count (RFC 6691 §2).
const V4_HEADERS: u16 = 20 + 20;
const V6_HEADERS: u16 = 40 + 20;

/// What the SYNs of the service in that place may offer at most, or 0 for anything.
pub(crate) fn most(config: &Config, place: usize, service: &Service) -> u16 {
    match service.mss {
        None => 0,
        Some(Mss::Bytes(bytes)) => bytes,
        Some(Mss::Auto) => fitting(config, place, service),
    }
}

/// What fits the longest outer headers of its pool's reals, and of those that rules give its flows.
fn fitting(config: &Config, place: usize, service: &Service) -> u16 {
    let pool = config.pools.get(service.pool);
    let members = pool.into_iter().flat_map(|pool| &pool.members).map(|member| member.real);
    let given = config.rules.iter().filter_map(|rule| match rule.then {
        Then::Real { service, real } if service == place => Some(real),
        Then::Real { .. } | Then::Service(_) | Then::Drop | Then::Usual => None,
    });
    let reals = members.chain(given).filter_map(|place| config.reals.get(place));
    let outer = reals.map(|real| real.encap.outer_len(real.address.is_ipv6())).max().unwrap_or_default();
    // A rule may bring it flows of IPv6.
    let is_v6 = |prefix: &Prefix| prefix.address.is_ipv6();
    let has_v6_vip = config.services.iter().any(|service| service.vip.address.is_ipv6());
    let brings_v6 = config.rules.iter().any(|rule| {
        let gives = matches!(rule.then, Then::Service(to) | Then::Real { service: to, .. } if to == place);
        let to_v6 = has_v6_vip && (rule.destinations.is_empty() || rule.destinations.iter().any(is_v6));
        gives && to_v6 && (rule.sources.is_empty() || rule.sources.iter().any(is_v6))
    });
    let headers = if brings_v6 || service.vip.address.is_ipv6() { V6_HEADERS } else { V4_HEADERS };
    let outer = u16::try_from(outer).unwrap_or(u16::MAX);
    // Above 0 in any case: the least MTU is larger than all headers.
    config.tunnel.mtu.saturating_sub(outer).saturating_sub(headers).max(1)
}
