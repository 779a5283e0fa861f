//! What the fuzz targets share: the sample table, and a run of packets written as bytes.
#![forbid(unsafe_code)]

mod run;

use conf::Config;
use control::Numbers;
use import::Format;
use service::{Blueprint, Built, Generation};

pub use run::{FRAME_BYTES_MAX, Sent, head, packets};

/// The configuration in `sample.toml`.
#[must_use]
pub fn sample_config() -> Config {
    conf::parse("sample.toml", include_str!("../sample.toml")).expect("the sample is valid")
}

/// What its table is built from.
#[must_use]
pub fn sample_blueprint() -> Blueprint {
    let config = sample_config();
    let numbers = Numbers::default().assign(&config, 0).expect("there are numbers enough");
    control::blueprint(&config, &numbers).expect("every name has a number")
}

/// Its images.
#[must_use]
pub fn sample_built() -> Built {
    service::build(&sample_blueprint(), Generation { boot: 1, sequence: 1 })
        .expect("the sample makes a table")
}

/// Holds an import to its word: a fault in one line, or what `conf` accepts, twice the same.
pub fn imported_is_sound(format: Format, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match import::import(format, text) {
        Err(fault) => assert!(!fault.to_string().contains('\n'), "a fault is one line"),
        Ok(imported) => {
            conf::parse("imported.toml", &imported.toml).expect("what is imported is sound");
            assert_eq!(import::import(format, text).as_ref(), Ok(&imported), "the same bytes again");
        }
    }
}
