//! TCP, as far as a balancer reads it (RFC 9293 §3.1): ports, data offset, flags.

use crate::checksum::Sum;

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

    /// Either end's first packet: its options count.
    #[inline]
    #[must_use]
    pub const fn synchronises(self) -> bool {
        self.0 & Self::SYN != 0
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

/// Lowers the largest segment size that a segment with SYN offers (RFC 9293 §3.2, option 2) to `most`, and corrects the
/// checksum by the change (RFC 1624 §3, equation 3). Gives whether there was anything to lower: an option that is not there
/// is not added, and behind one whose length is none nothing is read. All that offer one are lowered, for receivers differ
/// in which of several they take.
pub fn clamp_mss(segment: &mut [u8], most: u16) -> bool {
    let mut from = HEADER_LEN;
    let mut is_lowered = false;
    while let Some(at) = mss_at(segment, from) {
        is_lowered |= lower(segment, at, most);
        from = at + 2;
    }
    is_lowered
}

fn lower(segment: &mut [u8], at: usize, most: u16) -> bool {
    let Some(&mut [ref mut m0, ref mut m1]) = segment.get_mut(at..).and_then(|rest| rest.first_chunk_mut())
    else {
        return false;
    };
    let was = [*m0, *m1];
    if u16::from_be_bytes(was) <= most {
        return false;
    }
    let is = most.to_be_bytes();
    [*m0, *m1] = is;
    // At an odd place a byte counts in the other half of a word.
    let word = |[a, b]: [u8; 2]| u16::from_be_bytes(if at.is_multiple_of(2) { [a, b] } else { [b, a] });
    if let Some([c0, c1]) = segment.get_mut(16..).and_then(|rest| rest.first_chunk_mut()) {
        let sum = Sum::default().add_u16(!u16::from_be_bytes([*c0, *c1]));
        [*c0, *c1] = sum.add_u16(!word(was)).add_u16(word(is)).finish();
    }
    true
}

/// Where the value of the next such option stands that begins at `at` or behind it; of another length it is none.
fn mss_at(segment: &[u8], mut at: usize) -> Option<usize> {
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    const MSS: u8 = 2;
    let header_len = usize::from(segment.get(12)? >> 4) * 4;
    let options = segment.get(..header_len)?;
    loop {
        match *options.get(at)? {
            END => return None,
            NOTHING => at += 1,
            kind => {
                let len = usize::from(*options.get(at + 1)?);
                if len < 2 || at + len > header_len {
                    return None;
                }
                if (kind, len) == (MSS, 4) {
                    return Some(at + 2);
                }
                at += len;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Flags;
    use crate::checksum::Sum;
    use proptest::prelude::{any, proptest};

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

    proptest! {
        /// The checksum stays what a whole one would be, wherever the option stands; and nothing is read behind the header.
        #[test]
        fn a_lowered_mss_leaves_a_right_checksum(options in proptest::collection::vec(any::<u8>(), 0..40), pad in 0usize..8, most in any::<u16>(), has_mss in any::<bool>()) {
            let mut segment = vec![0x1f, 0x90, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0];
            if has_mss {
                segment.extend(std::iter::repeat_n(1, pad));
                segment.extend([2, 4, 0x05, 0xb4]);
            }
            segment.extend(&options);
            segment.resize(segment.len().min(60).next_multiple_of(4), 0);
            segment[12] = u8::try_from(segment.len() / 4).unwrap() << 4;
            segment.extend(b"data");
            let sum = Sum::default().add_bytes(&segment).finish();
            segment[16..18].copy_from_slice(&sum);
            let before = segment.clone();
            let is_lowered = super::clamp_mss(&mut segment, most);
            assert!(Sum::default().add_bytes(&segment).is_intact());
            assert_eq!(is_lowered, segment != before);
            assert_eq!(is_lowered && has_mss, has_mss && most < 0x05b4);
            assert_eq!(segment[segment.len() - 4..], *b"data");
        }
    }
}
