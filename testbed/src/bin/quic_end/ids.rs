//! Connection ids that name their server, made as draft-ietf-quic-load-balancers-21 says.
//!
//! The router's side reads them (`dataplane/quic`); this is the servers', written from the draft's text alone. It
//! counts halves in digits of four bits: of n bytes each half has n of them, whether n is odd or even.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use quinn::{ConnectionId, ConnectionIdGenerator};
use ring::rand::{SystemRandom, generate};
use serde::Deserialize;

/// Bytes of every id. What a configuration leaves of them is filled up (§5.3): how long an id is in a short header a
/// server knows by its listening socket, and not by its configuration.
const ID_BYTES: usize = 20;
/// Rotation bits of a server that has no configuration (§3.2).
const ROTATION_NONE: u8 = 7;
/// An AES block: so many bytes of server id and nonce are encrypted at once (§5.4.1).
const BLOCK_BYTES: usize = 16;

/// Of a file what says how ids are made.
#[derive(Deserialize)]
struct Tables {
    #[serde(default)]
    quic: Vec<Table>,
}

/// `[[quic]]`, as the box has it.
#[derive(Deserialize)]
struct Table {
    config: u8,
    server_id_bytes: usize,
    nonce_bytes: usize,
    key: Option<String>,
    #[serde(default)]
    lengths: bool,
    servers: Vec<Server>,
}

#[derive(Deserialize)]
struct Server {
    real: String,
    id: String,
}

/// How one server makes ids.
struct Way {
    rotation: u8,
    server: Vec<u8>,
    nonce_bytes: usize,
    cipher: Option<Aes128>,
    tells_length: bool,
}

impl Way {
    fn of(table: &Table, server: &Server) -> Result<Self, String> {
        let id = hex(&server.id)?;
        let cipher = table.key.as_deref().map(|key| {
            let key: [u8; BLOCK_BYTES] = hex(key)?.try_into().map_err(|_| "a key has 16 bytes".to_owned())?;
            Ok::<_, String>(Aes128::new(&key.into()))
        });
        let together = table.server_id_bytes + table.nonce_bytes;
        if table.config >= ROTATION_NONE || id.len() != table.server_id_bytes || together >= ID_BYTES {
            return Err(format!("config {} makes no ids of {ID_BYTES} bytes", table.config));
        }
        Ok(Self {
            rotation: table.config,
            server: id,
            nonce_bytes: table.nonce_bytes,
            cipher: cipher.transpose()?,
            tells_length: table.lengths,
        })
    }

    /// An id with this nonce (§5.2), its first octet apart.
    fn body(&self, nonce: &[u8]) -> Vec<u8> {
        let plain = [self.server.as_slice(), nonce].concat();
        let Some(cipher) = &self.cipher else { return plain };
        match <[u8; BLOCK_BYTES]>::try_from(plain.as_slice()) {
            Ok(block) => encrypted(cipher, block).to_vec(),
            Err(_) => four_passes(cipher, &plain),
        }
    }
}

fn encrypted(cipher: &Aes128, block: [u8; BLOCK_BYTES]) -> [u8; BLOCK_BYTES] {
    let mut block = block.into();
    cipher.encrypt_block(&mut block);
    block.into()
}

/// §5.4.2.3.
fn four_passes(cipher: &Aes128, plain: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = plain.iter().flat_map(|byte| [byte >> 4, byte & 0xf]).collect();
    let (left, right) = digits.split_at(plain.len());
    // Of an odd number of digits a half has a zero more, to come to whole bytes: the left one behind, the right one
    // in front.
    let spare = plain.len() % 2;
    let (mut left, mut right) = (left.to_vec(), right.to_vec());
    for number in 1..=4 {
        let is_left = number % 2 == 0;
        let mut from = if is_left { right.clone() } else { left.clone() };
        (0..spare).for_each(|_| if is_left { from.insert(0, 0) } else { from.push(0) });
        let mask = encrypted(cipher, expanded(plain.len(), number, &bytes(&from)));
        let mask = mask.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        // The spare digit stays zero.
        let (onto, skip) = if is_left { (&mut left, 0) } else { (&mut right, spare) };
        onto.iter_mut().zip(mask.skip(skip)).for_each(|(digit, mask)| *digit ^= mask);
    }
    bytes(&[left, right].concat())
}

