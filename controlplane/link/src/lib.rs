//! Messages between control core and workers: 64-byte records, little-endian words, type and version
//! first. Discriminants are explicit and only ever appended to.
//!
//! Architecture invariants: each message says whether it may be repeated, and a receiver tolerates
//! repeats; a full ring is counted, never waited on; a record of an unknown type or version is refused,
//! counted, and skipped.
//!
//! ```text
//! word 0: type (16) | version (16) | 0 (32)
//! word 1…7: by type
//! ```
//!
//! A hop: word 1 the real (32), its port (8, 255 is none) and flags (8, bit 0 resolved); words 2 and 3 the
//! destination and the source MAC address (48 each, first byte highest); word 4 the serial.
#![forbid(unsafe_code)]

use service::{Generation, Hop, RealNumber};

/// One record, as the rings carry it.
pub type Record = [u64; 8];

/// The version of all records below.
pub const VERSION: u16 = 1;

/// What the control core tells a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Switch to this generation, whose table was handed over before. May be repeated: a worker that is
    /// there already acknowledges again.
    Switch(Generation),
    /// Finish what is in hand and end. May be repeated.
    Stop,
    /// Forward to a real by this next hop from now on. May be repeated; serials are the sender's and go up.
    Hop {
        /// The next hop.
        hop: Hop,
        /// What the worker acknowledges.
        serial: u64,
    },
}

/// What a worker tells the control core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// This worker forwards by this generation, and has let go of the one before. May be repeated.
    Switched(Generation),
    /// A switch was asked for to a generation that was not handed over; the worker goes on as before.
    NoSuchTable(Generation),
    /// This worker has ended, and nothing is in its hands. Sent once.
    Stopped,
    /// This worker forwards by the next hop of this serial, and by all that were sent before it. Said once for
    /// several that it took together. May be repeated.
    HopsAt(u64),
}

/// A record that says nothing we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Its type.
    pub kind: u16,
    /// Its version.
    pub version: u16,
}

const SWITCH: u16 = 1;
const STOP: u16 = 2;
const HOP: u16 = 3;
const SWITCHED: u16 = 1;
const NO_SUCH_TABLE: u16 = 2;
const STOPPED: u16 = 3;
const HOPS_AT: u16 = 4;

/// A hop's port that is none.
const NO_PORT: u8 = u8::MAX;
const RESOLVED: u64 = 1;

impl Command {
    /// As a record.
    #[must_use]
    pub const fn to_record(self) -> Record {
        match self {
            Self::Switch(generation) => named(SWITCH, generation),
            Self::Stop => plain(STOP),
            Self::Hop { hop, serial } => hop_record(&hop, serial),
        }
    }

    /// From a record.
    ///
    /// # Errors
    /// [`Unknown`].
    pub const fn from_record(record: &Record) -> Result<Self, Unknown> {
        match head(record) {
            (SWITCH, VERSION) => Ok(Self::Switch(generation(record))),
            (STOP, VERSION) => Ok(Self::Stop),
            (HOP, VERSION) => match hop(record) {
                Some((hop, serial)) => Ok(Self::Hop { hop, serial }),
                None => Err(Unknown { kind: HOP, version: VERSION }),
            },
            (kind, version) => Err(Unknown { kind, version }),
        }
    }
}

impl Report {
    /// As a record.
    #[must_use]
    pub const fn to_record(self) -> Record {
        match self {
            Self::Switched(generation) => named(SWITCHED, generation),
            Self::NoSuchTable(generation) => named(NO_SUCH_TABLE, generation),
            Self::Stopped => plain(STOPPED),
            Self::HopsAt(serial) => {
                let [head, ..] = plain(HOPS_AT);
                [head, serial, 0, 0, 0, 0, 0, 0]
            }
        }
    }

    /// From a record.
    ///
    /// # Errors
    /// [`Unknown`].
    pub const fn from_record(record: &Record) -> Result<Self, Unknown> {
        match head(record) {
            (SWITCHED, VERSION) => Ok(Self::Switched(generation(record))),
            (NO_SUCH_TABLE, VERSION) => Ok(Self::NoSuchTable(generation(record))),
            (STOPPED, VERSION) => Ok(Self::Stopped),
            (HOPS_AT, VERSION) => {
                let [_, serial, ..] = *record;
                Ok(Self::HopsAt(serial))
            }
            (kind, version) => Err(Unknown { kind, version }),
        }
    }
}

