//! Any bytes give events or nothing.

use kernel::read;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

/// A message of a kind that is looked into, its length mostly true, with attributes of any kind.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let kinds =
        prop_oneof![2..4_u16, 16..18_u16, 20..22_u16, 24..26_u16, 28..30_u16, 32..34_u16, 104..106_u16];
    let attribute = (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(kind, value)| {
        let length = u16::try_from(value.len() + 4).unwrap_or(4);
        let mut bytes = [length.to_ne_bytes(), u16::from(kind % 64).to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    });
    let family = prop_oneof![Just(2_u8), Just(10), any::<u8>()];
    let body = (family, proptest::collection::vec(any::<u8>(), 0..20))
        .prop_map(|(family, rest)| [vec![family], rest].concat());
    let attributes = proptest::collection::vec(attribute, 0..6).prop_map(|list| list.concat());
    (kinds, body, attributes, -4..5_i32).prop_map(|(kind, mut body, attributes, off)| {
        // The fixed parts are 8, 12 and 16 bytes long.
        body.resize(8 + 4 * (body.len() % 3), 0);
        let length = u32::try_from(16 + body.len() + attributes.len()).unwrap_or(16);
        let mut bytes = length.saturating_add_signed(off / 4).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend(body);
        bytes.extend(attributes);
        bytes
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes, drop);
    }

    #[test]
    fn messages_that_are_nearly_right_are_read(list in proptest::collection::vec(message(), 0..4)) {
        read(&list.concat(), drop);
    }
}
