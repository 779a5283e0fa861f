//! Addresses, ports and protocols as foreign files write them, held to what `conf` accepts.

use std::net::{IpAddr, Ipv4Addr};

use conf::{PortRange, Vip, full_len, network};

use crate::fault::plain;

/// Why a text is no address: what is wrong, and what to do.
pub(crate) type Refusal = (String, String);

fn refusal(text: &str, what: &str, remedy: &str) -> Refusal {
    (format!("\"{}\" is {what}", plain(text)), remedy.to_owned())
}

/// The address of one machine. An IPv4 address written as IPv6 becomes IPv4.
pub(crate) fn machine(text: &str) -> Result<IpAddr, Refusal> {
    let address: IpAddr = text
        .parse()
        .map_err(|_| refusal(text, "not an IP address", "Write the address itself, in digits."))?;
    let address = address.to_canonical();
    if is_one_machine(address) {
        Ok(address)
    } else {
        Err(refusal(text, "not the address of one machine", "Write a unicast address."))
    }
}

fn is_one_machine(address: IpAddr) -> bool {
    !(address.is_unspecified() || address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST))
}

/// A VIP of one address.
pub(crate) fn single(address: IpAddr) -> Vip {
    Vip { address, prefix_len: full_len(address) }
}

/// A VIP: an address, or a prefix; bits below the prefix length are cleared.
pub(crate) fn vip(text: &str) -> Result<Vip, Refusal> {
    let Some((address, len)) = text.split_once('/') else {
        return machine(text).map(single);
    };
    let no_prefix = || refusal(text, "not a prefix", "Write one such as \"198.51.100.0/24\".");
    let address: IpAddr = address.parse().map_err(|_| no_prefix())?;
    let digits = !len.is_empty() && len.bytes().all(|b| b.is_ascii_digit());
    let prefix_len: u8 = len.parse().ok().filter(|_| digits).ok_or_else(no_prefix)?;
    if prefix_len > full_len(address) {
        return Err(no_prefix());
    }
    let vip = Vip { address: network(address, prefix_len), prefix_len };
    let one = prefix_len == full_len(address) || vip.address.is_multicast();
    let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    if one && (mapped || !is_one_machine(vip.address)) {
        return Err(refusal(text, "not a VIP", "Write a unicast address or prefix."));
    }
    Ok(vip)
}

/// A port in digits; 0 stands for any, as in IPVS and Katran.
pub(crate) fn port(text: &str) -> Result<u16, Refusal> {
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| refusal(text, "not a port", "Write a number from 0 to 65535."))
}

/// The ports that a port number stands for: itself, and 0 for any.
pub(crate) const fn ports(port: u16) -> PortRange {
    if port == 0 { PortRange::ANY } else { PortRange { first: port, last: port } }
}

/// `ADDRESS:PORT`, `[ADDRESS]:PORT`, or an address alone, which stands for port 0.
pub(crate) fn with_port(text: &str) -> Result<(IpAddr, u16), Refusal> {
    if let Some(inside) = text.strip_prefix('[') {
        let closed = inside.split_once(']');
        let (address, rest) =
            closed.ok_or_else(|| refusal(text, "not an address", "Close the bracket behind it."))?;
        return match rest.strip_prefix(':') {
            Some(digits) => Ok((machine(address)?, port(digits)?)),
            None if rest.is_empty() => Ok((machine(address)?, 0)),
            None => Err(refusal(text, "not an address and a port", "Write [ADDRESS]:PORT.")),
        };
    }
    match text.split_once(':') {
        // More than one colon outside brackets is an IPv6 address.
        Some((address, digits)) if !digits.contains(':') => Ok((machine(address)?, port(digits)?)),
        _ => Ok((machine(text)?, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::{vip, with_port};

    #[test]
    fn an_address_may_have_a_port_and_brackets() {
        assert_eq!(with_port("10.0.0.1:80"), Ok(("10.0.0.1".parse().unwrap(), 80)));
        assert_eq!(with_port("10.0.0.1"), Ok(("10.0.0.1".parse().unwrap(), 0)));
        assert_eq!(with_port("[2001:db8::1]:443"), Ok(("2001:db8::1".parse().unwrap(), 443)));
        assert_eq!(with_port("2001:db8::1"), Ok(("2001:db8::1".parse().unwrap(), 0)));
        assert_eq!(with_port("[::ffff:10.0.0.1]:5"), Ok(("10.0.0.1".parse().unwrap(), 5)));
        for wrong in ["", ":", "10.0.0.1:", "10.0.0.1:x", "10.0.0.1:65536", "[::1", "[::1]x", "0.0.0.0:1"] {
            assert!(with_port(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_prefix_loses_its_host_bits_and_says_nothing_that_conf_refuses() {
        assert_eq!(vip("198.51.100.7/24").unwrap().to_string(), "198.51.100.0/24");
        assert_eq!(vip("0.0.0.0/0").unwrap().to_string(), "0.0.0.0/0");
        for wrong in
            ["0.0.0.0", "0.0.0.0/32", "224.0.0.0/4", "1.2.3.4/33", "1.2.3.4/+1", "::ffff:1.2.3.4/128"]
        {
            assert!(vip(wrong).is_err(), "{wrong}");
        }
    }
}
