//! The published AES vector, our own pinned ones, and the two ways of computing the hash side by side.

use proptest::prelude::{any, proptest};

use super::{Prf, key_blocks, portable, words};

/// FIPS 197, appendix B and C.1.
const FIPS_197: [([u8; 16], [u8; 16], [u8; 16]); 2] = [
    (
        0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes(),
        0x3243_f6a8_885a_308d_3131_98a2_e037_0734_u128.to_be_bytes(),
        0x3925_841d_02dc_09fb_dc11_8597_196a_0b32_u128.to_be_bytes(),
    ),
    (
        0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128.to_be_bytes(),
        0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes(),
        0x69c4_e0d8_6a7b_0430_d8cd_b780_70b4_c55a_u128.to_be_bytes(),
    ),
];

#[test]
fn short_is_the_block_cipher_of_fips_197() {
    for (key, plain, cipher) in FIPS_197 {
        assert_eq!(Prf::new(key).short(plain), words(cipher));
        assert_eq!(portable::Schedule::new(key).short(plain), words(cipher));
    }
}

/// 192.0.2.1:1024 to 198.51.100.7:443 by TCP, as the flow table hashes it.
const V4: [u8; 16] = 0xc000_0201_c633_6407_0400_01bb_0604_0000_u128.to_be_bytes();
/// 2001:db8::1 port 1024 to 2001:db8:1::443 port 443 by TCP, likewise.
const V6: [[u8; 16]; 3] = [
    0x2001_0db8_0000_0000_0000_0000_0000_0001_u128.to_be_bytes(),
    0x2001_0db8_0001_0000_0000_0000_0000_0443_u128.to_be_bytes(),
    0x0000_0000_0000_0000_0400_01bb_0606_0000_u128.to_be_bytes(),
];

/// The hash's outputs for ever: a change here changes the real of every flow. Computed apart from this code,
/// by a third implementation that derives the S-box from its definition.
#[test]
fn outputs_are_pinned() {
    let zero = Prf::new([0; 16]);
    assert_eq!(zero.short(V4), (0x579f_b8ed_f8cc_7e84, 0x60d1_5072_5164_a788));
    assert_eq!(long(&zero, V6), (0x4996_a4d0_af4c_8b63, 0xb787_8ea8_d906_8043));
    assert_eq!(long(&zero, [[0; 16]; 3]), (0x2065_5233_3e9e_c453, 0x15b2_b8c7_5dad_220e));
    let counting = Prf::new(0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128.to_be_bytes());
    assert_eq!(counting.short(V4), (0x893b_31e5_7735_4c58, 0xd572_63a5_e04a_0a41));
    assert_eq!(long(&counting, V6), (0x0024_74b6_2094_4405, 0x1f55_ad8f_fda0_0ee7));
    assert_eq!(long(&counting, [[0; 16]; 3]), (0x801e_94a5_bfec_c4dd, 0x3cdd_c9b6_0078_4a1e));
}

#[test]
fn the_numbers_that_derive_round_keys_are_big_endian_and_in_order() {
    let blocks = [key_blocks(1), key_blocks(6)].concat();
    let numbers: Vec<u128> = blocks.into_iter().map(u128::from_be_bytes).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

proptest! {
    #[test]
    fn both_ways_agree(key: [u8; 16], first: [u8; 16], second: [u8; 16], last: [u8; 16]) {
        let (prf, opinion) = (Prf::new(key), portable::Schedule::new(key));
        assert_eq!(prf.short(last), opinion.short(last));
        assert_eq!(prf.long(first, second, last), opinion.long(first, second, last));
    }

    #[test]
    fn every_input_bit_changes_the_output(key: [u8; 16], blocks in any::<[[u8; 16]; 3]>(), bit in 0_usize..384) {
        let prf = Prf::new(key);
        let mut other = blocks;
        other[bit / 128][bit % 128 / 8] ^= 1 << (bit % 8);
        assert_ne!(long(&prf, blocks), long(&prf, other));
        assert_ne!(prf.short(blocks[0]), prf.short(blocks[0].map(|byte| !byte)));
    }
}

fn long(prf: &Prf, [first, second, last]: [[u8; 16]; 3]) -> (u64, u64) {
    prf.long(first, second, last)
}

#[test]
fn the_two_addresses_are_hashed_under_different_keys() {
    // Were they not, the tuples of two hosts talking to each other and equal addresses would all meet.
    let prf = Prf::new([7; 16]);
    let (a, b, rest) = ([1; 16], [2; 16], [0; 16]);
    assert_ne!(prf.long(a, b, rest), prf.long(b, a, rest));
    assert_ne!(prf.long(a, a, rest), prf.long(b, b, rest));
}

#[test]
fn the_key_is_not_printed() {
    let printed = format!("{:?}", Prf::new([0xa5; 16]));
    assert_eq!(printed, "Prf(key withheld)");
}
