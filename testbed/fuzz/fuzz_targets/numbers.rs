//! Any text gives numbers or faults, and what is read is written so that it reads the same.
#![no_main]

use control::Numbers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Numbers::parse("fuzzed.numbers.toml", text) {
        Err(faults) => assert!(!faults.to_string().is_empty(), "a refusal says why"),
        Ok(numbers) => {
            let again =
                Numbers::parse("written.numbers.toml", &numbers.to_text()).expect("what we write we read");
            assert_eq!(again, numbers);
        }
    }
});
