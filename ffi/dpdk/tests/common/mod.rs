//! What the cases share: an EAL on ordinary pages, and captures written and read by hand.
#![allow(dead_code, reason = "each case is a program of its own and uses a part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

use std::collections::BTreeSet;

use dpdk::{Eal, EalConfig, Mbuf, MemoryMode, Mempool, PoolConfig};
use port::Packet;

/// Starts the EAL on ordinary pages, as on any machine.
pub(crate) fn start(vdevs: &[&str]) -> Eal {
    let vdevs = vdevs.iter().map(|&device| device.to_owned()).collect();
    let config = EalConfig { memory: MemoryMode::Off, memory_mb: 64, vdevs, ..EalConfig::default() };
    Eal::start(&config).unwrap()
}

/// A pool of 2048-byte mbufs with a small cache.
pub(crate) fn pool(eal: &Eal, mbufs: u32) -> Mempool {
    Mempool::new(eal, &PoolConfig { cache: 32, ..PoolConfig::new("test", mbufs) }).unwrap()
}

/// Whether the pool holds each of its mbufs once: what was freed twice would be given out twice, what
/// was lost would be missed.
pub(crate) fn assert_whole(pool: &Mempool, mbufs: u32) {
    assert_eq!(pool.in_use(), 0);
    let all: Vec<Mbuf> = std::iter::from_fn(|| pool.alloc()).take(mbufs as usize + 1).collect();
    let places: BTreeSet<*const u8> = all.iter().map(|packet| packet.data().as_ptr()).collect();
    assert_eq!((all.len(), places.len()), (mbufs as usize, mbufs as usize));
}

/// Bytes that differ from frame to frame and from place to place.
pub(crate) fn frame(number: usize, length: usize) -> Vec<u8> {
    (0..length).map(|place| (number * 31 + place * 7 + place / 256).to_le_bytes()[0]).collect()
}

/// A microsecond pcap file of Ethernet frames, version 2.4, in our byte order.
pub(crate) fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    for (number, bytes) in frames.iter().enumerate() {
        let length = u32::try_from(bytes.len()).unwrap();
        for word in [u32::try_from(number).unwrap(), 0, length, length] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(bytes);
    }
    out
}

/// The frames of such a file.
pub(crate) fn frames(file: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &file[24..];
    let mut out = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        out.push(rest[16..16 + length].to_vec());
        rest = &rest[16 + length..];
    }
    out
}
