//! The Toeplitz hash of receive-side scaling, in software, for ports without it: the same traffic meets
//! the same worker whatever the back end. Checked with the vectors of the "RSS hash verification suite"
//! that NIC makers publish.

use crate::tuple::{Family, FiveTuple};

/// The key that the published vectors use and most NICs are shipped with.
pub const DEFAULT_KEY: [u8; 40] = [
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0,
    0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42,
    0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
];

/// The hash of addresses and ports, in the order source address, destination address, source port,
/// destination port.
#[must_use]
pub fn hash(key: &[u8; 40], tuple: &FiveTuple) -> u32 {
    let ports = [tuple.source_port.to_be_bytes(), tuple.destination_port.to_be_bytes()];
    hash_bytes(key, addresses(tuple).chain(ports.as_flattened()))
}

/// The hash of the addresses alone: what has no ports to see, and fragments.
#[must_use]
pub fn hash_addresses(key: &[u8; 40], tuple: &FiveTuple) -> u32 {
    hash_bytes(key, addresses(tuple))
}

fn addresses(tuple: &FiveTuple) -> impl Iterator<Item = &u8> {
    let len = match tuple.family {
        Family::V4 => 4,
        Family::V6 => 16,
    };
    tuple.source.iter().take(len).chain(tuple.destination.iter().take(len))
}

fn hash_bytes<'t>(key: &[u8; 40], input: impl Iterator<Item = &'t u8>) -> u32 {
    let (head, rest) = match key.split_first_chunk::<8>() {
        Some((head, rest)) => (*head, rest),
        None => ([0; 8], [].as_slice()),
    };
    // The 32 key bits under the current input bit are the upper half of the window.
    let mut window = u64::from_be_bytes(head);
    let mut key_bytes = rest.iter();
    let mut hash = 0;
    for byte in input {
        for bit in (0..8).rev() {
            if byte >> bit & 1 == 1 {
                hash ^= (window >> 32) as u32;
            }
            window <<= 1;
        }
        window |= u64::from(key_bytes.next().copied().unwrap_or(0));
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_KEY, hash};
    use crate::tuple::{FiveTuple, packed};

    fn of(source: &str, source_port: u16, destination: &str, destination_port: u16) -> u32 {
        let (source, family) = packed(source.parse().unwrap());
        let (destination, _) = packed(destination.parse().unwrap());
        hash(
            &DEFAULT_KEY,
            &FiveTuple { source, destination, source_port, destination_port, protocol: 6, family },
        )
    }

    #[test]
    fn the_published_vectors_without_ports() {
        let of = |source: &str, destination: &str| {
            let (source, family) = packed(source.parse().unwrap());
            let (destination, _) = packed(destination.parse().unwrap());
            super::hash_addresses(
                &DEFAULT_KEY,
                &FiveTuple { source, destination, family, ..FiveTuple::default() },
            )
        };
        assert_eq!(of("66.9.149.187", "161.142.100.80"), 0x323e_8fc2);
        assert_eq!(of("199.92.111.2", "65.69.140.83"), 0xd718_262a);
        assert_eq!(of("24.19.198.95", "12.22.207.184"), 0xd2d0_a5de);
        assert_eq!(of("38.27.205.30", "209.142.163.6"), 0x8298_9176);
        assert_eq!(of("153.39.163.191", "202.188.127.2"), 0x5d18_09c5);
        assert_eq!(of("3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1"), 0x2cc1_8cd5);
        assert_eq!(of("3ffe:501:8::260:97ff:fe40:efab", "ff02::1"), 0x0f0c_461c);
        assert_eq!(of("3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf"), 0x4b61_e985);
    }

    #[test]
    fn the_published_vectors_for_ipv4_with_ports() {
        assert_eq!(of("66.9.149.187", 2794, "161.142.100.80", 1766), 0x51cc_c178);
        assert_eq!(of("199.92.111.2", 14230, "65.69.140.83", 4739), 0xc626_b0ea);
        assert_eq!(of("24.19.198.95", 12898, "12.22.207.184", 38024), 0x5c2b_394a);
        assert_eq!(of("38.27.205.30", 48228, "209.142.163.6", 2217), 0xafc7_327f);
        assert_eq!(of("153.39.163.191", 44251, "202.188.127.2", 1303), 0x10e8_28a2);
    }

    #[test]
    fn the_published_vectors_for_ipv6_with_ports() {
        assert_eq!(of("3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766), 0x4020_7d3d);
        assert_eq!(of("3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739), 0xdde5_1bbf);
        assert_eq!(
            of("3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, "fe80::200:f8ff:fe21:67cf", 38024),
            0x02d1_feef
        );
    }
}
