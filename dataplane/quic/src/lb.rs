//! Server ids in connection ids: QUIC-LB (draft-ietf-quic-load-balancers-21).
//!
//! ```text
//! | rotation (3) | length or random (5) | server id (8…) | nonce (32…) |
//! ```
//!
//! Behind the first octet stand server id and nonce: clear, or, under a key, as one AES block if they have 16 bytes
//! together (§5.4.1), else as what four rounds of a Feistel network make of them (§5.4.2). A router needs the left
//! half alone most of the time, and three rounds give it.

use core::fmt;

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

/// Bytes of server id and nonce together, at least and at most (§5.4.2.2).
pub const PLAINTEXT_BYTES: core::ops::RangeInclusive<u8> = 5..=19;
/// Bytes of a nonce, at least (§5.2).
pub const NONCE_BYTES_MIN: u8 = 4;
/// Bytes of the longest server id.
pub const SERVER_ID_BYTES_MAX: usize = 15;
/// The rotation bits that mean "no configuration" (§3.2).
pub const ROTATION_NONE: u8 = 0b111;
/// Server id and nonce of this many bytes are one AES block (§5.4.1).
const SINGLE_PASS_BYTES: u8 = 16;
/// Bytes of the longest half of an id.
const HALF_BYTES_MAX: usize = 10;

/// The rotation bits of an id (§3.1); of none, those that mean "no configuration".
#[inline]
#[must_use]
pub const fn rotation(id: &[u8]) -> u8 {
    match id {
        [first, ..] => *first >> 5,
        [] => ROTATION_NONE,
    }
}

/// A server id: 1 to 15 bytes, zero behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId {
    bytes: [u8; SERVER_ID_BYTES_MAX],
    len: u8,
}

impl ServerId {
    /// The id of these bytes; `None` for none, or more than 15.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let len = u8::try_from(bytes.len()).ok().filter(|len| *len > 0)?;
        let mut id = Self { len, ..Self::default() };
        id.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(id)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// How servers make ids, as one configuration says.
#[derive(Clone)]
pub struct Config {
    server_id_bytes: u8,
    nonce_bytes: u8,
    cipher: Option<Aes128>,
    /// Whether the five low bits of the first octet tell how many bytes follow it, and are held to it (§3.3, §4.1).
    tells_length: bool,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.cipher.is_some() { "withheld" } else { "none" };
        f.debug_struct("Config")
            .field("server_id_bytes", &self.server_id_bytes)
            .field("nonce_bytes", &self.nonce_bytes)
            .field("key", &key)
            .field("tells_length", &self.tells_length)
            .finish()
    }
}

/// Why there is no such configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// A server id has 1 to 15 bytes.
    ServerId,
    /// A nonce has at least 4 bytes.
    Nonce,
    /// Both together have 5 to 19 bytes.
    Together,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServerId => "a server id has 1 to 15 bytes",
            Self::Nonce => "a nonce has at least 4 bytes",
            Self::Together => "server id and nonce have 5 to 19 bytes together",
        })
    }
}

impl core::error::Error for ConfigError {}

impl Config {
    /// Ids of these lengths, in bytes, under `key` or clear.
    ///
    /// # Errors
    /// [`ConfigError`]: lengths that the draft does not have.
    pub fn new(
        server_id_bytes: u8,
        nonce_bytes: u8,
        key: Option<&[u8; 16]>,
        tells_length: bool,
    ) -> Result<Self, ConfigError> {
        if server_id_bytes == 0 || usize::from(server_id_bytes) > SERVER_ID_BYTES_MAX {
            return Err(ConfigError::ServerId);
        }
        if nonce_bytes < NONCE_BYTES_MIN {
            return Err(ConfigError::Nonce);
        }
        let together = server_id_bytes.checked_add(nonce_bytes);
        if !together.is_some_and(|together| PLAINTEXT_BYTES.contains(&together)) {
            return Err(ConfigError::Together);
        }
        let cipher = key.map(|key| Aes128::new(key.into()));
        Ok(Self { server_id_bytes, nonce_bytes, cipher, tells_length })
    }

    /// Bytes of an id, the first octet included.
    #[inline]
    #[must_use]
    pub const fn id_bytes(&self) -> usize {
        1 + (self.server_id_bytes + self.nonce_bytes) as usize
    }

    /// Whether the first octet of a whole id tells its length, where it has to (§4.1).
    #[inline]
    #[must_use]
    pub fn tells(&self, id: &[u8]) -> bool {
        !self.tells_length || id.first().is_some_and(|first| usize::from(first & 0x1f) + 1 == id.len())
    }

