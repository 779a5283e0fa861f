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
#![forbid(unsafe_code)]

use service::Generation;

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
const SWITCHED: u16 = 1;
const NO_SUCH_TABLE: u16 = 2;
const STOPPED: u16 = 3;

impl Command {
    /// As a record.
    #[must_use]
    pub const fn to_record(self) -> Record {
        match self {
            Self::Switch(generation) => named(SWITCH, generation),
            Self::Stop => plain(STOP),
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
    use service::Generation;

    #[test]
    fn every_message_comes_back_from_its_record() {
        let generation = Generation { boot: 7, sequence: 9 };
        for command in [Command::Switch(generation), Command::Stop] {
            assert_eq!(Command::from_record(&command.to_record()), Ok(command));
        }
        for report in [Report::Switched(generation), Report::NoSuchTable(generation), Report::Stopped] {
            assert_eq!(Report::from_record(&report.to_record()), Ok(report));
        }
    }

    #[test]
    fn another_version_is_refused_by_its_name() {
        let mut record = Command::Stop.to_record();
        record[0] = 2 | 9 << 16;
        assert_eq!(Command::from_record(&record), Err(Unknown { kind: 2, version: 9 }));
    }

    proptest! {
        #[test]
        fn any_record_gives_a_message_or_is_unknown(record in any::<[u64; 8]>()) {
            let _ = Command::from_record(&record);
            let _ = Report::from_record(&record);
        }
    }
}
