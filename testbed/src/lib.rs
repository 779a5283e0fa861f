//! Golden packet cases and the tests that hold the house's law: what the tests under `tests/` share.
#![forbid(unsafe_code)]
