//! Benchmarks: criterion for parts, side by side with testpmd for the whole.
