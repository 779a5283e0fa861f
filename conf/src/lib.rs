//! TOML to validated types: every fault at once, with file, line, key and remedy.
