//! The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit words.
//!
//! The sum is the same in either byte order (RFC 1071 §2 (B)), so words are loaded as they lie in
//! memory and only the result is turned around, and it is the same when 32 bits are added at a time.

/// A sum that has not been folded yet, in memory order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(u64);

impl Sum {
    /// Adds bytes; an odd last one is followed by a zero. Only the last piece of a message may be odd.
    #[inline]
    #[must_use]
    pub fn add_bytes(self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<4>();
        let mut sum = self.0;
        for word in words {
            sum += u64::from(u32::from_ne_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 4];
            for (into, from) in last.iter_mut().zip(rest) {
                *into = *from;
            }
            sum += u64::from(u32::from_ne_bytes(last));
        }
        Self(sum)
    }

    /// Adds one 16-bit value, given in host order.
    #[inline]
    #[must_use]
    pub fn add_u16(self, value: u16) -> Self {
        Self(self.0 + u64::from(value.to_be()))
    }

    /// Adds one 32-bit value, given in host order.
    #[inline]
    #[must_use]
    pub fn add_u32(self, value: u32) -> Self {
        Self(self.0 + u64::from(value.to_be()))
    }

    /// The checksum, as the two bytes that go into the header.
    #[inline]
    #[must_use]
    pub fn finish(self) -> [u8; 2] {
        (!self.fold()).to_ne_bytes()
    }

    /// Whether the message, its checksum included, is intact.
    #[inline]
    #[must_use]
    pub fn is_intact(self) -> bool {
        // The folded sum is 0xffff exactly when the sum is a multiple of 0xffff other than zero; the
        // compiler turns the remainder into one multiplication, where folding takes a dozen steps.
        self.0.is_multiple_of(0xffff) && self.0 != 0
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "four folds leave sixteen bits")]
    fn fold(self) -> u16 {
        let mut sum = (self.0 >> 32) + (self.0 & 0xffff_ffff);
        sum = (sum >> 32) + (sum & 0xffff_ffff);
        sum = (sum >> 16) + (sum & 0xffff);
        sum = (sum >> 16) + (sum & 0xffff);
        sum as u16
    }
}

/// A sum of 16-bit words in 32 bits, folded to one: both halves are added, and in the upper half of this sum the
/// carry of the lower one has come around.
#[inline]
#[must_use]
#[allow(clippy::cast_possible_truncation, reason = "sixteen bits are left")]
pub const fn folded(sum: u32) -> u16 {
    (sum.wrapping_add(sum.rotate_left(16)) >> 16) as u16
}

/// Whether twenty bytes, an IPv4 header without options, have the right checksum, given as they lie in memory:
/// what [`Sum::is_intact`] says, by additions whose carries come around.
#[inline]
#[must_use]
#[allow(clippy::cast_possible_truncation, reason = "both halves are added")]
pub const fn is_intact_header([first, second]: [u64; 2], last: u32) -> bool {
    let (sum, carry) = first.overflowing_add(second);
    let (sum, again) = sum.overflowing_add(last as u64 + carry as u64);
    let (low, carry) = (sum as u32).overflowing_add((sum >> 32) as u32);
    let (low, once_more) = low.overflowing_add(carry as u32 + again as u32);
    folded(low.wrapping_add(once_more as u32)) == 0xffff
}

/// The checksum of a message one of whose words changes, by RFC 1624 §3 (equation 3), which is right where the
/// others give the second zero of one's complement.
#[inline]
#[must_use]
pub const fn changed(checksum: [u8; 2], from: [u8; 2], to: [u8; 2]) -> [u8; 2] {
    let [sum, from, to] = [u16::from_be_bytes(checksum), u16::from_be_bytes(from), u16::from_be_bytes(to)];
    (!folded(!sum as u32 + !from as u32 + to as u32)).to_be_bytes()
}

/// The checksum of one piece of bytes, as the two bytes that go into the header.
#[must_use]
pub fn of(bytes: &[u8]) -> [u8; 2] {
    Sum::default().add_bytes(bytes).finish()
}

#[cfg(test)]
mod tests {
    use super::{Sum, changed, folded, is_intact_header, of};
    use proptest::prelude::{any, proptest};

    /// The words and the sum of RFC 1071 §3: 0001 f203 f4f5 f6f7 give ddf2.
    #[test]
    fn the_example_of_rfc_1071() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(u16::from_be_bytes(of(&bytes)), !0xddf2);
    }

    /// RFC 1624 §4: a word 5555 becomes 3285 under the checksum dd2f. Equation 2 of RFC 1141 gives ffff.
    #[test]
    fn the_example_of_rfc_1624() {
        assert_eq!(changed([0xdd, 0x2f], [0x55, 0x55], [0x32, 0x85]), [0, 0]);
    }

    fn slow(bytes: &[u8]) -> u16 {
        let mut sum = 0u32;
        for pair in bytes.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::try_from(sum).unwrap()
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            assert_eq!(u16::from_be_bytes(of(&bytes)), slow(&bytes));
        }

        #[test]
        fn a_changed_word_changes_the_checksum_as_a_new_sum_does(mut bytes in any::<[u8; 20]>(), at in 0usize..9, to in any::<[u8; 2]>()) {
            bytes[0] |= 0x40;
            bytes[18..].fill(0);
            let sum = of(&bytes);
            let from = [bytes[at * 2], bytes[at * 2 + 1]];
            bytes[at * 2..at * 2 + 2].copy_from_slice(&to);
            let expected = of(&bytes);
            // All zero is no header.
            if bytes != [0; 20] {
                assert_eq!(changed(sum, from, to), expected);
            }
        }

        #[test]
        fn a_sum_is_folded_as_the_definition_says(sum in any::<u32>()) {
            let mut slow = sum;
            while slow > 0xffff {
                slow = (slow >> 16) + (slow & 0xffff);
            }
            assert_eq!(u32::from(folded(sum)), slow);
        }

        #[test]
        fn a_header_is_intact_in_either_way(header in any::<[u8; 20]>(), ones in 0usize..20, is_set in any::<bool>()) {
            let mut header = header;
            header[..ones].fill(if is_set { 0xff } else { 0 });
            let agrees = |header: &[u8; 20]| {
                let word = |at: usize| u64::from_ne_bytes(*header[at..].first_chunk().unwrap());
                let last = u32::from_ne_bytes(*header.last_chunk().unwrap());
                assert_eq!(is_intact_header([word(0), word(8)], last), Sum::default().add_bytes(header).is_intact());
            };
            agrees(&header);
            header[10..12].fill(0);
            let sum = of(&header);
            header[10..12].copy_from_slice(&sum);
            agrees(&header);
        }

        #[test]
        fn intact_is_what_folds_to_all_ones(sum in any::<u64>(), small in 0u64..0x4_0000) {
            for sum in [sum >> 8, small, small * 0xffff] {
                assert_eq!(Sum(sum).is_intact(), Sum(sum).fold() == 0xffff, "{sum:#x}");
            }
        }

        #[test]
        fn values_add_like_their_bytes(half in any::<u16>(), word in any::<u32>()) {
            let bytes: Vec<u8> = half.to_be_bytes().into_iter().chain(word.to_be_bytes()).collect();
            assert_eq!(Sum::default().add_u16(half).add_u32(word).finish(), of(&bytes));
        }
    }
}
