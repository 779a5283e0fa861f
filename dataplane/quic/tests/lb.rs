//! QUIC-LB against the draft's own vectors, and against an encoder that is not the code under test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use proptest::prelude::{any, prop, prop_assert_eq, proptest};
use quic::lb::{Config, ConfigError, ServerId};

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn config(server_id: &str, nonce: &str, key: &str) -> Config {
    let key: Option<[u8; 16]> = bytes(key).try_into().ok();
    let len = |hex: &str| u8::try_from(hex.len() / 2).unwrap();
    Config::new(len(server_id), len(nonce), key.as_ref(), true).unwrap()
}

/// The key of Appendix B.2.
const B2: &str = "8f95f09245765f80256934e50c66207f";

/// draft-ietf-quic-load-balancers-21: Appendix B, and the example of §5.4.2.4. Two are misprinted there, and stand here
/// as an independent computation (Python, cryptography's AES) mends them: the second of B.1, whose nonce has nine
/// digits and whose id is shifted by four bits for it, and the last of B.2, whose first octet has configuration 0.
/// The last three are computed alike, for the shortest id and the longest, and for an odd length in three passes.
const VECTORS: [(&str, &str, &str, &str); 10] = [
    ("c4605e", "4504cc4f", "", "07c4605e4504cc4f"),
    ("350d28b420", "3487d9700b", "", "2a350d28b4203487d9700b"),
    ("ed793a", "ee080dbf", B2, "0720b1d07b359d3c"),
    ("ed793a51d49b8f5fab65", "ee080dbf48", B2, "2fcc381bc74cb4fbad2823a3d1f8fed2"),
    ("ed793a51d49b8f5f", "ee080dbf48c0d1e5", B2, "504dd2d05a7b0de9b2b9907afb5ecf8cc3"),
    ("ed793a51d49b8f5fab", "ee080dbf48c0d1e55d", B2, "725779c9cc86beb3a3a4a3ca96fce4bfe0cdbc"),
    ("31441a", "9c69c275", "fdf726a9893ec05c0632d3956680baf0", "0767947d29be054a"),
    ("01", "a0a1a2a3", B2, "8595ebb8878b"),
    ("0102030405060708090a0b0c0d0e0f", "a0a1a2a3", B2, "b39f78dbea37e5e0213a6782d77ff88df5ba6167"),
    ("0102030405060708", "a0a1a2a3a4a5a6a7a8a9aa", B2, "d3ba7fc019408a5f39d972a49d69c0bf21c4d1d0"),
];

#[test]
fn the_drafts_vectors_decode() {
    for (server_id, nonce, key, id) in VECTORS {
        let config = config(server_id, nonce, key);
        let id = bytes(id);
        assert_eq!(config.id_bytes(), id.len());
        assert_eq!(config.server_id(&id), ServerId::new(&bytes(server_id)), "{server_id}");
        // As in a short header, where more follows.
        let longer: Vec<u8> = id.iter().copied().chain([0xaa; 9]).collect();
        assert_eq!(config.server_id(&longer), ServerId::new(&bytes(server_id)), "{server_id}");
        assert_eq!(config.server_id(&id[..id.len() - 1]), None, "cut short: {server_id}");
    }
}

/// Behind a short header stands at least the rest of the packet's number and its seal: an id that tells more bytes than
/// there are is none of a server's making.
#[test]
fn an_id_does_not_tell_more_bytes_than_there_are() {
    let config = Config::new(1, 4, None, true).unwrap();
    let told = |len: u8, bytes: usize| config.server_id(&[&[len][..], &vec![9; bytes]].concat()).is_some();
    assert!(told(5, 5) && told(5, 31) && told(6, 6) && told(31, 31));
    assert!(!told(4, 31) && !told(6, 5) && !told(31, 30) && !told(0, 31));
}

#[test]
fn the_misprinted_vectors_give_what_their_bytes_say() {
    // Five bytes after a first octet that tells none at all.
    let clear = |tells| Config::new(5, 5, None, tells).unwrap();
    let printed = bytes("20a350d28b4203487d970b");
    assert_eq!(clear(false).server_id(&printed), ServerId::new(&bytes("a350d28b42")));
    assert_eq!(clear(true).server_id(&printed), None);
}

