//! QUIC-LB in a table: how connection ids are made, and whose server ids they hold
//! (draft-ietf-quic-load-balancers-21).
//!
//! A service has a configuration for each value of the three rotation bits that it knows; services may share them.

use std::collections::BTreeMap;
use std::fmt;

use ::quic::lb::{Config, ConfigError, ROTATION_NONE, SERVER_ID_BYTES_MAX, ServerId};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::blueprint::{RealSpec, ServiceSpec};
use crate::limits::{QUIC_CONFIGS_MAX, SERVER_IDS_MAX};
use crate::numbers::RealNumber;

/// Values of the rotation bits that name a configuration.
pub const ROTATIONS: usize = ROTATION_NONE as usize;

/// A service's configurations by rotation bits: their places among the table's.
pub type QuicPlaces = [Option<u8>; ROTATIONS];

/// The same in an image: 255 is none, and so is the last byte.
pub(crate) const NO_QUIC: [u8; 8] = [u8::MAX; 8];

/// A key of connection ids, which is printed nowhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuicKey(pub [u8; 16]);

impl fmt::Debug for QuicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QuicKey(withheld)")
    }
}

/// How servers make their connection ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuicSpec {
    /// The rotation bits, 0 to 6 (§3.1).
    pub rotation: u8,
    /// Bytes of a server id, 1 to 15.
    pub server_id_bytes: u8,
    /// Bytes of a nonce, 4 or more; 5 to 19 with the server id.
    pub nonce_bytes: u8,
    /// What they are encrypted by; `None` is clear.
    pub key: Option<QuicKey>,
    /// Whether the first octet tells the length, and is held to it (§3.3).
    pub tells_length: bool,
    /// Whose server ids are whose; each once.
    pub servers: Vec<(ServerId, RealNumber)>,
}

/// What is wrong with a configuration of connection ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuicFault {
    /// There are more than [`QUIC_CONFIGS_MAX`], or more than [`SERVER_IDS_MAX`] server ids.
    TooMany,
    /// Rotation bits above 6.
    Rotation,
    /// Lengths that there are not.
    Lengths(ConfigError),
    /// A server id of another length.
    ServerId(RealNumber),
    /// A server id that is another real's too.
    Twice(RealNumber),
    /// A real that the table does not have.
    UnknownReal(RealNumber),
}

impl fmt::Display for QuicFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => f.write_str("too many configurations or server ids"),
            Self::Rotation => f.write_str("its rotation bits are above 6"),
            Self::Lengths(error) => write!(f, "{error}"),
            Self::ServerId(real) => write!(f, "the server id of real {} has another length", real.get()),
            Self::Twice(real) => write!(f, "the server id of real {} is another's too", real.get()),
            Self::UnknownReal(real) => write!(f, "no real {}", real.get()),
        }
    }
}

/// One configuration in an image.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct QuicEntry {
    /// Zero without a key.
    key: [u8; 16],
    /// Its server ids: where they begin, and how many they are.
    first: u32,
    len: u32,
    rotation: u8,
    server_id_bytes: u8,
    nonce_bytes: u8,
    /// [`HAS_KEY`], [`TELLS_LENGTH`].
    bits: u8,
    spare: u32,
}

const HAS_KEY: u8 = 1;
const TELLS_LENGTH: u8 = 2;

/// One server id in an image: zero behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct ServerIdEntry {
    id: [u8; SERVER_ID_BYTES_MAX],
    len: u8,
    real: u32,
}

impl QuicEntry {
    fn config(&self) -> Result<Config, ConfigError> {
        let key = (self.bits & HAS_KEY != 0).then_some(&self.key);
        Config::new(self.server_id_bytes, self.nonce_bytes, key, self.bits & TELLS_LENGTH != 0)
    }
}

/// A configuration as the packet path uses it, its key made ready: too much work for a packet, so it is done when a
/// table comes.
#[derive(Clone, Debug)]
pub struct QuicConfig(Config);

impl QuicConfig {
    /// The configuration.
    #[inline]
    #[must_use]
    pub const fn get(&self) -> &Config {
        &self.0
    }
}

/// Configurations and server ids of a table.
#[derive(Clone, Copy)]
pub(crate) struct QuicView<'t> {
    pub(crate) configs: &'t [QuicEntry],
    pub(crate) servers: &'t [ServerIdEntry],
}

impl<'t> QuicView<'t> {
    /// Every configuration, in the order of its place.
    pub(crate) fn ready(self) -> impl Iterator<Item = QuicConfig> + use<'t> {
        self.configs.iter().filter_map(|entry| entry.config().ok().map(QuicConfig))
    }

    /// The real of a server id under the configuration of that place.
    pub(crate) fn server(self, place: u8, id: &ServerId) -> Option<RealNumber> {
        let entry = self.configs.get(usize::from(place))?;
        let (first, len) = (entry.first as usize, entry.len as usize);
        let servers = self.servers.get(first..)?.get(..len)?;
        let at = servers.binary_search_by(|server| server.bytes().cmp(id.as_bytes())).ok()?;
        RealNumber::new(servers.get(at)?.real).ok()
    }

    /// Whether an image may say so: `is_real` tells of numbers of reals. Gives the place of the first wrong item.
    pub(crate) fn check_configs(self) -> Option<usize> {
        let mut next = 0_usize;
        self.configs.iter().position(|entry| {
            let begins = next;
            next = next.saturating_add(entry.len as usize);
            let is_sound = entry.first as usize == begins
                && next <= self.servers.len()
                && usize::from(entry.rotation) < ROTATIONS
                && entry.config().is_ok()
                && entry.bits <= HAS_KEY | TELLS_LENGTH
                && (entry.bits & HAS_KEY != 0 || entry.key == [0; 16])
                && entry.spare == 0;
            !is_sound
        })
    }

    /// The same for the server ids, of configurations that are sound.
    pub(crate) fn check_servers(self, is_real: impl Fn(u32) -> bool) -> Option<usize> {
        let mut at = 0;
        for entry in self.configs {
            let mut before: Option<&[u8]> = None;
            for server in self.servers.iter().skip(entry.first as usize).take(entry.len as usize) {
                let is_sound = server.len == entry.server_id_bytes
                    && server.id.iter().skip(usize::from(server.len)).all(|byte| *byte == 0)
                    && is_real(server.real)
                    && before.is_none_or(|before| before < server.bytes());
                if !is_sound {
                    return Some(at);
                }
                before = Some(server.bytes());
                at += 1;
            }
        }
        (at < self.servers.len()).then_some(at)
    }

    /// Whether a service's places are its configurations'.
    pub(crate) fn are_sound(self, places: &[u8; 8]) -> bool {
        places.iter().zip(0_u8..).all(|(place, rotation)| {
            *place == u8::MAX
                || self.configs.get(usize::from(*place)).is_some_and(|of| of.rotation == rotation)
        })
    }
}