const fn plain(kind: u16) -> Record {
    [kind as u64 | (VERSION as u64) << 16, 0, 0, 0, 0, 0, 0, 0]
}

const fn named(kind: u16, generation: Generation) -> Record {
    [kind as u64 | (VERSION as u64) << 16, generation.boot, generation.sequence, 0, 0, 0, 0, 0]
}

const fn hop_record(hop: &Hop, serial: u64) -> Record {
    let [head, ..] = plain(HOP);
    let port = match hop.port {
        Some(port) => port,
        None => NO_PORT,
    };
    let flags = if hop.is_resolved { RESOLVED } else { 0 };
    let real = hop.real.get() as u64 | (port as u64) << 32 | flags << 40;
    [head, real, mac_word(hop.destination), mac_word(hop.source), serial, 0, 0, 0]
}

/// `None` for a real whose number is out of range.
#[allow(clippy::cast_possible_truncation, reason = "fields are taken out of their bits")]
const fn hop(record: &Record) -> Option<(Hop, u64)> {
    let [_, real, destination, source, serial, ..] = *record;
    let Ok(number) = RealNumber::new(real as u32) else { return None };
    let port = match (real >> 32) as u8 {
        NO_PORT => None,
        port => Some(port),
    };
    let is_resolved = real >> 40 & RESOLVED != 0;
    let (destination, source) = (mac_of(destination), mac_of(source));
    Some((Hop { real: number, port, destination, source, is_resolved }, serial))
}

const fn mac_word([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

const fn mac_of(word: u64) -> [u8; 6] {
    let [_, _, mac @ ..] = word.to_be_bytes();
    mac
}

#[allow(clippy::cast_possible_truncation, reason = "fields are taken out of their bits")]
const fn head(record: &Record) -> (u16, u16) {
    let [word, ..] = *record;
    (word as u16, (word >> 16) as u16)
}

const fn generation(record: &Record) -> Generation {
    let [_, boot, sequence, ..] = *record;
    Generation { boot, sequence }
}

#[cfg(test)]
mod tests {
    use super::{Command, Report, Unknown};
    use proptest::prelude::{any, proptest};
    use service::{Generation, Hop, RealNumber};

    #[test]
    fn every_message_comes_back_from_its_record() {
        let generation = Generation { boot: 7, sequence: 9 };
        for command in [Command::Switch(generation), Command::Stop] {
            assert_eq!(Command::from_record(&command.to_record()), Ok(command));
        }
        let reports = [
            Report::Switched(generation),
            Report::NoSuchTable(generation),
            Report::Stopped,
            Report::HopsAt(u64::MAX),
        ];
        for report in reports {
            assert_eq!(Report::from_record(&report.to_record()), Ok(report));
        }
    }

    #[test]
    fn another_version_is_refused_by_its_name() {
        let mut record = Command::Stop.to_record();
        record[0] = 2 | 9 << 16;
        assert_eq!(Command::from_record(&record), Err(Unknown { kind: 2, version: 9 }));
    }

    #[test]
    fn a_hop_of_no_possible_real_is_refused() {
        let mut record = [3 | 1 << 16, 65_535, 0, 0, 0, 0, 0, 0];
        assert!(Command::from_record(&record).is_ok());
        record[1] += 1;
        assert_eq!(Command::from_record(&record), Err(Unknown { kind: 3, version: 1 }));
    }

    proptest! {
        #[test]
        fn every_hop_comes_back_from_its_record(real in 0..65_536_u32, port in proptest::option::of(0..63_u8), destination: [u8; 6], source: [u8; 6], is_resolved: bool, serial: u64) {
            let real = RealNumber::new(real).unwrap();
            let command = Command::Hop { hop: Hop { real, port, destination, source, is_resolved }, serial };
            assert_eq!(Command::from_record(&command.to_record()), Ok(command));
        }

        #[test]
        fn any_record_gives_a_message_or_is_unknown(record in any::<[u64; 8]>()) {
            let _ = Command::from_record(&record);
            let _ = Report::from_record(&record);
        }
    }
}
