//! Texts that are types: MAC addresses, names, and what DPDK calls a device.

use std::fmt;
use std::str::FromStr;

use crate::limits::{DEVICE_BYTES_MAX, NAME_BYTES_MAX};

/// A MAC address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

/// Text that is no unicast MAC address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacError {
    /// Not six pairs of hex digits with colons between.
    Form,
    /// All zeros, or the group bit is set.
    NotUnicast,
}

impl FromStr for Mac {
    type Err = MacError;

    fn from_str(text: &str) -> Result<Self, MacError> {
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts.next().ok_or(MacError::Form)?;
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
            *byte = u8::from_str_radix(part, 16).ok().filter(|_| digits).ok_or(MacError::Form)?;
        }
        let [first, ..] = bytes;
        match parts.next() {
            Some(_) => Err(MacError::Form),
            None if bytes == [0; 6] || first & 1 == 1 => Err(MacError::NotUnicast),
            None => Ok(Self(bytes)),
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// The name of a port, real, pool or service: 1 to [`NAME_BYTES_MAX`] letters, digits, `-`, `_` and `.`,
/// so that it can be a file key, a label and a word in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

/// Text that is no [`Name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameError;

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.bytes().all(allowed) {
            return Err(NameError);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A DPDK device: a PCI address, or a virtual device with its arguments. 1 to [`DEVICE_BYTES_MAX`]
/// printable ASCII characters without spaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device(Box<str>);

impl Device {
    /// The device as DPDK is told.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a PCI address, `0000:03:00.0` or `03:00.0`, with arguments behind a comma if need be.
    #[must_use]
    pub fn is_pci(&self) -> bool {
        let name = self.0.split_once(',').map_or(&*self.0, |(name, _)| name);
        name.contains(':') && name.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.'))
    }

    /// `None` if it is none.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let sound =
            (1..=DEVICE_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        sound.then(|| Self(text.into()))
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
