//! What a DPDK device string names.

/// What kind of device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind<'d> {
    /// A PCI device, its address in full.
    Pci(String),
    /// A kernel interface through an AF_PACKET socket.
    AfPacket(Arguments<'d>),
    /// One that asks nothing of the machine: a file, a ring, a tap of our own.
    Other,
}

/// The `key=value` behind a device's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments<'d>(Vec<(&'d str, &'d str)>);

impl<'d> Arguments<'d> {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&'d str> {
        self.0.iter().find(|(name, _)| *name == key).map(|&(_, value)| value)
    }

    /// The number behind a key.
    pub(crate) fn number(&self, key: &str) -> Option<u32> {
        self.get(key)?.parse().ok()
    }
}

/// What `device` names.
pub(crate) fn kind(device: &str) -> Kind<'_> {
    let (name, rest) = device.split_once(',').unwrap_or((device, ""));
    if is_pci(name) {
        // 03:00.0 is short for the domain 0000.
        let full = if name.matches(':').count() == 1 { format!("0000:{name}") } else { name.to_owned() };
        return Kind::Pci(full.to_ascii_lowercase());
    }
    if name.starts_with("net_af_packet") || name.starts_with("eth_af_packet") {
        return Kind::AfPacket(Arguments(rest.split(',').filter_map(|pair| pair.split_once('=')).collect()));
    }
    Kind::Other
}

fn is_pci(name: &str) -> bool {
    name.contains(':') && name.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.'))
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind};

    #[test]
    fn devices_are_told_by_their_names() {
        assert_eq!(kind("3B:00.1,arg=1"), Kind::Pci("0000:3b:00.1".to_owned()));
        assert_eq!(kind("0000:3b:00.1"), Kind::Pci("0000:3b:00.1".to_owned()));
        assert!(matches!(kind("net_af_packet0,iface=eth1,qpairs=2"), Kind::AfPacket(arguments)
            if arguments.get("iface") == Some("eth1") && arguments.number("qpairs") == Some(2)));
        assert_eq!(kind("net_null0"), Kind::Other);
    }
}
