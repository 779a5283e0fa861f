//! The pinned keyed hash of a five-tuple: what chooses slots and places flows.
//!
//! The function is AES-128 based ([`mem::Prf`]), so that a client who does not know the key cannot aim at
//! one slot. This file fixes how a tuple becomes blocks; ports are big-endian.
//!
//! * IPv4: one block, `source(4) destination(4) source_port(2) destination_port(2) protocol(1) 4 0 0`.
//! * IPv6: source, destination, and the block
//!   `0(8) source_port(2) destination_port(2) protocol(1) 6 0 0`.

use mem::Prf;
use wire::{Family, FiveTuple};

use crate::door::Door;
use crate::tail::Form;

/// The hash of a tuple: two independent words.
#[inline]
#[must_use]
pub fn tuple_hash(prf: &Prf, tuple: &FiveTuple) -> (u64, u64) {
    tuple_hash_with(prf, tuple, tuple.tail())
}

/// The same for whoever has the tuple's [`tail`](FiveTuple::tail) already.
#[inline]
#[must_use]
pub fn tuple_hash_with(prf: &Prf, tuple: &FiveTuple, tail: u64) -> (u64, u64) {
    match tuple.family {
        Family::V4 => {
            let [a, b, c, d, ..] = tuple.source;
            let [e, f, g, h, ..] = tuple.destination;
            // The addresses are put together in a register: they were just written as two pieces.
            let head = u64::from(u32::from_le_bytes([a, b, c, d]))
                | u64::from(u32::from_le_bytes([e, f, g, h])) << 32;
            prf.short((u128::from(tail) << 64 | u128::from(head)).to_le_bytes())
        }
        Family::V6 => prf.long(tuple.source, tuple.destination, (u128::from(tail) << 64).to_le_bytes()),
    }
}

/// The hash of a real: of the tuple that has its address as source and is zero elsewhere. Where its door has a form, the
/// tuple is one of IPv6, the sixteen bytes of the door are the destination (`key(4) port(2) inner_mac(6) form(1) 0(3)`)
/// and the address's own family, 4 or 6, is the protocol.
#[must_use]
pub fn real_hash(prf: &Prf, address: [u8; 16], family: Family, door: &Door) -> (u64, u64) {
    let tuple = FiveTuple { source: address, family, ..FiveTuple::default() };
    if door.form == Form::Bare {
        return tuple_hash(prf, &tuple);
    }
    let protocol = family as u8;
    tuple_hash(prf, &FiveTuple { destination: door.block(), family: Family::V6, protocol, ..tuple })
}