/// A half, zeros, the length of both, and the number of the pass (§5.4.2.2).
fn expanded(len: usize, number: u8, half: &[u8]) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    block.iter_mut().zip(half).for_each(|(to, from)| *to = *from);
    let [.., length, pass] = &mut block;
    *length = u8::try_from(len).unwrap_or_default();
    *pass = number;
    block
}

/// Two digits a byte.
fn bytes(digits: &[u8]) -> Vec<u8> {
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digit = |each: char| each.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Option<Vec<u8>> = text.chars().map(digit).collect();
    let whole = digits.filter(|digits| digits.len() % 2 == 0);
    whole.map(|digits| bytes(&digits)).ok_or_else(|| format!("{text:?} is not two hex digits a byte"))
}

/// What makes a server's ids.
struct Maker {
    /// None: ids say that nobody can read them (§3.2).
    way: Option<Way>,
    /// The last nonce. It begins anywhere and goes up by one, so that none comes twice (§10.6).
    nonce: [u8; ID_BYTES],
}

impl Maker {
    fn next(&mut self) -> [u8; ID_BYTES] {
        // What is not written over stays at random, as the draft wants it of every bit that means nothing.
        let mut id = random().unwrap_or_default();
        let [first, rest @ ..] = &mut id;
        let Some(way) = &self.way else {
            *first |= ROTATION_NONE << 5;
            return id;
        };
        let length = if way.tells_length { rest.len().try_into().unwrap_or_default() } else { *first & 0x1f };
        *first = way.rotation << 5 | length;
        // Clear nonces must not show which follows which.
        let all =
            if way.cipher.is_some() { counted_up(&mut self.nonce) } else { random().unwrap_or_default() };
        let nonce = all.get(ID_BYTES - way.nonce_bytes..).unwrap_or_default();
        rest.iter_mut().zip(way.body(nonce)).for_each(|(to, from)| *to = from);
        id
    }
}

/// What the kernel gives. Where it gives once, at the start, it gives always.
fn random() -> Result<[u8; ID_BYTES], String> {
    let bytes = generate(&SystemRandom::new()).map_err(|error| format!("no random bytes: {error}"))?;
    Ok(bytes.expose())
}

fn counted_up(nonce: &mut [u8; ID_BYTES]) -> [u8; ID_BYTES] {
    for byte in nonce.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    *nonce
}

/// A server's ids, as a file says; shared by all its endpoints.
#[derive(Clone)]
pub(crate) struct Ids {
    server: String,
    path: PathBuf,
    maker: Arc<Mutex<Maker>>,
}

impl Ids {
    /// Those of the last table that names the server.
    pub(crate) fn read(server: &str, path: PathBuf) -> Result<Self, String> {
        let way = way(server, &path)?;
        let maker = Arc::new(Mutex::new(Maker { way, nonce: random()? }));
        Ok(Self { server: server.to_owned(), path, maker })
    }

    /// The same file again: ids that are made from now on.
    pub(crate) fn read_again(&self) -> Result<(), String> {
        let way = way(&self.server, &self.path)?;
        self.maker().way = way;
        Ok(())
    }

    /// The number of the configuration in force.
    pub(crate) fn rotation(&self) -> u8 {
        self.maker().way.as_ref().map_or(ROTATION_NONE, |way| way.rotation)
    }

