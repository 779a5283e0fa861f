//! MPLS label stacks (RFC 3032 §2.1, traffic class by RFC 5462).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |                 label                 |  TC |S|      TTL      |
//! ```
//!
//! The last entry has S set. Nothing in it tells what stands behind: of IP, the first four bits there do.

/// Bytes of an entry.
pub const ENTRY_LEN: usize = 4;
/// The most entries that are read.
pub const LABELS_MAX: usize = 4;
/// Labels below have a meaning of their own (RFC 3032 §2.1, RFC 7274).
pub const LABEL_MIN: u32 = 16;
/// The largest label.
pub const LABEL_MAX: u32 = 0xf_ffff;
/// The packet behind is IPv4: such a label says that, and is popped (RFC 3032 §2.1).
const IPV4_EXPLICIT_NULL: u32 = 0;
/// The same of IPv6.
const IPV6_EXPLICIT_NULL: u32 = 2;

/// One entry of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Twenty bits.
    pub label: u32,
    /// Traffic class, three bits.
    pub tc: u8,
    /// The last one.
    pub is_bottom: bool,
    /// Hops that are left.
    pub ttl: u8,
}

impl Entry {
    /// Reads one.
    #[must_use]
    pub const fn parse(bytes: [u8; ENTRY_LEN]) -> Self {
        let word = u32::from_be_bytes(bytes);
        let [_, _, third, ttl] = bytes;
        Self { label: word >> 12, tc: third >> 1 & 7, is_bottom: third & 1 == 1, ttl }
    }

    /// Writes it; bits of label and traffic class that there are not are left out.
    #[must_use]
    pub const fn emit(self) -> [u8; ENTRY_LEN] {
        let label = (self.label & LABEL_MAX) << 12;
        let class = (self.tc as u32 & 7) << 9;
        (label | class | (self.is_bottom as u32) << 8 | self.ttl as u32).to_be_bytes()
    }

    /// Whether it only names a way, or a family: what else there is asks for more than to be taken off.
    const fn is_common(self) -> bool {
        self.label >= LABEL_MIN || matches!(self.label, IPV4_EXPLICIT_NULL | IPV6_EXPLICIT_NULL)
    }
}

/// A whole stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The entry that the router before us made for us.
    pub top: Entry,
    /// Bytes of all.
    pub len: usize,
}

impl Stack {
    /// The stack that `bytes` begin with; `None` if it does not end there within [`LABELS_MAX`] entries, or has one of
    /// a meaning of its own, which is not for us to take off.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let entries = bytes.as_chunks::<ENTRY_LEN>().0;
        let top = Entry::parse(*entries.first()?);
        for (entry, count) in entries.iter().map(|entry| Entry::parse(*entry)).zip(1..=LABELS_MAX) {
            if !entry.is_common() {
                return None;
            }
            if entry.is_bottom {
                return Some(Self { top, len: count * ENTRY_LEN });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{ENTRY_LEN, Entry, LABEL_MAX, Stack};
    use proptest::prelude::{any, proptest};

    fn entry(label: u32, is_bottom: bool) -> Entry {
        Entry { label, tc: 5, is_bottom, ttl: 64 }
    }

    fn stack(labels: &[u32]) -> Vec<u8> {
        let last = labels.len() - 1;
        labels.iter().enumerate().flat_map(|(at, label)| entry(*label, at == last).emit()).collect()
    }

    #[test]
    fn an_entry_is_twenty_bits_three_bits_one_bit_and_eight() {
        let one = Entry { label: 0x12345, tc: 5, is_bottom: true, ttl: 0x40 };
        assert_eq!(one.emit(), [0x12, 0x34, 0x5b, 0x40]);
        assert_eq!(Entry { label: LABEL_MAX + 1, tc: 8, is_bottom: false, ttl: 1 }.emit(), [0, 0, 0, 1]);
    }

    #[test]
    fn a_stack_ends_at_its_bottom() {
        let found = Stack::parse(&stack(&[17, 18])).unwrap();
        assert_eq!((found.top, found.len), (entry(17, false), 8));
        assert_eq!(Stack::parse(&stack(&[0])).unwrap().len, 4);
        assert_eq!(Stack::parse(&stack(&[16, 17, 18, 2])).unwrap().len, 16);
    }

    #[test]
    fn what_is_too_long_cut_or_of_another_meaning_is_none() {
        assert_eq!(Stack::parse(&stack(&[16, 17, 18, 19, 20])), None);
        assert_eq!(Stack::parse(&stack(&[16, 17])[..7]), None);
        assert_eq!(Stack::parse(&[]), None);
        for meaning in [1, 3, 7, 13, 14, 15] {
            assert_eq!(Stack::parse(&stack(&[16, meaning])), None, "{meaning}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_again(bytes in any::<[u8; ENTRY_LEN]>()) {
            assert_eq!(Entry::parse(bytes).emit(), bytes);
        }

        #[test]
        fn any_bytes_give_a_stack_within_them_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(found) = Stack::parse(&bytes) {
                assert!(found.len <= bytes.len() && (ENTRY_LEN..=16).contains(&found.len));
                assert!(Entry::parse(*bytes[found.len - ENTRY_LEN..].first_chunk().unwrap()).is_bottom);
            }
        }
    }
}
