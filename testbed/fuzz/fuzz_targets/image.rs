//! A table image that an enemy made: refused, or harmless to a worker. The input is a list of changes to a
//! good image; digests are put right afterwards, as an enemy would.
#![no_main]

use std::sync::LazyLock;

use counters::Layout;
use engine::{Engine, NoObserver};
use flow::FlowTable;
use fuzz::sample_built;
use libfuzzer_sys::fuzz_target;
use port::{Burst, MemPacket, Tick};
use service::{Built, Table};
use sha2::{Digest, Sha256};

/// A good image and where in its root the digests of its pools and of its rules stand.
static GOOD: LazyLock<(Built, Vec<usize>, usize)> = LazyLock::new(|| {
    let built = sample_built();
    let place = |image: &Vec<u8>| {
        let digest = Sha256::digest(image);
        built
            .root
            .windows(32)
            .position(|window| window == digest.as_slice())
            .expect("the root names its images")
    };
    let mut places: Vec<usize> = built.pools.iter().map(place).collect();
    places.sort_unstable();
    let of_rules = place(built.rules.as_ref().expect("the sample has rules"));
    (built, places, of_rules)
});

/// One change: which image, what, where and by what, in seven bytes.
fn harm(image: &mut Vec<u8>, what: u8, at: u16, value: [u8; 3]) {
    let at = usize::from(at);
    let [low, high, third] = value;
    match what % 8 {
        0..=2 => image.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= low),
        3 | 4 => image.iter_mut().skip(at).take(3).zip(value).for_each(|(byte, value)| *byte = value),
        5 => image
            .iter_mut()
            .skip(at & !3)
            .take(4)
            .zip([low, high, third, 0])
            .for_each(|(byte, value)| *byte = value),
        6 => image.truncate(image.len().saturating_sub(at)),
        _ => image.resize(image.len() + usize::from(low), high),
    }
}

fn name_images(built: &mut Built, places: &[usize], of_rules: usize) {
    let digest = built.rules.as_ref().map(Sha256::digest);
    if let (Some(name), Some(digest)) = (built.root.get_mut(of_rules..of_rules + 32), digest) {
        name.copy_from_slice(&digest);
    }
    built.pools.sort_by_key(|pool| <[u8; 32]>::from(Sha256::digest(pool)));
    for (pool, place) in built.pools.iter().zip(places) {
        if let Some(digest) = built.root.get_mut(*place..place + 32) {
            digest.copy_from_slice(&Sha256::digest(pool));
        }
    }
}

fn frame(protocol: u8, vip: [u8; 4], port: u16) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, protocol, 0, 0, 203, 0, 113, 7]);
    frame.extend(vip);
    let sum: u32 = frame[14..].chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = !(((sum & 0xffff) + (sum >> 16)) as u16);
    frame[24..26].copy_from_slice(&folded.to_be_bytes());
    frame.extend(1234_u16.to_be_bytes());
    frame.extend(port.to_be_bytes());
    // As UDP: twenty bytes; as TCP: five words.
    frame.extend([0, 20, 0, 0, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0]);
    frame
}

fn frame6() -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, 6, 64];
    frame.extend([0x20, 1, 0xd, 0xb8, 0, 0xc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    frame.extend([0x20, 1, 0xd, 0xb8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10]);
    frame.extend([4, 0xd2, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0]);
    frame
}

fn forward<B: AsRef<[u8]>>(table: &Table<B>) {
    let mut engine =
        Engine::new(0, 1, FlowTable::new(64, [9; 16]).expect("64 entries fit"), Layout::default());
    let (mut burst, mut gone) = (Burst::new(), Burst::new());
    engine.adopt(&table.view());
    for frame in [
        frame(6, [198, 51, 100, 10], 80),
        frame(17, [198, 51, 100, 10], 53),
        frame(6, [198, 51, 100, 77], 443),
        frame(6, [198, 51, 100, 10], 80),
        frame6(),
    ] {
        let mut packet = MemPacket::with_room(256);
        packet.load(&frame, 0);
        burst.push(packet).expect("five fit");
    }
    engine.process(&table.view(), &mut burst, Tick(9), &mut gone, &mut NoObserver);
    assert_eq!(burst.len() + gone.len(), 5);
}

fuzz_target!(|bytes: &[u8]| {
    let (good, places, of_rules) = &*GOOD;
    let mut built = good.clone();
    for change in bytes.chunks_exact(7).take(16) {
        let &[which, what, low, high, a, b, c] = change else { continue };
        let pools = built.pools.len();
        let image = match usize::from(which) % (pools + 3) {
            place if place < pools => built.pools.get_mut(place),
            place if place == pools => built.rules.as_mut(),
            _ => Some(&mut built.root),
        };
        if let Some(image) = image {
            harm(image, what, u16::from_le_bytes([low, high]), [a, b, c]);
        }
    }
    name_images(&mut built, places, *of_rules);
    match built.table() {
        Ok(table) => forward(&table),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
