//! Messages between control core and workers, as fixed 64-byte records.
