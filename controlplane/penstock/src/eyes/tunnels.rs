//! Tunnels in words: those that packets leave in, and those that end here.

use engine::Shell;
use service::{Form, RealState, Tail, Template, TunnelKind};

use super::words::mac;

/// The way to a real.
pub(super) fn way(template: &Template, tail: &Tail) -> String {
    let tunnel = match (template.kind(), template.destination()) {
        (TunnelKind::Mac, _) | (_, None) => "unchanged but for its MAC addresses".to_owned(),
        (TunnelKind::Ipip4 | TunnelKind::Tail4, Some(end)) => {
            format!("in IPv4{} to {end}{}", behind(template.form(), tail), settled(template.form(), tail))
        }
        (TunnelKind::Ipip6 | TunnelKind::Tail6, Some(end)) => {
            format!("in IPv6{} to {end}{}", behind(template.form(), tail), settled(template.form(), tail))
        }
    };
    let [a, b, c, d, e, f, ..] = *template.macs();
    let hop = match (template.is_followed(), template.is_resolved()) {
        (_, false) => "unknown, the kernel is asked".to_owned(),
        (true, true) => format!("{} from the kernel", mac([a, b, c, d, e, f])),
        (false, true) => mac([a, b, c, d, e, f]),
    };
    let port = template.port().map(|port| format!(" by port {port}")).unwrap_or_default();
    let state = match template.state() {
        RealState::Up => "up",
        RealState::Drain => "draining",
        RealState::Down => "down",
        RealState::Failed => "failed",
    };
    format!(
        "{tunnel}, next hop {hop}{port}, {} bytes more, MTU {}; the real is {state}",
        template.outer_len(),
        template.mtu()
    )
}

/// What a packet came in.
pub(super) fn opened(shell: &Shell) -> String {
    let (from, to) = shell.between;
    let tunnel = named(shell.form, shell.port, shell.key);
    format!("it came in {tunnel} from {from} to {to}, which ends here, with a TTL of {}", shell.ttl)
}

/// A tunnel, with all that tells it from another one to the same address.
fn named(form: Form, port: u16, key: u32) -> String {
    match form {
        Form::Bare => "IP in IP".to_owned(),
        Form::Gre => "GRE".to_owned(),
        Form::GreKey => format!("GRE with key {key}"),
        Form::Fou => format!("FOU on UDP port {port}"),
        Form::Gue => format!("GUE on UDP port {port}"),
        Form::Vxlan => format!("VXLAN {key} on UDP port {port}"),
    }
}

/// What stands behind the outer IP header, if anything does.
fn behind(form: Form, tail: &Tail) -> String {
    match form {
        Form::Bare => String::new(),
        _ => format!(" and {}", named(form, tail.port(), tail.key())),
    }
}

/// What else is settled of a tunnel's headers.
fn settled(form: Form, tail: &Tail) -> String {
    let checksum = if tail.is_summed() { "full" } else { "zero" };
    match form {
        Form::Bare | Form::Gre | Form::GreKey => String::new(),
        Form::Fou | Form::Gue => format!(", UDP checksum {checksum}"),
        Form::Vxlan => format!(", UDP checksum {checksum}, inside to {}", mac(tail.mac())),
    }
}
