//! Capture files out of literal words, in either byte order.
#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test's own lengths fit; the lint exempts only test functions")]

/// Little- or big-endian.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    Little,
    Big,
}

pub(crate) const ORDERS: [Order; 2] = [Order::Little, Order::Big];

impl Order {
    pub(crate) fn half(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    pub(crate) fn word(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    pub(crate) fn words(self, values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|&value| self.word(value)).collect()
    }

    /// The header of a classic pcap.
    pub(crate) fn pcap(self, magic: u32, link_type: u32) -> Vec<u8> {
        let mut bytes = self.words(&[magic]);
        bytes.extend(self.half(2));
        bytes.extend(self.half(4));
        bytes.extend(self.words(&[0, 0, 65_535, link_type]));
        bytes
    }

    /// A record of a classic pcap whose lengths agree.
    pub(crate) fn record(self, seconds: u32, fraction: u32, data: &[u8]) -> Vec<u8> {
        let len = u32::try_from(data.len()).unwrap();
        let mut bytes = self.words(&[seconds, fraction, len, len]);
        bytes.extend(data);
        bytes
    }

    /// A pcapng block: the body is padded.
    pub(crate) fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let len = u32::try_from(body.len() + 12).unwrap();
        let mut bytes = self.words(&[kind, len]);
        bytes.extend(body);
        bytes.extend(self.word(len));
        bytes
    }

    /// A section header of unknown length.
    pub(crate) fn section(self) -> Vec<u8> {
        let mut body = self.word(0x1a2b_3c4d).to_vec();
        body.extend(self.half(1));
        body.extend(self.half(0));
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body)
    }

    /// An interface description with these options.
    pub(crate) fn interface(self, link_type: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = self.half(link_type).to_vec();
        body.extend([0, 0]);
        body.extend(self.word(snaplen));
        for (code, value) in options {
            body.extend(self.half(*code));
            body.extend(self.half(u16::try_from(value.len()).unwrap()));
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        if !options.is_empty() {
            body.extend([0; 4]);
        }
        self.block(1, &body)
    }

    /// An enhanced packet block, with a comment behind the packet.
    pub(crate) fn enhanced(self, interface: u32, units: u64, original: u32, data: &[u8]) -> Vec<u8> {
        let (high, low) = (u32::try_from(units >> 32).unwrap(), u32::try_from(units & 0xffff_ffff).unwrap());
        let mut body = self.words(&[interface, high, low, u32::try_from(data.len()).unwrap(), original]);
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(self.half(1));
        body.extend(self.half(5));
        body.extend(b"hello\0\0\0");
        body.extend([0; 4]);
        self.block(6, &body)
    }

    /// An obsolete packet block.
    pub(crate) fn obsolete(self, interface: u16, units: u32, data: &[u8]) -> Vec<u8> {
        let len = u32::try_from(data.len()).unwrap();
        let mut body = self.half(interface).to_vec();
        body.extend(self.half(7));
        body.extend(self.words(&[0, units, len, len]));
        body.extend(data);
        self.block(2, &body)
    }

    /// A simple packet block.
    pub(crate) fn simple(self, original: u32, data: &[u8]) -> Vec<u8> {
        let mut body = self.word(original).to_vec();
        body.extend(data);
        self.block(3, &body)
    }
}