    fn maker(&self) -> MutexGuard<'_, Maker> {
        self.maker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn way(server: &str, path: &Path) -> Result<Option<Way>, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
    let tables: Tables = toml::from_str(&text).map_err(|error| told(&error))?;
    let its = |table: &'_ Table| table.servers.iter().position(|one| one.real == server);
    let last = tables.quic.iter().rev().find_map(|table| Some((table, table.servers.get(its(table)?)?)));
    last.map(|(table, its)| Way::of(table, its).map_err(|error| told(&error))).transpose()
}

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&self.maker().next())
    }

    fn cid_len(&self) -> usize {
        ID_BYTES
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, proptest};

    use super::{ID_BYTES, Maker, Server, Table, Way, hex};

    /// A way of lengths, with a server id.
    fn way(config: u8, key: Option<String>, (server, nonce_bytes): (String, usize)) -> Way {
        let servers = vec![Server { real: "web-1".to_owned(), id: server.clone() }];
        let table =
            Table { config, server_id_bytes: server.len() / 2, nonce_bytes, key, lengths: true, servers };
        Way::of(&table, &table.servers[0]).unwrap()
    }

    fn text(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_drafts_own_ids_come_out() {
        const KEY: Option<&str> = Some("8f95f09245765f80256934e50c66207f");
        // Appendix B, but for the clear one whose digits are not all printed; and the example of §5.4.2.4.
        let vectors = [
            (0, None, "c4605e", "4504cc4f", "07c4605e4504cc4f"),
            (0, KEY, "ed793a", "ee080dbf", "0720b1d07b359d3c"),
            (1, KEY, "ed793a51d49b8f5fab65", "ee080dbf48", "2fcc381bc74cb4fbad2823a3d1f8fed2"),
            (2, KEY, "ed793a51d49b8f5f", "ee080dbf48c0d1e5", "504dd2d05a7b0de9b2b9907afb5ecf8cc3"),
            (3, KEY, "ed793a51d49b8f5fab", "ee080dbf48c0d1e55d", "125779c9cc86beb3a3a4a3ca96fce4bfe0cdbc"),
            (0, Some("fdf726a9893ec05c0632d3956680baf0"), "31441a", "9c69c275", "0767947d29be054a"),
        ];
        for (config, key, server, nonce, id) in vectors {
            let way = way(config, key.map(str::to_owned), (server.to_owned(), nonce.len() / 2));
            let body = text(&way.body(&hex(nonce).unwrap()));
            assert_eq!(body, id[2..], "of {server} and {nonce}");
        }
    }

    #[test]
    fn what_is_no_hex_is_told() {
        assert_eq!(hex("00fF"), Ok(vec![0, 255]));
        assert!(hex("0").is_err() && hex("0g").is_err());
    }

    proptest! {
        /// The router reads what this writes, of every length that there may be.
        #[test]
        fn the_router_finds_the_server(
            server in prop::collection::vec(any::<u8>(), 1..=15),
            more in any::<prop::sample::Index>(),
            key in prop::option::of(any::<[u8; 16]>()),
            config in 0_u8..7,
            nonce in any::<[u8; ID_BYTES]>(),
        ) {
            let nonce_bytes = 4 + more.index(19 - server.len() - 3);
            let way = way(config, key.map(|key| text(&key)), (text(&server), nonce_bytes));
            let lengths = (u8::try_from(server.len()).unwrap(), u8::try_from(nonce_bytes).unwrap());
            let router = quic::lb::Config::new(lengths.0, lengths.1, key.as_ref(), true).unwrap();
            let mut maker = Maker { way: Some(way), nonce };
            let ids = [maker.next(), maker.next()];
            for id in ids {
                assert_eq!(quic::lb::rotation(&id), config);
                assert!(router.tells(&id));
                assert_eq!(router.server_id(&id).unwrap().as_bytes(), server);
            }
            assert_ne!(ids[0], ids[1]);
        }

        #[test]
        fn ids_without_a_configuration_say_that_nobody_reads_them(nonce in any::<[u8; ID_BYTES]>()) {
            assert_eq!(quic::lb::rotation(&Maker { way: None, nonce }.next()), quic::lb::ROTATION_NONE);
        }
    }
}
