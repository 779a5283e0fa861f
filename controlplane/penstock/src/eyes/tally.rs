//! A pcapng stream counted as it passes: its packets, and what its last block says was lost.

/// Bytes of a block that are looked at: a statistics block has fewer.
const LOOKED_AT: usize = 64;

/// Counts blocks. It is for our own server's stream, and whatever comes it only counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// The front of the block that is passing.
    front: Vec<u8>,
    /// Bytes of it that are still to come.
    left: usize,
    packets: u64,
    lost: Option<u64>,
}

impl Tally {
    /// Packets so far.
    pub(crate) const fn packets(&self) -> u64 {
        self.packets
    }

    /// Packets that the box had no room for; nothing before the stream's last block.
    pub(crate) const fn lost(&self) -> Option<u64> {
        self.lost
    }

    /// Some bytes pass.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.front.len() < 8 {
                self.front.push(byte);
                bytes = rest;
                if self.front.len() == 8 {
                    // No block is shorter than twelve.
                    self.left = usize::try_from(self.word(4)).unwrap_or(usize::MAX).max(12) - 8;
                }
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(self.left));
            let looked_at = now.len().min(LOOKED_AT.saturating_sub(self.front.len()));
            self.front.extend_from_slice(now.get(..looked_at).unwrap_or_default());
            (self.left, bytes) = (self.left - now.len(), later);
            if self.left == 0 {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        match self.word(0) {
            6 => self.packets += 1,
            // Interface and time, then how many were wanted, then how many were lost: as we write it.
            5 => self.lost = Some(u64::from(self.word(36)) | u64::from(self.word(40)) << 32),
            _ => {}
        }
        self.front.clear();
    }

    fn word(&self, at: usize) -> u32 {
        self.front.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |word| u32::from_le_bytes(*word))
    }
}

#[cfg(test)]
mod tests {
    use ::capture::ng_encode::{NgPacket, interface, packet, section, statistics};

    use super::Tally;

    #[test]
    fn packets_and_losses_are_counted_however_the_stream_is_cut() {
        let mut bytes = Vec::new();
        section(&mut bytes, "penstock");
        interface(&mut bytes, "lan0", 2048);
        for len in 0..20 {
            let data = &[7; 20][..len];
            let comment = "tx service=web real=web-1";
            packet(&mut bytes, &NgPacket { interface: 0, time_nanos: 1, original_len: 60, data, comment });
        }
        let before = bytes.len();
        statistics(&mut bytes, 0, 9, 1 << 40, (1 << 33) + 5);
        for piece in [1, 3, 7, 100, bytes.len()] {
            let mut tally = Tally::default();
            bytes[..before].chunks(piece).for_each(|bytes| tally.take(bytes));
            assert_eq!((tally.packets(), tally.lost()), (20, None));
            bytes[before..].chunks(piece).for_each(|bytes| tally.take(bytes));
            assert_eq!((tally.packets(), tally.lost()), (20, Some((1 << 33) + 5)));
        }
    }

    #[test]
    fn any_bytes_are_only_counted() {
        let mut tally = Tally::default();
        for byte in 0..=255 {
            tally.take(&[byte; 1000]);
        }
        tally.take(&[0; 100]);
    }
}
