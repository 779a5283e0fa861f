//! Single values: text and numbers in, types or refusals out. Nothing here knows where a value stands.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use service::{DontFragment, DscpOn, Key, OuterSource, Policy, RealState, ReturnPath, Timeouts, UdpChecksum};

use crate::check::EncapWord;
use crate::config::{Device, HugePages, Kernel, Mac, MacError, Name, PortRange, Protocol, Vip};
use crate::fault::Refusal;
use crate::file::{Seconds, WholeOrText};
use crate::limits::{
    DEVICE_BYTES_MAX, MSS_MIN, NAME_BYTES_MAX, QUOTE_CHARS_MAX, SOURCE_V4_PREFIX_MIN, SOURCE_V6_PREFIX_MIN,
};
use crate::mss::Mss;
use crate::nearest::did_you_mean;

/// The text in quotes, escaped, and cut where it is long.
pub(crate) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(QUOTE_CHARS_MAX).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("\"{}{dots}\"", short.escape_debug())
}

/// A number within bounds.
pub(crate) fn whole<T>(number: i64, bounds: RangeInclusive<T>) -> Result<T, Refusal>
where
    T: TryFrom<i64> + PartialOrd + Display + Copy,
{
    T::try_from(number).ok().filter(|number| bounds.contains(number)).ok_or_else(|| {
        let remedy = format!("Write a number from {} to {}.", bounds.start(), bounds.end());
        Refusal::new(format!("{number} is out of range"), remedy)
    })
}

pub(crate) fn name(text: &str) -> Result<Name, Refusal> {
    text.parse().map_err(|_| {
        let remedy =
            format!("Write 1 to {NAME_BYTES_MAX} letters, digits, hyphens, underscores and full stops.");
        Refusal::new(format!("{} is not a name", quoted(text)), remedy)
    })
}

pub(crate) fn device(text: &str) -> Result<Device, Refusal> {
    Device::new(text).ok_or_else(|| {
        let remedy = format!(
            "Write a PCI address such as \"0000:01:00.0\" or a virtual device such as \
             \"net_af_packet0,iface=eth1\", at most {DEVICE_BYTES_MAX} characters without spaces."
        );
        Refusal::new(format!("{} is not a DPDK device", quoted(text)), remedy)
    })
}

pub(crate) fn mac(text: &str) -> Result<Mac, Refusal> {
    text.parse().map_err(|error| match error {
        MacError::Form => Refusal::new(
            format!("{} is not a MAC address", quoted(text)),
            "Write six pairs of hex digits such as \"02:00:00:00:00:01\".",
        ),
        MacError::NotUnicast => Refusal::new(
            format!("{} is not the MAC address of one machine", quoted(text)),
            "Write a unicast address: not all zeros, and an even first byte.",
        ),
    })
}

pub(crate) fn hex_16(text: &str) -> Result<[u8; 16], Refusal> {
    let refusal = || {
        let message = format!("{} is not 16 bytes in hex", quoted(text));
        Refusal::new(message, "Write exactly 32 hex digits.")
    };
    if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(refusal());
    }
    u128::from_str_radix(text, 16).map(u128::to_be_bytes).map_err(|_| refusal())
}

/// A timeout in ticks.
pub(crate) fn ticks(seconds: Seconds) -> Result<u16, Refusal> {
    let Seconds(seconds) = seconds;
    let eighths = seconds * 8.0;
    // The comparison with every allowed number also refuses NaN and infinity.
    (1..=Timeouts::MAX).find(|&ticks| f64::from(ticks) == eighths).ok_or_else(|| {
        let hour = f64::from(Timeouts::MAX) / 8.0;
        let message = if (0.125..=hour).contains(&seconds) {
            format!("{seconds} s is no multiple of an eighth of a second")
        } else {
            "the time is out of range".to_owned()
        };
        Refusal::new(message, format!("Write seconds from 0.125 to {hour}, in steps of 0.125."))
    })
}

