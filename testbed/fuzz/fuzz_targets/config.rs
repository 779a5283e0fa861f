//! Any text gives a configuration or faults, and what is accepted makes a table.
#![no_main]

use control::Numbers;
use libfuzzer_sys::fuzz_target;
use service::Generation;

/// Slots of all pools together that are still built: large tables are slow here and no different.
const SLOTS_MAX: u64 = 200_000;

fuzz_target!(|bytes: &[u8]| {
    match conf::parse_bytes("fuzzed.toml", bytes.to_vec()) {
        Err(faults) => assert!(!faults.to_string().is_empty(), "a refusal says why"),
        Ok(config) => {
            let numbers =
                Numbers::default().assign(&config, 0).expect("numbers for all that fits the limits");
            let blueprint = control::blueprint(&config, &numbers).expect("every name has a number");
            let slots: u64 = blueprint.pools.iter().map(|pool| u64::from(pool.slots)).sum();
            if slots <= SLOTS_MAX {
                let built = service::build(&blueprint, Generation::default()).expect("it makes a table");
                built.table().expect("which passes its own check");
            }
        }
    }
});