    /// The server id in a connection id, or in what begins with one; `None` if it is too short, or its first octet
    /// tells another length than it should, or more bytes than there are. Any other bytes that are long enough have one:
    /// whether there is such a server is the caller's business.
    #[inline]
    #[must_use]
    pub fn server_id(&self, id: &[u8]) -> Option<ServerId> {
        let (&first, body) = id.split_first()?;
        let len = self.server_id_bytes + self.nonce_bytes;
        let told = first & 0x1f;
        if self.tells_length && (told < len || usize::from(told) > body.len()) {
            return None;
        }
        let body = body.get(..usize::from(len))?;
        let server = usize::from(self.server_id_bytes);
        let Some(cipher) = &self.cipher else { return ServerId::new(body.get(..server)?) };
        if let (SINGLE_PASS_BYTES, Ok(block)) = (len, <[u8; 16]>::try_from(body)) {
            let mut block = block.into();
            cipher.decrypt_block(&mut block);
            return ServerId::new(block.get(..server)?);
        }
        let plain = four_pass(cipher, body, len, self.nonce_bytes < self.server_id_bytes);
        ServerId::new(plain.get(..server)?)
    }
}

/// Undoes the four rounds of §5.5.2; the last only if the right half is wanted, which else stays as it is.
fn four_pass(cipher: &Aes128, body: &[u8], len: u8, wants_right: bool) -> [u8; 2 * HALF_BYTES_MAX] {
    let half = body.len().div_ceil(2);
    let is_odd = len % 2 == 1;
    let (mut left, mut right) = halves(body, half);
    // The draft clears bits of left_1 after the third pass; it means right_1, as §5.4.2.3 encrypts it.
    pass(cipher, &mut left, &right, (len, 4, half));
    clear_last(&mut left, half, is_odd);
    pass(cipher, &mut right, &left, (len, 3, half));
    clear_first(&mut right, is_odd);
    pass(cipher, &mut left, &right, (len, 2, half));
    clear_last(&mut left, half, is_odd);
    if wants_right {
        pass(cipher, &mut right, &left, (len, 1, half));
        clear_first(&mut right, is_odd);
    }
    joined(&left, &right, half, is_odd)
}

type Half = [u8; HALF_BYTES_MAX];

/// Both halves; of an odd number of bytes the middle one belongs to both, four bits each.
fn halves(body: &[u8], half: usize) -> (Half, Half) {
    let (mut left, mut right) = (Half::default(), Half::default());
    let is_odd = body.len() % 2 == 1;
    left.iter_mut().zip(body.iter().take(half)).for_each(|(to, from)| *to = *from);
    right.iter_mut().zip(body.iter().skip(body.len() - half)).for_each(|(to, from)| *to = *from);
    clear_last(&mut left, half, is_odd);
    clear_first(&mut right, is_odd);
    (left, right)
}

/// The inverse of [`halves`].
fn joined(left: &Half, right: &Half, half: usize, is_odd: bool) -> [u8; 2 * HALF_BYTES_MAX] {
    let mut whole = [0; 2 * HALF_BYTES_MAX];
    let begin = half - usize::from(is_odd);
    whole.iter_mut().zip(left.iter().take(half)).for_each(|(to, from)| *to = *from);
    // Where they share a byte, each has zero where the other has bits.
    whole.iter_mut().skip(begin).zip(right.iter().take(half)).for_each(|(to, from)| *to |= *from);
    whole
}

/// One round: what the cipher makes of `from`, expanded by length and pass (§5.4.2.2), goes onto `onto`.
fn pass(cipher: &Aes128, onto: &mut Half, from: &Half, (len, number, half): (u8, u8, usize)) {
    let mut block = [0_u8; 16];
    block.iter_mut().zip(from.iter().take(half)).for_each(|(to, from)| *to = *from);
    let [.., length, pass] = &mut block;
    (*length, *pass) = (len, number);
    let mut block = block.into();
    cipher.encrypt_block(&mut block);
    onto.iter_mut().zip(block.iter()).take(half).for_each(|(to, from)| *to ^= *from);
}

fn clear_last(half: &mut Half, len: usize, is_odd: bool) {
    if let (true, Some(last)) = (is_odd, half.get_mut(len - 1)) {
        *last &= 0xf0;
    }
}

const fn clear_first(half: &mut Half, is_odd: bool) {
    if is_odd {
        let [first, ..] = half;
        *first &= 0x0f;
    }
}
