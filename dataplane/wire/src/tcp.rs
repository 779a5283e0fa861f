//! TCP, as far as a balancer reads it (RFC 9293 §3.1): ports, data offset, flags.

/// Bytes of a header without options.
pub const HEADER_LEN: usize = 20;

/// The flags that begin and end a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// The acknowledgment field counts.
    pub const ACK: u8 = 0x10;

    /// The first packet of a connection: SYN and neither ACK nor RST nor FIN.
    #[inline]
    #[must_use]
    pub const fn opens(self) -> bool {
        self.0 & (Self::SYN | Self::ACK | Self::RST | Self::FIN) == Self::SYN
    }

    /// A packet that ends the connection or begins its end.
    #[inline]
    #[must_use]
    pub const fn closes(self) -> bool {
        self.0 & (Self::FIN | Self::RST) != 0
    }
}

/// What is read of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Bytes of header, options included; fewer than 20 is malformed.
    pub header_len: usize,
    /// Flags.
    pub flags: Flags,
}

impl Tcp {
    /// Reads the fields of twenty bytes.
    #[inline]
    #[must_use]
    pub const fn parse(bytes: &[u8; HEADER_LEN]) -> Self {
        let &[s0, s1, d0, d1, _, _, _, _, _, _, _, _, offset, flags, ..] = bytes;
        Self {
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
            header_len: (offset >> 4) as usize * 4,
            flags: Flags(flags),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Flags;

    #[test]
    fn only_a_lone_syn_opens_and_fin_or_rst_close() {
        assert!(Flags(Flags::SYN).opens());
        assert!(Flags(Flags::SYN | 0xc0).opens(), "ECN set-up bits do not matter");
        for flags in
            [Flags::SYN | Flags::ACK, Flags::SYN | Flags::FIN, Flags::SYN | Flags::RST, Flags::ACK, 0]
        {
            assert!(!Flags(flags).opens(), "{flags:#x}");
        }
        assert!(Flags(Flags::RST).closes() && Flags(Flags::FIN | Flags::ACK).closes());
        assert!(!Flags(Flags::ACK).closes());
    }
}