/// One word of a few.
pub(crate) fn word<T: Copy>(text: &str, words: &[(&'static str, T)]) -> Result<T, Refusal> {
    words.iter().find(|(word, _)| *word == text).map(|&(_, value)| value).ok_or_else(|| {
        let names: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let choice = match names.split_last() {
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => String::new(),
        };
        let meant = did_you_mean(text, words.iter().map(|&(word, _)| word));
        Refusal::new(format!("{} is not known here", quoted(text)), format!("{meant}Write {choice}."))
    })
}

pub(crate) fn dont_fragment(text: &str) -> Result<DontFragment, Refusal> {
    use DontFragment::{Clear, Inherit, Set};
    word(text, &[("inherit", Inherit), ("set", Set), ("clear", Clear)])
}

pub(crate) fn return_path(text: &str) -> Result<ReturnPath, Refusal> {
    word(text, &[ReturnPath::Direct, ReturnPath::ViaSlr].map(|path| (path.word(), path)))
}

pub(crate) fn policy(text: &str) -> Result<Policy, Refusal> {
    word(text, &[Policy::Maglev, Policy::Rendezvous].map(|policy| (policy.word(), policy)))
}

pub(crate) fn dscp_on(text: &str) -> Result<DscpOn, Refusal> {
    word(text, &[("both", DscpOn::Both), ("outer", DscpOn::Outer)])
}

/// The kind of a meter: whether it has a peak rate.
pub(crate) fn is_two_rate(text: &str) -> Result<bool, Refusal> {
    word(text, &[("srtcm", false), ("trtcm", true)])
}

pub(crate) fn huge_pages(text: &str) -> Result<HugePages, Refusal> {
    use HugePages::{Auto, Off, Require};
    word(text, &[("auto", Auto), ("require", Require), ("off", Off)])
}

pub(crate) fn kernel(text: &str) -> Result<Kernel, Refusal> {
    word(text, &[("auto", Kernel::Auto), ("twin", Kernel::Twin), ("none", Kernel::None)])
}

pub(crate) fn encap(text: &str) -> Result<EncapWord, Refusal> {
    use EncapWord::{Fou, Gre, Gue, Ipip, Mac, Vxlan};
    word(text, &[Ipip, Mac, Gre, Gue, Fou, Vxlan].map(|word| (word.word(), word)))
}

pub(crate) fn udp_checksum(text: &str) -> Result<UdpChecksum, Refusal> {
    word(text, &[UdpChecksum::Auto, UdpChecksum::Zero, UdpChecksum::Full].map(|sum| (sum.word(), sum)))
}

pub(crate) fn state(text: &str) -> Result<RealState, Refusal> {
    word(text, &RealState::ALL.map(|state| (state.word(), state)))
}

/// What bounds the segment sizes of a service of that protocol.
pub(crate) fn mss(written: &WholeOrText, protocol: Option<Protocol>) -> Result<Mss, Refusal> {
    if protocol.is_some_and(|protocol| protocol != Protocol::Tcp) {
        return Err(Refusal::new("only TCP has segments", "Leave it out, or write protocol = \"tcp\"."));
    }
    match written {
        WholeOrText::Whole(number) => whole(*number, MSS_MIN..=u16::MAX).map(Mss::Bytes),
        WholeOrText::Text(text) if text == Mss::AUTO => Ok(Mss::Auto),
        WholeOrText::Text(text) => Err(Refusal::new(
            format!("{} is not known here", quoted(text)),
            format!("Write a number from {MSS_MIN} to {}, or \"{}\".", u16::MAX, Mss::AUTO),
        )),
    }
}

pub(crate) fn protocol(written: &WholeOrText) -> Result<Protocol, Refusal> {
    let number = match written {
        WholeOrText::Text(text) => return word(text, Protocol::named()),
        WholeOrText::Whole(number) => whole(*number, 0..=u8::MAX - 1)?,
    };
    Protocol::of_number(number).ok_or_else(|| {
        let message = format!("{number} is ICMP, which is answered or follows the flow it is about");
        Refusal::new(message, "Leave it to its VIP, or name another protocol.")
    })
}

/// What keeps the flows of a service together, of a VIP with so many bits.
pub(crate) fn key(text: &str, address_bits: u8) -> Result<Key, Refusal> {
    let Some(bits) = text.strip_prefix("source/") else {
        return word(
            text,
            &[("flow", Key::Flow), ("source", Key::Source(address_bits)), ("port", Key::Port)],
        );
    };
    let (v4, v6) = bits.split_once(',').unwrap_or((bits, bits));
    let prefix = |text: &str, most: u8| {
        let digits = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|len| digits && (1..=most).contains(len))
    };
    let both = bits.contains(',');
    let found = match (address_bits, prefix(v4, 32), prefix(v6, 128)) {
        (_, None, _) | (_, _, None) if both => None,
        (32, len, _) => len,
        (_, _, len) => len,
    };
    found.map(Key::Source).ok_or_else(|| {
        let remedy = format!(
            "Write a prefix length from 1 to {address_bits} such as \"source/24\", or those of IPv4 and IPv6 as in \
             \"source/24,56\"."
        );
        Refusal::new(format!("{} names no first bits of such an address", quoted(text)), remedy)
    })
}

/// Address and, if a slash stands there, prefix length.
fn split(text: &str) -> Option<(IpAddr, Option<u8>)> {
    match text.split_once('/') {
        None => Some((text.parse().ok()?, None)),
        Some((address, len)) => {
            let digits = !len.is_empty() && len.bytes().all(|b| b.is_ascii_digit());
            let len: u8 = len.parse().ok().filter(|_| digits)?;
            let address: IpAddr = address.parse().ok()?;
            (len <= full_len(address)).then_some((address, Some(len)))
        }
    }
}

/// The bits of an address: what the longest prefix has.
#[must_use]
pub const fn full_len(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address with all bits below the prefix set to zero.
#[must_use]
pub fn network(address: IpAddr, prefix_len: u8) -> IpAddr {
    let host_bits = u32::from(full_len(address).saturating_sub(prefix_len));
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

fn host_bits_zero(address: IpAddr, prefix_len: u8, text: &str) -> Result<(), Refusal> {
    let network = network(address, prefix_len);
    if network == address {
        return Ok(());
    }
    let message = format!("{} has bits set below its prefix length", quoted(text));
    Err(Refusal::new(message, format!("Write \"{network}/{prefix_len}\", or the address without a length.")))
}

/// Not an address that a single machine can have.
fn one_machine(address: IpAddr, text: &str) -> Result<(), Refusal> {
    let broadcast = IpAddr::V4(Ipv4Addr::BROADCAST);
    if address.is_unspecified() || address.is_multicast() || address == broadcast {
        let message = format!("{} is not the address of one machine", quoted(text));
        return Err(Refusal::new(message, "Write a unicast address."));
    }
    // The same machine would have two spellings, and no such packet is on any wire (RFC 4291 §2.5.5.2).
    if let IpAddr::V6(v6) = address
        && let Some(v4) = v6.to_ipv4_mapped()
    {
        let message = format!("{} is an IPv4 address written as IPv6", quoted(text));
        return Err(Refusal::new(message, format!("Write \"{v4}\".")));
    }
    Ok(())
}

pub(crate) fn address(text: &str) -> Result<IpAddr, Refusal> {
    let address: IpAddr = text.parse().map_err(|_| {
        let message = format!("{} is not an IP address", quoted(text));
        Refusal::new(message, "Write one such as \"10.0.0.11\" or \"2001:db8::11\".")
    })?;
    one_machine(address, text)?;
    Ok(address)
}

/// An address of this machine and a port that others know beforehand.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, Refusal> {
    let remedy = "Write an address and a port such as \"127.0.0.1:9464\" or \"[::1]:9464\".";
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() == 0 => {
            Err(Refusal::new(format!("{} names no port", quoted(text)), remedy))
        }
        Ok(address) if address.ip().is_multicast() => {
            Err(Refusal::new(format!("{} is not the address of one machine", quoted(text)), remedy))
        }
        other => {
            other.map_err(|_| Refusal::new(format!("{} is not an address with a port", quoted(text)), remedy))
        }
    }
}

pub(crate) fn vip(text: &str) -> Result<Vip, Refusal> {
    let (address, len) = split(text).ok_or_else(|| {
        Refusal::new(
            format!("{} is not an IP address or prefix", quoted(text)),
            "Write one such as \"198.51.100.10\", \"198.51.100.0/24\" or \"2001:db8::/64\".",
        )
    })?;
    let prefix_len = len.unwrap_or_else(|| full_len(address));
    host_bits_zero(address, prefix_len, text)?;
    // The unspecified address is fine as the start of a prefix, such as 0.0.0.0/0.
    if prefix_len == full_len(address) || address.is_multicast() {
        one_machine(address, text)?;
    }
    Ok(Vip { address, prefix_len })
}

pub(crate) fn source_v4(text: &str) -> Result<OuterSource<Ipv4Addr>, Refusal> {
    let min = SOURCE_V4_PREFIX_MIN;
    match split(text) {
        Some((IpAddr::V4(address), len)) => source(address, len.unwrap_or(32), min, text)
            .map(|prefix_len| OuterSource { address, prefix_len }),
        _ => {
            let message = format!("{} is not an IPv4 address or prefix", quoted(text));
            Err(Refusal::new(message, "Write one such as \"192.0.2.1\" or \"172.16.0.0/16\"."))
        }
    }
}

pub(crate) fn source_v6(text: &str) -> Result<OuterSource<Ipv6Addr>, Refusal> {
    let min = SOURCE_V6_PREFIX_MIN;
    match split(text) {
        Some((IpAddr::V6(address), len)) => source(address, len.unwrap_or(128), min, text)
            .map(|prefix_len| OuterSource { address, prefix_len }),
        _ => {
            let message = format!("{} is not an IPv6 address or prefix", quoted(text));
            Err(Refusal::new(message, "Write one such as \"2001:db8::1\" or \"2001:db8:0:1::/112\"."))
        }
    }
}

fn source(address: impl Into<IpAddr>, len: u8, min: u8, text: &str) -> Result<u8, Refusal> {
    let address = address.into();
    if len < min {
        let full = full_len(address);
        let message =
            format!("the prefix of {} is too short: at most 16 bits of entropy are used", quoted(text));
        return Err(Refusal::new(message, format!("Write a prefix length from {min} to {full}.")));
    }
    host_bits_zero(address, len, text)?;
    one_machine(address, text)?;
    Ok(len)
}

pub(crate) fn ports(ports: &WholeOrText) -> Result<PortRange, Refusal> {
    const REMEDY: &str = "Write a port from 1 to 65535, a range such as \"8000-8099\", or \"any\".";
    let one = |port: i64| u16::try_from(port).ok().filter(|&port| port > 0);
    let digits = |text: &str| {
        let sound = (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        sound.then(|| text.parse().ok()).flatten().and_then(one)
    };
    match ports {
        WholeOrText::Whole(port) => one(*port)
            .map(|port| PortRange { first: port, last: port })
            .ok_or_else(|| Refusal::new(format!("{port} is not a port"), REMEDY)),
        WholeOrText::Text(text) if text == "any" => Ok(PortRange::ANY),
        WholeOrText::Text(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            match (digits(first), digits(last)) {
                (Some(first), Some(last)) if first <= last => Ok(PortRange { first, last }),
                (Some(first), Some(last)) => Err(Refusal::new(
                    format!("the range {} ends before it starts", quoted(text)),
                    format!("Write \"{last}-{first}\"."),
                )),
                _ => Err(Refusal::new(format!("{} names no ports", quoted(text)), REMEDY)),
            }
        }
    }
}

/// Trial division: at most 2,048 odd divisors for the largest table.
pub(crate) fn is_prime(number: u32) -> bool {
    let by = |divisor: u32| number.checked_rem(divisor) == Some(0);
    let odd = (3u32..).step_by(2).take_while(|&d| d.checked_mul(d).is_some_and(|square| square <= number));
    number == 2 || (number > 2 && !by(2) && !odd.into_iter().any(by))
}

/// A prime, at most `max`.
pub(crate) fn prime(number: i64, max: u32) -> Result<u32, Refusal> {
    let number = whole(number, 2..=max)?;
    if is_prime(number) {
        return Ok(number);
    }
    let next = (number..=max).find(|&candidate| is_prime(candidate)).unwrap_or(max);
    let remedy = format!("Write a prime; the next one is {next}.");
    Err(Refusal::new(format!("{number} is not a prime, and the table would not be filled evenly"), remedy))
}
