//! The hash by the `aes` crate: where the build does not name AES instructions, and in tests, as the second
//! opinion on the code that does.

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Block, hazmat::cipher_round};

use super::{key_blocks, words};

#[derive(Clone)]
pub(super) struct Schedule {
    cipher: Aes128,
    first: [Block; 5],
    second: [Block; 5],
}

impl Schedule {
    pub(super) fn new(key: [u8; 16]) -> Self {
        let cipher = Aes128::new(&Array(key));
        let hash_keys = |first| key_blocks(first).map(|block| encrypt(&cipher, Array(block)));
        Self { first: hash_keys(1), second: hash_keys(6), cipher }
    }

    #[inline]
    pub(super) fn short(&self, block: [u8; 16]) -> (u64, u64) {
        words(encrypt(&self.cipher, Array(block)).0)
    }

    #[inline]
    pub(super) fn long(&self, first: [u8; 16], second: [u8; 16], last: [u8; 16]) -> (u64, u64) {
        let first = four_rounds(&self.first, Array(first));
        let second = four_rounds(&self.second, Array(second));
        words(encrypt(&self.cipher, xor(xor(first, second), Array(last))).0)
    }
}

fn encrypt(cipher: &Aes128, mut block: Block) -> Block {
    cipher.encrypt_block(&mut block);
    block
}

fn four_rounds(keys: &[Block; 5], block: Block) -> Block {
    let [whitening, rounds @ ..] = keys;
    let mut state = xor(block, *whitening);
    for key in rounds {
        cipher_round(&mut state, key);
    }
    state
}

fn xor(a: Block, b: Block) -> Block {
    Array((u128::from_ne_bytes(a.0) ^ u128::from_ne_bytes(b.0)).to_ne_bytes())
}