impl ServerIdEntry {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self.id.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// Both sections of a blueprint's configurations, and each one's place there.
pub(crate) struct QuicSections {
    pub(crate) configs: Vec<QuicEntry>,
    pub(crate) servers: Vec<ServerIdEntry>,
    places: Vec<Option<u8>>,
    rotations: Vec<u8>,
}

impl QuicSections {
    /// Those that a service uses, once each, in the order of what they say.
    ///
    /// # Errors
    /// The place of a configuration, and what is wrong with it.
    pub(crate) fn new(
        specs: &[QuicSpec],
        services: &[ServiceSpec],
        reals: &BTreeMap<RealNumber, RealSpec>,
    ) -> Result<Self, (usize, QuicFault)> {
        let mut sorted: BTreeMap<QuicSpec, Vec<usize>> = BTreeMap::new();
        let is_used = |at: usize| {
            services
                .iter()
                .any(|service| service.quic.iter().flatten().any(|place| usize::from(*place) == at))
        };
        for (at, spec) in specs.iter().enumerate() {
            let spec = checked(spec, reals).map_err(|fault| (at, fault))?;
            if is_used(at) {
                sorted.entry(spec).or_default().push(at);
            }
        }
        let mut made = Self {
            configs: Vec::new(),
            servers: Vec::new(),
            places: vec![None; specs.len()],
            rotations: specs.iter().map(|spec| spec.rotation).collect(),
        };
        for (spec, of) in sorted {
            let at = of.first().copied().unwrap_or_default();
            let place = u8::try_from(made.configs.len()).ok().filter(|place| *place < QUIC_CONFIGS_MAX);
            let place = place.ok_or((at, QuicFault::TooMany))?;
            made.add(&spec).ok_or((at, QuicFault::TooMany))?;
            for at in of {
                if let Some(to) = made.places.get_mut(at) {
                    *to = Some(place);
                }
            }
        }
        Ok(made)
    }

    fn add(&mut self, spec: &QuicSpec) -> Option<()> {
        let total = self.servers.len().checked_add(spec.servers.len())?;
        if total > SERVER_IDS_MAX {
            return None;
        }
        self.configs.push(QuicEntry {
            key: spec.key.map(|key| key.0).unwrap_or_default(),
            first: u32::try_from(self.servers.len()).ok()?,
            len: u32::try_from(spec.servers.len()).ok()?,
            rotation: spec.rotation,
            server_id_bytes: spec.server_id_bytes,
            nonce_bytes: spec.nonce_bytes,
            bits: if spec.key.is_some() { HAS_KEY } else { 0 }
                | if spec.tells_length { TELLS_LENGTH } else { 0 },
            spare: 0,
        });
        for (id, real) in &spec.servers {
            let mut entry =
                ServerIdEntry { id: [0; SERVER_ID_BYTES_MAX], len: spec.server_id_bytes, real: real.get() };
            entry.id.iter_mut().zip(id.as_bytes()).for_each(|(to, from)| *to = *from);
            self.servers.push(entry);
        }
        Some(())
    }

    /// A service's places as an image has them; `None` if one is no configuration with those rotation bits.
    pub(crate) fn of(&self, places: &QuicPlaces) -> Option<[u8; 8]> {
        let mut found = NO_QUIC;
        for ((place, to), rotation) in places.iter().zip(&mut found).zip(0_u8..) {
            if let Some(place) = place.map(usize::from) {
                let is_of = self.rotations.get(place) == Some(&rotation);
                *to = (*self.places.get(place)?).filter(|_| is_of)?;
            }
        }
        Some(found)
    }
}

/// The configuration with its servers by id.
fn checked(spec: &QuicSpec, reals: &BTreeMap<RealNumber, RealSpec>) -> Result<QuicSpec, QuicFault> {
    if usize::from(spec.rotation) >= ROTATIONS {
        return Err(QuicFault::Rotation);
    }
    Config::new(spec.server_id_bytes, spec.nonce_bytes, None, false).map_err(QuicFault::Lengths)?;
    let mut servers = BTreeMap::new();
    for (id, real) in &spec.servers {
        if id.as_bytes().len() != usize::from(spec.server_id_bytes) {
            return Err(QuicFault::ServerId(*real));
        }
        if !reals.contains_key(real) {
            return Err(QuicFault::UnknownReal(*real));
        }
        if servers.insert(*id, *real).is_some() {
            return Err(QuicFault::Twice(*real));
        }
    }
    Ok(QuicSpec { servers: servers.into_iter().collect(), ..spec.clone() })
}