#[test]
fn lengths_that_the_draft_does_not_have_are_refused() {
    let new = |server_id, nonce| Config::new(server_id, nonce, None, false).map(|_| ());
    assert_eq!(new(0, 5), Err(ConfigError::ServerId));
    assert_eq!(new(16, 4), Err(ConfigError::ServerId));
    assert_eq!(new(3, 3), Err(ConfigError::Nonce));
    assert_eq!(new(15, 5), Err(ConfigError::Together));
    assert_eq!(new(1, 255), Err(ConfigError::Together));
    assert_eq!(new(1, 4), Ok(()));
    assert_eq!(new(15, 4), Ok(()));
}

#[test]
fn a_key_is_not_printed() {
    let told = format!("{:?}", config("ed793a", "ee080dbf", B2));
    assert!(told.contains("withheld") && !told.contains("8f"), "{told}");
}

/// §5.4, step by step as a server does it: whole integers, so that it shares nothing with the code under test.
fn encoded(server_id: &[u8], nonce: &[u8], key: [u8; 16]) -> Vec<u8> {
    let plain = [server_id, nonce].concat();
    let cipher = Aes128::new(&key.into());
    let encrypt = |block: u128| {
        let mut block = block.to_be_bytes().into();
        cipher.encrypt_block(&mut block);
        u128::from_be_bytes(block.into())
    };
    let number = plain.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let first = u8::try_from(plain.len()).unwrap();
    if plain.len() == 16 {
        return [vec![first], encrypt(number).to_be_bytes().to_vec()].concat();
    }
    // Halves as numbers of 4 × length bits: the middle byte parts by itself. Longer ones do not fit into 128 bits.
    let bits = 4 * plain.len();
    let digits: String = plain.iter().map(|byte| format!("{byte:02x}")).collect();
    let half = |text: &str| u128::from_str_radix(text, 16).unwrap();
    let (mut left, mut right) = (half(&digits[..plain.len()]), half(&digits[plain.len()..]));
    let half_bits = 8 * plain.len().div_ceil(2);
    let mask = (1_u128 << bits) - 1;
    let tail = |pass: u128| (plain.len() as u128) << 8 | pass;
    // A left half stands at the high end of its bytes, a right one at the low end.
    let of_left = |left: u128, pass| encrypt(left << (128 - bits) | tail(pass)) >> (128 - half_bits) & mask;
    let of_right =
        |right: u128, pass| encrypt(right << (128 - half_bits) | tail(pass)) >> (128 - bits) & mask;
    right ^= of_left(left, 1);
    left ^= of_right(right, 2);
    right ^= of_left(left, 3);
    left ^= of_right(right, 4);
    let width = plain.len();
    [vec![first], bytes(&format!("{left:0width$x}{right:0width$x}"))].concat()
}

#[test]
fn the_encoder_of_these_tests_holds_the_vectors_too() {
    for (server_id, nonce, key, id) in VECTORS.into_iter().filter(|(_, _, key, _)| !key.is_empty()) {
        let made = encoded(&bytes(server_id), &bytes(nonce), bytes(key).try_into().unwrap());
        assert_eq!(made[1..], bytes(id)[1..], "{server_id}");
    }
}

proptest! {
    #[test]
    fn what_a_server_encodes_is_decoded(
        server_id in prop::collection::vec(any::<u8>(), 1..=15),
        nonce in prop::collection::vec(any::<u8>(), 4..=18),
        key in any::<[u8; 16]>(),
    ) {
        let nonce = &nonce[..nonce.len().min(19 - server_id.len())];
        let len = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
        let config = Config::new(len(&server_id), len(nonce), Some(&key), true).unwrap();
        prop_assert_eq!(config.server_id(&encoded(&server_id, nonce, key)), ServerId::new(&server_id));
    }

    #[test]
    fn any_bytes_give_an_id_or_none(
        id in prop::collection::vec(any::<u8>(), 0..40),
        lens in (1_u8..=15, 4_u8..=18),
        key in any::<Option<[u8; 16]>>(),
        tells in any::<bool>(),
    ) {
        if let Ok(config) = Config::new(lens.0, lens.1, key.as_ref(), tells) {
            let found = config.server_id(&id);
            let fits = |told: usize| (config.id_bytes()..=id.len()).contains(&told);
            let wanted = id.len() >= config.id_bytes() && (!tells || fits(usize::from(id[0] & 31) + 1));
            prop_assert_eq!(found.is_some(), wanted);
        }
    }
}
