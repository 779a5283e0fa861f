//! Any keepalived.conf gives a configuration that `conf` accepts, or a fault.
#![no_main]

use import::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::imported_is_sound(Format::Keepalived, bytes));
