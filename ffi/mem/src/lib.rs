//! Safe prefetch, cycle counter, huge-page memory, keyed hash and the counting allocator.
